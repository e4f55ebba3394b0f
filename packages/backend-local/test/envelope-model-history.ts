// The plain model's memory: what was the case at which moment, in bursts of calls that run side by side. It must not know what is
// remembered, nor anything of envelopes.

/** A moment of a run. */
export interface Moment {
  readonly burst: number;
  /** Milliseconds. */
  readonly atMs: number;
}

/**
 * Time in bursts. Within a burst the order of what happens is not modelled: whatever was the case at some moment of it counts as
 * the case for all of it.
 */
export class Timeline {
  burst = 0;
  startMs: number;
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  readonly #busy = new Set<number>();

  constructor() {
    this.startMs = this.nowMs();
    this.#starts[0] = this.startMs;
  }

  nowMs(): number {
    return performance.now();
  }

  now(): Moment {
    return { burst: this.burst, atMs: this.nowMs() };
  }

  /** Begins the next burst; the last one ends here. @param hasCalls - whether anything can be loaded in it */
  begin(hasCalls = false): void {
    this.#ends[this.burst] = this.nowMs();
    this.burst += 1;
    this.startMs = this.nowMs();
    this.#starts[this.burst] = this.startMs;
    if (hasCalls) this.#busy.add(this.burst);
  }

  /**
   * Whether a burst is this one, or ended less than `backMs` before this one's beginning; or less than `beforeMs` before the
   * beginning of such a one with calls: what is held for `backMs` was made of what was held for `beforeMs`, and the making
   * takes as long as its burst.
   */
  reachesBurst(burst: number, backMs: number, beforeMs = 0): boolean {
    if (this.#isWithin(burst, this.burst, backMs)) return true;
    for (let made = burst + 1; made <= this.burst; made++) {
      const isMade = made === this.burst || (this.#busy.has(made) && this.#isWithin(made, this.burst, backMs));
      if (isMade && this.#isWithin(burst, made, beforeMs)) return true;
    }
    return false;
  }

  #isWithin(burst: number, later: number, ms: number): boolean {
    return burst === later || (this.#ends[burst] as number) > (this.#starts[later] as number) - ms;
  }
}

/** A state that changes, and what it was before. */
export class Track<State> {
  readonly #time: Timeline;
  readonly #past: { readonly state: State; readonly untilBurst: number }[] = [];
  #current: State;

  constructor(time: Timeline, state: State) {
    this.#time = time;
    this.#current = state;
  }

  get current(): State {
    return this.#current;
  }

  set(state: State): void {
    if (state === this.#current) return;
    this.#past.push({ state: this.#current, untilBurst: this.#time.burst });
    this.#current = state;
  }

  /** Every state that it was in, in this burst and so long before: see {@link Timeline.reachesBurst}. */
  within(backMs: number, beforeMs = 0): readonly State[] {
    const past = this.#past.filter(({ untilBurst }) => this.#time.reachesBurst(untilBurst, backMs, beforeMs));
    return [...past.map(({ state }) => state), this.#current];
  }
}
