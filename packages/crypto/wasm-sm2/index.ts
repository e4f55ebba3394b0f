// SM2's arithmetic in AssemblyScript: what the module exports. The caller writes its input to the addresses SCALAR and so on, and
// reads the result from them. It must check what it writes: scalars are in range, and points on the curve.
import { isZeroNumber, writeNumber } from "./limbs";
import { DIGEST, JACOBIAN, NUMBERS, OTHER_SCALAR, POINT, POINTS, SCALAR, SIGNATURE, STRIDE } from "./memory";
import { multiplyBasePoint, multiplyPoint, tabulateBase } from "./multiples";
import { addAny, isInfinity, liftPoint, readPoint, writePoint } from "./point";
import { addScalars, invertScalar, multiplyScalars, negateScalar, readScalar } from "./scalar";

export { DIGEST, OTHER_SCALAR, POINT, SCALAR, SIGNATURE, wipe } from "./memory";

const A: usize = POINTS;
const B: usize = POINTS + JACOBIAN;
const C: usize = POINTS + 2 * JACOBIAN;
const R: usize = NUMBERS;
const S: usize = NUMBERS + STRIDE;
const T: usize = NUMBERS + 2 * STRIDE;
const UNIT: usize = memory.data<i32>([1, 0, 0, 0, 0, 0, 0, 0, 0]);

/** Makes the table of multiples of G; to be called once, before anything else. */
export function prepare(): void {
  tabulateBase(A);
}

/** 1 if POINT holds coordinates below p of a point on the curve, else 0. */
export function isOnCurve(): i32 {
  return readPoint(A, POINT);
}

/** POINT = SCALAR * G. */
export function multiplyBase(): void {
  multiplyBasePoint(A, SCALAR);
  writePoint(POINT, A);
}

/** POINT = SCALAR * POINT. */
export function multiply(): void {
  readPoint(A, POINT);
  liftPoint(A, A);
  multiplyPoint(B, SCALAR, A);
  writePoint(POINT, B);
}

/** OTHER_SCALAR = 1 / (1 + SCALAR). */
export function invertSuccessor(): void {
  readScalar(S, SCALAR);
  addScalars(S, S, UNIT);
  invertScalar(S, S);
  writeNumber(OTHER_SCALAR, S);
}

/** SCALAR = OTHER_SCALAR + SCALAR * DIGEST. */
export function multiplyAdd(): void {
  readScalar(S, SCALAR);
  readScalar(T, DIGEST);
  multiplyScalars(S, S, T);
  readScalar(T, OTHER_SCALAR);
  addScalars(S, S, T);
  writeNumber(SCALAR, S);
}

/** R = DIGEST + the x of the point at `bytes`. */
function addX(bytes: usize): void {
  readScalar(R, bytes);
  readScalar(T, DIGEST);
  addScalars(R, R, T);
}

/** SIGNATURE = r || s of DIGEST, with the signing key OTHER_SCALAR and the nonce SCALAR. @returns 0 if the nonce is of no use */
export function sign(): i32 {
  multiplyBasePoint(A, SCALAR);
  writePoint(POINT, A);
  addX(POINT);
  // s = (k - rd) / (1 + d) = (k + r) / (1 + d) - r
  readScalar(S, SCALAR);
  addScalars(S, S, R);
  const isSumZero = isZeroNumber(S);
  readScalar(T, OTHER_SCALAR);
  multiplyScalars(S, S, T);
  negateScalar(T, R);
  addScalars(S, S, T);
  writeNumber(SIGNATURE, R);
  writeNumber(SIGNATURE + 32, S);
  return 1 - (isZeroNumber(R) | isSumZero | isZeroNumber(S));
}

/** 1 if SIGNATURE is one of DIGEST under POINT, else 0. */
export function verify(): i32 {
  // t = r + s; the scalars of the multiples lie where their caller put them, and this one goes to SCALAR.
  readScalar(R, SIGNATURE);
  readScalar(S, SIGNATURE + 32);
  addScalars(T, R, S);
  if (isZeroNumber(T)) return 0;
  writeNumber(SCALAR, T);
  readPoint(A, POINT);
  liftPoint(A, A);
  multiplyPoint(B, SCALAR, A);
  multiplyBasePoint(C, SIGNATURE + 32);
  addAny(B, B, C);
  if (isInfinity(B)) return 0;
  writePoint(POINT, B);
  addX(POINT);
  readScalar(S, SIGNATURE);
  negateScalar(S, S);
  addScalars(S, S, R);
  return isZeroNumber(S);
}
