// When a request is sent again, and after how long: full jitter, under a budget that all calls of a client share. It must not know
// how a request is sent.
import { type Action, errorCodeRow, isRetryable, isSafeToRepeat } from "@fengni/kms-api";
import type { Random } from "./clock.js";
import type { RequestError } from "./request-error.js";

/** Tokens that a full budget holds, unless told otherwise. */
export const DEFAULT_RETRY_BUDGET = 500;
/** Attempts of one call, the first included, unless told otherwise. */
export const DEFAULT_MAX_ATTEMPTS = 4;

const RETRY_COST = 5;
/** When the service is short of capacity, repeating is what it needs least. */
const THROTTLED_COST = 10;
const SUCCESS_GAIN = 1;

const BASE_DELAY_MS = 50;
const THROTTLED_BASE_DELAY_MS = 200;
const MAX_DELAY_MS = 5_000;

function isThrottled(error: RequestError): boolean {
  return error.code === "ERR_THROTTLED";
}

/** The tokens that all calls of a client share: when many fail, few are repeated. */
export class RetryBudget {
  readonly #capacity: number;
  #tokens: number;

  /** @param capacity - in tokens; a retry costs 5, after a refusal for the rate 10 */
  constructor(capacity: number = DEFAULT_RETRY_BUDGET) {
    this.#capacity = capacity;
    this.#tokens = capacity;
  }

  get tokens(): number {
    return this.#tokens;
  }

  /** Takes the tokens of a retry. @returns how many; undefined when there are not enough */
  take(error: RequestError): number | undefined {
    const cost = isThrottled(error) ? THROTTLED_COST : RETRY_COST;
    if (this.#tokens < cost) return undefined;
    this.#tokens -= cost;
    return cost;
  }

  /** A call succeeded: gives back what its last retry took, or a little. */
  succeed(taken: number | undefined): void {
    this.#tokens = Math.min(this.#capacity, this.#tokens + (taken ?? SUCCESS_GAIN));
  }
}

/**
 * Whether the request of an action may be sent again after an error, as far as safety goes.
 * @param attempts - how many there were
 */
export function mayRepeat(error: RequestError, action: Action, params: object, attempts: number): boolean {
  const { vendorCode, isAmbiguous, retryable } = error;
  if (vendorCode !== undefined) {
    if (!isRetryable(vendorCode, action, params)) return false;
    return errorCodeRow(vendorCode).retry !== "once-for-reads" || attempts <= 1;
  }
  return retryable && (!isAmbiguous || isSafeToRepeat(action, params));
}

/**
 * How long to wait before an attempt: anything from nothing to a bound that doubles (full jitter).
 * @param attempts - how many there were
 */
export function retryDelayMs(error: RequestError, attempts: number, random: Random): number {
  const base = isThrottled(error) ? THROTTLED_BASE_DELAY_MS : BASE_DELAY_MS;
  return random() * Math.min(MAX_DELAY_MS, base * 2 ** (attempts - 1));
}
