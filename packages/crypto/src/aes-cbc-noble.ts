// AES-CBC by noble: portable, synchronous, the last resort. Its AES works with tables, so that its timing may depend on the key
// where an attacker shares the processor's cache. It must not know the runtime.
import { cbc } from "@noble/ciphers/aes.js";
import type { AesCbcImplementation, AesCbcKey } from "./aes-cbc.js";
import { cbcCiphertextInvalid, checkDecryption, checkEncryption } from "./aes-cbc-checks.js";
import { addPadding, removePadding } from "./pkcs7.js";

const OPTIONS = { disablePadding: true };

class NobleAesCbcKey implements AesCbcKey {
  readonly implementation = "noble";
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = new Uint8Array(key);
  }

  encrypt(iv: Uint8Array, plaintext: Uint8Array): Uint8Array {
    checkEncryption(iv, plaintext);
    const padded = addPadding(plaintext);
    const ciphertext = cbc(this.#key, iv, OPTIONS).encrypt(padded);
    padded.fill(0);
    return ciphertext;
  }

  decrypt(iv: Uint8Array, ciphertext: Uint8Array): Uint8Array {
    checkDecryption(iv, ciphertext);
    const plaintext = removePadding(cbc(this.#key, iv, OPTIONS).decrypt(ciphertext));
    if (plaintext === undefined) throw cbcCiphertextInvalid();
    return plaintext;
  }
}

/** AES-CBC by noble. */
export function createNobleAesCbc(): AesCbcImplementation {
  return { name: "noble", importKey: (key) => new NobleAesCbcKey(key) };
}
