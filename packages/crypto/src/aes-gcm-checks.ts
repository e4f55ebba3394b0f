// The argument checks that all AES-GCM implementations share, and the bookkeeping of an opener. It must not do cryptography.
import { argumentRangeError, assertBytes, assertInteger } from "./assert.js";
import { FengniError } from "./errors.js";

/** Bytes of a nonce. */
const NONCE_LENGTH = 12;
/** Bytes of a tag. */
export const TAG_LENGTH = 16;
// What node:crypto takes in one call; SP 800-38D 5.2.1.1 would allow 2^36-32.
const MAX_ONE_SHOT = 2 ** 31 - 1;
const MAX_MESSAGE = 2 ** 36 - 32;

/** Checks the arguments of a seal, or with a tag of an open. */
export function checkMessage(nonce: Uint8Array, aad: Uint8Array, data: Uint8Array, title: string): void {
  assertBytes(nonce, "nonce", NONCE_LENGTH);
  assertBytes(aad, "aad");
  if (assertBytes(data, title).length > MAX_ONE_SHOT) {
    throw argumentRangeError(
      `"${title}" expected Uint8Array of at most ${MAX_ONE_SHOT} bytes, got length=${data.length}`,
    );
  }
}

/** Checks the arguments of an incremental open. */
export function checkIncremental(nonce: Uint8Array, aad: Uint8Array, length: number): void {
  assertBytes(nonce, "nonce", NONCE_LENGTH);
  assertBytes(aad, "aad");
  assertInteger(length, "length", 0, MAX_MESSAGE);
}

/** Counts the parts of one message against its declared length. */
export class PartCounter {
  readonly #declared: number;
  #received = 0;

  constructor(declared: number) {
    this.#declared = declared;
  }

  add(part: Uint8Array): void {
    this.#received += assertBytes(part, "part").length;
    if (this.#received > this.#declared) {
      throw argumentRangeError(`"part" expected at most ${this.#declared} bytes in all, got ${this.#received}`);
    }
  }
}

/** The error for using an opener after its end. */
export function openerClosed(): FengniError<"ERR_CLOSED"> {
  return new FengniError("ERR_CLOSED", "this message was already opened or given up: begin a new one");
}
