// Reads Wycheproof files and runs a check over every case. It must not know any primitive.
import { readFileSync } from "node:fs";
import { expect } from "vitest";

export interface WycheproofCase {
  readonly tcId: number;
  readonly comment: string;
  readonly flags: readonly string[];
  readonly result: "valid" | "invalid" | "acceptable";
}

export interface WycheproofGroup<Case extends WycheproofCase> {
  readonly tests: readonly Case[];
}

export interface WycheproofFile<Group> {
  readonly name: string;
  readonly groups: readonly Group[];
  readonly count: number;
}

/**
 * Reads one file of vectors/wycheproof, and checks that it holds as many cases as it says and as the caller expects.
 * @param acceptable - how many may go either way; the caller decides each of them
 */
export function readWycheproof<Case extends WycheproofCase, Group extends WycheproofGroup<Case>>(
  name: string,
  expectedCount: number,
  acceptable = 0,
): WycheproofFile<Group> {
  const text = readFileSync(new URL(`../../../vectors/wycheproof/${name}`, import.meta.url), "utf8");
  const file = JSON.parse(text) as { readonly numberOfTests: number; readonly testGroups: readonly Group[] };
  const cases = file.testGroups.flatMap((group) => group.tests);
  expect(cases.length, `${name}: cases`).toBe(expectedCount);
  expect(file.numberOfTests, `${name}: numberOfTests`).toBe(expectedCount);
  // Should an update bring another acceptable case, somebody must decide.
  expect(cases.filter(({ result }) => result === "acceptable").length, `${name}: acceptable`).toBe(acceptable);
  return { name, groups: file.testGroups, count: cases.length };
}

/**
 * Runs a check over every case and fails once, naming each case that went wrong.
 * @param check - gives a label for what happened (they are counted), or throws
 * @returns how often each label was given
 */
export async function runCases<Case extends WycheproofCase, Group extends WycheproofGroup<Case>>(
  file: WycheproofFile<Group>,
  check: (test: Case, group: Group) => string | Promise<string>,
): Promise<Readonly<Record<string, number>>> {
  const failures: string[] = [];
  const counts: Record<string, number> = {};
  for (const group of file.groups) {
    for (const test of group.tests) {
      try {
        const label = await check(test, group);
        counts[label] = (counts[label] ?? 0) + 1;
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        failures.push(`${file.name} tcId ${test.tcId} (${test.result}, ${test.comment}): ${why}`);
      }
    }
  }
  expect(failures).toEqual([]);
  return counts;
}

/** What a call threw or rejected with; fails if it did neither. */
export async function failureOf(call: () => unknown): Promise<unknown> {
  let value: unknown;
  try {
    value = await call();
  } catch (error) {
    return error;
  }
  throw new Error(`expected a failure, got ${Buffer.isBuffer(value) ? value.toString("hex") : String(value)}`);
}

/** The `code` of what a call threw or rejected with; fails if it did neither. */
export async function codeOf(call: () => unknown): Promise<unknown> {
  return ((await failureOf(call)) as { readonly code?: unknown }).code;
}

/** How many runs a property gets: ten times as many with SLOW=1. */
export function runs(count: number): { readonly numRuns: number } {
  return { numRuns: process.env["SLOW"] === "1" ? 10 * count : count };
}

/** Throws with the start of both values unless they are the same bytes: cheaper than `toEqual` in long loops. */
export function assertSame(actual: Uint8Array, expected: Uint8Array): void {
  if (Buffer.compare(actual, expected) === 0) return;
  const show = (bytes: Uint8Array): string =>
    `${bytes.length} bytes ${Buffer.from(bytes.subarray(0, 40)).toString("hex")}`;
  throw new Error(`expected ${show(expected)}, got ${show(actual)}`);
}
