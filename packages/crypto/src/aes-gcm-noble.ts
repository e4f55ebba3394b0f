// AES-GCM by noble: portable, synchronous, the last resort. Its AES works with tables, so that its timing may depend on the key
// where an attacker shares the processor's cache. It must not know the runtime.
import { gcm } from "@noble/ciphers/aes.js";
import type { AeadImplementation, AeadKey, AeadOpener, Sealed } from "./aes-gcm.js";
import { checkIncremental, checkMessage, openerClosed, PartCounter, TAG_LENGTH } from "./aes-gcm-checks.js";
import { assertBytes } from "./assert.js";
import { concatBytes, joinBytes } from "./bytes.js";
import { authenticationError } from "./errors.js";

class NobleAeadKey implements AeadKey {
  readonly implementation = "noble";
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = new Uint8Array(key);
  }

  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Sealed {
    checkMessage(nonce, aad, plaintext, "plaintext");
    const sealed = gcm(this.#key, nonce, aad).encrypt(plaintext);
    return { ciphertext: sealed.subarray(0, plaintext.length), tag: sealed.slice(plaintext.length) };
  }

  open(nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array, tag: Uint8Array): Uint8Array {
    checkMessage(nonce, aad, ciphertext, "ciphertext");
    assertBytes(tag, "tag", TAG_LENGTH);
    try {
      return gcm(this.#key, nonce, aad).decrypt(concatBytes(ciphertext, tag));
    } catch {
      throw authenticationError();
    }
  }

  openIncremental(nonce: Uint8Array, aad: Uint8Array, length: number): AeadOpener {
    checkIncremental(nonce, aad, length);
    const [ownNonce, ownAad] = [new Uint8Array(nonce), new Uint8Array(aad)];
    return new CollectingOpener(length, (ciphertext, tag) => [this.open(ownNonce, ownAad, ciphertext, tag)]);
  }
}

/** What a {@link CollectingOpener} gives back: at once or later. */
type Opened = readonly Uint8Array[] | Promise<readonly Uint8Array[]>;

/** An opener for implementations that need the whole message: it collects copies of the parts and opens them at the end. */
export class CollectingOpener implements AeadOpener {
  #parts: Uint8Array[] | undefined = [];
  readonly #counter: PartCounter;
  readonly #open: (ciphertext: Uint8Array, tag: Uint8Array) => Opened;

  constructor(length: number, open: (ciphertext: Uint8Array, tag: Uint8Array) => Opened) {
    this.#counter = new PartCounter(length);
    this.#open = open;
  }

  update(part: Uint8Array): void {
    if (this.#parts === undefined) throw openerClosed();
    this.#counter.add(part);
    // A copy, since the caller may reuse its buffer; Uint8Array.from, since Buffer.slice would not copy.
    if (part.length > 0) this.#parts.push(new Uint8Array(part));
  }

  final(tag: Uint8Array): Opened {
    const parts = this.#parts;
    if (parts === undefined) throw openerClosed();
    assertBytes(tag, "tag", TAG_LENGTH);
    this.#parts = undefined;
    return this.#open(joinBytes(parts), tag);
  }

  abort(): void {
    this.#parts = undefined;
  }
}

/** AES-GCM by noble. */
export function createNobleAesGcm(): AeadImplementation {
  return { name: "noble", importKey: (key) => new NobleAeadKey(key) };
}
