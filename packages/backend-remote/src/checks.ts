// The checks of arguments. A wrong type or value is the programmer's: `ERR_ARGUMENT`. It must not know what is checked.

/** A wrong argument: the programmer's fault, never retried. */
export function argumentError(message: string, cause?: unknown): TypeError {
  return Object.assign(new TypeError(message, cause === undefined ? undefined : { cause }), { code: "ERR_ARGUMENT" });
}

/** A value out of range: the programmer's fault, never retried. */
export function rangeError(message: string, cause?: unknown): RangeError {
  return Object.assign(new RangeError(message, cause === undefined ? undefined : { cause }), { code: "ERR_ARGUMENT" });
}

/** Whether an error is the programmer's. */
export function isArgumentError(error: unknown): error is Error {
  return error instanceof Error && "code" in error && error.code === "ERR_ARGUMENT";
}

/** TypeError unless `value` is an object whose fields are all known: a typing mistake must not go unnoticed. */
export function checkFields(where: string, value: object, known: readonly string[]): void {
  if (typeof value !== "object" || value === null) throw argumentError(`${where} expected an object`);
  for (const field in value) {
    if (!known.includes(field)) {
      throw argumentError(`${where} does not know the field "${field}": it takes ${known.join(", ")}`);
    }
  }
}

/** A whole number of `minimum` to `maximum`, or the default. */
export function checkCount(
  name: string,
  value: number | undefined,
  standard: number,
  minimum: number,
  maximum: number,
): number {
  const count = value ?? standard;
  if (typeof count !== "number") throw argumentError(`${name} expected a number`);
  if (Number.isSafeInteger(count) && count >= minimum && count <= maximum) return count;
  throw rangeError(`${name} expected a whole number from ${minimum} to ${maximum}, got ${count}`);
}

// What a header can carry, and no more than the service's names have.
const REGION = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** The name of a region. */
export function checkRegion(name: string, region: string): string {
  if (typeof region !== "string") throw argumentError(`${name} expected a string, such as "ap-guangzhou"`);
  if (REGION.test(region)) return region;
  throw rangeError(`${name} expected the name of a region in lower case, such as "ap-guangzhou"`);
}

/** An AbortSignal, or undefined. */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw argumentError("signal expected an AbortSignal");
}
