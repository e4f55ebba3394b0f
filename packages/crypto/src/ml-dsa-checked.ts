// What is the same in every ML-DSA implementation: the table of parameter sets, the checks of keys and arguments around an
// engine, and the operations that node:crypto lacks. It must not know which engines there are.
import { assertBytes, assertOneOf } from "./assert.js";
import { equalBytes } from "./bytes.js";
import { FengniError } from "./errors.js";
import type { MlDsaImplementation, MlDsaParameterSet, MlDsaPrivateKey, MlDsaPublicKey } from "./ml-dsa.js";
import { nobleExpandMlDsa, noblePublicKeyOf, nobleSign, nobleSignMu, nobleVerifyMu } from "./ml-dsa-noble.js";
import {
  checkKeyBytes,
  formatLatticePkcs8,
  nistOid,
  type PqKeyShape,
  type PqSecret,
  parseLatticePkcs8,
  pqKeyInvalid,
} from "./pq-encoding.js";
import {
  muOptions,
  NO_OPTIONS,
  type PqSignOptions,
  type PqVerifyOptions,
  signOptions,
  verifyContext,
} from "./pq-signing.js";
import { randomBytes } from "./random.js";

/** What there is to know of one parameter set. */
export interface MlDsaSet extends PqKeyShape {
  readonly name: MlDsaParameterSet;
  /** OpenSSL's and Node's name. */
  readonly nodeName: string;
  readonly signatureBytes: number;
}

// FIPS 204 table 2; identifiers: RFC 9881.
const SETS: Readonly<Record<MlDsaParameterSet, MlDsaSet>> = /* @__PURE__ */ (() => ({
  "ML-DSA-44": setOf("ML-DSA-44", 17, 1312, 2560, 2420),
  "ML-DSA-65": setOf("ML-DSA-65", 18, 1952, 4032, 3309),
  "ML-DSA-87": setOf("ML-DSA-87", 19, 2592, 4896, 4627),
}))();

function setOf(
  name: MlDsaParameterSet,
  algorithm: number,
  publicKeyBytes: number,
  expandedBytes: number,
  signatureBytes: number,
): MlDsaSet {
  const lengths = { publicKeyBytes, seedBytes: 32, expandedBytes, signatureBytes };
  return { name, nodeName: name.toLowerCase(), oid: nistOid(3, algorithm), ...lengths };
}

/** The row of a parameter set; RangeError `ERR_ARGUMENT` for an unknown one. */
export function mlDsaSet(name: MlDsaParameterSet): MlDsaSet {
  return SETS[assertOneOf(name, "parameterSet", Object.keys(SETS) as MlDsaParameterSet[])];
}

/** Bytes of a message representative. */
export const MU_BYTES = 64;

/** A private key as an implementation holds it. */
export interface MlDsaEnginePrivateKey {
  /** The raw public key; a buffer that is not changed. */
  publicKey(): Uint8Array;
  /** Signs with fresh randomness. */
  sign(message: Uint8Array, context: Uint8Array): Uint8Array;
  /** New buffers. */
  exportSecret(): PqSecret;
}

/** A public key as an implementation holds it. */
interface MlDsaEnginePublicKey {
  /** Receives a signature of the right length. */
  verify(message: Uint8Array, signature: Uint8Array, context: Uint8Array): boolean;
}

/** What an implementation brings. Lengths were checked; it keeps no buffer that it is given. */
export interface MlDsaEngine {
  readonly name: string;
  generateKey(set: MlDsaSet): MlDsaEnginePrivateKey;
  importPrivateKey(set: MlDsaSet, secret: PqSecret): MlDsaEnginePrivateKey;
  importPublicKey(set: MlDsaSet, publicKey: Uint8Array): MlDsaEnginePublicKey;
}

class PrivateKey implements MlDsaPrivateKey {
  readonly parameterSet: MlDsaParameterSet;
  readonly #set: MlDsaSet;
  readonly #key: MlDsaEnginePrivateKey;
  #publicKey: Uint8Array | undefined;

  constructor(set: MlDsaSet, key: MlDsaEnginePrivateKey) {
    this.parameterSet = set.name;
    this.#set = set;
    this.#key = key;
  }

  get publicKey(): Uint8Array {
    this.#publicKey ??= this.#key.publicKey();
    return new Uint8Array(this.#publicKey);
  }

  sign(message: Uint8Array, options: PqSignOptions = NO_OPTIONS): Uint8Array {
    const { context, deterministic } = signOptions(options);
    assertBytes(message, "message");
    if (!deterministic) return this.#key.sign(message, context);
    return this.#withExpanded((expanded) => nobleSign(this.#set, expanded, message, context, undefined));
  }

  signMu(mu: Uint8Array, options: Pick<PqSignOptions, "deterministic"> = NO_OPTIONS): Uint8Array {
    const deterministic = muOptions(options);
    assertBytes(mu, "mu", MU_BYTES);
    const randomness = deterministic ? undefined : randomBytes(32);
    return this.#withExpanded((expanded) => nobleSignMu(this.#set, expanded, mu, randomness));
  }

  exportSeed(): Uint8Array {
    const { seed, expanded } = this.#key.exportSecret();
    if (seed !== undefined) return seed;
    expanded.fill(0);
    throw new FengniError("ERR_NOT_SUPPORTED", "this key was read without its seed, which cannot be computed from it", {
      details: { operation: "ml-dsa-seed" },
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

  /** Signs by noble what node:crypto cannot: the expanded key is in our memory for this call only. */
  #withExpanded(sign: (expanded: Uint8Array) => Uint8Array): Uint8Array {
    const secret = this.#key.exportSecret();
    const expanded = secret.expanded ?? nobleExpandMlDsa(this.#set, secret.seed as Uint8Array);
    try {
      return sign(expanded);
    } finally {
      expanded.fill(0);
      secret.seed?.fill(0);
    }
  }
}

class PublicKey implements MlDsaPublicKey {
  readonly parameterSet: MlDsaParameterSet;
  readonly #set: MlDsaSet;
  readonly #publicKey: Uint8Array;
  readonly #key: MlDsaEnginePublicKey;

  constructor(set: MlDsaSet, publicKey: Uint8Array, key: MlDsaEnginePublicKey) {
    this.parameterSet = set.name;
    this.#set = set;
    this.#publicKey = publicKey;
    this.#key = key;
  }

  get publicKey(): Uint8Array {
    return new Uint8Array(this.#publicKey);
  }

  verify(message: Uint8Array, signature: Uint8Array, options: PqVerifyOptions = NO_OPTIONS): boolean {
    const context = verifyContext(options);
    assertBytes(message, "message");
    if (assertBytes(signature, "signature").length !== this.#set.signatureBytes) return false;
    return this.#key.verify(message, signature, context);
  }

  verifyMu(mu: Uint8Array, signature: Uint8Array): boolean {
    assertBytes(mu, "mu", MU_BYTES);
    if (assertBytes(signature, "signature").length !== this.#set.signatureBytes) return false;
    return nobleVerifyMu(this.#set, this.#publicKey, mu, signature);
  }
}

/** An implementation with its arguments checked. */
export class CheckedMlDsa implements MlDsaImplementation {
  readonly name: string;
  readonly #engine: MlDsaEngine;

  constructor(engine: MlDsaEngine) {
    this.name = engine.name;
    this.#engine = engine;
  }

  generateKey(parameterSet: MlDsaParameterSet): MlDsaPrivateKey {
    const set = mlDsaSet(parameterSet);
    return new PrivateKey(set, this.#engine.generateKey(set));
  }

  importSeed(parameterSet: MlDsaParameterSet, seed: Uint8Array): MlDsaPrivateKey {
    const set = mlDsaSet(parameterSet);
    checkKeyBytes(set, seed, "seed", set.seedBytes);
    return new PrivateKey(set, this.#engine.importPrivateKey(set, { seed }));
  }

  importExpandedKey(parameterSet: MlDsaParameterSet, expanded: Uint8Array): MlDsaPrivateKey {
    const set = mlDsaSet(parameterSet);
    checkKeyBytes(set, expanded, "expanded", set.expandedBytes);
    try {
      noblePublicKeyOf(set, expanded);
      return new PrivateKey(set, this.#engine.importPrivateKey(set, { expanded }));
    } catch {
      throw pqKeyInvalid(set, "expanded private key: its parts do not belong together");
    }
  }

  importPrivateKey(parameterSet: MlDsaParameterSet, pkcs8: Uint8Array): MlDsaPrivateKey {
    const set = mlDsaSet(parameterSet);
    const { seed, expanded } = parseLatticePkcs8(set, assertBytes(pkcs8, "pkcs8"));
    if (seed === undefined) return this.importExpandedKey(parameterSet, expanded as Uint8Array);
    if (expanded !== undefined) {
      // RFC 9881: where both stand, one must have been made from the other.
      const own = nobleExpandMlDsa(set, seed);
      const isSame = equalBytes(own, expanded);
      own.fill(0);
      if (!isSame) throw pqKeyInvalid(set, "private key: its expanded key was not made from its seed");
    }
    return this.importSeed(parameterSet, seed);
  }

  importPublicKey(parameterSet: MlDsaParameterSet, publicKey: Uint8Array): MlDsaPublicKey {
    const set = mlDsaSet(parameterSet);
    checkKeyBytes(set, publicKey, "publicKey", set.publicKeyBytes);
    const own = new Uint8Array(publicKey);
    return new PublicKey(set, own, this.#engine.importPublicKey(set, own));
  }
}
