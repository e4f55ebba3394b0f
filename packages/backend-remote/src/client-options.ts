// What a client is made with: the options and their checks. It must not know how a call is made.
import { type BreakerOptions, DEFAULT_FAILURE_THRESHOLD, DEFAULT_OPEN_MS } from "./breaker.js";
import { argumentError, checkCount, checkFields, checkRegion } from "./checks.js";
import type { ClientEventListener } from "./client-events.js";
import { type Clock, type Random, systemClock, systemRandom } from "./clock.js";
import type { CredentialProvider, Credentials } from "./credentials.js";
import { DEFAULT_ENDPOINT } from "./endpoint-address.js";
import { DEFAULT_MAX_QUEUED, type LimiterOptions } from "./limiter.js";
import { DEFAULT_MAX_ATTEMPTS, DEFAULT_RETRY_BUDGET } from "./retry.js";
import type { Transport } from "./transport.js";
import {
  CONNECTION_FIELDS,
  type ConnectionOptions,
  DEFAULT_CONNECT_TIMEOUT_MS,
  DEFAULT_MAX_CONNECTIONS,
} from "./transport-http.js";

/** How a client is made. */
export interface TencentKmsClientOptions extends ConnectionOptions {
  /** Fixed credentials, or where they come from. Not with `transport`, which has its own. */
  readonly credentials?: Credentials | CredentialProvider;
  /** The region of calls that name none, for example `ap-guangzhou`. */
  readonly region: string;
  /**
   * Scheme, host and port; default {@link DEFAULT_ENDPOINT}. Of several, the first that can be reached is taken, in this order.
   * Not with `transport`.
   */
  readonly endpoint?: string | readonly string[];
  /** Another way to the service, for example `officialClientTransport(client)`. The client closes it. */
  readonly transport?: Transport;
  /** For a call with all its attempts and waits, in milliseconds; 1 to 600,000, default {@link DEFAULT_TIMEOUT_MS}. */
  readonly timeoutMs?: number;
  /**
   * For one attempt; 1 to 600,000, default {@link DEFAULT_ATTEMPT_TIMEOUT_MS}. Never more than half of `timeoutMs`, and the same holds
   * for `connectTimeoutMs`: a call must outlive an endpoint that says nothing, to find out and to go elsewhere.
   */
  readonly attemptTimeoutMs?: number;
  /** Attempts of one call, the first included; 1 to 20, default {@link DEFAULT_MAX_ATTEMPTS}. */
  readonly maxAttempts?: number;
  /**
   * Tokens for retries that all calls to a region share; 0 to 1,000,000, default {@link DEFAULT_RETRY_BUDGET}. A retry takes 5, or 10 after a
   * refusal for the rate, and gives them back when it succeeds; any other success gives 1.
   */
  readonly retryBudget?: number;
  /** Bounds on the rate of calls; the client learns lower ones from the service's refusals. */
  readonly rateLimit?: LimiterOptions;
  readonly breaker?: BreakerOptions;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Is told what happens. */
  readonly onEvent?: ClientEventListener;
}

/** For a call, unless told otherwise, in milliseconds. */
export const DEFAULT_TIMEOUT_MS = 10_000;
/** For one attempt, unless told otherwise, in milliseconds. */
export const DEFAULT_ATTEMPT_TIMEOUT_MS = 5_000;

const MAX_TIMEOUT_MS = 600_000;
const MAX_ENDPOINTS = 16;
const FIELDS = [
  ...["credentials", "region", "endpoint", "transport", "timeoutMs", "attemptTimeoutMs", "maxAttempts", "retryBudget"],
  ...["rateLimit", "breaker", "clock", "random", "onEvent"],
  ...CONNECTION_FIELDS,
];

/** Where requests go: a transport of the caller's, or endpoints with the credentials for them. */
type Way =
  | { readonly transport: Transport }
  | { readonly endpoints: readonly string[]; readonly credentials: Credentials | CredentialProvider };

/** Options that were checked, with their defaults; times of attempts and connections are at most half of a call's. */
export interface CheckedOptions {
  readonly region: string;
  readonly way: Way;
  readonly timeoutMs: number;
  readonly attemptTimeoutMs: number;
  readonly maxAttempts: number;
  readonly retryBudget: number;
  readonly rateLimit: LimiterOptions;
  readonly breaker: BreakerOptions;
  readonly maxConnections: number;
  readonly connectTimeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly onEvent: ClientEventListener | undefined;
}

/** The time of a call. */
export function checkTimeout(name: string, timeoutMs: number | undefined, standard: number): number {
  return checkCount(name, timeoutMs, standard, 1, MAX_TIMEOUT_MS);
}

/** Checks options. @throws TypeError or RangeError `ERR_ARGUMENT` that names the option */
export function checkOptions(options: TencentKmsClientOptions): CheckedOptions {
  checkFields("TencentKmsClient", options, FIELDS);
  const { clock = systemClock, random = systemRandom, onEvent } = options;
  if (onEvent !== undefined && typeof onEvent !== "function") throw argumentError("onEvent expected a function");
  if (typeof clock?.schedule !== "function") throw argumentError("clock expected now(), elapsed() and schedule()");
  if (typeof random !== "function") throw argumentError("random expected a function");
  const timeoutMs = checkTimeout("timeoutMs", options.timeoutMs, DEFAULT_TIMEOUT_MS);
  const attemptTimeoutMs = checkTimeout("attemptTimeoutMs", options.attemptTimeoutMs, DEFAULT_ATTEMPT_TIMEOUT_MS);
  const connectTimeoutMs = checkTimeout("connectTimeoutMs", options.connectTimeoutMs, DEFAULT_CONNECT_TIMEOUT_MS);
  const mostMs = Math.max(1, Math.floor(timeoutMs / 2));
  return {
    region: checkRegion("region", options.region),
    way: wayOf(options),
    timeoutMs,
    attemptTimeoutMs: Math.min(attemptTimeoutMs, mostMs),
    maxAttempts: checkCount("maxAttempts", options.maxAttempts, DEFAULT_MAX_ATTEMPTS, 1, 20),
    retryBudget: checkCount("retryBudget", options.retryBudget, DEFAULT_RETRY_BUDGET, 0, 1_000_000),
    rateLimit: rateLimitOf(options.rateLimit ?? {}),
    breaker: breakerOf(options.breaker ?? {}),
    maxConnections: checkCount("maxConnections", options.maxConnections, DEFAULT_MAX_CONNECTIONS, 1, 10_000),
    connectTimeoutMs: Math.min(connectTimeoutMs, mostMs),
    clock,
    random,
    onEvent,
  };
}

function wayOf({ transport, credentials, endpoint = DEFAULT_ENDPOINT }: TencentKmsClientOptions): Way {
  if (transport !== undefined) {
    if (typeof transport?.request !== "function") throw argumentError("transport expected request() and close()");
    if (credentials !== undefined) throw argumentError("credentials do not go with transport, which has its own");
    return { transport };
  }
  if (credentials === undefined) {
    throw argumentError(
      "credentials expected { secretId, secretKey }, a credential provider, or a transport in their place",
    );
  }
  const endpoints = typeof endpoint === "string" ? [endpoint] : endpoint;
  if (!Array.isArray(endpoints) || endpoints.length === 0 || endpoints.length > MAX_ENDPOINTS) {
    throw argumentError(`endpoint expected a text, or a list of 1 to ${MAX_ENDPOINTS}`);
  }
  if (new Set(endpoints).size !== endpoints.length) throw argumentError("endpoint expected each one once");
  return { endpoints: [...endpoints], credentials };
}

function rateLimitOf(limits: LimiterOptions): LimiterOptions {
  checkFields("rateLimit", limits, ["maxPerSecond", "maxQueued"]);
  const { maxPerSecond } = limits;
  return {
    ...(maxPerSecond === undefined
      ? {}
      : { maxPerSecond: checkCount("rateLimit.maxPerSecond", maxPerSecond, 1, 1, 1_000_000) }),
    maxQueued: checkCount("rateLimit.maxQueued", limits.maxQueued, DEFAULT_MAX_QUEUED, 0, 100_000),
  };
}

function breakerOf(breaker: BreakerOptions): BreakerOptions {
  checkFields("breaker", breaker, ["failureThreshold", "openMs"]);
  return {
    failureThreshold: checkCount(
      "breaker.failureThreshold",
      breaker.failureThreshold,
      DEFAULT_FAILURE_THRESHOLD,
      1,
      10_000,
    ),
    openMs: checkCount("breaker.openMs", breaker.openMs, DEFAULT_OPEN_MS, 1, MAX_TIMEOUT_MS),
  };
}
