// One timer that finds the values whose time is over, also when nobody calls. Must not know what they are.
import { Chain, type Linked } from "./cache-chain.js";
import type { CacheClock, SetTimer } from "./cache-clock.js";

/** A value with an age. All values of one sweeper live equally long, and have the same grace or none. */
export interface Aging<Item extends Aging<Item>> extends Linked<Item> {
  /** When its age is reached. */
  readonly expiresAtMs: number;
  /** When it must go at the latest: `expiresAtMs`, or later by the grace. */
  graceEndsAtMs: number;
}

/** Milliseconds between two sweeps at least: many values that end one after the other are found together. */
const SWEEP_GAP_MS = 250;

/** Calls `over` with every value whose time is over, at most {@link SWEEP_GAP_MS} late. */
export class Sweeper<Item extends Aging<Item>> {
  readonly #clock: CacheClock;
  readonly #setTimer: SetTimer;
  readonly #over: (item: Item) => void;
  // Equal lives end in the order in which they began, so the first of each is the next to end.
  readonly #aging: Chain<Item> = new Chain<Item>();
  readonly #inGrace: Chain<Item> = new Chain<Item>();
  #cancelTimer: (() => void) | undefined;
  #sweptAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: CacheClock, setTimer: SetTimer, over: (item: Item) => void) {
    this.#clock = clock;
    this.#setTimer = setTimer;
    this.#over = over;
  }

  add(item: Item): void {
    this.#aging.append(item);
    this.#setWake();
  }

  remove(item: Item): void {
    item.chain?.remove(item);
  }

  /** Ends the timer. */
  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #sweep(): void {
    const now = this.#clock.now();
    this.#sweptAtMs = now;
    for (let item = this.#aging.first; item !== undefined && item.expiresAtMs <= now; item = this.#aging.first) {
      this.#aging.remove(item);
      if (item.graceEndsAtMs > now) this.#inGrace.append(item);
      else this.#over(item);
    }
    for (let item = this.#inGrace.first; item !== undefined && item.graceEndsAtMs <= now; item = this.#inGrace.first) {
      this.#inGrace.remove(item);
      this.#over(item);
    }
    this.#setWake();
  }

  #setWake(): void {
    if (this.#cancelTimer !== undefined) return;
    const never = Number.POSITIVE_INFINITY;
    const next = Math.min(this.#aging.first?.expiresAtMs ?? never, this.#inGrace.first?.graceEndsAtMs ?? never);
    if (next === never) return;
    const wakeAt = Math.max(next, this.#sweptAtMs + SWEEP_GAP_MS);
    this.#cancelTimer = this.#setTimer(
      () => {
        this.#cancelTimer = undefined;
        this.#sweep();
      },
      Math.max(1, Math.ceil(wakeAt - this.#clock.now())),
    );
  }
}
