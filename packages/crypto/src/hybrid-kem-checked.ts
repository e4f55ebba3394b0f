// What is the same in every hybrid KEM: the table of lengths, and the checks of keys and ciphertexts around a construction. It must
// not know which constructions there are.
import { assertBytes, assertOneOf } from "./assert.js";
import { FengniError } from "./errors.js";
import type { HybridKemImplementation, HybridKemName, HybridKemPrivateKey, HybridKemPublicKey } from "./hybrid-kem.js";
import type { MlKemEncapsulation } from "./ml-kem.js";
import { randomBytes } from "./random.js";

/** Bytes of the seed that a private key is. */
const SEED_BYTES = 32;

/** What there is to know of the encodings of one hybrid. */
interface Lengths {
  readonly publicKey: number;
  readonly ciphertext: number;
}

const LENGTHS: Readonly<Record<HybridKemName, Lengths>> = {
  "X-Wing": { publicKey: 1184 + 32, ciphertext: 1088 + 32 },
  "ML-KEM-768+SM2": { publicKey: 1184 + 65, ciphertext: 1088 + 65 },
};
const NAMES = /* @__PURE__ */ Object.keys(LENGTHS) as readonly HybridKemName[];

/** Checks the name of a hybrid; RangeError `ERR_ARGUMENT` for an unknown one. */
export function hybridKemName(kem: HybridKemName): HybridKemName {
  return assertOneOf(kem, "kem", NAMES);
}

/** A private key as a construction holds it. */
export interface HybridPrivateKey {
  /** A buffer that is not changed. */
  readonly publicKey: Uint8Array;
  /** Receives a ciphertext of the right length; throws `ERR_CIPHERTEXT_INVALID` for one whose point is none. */
  decapsulate(ciphertext: Uint8Array): Uint8Array;
}

/** A construction over certain implementations of its parts. It keeps no buffer that it is given. */
export interface HybridConstruction {
  readonly kem: HybridKemName;
  /** The implementations of its parts. */
  readonly name: string;
  /** Takes a seed of 32 bytes. */
  importSeed(seed: Uint8Array): HybridPrivateKey;
  /** Takes a public key of the right length; throws `ERR_KEY_INVALID`. Gives what encapsulates to it. */
  importPublicKey(publicKey: Uint8Array): () => MlKemEncapsulation;
}

/** The error for a ciphertext that is none. */
export function ciphertextInvalid(kem: HybridKemName, what: string): FengniError<"ERR_CIPHERTEXT_INVALID"> {
  return new FengniError("ERR_CIPHERTEXT_INVALID", `not a ciphertext of ${kem}: ${what}`);
}

/** The error for key material that is no key. */
export function hybridKeyInvalid(kem: HybridKemName, what: string): FengniError<"ERR_KEY_INVALID"> {
  return new FengniError("ERR_KEY_INVALID", `not a key of ${kem}: ${what}`);
}

function checkKeyLength(kem: HybridKemName, bytes: Uint8Array, title: string, length: number): void {
  if (assertBytes(bytes, title).length === length) return;
  throw hybridKeyInvalid(kem, `expected a ${title} of ${length} bytes, got ${bytes.length}`);
}

class PrivateKey implements HybridKemPrivateKey {
  readonly kem: HybridKemName;
  readonly #seed: Uint8Array;
  readonly #key: HybridPrivateKey;

  constructor(kem: HybridKemName, seed: Uint8Array, key: HybridPrivateKey) {
    this.kem = kem;
    this.#seed = seed;
    this.#key = key;
  }

  get publicKey(): Uint8Array {
    return new Uint8Array(this.#key.publicKey);
  }

  decapsulate(ciphertext: Uint8Array): Uint8Array {
    const expected = LENGTHS[this.kem].ciphertext;
    if (assertBytes(ciphertext, "ciphertext").length === expected) return this.#key.decapsulate(ciphertext);
    throw ciphertextInvalid(this.kem, `expected ${expected} bytes, got ${ciphertext.length}`);
  }

  exportSeed(): Uint8Array {
    return new Uint8Array(this.#seed);
  }
}

/** A construction with its arguments checked. */
export class CheckedHybridKem implements HybridKemImplementation {
  readonly kem: HybridKemName;
  readonly name: string;
  readonly #construction: HybridConstruction;

  constructor(construction: HybridConstruction) {
    this.kem = construction.kem;
    this.name = construction.name;
    this.#construction = construction;
  }

  generateKey(): HybridKemPrivateKey {
    const seed = randomBytes(SEED_BYTES);
    return new PrivateKey(this.kem, seed, this.#construction.importSeed(seed));
  }

  importSeed(seed: Uint8Array): HybridKemPrivateKey {
    checkKeyLength(this.kem, seed, "seed", SEED_BYTES);
    const own = new Uint8Array(seed);
    return new PrivateKey(this.kem, own, this.#construction.importSeed(own));
  }

  importPublicKey(publicKey: Uint8Array): HybridKemPublicKey {
    checkKeyLength(this.kem, publicKey, "public key", LENGTHS[this.kem].publicKey);
    const own = new Uint8Array(publicKey);
    const encapsulate = this.#construction.importPublicKey(own);
    return {
      kem: this.kem,
      get publicKey(): Uint8Array {
        return new Uint8Array(own);
      },
      encapsulate: () => encapsulate(),
    };
  }
}
