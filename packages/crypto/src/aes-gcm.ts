// AES-GCM with 12-byte nonces and 16-byte tags: the public shapes, the same for every implementation. It must not know how an
// implementation does it, nor how nonces are made.
import { aesGcmSelector } from "./aes-gcm-select.js";

/** A sealed message: the ciphertext is as long as the plaintext, the tag has 16 bytes. */
export interface Sealed {
  readonly ciphertext: Uint8Array;
  readonly tag: Uint8Array;
}

/** Opens one message that arrives in parts. Nothing is released before the tag was verified. */
export interface AeadOpener {
  /**
   * Takes the next part of the ciphertext.
   * @param part - any length; the opener keeps no reference to it after the call
   * @throws RangeError `ERR_ARGUMENT` when the parts exceed the declared length; FengniError `ERR_CLOSED` after the end
   */
  update(part: Uint8Array): void;
  /**
   * Verifies the tag.
   * @param tag - 16 bytes
   * @returns the plaintext in order, in one or more pieces that the caller owns
   * @throws FengniError `ERR_AUTHENTICATION` (thrown or rejected) if the tag does not fit; the held plaintext was wiped
   */
  final(tag: Uint8Array): readonly Uint8Array[] | Promise<readonly Uint8Array[]>;
  /** Gives up: wipes what is held. Further calls of `update` and `final` throw `ERR_CLOSED`. */
  abort(): void;
}

/** An AES-GCM key that is ready for use. */
export interface AeadKey {
  /** `node`, `webcrypto` or `noble`. */
  readonly implementation: string;
  /** The key as a KeyObject of node:crypto, which another thread of the process can be sent; absent where it is none. */
  readonly threadKey?: object;
  /**
   * Encrypts and authenticates.
   * @param nonce - 12 bytes, never used twice with one key
   * @param aad - additional authenticated data, any length
   * @param plaintext - at most 2^31-1 bytes
   * @returns new buffers that the caller owns
   * @throws TypeError or RangeError `ERR_ARGUMENT` for wrong arguments; NIST SP 800-38D section 7.1
   */
  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Sealed | Promise<Sealed>;
  /**
   * Verifies and decrypts.
   * @param nonce - 12 bytes
   * @param aad - the same additional authenticated data
   * @param ciphertext - at most 2^31-1 bytes
   * @param tag - 16 bytes
   * @returns a new buffer that the caller owns
   * @throws FengniError `ERR_AUTHENTICATION` (thrown or rejected) if the tag does not fit; TypeError or RangeError
   *   `ERR_ARGUMENT` for wrong arguments; NIST SP 800-38D section 7.2
   */
  open(nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array, tag: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /**
   * Begins to open a message that arrives in parts.
   * @param nonce - 12 bytes
   * @param aad - the same additional authenticated data
   * @param length - declared bytes of ciphertext, 0..2^36-32: a limit, nothing is reserved for it
   * @returns an opener for this one message
   * @throws TypeError or RangeError `ERR_ARGUMENT` for wrong arguments
   */
  openIncremental(nonce: Uint8Array, aad: Uint8Array, length: number): AeadOpener;
}

/** One way to do AES-GCM. */
export interface AeadImplementation {
  readonly name: string;
  /** As {@link importAesGcmKey}, with this implementation. */
  importKey(key: Uint8Array): AeadKey;
}

/**
 * Makes a raw key ready for AES-GCM, with the best implementation of this runtime.
 * @param key - 16, 24 or 32 bytes; copied, so the caller may wipe it afterwards
 * @returns the key
 * @throws TypeError or RangeError `ERR_ARGUMENT` for another type or length
 */
export function importAesGcmKey(key: Uint8Array): AeadKey {
  // noble needs nothing of the runtime, so one is always chosen.
  return (aesGcmSelector.chosen() as AeadImplementation).importKey(key);
}

/**
 * Lists every AES-GCM implementation that this runtime has, for tests and benchmarks.
 * @returns the implementations, best first: at least `noble`
 */
export function aesGcmImplementations(): readonly AeadImplementation[] {
  return aesGcmSelector.available();
}
