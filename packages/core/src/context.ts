// The encryption context: its checks and its two canonical forms (message format, section "Encryption context"; JSON for
// services that take text). Must know no suite and no provider.
import { bytesToBase64, bytesToUtf8, utf8ToBytes } from "@fengni/crypto/bytes";
import { digest } from "@fengni/crypto/hash";
import { argumentError, FengniError, limitError, shown } from "./errors.js";
import type { EncryptionContext } from "./provider.js";
import { MAX_U16, putU16, readU16 } from "./wire/integers.js";

/** Begins the context keys of this library's own formats. */
export const OWN_CONTEXT_PREFIX = "fengni-";
/** Context keys of the message format itself; callers cannot use them. */
export const RESERVED_CONTEXT_PREFIXES: readonly string[] = ["aws-crypto-", OWN_CONTEXT_PREFIX];
/** Carries the verification key of a suite that signs with ECDSA. */
export const PUBLIC_KEY_CONTEXT_KEY = "aws-crypto-public-key";
/** Carries the verification key of a suite that signs with SM2 or ML-DSA. */
export const OWN_PUBLIC_KEY_CONTEXT_KEY = "fengni-public-key";
/** Stands for the whole context at a provider that cannot carry it. */
export const DIGEST_CONTEXT_KEY = "fengni-context-digest";

/** A serialised context up to this length is made text at once, of which ASCII is cut: a decoder costs more for each part. */
const SHORT_CONTEXT = 1024;

/** A context in the order in which it is serialised, with its text already encoded. */
type EncodedPair = readonly [key: Uint8Array, value: Uint8Array];

/**
 * Checks a context that the caller of encrypt gives.
 * @throws TypeError (`ERR_ARGUMENT`) for anything that is no record of strings, `ERR_CONTEXT_INVALID` for a reserved key
 */
export function checkCallerContext(context: EncryptionContext): EncryptionContext {
  const checked = copyContext(context);
  for (const key of Object.keys(checked)) {
    if (isReserved(key)) {
      throw new FengniError(
        "ERR_CONTEXT_INVALID",
        `encryption context key ${shown(key)} has a reserved prefix: rename it`,
        {
          details: { key },
        },
      );
    }
  }
  return checked;
}

function isReserved(key: string): boolean {
  for (const prefix of RESERVED_CONTEXT_PREFIXES) if (key.startsWith(prefix)) return true;
  return false;
}

/**
 * A copy without a prototype, so that `__proto__` and `constructor` are keys like any other. Only a plain object is a
 * context: of a Map, say, nothing would be bound, and nothing expected.
 */
export function copyContext(context: EncryptionContext): Record<string, string> {
  if (!isPlainObject(context)) throw argumentError("encryptionContext expected a plain object of strings");
  const copy: Record<string, string> = Object.create(null);
  for (const key of Object.keys(context)) {
    const value: unknown = context[key];
    if (typeof value !== "string") throw argumentError(`encryptionContext value of ${shown(key)} expected a string`);
    copy[key] = value;
  }
  return copy;
}

/** Whether a value is an object literal, or without a prototype; of any realm. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: object | null = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) return true;
  return prototype === null || (Object.hasOwn(prototype, "isPrototypeOf") && Object.getPrototypeOf(prototype) === null);
}

/**
 * Serialises a context: pair count, then each pair with 16-bit lengths, sorted by the UTF-8 bytes of the key; an empty
 * context is zero bytes (message format, section "Serialisation").
 * @throws `ERR_LIMIT` when a key, a value or the whole passes 65,535 bytes; TypeError for text that is not well-formed
 */
export function serializeContext(context: EncryptionContext): Uint8Array {
  if (!isPlainObject(context)) throw argumentError("encryptionContext expected a plain object of strings");
  const pairs: EncodedPair[] = [];
  let length = 2;
  for (const key of Object.keys(context)) {
    const pair: EncodedPair = [utf8ToBytes(key), utf8ToBytes(context[key] as string)];
    for (const text of pair) {
      if (text.length > MAX_U16) throw limitError("encryption context text", MAX_U16, text.length, "shorten it");
    }
    length += 4 + pair[0].length + pair[1].length;
    pairs.push(pair);
  }
  if (pairs.length === 0) return new Uint8Array(0);
  if (length > MAX_U16) throw limitError("encryption context length", MAX_U16, length, "store less in it");
  pairs.sort((a, b) => compareBytes(a[0], b[0]));

  const bytes = new Uint8Array(length);
  putU16(bytes, 0, pairs.length);
  let offset = 2;
  for (const pair of pairs) {
    for (const text of pair) {
      putU16(bytes, offset, text.length);
      bytes.set(text, offset + 2);
      offset += 2 + text.length;
    }
  }
  return bytes;
}

/**
 * Parses what {@link serializeContext} writes; the order of pairs is not required (historical writers did not sort).
 * @throws `ERR_MESSAGE_INVALID` for anything that does not fill the bytes exactly, a key twice, or malformed UTF-8
 */
export function parseContext(bytes: Uint8Array): Record<string, string> {
  const context: Record<string, string> = Object.create(null);
  if (bytes.length === 0) return context;
  if (bytes.length < 2) throw malformed("is shorter than its pair count");
  const count = readU16(bytes, 0);
  if (count === 0) throw malformed("has a length but no pairs");
  const ascii = bytes.length <= SHORT_CONTEXT ? latin1(bytes) : undefined;
  let offset = 2;
  const readText = (): string => {
    if (offset + 2 > bytes.length) throw malformed("ends inside a pair");
    const end = offset + 2 + readU16(bytes, offset);
    if (end > bytes.length) throw malformed("ends inside a pair");
    const start = offset + 2;
    offset = end;
    if (ascii !== undefined && isAscii(bytes, start, end)) return ascii.slice(start, end);
    try {
      return bytesToUtf8(bytes.subarray(start, end));
    } catch (cause) {
      throw new FengniError("ERR_MESSAGE_INVALID", "the encryption context is not well-formed UTF-8", { cause });
    }
  };
  for (let i = 0; i < count; i++) {
    const key = readText();
    if (Object.hasOwn(context, key)) throw malformed("has a key twice");
    context[key] = readText();
  }
  if (offset !== bytes.length) throw malformed("has bytes after its last pair");
  return context;
}

/** Bytes as text, one character each; few enough for the arguments of one call. */
function latin1(bytes: Uint8Array): string {
  return String.fromCharCode.apply(null, bytes as unknown as number[]);
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  let all = 0;
  for (let i = start; i < end; i++) all |= bytes[i] as number;
  return all < 0x80;
}

function malformed(what: string): FengniError<"ERR_MESSAGE_INVALID"> {
  return new FengniError("ERR_MESSAGE_INVALID", `the encryption context ${what}`);
}

/** Canonical JSON of a context: keys sorted by their UTF-8 bytes, no white space. */
export function contextToJson(context: EncryptionContext): string {
  const keys = Object.keys(context).sort((a, b) => compareBytes(utf8ToBytes(a), utf8ToBytes(b)));
  return `{${keys.map((key) => `${JSON.stringify(key)}:${JSON.stringify(context[key])}`).join(",")}}`;
}

/**
 * The context to give to a provider that carries at most `maxCharacters` of JSON: the context itself, or, when it is too
 * long, the single pair `fengni-context-digest`, base64 of SHA-256 over its serialisation (docs/message-format.md).
 */
export function contextForProvider(context: EncryptionContext, maxCharacters: number | undefined): EncryptionContext {
  if (maxCharacters === undefined || contextToJson(context).length <= maxCharacters) return context;
  return { [DIGEST_CONTEXT_KEY]: bytesToBase64(digest("sha256", serializeContext(context))) };
}

/**
 * Checks that every expected pair is in the context.
 * @throws `ERR_CONTEXT_MISMATCH` naming the key, never the values
 */
export function requireContext(context: EncryptionContext, expected: EncryptionContext): void {
  for (const key of Object.keys(expected)) {
    if (!Object.hasOwn(context, key)) {
      throw new FengniError("ERR_CONTEXT_MISMATCH", `the message's encryption context lacks the key ${shown(key)}`, {
        details: { key },
      });
    }
    if (context[key] !== expected[key]) {
      throw new FengniError(
        "ERR_CONTEXT_MISMATCH",
        `the message's encryption context has another value for the key ${shown(key)} than the one expected`,
        { details: { key } },
      );
    }
  }
}

/** Orders byte strings as unsigned numbers, a prefix before what it begins. */
function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
