// Cache keys: one per content, whatever the order of its pairs; never one for two.
import { describe, expect, test } from "vitest";
import { shortCacheKey } from "../src/cache-key.js";
import { Envelope, rawAesKey } from "../src/index.js";

describe("keys of contexts that are not serialised", () => {
  test("the order of pairs makes no difference", () => {
    const key = shortCacheKey(0x0478, { a: "1", b: "2" }, { c: "3", d: "4" });
    expect(key).toBeTypeOf("string");
    expect(shortCacheKey(0x0478, { b: "2", a: "1" }, { d: "4", c: "3" })).toBe(key);
  });

  test("other content makes another key, also where its characters are the same in the same order", () => {
    const keys = [
      shortCacheKey(1, {}, {}),
      shortCacheKey(2, {}, {}),
      shortCacheKey(1, { a: "" }, {}),
      shortCacheKey(1, {}, { a: "" }),
      shortCacheKey(1, { a: "b" }, {}),
      shortCacheKey(1, { ab: "" }, {}),
      shortCacheKey(1, { "": "ab" }, {}),
      shortCacheKey(1, { a: "b1 1 cd" }, {}),
      shortCacheKey(1, { a: "b", c: "d" }, {}),
      shortCacheKey(1, { a: "b" }, { c: "d" }),
      shortCacheKey(1, {}, { a: "b", c: "d" }),
    ];
    expect(keys).not.toContain(undefined);
    expect(new Set(keys).size).toBe(keys.length);
  });

  test("long contexts, and text that is not well-formed, have none", () => {
    expect(shortCacheKey(1, { a: "x".repeat(2000) }, {})).toBeUndefined();
    expect(shortCacheKey(1, {}, { a: "x".repeat(2000) })).toBeUndefined();
    expect(shortCacheKey(1, { a: "\ud800" }, {})).toBeUndefined();
    expect(shortCacheKey(1, { a: "\u{1f600}" }, {})).toBeTypeOf("string");
  });
});

describe("an envelope with a cache", () => {
  const key = rawAesKey({ namespace: "test", name: "key", key: new Uint8Array(32).fill(1) });

  test("refuses text that is not well-formed before any data key is asked for", async () => {
    const envelope = new Envelope({ wrappingKeys: [key], cache: { maxAgeMs: 60_000 } });
    await expect(envelope.encrypt("x", { encryptionContext: { a: "\ud800" } })).rejects.toThrow(TypeError);
    expect(envelope.stats()?.sealing.misses).toBe(0);
  });

  test("pairs in another order, and halves of a pair that join to the same text, are told apart", async () => {
    const envelope = new Envelope({ wrappingKeys: [key], cache: { maxAgeMs: 60_000 } });
    await envelope.encrypt("x", { encryptionContext: { a: "1", b: "2" } });
    await envelope.encrypt("x", { encryptionContext: { b: "2", a: "1" } });
    expect(envelope.stats()?.sealing).toMatchObject({ misses: 1, hits: 1 });
    // Two halves, one at the end of the stored part and one at the start of the other, are no character together.
    const halves = { encryptionContext: { a: "\ud83d", b: "\ude00" }, unstoredContextKeys: ["b"] };
    await expect(envelope.encrypt("x", halves)).rejects.toThrow(TypeError);
  });
});
