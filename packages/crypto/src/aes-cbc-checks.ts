// The argument checks that all AES-CBC implementations share, and the one error of a decryption. It must not do cryptography.
import { argumentRangeError, assertBytes } from "./assert.js";
import { FengniError } from "./errors.js";
import { BLOCK_BYTES } from "./pkcs7.js";

// What node:crypto takes and gives in one call.
const MAX_CIPHERTEXT = 2 ** 31 - 1;
const MAX_PLAINTEXT = MAX_CIPHERTEXT - BLOCK_BYTES;

/** Checks the arguments of an encryption. */
export function checkEncryption(iv: Uint8Array, plaintext: Uint8Array): void {
  assertBytes(iv, "iv", BLOCK_BYTES);
  checkLength(plaintext, "plaintext", MAX_PLAINTEXT);
}

/** Checks the arguments of a decryption; a ciphertext that is not of whole blocks fails as a wrong padding does. */
export function checkDecryption(iv: Uint8Array, ciphertext: Uint8Array): void {
  assertBytes(iv, "iv", BLOCK_BYTES);
  checkLength(ciphertext, "ciphertext", MAX_CIPHERTEXT);
  if (ciphertext.length === 0 || ciphertext.length % BLOCK_BYTES !== 0) throw cbcCiphertextInvalid();
}

function checkLength(data: Uint8Array, title: string, maximum: number): void {
  const { length } = assertBytes(data, title);
  if (length > maximum) {
    throw argumentRangeError(`"${title}" expected Uint8Array of at most ${maximum} bytes, got length=${length}`);
  }
}

/** The error of every decryption that fails: what was wrong is not told apart. */
export function cbcCiphertextInvalid(): FengniError<"ERR_CIPHERTEXT_INVALID"> {
  return new FengniError(
    "ERR_CIPHERTEXT_INVALID",
    "this is no ciphertext of AES-CBC, or the key or the IV is not the one it was encrypted with",
  );
}
