// What signing has in common in ML-DSA and SLH-DSA: the options, and the calls of node:crypto. It must not know either algorithm.
import type { KeyObject } from "node:crypto";
import { argumentRangeError, argumentTypeError, assertBytes } from "./assert.js";
import { assertOptions } from "./options.js";
import { type NodeCrypto, plain } from "./runtime.js";

/** What may be said when a signature is verified. */
export interface PqVerifyOptions {
  /** Binds a signature to a use: 0..255 bytes, default none. A signature made under another context does not verify. */
  readonly context?: Uint8Array;
}

/** What may be said when a signature is made. */
export interface PqSignOptions extends PqVerifyOptions {
  /**
   * Whether to leave out the fresh randomness, so that the same message gives the same signature: for known-answer tests, and
   * where signatures must be reproducible. Default false: randomness guards against faults and side channels. It is noble's
   * work on every runtime, and not constant-time.
   */
  readonly deterministic?: boolean;
}

const VERIFY_OPTIONS: readonly (keyof PqVerifyOptions)[] = ["context"];
const SIGN_OPTIONS: readonly (keyof PqSignOptions)[] = ["context", "deterministic"];
const MU_OPTIONS: readonly "deterministic"[] = ["deterministic"];
// FIPS 204 algorithm 2 and FIPS 205 algorithm 22, line 1.
const MAX_CONTEXT = 255;

/** No options and an empty context, which nobody may change. */
export const NO_OPTIONS: PqSignOptions = {};
const NO_CONTEXT: Uint8Array = /* @__PURE__ */ new Uint8Array(0);

function contextOf({ context }: PqVerifyOptions): Uint8Array {
  if (context === undefined) return NO_CONTEXT;
  if (assertBytes(context, "context").length <= MAX_CONTEXT) return context;
  throw argumentRangeError(
    `"context" expected Uint8Array of at most ${MAX_CONTEXT} bytes, got length=${context.length}`,
  );
}

function isDeterministic({ deterministic = false }: PqSignOptions): boolean {
  if (typeof deterministic === "boolean") return deterministic;
  throw argumentTypeError(`"deterministic" expected boolean, got type=${typeof deterministic}`);
}

/** The options of signing, checked. */
export function signOptions(options: PqSignOptions): { readonly context: Uint8Array; readonly deterministic: boolean } {
  assertOptions(options, SIGN_OPTIONS);
  return { context: contextOf(options), deterministic: isDeterministic(options) };
}

/** The options of signing a message representative, which holds its context already. */
export function muOptions(options: Pick<PqSignOptions, "deterministic">): boolean {
  return isDeterministic(assertOptions(options, MU_OPTIONS));
}

/** The context that the options of verifying ask for, checked. */
export function verifyContext(options: PqVerifyOptions): Uint8Array {
  return contextOf(assertOptions(options, VERIFY_OPTIONS));
}

/** What node:crypto signs and verifies with; `context` is unknown to the types of the oldest Node. */
function keyWith(key: KeyObject, context: Uint8Array): KeyObject {
  return context.length === 0 ? key : ({ key, context } as unknown as KeyObject);
}

/** Signs with fresh randomness. */
export function nodeSign(node: NodeCrypto, key: KeyObject, message: Uint8Array, context: Uint8Array): Uint8Array {
  return plain(node.sign(null, message, keyWith(key, context)));
}

/** Verifies. */
export function nodeVerify(
  node: NodeCrypto,
  key: KeyObject,
  message: Uint8Array,
  signature: Uint8Array,
  context: Uint8Array,
): boolean {
  try {
    return node.verify(null, message, keyWith(key, context), signature);
  } catch {
    return false;
  }
}
