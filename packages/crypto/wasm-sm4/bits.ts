// Turning blocks into bits and back, in AssemblyScript. It must not know SM4.
//
// A word of 32 blocks is eight vectors: vector b holds bit b of each byte; its four lanes are the word's four bytes, the first one in
// lane 0; the bits of a lane are the 32 blocks. While bytes are whole, vector i holds the blocks i, 8 + i, 16 + i and 24 + i.
import { BLOCK, WORD } from "./memory";

const GROUP: usize = 8 * BLOCK;

/** Four bytes, one to a lane. */
function lanesOf(bytes: usize): v128 {
  const word = v128.load32_zero(bytes);
  return v128.shuffle<u8>(word, i64x2(0, 0), 0, 16, 16, 16, 1, 16, 16, 16, 2, 16, 16, 16, 3, 16, 16, 16);
}

/** One bit of the byte in each lane, as lanes of zeros or of ones. */
export function maskOf(lanes: v128, bit: i32): v128 {
  return i32x4.shr_s(i32x4.shl(lanes, 31 - bit), 31);
}

/** Reads four bytes and writes them as a word, the same in all blocks. */
export function spread(bytes: usize, word: usize): void {
  const lanes = lanesOf(bytes);
  for (let bit = 0; bit < 8; bit++) v128.store(word + 16 * bit, maskOf(lanes, bit));
}

/** Reads a word that is the same in all blocks and writes its four bytes. */
export function collect(word: usize, bytes: usize): void {
  let lanes = i64x2(0, 0);
  for (let bit = 0; bit < 8; bit++) {
    lanes = v128.or(lanes, v128.and(v128.load(word + 16 * bit), i32x4.splat(1 << bit)));
  }
  const packed = v128.shuffle<u8>(lanes, lanes, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12);
  store<u32>(bytes, i32x4.extract_lane(packed, 0));
}

/** Four words of four bytes: byte k of word m to byte m of word k, and back. */
function turn(bytes: v128): v128 {
  return v128.shuffle<u8>(bytes, bytes, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
}

/** Exchanges bits of two vectors: those of the first under the mask shifted up by `shift`, and those of the second under the mask. */
function exchange(first: usize, second: usize, shift: i32, mask: v128): void {
  const a = v128.load(first);
  const b = v128.load(second);
  const difference = v128.and(v128.xor(i32x4.shr_u(a, shift), b), mask);
  v128.store(second, v128.xor(b, difference));
  v128.store(first, v128.xor(a, i32x4.shl(difference, shift)));
}

/** Turns eight vectors of bytes into eight vectors of bits, and back. */
function transpose(word: usize): void {
  const one = i32x4.splat(0x55555555);
  const two = i32x4.splat(0x33333333);
  const four = i32x4.splat(0x0f0f0f0f);
  for (let i: usize = 0; i < WORD; i += 32) exchange(word + i, word + i + 16, 1, one);
  for (let i: usize = 0; i < WORD; i += 64) {
    exchange(word + i, word + i + 32, 2, two);
    exchange(word + i + 16, word + i + 48, 2, two);
  }
  for (let i: usize = 0; i < WORD / 2; i += 16) exchange(word + i, word + i + 64, 4, four);
}

/** Writes a word that counts up from block to block, from a start, modulo 2^32. */
export function count(start: u32, word: usize): void {
  let counters = i32x4.add(i32x4.splat(start), i32x4(0, 8, 16, 24));
  for (let i: usize = 0; i < WORD; i += 16) {
    // The counter's first byte is its most significant one.
    v128.store(word + i, v128.shuffle<u8>(counters, counters, 3, 7, 11, 15, 2, 6, 10, 14, 1, 5, 9, 13, 0, 4, 8, 12));
    counters = i32x4.add(counters, i32x4.splat(1));
  }
  transpose(word);
}

/** Reads 32 blocks into the four words of a state. */
export function loadBlocks(blocks: usize, state: usize): void {
  for (let i: usize = 0; i < GROUP; i += BLOCK) {
    const a = v128.load(blocks + i);
    const b = v128.load(blocks + i, GROUP);
    const c = v128.load(blocks + i, 2 * GROUP);
    const d = v128.load(blocks + i, 3 * GROUP);
    const ab = v128.shuffle<u32>(a, b, 0, 4, 1, 5);
    const cd = v128.shuffle<u32>(c, d, 0, 4, 1, 5);
    const ab2 = v128.shuffle<u32>(a, b, 2, 6, 3, 7);
    const cd2 = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
    v128.store(state + i, turn(v128.shuffle<u64>(ab, cd, 0, 2)));
    v128.store(state + i, turn(v128.shuffle<u64>(ab, cd, 1, 3)), WORD);
    v128.store(state + i, turn(v128.shuffle<u64>(ab2, cd2, 0, 2)), 2 * WORD);
    v128.store(state + i, turn(v128.shuffle<u64>(ab2, cd2, 1, 3)), 3 * WORD);
  }
  for (let i: usize = 0; i < 4; i++) transpose(state + WORD * i);
}

function addBlock(target: usize, source: usize, block: v128): void {
  v128.store(target, v128.xor(v128.load(source), block));
}

/** Adds the four words of a state, the last one first, to 32 blocks, and writes the sums. The state is lost. */
export function storeBlocks(state: usize, source: usize, target: usize): void {
  for (let i: usize = 0; i < 4; i++) transpose(state + WORD * i);
  for (let i: usize = 0; i < GROUP; i += BLOCK) {
    const a = turn(v128.load(state + i, 3 * WORD));
    const b = turn(v128.load(state + i, 2 * WORD));
    const c = turn(v128.load(state + i, WORD));
    const d = turn(v128.load(state + i));
    const ab = v128.shuffle<u32>(a, b, 0, 4, 1, 5);
    const cd = v128.shuffle<u32>(c, d, 0, 4, 1, 5);
    const ab2 = v128.shuffle<u32>(a, b, 2, 6, 3, 7);
    const cd2 = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
    addBlock(target + i, source + i, v128.shuffle<u64>(ab, cd, 0, 2));
    addBlock(target + i + GROUP, source + i + GROUP, v128.shuffle<u64>(ab, cd, 1, 3));
    addBlock(target + i + 2 * GROUP, source + i + 2 * GROUP, v128.shuffle<u64>(ab2, cd2, 0, 2));
    addBlock(target + i + 3 * GROUP, source + i + 3 * GROUP, v128.shuffle<u64>(ab2, cd2, 1, 3));
  }
}
