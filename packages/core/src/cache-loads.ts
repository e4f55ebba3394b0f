// Turns at the provider: so many loads a second, so many at the same time, in order of arrival, loads in the background
// last. Must not know what is loaded.
import { Chain, type Linked, UNLINKED } from "./cache-chain.js";
import { type CacheClock, runtimeClock, runtimeTimer, type SetTimer } from "./cache-clock.js";
import type { CacheLimits } from "./cache-options.js";
import { FengniError } from "./errors.js";

const SECOND_MS = 1000;

/** A load's place in the queue. */
interface Turn extends Linked<Turn> {
  readonly begin: () => Promise<unknown>;
  readonly refuse: (error: unknown) => void;
  /** When it has waited for too long. */
  deadlineMs: number;
  begun: boolean;
}

/** A load that waits for its turn, or has had it. */
export interface QueuedLoad<Value> {
  /** Settles as the load does; rejects with `ERR_THROTTLED` after too long a wait, or as `LoadQueue.leave` says. */
  readonly result: Promise<Value>;
  readonly turn: Turn;
}

/** The queue of loads. One may serve several caches, which then share its budget. */
export class LoadQueue {
  readonly #perSecond: number;
  readonly #maxConcurrent: number;
  readonly #maxWaitMs: number;
  readonly #clock: CacheClock;
  readonly #setTimer: SetTimer;
  readonly #callers: Chain<Turn> = new Chain<Turn>();
  readonly #background: Chain<Turn> = new Chain<Turn>();
  #running = 0;
  #tokens: number;
  #filledAtMs: number;
  #cancelTimer: (() => void) | undefined;
  #wakeAtMs = Number.POSITIVE_INFINITY;
  /** Whether the timer that is set holds the process. */
  #isHeld = false;

  constructor(
    limits: Pick<CacheLimits, "maxLoadsPerSecond" | "maxLoadWaitMs" | "maxConcurrentLoads">,
    surroundings: { readonly clock?: CacheClock; readonly setTimer?: SetTimer } = {},
  ) {
    this.#perSecond = limits.maxLoadsPerSecond;
    this.#maxConcurrent = limits.maxConcurrentLoads;
    // Only a budget of time makes waiting long by itself; the provider's own time limits bound the rest.
    this.#maxWaitMs = this.#perSecond === Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : limits.maxLoadWaitMs;
    this.#clock = surroundings.clock ?? runtimeClock;
    this.#setTimer = surroundings.setTimer ?? runtimeTimer;
    this.#tokens = this.#perSecond;
    this.#filledAtMs = this.#clock.now();
  }

  /** Loads in its turn. @throws `ERR_THROTTLED` (retryable) after too long a wait, and what `load` rejects with */
  run<Value>(load: () => Promise<Value>): Promise<Value> {
    const { result } = this.enter(load, false);
    this.pump();
    return result;
  }

  /**
   * Puts a load into the queue. Nothing begins before {@link pump}.
   * @param background - goes after every load that is not
   */
  enter<Value>(load: () => Promise<Value>, background: boolean): QueuedLoad<Value> {
    let settle: Pick<Turn, "begin" | "refuse"> | undefined;
    const result = new Promise<Value>((resolve, reject) => {
      const begin = (): Promise<Value> => {
        // A load that throws at once fails like one that rejects.
        const loading = new Promise<Value>((started) => {
          started(load());
        });
        resolve(loading);
        return loading;
      };
      settle = { begin, refuse: reject };
    });
    const turn: Turn = {
      ...(settle as unknown as Pick<Turn, "begin" | "refuse">),
      ...UNLINKED,
      deadlineMs: 0,
      begun: false,
    };
    this.#wait(turn, background ? this.#background : this.#callers);
    return { result, turn };
  }

  /** Moves a load from the background to the end of the callers' line. */
  promote(turn: Turn): void {
    if (turn.chain !== this.#background) return;
    this.#wait(turn, this.#callers);
    this.pump();
  }

  /** Gives up a load that has not begun. @returns false when it has begun, or left */
  leave(turn: Turn, error: unknown): boolean {
    if (turn.chain === undefined) return false;
    turn.chain.remove(turn);
    turn.refuse(error);
    this.#setWake(this.#clock.now());
    return true;
  }

  /** Begins what may begin, refuses what has waited too long, and sets the timer for the next. */
  pump(): void {
    while (this.#running < this.#maxConcurrent) {
      const turn = this.#callers.first ?? this.#background.first;
      if (turn === undefined || !this.#takeToken()) break;
      turn.chain?.remove(turn);
      turn.begun = true;
      this.#running += 1;
      turn.begin().then(this.#done, this.#done);
    }
    const now = this.#clock.now();
    this.#refuseLate(this.#callers, now);
    this.#refuseLate(this.#background, now);
    this.#setWake(now);
  }

  readonly #done = (): void => {
    this.#running -= 1;
    this.pump();
  };

  #wait(turn: Turn, chain: Chain<Turn>): void {
    turn.deadlineMs = this.#clock.now() + this.#maxWaitMs;
    chain.append(turn);
  }

  #takeToken(): boolean {
    if (this.#perSecond === Number.POSITIVE_INFINITY) return true;
    const now = this.#clock.now();
    const filled = this.#tokens + ((now - this.#filledAtMs) * this.#perSecond) / SECOND_MS;
    this.#tokens = Math.min(this.#perSecond, filled);
    this.#filledAtMs = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  #refuseLate(chain: Chain<Turn>, now: number): void {
    for (;;) {
      const turn = chain.first;
      if (turn === undefined || turn.deadlineMs > now) return;
      chain.remove(turn);
      turn.refuse(throttledError(this.#maxWaitMs, this.#perSecond));
    }
  }

  #setWake(now: number): void {
    const [caller, background] = [this.#callers.first, this.#background.first];
    const infinity = Number.POSITIVE_INFINITY;
    // A caller who waits must not see the process end before his turn. For work that nobody waits for it may.
    const isHeld = caller !== undefined;
    let wakeAt = Math.min(caller?.deadlineMs ?? infinity, background?.deadlineMs ?? infinity);
    // Who waits although there is a free place waits for a token.
    if (this.#running < this.#maxConcurrent && wakeAt < infinity) {
      wakeAt = Math.min(wakeAt, this.#filledAtMs + ((1 - this.#tokens) * SECOND_MS) / this.#perSecond);
    }
    if (isHeld === this.#isHeld && wakeAt >= this.#wakeAtMs && wakeAt < infinity) return;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#wakeAtMs = wakeAt;
    this.#isHeld = isHeld;
    if (wakeAt === infinity) return;
    this.#cancelTimer = this.#setTimer(
      () => {
        this.#wakeAtMs = infinity;
        this.#cancelTimer = undefined;
        this.pump();
      },
      Math.max(1, Math.ceil(wakeAt - now)),
      isHeld,
    );
  }
}

function throttledError(waitMs: number, perSecond: number): FengniError<"ERR_THROTTLED"> {
  return new FengniError(
    "ERR_THROTTLED",
    `waited ${waitMs} ms for a turn to ask for a data key: the cache may ask ${perSecond} times a second. ` +
      "Raise maxLoadsPerSecond or maxLoadWaitMs, or use fewer encryption contexts",
    { retryable: true },
  );
}
