// How many requests are under way at once. It must not know what a request is.
import { FengniError } from "@fengni/crypto/errors";
import type { Clock } from "./clock.js";
import type { Deadline } from "./deadline.js";
import { WaitQueue } from "./wait-queue.js";

/** So many places, taken and given back. */
export class Slots {
  readonly #maximum: number;
  readonly #queue: WaitQueue;
  #taken = 0;

  constructor(clock: Clock, maximum: number, maxQueued: number) {
    this.#maximum = maximum;
    this.#queue = new WaitQueue(clock, maxQueued);
  }

  /** Whether no place is taken. */
  get isIdle(): boolean {
    return this.#taken === 0;
  }

  /**
   * Takes a place; whoever took one gives it back with {@link release}.
   * @returns undefined when one was free, else a promise of one
   */
  take(deadline: Deadline, signal: AbortSignal | undefined): Promise<void> | undefined {
    if (this.#taken < this.#maximum) {
      this.#taken += 1;
      return undefined;
    }
    return this.#queue.wait(deadline, signal, "waiting for a free connection", () => this.#fullError());
  }

  /** Gives a place back: to the one that has waited longest. */
  release(): void {
    if (!this.#queue.grant()) this.#taken -= 1;
  }

  #fullError(): FengniError<"ERR_THROTTLED"> {
    return new FengniError(
      "ERR_THROTTLED",
      `${this.#maximum} requests are under way and as many calls wait as may: make fewer at a time, or raise maxConnections`,
      { retryable: true },
    );
  }
}
