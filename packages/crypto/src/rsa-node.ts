// RSA by node:crypto. It must not read keys nor check arguments (rsa-checked.ts does). No OpenSSL error leaves this file: it would tell
// apart why a decryption failed. OpenSSL's private operation is blinded; over given digests, which node:crypto cannot sign by
// itself, it is the same operation over an encoding of ours.
import type { KeyObject, SigningOptions } from "node:crypto";
import { equalBytes } from "./bytes.js";
import { authenticationError } from "./errors.js";
import { digest } from "./hash.js";
import type { RsaModulusBits, RsaPadding } from "./rsa.js";
import type { RsaEngine, RsaEnginePrivateKey, RsaEnginePublicKey } from "./rsa-checked.js";
import { type RsaPrivateParts, type RsaPublicParts, rsaKeyInvalid } from "./rsa-encoding.js";
import { unpadOrReplace, wronglyPadded } from "./rsa-pkcs1.js";
import { digestInfo, encodePss, isEncodingOf, type Scheme } from "./rsa-signature.js";
import { asNodeInput, type NodeCrypto, plain } from "./runtime.js";

const OAEP_HASHES = { "oaep-sha1": "sha1", "oaep-sha256": "sha256", "oaep-sha384": "sha384", "oaep-sha512": "sha512" };

function options(
  node: NodeCrypto,
  key: KeyObject,
  padding: RsaPadding,
): { key: KeyObject; padding: number; oaepHash?: string } {
  if (padding === "pkcs1") return { key, padding: node.constants.RSA_PKCS1_PADDING };
  // Node takes the hash of OAEP for MGF1 too.
  return { key, padding: node.constants.RSA_PKCS1_OAEP_PADDING, oaepHash: OAEP_HASHES[padding] };
}

/** What node:crypto signs and verifies with. A bare key means PKCS#1 v1.5: Node 24 takes it faster than options. */
function signing(node: NodeCrypto, key: KeyObject, scheme: Scheme): KeyObject | (SigningOptions & { key: KeyObject }) {
  if (scheme.padding === "pkcs1") return key;
  return { key, padding: node.constants.RSA_PKCS1_PSS_PADDING, saltLength: scheme.saltLength };
}

class NodePublicKey implements RsaEnginePublicKey {
  readonly #node: NodeCrypto;
  readonly #key: KeyObject;
  readonly #modulusBits: number;

  constructor(node: NodeCrypto, { spki, modulusBits }: RsaPublicParts) {
    this.#node = node;
    this.#key = importing(() => node.createPublicKey({ key: asNodeInput(spki), format: "der", type: "spki" }));
    this.#modulusBits = modulusBits;
  }

  encrypt(padding: RsaPadding, plaintext: Uint8Array): Uint8Array {
    return plain(this.#node.publicEncrypt(options(this.#node, this.#key, padding), plaintext));
  }

  verify(scheme: Scheme, message: Uint8Array, signature: Uint8Array): boolean {
    try {
      return this.#node.verify(scheme.hash, message, signing(this.#node, this.#key, scheme), signature);
    } catch {
      return false;
    }
  }

  verifyDigest(scheme: Scheme, digest: Uint8Array, signature: Uint8Array): boolean {
    const padding = this.#node.constants.RSA_NO_PADDING;
    try {
      const block = this.#node.publicDecrypt({ key: this.#key, padding }, signature);
      return isEncodingOf(scheme, digest, block, this.#modulusBits);
    } catch {
      // The number is not below the modulus.
      return false;
    }
  }
}

class NodePrivateKey implements RsaEnginePrivateKey {
  readonly #node: NodeCrypto;
  readonly #key: KeyObject;
  readonly #modulusBits: number;
  readonly #modulusBytes: number;
  readonly #exponentHash: Uint8Array;
  readonly #native: { rejectsImplicitly: boolean | undefined };

  constructor(node: NodeCrypto, parts: RsaPrivateParts, native: { rejectsImplicitly: boolean | undefined }) {
    this.#node = node;
    this.#key = importing(() => node.createPrivateKey({ key: asNodeInput(parts.pkcs8), format: "der", type: "pkcs8" }));
    this.#modulusBits = parts.modulusBits;
    this.#modulusBytes = Math.ceil(parts.modulusBits / 8);
    this.#exponentHash = digest("sha256", parts.exponent);
    this.#native = native;
  }

  decrypt(padding: RsaPadding, ciphertext: Uint8Array): Uint8Array {
    try {
      if (ciphertext.length !== this.#modulusBytes) throw new Error();
      if (padding !== "pkcs1")
        return plain(this.#node.privateDecrypt(options(this.#node, this.#key, padding), ciphertext));
      this.#native.rejectsImplicitly ??= this.#nativeRejectsImplicitly();
      return this.#native.rejectsImplicitly
        ? this.#decryptNatively(ciphertext)
        : this.#decryptWithOurUnpadding(ciphertext);
    } catch {
      throw authenticationError();
    }
  }

  sign(scheme: Scheme, message: Uint8Array): Uint8Array {
    return signed(() => this.#node.sign(scheme.hash, message, signing(this.#node, this.#key, scheme)));
  }

  signDigest(scheme: Scheme, digest: Uint8Array): Uint8Array {
    const { RSA_NO_PADDING, RSA_PKCS1_PADDING } = this.#node.constants;
    const isPss = scheme.padding === "pss";
    const block = isPss ? encodePss(scheme, digest, this.#modulusBits) : digestInfo(scheme.hash, digest);
    const padding = isPss ? RSA_NO_PADDING : RSA_PKCS1_PADDING;
    return signed(() => this.#node.privateEncrypt({ key: this.#key, padding }, block));
  }

  exportPkcs8(): Uint8Array {
    return plain(this.#key.export({ format: "der", type: "pkcs8" }));
  }

  #decryptNatively(ciphertext: Uint8Array): Uint8Array {
    return plain(this.#node.privateDecrypt(options(this.#node, this.#key, "pkcs1"), ciphertext));
  }

  #decryptWithOurUnpadding(ciphertext: Uint8Array): Uint8Array {
    // Fails for a ciphertext that is not below the modulus, which is public.
    const block = this.#node.privateDecrypt(
      { key: this.#key, padding: this.#node.constants.RSA_NO_PADDING },
      ciphertext,
    );
    try {
      return unpadOrReplace(block, ciphertext, this.#exponentHash);
    } finally {
      block.fill(0);
    }
  }

  /**
   * Whether this OpenSSL answers a wrong padding with a made-up message. Node 20 refuses the padding, older OpenSSL throws or
   * returns an error, which is the padding oracle; only the very message that we would make up counts as right.
   */
  #nativeRejectsImplicitly(): boolean {
    const ciphertext = wronglyPadded(this.#modulusBytes);
    try {
      return equalBytes(this.#decryptNatively(ciphertext), this.#decryptWithOurUnpadding(ciphertext));
    } catch {
      return false;
    }
  }
}

function importing(importKey: () => KeyObject): KeyObject {
  try {
    return importKey();
  } catch {
    throw rsaKeyInvalid("OpenSSL does not accept the RSA key: its numbers do not belong together");
  }
}

function signed(sign: () => Uint8Array): Uint8Array {
  try {
    return plain(sign());
  } catch {
    throw rsaKeyInvalid("OpenSSL cannot sign with the RSA key: its numbers do not belong together");
  }
}

/** A new key in DER PKCS#8, made off the main thread. */
function generate(node: NodeCrypto, modulusBits: RsaModulusBits): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    node.generateKeyPair("rsa", { modulusLength: modulusBits, publicExponent: 65_537 }, (error, _publicKey, key) => {
      if (error === null) resolve(plain(key.export({ format: "der", type: "pkcs8" })));
      else reject(error);
    });
  });
}

/** RSA by node:crypto. */
export function createNodeRsa(node: NodeCrypto): RsaEngine {
  const native: { rejectsImplicitly: boolean | undefined } = { rejectsImplicitly: undefined };
  return {
    name: "node",
    generateKey: (modulusBits) => generate(node, modulusBits),
    importPublicKey: (parts: RsaPublicParts) => new NodePublicKey(node, parts),
    importPrivateKey: (parts: RsaPrivateParts) => new NodePrivateKey(node, parts, native),
  };
}

/** Raw RSA with the modulus 2^2048-1 and the exponent 3: 2 must become 8. */
export function probeNodeRsa(node: NodeCrypto): boolean {
  // 256 bytes of 255 in base64url, and 3.
  const jwk = { kty: "RSA", n: `${"_".repeat(341)}w`, e: "Aw" };
  const key = node.createPublicKey({ key: jwk, format: "jwk" });
  const two = new Uint8Array(256);
  two[255] = 2;
  const eight = node.publicEncrypt({ key, padding: node.constants.RSA_NO_PADDING }, two);
  return eight.length === 256 && eight.every((byte, index) => byte === (index === 255 ? 8 : 0));
}
