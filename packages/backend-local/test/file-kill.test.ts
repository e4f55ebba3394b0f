// Processes that are killed while they write one file: the short form of scripts/kill-test.mjs, which says how it works.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const SCRIPT = fileURLToPath(new URL("../../../scripts/kill-test.mjs", import.meta.url));

test("nothing that was acknowledged is lost when writers are killed", () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, "--rounds", "10", "--seed", "7"], {
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const told = /kills (\d+), keys (\d+), acknowledged changes (\d+), lost 0\n$/.exec(stdout)?.slice(1).map(Number);
  const [kills = 0, keys = 0, acknowledged = 0] = told ?? [];
  expect(kills).toBeGreaterThanOrEqual(10);
  expect(keys).toBeGreaterThanOrEqual(5);
  expect(acknowledged).toBeGreaterThanOrEqual(20);
});
