// RSA signatures without RSA: the table of schemes, and the encodings of a digest for signing (RFC 8017 section 9). It must not
// hold a key. Everything here is public: a signature discloses its encoded message.
import { argumentTypeError, assertInteger, assertOneOf } from "./assert.js";
import { concatBytes, equalBytes, hexToBytes } from "./bytes.js";
import { hashLength, digest as hashOf, type Sha2Name } from "./hash.js";
import { assertOptions } from "./options.js";
import { randomBytes } from "./random.js";
import type { RsaSignatureOptions, RsaSignatureScheme } from "./rsa.js";

/** A scheme with its parameters. */
export interface Scheme {
  readonly padding: "pss" | "pkcs1";
  readonly hash: Sha2Name;
  /** Bytes of the salt; 0 for PKCS#1 v1.5, which has none. */
  readonly saltLength: number;
}

const SCHEMES: Readonly<Record<RsaSignatureScheme, Scheme>> = {
  "pss-sha256": { padding: "pss", hash: "sha256", saltLength: 32 },
  "pss-sha384": { padding: "pss", hash: "sha384", saltLength: 48 },
  "pss-sha512": { padding: "pss", hash: "sha512", saltLength: 64 },
  "pkcs1-sha256": { padding: "pkcs1", hash: "sha256", saltLength: 0 },
  "pkcs1-sha384": { padding: "pkcs1", hash: "sha384", saltLength: 0 },
  "pkcs1-sha512": { padding: "pkcs1", hash: "sha512", saltLength: 0 },
};
const NAMES = /* @__PURE__ */ Object.keys(SCHEMES) as readonly RsaSignatureScheme[];

// RFC 8017 section 9.2, note 1: the DER of DigestInfo up to the digest.
const DIGEST_INFO: Readonly<Record<Sha2Name, Uint8Array>> = {
  sha256: /* @__PURE__ */ hexToBytes("3031300d060960864801650304020105000420"),
  sha384: /* @__PURE__ */ hexToBytes("3041300d060960864801650304020205000430"),
  sha512: /* @__PURE__ */ hexToBytes("3051300d060960864801650304020305000440"),
};

/**
 * The scheme of a name and options, checked.
 * @throws RangeError `ERR_ARGUMENT` for an unknown name or a salt that does not fit, TypeError `ERR_ARGUMENT` for an unknown
 *   option or a salt length with PKCS#1 v1.5
 */
export function schemeOf(name: RsaSignatureScheme, options: RsaSignatureOptions, modulusBits: number): Scheme {
  const scheme = SCHEMES[assertOneOf(name, "scheme", NAMES)];
  const { saltLength } = assertOptions(options, ["saltLength"]);
  if (saltLength === undefined) return scheme;
  if (scheme.padding !== "pss") throw argumentTypeError(`"saltLength" is an option of PSS only`);
  // RFC 8017 9.1.1 step 3.
  const longest = encodedLength(modulusBits) - hashLength(scheme.hash) - 2;
  return { ...scheme, saltLength: assertInteger(saltLength, "saltLength", 0, longest) };
}

/** DigestInfo of a digest: what PKCS#1 v1.5 pads. */
export function digestInfo(hash: Sha2Name, digest: Uint8Array): Uint8Array {
  return concatBytes(DIGEST_INFO[hash], digest);
}

/** EMSA-PKCS1-v1_5 of a digest, as long as the modulus. RFC 8017 section 9.2. */
function encodePkcs1(hash: Sha2Name, digest: Uint8Array, modulusBytes: number): Uint8Array {
  const info = digestInfo(hash, digest);
  const encoded = new Uint8Array(modulusBytes).fill(0xff);
  encoded[0] = 0;
  encoded[1] = 1;
  encoded[modulusBytes - info.length - 1] = 0;
  encoded.set(info, modulusBytes - info.length);
  return encoded;
}

/** Bytes of a message encoded for PSS: one bit less than the modulus, so that it is always below it. */
function encodedLength(modulusBits: number): number {
  return Math.ceil((modulusBits - 1) / 8);
}

/** The bits of the first byte of an encoded message that must be zero. */
function unusedBits(modulusBits: number): number {
  return 8 * encodedLength(modulusBits) - (modulusBits - 1);
}

/** XORs MGF1 of a seed into `target`. RFC 8017 appendix B.2.1. */
function mask(hash: Sha2Name, seed: Uint8Array, target: Uint8Array): void {
  for (let counter = 0, offset = 0; offset < target.length; counter++) {
    // The counter of four bytes never passes one: a modulus is at most 1,024 bytes long.
    const block = hashOf(hash, seed, Uint8Array.of(0, 0, 0, counter));
    const end = Math.min(target.length, offset + block.length);
    for (let i = 0; offset < end; i++, offset++) target[offset] = (target[offset] as number) ^ (block[i] as number);
  }
}

/**
 * EMSA-PSS of a digest, padded with zeros to the length of the modulus; the salt is fresh. RFC 8017 section 9.1.1.
 * @param scheme - its salt fits the modulus
 */
export function encodePss({ hash, saltLength }: Scheme, digest: Uint8Array, modulusBits: number): Uint8Array {
  const length = encodedLength(modulusBits);
  const salt = randomBytes(saltLength);
  const hashed = hashOf(hash, new Uint8Array(8), digest, salt);
  const block = new Uint8Array(Math.ceil(modulusBits / 8));
  const encoded = block.subarray(block.length - length);
  const masked = encoded.subarray(0, length - hashed.length - 1);
  masked[masked.length - saltLength - 1] = 1;
  masked.set(salt, masked.length - saltLength);
  mask(hash, hashed, masked);
  masked[0] = (masked[0] as number) & (0xff >> unusedBits(modulusBits));
  encoded.set(hashed, masked.length);
  encoded[length - 1] = 0xbc;
  return block;
}

/** Whether a block is EMSA-PSS of a digest with a salt of exactly the scheme's length. RFC 8017 section 9.1.2. */
function isPss({ hash, saltLength }: Scheme, digest: Uint8Array, block: Uint8Array, modulusBits: number): boolean {
  const length = encodedLength(modulusBits);
  // Where the encoding is a byte shorter than the modulus, that byte is zero: RFC 8017 8.1.2 step 2c.
  if (block.length > length && block[0] !== 0) return false;
  const encoded = block.subarray(block.length - length);
  const masked = new Uint8Array(encoded.subarray(0, length - digest.length - 1));
  const hashed = encoded.subarray(masked.length, length - 1);
  // Steps 4 and 6.
  if (encoded[length - 1] !== 0xbc || (masked[0] as number) >> (8 - unusedBits(modulusBits)) !== 0) return false;
  mask(hash, hashed, masked);
  masked[0] = (masked[0] as number) & (0xff >> unusedBits(modulusBits));
  // Step 10: zeros, then a one, then the salt.
  const salt = masked.subarray(masked.length - saltLength);
  const one = masked.length - saltLength - 1;
  for (let i = 0; i < one; i++) if (masked[i] !== 0) return false;
  return masked[one] === 1 && equalBytes(hashOf(hash, new Uint8Array(8), digest, salt), hashed);
}

/**
 * Whether a block, as raw RSA gives it of a signature, is the encoding of a digest. With PKCS#1 v1.5 the one right block is made
 * anew and compared as a whole, never parsed, which leaves no room for forgeries. RFC 8017 section 8.2.2.
 * @param block - as long as the modulus
 */
export function isEncodingOf(scheme: Scheme, digest: Uint8Array, block: Uint8Array, modulusBits: number): boolean {
  if (scheme.padding === "pss") return isPss(scheme, digest, block, modulusBits);
  return equalBytes(encodePkcs1(scheme.hash, digest, block.length), block);
}
