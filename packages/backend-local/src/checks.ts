// The limits of the local KMS, and the checks of arguments against them. It must not know keys, stores or algorithms.
// More than a maximum is `ERR_LIMIT`; a wrong type or shape, or less than a minimum, is the programmer's: `ERR_ARGUMENT`.
import { contextToJson, type EncryptionContext, FengniError, serializeContext } from "@fengni/core";
import { assertBytes, utf8ToBytes } from "@fengni/crypto/bytes";

/** Longest plaintext of `encrypt`, in bytes; the shortest has 1. */
export const MAX_PLAINTEXT_BYTES = 4096;
/** Longest data key of `generateDataKey`, in bytes; the shortest has 1. */
export const MAX_DATA_KEY_BYTES = 1024;
/** Longest message of `sign` and `verify` in the raw form, in bytes; the shortest has 1. */
export const MAX_MESSAGE_BYTES = 4096;
/** Longest encryption context, in characters of its canonical JSON. */
export const MAX_CONTEXT_CHARACTERS = 1024;
/** Longest alias, in characters; the shortest has 1. */
export const MAX_ALIAS_CHARACTERS = 60;
/** Longest description of a key, in bytes of UTF-8. */
export const MAX_DESCRIPTION_BYTES = 1024;
/** Shortest time between `scheduleKeyDeletion` and the deletion, in days. */
export const MIN_PENDING_WINDOW_DAYS = 7;
/** Longest time between `scheduleKeyDeletion` and the deletion, in days. */
export const MAX_PENDING_WINDOW_DAYS = 30;
/** Most entries on one page of a list. */
export const MAX_LIST_LIMIT = 200;
/** Keys on one page of `LocalKeyAdmin.listKeys` when the caller does not say; lists of the KMS itself have `DEFAULT_PAGE_LIMIT`. */
export const DEFAULT_ADMIN_LIST_LIMIT = 100;
/** A day, in milliseconds. */
export const DAY_MS: number = 24 * 60 * 60 * 1000;

const ALIAS = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const NO_BYTES: Uint8Array = new Uint8Array(0);
// JSON writes a character with 6 at most (\u001f), and each pair adds two pairs of quotes, a colon and a comma.
const JSON_CHARACTERS_PER_CHARACTER = 6;
const JSON_CHARACTERS_PER_PAIR = 6;

/** A wrong argument: the programmer's fault, never retried. */
export function argumentError(message: string): TypeError {
  return Object.assign(new TypeError(message), { code: "ERR_ARGUMENT" });
}

/** A value out of range: the programmer's fault, never retried. */
export function rangeError(message: string): RangeError {
  return Object.assign(new RangeError(message), { code: "ERR_ARGUMENT" });
}

/** More than a limit allows. */
export function limitError(limit: string, maximum: number, actual: number, advice: string): FengniError<"ERR_LIMIT"> {
  return new FengniError("ERR_LIMIT", `${limit} is ${actual}, more than the allowed ${maximum}: ${advice}`, {
    details: { limit, maximum, actual },
  });
}

/** TypeError unless `value` is an object whose fields are all known: a typing mistake must not change what is protected. */
export function checkFields(where: string, value: object, known: readonly string[]): void {
  if (typeof value !== "object" || value === null) throw argumentError(`${where} expected an object`);
  for (const field in value) {
    if (!known.includes(field)) {
      throw argumentError(`${where} does not know the field "${field}": it takes ${known.join(", ")}`);
    }
  }
}

/**
 * Whether a value is an object literal, or without a prototype; of any realm. Of anything else, such as a Map, the entries are not
 * where they are looked for.
 */
export function isPlainObject(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const prototype: object | null = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return true;
  return Object.hasOwn(prototype, "isPrototypeOf") && Object.getPrototypeOf(prototype) === null;
}

/** TypeError unless `value` is a string. */
export function checkText(name: string, value: string): string {
  if (typeof value !== "string") throw argumentError(`${name} expected a string`);
  return value;
}

/** Bytes of 1 to `maximum`. */
export function checkBytes(name: string, value: Uint8Array, maximum: number, advice: string): Uint8Array {
  const { length } = assertBytes(value, name);
  if (length === 0) throw rangeError(`${name} expected 1 to ${maximum} bytes, got none`);
  if (length > maximum) throw limitError(`${name} length`, maximum, length, advice);
  return value;
}

/** A whole number of `minimum` to `maximum`. */
export function checkCount(name: string, value: number, minimum: number, maximum: number): number {
  if (typeof value !== "number") throw argumentError(`${name} expected a number`);
  if (!Number.isSafeInteger(value) || value < minimum) {
    throw rangeError(`${name} expected a whole number from ${minimum} to ${maximum}, got ${value}`);
  }
  if (value > maximum) throw limitError(name, maximum, value, "ask for less");
  return value;
}

/** An alias, or another name of its form: it begins with a letter or a digit, and cannot be mistaken for an id. */
export function checkAlias(alias: string, name = "alias"): string {
  const { length } = checkText(name, alias);
  if (length > MAX_ALIAS_CHARACTERS)
    throw limitError(`${name} length`, MAX_ALIAS_CHARACTERS, length, "choose a shorter one");
  if (!ALIAS.test(alias)) {
    throw rangeError(`${name} expected letters, digits, "-" and "_", the first a letter or a digit`);
  }
  if (UUID.test(alias)) throw rangeError(`${name} expected a name that does not have the form of an id`);
  return alias;
}

/** A description, also an empty one. */
export function checkDescription(description: string, maximum: number = MAX_DESCRIPTION_BYTES): string {
  const { length } = utf8ToBytes(checkText("description", description));
  if (length > maximum) throw limitError("description length in bytes", maximum, length, "shorten it");
  return description;
}

/** A text of `minimum` to `maximum` characters. */
export function checkTextLength(name: string, value: string, minimum: number, maximum: number): string {
  const { length } = checkText(name, value);
  if (length < minimum) throw rangeError(`${name} expected ${minimum} to ${maximum} characters, got ${length}`);
  if (length > maximum) throw limitError(`${name} length`, maximum, length, "shorten it");
  return value;
}

/** One of the texts listed. */
export function checkOneOf<Text extends string>(name: string, value: Text, known: readonly Text[]): Text {
  if (known.includes(checkText(name, value) as Text)) return value;
  throw rangeError(`${name} expected one of ${known.join(", ")}`);
}

/** The bytes of an encryption context that go into the AAD; none for an absent or an empty one. */
export function encodeContext(name: string, context: EncryptionContext | undefined): Uint8Array {
  if (context === undefined) return NO_BYTES;
  if (typeof context !== "object" || context === null || Array.isArray(context)) {
    throw argumentError(`${name} expected an object of strings`);
  }
  let upperBound = 2;
  for (const key of Object.keys(context)) {
    const value = context[key];
    if (typeof value !== "string") throw argumentError(`${name} expected a string as the value of "${key}"`);
    upperBound += JSON_CHARACTERS_PER_CHARACTER * (key.length + value.length) + JSON_CHARACTERS_PER_PAIR;
  }
  if (upperBound > MAX_CONTEXT_CHARACTERS) {
    const { length } = contextToJson(context);
    if (length > MAX_CONTEXT_CHARACTERS) {
      throw limitError(`${name} length in characters of JSON`, MAX_CONTEXT_CHARACTERS, length, "store less in it");
    }
  }
  return serializeContext(context);
}

/**
 * The same memory as a Uint8Array proper. What node:crypto gives is a Buffer: its `slice` does not copy, so that wiping the one
 * wipes the other. For the same reason this package copies what callers give with `Uint8Array.from`.
 */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
