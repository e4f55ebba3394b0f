// RSA by node:crypto. It must not read keys nor check arguments (rsa-checked.ts does). No OpenSSL error leaves this file: it would tell
// apart why a decryption failed.
import type { KeyObject } from "node:crypto";
import { equalBytes } from "./bytes.js";
import { authenticationError } from "./errors.js";
import { digest } from "./hash.js";
import type { RsaPadding } from "./rsa.js";
import type { RsaEngine } from "./rsa-checked.js";
import { type RsaPrivateParts, type RsaPublicParts, rsaKeyInvalid } from "./rsa-encoding.js";
import { unpadOrReplace, wronglyPadded } from "./rsa-pkcs1.js";
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

class NodePrivateKey {
  readonly #node: NodeCrypto;
  readonly #key: KeyObject;
  readonly #modulusBytes: number;
  readonly #exponentHash: Uint8Array;
  readonly #native: { rejectsImplicitly: boolean | undefined };

  constructor(node: NodeCrypto, parts: RsaPrivateParts, native: { rejectsImplicitly: boolean | undefined }) {
    this.#node = node;
    this.#key = importing(() => node.createPrivateKey({ key: asNodeInput(parts.pkcs8), format: "der", type: "pkcs8" }));
    this.#modulusBytes = parts.modulusBytes;
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

/** RSA by node:crypto. */
export function createNodeRsa(node: NodeCrypto): RsaEngine {
  const native: { rejectsImplicitly: boolean | undefined } = { rejectsImplicitly: undefined };
  return {
    name: "node",
    importPublicKey({ spki }: RsaPublicParts) {
      const key = importing(() => node.createPublicKey({ key: asNodeInput(spki), format: "der", type: "spki" }));
      return { encrypt: (padding, plaintext) => plain(node.publicEncrypt(options(node, key, padding), plaintext)) };
    },
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
