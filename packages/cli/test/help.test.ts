// Help, version and doctor.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { COMMANDS } from "../src/cli.js";
import { OPTIONS } from "../src/option-table.js";
import { run, runWell } from "./support.js";

async function printed(...argv: string[]): Promise<string> {
  const { stdout, stderr } = await runWell(argv);
  expect(stderr).toBe("");
  return stdout.toString();
}

describe("help", () => {
  test("overview", async () => {
    const overview = await printed("help");
    expect(overview).toMatchSnapshot();
    for (const argv of [["--help"], ["-h"], ["help", "help"]]) expect(await printed(...argv)).toBe(overview);
    expect(await run([])).toMatchObject({ exitCode: 2, stderr: overview });
  });

  for (const { name } of COMMANDS) {
    test(name, async () => {
      const text = await printed("help", ...name.split(" "));
      expect(text).toMatchSnapshot();
      expect(await printed(...name.split(" "), "--help")).toBe(text);
      expect(await printed(...name.split(" "), "-h")).toBe(text);
    });
  }

  for (const group of ["key", "policy"]) {
    test(group, async () => {
      const text = await printed("help", group);
      expect(text).toMatchSnapshot();
      expect(await printed(group, "--help")).toBe(text);
    });
  }

  test("every option belongs to a command", () => {
    const used = new Set(COMMANDS.flatMap(({ options }) => options));
    for (const name of Object.keys(OPTIONS)) expect(used.has(name as never) || name === "help", name).toBe(true);
  });

  test("no line but an example is wider than 80 characters", async () => {
    for (const { name } of COMMANDS) {
      const text = (await printed("help", ...name.split(" "))).split("Examples:")[0] as string;
      for (const line of text.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
    }
  });

  test("docs/cli.md names every command and every option", () => {
    const docs = readFileSync(new URL("../../../docs/cli.md", import.meta.url), "utf8");
    for (const { name } of COMMANDS) expect(docs).toContain(`fengni ${name}`);
    for (const name of Object.keys(OPTIONS)) expect(docs).toContain(`--${name}`);
  });
});

test("version", async () => {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  for (const option of ["--version", "-V"]) expect(await printed(option)).toBe(`fengni ${version}\n`);
});

describe("doctor", () => {
  test("for people", async () => {
    const text = await printed("doctor");
    expect(text).toContain(`Node.js ${process.version}`);
    for (const primitive of ["AES-GCM", "SHA-2, HMAC, HKDF", "random", "ECDSA", "RSA"]) {
      expect(text).toMatch(new RegExp(`^${primitive} +node `, "m"));
    }
  });

  test("for programs", async () => {
    const report = JSON.parse(await printed("doctor", "--json"));
    expect(report).toMatchObject({ node: process.version, platform: process.platform, arch: process.arch });
    expect(report.primitives[0]).toEqual({
      primitive: "AES-GCM",
      chosen: "node",
      available: expect.arrayContaining(["node"]),
      reason: expect.any(String),
    });
  });
});
