// AES-CBC by node:crypto, synchronous. It must not check key lengths (aes-cbc-select.ts does) nor know other implementations.
import type { KeyObject } from "node:crypto";
import type { AesCbcImplementation, AesCbcKey } from "./aes-cbc.js";
import { cbcCiphertextInvalid, checkDecryption, checkEncryption } from "./aes-cbc-checks.js";
import { addPadding, removePadding } from "./pkcs7.js";
import { type NodeCrypto, plain } from "./runtime.js";

class NodeAesCbcKey implements AesCbcKey {
  readonly implementation = "node";
  readonly #node: NodeCrypto;
  readonly #algorithm: string;
  // A KeyObject, since Node 24 is 4 times slower with a raw key.
  readonly #key: KeyObject;

  constructor(node: NodeCrypto, key: Uint8Array) {
    this.#node = node;
    this.#algorithm = `aes-${8 * key.length}-cbc`;
    this.#key = node.createSecretKey(key);
  }

  encrypt(iv: Uint8Array, plaintext: Uint8Array): Uint8Array {
    checkEncryption(iv, plaintext);
    const padded = addPadding(plaintext);
    const cipher = this.#node.createCipheriv(this.#algorithm, this.#key, iv).setAutoPadding(false);
    const ciphertext = plain(cipher.update(padded));
    padded.fill(0);
    return ciphertext;
  }

  decrypt(iv: Uint8Array, ciphertext: Uint8Array): Uint8Array {
    checkDecryption(iv, ciphertext);
    // The padding is ours to judge: OpenSSL's answer would come with a cause and a time of its own.
    const decipher = this.#node.createDecipheriv(this.#algorithm, this.#key, iv).setAutoPadding(false);
    const plaintext = removePadding(plain(decipher.update(ciphertext)));
    if (plaintext === undefined) throw cbcCiphertextInvalid();
    return plaintext;
  }
}

/** AES-CBC by node:crypto. */
export function createNodeAesCbc(node: NodeCrypto): AesCbcImplementation {
  return { name: "node", importKey: (key) => new NodeAesCbcKey(node, key) };
}
