// Points of the curve y^2 = x^3 - 3x + b of SM2, in AssemblyScript. It must not know scalars.
//
// A point is X, Y and Z, tight numbers, for x = X / Z^2 and y = Y / Z^3; infinity has Z = 0. An affine point is x and y. No branch
// and no address depends on a point. Formulas that do not hold for every point say so.
import { add, combine, invert, isZero, multiply, ONE, readField, square, subtract, writeField } from "./field";
import { AFFINE, JACOBIAN, STRIDE, SUM, TEMPORARIES, TWICE } from "./memory";

const T0: usize = TEMPORARIES;
const T1: usize = TEMPORARIES + STRIDE;
const T2: usize = TEMPORARIES + 2 * STRIDE;
const T3: usize = TEMPORARIES + 3 * STRIDE;
const T4: usize = TEMPORARIES + 4 * STRIDE;
const T5: usize = TEMPORARIES + 5 * STRIDE;
// What addition leaves behind: the differences of x and of y, both over the common denominator, which are differences of numbers.
const DX: usize = TEMPORARIES + 6 * STRIDE;
const DY: usize = TEMPORARIES + 7 * STRIDE;

/** b, in Montgomery's form. */
const B: usize = memory.data<i32>([
  0x181ba844, 0x1230632b, 0x9bd5b86, 0xde6c26d, 0x1878e39e, 0x1505ea51, 0x4293cc0, 0x368838b, 0x81fc31,
]);

const Y: usize = STRIDE;
const Z: usize = 2 * STRIDE;

/**
 * d = 2a, also for infinity (there is no point of order two); d may be a. With m = 3(X - Z^2)(X + Z^2) and s = 4XY^2:
 * X' = m^2 - 2s, Y' = m(s - X') - 8Y^4, Z' = 2YZ.
 */
export function double(d: usize, a: usize): void {
  square(T0, a + Z);
  add(T1, a, T0);
  combine(T0, T0, 3, a, -3);
  // -m
  multiply(T1, T1, T0);
  add(T2, a + Y, a + Y);
  multiply(d + Z, T2, a + Z);
  square(T2, a + Y);
  combine(T2, T2, 2, T2, 0);
  // s / 2
  multiply(T3, a, T2);
  // 4Y^4
  square(T2, T2);
  square(T4, T1);
  combine(d, T4, 1, T3, -4);
  // X' - s
  combine(T3, d, 1, T3, -2);
  multiply(T1, T1, T3);
  combine(d + Y, T1, 1, T2, -2);
}

/** The end of both additions: d of DX, DY, x and y of the first point over the common denominator, and DX's share of Z'. */
function finishAddition(d: usize, x: usize, y: usize): void {
  square(T2, DX);
  multiply(T3, DX, T2);
  multiply(T2, x, T2);
  multiply(T5, T3, y);
  square(T4, DY);
  combine(T3, T3, 1, T2, 2);
  // X' = DY^2 - DX^3 - 2x * DX^2
  combine(d, T4, 1, T3, -1);
  // Y' = DY(x * DX^2 - X') - y * DX^3
  subtract(T2, T2, d);
  multiply(T2, DY, T2);
  combine(d + Y, T2, 1, T5, -1);
}

/** d = a + b for an affine b; d may be a. Wrong if a is infinity, b or -b. */
export function addAffine(d: usize, a: usize, b: usize): void {
  square(T0, a + Z);
  multiply(T1, T0, a + Z);
  multiply(T1, T1, b + Y);
  multiply(T0, T0, b);
  subtract(DX, T0, a);
  subtract(DY, T1, a + Y);
  multiply(d + Z, DX, a + Z);
  finishAddition(d, a, a + Y);
}

/** d = a + b; d may be a or b. Wrong if one is infinity, or they are equal; infinity if one is the other's negative. */
export function addPoints(d: usize, a: usize, b: usize): void {
  square(T0, a + Z);
  square(T1, b + Z);
  multiply(T2, T0, b);
  multiply(T3, T0, a + Z);
  multiply(T3, T3, b + Y);
  // x and y of a over the common denominator.
  multiply(T0, T1, b + Z);
  multiply(T0, T0, a + Y);
  multiply(T1, T1, a);
  subtract(DX, T2, T1);
  subtract(DY, T3, T0);
  multiply(T2, a + Z, b + Z);
  multiply(d + Z, DX, T2);
  finishAddition(d, T1, T0);
}

/** d = mask of ones ? a : d, for a mask that is -1 or 0. */
export function selectPoint(d: usize, a: usize, mask: i64): void {
  for (let i: usize = 0; i < JACOBIAN; i += 8) {
    const kept = load<i64>(d + i);
    store<i64>(d + i, kept ^ ((kept ^ load<i64>(a + i)) & mask));
  }
}

/** d = a + b, for all points; d may be a or b. */
export function addAny(d: usize, a: usize, b: usize): void {
  addPoints(SUM, a, b);
  combine(DX, DX, 1, DX, 0);
  combine(DY, DY, 1, DY, 0);
  const isSame = isZero(DX) & isZero(DY);
  const aIsInfinity = isInfinity(a);
  const bIsInfinity = isInfinity(b);
  double(TWICE, a);
  selectPoint(SUM, TWICE, -(<i64>isSame));
  selectPoint(SUM, b, -(<i64>aIsInfinity));
  selectPoint(SUM, a, -(<i64>bIsInfinity));
  memory.copy(d, SUM, JACOBIAN);
}

/** 1 if a is infinity, else 0. */
export function isInfinity(a: usize): i32 {
  return isZero(a + Z);
}

/** d = a, given as an affine point; d may be a. */
export function liftPoint(d: usize, a: usize): void {
  memory.copy(d, a, AFFINE);
  memory.copy(d + Z, ONE, STRIDE);
}

/** d = -d if the mask is -1, d if it is 0; d is affine or not. */
export function negateIf(d: usize, mask: i64): void {
  combine(d + Y, d + Y, 1 + 2 * mask, d + Y, 0);
}

/** Writes x || y, 64 bytes; zeros for infinity. */
export function writePoint(bytes: usize, a: usize): void {
  invert(T0, a + Z);
  square(T1, T0);
  multiply(T0, T0, T1);
  multiply(T1, T1, a);
  multiply(T0, T0, a + Y);
  writeField(bytes, T1);
  writeField(bytes + 32, T0);
}

/**
 * Reads x || y, 64 bytes, as an affine point.
 * @returns 1 if they are below p and of a point on the curve, else 0
 */
export function readPoint(d: usize, bytes: usize): i32 {
  const areBelow = readField(d, bytes) & readField(d + Y, bytes + 32);
  square(T0, d);
  multiply(T0, T0, d);
  combine(T0, T0, 1, d, -3);
  combine(T0, T0, 1, B, 1);
  square(T1, d + Y);
  combine(T0, T0, 1, T1, -1);
  return areBelow & isZero(T0);
}
