// ECDSA over P-256 with SHA-256 and P-384 with SHA-384: the public shapes and functions. It must not do curve
// arithmetic. High s is accepted, as the AWS Encryption SDK does: a signature here proves origin, its bytes
// are not an identifier.
import { assertBytes } from "./assert.js";
import { type CheckedEcdsa, expandPublicKey } from "./ecdsa-checked.js";
import { compressPoint, curveOf, formatSpki, keyInvalid, parseSpki } from "./ecdsa-encoding.js";
import { ecdsaSelector } from "./ecdsa-select.js";

export { derSignatureToRaw, rawSignatureToDer } from "./ecdsa-encoding.js";

/** The curves: P-256 goes with SHA-256, P-384 with SHA-384 (FIPS 186-5). */
export type EcdsaCurve = "P-256" | "P-384";

/**
 * How a signature is written: strict DER of at most 72 or 104 bytes (RFC 3279 section 2.2.3), or r and s side by side, each of
 * the curve's full length, 64 or 96 bytes (IEEE P1363). It is `der` where nothing is said.
 */
export type EcdsaSignatureEncoding = "der" | "raw";

/** Signs one message that arrives in parts. */
export interface EcdsaSigner {
  /** Takes the next part, of any length; `ERR_CLOSED` after `sign()`. */
  update(data: Uint8Array): void;
  /** Ends the message and gives the signature; `ERR_CLOSED` when called again. */
  sign(encoding?: EcdsaSignatureEncoding): Uint8Array;
}

/** Verifies the signature of one message that arrives in parts. */
export interface EcdsaVerifier {
  /** Takes the next part, of any length; `ERR_CLOSED` after `verify()`. */
  update(data: Uint8Array): void;
  /**
   * Ends the message and verifies.
   * @param signature - any bytes: whatever is not strictly of the encoding, with r and s in 1..n-1, gives false
   * @param encoding - default `der`
   * @returns whether the signature is right
   * @throws FengniError `ERR_CLOSED` when called again
   */
  verify(signature: Uint8Array, encoding?: EcdsaSignatureEncoding): boolean;
}

/** A public key that is ready for use. */
export interface EcdsaPublicKey {
  readonly curve: EcdsaCurve;
  /** The compressed point, 33 or 49 bytes (SEC 1 section 2.3.3); a copy at each reading. */
  readonly publicKey: Uint8Array;
  /** Begins to verify the signature of one message that arrives in parts. */
  createVerifier(): EcdsaVerifier;
  /**
   * Verifies the signature of a message.
   * @param message - any length; it is hashed with the curve's hash
   * @param signature - any bytes: whatever is not strictly of the encoding, with r and s in 1..n-1, gives false
   * @param encoding - default `der`
   * @returns whether the signature is right; FIPS 186-5 section 6.4.2
   * @throws RangeError `ERR_ARGUMENT` for an unknown encoding
   */
  verify(message: Uint8Array, signature: Uint8Array, encoding?: EcdsaSignatureEncoding): boolean;
  /**
   * Verifies a signature over a digest that was computed elsewhere.
   * @param digest - 32 bytes for P-256, 48 for P-384
   * @throws RangeError `ERR_ARGUMENT` for another length or an unknown encoding
   */
  verifyDigest(digest: Uint8Array, signature: Uint8Array, encoding?: EcdsaSignatureEncoding): boolean;
}

/** A private key that is ready for use. */
export interface EcdsaPrivateKey {
  readonly curve: EcdsaCurve;
  /** The compressed point, 33 or 49 bytes (SEC 1 section 2.3.3); a copy at each reading. */
  readonly publicKey: Uint8Array;
  /** Begins the signature of one message that arrives in parts. */
  createSigner(): EcdsaSigner;
  /**
   * Signs a message.
   * @param message - any length; it is hashed with the curve's hash
   * @param encoding - default `der`
   * @returns the signature; FIPS 186-5 section 6.4.1
   * @throws RangeError `ERR_ARGUMENT` for an unknown encoding
   */
  sign(message: Uint8Array, encoding?: EcdsaSignatureEncoding): Uint8Array;
  /**
   * Signs a digest that was computed elsewhere. This is noble's, on every runtime: BigInt arithmetic, whose time may depend on
   * the key.
   * @param digest - 32 bytes for P-256, 48 for P-384
   * @param encoding - default `der`
   * @returns the signature; its nonce is derived from key, digest and fresh randomness (RFC 6979 section 3.6)
   * @throws RangeError `ERR_ARGUMENT` for another length or an unknown encoding
   */
  signDigest(digest: Uint8Array, encoding?: EcdsaSignatureEncoding): Uint8Array;
  /** Gives the key out: a new buffer of DER PKCS#8 with the public point, secret. RFC 5958, RFC 5915. */
  exportPkcs8(): Uint8Array;
}

/** One way to do ECDSA; the methods are as the functions of this file with the same meaning. */
export interface EcdsaImplementation {
  readonly name: string;
  generateKey(curve: EcdsaCurve): EcdsaPrivateKey;
  importPrivateKey(curve: EcdsaCurve, pkcs8: Uint8Array): EcdsaPrivateKey;
  importPublicKey(curve: EcdsaCurve, publicKey: Uint8Array): EcdsaPublicKey;
  createVerifier(curve: EcdsaCurve, publicKey: Uint8Array): EcdsaVerifier;
}

function chosen(): CheckedEcdsa {
  // noble needs nothing of the runtime, so one is always chosen.
  return ecdsaSelector.chosen() as CheckedEcdsa;
}

/**
 * Makes a new private key.
 * @param curve - the curve
 * @returns the key
 * @throws RangeError `ERR_ARGUMENT` for an unknown curve; FIPS 186-5 appendix A.2
 */
export function generateEcdsaKey(curve: EcdsaCurve): EcdsaPrivateKey {
  return chosen().generateKey(curve);
}

/**
 * Reads a private key.
 * @param curve - the curve it must be of
 * @param pkcs8 - DER PKCS#8 with or without the public point; not kept
 * @returns the key
 * @throws FengniError `ERR_KEY_INVALID` for other bytes, another curve, a number outside 1..n-1, or a foreign public point
 */
export function importEcdsaPrivateKey(curve: EcdsaCurve, pkcs8: Uint8Array): EcdsaPrivateKey {
  return chosen().importPrivateKey(curve, pkcs8);
}

/**
 * Reads a public key, for more than one signature.
 * @param curve - the curve
 * @param publicKey - a compressed point, 33 or 49 bytes; not kept
 * @returns the key
 * @throws FengniError `ERR_KEY_INVALID` unless it is a compressed point on the curve
 */
export function importEcdsaPublicKey(curve: EcdsaCurve, publicKey: Uint8Array): EcdsaPublicKey {
  return chosen().importPublicKey(curve, publicKey);
}

/**
 * Begins to verify the signature of one message.
 * @param curve - the curve
 * @param publicKey - a compressed point, 33 or 49 bytes
 * @returns a verifier for this one message; FIPS 186-5 section 6.4.2
 * @throws FengniError `ERR_KEY_INVALID` unless it is a compressed point on the curve
 */
export function createEcdsaVerifier(curve: EcdsaCurve, publicKey: Uint8Array): EcdsaVerifier {
  return chosen().createVerifier(curve, publicKey);
}

/**
 * Verifies a signature over a digest that was computed elsewhere.
 * @param curve - the curve
 * @param publicKey - a compressed point, 33 or 49 bytes
 * @param digest - 32 bytes for P-256, 48 for P-384
 * @param signature - any bytes: whatever is not strictly of the encoding, with r and s in 1..n-1, gives false
 * @param encoding - default `der`
 * @returns whether the signature is right
 * @throws FengniError `ERR_KEY_INVALID` unless it is a compressed point on the curve; RangeError `ERR_ARGUMENT` for a digest of
 *   another length
 */
export function verifyEcdsaDigest(
  curve: EcdsaCurve,
  publicKey: Uint8Array,
  digest: Uint8Array,
  signature: Uint8Array,
  encoding: EcdsaSignatureEncoding = "der",
): boolean {
  return chosen().importPublicKey(curve, publicKey).verifyDigest(digest, signature, encoding);
}

/**
 * Writes a public key the way other software reads it.
 * @param curve - the curve
 * @param compressed - a compressed point, 33 or 49 bytes
 * @returns DER SubjectPublicKeyInfo with the uncompressed point, 91 or 120 bytes; RFC 5480 section 2
 * @throws FengniError `ERR_KEY_INVALID` unless it is a compressed point on the curve
 */
export function ecdsaPublicKeyToSpki(curve: EcdsaCurve, compressed: Uint8Array): Uint8Array {
  const row = curveOf(curve);
  return formatSpki(row, expandPublicKey(chosen().engine, row, compressed));
}

/**
 * Reads a public key as other software writes it.
 * @param curve - the curve it must be of
 * @param spki - DER SubjectPublicKeyInfo with an uncompressed point
 * @returns the compressed point, 33 or 49 bytes
 * @throws FengniError `ERR_KEY_INVALID` for other bytes, another curve, or a point that is not on the curve
 */
export function ecdsaPublicKeyFromSpki(curve: EcdsaCurve, spki: Uint8Array): Uint8Array {
  const row = curveOf(curve);
  const point = parseSpki(row, assertBytes(spki, "spki"));
  try {
    return compressPoint(row, chosen().engine.expandPoint(row, point));
  } catch {
    throw keyInvalid(row, "public key: the point is not on the curve");
  }
}

/**
 * Lists every ECDSA implementation that this runtime has, for tests and benchmarks.
 * @returns the implementations, best first: at least `noble`
 */
export function ecdsaImplementations(): readonly EcdsaImplementation[] {
  return ecdsaSelector.available();
}
