// What is the same in every implementation of SM4-GCM: the checks of arguments, one-time use of openers, and that no plaintext is
// released before its tag was verified. It must not know which implementations there are.
import type { AeadImplementation, AeadKey, AeadOpener, Sealed } from "./aes-gcm.js";
import { checkIncremental, checkMessage, openerClosed, PartCounter, TAG_LENGTH } from "./aes-gcm-checks.js";
import { assertBytes } from "./assert.js";
import { authenticationError } from "./errors.js";
import { checkSm4Key } from "./sm4-checked.js";

/** What an implementation brings. Arguments were checked, and nothing is kept of them. */
export interface GcmEngine {
  readonly name: string;
  importKey(key: Uint8Array): GcmEngineKey;
}

/** A key as an implementation holds it; all give new buffers. */
export interface GcmEngineKey {
  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Sealed;
  /** Gives undefined if the tag does not fit, and then leaves no plaintext. */
  open(nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array, tag: Uint8Array): Uint8Array | undefined;
  /** Begins to open a message that arrives in parts. */
  begin(nonce: Uint8Array, aad: Uint8Array): GcmOpening;
}

/** A message that is being opened. */
export interface GcmOpening {
  /** Takes a part of at least one byte; gives as much plaintext, not verified yet, as there is so far, perhaps none. */
  update(part: Uint8Array): Uint8Array;
  /** Gives the rest of the plaintext, perhaps none, or undefined if the tag does not fit. */
  final(tag: Uint8Array): Uint8Array | undefined;
  /** Overwrites what is held. */
  abort(): void;
}

class CheckedKey implements AeadKey {
  readonly implementation: string;
  readonly #key: GcmEngineKey;

  constructor(implementation: string, key: GcmEngineKey) {
    this.implementation = implementation;
    this.#key = key;
  }

  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Sealed {
    checkMessage(nonce, aad, plaintext, "plaintext");
    return this.#key.seal(nonce, aad, plaintext);
  }

  open(nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array, tag: Uint8Array): Uint8Array {
    checkMessage(nonce, aad, ciphertext, "ciphertext");
    assertBytes(tag, "tag", TAG_LENGTH);
    const plaintext = this.#key.open(nonce, aad, ciphertext, tag);
    if (plaintext === undefined) throw authenticationError();
    return plaintext;
  }

  openIncremental(nonce: Uint8Array, aad: Uint8Array, length: number): AeadOpener {
    checkIncremental(nonce, aad, length);
    return new CheckedOpener(this.#key.begin(nonce, aad), length);
  }
}

class CheckedOpener implements AeadOpener {
  #opening: GcmOpening | undefined;
  #held: Uint8Array[] = [];
  readonly #counter: PartCounter;

  constructor(opening: GcmOpening, length: number) {
    this.#opening = opening;
    this.#counter = new PartCounter(length);
  }

  update(part: Uint8Array): void {
    if (this.#opening === undefined) throw openerClosed();
    this.#counter.add(part);
    if (part.length > 0) this.#hold(this.#opening.update(part));
  }

  #hold(piece: Uint8Array): void {
    if (piece.length > 0) this.#held.push(piece);
  }

  final(tag: Uint8Array): readonly Uint8Array[] {
    if (this.#opening === undefined) throw openerClosed();
    const rest = this.#opening.final(assertBytes(tag, "tag", TAG_LENGTH));
    if (rest === undefined) {
      this.abort();
      throw authenticationError();
    }
    this.#hold(rest);
    const held = this.#held;
    this.#opening = undefined;
    this.#held = [];
    return held;
  }

  abort(): void {
    for (const piece of this.#held) piece.fill(0);
    this.#held = [];
    this.#opening?.abort();
    this.#opening = undefined;
  }
}

/** Puts the checks around an engine. */
export function checkedSm4Gcm(engine: GcmEngine): AeadImplementation {
  return {
    name: engine.name,
    importKey: (key) => new CheckedKey(engine.name, engine.importKey(checkSm4Key(key))),
  };
}
