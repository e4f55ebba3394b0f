// Peak resident memory of a process that streams a file of 1 GiB, over that of a process that does nothing.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Result } from "./harness.js";

const CHILD = fileURLToPath(new URL("./memory-child.mjs", import.meta.url));
const RUNS = 3;

function peakMiB(...args: readonly string[]): number {
  const { stdout, status, stderr } = spawnSync(process.execPath, [CHILD, ...args], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${args.join(" ")} failed: ${stderr}`);
  return Number(stdout);
}

/** In MiB of resident memory; of several runs the largest. */
export async function measureMemory(): Promise<readonly Result[]> {
  const folder = mkdtempSync(join(tmpdir(), "fengni-bench-"));
  try {
    const plain = join(folder, "plain");
    writeFileSync(plain, "");
    truncateSync(plain, 2 ** 30);
    const empty = peakMiB();
    const above = (name: string, mode: string, file: string): Result => {
      const peaks = Array.from({ length: RUNS }, () => peakMiB(mode, file) - empty);
      return { name, value: Number(Math.max(...peaks).toFixed(1)), unit: "MiB", peer: null, ratio: null };
    };
    return [
      {
        name: "peak memory of an empty process",
        value: Number(empty.toFixed(1)),
        unit: "MiB",
        peer: null,
        ratio: null,
      },
      above("1 GiB copied by streams: peak above the empty process", "copy", plain),
      above("1 GiB encrypted: peak above the empty process", "encrypt", plain),
      above("1 GiB decrypted: peak above the empty process", "decrypt", `${plain}.encrypt`),
      above("1 GiB encrypted, Web Streams: peak above", "encrypt-web", plain),
      above("1 GiB decrypted, Web Streams: peak above", "decrypt-web", `${plain}.encrypt`),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}
