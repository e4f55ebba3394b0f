// SHA-2 and SM3, HMAC and HKDF, all synchronous: the public functions. It must not know how they are done nor what is derived.
import { checkHash, HASH_LENGTHS, hashSelector } from "./hash-checked.js";

/** The hash functions of FIPS 180-4. */
export type Sha2Name = "sha256" | "sha384" | "sha512";

/** The hash functions: SHA-2, and SM3 of GB/T 32905-2016. */
export type HashName = Sha2Name | "sm3";

/** A hash over data that arrives in parts. */
export interface Hasher {
  /**
   * Takes the next part.
   * @param data - any length
   * @throws FengniError `ERR_CLOSED` after `digest()`; TypeError `ERR_ARGUMENT` if it is no Uint8Array
   */
  update(data: Uint8Array): void;
  /**
   * Ends the hash.
   * @returns a new buffer of the hash's length
   * @throws FengniError `ERR_CLOSED` when called again
   */
  digest(): Uint8Array;
}

/** One way to do SHA-2, SM3, HMAC and HKDF; the methods are as the functions of the same name. */
export interface HashImplementation {
  readonly name: string;
  digest(hash: HashName, ...data: readonly Uint8Array[]): Uint8Array;
  createHasher(hash: HashName): Hasher;
  hmac(hash: HashName, key: Uint8Array, ...data: readonly Uint8Array[]): Uint8Array;
  hkdfExtract(hash: HashName, ikm: Uint8Array, salt: Uint8Array): Uint8Array;
  hkdfExpand(hash: HashName, prk: Uint8Array, info: Uint8Array, length: number): Uint8Array;
}

function chosen(): HashImplementation {
  // noble needs nothing of the runtime, so one is always chosen.
  return hashSelector.chosen() as HashImplementation;
}

/**
 * Hashes data.
 * @param hash - the hash function
 * @param data - parts that are hashed as if they were joined
 * @returns a new buffer of 32, 48 or 64 bytes; FIPS 180-4, GB/T 32905-2016
 * @throws TypeError or RangeError `ERR_ARGUMENT` for wrong arguments
 */
export function digest(hash: HashName, ...data: readonly Uint8Array[]): Uint8Array {
  return chosen().digest(hash, ...data);
}

/**
 * Begins a hash over data that arrives in parts.
 * @param hash - the hash function
 * @returns a hasher for one digest
 * @throws RangeError `ERR_ARGUMENT` for an unknown hash
 */
export function createHasher(hash: HashName): Hasher {
  return chosen().createHasher(hash);
}

/**
 * Tells how long a hash is.
 * @param hash - the hash function
 * @returns 32, 48 or 64 bytes
 * @throws RangeError `ERR_ARGUMENT` for an unknown hash
 */
export function hashLength(hash: HashName): number {
  checkHash(hash);
  return HASH_LENGTHS[hash];
}

/**
 * Computes an HMAC.
 * @param hash - the hash function
 * @param key - any length, also empty; not kept
 * @param data - parts that are authenticated as if they were joined
 * @returns a new buffer of the hash's length; RFC 2104
 * @throws TypeError or RangeError `ERR_ARGUMENT` for wrong arguments
 */
export function hmac(hash: HashName, key: Uint8Array, ...data: readonly Uint8Array[]): Uint8Array {
  return chosen().hmac(hash, key, ...data);
}

/**
 * Condenses input key material into a pseudorandom key.
 * @param hash - the hash function
 * @param ikm - input key material, any length
 * @param salt - any length; empty means as many zeros as the hash is long
 * @returns a new buffer of the hash's length, secret; RFC 5869 section 2.2
 * @throws TypeError or RangeError `ERR_ARGUMENT` for wrong arguments
 */
export function hkdfExtract(hash: HashName, ikm: Uint8Array, salt: Uint8Array): Uint8Array {
  return chosen().hkdfExtract(hash, ikm, salt);
}

/**
 * Expands a pseudorandom key.
 * @param hash - the hash function
 * @param prk - at least as long as the hash, as {@link hkdfExtract} gives it
 * @param info - what the output is for, any length
 * @param length - 0..255 times the hash's length, in bytes
 * @returns a new buffer of that length, secret; RFC 5869 section 2.3
 * @throws TypeError or RangeError `ERR_ARGUMENT` for wrong arguments
 */
export function hkdfExpand(hash: HashName, prk: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  return chosen().hkdfExpand(hash, prk, info, length);
}

/**
 * Derives a key: extract, then expand.
 * @param hash - the hash function
 * @param ikm - input key material, any length
 * @param salt - any length; empty means as many zeros as the hash is long
 * @param info - what the output is for, any length
 * @param length - 0..255 times the hash's length, in bytes
 * @returns a new buffer of that length, secret; RFC 5869 section 2
 * @throws TypeError or RangeError `ERR_ARGUMENT` for wrong arguments
 */
export function hkdf(hash: HashName, ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  const prk = hkdfExtract(hash, ikm, salt);
  try {
    return hkdfExpand(hash, prk, info, length);
  } finally {
    prk.fill(0);
  }
}

/**
 * Lists every hash implementation that this runtime has, for tests and benchmarks.
 * @returns the implementations, best first: at least `noble`
 */
export function hashImplementations(): readonly HashImplementation[] {
  return hashSelector.available();
}
