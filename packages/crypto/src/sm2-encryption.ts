// SM2 public-key encryption (GB/T 32918.4-2016) over any arithmetic. It must not know encodings.
import { equalBytes } from "./bytes.js";
import { authenticationError } from "./errors.js";
import { digest } from "./hash.js";
import type { Sm2Ciphertext } from "./sm2-ciphertext.js";
import { isSm2Scalar, randomSm2Scalar, SM2_SIZE } from "./sm2-curve.js";
import type { Sm2Arithmetic } from "./sm2-engine.js";

/**
 * Derives bytes: SM3 over the input and a counter that starts at 1. GB/T 32918.4-2016 5.4.3.
 * @param length - below 2^32 times 32 bytes
 * @param input - parts, as if they were joined
 */
export function sm2Kdf(length: number, ...input: readonly Uint8Array[]): Uint8Array {
  const derived = new Uint8Array(length);
  const counter = new Uint8Array(4);
  const view = new DataView(counter.buffer);
  for (let offset = 0, count = 1; offset < length; offset += SM2_SIZE, count++) {
    view.setUint32(0, count);
    const block = digest("sm3", ...input, counter);
    derived.set(block.subarray(0, length - offset), offset);
    block.fill(0);
  }
  return derived;
}

/** Masks or unmasks a text with a mask that it overwrites; undefined for a mask of nothing but zeros, which would not hide it. */
function applyMask(text: Uint8Array, mask: Uint8Array): Uint8Array | undefined {
  const result = new Uint8Array(text.length);
  let any = 0;
  for (let i = 0; i < text.length; i++) {
    const byte = mask[i] as number;
    any |= byte;
    result[i] = (text[i] as number) ^ byte;
  }
  mask.fill(0);
  return any === 0 ? undefined : result;
}

/** C3: the digest of x2 || M || y2. */
function tagOf(shared: Uint8Array, plaintext: Uint8Array): Uint8Array {
  return digest("sm3", shared.subarray(0, SM2_SIZE), plaintext, shared.subarray(SM2_SIZE));
}

/** Encrypts 1 byte or more to a point on the curve. GB/T 32918.4-2016 6.1. */
export function encrypt(arithmetic: Sm2Arithmetic, publicPoint: Uint8Array, plaintext: Uint8Array): Sm2Ciphertext {
  for (;;) {
    const nonce = randomSm2Scalar(isSm2Scalar);
    const point = arithmetic.multiplyBase(nonce);
    const shared = arithmetic.multiply(nonce, publicPoint);
    nonce.fill(0);
    const masked = applyMask(plaintext, sm2Kdf(plaintext.length, shared));
    const tag = tagOf(shared, plaintext);
    shared.fill(0);
    // A5: with a mask of zeros, which short plaintexts meet, another nonce is drawn.
    if (masked !== undefined) return { point, masked, tag };
  }
}

/**
 * Decrypts. GB/T 32918.4-2016 7.1. Nothing tells apart why it failed: not the error, and not which steps were taken, once the
 * point is known to be on the curve, which anyone can tell.
 * @throws FengniError `ERR_AUTHENTICATION`
 */
export function decrypt(arithmetic: Sm2Arithmetic, scalar: Uint8Array, ciphertext: Sm2Ciphertext): Uint8Array {
  const { point, masked, tag } = ciphertext;
  if (!arithmetic.isOnCurve(point)) throw authenticationError();
  const shared = arithmetic.multiply(scalar, point);
  const unmasked = applyMask(masked, sm2Kdf(masked.length, shared));
  const plaintext = unmasked ?? new Uint8Array(masked.length);
  const isRight = equalBytes(tagOf(shared, plaintext), tag);
  shared.fill(0);
  if (isRight && unmasked !== undefined) return plaintext;
  plaintext.fill(0);
  throw authenticationError();
}
