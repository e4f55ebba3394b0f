// SM4 on 32 blocks at a time, bit by bit, in AssemblyScript (GB/T 32907-2016 section 6): logic, shifts and exchanges of lanes only, so
// that no address and no branch depends on key or data. It must not know modes beyond what they ask of blocks.
import { collect, count, loadBlocks, maskOf, spread, storeBlocks } from "./bits";
import {
  BATCH,
  BLOCK,
  KEY,
  KEYS,
  NONCE,
  NONCE_MASKS,
  SCHEDULE,
  SOURCE,
  STATE,
  SUBSTITUTED,
  TARGET,
  WORD,
  ZEROS,
} from "./memory";
import { substitute } from "./sbox";

const ROUNDS: usize = 32;

// A word rotated by 8, 16 and 24 bits: the lanes move up.
function rotate8(lanes: v128): v128 {
  return v128.shuffle<u32>(lanes, lanes, 1, 2, 3, 0);
}
function rotate16(lanes: v128): v128 {
  return v128.shuffle<u32>(lanes, lanes, 2, 3, 0, 1);
}
function rotate24(lanes: v128): v128 {
  return v128.shuffle<u32>(lanes, lanes, 3, 0, 1, 2);
}

function input(a: usize, b: usize, c: usize, d: usize): v128 {
  return v128.xor(v128.xor(v128.load(a), v128.load(b)), v128.xor(v128.load(c), v128.load(d)));
}

/** Adds up four words and puts the sum through the S-box without its constants, to SUBSTITUTED. */
function substituteSum(a: usize, b: usize, c: usize, d: usize): void {
  substitute(
    input(a, b, c, d),
    input(a + 16, b + 16, c + 16, d + 16),
    input(a + 32, b + 32, c + 32, d + 32),
    input(a + 48, b + 48, c + 48, d + 48),
    input(a + 64, b + 64, c + 64, d + 64),
    input(a + 80, b + 80, c + 80, d + 80),
    input(a + 96, b + 96, c + 96, d + 96),
    input(a + 112, b + 112, c + 112, d + 112),
  );
}

// The constants that the S-box leaves out, one byte of each: before it, and what the one after it becomes by L and by L'. sm4-schedule.ts
// explains how they go into the round keys.
const BEFORE: i32 = 0x75;
const AFTER_L: i32 = 0x4f;
const AFTER_KEY_L: i32 = 0x40;

function substituted(bit: usize): v128 {
  return v128.load(SUBSTITUTED + 16 * bit);
}

/** Adds bit b of L' y = y + (y <<< 13) + (y <<< 23) to a word, given the last two terms, and makes that bit of a round key of it. */
function addKeyBit(word: usize, key: usize, bit: i32, constant: v128, by13: v128, by23: v128): void {
  const at = 16 * <usize>bit;
  let sum = v128.xor(v128.load(word + at), v128.xor(substituted(bit), v128.xor(by13, by23)));
  if (((AFTER_KEY_L >> bit) & 1) !== 0) sum = v128.not(sum);
  v128.store(word + at, sum);
  v128.store(key + at, v128.xor(sum, maskOf(constant, bit)));
}

/** Expands KEY to the words of SCHEDULE (section 6.3). */
export function expandKey(): void {
  // FK, byte by byte, is a3b1bac6 56aa3350 677d9197 b27022dc.
  const fk = i32x4(<i32>0xc6bab1a3, 0x5033aa56, <i32>0x97917d67, <i32>0xdc2270b2);
  v128.store(KEY, v128.xor(v128.load(KEY), fk));
  for (let i: usize = 0; i < 4; i++) spread(KEY + 4 * i, STATE + WORD * i);
  let w0 = STATE;
  let w1 = STATE + WORD;
  let w2 = STATE + 2 * WORD;
  let w3 = STATE + 3 * WORD;
  // CK: each byte is 7 more than the one before.
  let ck = i32x4(0, 7, 14, 21);
  for (let round = 0; round < <i32>ROUNDS; round++) {
    const key = KEYS + WORD * round;
    const before = v128.xor(ck, i32x4.splat(BEFORE));
    for (let bit = 0; bit < 8; bit++) v128.store(key + 16 * bit, maskOf(before, bit));
    substituteSum(w1, w2, w3, key);
    const constant = i32x4.splat(((round - (round >> 2)) & 1) !== 0 ? BEFORE ^ AFTER_L : BEFORE);
    // Bits that move past the top of a byte go into the byte before.
    addKeyBit(w0, key, 0, constant, rotate16(substituted(3)), rotate24(substituted(1)));
    addKeyBit(w0, key, 1, constant, rotate16(substituted(4)), rotate24(substituted(2)));
    addKeyBit(w0, key, 2, constant, rotate16(substituted(5)), rotate24(substituted(3)));
    addKeyBit(w0, key, 3, constant, rotate16(substituted(6)), rotate24(substituted(4)));
    addKeyBit(w0, key, 4, constant, rotate16(substituted(7)), rotate24(substituted(5)));
    addKeyBit(w0, key, 5, constant, rotate8(substituted(0)), rotate24(substituted(6)));
    addKeyBit(w0, key, 6, constant, rotate8(substituted(1)), rotate24(substituted(7)));
    addKeyBit(w0, key, 7, constant, rotate8(substituted(2)), rotate16(substituted(0)));
    collect(key, SCHEDULE + 4 * round);
    const replaced = w0;
    w0 = w1;
    w1 = w2;
    w2 = w3;
    w3 = replaced;
    ck = i32x4.add(ck, i32x4.splat(28));
  }
}

/** Prepares the round keys from SCHEDULE. */
export function prepareKeys(): void {
  for (let round: usize = 0; round < ROUNDS; round++) spread(SCHEDULE + 4 * round, KEYS + WORD * round);
}

/** Bit b of y + (y <<< 8), where y is the substituted word. */
function pair(bit: usize): v128 {
  return v128.xor(substituted(bit), rotate8(substituted(bit)));
}

/** Bit b of y + (y <<< 8) + (y <<< 16), given that of the pair. */
function triple(bit: usize, pair: v128): v128 {
  return v128.xor(pair, rotate16(substituted(bit)));
}

/** Adds bit b of L y = (pair <<< 24) + (triple <<< 2) to a word, given that of the pair and of the last term. */
function add(word: usize, bit: usize, pair: v128, last: v128): void {
  v128.store(word + 16 * bit, v128.xor(v128.load(word + 16 * bit), v128.xor(rotate24(pair), last)));
}

/** Runs the rounds on the state; the result's words stand in reverse order. */
function rounds(isDecryption: bool): void {
  let w0 = STATE;
  let w1 = STATE + WORD;
  let w2 = STATE + 2 * WORD;
  let w3 = STATE + 3 * WORD;
  let key = isDecryption ? KEYS + (ROUNDS - 1) * WORD : KEYS;
  const step: usize = isDecryption ? 0 - WORD : WORD;
  for (let round: usize = 0; round < ROUNDS; round++) {
    substituteSum(w1, w2, w3, key);
    const s0 = pair(0);
    const s1 = pair(1);
    const s2 = pair(2);
    const s3 = pair(3);
    const s4 = pair(4);
    const s5 = pair(5);
    const s6 = pair(6);
    const s7 = pair(7);
    // A rotation by 2 moves bits 6 and 7 into the byte before.
    add(w0, 0, s0, rotate8(triple(6, s6)));
    add(w0, 1, s1, rotate8(triple(7, s7)));
    add(w0, 2, s2, triple(0, s0));
    add(w0, 3, s3, triple(1, s1));
    add(w0, 4, s4, triple(2, s2));
    add(w0, 5, s5, triple(3, s3));
    add(w0, 6, s6, triple(4, s4));
    add(w0, 7, s7, triple(5, s5));
    const replaced = w0;
    w0 = w1;
    w1 = w2;
    w2 = w3;
    w3 = replaced;
    key += step;
  }
}

/** Prepares counter blocks from the first 12 bytes of NONCE. */
export function prepareNonce(): void {
  for (let i: usize = 0; i < 3; i++) spread(NONCE + 4 * i, NONCE_MASKS + WORD * i);
}

/** Adds the key stream from a counter on to data, in place, batch by batch: also to what comes after the data. */
export function addKeyStream(data: usize, length: usize, counter: u32): void {
  for (let at: usize = 0; at < length; at += BATCH) {
    memory.copy(STATE, NONCE_MASKS, 3 * WORD);
    count(counter, STATE + 3 * WORD);
    rounds(false);
    storeBlocks(STATE, data + at, data + at);
    counter += <u32>(BATCH / BLOCK);
  }
}

/** Encrypts or decrypts each block of the data after SOURCE's first block by itself, to TARGET. */
export function cryptBlocks(length: usize, isDecryption: bool): void {
  for (let at: usize = 0; at < length; at += BATCH) {
    loadBlocks(SOURCE + BLOCK + at, STATE);
    rounds(isDecryption);
    storeBlocks(STATE, ZEROS, TARGET + at);
  }
}

/** Decrypts the data after SOURCE's first block, which is the IV, to TARGET, by cipher block chaining. */
export function decryptChain(length: usize): void {
  for (let at: usize = 0; at < length; at += BATCH) {
    loadBlocks(SOURCE + BLOCK + at, STATE);
    rounds(true);
    storeBlocks(STATE, SOURCE + at, TARGET + at);
  }
}

/** Encrypts the data after SOURCE's first block, which is the IV, to TARGET, by cipher block chaining: one block at a time. */
export function encryptChain(length: usize): void {
  let previous = v128.load(SOURCE);
  for (let at: usize = 0; at < length; at += BLOCK) {
    v128.store(SOURCE + BLOCK + at, v128.xor(v128.load(SOURCE + BLOCK + at), previous));
    loadBlocks(SOURCE + BLOCK + at, STATE);
    rounds(false);
    // The other 31 results are overwritten by the next ones, or come after the data.
    storeBlocks(STATE, ZEROS, TARGET + at);
    previous = v128.load(TARGET + at);
  }
}
