// The data-key cache: bounded by age, messages, bytes and entries; one load per key however many callers wait; what it
// holds is wiped when the last user lets go. Must know nothing of messages or providers.
import { LRUCache } from "lru-cache";
import { abortable } from "./abort.js";
import { UNLINKED } from "./cache-chain.js";
import { type CacheClock, runtimeClock, runtimeTimer, type SetTimer } from "./cache-clock.js";
import {
  CACHE_GRACE_RETRY_MS,
  CACHE_REFRESH_RETRY_MAX_MS,
  CACHE_REFRESH_RETRY_MS,
  type Entry,
  type Flight,
} from "./cache-entry.js";
import { closedError, isOutage, isRefusal, RefusalMemory } from "./cache-failures.js";
import { LoadQueue } from "./cache-loads.js";
import { type CacheLimits, NEVER, refreshThreshold } from "./cache-options.js";
import { type CacheEvictionReason, type CacheListener, CacheRecord, type CacheStats } from "./cache-stats.js";
import { Sweeper } from "./cache-sweep.js";
import { rangeError } from "./errors.js";

export {
  cacheLimits,
  type DataKeyCacheOptions,
  DEFAULT_CACHE_MAX_ENTRIES,
  DEFAULT_CACHE_MAX_MESSAGES,
} from "./cache-options.js";

/** What a cache runs in. */
export interface CacheSurroundings {
  /** Default: `performance.now`. */
  readonly clock?: CacheClock;
  /** Default: `setTimeout`, which holds the process only while callers wait for their turn. */
  readonly setTimer?: SetTimer;
  readonly listener?: CacheListener;
  /** The queue of loads, shared with other caches; default: one of its own. */
  readonly loads?: LoadQueue;
}

/** A cache of wipeable values under string keys. Safe for any number of concurrent calls. */
export class BoundedCache<Value> {
  readonly #limits: CacheLimits;
  readonly #wipe: (value: Value) => void;
  readonly #clock: CacheClock;
  readonly #record: CacheRecord;
  readonly #loads: LoadQueue;
  readonly #sweeper: Sweeper<Entry<Value>>;
  readonly #refusals: RefusalMemory;
  readonly #entries: LRUCache<string, Entry<Value>>;
  /** The load of each key that new callers join. */
  readonly #flights = new Map<string, Flight<Value>>();
  /** Every load that has not settled. */
  readonly #underWay = new Set<Flight<Value>>();
  /** Used beyond these, a value is due to be replaced. */
  readonly #refreshMessages: number;
  readonly #refreshBytes: number;
  #closed = false;

  /** @param wipe - called once with every value that was loaded, when its last user is done */
  constructor(limits: CacheLimits, wipe: (value: Value) => void, surroundings: CacheSurroundings = {}) {
    const setTimer = surroundings.setTimer ?? runtimeTimer;
    this.#limits = limits;
    this.#wipe = wipe;
    this.#clock = surroundings.clock ?? runtimeClock;
    this.#record = new CacheRecord(surroundings.listener);
    this.#loads = surroundings.loads ?? new LoadQueue(limits, { clock: this.#clock, setTimer });
    this.#sweeper = new Sweeper(this.#clock, setTimer, (entry) => this.#remove(entry, "age"));
    this.#refusals = new RefusalMemory(limits.refusalMs, limits.maxEntries);
    this.#refreshMessages = refreshThreshold(limits, limits.maxMessages);
    this.#refreshBytes = refreshThreshold(limits, limits.maxBytes);
    this.#entries = new LRUCache({
      max: limits.maxEntries,
      // After, not during: a listener may call back into the cache.
      disposeAfter: (entry, _key, reason) => {
        if (reason !== "delete") this.#evict(entry, reason === "set" ? "replaced" : "capacity");
      },
    });
  }

  /** Whether a use of so many bytes can ever be served from the cache. */
  admits(bytes: number): boolean {
    return bytes <= this.#limits.maxBytes;
  }

  /**
   * Calls `use` with the value under `key`, loading it first where needed. `use` must be done with the value when it
   * returns: afterwards it may be wiped at any moment.
   * @param bytes - what this use takes of the entry's budget of bytes; see {@link admits}
   * @param load - serves every caller that waits, and refreshes: no caller's signal may end it
   * @throws `ERR_CLOSED`, `ERR_THROTTLED` (retryable) after too long a wait for a turn, and what `load` rejects with,
   *   also when it is a refusal that is remembered; RangeError (`ERR_ARGUMENT`) for bytes that are not admitted
   */
  async use<Result>(
    key: string,
    bytes: number,
    load: () => Promise<Value>,
    use: (value: Value) => Result,
    signal: AbortSignal | undefined,
  ): Promise<Result> {
    for (let missed = false; ; missed = true) {
      const now = this.#clock.now();
      const cached = this.#usable(key, bytes, now);
      if (cached !== undefined) return this.#serve(cached, use, load, now);
      const flight = this.#flightFor(key, bytes, load, now);
      flight.messages += 1;
      flight.bytes += bytes;
      flight.waiters += 1;
      if (!missed) this.#record.miss();
      try {
        const fresh = await abortable(flight.loading, signal);
        if (this.#take(fresh, bytes, this.#clock.now())) return use(fresh.value);
      } catch (error) {
        const stale = flight.loaded === undefined && signal?.aborted !== true && isOutage(error);
        const graced = stale ? this.#usable(key, bytes, this.#clock.now(), true) : undefined;
        if (graced === undefined) throw error;
        return this.#serve(graced, use, load, this.#clock.now());
      } finally {
        this.#leave(flight);
      }
    }
  }

  /**
   * Like {@link use}, at once and without a promise, when the value is cached, has room, and nothing else is due: then
   * calls `use(value, argument)`. Pass what `use` needs as the argument, so that no closure is made per call.
   * @returns what `use` returned; undefined when it was not called: then call {@link use}, which loads or refreshes
   */
  useNow<Result extends NonNullable<unknown>, Argument>(
    key: string,
    bytes: number,
    use: (value: Value, argument: Argument) => Result,
    argument: Argument,
  ): Result | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const now = this.#clock.now();
    if (now >= entry.refreshAtMs || !this.#take(entry, bytes, now)) return undefined;
    entry.holders += 1;
    try {
      return use(entry.value, argument);
    } finally {
      this.#release(entry);
      this.#record.hit();
    }
  }

  /**
   * Loads the value under `key` unless it is cached with room, without using up a message.
   * @throws as {@link use}
   */
  async prewarm(key: string, load: () => Promise<Value>, signal?: AbortSignal): Promise<void> {
    const now = this.#clock.now();
    const cached = this.#entries.peek(key);
    if (cached !== undefined && now < cached.expiresAtMs && this.#hasRoom(cached, 0)) return;
    const flight = this.#flightFor(key, 0, load, now);
    flight.waiters += 1;
    try {
      await abortable(flight.loading, signal);
    } finally {
      this.#leave(flight);
    }
  }

  /**
   * Forgets every value and refusal, and keeps working: values are wiped, now or as soon as their last user is done.
   * Loads under way serve those who wait for them, and nobody else.
   */
  clear(): void {
    this.#refusals.clear();
    this.#flights.clear();
    for (const flight of this.#underWay) {
      flight.detached = true;
      if (flight.waiters === 0) this.#loads.leave(flight.queued.turn, closedError());
    }
    // One by one: the LRU's own clear takes time in the square of their number when it reports each.
    for (const entry of [...this.#entries.values()]) this.#remove(entry, "cleared");
  }

  /**
   * Wipes every value, now or as soon as its last user is done; loads under way are wiped when they arrive, and loads
   * that wait for their turn reject with `ERR_CLOSED`.
   */
  close(): void {
    this.#closed = true;
    this.clear();
    for (const flight of this.#underWay) this.#loads.leave(flight.queued.turn, closedError());
    this.#sweeper.stop();
  }

  /** What the cache has done so far, and does now. */
  stats(): CacheStats {
    let waiting = 0;
    for (const flight of this.#underWay) if (!flight.queued.turn.begun) waiting += 1;
    return this.#record.stats({ entries: this.#entries.size, waiting, loading: this.#underWay.size - waiting });
  }

  /**
   * Takes a use from the cached value; one whose time is over, or without room, is removed.
   * @param isDown - a load has just failed because the provider cannot be reached
   */
  #usable(key: string, bytes: number, now: number, isDown = false): Entry<Value> | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (now >= entry.graceEndsAtMs) this.#remove(entry, "age");
    else if (!this.#hasRoom(entry, bytes)) {
      this.#remove(entry, entry.messages >= this.#limits.maxMessages ? "messages" : "bytes");
    } else if (now < entry.expiresAtMs || isDown || this.#isOut(entry, now)) {
      this.#spend(entry, bytes, now);
      return entry;
    }
    return undefined;
  }

  /**
   * Whether the provider counts as out of reach: the last load failed so, and that is not long ago or the next has no
   * answer yet. So one caller waits for a provider that hangs, and not all.
   */
  #isOut(entry: Entry<Value>, now: number): boolean {
    return now < entry.outageUntilMs || (entry.outageUntilMs > 0 && this.#flights.has(entry.key));
  }

  /** Uses what {@link #usable} took. */
  #serve<Result>(entry: Entry<Value>, use: (value: Value) => Result, load: () => Promise<Value>, now: number): Result {
    entry.holders += 1;
    try {
      return use(entry.value);
    } finally {
      this.#release(entry);
      if (now >= entry.expiresAtMs) this.#record.grace();
      else {
        this.#record.hit();
        if (now >= entry.refreshAtMs) this.#refresh(entry, load);
      }
    }
  }

  #refresh(entry: Entry<Value>, load: () => Promise<Value>): void {
    entry.refreshAtMs = NEVER;
    if (entry.evicted || this.#flights.has(entry.key)) return;
    // Callers go on with what is cached, whatever comes of it.
    this.#start(entry.key, load, true).loading.catch(() => {});
  }

  #flightFor(key: string, bytes: number, load: () => Promise<Value>, now: number): Flight<Value> {
    if (this.#closed) throw closedError();
    // It would find no room in any value, and load for ever.
    if (!this.admits(bytes)) throw rangeError(`one use takes at most ${this.#limits.maxBytes} bytes, got ${bytes}`);
    const running = this.#flights.get(key);
    if (running !== undefined && this.#hasRoom(running, bytes)) {
      this.#loads.promote(running.queued.turn);
      return running;
    }
    const refusal = this.#refusals.find(key, now);
    if (refusal !== undefined) {
      this.#record.refusal();
      throw refusal.error;
    }
    return this.#start(key, load, false);
  }

  #start(key: string, load: () => Promise<Value>, isRefresh: boolean): Flight<Value> {
    const queued = this.#loads.enter(() => {
      this.#record.load(isRefresh);
      return load();
    }, isRefresh);
    const flight: Flight<Value> = {
      key,
      isRefresh,
      queued,
      loading: queued.result.then(
        (value) => this.#arrive(flight, value),
        (error) => this.#fail(flight, error),
      ),
      messages: 0,
      bytes: 0,
      waiters: 0,
      detached: false,
      loaded: undefined,
    };
    this.#flights.set(key, flight);
    this.#underWay.add(flight);
    this.#loads.pump();
    return flight;
  }

  #arrive(flight: Flight<Value>, value: Value): Entry<Value> {
    this.#land(flight);
    const { key } = flight;
    const { maxAgeMs, graceMs, refreshAheadMs } = this.#limits;
    const expiresAtMs = this.#clock.now() + maxAgeMs;
    const entry: Entry<Value> = {
      ...UNLINKED,
      key,
      value,
      holders: flight.waiters,
      expiresAtMs,
      graceEndsAtMs: expiresAtMs + graceMs,
      messages: 0,
      bytes: 0,
      refreshAtMs: refreshAheadMs === 0 ? NEVER : expiresAtMs - refreshAheadMs,
      refreshFailures: 0,
      outageUntilMs: 0,
      evicted: flight.detached,
    };
    flight.loaded = entry;
    if (flight.detached) {
      this.#wipeIfIdle(entry);
      return entry;
    }
    this.#refusals.forget(key);
    this.#sweeper.add(entry);
    this.#entries.set(key, entry);
    return entry;
  }

  #fail(flight: Flight<Value>, error: unknown): never {
    this.#land(flight);
    const now = this.#clock.now();
    const outage = isOutage(error);
    const entry = flight.detached ? undefined : this.#entries.peek(flight.key);
    if (entry !== undefined) {
      const wait = CACHE_REFRESH_RETRY_MS * 2 ** entry.refreshFailures;
      entry.refreshAtMs = this.#limits.refreshAheadMs === 0 ? NEVER : now + Math.min(wait, CACHE_REFRESH_RETRY_MAX_MS);
      entry.refreshFailures += 1;
      if (outage) entry.outageUntilMs = Math.min(now + CACHE_GRACE_RETRY_MS, entry.graceEndsAtMs);
      else this.#endGrace(entry, now);
    }
    if (!flight.detached && isRefusal(error)) this.#refusals.remember(flight.key, error, now);
    if (flight.queued.turn.begun) this.#record.loadFailed(flight.isRefresh, error);
    else if (!flight.detached) this.#record.throttled();
    throw error;
  }

  /** Whoever was refused once has no grace: the provider was reached. */
  #endGrace(entry: Entry<Value>, now: number): void {
    entry.graceEndsAtMs = entry.expiresAtMs;
    if (now >= entry.expiresAtMs) this.#remove(entry, "age");
  }

  #land(flight: Flight<Value>): void {
    this.#underWay.delete(flight);
    if (this.#flights.get(flight.key) === flight) this.#flights.delete(flight.key);
  }

  /** A caller no longer waits for a load: a load that has not begun is given up with its last caller. */
  #leave(flight: Flight<Value>): void {
    if (flight.loaded !== undefined) {
      this.#release(flight.loaded);
      return;
    }
    flight.waiters -= 1;
    if (flight.waiters > 0 || flight.queued.turn.begun) return;
    this.#land(flight);
    flight.detached = true;
    this.#loads.leave(flight.queued.turn, closedError());
  }

  #take(entry: Entry<Value>, bytes: number, now: number): boolean {
    if (now >= entry.expiresAtMs || !this.#hasRoom(entry, bytes)) return false;
    this.#spend(entry, bytes, now);
    return true;
  }

  #spend(entry: Entry<Value>, bytes: number, now: number): void {
    const wasLow = entry.messages > this.#refreshMessages || entry.bytes > this.#refreshBytes;
    entry.messages += 1;
    entry.bytes += bytes;
    if (wasLow || (entry.messages <= this.#refreshMessages && entry.bytes <= this.#refreshBytes)) return;
    if (now < entry.refreshAtMs) entry.refreshAtMs = now;
  }

  #hasRoom(used: { readonly messages: number; readonly bytes: number }, bytes: number): boolean {
    return used.messages + 1 <= this.#limits.maxMessages && used.bytes + bytes <= this.#limits.maxBytes;
  }

  #remove(entry: Entry<Value>, reason: CacheEvictionReason): void {
    if (this.#entries.peek(entry.key) === entry) this.#entries.delete(entry.key);
    this.#evict(entry, reason);
  }

  #evict(entry: Entry<Value>, reason: CacheEvictionReason): void {
    if (entry.evicted) return;
    entry.evicted = true;
    this.#sweeper.remove(entry);
    this.#wipeIfIdle(entry);
    this.#record.evicted(reason);
  }

  #release(entry: Entry<Value>): void {
    entry.holders -= 1;
    this.#wipeIfIdle(entry);
  }

  #wipeIfIdle(entry: Entry<Value>): void {
    if (entry.evicted && entry.holders === 0) this.#wipe(entry.value);
  }
}
