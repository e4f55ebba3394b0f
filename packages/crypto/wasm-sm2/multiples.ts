// Multiples of points of SM2 by secret numbers, in AssemblyScript. It must not know what they are for.
//
// A number k of 1..n-1 is made odd: where it is even, n - k takes its place, and the result is negated. An odd k below 2^256 is the
// sum of 52 digits d(i) times 32^i, where d(i) = 2v(i) - 31 and v(i) is the five bits from bit 5i on of (k - 1) / 2 + 2^259. So
// each digit is odd and between -31 and 31, none is zero, and d(51) is 1. The digits from 51 down to i alone make
// k(i) = k / 32^i, rounded to an odd number, which is 1 at least. Where d(i) is added to 32k(i+1), the latter is more than 31, and
// for i > 0 both 32k(i+1) + d(i) and 32k(i+1) - d(i) are less than n: the points are neither equal nor opposite, and none is
// infinity. The last addition alone can meet equal points, for k = n - 2|d(0)|. In the sum for G, whose digits are multiplied up
// beforehand, each point is the same times a power of 32, so that the same holds.
import { invert, multiply, square } from "./field";
import { writeBits } from "./limbs";
import { AFFINE, DIGITS, ENTRY, JACOBIAN, MULTIPLES, SIGNS, STRIDE } from "./memory";
import { addAffine, addAny, addPoints, double, liftPoint, negateIf } from "./point";
import { negateScalar, readScalar } from "./scalar";

const TOP: usize = 51;
/** Odd multiples in a table: 1, 3 ... 31. */
const ENTRIES: usize = 16;

/** G, affine, in Montgomery's form. */
const G: usize = memory.data<i32>([
  0x30053d2, 0x128990f4, 0x16027e89, 0x7b9b29, 0x7867cf3, 0x199ac24c, 0x2eb50f6, 0x1dc704ec, 0x22cf4b, 0, 0x5a1bbac,
  0x154e593c, 0x14afd309, 0x195e3b4c, 0x11f183eb, 0x1066e2a4, 0x1ec6a67d, 0x13875cd6, 0x79acba, 0,
]);
/** The odd multiples of 32^i * G for i of 0..51, affine. */
const BASE: usize = memory.data(66560, 16);
const BASE_ROW: usize = ENTRIES * AFFINE;

/** Makes a number odd and keeps it for bitsAt. @returns -1 if the multiple is to be negated, else 0 */
function setDigits(scalar: usize): i64 {
  const number = SIGNS;
  const negative = SIGNS + STRIDE;
  readScalar(number, scalar);
  negateScalar(negative, number);
  const isEven = (load<i32>(number) & 1) - 1;
  for (let i: usize = 0; i < 36; i += 4) {
    const limb = load<i32>(number + i);
    store<i32>(number + i, limb ^ ((limb ^ load<i32>(negative + i)) & isEven));
  }
  writeBits(DIGITS, number);
  return isEven;
}

/** v(i), for i of 0..50. */
function bitsAt(i: usize): i32 {
  const bit: usize = 5 * i + 1;
  return <i32>(load<u64>(DIGITS + (bit >> 3)) >> (bit & 7)) & 31;
}

/** d = one number of each entry of a table: that of the entry with this index. All are read. */
function lookUpNumber(d: usize, table: usize, entryLength: usize, index: i32): void {
  let w0: i64 = 0;
  let w1: i64 = 0;
  let w2: i64 = 0;
  let w3: i64 = 0;
  let w4: i64 = 0;
  for (let i: i32 = 0; i < <i32>ENTRIES; i++) {
    const mask: i64 = ((i ^ index) - 1) >> 31;
    w0 |= load<i64>(table) & mask;
    w1 |= load<i64>(table, 8) & mask;
    w2 |= load<i64>(table, 16) & mask;
    w3 |= load<i64>(table, 24) & mask;
    w4 |= load<i64>(table, 32) & mask;
    table += entryLength;
  }
  store<i64>(d, w0);
  store<i64>(d, w1, 8);
  store<i64>(d, w2, 16);
  store<i64>(d, w3, 24);
  store<i64>(d, w4, 32);
}

/** ENTRY = the digit of v times the point of a table; `entryLength` says whether it is affine. */
function lookUp(table: usize, entryLength: usize, v: i32): void {
  // -1 for digits below 0: for v of 0..15, whose entries are 15..0.
  const isNegative = (v >> 4) - 1;
  for (let part: usize = 0; part < entryLength; part += STRIDE) {
    lookUpNumber(ENTRY + part, table + part, entryLength, (v ^ isNegative) & 15);
  }
  negateIf(ENTRY, isNegative);
}

/** MULTIPLES = the odd multiples of a point. */
function tabulate(point: usize): void {
  memory.copy(MULTIPLES, point, JACOBIAN);
  double(ENTRY, point);
  for (let i: usize = 1; i < ENTRIES; i++) addPoints(MULTIPLES + i * JACOBIAN, MULTIPLES + (i - 1) * JACOBIAN, ENTRY);
}

/** d = 32 * d. */
function multiplyBy32(d: usize): void {
  for (let i = 0; i < 5; i++) double(d, d);
}

/** d = k * P for a scalar of 1..n-1, 32 bytes, and a point in Jacobian coordinates, not infinity; d is not the point. */
export function multiplyPoint(d: usize, scalar: usize, point: usize): void {
  const isEven = setDigits(scalar);
  tabulate(point);
  memory.copy(d, MULTIPLES, JACOBIAN);
  for (let i = TOP - 1; i > 0; i--) {
    multiplyBy32(d);
    lookUp(MULTIPLES, JACOBIAN, bitsAt(i));
    addPoints(d, d, ENTRY);
  }
  multiplyBy32(d);
  lookUp(MULTIPLES, JACOBIAN, bitsAt(0));
  addAny(d, d, ENTRY);
  negateIf(d, isEven);
}

/** d = k * G for a scalar of 1..n-1, 32 bytes. */
export function multiplyBasePoint(d: usize, scalar: usize): void {
  const isEven = setDigits(scalar);
  liftPoint(d, BASE + TOP * BASE_ROW);
  for (let i = TOP - 1; i > 0; i--) {
    lookUp(BASE + i * BASE_ROW, AFFINE, bitsAt(i));
    addAffine(d, d, ENTRY);
  }
  lookUp(BASE, AFFINE, bitsAt(0));
  liftPoint(ENTRY, ENTRY);
  addAny(d, d, ENTRY);
  negateIf(d, isEven);
}

/** Stores a point in BASE, made affine by 1 / Z, which it changes. */
function storeAffine(stored: usize, point: usize, inverse: usize): void {
  multiply(stored + STRIDE, point + STRIDE, inverse);
  square(inverse, inverse);
  multiply(stored, point, inverse);
  multiply(stored + STRIDE, stored + STRIDE, inverse);
}

/** One row of BASE = MULTIPLES, with one inversion: the Z are multiplied up first, and divided out again from behind. */
function storeRow(row: usize): void {
  const z = MULTIPLES + 2 * STRIDE;
  memory.copy(row, z, STRIDE);
  for (let i: usize = 1; i < ENTRIES; i++) multiply(row + i * AFFINE, row + (i - 1) * AFFINE, z + i * JACOBIAN);
  const product = SIGNS;
  const inverse = SIGNS + STRIDE;
  invert(product, row + (ENTRIES - 1) * AFFINE);
  for (let i = ENTRIES - 1; i > 0; i--) {
    multiply(inverse, product, row + (i - 1) * AFFINE);
    multiply(product, product, z + i * JACOBIAN);
    storeAffine(row + i * AFFINE, MULTIPLES + i * JACOBIAN, inverse);
  }
  storeAffine(row, MULTIPLES, product);
}

/** Fills BASE. `point` is memory for one point. */
export function tabulateBase(point: usize): void {
  liftPoint(point, G);
  for (let i: usize = 0; i <= TOP; i++) {
    tabulate(point);
    storeRow(BASE + i * BASE_ROW);
    // 32 times the point.
    addPoints(point, MULTIPLES + (ENTRIES - 1) * JACOBIAN, point);
  }
}
