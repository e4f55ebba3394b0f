// RSA by WebCrypto, which has no PKCS#1 v1.5 encryption and hashes what it signs. It must not read keys nor check arguments
// (rsa-checked.ts does).
import { authenticationError, FengniError } from "./errors.js";
import type { Sha2Name } from "./hash.js";
import type { RsaModulusBits, RsaPadding } from "./rsa.js";
import type { RsaEngine, RsaEnginePrivateKey, RsaEnginePublicKey } from "./rsa-checked.js";
import { type RsaPrivateParts, type RsaPublicParts, rsaKeyInvalid } from "./rsa-encoding.js";
import type { Scheme } from "./rsa-signature.js";

type OaepPadding = Exclude<RsaPadding, "pkcs1">;

const OAEP_HASHES: Readonly<Record<OaepPadding, string>> = {
  "oaep-sha1": "SHA-1",
  "oaep-sha256": "SHA-256",
  "oaep-sha384": "SHA-384",
  "oaep-sha512": "SHA-512",
};
const HASHES: Readonly<Record<Sha2Name, string>> = { sha256: "SHA-256", sha384: "SHA-384", sha512: "SHA-512" };
const SIGNATURES: Readonly<Record<Scheme["padding"], string>> = { pss: "RSA-PSS", pkcs1: "RSASSA-PKCS1-v1_5" };

/** One key of WebCrypto per algorithm, hash and usage, imported when first needed: WebCrypto binds a key to all three. */
class WebKey {
  readonly #subtle: SubtleCrypto;
  readonly #format: "spki" | "pkcs8";
  readonly #der: Uint8Array<ArrayBuffer>;
  readonly #keys = new Map<string, Promise<CryptoKey>>();

  constructor(subtle: SubtleCrypto, format: "spki" | "pkcs8", der: Uint8Array) {
    this.#subtle = subtle;
    this.#format = format;
    this.#der = new Uint8Array(der);
  }

  get(name: string, hash: string, usage: KeyUsage): Promise<CryptoKey> {
    const id = `${name} ${hash}`;
    const key = this.#keys.get(id) ?? this.#import(name, hash, usage);
    this.#keys.set(id, key);
    return key;
  }

  der(): Uint8Array {
    return new Uint8Array(this.#der);
  }

  async #import(name: string, hash: string, usage: KeyUsage): Promise<CryptoKey> {
    try {
      return await this.#subtle.importKey(this.#format, this.#der, { name, hash }, false, [usage]);
    } catch {
      throw rsaKeyInvalid(
        "WebCrypto does not accept the RSA key: its numbers do not belong together, or it is too long",
      );
    }
  }
}

/** What WebCrypto signs and verifies with. */
function signing(scheme: Scheme): Algorithm & { readonly saltLength?: number } {
  const name = SIGNATURES[scheme.padding];
  return scheme.padding === "pss" ? { name, saltLength: scheme.saltLength } : { name };
}

function noPkcs1(): FengniError<"ERR_NOT_SUPPORTED"> {
  return new FengniError("ERR_NOT_SUPPORTED", "this runtime has no PKCS#1 v1.5 encryption: use an OAEP padding", {
    details: { operation: "rsa-pkcs1" },
  });
}

function noDigest(): FengniError<"ERR_NOT_SUPPORTED"> {
  return new FengniError("ERR_NOT_SUPPORTED", "this runtime takes no digests with RSA: give the message", {
    details: { operation: "rsa-digest" },
  });
}

class WebPublicKey implements RsaEnginePublicKey {
  readonly #subtle: SubtleCrypto;
  readonly #key: WebKey;

  constructor(subtle: SubtleCrypto, { spki }: RsaPublicParts) {
    this.#subtle = subtle;
    this.#key = new WebKey(subtle, "spki", spki);
  }

  async encrypt(padding: RsaPadding, plaintext: Uint8Array): Promise<Uint8Array> {
    if (padding === "pkcs1") throw noPkcs1();
    const own = new Uint8Array(plaintext);
    const key = await this.#key.get("RSA-OAEP", OAEP_HASHES[padding], "encrypt");
    return new Uint8Array(await this.#subtle.encrypt({ name: "RSA-OAEP" }, key, own));
  }

  async verify(scheme: Scheme, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
    const [ownMessage, ownSignature] = [new Uint8Array(message), new Uint8Array(signature)];
    const algorithm = signing(scheme);
    const key = await this.#key.get(algorithm.name, HASHES[scheme.hash], "verify");
    try {
      return await this.#subtle.verify(algorithm, key, ownSignature, ownMessage);
    } catch {
      return false;
    }
  }

  verifyDigest(): Promise<boolean> {
    return Promise.reject(noDigest());
  }
}

class WebPrivateKey implements RsaEnginePrivateKey {
  readonly #subtle: SubtleCrypto;
  readonly #key: WebKey;
  readonly #modulusBytes: number;

  constructor(subtle: SubtleCrypto, { pkcs8, modulusBits }: RsaPrivateParts) {
    this.#subtle = subtle;
    this.#key = new WebKey(subtle, "pkcs8", pkcs8);
    this.#modulusBytes = Math.ceil(modulusBits / 8);
  }

  async decrypt(padding: RsaPadding, ciphertext: Uint8Array): Promise<Uint8Array> {
    if (padding === "pkcs1") throw noPkcs1();
    const own = new Uint8Array(ciphertext);
    const key = await this.#key.get("RSA-OAEP", OAEP_HASHES[padding], "decrypt");
    try {
      if (own.length !== this.#modulusBytes) throw new Error();
      return new Uint8Array(await this.#subtle.decrypt({ name: "RSA-OAEP" }, key, own));
    } catch {
      throw authenticationError();
    }
  }

  async sign(scheme: Scheme, message: Uint8Array): Promise<Uint8Array> {
    const own = new Uint8Array(message);
    const algorithm = signing(scheme);
    const key = await this.#key.get(algorithm.name, HASHES[scheme.hash], "sign");
    try {
      return new Uint8Array(await this.#subtle.sign(algorithm, key, own));
    } catch {
      throw rsaKeyInvalid("WebCrypto cannot sign with the RSA key: its numbers do not belong together");
    }
  }

  signDigest(): Promise<Uint8Array> {
    return Promise.reject(noDigest());
  }

  exportPkcs8(): Uint8Array {
    return this.#key.der();
  }
}

/** A new key in DER PKCS#8. */
async function generate(subtle: SubtleCrypto, modulusLength: RsaModulusBits): Promise<Uint8Array> {
  const publicExponent = Uint8Array.of(1, 0, 1);
  const algorithm = { name: "RSA-PSS", hash: "SHA-256", modulusLength, publicExponent };
  const { privateKey } = await subtle.generateKey(algorithm, true, ["sign", "verify"]);
  return new Uint8Array(await subtle.exportKey("pkcs8", privateKey));
}

/** RSA by WebCrypto. */
export function createWebRsa(subtle: SubtleCrypto): RsaEngine {
  return {
    name: "webcrypto",
    generateKey: (modulusBits) => generate(subtle, modulusBits),
    importPublicKey: (parts) => new WebPublicKey(subtle, parts),
    importPrivateKey: (parts) => new WebPrivateKey(subtle, parts),
  };
}
