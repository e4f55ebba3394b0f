// SM4-CCM (GB/T 32907-2016 with NIST SP 800-38C; RFC 8998): the public shapes, the checks, and the choice. It must not know how an
// implementation does SM4, nor how nonces are made.
import type { Sealed } from "./aes-gcm.js";
import { argumentRangeError, assertBytes } from "./assert.js";
import { authenticationError } from "./errors.js";
import { openCcm, sealCcm } from "./sm4-ccm-blocks.js";
import { checkSm4Key, type Sm4Engine, type Sm4EngineKey } from "./sm4-checked.js";
import { sm4ChainSelector, sm4Selector } from "./sm4-select.js";

export type { Sealed } from "./aes-gcm.js";

const MIN_NONCE = 7;
const MAX_NONCE = 13;
// What a Uint8Array may hold everywhere.
const MAX_LENGTH = 2 ** 31 - 1;
// SP 800-38C appendix A.1.
const TAG_LENGTHS: readonly number[] = [4, 6, 8, 10, 12, 14, 16];
const DEFAULT_TAG_LENGTH = 16;

/** An SM4-CCM key that is ready for use. */
export interface Sm4CcmKey {
  /** `wasm-relaxed`, `wasm`, `node` or `portable`: what encrypts. */
  readonly implementation: string;
  /** Bytes of each tag. */
  readonly tagLength: number;
  /**
   * Encrypts and authenticates.
   * @param nonce - 7..13 bytes, never used twice with one key
   * @param aad - additional authenticated data, at most 2^31-1 bytes
   * @param plaintext - less than 256^(15 - n) bytes for a nonce of n bytes, and at most 2^31-1
   * @returns new buffers that the caller owns; NIST SP 800-38C section 6.1
   * @throws TypeError or RangeError `ERR_ARGUMENT` for wrong arguments
   */
  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Sealed;
  /**
   * Verifies and decrypts.
   * @param nonce - 7..13 bytes
   * @param aad - the same additional authenticated data
   * @param ciphertext - as long as the plaintext was
   * @param tag - as long as the key's tags
   * @returns a new buffer that the caller owns; NIST SP 800-38C section 6.2
   * @throws FengniError `ERR_AUTHENTICATION` if the tag does not fit; TypeError or RangeError `ERR_ARGUMENT` for wrong arguments
   */
  open(nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array, tag: Uint8Array): Uint8Array;
}

/** One way to do SM4-CCM. */
export interface Sm4CcmImplementation {
  readonly name: string;
  /** As {@link importSm4CcmKey}, with this implementation. */
  importKey(key: Uint8Array, tagLength?: number): Sm4CcmKey;
}

class CheckedKey implements Sm4CcmKey {
  readonly implementation: string;
  readonly tagLength: number;
  readonly #cipher: Sm4EngineKey;
  readonly #chain: Sm4EngineKey;

  constructor(implementation: string, tagLength: number, cipher: Sm4EngineKey, chain: Sm4EngineKey) {
    this.implementation = implementation;
    this.tagLength = tagLength;
    this.#cipher = cipher;
    this.#chain = chain;
  }

  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Sealed {
    checkMessage(nonce, aad, plaintext, "plaintext");
    return sealCcm(this.#cipher, this.#chain, this.tagLength, nonce, aad, plaintext);
  }

  open(nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array, tag: Uint8Array): Uint8Array {
    checkMessage(nonce, aad, ciphertext, "ciphertext");
    assertBytes(tag, "tag", this.tagLength);
    const plaintext = openCcm(this.#cipher, this.#chain, nonce, aad, ciphertext, tag);
    if (plaintext === undefined) throw authenticationError();
    return plaintext;
  }
}

function checkMessage(nonce: Uint8Array, aad: Uint8Array, data: Uint8Array, title: string): void {
  const { length } = assertBytes(nonce, "nonce");
  if (length < MIN_NONCE || length > MAX_NONCE) {
    throw argumentRangeError(`"nonce" expected Uint8Array of ${MIN_NONCE}..${MAX_NONCE} bytes, got length=${length}`);
  }
  checkLength(aad, "aad", MAX_LENGTH);
  // The length has 15 - n bytes. SP 800-38C appendix A.1.
  checkLength(data, title, Math.min(MAX_LENGTH, 256 ** (15 - length) - 1));
}

function checkLength(bytes: Uint8Array, title: string, maximum: number): void {
  const { length } = assertBytes(bytes, title);
  if (length > maximum) {
    throw argumentRangeError(`"${title}" expected Uint8Array of at most ${maximum} bytes, got length=${length}`);
  }
}

function checkedCcm(cipher: Sm4Engine, chain: Sm4Engine): Sm4CcmImplementation {
  return {
    name: cipher.name,
    importKey(key, tagLength = DEFAULT_TAG_LENGTH) {
      checkSm4Key(key);
      if (!TAG_LENGTHS.includes(tagLength)) {
        throw argumentRangeError(`"tagLength" expected one of ${TAG_LENGTHS.join(", ")}, got ${String(tagLength)}`);
      }
      return new CheckedKey(cipher.name, tagLength, cipher.importKey(key), chain.importKey(key));
    },
  };
}

/**
 * Makes a raw key ready for SM4-CCM, with the best implementation of this runtime for each half of the mode. Its authentication is a chain
 * in which one block waits for another: prefer SM4-GCM. Where node:crypto is there it does the chain, with tables, so that its timing
 * may depend on the key where an attacker shares the processor's cache; the other implementations are constant-time as far as the
 * engine keeps them so.
 * @param key - 16 bytes; copied, so the caller may wipe it afterwards
 * @param tagLength - 4, 6, 8, 10, 12, 14 or 16 bytes, default 16; short tags are forged sooner (SP 800-38C appendix B)
 * @returns the key
 * @throws TypeError or RangeError `ERR_ARGUMENT` for another type or length
 */
export function importSm4CcmKey(key: Uint8Array, tagLength: number = DEFAULT_TAG_LENGTH): Sm4CcmKey {
  // The portable one needs nothing of the runtime, so one is always chosen.
  const [cipher, chain] = [sm4Selector.chosen() as Sm4Engine, sm4ChainSelector.chosen() as Sm4Engine];
  return checkedCcm(cipher, chain).importKey(key, tagLength);
}

/**
 * Lists every SM4-CCM implementation that this runtime has, each by itself, for tests and benchmarks.
 * @returns the implementations, best first: at least `portable`
 */
export function sm4CcmImplementations(): readonly Sm4CcmImplementation[] {
  return sm4Selector.available().map((engine) => checkedCcm(engine, engine));
}
