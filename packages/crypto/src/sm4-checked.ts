// What is the same in every implementation of SM4: the checks of arguments, and that CBC is padded. It must not know which
// implementations there are.
import { argumentRangeError, assertBytes } from "./assert.js";
import { FengniError } from "./errors.js";
import { addPadding, removePadding } from "./pkcs7.js";
import type { Sm4Implementation, Sm4Key } from "./sm4.js";

/** Bytes of a key, a block, an IV and a counter block. */
const SM4_BLOCK = 16;

/** What an implementation brings. Arguments were checked, nothing is kept of them, and there is at least one byte of data. */
export interface Sm4Engine {
  readonly name: string;
  importKey(key: Uint8Array): Sm4EngineKey;
}

/** A key as an implementation holds it; all give new buffers. CBC is without padding here. */
export interface Sm4EngineKey {
  encryptBlocks(blocks: Uint8Array): Uint8Array;
  decryptBlocks(blocks: Uint8Array): Uint8Array;
  encryptCbc(iv: Uint8Array, blocks: Uint8Array): Uint8Array;
  decryptCbc(iv: Uint8Array, blocks: Uint8Array): Uint8Array;
  ctr(counter: Uint8Array, data: Uint8Array): Uint8Array;
}

/** Checks a key; gives it back. */
export function checkSm4Key(key: Uint8Array): Uint8Array {
  return assertBytes(key, "key", SM4_BLOCK);
}

class CheckedKey implements Sm4Key {
  readonly implementation: string;
  readonly #parallel: Sm4EngineKey;
  readonly #chained: Sm4EngineKey;

  constructor(implementation: string, parallel: Sm4EngineKey, chained: Sm4EngineKey) {
    this.implementation = implementation;
    this.#parallel = parallel;
    this.#chained = chained;
  }

  encryptBlocks(blocks: Uint8Array): Uint8Array {
    return checkBlocks(blocks) === 0 ? new Uint8Array(0) : this.#parallel.encryptBlocks(blocks);
  }

  decryptBlocks(blocks: Uint8Array): Uint8Array {
    return checkBlocks(blocks) === 0 ? new Uint8Array(0) : this.#parallel.decryptBlocks(blocks);
  }

  encryptCbc(iv: Uint8Array, plaintext: Uint8Array): Uint8Array {
    assertBytes(iv, "iv", SM4_BLOCK);
    const padded = addPadding(assertBytes(plaintext, "plaintext"));
    const ciphertext = this.#chained.encryptCbc(iv, padded);
    padded.fill(0);
    return ciphertext;
  }

  decryptCbc(iv: Uint8Array, ciphertext: Uint8Array): Uint8Array {
    assertBytes(iv, "iv", SM4_BLOCK);
    const { length } = assertBytes(ciphertext, "ciphertext");
    if (length === 0 || length % SM4_BLOCK !== 0) throw ciphertextInvalid();
    const plaintext = removePadding(this.#parallel.decryptCbc(iv, ciphertext));
    if (plaintext === undefined) throw ciphertextInvalid();
    return plaintext;
  }

  ctr(counter: Uint8Array, data: Uint8Array): Uint8Array {
    assertBytes(counter, "counter", SM4_BLOCK);
    return assertBytes(data, "data").length === 0 ? new Uint8Array(0) : this.#parallel.ctr(counter, data);
  }
}

function checkBlocks(blocks: Uint8Array): number {
  const { length } = assertBytes(blocks, "blocks");
  if (length % SM4_BLOCK === 0) return length;
  throw argumentRangeError(`"blocks" expected Uint8Array of a multiple of ${SM4_BLOCK} bytes, got length=${length}`);
}

function ciphertextInvalid(): FengniError<"ERR_CIPHERTEXT_INVALID"> {
  return new FengniError(
    "ERR_CIPHERTEXT_INVALID",
    "this is no ciphertext of SM4-CBC, or the key or the IV is not the one it was encrypted with",
  );
}

/**
 * Puts the checks around engines.
 * @param parallel - does what can be done for many blocks at once
 * @param chained - does CBC encryption
 */
export function checkedSm4(parallel: Sm4Engine, chained: Sm4Engine): Sm4Implementation {
  return {
    name: parallel.name,
    importKey(key) {
      checkSm4Key(key);
      const parallelKey = parallel.importKey(key);
      return new CheckedKey(parallel.name, parallelKey, chained === parallel ? parallelKey : chained.importKey(key));
    },
  };
}
