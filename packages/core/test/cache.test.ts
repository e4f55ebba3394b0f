import { Envelope, inspect, SUITE_COMMITTED_SIGNED, type WrappingKey } from "@fengni/core";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { bytesOf, refusal, testKey } from "./support.js";

/** A wrapping key that counts what it is asked, keeps every data key it gave, and can be told to fail or wait. */
class CountingKey implements WrappingKey {
  readonly name = "counting";
  generated = 0;
  unwrapped = 0;
  failure: Error | undefined;
  gate: Promise<void> = Promise.resolve();
  readonly dataKeys: Uint8Array[] = [];
  readonly #key = testKey();

  async generateDataKey(
    request: Parameters<WrappingKey["generateDataKey"]>[0],
  ): ReturnType<WrappingKey["generateDataKey"]> {
    this.generated += 1;
    await this.gate;
    if (this.failure !== undefined) throw this.failure;
    const generated = await this.#key.generateDataKey(request);
    this.dataKeys.push(generated.dataKey);
    return generated;
  }

  wrapDataKey(request: Parameters<WrappingKey["wrapDataKey"]>[0]): ReturnType<WrappingKey["wrapDataKey"]> {
    return this.#key.wrapDataKey(request);
  }

  async unwrapDataKey(request: Parameters<WrappingKey["unwrapDataKey"]>[0]): Promise<Uint8Array | undefined> {
    this.unwrapped += 1;
    await this.gate;
    if (this.failure !== undefined) throw this.failure;
    const dataKey = await this.#key.unwrapDataKey(request);
    if (dataKey !== undefined) this.dataKeys.push(dataKey);
    return dataKey;
  }
}

const isWiped = (dataKey: Uint8Array): boolean => dataKey.every((byte) => byte === 0);

describe("data-key cache", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test("messages of one context share a data key; other contexts and suites do not", async () => {
    const key = new CountingKey();
    const envelope = new Envelope({ wrappingKeys: [key], cache: { maxAgeMs: 1000 } });
    const messages = [];
    for (let i = 0; i < 5; i++) messages.push(await envelope.encrypt("x", { encryptionContext: { a: "1", b: "2" } }));
    await envelope.encrypt("x", { encryptionContext: { b: "2", a: "1" } });
    expect(key.generated).toBe(1);
    await envelope.encrypt("x", { encryptionContext: { a: "1", b: "3" } });
    await envelope.encrypt("x");
    await envelope.encrypt("x", { encryptionContext: { a: "1", b: "2" }, unstoredContextKeys: ["b"] });
    await envelope.encrypt("x", { encryptionContext: { a: "1", b: "2" }, suite: SUITE_COMMITTED_SIGNED });
    expect(key.generated).toBe(5);
    expect(new Set(messages.map((message) => inspect(message).messageId.toString())).size).toBe(5);
    for (const message of messages) expect(await envelope.decryptText(message)).toBe("x");
    expect(key.unwrapped).toBe(1);
    await refusal(
      envelope.decrypt(messages[0] as Uint8Array, { encryptionContext: { a: "2" } }),
      "ERR_CONTEXT_MISMATCH",
    );
    expect(key.unwrapped).toBe(1);
  });

  test("a cached data key opens nothing under a changed header", async () => {
    const key = new CountingKey();
    const envelope = new Envelope({ wrappingKeys: [key], cache: { maxAgeMs: 1000 } });
    const message = await envelope.encrypt("x", { encryptionContext: { a: "1" } });
    await envelope.decrypt(message);
    for (let bit = 0; bit < message.length * 8; bit++) {
      const flipped = message.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      await refusal(envelope.decrypt(flipped));
    }
    expect(await envelope.decryptText(message)).toBe("x");
  });

  test("age: no use after it, and the key is wiped when it is reached, also when nobody calls", async () => {
    const key = new CountingKey();
    const envelope = new Envelope({ wrappingKeys: [key], cache: { maxAgeMs: 1000, refreshAheadMs: 0 } });
    await envelope.encrypt("x");
    vi.advanceTimersByTime(999);
    await envelope.encrypt("x");
    expect(key.generated).toBe(1);
    expect(isWiped(key.dataKeys[0] as Uint8Array)).toBe(false);
    vi.advanceTimersByTime(1);
    expect(isWiped(key.dataKeys[0] as Uint8Array)).toBe(true);
    await envelope.encrypt("x");
    expect(key.generated).toBe(2);
  });

  test("messages and bytes: limits are never passed by even one", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 30 }),
        fc.boolean(),
        async (maxMessages, maxBytes, lengths, atOnce) => {
          const key = new CountingKey();
          // Without refreshing, so that no load is under way when the data keys are counted.
          const cache = { maxAgeMs: 1000, maxMessages, maxBytes, refreshAheadMs: 0 };
          const envelope = new Envelope({ wrappingKeys: [key], cache });
          const messages: Uint8Array[] = [];
          const seal = async (length: number): Promise<void> => {
            messages.push(await envelope.encrypt(bytesOf(length)));
          };
          if (atOnce) await Promise.all(lengths.map(seal));
          else for (const length of lengths) await seal(length);
          const used = new Map<string, { messages: number; bytes: number }>();
          for (const message of messages) {
            const { plaintext, header } = await envelope.decrypt(message);
            const id = Buffer.from(header.encryptedDataKeys[0]?.ciphertext as Uint8Array).toString("hex");
            const use = used.get(id) ?? { messages: 0, bytes: 0 };
            used.set(id, { messages: use.messages + 1, bytes: use.bytes + plaintext.length });
          }
          expect(messages.length).toBe(lengths.length);
          for (const use of used.values()) {
            expect(use.messages).toBeLessThanOrEqual(maxMessages);
            // A message longer than the whole budget has a data key of its own.
            if (use.messages > 1) expect(use.bytes).toBeLessThanOrEqual(maxBytes);
          }
          envelope.close();
          for (const dataKey of key.dataKeys) expect(isWiped(dataKey)).toBe(true);
        },
      ),
      { numRuns: 100 },
    );
  });

  test("a cold burst makes one call, on encrypt and on decrypt", async () => {
    const key = new CountingKey();
    const envelope = new Envelope({ wrappingKeys: [key], cache: { maxAgeMs: 1000 } });
    const messages = await Promise.all(Array.from({ length: 3000 }, () => envelope.encrypt("x")));
    expect(key.generated).toBe(1);
    await Promise.all(messages.map((message) => envelope.decrypt(message)));
    expect(key.unwrapped).toBe(1);
  });

  test("a failed load fails all who wait, and is tried again by who comes later", async () => {
    const key = new CountingKey();
    const envelope = new Envelope({ wrappingKeys: [key], cache: { maxAgeMs: 1000 } });
    key.failure = new Error("down");
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => envelope.encrypt("x")));
    expect(results.every((result) => result.status === "rejected" && result.reason === key.failure)).toBe(true);
    expect(key.generated).toBe(1);
    key.failure = undefined;
    await envelope.encrypt("x");
    expect(key.generated).toBe(2);
  });

  test("who gives up while waiting does not end the load of the others", async () => {
    const key = new CountingKey();
    let open = (): void => {};
    key.gate = new Promise((resolve) => {
      open = resolve;
    });
    const envelope = new Envelope({ wrappingKeys: [key], cache: { maxAgeMs: 1000 } });
    const controller = new AbortController();
    const impatient = envelope.encrypt("x", { signal: controller.signal });
    const patient = envelope.encrypt("x");
    controller.abort(new Error("enough"));
    await expect(impatient).rejects.toThrow("enough");
    open();
    await patient;
    expect(key.generated).toBe(1);
    envelope.close();
    expect(isWiped(key.dataKeys[0] as Uint8Array)).toBe(true);
  });

  test("a buffer that is reused after giving up poisons nothing for others", async () => {
    const key = new CountingKey();
    const envelope = new Envelope({ wrappingKeys: [key], cache: { maxAgeMs: 1000, maxMessages: 1 } });
    const [first, second] = [await envelope.encrypt("first"), await envelope.encrypt("other")];
    let open = (): void => {};
    key.gate = new Promise((resolve) => {
      open = resolve;
    });
    const pool = new Uint8Array(first);
    const controller = new AbortController();
    const givenUp = envelope.decrypt(pool, { signal: controller.signal });
    const others = envelope.decryptText(first);
    controller.abort(new Error("enough"));
    await expect(givenUp).rejects.toThrow("enough");
    pool.set(second);
    open();
    expect(await others).toBe("first");
    expect(await envelope.decryptText(second)).toBe("other");
    expect(await envelope.decryptText(first)).toBe("first");
  });

  test("a small budget does not make those who wait stand in line", async () => {
    const key = new CountingKey();
    let running = 0;
    let most = 0;
    const slow: WrappingKey = {
      name: "slow",
      wrapDataKey: (request) => key.wrapDataKey(request),
      unwrapDataKey: (request) => key.unwrapDataKey(request),
      async generateDataKey(request) {
        running += 1;
        most = Math.max(most, running);
        for (let i = 0; i < 10; i++) await Promise.resolve();
        running -= 1;
        return key.generateDataKey(request);
      },
    };
    const envelope = new Envelope({ wrappingKeys: [slow], cache: { maxAgeMs: 1000, maxMessages: 5 } });
    const messages = await Promise.all(Array.from({ length: 50 }, (_value, i) => envelope.encrypt(String(i))));
    expect(most).toBe(10);
    expect(key.generated).toBe(10);
    expect(await Promise.all(messages.map((message) => envelope.decryptText(message)))).toEqual(
      Array.from({ length: 50 }, (_value, i) => String(i)),
    );
    envelope.close();
    expect(key.dataKeys.every(isWiped)).toBe(true);
  });

  test("long contexts of equal length are told apart", async () => {
    const key = new CountingKey();
    const envelope = new Envelope({ wrappingKeys: [key], cache: { maxAgeMs: 1000 } });
    for (const [i, tenant] of ["a", "b", "c"].entries()) {
      const encryptionContext = { tenant: tenant.repeat(3000) };
      const message = await envelope.encrypt(tenant, { encryptionContext });
      await envelope.encrypt(tenant, { encryptionContext });
      expect(key.generated).toBe(i + 1);
      expect(await envelope.decryptText(message, { encryptionContext })).toBe(tenant);
      expect(key.unwrapped).toBe(i + 1);
    }
  });

  test("pairs that are not stored tell data keys apart on decrypt too", async () => {
    const key = new CountingKey();
    const envelope = new Envelope({ wrappingKeys: [key], cache: { maxAgeMs: 1000 } });
    const message = await envelope.encrypt("x", { encryptionContext: { a: "1" }, unstoredContextKeys: ["a"] });
    await envelope.decrypt(message, { reproducedContext: { a: "1" } });
    await refusal(envelope.decrypt(message, { reproducedContext: { a: "2" } }), "ERR_UNWRAP_FAILED");
    await refusal(envelope.decrypt(message), "ERR_UNWRAP_FAILED");
    expect(key.unwrapped).toBe(3);
  });

  test("age counts by the clock, also when timers come late; timers keep no process alive", async () => {
    vi.useRealTimers();
    const key = new CountingKey();
    const envelope = new Envelope({ wrappingKeys: [key], cache: { maxAgeMs: 3_600_000, refreshAheadMs: 0 } });
    const before = process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    await envelope.encrypt("x");
    expect(process.getActiveResourcesInfo().filter((name) => name === "Timeout").length).toBe(before);
    const now = vi.spyOn(performance, "now");
    const start = performance.now();
    now.mockReturnValue(start + 3_599_000);
    await envelope.encrypt("x");
    expect(key.generated).toBe(1);
    now.mockReturnValue(start + 3_601_000);
    await envelope.encrypt("x");
    expect(key.generated).toBe(2);
    now.mockRestore();
    envelope.close();
  });

  test("eviction by number of entries wipes; so does close, also for a load still under way", async () => {
    const key = new CountingKey();
    const envelope = new Envelope({ wrappingKeys: [key], cache: { maxAgeMs: 1000, maxEntries: 2 } });
    for (const tenant of ["1", "2", "3"]) await envelope.encrypt("x", { encryptionContext: { tenant } });
    expect(key.dataKeys.map(isWiped)).toEqual([true, false, false]);
    let open = (): void => {};
    key.gate = new Promise((resolve) => {
      open = resolve;
    });
    const late = envelope.encrypt("x", { encryptionContext: { tenant: "4" } });
    const outcome = late.then(
      () => "sealed",
      (error: { code: string }) => error.code,
    );
    await Promise.resolve();
    envelope.close();
    open();
    await outcome;
    expect(key.dataKeys.map(isWiped)).toEqual([true, true, true, true]);
  });

  test("many tenants in a tiny cache, all at once: every message is right", async () => {
    const key = new CountingKey();
    const envelope = new Envelope({ wrappingKeys: [key], cache: { maxAgeMs: 1000, maxEntries: 2, maxMessages: 3 } });
    const texts = Array.from({ length: 300 }, (_value, i) => `${i % 7}:${i}`);
    const messages = await Promise.all(
      texts.map((text) => envelope.encrypt(text, { encryptionContext: { tenant: text.slice(0, 1) } })),
    );
    const opened = await Promise.all(messages.map((message) => envelope.decryptText(message)));
    expect(opened).toEqual(texts);
    envelope.close();
    expect(key.dataKeys.every(isWiped)).toBe(true);
  });

  test("a stream of unknown length does not use the cache; one with a bound does", async () => {
    const key = new CountingKey();
    const envelope = new Envelope({ wrappingKeys: [key], cache: { maxAgeMs: 1000, maxBytes: 100 } });
    const seal = async (options: { maxPlaintextLength?: number }): Promise<void> => {
      const encryptor = envelope.createEncryptor(options);
      await encryptor.update(bytesOf(10));
      await encryptor.final();
    };
    await seal({});
    await seal({});
    expect(key.generated).toBe(2);
    await seal({ maxPlaintextLength: 40 });
    await seal({ maxPlaintextLength: 40 });
    expect(key.generated).toBe(3);
    await seal({ maxPlaintextLength: 40 });
    expect(key.generated).toBe(4);
    await seal({ maxPlaintextLength: 101 });
    expect(key.generated).toBe(5);
  });
});
