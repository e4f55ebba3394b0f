// AES-GCM by WebCrypto, asynchronous. It must not know how noble works, only that it serves the keys WebCrypto refuses (Chromium
// has no AES-192) and every key where WebCrypto answers its known-answer test wrong.

import type { AeadImplementation, AeadKey, AeadOpener, Sealed } from "./aes-gcm.js";
import { checkIncremental, checkMessage, TAG_LENGTH } from "./aes-gcm-checks.js";
import { CollectingOpener, createNobleAesGcm } from "./aes-gcm-noble.js";
import { assertBytes } from "./assert.js";
import { authenticationError } from "./errors.js";

type OwnBytes = Uint8Array<ArrayBuffer>;

/** Copies: WebCrypto reads its arguments after we have waited for the key, when the caller may have changed them. */
function own(...parts: readonly Uint8Array[]): OwnBytes {
  let length = 0;
  for (const part of parts) length += part.length;
  const copy = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    copy.set(part, offset);
    offset += part.length;
  }
  return copy;
}

function parameters(nonce: OwnBytes, aad: OwnBytes): AesGcmParams {
  return { name: "AES-GCM", iv: nonce, additionalData: aad, tagLength: 8 * TAG_LENGTH };
}

/** A key that WebCrypto took, or the same key of noble. */
type Imported = CryptoKey | AeadKey;

function isNoble(key: Imported): key is AeadKey {
  return "implementation" in key;
}

class WebAeadKey implements AeadKey {
  readonly implementation = "webcrypto";
  readonly #subtle: SubtleCrypto;
  readonly #imported: Promise<Imported>;

  constructor(subtle: SubtleCrypto, imported: Promise<Imported>) {
    this.#subtle = subtle;
    this.#imported = imported;
  }

  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Promise<Sealed> {
    checkMessage(nonce, aad, plaintext, "plaintext");
    return this.#seal(own(nonce), own(aad), own(plaintext));
  }

  async #seal(nonce: OwnBytes, aad: OwnBytes, plaintext: OwnBytes): Promise<Sealed> {
    const key = await this.#imported;
    try {
      if (isNoble(key)) return await key.seal(nonce, aad, plaintext);
      const sealed = new Uint8Array(await this.#subtle.encrypt(parameters(nonce, aad), key, plaintext));
      return { ciphertext: sealed.subarray(0, plaintext.length), tag: sealed.slice(plaintext.length) };
    } finally {
      plaintext.fill(0);
    }
  }

  open(nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array, tag: Uint8Array): Promise<Uint8Array> {
    checkMessage(nonce, aad, ciphertext, "ciphertext");
    assertBytes(tag, "tag", TAG_LENGTH);
    return this.#open(own(nonce), own(aad), own(ciphertext, tag));
  }

  async #open(nonce: OwnBytes, aad: OwnBytes, sealed: OwnBytes): Promise<Uint8Array> {
    const key = await this.#imported;
    if (isNoble(key)) {
      const split = sealed.length - TAG_LENGTH;
      return key.open(nonce, aad, sealed.subarray(0, split), sealed.subarray(split));
    }
    try {
      return new Uint8Array(await this.#subtle.decrypt(parameters(nonce, aad), key, sealed));
    } catch {
      throw authenticationError();
    }
  }

  openIncremental(nonce: Uint8Array, aad: Uint8Array, length: number): AeadOpener {
    checkIncremental(nonce, aad, length);
    const [ownNonce, ownAad] = [own(nonce), own(aad)];
    return new CollectingOpener(length, async (ciphertext, tag) => [
      await this.open(ownNonce, ownAad, ciphertext, tag),
    ]);
  }
}

/** Asks WebCrypto for the tag of nothing under the zero key (test case 13 of the GCM submission). */
async function probe(subtle: SubtleCrypto): Promise<boolean> {
  try {
    const key = await subtle.importKey("raw", new Uint8Array(32), "AES-GCM", false, ["encrypt"]);
    const none = new Uint8Array(0);
    const tag = new Uint8Array(await subtle.encrypt(parameters(new Uint8Array(12), none), key, none));
    return String(tag) === "83,15,138,251,199,69,54,185,169,99,180,241,196,203,115,139";
  } catch {
    return false;
  }
}

/** AES-GCM by WebCrypto. */
export function createWebAesGcm(subtle: SubtleCrypto): AeadImplementation {
  const noble = createNobleAesGcm();
  let probed: Promise<boolean> | undefined;
  const importKey = async (raw: OwnBytes): Promise<Imported> => {
    probed ??= probe(subtle);
    try {
      if (!(await probed)) return noble.importKey(raw);
      return await subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
    } catch {
      return noble.importKey(raw);
    } finally {
      raw.fill(0);
    }
  };
  return { name: "webcrypto", importKey: (key) => new WebAeadKey(subtle, importKey(own(key))) };
}
