// Reads the SM2 files of vectors/gm, runs a check over every case, and holds what the SM2 tests share. It must not know what is checked.
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { hexToBytes } from "../src/bytes.js";
import type { CheckedSm2 } from "../src/sm2-checked.js";
import { sm2Selector } from "../src/sm2-select.js";

/** Every implementation here, with its engine. */
export const checked: readonly CheckedSm2[] = sm2Selector.available();

export const n = 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n;

/** A number as 32 bytes. */
export function bytesOf(number: bigint): Uint8Array {
  return hexToBytes(number.toString(16).padStart(64, "0"));
}

export function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
}

export function mod(number: bigint): bigint {
  const rest = number % n;
  return rest < 0n ? rest + n : rest;
}

/** 1 / a modulo n, by Fermat. */
export function inverse(number: bigint): bigint {
  let result = 1n;
  let base = mod(number);
  for (let exponent = n - 2n; exponent > 0n; exponent >>= 1n) {
    if ((exponent & 1n) === 1n) result = (result * base) % n;
    base = (base * base) % n;
  }
  return result;
}

export interface GmCase {
  readonly source: string;
  readonly result: "valid" | "invalid";
  readonly why?: string;
  readonly privateKey?: string;
  readonly publicKey: string;
}

/** Reads one file, and checks that it holds as many cases as it says and as the caller expects. */
export function readGm<Case extends GmCase>(name: string, expectedCount: number): readonly Case[] {
  const text = readFileSync(new URL(`../../../vectors/gm/${name}`, import.meta.url), "utf8");
  const file = JSON.parse(text) as { readonly count: number; readonly tests: readonly Case[] };
  expect(file.tests.length, `${name}: cases`).toBe(expectedCount);
  expect(file.count, `${name}: count`).toBe(expectedCount);
  return file.tests;
}

/**
 * Runs a check over every case and fails once, naming each case that went wrong.
 * @param check - gives a label for what happened (they are counted), or throws
 */
export async function runGm<Case extends GmCase>(
  name: string,
  cases: readonly Case[],
  check: (test: Case) => string | Promise<string>,
): Promise<Readonly<Record<string, number>>> {
  const failures: string[] = [];
  const counts: Record<string, number> = {};
  for (const [index, test] of cases.entries()) {
    try {
      const label = await check(test);
      counts[label] = (counts[label] ?? 0) + 1;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      failures.push(`${name} case ${index} (${test.result}, ${test.why ?? test.source}): ${message}`);
    }
  }
  expect(failures).toEqual([]);
  return counts;
}
