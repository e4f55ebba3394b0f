// The data-key cache: bounded by age, messages, bytes and entries; one load per key however many callers wait; what it
// holds is wiped when the last user lets go. Must know nothing of messages or providers.
import { LRUCache } from "lru-cache";
import { abortable } from "./abort.js";
import { FengniError } from "./errors.js";
import { checkInteger, checkOptions } from "./options.js";

/** Bounds of a data-key cache. A data key leaves the cache when the first of them is reached. */
export interface DataKeyCacheOptions {
  /** How long a data key may be used, in milliseconds. Also how long a disabled key may still be used through the cache. */
  readonly maxAgeMs: number;
  /** How many messages one data key may seal; default 2^32. */
  readonly maxMessages?: number;
  /** How many bytes of plaintext one data key may seal; default 2^53 - 1. */
  readonly maxBytes?: number;
  /** How many data keys to hold, for sealing and for opening each; default 1,000. */
  readonly maxEntries?: number;
}

/** Messages that one data key may seal unless told otherwise. */
export const DEFAULT_CACHE_MAX_MESSAGES: number = 2 ** 32;
/** Data keys that a cache holds unless told otherwise. */
export const DEFAULT_CACHE_MAX_ENTRIES = 1000;
const MAX_AGE_MS = 2 ** 31 - 1;

/** The bounds with their defaults. @throws RangeError (`ERR_ARGUMENT`) */
export function cacheLimits(options: DataKeyCacheOptions): Required<DataKeyCacheOptions> {
  checkOptions("cache", options, ["maxAgeMs", "maxMessages", "maxBytes", "maxEntries"]);
  return {
    maxAgeMs: checkInteger("cache.maxAgeMs", options.maxAgeMs, 1, MAX_AGE_MS),
    maxMessages: checkInteger(
      "cache.maxMessages",
      options.maxMessages ?? DEFAULT_CACHE_MAX_MESSAGES,
      1,
      Number.MAX_SAFE_INTEGER,
    ),
    maxBytes: checkInteger("cache.maxBytes", options.maxBytes ?? Number.MAX_SAFE_INTEGER, 1, Number.MAX_SAFE_INTEGER),
    maxEntries: checkInteger("cache.maxEntries", options.maxEntries ?? DEFAULT_CACHE_MAX_ENTRIES, 1, 2 ** 24),
  };
}

/** One cached value, what was taken from it, and who still waits to use it. */
interface Entry<Value> {
  readonly value: Value;
  /** Callers that waited for the load and have not used the value yet: it is not wiped under their hands. */
  readonly holders: { count: number };
  readonly expiresAtMs: number;
  /** Evicts the value when its age is reached, also when nobody calls. */
  readonly timer: ReturnType<typeof setTimeout>;
  messages: number;
  bytes: number;
  evicted: boolean;
}

/** A load under way, and what of its budget is spoken for by those who wait: who finds none left begins another. */
interface Flight<Value> {
  messages: number;
  bytes: number;
  readonly holders: { count: number };
  readonly loading: Promise<Entry<Value>>;
  loaded?: Entry<Value>;
}

/** A cache of wipeable values under string keys. */
export class BoundedCache<Value> {
  readonly #limits: Required<DataKeyCacheOptions>;
  readonly #wipe: (value: Value) => void;
  readonly #entries: LRUCache<string, Entry<Value>>;
  readonly #flights = new Map<string, Flight<Value>>();
  #closed = false;

  constructor(limits: Required<DataKeyCacheOptions>, wipe: (value: Value) => void) {
    this.#limits = limits;
    this.#wipe = wipe;
    this.#entries = new LRUCache({
      max: limits.maxEntries,
      dispose: (entry) => this.#evict(entry),
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
   */
  async use<Result>(
    key: string,
    bytes: number,
    load: () => Promise<Value>,
    use: (value: Value) => Result,
    signal: AbortSignal | undefined,
  ): Promise<Result> {
    for (;;) {
      if (this.#closed) throw new FengniError("ERR_CLOSED", "the envelope is closed");
      const cached = this.#entries.get(key);
      if (cached !== undefined) {
        if (this.#take(cached, bytes)) return use(cached.value);
        this.#entries.delete(key);
      }
      const flight = this.#flightFor(key, bytes, load);
      flight.holders.count += 1;
      try {
        const fresh = await abortable(flight.loading, signal);
        if (this.#take(fresh, bytes)) return use(fresh.value);
      } finally {
        flight.holders.count -= 1;
        if (flight.loaded !== undefined) this.#wipeIfIdle(flight.loaded);
      }
    }
  }

  /** Wipes every value, now or as soon as its last user is done; loads under way are wiped when they arrive. */
  close(): void {
    this.#closed = true;
    this.#entries.clear();
  }

  #flightFor(key: string, bytes: number, load: () => Promise<Value>): Flight<Value> {
    const running = this.#flights.get(key);
    const flight = running !== undefined && this.#hasRoom(running, bytes) ? running : this.#start(key, load);
    flight.messages += 1;
    flight.bytes += bytes;
    return flight;
  }

  #start(key: string, load: () => Promise<Value>): Flight<Value> {
    const holders = { count: 0 };
    const flight: Flight<Value> = {
      messages: 0,
      bytes: 0,
      holders,
      loading: load()
        .then((value) => this.#arrive(key, value, flight))
        .finally(() => {
          if (this.#flights.get(key) === flight) this.#flights.delete(key);
        }),
    };
    this.#flights.set(key, flight);
    return flight;
  }

  #arrive(key: string, value: Value, flight: Flight<Value>): Entry<Value> {
    const { maxAgeMs } = this.#limits;
    const timer = setTimeout(() => {
      if (this.#entries.peek(key) === entry) this.#entries.delete(key);
    }, maxAgeMs);
    // A cache keeps no process alive. Browsers' timers are numbers.
    if (typeof timer === "object") timer.unref();
    const entry: Entry<Value> = {
      value,
      holders: flight.holders,
      expiresAtMs: performance.now() + maxAgeMs,
      timer,
      messages: 0,
      bytes: 0,
      evicted: false,
    };
    flight.loaded = entry;
    if (this.#closed) this.#evict(entry);
    else this.#entries.set(key, entry);
    return entry;
  }

  #take(entry: Entry<Value>, bytes: number): boolean {
    if (performance.now() >= entry.expiresAtMs) return false;
    if (!this.#hasRoom(entry, bytes)) return false;
    entry.messages += 1;
    entry.bytes += bytes;
    return true;
  }

  #hasRoom(used: { readonly messages: number; readonly bytes: number }, bytes: number): boolean {
    return used.messages + 1 <= this.#limits.maxMessages && used.bytes + bytes <= this.#limits.maxBytes;
  }

  #evict(entry: Entry<Value>): void {
    entry.evicted = true;
    clearTimeout(entry.timer);
    this.#wipeIfIdle(entry);
  }

  #wipeIfIdle(entry: Entry<Value>): void {
    if (entry.evicted && entry.holders.count === 0) this.#wipe(entry.value);
  }
}
