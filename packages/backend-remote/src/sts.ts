// Calls to the security token service: temporary credentials for a role. It must not know who asks, nor keep anything.

import { utf8ToBytes } from "@fengni/crypto/bytes";
import { FengniError } from "@fengni/crypto/errors";
import { createSigner, errorCodeRow, isKnownErrorCode } from "@fengni/kms-api";
import { argumentError, checkCount } from "./checks.js";
import { isCorrection } from "./clock.js";
import type { Credentials } from "./credentials.js";
import { MAX_TIMER_MS, type WallClock } from "./credentials-cache.js";
import { type Answer, exchangeText, localExpiry } from "./credentials-http.js";
import { isLoopbackHost } from "./loopback.js";

/** The service's endpoint; the international site has one of its own. */
export const DEFAULT_STS_ENDPOINT = "https://sts.tencentcloudapi.com";
/** The service's API version. */
const API_VERSION = "2018-08-13";
const DEFAULT_TIMEOUT_MS = 5_000;
const CONTENT_TYPE = "application/json";
/** What the service itself takes when the request does not say; more than the role allows is refused there. */
export const DEFAULT_DURATION_SECONDS = 7_200;
/** Longest life of the credentials of a role. */
export const MAX_DURATION_SECONDS = 43_200;
/** Requests that a call may take: a second one with the service's time, where the local clock is wrong. */
export const MAX_STS_REQUESTS = 2;

/** Where the service is, and how long it may take. */
export interface StsOptions {
  /** Default {@link DEFAULT_STS_ENDPOINT}; only `https:`, but for loopback. */
  readonly endpoint?: string;
  /** A region of the service, such as `ap-guangzhou`. */
  readonly region: string;
  /** For one request, in milliseconds; default 5,000. */
  readonly timeoutMs?: number;
}

/** One call. */
export interface StsCall extends StsOptions {
  readonly action: "AssumeRole" | "AssumeRoleWithWebIdentity";
  readonly parameters: Readonly<Record<string, string | number>>;
  /** Sign the call; absent: it is not signed, as calls that bring a token of their own are. */
  readonly signWith?: Credentials;
  readonly clock: WallClock;
}

/**
 * Asks for temporary credentials; once more, with the service's time, where it takes the signature for expired because the local
 * clock is wrong. That time is not kept: the next call begins with the local one.
 * @throws FengniError `ERR_CREDENTIALS` or another portable code when the service refuses, `ERR_UNAVAILABLE`, `ERR_TIMEOUT`
 */
export async function callSts(call: StsCall): Promise<Credentials> {
  const { action, parameters, signWith, region, clock, endpoint = DEFAULT_STS_ENDPOINT } = call;
  const timeoutMs = stsTimeoutMs(call);
  const url = stsUrl(endpoint);
  const body = utf8ToBytes(JSON.stringify(parameters));
  const signed = { "content-type": CONTENT_TYPE, host: url.host, "x-tc-action": action };
  const askAt = (timeMs: number): Promise<Answer> =>
    exchangeText({
      url,
      body,
      headers: {
        ...signed,
        "x-tc-version": API_VERSION,
        "x-tc-region": region,
        ...authorization(signWith, signed, body, timeMs),
      },
      timeoutMs,
      source: `security token service (${action})`,
    });
  const signedMs = clock.now();
  const answer = await askAt(signedMs);
  const { sentAtMs } = answer;
  const isLate = isClockCode(errorCodeOf(answer)) && sentAtMs !== undefined && isCorrection(sentAtMs, signedMs);
  return readCredentials(isLate ? await askAt(sentAtMs) : answer, action, clock.now());
}

/** How long a call may take. @throws TypeError or RangeError `ERR_ARGUMENT` */
export function stsTimeoutMs({ timeoutMs }: Pick<StsOptions, "timeoutMs">): number {
  return checkCount("timeoutMs", timeoutMs, DEFAULT_TIMEOUT_MS, 1, MAX_TIMER_MS);
}

/** The endpoint's URL. @throws TypeError `ERR_ARGUMENT` for an address to which no secret may be sent */
export function stsUrl(endpoint: string): URL {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const isSafe = url?.protocol === "https:" || (url?.protocol === "http:" && isLoopbackHost(url.hostname));
  if (url === undefined || !isSafe) throw argumentError("endpoint expected a URL that begins with https://");
  return url;
}

function authorization(
  signWith: Credentials | undefined,
  headers: Readonly<Record<string, string>>,
  payload: Uint8Array,
  timeMs: number,
): Readonly<Record<string, string>> {
  const timestampSeconds = Math.floor(timeMs / 1000);
  if (signWith === undefined) return { Authorization: "SKIP", "X-TC-Timestamp": String(timestampSeconds) };
  const { secretId, secretKey, token } = signWith;
  const signer = createSigner({ secretId, secretKey, service: "sts", ...(token === undefined ? {} : { token }) });
  try {
    return { ...signer.sign({ method: "POST", headers, payload, timestampSeconds }) };
  } finally {
    signer.wipe();
  }
}

function errorCodeOf(answer: Answer): unknown {
  return memberOf(memberOf(memberOf(parseJson(answer.text), "Response"), "Error"), "Code");
}

function isClockCode(code: unknown): boolean {
  return typeof code === "string" && errorCodeRow(code)?.retry === "after-clock";
}

const CLOCK = "clock";

/** Whether an error says that the service took the time of a signature for wrong, not what it was signed with. */
export function isClockRefusal(error: FengniError<"ERR_CREDENTIALS">): boolean {
  const details: object | undefined = error.details;
  return details !== undefined && "reason" in details && details.reason === CLOCK;
}

function readCredentials(answer: Answer, action: string, nowMs: number): Credentials {
  const response = memberOf(parseJson(answer.text), "Response");
  const error = memberOf(response, "Error");
  if (error !== undefined) throw refusal(action, memberOf(error, "Code"), memberOf(response, "RequestId"));
  const credentials = memberOf(response, "Credentials");
  const secretId = memberOf(credentials, "TmpSecretId");
  const secretKey = memberOf(credentials, "TmpSecretKey");
  const token = memberOf(credentials, "Token");
  const expiredTime = memberOf(response, "ExpiredTime");
  const isWhole = typeof secretId === "string" && typeof secretKey === "string" && typeof token === "string";
  if (!isWhole || typeof expiredTime !== "number") {
    throw new FengniError("ERR_UNAVAILABLE", `security token service (${action}) gave an answer without credentials`, {
      retryable: true,
    });
  }
  return { secretId, secretKey, token, expiresAtMs: localExpiry(expiredTime, answer, nowMs) };
}

/** The service's own words stay out: they repeat what was sent. */
function refusal(action: string, code: unknown, requestId: unknown): FengniError {
  const isNamed = typeof code === "string" && /^[A-Za-z0-9.]{1,128}$/.test(code);
  const name = isNamed ? code : "an unnamed error";
  const where = typeof requestId === "string" && /^[\w-]{1,64}$/.test(requestId) ? ` (request ${requestId})` : "";
  const isClock = isClockCode(code);
  const advice = isClock ? ": set the clock of this machine" : "";
  const message = `security token service refused ${action}: ${name}${where}${advice}`;
  const row = isNamed ? errorCodeRow(code) : undefined;
  const isKnown = isNamed && isKnownErrorCode(code.split(".")[0] ?? "");
  const portable = isKnown && row !== undefined ? row.portable : "ERR_CREDENTIALS";
  const kept = ["ERR_DENIED", "ERR_THROTTLED", "ERR_UNAVAILABLE"] as const;
  const isRetryable = row?.retry === "backoff";
  return new FengniError(kept.find((known) => known === portable) ?? "ERR_CREDENTIALS", message, {
    retryable: isRetryable,
    ...(isClock ? { details: { reason: CLOCK } } : {}),
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An own member of an object from outside. */
export function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
