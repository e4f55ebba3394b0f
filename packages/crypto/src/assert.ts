// Checks of arguments: what the programmer got wrong, as TypeError and RangeError with one code. It must not be used on input
// from outside (messages, keys, signatures): those fail with FengniError.

/** An error of the programmer's: never worth a retry, never caused by the data of a message. */
export interface ArgumentError extends Error {
  readonly code: "ERR_ARGUMENT";
}

/** Makes a TypeError that carries the code `ERR_ARGUMENT`. */
export function argumentTypeError(message: string): TypeError & ArgumentError {
  return Object.assign(new TypeError(message), { code: "ERR_ARGUMENT" as const });
}

/** Makes a RangeError that carries the code `ERR_ARGUMENT`. */
export function argumentRangeError(message: string): RangeError & ArgumentError {
  return Object.assign(new RangeError(message), { code: "ERR_ARGUMENT" as const });
}

function describe(value: unknown): string {
  if (value === null) return "null";
  if (typeof value !== "object") return typeof value;
  return Object.prototype.toString.call(value).slice(8, -1);
}

/**
 * Whether a value is a Uint8Array, also one of another realm (an iframe, a vm context), which `instanceof` misses. A Proxy of one is
 * none: it has no bytes that a cipher could read.
 */
function isBytes(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && (value instanceof Uint8Array || describe(value) === "Uint8Array");
}

/**
 * Checks that an argument is a Uint8Array, and how long it is.
 * @param value - the argument
 * @param title - its name, for the message
 * @param length - bytes it must have; any length when left out
 * @returns the same value
 * @throws TypeError `ERR_ARGUMENT` for another type, RangeError `ERR_ARGUMENT` for another length
 */
export function assertBytes(value: unknown, title: string, length?: number): Uint8Array {
  if (isBytes(value)) {
    // Bytes that were transferred to another thread have no length any more: nobody means to seal nothing by them.
    if (value.length === 0 && isDetached(value)) {
      throw argumentTypeError(
        `"${title}" expected bytes, got bytes whose buffer was transferred elsewhere: copy it first`,
      );
    }
    if (length === undefined || value.length === length) return value;
    throw argumentRangeError(`"${title}" expected Uint8Array of length ${length}, got length=${value.length}`);
  }
  const expected = length === undefined ? "Uint8Array" : `Uint8Array of length ${length}`;
  throw argumentTypeError(`"${title}" expected ${expected}, got type=${describe(value)}`);
}

/** Whether the buffer below was transferred away. Runtimes before 2024 have no property that tells. */
function isDetached({ buffer }: Uint8Array): boolean {
  if (buffer.byteLength > 0) return false;
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}

/** Checks that an argument is an integer of `minimum..maximum`; TypeError or RangeError `ERR_ARGUMENT` if not. */
export function assertInteger(value: unknown, title: string, minimum: number, maximum: number): number {
  if (typeof value !== "number") {
    throw argumentTypeError(`"${title}" expected integer ${minimum}..${maximum}, got type=${describe(value)}`);
  }
  if (Number.isSafeInteger(value) && value >= minimum && value <= maximum) return value;
  throw argumentRangeError(`"${title}" expected integer ${minimum}..${maximum}, got ${value}`);
}

/** Checks that an argument is a string; TypeError `ERR_ARGUMENT` if not. */
export function assertString(value: unknown, title: string): string {
  if (typeof value === "string") return value;
  throw argumentTypeError(`"${title}" expected string, got type=${describe(value)}`);
}

/** Checks that an argument is one of the names of a table; RangeError `ERR_ARGUMENT` if not. */
export function assertOneOf<Name extends string>(value: unknown, title: string, names: readonly Name[]): Name {
  for (const name of names) if (value === name) return name;
  throw argumentRangeError(
    `"${title}" expected one of ${names.join(", ")}, got ${typeof value === "string" ? value : describe(value)}`,
  );
}
