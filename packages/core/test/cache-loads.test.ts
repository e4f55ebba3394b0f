// The queue of loads: one flight per key, so many at the same time, so many a second, in order.
import { describe, expect, test } from "vitest";
import { cacheLimits } from "../src/cache.js";
import { LoadQueue } from "../src/cache-loads.js";
import { benchOf, FakeTime, outage, settle } from "./cache-support.js";
import { refusal } from "./support.js";

describe("loads of the data-key cache", () => {
  test("a cold burst of 3,000 calls makes one load; who gives up ends it for nobody", async () => {
    const { source, cache, use } = benchOf({ maxAgeMs: 10_000 });
    source.answer = undefined;
    const controller = new AbortController();
    const calls = Array.from({ length: 3000 }, (_value, i) => use("k", 1, i % 3 === 0 ? controller.signal : undefined));
    const settled = Promise.allSettled(calls);
    controller.abort(new Error("enough"));
    await settle();
    await source.giveAll();
    const results = await settled;
    expect(results.filter((result) => result.status === "fulfilled").length).toBe(2000);
    expect(source.loads).toBe(1);
    expect(cache.stats()).toMatchObject({ hits: 0, misses: 3000, loads: 1, waiting: 0, loading: 0 });
    cache.close();
    expect(source.secrets.map((secret) => secret.wiped)).toEqual([1]);
  });

  test("so many at the same time, in order of arrival, without a bound on waiting", async () => {
    const { time, source, cache, use } = benchOf({ maxAgeMs: 10_000, maxConcurrentLoads: 2, maxLoadWaitMs: 1 });
    source.answer = undefined;
    const failed = expect(use("a")).rejects.toBe(outage);
    const calls = ["b", "c", "d", "e"].map((key) => use(key));
    await settle();
    expect(source.pending.map((load) => load.key)).toEqual(["a", "b"]);
    expect(cache.stats()).toMatchObject({ waiting: 3, loading: 2 });
    source.pending[1]?.give();
    await settle();
    expect(source.pending.map((load) => load.key)).toEqual(["a", "c"]);
    source.pending[0]?.fail(outage);
    await settle();
    await failed;
    expect(source.pending.map((load) => load.key)).toEqual(["c", "d"]);
    await time.advance(60_000);
    await source.giveAll();
    expect(await Promise.all(calls)).toEqual([0, 1, 2, 3]);
  });

  test("so many a second: callers wait in order, and no longer than they may", async () => {
    const { time, source, cache, use } = benchOf({ maxAgeMs: 60_000, maxLoadsPerSecond: 4, maxLoadWaitMs: 600 });
    const start = time.now();
    const order: string[] = [];
    const outcomes = ["a", "b", "c", "d", "e", "f", "g"].map((key) =>
      use(key).then(
        () => order.push(key),
        (error: { code: string; retryable: boolean }) => order.push(`${key} ${error.code} ${error.retryable}`),
      ),
    );
    await settle();
    expect(source.loads).toBe(4);
    await time.advance(2000);
    await Promise.all(outcomes);
    expect(source.begun.map((at) => at - start)).toEqual([0, 0, 0, 0, 250, 500]);
    expect(order).toEqual(["a", "b", "c", "d", "e", "f", "g ERR_THROTTLED true"]);
    expect(cache.stats()).toMatchObject({ loads: 6, loadFailures: 0, throttled: 1 });
  });

  test("no waiting at all is possible too", async () => {
    const { use } = benchOf({ maxAgeMs: 60_000, maxLoadsPerSecond: 1, maxLoadWaitMs: 0 });
    expect(await use("a")).toBe(0);
    await refusal(use("b"), "ERR_THROTTLED");
    expect(await use("a")).toBe(0);
  });

  test("refreshes go after callers, and a caller who needs one moves it to the callers", async () => {
    const { time, source, cache, use } = benchOf({
      maxAgeMs: 10_000,
      maxMessages: 2,
      refreshAheadMs: 5000,
      maxConcurrentLoads: 1,
    });
    await use("old");
    await use("idle");
    await time.advance(5000);
    source.answer = undefined;
    const busy = use("busy");
    expect(await use("old")).toBe(0);
    expect(await use("idle")).toBe(1);
    const callers = [use("x")];
    await settle();
    // Both keys are used up: one caller needs a refresh that waits behind all callers.
    callers.push(use("idle"), use("y"));
    await settle();
    const order: string[] = [];
    while (source.pending.length > 0) {
      expect(source.pending.length).toBe(1);
      order.push(source.pending[0]?.key ?? "");
      source.pending[0]?.give();
      await settle();
    }
    expect(order).toEqual(["busy", "x", "idle", "y", "old"]);
    await Promise.all([busy, ...callers]);
    expect(cache.stats()).toMatchObject({ refreshes: 2, loads: 5 });
  });

  test("prewarm takes from the same budget", async () => {
    const { time, source, cache, use } = benchOf({ maxAgeMs: 60_000, maxLoadsPerSecond: 2 });
    const start = time.now();
    const all = [..."abcd"].map((key) => cache.prewarm(key, source.loader(key)));
    const last = use("e");
    await time.advance(5000);
    await Promise.all([...all, last]);
    expect(source.begun.map((at) => at - start)).toEqual([0, 0, 500, 1000, 1500]);
  });

  test("a load that waits is given up with its last caller, and costs nothing", async () => {
    const { source, use } = benchOf({ maxAgeMs: 10_000, maxConcurrentLoads: 1 });
    source.answer = undefined;
    const first = use("a");
    const controller = new AbortController();
    const gaveUp = use("b", 0, controller.signal);
    await settle();
    controller.abort(new Error("enough"));
    await expect(gaveUp).rejects.toThrow("enough");
    await source.giveAll();
    await first;
    expect(source.loads).toBe(1);
    const again = use("b");
    await settle();
    await source.giveAll();
    expect(await again).toBe(1);
  });

  test("a load that throws instead of rejecting is a failed load, and gives its place back", async () => {
    const { source, cache, use } = benchOf({ maxAgeMs: 10_000, maxConcurrentLoads: 1 });
    const broken = (): Promise<never> => {
      throw new Error("broken");
    };
    await expect(cache.use("k", 0, broken, () => 1, undefined)).rejects.toThrow("broken");
    expect(await use("k")).toBe(0);
    expect(source.loads).toBe(1);
  });

  test("one queue may serve two caches and what goes past them, and they share its budget", async () => {
    const time = new FakeTime();
    const limits = cacheLimits({ maxAgeMs: 60_000, maxLoadsPerSecond: 2 });
    const loads = new LoadQueue(limits, { clock: time, setTimer: time.setTimer });
    const options = { maxAgeMs: 60_000 };
    const surroundings = { clock: time, setTimer: time.setTimer, loads };
    const [sealing, opening] = [benchOf(options, surroundings), benchOf(options, surroundings)];
    await sealing.use("a");
    await opening.use("a");
    let passed = false;
    const past = loads.run(async () => {
      passed = true;
    });
    const waiting = sealing.use("b");
    await settle();
    expect(sealing.source.loads).toBe(1);
    expect(passed).toBe(false);
    await time.advance(500);
    await past;
    opening.cache.close();
    await time.advance(500);
    expect(await waiting).toBe(1);
  });
});
