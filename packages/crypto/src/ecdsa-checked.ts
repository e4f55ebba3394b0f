// What is the same in every ECDSA implementation: argument checks, one-time use, and the reading and writing of keys and
// signatures around an engine. It must not know which engines there are.
import { assertBytes } from "./assert.js";
import { equalBytes } from "./bytes.js";
import type { EcdsaCurve, EcdsaImplementation, EcdsaPrivateKey, EcdsaSigner, EcdsaVerifier } from "./ecdsa.js";
import {
  type Curve,
  checkCompressed,
  compressPoint,
  curveOf,
  formatPkcs8,
  keyInvalid,
  parsePkcs8,
  parseSignature,
  signatureOf,
} from "./ecdsa-encoding.js";
import { nobleSignDigest } from "./ecdsa-noble.js";
import { FengniError } from "./errors.js";
import { hashLength } from "./hash.js";

/** What an implementation brings. Arguments were checked; it throws anything for a scalar or point that is none. */
export interface EcdsaEngine {
  readonly name: string;
  /** A fresh scalar, 1..n-1. */
  generateScalar(curve: Curve): Uint8Array;
  /** The public point 04 || x || y of a scalar; throws unless it is 1..n-1. */
  publicPoint(curve: Curve, scalar: Uint8Array): Uint8Array;
  /** The point 04 || x || y of any encoding of a point; throws unless it is on the curve. */
  expandPoint(curve: Curve, encoded: Uint8Array): Uint8Array;
  /** Takes a key in our own PKCS#8, which it may not keep. */
  importKey(curve: Curve, pkcs8: Uint8Array): EngineKey;
  /** Begins a verification under a point 04 || x || y that is on the curve. */
  createVerification(curve: Curve, uncompressed: Uint8Array): EngineVerification;
}

/** A private key as an implementation holds it. */
export interface EngineKey {
  /** Begins a signature; `finish` gives strict DER. */
  createSignature(): { update(data: Uint8Array): void; finish(): Uint8Array };
  exportPkcs8(): Uint8Array;
}

/** A running verification. */
export interface EngineVerification {
  update(data: Uint8Array): void;
  /** Receives the signature as checked DER and as raw bytes. */
  finish(der: Uint8Array, raw: Uint8Array): boolean;
}

function closed(): FengniError<"ERR_CLOSED"> {
  return new FengniError("ERR_CLOSED", "this message was already finished: begin a new one");
}

class Signer implements EcdsaSigner {
  #signature: ReturnType<EngineKey["createSignature"]> | undefined;

  constructor(key: EngineKey) {
    this.#signature = key.createSignature();
  }

  update(data: Uint8Array): void {
    if (this.#signature === undefined) throw closed();
    this.#signature.update(assertBytes(data, "data"));
  }

  sign(): Uint8Array {
    const signature = this.#signature;
    if (signature === undefined) throw closed();
    this.#signature = undefined;
    return signature.finish();
  }
}

class Verifier implements EcdsaVerifier {
  readonly #curve: Curve;
  #verification: EngineVerification | undefined;

  constructor(curve: Curve, verification: EngineVerification) {
    this.#curve = curve;
    this.#verification = verification;
  }

  update(data: Uint8Array): void {
    if (this.#verification === undefined) throw closed();
    this.#verification.update(assertBytes(data, "data"));
  }

  verify(derSignature: Uint8Array): boolean {
    const verification = this.#verification;
    if (verification === undefined) throw closed();
    assertBytes(derSignature, "derSignature");
    this.#verification = undefined;
    const raw = parseSignature(this.#curve, derSignature);
    return raw !== undefined && verification.finish(derSignature, raw);
  }
}

class PrivateKey implements EcdsaPrivateKey {
  readonly curve: EcdsaCurve;
  readonly #curve: Curve;
  readonly #publicKey: Uint8Array;
  readonly #key: EngineKey;

  constructor(curve: Curve, point: Uint8Array, key: EngineKey) {
    this.curve = curve.name;
    this.#curve = curve;
    this.#publicKey = compressPoint(curve, point);
    this.#key = key;
  }

  get publicKey(): Uint8Array {
    return this.#publicKey.slice();
  }

  createSigner(): EcdsaSigner {
    return new Signer(this.#key);
  }

  signDigest(digest: Uint8Array): Uint8Array {
    assertBytes(digest, "digest", hashLength(this.#curve.hash));
    // node:crypto hashes always, so that this is noble's; the scalar is in our memory for this call only.
    const pkcs8 = this.#key.exportPkcs8();
    try {
      return signatureOf(this.#curve, nobleSignDigest(this.#curve, parsePkcs8(this.#curve, pkcs8).scalar, digest));
    } finally {
      pkcs8.fill(0);
    }
  }

  exportPkcs8(): Uint8Array {
    return this.#key.exportPkcs8();
  }
}

/** The point 04 || x || y of a compressed one; `ERR_KEY_INVALID` unless it is compressed and on the curve. */
export function expandPublicKey(engine: EcdsaEngine, curve: Curve, publicKey: Uint8Array): Uint8Array {
  checkCompressed(curve, publicKey);
  try {
    return engine.expandPoint(curve, publicKey);
  } catch {
    throw keyInvalid(curve, "public key: the point is not on the curve");
  }
}

/** An implementation with its arguments checked. */
export class CheckedEcdsa implements EcdsaImplementation {
  readonly name: string;
  readonly engine: EcdsaEngine;

  constructor(engine: EcdsaEngine) {
    this.name = engine.name;
    this.engine = engine;
  }

  generateKey(curve: EcdsaCurve): EcdsaPrivateKey {
    const row = curveOf(curve);
    return this.#keyOf(row, this.engine.generateScalar(row), undefined);
  }

  importPrivateKey(curve: EcdsaCurve, pkcs8: Uint8Array): EcdsaPrivateKey {
    const row = curveOf(curve);
    const { scalar, point } = parsePkcs8(row, assertBytes(pkcs8, "pkcs8"));
    return this.#keyOf(row, new Uint8Array(scalar), point);
  }

  createVerifier(curve: EcdsaCurve, publicKey: Uint8Array): EcdsaVerifier {
    const row = curveOf(curve);
    return new Verifier(row, this.engine.createVerification(row, expandPublicKey(this.engine, row, publicKey)));
  }

  /** Makes a key of a scalar, which it wipes. A public point that was stored beside it must be the scalar's own. */
  #keyOf(curve: Curve, scalar: Uint8Array, stored: Uint8Array | undefined): EcdsaPrivateKey {
    let pkcs8: Uint8Array | undefined;
    try {
      const point = this.engine.publicPoint(curve, scalar);
      if (stored !== undefined && !equalBytes(this.engine.expandPoint(curve, stored), point)) throw new Error();
      pkcs8 = formatPkcs8(curve, scalar, point);
      return new PrivateKey(curve, point, this.engine.importKey(curve, pkcs8));
    } catch {
      throw keyInvalid(curve, "private key: its number is out of range or its public point is another key's");
    } finally {
      scalar.fill(0);
      pkcs8?.fill(0);
    }
  }
}
