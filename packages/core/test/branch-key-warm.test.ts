// Branch keys that are held ready: for how long, for whom, used at once, and wiped.
import { BranchKeyring, type BranchKeyringOptions, type WarmBranchKey } from "@fengni/core";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FixedStore, versionOf } from "./branch-key-support.js";
import { refusal } from "./support.js";

const SALT = new Uint8Array(16).fill(3);
const derived = (key: WarmBranchKey): string => Buffer.from(key.derive("label", SALT, 32)).toString("hex");

function keyringOf(store: FixedStore, options: Partial<BranchKeyringOptions> = {}): BranchKeyring {
  return new BranchKeyring({ store, branchKeyIdFor: () => "a", ttlMs: 1000, refreshAheadMs: 0, ...options });
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("derive", () => {
  test("gives the same again, and another key for every other input", async () => {
    const store = new FixedStore();
    const keyring = keyringOf(store);
    const seen = new Set<string>();
    for (const id of ["a", "aa"]) {
      for (const version of [versionOf(1), versionOf(2)]) {
        await keyring.use(id, version, (key) => {
          expect([key.branchKeyId, key.version]).toEqual([id, version]);
          for (const label of ["x", "xy"]) {
            for (const salt of [SALT, new Uint8Array(0), new Uint8Array(17).fill(3)]) {
              const once = Buffer.from(key.derive(label, salt, 48)).toString("hex");
              expect(Buffer.from(key.derive(label, salt, 48)).toString("hex")).toBe(once);
              seen.add(once);
            }
          }
        });
      }
    }
    expect(seen.size).toBe(24);
  });

  test("ids and versions count beside the material", async () => {
    // One material for all, as a store that was tampered with might give.
    const store = new FixedStore();
    store.change = (answer) => ({ ...answer, material: new Uint8Array(32).fill(5) });
    const keyring = keyringOf(store);
    const keys = [await keyring.use("a", versionOf(1), derived), await keyring.use("b", versionOf(1), derived)];
    keys.push(await keyring.use("a", versionOf(2), derived));
    expect(new Set(keys).size).toBe(3);
  });

  test("refuses what it cannot do", async () => {
    await keyringOf(new FixedStore()).use("a", undefined, (key) => {
      expect(key.derive("x", SALT, 16_320).length).toBe(16_320);
      for (const length of [0, 16_321, 1.5]) expect(() => key.derive("x", SALT, length)).toThrow(RangeError);
      expect(() => key.derive("", SALT, 32)).toThrow(RangeError);
      expect(() => key.derive("x".repeat(65_536), SALT, 32)).toThrow(RangeError);
      expect(() => key.derive("x", new Uint8Array(65_536), 32)).toThrow(RangeError);
      expect(() => key.derive("x", "salt" as never, 32)).toThrow(TypeError);
    });
  });
});

describe("loading", () => {
  test("callers at the same time share one load, and the one who leaves does not end it", async () => {
    const store = new FixedStore();
    const keyring = keyringOf(store);
    let open = (): void => {};
    store.gate = new Promise((resolve) => {
      open = resolve;
    });
    const leaver = new AbortController();
    const left = keyring.use("a", undefined, derived, { signal: leaver.signal });
    const staying = Array.from({ length: 50 }, () => keyring.use("a", undefined, derived));
    const reason = new Error("enough");
    leaver.abort(reason);
    await expect(left).rejects.toBe(reason);
    open();
    expect(new Set(await Promise.all(staying)).size).toBe(1);
    expect(store.calls).toEqual(["active a"]);
    await expect(keyring.use("a", undefined, derived, { signal: leaver.signal })).rejects.toBe(reason);
  });

  test("the active version is asked for again when its time is over: that is when a rotation is seen", async () => {
    const store = new FixedStore();
    const keyring = keyringOf(store);
    const version = (key: WarmBranchKey): number => key.version[0] as number;
    expect(await keyring.use("a", undefined, version)).toBe(1);
    store.version = 2;
    await vi.advanceTimersByTimeAsync(999);
    expect(await keyring.use("a", undefined, version)).toBe(1);
    expect(store.calls.length).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(await keyring.use("a", undefined, version)).toBe(2);
    expect(store.calls).toEqual(["active a", "active a"]);
  });

  test("a version that was active needs no call of its own", async () => {
    const store = new FixedStore();
    const keyring = keyringOf(store);
    const sealed = await keyring.use("a", undefined, derived);
    expect(await keyring.use("a", versionOf(1), derived)).toBe(sealed);
    expect(store.calls).toEqual(["active a"]);
    expect(await keyring.use("a", versionOf(2), derived)).not.toBe(sealed);
    await keyring.use("a", versionOf(2), derived);
    expect(store.calls).toEqual(["active a", "2 a"]);
  });

  test("no version is used for longer than its time", async () => {
    const store = new FixedStore();
    const keyring = keyringOf(store);
    await keyring.use("a", versionOf(2), derived);
    await keyring.use("a", undefined, derived);
    await vi.advanceTimersByTimeAsync(1000);
    store.failure = new Error("disabled");
    await expect(keyring.use("a", undefined, derived)).rejects.toBe(store.failure);
    await expect(keyring.use("a", versionOf(1), derived)).rejects.toBe(store.failure);
    await expect(keyring.use("a", versionOf(2), derived)).rejects.toBe(store.failure);
  });

  test("holds no more than it may", async () => {
    const store = new FixedStore();
    const keyring = keyringOf(store, { maxEntries: 2 });
    for (const id of ["a", "b", "c"]) await keyring.use(id, undefined, derived);
    expect(["a", "b", "c"].map((id) => keyring.isWarm(id))).toEqual([false, true, true]);
    await keyring.use("a", undefined, derived);
    expect(store.calls.length).toBe(4);
  });

  test("counts what it holds and what it asked for", async () => {
    const store = new FixedStore();
    const keyring = keyringOf(store);
    expect(keyring.stats()).toMatchObject({ active: { entries: 0, loads: 0 }, versions: { entries: 0, loads: 0 } });
    await keyring.warm(["a", "b", { branchKeyId: "a", version: versionOf(2) }]);
    store.failure = new Error("down");
    await expect(keyring.warm(["c"])).rejects.toBe(store.failure);
    expect(keyring.stats().active).toMatchObject({ entries: 2, loads: 3, loadFailures: 1 });
    expect(keyring.stats().versions).toMatchObject({ entries: 1, loads: 1, loadFailures: 0 });
    await vi.advanceTimersByTimeAsync(1000);
    expect(keyring.stats()).toMatchObject({ active: { entries: 0 }, versions: { entries: 0 } });
  });

  test("a key in use is loaded anew before its time is over, and nobody waits", async () => {
    const store = new FixedStore();
    const keyring = keyringOf(store, { refreshAheadMs: 200 });
    const version = (key: WarmBranchKey): number => key.version[0] as number;
    await keyring.warm(["a", "unused"]);
    await vi.advanceTimersByTimeAsync(799);
    expect(keyring.useNow("a", undefined, version)).toBe(1);
    expect(store.calls.length).toBe(2);
    store.version = 2;
    await vi.advanceTimersByTimeAsync(1);
    // Used at once with what is there, and loaded in the background.
    expect(keyring.useNow("a", undefined, version)).toBe(1);
    await vi.advanceTimersByTimeAsync(0);
    expect(keyring.useNow("a", undefined, version)).toBe(2);
    await vi.advanceTimersByTimeAsync(300);
    expect([keyring.isWarm("a"), keyring.isWarm("unused")]).toEqual([true, false]);
    expect(store.calls).toEqual(["active a", "active unused", "active a"]);
    // What the function throws at such a moment is thrown too.
    await vi.advanceTimersByTimeAsync(500);
    const error = new Error("mine");
    const throwing = (): never => {
      throw error;
    };
    expect(() => keyring.useNow("a", undefined, throwing)).toThrow(error);
    await vi.advanceTimersByTimeAsync(0);
    expect(store.calls.length).toBe(4);
  });

  test("both kinds of keys share one budget of loads", async () => {
    const store = new FixedStore();
    const keyring = keyringOf(store, { maxLoadsPerSecond: 2, maxLoadWaitMs: 10 });
    await keyring.warm(["a", { branchKeyId: "a", version: versionOf(2) }]);
    const late = refusal(keyring.use("b", undefined, derived), "ERR_THROTTLED");
    await vi.advanceTimersByTimeAsync(10);
    await late;
    expect(store.calls).toEqual(["active a", "2 a"]);
  });

  test("refuses names that cannot be", async () => {
    const keyring = keyringOf(new FixedStore());
    await expect(keyring.use("", undefined, derived)).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
    await expect(keyring.use("a", new Uint8Array(15), derived)).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
    expect(() => keyring.useNow("x".repeat(257), undefined, derived)).toThrow(RangeError);
    await expect(keyring.warm(["a", ""])).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
  });
});

describe("use at once", () => {
  test("works with what is held ready, and says what to do otherwise", async () => {
    const store = new FixedStore();
    const keyring = keyringOf(store);
    const notWarm = expect.objectContaining({ code: "ERR_NOT_WARM", retryable: true, details: { name: "a" } });
    expect(() => keyring.useNow("a", undefined, derived)).toThrow(notWarm);
    expect(store.calls).toEqual([]);
    await keyring.warm(["a", { branchKeyId: "a", version: versionOf(2) }]);
    expect(store.calls).toEqual(["active a", "2 a"]);
    expect(keyring.useNow("a", undefined, derived)).toBe(keyring.useNow("a", versionOf(1), derived));
    expect(keyring.useNow("a", versionOf(2), derived)).toBe(await keyring.use("a", versionOf(2), derived));
    expect(() => keyring.useNow("a", versionOf(3), derived)).toThrow(notWarm);
    expect([keyring.isWarm("a"), keyring.isWarm("a", versionOf(2)), keyring.isWarm("a", versionOf(3))]).toEqual([
      true,
      true,
      false,
    ]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(keyring.isWarm("a")).toBe(false);
    expect(() => keyring.useNow("a", undefined, derived)).toThrow(notWarm);
  });

  test("what the function throws is thrown, and does not spoil what is held", async () => {
    const keyring = keyringOf(new FixedStore());
    await keyring.warm(["a"]);
    const error = new Error("mine");
    const throwing = (): never => {
      throw error;
    };
    expect(() => keyring.useNow("a", undefined, throwing)).toThrow(error);
    await expect(keyring.use("a", undefined, throwing)).rejects.toBe(error);
    expect(keyring.useNow("a", undefined, () => undefined)).toBeUndefined();
    expect(keyring.isWarm("a")).toBe(true);
  });

  test("a try at a key that is not ready does not disturb who loads it", async () => {
    const store = new FixedStore();
    const keyring = keyringOf(store);
    expect(keyring.isWarm("a")).toBe(false);
    const loading = keyring.use("a", undefined, derived);
    expect(keyring.isWarm("a")).toBe(false);
    expect(await loading).toBe(keyring.useNow("a", undefined, derived));
  });

  test("warm waits for all and tells of the first failure", async () => {
    const store = new FixedStore();
    const keyring = keyringOf(store);
    store.change = (answer) => (answer.branchKeyId === "b" ? { ...answer, branchKeyId: "x" } : answer);
    await refusal(keyring.warm(["a", "b", "c"]), "ERR_UNAVAILABLE");
    expect(["a", "b", "c"].map((id) => keyring.isWarm(id))).toEqual([true, false, true]);
  });
});

describe("wiping", () => {
  test("the store's material is wiped as soon as it was taken", async () => {
    const store = new FixedStore();
    const keyring = keyringOf(store);
    await keyring.warm(["a", { branchKeyId: "a", version: versionOf(2) }]);
    expect(store.given).toEqual([new Uint8Array(32), new Uint8Array(32)]);
  });

  test("a key that was kept beyond its call is of no use once it is wiped", async () => {
    const ends: Record<string, (keyring: BranchKeyring) => unknown> = {
      clear: (keyring) => keyring.clear(),
      close: (keyring) => keyring.close(),
      age: () => vi.advanceTimersByTimeAsync(1000),
      others: (keyring) => keyring.warm(["b"]),
    };
    for (const [name, end] of Object.entries(ends)) {
      const keyring = keyringOf(new FixedStore(), { maxEntries: 1 });
      let kept: WarmBranchKey | undefined;
      await keyring.use("a", undefined, (key) => {
        kept = key;
      });
      expect(kept?.derive("x", SALT, 32).length, name).toBe(32);
      await end(keyring);
      expect(() => kept?.derive("x", SALT, 32), name).toThrow(expect.objectContaining({ code: "ERR_CLOSED" }));
    }
  });

  test("clear has all loaded again", async () => {
    const store = new FixedStore();
    const keyring = keyringOf(store);
    const before = await keyring.use("a", undefined, derived);
    keyring.clear();
    expect(keyring.isWarm("a")).toBe(false);
    expect(await keyring.use("a", undefined, derived)).toBe(before);
    expect(store.calls.length).toBe(2);
  });

  test("close wipes what arrives afterwards, and ends all calls", async () => {
    const store = new FixedStore();
    const keyring = keyringOf(store);
    let open = (): void => {};
    store.gate = new Promise((resolve) => {
      open = resolve;
    });
    let kept: WarmBranchKey | undefined;
    const waiting = keyring.use("a", undefined, (key) => {
      kept = key;
    });
    keyring.close();
    open();
    await waiting.catch((error) => expect(error).toMatchObject({ code: "ERR_CLOSED" }));
    expect(store.given).toEqual([new Uint8Array(32)]);
    if (kept !== undefined) expect(() => kept?.derive("x", SALT, 32)).toThrow(/wiped/);
    await refusal(keyring.use("a", undefined, derived), "ERR_CLOSED");
    await refusal(keyring.warm(["a"]), "ERR_CLOSED");
    expect(() => keyring.useNow("a", undefined, derived)).toThrow(/closed/);
    keyring.close();
  });

  test("printing a keyring or a lent key shows no key", async () => {
    const { inspect } = await import("node:util");
    const keyring = keyringOf(new FixedStore());
    const shown = await keyring.use("a", undefined, (key) => inspect(key, { depth: 9 }) + JSON.stringify(key));
    expect(shown).not.toMatch(/pseudoRandomKey|material/);
    expect(inspect(keyring, { depth: 9 })).not.toMatch(/pseudoRandomKey|material/);
  });
});
