// Hybrid KEMs, secret as long as one of their two parts is: the public shapes and functions, and the choice. It must not know how
// a hybrid is put together.
import { CheckedHybridKem, hybridKemName } from "./hybrid-kem-checked.js";
import { createMlKemSm2 } from "./hybrid-kem-sm2.js";
import { createXWing } from "./hybrid-kem-xwing.js";
import type { MlKemEncapsulation, MlKemImplementation } from "./ml-kem.js";
import { mlKemSelector } from "./ml-kem-select.js";
import type { CheckedSm2 } from "./sm2-checked.js";
import { sm2Selector } from "./sm2-select.js";
import { type X25519Engine, x25519Selector } from "./x25519.js";

/**
 * The hybrids: X-Wing (draft-connolly-cfrg-xwing-kem-10: ML-KEM-768 and X25519), with public keys of 1216 and ciphertexts of 1120
 * bytes, and ML-KEM-768 with SM2, Fengni's own construction (hybrid-kem-sm2.ts says which), with 1249 and 1153 bytes.
 */
export type HybridKemName = "X-Wing" | "ML-KEM-768+SM2";

/** What encapsulation gives: a ciphertext for the holder of the private key, and 32 secret bytes. Both buffers are new. */
export type HybridKemEncapsulation = MlKemEncapsulation;

/** A public key that is ready for use. */
export interface HybridKemPublicKey {
  readonly kem: HybridKemName;
  /** The encoded public key; a copy at each reading. */
  readonly publicKey: Uint8Array;
  /**
   * Makes a shared secret and the ciphertext that carries it, with fresh randomness.
   * @returns new buffers
   */
  encapsulate(): HybridKemEncapsulation;
}

/**
 * A private key that is ready for use. What is constant in time is what its parts are: ML-KEM and X25519 by node:crypto and SM2 in
 * WebAssembly are, those by noble are not.
 */
export interface HybridKemPrivateKey {
  readonly kem: HybridKemName;
  /** The encoded public key of the pair; a copy at each reading. */
  readonly publicKey: Uint8Array;
  /**
   * Recovers the shared secret of a ciphertext. A wrong ciphertext gives another secret, which is no error: authenticate what you
   * encrypt with it.
   * @param ciphertext - 1120 or 1153 bytes
   * @returns 32 bytes, a new buffer
   * @throws FengniError `ERR_CIPHERTEXT_INVALID` for another length, a point of small order (X25519) or off the curve (SM2)
   */
  decapsulate(ciphertext: Uint8Array): Uint8Array;
  /** Gives the key out: a new buffer of 32 bytes, secret. */
  exportSeed(): Uint8Array;
}

/** One way to do one hybrid, over an implementation of each of its parts. */
export interface HybridKemImplementation {
  readonly kem: HybridKemName;
  /** The implementations of the parts, such as `node+noble`. */
  readonly name: string;
  generateKey(): HybridKemPrivateKey;
  importSeed(seed: Uint8Array): HybridKemPrivateKey;
  importPublicKey(publicKey: Uint8Array): HybridKemPublicKey;
}

function xWing(mlKem: MlKemImplementation, x25519: X25519Engine): HybridKemImplementation {
  return new CheckedHybridKem(createXWing(mlKem, x25519));
}

function mlKemSm2(mlKem: MlKemImplementation, { name, engine: { arithmetic } }: CheckedSm2): HybridKemImplementation {
  return new CheckedHybridKem(createMlKemSm2(mlKem, { name, arithmetic }));
}

function chosen(kem: HybridKemName): HybridKemImplementation {
  // noble needs nothing of the runtime, so that there is one of each part.
  const mlKem = mlKemSelector.chosen() as MlKemImplementation;
  if (hybridKemName(kem) === "X-Wing") return xWing(mlKem, x25519Selector.chosen() as X25519Engine);
  return mlKemSm2(mlKem, sm2Selector.chosen() as CheckedSm2);
}

/**
 * Makes a new private key.
 * @param kem - the hybrid
 * @returns the key
 * @throws RangeError `ERR_ARGUMENT` for an unknown hybrid
 *
 * @example
 * const key = generateHybridKemKey("X-Wing");
 * const { ciphertext, sharedSecret } = importHybridKemPublicKey("X-Wing", key.publicKey).encapsulate();
 * key.decapsulate(ciphertext); // the same 32 bytes as sharedSecret
 */
export function generateHybridKemKey(kem: HybridKemName): HybridKemPrivateKey {
  return chosen(kem).generateKey();
}

/**
 * Makes the private key of a seed: the only form in which hybrid keys are stored.
 * @param kem - the hybrid, which the seed does not tell
 * @param seed - 32 random bytes; copied
 * @returns the key; draft-connolly-cfrg-xwing-kem-10 section 5.2
 * @throws FengniError `ERR_KEY_INVALID` for another length
 */
export function importHybridKemSeed(kem: HybridKemName, seed: Uint8Array): HybridKemPrivateKey {
  return chosen(kem).importSeed(seed);
}

/**
 * Reads a public key.
 * @param kem - the hybrid
 * @param publicKey - 1216 or 1249 bytes; not kept
 * @returns the key; draft-connolly-cfrg-xwing-kem-10 section 5.4
 * @throws FengniError `ERR_KEY_INVALID` for another length, an ML-KEM number that is not below the modulus, a point of small order
 *   (X25519) or off the curve (SM2)
 */
export function importHybridKemPublicKey(kem: HybridKemName, publicKey: Uint8Array): HybridKemPublicKey {
  return chosen(kem).importPublicKey(publicKey);
}

/**
 * Lists every implementation of a hybrid that this runtime has, for tests and benchmarks: each of ML-KEM with each of the other part.
 * @param kem - the hybrid
 * @returns the implementations, best first: at least `noble+noble`
 */
export function hybridKemImplementations(kem: HybridKemName): readonly HybridKemImplementation[] {
  const isXWing = hybridKemName(kem) === "X-Wing";
  return mlKemSelector.available().flatMap((mlKem) => {
    if (isXWing) return x25519Selector.available().map((x25519) => xWing(mlKem, x25519));
    return sm2Selector.available().map((sm2) => mlKemSm2(mlKem, sm2));
  });
}
