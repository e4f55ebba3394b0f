// ML-KEM, the key encapsulation of FIPS 203: the public shapes and functions. It must not know how it is done.
import { assertBytes } from "./assert.js";
import { type CheckedMlKem, checkMlKemPublicKey, mlKemSet } from "./ml-kem-checked.js";
import { mlKemSelector } from "./ml-kem-select.js";
import { formatPqSpki, parsePqSpki } from "./pq-encoding.js";

/** The parameter sets of FIPS 203: public keys of 800, 1184 and 1568 bytes, ciphertexts of 768, 1088 and 1568 bytes. */
export type MlKemParameterSet = "ML-KEM-512" | "ML-KEM-768" | "ML-KEM-1024";

/** What encapsulation gives. Both buffers are new. */
export interface MlKemEncapsulation {
  /** For the holder of the private key. */
  readonly ciphertext: Uint8Array;
  /** 32 bytes, secret and uniform: a key as it is. */
  readonly sharedSecret: Uint8Array;
}

/** A public key that is ready for use. */
export interface MlKemPublicKey {
  readonly parameterSet: MlKemParameterSet;
  /** The raw encapsulation key; a copy at each reading. */
  readonly publicKey: Uint8Array;
  /**
   * Makes a shared secret and the ciphertext that carries it, with fresh randomness.
   * @returns new buffers; FIPS 203 algorithm 20
   */
  encapsulate(): MlKemEncapsulation;
}

/** A private key that is ready for use. */
export interface MlKemPrivateKey {
  readonly parameterSet: MlKemParameterSet;
  /** The raw encapsulation key of the pair; a copy at each reading. */
  readonly publicKey: Uint8Array;
  /**
   * Recovers the shared secret of a ciphertext. A wrong ciphertext is no error but gives another secret, which depends on key and
   * ciphertext only (implicit rejection): authenticate what you encrypt with it. By node:crypto the time does not depend on
   * secrets; by noble it may.
   * @param ciphertext - 768, 1088 or 1568 bytes
   * @returns 32 bytes, a new buffer; FIPS 203 algorithm 21
   * @throws FengniError `ERR_CIPHERTEXT_INVALID` for another length
   */
  decapsulate(ciphertext: Uint8Array): Uint8Array;
  /**
   * Gives the key out in its shortest form.
   * @returns the seed d || z, 64 bytes, a new buffer, secret; FIPS 203 section 7.1
   * @throws FengniError `ERR_NOT_SUPPORTED` for a key that was read without its seed
   */
  exportSeed(): Uint8Array;
  /**
   * Gives the key out.
   * @returns DER PKCS#8 with the seed only, or with the expanded key only where the key was read so; a new buffer, secret;
   *   RFC 9935 section 6
   */
  exportPkcs8(): Uint8Array;
}

/** One way to do ML-KEM; the methods are as the functions of this file with the same meaning. */
export interface MlKemImplementation {
  readonly name: string;
  generateKey(parameterSet: MlKemParameterSet): MlKemPrivateKey;
  importSeed(parameterSet: MlKemParameterSet, seed: Uint8Array): MlKemPrivateKey;
  importExpandedKey(parameterSet: MlKemParameterSet, expanded: Uint8Array): MlKemPrivateKey;
  importPrivateKey(parameterSet: MlKemParameterSet, pkcs8: Uint8Array): MlKemPrivateKey;
  importPublicKey(parameterSet: MlKemParameterSet, publicKey: Uint8Array): MlKemPublicKey;
}

function chosen(): CheckedMlKem {
  // noble needs nothing of the runtime, so one is always chosen.
  return mlKemSelector.chosen() as CheckedMlKem;
}

/**
 * Makes a new private key.
 * @param parameterSet - the parameter set
 * @returns the key; FIPS 203 algorithm 19
 * @throws RangeError `ERR_ARGUMENT` for an unknown parameter set
 */
export function generateMlKemKey(parameterSet: MlKemParameterSet): MlKemPrivateKey {
  return chosen().generateKey(parameterSet);
}

/**
 * Makes the private key of a seed: the form to store and to exchange.
 * @param parameterSet - the parameter set, which the seed does not tell
 * @param seed - d || z, 64 random bytes; not kept by node:crypto, copied by noble
 * @returns the key; FIPS 203 algorithm 16
 * @throws FengniError `ERR_KEY_INVALID` for another length
 */
export function importMlKemSeed(parameterSet: MlKemParameterSet, seed: Uint8Array): MlKemPrivateKey {
  return chosen().importSeed(parameterSet, seed);
}

/**
 * Reads a private key in the standard's own form, of which the seed cannot be had back.
 * @param parameterSet - the parameter set
 * @param expanded - the decapsulation key, 1632, 2400 or 3168 bytes
 * @returns the key
 * @throws FengniError `ERR_KEY_INVALID` for another length, numbers that are not reduced, a wrong hash (FIPS 203 section 7.3), or
 *   halves that do not belong together
 */
export function importMlKemExpandedKey(parameterSet: MlKemParameterSet, expanded: Uint8Array): MlKemPrivateKey {
  return chosen().importExpandedKey(parameterSet, expanded);
}

/**
 * Reads a private key.
 * @param parameterSet - the parameter set it must be of
 * @param pkcs8 - DER PKCS#8 with the seed, the expanded key, or both (which Node 24 writes); not kept
 * @returns the key; RFC 9935 section 6
 * @throws FengniError `ERR_KEY_INVALID` for other bytes, another algorithm, or parts that do not belong together
 */
export function importMlKemPrivateKey(parameterSet: MlKemParameterSet, pkcs8: Uint8Array): MlKemPrivateKey {
  return chosen().importPrivateKey(parameterSet, pkcs8);
}

/**
 * Reads a public key.
 * @param parameterSet - the parameter set
 * @param publicKey - the raw encapsulation key, 800, 1184 or 1568 bytes; not kept
 * @returns the key
 * @throws FengniError `ERR_KEY_INVALID` for another length or a number that is not below the modulus (FIPS 203 section 7.2)
 */
export function importMlKemPublicKey(parameterSet: MlKemParameterSet, publicKey: Uint8Array): MlKemPublicKey {
  return chosen().importPublicKey(parameterSet, publicKey);
}

/**
 * Writes a public key the way other software reads it.
 * @param parameterSet - the parameter set
 * @param publicKey - the raw encapsulation key
 * @returns DER SubjectPublicKeyInfo, 22 bytes more; RFC 9935
 * @throws FengniError `ERR_KEY_INVALID` as {@link importMlKemPublicKey}
 */
export function mlKemPublicKeyToSpki(parameterSet: MlKemParameterSet, publicKey: Uint8Array): Uint8Array {
  const set = mlKemSet(parameterSet);
  checkMlKemPublicKey(set, publicKey);
  return formatPqSpki(set, publicKey);
}

/**
 * Reads a public key as other software writes it.
 * @param parameterSet - the parameter set it must be of
 * @param spki - DER SubjectPublicKeyInfo
 * @returns the raw encapsulation key, a new buffer
 * @throws FengniError `ERR_KEY_INVALID` for other bytes, another algorithm, or a number that is not below the modulus
 */
export function mlKemPublicKeyFromSpki(parameterSet: MlKemParameterSet, spki: Uint8Array): Uint8Array {
  const set = mlKemSet(parameterSet);
  const publicKey = parsePqSpki(set, assertBytes(spki, "spki"));
  checkMlKemPublicKey(set, publicKey);
  return publicKey;
}

/**
 * Lists every ML-KEM implementation that this runtime has, for tests and benchmarks.
 * @returns the implementations, best first: at least `noble`
 */
export function mlKemImplementations(): readonly MlKemImplementation[] {
  return mlKemSelector.available();
}
