// What an implementation of SM2 brings: the shapes of engines and of their parts. It must not hold any code.

/**
 * Arithmetic of the curve and of its scalars. Points are x || y, 64 bytes; scalars are 32 bytes; all numbers are big-endian.
 * Arguments were checked: scalars are in range and points on the curve.
 */
export interface Sm2Arithmetic {
  /** Whether 64 bytes are coordinates below p of a point on the curve; infinity has no such coordinates. */
  isOnCurve(point: Uint8Array): boolean;
  /** k times G, for k in 1..n-1. */
  multiplyBase(scalar: Uint8Array): Uint8Array;
  /** k times P, for k in 1..n-1; never infinity, since the group's order is prime. */
  multiply(scalar: Uint8Array, point: Uint8Array): Uint8Array;
  /** 1 / (1 + d) modulo n, what signing with the private key d takes; for d in 1..n-2. */
  signingKey(scalar: Uint8Array): Uint8Array;
  /** a + b * c modulo n, for numbers below n. */
  multiplyAdd(a: Uint8Array, b: Uint8Array, c: Uint8Array): Uint8Array;
  /**
   * Signs a digest with a nonce of 1..n-1. GB/T 32918.2-2016 6.1, steps A4 to A6.
   * @returns r || s, or undefined where the nonce is one that the standard refuses
   */
  sign(signingKey: Uint8Array, nonce: Uint8Array, digest: Uint8Array): Uint8Array | undefined;
  /** Verifies r || s, both in 1..n-1, over a digest. GB/T 32918.2-2016 7.1, steps B5 to B7. */
  verify(point: Uint8Array, digest: Uint8Array, raw: Uint8Array): boolean;
}

/** Signatures over whole messages, as a runtime offers them. `identity` is Z, as GB/T 32918.2-2016 5.5 defines it. */
export interface Sm2NativeSignatures {
  /** Takes DER PKCS#8, which it does not keep; the key signs with strict DER. */
  importPrivateKey(pkcs8: Uint8Array): (identity: Uint8Array, message: Uint8Array) => Uint8Array;
  /** Takes DER SubjectPublicKeyInfo; the key verifies checked DER. */
  importPublicKey(spki: Uint8Array): (identity: Uint8Array, message: Uint8Array, der: Uint8Array) => boolean;
}

/** What an implementation brings. */
export interface Sm2Engine {
  readonly name: string;
  readonly arithmetic: Sm2Arithmetic;
  /** Signatures over messages by the runtime, instead of by the arithmetic. */
  readonly native?: Sm2NativeSignatures;
}
