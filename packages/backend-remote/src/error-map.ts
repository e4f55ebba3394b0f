// What the service or the network answered -> the typed error. It must not know how a request is sent, nor when it is sent again.
import type { ErrorCode, ErrorDetails } from "@fengni/crypto/errors";
import {
  type ActionName,
  errorCodeRow,
  findAction,
  isKnownErrorCode,
  isRetryable,
  isSafeToRepeat,
} from "@fengni/kms-api";
import { redact, secretsOf } from "./redact.js";
import { RequestError, type RequestPhase } from "./request-error.js";

/** The request that an error is about. */
export interface Subject {
  readonly action: ActionName;
  readonly params: object;
}

/** An error as the service words it. */
export interface ServiceFault {
  readonly code: string;
  readonly message: string;
  readonly requestId?: string | undefined;
  readonly status?: number | undefined;
  /** More texts that must not show, such as the session token. */
  readonly secrets?: readonly string[];
  readonly cause?: unknown;
}

const SERVICE_CODE = /^[A-Za-z][A-Za-z0-9]{0,63}(?:\.[A-Za-z0-9]{1,64}){0,3}$/;
/** The greatest number of characters of a request id: the service's are UUIDs. */
const REQUEST_ID = /^[\w-]{1,128}$/;

/** Whether a text has the form of the service's codes. */
export function isServiceCode(code: unknown): code is string {
  return typeof code === "string" && SERVICE_CODE.test(code);
}

/** Whether a text has the form of the service's request ids. */
export function isRequestId(id: unknown): id is string {
  return typeof id === "string" && REQUEST_ID.test(id);
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * A request id without what it may repeat of the request, for it comes from outside like everything else. A UUID, the service's own form,
 * may have some characters in common with anything: there only a whole secret counts.
 */
export function shownRequestId(id: string, secrets: readonly string[]): string {
  return redact(id, UUID.test(id) ? secrets.filter((secret) => secret.includes(id) || id.includes(secret)) : secrets);
}

/** What the service's codes say of a key's state. */
const STATES: Readonly<Record<string, string>> = {
  "ResourceUnavailable.CmkArchived": "archived",
  "ResourceUnavailable.CmkDisabled": "disabled",
  "ResourceUnavailable.KeyDisabled": "disabled",
};

function textOf(params: object, names: readonly string[]): string {
  for (const name of names) {
    const value = (params as Readonly<Record<string, unknown>>)[name];
    if (typeof value === "string" && value !== "") return value.slice(0, 128);
  }
  return "unknown";
}

/** What a caller may act on, for the codes that have details which an answer tells. */
function detailsOf(
  portable: ErrorCode,
  vendorCode: string,
  { action, params }: Subject,
): ErrorDetails[ErrorCode] | undefined {
  const keyId = textOf(params, ["KeyId", "DataKeyId", "DestinationKeyId", "SourceKeyId"]);
  switch (portable) {
    case "ERR_KEY_STATE":
      return { keyId, state: STATES[vendorCode] ?? "unknown", reason: vendorCode };
    case "ERR_KEY_USAGE":
      return { keyId, reason: vendorCode };
    case "ERR_KEY_NOT_FOUND":
      return { keyId };
    case "ERR_CONFLICT":
      return { name: textOf(params, ["Alias", "DataKeyName", "KeyId"]), reason: vendorCode };
    case "ERR_KEY_INVALID":
      return { reason: vendorCode };
    case "ERR_NOT_SUPPORTED":
      return { operation: action, reason: vendorCode };
    default:
      return undefined;
  }
}

/** Whether a code leaves open if the request was carried out: the service failed, or says what nobody knows. */
function isAmbiguousCode(code: string): boolean {
  return errorCodeRow(code).portable === "ERR_UNAVAILABLE" || !isKnownErrorCode(code.split(".", 1)[0] ?? "");
}

/** A code without what it may repeat of the request; what the service's table knows of it stays. */
function shownCode(code: string, secrets: readonly string[]): string {
  let known = code;
  while (known !== "" && !isKnownErrorCode(known)) known = known.slice(0, Math.max(0, known.lastIndexOf(".")));
  return known + redact(code.slice(known.length), secrets);
}

/** The service refused, or failed. */
export function serviceError(fault: ServiceFault, subject: Subject): RequestError {
  const { code, status } = fault;
  const { action, params } = subject;
  const { portable } = errorCodeRow(code);
  const row = findAction(action);
  const secrets = [...secretsOf(params), ...(fault.secrets ?? [])];
  const message = redact(fault.message, secrets);
  const requestId = fault.requestId === undefined ? undefined : shownRequestId(fault.requestId, secrets);
  const vendorCode = shownCode(code, secrets);
  const isAmbiguous = isAmbiguousCode(code);
  const isUnknown = isAmbiguous && !isSafe(subject);
  return new RequestError(
    portable,
    `${action} was refused with ${vendorCode}: ${message}${requestId === undefined ? "" : ` (request ${requestId})`}${isUnknown ? unknownOutcome(action) : ""}`,
    {
      action,
      phase: "read",
      isAmbiguous,
      retryable: row !== undefined && isRetryable(code, row, params),
      status,
      requestId,
      vendorCode,
      details: detailsOf(portable, vendorCode, subject),
      cause: fault.cause,
    },
  );
}

function isSafe({ action, params }: Subject): boolean {
  const row = findAction(action);
  return row !== undefined && isSafeToRepeat(row, params);
}

function unknownOutcome(action: string): string {
  return `; whether ${action} was carried out is unknown, and it is not safe to repeat: look first`;
}

interface Unanswered {
  readonly phase: RequestPhase;
  readonly text: string;
  readonly status?: number | undefined;
  /** Without what it may repeat of the request. */
  readonly requestId?: string | undefined;
  readonly timeoutMs?: number;
  readonly reason?: string;
  readonly cause?: unknown;
  /** Default true: for what will be the same next time. */
  readonly passes?: boolean;
}

/** No answer that can be believed. */
function unanswered(subject: Subject, failure: Unanswered): RequestError {
  const { phase, text, status, requestId, timeoutMs, reason, cause, passes = true } = failure;
  const isAmbiguous = phase !== "connect";
  const isSafeNow = !isAmbiguous || isSafe(subject);
  const code: ErrorCode = timeoutMs === undefined ? "ERR_UNAVAILABLE" : "ERR_TIMEOUT";
  const outcome = isAmbiguous ? (isSafeNow ? "" : unknownOutcome(subject.action)) : "; nothing was sent";
  return new RequestError(code, `${subject.action} has no answer: ${text}${outcome}`, {
    action: subject.action,
    phase,
    isAmbiguous,
    retryable: passes && isSafeNow,
    status,
    requestId,
    details: timeoutMs !== undefined ? { timeoutMs } : reason !== undefined ? { reason } : undefined,
    cause,
  });
}

/** The connection failed. */
export function networkError(subject: Subject, phase: RequestPhase, text: string, cause?: unknown): RequestError {
  return unanswered(subject, { phase, text, cause: cause === undefined ? undefined : causeOf(cause) });
}

/** The time was over. */
export function timeoutError(subject: Subject, phase: RequestPhase, timeoutMs: number): RequestError {
  const doing = phase === "connect" ? "there was no connection" : "the service did not answer";
  return unanswered(subject, { phase, text: `${doing} within ${Math.round(timeoutMs)} ms`, timeoutMs });
}

/**
 * An answer that is not one of the service's.
 * @param requestId - for one that seems to be the service's; without what it may repeat of the request
 */
export function malformedAnswer(
  subject: Subject,
  status: number | undefined,
  what: string,
  requestId?: string,
): RequestError {
  return unanswered(subject, { phase: "read", text: `the answer cannot be believed: ${what}`, status, requestId });
}

const TOO_LONG = "answer-too-long";

/** An answer of which no more was read than may be. */
export function tooLongAnswer(subject: Subject, status: number | undefined, maxBytes: number): RequestError {
  const text = `the answer cannot be believed: it is longer than ${maxBytes} bytes`;
  return unanswered(subject, { phase: "read", text, status, reason: TOO_LONG });
}

/**
 * Whether a failure tells of its request rather than of the endpoint, which answered: the service's envelope, more than may be read, or
 * a status from 400 to 499 but for 408, with which a gateway says that it has waited in vain.
 */
export function isOfRequest({ requestId, status, details }: RequestError): boolean {
  if (requestId !== undefined) return true;
  if (details !== undefined && "reason" in details && details.reason === TOO_LONG) return true;
  return status !== undefined && status >= 400 && status < 500 && status !== REQUEST_TIMEOUT;
}

/** An answer that is the service's, and of no use to who asked. */
export function unusableAnswer(action: string, what: string): RequestError<"ERR_UNAVAILABLE"> {
  const row = findAction(action);
  const isSafeNow = row === undefined || isSafeToRepeat(row, {});
  return new RequestError(
    "ERR_UNAVAILABLE",
    `the service's answer to ${action} is not usable: ${what}${isSafeNow ? "" : unknownOutcome(action)}`,
    { action, phase: "read", isAmbiguous: true, retryable: isSafeNow },
  );
}

const TOO_MANY_REQUESTS = 429;
const REQUEST_TIMEOUT = 408;

/**
 * A status without the service's envelope: that of a gateway, a proxy, or another server.
 * @param requestId - where there was an envelope all the same; without what it may repeat of the request
 */
export function statusError(subject: Subject, status: number, requestId?: string): RequestError {
  const { action } = subject;
  // Whatever stands between us and the service may have let the request through before it said so.
  const isSafeNow = isSafe(subject);
  if (status === TOO_MANY_REQUESTS) {
    return new RequestError(
      "ERR_THROTTLED",
      `${action} was refused with HTTP status 429: make fewer requests at a time${isSafeNow ? "" : unknownOutcome(action)}`,
      { action, phase: "read", isAmbiguous: true, retryable: isSafeNow, status },
    );
  }
  if (status >= 300 && status < 400) {
    const text = `HTTP status ${status}: redirects are not followed, for they would take the request elsewhere; give the endpoint itself`;
    return unanswered(subject, { phase: "read", text, status, passes: false });
  }
  if (status >= 400 && status < 500 && status !== REQUEST_TIMEOUT) {
    const text = `HTTP status ${status}, and no answer of the service: check the endpoint`;
    return unanswered(subject, { phase: "read", text, status, passes: false });
  }
  const text = `HTTP status ${status}, and no answer of the service`;
  return unanswered(subject, { phase: "read", text, status, requestId });
}

/**
 * A failure of node's or of another client's, without what it may carry beside its text: errors of node's HTTP parser hold the
 * bytes that came.
 */
export function causeOf(error: unknown, secrets: readonly string[] = []): Error {
  if (!(error instanceof Error)) return new Error("what was thrown is no error");
  const { code } = error as { readonly code?: unknown };
  const cause = new Error(redact(error.message, secrets));
  return typeof code === "string" && /^[A-Z][A-Z0-9_]{1,63}$/.test(code) ? Object.assign(cause, { code }) : cause;
}
