// GHASH in AssemblyScript (NIST SP 800-38D section 6.4): short data by multiplications of integers whose bits stand four apart, so that
// no carry reaches a neighbour; long data by looking half bytes up in tables that lie in vectors, 16 blocks at a time. Neither has
// an address or a branch that depends on a key or on data. It must not know a cipher.
import { BLOCK, H, HALVES, LANE_BLOCKS, LANE_BYTES, POWER, SPARE, TABLES, useTables, Y } from "./memory";

// What 16 blocks take, and a table of them.
const GROUP: usize = 256;
// From this many bytes on the tables save more time than they cost.
const LONG: usize = 1536;

/** A word, twice. */
function twice(word: u32): u64 {
  return ((<u64>word) << 32) | word;
}

/** Multiplies in GF(2)[x], the lower 64 bits. */
function multiplyLow(x: u64, y: u64): u64 {
  const m0 = twice(0x11111111);
  const m1 = twice(0x22222222);
  const m2 = twice(0x44444444);
  const m3 = twice(0x88888888);
  const x0 = x & m0;
  const x1 = x & m1;
  const x2 = x & m2;
  const x3 = x & m3;
  const y0 = y & m0;
  const y1 = y & m1;
  const y2 = y & m2;
  const y3 = y & m3;
  const z0 = (x0 * y0) ^ (x1 * y3) ^ (x2 * y2) ^ (x3 * y1);
  const z1 = (x0 * y1) ^ (x1 * y0) ^ (x2 * y3) ^ (x3 * y2);
  const z2 = (x0 * y2) ^ (x1 * y1) ^ (x2 * y0) ^ (x3 * y3);
  const z3 = (x0 * y3) ^ (x1 * y2) ^ (x2 * y1) ^ (x3 * y0);
  return (z0 & m0) | (z1 & m1) | (z2 & m2) | (z3 & m3);
}

/** Reverses the bits: the upper half of a product is the lower half of the product of the reversed factors, reversed. */
function reverse(x: u64): u64 {
  x = ((x & twice(0x55555555)) << 1) | ((x >> 1) & twice(0x55555555));
  x = ((x & twice(0x33333333)) << 2) | ((x >> 2) & twice(0x33333333));
  x = ((x & twice(0x0f0f0f0f)) << 4) | ((x >> 4) & twice(0x0f0f0f0f));
  return bswap(x);
}

/** Takes blocks at `data..end-1` into a value: Y = (Y + X) key for each. */
function hashBlocks(value: usize, key: usize, data: usize, end: usize): void {
  let y1 = bswap(load<u64>(value));
  let y0 = bswap(load<u64>(value, 8));
  const h1 = bswap(load<u64>(key));
  const h0 = bswap(load<u64>(key, 8));
  const h2 = h0 ^ h1;
  const h0r = reverse(h0);
  const h1r = reverse(h1);
  const h2r = h0r ^ h1r;
  for (; data < end; data += BLOCK) {
    y1 ^= bswap(load<u64>(data));
    y0 ^= bswap(load<u64>(data, 8));
    const y0r = reverse(y0);
    const y1r = reverse(y1);
    const low = multiplyLow(y0, h0);
    const high = multiplyLow(y1, h1);
    const cross = multiplyLow(y0 ^ y1, h2) ^ low ^ high;
    const lowReversed = multiplyLow(y0r, h0r);
    const highReversed = multiplyLow(y1r, h1r);
    const crossReversed = multiplyLow(y0r ^ y1r, h2r) ^ lowReversed ^ highReversed;
    // The product's four words, the lowest first. Reversed factors give 255 bits: one place up makes it 256.
    const w0 = low;
    const w1 = cross ^ (reverse(lowReversed) >> 1);
    const w2 = high ^ (reverse(crossReversed) >> 1);
    const w3 = reverse(highReversed) >> 1;
    const v0 = w0 << 1;
    // x^128 = 1 + x + x^2 + x^7. Word 1 takes what word 0 spills before it is folded itself.
    const v1 = ((w1 << 1) | (w0 >> 63)) ^ (v0 << 63) ^ (v0 << 62) ^ (v0 << 57);
    const v2 = ((w2 << 1) | (w1 >> 63)) ^ v0 ^ (v0 >> 1) ^ (v0 >> 2) ^ (v0 >> 7);
    const v3 = (w3 << 1) | (w2 >> 63);
    y0 = v2 ^ (v1 << 63) ^ (v1 << 62) ^ (v1 << 57);
    y1 = v3 ^ v1 ^ (v1 >> 1) ^ (v1 >> 2) ^ (v1 >> 7);
  }
  store<u64>(value, bswap(y1));
  store<u64>(value, bswap(y0), 8);
}

function square(value: usize): void {
  v128.store(SPARE, v128.load(value));
  v128.store(value, i64x2(0, 0));
  hashBlocks(value, SPARE, SPARE, SPARE + BLOCK);
}

function interleaveLow(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
function interleaveHigh(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/** A quarter of a transposition: rows i and i + 8 become rows 2i and 2i + 1. */
function interleave(from: usize, to: usize): void {
  for (let i: usize = 0; i < GROUP / 2; i += 16) {
    const a = v128.load(from + i);
    const b = v128.load(from + i, GROUP / 2);
    v128.store(to + 2 * i, interleaveLow(a, b));
    v128.store(to + 2 * i, interleaveHigh(a, b), 16);
  }
}

/** Transposes 16 rows of 16 bytes. */
function transpose(from: usize, to: usize): void {
  interleave(from, SPARE);
  interleave(SPARE, to);
  interleave(to, SPARE);
  interleave(SPARE, to);
}

/** Makes the tables of the products of H^16: a half byte, its place, and a byte of the product are what an entry is found by. */
function prepareTables(): void {
  useTables();
  v128.store(POWER, v128.load(H));
  for (let i = 0; i < 4; i++) square(POWER);
  let high = bswap(load<u64>(POWER));
  let low = bswap(load<u64>(POWER, 8));
  for (let table = TABLES; table < TABLES + 32 * GROUP; table += GROUP) {
    // The bits of a half byte from 8 down to 1 are rising powers of x.
    v128.store(LANE_BLOCKS, i64x2(0, 0));
    for (let bit: usize = 8; bit > 0; bit >>= 1) {
      store<u64>(LANE_BLOCKS + BLOCK * bit, bswap(high));
      store<u64>(LANE_BLOCKS + BLOCK * bit, bswap(low), 8);
      const carry = low & 1;
      low = (low >> 1) | (high << 63);
      high = (high >> 1) ^ ((0 - carry) & 0xe100000000000000);
    }
    for (let bit: usize = 2; bit < 16; bit <<= 1) {
      const row = LANE_BLOCKS + BLOCK * bit;
      for (let rest: usize = BLOCK; rest < BLOCK * bit; rest += BLOCK) {
        v128.store(row + rest, v128.xor(v128.load(row), v128.load(LANE_BLOCKS + rest)));
      }
    }
    transpose(LANE_BLOCKS, table);
  }
}

/** Looks 16 half bytes up. They are in range, so that both instructions give the same. */
function look(table: usize, halves: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i8x16.relaxed_swizzle(v128.load(table), halves);
  return i8x16.swizzle(v128.load(table), halves);
}

/** Multiplies the 16 values in LANE_BYTES by H^16 and adds the 16 bytes at the same places of LANE_BLOCKS, which are transposed too. */
function multiplyLanes(): void {
  const mask = i8x16.splat(15);
  for (let i: usize = 0; i < GROUP; i += 16) {
    const bytes = v128.load(LANE_BYTES + i);
    v128.store(HALVES + 2 * i, v128.and(i16x8.shr_u(bytes, 4), mask));
    v128.store(HALVES + 2 * i, v128.and(bytes, mask), 16);
  }
  for (let i: usize = 0; i < GROUP; i += 128) {
    let b0 = v128.load(LANE_BLOCKS + i);
    let b1 = v128.load(LANE_BLOCKS + i, 16);
    let b2 = v128.load(LANE_BLOCKS + i, 32);
    let b3 = v128.load(LANE_BLOCKS + i, 48);
    let b4 = v128.load(LANE_BLOCKS + i, 64);
    let b5 = v128.load(LANE_BLOCKS + i, 80);
    let b6 = v128.load(LANE_BLOCKS + i, 96);
    let b7 = v128.load(LANE_BLOCKS + i, 112);
    let table = TABLES + i;
    for (let half: usize = HALVES; half < HALVES + 512; half += 16) {
      const halves = v128.load(half);
      b0 = v128.xor(b0, look(table, halves));
      b1 = v128.xor(b1, look(table + 16, halves));
      b2 = v128.xor(b2, look(table + 32, halves));
      b3 = v128.xor(b3, look(table + 48, halves));
      b4 = v128.xor(b4, look(table + 64, halves));
      b5 = v128.xor(b5, look(table + 80, halves));
      b6 = v128.xor(b6, look(table + 96, halves));
      b7 = v128.xor(b7, look(table + 112, halves));
      table += GROUP;
    }
    v128.store(LANE_BYTES + i, b0);
    v128.store(LANE_BYTES + i, b1, 16);
    v128.store(LANE_BYTES + i, b2, 32);
    v128.store(LANE_BYTES + i, b3, 48);
    v128.store(LANE_BYTES + i, b4, 64);
    v128.store(LANE_BYTES + i, b5, 80);
    v128.store(LANE_BYTES + i, b6, 96);
    v128.store(LANE_BYTES + i, b7, 112);
  }
}

/** Takes groups of 16 blocks: lane l holds what blocks l, l + 16 and so on give, and the lanes are added up at the end. */
function hashGroups(data: usize, end: usize): void {
  prepareTables();
  // Y goes into the first block, as ever.
  memory.copy(LANE_BLOCKS, data, GROUP);
  v128.store(LANE_BLOCKS, v128.xor(v128.load(LANE_BLOCKS), v128.load(Y)));
  transpose(LANE_BLOCKS, LANE_BYTES);
  for (data += GROUP; data < end; data += GROUP) {
    transpose(data, LANE_BLOCKS);
    multiplyLanes();
  }
  transpose(LANE_BYTES, LANE_BLOCKS);
  v128.store(Y, i64x2(0, 0));
  hashBlocks(Y, H, LANE_BLOCKS, LANE_BLOCKS + GROUP);
}

/** Takes data into Y under H. Up to 15 bytes after it are overwritten with zeros. */
export function hash(data: usize, length: usize): void {
  const end = data + ((length + BLOCK - 1) & ~(BLOCK - 1));
  memory.fill(data + length, 0, end - data - length);
  if (length >= LONG) {
    const groups = data + (length & ~(GROUP - 1));
    hashGroups(data, groups);
    data = groups;
  }
  hashBlocks(Y, H, data, end);
}
