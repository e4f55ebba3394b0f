// AES with cipher block chaining and PKCS#7 padding: the public shapes, the same for every implementation. It does not
// authenticate: AES-GCM (aes-gcm.ts) is what new formats use. It must not know how an implementation does it.
import { aesCbcSelector } from "./aes-cbc-select.js";

/** An AES-CBC key that is ready for use. */
export interface AesCbcKey {
  /** `node`, `webcrypto` or `noble`. */
  readonly implementation: string;
  /**
   * Encrypts with cipher block chaining and PKCS#7 padding. Nothing is authenticated.
   * @param iv - 16 bytes, unpredictable
   * @param plaintext - at most 2^31-17 bytes
   * @returns a new buffer that the caller owns, 1..16 bytes longer; NIST SP 800-38A section 6.2, RFC 5652 section 6.3
   * @throws TypeError or RangeError `ERR_ARGUMENT` for wrong arguments
   */
  encrypt(iv: Uint8Array, plaintext: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /**
   * Decrypts with cipher block chaining and takes the padding away. Nothing is authenticated: unless the ciphertext was verified
   * before by other means, whoever learns whether this fails can decrypt with it, and whoever can change the ciphertext can change
   * the plaintext.
   * @param iv - the same 16 bytes
   * @param ciphertext - as {@link encrypt} gives it, at most 2^31-1 bytes
   * @returns a new buffer that the caller owns
   * @throws FengniError `ERR_CIPHERTEXT_INVALID` (thrown or rejected) for a wrong length or padding, one text for both; TypeError or
   *   RangeError `ERR_ARGUMENT` for wrong arguments
   */
  decrypt(iv: Uint8Array, ciphertext: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** One way to do AES-CBC. */
export interface AesCbcImplementation {
  readonly name: string;
  /** As {@link importAesCbcKey}, with this implementation. */
  importKey(key: Uint8Array): AesCbcKey;
}

/**
 * Makes a raw key ready for AES-CBC, with the best implementation of this runtime.
 * @param key - 16, 24 or 32 bytes; copied, so the caller may wipe it afterwards
 * @returns the key
 * @throws TypeError or RangeError `ERR_ARGUMENT` for another type or length
 */
export function importAesCbcKey(key: Uint8Array): AesCbcKey {
  // noble needs nothing of the runtime, so one is always chosen.
  return (aesCbcSelector.chosen() as AesCbcImplementation).importKey(key);
}

/**
 * Lists every AES-CBC implementation that this runtime has, for tests and benchmarks.
 * @returns the implementations, best first: at least `noble`
 */
export function aesCbcImplementations(): readonly AesCbcImplementation[] {
  return aesCbcSelector.available();
}
