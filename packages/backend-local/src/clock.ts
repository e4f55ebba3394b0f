// Where the local KMS gets its time from: the only file that may read the system's clock. It must not know what time is for.
import { rangeError } from "./checks.js";

/** A source of time. */
export interface Clock {
  /** Milliseconds since the Unix epoch: a whole number from 0 to 8,640,000,000,000,000. */
  now(): number;
}

/** The last moment that there is, in milliseconds since the Unix epoch: the last that a Date can tell. */
const MAX_TIME_MS = 8.64e15;

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
    this.#nowMs = checkTime("startMs", startMs);
  }

  now(): number {
    return this.#nowMs;
  }

  /**
   * Moves the clock forward.
   * @param ms - milliseconds, a whole number, 0 or more
   * @throws RangeError `ERR_ARGUMENT` for any other number, or past 8,640,000,000,000,000
   */
  advance(ms: number): void {
    this.#nowMs = checkTime("the clock's time", this.#nowMs + checkTime("ms", ms));
  }
}

/** A moment, or a span of time. @throws RangeError `ERR_ARGUMENT` unless it is a whole number from 0 to 8.64e15 */
export function checkTime(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0 && value <= MAX_TIME_MS) return value;
  throw rangeError(`${name} expected whole milliseconds from 0 to ${MAX_TIME_MS}, got ${shown(value)}`);
}

/** Whatever a clock says: numbers as they are, of anything else the type. */
function shown(value: unknown): string {
  return typeof value === "number" ? String(value) : typeof value;
}
