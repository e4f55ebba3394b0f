// Core's view of the one error class, and the one subclass that carries more: what each wrapping key answered.
import { type ErrorDetails, FengniError } from "@fengni/crypto/errors";

export {
  authenticationError,
  type ErrorCode,
  type ErrorDetails,
  FengniError,
  isFengniError,
} from "@fengni/crypto/errors";

/** What one wrapping key answered when it was asked to open an encrypted data key. */
export interface UnwrapAttempt {
  /** Key provider id of the encrypted data key. */
  readonly providerId: string;
  /** Name of the wrapping key that tried. */
  readonly key: string;
  readonly error: unknown;
}

/** Wrapping keys matched encrypted data keys of the message, and none opened one. */
export class AggregateUnwrapError extends FengniError<"ERR_UNWRAP_FAILED"> {
  override readonly name: string = "AggregateUnwrapError";
  /** In the order in which they were tried. */
  readonly attempts: readonly UnwrapAttempt[];

  constructor(attempts: readonly UnwrapAttempt[]) {
    super(
      "ERR_UNWRAP_FAILED",
      `no wrapping key opened an encrypted data key of this message (${listed(attempts.map(describeAttempt), "; ")})`,
      { cause: attempts[0]?.error, retryable: attempts.some((attempt) => isRetryable(attempt.error)) },
    );
    this.attempts = attempts;
  }
}

function isRetryable(error: unknown): boolean {
  return error instanceof Error && "retryable" in error && error.retryable === true;
}

function describeAttempt({ providerId, key, error }: UnwrapAttempt): string {
  const answer = error instanceof Error ? error.message : "unknown error";
  return `${shown(providerId)} ${shown(key)}: ${printable(answer, LONGEST_ANSWER)}`;
}

const LONGEST_SHOWN = 80;
const LONGEST_ANSWER = 200;
const MOST_LISTED = 5;

/**
 * Text from outside as it may stand in a message for people: short, in quotes, without control characters, which could
 * forge a line of a log or command a terminal.
 */
export function shown(text: string): string {
  return `"${printable(text, LONGEST_SHOWN).replace(/"/g, "'")}"`;
}

function printable(text: string, longest: number): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}...` : text;
  return cut.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (unit) => `\\u{${unit.codePointAt(0)?.toString(16)}}`);
}

/** The first few of a list that may be long. */
export function listed(items: readonly string[], separator = ", "): string {
  const more = items.length - MOST_LISTED;
  return items.slice(0, MOST_LISTED).join(separator) + (more > 0 ? `${separator}and ${more} more` : "");
}

/** A limit was passed. */
export function limitError(
  limit: string,
  maximum: number,
  actual: number | bigint,
  advice: string,
): FengniError<"ERR_LIMIT"> {
  const details: ErrorDetails["ERR_LIMIT"] = {
    limit,
    maximum,
    actual: typeof actual === "bigint" ? actual.toString() : actual,
  };
  return new FengniError("ERR_LIMIT", `${limit} is ${actual}, more than the allowed ${maximum}: ${advice}`, {
    details,
  });
}

/** A wrong argument: the programmer's fault, never retried. */
export function argumentError(message: string): TypeError {
  return Object.assign(new TypeError(message), { code: "ERR_ARGUMENT" });
}

/** A number out of range: the programmer's fault, never retried. */
export function rangeError(message: string): RangeError {
  return Object.assign(new RangeError(message), { code: "ERR_ARGUMENT" });
}
