// ML-DSA, the signatures of FIPS 204: the public shapes and functions. It must not know how it is done. HashML-DSA (FIPS 204
// section 5.4) is not offered: who must sign a digest signs a message representative, which verifies as ML-DSA itself.
import { shake256 } from "@noble/hashes/sha3.js";
import { assertBytes } from "./assert.js";
import { type CheckedMlDsa, MU_BYTES, mlDsaSet } from "./ml-dsa-checked.js";
import { mlDsaSelector } from "./ml-dsa-select.js";
import { checkKeyBytes, formatPqSpki, parsePqSpki } from "./pq-encoding.js";
import { NO_OPTIONS, type PqSignOptions, type PqVerifyOptions, verifyContext } from "./pq-signing.js";

/** What may be said when an ML-DSA signature is made. */
export type MlDsaSignOptions = PqSignOptions;
/** What may be said when an ML-DSA signature is verified. */
export type MlDsaVerifyOptions = PqVerifyOptions;

/** The parameter sets of FIPS 204: public keys of 1312, 1952 and 2592 bytes, signatures of 2420, 3309 and 4627 bytes. */
export type MlDsaParameterSet = "ML-DSA-44" | "ML-DSA-65" | "ML-DSA-87";

/** A public key that is ready for use. */
export interface MlDsaPublicKey {
  readonly parameterSet: MlDsaParameterSet;
  /** The raw public key; a copy at each reading. */
  readonly publicKey: Uint8Array;
  /**
   * Verifies the signature of a message.
   * @param message - any length
   * @param signature - any bytes: another length gives false
   * @param options - the context it was signed under
   * @returns whether the signature is right; FIPS 204 algorithm 3
   * @throws RangeError `ERR_ARGUMENT` for a context of more than 255 bytes
   */
  verify(message: Uint8Array, signature: Uint8Array, options?: MlDsaVerifyOptions): boolean;
  /**
   * Verifies a signature over a message representative that was computed elsewhere. This is noble's on every runtime.
   * @param mu - 64 bytes, as {@link mlDsaMu} gives it
   * @param signature - any bytes: another length gives false
   * @returns whether the signature is right; FIPS 204 algorithm 8
   * @throws RangeError `ERR_ARGUMENT` for a representative of another length
   */
  verifyMu(mu: Uint8Array, signature: Uint8Array): boolean;
}

/** A private key that is ready for use. */
export interface MlDsaPrivateKey {
  readonly parameterSet: MlDsaParameterSet;
  /** The raw public key of the pair; a copy at each reading. */
  readonly publicKey: Uint8Array;
  /**
   * Signs a message. By node:crypto the time tells nothing of the key; by noble, and without randomness, it may.
   * @param message - any length
   * @param options - the context, and whether to leave the randomness out
   * @returns the signature, a new buffer; FIPS 204 algorithm 2
   * @throws TypeError or RangeError `ERR_ARGUMENT` for wrong options
   */
  sign(message: Uint8Array, options?: MlDsaSignOptions): Uint8Array;
  /**
   * Signs a message representative that was computed elsewhere: the message need not come to where the key is. This is noble's
   * on every runtime, so that the time may tell of the key.
   * @param mu - 64 bytes, as {@link mlDsaMu} gives it; it holds public key, context and message
   * @param options - whether to leave the randomness out
   * @returns a signature of the message itself, a new buffer; FIPS 204 algorithm 7
   * @throws RangeError `ERR_ARGUMENT` for another length
   */
  signMu(mu: Uint8Array, options?: Pick<MlDsaSignOptions, "deterministic">): Uint8Array;
  /**
   * Gives the key out in its shortest form.
   * @returns the seed, 32 bytes, a new buffer, secret; FIPS 204 section 3.6.3
   * @throws FengniError `ERR_NOT_SUPPORTED` for a key that was read without its seed
   */
  exportSeed(): Uint8Array;
  /**
   * Gives the key out.
   * @returns DER PKCS#8 with the seed only, or with the expanded key only where the key was read so; a new buffer, secret;
   *   RFC 9881 section 6
   */
  exportPkcs8(): Uint8Array;
}

/** One way to do ML-DSA; the methods are as the functions of this file with the same meaning. */
export interface MlDsaImplementation {
  readonly name: string;
  generateKey(parameterSet: MlDsaParameterSet): MlDsaPrivateKey;
  importSeed(parameterSet: MlDsaParameterSet, seed: Uint8Array): MlDsaPrivateKey;
  importExpandedKey(parameterSet: MlDsaParameterSet, expanded: Uint8Array): MlDsaPrivateKey;
  importPrivateKey(parameterSet: MlDsaParameterSet, pkcs8: Uint8Array): MlDsaPrivateKey;
  importPublicKey(parameterSet: MlDsaParameterSet, publicKey: Uint8Array): MlDsaPublicKey;
}

function chosen(): CheckedMlDsa {
  // noble needs nothing of the runtime, so one is always chosen.
  return mlDsaSelector.chosen() as CheckedMlDsa;
}

/**
 * Makes a new private key.
 * @param parameterSet - the parameter set
 * @returns the key; FIPS 204 algorithm 1
 * @throws RangeError `ERR_ARGUMENT` for an unknown parameter set
 */
export function generateMlDsaKey(parameterSet: MlDsaParameterSet): MlDsaPrivateKey {
  return chosen().generateKey(parameterSet);
}

/**
 * Makes the private key of a seed: the form to store and to exchange.
 * @param parameterSet - the parameter set, which the seed does not tell
 * @param seed - 32 random bytes; not kept by node:crypto, copied by noble
 * @returns the key; FIPS 204 algorithm 6
 * @throws FengniError `ERR_KEY_INVALID` for another length
 */
export function importMlDsaSeed(parameterSet: MlDsaParameterSet, seed: Uint8Array): MlDsaPrivateKey {
  return chosen().importSeed(parameterSet, seed);
}

/**
 * Reads a private key in the standard's own form, of which the seed cannot be had back.
 * @param parameterSet - the parameter set
 * @param expanded - the private key, 2560, 4032 or 4896 bytes
 * @returns the key
 * @throws FengniError `ERR_KEY_INVALID` for another length, secret numbers out of range, a wrong hash of the public key, or a key
 *   whose first signature does not verify (FIPS 204 algorithms 24 and 25); where a later one does not, signing throws the same
 */
export function importMlDsaExpandedKey(parameterSet: MlDsaParameterSet, expanded: Uint8Array): MlDsaPrivateKey {
  return chosen().importExpandedKey(parameterSet, expanded);
}

/**
 * Reads a private key.
 * @param parameterSet - the parameter set it must be of
 * @param pkcs8 - DER PKCS#8 with the seed, the expanded key, or both (which Node 24 writes); not kept
 * @returns the key; RFC 9881 section 6
 * @throws FengniError `ERR_KEY_INVALID` for other bytes, another algorithm, or parts that do not belong together
 */
export function importMlDsaPrivateKey(parameterSet: MlDsaParameterSet, pkcs8: Uint8Array): MlDsaPrivateKey {
  return chosen().importPrivateKey(parameterSet, pkcs8);
}

/**
 * Reads a public key.
 * @param parameterSet - the parameter set
 * @param publicKey - the raw public key, 1312, 1952 or 2592 bytes, of which every value is a key; not kept
 * @returns the key
 * @throws FengniError `ERR_KEY_INVALID` for another length
 */
export function importMlDsaPublicKey(parameterSet: MlDsaParameterSet, publicKey: Uint8Array): MlDsaPublicKey {
  return chosen().importPublicKey(parameterSet, publicKey);
}

/**
 * Computes a message representative, for {@link MlDsaPrivateKey.signMu}: everything of the message that a signer needs.
 * @param parameterSet - the parameter set
 * @param publicKey - the raw public key that the signature is to verify under
 * @param message - any length
 * @param options - the context
 * @returns mu, 64 bytes, a new buffer; FIPS 204 algorithm 7 line 6 over algorithm 2 line 10
 * @throws FengniError `ERR_KEY_INVALID` for a public key of another length; RangeError `ERR_ARGUMENT` for a context of more than
 *   255 bytes
 */
export function mlDsaMu(
  parameterSet: MlDsaParameterSet,
  publicKey: Uint8Array,
  message: Uint8Array,
  options: MlDsaVerifyOptions = NO_OPTIONS,
): Uint8Array {
  const set = mlDsaSet(parameterSet);
  checkKeyBytes(set, publicKey, "publicKey", set.publicKeyBytes);
  const context = verifyContext(options);
  const hash = shake256.create({ dkLen: MU_BYTES }).update(shake256(publicKey, { dkLen: 64 }));
  hash.update(Uint8Array.of(0, context.length)).update(context);
  return hash.update(assertBytes(message, "message")).digest();
}

/**
 * Writes a public key the way other software reads it.
 * @param parameterSet - the parameter set
 * @param publicKey - the raw public key
 * @returns DER SubjectPublicKeyInfo, 22 bytes more; RFC 9881
 * @throws FengniError `ERR_KEY_INVALID` for another length
 */
export function mlDsaPublicKeyToSpki(parameterSet: MlDsaParameterSet, publicKey: Uint8Array): Uint8Array {
  const set = mlDsaSet(parameterSet);
  checkKeyBytes(set, publicKey, "publicKey", set.publicKeyBytes);
  return formatPqSpki(set, publicKey);
}

/**
 * Reads a public key as other software writes it.
 * @param parameterSet - the parameter set it must be of
 * @param spki - DER SubjectPublicKeyInfo
 * @returns the raw public key, a new buffer
 * @throws FengniError `ERR_KEY_INVALID` for other bytes or another algorithm
 */
export function mlDsaPublicKeyFromSpki(parameterSet: MlDsaParameterSet, spki: Uint8Array): Uint8Array {
  return parsePqSpki(mlDsaSet(parameterSet), assertBytes(spki, "spki"));
}

/**
 * Lists every ML-DSA implementation that this runtime has, for tests and benchmarks.
 * @returns the implementations, best first: at least `noble`
 */
export function mlDsaImplementations(): readonly MlDsaImplementation[] {
  return mlDsaSelector.available();
}
