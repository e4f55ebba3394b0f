// What the tests of the data-key cache share: time that moves when told, secrets that tell whether they were wiped, and
// a provider whose every answer the test gives.
import { FengniError } from "@fengni/core";
import { BoundedCache, type CacheSurroundings, cacheLimits, type DataKeyCacheOptions } from "../src/cache.js";
import type { CacheClock, SetTimer } from "../src/cache-clock.js";

/** Lets every promise that can settle do so. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Time that moves when told, with its timers in order. */
export class FakeTime implements CacheClock {
  timers: { readonly atMs: number; readonly run: () => void; readonly holdsProcess: boolean }[] = [];
  #now = 5000;

  now(): number {
    return this.#now;
  }

  readonly setTimer: SetTimer = (run, delayMs, holdsProcess = false) => {
    const timer = { atMs: this.#now + delayMs, run, holdsProcess };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  };

  /** Moves the clock without calling timers, as in a process that is held up. */
  jump(ms: number): void {
    this.#now += ms;
  }

  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const due = this.timers.filter((timer) => timer.atMs <= end).sort((a, b) => a.atMs - b.atMs);
      const next = due[0];
      if (next === undefined) break;
      this.timers = this.timers.filter((other) => other !== next);
      this.#now = Math.max(this.#now, next.atMs);
      next.run();
      await settle();
    }
    this.#now = end;
    await settle();
  }
}

/** Stands for a data key. */
export interface Secret {
  readonly id: number;
  readonly key: string;
  readonly arrivedAtMs: number;
  wiped: number;
}

/** A load that waits for the test to answer it. */
interface PendingLoad {
  readonly key: string;
  readonly begunAtMs: number;
  readonly give: () => Secret;
  readonly fail: (error: unknown) => void;
}

/** A provider: every load waits for the test, or is answered at once when `answer` is set. */
class Source {
  readonly secrets: Secret[] = [];
  readonly begun: number[] = [];
  readonly pending: PendingLoad[] = [];
  answer: "at once" | Error | undefined = "at once";
  readonly #time: FakeTime;

  constructor(time: FakeTime) {
    this.#time = time;
  }

  /** How many loads have begun. */
  get loads(): number {
    return this.begun.length;
  }

  loader(key: string): () => Promise<Secret> {
    return () => this.#load(key);
  }

  /** Answers every load that waits with a secret. */
  async giveAll(): Promise<void> {
    while (this.pending.length > 0) {
      for (const load of [...this.pending]) load.give();
      await settle();
    }
  }

  /** Fails every load that waits. */
  async failAll(error: Error): Promise<void> {
    for (const load of [...this.pending]) load.fail(error);
    await settle();
  }

  #load(key: string): Promise<Secret> {
    this.begun.push(this.#time.now());
    if (this.answer instanceof Error) return Promise.reject(this.answer);
    if (this.answer === "at once") return Promise.resolve(this.#secret(key));
    return new Promise((resolve, reject) => {
      const drop = (): void => {
        this.pending.splice(this.pending.indexOf(load), 1);
      };
      const load: PendingLoad = {
        key,
        begunAtMs: this.#time.now(),
        give: () => {
          drop();
          const secret = this.#secret(key);
          resolve(secret);
          return secret;
        },
        fail: (error) => {
          drop();
          reject(error);
        },
      };
      this.pending.push(load);
    });
  }

  #secret(key: string): Secret {
    const secret = { id: this.secrets.length, key, arrivedAtMs: this.#time.now(), wiped: 0 };
    this.secrets.push(secret);
    return secret;
  }
}

export const outage = new FengniError("ERR_UNAVAILABLE", "the provider is down", { retryable: true });
export const denied = new FengniError("ERR_DENIED", "not allowed");

/** A cache in time of its own, with its provider. */
export interface Bench {
  readonly time: FakeTime;
  readonly source: Source;
  readonly cache: BoundedCache<Secret>;
  /** Uses the key once. @returns the secret's id */
  readonly use: (key?: string, bytes?: number, signal?: AbortSignal) => Promise<number>;
  /** As `use`, at once or not at all. */
  readonly useNow: (key?: string, bytes?: number) => number | undefined;
}

/** The secret's id; fails the test when it is wiped while it is used. */
export function idOf(secret: Secret): number {
  if (secret.wiped > 0) throw new Error("a wiped secret was used");
  return secret.id;
}

export function benchOf(options: DataKeyCacheOptions, surroundings: CacheSurroundings = {}): Bench {
  const time = new FakeTime();
  const source = new Source(time);
  const wipe = (secret: Secret): void => {
    secret.wiped += 1;
  };
  const cache = new BoundedCache<Secret>(cacheLimits(options), wipe, {
    clock: time,
    setTimer: time.setTimer,
    ...surroundings,
  });
  return {
    time,
    source,
    cache,
    use: (key = "k", bytes = 0, signal) => cache.use(key, bytes, source.loader(key), idOf, signal),
    useNow: (key = "k", bytes = 0) => cache.useNow(key, bytes, idOf, undefined),
  };
}
