// Sealed fields as bytes and as text (docs/fields.md, "Bytes"): layout, what the tag binds, and how they are recognised. It must not
// know keys, ciphers or values.
import { base64ToBytes, bytesToBase64, concatBytes, utf8ToBytes } from "@fengni/crypto/bytes";
import { BRANCH_KEY_VERSION_BYTES, encodeBranchKeyId } from "./branch-key.js";
import { serializeContext } from "./context.js";
import { argumentError, FengniError, limitError } from "./errors.js";
import { isBytes } from "./field-value.js";
import type { EncryptionContext } from "./provider.js";
import { MAX_U16, putU16 } from "./wire/integers.js";

/** High half of the first byte: a sealed field. No message begins with it. */
const FIELD_MARK = 0xf0;
/** Low half of the first byte: the format. */
const FIELD_FORMAT = 1;
export const FIELD_SALT_BYTES = 16;
export const FIELD_COMMITMENT_BYTES = 16;
const FIELD_TAG_BYTES = 16;
const VERSION_AT = 1;
const SALT_AT: number = VERSION_AT + BRANCH_KEY_VERSION_BYTES;
const COMMITMENT_AT: number = SALT_AT + FIELD_SALT_BYTES;
const CIPHERTEXT_AT: number = COMMITMENT_AT + FIELD_COMMITMENT_BYTES;
/** A type byte is always sealed. */
const MIN_FIELD_BYTES: number = CIPHERTEXT_AT + 1 + FIELD_TAG_BYTES;
/** How much longer a sealed field is than the encoding of its value without the type byte, in bytes; padding not counted. */
export const FIELD_OVERHEAD_BYTES: number = MIN_FIELD_BYTES;
/** What the text form of a sealed field begins with; base64url follows. */
export const FIELD_TEXT_PREFIX = "fengni:";

/** What stands in front of the ciphertext. */
export interface FieldHead {
  /** The branch key's version, 16 bytes. */
  readonly version: Uint8Array;
  /** 16 bytes. */
  readonly salt: Uint8Array;
  /** 16 bytes. */
  readonly commitment: Uint8Array;
}

/** A sealed field taken apart; every part is a view. */
export interface FieldParts extends FieldHead {
  /** What stands in front of the ciphertext, whole. */
  readonly head: Uint8Array;
  readonly ciphertext: Uint8Array;
  /** 16 bytes. */
  readonly tag: Uint8Array;
}

export function encodeFieldHead({ version, salt, commitment }: FieldHead): Uint8Array {
  return concatBytes(Uint8Array.of(FIELD_MARK | FIELD_FORMAT), version, salt, commitment);
}

/**
 * Takes a sealed field apart; nothing of it is authentic yet.
 * @param maximum - limit of the ciphertext, in bytes
 * @throws FengniError `ERR_MESSAGE_INVALID`, `ERR_MESSAGE_UNSUPPORTED`, `ERR_MESSAGE_TRUNCATED`, `ERR_LIMIT`
 */
export function parseField(bytes: Uint8Array, maximum: number): FieldParts {
  const first = bytes[0];
  if (first === undefined) throw truncated(0);
  if ((first & 0xf0) !== FIELD_MARK) throw notSealed();
  if ((first & 0x0f) !== FIELD_FORMAT) {
    throw new FengniError(
      "ERR_MESSAGE_UNSUPPORTED",
      `field format ${first & 0x0f} is not known here: upgrade to read it`,
    );
  }
  if (bytes.length < MIN_FIELD_BYTES) throw truncated(bytes.length);
  const tagAt = bytes.length - FIELD_TAG_BYTES;
  if (tagAt - CIPHERTEXT_AT > maximum) {
    throw limitError("field length", maximum, tagAt - CIPHERTEXT_AT, "raise maxFieldLength if it is trusted");
  }
  return {
    head: bytes.subarray(0, CIPHERTEXT_AT),
    version: bytes.subarray(VERSION_AT, SALT_AT),
    salt: bytes.subarray(SALT_AT, COMMITMENT_AT),
    commitment: bytes.subarray(COMMITMENT_AT, CIPHERTEXT_AT),
    ciphertext: bytes.subarray(CIPHERTEXT_AT, tagAt),
    tag: bytes.subarray(tagAt),
  };
}

function truncated(offset: number): FengniError<"ERR_MESSAGE_TRUNCATED"> {
  return new FengniError("ERR_MESSAGE_TRUNCATED", `the sealed field ends after ${offset} bytes`, {
    details: { offset },
  });
}

function notSealed(): FengniError<"ERR_MESSAGE_INVALID"> {
  return new FengniError("ERR_MESSAGE_INVALID", "this is no sealed field: it has another beginning", {
    details: { offset: 0 },
  });
}

/**
 * What a field is bound to beside its head: branch key, name and context (docs/fields.md, "What the tag binds").
 * @throws TypeError, RangeError `ERR_ARGUMENT`; FengniError `ERR_LIMIT`
 */
export function fieldBinding(branchKeyId: string, name: string, context: EncryptionContext): Uint8Array {
  if (typeof name !== "string" || name.length === 0)
    throw argumentError("name expected the field's name: text, not empty");
  const id = encodeBranchKeyId(branchKeyId);
  const path = utf8ToBytes(name);
  if (path.length > MAX_U16) throw limitError("field name length", MAX_U16, path.length, "shorten it");
  return concatBytes(sized(id), sized(path), serializeContext(context));
}

/** Length, then bytes. */
function sized(bytes: Uint8Array): Uint8Array {
  const all = new Uint8Array(2 + bytes.length);
  putU16(all, 0, bytes.length);
  all.set(bytes, 2);
  return all;
}

/** The text form: prefix, then base64url without padding (RFC 4648 section 5). */
export function fieldToText(field: Uint8Array): string {
  return FIELD_TEXT_PREFIX + bytesToBase64(field).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/**
 * Reads the text form strictly: one field has one text.
 * @param maximum - limit of the ciphertext, in bytes: longer text is not decoded
 * @throws FengniError `ERR_MESSAGE_INVALID`, `ERR_LIMIT`
 */
export function textToField(text: string, maximum: number): Uint8Array {
  if (!text.startsWith(FIELD_TEXT_PREFIX)) throw notSealed();
  const digits = text.slice(FIELD_TEXT_PREFIX.length);
  const length = Math.floor((digits.length * 3) / 4) - MIN_FIELD_BYTES + 1;
  if (length > maximum) throw limitError("field length", maximum, length, "raise maxFieldLength if it is trusted");
  const bytes = base64UrlToBytes(digits);
  if (bytes === undefined)
    throw new FengniError("ERR_MESSAGE_INVALID", "the sealed field is not well-formed base64url");
  return bytes;
}

function base64UrlToBytes(digits: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(digits) || digits.length % 4 === 1) return undefined;
  const padding = "=".repeat((4 - (digits.length % 4)) % 4);
  try {
    return base64ToBytes(digits.replace(/-/g, "+").replace(/_/g, "/") + padding);
  } catch {
    return undefined;
  }
}

/**
 * Whether a value looks like a sealed field, of any format: its text form, or, with less certainty, its bytes. It is no proof: only
 * opening is. Fit to find what is not sealed yet; unfit to decide whether to trust a value.
 */
export function isSealedField(value: unknown): boolean {
  const bytes =
    typeof value === "string"
      ? value.startsWith(FIELD_TEXT_PREFIX) && base64UrlToBytes(value.slice(FIELD_TEXT_PREFIX.length))
      : isBytes(value) && value;
  return isBytes(bytes) && ((bytes[0] ?? 0) & 0xf0) === FIELD_MARK && bytes.length >= MIN_FIELD_BYTES;
}
