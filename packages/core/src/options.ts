// Checks of option objects: an unknown field is an error, so that a typing mistake never changes what is protected.
import { argumentError, rangeError } from "./errors.js";

/** @throws TypeError (`ERR_ARGUMENT`) when `options` is no object or has a field that is not known */
export function checkOptions(where: string, options: object, known: readonly string[]): void {
  if (typeof options !== "object" || options === null) throw argumentError(`${where} expected an object of options`);
  for (const field of Object.keys(options)) {
    if (!known.includes(field)) {
      throw argumentError(`${where} does not know the option "${field}": it takes ${known.join(", ")}`);
    }
  }
}

/** @throws RangeError (`ERR_ARGUMENT`) unless `value` is a whole number from `minimum` to `maximum` */
export function checkInteger(name: string, value: number, minimum: number, maximum: number): number {
  if (!Number.isSafeInteger(value) || value < minimum || value > maximum) {
    throw rangeError(`${name} expected a whole number from ${minimum} to ${maximum}, got ${String(value)}`);
  }
  return value;
}
