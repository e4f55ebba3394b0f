// fengni policy check: what it finds, how it shows it, and its exit codes.
import { describe, expect, test } from "vitest";
import { expectFailure, Folder, run, runWell } from "./support.js";

const folder = new Folder();
const KEY = "qcs::kms:ap-guangzhou:uin/100000000001:key/creatorUin/100000000001/k1";

function policy(name: string, ...statements: object[]): string {
  return folder.write(name, JSON.stringify({ version: "2.0", statement: statements }));
}

const good = policy("good.json", { effect: "allow", action: "kms:Encrypt", resource: KEY });
const useless = policy("useless.json", { effect: "allow", action: "kms:Decrypt", resource: KEY });
const broad = policy("broad.json", { effect: "allow", action: "*", resource: "*" });
const malformed = policy("malformed.json", { effect: "Allow", action: "kms:Encrypt", resource: KEY });

describe("for people", () => {
  test("a policy that does what it says", async () => {
    const { stdout, stderr } = await runWell(["policy", "check", good]);
    expect(stdout.toString()).toBe(`${good}: nothing to report\n0 errors, 0 warnings in 1 file\n`);
    expect(stderr).toBe("");
  });

  test("a statement that cannot work: where, what, what to do; exit code 1", async () => {
    const { stdout, stderr, exitCode } = await run(["policy", "check", useless]);
    const [first, second, last] = stdout.toString().split("\n");
    expect(first).toContain(`${useless}: statement[0].resource: error (operation-level-allow): Decrypt`);
    expect(second).toMatch(/^ {2}to do: .*"\*"/);
    expect(last).toBe("1 error, 0 warnings in 1 file");
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 1 });
  });

  test("a malformed policy is an error with its place, and the other files are checked all the same", async () => {
    const { stdout, exitCode } = await run(["policy", "check", malformed, good]);
    expect(stdout.toString()).toContain(
      `${malformed}: statement[0].effect: error (malformed): must be "allow" or "deny", in lower case\n`,
    );
    expect(stdout.toString()).toContain(`${good}: nothing to report\n1 error, 0 warnings in 2 files\n`);
    expect(exitCode).toBe(1);
  });

  test("warnings fail with --strict only", async () => {
    const { stdout } = await runWell(["policy", "check", broad]);
    expect(stdout.toString()).toContain("warning (too-broad)");
    expect((await run(["policy", "check", "--strict", broad])).exitCode).toBe(1);
    expect((await run(["policy", "check", "--strict", good])).exitCode).toBe(0);
  });

  test("standard input, with a byte order mark", async () => {
    const stdin = `\u{feff}${folder.read("good.json")}`;
    const { stdout } = await runWell(["policy", "check", "-"], { stdin });
    expect(stdout.toString()).toMatch(/^-: nothing to report\n/);
  });

  test("a terminal escape in a policy is shown escaped", async () => {
    const path = policy("escape.json", { effect: "allow", action: "kms:\u001b[31m", resource: KEY });
    const { stdout } = await run(["policy", "check", path]);
    expect(stdout.toString()).not.toContain("\u001b");
  });
});

describe("for programs", () => {
  test("--json: every file with its findings", async () => {
    const { stdout, exitCode } = await run(["policy", "check", "--json", good, useless, malformed]);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout.toString())).toEqual({
      files: [
        { file: good, findings: [] },
        {
          file: useless,
          findings: [
            {
              severity: "error",
              code: "operation-level-allow",
              path: "statement[0].resource",
              message: expect.any(String),
              advice: expect.any(String),
            },
          ],
        },
        {
          file: malformed,
          findings: [
            {
              severity: "error",
              code: "malformed",
              path: "statement[0].effect",
              message: 'must be "allow" or "deny", in lower case',
              advice: expect.any(String),
            },
          ],
        },
      ],
    });
    expect(stdout.toString().trimEnd()).not.toContain("\n");
  });

  for (const [name, text] of [
    ["no JSON", "{"],
    ["no object", "[]"],
    ["another version", '{"version":"1.0","statement":[]}'],
    ["an empty file", ""],
  ] as const) {
    test(`${name} is malformed`, async () => {
      const { stdout, exitCode } = await run(["policy", "check", "--json", "-"], { stdin: text });
      const [finding] = JSON.parse(stdout.toString()).files[0].findings;
      expect(finding).toMatchObject({ severity: "error", code: "malformed" });
      expect(exitCode).toBe(1);
    });
  }
});

describe("refusals", () => {
  test("no FILE, an empty one", async () => {
    expectFailure(await run(["policy", "check"]), 2, "ERR_USAGE");
    const empty = await run(["policy", "check", good, ""]);
    expectFailure(empty, 2, "ERR_USAGE");
    expect(empty.stderr).toContain("FILE is empty");
  });

  test("the group alone, and an unknown command of it", async () => {
    const alone = await run(["policy"]);
    expectFailure(alone, 2, "ERR_USAGE");
    expect(alone.stderr).toContain("policy needs a command: one of check, explain, generate");
    expectFailure(await run(["policy", "mend"]), 2, "ERR_USAGE");
  });

  test("a file that is not there, a folder, one that is too long, one that is not UTF-8", async () => {
    const long = folder.write("long.json", " ".repeat(60_000));
    const binary = folder.write("binary.json", Uint8Array.of(0xff, 0xfe));
    for (const path of [folder.at("missing.json"), folder.path, long, binary]) {
      const result = await run(["policy", "check", path]);
      expectFailure(result, 1, "ERR_INPUT");
      expect(result.stderr).toContain(path);
      expect(result.stdout.length).toBe(0);
    }
  });
});
