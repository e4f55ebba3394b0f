// SM3 in TypeScript (GB/T 32905-2016): padding and parts around the compression function. Its time depends on lengths only. It must
// not check arguments nor know the runtime.
import type { HashState } from "./hash-checked.js";
import { compressSm3 } from "./sm3-compress.js";

/** Bytes of a block. */
export const SM3_BLOCK = 64;
/** Bytes of a digest. */
const DIGEST = 32;
// GB/T 32905-2016 section 4.1.
const INITIAL: Int32Array = /* @__PURE__ */ Int32Array.of(
  0x7380166f,
  0x4914b2b9,
  0x172442d7,
  0xda8a0600,
  0xa96f30bc,
  0x163138aa,
  0xe38dee4d,
  0xb0fb0e4e,
);

class PortableSm3 implements HashState {
  readonly #state: Int32Array = new Int32Array(INITIAL);
  // Two blocks, since the padding may need a second one.
  readonly #block: Uint8Array = new Uint8Array(2 * SM3_BLOCK);
  #filled = 0;
  /** Bytes taken so far; exact up to 2^53. */
  #length = 0;

  /** Forgets what was taken, also by a call that was cut short. */
  reset(): void {
    this.#state.set(INITIAL);
    this.#filled = 0;
    this.#length = 0;
  }

  update(data: Uint8Array): void {
    const { length } = data;
    this.#length += length;
    let start = 0;
    if (this.#filled > 0) {
      start = Math.min(length, SM3_BLOCK - this.#filled);
      this.#keep(data, 0, start);
      if (this.#filled < SM3_BLOCK) return;
      compressSm3(this.#state, this.#block, 0, SM3_BLOCK);
      this.#filled = 0;
    }
    const end = length - ((length - start) % SM3_BLOCK);
    compressSm3(this.#state, data, start, end);
    this.#keep(data, end, length);
  }

  #keep(data: Uint8Array, start: number, end: number): void {
    let filled = this.#filled;
    // A loop: parts of a block are too short for set() and subarray() to pay.
    for (let i = start; i < end; i++) this.#block[filled++] = data[i] as number;
    this.#filled = filled;
  }

  /** Gives the digest, overwrites what is held, and is ready for another message. */
  digest(): Uint8Array {
    const [state, block] = [this.#state, this.#block];
    // Section 5.2: a one bit, zeros, and the length in bits as 64 bits.
    const end = this.#filled < SM3_BLOCK - 8 ? SM3_BLOCK : 2 * SM3_BLOCK;
    block[this.#filled] = 0x80;
    block.fill(0, this.#filled + 1, end);
    writeWord(block, end - 8, Math.floor(this.#length / 2 ** 29));
    writeWord(block, end - 4, this.#length << 3);
    compressSm3(state, block, 0, end);
    const digest = new Uint8Array(DIGEST);
    for (let i = 0; i < DIGEST / 4; i++) writeWord(digest, 4 * i, state[i] as number);
    block.fill(0);
    this.reset();
    return digest;
  }
}

function writeWord(target: Uint8Array, at: number, word: number): void {
  target[at] = word >>> 24;
  target[at + 1] = word >>> 16;
  target[at + 2] = word >>> 8;
  target[at + 3] = word;
}

/** Begins a hash. */
export function beginSm3(): HashState {
  return new PortableSm3();
}

// One for all messages that are there as a whole: a digest holds nothing afterwards, and to make a new one takes as long as a block.
const WHOLE: PortableSm3 = /* @__PURE__ */ new PortableSm3();

/** Hashes parts as if they were joined. */
export function digestSm3(data: readonly Uint8Array[]): Uint8Array {
  // Where a call was cut short (a stack overflow that was caught, a script that was terminated) its data is still in there.
  WHOLE.reset();
  for (const part of data) WHOLE.update(part);
  return WHOLE.digest();
}
