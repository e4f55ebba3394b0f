// The error of a call: what the service or the network answered. It must not know how errors are told apart.
import { type ErrorCode, type ErrorDetails, FengniError, isFengniError } from "@fengni/crypto/errors";

/**
 * How far a request had come: `connect` (nothing was sent), `write` (it may have been sent in part), `wait` (it was sent), `read`
 * (an answer came, or a part of one).
 */
export type RequestPhase = "connect" | "write" | "wait" | "read";

/** What a {@link RequestError} is made of. */
export interface RequestErrorOptions<Code extends ErrorCode = ErrorCode> {
  readonly action: string;
  readonly phase: RequestPhase;
  /** Whether the request may have been carried out. */
  readonly isAmbiguous: boolean;
  readonly retryable?: boolean;
  readonly status?: number | undefined;
  readonly requestId?: string | undefined;
  readonly vendorCode?: string | undefined;
  readonly details?: ErrorDetails[Code] | undefined;
  readonly cause?: unknown;
}

/**
 * A call that failed: refused by the service, or without an answer that can be believed. `code` is the portable code,
 * `retryable` whether the same call may succeed later and may be repeated. Its message and its cause hold no credential, and
 * nothing of what was sent or answered but names.
 */
export class RequestError<Code extends ErrorCode = ErrorCode> extends FengniError<Code> {
  override readonly name: string = "RequestError";
  /** The action that was called. */
  readonly action: string;
  /** How far the request had come. */
  readonly phase: RequestPhase;
  /** Whether the request may have been carried out although no answer says so. */
  readonly isAmbiguous: boolean;
  /** The HTTP status; undefined where no answer came. */
  readonly status: number | undefined;
  /** By which the service finds the request again; undefined where no answer came. */
  readonly requestId: string | undefined;
  /** The service's own code, such as `ResourceUnavailable.CmkDisabled`; undefined where it was not the service that refused. */
  readonly vendorCode: string | undefined;

  constructor(code: Code, message: string, options: RequestErrorOptions<Code>) {
    super(code, message, {
      retryable: options.retryable ?? false,
      ...(options.cause === undefined ? {} : { cause: options.cause }),
      ...(options.details === undefined ? {} : { details: options.details }),
    });
    this.action = options.action;
    this.phase = options.phase;
    this.isAmbiguous = options.isAmbiguous;
    this.status = options.status;
    this.requestId = options.requestId;
    this.vendorCode = options.vendorCode;
  }
}

/**
 * Recognises a {@link RequestError} of any copy of this package.
 * @param value - anything
 * @param code - when given, the code it must carry
 */
export function isRequestError<Code extends ErrorCode = ErrorCode>(
  value: unknown,
  code?: Code,
): value is RequestError<Code> {
  return isFengniError(value, code) && "isAmbiguous" in value && "phase" in value;
}
