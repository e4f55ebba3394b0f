// Secure random bytes. It must not know what they are for.
import { assertInteger } from "./assert.js";
import { FengniError } from "./errors.js";
import { type RandomSource, randomSelector } from "./random-source.js";
import { runtime } from "./runtime.js";

/** The longest request, in bytes. */
const MAX_LENGTH = 2 ** 20;
// One call into node:crypto costs 3 us, so that short requests are cut from a pool.
const POOL_LENGTH = 8192;
const MAX_FROM_POOL = 64;
// The pool is this module's own, never handed out and never shared: each thread loads its own copy of the module, and a process
// started by another begins with none. What was given out is overwritten at once, so that a later reader of this process's
// memory does not find keys and nonces in it.
let pool: Uint8Array<ArrayBuffer> | undefined;
let used = POOL_LENGTH;

function fromPool(source: RandomSource, length: number): Uint8Array {
  pool ??= new Uint8Array(POOL_LENGTH);
  if (used + length > POOL_LENGTH) {
    source.fill(pool);
    used = 0;
  }
  const end = used + length;
  const start = used;
  // First of all: bytes are never given out twice, also when this call is cut short.
  used = end;
  const bytes = pool.slice(start, end);
  pool.fill(0, start, end);
  return bytes;
}

/**
 * Makes random bytes that are fit for keys and nonces.
 * @param length - 0..2^20 bytes
 * @returns a new buffer that shares its memory with nothing and that the caller owns
 * @throws TypeError or RangeError `ERR_ARGUMENT` for another length; FengniError `ERR_NOT_SUPPORTED` where the runtime has no
 *   source of secure randomness
 */
export function randomBytes(length: number): Uint8Array {
  assertInteger(length, "length", 0, MAX_LENGTH);
  const source = randomSelector.chosen();
  if (source === undefined) {
    throw new FengniError("ERR_NOT_SUPPORTED", "this runtime has no source of secure randomness", {
      details: { operation: "random" },
    });
  }
  // Not from the pool while a start-up snapshot is built: every process started from it would go on with the same pool.
  if (source.isPooled && length <= MAX_FROM_POOL && !runtime.isBuildingSnapshot()) return fromPool(source, length);
  const bytes = new Uint8Array(length);
  source.fill(bytes);
  return bytes;
}
