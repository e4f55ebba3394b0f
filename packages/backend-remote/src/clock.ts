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

/** Less than this is no reason for which a signature has expired: the service allows 300 seconds. */
export const LEAST_CORRECTION_MS = 30_000;
/** Earliest time to sign with, in milliseconds since 1970: before it the service's interface was not made. */
export const EARLIEST_MS: number = Date.UTC(2019, 0, 18);
/** Latest time to sign with, in milliseconds since 1970: nobody lives to see it. */
export const LATEST_MS: number = Date.UTC(2120, 0, 1);

/**
 * Whether the service's time explains why it took a signature for expired: it can be signed with, and is far enough from that of the
 * signature. Both are in milliseconds since 1970.
 */
export function isCorrection(serviceMs: number, signedMs: number): boolean {
  // Also false for what is no time.
  return serviceMs >= EARLIEST_MS && serviceMs <= LATEST_MS && Math.abs(serviceMs - signedMs) >= LEAST_CORRECTION_MS;
}

/** A number from 0 up to 1, for jitter. */
export type Random = () => number;

/** Chance from the system's generator. */
export const systemRandom: Random = () => randomBytes(4).reduce((rest, byte) => (rest + byte) / 256, 0);
