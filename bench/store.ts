// Stores of the local KMS with 100,000 keys: how long it takes to open them and to find keys in them, and what a key takes.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ClockName, Result } from "./harness.js";

const CHILD = fileURLToPath(new URL("./store-child.mjs", import.meta.url));
const KEYS = 100_000;

/** What a child measured: by name, a value and its unit. */
type Figures = readonly (readonly [name: string, value: number, unit: string])[];

function figuresOf(...args: readonly string[]): Figures {
  const { stdout, status, stderr } = spawnSync(process.execPath, ["--expose-gc", CHILD, ...args], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${args.join(" ")} failed: ${stderr}`);
  return JSON.parse(stdout) as Figures;
}

/** Of one run each: what is looked up is spread over all keys, so that a run is many samples. */
export async function measureStore(clock: ClockName): Promise<readonly Result[]> {
  const folder = mkdtempSync(join(tmpdir(), "fengni-bench-"));
  try {
    const path = join(folder, "keys");
    const measured = {
      memory: figuresOf("memory", String(KEYS), clock),
      "file, filled": figuresOf("fill", String(KEYS), clock, path),
      file: figuresOf("file", String(KEYS), clock, path),
    };
    return Object.entries(measured).flatMap(([store, figures]) =>
      figures.map(([name, value, unit]) => ({
        name: `${KEYS.toLocaleString("en")} keys, ${store}: ${name}`,
        value: Number(value.toPrecision(3)),
        unit,
        peer: null,
        ratio: null,
      })),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}
