// GHASH (NIST SP 800-38D section 6.4) in TypeScript, by multiplications of integers whose bits stand three apart, so that no carry
// reaches a neighbour. It has no table to look up and no branch, and a 32-bit multiplication takes constant time on every processor
// that JavaScript engines are in use on, so that its time depends on lengths only. It must not know a cipher.
import type { Ghash, GhashKey } from "./ghash.js";
import { readWord } from "./sm4-schedule.js";

const BLOCK = 16;
// Nine products of 32 bits by 32 make one of 128 by 128 (Karatsuba, twice), and three of 16 by 16 each of those.
const PRODUCTS = 9;

// For all hashes: updates are synchronous, and each leaves zeros behind.
const SUMS: Int32Array = /* @__PURE__ */ new Int32Array(PRODUCTS);
const LOW: Int32Array = /* @__PURE__ */ new Int32Array(PRODUCTS);
const HIGH: Int32Array = /* @__PURE__ */ new Int32Array(PRODUCTS);

/** The sums of words that Karatsuba multiplies; `a3` is the most significant. */
function setSums(a3: number, a2: number, a1: number, a0: number): void {
  SUMS[0] = a0;
  SUMS[1] = a1;
  SUMS[2] = a0 ^ a1;
  SUMS[3] = a2;
  SUMS[4] = a3;
  SUMS[5] = a2 ^ a3;
  SUMS[6] = a0 ^ a2;
  SUMS[7] = a1 ^ a3;
  SUMS[8] = a0 ^ a1 ^ a2 ^ a3;
}

function wipeSums(): void {
  for (const numbers of [SUMS, LOW, HIGH]) numbers.fill(0);
}

/** Splits 16 bits by their places modulo 3. */
function setThirds(target: Int32Array, at: number, half: number): void {
  target[at] = half & 0x9249;
  target[at + 1] = half & 0x2492;
  target[at + 2] = half & 0x4924;
}

/** The carry-less product of 16 bits and the 16 bits whose thirds stand in a table. At most six ones meet in a place: three bits. */
function multiplyHalf(a: number, thirds: Int32Array, at: number): number {
  const a0 = a & 0x9249;
  const a1 = a & 0x2492;
  const a2 = a & 0x4924;
  const b0 = thirds[at] as number;
  const b1 = thirds[at + 1] as number;
  const b2 = thirds[at + 2] as number;
  return (
    ((Math.imul(a0, b0) ^ Math.imul(a1, b2) ^ Math.imul(a2, b1)) & 0x49249249) |
    ((Math.imul(a0, b1) ^ Math.imul(a1, b0) ^ Math.imul(a2, b2)) & 0x92492492) |
    ((Math.imul(a0, b2) ^ Math.imul(a1, b1) ^ Math.imul(a2, b0)) & 0x24924924)
  );
}

/** Y = (Y + X) H. */
function absorb(y: Int32Array, thirds: Int32Array, data: Uint8Array, at: number): void {
  setSums(
    (y[0] as number) ^ readWord(data, at),
    (y[1] as number) ^ readWord(data, at + 4),
    (y[2] as number) ^ readWord(data, at + 8),
    (y[3] as number) ^ readWord(data, at + 12),
  );
  for (let i = 0; i < PRODUCTS; i++) {
    const sum = SUMS[i] as number;
    const low = multiplyHalf(sum & 0xffff, thirds, 9 * i);
    const high = multiplyHalf(sum >>> 16, thirds, 9 * i + 3);
    const middle = low ^ high ^ multiplyHalf((sum & 0xffff) ^ (sum >>> 16), thirds, 9 * i + 6);
    LOW[i] = low ^ (middle << 16);
    HIGH[i] = high ^ (middle >>> 16);
  }
  reduce(y);
}

/** Adds the nine products up in their places, and takes the sum modulo x^128 + x^7 + x^2 + x + 1. */
function reduce(y: Int32Array): void {
  const [l0, l1, l3, l4, l6, l7] = [at(LOW, 0), at(LOW, 1), at(LOW, 3), at(LOW, 4), at(LOW, 6), at(LOW, 7)];
  const [h0, h1, h3, h4, h6, h7] = [at(HIGH, 0), at(HIGH, 1), at(HIGH, 3), at(HIGH, 4), at(HIGH, 6), at(HIGH, 7)];
  // Three products of 64 bits by 64, of which a and b make the outer words, least significant first, and c the middle ones.
  const a1 = h0 ^ l0 ^ l1 ^ at(LOW, 2);
  const a2 = l1 ^ h0 ^ h1 ^ at(HIGH, 2);
  const b1 = h3 ^ l3 ^ l4 ^ at(LOW, 5);
  const b2 = l4 ^ h3 ^ h4 ^ at(HIGH, 5);
  const c1 = h6 ^ l6 ^ l7 ^ at(LOW, 8);
  const c2 = l7 ^ h6 ^ h7 ^ at(HIGH, 8);
  const w0 = l0;
  const w1 = a1;
  const w2 = a2 ^ l0 ^ l3 ^ l6;
  const w3 = h1 ^ a1 ^ b1 ^ c1;
  const w4 = l3 ^ a2 ^ b2 ^ c2;
  const w5 = b1 ^ h1 ^ h4 ^ h7;
  const w6 = b2;
  const w7 = h4;
  // The product of two reversed polynomials of 128 coefficients is reversed in 255 bits: one place up makes it 256.
  const v0 = w0 << 1;
  const v1 = (w1 << 1) | (w0 >>> 31);
  const v2 = (w2 << 1) | (w1 >>> 31);
  // x^128 = 1 + x + x^2 + x^7. Word 3 last, since the words below spill into it.
  const v3 = (w3 << 1) ^ (w2 >>> 31) ^ (v0 << 31) ^ (v0 << 30) ^ (v0 << 25);
  y[3] = ((w4 << 1) | (w3 >>> 31)) ^ fold(v0) ^ (v1 << 31) ^ (v1 << 30) ^ (v1 << 25);
  y[2] = ((w5 << 1) | (w4 >>> 31)) ^ fold(v1) ^ (v2 << 31) ^ (v2 << 30) ^ (v2 << 25);
  y[1] = ((w6 << 1) | (w5 >>> 31)) ^ fold(v2) ^ (v3 << 31) ^ (v3 << 30) ^ (v3 << 25);
  y[0] = ((w7 << 1) | (w6 >>> 31)) ^ fold(v3);
}

function at(numbers: Int32Array, index: number): number {
  return numbers[index] as number;
}

function fold(word: number): number {
  return word ^ (word >>> 1) ^ (word >>> 2) ^ (word >>> 7);
}

class PortableGhash implements Ghash {
  readonly #thirds: Int32Array;
  // Y, most significant word first; bit 31 of word 0 is the coefficient of x^0.
  readonly #y: Int32Array = new Int32Array(4);

  constructor(thirds: Int32Array) {
    this.#thirds = thirds;
  }

  update(data: Uint8Array): void {
    const whole = data.length - (data.length % BLOCK);
    for (let at = 0; at < whole; at += BLOCK) absorb(this.#y, this.#thirds, data, at);
    if (whole < data.length) {
      const last = new Uint8Array(BLOCK);
      last.set(data.subarray(whole));
      absorb(this.#y, this.#thirds, last, 0);
    }
    wipeSums();
  }

  digest(): Uint8Array {
    const hash = new Uint8Array(BLOCK);
    for (let i = 0; i < BLOCK; i++) hash[i] = (this.#y[i >> 2] as number) >>> (24 - 8 * (i & 3));
    this.#y.fill(0);
    return hash;
  }
}

/** GHASH in TypeScript, under a hash key of 16 bytes. */
export function createPortableGhash(h: Uint8Array): GhashKey {
  const thirds = new Int32Array(9 * PRODUCTS);
  setSums(readWord(h, 0), readWord(h, 4), readWord(h, 8), readWord(h, 12));
  for (let i = 0; i < PRODUCTS; i++) {
    const sum = SUMS[i] as number;
    setThirds(thirds, 9 * i, sum & 0xffff);
    setThirds(thirds, 9 * i + 3, sum >>> 16);
    setThirds(thirds, 9 * i + 6, (sum & 0xffff) ^ (sum >>> 16));
  }
  wipeSums();
  return { begin: () => new PortableGhash(thirds) };
}
