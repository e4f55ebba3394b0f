// How long a call may take, and waiting within that. It must not know what is waited for.
import { FengniError } from "@fengni/crypto/errors";
import { onceAborted } from "./abort-listeners.js";
import type { Clock } from "./clock.js";

/** The moment at which a call ends, whatever it is doing. */
export class Deadline {
  readonly timeoutMs: number;
  readonly #clock: Clock;
  readonly #endsAt: number;

  /** @param timeoutMs - from now; Infinity for no end */
  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.timeoutMs = timeoutMs;
    this.#endsAt = clock.elapsed() + timeoutMs;
  }

  /** How long is left, in milliseconds; 0 or less when it has passed. */
  remainingMs(): number {
    return this.#endsAt - this.#clock.elapsed();
  }
}

/** A call that ran out of time before it was sent; a request that was sent has an error of its own. */
export function deadlineError(timeoutMs: number, doing: string): FengniError<"ERR_TIMEOUT"> {
  return new FengniError(
    "ERR_TIMEOUT",
    `the time of ${Math.round(timeoutMs)} ms was over while ${doing}; no request is under way at the service`,
    { retryable: true, details: { timeoutMs } },
  );
}

/**
 * Waits.
 * @returns a promise that is fulfilled after the delay, or rejected with the signal's reason
 */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason);
      return;
    }
    const cancel = clock.schedule(delayMs, () => {
      stopListening?.();
      resolve();
    });
    const stopListening =
      signal === undefined
        ? undefined
        : onceAborted(signal, () => {
            cancel();
            reject(signal.reason);
          });
  });
}

/** What bounds a wait. */
export interface WaitBounds {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds; Infinity for none. */
  readonly remainingMs: number;
  /** What to reject with when they are over. */
  readonly timeoutError: () => Error;
}

/**
 * Settles as a promise does, or rejects as soon as the signal aborts or the time is over. What the promise does afterwards goes
 * unobserved.
 */
export function within<Value>(promise: Promise<Value>, clock: Clock, bounds: WaitBounds): Promise<Value> {
  const { signal, remainingMs, timeoutError } = bounds;
  return new Promise((resolve, reject) => {
    const cancel = Number.isFinite(remainingMs)
      ? clock.schedule(Math.max(0, remainingMs), () => end(() => reject(timeoutError())))
      : undefined;
    const end = (settle: () => void): void => {
      cancel?.();
      stopListening?.();
      settle();
    };
    promise.then(
      (value) => end(() => resolve(value)),
      (error: unknown) => end(() => reject(error)),
    );
    const onAbort = (): void => end(() => reject(signal?.reason));
    let stopListening: (() => void) | undefined;
    if (signal?.aborted === true) onAbort();
    else if (signal !== undefined) stopListening = onceAborted(signal, onAbort);
  });
}
