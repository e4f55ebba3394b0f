// AES-CBC by WebCrypto, asynchronous; it pads by itself. It must not know how noble works, only that it serves the keys WebCrypto
// refuses (Chromium has no AES-192) and every key where WebCrypto answers its known-answer test wrong.
import type { AesCbcImplementation, AesCbcKey } from "./aes-cbc.js";
import { cbcCiphertextInvalid, checkDecryption, checkEncryption } from "./aes-cbc-checks.js";
import { createNobleAesCbc } from "./aes-cbc-noble.js";
import { BLOCK_BYTES } from "./pkcs7.js";

type OwnBytes = Uint8Array<ArrayBuffer>;

/** A key that WebCrypto took, or the same key of noble. */
type Imported = CryptoKey | AesCbcKey;

function isNoble(key: Imported): key is AesCbcKey {
  return "implementation" in key;
}

class WebAesCbcKey implements AesCbcKey {
  readonly implementation = "webcrypto";
  readonly #subtle: SubtleCrypto;
  readonly #imported: Promise<Imported>;

  constructor(subtle: SubtleCrypto, imported: Promise<Imported>) {
    this.#subtle = subtle;
    this.#imported = imported;
  }

  // Copies: WebCrypto reads its arguments after we have waited for the key, when the caller may have changed them.
  encrypt(iv: Uint8Array, plaintext: Uint8Array): Promise<Uint8Array> {
    checkEncryption(iv, plaintext);
    return this.#encrypt(new Uint8Array(iv), new Uint8Array(plaintext));
  }

  async #encrypt(iv: OwnBytes, plaintext: OwnBytes): Promise<Uint8Array> {
    const key = await this.#imported;
    try {
      if (isNoble(key)) return await key.encrypt(iv, plaintext);
      return new Uint8Array(await this.#subtle.encrypt({ name: "AES-CBC", iv }, key, plaintext));
    } finally {
      plaintext.fill(0);
    }
  }

  decrypt(iv: Uint8Array, ciphertext: Uint8Array): Promise<Uint8Array> {
    checkDecryption(iv, ciphertext);
    return this.#decrypt(new Uint8Array(iv), new Uint8Array(ciphertext));
  }

  async #decrypt(iv: OwnBytes, ciphertext: OwnBytes): Promise<Uint8Array> {
    const key = await this.#imported;
    if (isNoble(key)) return key.decrypt(iv, ciphertext);
    try {
      return new Uint8Array(await this.#subtle.decrypt({ name: "AES-CBC", iv }, key, ciphertext));
    } catch {
      throw cbcCiphertextInvalid();
    }
  }
}

/** Asks WebCrypto for the padding block of nothing under the zero key. Computed with OpenSSL. */
async function probe(subtle: SubtleCrypto): Promise<boolean> {
  try {
    const key = await subtle.importKey("raw", new Uint8Array(32), "AES-CBC", false, ["encrypt"]);
    const iv = new Uint8Array(BLOCK_BYTES);
    const block = new Uint8Array(await subtle.encrypt({ name: "AES-CBC", iv }, key, new Uint8Array(0)));
    return String(block) === PROBE_BLOCK;
  } catch {
    return false;
  }
}

const PROBE_BLOCK = "31,120,143,230,216,108,49,117,73,105,127,191,12,7,250,67";

/** AES-CBC by WebCrypto. */
export function createWebAesCbc(subtle: SubtleCrypto): AesCbcImplementation {
  const noble = createNobleAesCbc();
  let probed: Promise<boolean> | undefined;
  const importKey = async (raw: OwnBytes): Promise<Imported> => {
    probed ??= probe(subtle);
    try {
      if (!(await probed)) return noble.importKey(raw);
      return await subtle.importKey("raw", raw, "AES-CBC", false, ["encrypt", "decrypt"]);
    } catch {
      return noble.importKey(raw);
    } finally {
      raw.fill(0);
    }
  };
  return { name: "webcrypto", importKey: (key) => new WebAesCbcKey(subtle, importKey(new Uint8Array(key))) };
}
