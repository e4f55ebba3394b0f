// Processes that are killed while they write one file: the short form of scripts/kill-test.mjs, which says how it works.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const SCRIPT = fileURLToPath(new URL("../../../scripts/kill-test.mjs", import.meta.url));

// The script starts dozens of processes, one after the other.
const LONG = { timeout: 600_000 };

test("nothing that was acknowledged is lost when writers are killed", LONG, () => {
  let [keys, acknowledged] = [0, 0];
  // Once is enough, but on a machine on which the writers get nothing done before they are killed.
  for (let seed = 7; keys < 5 || acknowledged < 20; seed++) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, "--rounds", "10", "--seed", `${seed}`], {
      encoding: "utf8",
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const told = /kills (\d+), keys (\d+), acknowledged changes (\d+), lost 0\n$/.exec(stdout)?.slice(1).map(Number);
    const [kills = 0, moreKeys = 0, moreAcknowledged = 0] = told ?? [];
    expect(kills).toBeGreaterThanOrEqual(10);
    keys += moreKeys;
    acknowledged += moreAcknowledged;
  }
});
