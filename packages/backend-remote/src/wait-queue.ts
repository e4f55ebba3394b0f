// A bounded queue of callers that wait for their turn, in order. It must not know what the turn is for.
import type { FengniError } from "@fengni/crypto/errors";
import { onceAborted } from "./abort-listeners.js";
import type { Clock } from "./clock.js";
import { type Deadline, deadlineError } from "./deadline.js";

interface Waiter {
  readonly grant: () => void;
}

/** Callers that wait, oldest first. */
export class WaitQueue {
  readonly #clock: Clock;
  readonly #maximum: number;
  // A set keeps its order, and gives up a member in the middle at no cost.
  readonly #waiters = new Set<Waiter>();

  constructor(clock: Clock, maximum: number) {
    this.#clock = clock;
    this.#maximum = maximum;
  }

  get size(): number {
    return this.#waiters.size;
  }

  /**
   * Waits for a turn.
   * @param doing - what for, for messages
   * @param fullError - what to reject with when too many wait already
   * @returns a promise that is fulfilled by {@link grant}; rejected at the deadline, and with the signal's reason
   */
  wait(
    deadline: Deadline,
    signal: AbortSignal | undefined,
    doing: string,
    fullError: () => FengniError,
  ): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    if (this.#waiters.size >= this.#maximum) return Promise.reject(fullError());
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        cancel?.();
        stopListening?.();
        this.#waiters.delete(waiter);
        settle();
      };
      const waiter: Waiter = { grant: () => end(resolve) };
      const remainingMs = deadline.remainingMs();
      const cancel = Number.isFinite(remainingMs)
        ? this.#clock.schedule(Math.max(0, remainingMs), () =>
            end(() => reject(deadlineError(deadline.timeoutMs, doing))),
          )
        : undefined;
      const stopListening =
        signal === undefined ? undefined : onceAborted(signal, () => end(() => reject(signal.reason)));
      this.#waiters.add(waiter);
    });
  }

  /** Gives the oldest its turn. @returns whether there was one */
  grant(): boolean {
    for (const waiter of this.#waiters) {
      waiter.grant();
      return true;
    }
    return false;
  }
}
