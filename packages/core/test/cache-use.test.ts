// The rest of the data-key cache: the synchronous path, prewarming, clearing, closing, wiping, and what it tells.
import { describe, expect, test } from "vitest";
import { BoundedCache, type CacheSurroundings, cacheLimits, type DataKeyCacheOptions } from "../src/cache.js";
import type { CacheEvent } from "../src/cache-stats.js";
import { benchOf, denied, FakeTime, idOf, outage, type Secret, settle } from "./cache-support.js";
import { refusal } from "./support.js";

const wipedOf = (secrets: readonly Secret[]): number[] => secrets.map((secret) => secret.wiped);

describe("the synchronous path", () => {
  test("uses what is cached with room, and nothing else", async () => {
    const { time, cache, use, useNow } = benchOf({ maxAgeMs: 1000, refreshAheadMs: 0, maxMessages: 3, maxBytes: 100 });
    expect(useNow()).toBe(undefined);
    await use();
    expect(useNow("other")).toBe(undefined);
    expect(useNow("k", 101)).toBe(undefined);
    expect(useNow("k", 100)).toBe(0);
    expect(useNow("k", 1)).toBe(undefined);
    expect(useNow("k", 0)).toBe(0);
    expect(useNow("k", 0)).toBe(undefined);
    expect(cache.stats().hits).toBe(2);
    expect(await use()).toBe(1);
    time.jump(999);
    expect(useNow()).toBe(1);
    time.jump(1);
    expect(useNow()).toBe(undefined);
    expect(await use()).toBe(2);
    cache.close();
    expect(useNow()).toBe(undefined);
  });

  test("hands its argument on, and what the use throws", async () => {
    const { cache, use } = benchOf({ maxAgeMs: 1000 });
    await use();
    expect(cache.useNow("k", 0, (secret, text: string) => `${text} ${secret.id}`, "id")).toBe("id 0");
    const fail = (): number => {
      throw new Error("of the use");
    };
    expect(() => cache.useNow("k", 0, fail, undefined)).toThrow("of the use");
    cache.close();
  });
});

describe("prewarm", () => {
  test("loads what is absent, once, without using up a message", async () => {
    const { source, cache, useNow, use } = benchOf({ maxAgeMs: 1000, maxMessages: 2 });
    const load = source.loader("k");
    await Promise.all([cache.prewarm("k", load), cache.prewarm("k", load)]);
    await cache.prewarm("k", load);
    expect(source.loads).toBe(1);
    expect([useNow(), useNow(), useNow()]).toEqual([0, 0, undefined]);
    await cache.prewarm("k", load);
    expect(source.loads).toBe(2);
    expect(await use()).toBe(1);
    expect(cache.stats()).toMatchObject({ misses: 0, hits: 3, loads: 2 });
  });

  test("fails as its load does; who gives up ends it for nobody", async () => {
    const { source, cache, use } = benchOf({ maxAgeMs: 1000 });
    source.answer = outage;
    await expect(cache.prewarm("k", source.loader("k"))).rejects.toBe(outage);
    source.answer = undefined;
    const controller = new AbortController();
    const gaveUp = expect(cache.prewarm("k", source.loader("k"), controller.signal)).rejects.toThrow("enough");
    const waiting = use();
    controller.abort(new Error("enough"));
    await gaveUp;
    await source.giveAll();
    expect(await waiting).toBe(0);
    expect(source.loads).toBe(2);
    cache.close();
    await refusal(cache.prewarm("k", source.loader("k")), "ERR_CLOSED");
  });
});

describe("clear and close", () => {
  test("clear wipes, keeps working, and keeps nothing that was under way", async () => {
    const { source, cache, use, useNow } = benchOf({ maxAgeMs: 1000, maxConcurrentLoads: 1 });
    await use("a");
    await use("b");
    source.answer = undefined;
    const [underWay, queued] = [use("c"), use("d")];
    await settle();
    cache.clear();
    expect(wipedOf(source.secrets)).toEqual([1, 1]);
    expect(cache.stats()).toMatchObject({ entries: 0, evictions: { cleared: 2 } });
    const after = use("c");
    await source.giveAll();
    expect(await Promise.all([underWay, queued, after])).toEqual([2, 3, 4]);
    expect(wipedOf(source.secrets)).toEqual([1, 1, 1, 1, 0]);
    expect(useNow("c")).toBe(4);
    expect(useNow("d")).toBe(undefined);
  });

  test("a refresh under way when it is cleared is wiped when it arrives, and one that waits never begins", async () => {
    const { time, source, cache, use } = benchOf({ maxAgeMs: 1000, refreshAheadMs: 500, maxConcurrentLoads: 1 });
    await use("a");
    await use("b");
    await time.advance(500);
    source.answer = undefined;
    await use("a");
    await use("b");
    expect(cache.stats()).toMatchObject({ loading: 1, waiting: 1 });
    cache.clear();
    await source.giveAll();
    expect(source.loads).toBe(3);
    expect(wipedOf(source.secrets)).toEqual([1, 1, 1]);
    expect(cache.stats()).toMatchObject({ loading: 0, waiting: 0, throttled: 0, refreshFailures: 0 });
  });

  test("close rejects the loads that wait, and wipes those that arrive", async () => {
    const { source, cache, use } = benchOf({ maxAgeMs: 1000, maxConcurrentLoads: 1 });
    source.answer = undefined;
    const underWay = use("a");
    const queued = Promise.all([refusal(use("b"), "ERR_CLOSED"), refusal(use("b"), "ERR_CLOSED")]);
    await settle();
    cache.close();
    await queued;
    await source.giveAll();
    expect(await underWay).toBe(0);
    expect(source.loads).toBe(1);
    expect(wipedOf(source.secrets)).toEqual([1]);
    await refusal(use("a"), "ERR_CLOSED");
    cache.close();
    expect(wipedOf(source.secrets)).toEqual([1]);
  });

  test("nothing is wiped under a user's hands, even when the user clears", async () => {
    const { source, cache, use } = benchOf({ maxAgeMs: 1000 });
    await use();
    const clearing = (secret: Secret): number => {
      cache.clear();
      return idOf(secret);
    };
    expect(cache.useNow("k", 0, clearing, undefined)).toBe(0);
    expect(await cache.use("k", 0, source.loader("k"), clearing, undefined)).toBe(1);
    expect(await use()).toBe(2);
    expect(await cache.use("k", 0, source.loader("k"), clearing, undefined)).toBe(2);
    expect(wipedOf(source.secrets)).toEqual([1, 1, 1]);
  });
});

describe("age", () => {
  test("values are wiped when their age is reached though nobody calls, with one timer for all", async () => {
    const { time, source, cache, use } = benchOf({ maxAgeMs: 5000, maxEntries: 5000 });
    for (let i = 0; i < 1000; i++) {
      await use(`k${i}`);
      time.jump(1);
    }
    expect(time.timers.length).toBe(1);
    // The last began at 999 ms.
    await time.advance(4000);
    expect(source.secrets[0]?.wiped).toBe(1);
    for (let passed = 0; passed < 1000; passed += 50) {
      const late = source.secrets.filter((secret) => secret.arrivedAtMs + 6000 <= time.now() && secret.wiped === 0);
      expect(late).toEqual([]);
      await time.advance(50);
    }
    await time.advance(250);
    expect(source.secrets.every((secret) => secret.wiped === 1)).toBe(true);
    expect(cache.stats()).toMatchObject({ entries: 0, evictions: { age: 1000 } });
    expect(time.timers.length).toBe(0);
    await use("again");
    expect(time.timers.length).toBe(1);
    cache.close();
    expect(time.timers.length).toBe(0);
  });

  test("an age longer than timers can be", async () => {
    const cache = new BoundedCache<Secret>(cacheLimits({ maxAgeMs: 2 ** 31 - 1, graceMs: 2 ** 31 - 1 }), () => {});
    const { source } = benchOf({ maxAgeMs: 1 });
    const before = process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    await cache.prewarm("k", source.loader("k"));
    expect(process.getActiveResourcesInfo().filter((name) => name === "Timeout").length).toBe(before);
    await settle();
    expect(cache.stats().entries).toBe(1);
    cache.close();
  });
});

describe("what a cache tells", () => {
  test("every event, with its reason", async () => {
    const events: string[] = [];
    const listener = (event: CacheEvent): void => {
      events.push("reason" in event ? `${event.type} ${event.reason}` : event.type);
    };
    const time = new FakeTime();
    const surroundings: CacheSurroundings = { listener, clock: time, setTimer: time.setTimer };
    const told = (): string[] => events.splice(0);
    const { source, cache, use, useNow } = benchOf(
      { maxAgeMs: 1000, refreshAheadMs: 100, graceMs: 5000, maxEntries: 1, maxMessages: 5, maxBytes: 10 },
      surroundings,
    );
    await use();
    expect(told()).toEqual(["load", "miss"]);
    useNow();
    await use();
    expect(told()).toEqual(["hit", "hit"]);
    await use("other");
    expect(told()).toEqual(["load", "miss", "evicted capacity"]);
    for (let i = 0; i < 5; i++) await use("other");
    expect(told()).toEqual(["hit", "hit", "hit", "hit", "evicted messages", "load", "miss"]);
    await use("other", 10);
    await use("other", 1);
    expect(told()).toEqual(["hit", "evicted bytes", "load", "miss"]);
    cache.clear();
    expect(told()).toEqual(["evicted cleared"]);
    await use();
    time.jump(900);
    told();
    source.answer = outage;
    await use();
    await settle();
    expect(told()).toEqual(["hit", "refresh", "refresh-failed"]);
    time.jump(1100);
    await use();
    expect(told()).toEqual(["load", "miss", "load-failed", "grace"]);
    time.jump(1000);
    source.answer = denied;
    await expect(use()).rejects.toBe(denied);
    await expect(use()).rejects.toBe(denied);
    expect(told()).toEqual(["load", "miss", "evicted age", "load-failed", "refusal"]);
  });

  test("a listener that throws, rejects or clears the cache breaks nothing", async () => {
    const options: DataKeyCacheOptions = { maxAgeMs: 1000, maxEntries: 2, maxMessages: 20 };
    const meddle: { clear: () => void } = { clear: () => {} };
    const listeners: readonly ((event: CacheEvent) => void)[] = [
      () => {
        throw new Error("of the listener");
      },
      async () => {
        throw new Error("of the listener");
      },
      () => meddle.clear(),
    ];
    for (const listener of listeners) {
      const { time, source, cache, use, useNow } = benchOf(options, { listener });
      meddle.clear = () => cache.clear();
      for (let i = 0; i < 100; i++) {
        const key = `k${i % 3}`;
        // The use itself fails when it is given a wiped secret.
        const ids = await Promise.all([use(key), use(key), use(key)]);
        for (const id of [...ids, useNow(key)]) if (id !== undefined) expect(source.secrets[id]?.key).toBe(key);
        if (i % 10 === 0) await time.advance(300);
      }
      cache.close();
      await settle();
      expect(source.secrets.every((secret) => secret.wiped === 1)).toBe(true);
    }
  });

  test("a use that can never be served is refused, not loaded for ever", async () => {
    const { source, cache, use } = benchOf({ maxAgeMs: 1000, maxBytes: 10 });
    expect([cache.admits(10), cache.admits(11)]).toEqual([true, false]);
    await expect(use("k", 11)).rejects.toMatchObject({ name: "RangeError", code: "ERR_ARGUMENT" });
    expect(source.loads).toBe(0);
  });
});

describe("options", () => {
  test("defaults", () => {
    expect(cacheLimits({ maxAgeMs: 60_000 })).toEqual({
      maxAgeMs: 60_000,
      maxMessages: 2 ** 32,
      maxBytes: Number.MAX_SAFE_INTEGER,
      maxEntries: 1000,
      refreshAheadMs: 6000,
      graceMs: 0,
      maxLoadsPerSecond: Number.POSITIVE_INFINITY,
      maxLoadWaitMs: 5000,
      maxConcurrentLoads: 32,
      refusalMs: 1000,
    });
    expect(cacheLimits({ maxAgeMs: 1 }).refreshAheadMs).toBe(0);
  });

  test("what cannot be is refused", () => {
    const wrong: readonly object[] = [
      {},
      { maxAgeMs: 0 },
      { maxAgeMs: 1000, refreshAheadMs: 501 },
      { maxAgeMs: 1000, refreshAheadMs: -1 },
      { maxAgeMs: 1000, graceMs: -1 },
      { maxAgeMs: 1000, graceMs: 0.5 },
      { maxAgeMs: 1000, maxLoadsPerSecond: 0 },
      { maxAgeMs: 1000, maxLoadsPerSecond: Number.POSITIVE_INFINITY },
      { maxAgeMs: 1000, maxLoadWaitMs: -1 },
      { maxAgeMs: 1000, maxConcurrentLoads: 0 },
      { maxAgeMs: 1000, refusalMs: Number.NaN },
      { maxAgeMs: 1000, graceMS: 5 },
    ];
    for (const options of wrong) {
      expect(() => cacheLimits(options as DataKeyCacheOptions)).toThrow(
        expect.objectContaining({ code: "ERR_ARGUMENT" }),
      );
    }
  });
});
