// Keeps credentials until shortly before they expire, with one refresh for all who ask. It must not know where they come from.
import { FengniError } from "@fengni/crypto/errors";
import { abortable } from "./abortable.js";
import { argumentError, checkCount, checkFields, rangeError } from "./checks.js";
import { type Clock, systemClock } from "./clock.js";
import { type CredentialOptions, type Credentials, isSameCredentials } from "./credentials.js";
import { holdCredentials, type NamedCredentialProvider } from "./credentials-static.js";

/** How long before they expire credentials are refreshed, unless half of their life is less. */
export const DEFAULT_REFRESH_MARGIN_MS = 300_000;
/** How long obtaining credentials may take. */
export const DEFAULT_LOAD_TIMEOUT_MS = 10_000;
/** Longest delay of a timer: node ends a longer one at once. */
export const MAX_TIMER_MS = 2_147_483_647;
/** Between two attempts to refresh credentials that still serve: a source that is down is not asked at every call. */
const BACKGROUND_PAUSE_MS = 1_000;
/**
 * Between two loads because the service refused the credentials: where it refuses the new ones too, a source is not asked at every
 * call.
 */
const FORCED_PAUSE_MS = 1_000;
/** Until credentials are refreshed that seemed to have expired when they came: the clock here is wrong, or the source is late. */
const DOUBTFUL_LIFE_MS = 60_000;

/** Where the time comes from. */
export type WallClock = Pick<Clock, "now">;

/** How credentials are kept. */
export interface CachedCredentialsOptions {
  /** How long before they expire credentials are refreshed, in milliseconds; default 300,000. */
  readonly refreshMarginMs?: number;
  /** How long obtaining them may take, in milliseconds; default 10,000. Then all who wait get an error, and the next call asks anew. */
  readonly loadTimeoutMs?: number;
  /** The time; default: the system's. */
  readonly clock?: WallClock;
}

/** The names of {@link CachedCredentialsOptions}. */
export const CACHE_FIELDS: readonly string[] = ["refreshMarginMs", "loadTimeoutMs", "clock"];

/**
 * Keeps what a source gives.
 *
 * Credentials that are about to expire are refreshed in the background, and the old ones serve meanwhile. All who wait, wait for
 * one refresh; who gives up does not end it. A refresh that failed is tried again at the next call; one because the service refused
 * the credentials, a second after it began at the earliest, and until then its outcome stands. Credentials that the local clock
 * takes for expired when they come are used all the same, for it is the clock that may be wrong and the service decides; but in the
 * background they do not take the place of others that still serve. A refresh that nobody waits for keeps no process running.
 * @param name - of the source, for messages
 * @param load - obtains new credentials
 * @returns a provider that rejects as `load` does, with `ERR_CREDENTIALS` for credentials that cannot sign, and with `ERR_TIMEOUT`
 *   when `load` takes too long
 * @throws TypeError or RangeError `ERR_ARGUMENT` for options that cannot be
 */
export function cachedCredentials(
  name: string,
  load: () => Promise<Credentials>,
  options: CachedCredentialsOptions = {},
): NamedCredentialProvider {
  if (typeof name !== "string") throw argumentError("name expected a string");
  if (typeof load !== "function") throw argumentError("load expected a function that gives credentials");
  checkFields("cachedCredentials", options, CACHE_FIELDS);
  const { refreshMarginMs = DEFAULT_REFRESH_MARGIN_MS, clock = systemClock } = options;
  if (typeof refreshMarginMs !== "number" || !(refreshMarginMs >= 0)) {
    throw rangeError("refreshMarginMs expected 0 or more milliseconds");
  }
  if (typeof clock !== "object" || clock === null || typeof clock.now !== "function") {
    throw argumentError("clock expected an object with now()");
  }
  const loadTimeoutMs = checkCount("loadTimeoutMs", options.loadTimeoutMs, DEFAULT_LOAD_TIMEOUT_MS, 1, MAX_TIMER_MS);
  return new CredentialCache(name, load, { refreshMarginMs, loadTimeoutMs, clock });
}

class CredentialCache implements NamedCredentialProvider {
  readonly name: string;
  readonly #load: () => Promise<Credentials>;
  readonly #refreshMarginMs: number;
  readonly #loadTimeoutMs: number;
  readonly #clock: WallClock;
  #current: Credentials | undefined;
  /** From then on the current ones no longer serve. */
  #expiresAtMs = 0;
  /** From then on the current ones are refreshed. */
  #refreshAtMs = 0;
  #refreshing: Promise<Credentials> | undefined;
  /** Whether anybody has the refresh under way made because the service refused the current ones. */
  #isForced = false;
  #forcedAtMs = Number.NEGATIVE_INFINITY;
  #forcedFailure: { readonly error: unknown } | undefined;
  /** Ends the refresh that takes too long. */
  #timer: NodeJS.Timeout | undefined;
  /** How many wait for a refresh. */
  #waiting = 0;

  constructor(name: string, load: () => Promise<Credentials>, options: Required<CachedCredentialsOptions>) {
    this.name = name;
    this.#load = load;
    this.#refreshMarginMs = options.refreshMarginMs;
    this.#loadTimeoutMs = options.loadTimeoutMs;
    this.#clock = options.clock;
  }

  async getCredentials({ signal, forceRefresh = false, refused }: CredentialOptions = {}): Promise<Credentials> {
    signal?.throwIfAborted();
    const nowMs = this.#clock.now();
    const current = this.#current;
    if (current === undefined || nowMs >= this.#expiresAtMs) return this.#wait(this.#refresh(), signal);
    // Others whose credentials were refused have had them renewed meanwhile: one refresh is enough for all.
    if (forceRefresh && (refused === undefined || isSameCredentials(current, refused))) {
      return this.#wait(this.#force(current, nowMs), signal);
    }
    if (nowMs >= this.#refreshAtMs && this.#refreshing === undefined) {
      this.#refreshAtMs = nowMs + BACKGROUND_PAUSE_MS;
      // The current ones serve: what went wrong is said once they no longer do.
      this.#refresh().catch(() => {});
    }
    return current;
  }

  #refresh(): Promise<Credentials> {
    this.#refreshing ??= this.#loadOnce().finally(() => {
      this.#refreshing = undefined;
      this.#isForced = false;
    });
    return this.#refreshing;
  }

  async #force(current: Credentials, nowMs: number): Promise<Credentials> {
    const sinceMs = nowMs - this.#forcedAtMs;
    // Where the clock was set back, the last one is not known to be recent.
    if (this.#refreshing === undefined && sinceMs >= 0 && sinceMs < FORCED_PAUSE_MS) {
      if (this.#forcedFailure !== undefined) throw this.#forcedFailure.error;
      return current;
    }
    this.#isForced = true;
    this.#forcedAtMs = nowMs;
    return this.#refresh();
  }

  /** While somebody waits, the process must not end; for a refresh in the background it may. */
  async #wait(refreshed: Promise<Credentials>, signal: AbortSignal | undefined): Promise<Credentials> {
    this.#waiting += 1;
    this.#timer?.ref();
    try {
      return await abortable(refreshed, signal);
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#timer?.unref();
    }
  }

  async #loadOnce(): Promise<Credentials> {
    const loaded = await this.#loadValid();
    const nowMs = this.#clock.now();
    const { expiresAtMs = Number.POSITIVE_INFINITY } = loaded;
    const isLate = hasExpired(loaded, nowMs);
    const current = this.#current;
    // The source is late, not the clock wrong: the current ones are good by the same clock. A second later it is asked again.
    if (isLate && current !== undefined && !this.#isForced && !hasExpired(current, nowMs)) return current;
    this.#current = loaded;
    if (isLate) {
      this.#expiresAtMs = Number.POSITIVE_INFINITY;
      this.#refreshAtMs = nowMs + DOUBTFUL_LIFE_MS;
      return loaded;
    }
    this.#expiresAtMs = expiresAtMs;
    this.#refreshAtMs = expiresAtMs - Math.min(this.#refreshMarginMs, (expiresAtMs - nowMs) / 2);
    // Infinity less infinity is no number; what does not expire is never refreshed by itself.
    if (Number.isNaN(this.#refreshAtMs)) this.#refreshAtMs = Number.POSITIVE_INFINITY;
    return loaded;
  }

  async #loadValid(): Promise<Credentials> {
    this.#forcedFailure = undefined;
    try {
      return holdCredentials(await this.#loadInTime(), this.name);
    } catch (error) {
      if (this.#isForced) this.#forcedFailure = { error };
      throw error;
    }
  }

  /** What comes after the time is over is not used: by then another load may be under way. */
  #loadInTime(): Promise<Credentials> {
    const timeoutMs = this.#loadTimeoutMs;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const message = `${this.name} gave no credentials within ${timeoutMs} ms; the next call asks again`;
        reject(new FengniError("ERR_TIMEOUT", message, { retryable: true, details: { timeoutMs } }));
      }, timeoutMs);
      this.#timer = timer.unref();
      // Also what throws at once is a failed load.
      const load = async (): Promise<Credentials> => this.#load();
      load()
        .then(resolve, reject)
        .finally(() => clearTimeout(timer));
    });
  }
}

function hasExpired({ expiresAtMs }: Credentials, nowMs: number): boolean {
  return expiresAtMs !== undefined && nowMs >= expiresAtMs;
}
