// The kit serves node:test as it serves Vitest: the same checks, and a process that fails when one of them does.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const fixture = fileURLToPath(new URL("fixtures/node-test.ts", import.meta.url));

interface Outcome {
  readonly code: number | string | null | undefined;
  readonly output: string;
}

/** Runs the fixture. What a test runner of this process left in the environment would change the child's output. */
function run(...args: readonly string[]): Promise<Outcome> {
  const { NODE_TEST_CONTEXT: _context, NODE_OPTIONS: _options, ...env } = process.env;
  const command = ["--conditions=@fengni/source", "--import", "tsx", "--test-reporter=tap", fixture, ...args];
  return new Promise((resolve) => {
    execFile(process.execPath, command, { env, maxBuffer: 2 ** 24 }, (error, stdout) => {
      resolve({ code: error === null ? 0 : error.code, output: stdout });
    });
  });
}

test("every check passes under node:test", async () => {
  const { code, output } = await run();
  expect(output).toMatch(/# tests 146\b/);
  expect(output).toMatch(/# pass 146\b/);
  expect(output).toContain("conformance / shutdown / no handle stays open");
  expect(code).toBe(0);
});

test("a wrong provider fails under node:test", async () => {
  const { code, output } = await run("broken");
  expect(output).toMatch(/# fail [1-9]/);
  expect(output).toContain("not ok");
  expect(output).toContain("a data key of 24 bytes, decrypted: expected the same 24 bytes, got others from byte 12 on");
  expect(code).toBe(1);
});
