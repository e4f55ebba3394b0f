// The seam of telemetry: the shape of each event, and listeners that fail, wait or call back.
import { authenticationError, FengniError } from "@fengni/core";
import { describe, expect, test, vi } from "vitest";
import {
  cacheTelemetry,
  type Emit,
  emitter,
  keyDemoted,
  keyRestored,
  retryTelemetry,
  type TelemetryEvent,
  type TelemetryListener,
  telemetryErrorCode,
  telemetryNow,
  timedSince,
  watchMessage,
  wrappingIncomplete,
} from "../src/telemetry.js";

const SECRET = "attack at dawn";

/** Events as they come, with times replaced by whether they are times. */
function recorder(): { readonly emit: Emit; readonly events: TelemetryEvent[] } {
  const events: TelemetryEvent[] = [];
  const emit = emitter((event) => events.push(event));
  if (emit === undefined) throw new Error("a listener has a seam");
  return { emit, events };
}

/** The event without its times, which must be times. */
function timeless(event: TelemetryEvent | undefined): Record<string, unknown> {
  if (event === undefined) throw new Error("no event came");
  const { atMs, ...rest } = event;
  expect(atMs).toBeGreaterThanOrEqual(performance.timeOrigin);
  expect(atMs).toBeLessThanOrEqual(telemetryNow());
  if (!("durationMs" in rest)) return rest;
  const { durationMs, ...untimed } = rest;
  expect(durationMs).toBeGreaterThanOrEqual(0);
  expect(durationMs).toBeLessThanOrEqual(performance.now());
  return untimed;
}

const EVENT: TelemetryEvent = { type: "cache", cache: "opening", what: "hit", atMs: 1 };

describe("the seam", () => {
  test("is not there when nobody listens", () => {
    expect(emitter(undefined)).toBeUndefined();
    expect(watchMessage(undefined, "encrypt")).toBeUndefined();
  });

  test("refuses what is no function", () => {
    for (const wrong of [null, {}, "listener", 1]) {
      const make = (): unknown => emitter(wrong as unknown as TelemetryListener);
      expect(make).toThrow(expect.objectContaining({ name: "TypeError", code: "ERR_ARGUMENT" }));
    }
  });

  test("a listener that throws disturbs nothing and hears the next event", () => {
    const listener = vi.fn(() => {
      throw new Error("listener");
    });
    const emit = emitter(listener);
    emit?.(EVENT);
    emit?.(EVENT);
    expect(listener).toHaveBeenCalledTimes(2);
    expect(listener).toHaveBeenCalledWith(EVENT);
  });

  test("a listener's rejection is nobody's: no unhandled rejection", async () => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    try {
      emitter(() => Promise.reject(new Error("listener")))?.(EVENT);
      // Thenables whose `then` throws: when it is called, and when it is read.
      const broken = (): never => {
        throw new Error("then");
      };
      // biome-ignore lint/suspicious/noThenProperty: it is what is tested
      emitter(() => ({ then: broken }))?.(EVENT);
      // biome-ignore lint/suspicious/noThenProperty: it is what is tested
      emitter(() => Object.defineProperty({}, "then", { get: broken }))?.(EVENT);
      // Unhandled rejections are reported after the microtasks of a turn.
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      process.off("unhandledRejection", unhandled);
    }
    expect(unhandled).not.toHaveBeenCalled();
  });

  test("events that a listener causes itself are not told, and end no later ones", () => {
    const heard: TelemetryEvent[] = [];
    const emit: Emit | undefined = emitter((event) => {
      heard.push(event);
      emit?.(EVENT);
    });
    emit?.(EVENT);
    emit?.(EVENT);
    expect(heard).toHaveLength(2);
  });
});

describe("events", () => {
  test("cache: what and why, and no sentence as a reason", () => {
    const { emit, events } = recorder();
    const tell = cacheTelemetry(emit, "branch-key");
    tell({ type: "hit" });
    tell({ type: "load-failed", error: new FengniError("ERR_DENIED", SECRET) });
    tell({ type: "evicted", reason: "age" });
    tell({ type: "refresh-failed", error: new Error(SECRET) });
    expect(events.map(timeless)).toEqual([
      { type: "cache", cache: "branch-key", what: "hit" },
      { type: "cache", cache: "branch-key", what: "load-failed", reason: "ERR_DENIED" },
      { type: "cache", cache: "branch-key", what: "evicted", reason: "age" },
      { type: "cache", cache: "branch-key", what: "refresh-failed", reason: "unknown" },
    ]);
  });

  test("message: told once, with what was counted", () => {
    const { emit, events } = recorder();
    const watch = watchMessage(emit, "encrypt", 0x0478);
    if (watch === undefined) throw new Error("somebody listens");
    watch.plaintextBytes += 70_000;
    watch.frames = 2;
    watch.ok();
    watch.aborted();
    watch.failed(authenticationError());
    expect(events.map(timeless)).toEqual([
      { type: "message", operation: "encrypt", outcome: "ok", plaintextBytes: 70_000, frames: 2, suiteId: 0x0478 },
    ]);
  });

  test("message: failed with a code, aborted with none, no suite before it is known", () => {
    const { emit, events } = recorder();
    watchMessage(emit, "decrypt")?.failed(new FengniError("ERR_MESSAGE_TRUNCATED", SECRET));
    watchMessage(emit, "range")?.failed(new Error(SECRET), new AbortController().signal);
    watchMessage(emit, "rewrap", 0x0578)?.failed(authenticationError(), AbortSignal.abort());
    watchMessage(emit, "decrypt")?.aborted();
    const nothing = { type: "message", plaintextBytes: 0, frames: 0 };
    expect(events.map(timeless)).toEqual([
      { ...nothing, operation: "decrypt", outcome: "failed", errorCode: "ERR_MESSAGE_TRUNCATED" },
      { ...nothing, operation: "range", outcome: "failed", errorCode: "unknown" },
      { ...nothing, operation: "rewrap", outcome: "aborted", suiteId: 0x0578 },
      { ...nothing, operation: "decrypt", outcome: "aborted" },
    ]);
  });

  test("wrapping-incomplete and key-health: the key's name and a code", () => {
    const error = new FengniError("ERR_UNAVAILABLE", SECRET, { retryable: true });
    expect(timeless(wrappingIncomplete("escrow", error))).toEqual({
      type: "wrapping-incomplete",
      key: "escrow",
      errorCode: "ERR_UNAVAILABLE",
    });
    expect(timeless(keyDemoted("near", error))).toEqual({
      type: "key-health",
      key: "near",
      state: "demoted",
      errorCode: "ERR_UNAVAILABLE",
    });
    expect(timeless(keyRestored("near"))).toEqual({ type: "key-health", key: "near", state: "restored" });
  });

  test("retry: of a remote client's events only retries", () => {
    const events: TelemetryEvent[] = [];
    const onEvent = retryTelemetry((event) => events.push(event));
    onEvent({ type: "call", action: "Decrypt", code: "ERR_THROTTLED" });
    onEvent({ type: "breaker" });
    onEvent({ type: "retry", action: "Decrypt", attempts: 2, delayMs: 40, code: "ERR_THROTTLED" });
    expect(events.map(timeless)).toEqual([
      { type: "retry", action: "Decrypt", attempt: 2, delayMs: 40, errorCode: "ERR_THROTTLED" },
    ]);
  });

  test("times are those of the process's steady clock", () => {
    const startedAt = performance.now() - 250;
    const { atMs, durationMs } = timedSince(startedAt);
    expect(durationMs).toBeGreaterThanOrEqual(250);
    // Sums near 2^41 are exact to 2^-12.
    expect(Math.abs(performance.timeOrigin + startedAt + durationMs - atMs)).toBeLessThan(0.01);
  });
});

describe("error codes", () => {
  test("are Fengni's, and nothing else that an error carries", () => {
    expect(telemetryErrorCode(authenticationError())).toBe("ERR_AUTHENTICATION");
    expect(telemetryErrorCode(Object.assign(new TypeError("x"), { code: "ERR_ARGUMENT" }))).toBe("ERR_ARGUMENT");
    const others = [
      SECRET,
      "ECONNRESET",
      `ERR_${SECRET}`,
      `ERR_${"A".repeat(61)}`,
      "ERR_A\n",
      7,
      { toString: () => SECRET },
    ];
    for (const code of others) expect(telemetryErrorCode({ code })).toBe("unknown");
    for (const error of [undefined, null, SECRET, 7, new Error(SECRET)]) {
      expect(telemetryErrorCode(error)).toBe("unknown");
    }
  });
});
