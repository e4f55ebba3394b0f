// What the data-key cache keeps of a value and of a load under way, and how long it leaves a failing provider alone.
import type { QueuedLoad } from "./cache-loads.js";
import type { Aging } from "./cache-sweep.js";

/** In grace, milliseconds from one question to a provider that cannot be reached to the next. */
export const CACHE_GRACE_RETRY_MS = 1000;
/** Milliseconds from a refresh that failed to the next for the same key; doubled with each that fails. */
export const CACHE_REFRESH_RETRY_MS = 1000;
/** The longest that {@link CACHE_REFRESH_RETRY_MS} becomes, in milliseconds. */
export const CACHE_REFRESH_RETRY_MAX_MS = 32_000;

/** One cached value, what was taken from it, and who still holds it. */
export interface Entry<Value> extends Aging<Entry<Value>> {
  readonly key: string;
  readonly value: Value;
  /** Who waited for the load and has not used the value yet, or uses it now: it is not wiped under their hands. */
  holders: number;
  messages: number;
  bytes: number;
  /** From when a use begins a refresh; NEVER while one is under way, or when there is none. */
  refreshAtMs: number;
  refreshFailures: number;
  /** Past the age: until when the provider counts as out of reach without being asked again; 0: no load failed so. */
  outageUntilMs: number;
  evicted: boolean;
}

/** A load waiting or under way, and what of its budget is spoken for: who finds none left begins another. */
export interface Flight<Value> {
  readonly key: string;
  readonly isRefresh: boolean;
  readonly queued: QueuedLoad<Value>;
  readonly loading: Promise<Entry<Value>>;
  messages: number;
  bytes: number;
  waiters: number;
  /** The cache was cleared since: who waits is served, and nothing else comes of it. */
  detached: boolean;
  loaded: Entry<Value> | undefined;
}
