// Time and chance, as everything here obtains them: tests put others in their place. It must not know what is timed.
import { randomBytes } from "@fengni/crypto/random";

/** Where the time comes from. */
export interface Clock {
  /** Milliseconds since the Unix epoch; may jump when the system's clock is set. */
  now(): number;
  /** Milliseconds since any moment; only goes forward. Deadlines are measured with it. */
  elapsed(): number;
  /**
   * Calls back once, after a delay.
   * @param delayMs - 0 or more
   * @returns what cancels it; cancelling again, or afterwards, does nothing
   */
  schedule(delayMs: number, callback: () => void): () => void;
}

/** The system's time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** A number from 0 up to 1, for jitter. */
export type Random = () => number;

/** Chance from the system's generator. */
export const systemRandom: Random = () => randomBytes(4).reduce((rest, byte) => (rest + byte) / 256, 0);
