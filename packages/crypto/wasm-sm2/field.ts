// Numbers modulo p = 2^256 - 2^224 - 2^96 + 2^64 - 1, the field of SM2, in AssemblyScript. It must not know the curve.
//
// A number is nine limbs of 29 bits in nine i32, least first, and stands for itself times 2^261 (Montgomery's form). Limbs are
// signed, so that differences need no borrow. Three forms occur, and each function says which it takes and gives:
// - tight: limbs 0 to 7 in 0..2^29-1, the last one small, the value between -p and 2p;
// - a difference of two tight numbers: limbs between -2^29 and 2^29, the value between -3p and 3p;
// - a sum of two tight numbers: limbs between 0 and 2^30, the value between -2p and 4p.
// The product of two numbers, of which one at most is a sum, fits: nine products of limbs are below 9 * 2^59, and what the carry
// and the reduction add is below 2^55, together less than 2^63; and it is tight, since 4p * 3p / 2^261 is less than p / 2.
// No branch and no address depends on a number, so that neither does the time.

import { isZeroNumber, readNumber, reduceOnce, writeNumber } from "./limbs";
import { NORMAL, POWERS, RAISED, STRIDE } from "./memory";

/** p, as limbs. */
const PRIME: usize = memory.data<i32>([
  0x1fffffff, 0x1fffffff, 0x3f, 0x1ffffe00, 0x1fffffff, 0x1fffffff, 0x1fffffff, 0x1fdfffff, 0xffffff,
]);
/** 2^522 modulo p, as limbs: what brings a number into Montgomery's form. */
const SQUARED_RADIX: usize = memory.data<i32>([0xc00, 0x4000, 0x1fff0000, 0x17ffff, 0x400000, 0x2000000, 0, 1, 0x10]);
/** 1, as limbs: what brings a number out of it. */
const UNIT: usize = memory.data<i32>([1, 0, 0, 0, 0, 0, 0, 0, 0]);
/** 1, in Montgomery's form, as long as numbers are apart. */
export const ONE: usize = memory.data<i32>([0x20, 0, 0x1ffff800, 0x3fff, 0, 0, 0, 0x4000000, 0, 0]);

const MASK: i64 = 0x1fffffff;

/**
 * d = a * b / 2^261, tight, where one of a and b may be a sum. Since p = -1 modulo 2^29, the multiple of p that clears the
 * lowest limb is that limb itself, and adding it takes shifts alone.
 */
export function multiply(d: usize, a: usize, b: usize): void {
  const a0: i64 = load<i32>(a);
  const a1: i64 = load<i32>(a, 4);
  const a2: i64 = load<i32>(a, 8);
  const a3: i64 = load<i32>(a, 12);
  const a4: i64 = load<i32>(a, 16);
  const a5: i64 = load<i32>(a, 20);
  const a6: i64 = load<i32>(a, 24);
  const a7: i64 = load<i32>(a, 28);
  const a8: i64 = load<i32>(a, 32);
  const b0: i64 = load<i32>(b);
  const b1: i64 = load<i32>(b, 4);
  const b2: i64 = load<i32>(b, 8);
  const b3: i64 = load<i32>(b, 12);
  const b4: i64 = load<i32>(b, 16);
  const b5: i64 = load<i32>(b, 20);
  const b6: i64 = load<i32>(b, 24);
  const b7: i64 = load<i32>(b, 28);
  const b8: i64 = load<i32>(b, 32);
  let t: i64 = a0 * b0;
  const m0: i64 = t & MASK;
  t >>= 29;
  t += a0 * b1 + a1 * b0;
  const m1: i64 = t & MASK;
  t >>= 29;
  t += a0 * b2 + a1 * b1 + a2 * b0 + (m0 << 6);
  const m2: i64 = t & MASK;
  t >>= 29;
  t += a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0 + (m1 << 6) - (m0 << 9);
  const m3: i64 = t & MASK;
  t >>= 29;
  t += a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0 + (m2 << 6) - (m1 << 9);
  const m4: i64 = t & MASK;
  t >>= 29;
  t += a0 * b5 + a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1 + a5 * b0 + (m3 << 6) - (m2 << 9);
  const m5: i64 = t & MASK;
  t >>= 29;
  t += a0 * b6 + a1 * b5 + a2 * b4 + a3 * b3 + a4 * b2 + a5 * b1 + a6 * b0 + (m4 << 6) - (m3 << 9);
  const m6: i64 = t & MASK;
  t >>= 29;
  t +=
    a0 * b7 + a1 * b6 + a2 * b5 + a3 * b4 + a4 * b3 + a5 * b2 + a6 * b1 + a7 * b0 + (m5 << 6) - (m4 << 9) - (m0 << 21);
  const m7: i64 = t & MASK;
  t >>= 29;
  t +=
    a0 * b8 +
    a1 * b7 +
    a2 * b6 +
    a3 * b5 +
    a4 * b4 +
    a5 * b3 +
    a6 * b2 +
    a7 * b1 +
    a8 * b0 +
    (m6 << 6) -
    (m5 << 9) -
    (m1 << 21) +
    (m0 << 24);
  const m8: i64 = t & MASK;
  t >>= 29;
  t +=
    a1 * b8 +
    a2 * b7 +
    a3 * b6 +
    a4 * b5 +
    a5 * b4 +
    a6 * b3 +
    a7 * b2 +
    a8 * b1 +
    (m7 << 6) -
    (m6 << 9) -
    (m2 << 21) +
    (m1 << 24);
  store<i32>(d, <i32>(t & MASK));
  t >>= 29;
  t +=
    a2 * b8 +
    a3 * b7 +
    a4 * b6 +
    a5 * b5 +
    a6 * b4 +
    a7 * b3 +
    a8 * b2 +
    (m8 << 6) -
    (m7 << 9) -
    (m3 << 21) +
    (m2 << 24);
  store<i32>(d, <i32>(t & MASK), 4);
  t >>= 29;
  t += a3 * b8 + a4 * b7 + a5 * b6 + a6 * b5 + a7 * b4 + a8 * b3 - (m8 << 9) - (m4 << 21) + (m3 << 24);
  store<i32>(d, <i32>(t & MASK), 8);
  t >>= 29;
  t += a4 * b8 + a5 * b7 + a6 * b6 + a7 * b5 + a8 * b4 - (m5 << 21) + (m4 << 24);
  store<i32>(d, <i32>(t & MASK), 12);
  t >>= 29;
  t += a5 * b8 + a6 * b7 + a7 * b6 + a8 * b5 - (m6 << 21) + (m5 << 24);
  store<i32>(d, <i32>(t & MASK), 16);
  t >>= 29;
  t += a6 * b8 + a7 * b7 + a8 * b6 - (m7 << 21) + (m6 << 24);
  store<i32>(d, <i32>(t & MASK), 20);
  t >>= 29;
  t += a7 * b8 + a8 * b7 - (m8 << 21) + (m7 << 24);
  store<i32>(d, <i32>(t & MASK), 24);
  t >>= 29;
  t += a8 * b8 + (m8 << 24);
  store<i32>(d, <i32>(t & MASK), 28);
  t >>= 29;
  store<i32>(d, <i32>t, 32);
}

/** d = a * a / 2^261, tight, where a is no sum. */
export function square(d: usize, a: usize): void {
  const a0: i64 = load<i32>(a);
  const a1: i64 = load<i32>(a, 4);
  const a2: i64 = load<i32>(a, 8);
  const a3: i64 = load<i32>(a, 12);
  const a4: i64 = load<i32>(a, 16);
  const a5: i64 = load<i32>(a, 20);
  const a6: i64 = load<i32>(a, 24);
  const a7: i64 = load<i32>(a, 28);
  const a8: i64 = load<i32>(a, 32);
  const d0: i64 = a0 << 1;
  const d1: i64 = a1 << 1;
  const d2: i64 = a2 << 1;
  const d3: i64 = a3 << 1;
  const d4: i64 = a4 << 1;
  const d5: i64 = a5 << 1;
  const d6: i64 = a6 << 1;
  const d7: i64 = a7 << 1;
  let t: i64 = a0 * a0;
  const m0: i64 = t & MASK;
  t >>= 29;
  t += d0 * a1;
  const m1: i64 = t & MASK;
  t >>= 29;
  t += d0 * a2 + a1 * a1 + (m0 << 6);
  const m2: i64 = t & MASK;
  t >>= 29;
  t += d0 * a3 + d1 * a2 + (m1 << 6) - (m0 << 9);
  const m3: i64 = t & MASK;
  t >>= 29;
  t += d0 * a4 + d1 * a3 + a2 * a2 + (m2 << 6) - (m1 << 9);
  const m4: i64 = t & MASK;
  t >>= 29;
  t += d0 * a5 + d1 * a4 + d2 * a3 + (m3 << 6) - (m2 << 9);
  const m5: i64 = t & MASK;
  t >>= 29;
  t += d0 * a6 + d1 * a5 + d2 * a4 + a3 * a3 + (m4 << 6) - (m3 << 9);
  const m6: i64 = t & MASK;
  t >>= 29;
  t += d0 * a7 + d1 * a6 + d2 * a5 + d3 * a4 + (m5 << 6) - (m4 << 9) - (m0 << 21);
  const m7: i64 = t & MASK;
  t >>= 29;
  t += d0 * a8 + d1 * a7 + d2 * a6 + d3 * a5 + a4 * a4 + (m6 << 6) - (m5 << 9) - (m1 << 21) + (m0 << 24);
  const m8: i64 = t & MASK;
  t >>= 29;
  t += d1 * a8 + d2 * a7 + d3 * a6 + d4 * a5 + (m7 << 6) - (m6 << 9) - (m2 << 21) + (m1 << 24);
  store<i32>(d, <i32>(t & MASK));
  t >>= 29;
  t += d2 * a8 + d3 * a7 + d4 * a6 + a5 * a5 + (m8 << 6) - (m7 << 9) - (m3 << 21) + (m2 << 24);
  store<i32>(d, <i32>(t & MASK), 4);
  t >>= 29;
  t += d3 * a8 + d4 * a7 + d5 * a6 - (m8 << 9) - (m4 << 21) + (m3 << 24);
  store<i32>(d, <i32>(t & MASK), 8);
  t >>= 29;
  t += d4 * a8 + d5 * a7 + a6 * a6 - (m5 << 21) + (m4 << 24);
  store<i32>(d, <i32>(t & MASK), 12);
  t >>= 29;
  t += d5 * a8 + d6 * a7 - (m6 << 21) + (m5 << 24);
  store<i32>(d, <i32>(t & MASK), 16);
  t >>= 29;
  t += d6 * a8 + a7 * a7 - (m7 << 21) + (m6 << 24);
  store<i32>(d, <i32>(t & MASK), 20);
  t >>= 29;
  t += d7 * a8 - (m8 << 21) + (m7 << 24);
  store<i32>(d, <i32>(t & MASK), 24);
  t >>= 29;
  t += a8 * a8 + (m8 << 24);
  store<i32>(d, <i32>(t & MASK), 28);
  t >>= 29;
  store<i32>(d, <i32>t, 32);
}

/**
 * d = a * m + b * n, tight, for m and n between -8 and 8. As many times p as there are 2^256 in it are taken away first, so that
 * the value is between -p / 2^20 and p + p / 2^20.
 */
export function combine(d: usize, a: usize, m: i64, b: usize, n: i64): void {
  let t8: i64 = <i64>load<i32>(a, 32) * m + <i64>load<i32>(b, 32) * n;
  const q = t8 >> 24;
  t8 &= 0xffffff;
  let t: i64 = <i64>load<i32>(a) * m + <i64>load<i32>(b) * n + q;
  store<i32>(d, <i32>(t & MASK));
  t >>= 29;
  t += <i64>load<i32>(a, 4) * m + <i64>load<i32>(b, 4) * n;
  store<i32>(d, <i32>(t & MASK), 4);
  t >>= 29;
  t += <i64>load<i32>(a, 8) * m + <i64>load<i32>(b, 8) * n - (q << 6);
  store<i32>(d, <i32>(t & MASK), 8);
  t >>= 29;
  t += <i64>load<i32>(a, 12) * m + <i64>load<i32>(b, 12) * n + (q << 9);
  store<i32>(d, <i32>(t & MASK), 12);
  t >>= 29;
  t += <i64>load<i32>(a, 16) * m + <i64>load<i32>(b, 16) * n;
  store<i32>(d, <i32>(t & MASK), 16);
  t >>= 29;
  t += <i64>load<i32>(a, 20) * m + <i64>load<i32>(b, 20) * n;
  store<i32>(d, <i32>(t & MASK), 20);
  t >>= 29;
  t += <i64>load<i32>(a, 24) * m + <i64>load<i32>(b, 24) * n;
  store<i32>(d, <i32>(t & MASK), 24);
  t >>= 29;
  t += <i64>load<i32>(a, 28) * m + <i64>load<i32>(b, 28) * n + (q << 21);
  store<i32>(d, <i32>(t & MASK), 28);
  t >>= 29;
  store<i32>(d, <i32>(t + t8), 32);
}

/** d = a - b, a difference, of tight numbers. */
export function subtract(d: usize, a: usize, b: usize): void {
  store<i32>(d, load<i32>(a) - load<i32>(b));
  store<i32>(d, load<i32>(a, 4) - load<i32>(b, 4), 4);
  store<i32>(d, load<i32>(a, 8) - load<i32>(b, 8), 8);
  store<i32>(d, load<i32>(a, 12) - load<i32>(b, 12), 12);
  store<i32>(d, load<i32>(a, 16) - load<i32>(b, 16), 16);
  store<i32>(d, load<i32>(a, 20) - load<i32>(b, 20), 20);
  store<i32>(d, load<i32>(a, 24) - load<i32>(b, 24), 24);
  store<i32>(d, load<i32>(a, 28) - load<i32>(b, 28), 28);
  store<i32>(d, load<i32>(a, 32) - load<i32>(b, 32), 32);
}

/** d = a + b, a sum, of tight numbers. */
export function add(d: usize, a: usize, b: usize): void {
  store<i32>(d, load<i32>(a) + load<i32>(b));
  store<i32>(d, load<i32>(a, 4) + load<i32>(b, 4), 4);
  store<i32>(d, load<i32>(a, 8) + load<i32>(b, 8), 8);
  store<i32>(d, load<i32>(a, 12) + load<i32>(b, 12), 12);
  store<i32>(d, load<i32>(a, 16) + load<i32>(b, 16), 16);
  store<i32>(d, load<i32>(a, 20) + load<i32>(b, 20), 20);
  store<i32>(d, load<i32>(a, 24) + load<i32>(b, 24), 24);
  store<i32>(d, load<i32>(a, 28) + load<i32>(b, 28), 28);
  store<i32>(d, load<i32>(a, 32) + load<i32>(b, 32), 32);
}

/** d = 1 / a, tight, of a tight number; 0 for 0. It is a^(p-2): 31 ones, 0, 128 ones, 32 zeros, 62 ones, 01 in binary. */
export function invert(d: usize, a: usize): void {
  const ones2 = POWERS;
  const ones4 = POWERS + STRIDE;
  const ones8 = POWERS + 2 * STRIDE;
  const ones30 = POWERS + 3 * STRIDE;
  const ones32 = POWERS + 4 * STRIDE;
  const t = POWERS + 5 * STRIDE;
  raise(ones2, a, 1, a);
  raise(ones4, ones2, 2, ones2);
  raise(ones8, ones4, 4, ones4);
  raise(t, ones4, 2, ones2);
  raise(t, ones8, 6, t);
  raise(t, t, 1, a);
  raise(ones30, t, 15, t);
  raise(t, ones30, 1, a);
  raise(ones32, t, 1, a);
  raise(t, t, 33, ones32);
  raise(t, t, 32, ones32);
  raise(t, t, 32, ones32);
  raise(t, t, 32, ones32);
  raise(t, t, 64, ones32);
  raise(t, t, 30, ones30);
  raise(d, t, 2, a);
}

/** d = a^(2^count) * b, all tight; d may be each of them. */
function raise(d: usize, a: usize, count: i32, b: usize): void {
  square(RAISED, a);
  for (let i = 1; i < count; i++) square(RAISED, RAISED);
  multiply(d, RAISED, b);
}

/** d = the number below p that a tight number stands for, no longer in Montgomery's form. */
function normalize(d: usize, a: usize): void {
  // The product is at least 0, since a + mp is more than -2^261, and at most p, since m is below 2^261.
  multiply(d, a, UNIT);
  reduceOnce(d, d, PRIME);
}

/** 1 if a tight number stands for 0, else 0. */
export function isZero(a: usize): i32 {
  normalize(NORMAL, a);
  return isZeroNumber(NORMAL);
}

/**
 * Reads 32 bytes, most significant first.
 * @returns 1 if they were below p, else 0
 */
export function readField(d: usize, bytes: usize): i32 {
  readNumber(d, bytes);
  const isTooLarge = reduceOnce(d, d, PRIME);
  multiply(d, d, SQUARED_RADIX);
  return 1 - isTooLarge;
}

/** Writes the 32 bytes, most significant first, of a tight number. */
export function writeField(bytes: usize, a: usize): void {
  normalize(NORMAL, a);
  writeNumber(bytes, NORMAL);
}
