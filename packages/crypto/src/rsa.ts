// RSA encryption and signatures: the public shapes and functions. It must not know how keys are encoded nor how padding is done.
import { FengniError } from "./errors.js";
import { rsaSelector } from "./rsa-checked.js";

/**
 * The paddings: PKCS#1 v1.5, and OAEP with the same hash for label and MGF1 and an empty label (RFC 8017 sections 7.1, 7.2).
 */
export type RsaPadding = "pkcs1" | "oaep-sha1" | "oaep-sha256" | "oaep-sha384" | "oaep-sha512";

/**
 * The signature schemes: PSS with the same hash for message and MGF1 (RFC 8017 section 8.1), and PKCS#1 v1.5 (section 8.2). New
 * designs take PSS.
 */
export type RsaSignatureScheme =
  | "pss-sha256"
  | "pss-sha384"
  | "pss-sha512"
  | "pkcs1-sha256"
  | "pkcs1-sha384"
  | "pkcs1-sha512";

/** What may be said beside the scheme. */
export interface RsaSignatureOptions {
  /**
   * Bytes of the salt of PSS, 0..modulusBytes - 2 - the hash's length; default the hash's length. A signature with a salt of
   * another length does not verify.
   */
  readonly saltLength?: number;
}

/** The lengths of a modulus that {@link generateRsaKey} makes, in bits. */
export type RsaModulusBits = 2048 | 3072 | 4096;

/** A public key that is ready for use. */
export interface RsaPublicKey {
  /** Bytes of the modulus, of every ciphertext and of every signature: 256..1024. */
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
  /**
   * Verifies the signature of a message.
   * @param scheme - the scheme; a signature of another one does not verify
   * @param message - any length
   * @param signature - any bytes: whatever is not `modulusBytes` long or not below the modulus gives false
   * @param options - the length of PSS's salt
   * @returns whether the signature is right; RFC 8017 sections 8.1.2 and 8.2.2
   * @throws TypeError or RangeError `ERR_ARGUMENT` for an unknown scheme or a salt length that the modulus has no room for
   */
  verify(
    scheme: RsaSignatureScheme,
    message: Uint8Array,
    signature: Uint8Array,
    options?: RsaSignatureOptions,
  ): boolean | Promise<boolean>;
  /**
   * Verifies a signature over a digest that was computed elsewhere, as {@link RsaPublicKey.verify} does.
   * @param digest - as long as the scheme's hash: 32, 48 or 64 bytes
   * @throws RangeError `ERR_ARGUMENT` for another length; FengniError `ERR_NOT_SUPPORTED` (rejected) by WebCrypto, which hashes
   *   always
   */
  verifyDigest(
    scheme: RsaSignatureScheme,
    digest: Uint8Array,
    signature: Uint8Array,
    options?: RsaSignatureOptions,
  ): boolean | Promise<boolean>;
  /** Gives the key out: a new buffer of DER SubjectPublicKeyInfo. RFC 3279 section 2.3.1. */
  exportSpki(): Uint8Array;
}

/** A private key that is ready for use. */
export interface RsaPrivateKey {
  /** Bytes of the modulus, of every ciphertext and of every signature: 256..1024. */
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
  /**
   * Signs a message. The private operation is the runtime's own, which blinds it.
   * @param scheme - the scheme
   * @param message - any length
   * @param options - the length of PSS's salt
   * @returns the signature, a new buffer of `modulusBytes` bytes; RFC 8017 sections 8.1.1 and 8.2.1
   * @throws TypeError or RangeError `ERR_ARGUMENT` for an unknown scheme or a salt length that the modulus has no room for
   */
  sign(
    scheme: RsaSignatureScheme,
    message: Uint8Array,
    options?: RsaSignatureOptions,
  ): Uint8Array | Promise<Uint8Array>;
  /**
   * Signs a digest that was computed elsewhere, as {@link RsaPrivateKey.sign} does.
   * @param digest - as long as the scheme's hash: 32, 48 or 64 bytes
   * @throws RangeError `ERR_ARGUMENT` for another length; FengniError `ERR_NOT_SUPPORTED` (rejected) by WebCrypto, which hashes
   *   always
   */
  signDigest(
    scheme: RsaSignatureScheme,
    digest: Uint8Array,
    options?: RsaSignatureOptions,
  ): Uint8Array | Promise<Uint8Array>;
  /** Gives the key out: a new buffer of DER PKCS#8, secret. RFC 5958 section 2, RFC 8017 appendix A.1.2. */
  exportPkcs8(): Uint8Array;
  /** Gives its public key out: a new buffer of DER SubjectPublicKeyInfo. RFC 3279 section 2.3.1. */
  exportSpki(): Uint8Array;
}

/** One way to do RSA; the methods are as the functions of this file with the same meaning. */
export interface RsaImplementation {
  readonly name: string;
  generateKey(modulusBits: RsaModulusBits): Promise<RsaPrivateKey>;
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
 * Makes a new key of two primes with the public exponent 65,537, off the main thread.
 * @param modulusBits - 2048, 3072 or 4096; the longer ones take seconds
 * @returns the key; FIPS 186-5 appendix A.1
 * @throws (rejected) RangeError `ERR_ARGUMENT` for another length; FengniError `ERR_NOT_SUPPORTED` where the runtime has no RSA
 */
export async function generateRsaKey(modulusBits: RsaModulusBits): Promise<RsaPrivateKey> {
  return chosen().generateKey(modulusBits);
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
