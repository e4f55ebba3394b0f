// What is the same in every RSA implementation: the checks of keys and arguments, and the choice. It must not know how an
// implementation does it.
import { argumentRangeError, assertBytes, assertOneOf } from "./assert.js";
import { hashLength } from "./hash.js";
import type {
  RsaImplementation,
  RsaModulusBits,
  RsaPadding,
  RsaPrivateKey,
  RsaPublicKey,
  RsaSignatureOptions,
  RsaSignatureScheme,
} from "./rsa.js";
import { parseRsaPrivateKey, parseRsaPublicKey, type RsaPrivateParts, type RsaPublicParts } from "./rsa-encoding.js";
import { createNodeRsa, probeNodeRsa } from "./rsa-node.js";
import { type Scheme, schemeOf } from "./rsa-signature.js";
import { createWebRsa } from "./rsa-web.js";
import { createSelector, runtime, type Selector } from "./runtime.js";

type MaybePromise<Value> = Value | Promise<Value>;

/** A public key as an implementation holds it. */
export interface RsaEnginePublicKey {
  encrypt(padding: RsaPadding, plaintext: Uint8Array): MaybePromise<Uint8Array>;
  /** Receives a signature as long as the modulus. */
  verify(scheme: Scheme, message: Uint8Array, signature: Uint8Array): MaybePromise<boolean>;
  verifyDigest(scheme: Scheme, digest: Uint8Array, signature: Uint8Array): MaybePromise<boolean>;
}

/** A private key as an implementation holds it. */
export interface RsaEnginePrivateKey {
  decrypt(padding: RsaPadding, ciphertext: Uint8Array): MaybePromise<Uint8Array>;
  sign(scheme: Scheme, message: Uint8Array): MaybePromise<Uint8Array>;
  signDigest(scheme: Scheme, digest: Uint8Array): MaybePromise<Uint8Array>;
  exportPkcs8(): Uint8Array;
}

/** What an implementation brings. Keys and arguments were checked, but not the length of a ciphertext. */
export interface RsaEngine {
  readonly name: string;
  /** Makes a key in DER PKCS#8, which is overwritten after use. */
  generateKey(modulusBits: RsaModulusBits): Promise<Uint8Array>;
  importPublicKey(parts: RsaPublicParts): RsaEnginePublicKey;
  /** Takes parts of which the secret ones are overwritten after the call. */
  importPrivateKey(parts: RsaPrivateParts): RsaEnginePrivateKey;
}

// Bytes that each padding adds at least (RFC 8017 7.1.1 and 7.2.1, step 1).
const OVERHEADS: Readonly<Record<RsaPadding, number>> = {
  pkcs1: 11,
  "oaep-sha1": 42,
  "oaep-sha256": 66,
  "oaep-sha384": 98,
  "oaep-sha512": 130,
};
const PADDINGS = /* @__PURE__ */ Object.keys(OVERHEADS) as readonly RsaPadding[];
const NO_OPTIONS: RsaSignatureOptions = {};

class PublicKey implements RsaPublicKey {
  readonly modulusBytes: number;
  readonly #parts: RsaPublicParts;
  readonly #key: RsaEnginePublicKey;

  constructor(parts: RsaPublicParts, key: RsaEnginePublicKey) {
    this.modulusBytes = Math.ceil(parts.modulusBits / 8);
    this.#parts = parts;
    this.#key = key;
  }

  encrypt(padding: RsaPadding, plaintext: Uint8Array): MaybePromise<Uint8Array> {
    const longest = this.modulusBytes - OVERHEADS[assertOneOf(padding, "padding", PADDINGS)];
    const { length } = assertBytes(plaintext, "plaintext");
    if (length <= longest) return this.#key.encrypt(padding, plaintext);
    throw argumentRangeError(`"plaintext" expected Uint8Array of at most ${longest} bytes, got length=${length}`);
  }

  verify(
    scheme: RsaSignatureScheme,
    message: Uint8Array,
    signature: Uint8Array,
    options: RsaSignatureOptions = NO_OPTIONS,
  ): MaybePromise<boolean> {
    const checked = schemeOf(scheme, options, this.#parts.modulusBits);
    assertBytes(message, "message");
    // RFC 8017 8.1.2 and 8.2.2, step 1.
    if (assertBytes(signature, "signature").length !== this.modulusBytes) return false;
    return this.#key.verify(checked, message, signature);
  }

  verifyDigest(
    scheme: RsaSignatureScheme,
    digest: Uint8Array,
    signature: Uint8Array,
    options: RsaSignatureOptions = NO_OPTIONS,
  ): MaybePromise<boolean> {
    const checked = schemeOf(scheme, options, this.#parts.modulusBits);
    assertBytes(digest, "digest", hashLength(checked.hash));
    if (assertBytes(signature, "signature").length !== this.modulusBytes) return false;
    return this.#key.verifyDigest(checked, digest, signature);
  }

  exportSpki(): Uint8Array {
    return new Uint8Array(this.#parts.spki);
  }
}

class PrivateKey implements RsaPrivateKey {
  readonly modulusBytes: number;
  readonly #modulusBits: number;
  readonly #spki: Uint8Array;
  readonly #key: RsaEnginePrivateKey;

  constructor({ modulusBits, spki }: RsaPublicParts, key: RsaEnginePrivateKey) {
    this.modulusBytes = Math.ceil(modulusBits / 8);
    this.#modulusBits = modulusBits;
    this.#spki = spki;
    this.#key = key;
  }

  decrypt(padding: RsaPadding, ciphertext: Uint8Array): MaybePromise<Uint8Array> {
    return this.#key.decrypt(assertOneOf(padding, "padding", PADDINGS), assertBytes(ciphertext, "ciphertext"));
  }

  sign(
    scheme: RsaSignatureScheme,
    message: Uint8Array,
    options: RsaSignatureOptions = NO_OPTIONS,
  ): MaybePromise<Uint8Array> {
    return this.#key.sign(schemeOf(scheme, options, this.#modulusBits), assertBytes(message, "message"));
  }

  signDigest(
    scheme: RsaSignatureScheme,
    digest: Uint8Array,
    options: RsaSignatureOptions = NO_OPTIONS,
  ): MaybePromise<Uint8Array> {
    const checked = schemeOf(scheme, options, this.#modulusBits);
    return this.#key.signDigest(checked, assertBytes(digest, "digest", hashLength(checked.hash)));
  }

  exportPkcs8(): Uint8Array {
    return this.#key.exportPkcs8();
  }

  exportSpki(): Uint8Array {
    return new Uint8Array(this.#spki);
  }
}

class CheckedRsa implements RsaImplementation {
  readonly name: string;
  readonly #engine: RsaEngine;

  constructor(engine: RsaEngine) {
    this.name = engine.name;
    this.#engine = engine;
  }

  async generateKey(modulusBits: RsaModulusBits): Promise<RsaPrivateKey> {
    if (![2048, 3072, 4096].includes(modulusBits)) {
      throw argumentRangeError(`"modulusBits" expected one of 2048, 3072, 4096, got ${String(modulusBits)}`);
    }
    const pkcs8 = await this.#engine.generateKey(modulusBits);
    try {
      return this.importPrivateKey(pkcs8);
    } finally {
      pkcs8.fill(0);
    }
  }

  importPublicKey(pem: string | Uint8Array): RsaPublicKey {
    const parts = parseRsaPublicKey(pem);
    return new PublicKey(parts, this.#engine.importPublicKey(parts));
  }

  importPrivateKey(pem: string | Uint8Array): RsaPrivateKey {
    const parts = parseRsaPrivateKey(pem);
    try {
      return new PrivateKey(parts, this.#engine.importPrivateKey(parts));
    } finally {
      parts.pkcs8.fill(0);
      parts.exponent.fill(0);
    }
  }
}

/** The choice of RSA. */
export const rsaSelector: Selector<RsaImplementation> = /* @__PURE__ */ createSelector<RsaImplementation>([
  {
    name: "node",
    create: () => (runtime.node === undefined ? undefined : new CheckedRsa(createNodeRsa(runtime.node))),
    probe: () => runtime.node !== undefined && probeNodeRsa(runtime.node),
  },
  {
    name: "webcrypto",
    create: () => (runtime.subtle === undefined ? undefined : new CheckedRsa(createWebRsa(runtime.subtle))),
    // WebCrypto answers later only; a wrong answer shows as a failed decryption or a signature that does not verify.
    probe: () => true,
  },
]);
