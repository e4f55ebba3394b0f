// What GCM adds around a block cipher and GHASH (NIST SP 800-38D section 7): the counter blocks, the block of lengths, and parts of any
// length for what works on whole blocks. It must not know which implementation it serves.
import type { GcmOpening } from "./sm4-gcm-checked.js";

/** Bytes of a block. */
export const GCM_BLOCK = 16;

/** Writes the block of both lengths, in bits, that GHASH takes last. Section 7.1 step 5. */
export function writeLengths(view: DataView, at: number, aadLength: number, length: number): void {
  view.setUint32(at, Math.floor(aadLength / 2 ** 29));
  view.setUint32(at + 4, aadLength << 3);
  view.setUint32(at + 8, Math.floor(length / 2 ** 29));
  view.setUint32(at + 12, length << 3);
}

/** The counter block of a 12-byte nonce: 1 is the one for the tag, the data's begin at 2. Section 7.1 steps 2 and 3. */
export function counterBlock(nonce: Uint8Array, counter: number): Uint8Array {
  const block = new Uint8Array(GCM_BLOCK);
  block.set(nonce);
  new DataView(block.buffer).setUint32(12, counter);
  return block;
}

/** Adds a mask to a block, in place. */
export function addMask(block: Uint8Array, mask: Uint8Array): Uint8Array {
  for (let i = 0; i < GCM_BLOCK; i++) block[i] = (block[i] as number) ^ (mask[i] as number);
  return block;
}

/** A message that is being opened block by block. */
export interface BlockOpening {
  /** Gives a new buffer of the same length, a multiple of 16 bytes. */
  decrypt(blocks: Uint8Array): Uint8Array;
  /** Takes the last 0..15 bytes; gives undefined if the tag does not fit, and then leaves no plaintext of them. */
  finish(rest: Uint8Array, tag: Uint8Array): Uint8Array | undefined;
  /** Overwrites what is held. */
  wipe(): void;
}

/** Parts of any length for a {@link BlockOpening}: the ciphertext of an incomplete block waits. */
export class PartsOpening implements GcmOpening {
  readonly #opening: BlockOpening;
  readonly #waiting: Uint8Array = new Uint8Array(GCM_BLOCK);
  #length = 0;

  constructor(opening: BlockOpening) {
    this.#opening = opening;
  }

  update(part: Uint8Array): Uint8Array {
    const length = this.#length + part.length;
    const whole = length - (length % GCM_BLOCK);
    if (whole === 0) {
      this.#waiting.set(part, this.#length);
      this.#length = length;
      return new Uint8Array(0);
    }
    let joined = part;
    if (this.#length > 0) {
      joined = new Uint8Array(length);
      joined.set(this.#waiting.subarray(0, this.#length));
      joined.set(part, this.#length);
    }
    const plaintext = this.#opening.decrypt(joined.subarray(0, whole));
    this.#waiting.set(joined.subarray(whole));
    this.#length = length - whole;
    return plaintext;
  }

  final(tag: Uint8Array): Uint8Array | undefined {
    return this.#opening.finish(this.#waiting.subarray(0, this.#length), tag);
  }

  abort(): void {
    this.#opening.wipe();
  }
}
