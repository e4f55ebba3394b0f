// What a failed load means: the provider is down, or it refused; and the memory of refusals.
import { LRUCache } from "lru-cache";
import { AggregateUnwrapError, FengniError, isFengniError } from "./errors.js";

const OUTAGES: readonly string[] = ["ERR_UNAVAILABLE", "ERR_TIMEOUT", "ERR_THROTTLED"];

/**
 * Whether a load failed because the provider could not be reached, so that nothing is known of the key's state. Where
 * several wrapping keys tried, one that refused is enough for no.
 */
export function isOutage(error: unknown): boolean {
  if (error instanceof AggregateUnwrapError) return error.attempts.every((attempt) => isOutage(attempt.error));
  if (isFengniError(error) && OUTAGES.includes(error.code)) return true;
  return error instanceof Error && "retryable" in error && error.retryable === true;
}

/** Whether the same load would fail again until somebody changes something. */
export function isRefusal(error: unknown): boolean {
  return isFengniError(error) && !error.retryable && !isOutage(error);
}

interface Refusal {
  readonly error: unknown;
  readonly untilMs: number;
}

/** Refusals by key, for a while; bounded in number, the oldest goes first. */
export class RefusalMemory {
  readonly #forMs: number;
  readonly #maxEntries: number;
  // Made when there is something to remember: most caches never see a refusal.
  #refusals: LRUCache<string, Refusal> | undefined;

  /** @param forMs - how long to remember, in milliseconds; 0: not at all */
  constructor(forMs: number, maxEntries: number) {
    this.#forMs = forMs;
    this.#maxEntries = maxEntries;
  }

  remember(key: string, error: unknown, now: number): void {
    if (this.#forMs === 0) return;
    this.#refusals ??= new LRUCache({ max: this.#maxEntries });
    this.#refusals.set(key, { error, untilMs: now + this.#forMs });
  }

  find(key: string, now: number): Refusal | undefined {
    const refusal = this.#refusals?.peek(key);
    if (refusal === undefined || now < refusal.untilMs) return refusal;
    this.#refusals?.delete(key);
    return undefined;
  }

  forget(key: string): void {
    this.#refusals?.delete(key);
  }

  clear(): void {
    this.#refusals?.clear();
  }
}

/** The cache was closed. */
export function closedError(): FengniError<"ERR_CLOSED"> {
  return new FengniError("ERR_CLOSED", "the envelope is closed");
}
