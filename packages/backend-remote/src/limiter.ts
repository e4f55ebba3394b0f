// A rate limiter that learns: it lets everything through until the service says that it was too much, then keeps below what went
// through, and feels its way up again. It must not know what a request is.
import { FengniError } from "@fengni/crypto/errors";
import type { Clock } from "./clock.js";
import type { Deadline } from "./deadline.js";
import { RecentMap } from "./recent-map.js";
import { WaitQueue } from "./wait-queue.js";

/** The bounds of a limiter. */
export interface LimiterOptions {
  /** Calls a second of any one action, never more; default: none but what the service teaches. */
  readonly maxPerSecond?: number;
  /** Calls that may wait, of any one action; 0 to 100,000, default {@link DEFAULT_MAX_QUEUED}. */
  readonly maxQueued?: number;
}

/** Calls that may wait, unless told otherwise. */
export const DEFAULT_MAX_QUEUED = 1_024;

/** Multiplicative decrease: what is left of a rate that was too much. */
const DECREASE = 0.7;
/** Additive increase: what is added in a second without a refusal, as a part of the rate that was too much. */
const INCREASE = 0.05;
/** Half of what the service takes of any action by default: less would punish low traffic for one refusal. */
const MIN_PER_SECOND = 10;
const SECOND_MS = 1_000;
/** The refusals of one burst count once. */
const DECREASE_PAUSE_MS = 500;
/** After so long without a refusal there is no limit any more but the caller's. */
const FORGET_MS = 60_000;
/** Half a second's worth may go at once: the service counts by the second. */
const BURST_SECONDS = 0.5;
/** Actions in regions that are remembered: all that there are in a dozen regions. */
const MAX_LANES = 1_024;

/** What a limiter knows of one action in one region. */
class Lane {
  readonly queue: WaitQueue;
  readonly #clock: Clock;
  readonly #maxPerSecond: number;
  #perSecond: number;
  #refusedPerSecond = 0;
  #tokens = 0;
  #filledAt: number;
  #refusedAt = Number.NEGATIVE_INFINITY;
  #cancelWake: (() => void) | undefined;
  // What went out in this second and in the one before.
  #second = 0;
  #sent = 0;
  #sentBefore = 0;

  constructor(clock: Clock, maxPerSecond: number, maxQueued: number) {
    this.queue = new WaitQueue(clock, maxQueued);
    this.#clock = clock;
    this.#maxPerSecond = maxPerSecond;
    this.#perSecond = maxPerSecond;
    this.#tokens = Math.max(1, maxPerSecond * BURST_SECONDS);
    this.#filledAt = clock.elapsed();
  }

  get perSecond(): number {
    return this.#perSecond;
  }

  /** Takes a turn if there is one. */
  take(): boolean {
    const now = this.#clock.elapsed();
    if (this.#perSecond !== Number.POSITIVE_INFINITY) {
      this.#fill(now);
      if (this.queue.size > 0 || this.#tokens < 1) return false;
      this.#tokens -= 1;
    }
    this.#count(now);
    return true;
  }

  /**
   * Whether who comes now may have its turn in this time, in milliseconds, if the service refuses nothing more: who may not would only
   * wait for its end.
   */
  canServe(withinMs: number): boolean {
    if (!Number.isFinite(withinMs)) return true;
    const now = this.#clock.elapsed();
    this.#fill(now);
    const place = this.queue.size + 1;
    const seconds = Math.max(0, withinMs) / SECOND_MS;
    const most = this.#tokens + this.#maxPerSecond * seconds;
    // After that there is no limit any more but the caller's.
    if (now + withinMs >= this.#refusedAt + FORGET_MS) return place < most;
    const growth = (this.#refusedPerSecond * INCREASE * seconds * seconds) / 2;
    return place < Math.min(most, this.#tokens + this.#perSecond * seconds + growth);
  }

  /** Sees to it that those who wait get their turns. */
  wake(): void {
    if (this.#cancelWake !== undefined || this.queue.size === 0) return;
    this.#fill(this.#clock.elapsed());
    const missing = Math.max(0, 1 - this.#tokens);
    const delayMs = this.#perSecond === Number.POSITIVE_INFINITY ? 0 : (missing * SECOND_MS) / this.#perSecond;
    this.#cancelWake = this.#clock.schedule(Math.ceil(delayMs), () => {
      this.#cancelWake = undefined;
      this.#grant();
      this.wake();
    });
  }

  /** The service has refused a call. @returns whether the rate was lowered */
  refuse(): boolean {
    const now = this.#clock.elapsed();
    if (now - this.#refusedAt < DECREASE_PAUSE_MS) return false;
    this.#fill(now);
    this.#refusedAt = now;
    this.#refusedPerSecond = Math.min(this.#perSecond, this.#sentLately(now));
    this.#perSecond = Math.min(this.#maxPerSecond, Math.max(MIN_PER_SECOND, this.#refusedPerSecond * DECREASE));
    this.#tokens = Math.min(this.#tokens, 0);
    return true;
  }

  #grant(): void {
    const now = this.#clock.elapsed();
    this.#fill(now);
    while (this.queue.size > 0 && this.#tokens >= 1) {
      this.#tokens -= 1;
      this.#count(now);
      this.queue.grant();
    }
  }

  #fill(now: number): void {
    const elapsedMs = Math.max(0, now - this.#filledAt);
    this.#filledAt = now;
    if (this.#perSecond === Number.POSITIVE_INFINITY) return;
    if (this.#refusedAt !== Number.NEGATIVE_INFINITY) {
      if (now - this.#refusedAt >= FORGET_MS) {
        this.#refusedAt = Number.NEGATIVE_INFINITY;
        this.#perSecond = this.#maxPerSecond;
      } else {
        const grown = this.#perSecond + (this.#refusedPerSecond * INCREASE * elapsedMs) / SECOND_MS;
        this.#perSecond = Math.min(this.#maxPerSecond, grown);
      }
    }
    if (this.#perSecond === Number.POSITIVE_INFINITY) {
      this.#tokens = Number.POSITIVE_INFINITY;
      return;
    }
    const most = Math.max(1, this.#perSecond * BURST_SECONDS);
    this.#tokens = Math.min(most, this.#tokens + (this.#perSecond * elapsedMs) / SECOND_MS);
  }

  #count(now: number): void {
    const second = Math.floor(now / SECOND_MS);
    if (second !== this.#second) {
      this.#sentBefore = second === this.#second + 1 ? this.#sent : 0;
      this.#sent = 0;
      this.#second = second;
    }
    this.#sent += 1;
  }

  /** What went out in the last second, as well as two counters tell. */
  #sentLately(now: number): number {
    const second = Math.floor(now / SECOND_MS);
    if (second > this.#second + 1) return MIN_PER_SECOND;
    const [sent, before] = second === this.#second ? [this.#sent, this.#sentBefore] : [0, this.#sent];
    const passed = (now % SECOND_MS) / SECOND_MS;
    return Math.max(MIN_PER_SECOND, sent + before * (1 - passed));
  }
}

/** The limiter of one client. Every action has a rate of its own in every region, as it has at the service. */
export class Limiter {
  readonly #clock: Clock;
  readonly #maxPerSecond: number;
  readonly #maxQueued: number;
  readonly #lanes = new RecentMap<Lane>(MAX_LANES, { mayGo: ({ queue }) => queue.size === 0 });

  constructor(clock: Clock, options: LimiterOptions = {}) {
    this.#clock = clock;
    this.#maxPerSecond = options.maxPerSecond ?? Number.POSITIVE_INFINITY;
    this.#maxQueued = options.maxQueued ?? DEFAULT_MAX_QUEUED;
  }

  /**
   * Takes a turn.
   * @param name - of the action and the region
   * @returns undefined when the call may go at once, else a promise of its turn; one that rejects at once with `ERR_THROTTLED` where too
   *   many wait already, or more than the deadline leaves time for
   */
  take(name: string, deadline: Deadline, signal: AbortSignal | undefined): Promise<void> | undefined {
    const lane = this.#laneOf(name);
    if (lane.take()) return undefined;
    if (!lane.canServe(deadline.remainingMs())) return Promise.reject(hopelessError(lane.perSecond));
    const turn = lane.queue.wait(deadline, signal, "waiting for its turn below the service's rate limit", () =>
      fullError(lane.perSecond),
    );
    lane.wake();
    return turn;
  }

  /**
   * The service has refused a call because there were too many.
   * @returns the rate from now on in calls a second, or undefined where this refusal belongs to a burst that was counted
   */
  refuse(name: string): number | undefined {
    const lane = this.#laneOf(name);
    return lane.refuse() ? lane.perSecond : undefined;
  }

  #laneOf(name: string): Lane {
    return this.#lanes.get(name, () => new Lane(this.#clock, this.#maxPerSecond, this.#maxQueued));
  }
}

function fullError(perSecond: number): FengniError<"ERR_THROTTLED"> {
  return new FengniError(
    "ERR_THROTTLED",
    `the service takes about ${Math.max(1, Math.round(perSecond))} such calls a second, and as many wait as may: make fewer, or cache data keys`,
    { retryable: true },
  );
}

function hopelessError(perSecond: number): FengniError<"ERR_THROTTLED"> {
  return new FengniError(
    "ERR_THROTTLED",
    `the service takes about ${Math.max(1, Math.round(perSecond))} such calls a second, and more wait than have their turn in the time of this call: make fewer, give them more time, or cache data keys`,
    { retryable: true },
  );
}
