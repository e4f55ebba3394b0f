// What is the same in every ML-KEM implementation: the table of parameter sets, and the checks of keys and ciphertexts around an
// engine. It must not know which engines there are.
//
// What is constant in time here: the checks of a private key read all of it and branch on their outcome only. The rest is the
// engine's, which says what it promises.
import { sha3_256 } from "@noble/hashes/sha3.js";
import { assertBytes, assertOneOf } from "./assert.js";
import { equalBytes } from "./bytes.js";
import { FengniError } from "./errors.js";
import type {
  MlKemEncapsulation,
  MlKemImplementation,
  MlKemParameterSet,
  MlKemPrivateKey,
  MlKemPublicKey,
} from "./ml-kem.js";
import { nobleExpandMlKem } from "./ml-kem-noble.js";
import {
  checkKeyBytes,
  formatLatticePkcs8,
  nistOid,
  type PqKeyShape,
  type PqSecret,
  parseLatticePkcs8,
  pqKeyInvalid,
} from "./pq-encoding.js";

/** What there is to know of one parameter set. */
export interface MlKemSet extends PqKeyShape {
  readonly name: MlKemParameterSet;
  /** OpenSSL's and Node's name. */
  readonly nodeName: string;
  readonly ciphertextBytes: number;
  /** The number of polynomials of a vector. */
  readonly k: number;
}

// FIPS 203 tables 2 and 3; identifiers: RFC 9935.
const SETS: Readonly<Record<MlKemParameterSet, MlKemSet>> = /* @__PURE__ */ (() => ({
  "ML-KEM-512": setOf("ML-KEM-512", 2, 768, 1),
  "ML-KEM-768": setOf("ML-KEM-768", 3, 1088, 2),
  "ML-KEM-1024": setOf("ML-KEM-1024", 4, 1568, 3),
}))();

function setOf(name: MlKemParameterSet, k: number, ciphertextBytes: number, algorithm: number): MlKemSet {
  const oid = nistOid(4, algorithm);
  const lengths = { publicKeyBytes: 384 * k + 32, seedBytes: 64, expandedBytes: 768 * k + 96, ciphertextBytes };
  return { name, nodeName: name.toLowerCase(), oid, k, ...lengths };
}

/** The row of a parameter set; RangeError `ERR_ARGUMENT` for an unknown one. */
export function mlKemSet(name: MlKemParameterSet): MlKemSet {
  return SETS[assertOneOf(name, "parameterSet", Object.keys(SETS) as MlKemParameterSet[])];
}

/** A private key as an implementation holds it. */
export interface MlKemEnginePrivateKey {
  /** The raw public key; a buffer that is not changed. */
  publicKey(): Uint8Array;
  /** Receives a ciphertext of the right length; gives 32 bytes, also for a wrong ciphertext. */
  decapsulate(ciphertext: Uint8Array): Uint8Array;
  /** New buffers. */
  exportSecret(): PqSecret;
}

/** What an implementation brings. Lengths were checked, and public keys; it keeps no buffer that it is given. */
export interface MlKemEngine {
  readonly name: string;
  generateKey(set: MlKemSet): MlKemEnginePrivateKey;
  importPrivateKey(set: MlKemSet, secret: PqSecret): MlKemEnginePrivateKey;
  importPublicKey(set: MlKemSet, publicKey: Uint8Array): Pick<MlKemPublicKey, "encapsulate">;
}

/** FIPS 203 section 7.2: whether every 12-bit number of `encoded`, up to `length` bytes, is below q = 3329. */
function isReduced(encoded: Uint8Array, length: number): boolean {
  let over = 0;
  for (let i = 0; i < length; i += 3) {
    const middle = encoded[i + 1] as number;
    over |= 3328 - ((encoded[i] as number) | ((middle & 15) << 8));
    over |= 3328 - ((middle >> 4) | ((encoded[i + 2] as number) << 4));
  }
  return over >= 0;
}

/** Checks a raw public key: its length, and the modulus check. FIPS 203 section 7.2. */
export function checkMlKemPublicKey(set: MlKemSet, publicKey: Uint8Array): void {
  checkKeyBytes(set, publicKey, "publicKey", set.publicKeyBytes);
  if (!isReduced(publicKey, 384 * set.k)) {
    throw pqKeyInvalid(set, "public key: a coefficient is not below the modulus 3329");
  }
}

class PrivateKey implements MlKemPrivateKey {
  readonly parameterSet: MlKemParameterSet;
  readonly #set: MlKemSet;
  readonly #key: MlKemEnginePrivateKey;
  #publicKey: Uint8Array | undefined;

  constructor(set: MlKemSet, key: MlKemEnginePrivateKey) {
    this.parameterSet = set.name;
    this.#set = set;
    this.#key = key;
  }

  get publicKey(): Uint8Array {
    this.#publicKey ??= this.#key.publicKey();
    return new Uint8Array(this.#publicKey);
  }

  decapsulate(ciphertext: Uint8Array): Uint8Array {
    const { name, ciphertextBytes } = this.#set;
    if (assertBytes(ciphertext, "ciphertext").length === ciphertextBytes) return this.#key.decapsulate(ciphertext);
    // FIPS 203 7.3, the ciphertext type check.
    throw new FengniError(
      "ERR_CIPHERTEXT_INVALID",
      `not an ${name} ciphertext: expected ${ciphertextBytes} bytes, got ${ciphertext.length}`,
    );
  }

  exportSeed(): Uint8Array {
    const { seed, expanded } = this.#key.exportSecret();
    if (seed !== undefined) return seed;
    expanded.fill(0);
    throw new FengniError("ERR_NOT_SUPPORTED", "this key was read without its seed, which cannot be computed from it", {
      details: { operation: "ml-kem-seed" },
    });
  }

  exportPkcs8(): Uint8Array {
    const secret = this.#key.exportSecret();
    try {
      return formatLatticePkcs8(this.#set, secret);
    } finally {
      (secret.seed ?? secret.expanded).fill(0);
    }
  }
}

/** An implementation with its arguments checked. */
export class CheckedMlKem implements MlKemImplementation {
  readonly name: string;
  readonly #engine: MlKemEngine;

  constructor(engine: MlKemEngine) {
    this.name = engine.name;
    this.#engine = engine;
  }

  generateKey(parameterSet: MlKemParameterSet): MlKemPrivateKey {
    const set = mlKemSet(parameterSet);
    return new PrivateKey(set, this.#engine.generateKey(set));
  }

  importSeed(parameterSet: MlKemParameterSet, seed: Uint8Array): MlKemPrivateKey {
    const set = mlKemSet(parameterSet);
    checkKeyBytes(set, seed, "seed", set.seedBytes);
    return new PrivateKey(set, this.#import(set, { seed }));
  }

  importExpandedKey(parameterSet: MlKemParameterSet, expanded: Uint8Array): MlKemPrivateKey {
    const set = mlKemSet(parameterSet);
    checkKeyBytes(set, expanded, "expanded", set.expandedBytes);
    // FIPS 203 7.3: the hash check; and the numbers of both halves must be reduced, which a right key generation ensures.
    const publicKey = expanded.subarray(384 * set.k, 768 * set.k + 32);
    const hash = expanded.subarray(768 * set.k + 32, 768 * set.k + 64);
    const isSound = isReduced(expanded, 384 * set.k) && isReduced(publicKey, 384 * set.k);
    if (!isSound || !equalBytes(sha3_256(publicKey), hash)) throw wrongExpanded(set);
    const key = this.#import(set, { expanded });
    // Whether the two halves belong together shows only in use.
    const { ciphertext, sharedSecret } = this.#engine.importPublicKey(set, publicKey).encapsulate();
    const opened = key.decapsulate(ciphertext);
    const isPair = equalBytes(opened, sharedSecret);
    opened.fill(0);
    sharedSecret.fill(0);
    if (!isPair) throw wrongExpanded(set);
    return new PrivateKey(set, key);
  }

  importPrivateKey(parameterSet: MlKemParameterSet, pkcs8: Uint8Array): MlKemPrivateKey {
    const set = mlKemSet(parameterSet);
    const { seed, expanded } = parseLatticePkcs8(set, assertBytes(pkcs8, "pkcs8"));
    if (seed === undefined) return this.importExpandedKey(parameterSet, expanded as Uint8Array);
    if (expanded !== undefined) {
      // RFC 9935 section 8: where both stand, one must have been made from the other.
      const own = nobleExpandMlKem(set, seed);
      const isSame = equalBytes(own, expanded);
      own.fill(0);
      if (!isSame) throw pqKeyInvalid(set, "private key: its expanded key was not made from its seed");
    }
    return this.importSeed(parameterSet, seed);
  }

  importPublicKey(parameterSet: MlKemParameterSet, publicKey: Uint8Array): MlKemPublicKey {
    const set = mlKemSet(parameterSet);
    checkMlKemPublicKey(set, publicKey);
    const own = new Uint8Array(publicKey);
    const key = this.#engine.importPublicKey(set, own);
    return {
      parameterSet: set.name,
      get publicKey(): Uint8Array {
        return new Uint8Array(own);
      },
      encapsulate: (): MlKemEncapsulation => key.encapsulate(),
    };
  }

  #import(set: MlKemSet, secret: PqSecret): MlKemEnginePrivateKey {
    try {
      return this.#engine.importPrivateKey(set, secret);
    } catch {
      throw wrongExpanded(set);
    }
  }
}

function wrongExpanded(set: MlKemSet): FengniError<"ERR_KEY_INVALID"> {
  return pqKeyInvalid(set, "expanded private key: its parts do not belong together");
}
