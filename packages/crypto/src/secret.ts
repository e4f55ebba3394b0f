// A holder of secret bytes that is hard to print by accident. It must not know what the secret is for.
import { assertBytes } from "./assert.js";
import { FengniError } from "./errors.js";

const REDACTED = "[redacted]";
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/**
 * Secret bytes that are readable through one method only: printing, JSON and string conversion give `[redacted]`.
 *
 * @example
 * const secret = new SecretBytes(randomBytes(32));
 * try {
 *   use(secret.bytes());
 * } finally {
 *   secret.wipe();
 * }
 */
export class SecretBytes {
  readonly #bytes: Uint8Array;
  readonly length: number;
  #wiped = false;

  /**
   * @param bytes - the secret, of any length; the holder owns it from here on and will overwrite it
   * @throws TypeError `ERR_ARGUMENT` if it is no Uint8Array
   */
  constructor(bytes: Uint8Array) {
    this.#bytes = assertBytes(bytes, "bytes");
    this.length = bytes.length;
  }

  /**
   * Gives the secret out.
   * @returns the holder's own buffer, not a copy: it becomes zeros at `wipe()`, and must not be written to
   * @throws FengniError `ERR_CLOSED` after `wipe()`
   */
  bytes(): Uint8Array {
    if (this.#wiped) throw new FengniError("ERR_CLOSED", "the secret was wiped: obtain it again");
    return this.#bytes;
  }

  /** Whether `wipe()` was called. */
  get wiped(): boolean {
    return this.#wiped;
  }

  /** Overwrites the secret with zeros; calling it again does nothing. */
  wipe(): void {
    this.#wiped = true;
    this.#bytes.fill(0);
  }

  toJSON(): string {
    return REDACTED;
  }

  toString(): string {
    return REDACTED;
  }

  // What console.log shows in Node. Not a declared method: isolatedDeclarations has no way to write a computed name.
  static {
    Object.defineProperty(SecretBytes.prototype, INSPECT, { value: () => REDACTED });
  }
}
