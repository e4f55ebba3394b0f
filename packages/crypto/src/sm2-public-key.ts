// SM2's public keys around an engine: argument checks, and what is done with a public key. It must not know which engines there
// are.
import { assertBytes } from "./assert.js";
import type { Sm2DigestOptions, Sm2EncryptOptions, Sm2PublicKey, Sm2SignatureFormat, Sm2SignOptions } from "./sm2.js";
import { checkPlaintextLength, formatCiphertext } from "./sm2-ciphertext.js";
import { SM2_SIZE } from "./sm2-curve.js";
import { encrypt } from "./sm2-encryption.js";
import type { Sm2Engine, Sm2NativeSignatures } from "./sm2-engine.js";
import { formatSm2Spki, sm2Pem, uncompressedPoint } from "./sm2-keys.js";
import { formatOf, SM2_DEFAULT_USER_ID, userIdBytes } from "./sm2-options.js";
import { identityDigest, messageDigest, parseSignature, rawToDer } from "./sm2-signature.js";

/** The formats of signatures, the default one first. */
export const SIGNATURE_FORMATS: readonly [Sm2SignatureFormat, ...Sm2SignatureFormat[]] = ["der", "raw"];
const ENCRYPT_FORMATS: readonly ["c1c3c2", "asn1"] = ["c1c3c2", "asn1"];

/** Gives Z for each user id, and keeps that of the default one. */
export class Identity {
  readonly #point: Uint8Array;
  #default: Uint8Array | undefined;

  constructor(point: Uint8Array) {
    this.#point = point;
  }

  /** A buffer that the caller may not change. */
  digest(userId: Uint8Array | string | undefined): Uint8Array {
    if (userId !== undefined) return identityDigest(this.#point, userIdBytes(userId));
    this.#default ??= identityDigest(this.#point, userIdBytes(SM2_DEFAULT_USER_ID));
    return this.#default;
  }
}

/** A public key around an engine. */
export class PublicKey implements Sm2PublicKey {
  readonly #engine: Sm2Engine;
  readonly #point: Uint8Array;
  readonly #identity: Identity;
  #verify: ReturnType<Sm2NativeSignatures["importPublicKey"]> | undefined;

  /** Takes a point x || y that is on the curve, and owns it. */
  constructor(engine: Sm2Engine, point: Uint8Array, identity: Identity) {
    this.#engine = engine;
    this.#point = point;
    this.#identity = identity;
  }

  get point(): Uint8Array {
    return uncompressedPoint(this.#point);
  }

  verify(message: Uint8Array, signature: Uint8Array, options: Sm2SignOptions = {}): boolean {
    const format = formatOf(options, SIGNATURE_FORMATS, "userId");
    assertBytes(message, "message");
    const raw = parseSignature(assertBytes(signature, "signature"), format);
    const identity = this.#identity.digest(options.userId);
    if (raw === undefined) return false;
    const { arithmetic, native } = this.#engine;
    if (native === undefined) return arithmetic.verify(this.#point, messageDigest(identity, message), raw);
    this.#verify ??= native.importPublicKey(formatSm2Spki(this.#point));
    return this.#verify(identity, message, format === "der" ? signature : rawToDer(raw));
  }

  verifyDigest(digest: Uint8Array, signature: Uint8Array, options: Sm2DigestOptions = {}): boolean {
    const format = formatOf(options, SIGNATURE_FORMATS);
    assertBytes(digest, "digest", SM2_SIZE);
    const raw = parseSignature(assertBytes(signature, "signature"), format);
    return raw !== undefined && this.#engine.arithmetic.verify(this.#point, digest, raw);
  }

  identityDigest(userId?: Uint8Array | string): Uint8Array {
    return new Uint8Array(this.#identity.digest(userId));
  }

  encrypt(plaintext: Uint8Array, options: Sm2EncryptOptions = {}): Uint8Array {
    const format = formatOf(options, ENCRYPT_FORMATS);
    checkPlaintextLength(assertBytes(plaintext, "plaintext"));
    return formatCiphertext(encrypt(this.#engine.arithmetic, this.#point, plaintext), format);
  }

  exportSpki(): Uint8Array {
    return formatSm2Spki(this.#point);
  }

  exportSpkiPem(): string {
    return sm2Pem("PUBLIC KEY", this.exportSpki());
  }
}
