// SM4 (GB/T 32907-2016): single blocks, CBC with padding, and counter mode. The public shapes, the same for every implementation; none
// of these modes authenticates. It must not know how an implementation does it. SM4-GCM is in sm4-gcm.ts.
import { availableSm4, chosenSm4 } from "./sm4-select.js";

/** An SM4 key that is ready for use. */
export interface Sm4Key {
  /** `wasm-relaxed`, `wasm`, `node` or `portable`: what does everything but CBC encryption. */
  readonly implementation: string;
  /**
   * Encrypts blocks, each by itself (ECB): a building block, not a way to encrypt a message.
   * @param blocks - a multiple of 16 bytes
   * @returns a new buffer of the same length; GB/T 32907-2016 section 6.2
   * @throws TypeError or RangeError `ERR_ARGUMENT` for wrong arguments
   */
  encryptBlocks(blocks: Uint8Array): Uint8Array;
  /**
   * Decrypts blocks, each by itself (ECB).
   * @param blocks - a multiple of 16 bytes
   * @returns a new buffer of the same length; GB/T 32907-2016 section 6.2
   * @throws TypeError or RangeError `ERR_ARGUMENT` for wrong arguments
   */
  decryptBlocks(blocks: Uint8Array): Uint8Array;
  /**
   * Encrypts with cipher block chaining and PKCS#7 padding. Nothing is authenticated. One block waits for another, so that
   * implementations that work on many at once are slow at it: node:crypto does it where it is there.
   * @param iv - 16 bytes, unpredictable
   * @param plaintext - any length
   * @returns a new buffer, 1..16 bytes longer; GB/T 17964-2021, NIST SP 800-38A section 6.2, RFC 5652 section 6.3
   * @throws TypeError or RangeError `ERR_ARGUMENT` for wrong arguments
   */
  encryptCbc(iv: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /**
   * Decrypts with cipher block chaining and takes the padding away. Nothing is authenticated: unless the ciphertext was verified before
   * by other means, whoever learns whether this fails can decrypt with it.
   * @param iv - the same 16 bytes
   * @param ciphertext - as {@link encryptCbc} gives it
   * @returns a new buffer that the caller owns
   * @throws FengniError `ERR_CIPHERTEXT_INVALID` for a wrong length or padding, one text for both; TypeError or RangeError
   *   `ERR_ARGUMENT` for wrong arguments
   */
  decryptCbc(iv: Uint8Array, ciphertext: Uint8Array): Uint8Array;
  /**
   * Encrypts or decrypts in counter mode. Nothing is authenticated.
   * @param counter - the first counter block, 16 bytes: counted up as one number; no block ever used twice with one key
   * @param data - any length
   * @returns a new buffer of the same length; GB/T 17964-2021, NIST SP 800-38A section 6.5
   * @throws TypeError or RangeError `ERR_ARGUMENT` for wrong arguments
   */
  ctr(counter: Uint8Array, data: Uint8Array): Uint8Array;
}

/** One way to do SM4. */
export interface Sm4Implementation {
  readonly name: string;
  /** As {@link importSm4Key}, with this implementation. */
  importKey(key: Uint8Array): Sm4Key;
}

/**
 * Makes a raw key ready for SM4, with the best implementation of this runtime for each mode. In WebAssembly and in TypeScript it is
 * constant-time as far as the engine keeps it so; by node:crypto, which encrypts CBC where it is there, it is not: OpenSSL works
 * with tables.
 * @param key - 16 bytes; copied, so the caller may wipe it afterwards
 * @returns the key
 * @throws TypeError or RangeError `ERR_ARGUMENT` for another type or length
 */
export function importSm4Key(key: Uint8Array): Sm4Key {
  return chosenSm4().importKey(key);
}

/**
 * Lists every SM4 implementation that this runtime has, for tests and benchmarks; each does all modes by itself.
 * @returns the implementations, best first: at least `portable`
 */
export function sm4Implementations(): readonly Sm4Implementation[] {
  return availableSm4();
}
