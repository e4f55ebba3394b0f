// Observed wrapping keys: one event for each call, nothing changed in between, and no secret in any event.
import {
  Envelope,
  FengniError,
  type UnwrapDataKeyRequest,
  type UnwrappingKey,
  type WrappedDataKey,
  type WrappingKey,
} from "@fengni/core";
import { bytesToBase64, bytesToHex } from "@fengni/crypto/bytes";
import { describe, expect, test } from "vitest";
import { cacheTelemetry, emitter, type TelemetryEvent, telemetryNow, wrappingIncomplete } from "../src/telemetry.js";
import { observedUnwrappingKey, observedWrappingKey } from "../src/telemetry-keys.js";
import { bytesOf, refusal, testKey } from "./support.js";

/** A wrapping key whose answers are set beforehand, and which keeps what it was asked. */
class ScriptedKey implements WrappingKey {
  name = "scripted";
  readonly asked: unknown[][] = [];
  #answer: () => unknown;

  constructor(answer: () => unknown) {
    this.#answer = answer;
  }

  async generateDataKey(...asked: unknown[]): Promise<WrappedDataKey> {
    this.asked.push(asked);
    return this.#answer() as WrappedDataKey;
  }

  async wrapDataKey(...asked: unknown[]): Promise<WrappedDataKey["encryptedDataKey"]> {
    this.asked.push(asked);
    return this.#answer() as WrappedDataKey["encryptedDataKey"];
  }

  async unwrapDataKey(...asked: unknown[]): Promise<Uint8Array | undefined> {
    this.asked.push(asked);
    return this.#answer() as Uint8Array | undefined;
  }
}

function listen(): { readonly emit: (event: TelemetryEvent) => void; readonly events: TelemetryEvent[] } {
  const events: TelemetryEvent[] = [];
  const emit = emitter((event) => events.push(event));
  if (emit === undefined) throw new Error("a listener has a seam");
  return { emit, events };
}

const encryptedDataKey = { providerId: "test", providerInfo: bytesOf(4), ciphertext: bytesOf(8) };
const unwrapRequest: UnwrapDataKeyRequest = { encryptedDataKey, dataKeyBytes: 32, encryptionContext: { a: "b" } };
const generateRequest = { dataKeyBytes: 32, encryptionContext: { a: "b" } };

describe("observed keys", () => {
  test("pass requests, options and answers through untouched", async () => {
    const { emit, events } = listen();
    const answer = { any: "object" };
    const key = new ScriptedKey(() => answer);
    const observed = observedWrappingKey(key, emit);
    const options = { signal: new AbortController().signal };
    const wrapRequest = { dataKey: bytesOf(32), encryptionContext: {} };
    expect(await observed.generateDataKey(generateRequest, options)).toBe(answer);
    expect(await observed.wrapDataKey(wrapRequest, options)).toBe(answer);
    expect(await observed.unwrapDataKey(unwrapRequest, options)).toBe(answer);
    expect(await observedUnwrappingKey(key, emit).unwrapDataKey(unwrapRequest)).toBe(answer);
    expect(key.asked.map(([request]) => request)).toEqual([generateRequest, wrapRequest, unwrapRequest, unwrapRequest]);
    expect(key.asked[0]?.[0]).toBe(generateRequest);
    expect(key.asked.map(([, given]) => given)).toEqual([options, options, options, undefined]);
    expect(key.asked[0]?.[1]).toBe(options);
    expect(events.map((event) => event.type === "provider-call" && event.operation)).toEqual([
      "generate-data-key",
      "wrap-data-key",
      "unwrap-data-key",
      "unwrap-data-key",
    ]);
  });

  test("have the key's name, also when it changes", () => {
    const key = new ScriptedKey(() => undefined);
    const [wrapping, unwrapping] = [observedWrappingKey(key, () => {}), observedUnwrappingKey(key, () => {})];
    expect([wrapping.name, unwrapping.name]).toEqual(["scripted", "scripted"]);
    key.name = "renamed";
    expect([wrapping.name, unwrapping.name]).toEqual(["renamed", "renamed"]);
  });

  test("have the members that the key has, and no others", async () => {
    const [plain, whole] = [new ScriptedKey(() => undefined), new ScriptedKey(() => undefined)];
    expect(Object.keys(observedUnwrappingKey(plain, () => {}))).toEqual(["name", "unwrapDataKey"]);
    expect(Object.keys(observedWrappingKey(plain, () => {}))).toHaveLength(4);
    const asked: unknown[] = [];
    const key: WrappingKey = Object.assign(whole, {
      algorithms: ["SM4"],
      async matches(this: unknown, ...given: unknown[]) {
        asked.push(this, ...given);
        return true;
      },
    });
    for (const observed of [observedUnwrappingKey(key, () => {}), observedWrappingKey(key, () => {})]) {
      expect(observed.algorithms).toBe(key.algorithms);
      const options = {};
      expect(await observed.matches?.(encryptedDataKey, options)).toBe(true);
      expect(asked.splice(0)).toEqual([key, encryptedDataKey, options]);
    }
  });

  test("tell the shape of each outcome", async () => {
    const { emit, events } = listen();
    const startedAt = telemetryNow();
    const outcomes: readonly (readonly [() => unknown, object])[] = [
      [() => bytesOf(32), { outcome: "ok" }],
      [() => undefined, { outcome: "not-mine" }],
      [
        () => {
          throw new FengniError("ERR_THROTTLED", "slow down", { retryable: true });
        },
        { outcome: "failed", errorCode: "ERR_THROTTLED", retryable: true },
      ],
      [
        () => {
          throw new Error("not Fengni's");
        },
        { outcome: "failed", errorCode: "unknown", retryable: false },
      ],
    ];
    for (const [answer, expected] of outcomes) {
      await observedUnwrappingKey(new ScriptedKey(answer), emit)
        .unwrapDataKey(unwrapRequest)
        .catch(() => {});
      const event = events.pop();
      if (event?.type !== "provider-call") throw new Error("no provider-call came");
      const { atMs, durationMs, ...rest } = event;
      expect(rest).toEqual({ type: "provider-call", operation: "unwrap-data-key", key: "scripted", ...expected });
      expect(durationMs).toBeGreaterThanOrEqual(0);
      expect(atMs).toBeGreaterThanOrEqual(startedAt);
      expect(atMs).toBeLessThanOrEqual(telemetryNow());
      expect(events).toEqual([]);
    }
  });

  test("only opening can be not-mine: other empty answers are the caller's to refuse", async () => {
    const { emit, events } = listen();
    await observedWrappingKey(new ScriptedKey(() => undefined), emit).generateDataKey(generateRequest);
    expect(events).toMatchObject([{ operation: "generate-data-key", outcome: "ok" }]);
  });

  test("rethrow the very error, also one that is thrown at once; an abort is told as one", async () => {
    const { emit, events } = listen();
    const error = new FengniError("ERR_DENIED", "no");
    const controller = new AbortController();
    const failing = (): never => {
      throw error;
    };
    const key: UnwrappingKey = { name: "hasty", unwrapDataKey: failing };
    const observed = observedUnwrappingKey(key, emit);
    await expect(observed.unwrapDataKey(unwrapRequest, { signal: controller.signal })).rejects.toBe(error);
    controller.abort();
    await expect(observed.unwrapDataKey(unwrapRequest, { signal: controller.signal })).rejects.toBe(error);
    expect(events).toMatchObject([
      { outcome: "failed", errorCode: "ERR_DENIED", retryable: false },
      { outcome: "aborted" },
    ]);
    expect(Object.keys(events[1] ?? {})).not.toContain("errorCode");
  });

  test("a call that a deadline ended failed for it, at once and once, also when the key answers later", async () => {
    const { emit, events } = listen();
    const controller = new AbortController();
    let answer: (dataKey: Uint8Array) => void = () => {};
    const deaf: UnwrappingKey = {
      name: "deaf",
      unwrapDataKey: () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    };
    const call = observedUnwrappingKey(deaf, emit).unwrapDataKey(unwrapRequest, { signal: controller.signal });
    expect(events).toEqual([]);
    const details = { timeoutMs: 50 };
    controller.abort(new FengniError("ERR_TIMEOUT", "no answer", { retryable: true, details }));
    const told = [{ key: "deaf", outcome: "failed", errorCode: "ERR_TIMEOUT", retryable: true }];
    expect(events).toMatchObject(told);
    const late = bytesOf(32);
    answer(late);
    expect(await call).toBe(late);
    expect(events).toMatchObject(told);
    expect(events).toHaveLength(1);
  });

  test("an envelope's deadline is told as a failure of the key", async () => {
    const { emit, events } = listen();
    const deaf: WrappingKey = { ...testKey("deaf"), generateDataKey: () => new Promise(() => {}) };
    const envelope = new Envelope({ wrappingKeys: [observedWrappingKey(deaf, emit)], keyDeadlineMs: 5 });
    expect(await refusal(envelope.encrypt("text"))).toBe("ERR_TIMEOUT");
    expect(events).toMatchObject([{ key: "test/deaf", outcome: "failed", errorCode: "ERR_TIMEOUT", retryable: true }]);
  });

  test("a call that is over leaves nothing on the caller's signal", async () => {
    const { emit, events } = listen();
    const controller = new AbortController();
    await observedUnwrappingKey(testKey(), emit).unwrapDataKey(unwrapRequest, { signal: controller.signal });
    controller.abort();
    expect(events).toMatchObject([{ outcome: "not-mine" }]);
  });

  test("a listener that throws changes no answer", async () => {
    const emit = emitter(() => {
      throw new Error("listener");
    });
    if (emit === undefined) throw new Error("a listener has a seam");
    const envelope = new Envelope({ wrappingKeys: [observedWrappingKey(testKey(), emit)] });
    expect(await envelope.decryptText(await envelope.encrypt("text"))).toBe("text");
  });
});

/** Every string and number in an event; anything but plain data fails. */
function leaves(value: unknown): (string | number | boolean)[] {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return [value];
  expect(Object.getPrototypeOf(value), "an event holds plain data only").toBe(Object.prototype);
  return Object.entries(value as object).flatMap(([name, inner]) => [name, ...leaves(inner)]);
}

describe("secrets", () => {
  test("no event of an envelope's work carries plaintext, keys, context or ciphertext", async () => {
    const { emit, events } = listen();
    const plaintext = "plaintext-3f9c";
    const context = { "context-key-77": "context-value-5d21" };
    const dataKeys: Uint8Array[] = [];
    const inner = testKey("primary");
    const keeping: WrappingKey = {
      ...inner,
      async generateDataKey(request, options) {
        const generated = await inner.generateDataKey(request, options);
        dataKeys.push(generated.dataKey.slice());
        return generated;
      },
    };
    // A key whose errors say what they must not, in every place that an error has.
    const talkative = (request: { readonly encryptionContext: object }): never => {
      const text = `${plaintext} ${JSON.stringify(request.encryptionContext)} ${bytesToHex(dataKeys[0] ?? bytesOf(1))}`;
      throw Object.assign(new Error(text), { code: text, retryable: text, name: text, details: request, request });
    };
    const failing: WrappingKey = {
      name: "talkative",
      generateDataKey: async (request) => talkative(request),
      wrapDataKey: async (request) => talkative(request),
      unwrapDataKey: async (request) => talkative(request),
    };
    const primary = observedWrappingKey(keeping, emit);
    const other = observedWrappingKey(testKey("other", 9), emit);
    const broken = observedWrappingKey(failing, emit);
    const options = { encryptionContext: context };
    const envelope = new Envelope({ wrappingKeys: [primary, other], cache: { maxAgeMs: 60_000 } });
    const message = await envelope.encrypt(plaintext, options);
    expect(await envelope.decryptText(message, options)).toBe(plaintext);
    const reader = new Envelope({ wrappingKeys: [], unwrappingKeys: [broken, observedUnwrappingKey(inner, emit)] });
    expect(await reader.decryptText(message, options)).toBe(plaintext);
    const unable = new Envelope({ wrappingKeys: [], unwrappingKeys: [broken] });
    expect(await refusal(unable.decrypt(message, options))).toBe("ERR_UNWRAP_FAILED");
    await expect(new Envelope({ wrappingKeys: [primary, broken] }).encrypt(plaintext, options)).rejects.toThrow();
    const whole = new Envelope({
      wrappingKeys: [keeping],
      optionalWrappingKeys: [failing],
      cache: { maxAgeMs: 60_000 },
      telemetry: (event) => events.push(event),
    });
    const incomplete = await whole.encrypt(plaintext, options);
    expect(await whole.decryptText(incomplete, options)).toBe(plaintext);
    await refusal(whole.decrypt(incomplete, { encryptionContext: { "context-key-77": plaintext } }));
    whole.close();
    try {
      await failing.wrapDataKey({ dataKey: bytesOf(32), encryptionContext: context });
    } catch (error) {
      emit(wrappingIncomplete(failing.name, error));
      cacheTelemetry(emit, "opening")({ type: "load-failed", error });
    }

    const told = new Set(events.map((event) => event.type));
    for (const type of ["cache", "provider-call", "wrapping-incomplete"] as const) expect(told).toContain(type);
    expect(events.length).toBeGreaterThan(8);
    expect(events.some((event) => event.type === "provider-call" && event.outcome === "failed")).toBe(true);
    expect(dataKeys.length).toBeGreaterThan(0);

    const texts = leaves({ ...events }).map(String);
    const secrets = [
      plaintext,
      ...Object.entries(context).flat(),
      ...dataKeys.flatMap((key) => [bytesToHex(key), bytesToBase64(key), key.join(",")]),
      ...[message, incomplete]
        .flatMap((bytes) => [bytes.subarray(0, 24), bytes.subarray(-24)])
        .flatMap((part) => [bytesToHex(part), bytesToBase64(part)]),
    ];
    for (const secret of secrets) {
      for (const text of texts) expect(text).not.toContain(secret);
    }
  });

  test("the walk would find a secret, and bytes", () => {
    expect(leaves({ a: { b: "x" } })).toEqual(["a", "b", "x"]);
    expect(() => leaves({ a: bytesOf(4) })).toThrow();
  });
});
