// SLH-DSA, the hash-based signatures of FIPS 205: the public shapes and functions. It must not know how it is done. It rests on
// its hash function alone, and pays for that: signatures of 8 to 50 kB, and by noble up to seconds for each.
import { assertBytes } from "./assert.js";
import { checkKeyBytes, formatPqSpki, parsePqSpki } from "./pq-encoding.js";
import type { PqSignOptions, PqVerifyOptions } from "./pq-signing.js";
import { type CheckedSlhDsa, slhDsaSet } from "./slh-dsa-checked.js";
import { slhDsaSelector } from "./slh-dsa-select.js";

/** What may be said when an SLH-DSA signature is made. */
export type SlhDsaSignOptions = PqSignOptions;
/** What may be said when an SLH-DSA signature is verified. */
export type SlhDsaVerifyOptions = PqVerifyOptions;

/** The parameter sets of FIPS 205: `s` has small signatures, `f` signs fast. */
export type SlhDsaParameterSet = `SLH-DSA-${"SHA2" | "SHAKE"}-${"128" | "192" | "256"}${"s" | "f"}`;

/** A public key that is ready for use. */
export interface SlhDsaPublicKey {
  readonly parameterSet: SlhDsaParameterSet;
  /** The raw public key, 32, 48 or 64 bytes; a copy at each reading. */
  readonly publicKey: Uint8Array;
  /**
   * Verifies the signature of a message.
   * @param message - any length
   * @param signature - any bytes: another length gives false
   * @param options - the context it was signed under
   * @returns whether the signature is right; FIPS 205 algorithm 24
   * @throws RangeError `ERR_ARGUMENT` for a context of more than 255 bytes
   */
  verify(message: Uint8Array, signature: Uint8Array, options?: SlhDsaVerifyOptions): boolean;
}

/** A private key that is ready for use. */
export interface SlhDsaPrivateKey {
  readonly parameterSet: SlhDsaParameterSet;
  /** The raw public key of the pair; a copy at each reading. */
  readonly publicKey: Uint8Array;
  /**
   * Signs a message.
   * @param message - any length
   * @param options - the context, and whether to leave the randomness out
   * @returns the signature, a new buffer of 7856 to 49,856 bytes; FIPS 205 algorithm 22
   * @throws TypeError or RangeError `ERR_ARGUMENT` for wrong options
   */
  sign(message: Uint8Array, options?: SlhDsaSignOptions): Uint8Array;
  /** Gives the key out: SK.seed || SK.prf || PK.seed || PK.root, a new buffer of 64, 96 or 128 bytes, secret. */
  exportRaw(): Uint8Array;
  /** Gives the key out: a new buffer of DER PKCS#8, secret. RFC 9909. */
  exportPkcs8(): Uint8Array;
}

/** One way to do SLH-DSA; the methods are as the functions of this file with the same meaning. */
export interface SlhDsaImplementation {
  readonly name: string;
  generateKey(parameterSet: SlhDsaParameterSet): SlhDsaPrivateKey;
  importRawKey(parameterSet: SlhDsaParameterSet, raw: Uint8Array): SlhDsaPrivateKey;
  importPrivateKey(parameterSet: SlhDsaParameterSet, pkcs8: Uint8Array): SlhDsaPrivateKey;
  importPublicKey(parameterSet: SlhDsaParameterSet, publicKey: Uint8Array): SlhDsaPublicKey;
}

function chosen(): CheckedSlhDsa {
  // noble needs nothing of the runtime, so one is always chosen.
  return slhDsaSelector.chosen() as CheckedSlhDsa;
}

/**
 * Makes a new private key.
 * @param parameterSet - the parameter set
 * @returns the key; FIPS 205 algorithm 21
 * @throws RangeError `ERR_ARGUMENT` for an unknown parameter set
 */
export function generateSlhDsaKey(parameterSet: SlhDsaParameterSet): SlhDsaPrivateKey {
  return chosen().generateKey(parameterSet);
}

/**
 * Reads a private key in the standard's own form.
 * @param parameterSet - the parameter set, which the bytes do not tell
 * @param raw - SK.seed || SK.prf || PK.seed || PK.root, 64, 96 or 128 bytes; not kept by node:crypto, copied by noble
 * @returns the key; FIPS 205 section 9.1
 * @throws FengniError `ERR_KEY_INVALID` for another length; that the root is the seeds' own is not checked, which would take as
 *   long as making a key: signatures under another root verify under no key
 */
export function importSlhDsaRawKey(parameterSet: SlhDsaParameterSet, raw: Uint8Array): SlhDsaPrivateKey {
  return chosen().importRawKey(parameterSet, raw);
}

/**
 * Reads a private key.
 * @param parameterSet - the parameter set it must be of
 * @param pkcs8 - DER PKCS#8; not kept
 * @returns the key; RFC 9909
 * @throws FengniError `ERR_KEY_INVALID` for other bytes or another algorithm; as to the root see {@link importSlhDsaRawKey}
 */
export function importSlhDsaPrivateKey(parameterSet: SlhDsaParameterSet, pkcs8: Uint8Array): SlhDsaPrivateKey {
  return chosen().importPrivateKey(parameterSet, pkcs8);
}

/**
 * Reads a public key.
 * @param parameterSet - the parameter set
 * @param publicKey - PK.seed || PK.root, 32, 48 or 64 bytes, of which every value is a key; not kept
 * @returns the key
 * @throws FengniError `ERR_KEY_INVALID` for another length
 */
export function importSlhDsaPublicKey(parameterSet: SlhDsaParameterSet, publicKey: Uint8Array): SlhDsaPublicKey {
  return chosen().importPublicKey(parameterSet, publicKey);
}

/**
 * Writes a public key the way other software reads it.
 * @param parameterSet - the parameter set
 * @param publicKey - the raw public key
 * @returns DER SubjectPublicKeyInfo; RFC 9909
 * @throws FengniError `ERR_KEY_INVALID` for another length
 */
export function slhDsaPublicKeyToSpki(parameterSet: SlhDsaParameterSet, publicKey: Uint8Array): Uint8Array {
  const set = slhDsaSet(parameterSet);
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
export function slhDsaPublicKeyFromSpki(parameterSet: SlhDsaParameterSet, spki: Uint8Array): Uint8Array {
  return parsePqSpki(slhDsaSet(parameterSet), assertBytes(spki, "spki"));
}

/**
 * Lists every SLH-DSA implementation that this runtime has, for tests and benchmarks.
 * @returns the implementations, best first: at least `noble`
 */
export function slhDsaImplementations(): readonly SlhDsaImplementation[] {
  return slhDsaSelector.available();
}
