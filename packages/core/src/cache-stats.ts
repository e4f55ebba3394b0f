// What a cache counts and tells: counters, and events for telemetry. Neither holds a cache key: it may hold a context.

/** Why a value left the cache. */
export type CacheEvictionReason = "age" | "messages" | "bytes" | "capacity" | "replaced" | "cleared";

/** What a cache tells its listener. Holds no secret and no encryption context. */
export type CacheEvent =
  /** A call was served at once. */
  | { readonly type: "hit" }
  /** A call has to wait for a load. */
  | { readonly type: "miss" }
  /** A load has begun, for callers that wait or for a prewarm. */
  | { readonly type: "load" }
  /** Such a load has failed. */
  | { readonly type: "load-failed"; readonly error: unknown }
  /** A load has begun ahead of need. */
  | { readonly type: "refresh" }
  /** Such a load has failed; callers go on with what is cached. */
  | { readonly type: "refresh-failed"; readonly error: unknown }
  /** A load was given up: it waited for longer than `maxLoadWaitMs`. */
  | { readonly type: "throttled" }
  /** A call was served past the age, because the provider cannot be reached. */
  | { readonly type: "grace" }
  /** A call got a remembered refusal. */
  | { readonly type: "refusal" }
  /** A value left the cache. */
  | { readonly type: "evicted"; readonly reason: CacheEvictionReason };

/** Called with every event, at once. What it throws, or rejects with, is ignored. */
export type CacheListener = (event: CacheEvent) => void;

/** The counters of a cache. All but the first three count from its making and never go down. */
export interface CacheStats {
  /** Values in the cache now, those in grace among them. */
  readonly entries: number;
  /** Loads that wait for their turn now. */
  readonly waiting: number;
  /** Loads under way now. */
  readonly loading: number;
  /** Calls served at once from a value within its limits. */
  readonly hits: number;
  /** Calls that waited for a load; each counts once, however many loads it waited for. */
  readonly misses: number;
  /** Loads begun for callers that waited or for a prewarm; refreshes are not among them. */
  readonly loads: number;
  /** Those of them that failed. */
  readonly loadFailures: number;
  /** Loads begun ahead of need. */
  readonly refreshes: number;
  /** Those of them that failed. */
  readonly refreshFailures: number;
  /** Loads given up before they began, because they waited for longer than `maxLoadWaitMs`. */
  readonly throttled: number;
  /** Calls served past the age, because the provider could not be reached. */
  readonly graceUses: number;
  /** Calls that got a remembered refusal without a load. */
  readonly refusalHits: number;
  /** Values that left the cache, by reason; `replaced`: by a newer value, `cleared`: by `clear` or `close`. */
  readonly evictions: Readonly<Record<CacheEvictionReason, number>>;
}

const HIT: CacheEvent = Object.freeze({ type: "hit" });
const MISS: CacheEvent = Object.freeze({ type: "miss" });
const LOAD: CacheEvent = Object.freeze({ type: "load" });
const REFRESH: CacheEvent = Object.freeze({ type: "refresh" });
const THROTTLED: CacheEvent = Object.freeze({ type: "throttled" });
const GRACE: CacheEvent = Object.freeze({ type: "grace" });
const REFUSAL: CacheEvent = Object.freeze({ type: "refusal" });

/** Counts, and tells the listener. */
export class CacheRecord {
  readonly #listener: CacheListener | undefined;
  readonly #evictions: Record<CacheEvictionReason, number> = {
    age: 0,
    messages: 0,
    bytes: 0,
    capacity: 0,
    replaced: 0,
    cleared: 0,
  };
  #hits = 0;
  #misses = 0;
  #loads = 0;
  #loadFailures = 0;
  #refreshes = 0;
  #refreshFailures = 0;
  #throttled = 0;
  #graceUses = 0;
  #refusalHits = 0;

  constructor(listener: CacheListener | undefined) {
    this.#listener = listener;
  }

  hit(): void {
    this.#hits += 1;
    if (this.#listener !== undefined) this.#tell(HIT);
  }

  miss(): void {
    this.#misses += 1;
    this.#tell(MISS);
  }

  load(isRefresh: boolean): void {
    if (isRefresh) this.#refreshes += 1;
    else this.#loads += 1;
    this.#tell(isRefresh ? REFRESH : LOAD);
  }

  loadFailed(isRefresh: boolean, error: unknown): void {
    if (isRefresh) this.#refreshFailures += 1;
    else this.#loadFailures += 1;
    this.#tell({ type: isRefresh ? "refresh-failed" : "load-failed", error });
  }

  throttled(): void {
    this.#throttled += 1;
    this.#tell(THROTTLED);
  }

  grace(): void {
    this.#graceUses += 1;
    this.#tell(GRACE);
  }

  refusal(): void {
    this.#refusalHits += 1;
    this.#tell(REFUSAL);
  }

  evicted(reason: CacheEvictionReason): void {
    this.#evictions[reason] += 1;
    if (this.#listener !== undefined) this.#tell({ type: "evicted", reason });
  }

  stats(now: Pick<CacheStats, "entries" | "waiting" | "loading">): CacheStats {
    return {
      ...now,
      hits: this.#hits,
      misses: this.#misses,
      loads: this.#loads,
      loadFailures: this.#loadFailures,
      refreshes: this.#refreshes,
      refreshFailures: this.#refreshFailures,
      throttled: this.#throttled,
      graceUses: this.#graceUses,
      refusalHits: this.#refusalHits,
      evictions: { ...this.#evictions },
    };
  }

  #tell(event: CacheEvent): void {
    try {
      const answer: unknown = this.#listener?.(event);
      // An async listener's rejection would end the process.
      if (answer instanceof Promise) answer.catch(() => {});
    } catch {
      // Telemetry must not decide whether data can be sealed or opened.
    }
  }
}
