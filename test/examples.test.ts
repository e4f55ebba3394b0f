// Every example runs, ends well, and prints what its comment promises.
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const run = promisify(execFile);
const root = fileURLToPath(new URL("..", import.meta.url));

const EXPECTED: Readonly<Record<string, RegExp>> = {
  "at-scale.ts":
    /50 tenants, 1000 messages sealed and opened, all equal: true\nbranch keys loaded: 50\none tenant's message as another's: refused\ncache: 1000 hits, 1 load\ncalls: generate-data-key 1, wrap-data-key 1\nnot wrapped by: second \(ERR_KEY_STATE\)\nby the second key alone: before cannot-open, healed order 0/,
  "backend-in-an-hour.ts": /opened through the example backend: 40 reams of paper/,
  "database-fields.ts": /1000 values sealed and opened, 1 call to generate a data key\nall equal: true/,
  "seal-file.ts": /sealed with AES_256_GCM_HKDF_SHA512_COMMIT_KEY.*\n5000000 bytes in, 5000000 bytes out/,
  "seal-text.ts": /sealed: \d+ bytes\nopened: li\.lei@example\.cn/,
  "sealed-fields.ts":
    /row 2: han@example\.cn\nmoved to another tenant: refused\nstored: .*"city":"Beijing".*\nopened: card 6222020200112230000 \(bigint\), 3 days/,
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
