// The check of one text against its limits. It must not know fields, requests or errors: it says whether a text passes.
import type { Limits } from "./action.js";
import { hasRepeatedName } from "./json-names.js";

/** Whether a text passes. */
export type TextCheck = (text: string) => boolean;

// Padding may stand at the end only, so anything else after it fails this test too.
const BASE64_SHAPE = /^[A-Za-z0-9+/]*={0,2}$/;
const PEM_PUBLIC_KEY = /^\s*-----BEGIN (?:RSA )?PUBLIC KEY-----[A-Za-z0-9+/=\s]+-----END (?:RSA )?PUBLIC KEY-----\s*$/;
// With the u flag a proper pair is one code point, so that this matches halves that stand alone only.
const LONE_SURROGATE = /\p{Surrogate}/u;

/** A base64 digit's value is its place here. */
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Strict base64 (RFC 4648 sections 3.2, 3.3, 3.5) of so many bytes; nothing is decoded. */
function base64Check(least: number, most: number): TextCheck {
  const mostDigits = Math.ceil(most / 3) * 4;
  return (text) => {
    const { length } = text;
    if (length > mostDigits || length % 4 !== 0) return false;
    const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
    const bytes = (length / 4) * 3 - padding;
    if (bytes < least || bytes > most || !BASE64_SHAPE.test(text)) return false;
    // One byte string has one spelling: the bits of the last digit that carry no data are zero.
    if (padding === 0) return true;
    const unused = padding === 2 ? 15 : 3;
    return (ALPHABET.indexOf(text.charAt(length - padding - 1)) & unused) === 0;
  };
}

/** A JSON object whose members are all strings, well-formed like their names, none of which stands twice. */
function isJsonOfStrings(text: string): boolean {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return false;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  if (hasRepeatedName(text, value)) return false;
  // An escape in the text can still make a lone surrogate, which no UTF-8 carries on.
  return Object.entries(value).every(
    ([name, member]) => typeof member === "string" && !LONE_SURROGATE.test(name) && !LONE_SURROGATE.test(member),
  );
}

/** Whether a text has at most so many bytes of UTF-8, without encoding it. */
function fitsUtf8(text: string, most: number): boolean {
  // A UTF-16 unit takes 1 to 3 bytes.
  if (text.length > most) return false;
  if (text.length * 3 <= most) return true;
  let bytes = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    // Each half of a surrogate pair counts 2 of the 4 bytes that the pair takes.
    bytes += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 2 : 3;
  }
  return bytes <= most;
}

function encodingCheck(limits: Limits): TextCheck | undefined {
  switch (limits.encoding) {
    case "base64":
      return base64Check(
        limits.bytes ?? limits.minBytes ?? 0,
        limits.bytes ?? limits.maxBytes ?? Number.MAX_SAFE_INTEGER,
      );
    case "json-strings":
      return isJsonOfStrings;
    case "pem-public-key":
      return (text) => PEM_PUBLIC_KEY.test(text);
    default:
      return undefined;
  }
}

/**
 * Makes the check of a text. Lengths are looked at before content, so that a long text costs nothing.
 * @param limits - what it must be
 * @returns the check
 */
export function textCheck(limits: Limits): TextCheck {
  const { minChars = 1, maxChars = Number.MAX_SAFE_INTEGER, encoding, maxBytes, pattern, oneOf } = limits;
  if (oneOf !== undefined) {
    const allowed: ReadonlySet<unknown> = new Set(oneOf);
    return (text) => allowed.has(text);
  }
  const hasLength: TextCheck = (text) => text.length >= minChars && text.length <= maxChars;
  if (pattern !== undefined) {
    const shape = new RegExp(pattern);
    return (text) => hasLength(text) && shape.test(text);
  }
  const encoded = encodingCheck(limits);
  if (encoded !== undefined) return (text) => hasLength(text) && encoded(text);
  const hasBytes: TextCheck = maxBytes === undefined ? () => true : (text) => fitsUtf8(text, maxBytes);
  return (text) => hasLength(text) && hasBytes(text) && (encoding !== undefined || !LONE_SURROGATE.test(text));
}
