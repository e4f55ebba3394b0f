// RSA encryption: the public shapes and functions. It must not know how keys are encoded nor how padding is done.
import { FengniError } from "./errors.js";
import { rsaSelector } from "./rsa-checked.js";

/**
 * The paddings: PKCS#1 v1.5, and OAEP with the same hash for label and MGF1 and an empty label (RFC 8017 sections 7.1, 7.2).
 */
export type RsaPadding = "pkcs1" | "oaep-sha1" | "oaep-sha256" | "oaep-sha384" | "oaep-sha512";

/** A public key that is ready for use. */
export interface RsaPublicKey {
  /** Bytes of the modulus and of every ciphertext: 256..1024. */
  readonly modulusBytes: number;
  /**
   * Encrypts.
   * @param padding - the padding
   * @param plaintext - at most modulusBytes - 11 bytes for `pkcs1`, modulusBytes - 2 - 2 times the hash's length for OAEP
   * @returns a new buffer of `modulusBytes` bytes
   * @throws RangeError `ERR_ARGUMENT` for a longer plaintext; FengniError `ERR_NOT_SUPPORTED` (rejected) for `pkcs1` by
   *   WebCrypto
   */
  encrypt(padding: RsaPadding, plaintext: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** A private key that is ready for use. */
export interface RsaPrivateKey {
  /** Bytes of the modulus and of every ciphertext: 256..1024. */
  readonly modulusBytes: number;
  /**
   * Decrypts. With `pkcs1` a wrong padding is no error but gives a pseudo-random message that depends on key and ciphertext
   * only (implicit rejection), so that no caller becomes a padding oracle: check what you decrypted.
   * @param padding - the padding
   * @param ciphertext - `modulusBytes` bytes
   * @returns a new buffer that the caller owns
   * @throws FengniError `ERR_AUTHENTICATION` (thrown or rejected) for a wrong length or a number that is not below the modulus,
   *   and with OAEP for a wrong padding; `ERR_NOT_SUPPORTED` (rejected) for `pkcs1` by WebCrypto
   */
  decrypt(padding: RsaPadding, ciphertext: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** One way to do RSA; the methods are as {@link importRsaPublicKey} and {@link importRsaPrivateKey}. */
export interface RsaImplementation {
  readonly name: string;
  importPublicKey(pem: string | Uint8Array): RsaPublicKey;
  importPrivateKey(pem: string | Uint8Array): RsaPrivateKey;
}

function chosen(): RsaImplementation {
  const implementation = rsaSelector.chosen();
  if (implementation !== undefined) return implementation;
  throw new FengniError("ERR_NOT_SUPPORTED", "this runtime has no RSA: neither node:crypto nor WebCrypto", {
    details: { operation: "rsa" },
  });
}

/**
 * Reads a public key.
 * @param pem - PEM text (SubjectPublicKeyInfo or PKCS#1; also as bytes), or DER SubjectPublicKeyInfo
 * @returns the key
 * @throws FengniError `ERR_KEY_INVALID` unless it is one RSA public key with a modulus of 2048..8192 bits; `ERR_NOT_SUPPORTED`
 *   where the runtime has no RSA; TypeError `ERR_ARGUMENT` for another type
 */
export function importRsaPublicKey(pem: string | Uint8Array): RsaPublicKey {
  return chosen().importPublicKey(pem);
}

/**
 * Reads a private key.
 * @param pem - PEM text (PKCS#8 or PKCS#1, without passphrase; also as bytes), or DER PKCS#8; not kept
 * @returns the key
 * @throws FengniError `ERR_KEY_INVALID` unless it is one RSA private key of two primes with a modulus of 2048..8192 bits;
 *   `ERR_NOT_SUPPORTED` where the runtime has no RSA; TypeError `ERR_ARGUMENT` for another type
 */
export function importRsaPrivateKey(pem: string | Uint8Array): RsaPrivateKey {
  return chosen().importPrivateKey(pem);
}

/**
 * Lists every RSA implementation that this runtime has, for tests and benchmarks.
 * @returns the implementations, best first; there may be none
 */
export function rsaImplementations(): readonly RsaImplementation[] {
  return rsaSelector.available();
}
