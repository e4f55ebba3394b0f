// JSON as one sealed value: which values are JSON, and their canonical text (RFC 8785, but for -0, which stays what it is). It must
// not know what the text is for.
import { isPlainObject } from "./context.js";
import { argumentError, limitError, shown } from "./errors.js";

/** What JSON can say. Numbers are finite; `undefined`, functions, symbols and class instances are none. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** Deepest nesting of arrays and objects, in a value and in a document. */
export const MAX_JSON_DEPTH = 64;

/**
 * Follows the nesting of a value, so that one that holds itself, or nests without end, is refused and not followed.
 */
export class Nesting {
  readonly #holders = new Set<object>();

  /**
   * Runs `inside` for the contents of a holder.
   * @throws TypeError `ERR_ARGUMENT` for a holder inside itself; `ERR_LIMIT` below {@link MAX_JSON_DEPTH}
   */
  within<Result>(holder: object, inside: () => Result): Result {
    if (this.#holders.has(holder)) throw argumentError("the value holds itself: only a tree can be sealed");
    const depth = this.#holders.size + 1;
    if (depth > MAX_JSON_DEPTH) throw limitError("nesting of the value", MAX_JSON_DEPTH, depth, "nest it less deeply");
    this.#holders.add(holder);
    try {
      return inside();
    } finally {
      this.#holders.delete(holder);
    }
  }
}

/**
 * The entries of a plain object or array that hold its data, or an error where some would be lost silently.
 * @throws TypeError `ERR_ARGUMENT` for an array with holes or names, an object with symbols, and anything that is neither
 */
export function checkHolder(value: unknown): asserts value is readonly unknown[] | Readonly<Record<string, unknown>> {
  if (Array.isArray(value)) {
    // A hole and a name would make up for each other in number.
    if (Object.keys(value).length !== value.length || Object.keys(value).some((key, index) => key !== String(index))) {
      throw argumentError("an array with holes, or with names beside its elements, cannot be sealed");
    }
  } else if (!isPlainObject(value)) {
    throw argumentError("an instance of a class cannot be sealed as JSON: turn it into a plain object first");
  }
  if (Object.getOwnPropertySymbols(value).length > 0) {
    throw argumentError("an object with symbols for keys cannot be sealed as JSON");
  }
}

/**
 * Writes the one text of a value: no white space, keys sorted by their UTF-16 units, numbers as ECMAScript writes them.
 * @param longest - limit in UTF-16 units
 * @throws TypeError `ERR_ARGUMENT` for anything that is not JSON; `ERR_LIMIT` for text too long or nested too deeply
 */
export function canonicalJson(value: unknown, longest: number): string {
  const nesting = new Nesting();
  let left = longest;
  const counted = (text: string): string => {
    left -= text.length;
    // Checked on the way: a value that refers to one part many times is small in memory and endless in text.
    if (left < 0) throw limitError("JSON text length", longest, longest - left, "seal less in one field");
    return text;
  };
  const write = (item: unknown): string => {
    if (typeof item !== "object" || item === null) return counted(scalarJson(item));
    return nesting.within(item, () => {
      checkHolder(item);
      counted("[]");
      if (Array.isArray(item)) return `[${item.map((element) => write(element)).join(",")}]`;
      const holder = item as Readonly<Record<string, unknown>>;
      const pairs = Object.keys(holder)
        .sort()
        .map((key) => `${counted(JSON.stringify(key))}:${write(holder[key])}`);
      return `{${pairs.join(",")}}`;
    });
  };
  return write(value);
}

function scalarJson(value: unknown): string {
  switch (typeof value) {
    case "boolean":
      return String(value);
    case "number":
      if (!Number.isFinite(value)) throw argumentError(`the number ${value} cannot be sealed: JSON has none such`);
      return Object.is(value, -0) ? "-0" : String(value);
    case "string":
      return JSON.stringify(value);
    case "object":
      return "null";
    default:
      throw argumentError(`a value of type ${typeof value} cannot be sealed inside of JSON`);
  }
}

/** Sets an own property, also where its name is `__proto__`: assigning that one would change the prototype instead. */
export function setOwn(holder: object, key: string | number, value: unknown): void {
  Object.defineProperty(holder, key, { value, writable: true, enumerable: true, configurable: true });
}

/** A value's type, for messages. */
export function typeName(value: unknown): string {
  if (value === null) return "null";
  return typeof value === "object" ? shown(Object.prototype.toString.call(value).slice(8, -1)) : typeof value;
}
