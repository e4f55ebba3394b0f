// The bytes of an answer -> what the service says. It must not know how they came, nor what an action answers.
import { isUtf8 } from "node:buffer";
import {
  isRequestId,
  isServiceCode,
  malformedAnswer,
  type ServiceFault,
  type Subject,
  serviceError,
  shownRequestId,
  statusError,
} from "./error-map.js";
import { secretsOf } from "./redact.js";
import type { RequestError } from "./request-error.js";

/** An answer over HTTP, whole. */
export interface HttpAnswer {
  readonly status: number;
  /** The header `Date`. */
  readonly date: string | undefined;
  readonly body: Buffer;
}

/** What the service answered: its response, or an error. */
export type Verdict = { readonly response: object } | { readonly error: RequestError };

const OK = 200;
/** The deepest that an answer of the service goes is a list of models that hold lists. */
const MAX_DEPTH = 16;

type Fields = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The object inside `Response`, or undefined for what is not the service's envelope. */
function envelopeOf(body: Buffer): Fields | undefined {
  if (!isUtf8(body)) return undefined;
  try {
    const json: unknown = JSON.parse(body.toString("utf8"));
    const response = isObject(json) ? json["Response"] : undefined;
    return isObject(response) ? response : undefined;
  } catch {
    // The message of the parser's error quotes the answer, so it goes no further.
    return undefined;
  }
}

/**
 * Whether every number in a value is the one that was sent: `JSON.parse` rounds integers of 2^53 and more to others that are
 * not safe either.
 */
export function isExact(value: unknown, depth = 0): boolean {
  if (typeof value === "number") return Number.isFinite(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER;
  if (typeof value !== "object" || value === null) return true;
  if (depth >= MAX_DEPTH) return false;
  for (const key in value) {
    if (!isExact((value as Fields)[key], depth + 1)) return false;
  }
  return true;
}

function faultOf(error: unknown): ServiceFault | undefined {
  if (!isObject(error)) return undefined;
  const { Code: code, Message: message } = error;
  return isServiceCode(code) && typeof message === "string" ? { code, message } : undefined;
}

/**
 * Reads an answer. Its content type is not looked at: what counts is the envelope with a request id.
 * @param secrets - more texts that no message may show
 */
export function readAnswer({ status, body }: HttpAnswer, subject: Subject, secrets: readonly string[]): Verdict {
  const response = envelopeOf(body);
  if (response === undefined) {
    const what = "it is not JSON with a Response";
    return { error: status === OK ? malformedAnswer(subject, status, what) : statusError(subject, status) };
  }
  const requestId = response["RequestId"];
  if (!isRequestId(requestId)) return { error: malformedAnswer(subject, status, "it has no RequestId") };
  const shownId = (): string => shownRequestId(requestId, [...secretsOf(subject.params), ...secrets]);
  const malformed = (what: string): Verdict => ({ error: malformedAnswer(subject, status, what, shownId()) });
  if (response["Error"] !== undefined && response["Error"] !== null) {
    const fault = faultOf(response["Error"]);
    if (fault === undefined) return malformed("its Error has no Code and Message");
    return { error: serviceError({ ...fault, requestId, status, secrets }, subject) };
  }
  if (status !== OK) return { error: statusError(subject, status, shownId()) };
  if (!isExact(response)) return malformed("a number in it is greater than 2^53-1");
  return { response };
}
