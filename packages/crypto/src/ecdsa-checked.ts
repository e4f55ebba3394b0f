// What is the same in every ECDSA implementation: argument checks, one-time use, and the reading and writing of keys and
// signatures around an engine. It must not know which engines there are.
import { assertBytes } from "./assert.js";
import { equalBytes } from "./bytes.js";
import type {
  EcdsaCurve,
  EcdsaImplementation,
  EcdsaPrivateKey,
  EcdsaPublicKey,
  EcdsaSignatureEncoding,
  EcdsaSigner,
  EcdsaVerifier,
} from "./ecdsa.js";
import {
  type Curve,
  checkCompressed,
  checkEncoding,
  compressPoint,
  curveOf,
  formatPkcs8,
  keyInvalid,
  ownDerToRaw,
  ownRawToDer,
  parsePkcs8,
  parseSignature,
  type Signature,
} from "./ecdsa-encoding.js";
import { nobleSignDigest, nobleVerifyDigest } from "./ecdsa-noble.js";
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
  importPrivateKey(curve: Curve, pkcs8: Uint8Array): EnginePrivateKey;
  /** Takes a point 04 || x || y that is on the curve. */
  importPublicKey(curve: Curve, uncompressed: Uint8Array): EnginePublicKey;
}

/** A private key as an implementation holds it. Signatures are strict DER. */
export interface EnginePrivateKey {
  sign(message: Uint8Array): Uint8Array;
  createSignature(): { update(data: Uint8Array): void; finish(): Uint8Array };
  exportPkcs8(): Uint8Array;
}

/** A public key as an implementation holds it. Signatures were checked. */
export interface EnginePublicKey {
  verify(message: Uint8Array, signature: Signature): boolean;
  createVerification(): { update(data: Uint8Array): void; finish(signature: Signature): boolean };
}

function closed(): FengniError<"ERR_CLOSED"> {
  return new FengniError("ERR_CLOSED", "this message was already finished: begin a new one");
}

class Signer implements EcdsaSigner {
  readonly #curve: Curve;
  #signature: ReturnType<EnginePrivateKey["createSignature"]> | undefined;

  constructor(curve: Curve, key: EnginePrivateKey) {
    this.#curve = curve;
    this.#signature = key.createSignature();
  }

  update(data: Uint8Array): void {
    if (this.#signature === undefined) throw closed();
    this.#signature.update(assertBytes(data, "data"));
  }

  sign(encoding: EcdsaSignatureEncoding = "der"): Uint8Array {
    checkEncoding(encoding);
    const signature = this.#signature;
    if (signature === undefined) throw closed();
    this.#signature = undefined;
    const der = signature.finish();
    return encoding === "der" ? der : ownDerToRaw(this.#curve, der);
  }
}

class Verifier implements EcdsaVerifier {
  readonly #curve: Curve;
  #verification: ReturnType<EnginePublicKey["createVerification"]> | undefined;

  constructor(curve: Curve, key: EnginePublicKey) {
    this.#curve = curve;
    this.#verification = key.createVerification();
  }

  update(data: Uint8Array): void {
    if (this.#verification === undefined) throw closed();
    this.#verification.update(assertBytes(data, "data"));
  }

  verify(signature: Uint8Array, encoding: EcdsaSignatureEncoding = "der"): boolean {
    checkEncoding(encoding);
    const verification = this.#verification;
    if (verification === undefined) throw closed();
    assertBytes(signature, "signature");
    this.#verification = undefined;
    const parsed = parseSignature(this.#curve, encoding, signature);
    return parsed !== undefined && verification.finish(parsed);
  }
}

class PublicKey implements EcdsaPublicKey {
  readonly curve: EcdsaCurve;
  readonly #curve: Curve;
  readonly #point: Uint8Array;
  readonly #key: EnginePublicKey;

  constructor(curve: Curve, point: Uint8Array, key: EnginePublicKey) {
    this.curve = curve.name;
    this.#curve = curve;
    this.#point = point;
    this.#key = key;
  }

  get publicKey(): Uint8Array {
    return compressPoint(this.#curve, this.#point);
  }

  createVerifier(): EcdsaVerifier {
    return new Verifier(this.#curve, this.#key);
  }

  verify(message: Uint8Array, signature: Uint8Array, encoding: EcdsaSignatureEncoding = "der"): boolean {
    checkEncoding(encoding);
    assertBytes(message, "message");
    const parsed = parseSignature(this.#curve, encoding, assertBytes(signature, "signature"));
    return parsed !== undefined && this.#key.verify(message, parsed);
  }

  verifyDigest(digest: Uint8Array, signature: Uint8Array, encoding: EcdsaSignatureEncoding = "der"): boolean {
    checkEncoding(encoding);
    assertBytes(digest, "digest", hashLength(this.#curve.hash));
    const parsed = parseSignature(this.#curve, encoding, assertBytes(signature, "signature"));
    return parsed !== undefined && nobleVerifyDigest(this.#curve, this.#point, digest, parsed.raw);
  }
}

class PrivateKey implements EcdsaPrivateKey {
  readonly curve: EcdsaCurve;
  readonly #curve: Curve;
  readonly #publicKey: Uint8Array;
  readonly #key: EnginePrivateKey;

  constructor(curve: Curve, point: Uint8Array, key: EnginePrivateKey) {
    this.curve = curve.name;
    this.#curve = curve;
    this.#publicKey = compressPoint(curve, point);
    this.#key = key;
  }

  get publicKey(): Uint8Array {
    return this.#publicKey.slice();
  }

  createSigner(): EcdsaSigner {
    return new Signer(this.#curve, this.#key);
  }

  sign(message: Uint8Array, encoding: EcdsaSignatureEncoding = "der"): Uint8Array {
    checkEncoding(encoding);
    const der = this.#key.sign(assertBytes(message, "message"));
    return encoding === "der" ? der : ownDerToRaw(this.#curve, der);
  }

  signDigest(digest: Uint8Array, encoding: EcdsaSignatureEncoding = "der"): Uint8Array {
    checkEncoding(encoding);
    assertBytes(digest, "digest", hashLength(this.#curve.hash));
    // node:crypto hashes always, so that this is noble's; the scalar is in our memory for this call only.
    const pkcs8 = this.#key.exportPkcs8();
    try {
      const raw = nobleSignDigest(this.#curve, parsePkcs8(this.#curve, pkcs8).scalar, digest);
      return encoding === "raw" ? raw : ownRawToDer(this.#curve, raw);
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

  importPublicKey(curve: EcdsaCurve, publicKey: Uint8Array): EcdsaPublicKey {
    const row = curveOf(curve);
    const point = expandPublicKey(this.engine, row, publicKey);
    return new PublicKey(row, point, this.engine.importPublicKey(row, point));
  }

  createVerifier(curve: EcdsaCurve, publicKey: Uint8Array): EcdsaVerifier {
    return this.importPublicKey(curve, publicKey).createVerifier();
  }

  /** Makes a key of a scalar, which it wipes. A public point that was stored beside it must be the scalar's own. */
  #keyOf(curve: Curve, scalar: Uint8Array, stored: Uint8Array | undefined): EcdsaPrivateKey {
    let pkcs8: Uint8Array | undefined;
    try {
      const point = this.engine.publicPoint(curve, scalar);
      if (stored !== undefined && !equalBytes(this.engine.expandPoint(curve, stored), point)) throw new Error();
      pkcs8 = formatPkcs8(curve, scalar, point);
      return new PrivateKey(curve, point, this.engine.importPrivateKey(curve, pkcs8));
    } catch {
      throw keyInvalid(curve, "private key: its number is out of range or its public point is another key's");
    } finally {
      scalar.fill(0);
      pkcs8?.fill(0);
    }
  }
}
