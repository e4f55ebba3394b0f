// The data-key cache under any interleaving of calls, aborts, answers, failures, clearing and time: what always holds.
import fc from "fast-check";
import { expect, test } from "vitest";
import { BoundedCache, cacheLimits, type DataKeyCacheOptions } from "../src/cache.js";
import { isOutage } from "../src/cache-failures.js";
import type { CacheLimits } from "../src/cache-options.js";
import { denied, FakeTime, outage, type Secret, settle } from "./cache-support.js";

const odd = new Error("what is this");
const gaveUp = new Error("gave up");
const FAILURES = [outage, denied, odd];

type Step =
  | {
      readonly do: "use";
      readonly key: string;
      readonly bytes: number;
      readonly callers: number;
      readonly abort: boolean;
    }
  | { readonly do: "useNow"; readonly key: string; readonly bytes: number }
  | { readonly do: "prewarm"; readonly key: string }
  | { readonly do: "answer"; readonly index: number; readonly failure: number | undefined }
  | { readonly do: "abort" | "clear" }
  | { readonly do: "advance" | "jump"; readonly ms: number };

const key = fc.constantFrom("a", "b", "c");
const bytes = fc.integer({ min: 0, max: 20 });
const oneOf = <const Name extends string>(name: Name): fc.Arbitrary<Name> => fc.constant(name);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: oneOf("use"),
      key,
      bytes,
      callers: fc.constantFrom(1, 1, 1, 2, 7),
      abort: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: oneOf("useNow"), key, bytes }) },
  { weight: 1, arbitrary: fc.record({ do: oneOf("prewarm"), key }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: oneOf("answer"),
      index: fc.nat(20),
      failure: fc.option(fc.nat(FAILURES.length - 1), { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("abort" as const, "clear" as const) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom("advance" as const, "advance" as const, "jump" as const),
      ms: fc.constantFrom(1, 10, 100, 250, 900, 1000, 2500),
    }),
  },
);

const options: fc.Arbitrary<{ readonly options: DataKeyCacheOptions; readonly isRoomy: boolean }> = fc
  .record({
    isRoomy: fc.boolean(),
    maxAgeMs: fc.constantFrom(100, 1000, 3000),
    maxMessages: fc.integer({ min: 1, max: 25 }),
    maxBytes: fc.integer({ min: 20, max: 200 }),
    maxEntries: fc.integer({ min: 1, max: 3 }),
    refreshPart: fc.constantFrom(0, 0.1, 0.5),
    graceMs: fc.constantFrom(0, 300, 2000),
    maxLoadsPerSecond: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
    maxLoadWaitMs: fc.constantFrom(0, 300, 5000),
    maxConcurrentLoads: fc.integer({ min: 1, max: 3 }),
    refusalMs: fc.constantFrom(0, 500),
  })
  .map(({ isRoomy, refreshPart, maxLoadsPerSecond, maxMessages, maxBytes, ...rest }) => ({
    isRoomy,
    options: {
      ...rest,
      refreshAheadMs: Math.floor(rest.maxAgeMs * refreshPart),
      ...(maxLoadsPerSecond !== undefined && { maxLoadsPerSecond }),
      ...(!isRoomy && { maxMessages, maxBytes }),
    },
  }));

interface Load {
  readonly key: string;
  /** How often the cache had been cleared when the call was made whose load this is. */
  readonly epoch: number;
  readonly settle: (failure: Error | undefined) => void;
}

/** What of the outside is known of a key, to judge the cache by. */
interface KeyHistory {
  lastOutageMs: number;
  lastRefusalMs: number;
  lastArrivalMs: number;
}

/** Runs one interleaving, and checks at every moment what must hold. */
class Run {
  readonly time = new FakeTime();
  readonly secrets: Secret[] = [];
  readonly loads: Load[] = [];
  readonly begun: number[] = [];
  readonly calls: Promise<void>[] = [];
  readonly history = new Map<string, KeyHistory>();
  readonly used = new Map<number, { messages: number; bytes: number }>();
  readonly cache: BoundedCache<Secret>;
  readonly #limits: CacheLimits;
  readonly #isRoomy: boolean;
  #controller = new AbortController();
  #epoch = 0;
  #faults: string[] = [];
  settledCalls = 0;

  constructor(cacheOptions: DataKeyCacheOptions, isRoomy: boolean) {
    this.#limits = cacheLimits(cacheOptions);
    this.#isRoomy = isRoomy;
    const wipe = (secret: Secret): void => {
      secret.wiped += 1;
    };
    this.cache = new BoundedCache(this.#limits, wipe, { clock: this.time, setTimer: this.time.setTimer });
  }

  async take(command: Step): Promise<void> {
    if (command.do === "use") this.#use(command);
    else if (command.do === "useNow") {
      this.cache.useNow(command.key, command.bytes, (secret, length) => this.#check(secret, length), command.bytes);
    } else if (command.do === "prewarm") {
      this.#follow(this.cache.prewarm(command.key, this.#loader(command.key), this.#controller.signal));
    } else if (command.do === "answer") {
      const load = this.loads[command.index % Math.max(1, this.loads.length)];
      load?.settle(command.failure === undefined ? undefined : FAILURES[command.failure]);
    } else if (command.do === "abort") {
      this.#controller.abort(gaveUp);
      this.#controller = new AbortController();
    } else if (command.do === "clear") {
      this.#epoch += 1;
      this.cache.clear();
    } else if (command.do === "jump") this.time.jump(command.ms);
    else if (command.do === "advance") await this.time.advance(command.ms);
    await settle();
    if (command.do === "advance") this.#checkWiped();
    this.#checkCounts();
  }

  /** Answers all, lets time pass, and checks that every call has ended and every secret is wiped. */
  async end(closeFirst: boolean): Promise<void> {
    const answerAll = async (): Promise<void> => {
      for (let round = 0; this.settledCalls < this.calls.length || this.loads.length > 0; round++) {
        if (round > 500) throw new Error("calls that never end");
        for (const load of [...this.loads]) load.settle(undefined);
        await this.time.advance(100);
        this.#checkCounts();
      }
    };
    if (!closeFirst) await answerAll();
    this.cache.close();
    await answerAll();
    await Promise.all(this.calls);
    expect(this.secrets.map((secret) => secret.wiped)).toEqual(this.secrets.map(() => 1));
    expect(this.cache.stats()).toMatchObject({ entries: 0, waiting: 0, loading: 0 });
    expect(this.time.timers.length).toBeLessThanOrEqual(1);
    expect(this.#faults).toEqual([]);
  }

  #use(command: Step & { do: "use" }): void {
    const signal = command.abort ? this.#controller.signal : undefined;
    const load = this.#loader(command.key);
    const use = (secret: Secret): boolean => this.#check(secret, command.bytes);
    for (let i = 0; i < command.callers; i++) {
      this.#follow(this.cache.use(command.key, command.bytes, load, use, signal));
    }
  }

  #follow(call: Promise<unknown>): void {
    const end = (): void => {
      this.settledCalls += 1;
    };
    const failed = (error: Error & { code?: string }): void => {
      end();
      const isKnown = [outage, denied, odd, gaveUp].includes(error);
      if (!isKnown && error.code !== "ERR_THROTTLED" && error.code !== "ERR_CLOSED") this.#faults.push(String(error));
    };
    this.calls.push(call.then(end, failed));
  }

  /** Judges a use of a secret at the moment when it is used. */
  #check(secret: Secret, length: number): boolean {
    const now = this.time.now();
    const { maxAgeMs, graceMs, maxMessages, maxBytes } = this.#limits;
    if (secret.wiped > 0) this.#faults.push("a wiped secret was used");
    const expiresAtMs = secret.arrivedAtMs + maxAgeMs;
    if (now >= expiresAtMs + graceMs) this.#faults.push("used past age and grace");
    else if (now >= expiresAtMs) {
      const known = this.#historyOf(secret.key);
      const isThrottled = this.#limits.maxLoadsPerSecond !== Number.POSITIVE_INFINITY;
      if (known.lastOutageMs < secret.arrivedAtMs && !isThrottled) this.#faults.push("grace without an outage");
      if (known.lastRefusalMs > secret.arrivedAtMs) this.#faults.push("grace after a refusal");
    }
    const use = this.used.get(secret.id) ?? { messages: 0, bytes: 0 };
    use.messages += 1;
    use.bytes += length;
    this.used.set(secret.id, use);
    if (use.messages > maxMessages) this.#faults.push("more messages than the limit");
    if (use.bytes > maxBytes) this.#faults.push("more bytes than the limit");
    return true;
  }

  /** A value whose time is over is gone within a second, also when nobody calls. */
  #checkWiped(): void {
    const over = this.time.now() - this.#limits.maxAgeMs - this.#limits.graceMs - 1000;
    for (const secret of this.secrets) {
      if (secret.arrivedAtMs <= over && secret.wiped === 0) this.#faults.push("not wiped at its age");
    }
  }

  #checkCounts(): void {
    const { maxConcurrentLoads, maxEntries } = this.#limits;
    if (this.loads.length > maxConcurrentLoads) this.#faults.push("more loads at once than the limit");
    const stats = this.cache.stats();
    if (stats.entries > maxEntries) this.#faults.push("more entries than the limit");
    if (stats.loading !== this.loads.length) this.#faults.push("stats count other loads");
    if (stats.loads + stats.refreshes !== this.begun.length) this.#faults.push("stats counted other loads");
    for (const secret of this.secrets) if (secret.wiped > 1) this.#faults.push("wiped twice");
  }

  #loader(name: string): () => Promise<Secret> {
    const epoch = this.#epoch;
    return () => this.#load(name, epoch);
  }

  #load(name: string, epoch: number): Promise<Secret> {
    const now = this.time.now();
    this.#checkBudget(now);
    const known = this.#historyOf(name);
    if (this.#isRoomy) {
      // Nothing is ever used up, so that no second load of a key is needed while one is under way.
      if (this.loads.some((load) => load.key === name && load.epoch === epoch)) this.#faults.push("two flights");
      const isRefused = known.lastRefusalMs > known.lastArrivalMs && now < known.lastRefusalMs + this.#limits.refusalMs;
      // There are three keys: with fewer places, one refusal makes the cache forget another.
      const isKept = this.#limits.maxEntries >= 3 && epoch === this.#epoch;
      if (isRefused && isKept) this.#faults.push("asked again after a refusal");
    }
    return new Promise((resolve, reject) => {
      const load: Load = {
        key: name,
        epoch,
        settle: (failure) => {
          this.loads.splice(this.loads.indexOf(load), 1);
          const at = this.time.now();
          if (failure === undefined) {
            const secret: Secret = { id: this.secrets.length, key: name, arrivedAtMs: at, wiped: 0 };
            this.secrets.push(secret);
            if (epoch === this.#epoch) known.lastArrivalMs = at;
            resolve(secret);
            return;
          }
          if (isOutage(failure)) known.lastOutageMs = at;
          // What began before the cache was cleared says nothing of what is cached now.
          else if (epoch === this.#epoch && failure === denied) known.lastRefusalMs = at;
          reject(failure);
        },
      };
      this.loads.push(load);
    });
  }

  /** In any stretch of time no more loads than the burst and what it has earned. */
  #checkBudget(now: number): void {
    this.begun.push(now);
    const perSecond = this.#limits.maxLoadsPerSecond;
    for (let first = 0; first < this.begun.length; first++) {
      const earned = perSecond + ((now - (this.begun[first] as number)) * perSecond) / 1000;
      if (this.begun.length - first > earned + 1e-6) this.#faults.push("more loads a second than the budget");
    }
  }

  #historyOf(name: string): KeyHistory {
    let known = this.history.get(name);
    if (known === undefined) {
      const never = Number.NEGATIVE_INFINITY;
      known = { lastOutageMs: never, lastRefusalMs: never, lastArrivalMs: never };
      this.history.set(name, known);
    }
    return known;
  }
}

test("any interleaving: ages, limits, budgets and wiping hold, and every call ends", async () => {
  await fc.assert(
    fc.asyncProperty(
      options,
      fc.array(step, { minLength: 5, maxLength: 60 }),
      fc.boolean(),
      async (bounds, steps, closeFirst) => {
        const run = new Run(bounds.options, bounds.isRoomy);
        for (const command of steps) await run.take(command);
        await run.end(closeFirst);
      },
    ),
    { numRuns: 300 },
  );
});
