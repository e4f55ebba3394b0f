// The encodings of ECDSA: signatures, public points in SPKI, private keys in PKCS#8, and the table of curves. It must not do
// curve arithmetic: whether a point is on its curve is the implementation's to say.
import { assertBytes, assertOneOf } from "./assert.js";
import { concatBytes, equalBytes, hexToBytes } from "./bytes.js";
import { DerReader, derElement, derUnsigned, MalformedDer, TAG } from "./der.js";
import type { EcdsaCurve, EcdsaSignatureEncoding } from "./ecdsa.js";
import { authenticationError, FengniError } from "./errors.js";
import type { Sha2Name } from "./hash.js";

/** What there is to know of one curve. */
export interface Curve {
  readonly name: EcdsaCurve;
  /** OpenSSL's name. */
  readonly nodeName: string;
  readonly hash: Sha2Name;
  /** Bytes of a coordinate and of a scalar. */
  readonly size: number;
  /** The order n of the base point (SP 800-186 sections 3.2.1.3 and 3.2.1.4). */
  readonly order: Uint8Array;
  /** The contents of the curve's OBJECT IDENTIFIER (RFC 5480 section 2.1.1.1). */
  readonly oid: Uint8Array;
}

const CURVES: Readonly<Record<EcdsaCurve, Curve>> = {
  "P-256": {
    name: "P-256",
    nodeName: "prime256v1",
    hash: "sha256",
    size: 32,
    order: /* @__PURE__ */ hexToBytes("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"),
    oid: /* @__PURE__ */ hexToBytes("2a8648ce3d030107"),
  },
  "P-384": {
    name: "P-384",
    nodeName: "secp384r1",
    hash: "sha384",
    size: 48,
    order: /* @__PURE__ */ hexToBytes(
      "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
    ),
    oid: /* @__PURE__ */ hexToBytes("2b81040022"),
  },
};

const EC_PUBLIC_KEY: Uint8Array = /* @__PURE__ */ hexToBytes("2a8648ce3d0201");

/** The row of a curve; RangeError `ERR_ARGUMENT` for an unknown one. */
export function curveOf(name: EcdsaCurve): Curve {
  return CURVES[assertOneOf(name, "curve", ["P-256", "P-384"])];
}

/** The error for key material that is not a key of the curve. */
export function keyInvalid(curve: Curve, what: string): FengniError<"ERR_KEY_INVALID"> {
  return new FengniError("ERR_KEY_INVALID", `not a ${curve.name} ${what}`);
}

/** Writes a number into `target`, which has the curve's size; false unless it is 1..n-1. The numbers are public. */
function putScalar(curve: Curve, magnitude: Uint8Array, target: Uint8Array): boolean {
  if (magnitude.length > curve.size) return false;
  target.set(magnitude, curve.size - magnitude.length);
  let any = 0;
  for (let i = 0; i < curve.size; i++) any |= target[i] as number;
  // Both are of one length: the first byte that differs decides.
  let at = 0;
  while (at < curve.size && target[at] === curve.order[at]) at++;
  return any !== 0 && at < curve.size && (target[at] as number) < (curve.order[at] as number);
}

/** A signature in both encodings. */
export interface Signature {
  readonly der: Uint8Array;
  readonly raw: Uint8Array;
}

/** Reads strict DER with r and s in 1..n-1; undefined for everything else. RFC 3279 section 2.2.3. */
function parseDer(curve: Curve, der: Uint8Array): Signature | undefined {
  try {
    const outer = new DerReader(der);
    const inner = outer.enter(TAG.sequence);
    outer.end();
    const raw = new Uint8Array(2 * curve.size);
    const isR = putScalar(curve, inner.unsigned(), raw.subarray(0, curve.size));
    const isS = putScalar(curve, inner.unsigned(), raw.subarray(curve.size));
    inner.end();
    return isR && isS ? { der, raw } : undefined;
  } catch {
    return undefined;
  }
}

/** Reads r and s side by side, both of full length and in 1..n-1; undefined for everything else. IEEE P1363. */
function parseRaw(curve: Curve, raw: Uint8Array): Signature | undefined {
  if (raw.length !== 2 * curve.size) return undefined;
  const [r, s] = [raw.subarray(0, curve.size), raw.subarray(curve.size)];
  const scratch = new Uint8Array(curve.size);
  if (!putScalar(curve, r, scratch) || !putScalar(curve, s, scratch)) return undefined;
  return { der: derElement(TAG.sequence, derUnsigned(r), derUnsigned(s)), raw };
}

const ENCODINGS: readonly EcdsaSignatureEncoding[] = ["der", "raw"];

/** Checks the name of an encoding; RangeError `ERR_ARGUMENT` for an unknown one. */
export function checkEncoding(encoding: EcdsaSignatureEncoding): void {
  if (encoding !== "der" && encoding !== "raw") assertOneOf(encoding, "encoding", ENCODINGS);
}

/** Reads a signature in the given encoding, strictly; undefined for whatever is none. */
export function parseSignature(
  curve: Curve,
  encoding: EcdsaSignatureEncoding,
  signature: Uint8Array,
): Signature | undefined {
  return encoding === "der" ? parseDer(curve, signature) : parseRaw(curve, signature);
}

/** A raw signature of our own making as DER. */
export function ownRawToDer(curve: Curve, raw: Uint8Array): Uint8Array {
  return (parseRaw(curve, raw) as Signature).der;
}

/** A DER signature of our own making as raw bytes: it is not checked again, which would cost P-256 a twentieth of its speed. */
export function ownDerToRaw({ size }: Curve, der: Uint8Array): Uint8Array {
  const raw = new Uint8Array(2 * size);
  // Each number stands behind its tag and its length, both one byte, as all lengths here are below 128.
  for (let half = 0, at = 3; half < 2; half++) {
    const end = at + 1 + (der[at] as number);
    for (let from = end - 1, to = (half + 1) * size - 1; from > at && to >= half * size; from--, to--)
      raw[to] = der[from] as number;
    at = end + 1;
  }
  return raw;
}

/**
 * Turns an ECDSA signature from DER into r and s side by side (IEEE P1363).
 * @param curve - the curve, for the length
 * @param der - a strict DER signature with r and s in 1..n-1
 * @returns a new buffer of 64 or 96 bytes
 * @throws FengniError `ERR_AUTHENTICATION` for any other bytes; RangeError `ERR_ARGUMENT` for an unknown curve
 */
export function derSignatureToRaw(curve: EcdsaCurve, der: Uint8Array): Uint8Array {
  const signature = parseDer(curveOf(curve), assertBytes(der, "der"));
  if (signature === undefined) throw authenticationError();
  return signature.raw;
}

/**
 * Turns an ECDSA signature from r and s side by side (IEEE P1363) into DER.
 * @param curve - the curve, for the length
 * @param raw - 64 or 96 bytes, with r and s in 1..n-1
 * @returns a new buffer, at most 72 or 104 bytes; RFC 3279 section 2.2.3
 * @throws FengniError `ERR_AUTHENTICATION` for any other bytes; RangeError `ERR_ARGUMENT` for an unknown curve
 */
export function rawSignatureToDer(curve: EcdsaCurve, raw: Uint8Array): Uint8Array {
  const signature = parseRaw(curveOf(curve), assertBytes(raw, "raw"));
  if (signature === undefined) throw authenticationError();
  return signature.der;
}

function algorithmIdentifier(curve: Curve): Uint8Array {
  const oids = [EC_PUBLIC_KEY, curve.oid].map((oid) => derElement(TAG.objectIdentifier, oid));
  return derElement(TAG.sequence, ...oids);
}

function readAlgorithm(curve: Curve, reader: DerReader): void {
  const algorithm = reader.enter(TAG.sequence);
  const isEc = equalBytes(algorithm.contents(TAG.objectIdentifier), EC_PUBLIC_KEY);
  if (!isEc || !equalBytes(algorithm.contents(TAG.objectIdentifier), curve.oid))
    throw new MalformedDer("another algorithm or curve");
  algorithm.end();
}

/** SubjectPublicKeyInfo of an uncompressed point. RFC 5480 section 2. */
export function formatSpki(curve: Curve, uncompressed: Uint8Array): Uint8Array {
  const point = derElement(TAG.bitString, Uint8Array.of(0), uncompressed);
  return derElement(TAG.sequence, algorithmIdentifier(curve), point);
}

/** The point of a SubjectPublicKeyInfo in compressed form, not yet checked to be on the curve. */
export function parseSpki(curve: Curve, spki: Uint8Array): Uint8Array {
  try {
    const outer = new DerReader(spki);
    const inner = outer.enter(TAG.sequence);
    outer.end();
    readAlgorithm(curve, inner);
    const point = inner.bitString();
    inner.end();
    if (point[0] !== 4 || point.length !== 1 + 2 * curve.size) throw new MalformedDer("not an uncompressed point");
    return point;
  } catch {
    throw keyInvalid(curve, "public key in DER SubjectPublicKeyInfo with an uncompressed point");
  }
}

/** A point 04 || x || y as 02 or 03 || x. SEC 1 section 2.3.3. */
export function compressPoint(curve: Curve, uncompressed: Uint8Array): Uint8Array {
  const isOdd = ((uncompressed[2 * curve.size] as number) & 1) === 1;
  return concatBytes(Uint8Array.of(isOdd ? 3 : 2), uncompressed.subarray(1, 1 + curve.size));
}

/** Checks the form of a compressed point, not that it is on the curve. */
export function checkCompressed(curve: Curve, publicKey: Uint8Array): void {
  const first = assertBytes(publicKey, "publicKey")[0];
  if ((first === 2 || first === 3) && publicKey.length === 1 + curve.size) return;
  throw keyInvalid(curve, `public key: expected a compressed point of ${1 + curve.size} bytes`);
}

/** PKCS#8 around an ECPrivateKey with its public point. RFC 5958 section 2, RFC 5915 section 3. */
export function formatPkcs8(curve: Curve, scalar: Uint8Array, uncompressed: Uint8Array): Uint8Array {
  const point = derElement(TAG.context1, derElement(TAG.bitString, Uint8Array.of(0), uncompressed));
  const one = derUnsigned(Uint8Array.of(1));
  const inner = derElement(TAG.sequence, one, derElement(TAG.octetString, scalar), point);
  const wrapped = derElement(TAG.octetString, inner);
  const pkcs8 = derElement(TAG.sequence, derUnsigned(Uint8Array.of(0)), algorithmIdentifier(curve), wrapped);
  inner.fill(0);
  wrapped.fill(0);
  return pkcs8;
}

/** The scalar of a PKCS#8 private key, and the public point that may stand beside it; both are views. */
export function parsePkcs8(curve: Curve, pkcs8: Uint8Array): { scalar: Uint8Array; point: Uint8Array | undefined } {
  try {
    const outer = new DerReader(pkcs8);
    const info = outer.enter(TAG.sequence);
    outer.end();
    info.unsigned();
    readAlgorithm(curve, info);
    const wrapped = new DerReader(info.contents(TAG.octetString));
    // Attributes, and the public key of RFC 5958, say nothing that is needed.
    if (info.nextIs(TAG.context0)) info.contents(TAG.context0);
    if (info.nextIs(TAG.primitive1)) info.contents(TAG.primitive1);
    info.end();
    const key = wrapped.enter(TAG.sequence);
    wrapped.end();
    key.unsigned();
    const scalar = key.contents(TAG.octetString);
    if (key.nextIs(TAG.context0)) key.contents(TAG.context0);
    const point = key.nextIs(TAG.context1) ? key.enter(TAG.context1).bitString() : undefined;
    key.end();
    if (scalar.length !== curve.size) throw new MalformedDer("not a scalar of the curve's length");
    return { scalar, point };
  } catch {
    throw keyInvalid(curve, "private key in DER PKCS#8");
  }
}
