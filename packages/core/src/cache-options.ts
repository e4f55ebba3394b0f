// The bounds of a data-key cache, with their defaults and checks. Must not know how the cache keeps them.
import { checkInteger, checkOptions } from "./options.js";

/**
 * Bounds of a data-key cache. A data key leaves the cache when the first of them is reached.
 *
 * What a change at the provider means: a key that is disabled, denied or rotated goes on serving what is in the cache
 * for at most `maxAgeMs` after its last load answered, and for at most `graceMs` more while the provider cannot be
 * reached. A load that is answered with a refusal ends the grace at once. Refreshing ahead makes the time no longer.
 */
export interface DataKeyCacheOptions {
  /** How long a data key may be used, in milliseconds; a disabled key may be used as long through the cache. */
  readonly maxAgeMs: number;
  /** How many messages one data key may seal; default 2^32. */
  readonly maxMessages?: number;
  /** How many bytes of plaintext one data key may seal; default 2^53 - 1. A longer message gets a data key of its own. */
  readonly maxBytes?: number;
  /** How many data keys to hold, for sealing and for opening each; default 1,000. */
  readonly maxEntries?: number;
  /**
   * A data key that is used within this time before its age is reached is replaced in the background, in milliseconds;
   * so is one with less than a tenth of its messages or bytes left, where it may have more than ten. Callers go on
   * with the old one, within its limits, until the new one is there. A data key that nobody uses is not replaced. 0
   * turns all of it off; at most half of `maxAgeMs`, default a tenth of it.
   */
  readonly refreshAheadMs?: number;
  /**
   * How long after its age a data key may still be used while the provider cannot be reached, in milliseconds: only
   * after a load failed as retryable or with `ERR_UNAVAILABLE`, `ERR_TIMEOUT` or `ERR_THROTTLED` (that of
   * `maxLoadsPerSecond` among them), never after a refusal. Until then it also stays in memory. Default 0: never.
   */
  readonly graceMs?: number;
  /**
   * Loads a second, on average; as many may begin at once after a pause. A load is what the cache asks of the wrapping
   * keys for one data key. Over it callers wait in order. Default: as many as are needed.
   */
  readonly maxLoadsPerSecond?: number;
  /**
   * How long a load may wait for its turn under `maxLoadsPerSecond`, in milliseconds, before its callers get
   * `ERR_THROTTLED` (retryable); default 5,000. Without `maxLoadsPerSecond` there is no bound on waiting.
   */
  readonly maxLoadWaitMs?: number;
  /** Loads under way at the same time; others wait in order. A load that never settles keeps its place. Default 32. */
  readonly maxConcurrentLoads?: number;
  /**
   * How long a refusal (a `FengniError` that is not retryable) is remembered, in milliseconds: until then the provider
   * is not asked again for the same data key, and callers get the same error. 0 turns it off; default 1,000.
   */
  readonly refusalMs?: number;
}

/** The bounds with their defaults. Without a bound on loads a second, `maxLoadsPerSecond` is Infinity. */
export type CacheLimits = Required<DataKeyCacheOptions>;

/** Messages that one data key may seal unless told otherwise. */
export const DEFAULT_CACHE_MAX_MESSAGES: number = 2 ** 32;
/** Data keys that a cache holds unless told otherwise. */
export const DEFAULT_CACHE_MAX_ENTRIES = 1000;
/** Milliseconds that a load may wait for its turn unless told otherwise. */
export const DEFAULT_CACHE_MAX_LOAD_WAIT_MS = 5000;
/** Loads under way at the same time unless told otherwise. */
export const DEFAULT_CACHE_MAX_CONCURRENT_LOADS = 32;
/** Milliseconds that a refusal is remembered unless told otherwise. */
export const DEFAULT_CACHE_REFUSAL_MS = 1000;

/** The part of its age that a data key may have left when it is replaced ahead, unless told otherwise. */
const REFRESH_PART = 10;
const MAX_AGE_MS = 2 ** 31 - 1;
const MAX_LOADS = 1_000_000;

const FIELDS: readonly string[] = [
  "maxAgeMs",
  "maxMessages",
  "maxBytes",
  "maxEntries",
  "refreshAheadMs",
  "graceMs",
  "maxLoadsPerSecond",
  "maxLoadWaitMs",
  "maxConcurrentLoads",
  "refusalMs",
];

/** The bounds with their defaults. @throws TypeError, RangeError (`ERR_ARGUMENT`) */
export function cacheLimits(options: DataKeyCacheOptions): CacheLimits {
  checkOptions("cache", options, FIELDS);
  const check = (
    name: keyof DataKeyCacheOptions,
    value: number | undefined,
    fallback: number,
    minimum: number,
    maximum: number,
  ): number => (value === undefined ? fallback : checkInteger(`cache.${name}`, value, minimum, maximum));
  const maxAgeMs = checkInteger("cache.maxAgeMs", options.maxAgeMs, 1, MAX_AGE_MS);
  const most = Number.MAX_SAFE_INTEGER;
  return {
    maxAgeMs,
    maxMessages: check("maxMessages", options.maxMessages, DEFAULT_CACHE_MAX_MESSAGES, 1, most),
    maxBytes: check("maxBytes", options.maxBytes, most, 1, most),
    maxEntries: check("maxEntries", options.maxEntries, DEFAULT_CACHE_MAX_ENTRIES, 1, 2 ** 24),
    // More than half would replace data keys back to back.
    refreshAheadMs: check(
      "refreshAheadMs",
      options.refreshAheadMs,
      Math.floor(maxAgeMs / REFRESH_PART),
      0,
      Math.floor(maxAgeMs / 2),
    ),
    graceMs: check("graceMs", options.graceMs, 0, 0, MAX_AGE_MS),
    maxLoadsPerSecond: check("maxLoadsPerSecond", options.maxLoadsPerSecond, Number.POSITIVE_INFINITY, 1, MAX_LOADS),
    maxLoadWaitMs: check("maxLoadWaitMs", options.maxLoadWaitMs, DEFAULT_CACHE_MAX_LOAD_WAIT_MS, 0, MAX_AGE_MS),
    maxConcurrentLoads: check(
      "maxConcurrentLoads",
      options.maxConcurrentLoads,
      DEFAULT_CACHE_MAX_CONCURRENT_LOADS,
      1,
      MAX_LOADS,
    ),
    refusalMs: check("refusalMs", options.refusalMs, DEFAULT_CACHE_REFUSAL_MS, 0, MAX_AGE_MS),
  };
}

/** The part of its messages or bytes that a value must have used up to be replaced ahead. */
const REFRESH_USED = 0.9;
/** Too few messages or bytes to tell a tenth of them from the last: replaced when it is used up. */
const REFRESH_LEAST = 10;
/** Later than any time. */
export const NEVER: number = Number.POSITIVE_INFINITY;

/** How many messages or bytes of `most` may be used before a value is due to be replaced. */
export function refreshThreshold({ refreshAheadMs }: CacheLimits, most: number): number {
  return refreshAheadMs === 0 || most <= REFRESH_LEAST ? NEVER : Math.floor(most * REFRESH_USED);
}
