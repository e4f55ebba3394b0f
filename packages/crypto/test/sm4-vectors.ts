// Reads vectors/gm/sm4.json, and makes the relaxed WebAssembly module available where a flag can. It must not know an implementation.
import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { expect } from "vitest";
import { SM4_WASM_RELAXED } from "../src/sm4-wasm-binary.js";

// Node 20 has relaxed vectors behind a flag, which is looked at when a module is compiled.
if (!WebAssembly.validate(Buffer.from(SM4_WASM_RELAXED, "base64"))) {
  setFlagsFromString("--experimental-wasm-relaxed-simd");
}

export interface Sm4Case {
  readonly source: string;
  readonly mode: "ecb" | "ecb-iterated" | "cbc" | "cbc-pkcs7" | "ctr" | "gcm" | "ccm";
  readonly comment?: string;
  readonly iterations?: number;
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
  readonly pt: string;
  readonly ct: string;
  readonly tag: string;
  readonly result: "valid" | "invalid";
}

/** How many cases the file has of each mode: all 133, so that a mode that no test reads is noticed. */
const COUNTS: Readonly<Record<Sm4Case["mode"], number>> = {
  ecb: 3,
  "ecb-iterated": 1,
  cbc: 5,
  "cbc-pkcs7": 53,
  ctr: 8,
  gcm: 45,
  ccm: 18,
};

/** The cases of one mode, each with its place in the file. */
function readSm4Cases(mode: Sm4Case["mode"]): readonly (readonly [string, Sm4Case])[] {
  const text = readFileSync(new URL("../../../vectors/gm/sm4.json", import.meta.url), "utf8");
  const { count, tests } = JSON.parse(text) as { readonly count: number; readonly tests: readonly Sm4Case[] };
  expect(count).toBe(133);
  expect(tests).toHaveLength(133);
  expect(tests.every((test) => test.mode in COUNTS)).toBe(true);
  const named = tests.map((test, index): [string, Sm4Case] => {
    return [`sm4.json ${index} (${test.source}, ${test.comment ?? test.mode}, ${test.result})`, test];
  });
  const cases = named.filter(([, test]) => test.mode === mode);
  expect(cases).toHaveLength(COUNTS[mode]);
  return cases;
}

/**
 * Runs a check over every case of a mode and fails once, naming each case that went wrong.
 * @param check - gives a label for what happened (they are counted), or throws
 * @returns how often each label was given
 */
export function runSm4Cases(mode: Sm4Case["mode"], check: (test: Sm4Case) => string): Readonly<Record<string, number>> {
  const failures: string[] = [];
  const counts: Record<string, number> = {};
  for (const [name, test] of readSm4Cases(mode)) {
    try {
      const label = check(test);
      counts[label] = (counts[label] ?? 0) + 1;
    } catch (error) {
      failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  expect(failures).toEqual([]);
  return counts;
}
