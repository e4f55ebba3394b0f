// Where the local KMS gets its time from: the only file that may read the system's clock. It must not know what time is for.
import { rangeError } from "./checks.js";

/** A source of time. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
}

/** The system's clock. */
export const systemClock: Clock = { now: () => Date.now() };

/** A clock that moves only when it is told to, so that rotation, expiry and deletion can be tested without waiting. */
export class ManualClock implements Clock {
  #nowMs: number;

  /**
   * @param startMs - milliseconds since the Unix epoch, a whole number; default 0
   * @throws RangeError `ERR_ARGUMENT` for any other number
   */
  constructor(startMs = 0) {
    this.#nowMs = wholeMs("startMs", startMs);
  }

  now(): number {
    return this.#nowMs;
  }

  /**
   * Moves the clock forward.
   * @param ms - milliseconds, a whole number, 0 or more
   * @throws RangeError `ERR_ARGUMENT` for any other number, or past 2^53-1
   */
  advance(ms: number): void {
    this.#nowMs = wholeMs("the clock's time", this.#nowMs + wholeMs("ms", ms));
  }
}

function wholeMs(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw rangeError(`${name} expected whole milliseconds, 0 or more, got ${String(value)}`);
}
