// SM4's key schedule (GB/T 32907-2016 section 6.3), for the bit-sliced rounds of ours. Like those it has no table and no branch, so
// that its time does not depend on the key. It must not know how many blocks are worked on at once.
import { sm4Round } from "./sm4-round.js";

/** Rounds, and words of a schedule. */
export const SM4_ROUNDS = 32;
// Section 6.3 a).
const FK = [0xa3b1bac6, 0x56aa3350, 0x677d9197, 0xb27022dc] as const;
// The constants that sm4-round.ts leaves out of the S-box, four bytes of each: before it, 0x75, which A maps to 0xd3; after it 0xd3,
// which L maps to 0x4f.
const BEFORE = 0x75757575;
const AFTER_L = 0x4f4f4f4f;

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** CK_i of section 6.3 c): four bytes, each 7 more than the one before, modulo 256. */
function constantOf(round: number): number {
  let word = 0;
  for (let i = 0; i < 4; i++) word = (word << 8) | (((4 * round + i) * 7) & 0xff);
  return word;
}

/** L^-1. With x for a rotation by one bit, L is 1 + x^2 + x^10 + x^18 + x^24, and L (1 + x^16 + x^20) x^24 its inverse. */
function undoL(word: number): number {
  const once = word ^ rotate(word, 2) ^ rotate(word, 10) ^ rotate(word, 18) ^ rotate(word, 24);
  return rotate(once ^ rotate(once, 16) ^ rotate(once, 20), 24);
}

/**
 * Writes a word in the form of sm4-round.ts, the same in each of the eight blocks.
 * @param target - gets eight numbers from index `at` on
 */
export function spreadWord(word: number, target: Int32Array, at: number): void {
  for (let bit = 0; bit < 8; bit++) target[at + bit] = Math.imul((word >>> bit) & 0x01010101, 0xff);
}

/** The word of the first block. */
function collectWord(source: Int32Array): number {
  let word = 0;
  for (let bit = 0; bit < 8; bit++) word |= ((source[bit] as number) & 0x01010101) << bit;
  return word;
}

/**
 * Expands a key. The words are those of the standard with the constants of the S-box added, and serve decryption too, in reverse.
 * @param key - 16 bytes
 * @returns 32 words, secret
 */
export function expandSm4Key(key: Uint8Array): Int32Array {
  const words = new Int32Array(SM4_ROUNDS);
  const [result, input, zero] = [new Int32Array(8), new Int32Array(8), new Int32Array(8)];
  let k0 = readWord(key, 0) ^ FK[0];
  let k1 = readWord(key, 4) ^ FK[1];
  let k2 = readWord(key, 8) ^ FK[2];
  let k3 = readWord(key, 12) ^ FK[3];
  // A round adds to what the result was before.
  let before = 0;
  for (let round = 0; round < SM4_ROUNDS; round++) {
    spreadWord(k1 ^ k2 ^ k3 ^ constantOf(round) ^ BEFORE, input, 0);
    sm4Round(result, input, zero, zero, zero, 0);
    // T' is L' after the S-box, where the round has L after it.
    const sum = collectWord(result);
    const substituted = undoL(sum ^ before ^ AFTER_L);
    before = sum;
    const next = k0 ^ substituted ^ rotate(substituted, 13) ^ rotate(substituted, 23);
    k0 = k1;
    k1 = k2;
    k2 = k3;
    k3 = next;
    words[round] = next ^ BEFORE ^ leftOut(round);
  }
  result.fill(0);
  input.fill(0);
  return words;
}

/**
 * What the three words that go into a round lack together. Before it the four words were replaced `round` times in all, the one that it
 * replaces a quarter of that, and with each time a word lacks AFTER_L once more. After 32 rounds each was replaced eight times and
 * lacks nothing. The pattern reads the same backwards, which is why decryption needs no other.
 */
function leftOut(round: number): number {
  return (round - (round >> 2)) % 2 === 1 ? AFTER_L : 0;
}

/** Four bytes, the first the most significant one. */
export function readWord(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}
