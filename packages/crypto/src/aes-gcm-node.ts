// AES-GCM by node:crypto, synchronous. It must not check key lengths (aes-gcm-select.ts does) nor know other implementations.
import type { CipherGCMTypes, DecipherGCM, KeyObject } from "node:crypto";
import type { AeadImplementation, AeadKey, AeadOpener, Sealed } from "./aes-gcm.js";
import { checkIncremental, checkMessage, openerClosed, PartCounter, TAG_LENGTH } from "./aes-gcm-checks.js";
import { assertBytes } from "./assert.js";
import { authenticationError } from "./errors.js";
import { type NodeCrypto, plain } from "./runtime.js";

const OPTIONS = { authTagLength: TAG_LENGTH };

class NodeAeadKey implements AeadKey {
  readonly implementation = "node";
  readonly #node: NodeCrypto;
  readonly #algorithm: CipherGCMTypes;
  // A KeyObject, since Node 24 is 4 times slower with a raw key.
  readonly #key: KeyObject;

  constructor(node: NodeCrypto, key: Uint8Array) {
    this.#node = node;
    this.#algorithm = `aes-${(8 * key.length) as 128 | 192 | 256}-gcm`;
    this.#key = node.createSecretKey(key);
  }

  // A getter, which inspection of the key does not show.
  get threadKey(): object {
    return this.#key;
  }

  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Sealed {
    checkMessage(nonce, aad, plaintext, "plaintext");
    const cipher = this.#node.createCipheriv(this.#algorithm, this.#key, nonce, OPTIONS);
    if (aad.length > 0) cipher.setAAD(aad);
    const ciphertext = plaintext.length > 0 ? plain(cipher.update(plaintext)) : new Uint8Array(0);
    cipher.final();
    return { ciphertext, tag: plain(cipher.getAuthTag()) };
  }

  open(nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array, tag: Uint8Array): Uint8Array {
    checkMessage(nonce, aad, ciphertext, "ciphertext");
    assertBytes(tag, "tag", TAG_LENGTH);
    const decipher = this.#node.createDecipheriv(this.#algorithm, this.#key, nonce, OPTIONS);
    if (aad.length > 0) decipher.setAAD(aad);
    decipher.setAuthTag(tag);
    const plaintext = ciphertext.length > 0 ? plain(decipher.update(ciphertext)) : new Uint8Array(0);
    finish(decipher, [plaintext]);
    return plaintext;
  }

  openIncremental(nonce: Uint8Array, aad: Uint8Array, length: number): AeadOpener {
    checkIncremental(nonce, aad, length);
    const decipher = this.#node.createDecipheriv(this.#algorithm, this.#key, nonce, OPTIONS);
    if (aad.length > 0) decipher.setAAD(aad);
    return new NodeOpener(decipher, length);
  }
}

/** Verifies the tag; if it does not fit, the unverified plaintext is wiped before the error is thrown. */
function finish(decipher: DecipherGCM, held: readonly Uint8Array[]): void {
  try {
    decipher.final();
  } catch {
    for (const piece of held) piece.fill(0);
    throw authenticationError();
  }
}

class NodeOpener implements AeadOpener {
  #decipher: DecipherGCM | undefined;
  #held: Uint8Array[] = [];
  readonly #counter: PartCounter;

  constructor(decipher: DecipherGCM, length: number) {
    this.#decipher = decipher;
    this.#counter = new PartCounter(length);
  }

  update(part: Uint8Array): void {
    const decipher = this.#decipher;
    if (decipher === undefined) throw openerClosed();
    this.#counter.add(part);
    if (part.length > 0) this.#held.push(plain(decipher.update(part)));
  }

  final(tag: Uint8Array): readonly Uint8Array[] {
    const decipher = this.#decipher;
    if (decipher === undefined) throw openerClosed();
    decipher.setAuthTag(assertBytes(tag, "tag", TAG_LENGTH));
    const held = this.#held;
    this.#decipher = undefined;
    this.#held = [];
    finish(decipher, held);
    return held;
  }

  abort(): void {
    for (const piece of this.#held) piece.fill(0);
    this.#held = [];
    this.#decipher = undefined;
  }
}

/** AES-GCM by node:crypto. */
export function createNodeAesGcm(node: NodeCrypto): AeadImplementation {
  return { name: "node", importKey: (key) => new NodeAeadKey(node, key) };
}
