// The only file that obtains node:crypto, SubtleCrypto, WebAssembly and the system's randomness, and the rule that picks an
// implementation. It must not know any algorithm: each primitive hands in its own candidates and probes.
import type { Buffer } from "node:buffer";
import type * as NodeCryptoModule from "node:crypto";

/** The module node:crypto, as a value that is handed around. */
export type NodeCrypto = typeof NodeCryptoModule;

/** Bytes for a parameter that node:crypto declares as a Buffer: it takes every Uint8Array, its types do not say so. */
export function asNodeInput(bytes: Uint8Array): Buffer {
  return bytes as Buffer;
}

/** The same bytes, not copied, as a plain Uint8Array: a Buffer's slice() does not copy, and its toJSON() writes numbers. */
export function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** What Buffer offers beside Uint8Array; nothing else of it is used. */
interface BufferCodec {
  from(value: string, encoding: "hex" | "base64"): Uint8Array;
  from(buffer: ArrayBufferLike, offset: number, length: number): { toString(encoding: "hex" | "base64"): string };
}

/** What this runtime offers. A member is undefined where it is missing. */
export interface Runtime {
  readonly node: NodeCrypto | undefined;
  readonly subtle: SubtleCrypto | undefined;
  /** Fills at most 65,536 bytes with secure randomness. */
  readonly getRandomValues: ((target: Uint8Array<ArrayBuffer>) => void) | undefined;
  readonly buffer: BufferCodec | undefined;
  readonly webAssembly: typeof WebAssembly | undefined;
  /** Whether memory of this process is about to be stored in a start-up snapshot and shared by later processes. */
  readonly isBuildingSnapshot: () => boolean;
}

interface Globals {
  readonly process?: { getBuiltinModule?(id: string): unknown };
  readonly crypto?: { readonly subtle?: SubtleCrypto; getRandomValues?(target: Uint8Array<ArrayBuffer>): unknown };
  readonly Buffer?: BufferCodec;
  readonly WebAssembly?: typeof WebAssembly;
}

function detect(): Runtime {
  const globals = globalThis as unknown as Globals;
  const builtin = (id: string): unknown => globals.process?.getBuiltinModule?.(id);
  const v8 = builtin("node:v8") as { startupSnapshot?: { isBuildingSnapshot?(): unknown } } | undefined;
  return {
    node: builtin("node:crypto") as NodeCrypto | undefined,
    // Looked up when it is asked for: Node loads its WebCrypto, some megabytes, at the first look.
    get subtle() {
      return globals.crypto?.subtle;
    },
    get getRandomValues() {
      const web = globals.crypto;
      if (web?.getRandomValues === undefined) return undefined;
      return (target: Uint8Array<ArrayBuffer>): void => {
        web.getRandomValues?.(target);
      };
    },
    buffer: typeof globals.Buffer?.from === "function" ? globals.Buffer : undefined,
    webAssembly: globals.WebAssembly,
    // Node answers 1 and 0, not true and false as it documents.
    isBuildingSnapshot: () => Boolean(v8?.startupSnapshot?.isBuildingSnapshot?.()),
  };
}

/** The runtime this module was loaded in. */
export const runtime: Runtime = /* @__PURE__ */ detect();

/** One way to carry out a primitive. */
export interface Candidate<Implementation> {
  readonly name: string;
  /** Makes the implementation, or undefined where the runtime lacks what it needs. */
  readonly create: () => Implementation | undefined;
  /** A known-answer test: true when the implementation answers right. It may throw, which counts as wrong. */
  readonly probe: (implementation: Implementation) => boolean;
}

/** The chooser of one primitive. Every answer is computed at its first use and then kept. */
export interface Selector<Implementation> {
  /** The first candidate that is present and whose probe answered right; undefined when there is none. */
  chosen(): Implementation | undefined;
  /** Every candidate that is present and right, best first. */
  available(): readonly Implementation[];
  /** The names of the same, and why the chosen one was chosen, for a person. */
  explain(): { readonly chosen: string; readonly available: readonly string[]; readonly reason: string };
}

interface Verdict<Implementation> {
  readonly name: string;
  readonly implementation: Implementation | undefined;
  readonly verdict: "right" | "absent" | "wrong";
}

function judge<Implementation>(candidate: Candidate<Implementation>): Verdict<Implementation> {
  const { name } = candidate;
  try {
    const implementation = candidate.create();
    if (implementation === undefined) return { name, implementation, verdict: "absent" };
    if (candidate.probe(implementation)) return { name, implementation, verdict: "right" };
  } catch {
    // An implementation that throws at its known-answer test is as wrong as one that answers wrong.
  }
  return { name, implementation: undefined, verdict: "wrong" };
}

/**
 * Makes the chooser of one primitive. Candidates are tried in order and each at most once: the first that is present and
 * whose probe answers right wins, whatever the version of the runtime says. Those behind it are not even made until asked for.
 */
export function createSelector<Implementation>(
  candidates: readonly Candidate<Implementation>[],
): Selector<Implementation> {
  const verdicts: Verdict<Implementation>[] = [];
  const verdictAt = (index: number): Verdict<Implementation> => {
    verdicts[index] ??= judge(candidates[index] as Candidate<Implementation>);
    return verdicts[index];
  };
  let chosen: Implementation | undefined;
  const all = (): readonly Verdict<Implementation>[] => candidates.map((_, index) => verdictAt(index));
  const right = (): readonly Verdict<Implementation>[] => all().filter(({ verdict }) => verdict === "right");
  return {
    chosen() {
      for (let i = 0; chosen === undefined && i < candidates.length; i++) chosen = verdictAt(i).implementation;
      return chosen;
    },
    available: () => right().map(({ implementation }) => implementation as Implementation),
    explain() {
      const names = right().map(({ name }) => name);
      return { chosen: names[0] ?? "none", available: names, reason: reasonOf(all()) };
    },
  };
}

function reasonOf(verdicts: readonly Verdict<unknown>[]): string {
  const first = verdicts.findIndex(({ verdict }) => verdict === "right");
  const before = first < 0 ? verdicts : verdicts.slice(0, first);
  const passedOver = before.map(({ name, verdict }) =>
    verdict === "absent" ? `${name} is not in this runtime` : `${name} failed its known-answer test`,
  );
  const found = first < 0 ? "no implementation" : "best one that passed its known-answer test";
  return [found, ...passedOver].join("; ");
}
