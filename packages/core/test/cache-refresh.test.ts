// Refreshing ahead, grace while the provider is down, and refusals that are remembered.
import { AggregateUnwrapError, FengniError } from "@fengni/core";
import { describe, expect, test } from "vitest";
import { CACHE_GRACE_RETRY_MS } from "../src/cache-entry.js";
import { benchOf, denied, outage, settle } from "./cache-support.js";

describe("refreshing ahead", () => {
  test("a key in use is replaced before its age is reached; callers never wait", async () => {
    const { time, source, cache, use, useNow } = benchOf({ maxAgeMs: 10_000 });
    expect(await use()).toBe(0);
    await time.advance(8999);
    expect(useNow()).toBe(0);
    await time.advance(1);
    source.answer = undefined;
    // The synchronous path has no way to load: it hands over to the other, once.
    expect(useNow()).toBe(undefined);
    expect(await use()).toBe(0);
    expect(source.loads).toBe(2);
    for (let i = 0; i < 100; i++) expect(useNow()).toBe(0);
    expect(await use()).toBe(0);
    expect(source.loads).toBe(2);
    await source.giveAll();
    expect(useNow()).toBe(1);
    expect(source.secrets.map((secret) => secret.wiped)).toEqual([1, 0]);
    expect(cache.stats()).toMatchObject({ entries: 1, misses: 1, loads: 1, refreshes: 1, refreshFailures: 0 });
    expect(cache.stats().evictions.replaced).toBe(1);
    // The new one has an age of its own.
    await time.advance(8999);
    expect(useNow()).toBe(1);
  });

  test("an idle key is not refreshed, and 0 turns refreshing off", async () => {
    const idle = benchOf({ maxAgeMs: 10_000 });
    await idle.use();
    await idle.time.advance(20_000);
    expect(idle.source.loads).toBe(1);
    const off = benchOf({ maxAgeMs: 10_000, refreshAheadMs: 0, maxMessages: 100 });
    for (let i = 0; i < 100; i++) expect(await off.use()).toBe(0);
    await off.time.advance(9999);
    expect(await off.use()).toBe(1);
    expect(off.source.loads).toBe(2);
  });

  test("a key with few messages or bytes left is refreshed, and never passes its limits", async () => {
    for (const [maxMessages, maxBytes, bytes] of [
      [100, 1e9, 0],
      [1e9, 1000, 10],
    ] as const) {
      const { source, use } = benchOf({ maxAgeMs: 10_000, maxMessages, maxBytes });
      for (let i = 0; i < 90; i++) await use("k", bytes);
      expect(source.loads).toBe(1);
      source.answer = undefined;
      for (let i = 90; i < 100; i++) expect(await use("k", bytes)).toBe(0);
      expect(source.loads).toBe(2);
      // The old one is used up: this caller waits for the refresh that is under way.
      const waiting = use("k", bytes);
      await settle();
      expect(source.loads).toBe(2);
      await source.giveAll();
      expect(await waiting).toBe(1);
    }
  });

  test("a refresh that fails is no caller's error, and is tried again after longer and longer pauses", async () => {
    const { time, source, cache, useNow, use } = benchOf({ maxAgeMs: 200_000, refreshAheadMs: 100_000 });
    await use();
    await time.advance(100_000);
    source.answer = outage;
    for (let ms = 0; ms < 40_000; ms += 100) {
      if (useNow() === undefined) expect(await use()).toBe(0);
      await settle();
      await time.advance(100);
    }
    const start = source.begun[1] as number;
    expect(source.begun.slice(1).map((at) => at - start)).toEqual([0, 1000, 3000, 7000, 15_000, 31_000]);
    expect(cache.stats()).toMatchObject({ refreshes: 6, refreshFailures: 6, loadFailures: 0 });
  });

  test("a refusal while refreshing: the cached key serves to the end of its age, and has no grace", async () => {
    const { time, source, use } = benchOf({ maxAgeMs: 10_000, graceMs: 60_000 });
    await use();
    await time.advance(9500);
    source.answer = denied;
    expect(await use()).toBe(0);
    await time.advance(499);
    expect(await use()).toBe(0);
    source.answer = outage;
    await time.advance(1);
    expect(source.secrets[0]?.wiped).toBe(1);
    await time.advance(1000);
    await expect(use()).rejects.toBe(outage);
  });
});

describe("grace", () => {
  test("serves past the age while the provider is down, asks now and then, and ends", async () => {
    const { time, source, cache, use, useNow } = benchOf({ maxAgeMs: 1000, refreshAheadMs: 0, graceMs: 5000 });
    await use();
    await time.advance(1000);
    source.answer = outage;
    expect(useNow()).toBe(undefined);
    expect(await Promise.all(Array.from({ length: 50 }, () => use()))).toEqual(Array.from({ length: 50 }, () => 0));
    expect(source.loads).toBe(2);
    for (let i = 0; i < 99; i++) {
      await time.advance(10);
      expect(await use()).toBe(0);
    }
    expect(source.loads).toBe(2);
    await time.advance(10);
    expect(await use()).toBe(0);
    expect(source.loads).toBe(3);
    expect(CACHE_GRACE_RETRY_MS).toBe(1000);
    expect(cache.stats().graceUses).toBe(150);
    await time.advance(3999);
    expect(await use()).toBe(0);
    expect(source.secrets[0]?.wiped).toBe(0);
    await time.advance(1);
    expect(source.secrets[0]?.wiped).toBe(1);
    await expect(use()).rejects.toBe(outage);
    expect(cache.stats().evictions.age).toBe(1);
  });

  test("the end of the grace holds also when timers come late", async () => {
    const { time, source, use } = benchOf({ maxAgeMs: 1000, refreshAheadMs: 0, graceMs: 500 });
    await use();
    source.answer = outage;
    time.jump(1499);
    expect(await use()).toBe(0);
    time.jump(1);
    await expect(use()).rejects.toBe(outage);
    expect(source.secrets[0]?.wiped).toBe(1);
  });

  test("a provider that hangs holds up one caller, not all, once it is known to be down", async () => {
    const { time, source, use } = benchOf({ maxAgeMs: 1000, refreshAheadMs: 0, graceMs: 60_000 });
    await use();
    await time.advance(1000);
    source.answer = outage;
    expect(await use()).toBe(0);
    source.answer = undefined;
    await time.advance(1000);
    const heldUp = use();
    await settle();
    expect(source.pending.length).toBe(1);
    for (let i = 0; i < 10; i++) expect(await use()).toBe(0);
    await source.giveAll();
    expect(await heldUp).toBe(1);
    expect(await use()).toBe(1);
    expect(source.secrets[0]?.wiped).toBe(1);
  });

  test("a refusal ends it at once", async () => {
    const { time, source, use } = benchOf({ maxAgeMs: 1000, refreshAheadMs: 0, graceMs: 60_000, refusalMs: 0 });
    await use();
    await time.advance(1000);
    source.answer = outage;
    expect(await use()).toBe(0);
    await time.advance(1000);
    source.answer = denied;
    await expect(use()).rejects.toBe(denied);
    expect(source.secrets[0]?.wiped).toBe(1);
    source.answer = outage;
    await expect(use()).rejects.toBe(outage);
  });

  test("which failures allow it", async () => {
    const attempts = (...errors: readonly Error[]): AggregateUnwrapError =>
      new AggregateUnwrapError(errors.map((error) => ({ providerId: "p", key: "k", error })));
    const cases: readonly (readonly [Error, boolean])[] = [
      [new FengniError("ERR_TIMEOUT", "late"), true],
      [new FengniError("ERR_THROTTLED", "too many"), true],
      [new FengniError("ERR_UNAVAILABLE", "down"), true],
      [Object.assign(new Error("try again"), { retryable: true }), true],
      [attempts(outage, outage), true],
      // One key answered with a refusal: what another might have said does not make up for it.
      [attempts(outage, denied), false],
      [new Error("what is this"), false],
      [new FengniError("ERR_KEY_STATE", "disabled"), false],
      [new FengniError("ERR_AUTHENTICATION", "no"), false],
      [denied, false],
    ];
    for (const [error, serves] of cases) {
      const { time, source, use } = benchOf({ maxAgeMs: 1000, refreshAheadMs: 0, graceMs: 5000 });
      await use();
      await time.advance(1000);
      source.answer = error;
      if (serves) expect(await use()).toBe(0);
      else await expect(use()).rejects.toBe(error);
      expect(source.secrets[0]?.wiped).toBe(serves ? 0 : 1);
    }
  });

  test("is off unless asked for; limits of messages hold in it; who gave up is not served", async () => {
    const off = benchOf({ maxAgeMs: 1000, refreshAheadMs: 0 });
    await off.use();
    await off.time.advance(1000);
    off.source.answer = outage;
    await expect(off.use()).rejects.toBe(outage);

    const { time, source, use } = benchOf({ maxAgeMs: 1000, refreshAheadMs: 0, graceMs: 5000, maxMessages: 3 });
    await use();
    await time.advance(1000);
    source.answer = undefined;
    const controller = new AbortController();
    const gaveUp = expect(use("k", 0, controller.signal)).rejects.toBe(outage);
    await settle();
    controller.abort(outage);
    await source.failAll(outage);
    await gaveUp;
    source.answer = outage;
    expect(await use()).toBe(0);
    expect(await use()).toBe(0);
    await expect(use()).rejects.toBe(outage);
    expect(source.secrets[0]?.wiped).toBe(1);
  });
});

describe("refusals", () => {
  test("are remembered for a while, per key, and forgotten by clear", async () => {
    const { time, source, cache, use } = benchOf({ maxAgeMs: 10_000 });
    source.answer = denied;
    for (let i = 0; i < 5; i++) await expect(use()).rejects.toBe(denied);
    await expect(cache.prewarm("k", source.loader("k"))).rejects.toBe(denied);
    expect(source.loads).toBe(1);
    expect(cache.stats()).toMatchObject({ refusalHits: 5, misses: 1, loadFailures: 1 });
    await expect(use("other")).rejects.toBe(denied);
    expect(source.loads).toBe(2);
    await time.advance(999);
    await expect(use()).rejects.toBe(denied);
    expect(source.loads).toBe(2);
    source.answer = "at once";
    await time.advance(1);
    expect(await use()).toBe(0);
    source.answer = denied;
    await expect(use("third")).rejects.toBe(denied);
    cache.clear();
    source.answer = "at once";
    expect(await use("third")).toBe(1);
  });

  test("only refusals are, and only while that is on", async () => {
    for (const [error, refusalMs] of [
      [outage, 1000],
      [new Error("what is this"), 1000],
      [denied, 0],
    ] as const) {
      const { source, use } = benchOf({ maxAgeMs: 10_000, refusalMs });
      source.answer = error;
      await expect(use()).rejects.toBe(error);
      await expect(use()).rejects.toBe(error);
      expect(source.loads).toBe(2);
    }
  });

  test("are bounded in number", async () => {
    const { source, use } = benchOf({ maxAgeMs: 10_000, maxEntries: 3, refusalMs: 60_000 });
    source.answer = denied;
    for (let i = 0; i < 4; i++) await expect(use(`k${i}`)).rejects.toBe(denied);
    for (let i = 1; i < 4; i++) await expect(use(`k${i}`)).rejects.toBe(denied);
    expect(source.loads).toBe(4);
    await expect(use("k0")).rejects.toBe(denied);
    expect(source.loads).toBe(5);
  });
});
