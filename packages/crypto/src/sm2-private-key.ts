// SM2's private keys around an engine: argument checks, and what is done with a private key. It must not know which engines there
// are.
import { assertBytes, assertOneOf } from "./assert.js";
import { assertOptions } from "./options.js";
import type {
  Sm2CiphertextFormat,
  Sm2DecryptOptions,
  Sm2DigestOptions,
  Sm2ExchangeOptions,
  Sm2ExchangeRole,
  Sm2KeyExchange,
  Sm2PrivateKey,
  Sm2PublicKey,
  Sm2SignatureFormat,
  Sm2SignOptions,
} from "./sm2.js";
import { parseCiphertext } from "./sm2-ciphertext.js";
import { SM2_SIZE } from "./sm2-curve.js";
import { decrypt } from "./sm2-encryption.js";
import type { Sm2Engine, Sm2NativeSignatures } from "./sm2-engine.js";
import { beginExchange } from "./sm2-exchange.js";
import { formatSm2Pkcs8, formatSm2Sec1, sm2Pem } from "./sm2-keys.js";
import { formatOf } from "./sm2-options.js";
import { Identity, PublicKey, SIGNATURE_FORMATS } from "./sm2-public-key.js";
import { HedgedNonces, messageDigest, parseSignature, rawToDer } from "./sm2-signature.js";

const DECRYPT_FORMATS: readonly [Sm2CiphertextFormat, ...Sm2CiphertextFormat[]] = ["c1c3c2", "asn1", "c1c2c3"];

/** A private key around an engine. */
export class PrivateKey implements Sm2PrivateKey {
  readonly publicKey: Sm2PublicKey;
  readonly #engine: Sm2Engine;
  readonly #scalar: Uint8Array;
  readonly #point: Uint8Array;
  readonly #identity: Identity;
  #signingKey: Uint8Array | undefined;
  #sign: ReturnType<Sm2NativeSignatures["importPrivateKey"]> | undefined;

  /** Takes a scalar of 1..n-2 with its point x || y, and owns both. */
  constructor(engine: Sm2Engine, scalar: Uint8Array, point: Uint8Array) {
    this.#engine = engine;
    this.#scalar = scalar;
    this.#point = point;
    this.#identity = new Identity(point);
    this.publicKey = new PublicKey(engine, point, this.#identity);
  }

  sign(message: Uint8Array, options: Sm2SignOptions = {}): Uint8Array {
    const format = formatOf(options, SIGNATURE_FORMATS, "userId");
    assertBytes(message, "message");
    const identity = this.#identity.digest(options.userId);
    if (this.#engine.native === undefined) return this.#signDigest(messageDigest(identity, message), format);
    this.#sign ??= this.#importNatively(this.#engine.native);
    const der = this.#sign(identity, message);
    return format === "der" ? der : (parseSignature(der, "der") as Uint8Array);
  }

  signDigest(digest: Uint8Array, options: Sm2DigestOptions = {}): Uint8Array {
    const format = formatOf(options, SIGNATURE_FORMATS);
    return this.#signDigest(assertBytes(digest, "digest", SM2_SIZE), format);
  }

  decrypt(ciphertext: Uint8Array, options: Sm2DecryptOptions = {}): Uint8Array {
    const format = formatOf(options, DECRYPT_FORMATS);
    const parts = parseCiphertext(assertBytes(ciphertext, "ciphertext"), format);
    return decrypt(this.#engine.arithmetic, this.#scalar, parts);
  }

  beginExchange(role: Sm2ExchangeRole, options: Sm2ExchangeOptions = {}): Sm2KeyExchange {
    assertOptions(options, ["userId"]);
    assertOneOf(role, "role", ["initiator", "responder"]);
    return beginExchange(this.#engine.arithmetic, role, this.#scalar, this.#identity.digest(options.userId));
  }

  exportPkcs8(): Uint8Array {
    return formatSm2Pkcs8(this.#scalar, this.#point);
  }

  exportPkcs8Pem(): string {
    return sm2Pem("PRIVATE KEY", this.exportPkcs8());
  }

  exportSec1(): Uint8Array {
    return formatSm2Sec1(this.#scalar, this.#point);
  }

  exportSec1Pem(): string {
    return sm2Pem("EC PRIVATE KEY", this.exportSec1());
  }

  #signDigest(digest: Uint8Array, format: Sm2SignatureFormat): Uint8Array {
    const { arithmetic } = this.#engine;
    this.#signingKey ??= arithmetic.signingKey(this.#scalar);
    const nonces = new HedgedNonces(this.#scalar, digest);
    try {
      for (;;) {
        const nonce = nonces.next();
        const raw = arithmetic.sign(this.#signingKey, nonce, digest);
        nonce.fill(0);
        if (raw !== undefined) return format === "raw" ? raw : rawToDer(raw);
      }
    } finally {
      nonces.wipe();
    }
  }

  #importNatively(native: Sm2NativeSignatures): ReturnType<Sm2NativeSignatures["importPrivateKey"]> {
    const pkcs8 = this.exportPkcs8();
    try {
      return native.importPrivateKey(pkcs8);
    } finally {
      pkcs8.fill(0);
    }
  }
}
