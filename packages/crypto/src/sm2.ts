// SM2 (GB/T 32918, RFC 8998): the public shapes and functions. It must not do curve arithmetic nor know how it is done.
import type { CheckedSm2 } from "./sm2-checked.js";
import { sm2Selector } from "./sm2-select.js";

export { SM2_DEFAULT_USER_ID } from "./sm2-options.js";

/** Strict DER of a SEQUENCE of r and s, at most 72 bytes (GM/T 0009-2012 7.3), or `raw`: r and s side by side, 64 bytes. */
export type Sm2SignatureFormat = "der" | "raw";

/**
 * `c1c3c2`: 04 || x || y || digest || masked text (GB/T 32918.4-2016 6.1). `asn1`: SM2Cipher (GM/T 0009-2012 7.2). `c1c2c3`: the
 * order of the standard's first edition, to be read only.
 */
export type Sm2CiphertextFormat = "c1c3c2" | "asn1" | "c1c2c3";

/** How a signature is written or read. */
export interface Sm2DigestOptions {
  /** Default `der`. */
  readonly format?: Sm2SignatureFormat;
}

/** How a message is signed or verified. */
export interface Sm2SignOptions extends Sm2DigestOptions {
  /** The signer's id, 0..8191 bytes or text that is taken as UTF-8; default `SM2_DEFAULT_USER_ID`. */
  readonly userId?: Uint8Array | string;
}

/** How a ciphertext is written. */
export interface Sm2EncryptOptions {
  /** Default `c1c3c2`. */
  readonly format?: Exclude<Sm2CiphertextFormat, "c1c2c3">;
}

/** How a ciphertext is read. */
export interface Sm2DecryptOptions {
  /** Default `c1c3c2`. */
  readonly format?: Sm2CiphertextFormat;
}

/** Who begins a key exchange, and who answers. */
export type Sm2ExchangeRole = "initiator" | "responder";

/** How a key exchange is begun. */
export interface Sm2ExchangeOptions {
  /** The own id, as in {@link Sm2SignOptions}. */
  readonly userId?: Uint8Array | string;
}

/** The other party of a key exchange. */
export interface Sm2ExchangePeer {
  readonly publicKey: Sm2PublicKey;
  /** What it sent: 65 bytes. */
  readonly ephemeral: Uint8Array;
  /** Its id, as in {@link Sm2SignOptions}. */
  readonly userId?: Uint8Array | string;
}

/** One run of a key exchange. GB/T 32918.3-2016 6. */
export interface Sm2KeyExchange {
  /** What the other party is sent: 04 || x || y, 65 bytes; a copy at each reading. */
  readonly ephemeral: Uint8Array;
  /**
   * Ends the run.
   * @param peer - the other party, whose public key was obtained in a way that is trusted
   * @param length - bytes of the key, 1..65,536
   * @returns the key, which only the right party knows too: that it does is not known before it is used or confirmed
   * @throws FengniError `ERR_KEY_INVALID` if what the peer sent is no point of the curve, `ERR_AUTHENTICATION` if it cancels its
   *   own key out, `ERR_CLOSED` when called again; TypeError or RangeError `ERR_ARGUMENT` for wrong arguments
   */
  finish(peer: Sm2ExchangePeer, length: number): Sm2SharedKey;
}

/** What two parties share after a key exchange. */
export interface Sm2SharedKey {
  /** A new buffer, secret. */
  readonly key: Uint8Array;
  /** Proves to the other party that the key is known here: 32 bytes that may be sent. */
  readonly confirmation: Uint8Array;
  /** Whether these bytes are the other party's confirmation, compared in constant time. */
  readonly verifyConfirmation: (received: Uint8Array) => boolean;
}

/** A public key. */
export interface Sm2PublicKey {
  /** The point 04 || x || y, 65 bytes; a copy at each reading. */
  readonly point: Uint8Array;
  /**
   * Verifies the signature of a message.
   * @param message - any length
   * @param signature - any bytes: whatever is not of the format, with r and s in 1..n-1, gives false
   * @param options - the signer's id and the format
   * @returns whether the signature is right; GB/T 32918.2-2016 7.1
   * @throws TypeError or RangeError `ERR_ARGUMENT` for wrong arguments
   */
  verify(message: Uint8Array, signature: Uint8Array, options?: Sm2SignOptions): boolean;
  /**
   * Verifies a signature over a digest that was computed elsewhere.
   * @param digest - 32 bytes: SM3 over the {@link identityDigest} and the message
   * @param signature - as for {@link verify}
   * @param options - the format
   * @returns whether the signature is right; GB/T 32918.2-2016 7.1 from step B5 on
   * @throws TypeError or RangeError `ERR_ARGUMENT` for wrong arguments
   */
  verifyDigest(digest: Uint8Array, signature: Uint8Array, options?: Sm2DigestOptions): boolean;
  /**
   * Gives what is hashed before a message: to sign or verify a message that arrives in parts, hash this and the parts with SM3.
   * @param userId - as in {@link Sm2SignOptions}
   * @returns Z, a new buffer of 32 bytes; GB/T 32918.2-2016 5.5
   * @throws TypeError or RangeError `ERR_ARGUMENT` for wrong arguments
   */
  identityDigest(userId?: Uint8Array | string): Uint8Array;
  /**
   * Encrypts, with a fresh random nonce.
   * @param plaintext - 1..2^20 bytes
   * @param options - the format
   * @returns a new buffer, longer by 97 bytes, or by up to 114 as `asn1`; GB/T 32918.4-2016 6.1
   * @throws TypeError or RangeError `ERR_ARGUMENT` for wrong arguments
   */
  encrypt(plaintext: Uint8Array, options?: Sm2EncryptOptions): Uint8Array;
  /** Writes DER SubjectPublicKeyInfo, 91 bytes, as OpenSSL does. RFC 5480 section 2. */
  exportSpki(): Uint8Array;
  /** Writes the same as PEM, labelled PUBLIC KEY. */
  exportSpkiPem(): string;
}

/**
 * A private key that is ready for use. It is held in memory until it is collected. Signing is hedged: the nonce is derived from
 * the key, the digest and fresh randomness (RFC 6979 3.6), except by `node`, where OpenSSL draws it at random. Of the
 * implementations, `noble` works with BigInt, whose time depends on the numbers: it is not constant-time.
 */
export interface Sm2PrivateKey {
  readonly publicKey: Sm2PublicKey;
  /**
   * Signs a message.
   * @param message - any length
   * @param options - the signer's id and the format
   * @returns the signature, a new buffer; GB/T 32918.2-2016 6.1
   * @throws TypeError or RangeError `ERR_ARGUMENT` for wrong arguments
   */
  sign(message: Uint8Array, options?: Sm2SignOptions): Uint8Array;
  /**
   * Signs a digest that was computed elsewhere.
   * @param digest - 32 bytes: SM3 over the `identityDigest` of the public key and the message
   * @param options - the format
   * @returns the signature, a new buffer; GB/T 32918.2-2016 6.1 from step A3 on
   * @throws TypeError or RangeError `ERR_ARGUMENT` for wrong arguments
   */
  signDigest(digest: Uint8Array, options?: Sm2DigestOptions): Uint8Array;
  /**
   * Decrypts. The digest of the plaintext is compared in constant time, and nothing of a wrong plaintext is given out.
   * @param ciphertext - at most 2^20 bytes and the encoding's own 97, or 114 as `asn1`
   * @param options - the format
   * @returns the plaintext, a new buffer, secret; GB/T 32918.4-2016 7.1
   * @throws FengniError `ERR_AUTHENTICATION` if it was changed or is another key's, whatever it was that failed;
   *   `ERR_CIPHERTEXT_INVALID` if it is not of the format; `ERR_LIMIT` if it is too long; TypeError or RangeError `ERR_ARGUMENT`
   *   for wrong arguments
   */
  decrypt(ciphertext: Uint8Array, options?: Sm2DecryptOptions): Uint8Array;
  /**
   * Begins a run of the key exchange, with a fresh random point.
   * @param role - the same two parties must have different ones
   * @param options - the own id
   * @returns the run; GB/T 32918.3-2016 6
   * @throws TypeError or RangeError `ERR_ARGUMENT` for wrong arguments
   */
  beginExchange(role: Sm2ExchangeRole, options?: Sm2ExchangeOptions): Sm2KeyExchange;
  /** Gives the key out as DER PKCS#8 with the public point, 138 bytes, secret, as OpenSSL does. RFC 5958, RFC 5915. */
  exportPkcs8(): Uint8Array;
  /** Gives the same out as PEM, labelled PRIVATE KEY: a string, which cannot be overwritten. */
  exportPkcs8Pem(): string;
  /** Gives the key out as DER ECPrivateKey (SEC1) with curve and public point, 121 bytes, secret. RFC 5915 section 3. */
  exportSec1(): Uint8Array;
  /** Gives the same out as PEM, labelled EC PRIVATE KEY: a string, which cannot be overwritten. */
  exportSec1Pem(): string;
}

/** One way to do SM2; the methods are as the functions of this file with the same meaning. */
export interface Sm2Implementation {
  readonly name: string;
  generateKey(): Sm2PrivateKey;
  importPrivateKey(key: Uint8Array | string): Sm2PrivateKey;
  importPrivateScalar(scalar: Uint8Array): Sm2PrivateKey;
  importPublicKey(key: Uint8Array | string): Sm2PublicKey;
}

function chosen(): CheckedSm2 {
  // noble needs nothing of the runtime, so one is always chosen.
  return sm2Selector.chosen() as CheckedSm2;
}

/**
 * Makes a new private key.
 * @returns the key; GB/T 32918.1-2016 6.1
 * @throws FengniError `ERR_NOT_SUPPORTED` where the runtime has no source of secure randomness
 *
 * @example
 * const key = generateSm2Key();
 * const signature = key.sign(message);
 * key.publicKey.verify(message, signature);
 */
export function generateSm2Key(): Sm2PrivateKey {
  return chosen().generateKey();
}

/**
 * Reads a private key.
 * @param key - PEM text or PEM as bytes (PKCS#8 or SEC1), or DER PKCS#8 or SEC1; not kept
 * @returns the key
 * @throws FengniError `ERR_KEY_INVALID` for anything else, another curve, a number outside 1..n-2, or a foreign public point
 */
export function importSm2PrivateKey(key: Uint8Array | string): Sm2PrivateKey {
  return chosen().importPrivateKey(key);
}

/**
 * Reads a private key that is nothing but its number, as many programs of China store it.
 * @param scalar - 32 bytes, big-endian; not kept
 * @returns the key
 * @throws FengniError `ERR_KEY_INVALID` for another length or a number outside 1..n-2; TypeError `ERR_ARGUMENT` if it is no
 *   Uint8Array
 */
export function importSm2PrivateScalar(scalar: Uint8Array): Sm2PrivateKey {
  return chosen().importPrivateScalar(scalar);
}

/**
 * Reads a public key.
 * @param key - PEM text, PEM as bytes, DER SubjectPublicKeyInfo, or the bare point as 65 bytes (04 || x || y) or 33 (compressed)
 * @returns the key
 * @throws FengniError `ERR_KEY_INVALID` for anything else, another curve, or a point that is not on the curve
 */
export function importSm2PublicKey(key: Uint8Array | string): Sm2PublicKey {
  return chosen().importPublicKey(key);
}

/**
 * Lists every SM2 implementation that this runtime has, for tests and benchmarks.
 * @returns the implementations, best first: at least `noble`
 */
export function sm2Implementations(): readonly Sm2Implementation[] {
  return sm2Selector.available();
}
