// SM4-GCM by node:crypto, where its OpenSSL has it (since 3.1; Node offers it since 26). Like sm4-node.ts it is not constant-time unless the
// processor has SM4 instructions. It must not check arguments (sm4-gcm-checked.ts does).
import type { CipherGCMTypes, DecipherGCM, KeyObject } from "node:crypto";
import type { Sealed } from "./aes-gcm.js";
import { type NodeCrypto, plain } from "./runtime.js";
import { GCM_BLOCK } from "./sm4-gcm-blocks.js";
import type { GcmEngine, GcmEngineKey, GcmOpening } from "./sm4-gcm-checked.js";

// Node's types list AES only; its ciphers in GCM all have the same shape.
const ALGORITHM = "sm4-gcm" as CipherGCMTypes;
const OPTIONS = { authTagLength: GCM_BLOCK };

class NodeGcmKey implements GcmEngineKey {
  readonly #node: NodeCrypto;
  // A KeyObject, since Node 24 is 4 times slower with a raw key.
  readonly #key: KeyObject;

  constructor(node: NodeCrypto, key: Uint8Array) {
    this.#node = node;
    this.#key = node.createSecretKey(key);
  }

  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Sealed {
    const cipher = this.#node.createCipheriv(ALGORITHM, this.#key, nonce, OPTIONS);
    if (aad.length > 0) cipher.setAAD(aad);
    const ciphertext = plaintext.length > 0 ? plain(cipher.update(plaintext)) : new Uint8Array(0);
    cipher.final();
    return { ciphertext, tag: plain(cipher.getAuthTag()) };
  }

  open(nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array, tag: Uint8Array): Uint8Array | undefined {
    const opening = new NodeOpening(this.#decipher(nonce, aad));
    const plaintext = ciphertext.length > 0 ? opening.update(ciphertext) : new Uint8Array(0);
    if (opening.final(tag) !== undefined) return plaintext;
    plaintext.fill(0);
    return undefined;
  }

  begin(nonce: Uint8Array, aad: Uint8Array): GcmOpening {
    return new NodeOpening(this.#decipher(nonce, aad));
  }

  #decipher(nonce: Uint8Array, aad: Uint8Array): DecipherGCM {
    const decipher = this.#node.createDecipheriv(ALGORITHM, this.#key, nonce, OPTIONS);
    if (aad.length > 0) decipher.setAAD(aad);
    return decipher;
  }
}

class NodeOpening implements GcmOpening {
  readonly #decipher: DecipherGCM;

  constructor(decipher: DecipherGCM) {
    this.#decipher = decipher;
  }

  update(part: Uint8Array): Uint8Array {
    return plain(this.#decipher.update(part));
  }

  final(tag: Uint8Array): Uint8Array | undefined {
    try {
      this.#decipher.setAuthTag(tag);
      return plain(this.#decipher.final());
    } catch {
      return undefined;
    }
  }

  abort(): void {
    // OpenSSL overwrites its own state when it is collected; there is nothing of ours.
  }
}

/** SM4-GCM by node:crypto. */
export function createNodeSm4Gcm(node: NodeCrypto): GcmEngine {
  return { name: "node", importKey: (key) => new NodeGcmKey(node, key) };
}
