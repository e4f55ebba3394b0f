// Byte strings: joining, comparing, wiping, and the strict text encodings. It must not know what the bytes mean.
import { argumentTypeError, assertBytes, assertString } from "./assert.js";
import { runtime } from "./runtime.js";

export { assertBytes } from "./assert.js";

// Below this many bytes the portable loops beat the call into Buffer.
const SMALL = 24;

/**
 * Joins byte strings into a new one.
 * @param parts - byte strings of any length
 * @returns a new buffer that the caller owns
 * @throws TypeError `ERR_ARGUMENT` if a part is no Uint8Array
 */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  return joinBytes(parts);
}

/**
 * Joins a list of any length; see {@link concatBytes}, whose arguments an engine takes some hundred thousand of at most.
 * @param parts - the parts, in order
 * @returns a new buffer
 * @throws TypeError `ERR_ARGUMENT` if a part is no Uint8Array
 */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += assertBytes(part, "part").length;
  const joined = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/**
 * Compares two byte strings in a time that depends on their lengths only, as far as a JavaScript engine allows: there is no
 * branch on the content.
 * @param a - bytes
 * @param b - bytes; a different length gives false at once
 * @returns whether they are equal
 * @throws TypeError `ERR_ARGUMENT` if one is no Uint8Array
 */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  assertBytes(a, "a");
  assertBytes(b, "b");
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number);
  return difference === 0;
}

/**
 * Overwrites buffers with zeros. It reaches these buffers only: copies that the engine or a library made are out of reach.
 * @param buffers - buffers that nobody uses any more
 */
export function wipe(...buffers: readonly Uint8Array[]): void {
  for (const buffer of buffers) buffer.fill(0);
}

// With the u flag a proper pair is one code point, so that this matches halves that stand alone only.
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Longest text that is tried as ASCII first. */
const SHORT_TEXT = 64;

/**
 * Encodes text as UTF-8.
 * @param text - well-formed UTF-16
 * @returns a new buffer
 * @throws TypeError `ERR_ARGUMENT` for a lone surrogate, which UTF-8 cannot carry (and which TextEncoder would replace)
 */
export function utf8ToBytes(text: string): Uint8Array {
  assertString(text, "text");
  if (text.length <= SHORT_TEXT) {
    // Short ASCII, as in an encryption context, costs less here than a call of the encoder.
    const bytes = new Uint8Array(text.length);
    let all = 0;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      bytes[i] = unit;
      all |= unit;
    }
    if (all < 0x80) return bytes;
  }
  if (LONE_SURROGATE.test(text)) throw argumentTypeError(`"text" expected well-formed text, got a lone surrogate`);
  return new TextEncoder().encode(text);
}

/**
 * Decodes UTF-8. A byte order mark at the start is kept as U+FEFF.
 * @param bytes - UTF-8
 * @returns the text
 * @throws TypeError `ERR_ARGUMENT` for malformed UTF-8
 */
export function bytesToUtf8(bytes: Uint8Array): string {
  assertBytes(bytes, "bytes");
  const short = bytes.length <= SHORT_TEXT ? asciiText(bytes) : undefined;
  if (short !== undefined) return short;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw argumentTypeError(`"bytes" expected well-formed UTF-8`);
  }
}

/** Short ASCII as text, which costs less here than a decoder; undefined for anything else. */
function asciiText(bytes: Uint8Array): string | undefined {
  let text = "";
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    if (byte >= 0x80) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

/** Moves bytes out of a Buffer, which may be part of the pool that others read: keys travel as text too. */
function setAndWipe(target: Uint8Array, decoded: Uint8Array): void {
  target.set(decoded);
  decoded.fill(0);
}

const HEX = "0123456789abcdef";

/**
 * Writes bytes as hexadecimal digits.
 * @param bytes - bytes of any length
 * @returns lower-case digits, two a byte
 * @throws TypeError `ERR_ARGUMENT` if it is no Uint8Array
 */
export function bytesToHex(bytes: Uint8Array): string {
  assertBytes(bytes, "bytes");
  if (bytes.length > SMALL && runtime.buffer !== undefined) {
    return runtime.buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
  }
  let text = "";
  for (const byte of bytes) text += HEX.charAt(byte >> 4) + HEX.charAt(byte & 15);
  return text;
}

const HEX_SHAPE = /^[0-9a-fA-F]*$/;

function hexDigit(code: number): number {
  return code <= 57 ? code - 48 : (code | 32) - 87;
}

/**
 * Reads hexadecimal digits of either case.
 * @param hex - an even number of digits and nothing else
 * @returns a new buffer
 * @throws TypeError `ERR_ARGUMENT` for an odd number of digits or any other character
 */
export function hexToBytes(hex: string): Uint8Array {
  assertString(hex, "hex");
  if (hex.length % 2 !== 0)
    throw argumentTypeError(`"hex" expected an even number of digits, got length=${hex.length}`);
  if (!HEX_SHAPE.test(hex)) throw argumentTypeError(`"hex" expected hexadecimal digits only`);
  const bytes = new Uint8Array(hex.length / 2);
  if (hex.length > SMALL && runtime.buffer !== undefined) {
    setAndWipe(bytes, runtime.buffer.from(hex, "hex"));
    return bytes;
  }
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = (hexDigit(hex.charCodeAt(2 * i)) << 4) | hexDigit(hex.charCodeAt(2 * i + 1));
  }
  return bytes;
}

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
// Padding may stand at the end only, so anything else after it fails this test too.
const BASE64_SHAPE = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * Writes bytes as base64 with the standard alphabet and padding.
 * @param bytes - bytes of any length
 * @returns four characters for each three bytes, padded with `=`; RFC 4648 section 4
 * @throws TypeError `ERR_ARGUMENT` if it is no Uint8Array
 */
export function bytesToBase64(bytes: Uint8Array): string {
  assertBytes(bytes, "bytes");
  if (bytes.length > SMALL && runtime.buffer !== undefined) {
    return runtime.buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
  }
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const group = ((bytes[i] as number) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += BASE64.charAt(group >> 18) + BASE64.charAt((group >> 12) & 63);
    text += left > 1 ? BASE64.charAt((group >> 6) & 63) : "=";
    text += left > 2 ? BASE64.charAt(group & 63) : "=";
  }
  return text;
}

function base64Digit(code: number): number {
  if (code >= 97) return code - 71;
  if (code >= 65) return code - 65;
  if (code >= 48) return code + 4;
  return code === 43 ? 62 : 63;
}

/**
 * Reads base64 strictly: one byte string has one spelling.
 * @param base64 - the standard alphabet, padded; no white space, no URL alphabet
 * @returns a new buffer; RFC 4648 sections 3.2, 3.3 and 3.5
 * @throws TypeError `ERR_ARGUMENT` for a foreign character, missing or surplus padding, or trailing bits that are not zero
 */
export function base64ToBytes(base64: string): Uint8Array {
  assertString(base64, "base64");
  const length = base64.length;
  if (length % 4 !== 0)
    throw argumentTypeError(`"base64" expected a length that is a multiple of 4, got length=${length}`);
  if (!BASE64_SHAPE.test(base64))
    throw argumentTypeError(`"base64" expected the standard alphabet with padding at the end`);
  const padding = base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0;
  if (padding > 0) {
    // RFC 4648 3.5: the bits of the last digit that carry no data must be zero.
    const unused = padding === 2 ? 15 : 3;
    const last = base64Digit(base64.charCodeAt(length - padding - 1));
    if ((last & unused) !== 0) throw argumentTypeError(`"base64" expected zero in the unused bits of its last digit`);
  }
  const bytes = new Uint8Array((length / 4) * 3 - padding);
  if (length > SMALL && runtime.buffer !== undefined) {
    setAndWipe(bytes, runtime.buffer.from(base64, "base64"));
    return bytes;
  }
  for (let i = 0, offset = 0; i < length; i += 4) {
    const digit = (at: number): number => (i + at < length - padding ? base64Digit(base64.charCodeAt(i + at)) : 0);
    const group = (digit(0) << 18) | (digit(1) << 12) | (digit(2) << 6) | digit(3);
    for (let shift = 16; shift >= 0 && offset < bytes.length; shift -= 8) bytes[offset++] = (group >> shift) & 255;
  }
  return bytes;
}
