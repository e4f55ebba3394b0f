// fengni conform: its report, its exit codes, and what it says of modules that it cannot test.
import { mkdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { loadFailure } from "../src/conform-module.js";
import { Capture, ended, expectFailure, Folder, run, runWell, start } from "./support.js";

const folder = new Folder();

/** A provider that claims nothing, and refuses it: a module in plain JavaScript. */
function moduleText(encrypt: string, ending: string): string {
  const methods = ["generateDataKey", "decrypt", "reEncrypt", "sign", "verify", "getPublicKey"];
  const rest = ["asymmetricDecrypt", "postQuantumEncrypt", "postQuantumDecrypt"];
  return `
const refusal = (code) => Object.defineProperty(Object.assign(new Error(code), { code, retryable: false }),
  Symbol.for("fengni.error"), { value: true });
const unclaimed = async () => { throw refusal("ERR_NOT_SUPPORTED"); };
let isClosed = false;
const provider = {
  providerId: "nothing\\u001b[31m",
  capabilities: { operations: [], dataKeyBytes: { minimum: 1, maximum: 1 }, maxPlaintextBytes: 1, maxMessageBytes: 1,
    signatureAlgorithms: [], asymmetricEncryptionAlgorithms: [] },
  resolveKeyId: async (keyId) => { throw refusal(isClosed ? "ERR_CLOSED" : "ERR_KEY_NOT_FOUND"); },
  encrypt: ${encrypt},
  ${[...methods, ...rest].map((name) => `${name}: unclaimed,`).join(" ")}
  close: async () => { isClosed = true; },
};
const factory = async () => ({ provider, keys: {} });
${ending}
`;
}

const good = folder.write("good.mjs", moduleText("unclaimed", "export default factory;"));
const named = folder.write("named.mjs", moduleText("unclaimed", "export { factory };"));
const common = folder.write("common.cjs", moduleText("unclaimed", "module.exports = { factory };"));
const bad = folder.write(
  "bad.mjs",
  moduleText("async () => { throw new Error('not yet written'); }", "export { factory };"),
);

describe("reports", () => {
  test("a backend that keeps what it claims: exit code 0, and nothing on standard error", async () => {
    for (const module of [good, named, common]) {
      const { stdout, stderr } = await runWell(["conform", module]);
      expect(stdout.toString()).toMatch(/^nothing\\u\{1b\}\[31m: conforms\n\d+ checks passed, 0 failed, /);
      expect(stderr).toBe("");
    }
  });

  test("a backend that does not: what failed, exit code 1", async () => {
    const { stdout, stderr, exitCode } = await run(["conform", bad]);
    expect(stdout.toString()).toContain(": does not conform\n");
    expect(stdout.toString()).toContain(
      "failed: operations that are not claimed are not supported (encrypt, which is not claimed: expected a rejection with ERR_NOT_SUPPORTED, got one with Error without a code)",
    );
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 1 });
  });

  test("--json and --only", async () => {
    const words = ["--json", "--only", "capabilities", "--only", "shutdown", "--data-keys", "7"];
    const { stdout } = await runWell(["conform", good, ...words]);
    expect(stdout.toString().match(/\n/g)).toHaveLength(1);
    const report = JSON.parse(stdout.toString());
    expect(report).toMatchObject({ passed: true, uniqueDataKeys: 7, areas: [{ area: "capabilities" }, {}] });
    expect(report.notRun).toContain("encrypt-decrypt");
  });

  test("where nothing is exercised, nothing is proved: exit code 1", async () => {
    const { stdout, exitCode } = await run(["conform", good, "--only", "rotation"]);
    expect(stdout.toString()).toContain(": nothing was exercised\n");
    expect(exitCode).toBe(1);
  });

  test("a terminal sees the areas go by; FENGNI_DEBUG shows the error behind a failure", async () => {
    const stderr = new Capture(true, 200);
    await run(["conform", bad, "--only", "capabilities"], { stderr, env: { FENGNI_DEBUG: "1" } });
    expect(stderr.text.startsWith("[0/1] waiting for the backend\r")).toBe(true);
    expect(stderr.text).toContain("[1/1] capabilities: 5 checks, 1 failed");
    expect(stderr.text).toContain("Error: not yet written");
    expect(stderr.text.endsWith("\r\u001b[K")).toBe(true);
  });

  test("an interruption ends it before its next check", async () => {
    const signal = AbortSignal.abort(Object.assign(new Error("enough"), { name: "AbortError" }));
    const { stdout, exitCode } = await run(["conform", good], { signal });
    expect({ stdout: stdout.toString(), exitCode }).toEqual({ stdout: "", exitCode: 1 });
  });
});

describe("modules that cannot be tested", () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ["no-factory.mjs", "export const other = 1;", /has no factory: export a function that makes a subject/],
    ["throws.mjs", "throw new Error('at\\nload');", /cannot load .*: Error: at load \(/],
    [
      "rejects.mjs",
      "export default async () => { throw new Error('no device'); };",
      /factory of .* failed: Error: no device/,
    ],
    [
      "throws-late.mjs",
      "export default () => { throw 1; };",
      /factory of .* failed: a value of type number was thrown/,
    ],
    ["broken.mjs", "export default {", /cannot load .*: SyntaxError: /],
    ["misses.mjs", "import 'no-such-package';", /cannot load .*: Error: .*no-such-package/],
    ["empty.mjs", "export default async () => ({});", /cannot test .*: the factory expected to give a provider/],
    [
      "partly.mjs",
      moduleText("undefined", "export { factory };"),
      /cannot test .*: provider\.encrypt expected a method/,
    ],
    ["data.txt", "text", /cannot load .*: name a module in JavaScript/],
  ];
  test.each(cases)("%s", async (name, text, message) => {
    const { stdout, ...result } = await ended(start(["conform", folder.write(name, text)], folder.path));
    expectFailure(result, 1, "ERR_MODULE");
    expect(result.stderr).toMatch(message);
    expect(stdout.length).toBe(0);
  });

  test("what is not there", async () => {
    for (const [module, message] of [
      ["./missing.mjs", /cannot load \.\/missing\.mjs: there is no such file or directory/],
      ["no-such-backend", /no such file, and no such package to be found from this folder/],
      [folder.path, /it is a directory; name a file in it/],
    ] as const) {
      const result = await run(["conform", module]);
      expectFailure(result, 1, "ERR_MODULE");
      expect(result.stderr).toMatch(message);
    }
  });

  test("TypeScript without a loader", () => {
    const error = Object.assign(new TypeError("Unknown file extension"), { code: "ERR_UNKNOWN_FILE_EXTENSION" });
    expect(loadFailure("backend.ts", error).message).toContain("does not load TypeScript: compile it");
  });

  test("wrong words", async () => {
    expectFailure(await run(["conform", good, "--only", "everything"]), 2, "ERR_USAGE");
    expectFailure(await run(["conform", good, "--data-keys", "0"]), 2, "ERR_USAGE");
    expectFailure(await run(["conform"]), 2, "ERR_USAGE");
  });
});

test("packages of the working directory, also those that can be imported only", async () => {
  const packages: readonly (readonly [string, object])[] = [
    ["plain", { main: "index.js" }],
    ["imported", { exports: { ".": { import: { types: "./index.d.ts", default: "./index.js" } } } }],
  ];
  for (const [name, fields] of packages) {
    mkdirSync(folder.at(`node_modules/${name}`), { recursive: true });
    folder.write(`node_modules/${name}/package.json`, JSON.stringify({ name, type: "module", ...fields }));
    folder.write(`node_modules/${name}/index.js`, moduleText("unclaimed", "export { factory };"));
    const { stdout, exitCode } = await ended(start(["conform", name], folder.path));
    expect(stdout.toString()).toContain(": conforms\n");
    expect(exitCode).toBe(0);
  }
});
