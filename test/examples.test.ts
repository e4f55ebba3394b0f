// Every example runs, ends well, and prints what its comment promises.
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const run = promisify(execFile);
const root = fileURLToPath(new URL("..", import.meta.url));

const EXPECTED: Readonly<Record<string, RegExp>> = {
  "backend-in-an-hour.ts": /opened through the example backend: 40 reams of paper/,
  "database-fields.ts": /1000 values sealed and opened, 1 call to generate a data key\nall equal: true/,
  "seal-file.ts": /sealed with AES_256_GCM_HKDF_SHA512_COMMIT_KEY.*\n5000000 bytes in, 5000000 bytes out/,
  "seal-text.ts": /sealed: \d+ bytes\nopened: li\.lei@example\.cn/,
  "several-keys.ts": /primary alone: ERR_UNWRAP_FAILED\nwith escrow: worth keeping/,
};

test("every example is expected to print something", () => {
  expect(readdirSync(`${root}examples`).sort()).toEqual(Object.keys(EXPECTED).sort());
});

test.each(Object.entries(EXPECTED))("%s", async (name, output) => {
  const options = ["--conditions=@fengni/source", "--import", "tsx", `examples/${name}`];
  const { stdout } = await run(process.execPath, options, { cwd: root });
  expect(stdout).toMatch(output);
});
