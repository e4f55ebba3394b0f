// The branch keys that a keyring holds ready: active ones by id, versions by id and version, each for its time and no longer.
// It must not know messages, nor what keys are derived for.
import { bytesToHex, equalBytes, wipe } from "@fengni/crypto/bytes";
import {
  BRANCH_KEY_BYTES,
  BRANCH_KEY_VERSION_BYTES,
  type BranchKeyStore,
  type BranchKeyVersion,
} from "./branch-key.js";
import { DerivingKey, type WarmBranchKey } from "./branch-key-derive.js";
import { BoundedCache, cacheLimits, type DataKeyCacheOptions } from "./cache.js";
import { LoadQueue } from "./cache-loads.js";
import type { CacheListener, CacheStats } from "./cache-stats.js";
import { FengniError, shown } from "./errors.js";

/** Bounds of what is held ready: the time, and those of the cache, as it names them. */
export interface WarmKeyOptions extends Omit<DataKeyCacheOptions, "maxAgeMs" | "maxMessages" | "maxBytes"> {
  readonly ttlMs: number;
}

/** What a keyring holds and did so far. */
export interface BranchKeyringStats {
  /** Of active branch keys. */
  readonly active: CacheStats;
  /** Of versions that were not the active one when they were asked for. */
  readonly versions: CacheStats;
}

/** Branch keys that are held ready. */
export class WarmKeys {
  readonly #store: BranchKeyStore;
  readonly #actives: ReadyCache;
  readonly #versions: ReadyCache;
  #isClosed = false;

  constructor(store: BranchKeyStore, { ttlMs, ...bounds }: WarmKeyOptions, listener?: CacheListener) {
    this.#store = store;
    const limits = cacheLimits({ ...bounds, maxAgeMs: ttlMs, maxMessages: Number.MAX_SAFE_INTEGER });
    // One budget of loads for both.
    const loads = new LoadQueue(limits);
    this.#actives = new ReadyCache(limits, loads, listener);
    this.#versions = new ReadyCache(limits, loads, listener);
  }

  /** Calls `use` with a branch key, loading it first where needed; without a version, with the active one. */
  async use<Result>(
    branchKeyId: string,
    version: Uint8Array | undefined,
    use: (key: WarmBranchKey) => Result,
    signal: AbortSignal | undefined,
  ): Promise<Result> {
    this.#requireOpen();
    signal?.throwIfAborted();
    if (version === undefined) return this.#actives.use(branchKeyId, this.#loader(branchKeyId, undefined), use, signal);
    const active = this.#useActive(branchKeyId, version, use);
    if (active !== undefined) return active.result;
    return this.#versions.use(nameOf(branchKeyId, version), this.#loader(branchKeyId, version), use, signal);
  }

  /** Calls `use` at once; undefined when the branch key is not held ready. */
  useNow<Result>(
    branchKeyId: string,
    version: Uint8Array | undefined,
    use: (key: WarmBranchKey) => Result,
  ): { readonly result: Result } | undefined {
    this.#requireOpen();
    if (version === undefined) return this.#actives.useNow(branchKeyId, this.#loader(branchKeyId, undefined), use);
    const active = this.#useActive(branchKeyId, version, use);
    if (active !== undefined) return active;
    return this.#versions.useNow(nameOf(branchKeyId, version), this.#loader(branchKeyId, version), use);
  }

  /** Forgets and wipes all; what is needed again is loaded again. */
  clear(): void {
    this.#actives.clear();
    this.#versions.clear();
  }

  close(): void {
    this.#isClosed = true;
    this.#actives.close();
    this.#versions.close();
  }

  /** With the active branch key, if it is held ready and of this version: it is as fresh as one that was asked for by version. */
  #useActive<Result>(
    branchKeyId: string,
    version: Uint8Array,
    use: (key: WarmBranchKey) => Result,
  ): { readonly result: Result } | undefined {
    const load = this.#loader(branchKeyId, undefined);
    return this.#actives.useNow(branchKeyId, load, (key) =>
      equalBytes(key.version, version) ? { result: use(key) } : undefined,
    )?.result;
  }

  #loader(branchKeyId: string, version: Uint8Array | undefined): Load {
    return () => {
      // A copy: the caller may go on with its own while this waits.
      const wanted = version?.slice();
      return async () => {
        // No caller's signal: the load is for all who wait for it.
        const answer =
          wanted === undefined
            ? await this.#store.getActive(branchKeyId)
            : await this.#store.getVersion(branchKeyId, wanted.slice());
        return this.#take(answer, branchKeyId, wanted);
      };
    };
  }

  /** Checks what the store gave: a key of another tenant must never pass for the one that was asked for. */
  #take(answer: BranchKeyVersion, branchKeyId: string, version: Uint8Array | undefined): DerivingKey {
    const isRight =
      answer?.material instanceof Uint8Array &&
      answer.material.length === BRANCH_KEY_BYTES &&
      answer.version instanceof Uint8Array &&
      answer.version.length === BRANCH_KEY_VERSION_BYTES &&
      answer.branchKeyId === branchKeyId &&
      (version === undefined || equalBytes(answer.version, version));
    if (isRight) return DerivingKey.of(answer);
    if (answer?.material instanceof Uint8Array) wipe(answer.material);
    throw new FengniError(
      "ERR_UNAVAILABLE",
      `the store of branch keys answered wrongly: it did not give the version of ${shown(branchKeyId)} that was asked for`,
    );
  }

  stats(): BranchKeyringStats {
    return { active: this.#actives.stats(), versions: this.#versions.stats() };
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new FengniError("ERR_CLOSED", "the branch keyring was closed: make a new one");
  }
}

/** Makes what loads a key, where it is needed. */
type Load = () => () => Promise<DerivingKey>;

/** The version has a fixed length, so that no two pairs have one name. */
function nameOf(branchKeyId: string, version: Uint8Array): string {
  return bytesToHex(version) + branchKeyId;
}

/** A key in a cache. */
interface Ready {
  readonly name: string;
  readonly key: DerivingKey;
}

/** A cache that serves at once what it holds, without beginning to load what it does not hold. */
class ReadyCache {
  readonly #cache: BoundedCache<Ready>;
  /** What the cache holds, or has let go of and not wiped yet. */
  readonly #ready = new Map<string, Ready>();

  constructor(limits: ReturnType<typeof cacheLimits>, loads: LoadQueue, listener: CacheListener | undefined) {
    const wipe = (ready: Ready): void => {
      if (this.#ready.get(ready.name) === ready) this.#ready.delete(ready.name);
      ready.key.wipe();
    };
    this.#cache = new BoundedCache(limits, wipe, { loads, ...(listener && { listener }) });
  }

  use<Result>(
    name: string,
    load: Load,
    use: (key: WarmBranchKey) => Result,
    signal: AbortSignal | undefined,
  ): Promise<Result> {
    const loadKey = load();
    const loadReady = async (): Promise<Ready> => {
      const ready = { name, key: await loadKey() };
      this.#ready.set(name, ready);
      return ready;
    };
    return this.#cache.use(name, 0, loadReady, ({ key }) => use(key), signal);
  }

  /** Undefined when the key is not held ready. A use shortly before its time is over has it loaded anew, as every use does. */
  useNow<Result>(
    name: string,
    load: Load,
    use: (key: WarmBranchKey) => Result,
  ): { readonly result: Result } | undefined {
    if (!this.#ready.has(name)) return undefined;
    return this.#cache.useNow(name, 0, resultOf<Result>, use) ?? this.#useDue(name, load, use);
  }

  clear(): void {
    this.#cache.clear();
  }

  close(): void {
    this.#cache.close();
  }

  stats(): CacheStats {
    return this.#cache.stats();
  }

  /** With a key that is due to be loaded anew: `use` of the cache begins that, and serves at once what may still be used. */
  #useDue<Result>(
    name: string,
    load: Load,
    use: (key: WarmBranchKey) => Result,
  ): { readonly result: Result } | undefined {
    let outcome: { readonly result: Result } | { readonly error: unknown } | undefined;
    let isOver = false;
    const run = (key: WarmBranchKey): void => {
      if (isOver) return;
      try {
        outcome = { result: use(key) };
      } catch (error) {
        outcome = { error };
      }
    };
    // What fails in the background is told to whoever waits for it.
    this.use(name, load, run, undefined).catch(() => {});
    isOver = true;
    const { error, result } = (outcome ?? {}) as { readonly error?: unknown; readonly result: Result };
    if (outcome !== undefined && "error" in outcome) throw error;
    return outcome === undefined ? undefined : { result };
  }
}

function resultOf<Result>({ key }: Ready, use: (key: WarmBranchKey) => Result): { readonly result: Result } {
  return { result: use(key) };
}
