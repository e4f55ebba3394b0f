// What an SM2 signature is made of beside the curve: its encodings, the digest of signer and message, and its nonces. It must not
// do curve arithmetic.
import { concatBytes, hexToBytes } from "./bytes.js";
import { DerReader, derElement, derUnsigned, TAG } from "./der.js";
import { digest, hmac } from "./hash.js";
import { randomBytes } from "./random.js";
import type { Sm2SignatureFormat } from "./sm2.js";
import { isSm2Scalar, SM2_CURVE, SM2_SIZE } from "./sm2-curve.js";

const CURVE_BYTES: Uint8Array = /* @__PURE__ */ hexToBytes(SM2_CURVE.a + SM2_CURVE.b + SM2_CURVE.gx + SM2_CURVE.gy);

/**
 * Z, the digest of signer and curve, that is hashed before a message.
 * @param point - the signer's public point x || y
 * @param userId - 0..8191 bytes; GB/T 32918.2-2016 5.5
 */
export function identityDigest(point: Uint8Array, userId: Uint8Array): Uint8Array {
  const bits = 8 * userId.length;
  return digest("sm3", Uint8Array.of(bits >> 8, bits & 255), userId, CURVE_BYTES, point);
}

/** e, what is signed. GB/T 32918.2-2016 6.1, steps A1 and A2. */
export function messageDigest(identity: Uint8Array, message: Uint8Array): Uint8Array {
  return digest("sm3", identity, message);
}

/** A number as exactly 32 bytes, or undefined unless it is 1..n-1. */
function scalarOf(magnitude: Uint8Array): Uint8Array | undefined {
  if (magnitude.length > SM2_SIZE) return undefined;
  const scalar = new Uint8Array(SM2_SIZE);
  scalar.set(magnitude, SM2_SIZE - magnitude.length);
  return isSm2Scalar(scalar) ? scalar : undefined;
}

function parseDer(der: Uint8Array): Uint8Array | undefined {
  try {
    const outer = new DerReader(der);
    const inner = outer.enter(TAG.sequence);
    outer.end();
    const r = scalarOf(inner.unsigned());
    const s = scalarOf(inner.unsigned());
    inner.end();
    return r === undefined || s === undefined ? undefined : concatBytes(r, s);
  } catch {
    return undefined;
  }
}

/** r and s of a signature, 64 bytes; undefined unless it is strict DER (GM/T 0009-2012 7.3) or 64 bytes, with both in 1..n-1. */
export function parseSignature(signature: Uint8Array, format: Sm2SignatureFormat): Uint8Array | undefined {
  if (format === "der") return parseDer(signature);
  const isRight = isSm2Scalar(signature.subarray(0, SM2_SIZE)) && isSm2Scalar(signature.subarray(SM2_SIZE));
  return isRight ? signature : undefined;
}

/** r || s as DER. */
export function rawToDer(raw: Uint8Array): Uint8Array {
  return derElement(TAG.sequence, derUnsigned(raw.subarray(0, SM2_SIZE)), derUnsigned(raw.subarray(SM2_SIZE)));
}

const ZERO: Uint8Array = /* @__PURE__ */ Uint8Array.of(0);
const ONE: Uint8Array = /* @__PURE__ */ Uint8Array.of(1);

/**
 * The nonces of one signature, by HMAC-SM3 over the private key, the digest and 32 fresh random bytes: should the system's
 * randomness fail, they are still as good as deterministic ones, and should a fault strike twice, it strikes different nonces.
 * RFC 6979 sections 3.2 and 3.6; the digest goes in whole, not reduced modulo n.
 */
export class HedgedNonces {
  #key: Uint8Array = new Uint8Array(SM2_SIZE);
  #value: Uint8Array = new Uint8Array(SM2_SIZE).fill(1);

  constructor(scalar: Uint8Array, e: Uint8Array) {
    const fresh = randomBytes(SM2_SIZE);
    this.#step(ZERO, scalar, e, fresh);
    this.#step(ONE, scalar, e, fresh);
    fresh.fill(0);
  }

  /** The next nonce, 1..n-1: a new buffer that the caller overwrites. */
  next(): Uint8Array {
    for (;;) {
      this.#advance();
      const nonce = new Uint8Array(this.#value);
      // RFC 6979 3.2 h 3, also after a nonce that the caller has no use for.
      this.#step(ZERO);
      if (isSm2Scalar(nonce)) return nonce;
      nonce.fill(0);
    }
  }

  wipe(): void {
    this.#key.fill(0);
    this.#value.fill(0);
  }

  #step(...seed: readonly Uint8Array[]): void {
    const old = this.#key;
    this.#key = hmac("sm3", old, this.#value, ...seed);
    old.fill(0);
    this.#advance();
  }

  #advance(): void {
    const old = this.#value;
    this.#value = hmac("sm3", this.#key, old);
    old.fill(0);
  }
}
