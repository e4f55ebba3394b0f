// ECDSA over P-256 with SHA-256 and P-384 with SHA-384: the public shapes and functions. It must not do curve
// arithmetic. High s is accepted, as the AWS Encryption SDK does: a signature here proves origin, its bytes
// are not an identifier.
import { assertBytes } from "./assert.js";
import { type CheckedEcdsa, expandPublicKey } from "./ecdsa-checked.js";
import { compressPoint, curveOf, formatSpki, keyInvalid, parseSignature, parseSpki } from "./ecdsa-encoding.js";
import { nobleVerifyDigest } from "./ecdsa-noble.js";
import { ecdsaSelector } from "./ecdsa-select.js";
import { hashLength } from "./hash.js";

export { derSignatureToRaw, rawSignatureToDer } from "./ecdsa-encoding.js";

/** The curves: P-256 goes with SHA-256, P-384 with SHA-384 (FIPS 186-5). */
export type EcdsaCurve = "P-256" | "P-384";

/** Signs one message that arrives in parts. */
export interface EcdsaSigner {
  /** Takes the next part, of any length; `ERR_CLOSED` after `sign()`. */
  update(data: Uint8Array): void;
  /** Ends the message and gives the signature: strict DER, at most 72 or 104 bytes; `ERR_CLOSED` when called again. */
  sign(): Uint8Array;
}

/** Verifies the signature of one message that arrives in parts. */
export interface EcdsaVerifier {
  /** Takes the next part, of any length; `ERR_CLOSED` after `verify()`. */
  update(data: Uint8Array): void;
  /**
   * Ends the message and verifies.
   * @param derSignature - any bytes: whatever is not strict DER with r and s in 1..n-1 gives false
   * @returns whether the signature is right
   * @throws FengniError `ERR_CLOSED` when called again
   */
  verify(derSignature: Uint8Array): boolean;
}

/** A private key that is ready for use. */
export interface EcdsaPrivateKey {
  readonly curve: EcdsaCurve;
  /** The compressed point, 33 or 49 bytes (SEC 1 section 2.3.3); a copy at each reading. */
  readonly publicKey: Uint8Array;
  /** Begins the signature of one message. */
  createSigner(): EcdsaSigner;
  /**
   * Signs a digest that was computed elsewhere.
   * @param digest - 32 bytes for P-256, 48 for P-384
   * @returns the signature, strict DER; its nonce is derived from key, digest and fresh randomness (RFC 6979 section 3.6)
   * @throws RangeError `ERR_ARGUMENT` for another length
   */
  signDigest(digest: Uint8Array): Uint8Array;
  /** Gives the key out: a new buffer of DER PKCS#8 with the public point, secret. RFC 5958, RFC 5915. */
  exportPkcs8(): Uint8Array;
}

/** One way to do ECDSA; the methods are as the functions of this file with the same meaning. */
export interface EcdsaImplementation {
  readonly name: string;
  generateKey(curve: EcdsaCurve): EcdsaPrivateKey;
  importPrivateKey(curve: EcdsaCurve, pkcs8: Uint8Array): EcdsaPrivateKey;
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
 * @param derSignature - any bytes: whatever is not strict DER with r and s in 1..n-1 gives false
 * @returns whether the signature is right
 * @throws FengniError `ERR_KEY_INVALID` unless it is a compressed point on the curve; RangeError `ERR_ARGUMENT` for a digest of
 *   another length
 */
export function verifyEcdsaDigest(
  curve: EcdsaCurve,
  publicKey: Uint8Array,
  digest: Uint8Array,
  derSignature: Uint8Array,
): boolean {
  const row = curveOf(curve);
  assertBytes(digest, "digest", hashLength(row.hash));
  const point = expandPublicKey(chosen().engine, row, publicKey);
  const raw = parseSignature(row, assertBytes(derSignature, "derSignature"));
  return raw !== undefined && nobleVerifyDigest(row, point, digest, raw);
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
