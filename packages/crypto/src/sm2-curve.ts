// The numbers of the curve sm2p256v1 (GB/T 32918.5-2017 section 2, RFC 8998 section 3.2.1) and of its scalars. It must not do
// curve arithmetic.
import { hexToBytes } from "./bytes.js";
import { randomBytes } from "./random.js";

/** Bytes of a coordinate, of a scalar and of a digest. */
export const SM2_SIZE = 32;

/** The curve y^2 = x^3 + ax + b modulo p, with the base point G of prime order n; big-endian, in hexadecimal. */
export const SM2_CURVE = {
  p: "fffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff",
  a: "fffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffc",
  b: "28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93",
  gx: "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7",
  gy: "bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0",
  n: "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123",
} as const;

const ORDER: Uint8Array = /* @__PURE__ */ hexToBytes(SM2_CURVE.n);
const ORDER_MINUS_ONE: Uint8Array = /* @__PURE__ */ hexToBytes(
  "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54122",
);

/** Whether 32 bytes are a number of 1..bound-1, with no branch on their content. */
function isBetween(bytes: Uint8Array, bound: Uint8Array): boolean {
  let borrow = 0;
  let any = 0;
  for (let i = SM2_SIZE - 1; i >= 0; i--) {
    const byte = bytes[i] as number;
    borrow = (byte - (bound[i] as number) - borrow) >>> 31;
    any |= byte;
  }
  return borrow === 1 && any !== 0;
}

/** Whether bytes are a scalar 1..n-1 of full length: a nonce, or one half of a signature. */
export function isSm2Scalar(bytes: Uint8Array): boolean {
  return bytes.length === SM2_SIZE && isBetween(bytes, ORDER);
}

/** Whether bytes are a private key: 1..n-2, since signing divides by 1 + d. GB/T 32918.1-2016 6.1. */
export function isSm2PrivateScalar(bytes: Uint8Array): boolean {
  return bytes.length === SM2_SIZE && isBetween(bytes, ORDER_MINUS_ONE);
}

/** A fresh scalar that the test accepts, each with the same chance: draws that it refuses (one of 2^32) are drawn again. */
export function randomSm2Scalar(isWanted: (bytes: Uint8Array) => boolean): Uint8Array {
  for (;;) {
    const scalar = randomBytes(SM2_SIZE);
    if (isWanted(scalar)) return scalar;
    scalar.fill(0);
  }
}
