// Checks of option objects: an unknown field is an error, so that a typing mistake never changes what is protected.
import { argumentError, rangeError, shown } from "./errors.js";

/**
 * Checks an object of options, its `signal` too where it has one. Only undefined stands for an option that is left out.
 * @throws TypeError (`ERR_ARGUMENT`) when `options` is no object that holds options, or has a field that is not known, that is
 *   null, or a `signal` that is none
 */
export function checkOptions(where: string, options: object, known: readonly string[]): void {
  if (!isOptions(options)) throw argumentError(`${where} expected an object of options`);
  for (const field of Object.keys(options)) {
    if (!known.includes(field)) {
      throw argumentError(`${where} does not know the option ${shown(field)}: it takes ${known.join(", ")}`);
    }
    const value = options[field];
    if (value === null)
      throw argumentError(`${where} expected no null for the option "${field}": leave it out instead`);
    if (field === "signal") checkSignal(value);
  }
}

/** A list, bytes, a Map or a signal in the place of options would pass for none at all. Objects of classes may hold them. */
function isOptions(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  return (
    Object.getPrototypeOf(value) === Object.prototype || Object.prototype.toString.call(value) === "[object Object]"
  );
}

/** @throws TypeError (`ERR_ARGUMENT`) unless `signal` is undefined or has what is used of an AbortSignal, of any realm */
function checkSignal(signal: unknown): void {
  if (signal === undefined || (typeof signal === "object" && signal !== null && isSignal(signal))) return;
  throw argumentError("signal expected an AbortSignal");
}

/** Checked at every message: nothing is made for it. */
function isSignal({ aborted, throwIfAborted, addEventListener, removeEventListener }: Partial<AbortSignal>): boolean {
  return (
    typeof aborted === "boolean" &&
    typeof throwIfAborted === "function" &&
    typeof addEventListener === "function" &&
    typeof removeEventListener === "function"
  );
}

/** Whether a value is an object with these methods; by them, not by its class: a package may be loaded twice. */
export function hasMethods(value: unknown, methods: readonly string[]): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  return methods.every((method) => typeof (value as Readonly<Record<string, unknown>>)[method] === "function");
}

/** Whether a value gives items one by one, and is neither text nor bytes, whose items are characters and numbers. */
export function isIterable(value: unknown, protocol: symbol = Symbol.iterator): boolean {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return false;
  return typeof (value as Readonly<Record<symbol, unknown>>)[protocol] === "function";
}

/** @throws RangeError (`ERR_ARGUMENT`) unless `value` is a whole number from `minimum` to `maximum` */
export function checkInteger(name: string, value: number, minimum: number, maximum: number): number {
  if (!Number.isSafeInteger(value) || value < minimum || value > maximum) {
    // To make text of anything else may fail, or say what the caller's object likes.
    const got = typeof value === "number" ? String(value) : kindOf(value);
    throw rangeError(`${name} expected a whole number from ${minimum} to ${maximum}, got ${got}`);
  }
  return value;
}

function kindOf(value: unknown): string {
  if (typeof value === "string") return shown(value);
  return value === null || value === undefined ? String(value) : `a value of the type ${typeof value}`;
}
