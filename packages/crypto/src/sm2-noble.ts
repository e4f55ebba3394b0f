// The arithmetic of SM2 by noble. It works with BigInt, so that the time of an operation may depend on its secrets, and numbers
// made of secrets stay in memory until they are collected. It must not check arguments nor know encodings.
import { type WeierstrassPoint, type WeierstrassPointCons, weierstrass } from "@noble/curves/abstract/weierstrass.js";
import { concatBytes } from "./bytes.js";
import { SM2_CURVE, SM2_SIZE } from "./sm2-curve.js";
import type { Sm2Arithmetic } from "./sm2-engine.js";
import { uncompressedPoint } from "./sm2-keys.js";

const numberOf = (hex: string): bigint => BigInt(`0x${hex}`);

let lazyPoint: WeierstrassPointCons<bigint> | undefined;

/** The curve, made at its first use. */
function curve(): WeierstrassPointCons<bigint> {
  lazyPoint ??= weierstrass({
    p: numberOf(SM2_CURVE.p),
    n: numberOf(SM2_CURVE.n),
    h: 1n,
    a: numberOf(SM2_CURVE.a),
    b: numberOf(SM2_CURVE.b),
    Gx: numberOf(SM2_CURVE.gx),
    Gy: numberOf(SM2_CURVE.gy),
  });
  return lazyPoint;
}

function pointOf(point: Uint8Array): WeierstrassPoint<bigint> {
  return curve().fromBytes(uncompressedPoint(point));
}

function bytesOf(point: WeierstrassPoint<bigint>): Uint8Array {
  return point.toBytes(false).subarray(1);
}

/** The point x || y of a compressed one: public, whatever else does the arithmetic. Throws unless it is on the curve. */
export function decompressPoint(compressed: Uint8Array): Uint8Array {
  return bytesOf(curve().fromBytes(compressed));
}

/** P + k times R, for public values; throws if it is infinity. */
export function addMultiple(point: Uint8Array, scalar: Uint8Array, other: Uint8Array): Uint8Array {
  return bytesOf(pointOf(point).add(pointOf(other).multiplyUnsafe(curve().Fn.fromBytes(scalar))));
}

class NobleArithmetic implements Sm2Arithmetic {
  isOnCurve(point: Uint8Array): boolean {
    try {
      pointOf(point);
      return true;
    } catch {
      return false;
    }
  }

  multiplyBase(scalar: Uint8Array): Uint8Array {
    const { BASE, Fn } = curve();
    return bytesOf(BASE.multiply(Fn.fromBytes(scalar)));
  }

  multiply(scalar: Uint8Array, point: Uint8Array): Uint8Array {
    return bytesOf(pointOf(point).multiply(curve().Fn.fromBytes(scalar)));
  }

  signingKey(scalar: Uint8Array): Uint8Array {
    const { Fn } = curve();
    return Fn.toBytes(Fn.inv(Fn.fromBytes(scalar) + 1n));
  }

  multiplyAdd(a: Uint8Array, b: Uint8Array, c: Uint8Array): Uint8Array {
    const { Fn } = curve();
    return Fn.toBytes(Fn.create(Fn.fromBytes(a) + Fn.fromBytes(b) * Fn.fromBytes(c)));
  }

  sign(signingKey: Uint8Array, nonce: Uint8Array, digest: Uint8Array): Uint8Array | undefined {
    const { BASE, Fn } = curve();
    const k = Fn.fromBytes(nonce);
    const r = Fn.create(Fn.fromBytes(digest, true) + BASE.multiply(k).x);
    // A6 in a form with one multiplication: (k - rd) / (1 + d) = (k + r) / (1 + d) - r.
    const sum = Fn.add(k, r);
    const s = Fn.sub(Fn.mul(Fn.fromBytes(signingKey), sum), r);
    // A5 and A6: r = 0, r + k = n and s = 0 call for another nonce.
    if (r === 0n || sum === 0n || s === 0n) return undefined;
    return concatBytes(Fn.toBytes(r), Fn.toBytes(s));
  }

  verify(point: Uint8Array, digest: Uint8Array, raw: Uint8Array): boolean {
    const { BASE, Fn } = curve();
    const r = Fn.fromBytes(raw.subarray(0, SM2_SIZE));
    const s = Fn.fromBytes(raw.subarray(SM2_SIZE));
    const t = Fn.add(r, s);
    if (t === 0n) return false;
    const sum = BASE.mulAddUnsafe(s, pointOf(point), t);
    return !sum.is0() && Fn.create(Fn.fromBytes(digest, true) + sum.x) === r;
  }
}

/** The arithmetic of SM2 by noble. */
export function createNobleSm2(): Sm2Arithmetic {
  return new NobleArithmetic();
}
