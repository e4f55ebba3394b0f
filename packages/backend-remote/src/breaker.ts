// A circuit breaker: after so many failures in a row an endpoint is left alone for a while, then tried with one request. It must not
// know what a request is, nor what counts as a failure.
import type { Clock, Random } from "./clock.js";

/** `closed` lets all through, `open` none, `half-open` one at a time to see. */
export type BreakerState = "closed" | "open" | "half-open";

/** What {@link Breaker.enter} gives to whoever is let through: the time between two changes of state in which that was. */
export interface BreakerPass {
  readonly period: number;
}

/** When a breaker opens, and for how long. */
export interface BreakerOptions {
  /** Failures in a row after which it opens; 1 to 10,000, default {@link DEFAULT_FAILURE_THRESHOLD}. */
  readonly failureThreshold?: number;
  /** How long it stays open at least, in milliseconds, and twice that at most; default {@link DEFAULT_OPEN_MS}. */
  readonly openMs?: number;
}

/** Failures in a row after which a breaker opens, unless told otherwise. */
export const DEFAULT_FAILURE_THRESHOLD = 10;
/** How long a breaker stays open at least, unless told otherwise, in milliseconds. */
export const DEFAULT_OPEN_MS = 5_000;

/**
 * One breaker. Whoever was let through says once how it went: {@link succeed}, {@link fail} or {@link abandon}. What was let through
 * before the last change of state changes nothing any more: it tells of another time.
 */
export class Breaker {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #threshold: number;
  readonly #openMs: number;
  readonly #onChange: (state: BreakerState) => void;
  #state: BreakerState = "closed";
  #failures = 0;
  #opensAgainAt = 0;
  #isProbing = false;
  #period = 0;

  constructor(clock: Clock, random: Random, options: BreakerOptions, onChange: (state: BreakerState) => void) {
    this.#clock = clock;
    this.#random = random;
    this.#threshold = options.failureThreshold ?? DEFAULT_FAILURE_THRESHOLD;
    this.#openMs = options.openMs ?? DEFAULT_OPEN_MS;
    this.#onChange = onChange;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** Whether {@link enter} would let one through now; changes nothing. */
  wouldEnter(): boolean {
    if (this.#state === "open") return this.#clock.elapsed() >= this.#opensAgainAt;
    return this.#state === "closed" || !this.#isProbing;
  }

  /** Asks to be let through. @returns undefined when it is not */
  enter(): BreakerPass | undefined {
    if (!this.wouldEnter()) return undefined;
    if (this.#state === "closed") return { period: this.#period };
    this.#change("half-open");
    this.#isProbing = true;
    return { period: this.#period };
  }

  /** It went well: the endpoint answered, if only with an error. */
  succeed({ period }: BreakerPass): void {
    if (period !== this.#period) return;
    this.#failures = 0;
    this.#isProbing = false;
    this.#change("closed");
  }

  /** It failed. */
  fail({ period }: BreakerPass): void {
    if (period !== this.#period) return;
    this.#failures += 1;
    this.#isProbing = false;
    if (this.#state === "closed" && this.#failures < this.#threshold) return;
    // With jitter, so that not all clients come back at once.
    this.#opensAgainAt = this.#clock.elapsed() + this.#openMs * (1 + this.#random());
    this.#change("open");
  }

  /** Nobody knows how it went: the caller left. */
  abandon({ period }: BreakerPass): void {
    if (period === this.#period) this.#isProbing = false;
  }

  #change(state: BreakerState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#period += 1;
    this.#onChange(state);
  }
}
