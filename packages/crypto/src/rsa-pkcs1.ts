// Removal of PKCS#1 v1.5 encryption padding with implicit rejection (draft-irtf-cfrg-rsa-guidance; the same derivation as
// OpenSSL 3.2 and later, byte for byte): a wrong padding gives a pseudo-random message instead of an error, so that nobody can
// ask whether a padding was right. It must not do RSA.
//
// What is constant in time: the steps below have no branch and no memory index that depends on the decrypted block or on whether
// the padding was right; both candidates are computed and read in full. What is not: the length of the result, which the caller
// sees anyway and which says nothing of the padding; and whatever a JavaScript engine does beneath us, which nobody can promise.
import { concatBytes } from "./bytes.js";
import { hmac } from "./hash.js";

const LENGTH_CANDIDATES = 128;
const MIN_PADDING = 8;
const MESSAGE_LABEL: Uint8Array = /* @__PURE__ */ new TextEncoder().encode("message");
const LENGTH_LABEL: Uint8Array = /* @__PURE__ */ new TextEncoder().encode("length");

// Masks are -1 (all bits) for true and 0 for false. All operands are below 2^30.
const maskIsZero = (value: number): number => ~((value | -value) >> 31);
const maskIsLess = (a: number, b: number): number => (a - b) >> 31;
const choose = (mask: number, a: number, b: number): number => b ^ (mask & (a ^ b));

/** The draft's IRPRF: HMAC-SHA256 in counter mode over a label and the wanted bits, both counters of 16 bits. */
function expand(key: Uint8Array, label: Uint8Array, length: number): Uint8Array {
  const output = new Uint8Array(length);
  const bits = 8 * length;
  for (let counter = 0, offset = 0; offset < length; counter++) {
    const iteration = Uint8Array.of(counter >> 8, counter & 255);
    const block = hmac("sha256", key, iteration, label, Uint8Array.of((bits >> 8) & 255, bits & 255));
    const left = length - offset;
    output.set(left < block.length ? block.subarray(0, left) : block, offset);
    offset += block.length;
  }
  return output;
}

/** The length of the replacement: the last candidate that is short enough. */
function chooseLength(candidates: Uint8Array, limit: number): number {
  // As many one bits as the limit is long.
  const mask = 2 ** (32 - Math.clz32(limit)) - 1;
  let length = 0;
  for (let i = 0; i < LENGTH_CANDIDATES; i++) {
    const candidate = (((candidates[2 * i] as number) << 8) | (candidates[2 * i + 1] as number)) & mask;
    length = choose(maskIsLess(candidate, limit), candidate, length);
  }
  return length;
}

/**
 * Takes the message out of a decrypted block, or makes up one.
 * @param block - the decrypted block, as long as the modulus; RFC 8017 section 7.2.2 step 3
 * @param ciphertext - what it was decrypted from, as long
 * @param exponentHash - SHA-256 of the private exponent, padded to the length of the modulus
 * @returns a new buffer with the message; for a wrong padding a message that depends on key and ciphertext only
 */
export function unpadOrReplace(block: Uint8Array, ciphertext: Uint8Array, exponentHash: Uint8Array): Uint8Array {
  const size = block.length;
  const key = hmac("sha256", exponentHash, ciphertext);
  const replacement = expand(key, MESSAGE_LABEL, size);
  const replacementLength = chooseLength(expand(key, LENGTH_LABEL, 2 * LENGTH_CANDIDATES), size - 2 - MIN_PADDING);

  // 00 02, then at least eight bytes that are not zero, then 00.
  let good = maskIsZero(block[0] as number) & maskIsZero((block[1] as number) ^ 2);
  let found = 0;
  let zeroAt = 0;
  for (let i = 2; i < size; i++) {
    const isZero = maskIsZero(block[i] as number);
    zeroAt = choose(isZero & ~found, i, zeroAt);
    found |= isZero;
  }
  good &= found & ~maskIsLess(zeroAt, 2 + MIN_PADDING);

  const start = choose(good, zeroAt + 1, size - replacementLength);
  for (let i = 0; i < size; i++) replacement[i] = choose(good, block[i] as number, replacement[i] as number);
  const message = replacement.slice(start);
  replacement.fill(0);
  key.fill(0);
  return message;
}

/** A ciphertext whose decryption, the number 1, has a wrong padding under every key: for probing. */
export function wronglyPadded(modulusBytes: number): Uint8Array {
  return concatBytes(new Uint8Array(modulusBytes - 1), Uint8Array.of(1));
}
