// RSA keys in PEM and DER: reading, limits, and rewriting to SPKI or PKCS#8. It must not encrypt or decrypt.
import { assertBytes } from "./assert.js";
import { base64ToBytes, bytesToUtf8, equalBytes, hexToBytes } from "./bytes.js";
import { DerReader, derElement, derUnsigned, TAG } from "./der.js";
import { FengniError } from "./errors.js";

const MIN_MODULUS_BITS = 2048;
const MAX_MODULUS_BITS = 8192;
// OpenSSL refuses longer public exponents for long moduli; none is in use.
const MAX_EXPONENT_BYTES = 8;
// rsaEncryption (RFC 8017 appendix A.1); RSA-PSS keys may not decrypt and carry another.
const RSA_ENCRYPTION: Uint8Array = /* @__PURE__ */ hexToBytes("2a864886f70d010101");

/** A public key, checked. */
export interface RsaPublicParts {
  /** DER SubjectPublicKeyInfo, a buffer of its own. */
  readonly spki: Uint8Array;
  readonly modulusBits: number;
}

/** A private key, checked: the parts of its public key, and two that are secret. */
export interface RsaPrivateParts extends RsaPublicParts {
  /** DER PKCS#8, a buffer of its own. */
  readonly pkcs8: Uint8Array;
  /** The private exponent d, left-padded to the length of the modulus, a buffer of its own. */
  readonly exponent: Uint8Array;
}

/** The error for key material that is no usable key. */
export function rsaKeyInvalid(message: string): FengniError<"ERR_KEY_INVALID"> {
  return new FengniError("ERR_KEY_INVALID", message);
}

interface PemBlock {
  readonly label: string;
  readonly der: Uint8Array;
}

const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END ([A-Z0-9 ]+)-----/g;

/** The one block of a PEM text; text around it is allowed. RFC 7468. */
function parsePem(text: string): PemBlock {
  // Before the block is looked for, since the header lines of an encrypted key hold hyphens.
  if (/^Proc-Type:.*ENCRYPTED/m.test(text) || text.includes("BEGIN ENCRYPTED PRIVATE KEY")) {
    throw rsaKeyInvalid(
      "the private key is encrypted with a passphrase: decrypt it first, for example with openssl pkey",
    );
  }
  const [block, ...others] = [...text.matchAll(PEM_BLOCK)];
  if (block === undefined || others.length > 0) throw rsaKeyInvalid("expected one PEM block with one RSA key");
  const [, label = "", body = "", endLabel] = block;
  if (label !== endLabel) throw rsaKeyInvalid("the PEM block ends with another label than it begins with");
  try {
    return { label, der: base64ToBytes(body.replace(/[ \t\r\n]/g, "")) };
  } catch {
    throw rsaKeyInvalid(`the PEM block ${label} is not base64`);
  }
}

/** The PEM text, or undefined for DER, which starts with a SEQUENCE. */
function pemTextOf(input: string | Uint8Array): string | undefined {
  if (typeof input === "string") return input;
  if (input[0] === TAG.sequence) return undefined;
  try {
    return bytesToUtf8(input);
  } catch {
    throw rsaKeyInvalid("expected an RSA key in PEM or DER");
  }
}

function algorithmIdentifier(): Uint8Array {
  const oid = derElement(TAG.objectIdentifier, RSA_ENCRYPTION);
  return derElement(TAG.sequence, oid, derElement(TAG.null));
}

/** Whether the next element is the AlgorithmIdentifier of plain RSA. */
function readAlgorithm(reader: DerReader): void {
  const algorithm = reader.enter(TAG.sequence);
  if (!equalBytes(algorithm.contents(TAG.objectIdentifier), RSA_ENCRYPTION)) {
    throw rsaKeyInvalid("expected a key for RSA encryption, got one of another algorithm");
  }
  if (algorithm.nextIs(TAG.null)) algorithm.contents(TAG.null);
  algorithm.end();
}

/** Checks modulus and public exponent, and gives the bits of the modulus. */
function checkNumbers(modulus: Uint8Array, exponent: Uint8Array): number {
  const bits = 8 * modulus.length - Math.clz32(modulus[0] as number) + 24;
  if (bits < MIN_MODULUS_BITS || bits > MAX_MODULUS_BITS) {
    throw rsaKeyInvalid(`expected an RSA modulus of ${MIN_MODULUS_BITS}..${MAX_MODULUS_BITS} bits, got ${bits}`);
  }
  const isOdd = (number: Uint8Array): boolean => ((number[number.length - 1] as number) & 1) === 1;
  const isOne = exponent.length === 1 && exponent[0] === 1;
  if (!isOdd(modulus) || !isOdd(exponent) || isOne || exponent.length > MAX_EXPONENT_BYTES) {
    throw rsaKeyInvalid("expected an RSA key with an odd modulus and an odd public exponent of 3..2^64");
  }
  return bits;
}

/** Runs a parser of a key; malformed DER becomes the typed error. */
function parsing<Parts>(input: string | Uint8Array, what: string, parse: () => Parts): Parts {
  if (typeof input !== "string") assertBytes(input, "pem");
  try {
    return parse();
  } catch (error) {
    if (error instanceof FengniError) throw error;
    throw rsaKeyInvalid(`not an RSA ${what}`);
  }
}

function whole(der: Uint8Array): DerReader {
  const outer = new DerReader(der);
  const inner = outer.enter(TAG.sequence);
  outer.end();
  return inner;
}

/** Reads RSAPublicKey, and gives the bits of the modulus. RFC 8017 appendix A.1.1. */
function readPublicNumbers(der: Uint8Array): number {
  const numbers = whole(der);
  const modulusBits = checkNumbers(numbers.unsigned(), numbers.unsigned());
  numbers.end();
  return modulusBits;
}

/** SubjectPublicKeyInfo around RSAPublicKey. RFC 3279 section 2.3.1. */
function formatSpki(publicKey: Uint8Array): Uint8Array {
  return derElement(TAG.sequence, algorithmIdentifier(), derElement(TAG.bitString, Uint8Array.of(0), publicKey));
}

function parseSpki(spki: Uint8Array): RsaPublicParts {
  const info = whole(spki);
  if (info.nextIs(TAG.integer)) throw rsaKeyInvalid("expected an RSA public key, got a private key");
  readAlgorithm(info);
  const publicKey = info.bitString();
  info.end();
  // Written anew, since the NULL of the algorithm may be missing.
  return { spki: formatSpki(publicKey), modulusBits: readPublicNumbers(publicKey) };
}

/**
 * Reads a public key.
 * @param input - PEM text, PEM as bytes, or DER SubjectPublicKeyInfo
 * @throws FengniError `ERR_KEY_INVALID`
 */
export function parseRsaPublicKey(input: string | Uint8Array): RsaPublicParts {
  return parsing(input, "public key in PEM or DER SubjectPublicKeyInfo", () => {
    const pem = pemTextOf(input);
    if (pem === undefined) return parseSpki(input as Uint8Array);
    const { label, der } = parsePem(pem);
    if (label === "PUBLIC KEY") return parseSpki(der);
    if (label === "RSA PUBLIC KEY") return parseSpki(formatSpki(der));
    der.fill(0);
    throw rsaKeyInvalid(`expected an RSA public key, got a PEM block labelled ${label}`);
  });
}

/** Reads RSAPrivateKey of two primes. RFC 8017 appendix A.1.2. */
function readPrivateNumbers(der: Uint8Array): Omit<RsaPrivateParts, "pkcs8"> {
  const numbers = whole(der);
  const version = numbers.unsigned();
  if (version.length !== 1 || version[0] !== 0) throw rsaKeyInvalid("expected an RSA key of two primes");
  const [modulus, publicExponent] = [numbers.unsigned(), numbers.unsigned()];
  const modulusBits = checkNumbers(modulus, publicExponent);
  const modulusBytes = modulus.length;
  const d = numbers.unsigned();
  // p, q, the two CRT exponents and the coefficient: OpenSSL and WebCrypto read them.
  for (let i = 0; i < 5; i++) numbers.unsigned();
  numbers.end();
  if (d.length > modulusBytes) throw rsaKeyInvalid("expected a private exponent below the modulus");
  const exponent = new Uint8Array(modulusBytes);
  exponent.set(d, modulusBytes - d.length);
  const publicKey = derElement(TAG.sequence, derUnsigned(modulus), derUnsigned(publicExponent));
  return { exponent, modulusBits, spki: formatSpki(publicKey) };
}

/** Reads PKCS#8. RFC 5958 section 2. */
function parsePkcs8(pkcs8: Uint8Array): RsaPrivateParts {
  const info = whole(pkcs8);
  if (!info.nextIs(TAG.integer)) throw rsaKeyInvalid("expected an RSA private key, got a public or an encrypted key");
  info.unsigned();
  readAlgorithm(info);
  const inner = info.contents(TAG.octetString);
  if (info.nextIs(TAG.context0)) info.contents(TAG.context0);
  info.end();
  const numbers = readPrivateNumbers(inner);
  return { ...numbers, pkcs8: wrapPkcs1(inner) };
}

/** PKCS#8 around RSAPrivateKey. */
function wrapPkcs1(der: Uint8Array): Uint8Array {
  const wrapped = derElement(TAG.octetString, der);
  const pkcs8 = derElement(TAG.sequence, derUnsigned(Uint8Array.of(0)), algorithmIdentifier(), wrapped);
  wrapped.fill(0);
  return pkcs8;
}

/**
 * Reads a private key.
 * @param input - PEM text or PEM as bytes (PKCS#8 or PKCS#1), or DER PKCS#8
 * @throws FengniError `ERR_KEY_INVALID`
 */
export function parseRsaPrivateKey(input: string | Uint8Array): RsaPrivateParts {
  return parsing(input, "private key in PEM or DER PKCS#8", () => {
    const pem = pemTextOf(input);
    if (pem === undefined) return parsePkcs8(input as Uint8Array);
    const { label, der } = parsePem(pem);
    try {
      if (label === "PRIVATE KEY") return parsePkcs8(der);
      if (label === "RSA PRIVATE KEY") return { ...readPrivateNumbers(der), pkcs8: wrapPkcs1(der) };
    } finally {
      der.fill(0);
    }
    throw rsaKeyInvalid(`expected an RSA private key, got a PEM block labelled ${label}`);
  });
}
