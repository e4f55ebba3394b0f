// One signal for many calls: all of them hear of its abort, and it carries one listener at the most.
import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { abortable, whenAborted } from "../src/abort.js";
import { Envelope } from "../src/index.js";
import { testKey } from "./support.js";

const listeners = (signal: AbortSignal): number => getEventListeners(signal, "abort").length;

describe("whenAborted", () => {
  test("calls everybody once, and those who went not at all", () => {
    const controller = new AbortController();
    const called: string[] = [];
    whenAborted(controller.signal, () => called.push("a"));
    const stop = whenAborted(controller.signal, () => called.push("b"));
    const twice = (): number => called.push("twice");
    whenAborted(controller.signal, twice);
    whenAborted(controller.signal, twice);
    expect(listeners(controller.signal)).toBe(1);
    stop();
    stop();
    controller.abort();
    expect(called).toEqual(["a", "twice", "twice"]);
    expect(listeners(controller.signal)).toBe(0);
  });

  test("leaves no listener when all went, and begins anew afterwards", () => {
    const controller = new AbortController();
    let calls = 0;
    const stops = [1, 2, 3].map(() => whenAborted(controller.signal, () => calls++));
    for (const stop of stops) stop();
    expect(listeners(controller.signal)).toBe(0);
    whenAborted(controller.signal, () => calls++);
    controller.abort();
    expect(calls).toBe(1);
  });

  test("one who goes while others are called is not called", () => {
    const controller = new AbortController();
    const called: string[] = [];
    let stopLast: (() => void) | undefined;
    whenAborted(controller.signal, () => {
      called.push("first");
      stopLast?.();
    });
    stopLast = whenAborted(controller.signal, () => called.push("last"));
    controller.abort();
    expect(called).toEqual(["first"]);
  });
});

test("abortable rejects with the reason, once for each who waits", async () => {
  const controller = new AbortController();
  const never = new Promise<never>(() => {});
  const waits = [1, 2, 3].map(() => abortable(never, controller.signal));
  const reason = new Error("enough");
  controller.abort(reason);
  for (const wait of waits) await expect(wait).rejects.toBe(reason);
  await expect(abortable(never, controller.signal)).rejects.toBe(reason);
});

test("a signal that 100 calls share carries one listener, and none afterwards", async () => {
  const { signal } = new AbortController();
  const envelope = new Envelope({ wrappingKeys: [testKey()], cache: { maxAgeMs: 60_000 } });
  const most: number[] = [];
  const calls = Array.from({ length: 100 }, async (_, i) => {
    const message = envelope.encrypt("x", { signal, encryptionContext: { i: String(i) } });
    most.push(listeners(signal));
    return envelope.decrypt(await message, { signal });
  });
  await Promise.all(calls);
  expect(Math.max(...most)).toBe(1);
  expect(listeners(signal)).toBe(0);
});
