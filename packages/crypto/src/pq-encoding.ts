// Keys of the post-quantum algorithms in SPKI and PKCS#8: one reader and one writer for all. It must not know any algorithm beyond
// its object identifier and the lengths of its keys.
import { assertBytes } from "./assert.js";
import { equalBytes, hexToBytes } from "./bytes.js";
import { DerReader, derElement, derUnsigned, MalformedDer, TAG } from "./der.js";
import { FengniError } from "./errors.js";

/** What there is to know of the keys of one parameter set. */
export interface PqKeyShape {
  /** The name in the standard, such as `ML-KEM-768`. */
  readonly name: string;
  /** The contents of the OBJECT IDENTIFIER. */
  readonly oid: Uint8Array;
  readonly publicKeyBytes: number;
  /** Bytes of the seed that a private key is made from. */
  readonly seedBytes: number;
  /** Bytes of the private key as the standard's key generation gives it. */
  readonly expandedBytes: number;
}

/** A private key: the seed, or what was made from it where the seed is not known. */
export type PqSecret =
  | { readonly seed: Uint8Array; readonly expanded?: undefined }
  | { readonly seed?: undefined; readonly expanded: Uint8Array };

// [0] IMPLICIT OCTET STRING.
const SEED_TAG = 0x80;
/** The arc of NIST's algorithms, 2.16.840.1.101.3.4, of which each algorithm is two numbers more. */
const NIST_ARC: Uint8Array = /* @__PURE__ */ hexToBytes("608648016503040000");

/** An object identifier below NIST's arc: `4, 2` is 2.16.840.1.101.3.4.4.2. */
export function nistOid(group: number, algorithm: number): Uint8Array {
  const oid = new Uint8Array(NIST_ARC);
  oid[7] = group;
  oid[8] = algorithm;
  return oid;
}

/** The error for key material that is no key of the parameter set. */
export function pqKeyInvalid({ name }: PqKeyShape, what: string): FengniError<"ERR_KEY_INVALID"> {
  return new FengniError("ERR_KEY_INVALID", `not an ${name} ${what}`);
}

/** Checks that key material is a Uint8Array (TypeError `ERR_ARGUMENT`) of the right length (`ERR_KEY_INVALID`). */
export function checkKeyBytes(shape: PqKeyShape, bytes: Uint8Array, title: string, length: number): void {
  if (assertBytes(bytes, title).length === length) return;
  throw pqKeyInvalid(shape, `${title}: expected ${length} bytes, got ${bytes.length}`);
}

function algorithmIdentifier({ oid }: PqKeyShape): Uint8Array {
  // Without parameters: RFC 9881, RFC 9909, RFC 9935.
  return derElement(TAG.sequence, derElement(TAG.objectIdentifier, oid));
}

function readAlgorithm({ oid }: PqKeyShape, reader: DerReader): void {
  const algorithm = reader.enter(TAG.sequence);
  if (!equalBytes(algorithm.contents(TAG.objectIdentifier), oid)) throw new MalformedDer("another algorithm");
  algorithm.end();
}

/** SubjectPublicKeyInfo of a raw public key. */
export function formatPqSpki(shape: PqKeyShape, publicKey: Uint8Array): Uint8Array {
  const bits = derElement(TAG.bitString, Uint8Array.of(0), publicKey);
  return derElement(TAG.sequence, algorithmIdentifier(shape), bits);
}

/** The raw public key of a SubjectPublicKeyInfo, a buffer of its own. */
export function parsePqSpki(shape: PqKeyShape, spki: Uint8Array): Uint8Array {
  try {
    const outer = new DerReader(spki);
    const info = outer.enter(TAG.sequence);
    outer.end();
    readAlgorithm(shape, info);
    const publicKey = info.bitString();
    info.end();
    if (publicKey.length !== shape.publicKeyBytes) throw new MalformedDer("a public key of another length");
    return new Uint8Array(publicKey);
  } catch {
    throw pqKeyInvalid(shape, "public key in DER SubjectPublicKeyInfo");
  }
}

/** PKCS#8 around the contents of its private key, which are overwritten. RFC 5958 section 2. */
export function formatPqPkcs8(shape: PqKeyShape, privateKey: Uint8Array): Uint8Array {
  const wrapped = derElement(TAG.octetString, privateKey);
  const pkcs8 = derElement(TAG.sequence, derUnsigned(Uint8Array.of(0)), algorithmIdentifier(shape), wrapped);
  wrapped.fill(0);
  privateKey.fill(0);
  return pkcs8;
}

/** The contents of the private key of a PKCS#8, as a view; malformed DER throws whatever it throws. */
export function parsePqPkcs8(shape: PqKeyShape, pkcs8: Uint8Array): Uint8Array {
  const outer = new DerReader(pkcs8);
  const info = outer.enter(TAG.sequence);
  outer.end();
  info.unsigned();
  readAlgorithm(shape, info);
  const privateKey = info.contents(TAG.octetString);
  // Attributes, and the public key of RFC 5958, say nothing that is needed.
  if (info.nextIs(TAG.context0)) info.contents(TAG.context0);
  if (info.nextIs(TAG.primitive1)) info.contents(TAG.primitive1);
  info.end();
  return privateKey;
}

/** PKCS#8 of a private key: with the seed only, or with the expanded key only. RFC 9881 and RFC 9935, each in section 6. */
export function formatLatticePkcs8(shape: PqKeyShape, { seed, expanded }: PqSecret): Uint8Array {
  const inner = seed === undefined ? derElement(TAG.octetString, expanded) : derElement(SEED_TAG, seed);
  return formatPqPkcs8(shape, inner);
}

/** The seed, the expanded key, or both, of a PKCS#8 in one of the three forms of RFC 9881 and RFC 9935; views. */
export function parseLatticePkcs8(
  shape: PqKeyShape,
  pkcs8: Uint8Array,
): { readonly seed: Uint8Array | undefined; readonly expanded: Uint8Array | undefined } {
  try {
    const reader = new DerReader(parsePqPkcs8(shape, pkcs8));
    const both = reader.nextIs(TAG.sequence) ? reader.enter(TAG.sequence) : undefined;
    const seed = both !== undefined ? both.contents(TAG.octetString) : seedOf(reader);
    const expanded = seed === undefined ? reader.contents(TAG.octetString) : both?.contents(TAG.octetString);
    both?.end();
    reader.end();
    const hasLengths =
      (seed === undefined || seed.length === shape.seedBytes) &&
      (expanded === undefined || expanded.length === shape.expandedBytes);
    if (!hasLengths) throw new MalformedDer("a private key of another length");
    return { seed, expanded };
  } catch {
    throw pqKeyInvalid(shape, "private key in DER PKCS#8");
  }
}

function seedOf(reader: DerReader): Uint8Array | undefined {
  return reader.nextIs(SEED_TAG) ? reader.contents(SEED_TAG) : undefined;
}
