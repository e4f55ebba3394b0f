// SM4-GCM made of a counter mode and a GHASH, whichever they are: constant-time if both are. It must not check arguments
// (sm4-gcm-checked.ts does).
import type { Sealed } from "./aes-gcm.js";
import { equalBytes } from "./bytes.js";
import type { Ghash, GhashKey } from "./ghash.js";
import type { Sm4Engine, Sm4EngineKey } from "./sm4-checked.js";
import { addMask, type BlockOpening, counterBlock, GCM_BLOCK, PartsOpening, writeLengths } from "./sm4-gcm-blocks.js";
import type { GcmEngine, GcmEngineKey, GcmOpening } from "./sm4-gcm-checked.js";

function lengthBlock(aadLength: number, length: number): Uint8Array {
  const block = new Uint8Array(GCM_BLOCK);
  writeLengths(new DataView(block.buffer), 0, aadLength, length);
  return block;
}

class ComposedKey implements GcmEngineKey {
  readonly #sm4: Sm4EngineKey;
  readonly #ghash: GhashKey;

  constructor(sm4: Sm4EngineKey, createGhash: (h: Uint8Array) => GhashKey) {
    this.#sm4 = sm4;
    // SP 800-38D section 7.1 step 1.
    const h = sm4.encryptBlocks(new Uint8Array(GCM_BLOCK));
    this.#ghash = createGhash(h);
    h.fill(0);
  }

  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Sealed {
    const { mask, result } = this.#crypt(nonce, plaintext);
    return { ciphertext: result, tag: this.#tag(mask, aad, result) };
  }

  open(nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array, tag: Uint8Array): Uint8Array | undefined {
    const { mask, result } = this.#crypt(nonce, ciphertext);
    if (equalBytes(this.#tag(mask, aad, ciphertext), tag)) return result;
    result.fill(0);
    return undefined;
  }

  /** Encrypts or decrypts, and makes the tag's mask on the way: to begin a key stream twice would cost more than to copy. */
  #crypt(nonce: Uint8Array, data: Uint8Array): { mask: Uint8Array; result: Uint8Array } {
    const input = new Uint8Array(GCM_BLOCK + data.length);
    input.set(data, GCM_BLOCK);
    const output = this.#sm4.ctr(counterBlock(nonce, 1), input);
    input.fill(0);
    const mask = new Uint8Array(output.subarray(0, GCM_BLOCK));
    output.fill(0, 0, GCM_BLOCK);
    return { mask, result: output.subarray(GCM_BLOCK) };
  }

  #tag(mask: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Uint8Array {
    const ghash = this.#ghash.begin();
    ghash.update(aad);
    ghash.update(ciphertext);
    ghash.update(lengthBlock(aad.length, ciphertext.length));
    const tag = addMask(ghash.digest(), mask);
    mask.fill(0);
    return tag;
  }

  begin(nonce: Uint8Array, aad: Uint8Array): GcmOpening {
    return new PartsOpening(new ComposedOpening(this.#sm4, this.#ghash.begin(), nonce, aad));
  }
}

class ComposedOpening implements BlockOpening {
  readonly #sm4: Sm4EngineKey;
  readonly #ghash: Ghash;
  readonly #nonce: Uint8Array;
  readonly #aadLength: number;
  #blocks = 0;

  constructor(sm4: Sm4EngineKey, ghash: Ghash, nonce: Uint8Array, aad: Uint8Array) {
    this.#sm4 = sm4;
    this.#ghash = ghash;
    this.#nonce = new Uint8Array(nonce);
    this.#aadLength = aad.length;
    ghash.update(aad);
  }

  decrypt(blocks: Uint8Array): Uint8Array {
    this.#ghash.update(blocks);
    const plaintext = this.#sm4.ctr(counterBlock(this.#nonce, this.#blocks + 2), blocks);
    this.#blocks += blocks.length / GCM_BLOCK;
    return plaintext;
  }

  finish(rest: Uint8Array, tag: Uint8Array): Uint8Array | undefined {
    const length = GCM_BLOCK * this.#blocks + rest.length;
    const plaintext = rest.length > 0 ? this.decrypt(rest) : new Uint8Array(0);
    this.#ghash.update(lengthBlock(this.#aadLength, length));
    const mask = this.#sm4.ctr(counterBlock(this.#nonce, 1), new Uint8Array(GCM_BLOCK));
    const expected = addMask(this.#ghash.digest(), mask);
    mask.fill(0);
    if (equalBytes(expected, tag)) return plaintext;
    plaintext.fill(0);
    return undefined;
  }

  wipe(): void {
    this.#ghash.digest().fill(0);
  }
}

/** SM4-GCM made of parts. */
export function createComposedSm4Gcm(
  name: string,
  sm4: Sm4Engine,
  createGhash: (h: Uint8Array) => GhashKey,
): GcmEngine {
  return { name, importKey: (key) => new ComposedKey(sm4.importKey(key), createGhash) };
}
