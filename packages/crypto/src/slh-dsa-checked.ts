// What is the same in every SLH-DSA implementation: the table of parameter sets, and the checks of keys and arguments around an
// engine. It must not know which engines there are.
import { assertBytes, assertOneOf } from "./assert.js";
import { checkKeyBytes, formatPqPkcs8, nistOid, type PqKeyShape, parsePqPkcs8, pqKeyInvalid } from "./pq-encoding.js";
import { NO_OPTIONS, type PqSignOptions, type PqVerifyOptions, signOptions, verifyContext } from "./pq-signing.js";
import type { SlhDsaImplementation, SlhDsaParameterSet, SlhDsaPrivateKey, SlhDsaPublicKey } from "./slh-dsa.js";
import { nobleSlhDsaSign } from "./slh-dsa-noble.js";

/** What there is to know of one parameter set. */
export interface SlhDsaSet extends PqKeyShape {
  readonly name: SlhDsaParameterSet;
  /** OpenSSL's and Node's name. */
  readonly nodeName: string;
  readonly signatureBytes: number;
}

// In the order of their identifiers, from 2.16.840.1.101.3.4.3.20 on (RFC 9909): n of FIPS 205 table 2, then the signature.
const SIZES: Readonly<Record<SlhDsaParameterSet, readonly [n: number, signatureBytes: number]>> = {
  "SLH-DSA-SHA2-128s": [16, 7856],
  "SLH-DSA-SHA2-128f": [16, 17_088],
  "SLH-DSA-SHA2-192s": [24, 16_224],
  "SLH-DSA-SHA2-192f": [24, 35_664],
  "SLH-DSA-SHA2-256s": [32, 29_792],
  "SLH-DSA-SHA2-256f": [32, 49_856],
  "SLH-DSA-SHAKE-128s": [16, 7856],
  "SLH-DSA-SHAKE-128f": [16, 17_088],
  "SLH-DSA-SHAKE-192s": [24, 16_224],
  "SLH-DSA-SHAKE-192f": [24, 35_664],
  "SLH-DSA-SHAKE-256s": [32, 29_792],
  "SLH-DSA-SHAKE-256f": [32, 49_856],
};
const NAMES = /* @__PURE__ */ Object.keys(SIZES) as readonly SlhDsaParameterSet[];

/** The row of a parameter set; RangeError `ERR_ARGUMENT` for an unknown one. */
export function slhDsaSet(parameterSet: SlhDsaParameterSet): SlhDsaSet {
  const name = assertOneOf(parameterSet, "parameterSet", NAMES);
  const [n, signatureBytes] = SIZES[name];
  const lengths = { publicKeyBytes: 2 * n, seedBytes: 3 * n, expandedBytes: 4 * n, signatureBytes };
  return { name, nodeName: name.toLowerCase(), oid: nistOid(3, 20 + NAMES.indexOf(name)), ...lengths };
}

/** A private key as an implementation holds it. */
export interface SlhDsaEnginePrivateKey {
  /** Signs with fresh randomness. */
  sign(message: Uint8Array, context: Uint8Array): Uint8Array;
  /** SK.seed || SK.prf || PK.seed || PK.root, a new buffer. */
  exportRaw(): Uint8Array;
}

/** A public key as an implementation holds it. */
interface SlhDsaEnginePublicKey {
  /** Receives a signature of the right length. */
  verify(message: Uint8Array, signature: Uint8Array, context: Uint8Array): boolean;
}

/** What an implementation brings. Lengths were checked; it keeps no buffer that it is given. */
export interface SlhDsaEngine {
  readonly name: string;
  generateKey(set: SlhDsaSet): SlhDsaEnginePrivateKey;
  importPrivateKey(set: SlhDsaSet, raw: Uint8Array): SlhDsaEnginePrivateKey;
  importPublicKey(set: SlhDsaSet, publicKey: Uint8Array): SlhDsaEnginePublicKey;
}

class PrivateKey implements SlhDsaPrivateKey {
  readonly parameterSet: SlhDsaParameterSet;
  readonly #set: SlhDsaSet;
  readonly #key: SlhDsaEnginePrivateKey;

  constructor(set: SlhDsaSet, key: SlhDsaEnginePrivateKey) {
    this.parameterSet = set.name;
    this.#set = set;
    this.#key = key;
  }

  get publicKey(): Uint8Array {
    const raw = this.#key.exportRaw();
    const publicKey = raw.slice(-this.#set.publicKeyBytes);
    raw.fill(0);
    return publicKey;
  }

  sign(message: Uint8Array, options: PqSignOptions = NO_OPTIONS): Uint8Array {
    const { context, deterministic } = signOptions(options);
    assertBytes(message, "message");
    if (!deterministic) return this.#key.sign(message, context);
    // node:crypto always takes randomness, so that this is noble's; the key is in our memory for this call only.
    const raw = this.#key.exportRaw();
    try {
      return nobleSlhDsaSign(this.#set, raw, message, context, undefined);
    } finally {
      raw.fill(0);
    }
  }

  exportRaw(): Uint8Array {
    return this.#key.exportRaw();
  }

  exportPkcs8(): Uint8Array {
    return formatPqPkcs8(this.#set, this.#key.exportRaw());
  }
}

/** An implementation with its arguments checked. */
export class CheckedSlhDsa implements SlhDsaImplementation {
  readonly name: string;
  readonly #engine: SlhDsaEngine;

  constructor(engine: SlhDsaEngine) {
    this.name = engine.name;
    this.#engine = engine;
  }

  generateKey(parameterSet: SlhDsaParameterSet): SlhDsaPrivateKey {
    const set = slhDsaSet(parameterSet);
    return new PrivateKey(set, this.#engine.generateKey(set));
  }

  importRawKey(parameterSet: SlhDsaParameterSet, raw: Uint8Array): SlhDsaPrivateKey {
    const set = slhDsaSet(parameterSet);
    checkKeyBytes(set, raw, "raw", set.expandedBytes);
    return new PrivateKey(set, this.#engine.importPrivateKey(set, raw));
  }

  importPrivateKey(parameterSet: SlhDsaParameterSet, pkcs8: Uint8Array): SlhDsaPrivateKey {
    const set = slhDsaSet(parameterSet);
    assertBytes(pkcs8, "pkcs8");
    let raw: Uint8Array;
    try {
      raw = parsePqPkcs8(set, pkcs8);
    } catch {
      throw pqKeyInvalid(set, "private key in DER PKCS#8");
    }
    return this.importRawKey(parameterSet, raw);
  }

  importPublicKey(parameterSet: SlhDsaParameterSet, publicKey: Uint8Array): SlhDsaPublicKey {
    const set = slhDsaSet(parameterSet);
    checkKeyBytes(set, publicKey, "publicKey", set.publicKeyBytes);
    const own = new Uint8Array(publicKey);
    const key = this.#engine.importPublicKey(set, own);
    return {
      parameterSet: set.name,
      get publicKey(): Uint8Array {
        return new Uint8Array(own);
      },
      verify(message: Uint8Array, signature: Uint8Array, options: PqVerifyOptions = NO_OPTIONS): boolean {
        const context = verifyContext(options);
        assertBytes(message, "message");
        if (assertBytes(signature, "signature").length !== set.signatureBytes) return false;
        return key.verify(message, signature, context);
      },
    };
  }
}
