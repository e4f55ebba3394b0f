// The error that the service answers, and what the table of codes says of it. It must not know when an error is due.
import type { ErrorCode } from "@fengni/crypto/errors";
import type { Action, FieldEquals } from "./action.js";
import { type ApiErrorCode, ERROR_CODES, type ErrorCodeRow, type Retry } from "./error-codes.js";

const BRAND: unique symbol = Symbol.for("fengni.kms-api-error");

/**
 * An error in the service's own words: `code` is one of the service's codes, or one that a later version of it answers. Its
 * message names fields and what they take, never their values.
 */
export class ApiError<Code extends string = string> extends Error {
  override readonly name: string = "ApiError";
  readonly code: Code;

  constructor(code: Code, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    // Not a declared property: isolatedDeclarations has no way to write a computed name.
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/**
 * Recognises an {@link ApiError} of any copy of this package (ESM and CommonJS builds may both be loaded).
 * @param value - anything
 * @param code - when given, the code it must carry
 * @returns whether it is one
 */
export function isApiError<Code extends string = string>(value: unknown, code?: Code): value is ApiError<Code> {
  return (
    typeof value === "object" &&
    value !== null &&
    (value as { readonly [BRAND]?: unknown })[BRAND] === true &&
    (code === undefined || (value as { readonly code?: unknown }).code === code)
  );
}

// The annotation has the compiler check every row.
const ROWS: Readonly<Record<ApiErrorCode, ErrorCodeRow>> = ERROR_CODES;

/**
 * Whether a code is in the table itself.
 * @param code - any text
 */
export function isKnownErrorCode(code: string): code is ApiErrorCode {
  // Own members only: a code from outside may be called "constructor".
  return Object.hasOwn(ROWS, code);
}

// More than the deepest known code has; what follows is cut off unread.
const MAX_CODE_CHARACTERS = 256;
const UNKNOWN: ErrorCodeRow = { retry: "never", portable: "ERR_NOT_SUPPORTED" };

/**
 * What is known of an error code. A code that is not in the table has the row of the longest part of it, up to a dot, that is;
 * where there is none either: never retried, `ERR_NOT_SUPPORTED`.
 * @param code - a code as the service answers it, at most 256 characters of which are looked at
 * @returns its row
 */
export function errorCodeRow(code: string): ErrorCodeRow {
  let prefix = code.slice(0, MAX_CODE_CHARACTERS);
  for (;;) {
    if (isKnownErrorCode(prefix)) return ROWS[prefix];
    const dot = prefix.lastIndexOf(".");
    if (dot < 0) return UNKNOWN;
    prefix = prefix.slice(0, dot);
  }
}

/**
 * The portable code for one of the service's.
 * @param code - a code as the service answers it
 * @returns the code of the FengniError that a client throws
 */
export function portableCode(code: string): ErrorCode {
  return errorCodeRow(code).portable;
}

/**
 * Whether the same request of an action may be sent again when its answer was lost, for instance by a broken connection.
 * @param action - the action
 * @param request - its fields; needed where the answer depends on one, and the answer is no without it
 * @returns whether repeating it does no more than the first time did
 */
export function isSafeToRepeat(action: Action, request?: object): boolean {
  if (typeof action.safeToRepeat === "boolean") return action.safeToRepeat;
  return request !== undefined && !hasValue(request, action.safeToRepeat.unless);
}

function hasValue(request: object, { field, equals }: FieldEquals): boolean {
  return (request as Readonly<Record<string, unknown>>)[field] === equals;
}

/**
 * Whether sending the same request again, signed anew, may help.
 *
 * A rate limit is retried for every action, for the call was not run. Other errors that pass are retried only if the action is
 * safe to repeat. `FailedOperation` is retried for actions that read, and there once at most: the caller counts. Not covered,
 * because something must change first: a wrong clock (`errorCodeRow(code).retry` is `after-clock`) and an expired token.
 * @param code - a code as the service answers it
 * @param action - the action that was called
 * @param request - its fields; see {@link isSafeToRepeat}
 * @returns whether to send it again
 */
export function isRetryable(code: string, action: Action, request?: object): boolean {
  const { retry, portable } = errorCodeRow(code);
  if (retry === "backoff") return portable === "ERR_THROTTLED" || isSafeToRepeat(action, request);
  return retry === "once-for-reads" && (action.access === "read" || action.access === "list");
}

export type { ApiErrorCode, ErrorCodeRow, Retry };
