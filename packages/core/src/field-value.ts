// Values of fields as bytes: one type byte, then the one encoding of the value, then padding where it was asked for (docs/fields.md,
// "Values"). It must not know how the bytes are sealed.
import { assertBytes, bytesToHex, bytesToUtf8, hexToBytes, utf8ToBytes, wipe } from "@fengni/crypto/bytes";
import { argumentError, FengniError, limitError } from "./errors.js";
import { canonicalJson, type JsonValue, typeName } from "./field-json.js";

/** What a field may hold. It is opened as the type that it was sealed as; `undefined` is no value. */
export type FieldValue = JsonValue | bigint | Date | Uint8Array;

const TYPE_NULL = 0;
const TYPE_FALSE = 1;
const TYPE_TRUE = 2;
const TYPE_NUMBER = 3;
const TYPE_POSITIVE = 4;
const TYPE_NEGATIVE = 5;
const TYPE_TEXT = 6;
const TYPE_BYTES = 7;
const TYPE_DATE = 8;
const TYPE_JSON = 9;
/** Bit of the type byte that says that padding follows the value. */
const PADDED = 0x80;
/** ISO/IEC 7816-4: the first byte of the padding; zeros follow. */
const PADDING_MARK = 0x80;

/**
 * Encodes a value. Numbers and dates have one length, whatever they are: the length of a sealed field tells no magnitude.
 * @param maximum - limit of the encoding, in bytes
 * @returns a new buffer that the caller wipes
 * @throws TypeError `ERR_ARGUMENT` for what is no {@link FieldValue}; `ERR_LIMIT`
 */
export function encodeFieldValue(value: FieldValue, maximum: number): Uint8Array {
  switch (typeof value) {
    case "boolean":
      return Uint8Array.of(value ? TYPE_TRUE : TYPE_FALSE);
    case "number":
      if (!Number.isFinite(value)) throw argumentError(`a field cannot hold the number ${value}: only finite ones`);
      return encodeDouble(TYPE_NUMBER, value);
    case "bigint":
      return encodeBigint(value, maximum);
    case "string":
      // A character has one byte at least: what is too long is not encoded.
      checkLength(value.length + 1, maximum);
      return typed(TYPE_TEXT, utf8ToBytes(value), maximum);
    case "object":
      return encodeObject(value, maximum);
    default:
      throw argumentError(`a field cannot hold a value of type ${typeName(value)}`);
  }
}

function encodeObject(value: object | null, maximum: number): Uint8Array {
  if (value === null) return Uint8Array.of(TYPE_NULL);
  if (isBytes(value)) {
    checkLength(assertBytes(value, "value").length + 1, maximum);
    return typed(TYPE_BYTES, Uint8Array.from(value), maximum);
  }
  if (isDate(value)) {
    const time = value.getTime();
    if (Number.isNaN(time)) throw argumentError("a field cannot hold an invalid date");
    return encodeDouble(TYPE_DATE, time);
  }
  return typed(TYPE_JSON, utf8ToBytes(canonicalJson(value, maximum)), maximum);
}

/** Whether a value is a Uint8Array, also one of another realm. */
export function isBytes(value: unknown): value is Uint8Array {
  return (
    ArrayBuffer.isView(value) &&
    (value instanceof Uint8Array || Object.prototype.toString.call(value) === "[object Uint8Array]")
  );
}

/** Whether a value is a date. */
export function isDate(value: unknown): value is Date {
  return value instanceof Date;
}

function checkLength(length: number, maximum: number): void {
  if (length > maximum) throw limitError("field length", maximum, length, "seal less in one field, or as a message");
}

/** Joins type and encoding, and wipes the encoding. */
function typed(type: number, encoding: Uint8Array, maximum: number): Uint8Array {
  try {
    checkLength(encoding.length + 1, maximum);
    const bytes = new Uint8Array(encoding.length + 1);
    bytes[0] = type;
    bytes.set(encoding, 1);
    return bytes;
  } finally {
    wipe(encoding);
  }
}

function encodeDouble(type: number, value: number): Uint8Array {
  const bytes = new Uint8Array(9);
  bytes[0] = type;
  new DataView(bytes.buffer).setFloat64(1, value);
  return bytes;
}

/** The magnitude, big-endian, without a zero in front; the sign is in the type. */
function encodeBigint(value: bigint, maximum: number): Uint8Array {
  if (value === 0n) return Uint8Array.of(TYPE_POSITIVE);
  const digits = (value < 0n ? -value : value).toString(16);
  const hex = digits.length % 2 === 0 ? digits : `0${digits}`;
  return typed(value < 0n ? TYPE_NEGATIVE : TYPE_POSITIVE, hexToBytes(hex), maximum);
}

/**
 * Fills an encoded value up to the next multiple of `multiple` bytes, by one byte at least (docs/fields.md, "Padding").
 * @param encoded - is wiped
 * @param maximum - limit of the result, in bytes
 * @returns a new buffer that the caller wipes
 * @throws FengniError `ERR_LIMIT`
 */
export function padFieldValue(encoded: Uint8Array, multiple: number, maximum: number): Uint8Array {
  try {
    const length = Math.ceil((encoded.length + 1) / multiple) * multiple;
    checkLength(length, maximum);
    const padded = new Uint8Array(length);
    padded.set(encoded);
    padded[0] = (encoded[0] as number) | PADDED;
    padded[encoded.length] = PADDING_MARK;
    return padded;
  } finally {
    wipe(encoded);
  }
}

/**
 * Decodes what {@link encodeFieldValue} and {@link padFieldValue} give.
 * @param bytes - authentic
 * @throws FengniError `ERR_MESSAGE_INVALID` for anything but the one encoding of a value, `ERR_MESSAGE_UNSUPPORTED` for a type
 *   that this version does not know
 */
export function decodeFieldValue(bytes: Uint8Array): FieldValue {
  if (bytes.length === 0) throw malformed("no type");
  const head = bytes[0] as number;
  const encoding = (head & PADDED) === 0 ? bytes.subarray(1) : unpadded(bytes);
  const type = head & ~PADDED;
  switch (type) {
    case TYPE_NULL:
    case TYPE_FALSE:
    case TYPE_TRUE:
      if (encoding.length > 0) throw malformed("bytes behind a value that has none");
      return type === TYPE_NULL ? null : type === TYPE_TRUE;
    case TYPE_NUMBER:
      return decodeDouble(encoding);
    case TYPE_POSITIVE:
    case TYPE_NEGATIVE:
      return decodeBigint(encoding, type === TYPE_NEGATIVE);
    case TYPE_TEXT:
      return decodeText(encoding);
    case TYPE_BYTES:
      return Uint8Array.from(encoding);
    case TYPE_DATE:
      return decodeDate(encoding);
    case TYPE_JSON:
      return decodeJson(encoding);
    default:
      throw new FengniError(
        "ERR_MESSAGE_UNSUPPORTED",
        `the field holds a value of type ${type}, which is not known here`,
      );
  }
}

/** The encoding between type and padding. */
function unpadded(bytes: Uint8Array): Uint8Array {
  let end = bytes.length - 1;
  while (end > 0 && bytes[end] === 0) end -= 1;
  if (end === 0 || bytes[end] !== PADDING_MARK) throw malformed("padding without its mark");
  return bytes.subarray(1, end);
}

function decodeDouble(encoding: Uint8Array): number {
  if (encoding.length !== 8) throw malformed("a number of another length than 8 bytes");
  const value = new DataView(encoding.buffer, encoding.byteOffset, 8).getFloat64(0);
  if (!Number.isFinite(value)) throw malformed("a number that is not finite");
  return value;
}

function decodeDate(encoding: Uint8Array): Date {
  const time = decodeDouble(encoding);
  const date = new Date(time);
  // The date's own time: the encoding of a fraction, or of -0, is none.
  if (!Object.is(date.getTime(), time)) throw malformed("a time that no date has");
  return date;
}

function decodeBigint(encoding: Uint8Array, isNegative: boolean): bigint {
  if (encoding[0] === 0 || (isNegative && encoding.length === 0))
    throw malformed("an integer that is not in its one form");
  if (encoding.length === 0) return 0n;
  const magnitude = BigInt(`0x${bytesToHex(encoding)}`);
  return isNegative ? -magnitude : magnitude;
}

function decodeText(encoding: Uint8Array): string {
  try {
    return bytesToUtf8(encoding);
  } catch {
    throw malformed("text that is not UTF-8");
  }
}

function decodeJson(encoding: Uint8Array): JsonValue {
  const text = decodeText(encoding);
  let value: JsonValue;
  let canonical: string;
  try {
    value = JSON.parse(text) as JsonValue;
    canonical = canonicalJson(value, text.length);
  } catch {
    // Not the cause: its message quotes the text.
    throw malformed("text that is not JSON, or nested too deeply");
  }
  if (canonical !== text) throw malformed("JSON that is not in its one form");
  if (typeof value !== "object" || value === null) throw malformed("JSON that is no object and no array");
  return value;
}

function malformed(what: string): FengniError<"ERR_MESSAGE_INVALID"> {
  return new FengniError("ERR_MESSAGE_INVALID", `the opened field is malformed: ${what}`);
}
