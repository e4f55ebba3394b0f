// What every part of the browser's suite shares: reading vectors over HTTP, running a check over each case, comparing, and telling
// the outcome. It must not know any primitive, nor Node.
import { bytesToHex } from "@fengni/crypto/bytes";

/** What became of one file of vectors, or of one list of own cases, with one implementation. */
interface Row {
  /** The file below vectors/, or the name of own cases in brackets. */
  readonly file: string;
  readonly implementation: string;
  readonly passed: number;
  /** Cases that ask for what the API or the browser does not offer: refused with the typed error, or checked without that. */
  readonly outOfScope: number;
  /** What went wrong: file, case and reason. */
  readonly failures: readonly string[];
  readonly milliseconds: number;
}

export type Emit = (row: Row) => Promise<void>;

/** One part of the suite: it emits a row for each file with each implementation. */
export type Part = (emit: Emit) => Promise<void>;

/** What a check says of a case: a label, which is counted. */
type Label = string;

interface Cases<Case> {
  readonly file: string;
  readonly implementation: string;
  readonly cases: readonly Case[];
  /** Names a case in a failure. */
  readonly nameOf: (test: Case, index: number) => string;
  /** Gives the label of what happened, or throws. */
  readonly check: (test: Case) => Label | Promise<Label>;
  /** How often each label must have been given, exactly. */
  readonly expected: Readonly<Record<Label, number>>;
  /** The labels of cases that are out of scope. */
  readonly outOfScope?: readonly Label[];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Runs a check over every case and emits one row; a wrong count of cases or labels is a failure too. */
export async function runCases<Case>(emit: Emit, run: Cases<Case>): Promise<void> {
  const started = performance.now();
  const failures: string[] = [];
  const counts: Record<Label, number> = {};
  for (const [index, test] of run.cases.entries()) {
    try {
      const label = await run.check(test);
      counts[label] = (counts[label] ?? 0) + 1;
    } catch (error) {
      failures.push(`${run.file} by ${run.implementation}, ${run.nameOf(test, index)}: ${messageOf(error)}`);
    }
  }
  for (const label of new Set([...Object.keys(counts), ...Object.keys(run.expected)])) {
    const [actual, expected] = [counts[label] ?? 0, run.expected[label] ?? 0];
    if (actual === expected) continue;
    failures.push(`${run.file} by ${run.implementation}: ${actual} cases ended as "${label}", not ${expected}`);
  }
  const right = Object.entries(counts);
  const sum = (isOut: boolean): number =>
    right.reduce((all, [label, count]) => ((run.outOfScope ?? []).includes(label) === isOut ? all + count : all), 0);
  await emit({
    file: run.file,
    implementation: run.implementation,
    passed: sum(false),
    outOfScope: sum(true),
    failures,
    milliseconds: performance.now() - started,
  });
}

/** Own cases: each is a name and what must not throw. */
export async function runOwn(
  emit: Emit,
  file: string,
  implementation: string,
  cases: Readonly<Record<string, () => void | Promise<void>>>,
): Promise<void> {
  await runCases(emit, {
    file: `(${file})`,
    implementation,
    cases: Object.entries(cases),
    nameOf: ([name]) => name,
    expected: { right: Object.keys(cases).length },
    check: async ([, work]) => {
      await work();
      return "right";
    },
  });
}

const texts = new Map<string, Promise<Uint8Array>>();

/** One file below vectors/. */
export function readVectorFile(path: string): Promise<Uint8Array> {
  const read = async (): Promise<Uint8Array> => {
    const response = await fetch(`/vectors/${path}`);
    if (!response.ok) throw new Error(`vectors/${path}: ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  };
  const known = texts.get(path) ?? read();
  texts.set(path, known);
  return known;
}

export async function readVectorJson(path: string): Promise<unknown> {
  return JSON.parse(new TextDecoder().decode(await readVectorFile(path)));
}

export interface WycheproofCase {
  readonly tcId: number;
  readonly comment: string;
  readonly flags: readonly string[];
  readonly result: "valid" | "invalid" | "acceptable";
}

interface WycheproofRun<Group, Case> extends Pick<Cases<unknown>, "implementation" | "expected" | "outOfScope"> {
  /** The file's name in vectors/wycheproof. */
  readonly name: string;
  readonly check: (test: Case, group: Group) => Label | Promise<Label>;
}

/** Runs one file of vectors/wycheproof with one implementation. It must hold as many cases as are expected. */
export async function runWycheproof<
  Group extends { readonly tests: readonly Case[] },
  Case extends WycheproofCase = Group["tests"][number],
>(emit: Emit, { name, check, ...run }: WycheproofRun<Group, Case>): Promise<void> {
  const file = `wycheproof/${name}`;
  const { numberOfTests, testGroups } = (await readVectorJson(file)) as {
    readonly numberOfTests: number;
    readonly testGroups: readonly Group[];
  };
  const cases = testGroups.flatMap((group) => group.tests.map((test) => ({ test, group })));
  equal(cases.length, numberOfTests, `${file}: cases`);
  await runCases(emit, {
    ...run,
    file,
    cases,
    nameOf: ({ test }) => `tcId ${test.tcId} (${test.result}, ${test.comment})`,
    check: ({ test, group }) => check(test, group),
  });
}

export interface GmCase {
  readonly source: string;
  readonly result?: "valid" | "invalid";
  readonly why?: string;
  readonly comment?: string;
}

interface GmRun<Case> extends Pick<Cases<Case>, "implementation" | "expected" | "outOfScope" | "check"> {
  /** The file's name in vectors/gm. */
  readonly name: string;
  /** Stands behind the file's name in the table. */
  readonly remark?: string;
  /** Which cases are run; default every one. */
  readonly filter?: (test: Case) => boolean;
}

/** Runs one file of vectors/gm with one implementation. */
export async function runGm<Case extends GmCase>(
  emit: Emit,
  { name, remark, filter = () => true, ...run }: GmRun<Case>,
): Promise<void> {
  const path = `gm/${name}`;
  const { count, tests } = (await readVectorJson(path)) as { readonly count: number; readonly tests: readonly Case[] };
  equal(tests.length, count, `${path}: cases`);
  await runCases(emit, {
    ...run,
    file: remark === undefined ? path : `${path} ${remark}`,
    cases: tests.filter(filter),
    nameOf: (test) =>
      `case ${tests.indexOf(test)} (${test.result ?? "valid"}, ${test.why ?? test.comment ?? test.source})`,
  });
}

/** Throws unless both are the same when written as JSON. */
export function equal(actual: unknown, expected: unknown, what = "value"): void {
  const [got, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (got !== wanted) throw new Error(`${what}: expected ${wanted}, got ${got}`);
}

/** Throws unless both are the same bytes. */
export function same(actual: Uint8Array, expected: Uint8Array, what = "bytes"): void {
  if (actual.length === expected.length && actual.every((byte, index) => byte === expected[index])) return;
  const show = (bytes: Uint8Array): string => `${bytes.length} bytes ${bytesToHex(bytes.subarray(0, 40))}`;
  throw new Error(`${what}: expected ${show(expected)}, got ${show(actual)}`);
}

/** What a call threw or rejected with; fails if it did neither. */
export async function failureOf(call: () => unknown): Promise<Error & { readonly code?: unknown }> {
  try {
    await call();
  } catch (error) {
    return error as Error;
  }
  throw new Error("expected a failure, got none");
}

/** Throws unless a call throws or rejects with this code. */
export async function refused(call: () => unknown, ...codes: readonly string[]): Promise<void> {
  const error = await failureOf(call);
  if (codes.includes(String(error.code))) return;
  throw new Error(`expected ${codes.join(" or ")}, got ${String(error.code)}: ${error.message}`);
}

/** Bytes that differ from one another, always the same. */
export function patternOf(length: number): Uint8Array {
  return new Uint8Array(length).map((_, index) => 31 * index + 7 + (index >> 8));
}

/** A copy with one bit flipped. */
export function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const changed = Uint8Array.from(bytes);
  changed[at] = (changed[at] as number) ^ 1;
  return changed;
}

/** The names of implementations, which must be these: a browser that lacks one must not pass unnoticed. */
export function expectNames(implementations: readonly { readonly name: string }[], expected: readonly string[]): void {
  equal(
    implementations.map(({ name }) => name),
    expected,
    "implementations",
  );
}
