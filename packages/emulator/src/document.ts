// Reads values out of a parsed JSON document, with errors that name the place. It must not know what the document is for.
import { EmulatorConfigurationError } from "./configuration-error.js";

/** An object whose members are all known. */
export function objectOf(value: unknown, path: string, known: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new EmulatorConfigurationError(`${path} expected an object`);
  }
  for (const name of Object.keys(value)) {
    if (!known.includes(name)) {
      throw new EmulatorConfigurationError(`${path} has the unknown member "${name}": it takes ${known.join(", ")}`);
    }
  }
  return value as Readonly<Record<string, unknown>>;
}

/** A list of bounded length. */
export function listOf(value: unknown, path: string, minimum: number, maximum: number): readonly unknown[] {
  if (Array.isArray(value) && value.length >= minimum && value.length <= maximum) return value;
  throw new EmulatorConfigurationError(`${path} expected a list of ${minimum} to ${maximum}`);
}

/** A text of bounded length that is not empty. */
export function textOf(value: unknown, path: string, maximum: number): string {
  if (typeof value === "string" && value !== "" && value.length <= maximum) return value;
  throw new EmulatorConfigurationError(`${path} expected a text of 1 to ${maximum} characters`);
}

/** The number of an account, as text. */
export function uinOf(value: unknown, path: string): string {
  const text = typeof value === "number" && Number.isSafeInteger(value) ? String(value) : value;
  if (typeof text === "string" && /^[1-9][0-9]{0,19}$/.test(text)) return text;
  throw new EmulatorConfigurationError(`${path} expected the number of an account`);
}

/** What `read` makes of a member that is there. */
export function optional<Value>(value: unknown, read: (value: unknown) => Value): Value | undefined {
  return value === undefined ? undefined : read(value);
}

/** A number within bounds. */
export function numberOf(value: unknown, path: string, minimum: number, maximum: number): number {
  if (typeof value === "number" && value >= minimum && value <= maximum) return value;
  throw new EmulatorConfigurationError(`${path} expected a number from ${minimum} to ${maximum}`);
}

/** A whole number within bounds. */
export function wholeOf(value: unknown, path: string, minimum: number, maximum: number): number {
  if (Number.isSafeInteger(value)) return numberOf(value, path, minimum, maximum);
  throw new EmulatorConfigurationError(`${path} expected a whole number from ${minimum} to ${maximum}`);
}
