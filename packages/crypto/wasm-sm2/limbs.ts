// Numbers of 256 bits as nine limbs of 29 bits, in AssemblyScript: reading, writing, and taking a modulus away once. It must not
// know which modulus. No branch and no address depends on a number.
import { WORDS } from "./memory";

const MASK: i64 = 0x1fffffff;

/** Reads 32 bytes, most significant first. */
export function readNumber(d: usize, bytes: usize): void {
  for (let i: usize = 0; i < 32; i += 8) store<u64>(WORDS + i, bswap(load<u64>(bytes + 24 - i)));
  store<u64>(WORDS, 0, 32);
  for (let i: usize = 0; i < 9; i++) {
    const bit: usize = 29 * i;
    store<i32>(d + 4 * i, <i32>((load<i64>(WORDS + (bit >> 3)) >> (bit & 7)) & MASK));
  }
}

/** Writes 40 bytes, least significant first, of a number whose limbs are in 0..2^29-1. */
export function writeBits(bytes: usize, a: usize): void {
  memory.fill(bytes, 0, 40);
  for (let i: usize = 0; i < 9; i++) {
    const bit: usize = 29 * i;
    const at = bytes + (bit >> 3);
    store<u64>(at, load<u64>(at) | ((<u64>load<u32>(a + 4 * i)) << (bit & 7)));
  }
}

/** Writes 32 bytes, most significant first, of a number below 2^256 whose limbs are in 0..2^29-1. */
export function writeNumber(bytes: usize, a: usize): void {
  writeBits(WORDS, a);
  for (let i: usize = 0; i < 32; i += 8) store<u64>(bytes + i, bswap(load<u64>(WORDS + 24 - i)));
}

/**
 * d = a - modulus if that is not negative, else a; the limbs of all are in 0..2^29-1.
 * @returns 1 if it was a - modulus, else 0
 */
export function reduceOnce(d: usize, a: usize, modulus: usize): i32 {
  let t: i32 = 0;
  for (let i: usize = 0; i < 36; i += 4) t = (t + load<i32>(a + i) - load<i32>(modulus + i)) >> 29;
  // -1 keeps a, 0 takes the modulus away.
  const keeps = t;
  t = 0;
  for (let i: usize = 0; i < 36; i += 4) {
    t += load<i32>(a + i) - (load<i32>(modulus + i) & ~keeps);
    store<i32>(d + i, t & <i32>MASK);
    t >>= 29;
  }
  return keeps + 1;
}

/** 1 if all limbs are zero, else 0. */
export function isZeroNumber(a: usize): i32 {
  let any: i32 = 0;
  for (let i: usize = 0; i < 36; i += 4) any |= load<i32>(a + i);
  return <i32>(<u32>((any | -any) ^ -1) >> 31);
}
