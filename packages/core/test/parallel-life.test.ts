// The life of threads: none for short messages, bounded work, no trace after abort or destroy, and typed errors when they die.
import { EventEmitter, getEventListeners } from "node:events";
import { PassThrough, type Transform } from "node:stream";
import { finished } from "node:stream/promises";
import { setImmediate as turn } from "node:timers/promises";
import { Envelope } from "@fengni/core";
import { createDecryptStream, createEncryptStream } from "@fengni/core/node";
import { afterEach, describe, expect, test, vi } from "vitest";
import { FramePool, framePool } from "../src/parallel-pool.js";
import { ParallelTransform } from "../src/parallel-stream.js";
import { openingEngine, sealingEngine } from "../src/parallel-work.js";
import { MIB, poolOf, running, through } from "./parallel-support.js";
import { bytesOf, joined, refusal, testKey } from "./support.js";

const envelope = new Envelope({ wrappingKeys: [testKey()] });
const PLAINTEXT = bytesOf(5 * MIB + 1, 9);
const FROM =
  'import { parentPort } from "node:worker_threads"; parentPort.postMessage("ready"); parentPort.on("message", (job) => {';
/** Threads that take jobs and never answer, or die of the first. */
const SILENT = `${FROM} });`;
const EXITS = `${FROM} process.exit(3); });`;
const THROWS = `${FROM} throw new Error("out of order"); });`;
/** Threads that say of every batch that a tag does not fit. */
const REFUSES_TAGS = `${FROM} parentPort.postMessage({ id: job.id, buffer: job.buffer, outputs: undefined }, [job.buffer]); });`;

const pools: FramePool[] = [];
async function pool(program: string): Promise<FramePool> {
  const made = await running(poolOf(program));
  pools.push(made);
  return made;
}
afterEach(() => {
  for (const made of pools.splice(0)) made.stop();
});

function sealing(threads: FramePool, signal?: AbortSignal): ParallelTransform {
  return new ParallelTransform(sealingEngine(envelope.createEncryptor(signal ? { signal } : {})), 1, threads);
}

function opening(threads: FramePool): ParallelTransform {
  return new ParallelTransform(openingEngine(envelope.createDecryptor()), 1, threads);
}

/** Writes all at once, and reads: the outcome, and what came out. */
function outcome(stream: Transform, bytes: Uint8Array): { done: Promise<void>; pieces: Uint8Array[] } {
  const pieces: Uint8Array[] = [];
  stream.on("data", (piece: Uint8Array) => pieces.push(piece));
  const done = finished(stream);
  done.catch(() => {});
  stream.end(bytes);
  return { done, pieces };
}

/** Waits until a thread has a job of this stream. */
async function given(threads: FramePool, before: number): Promise<void> {
  while (threads.slots === before) await turn();
  await turn();
}

describe("short messages", () => {
  test("a thousand of them start no thread", async () => {
    const before = framePool.started;
    for (let i = 0; i < 500; i++) {
      const message = await through(bytesOf(100), createEncryptStream(envelope, { parallel: { workers: 2 } }));
      await through(message, createDecryptStream(envelope, { parallel: { workers: 2 } }));
    }
    expect(framePool.started).toBe(before);
  });
});

describe("a thread that dies", () => {
  test.each([
    ["exits", EXITS],
    ["throws", THROWS],
  ])("%s: fails the stream that uses it, either way, and is replaced", async (_name, program) => {
    const message = await envelope.encrypt(PLAINTEXT);
    const threads = await pool(program);
    for (const [stream, input] of [
      [sealing(threads), PLAINTEXT],
      [opening(threads), message],
    ] as const) {
      await running(threads);
      const { done } = outcome(stream, input);
      await refusal(done, "ERR_UNAVAILABLE");
      expect(stream.destroyed).toBe(true);
    }
    expect(threads.started).toBeGreaterThanOrEqual(2);
    await running(threads);
  });

  test("killed from outside while it holds a batch", async () => {
    const threads = await pool(SILENT);
    const before = threads.slots;
    const { done } = outcome(sealing(threads), PLAINTEXT);
    await given(threads, before);
    threads.stop();
    await refusal(done, "ERR_UNAVAILABLE");
    while (threads.size > 0) await turn();
    // Others are not touched.
    const healthy = await running(new FramePool());
    pools.push(healthy);
    const { done: other, pieces } = outcome(sealing(healthy), PLAINTEXT);
    await other;
    expect(Buffer.compare((await envelope.decrypt(joined(pieces))).plaintext, PLAINTEXT)).toBe(0);
  });

  test("none can be started: one thread does all, with one warning", async () => {
    const warning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const threads = new FramePool(new URL("./there-is-no-such-file.mjs", import.meta.url));
    for (let i = 0; i < 2; i++) {
      const { done, pieces } = outcome(sealing(threads), PLAINTEXT);
      await done;
      while (threads.size > 0) await turn();
      expect(Buffer.compare((await envelope.decrypt(joined(pieces))).plaintext, PLAINTEXT)).toBe(0);
    }
    expect(warning).toHaveBeenCalledTimes(1);
    expect(warning.mock.calls[0]?.[1]).toMatchObject({ code: "FENGNI_ONE_THREAD" });
    warning.mockRestore();
  });
});

describe("authentication", () => {
  test("a tag that a thread refuses fails the stream, and nothing comes out after", async () => {
    const message = await envelope.encrypt(PLAINTEXT);
    const threads = await pool(REFUSES_TAGS);
    const { done, pieces } = outcome(opening(threads), message);
    await refusal(done, "ERR_AUTHENTICATION");
    expect(joined(pieces).length).toBeLessThanOrEqual(MIB);
  });

  test("nothing of a batch, nor behind it, comes out before a thread has answered", async () => {
    const message = await envelope.encrypt(PLAINTEXT);
    const threads = await pool(SILENT);
    const before = threads.slots;
    const stream = opening(threads);
    const { pieces, done } = outcome(stream, message);
    await given(threads, before);
    for (let i = 0; i < 20; i++) await turn();
    // What one thread did before the first batch: the first MiB of the message.
    expect(joined(pieces).length).toBeLessThanOrEqual(MIB);
    stream.destroy();
    await expect(done).rejects.toMatchObject({ code: "ERR_STREAM_PREMATURE_CLOSE" });
  });
});

describe("bounds", () => {
  test("however much is offered, only so much is on its way", async () => {
    const threads = await pool(SILENT);
    const stream = sealing(threads);
    let taken = 0;
    let most = 0;
    const source = new PassThrough();
    source.pipe(stream).resume();
    const chunk = bytesOf(65_536);
    for (let i = 0; i < 400; i++) {
      source.write(chunk, () => {
        taken += chunk.length;
        most = Math.max(most, stream.load?.held ?? 0);
      });
      await turn();
    }
    const limit = stream.load?.limit ?? 0;
    expect(limit).toBe(6 * MIB);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(limit + 4 * MIB);
    // 25 MiB were offered.
    expect(taken).toBeLessThan(12 * MIB);
    stream.destroy();
    source.destroy();
  });

  test("a reader that does not read stops the stream, and one that begins again starts it", async () => {
    const threads = await running(new FramePool());
    pools.push(threads);
    const stream = sealing(threads);
    let taken = 0;
    const chunk = bytesOf(65_536);
    const count = 320;
    for (let i = 0; i < count; i++) {
      stream.write(chunk, () => {
        taken += chunk.length;
      });
    }
    stream.end();
    for (let i = 0; i < 300; i++) await turn();
    expect(taken).toBeLessThan(12 * MIB);
    const pieces: Uint8Array[] = [];
    for await (const piece of stream) pieces.push(piece as Uint8Array);
    expect(taken).toBe(count * chunk.length);
    const { plaintext } = await envelope.decrypt(joined(pieces));
    expect(plaintext.length).toBe(count * chunk.length);
  });

  test("input that pauses does not hold back what came before", async () => {
    const threads = await running(new FramePool());
    pools.push(threads);
    const stream = sealing(threads);
    let length = 0;
    const enough = new EventEmitter();
    stream.on("data", (piece: Uint8Array) => {
      length += piece.length;
      if (length >= 1.5 * MIB) enough.emit("there");
    });
    const there = new Promise<void>((resolve) => enough.once("there", resolve));
    stream.write(PLAINTEXT.subarray(0, 1.5 * MIB));
    await there;
    stream.destroy();
  });
});

describe("the end at any moment", () => {
  test.each([0, 1, 2, 5, 20])(
    "destroyed after %i turns: late answers are dropped, the pool is free again",
    async (turns) => {
      const threads = await running(new FramePool());
      pools.push(threads);
      const message = await envelope.encrypt(PLAINTEXT);
      for (const [stream, input] of [
        [sealing(threads), PLAINTEXT],
        [opening(threads), message],
      ] as const) {
        const { done, pieces } = outcome(stream, input);
        for (let i = 0; i < turns; i++) await turn();
        if (stream.writableFinished) continue;
        stream.destroy();
        const released = pieces.length;
        // ERR_CLOSED: the data key was still waited for.
        await expect(done).rejects.toMatchObject({
          code: expect.stringMatching(/^ERR_(STREAM_PREMATURE_CLOSE|CLOSED)$/),
        });
        for (let i = 0; i < 20; i++) await turn();
        expect(pieces.length).toBe(released);
      }
      // Both of its slots come back.
      for (;;) {
        const slots = [threads.reserve(1), threads.reserve(1)];
        for (const slot of slots) slot?.release();
        if (slots[1] !== undefined) break;
        await turn();
      }
    },
  );

  test("an abort fails the stream with its reason, and leaves no listener", async () => {
    const threads = await running(new FramePool());
    pools.push(threads);
    const controller = new AbortController();
    const added = vi.spyOn(controller.signal, "addEventListener");
    const stream = sealing(threads, controller.signal);
    const done = finished(stream);
    done.catch(() => {});
    stream.resume();
    stream.write(PLAINTEXT);
    const reason = new Error("enough");
    controller.abort(reason);
    stream.write(PLAINTEXT);
    await expect(done).rejects.toBe(reason);
    expect(added).toHaveBeenCalled();
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
  });

  test("an idle thread stops, and a later stream starts another", async () => {
    const threads = await running(new FramePool(undefined, 1));
    pools.push(threads);
    while (threads.size > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    const before = threads.started;
    await running(threads);
    expect(threads.started).toBeGreaterThan(before);
  });
});
