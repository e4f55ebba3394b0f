// Time as the cache sees it: a clock that only goes forward, and timers that keep no process alive unless they are told to.

/** A clock that only goes forward. */
export interface CacheClock {
  /** Milliseconds since some fixed moment. */
  now(): number;
}

/**
 * Calls `run` once, after `delayMs` milliseconds.
 * @param holdsProcess - whether the process waits for it; default false
 * @returns what cancels it
 */
export type SetTimer = (run: () => void, delayMs: number, holdsProcess?: boolean) => () => void;

/** The runtime's own, looked up at each call. */
export const runtimeClock: CacheClock = { now: () => performance.now() };

/** `setTimeout` waits no longer than this, in milliseconds. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** The runtime's own. May call early where the delay is longer than timers can be. */
export const runtimeTimer: SetTimer = (run, delayMs, holdsProcess = false) => {
  const timer = setTimeout(run, Math.min(delayMs, LONGEST_DELAY_MS));
  // Browsers' timers are numbers.
  if (!holdsProcess && typeof timer === "object") timer.unref();
  return () => clearTimeout(timer);
};
