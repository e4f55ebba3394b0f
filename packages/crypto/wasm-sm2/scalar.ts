// Numbers modulo n, the order of the base point of SM2, in AssemblyScript. It must not know the curve.
//
// A number is nine limbs of 29 bits as in limbs.ts, below n. There are so few products that they are loops. No branch and no
// address depends on a number.
import { readNumber, reduceOnce } from "./limbs";
import { INVERSE, PRODUCT, STRIDE } from "./memory";

const MASK: i64 = 0x1fffffff;
/** n, as limbs. */
const ORDER: usize = memory.data<i32>([
  0x19d54123, 0x1ddfa049, 0x11814ad4, 0x7bed643, 0x1ffff720, 0x1fffffff, 0x1fffffff, 0x1fdfffff, 0xffffff,
]);
/** -1 / n modulo 2^29. */
const NEGATED_INVERSE: i64 = 0x12350975;
/** 2^522 modulo n, as limbs. */
const SQUARED_RADIX: usize = memory.data<i32>([
  0x159b7552, 0x15c38c55, 0xb5ce697, 0x1164d74c, 0x151153b6, 0x1875ffc1, 0x1620fc84, 0x559e9d, 0xd7904b,
]);
const UNIT: usize = memory.data<i32>([1, 0, 0, 0, 0, 0, 0, 0, 0]);

/** d = a * b / 2^261 modulo n. A column holds 18 products below 2^58 and a carry: less than 2^63. */
function multiplyReduced(d: usize, a: usize, b: usize): void {
  memory.fill(PRODUCT, 0, 18 * 8);
  for (let i: usize = 0; i < 9; i++) {
    const factor: i64 = load<i32>(a + 4 * i);
    for (let j: usize = 0; j < 9; j++) {
      const at = PRODUCT + 8 * (i + j);
      store<i64>(at, load<i64>(at) + factor * <i64>load<i32>(b + 4 * j));
    }
  }
  for (let i: usize = 0; i < 9; i++) {
    const column = PRODUCT + 8 * i;
    const factor = (load<i64>(column) * NEGATED_INVERSE) & MASK;
    for (let j: usize = 0; j < 9; j++) {
      const at = column + 8 * j;
      store<i64>(at, load<i64>(at) + factor * <i64>load<i32>(ORDER + 4 * j));
    }
    store<i64>(column, load<i64>(column, 8) + (load<i64>(column) >> 29), 8);
  }
  let t: i64 = 0;
  for (let i: usize = 0; i < 9; i++) {
    t += load<i64>(PRODUCT + 8 * (i + 9));
    store<i32>(d + 4 * i, <i32>(t & MASK));
    t >>= 29;
  }
  // The sum is below 2n: (n * n + 2^261 * n) / 2^261.
  reduceOnce(d, d, ORDER);
}

/** d = a * b modulo n. */
export function multiplyScalars(d: usize, a: usize, b: usize): void {
  multiplyReduced(d, a, b);
  multiplyReduced(d, d, SQUARED_RADIX);
}

/** d = a + b modulo n. */
export function addScalars(d: usize, a: usize, b: usize): void {
  let t: i32 = 0;
  for (let i: usize = 0; i < 36; i += 4) {
    t += load<i32>(a + i) + load<i32>(b + i);
    store<i32>(d + i, t & <i32>MASK);
    t >>= 29;
  }
  reduceOnce(d, d, ORDER);
}

/** d = -a modulo n. */
export function negateScalar(d: usize, a: usize): void {
  let t: i32 = 0;
  for (let i: usize = 0; i < 36; i += 4) {
    t += load<i32>(ORDER + i) - load<i32>(a + i);
    store<i32>(d + i, t & <i32>MASK);
    t >>= 29;
  }
  // The negative of 0 is n here.
  reduceOnce(d, d, ORDER);
}

/** d = 1 / a modulo n; 0 for 0. It is a^(n-2), whose bits are public. */
export function invertScalar(d: usize, a: usize): void {
  const base = INVERSE;
  const power = INVERSE + STRIDE;
  multiplyReduced(base, a, SQUARED_RADIX);
  multiplyReduced(power, UNIT, SQUARED_RADIX);
  for (let bit: i32 = 255; bit >= 0; bit--) {
    multiplyReduced(power, power, power);
    if (bitOfExponent(bit)) multiplyReduced(power, power, base);
  }
  multiplyReduced(d, power, UNIT);
}

function bitOfExponent(bit: i32): bool {
  // n is odd and ends in 011: n - 2 differs from it in the bit 1 alone.
  const limb = load<i32>(ORDER + 4 * (bit / 29));
  return bit !== 1 && ((limb >> (bit % 29)) & 1) === 1;
}

/** Reads 32 bytes, most significant first, modulo n: what they hold is below 2n. */
export function readScalar(d: usize, bytes: usize): void {
  readNumber(d, bytes);
  reduceOnce(d, d, ORDER);
}
