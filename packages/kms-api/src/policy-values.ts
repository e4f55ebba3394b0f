// The values that conditions compare: decimal numbers, instants, booleans and bytes, read from text. It must not know operators
// or policies. A reader answers undefined for a text that is no such value.
import { base64ToBytes, bytesToHex } from "@fengni/crypto/bytes";

/** A decimal number of any size: its digits without leading zeros, and the fraction without trailing ones. */
export interface Decimal {
  readonly isNegative: boolean;
  readonly integer: string;
  readonly fraction: string;
}

const DECIMAL = /^([+-]?)([0-9]+)(?:\.([0-9]+))?$/;
const DATE =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,3}))?)?(Z|([+-])([0-9]{2}):?([0-9]{2}))?)?$/;
const MINUTE_MS = 60_000;
/** The longest decimal that is read, in characters. */
const MAX_DECIMAL_CHARACTERS = 64;

function withoutTrailingZeros(digits: string): string {
  let end = digits.length;
  while (end > 0 && digits.charCodeAt(end - 1) === 48) end--;
  return digits.slice(0, end);
}

/** Reads a decimal such as `-12.50`; no exponent, at most 64 characters. */
export function parseDecimal(text: string): Decimal | undefined {
  if (text.length > MAX_DECIMAL_CHARACTERS) return undefined;
  const match = DECIMAL.exec(text);
  if (match === null) return undefined;
  const integer = (match[2] as string).replace(/^0+/, "");
  const fraction = withoutTrailingZeros(match[3] ?? "");
  return { isNegative: match[1] === "-" && integer + fraction !== "", integer, fraction };
}

function compareMagnitudes(a: Decimal, b: Decimal): number {
  if (a.integer.length !== b.integer.length) return a.integer.length - b.integer.length;
  if (a.integer !== b.integer) return a.integer < b.integer ? -1 : 1;
  if (a.fraction === b.fraction) return 0;
  // Fractions compare digit by digit from the left, and a shorter one is padded with zeros, so text order is theirs.
  return a.fraction < b.fraction ? -1 : 1;
}

/** Negative, zero or positive as `a` is less than, equal to or greater than `b`. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  if (a.isNegative !== b.isNegative) return a.isNegative ? -1 : 1;
  return a.isNegative ? compareMagnitudes(b, a) : compareMagnitudes(a, b);
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/**
 * Reads an instant: ISO 8601 in its extended form, or `YYYY-MM-DD hh:mm:ss`. Without a time it is midnight, without a zone UTC.
 * @param text - years 0000 to 9999, seconds with at most three decimals
 * @returns milliseconds since 1970-01-01T00:00:00Z
 */
export function parseInstant(text: string): number | undefined {
  const match = DATE.exec(text);
  if (match === null) return undefined;
  const part = (index: number): number => Number(match[index] ?? 0);
  const [year, month, day] = [part(1), part(2), part(3)];
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  if (part(4) > 23 || part(5) > 59 || part(6) > 59 || part(10) > 23 || part(11) > 59) return undefined;
  const milliseconds = Number((match[7] ?? "").padEnd(3, "0"));
  const date = new Date(0);
  // Not Date.UTC: it takes the years 0 to 99 for 1900 to 1999.
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(part(4), part(5), part(6), milliseconds);
  const offset = (part(10) * 60 + part(11)) * MINUTE_MS;
  return date.getTime() - (match[9] === "-" ? -offset : offset);
}

/** Reads `true` or `false`. */
export function parseBoolean(text: string): boolean | undefined {
  return text === "true" ? true : text === "false" ? false : undefined;
}

/** Reads strict base64 (RFC 4648 section 4) into hexadecimal digits, so that bytes compare with `===`. */
export function parseBinary(text: string): string | undefined {
  try {
    return bytesToHex(base64ToBytes(text));
  } catch {
    return undefined;
  }
}
