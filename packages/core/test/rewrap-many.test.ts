// Rewrapping messages that come one by one: each result as soon as it is there, an end whenever the signal says so, and
// nothing left open behind it.
import { Envelope, type RewrapResult, rewrapMany, type WrappingKey } from "@fengni/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bytesOf, testKey } from "./support.js";

const oldKey = testKey("old", 1);
const newKey = testKey("new", 2);
const before = new Envelope({ wrappingKeys: [oldKey] });
const between = new Envelope({ wrappingKeys: [newKey], unwrappingKeys: [oldKey] });
const message = before.encrypt(bytesOf(10));
const enough = new Error("enough");

const unhandled: unknown[] = [];
const note = (reason: unknown): void => {
  unhandled.push(reason);
};
beforeEach(() => {
  process.on("unhandledRejection", note);
});
afterEach(async () => {
  await turns();
  process.off("unhandledRejection", note);
  expect(unhandled.splice(0)).toEqual([]);
});

/** Lets every promise that can settle do so. */
async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** A source whose every message the test gives, and that tells what was done to it. */
class LiveSource implements AsyncIterableIterator<Uint8Array> {
  asked = 0;
  returned = 0;
  readonly #waiting: ((result: IteratorResult<Uint8Array>) => void)[] = [];
  readonly #failing: ((reason: unknown) => void)[] = [];

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    this.asked += 1;
    return new Promise((resolve, reject) => {
      this.#waiting.push(resolve);
      this.#failing.push(reject);
    });
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.returned += 1;
    return { done: true, value: undefined };
  }

  give(value: Uint8Array): void {
    this.#failing.shift();
    this.#waiting.shift()?.({ done: false, value });
  }

  end(): void {
    this.#failing.shift();
    this.#waiting.shift()?.({ done: true, value: undefined });
  }

  fail(reason: unknown): void {
    this.#waiting.shift();
    this.#failing.shift()?.(reason);
  }
}

const indexOf = (step: IteratorResult<RewrapResult, void>): number | undefined =>
  step.done === true ? undefined : step.value.index;

describe("a live source", () => {
  test("gives each result before the next message has come", async () => {
    const source = new LiveSource();
    const results = rewrapMany(between, source, { concurrency: 8 });
    for (let i = 0; i < 3; i++) {
      const next = results.next();
      await turns();
      source.give(await message);
      expect(indexOf(await next)).toBe(i);
    }
    const last = results.next();
    await turns();
    source.end();
    expect((await last).done).toBe(true);
    expect(source).toMatchObject({ asked: 4, returned: 0 });
  });

  test("has its messages worked on while the caller is busy, but no more than allowed", async () => {
    let wrapped = 0;
    const watched: WrappingKey = {
      ...newKey,
      wrapDataKey: (request, options) => {
        wrapped += 1;
        return newKey.wrapDataKey(request, options);
      },
    };
    const source = new LiveSource();
    const envelope = new Envelope({ wrappingKeys: [watched], unwrappingKeys: [oldKey] });
    const results = rewrapMany(envelope, source, { concurrency: 2 });
    const first = results.next();
    await turns();
    source.give(await message);
    expect(indexOf(await first)).toBe(0);
    // Nobody asks for the second result yet.
    for (let i = 0; i < 5; i++) {
      source.give(await message);
      await turns();
    }
    expect(wrapped).toBe(3);
    expect(source.asked).toBe(3);
    expect(indexOf(await results.next())).toBe(1);
    expect(indexOf(await results.next())).toBe(2);
    await results.return();
  });

  test("ends when the signal aborts while nothing comes", async () => {
    const source = new LiveSource();
    const controller = new AbortController();
    const results = rewrapMany(between, source, { signal: controller.signal });
    const next = results.next();
    await turns();
    controller.abort(enough);
    await expect(next).rejects.toBe(enough);
    expect(source.returned).toBe(1);
    // What comes afterwards is nobody's.
    source.fail(new Error("late"));
    expect((await results.next()).done).toBe(true);
  });

  test("a generator that never goes on does not keep the signal, or who stops, waiting", async () => {
    const controller = new AbortController();
    let isClosed = false;
    async function* live(): AsyncGenerator<Uint8Array, void, undefined> {
      try {
        yield await message;
        await new Promise(() => {});
      } finally {
        isClosed = true;
      }
    }
    const aborting = async (): Promise<void> => {
      for await (const result of rewrapMany(between, live(), { signal: controller.signal })) {
        expect(result.index).toBe(0);
        setTimeout(() => controller.abort(enough), 1);
      }
    };
    await expect(aborting()).rejects.toBe(enough);
    for await (const result of rewrapMany(between, live())) {
      expect(result.index).toBe(0);
      break;
    }
    // Its own code hangs: nothing can close it.
    expect(isClosed).toBe(false);
  });

  test("gives the results before it failed, then its error", async () => {
    const source = new LiveSource();
    const results = rewrapMany(between, source);
    const first = results.next();
    await turns();
    source.give(await message);
    await turns();
    source.fail(enough);
    expect(indexOf(await first)).toBe(0);
    await expect(results.next()).rejects.toBe(enough);
    expect(source.returned).toBe(0);
  });

  test("is not asked at all with a signal that has aborted already", async () => {
    const source = new LiveSource();
    await expect(rewrapMany(between, source, { signal: AbortSignal.abort(enough) }).next()).rejects.toBe(enough);
    expect(source).toMatchObject({ asked: 0, returned: 1 });
  });

  test("that cannot be closed changes nothing of why the work ended", async () => {
    const controller = new AbortController();
    const broken = (): IterableIterator<Uint8Array> & { next(): IteratorResult<Uint8Array> } => ({
      [Symbol.iterator]() {
        return this;
      },
      next: () => ({ done: false, value: new Uint8Array(3) }),
      return: () => {
        throw new Error("cannot be closed");
      },
    });
    const aborted = rewrapMany(between, broken(), { signal: controller.signal, concurrency: 1 });
    expect(indexOf(await aborted.next())).toBe(0);
    controller.abort(enough);
    await expect(aborted.next()).rejects.toBe(enough);
    const stopped = rewrapMany(between, broken(), { concurrency: 1 });
    expect(indexOf(await stopped.next())).toBe(0);
    await turns();
    await expect(stopped.return()).rejects.toThrow("cannot be closed");
  });

  test("leaves no listener on the signal", async () => {
    const { signal } = new AbortController();
    let held = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>): void => {
      held += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>): void => {
      held -= 1;
      remove(...args);
    };
    const results: number[] = [];
    for await (const { index } of rewrapMany(between, [await message, await message], { signal })) results.push(index);
    expect(results).toEqual([0, 1]);
    expect(held).toBe(0);
  });
});

describe("what is refused", () => {
  test.each<[string, unknown]>([
    ["null", null],
    ["a number", 5],
    ["text", "x"],
    ["an object", {}],
    ["one message", bytesOf(3)],
    ["a buffer", new ArrayBuffer(8)],
  ])("%s in the place of messages", async (_name, messages) => {
    await expect(rewrapMany(between, messages as never).next()).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
  });

  test("what is no envelope", async () => {
    for (const envelope of [null, undefined, 5, {}, newKey]) {
      const all = rewrapMany(envelope as never, [await message]);
      await expect(all.next()).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
    }
  });

  test("what is no message, each for itself", async () => {
    const results: RewrapResult[] = [];
    for await (const result of rewrapMany(between, [null as never, await message, "x" as never])) results.push(result);
    expect(results[0]).toMatchObject({ index: 0, error: { code: "ERR_ARGUMENT" } });
    expect(results[1]).toMatchObject({ index: 1, isUnchanged: false });
    expect(results[2]).toMatchObject({ index: 2, error: { code: "ERR_ARGUMENT" } });
  });
});
