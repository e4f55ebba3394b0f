// The limits of what a provider and an admin are given, and the checks of arguments against them. It must not know keys or actions.
// More than a maximum is `ERR_LIMIT`; a wrong type or shape, or less than a minimum, is the programmer's: `ERR_ARGUMENT`.
import { contextToJson, type EncryptionContext, FengniError, serializeContext } from "@fengni/core";
import { assertBytes, utf8ToBytes } from "@fengni/crypto/bytes";
import { argumentError, rangeError } from "./checks.js";

/** Longest plaintext of `encrypt`, in bytes; the shortest has 1. */
export const MAX_PLAINTEXT_BYTES = 4_096;
/** Longest ciphertext, in bytes: a plaintext of 4,096 with what any key adds to it. */
export const MAX_CIPHERTEXT_BYTES = 8_192;
/** Longest data key of `generateDataKey`, in bytes; the shortest has 1. */
export const MAX_DATA_KEY_BYTES = 1_024;
/** Longest message of `sign` and `verify` in the raw form, in bytes; the shortest has 1. */
export const MAX_MESSAGE_BYTES = 4_096;
/** Longest encryption context, in characters of its canonical JSON. */
export const MAX_CONTEXT_CHARACTERS = 1_024;
/** Longest alias, in characters; the shortest has 1. */
export const MAX_ALIAS_CHARACTERS = 60;
/** Longest description of a key, in bytes of UTF-8. */
export const MAX_DESCRIPTION_BYTES = 1_024;
/** Most keys on one page of a list. */
export const MAX_LIST_LIMIT = 200;

const ALIAS = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;
const RESERVED_ALIAS_PREFIX = "kms-";
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
// JSON writes a character with 6 at most (\u001f), and each pair adds two pairs of quotes, a colon and a comma.
const JSON_CHARACTERS_PER_CHARACTER = 6;
const JSON_CHARACTERS_PER_PAIR = 6;

/** More than a limit allows. */
export function limitError(limit: string, maximum: number, actual: number, advice: string): FengniError<"ERR_LIMIT"> {
  return new FengniError("ERR_LIMIT", `${limit} is ${actual}, more than the allowed ${maximum}: ${advice}`, {
    details: { limit, maximum, actual },
  });
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

/** A ciphertext of 1 byte or more. @throws FengniError `ERR_CIPHERTEXT_INVALID` for one longer than any of this service */
export function checkCiphertext(name: string, value: Uint8Array): Uint8Array {
  const { length } = assertBytes(value, name);
  if (length === 0) throw rangeError(`${name} expected at least 1 byte`);
  if (length <= MAX_CIPHERTEXT_BYTES) return value;
  throw new FengniError(
    "ERR_CIPHERTEXT_INVALID",
    `${name} has ${length} bytes, and the service makes none of more than ${MAX_CIPHERTEXT_BYTES}: it is from elsewhere`,
  );
}

/** A whole number of `minimum` to `maximum`. */
export function checkWholeNumber(name: string, value: number, minimum: number, maximum: number): number {
  if (typeof value !== "number") throw argumentError(`${name} expected a number`);
  if (!Number.isSafeInteger(value) || value < minimum) {
    throw rangeError(`${name} expected a whole number from ${minimum} to ${maximum}, got ${value}`);
  }
  if (value > maximum) throw limitError(name, maximum, value, "ask for less");
  return value;
}

/** A new alias: it begins with a letter or a digit, cannot be mistaken for an id, and leaves the products' names alone. */
export function checkAlias(alias: string): string {
  const { length } = checkText("alias", alias);
  if (length > MAX_ALIAS_CHARACTERS) {
    throw limitError("alias length", MAX_ALIAS_CHARACTERS, length, "choose a shorter one");
  }
  if (!ALIAS.test(alias))
    throw rangeError('alias expected letters, digits, "-" and "_", the first a letter or a digit');
  if (alias.startsWith(RESERVED_ALIAS_PREFIX)) {
    throw rangeError(`alias expected a name without the prefix ${RESERVED_ALIAS_PREFIX}, which is for products`);
  }
  if (isKeyIdForm(alias)) throw rangeError("alias expected a name that does not have the form of an id");
  return alias;
}

/** Whether a reference has the form of a key id; anything else is an alias. */
export function isKeyIdForm(reference: string): boolean {
  return UUID.test(reference);
}

/** Whether a reference has the form of an alias: no key has another name. */
export function isAliasForm(reference: string): boolean {
  return reference.length <= MAX_ALIAS_CHARACTERS && ALIAS.test(reference);
}

/** A description, also an empty one. */
export function checkDescription(description: string): string {
  const { length } = utf8ToBytes(checkText("description", description));
  if (length > MAX_DESCRIPTION_BYTES) {
    throw limitError("description length in bytes", MAX_DESCRIPTION_BYTES, length, "shorten it");
  }
  return description;
}

/** An encryption context as the service takes it: canonical JSON; undefined for an absent or an empty one. */
export function contextText(name: string, context: EncryptionContext | undefined): string | undefined {
  if (context === undefined) return undefined;
  if (typeof context !== "object" || context === null || Array.isArray(context)) {
    throw argumentError(`${name} expected an object of strings`);
  }
  const keys = Object.keys(context);
  let upperBound = 2;
  for (const key of keys) {
    const value = context[key];
    if (typeof value !== "string") throw argumentError(`${name} expected a string as the value of "${key}"`);
    upperBound += JSON_CHARACTERS_PER_CHARACTER * (key.length + value.length) + JSON_CHARACTERS_PER_PAIR;
  }
  // Refuses what is no plain object, and text that has no UTF-8 form.
  if (serializeContext(context).length === 0) return undefined;
  const text = contextToJson(context);
  if (upperBound > MAX_CONTEXT_CHARACTERS && text.length > MAX_CONTEXT_CHARACTERS) {
    const advice = "store less in it, or seal with an Envelope, which gives the service a digest in its place";
    throw limitError(`${name} length in characters of JSON`, MAX_CONTEXT_CHARACTERS, text.length, advice);
  }
  return text;
}
