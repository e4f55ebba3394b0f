// Where everything lies, in AssemblyScript. Whatever may be secret lies in one block, which is overwritten after each operation.

/** Bytes that a number of nine limbs takes. */
export const STRIDE: usize = 40;
/** Bytes of an affine point: x and y. */
export const AFFINE: usize = 2 * STRIDE;
/** Bytes of a point in Jacobian coordinates: X, Y and Z. */
export const JACOBIAN: usize = 3 * STRIDE;

const BLOCK_LENGTH: usize = 4352;
const BLOCK: usize = memory.data(4352, 16);

// What the caller writes and reads: numbers of 32 bytes, points and signatures of 64, most significant byte first.
export const SCALAR: usize = BLOCK;
export const OTHER_SCALAR: usize = BLOCK + 32;
export const DIGEST: usize = BLOCK + 64;
export const POINT: usize = BLOCK + 96;
export const SIGNATURE: usize = BLOCK + 160;

// limbs.ts
export const WORDS: usize = BLOCK + 256;
// field.ts: NORMAL and RAISED are one number each, POWERS six.
export const NORMAL: usize = BLOCK + 304;
export const RAISED: usize = BLOCK + 352;
export const POWERS: usize = BLOCK + 400;
// scalar.ts: 18 columns, and two numbers.
export const PRODUCT: usize = BLOCK + 640;
export const INVERSE: usize = BLOCK + 784;
// point.ts: ten numbers, and two points.
export const TEMPORARIES: usize = BLOCK + 864;
export const SUM: usize = BLOCK + 1264;
export const TWICE: usize = BLOCK + 1384;
// multiples.ts: the digits' source, two numbers, a point, and a table of 16 points.
export const DIGITS: usize = BLOCK + 1504;
export const SIGNS: usize = BLOCK + 1552;
export const ENTRY: usize = BLOCK + 1632;
export const MULTIPLES: usize = BLOCK + 1760;
// index.ts: three points and five numbers.
export const POINTS: usize = BLOCK + 3680;
export const NUMBERS: usize = BLOCK + 4048;

/** Overwrites everything that may be secret. */
export function wipe(): void {
  memory.fill(BLOCK, 0, BLOCK_LENGTH);
}
