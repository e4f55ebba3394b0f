// SM2 keys in PEM and in DER (SPKI, PKCS#8, SEC1), and bare points: reading and writing. It must not do curve arithmetic: whether
// a point is on the curve, and whether it belongs to the scalar beside it, is the caller's to say.
import { assertBytes } from "./assert.js";
import { bytesToUtf8, concatBytes, equalBytes, hexToBytes } from "./bytes.js";
import { DerReader, derElement, derUnsigned, MalformedDer, TAG } from "./der.js";
import { FengniError } from "./errors.js";
import { isSm2PrivateScalar, SM2_SIZE } from "./sm2-curve.js";
import { formatPem, parsePem } from "./sm2-pem.js";

// The contents of the OBJECT IDENTIFIERs id-ecPublicKey (RFC 5480 2.1.1) and sm2p256v1, 1.2.156.10197.1.301 (GM/T 0006).
const EC_PUBLIC_KEY: Uint8Array = /* @__PURE__ */ hexToBytes("2a8648ce3d0201");
const SM2_P256_V1: Uint8Array = /* @__PURE__ */ hexToBytes("2a811ccf5501822d");

/** A private key as it was read. */
export interface Sm2PrivateParts {
  /** 1..n-2, 32 bytes, a buffer of its own. */
  readonly scalar: Uint8Array;
  /** The public point that stood beside it, in an encoding of {@link isEncodedPoint}. */
  readonly point: Uint8Array | undefined;
}

/** The error for key material that is no SM2 key. */
export function sm2KeyInvalid(message: string): FengniError<"ERR_KEY_INVALID"> {
  return new FengniError("ERR_KEY_INVALID", message);
}

/** Whether bytes look like a point: 04 || x || y, or 02 or 03 || x. Infinity and the hybrid form do not. SEC 1 2.3.4. */
function isEncodedPoint(bytes: Uint8Array): boolean {
  const [first] = bytes;
  if (first === 4) return bytes.length === 1 + 2 * SM2_SIZE;
  return (first === 2 || first === 3) && bytes.length === 1 + SM2_SIZE;
}

function checkPoint(bytes: Uint8Array): Uint8Array {
  if (isEncodedPoint(bytes)) return bytes;
  throw sm2KeyInvalid("expected a point of the SM2 curve: 04 and 64 bytes, or 02 or 03 and 32 bytes");
}

/** A point x || y as 04 || x || y. GB/T 32918.1-2016 4.2.9. */
export function uncompressedPoint(point: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(4), point);
}

function algorithmIdentifier(): Uint8Array {
  const oids = [EC_PUBLIC_KEY, SM2_P256_V1].map((oid) => derElement(TAG.objectIdentifier, oid));
  return derElement(TAG.sequence, ...oids);
}

function readAlgorithm(reader: DerReader): void {
  const algorithm = reader.enter(TAG.sequence);
  const isEc = equalBytes(algorithm.contents(TAG.objectIdentifier), EC_PUBLIC_KEY);
  if (!isEc) throw sm2KeyInvalid("expected a key for the SM2 curve, got one of another algorithm");
  readCurve(algorithm);
  algorithm.end();
}

function readCurve(reader: DerReader): void {
  if (equalBytes(reader.contents(TAG.objectIdentifier), SM2_P256_V1)) return;
  throw sm2KeyInvalid("expected a key for the SM2 curve, got one of another curve");
}

/** A small number such as a version. */
function readNumber(reader: DerReader): number {
  const digits = reader.unsigned();
  return digits.length === 1 ? (digits[0] as number) : Number.NaN;
}

function whole(der: Uint8Array): DerReader {
  const outer = new DerReader(der);
  const inner = outer.enter(TAG.sequence);
  outer.end();
  return inner;
}

/** Runs a parser of a key; malformed DER becomes the typed error. */
function parsing<Parts>(input: string | Uint8Array, what: string, parse: () => Parts): Parts {
  if (typeof input !== "string") assertBytes(input, "key");
  try {
    return parse();
  } catch (error) {
    if (error instanceof FengniError) throw error;
    throw sm2KeyInvalid(`not an SM2 ${what}`);
  }
}

/** The PEM text, or undefined for bytes of another form. */
function pemTextOf(input: string | Uint8Array): string | undefined {
  if (typeof input === "string") return input;
  // No text begins with these: DER, and bare points.
  if ([TAG.sequence, 2, 3, 4].includes(input[0] ?? 0)) return undefined;
  return bytesToUtf8(input);
}

/** The point of a SubjectPublicKeyInfo. RFC 5480 section 2. */
function parseSpki(spki: Uint8Array): Uint8Array {
  const info = whole(spki);
  if (info.nextIs(TAG.integer)) throw sm2KeyInvalid("expected an SM2 public key, got a private key");
  readAlgorithm(info);
  const point = checkPoint(info.bitString());
  info.end();
  return point;
}

/**
 * Reads a public key.
 * @param input - PEM text, PEM as bytes, DER SubjectPublicKeyInfo, or a bare point of 65 or 33 bytes
 * @returns the point in one of its encodings; a view
 * @throws FengniError `ERR_KEY_INVALID`
 */
export function parseSm2PublicKey(input: string | Uint8Array): Uint8Array {
  return parsing(input, "public key in PEM, in DER SubjectPublicKeyInfo or as a point", () => {
    const pem = pemTextOf(input);
    if (pem === undefined) {
      const bytes = input as Uint8Array;
      return bytes[0] === TAG.sequence ? parseSpki(bytes) : checkPoint(bytes);
    }
    const { label, der } = parsePem(pem);
    if (label === "PUBLIC KEY") return parseSpki(der);
    der.fill(0);
    throw sm2KeyInvalid(`expected an SM2 public key, got a PEM block labelled ${label}`);
  });
}

/** A copy of a scalar of 1..n-2; `ERR_KEY_INVALID` for other bytes. */
export function copyPrivateScalar(scalar: Uint8Array): Uint8Array {
  if (isSm2PrivateScalar(scalar)) return new Uint8Array(scalar);
  throw sm2KeyInvalid("expected an SM2 private key of 32 bytes, 1..n-2");
}

/** Reads the rest of an ECPrivateKey after its version. RFC 5915 section 3. */
function readSec1(key: DerReader, namesCurve: boolean): Sm2PrivateParts {
  const scalar = key.contents(TAG.octetString);
  if (key.nextIs(TAG.context0)) {
    const parameters = key.enter(TAG.context0);
    readCurve(parameters);
    parameters.end();
  } else if (namesCurve) {
    throw sm2KeyInvalid("expected a key that names the SM2 curve");
  }
  const point = key.nextIs(TAG.context1) ? readInnerPoint(key.enter(TAG.context1)) : undefined;
  key.end();
  return { scalar: copyPrivateScalar(scalar), point };
}

function readInnerPoint(reader: DerReader): Uint8Array {
  const point = checkPoint(reader.bitString());
  reader.end();
  return point;
}

/** Reads PKCS#8 (RFC 5958 section 2) or SEC1 (RFC 5915 section 3), which their versions tell apart. */
function parsePrivateDer(der: Uint8Array): Sm2PrivateParts {
  const info = whole(der);
  if (!info.nextIs(TAG.integer)) throw sm2KeyInvalid("expected an SM2 private key, got a public or an encrypted key");
  const version = readNumber(info);
  if (version === 1 && info.nextIs(TAG.octetString)) return readSec1(info, true);
  if (version !== 0 && version !== 1) throw new MalformedDer("another version");
  readAlgorithm(info);
  const key = whole(info.contents(TAG.octetString));
  // Attributes, and the public key of RFC 5958, say nothing that is needed.
  if (info.nextIs(TAG.context0)) info.contents(TAG.context0);
  if (version === 1 && info.nextIs(TAG.primitive1)) info.contents(TAG.primitive1);
  info.end();
  if (readNumber(key) !== 1) throw new MalformedDer("another version");
  return readSec1(key, false);
}

/**
 * Reads a private key.
 * @param input - PEM text or PEM as bytes (PKCS#8 or SEC1), or DER PKCS#8 or SEC1; not kept
 * @throws FengniError `ERR_KEY_INVALID`
 */
export function parseSm2PrivateKey(input: string | Uint8Array): Sm2PrivateParts {
  return parsing(input, "private key in PEM, or in DER PKCS#8 or SEC1", () => {
    const pem = pemTextOf(input);
    if (pem === undefined) return parsePrivateDer(input as Uint8Array);
    const { label, der } = parsePem(pem);
    try {
      // OpenSSL 3 labels SEC1 keys of this curve SM2, others label them EC.
      if (["PRIVATE KEY", "EC PRIVATE KEY", "SM2 PRIVATE KEY"].includes(label)) {
        const { scalar, point } = parsePrivateDer(der);
        return { scalar, point: point === undefined ? undefined : new Uint8Array(point) };
      }
    } finally {
      der.fill(0);
    }
    throw sm2KeyInvalid(`expected an SM2 private key, got a PEM block labelled ${label}`);
  });
}

/** SubjectPublicKeyInfo of a point x || y, 91 bytes. RFC 5480 section 2. */
export function formatSm2Spki(point: Uint8Array): Uint8Array {
  const bits = derElement(TAG.bitString, Uint8Array.of(0), uncompressedPoint(point));
  return derElement(TAG.sequence, algorithmIdentifier(), bits);
}

/** ECPrivateKey with its public point, and with the name of the curve where it stands alone. RFC 5915 section 3. */
function formatEcPrivateKey(scalar: Uint8Array, point: Uint8Array, ...parameters: readonly Uint8Array[]): Uint8Array {
  const bits = derElement(TAG.context1, derElement(TAG.bitString, Uint8Array.of(0), uncompressedPoint(point)));
  const digits = derElement(TAG.octetString, scalar);
  const key = derElement(TAG.sequence, derUnsigned(Uint8Array.of(1)), digits, ...parameters, bits);
  digits.fill(0);
  return key;
}

/** SEC1, 121 bytes. */
export function formatSm2Sec1(scalar: Uint8Array, point: Uint8Array): Uint8Array {
  return formatEcPrivateKey(scalar, point, derElement(TAG.context0, derElement(TAG.objectIdentifier, SM2_P256_V1)));
}

/** PKCS#8, 138 bytes. RFC 5958 section 2. */
export function formatSm2Pkcs8(scalar: Uint8Array, point: Uint8Array): Uint8Array {
  const key = formatEcPrivateKey(scalar, point);
  const wrapped = derElement(TAG.octetString, key);
  const pkcs8 = derElement(TAG.sequence, derUnsigned(Uint8Array.of(0)), algorithmIdentifier(), wrapped);
  key.fill(0);
  wrapped.fill(0);
  return pkcs8;
}

/** PEM of a DER that is overwritten if it is secret. */
export function sm2Pem(label: "PUBLIC KEY" | "PRIVATE KEY" | "EC PRIVATE KEY", der: Uint8Array): string {
  try {
    return formatPem(label, der);
  } finally {
    der.fill(0);
  }
}
