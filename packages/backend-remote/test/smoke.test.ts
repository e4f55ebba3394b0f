// The smoke test for people with an account, aimed at the emulator: it says what it would do, does it when told, and cleans up.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Bench, startBench } from "./emulator-support.js";

const SCRIPT = fileURLToPath(new URL("../scripts/smoke.mjs", import.meta.url));
const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.close());

async function smoke(...args: readonly string[]): Promise<{ readonly code: number; readonly output: string }> {
  const { emulator } = bench;
  const child = spawn(process.execPath, ["--conditions=@fengni/source", "--import", "tsx", SCRIPT, ...args], {
    cwd: ROOT,
    env: {
      PATH: process.env["PATH"] ?? "",
      TENCENTCLOUD_SECRET_ID: emulator.secretId ?? "",
      TENCENTCLOUD_SECRET_KEY: emulator.secretKey ?? "",
    },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (piece: string) => {
      output += piece;
    });
  }
  const [code] = (await once(child, "close")) as [number];
  return { code, output };
}

describe("the smoke test", () => {
  test("without a region it explains itself", async () => {
    const { code, output } = await smoke();
    expect(code).toBe(2);
    expect(output).toContain("usage: node scripts/smoke-remote.mjs");
  });

  test("without --yes it says what it would create and delete, and does nothing", async () => {
    const { code, output } = await smoke("--region", "ap-guangzhou", "--endpoint", bench.emulator.endpoint, "--all");
    expect(output).toContain("Nothing was done");
    expect(code).toBe(2);
    for (const spec of ["ECC_P256", "ECC_P384", "RSA_2048", "SM2", "ML_KEM_768", "ML_DSA_65"]) {
      expect(output).toContain(`creates 2 keys ${spec}`);
    }
    expect(output).toContain("schedules its deletion in 7 days");
    expect(output).not.toContain(bench.emulator.secretKey ?? "none");
    expect((await bench.admin.listKeys()).keys).toEqual([]);
  });

  test("with --yes it runs the kit, leaves the given key as it was, and schedules the deletion of its own", async () => {
    const { keyId } = await bench.admin.createKey({ alias: "mine" });
    const { code, output } = await smoke(
      ...["--region", "ap-guangzhou", "--endpoint", bench.emulator.endpoint],
      ...["--key-id", keyId, "--per-second", "100000", "--yes"],
    );
    expect(output).toContain("tencent-kms: conforms");
    expect(code).toBe(0);
    const { keys } = await bench.admin.listKeys();
    expect(keys.map(({ alias, state }) => [alias?.replace(/-[0-9a-f]{8}-/, "-*-"), state])).toEqual([
      ["mine", "enabled"],
      ["fengni-smoke-*-symmetric-2", "pending-deletion"],
    ]);
  });
});
