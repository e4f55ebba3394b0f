import {
  Envelope,
  type RangeSource,
  SUITE_COMMITTED_SIGNED,
  SUITE_COMMITTED_SIGNED_ML_DSA,
  SUITE_SM4,
} from "@fengni/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fullFinalFrame, nonFramed } from "./range-support.js";
import { bytesOf, refusal, testKey } from "./support.js";

const key = testKey();
const envelope = new Envelope({ wrappingKeys: [key], frameLength: 16 });

/** A source that records what it is asked for. */
function recorded(bytes: Uint8Array): RangeSource & { readonly reads: [offset: number, length: number][] } {
  const reads: [number, number][] = [];
  return {
    size: bytes.length,
    reads,
    async read(offset, length) {
      reads.push([offset, length]);
      return bytes.slice(offset, offset + length);
    },
  };
}

async function headerLengthOf(message: Uint8Array): Promise<number> {
  return (await envelope.decrypt(message)).header.headerLength;
}

describe("a range", () => {
  test("equals the slice of the whole, whatever the lengths", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 0, max: 200 }),
        fc.nat({ max: 260 }),
        fc.nat({ max: 260 }),
        fc.boolean(),
        async (frameLength, length, a, b, checkEnd) => {
          const plaintext = bytesOf(length);
          const message = await envelope.encrypt(plaintext, { frameLength });
          const [start, end] = [Math.min(a, b), Math.max(a, b)];
          expect(await envelope.decryptRange(message, start, end, { checkEnd })).toEqual(plaintext.slice(start, end));
        },
      ),
      { seed: 7, numRuns: 200 },
    );
  });

  test.each([
    ["ECDSA", SUITE_COMMITTED_SIGNED],
    ["ML-DSA", SUITE_COMMITTED_SIGNED_ML_DSA],
  ] as const)(
    "of a message signed with %s equals the slice, where unverified signatures are allowed",
    async (_name, suite) => {
      for (const [frameLength, length] of [
        [1, 0],
        [1, 5],
        [7, 14],
        [16, 15],
        [16, 16],
        [16, 47],
        [300, 299],
        [4000, 8001],
      ] as const) {
        const plaintext = bytesOf(length);
        const message = await envelope.encrypt(plaintext, { frameLength, suite });
        const reader = await envelope.openRange(message, { allowUnverifiedSignature: true });
        expect(reader.plaintextLength).toBe(length);
        expect(await reader.read(0, length)).toEqual(plaintext);
        expect(await reader.read(length >> 1, length)).toEqual(plaintext.slice(length >> 1));
      }
    },
  );

  test("is read from bytes, a Blob and a source of one's own alike", async () => {
    const message = await envelope.encrypt(bytesOf(100));
    for (const source of [message, new Blob([new Uint8Array(message)]), recorded(message)]) {
      expect(await envelope.decryptRange(source, 30, 70)).toEqual(bytesOf(100).slice(30, 70));
    }
  });

  test("is read of a body that ends with a full final frame", async () => {
    for (const frames of [1, 2, 5]) {
      const { message, plaintext } = await fullFinalFrame(key, 16, frames);
      expect((await envelope.decrypt(message)).plaintext).toEqual(plaintext);
      const reader = await envelope.openRange(message);
      expect(reader.plaintextLength).toBe(16 * frames);
      for (let start = 0; start <= plaintext.length; start += 5) {
        expect(await reader.read(start, plaintext.length)).toEqual(plaintext.slice(start));
      }
    }
  });

  test("is read of a suite with SM4, and with a context that is not stored", async () => {
    const message = await envelope.encrypt(bytesOf(50), {
      suite: SUITE_SM4,
      encryptionContext: { tenant: "7", secret: "x" },
      unstoredContextKeys: ["secret"],
    });
    const options = { encryptionContext: { tenant: "7" }, reproducedContext: { secret: "x" } };
    expect(await envelope.decryptRange(message, 15, 33, options)).toEqual(bytesOf(50).slice(15, 33));
    await refusal(envelope.decryptRange(message, 0, 1, { reproducedContext: { secret: "y" } }), "ERR_UNWRAP_FAILED");
    await refusal(
      envelope.decryptRange(message, 0, 1, { ...options, encryptionContext: { tenant: "8" } }),
      "ERR_CONTEXT_MISMATCH",
    );
  });

  test("gives the header and the length, and is refused after close", async () => {
    const message = await envelope.encrypt(bytesOf(33), { encryptionContext: { a: "b" } });
    const reader = await envelope.openRange(message);
    expect(reader.header.encryptionContext).toEqual({ a: "b" });
    expect(reader.plaintextLength).toBe(33);
    reader.close();
    await refusal(reader.read(0, 1), "ERR_CLOSED");
    const closed = new Envelope({ wrappingKeys: [key] });
    closed.close();
    await refusal(closed.decryptRange(message, 0, 1), "ERR_CLOSED");
  });
});

describe("what is fetched", () => {
  const frameLength = 64 * 1024;
  const plaintext = bytesOf(40 * frameLength + 100);
  const sealed = envelope.encrypt(plaintext, { frameLength });

  test("is the header, the final frame and the frames that cover the range, each once", async () => {
    const message = await sealed;
    const headerLength = await headerLengthOf(message);
    const source = recorded(message);
    const reader = await envelope.openRange(source);
    const finalOffset = headerLength + 40 * (frameLength + 32);
    expect(source.reads).toEqual([
      [0, 4096],
      [finalOffset, 24 + 100 + 16],
    ]);
    source.reads.length = 0;
    expect(await reader.read(3 * frameLength - 1, 3 * frameLength + 1)).toEqual(
      plaintext.slice(3 * frameLength - 1, 3 * frameLength + 1),
    );
    expect(source.reads).toEqual([[headerLength + 2 * (frameLength + 32), 2 * (frameLength + 32)]]);
    source.reads.length = 0;
    expect(await reader.read(5 * frameLength, 5 * frameLength)).toHaveLength(0);
    expect(await reader.read(plaintext.length, plaintext.length + 9)).toHaveLength(0);
    expect(source.reads).toEqual([]);
    expect(Buffer.compare(await reader.read(0, plaintext.length), plaintext)).toBe(0);
    // Reads of 15 frames, which are just below 1 MiB.
    expect(source.reads.map(([, length]) => length)).toEqual([
      15 * (frameLength + 32),
      15 * (frameLength + 32),
      10 * (frameLength + 32) + 24 + 100 + 16,
    ]);
  });

  test("lacks the final frame where the end is not checked", async () => {
    const source = recorded(await sealed);
    await envelope.decryptRange(source, 0, 1, { checkEnd: false });
    expect(source.reads.map(([, length]) => length)).toEqual([4096, frameLength + 32]);
  });

  test("of a long header is at most twice its length", async () => {
    const message = await envelope.encrypt(bytesOf(9), { encryptionContext: { long: "x".repeat(50_000) } });
    const source = recorded(message);
    expect(await envelope.decryptRange(source, 2, 5)).toEqual(bytesOf(9).slice(2, 5));
    expect(source.reads.length).toBeLessThan(8);
    const headerReads = source.reads.slice(0, -2);
    expect(headerReads.reduce((sum, [, length]) => sum + length, 0)).toBeLessThanOrEqual(2 * message.length);
  });

  test("never is more than four reads at a time", async () => {
    const message = await envelope.encrypt(bytesOf(9_000_000), { frameLength: 128 * 1024 });
    let running = 0;
    let most = 0;
    const source: RangeSource = {
      size: message.length,
      async read(offset, length) {
        running += 1;
        most = Math.max(most, running);
        expect(length).toBeLessThanOrEqual(1 << 20);
        await new Promise((resolve) => setTimeout(resolve, 1));
        running -= 1;
        return message.subarray(offset, offset + length);
      },
    };
    const range = await envelope.decryptRange(source, 1, 9_000_000);
    expect(Buffer.compare(range, bytesOf(9_000_000).subarray(1))).toBe(0);
    expect(most).toBe(4);
  });
});

describe("a range is refused", () => {
  const plaintext = bytesOf(70);
  const sealed = envelope.encrypt(plaintext);
  const frame = 16 + 32;

  test.each([
    [-1, 4],
    [0, -1],
    [5, 4],
    [0.5, 4],
    [0, Number.NaN],
    [0, Number.POSITIVE_INFINITY],
  ])("from %d to %d, as a programmer's fault", async (start, end) => {
    const reader = await envelope.openRange(await sealed);
    await expect(reader.read(start, end)).rejects.toMatchObject({ name: "RangeError", code: "ERR_ARGUMENT" });
    await expect(envelope.decryptRange(await sealed, start, end)).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
  });

  test("for options and sources that cannot be", async () => {
    const message = await sealed;
    const wrong = { checkend: false } as object;
    await expect(envelope.openRange(message, wrong)).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
    await expect(envelope.openRange(message, { checkEnd: 0 } as object)).rejects.toMatchObject({
      code: "ERR_ARGUMENT",
    });
    for (const source of [undefined, "text", {}, { size: 5 }, { size: -1, read() {} }, { size: 2 ** 60, read() {} }]) {
      await expect(envelope.openRange(source as unknown as RangeSource)).rejects.toMatchObject({
        code: "ERR_ARGUMENT",
      });
    }
  });

  test("when it is longer than allowed, before anything is fetched for it", async () => {
    const source = recorded(await sealed);
    const reader = await envelope.openRange(source, { maxRangeLength: 10 });
    const before = source.reads.length;
    await refusal(reader.read(0, 11), "ERR_LIMIT");
    expect(source.reads).toHaveLength(before);
    expect(await reader.read(0, 10)).toEqual(plaintext.slice(0, 10));
    expect(await reader.read(65, 1000)).toEqual(plaintext.slice(65));
  });

  test("for every byte of its frames that is changed, and for no other frame's", async () => {
    const message = await sealed;
    const headerLength = await headerLengthOf(message);
    const begin = headerLength + frame;
    for (let i = headerLength; i < message.length; i++) {
      const changed = message.slice();
      changed[i] = (changed[i] as number) ^ 1;
      const range = envelope.decryptRange(changed, 20, 30, { checkEnd: false });
      if (i >= begin && i < begin + frame) await refusal(range, "ERR_AUTHENTICATION", "ERR_MESSAGE_INVALID");
      else expect(await range).toEqual(plaintext.slice(20, 30));
    }
  });

  test("for every byte of the header that is changed", async () => {
    const message = await sealed;
    const headerLength = await headerLengthOf(message);
    for (let i = 0; i < headerLength; i++) {
      const changed = message.slice();
      changed[i] = (changed[i] as number) ^ 1;
      await refusal(envelope.decryptRange(changed, 20, 30));
    }
  });

  test("when the message was cut or extended anywhere, though its own frames are whole", async () => {
    const message = await sealed;
    for (let length = 0; length < message.length; length++) {
      await refusal(envelope.decryptRange(message.slice(0, length), 0, 5));
    }
    for (let more = 1; more < 3 * frame; more++) {
      await refusal(envelope.decryptRange(new Uint8Array([...message, ...bytesOf(more)]), 0, 5));
    }
    // Cut behind a whole frame, so that the size alone looks right.
    const headerLength = await headerLengthOf(message);
    const final = message.slice(headerLength + 4 * frame);
    const shorter = new Uint8Array([...message.slice(0, headerLength + 3 * frame), ...final]);
    await refusal(envelope.decryptRange(shorter, 0, 5), "ERR_MESSAGE_INVALID");
    // Unless the end is not checked: then the frames that are there come out, and the length is not authentic.
    const reader = await envelope.openRange(shorter, { checkEnd: false });
    expect(reader.plaintextLength).toBe(54);
    expect(await reader.read(0, 48)).toEqual(plaintext.slice(0, 48));
    await refusal(reader.read(48, 54), "ERR_MESSAGE_INVALID");
  });

  test("when frames were exchanged, repeated, or are another message's", async () => {
    const message = await sealed;
    const headerLength = await headerLengthOf(message);
    const at = (index: number): number => headerLength + index * frame;
    const exchanged = message.slice();
    exchanged.set(message.slice(at(1), at(2)), at(2));
    exchanged.set(message.slice(at(2), at(3)), at(1));
    await refusal(envelope.decryptRange(exchanged, 16, 17), "ERR_MESSAGE_INVALID");
    expect(await envelope.decryptRange(exchanged, 0, 16)).toEqual(plaintext.slice(0, 16));
    const other = message.slice();
    other.set((await envelope.encrypt(bytesOf(70, 9))).slice(at(1), at(2)), at(1));
    await refusal(envelope.decryptRange(other, 16, 17), "ERR_AUTHENTICATION");
    const renumbered = message.slice();
    renumbered.set(message.slice(at(1), at(2)), at(2));
    renumbered.set([0, 0, 0, 3], at(2));
    await refusal(envelope.decryptRange(renumbered, 32, 33), "ERR_AUTHENTICATION");
  });

  test("of a signed message unless allowed, before any key is asked", async () => {
    const message = await envelope.encrypt(plaintext, { suite: SUITE_COMMITTED_SIGNED });
    const stranger = new Envelope({ wrappingKeys: [testKey("other")] });
    await refusal(stranger.openRange(message), "ERR_MESSAGE_UNSUPPORTED");
    const allowed = { allowUnverifiedSignature: true };
    await refusal(stranger.openRange(message, allowed), "ERR_NO_MATCHING_KEY");
    for (let length = 0; length < message.length; length += 3) {
      await refusal(envelope.openRange(message.slice(0, length), allowed));
    }
    await refusal(envelope.openRange(new Uint8Array([...message, 0]), allowed));
  });

  test("of a body that is not framed", async () => {
    const message = await nonFramed(key, bytesOf(20));
    expect((await envelope.decrypt(message)).plaintext).toEqual(bytesOf(20));
    await refusal(envelope.openRange(message), "ERR_MESSAGE_UNSUPPORTED");
  });

  test("of frames longer than allowed", async () => {
    const message = await envelope.encrypt(plaintext, { frameLength: 64 });
    await refusal(new Envelope({ wrappingKeys: [key], maxFrameLength: 63 }).openRange(message), "ERR_LIMIT");
  });
});

describe("a source that lies", () => {
  const sealed = envelope.encrypt(bytesOf(70));

  async function lying(read: (answer: Uint8Array, offset: number) => unknown, size?: number): Promise<RangeSource> {
    const message = await sealed;
    return {
      size: size ?? message.length,
      read: async (offset, length) => read(message.slice(offset, offset + length), offset) as Uint8Array,
    };
  }

  test("gives typed errors", async () => {
    const short = await lying((answer) => answer.subarray(1));
    await refusal(envelope.decryptRange(short, 0, 1), "ERR_MESSAGE_TRUNCATED");
    const long = await lying((answer) => new Uint8Array([...answer, 0]));
    await refusal(envelope.decryptRange(long, 0, 1), "ERR_MESSAGE_INVALID");
    const nothing = await lying(() => undefined);
    await expect(envelope.decryptRange(nothing, 0, 1)).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
    const zeros = await lying((answer, offset) => (offset === 0 ? answer : new Uint8Array(answer.length)));
    await refusal(envelope.decryptRange(zeros, 0, 1), "ERR_MESSAGE_INVALID");
  });

  test("of a size that is not its own is refused without reserving memory for it", async () => {
    for (const size of [2 ** 53 - 1, 2 ** 40, 10_000]) {
      await refusal(envelope.decryptRange(await lying((answer) => answer, size), 0, 1));
    }
    const huge = await lying((answer) => answer, 2 ** 40);
    const unchecked = await envelope.openRange(huge, { checkEnd: false }).catch((error: unknown) => error);
    expect(unchecked).toMatchObject({ code: expect.stringMatching(/^ERR_MESSAGE_/) });
  });

  test("of a size that changes is refused", async () => {
    const message = await sealed;
    const source = {
      size: message.length,
      read: async (offset: number, length: number) => message.slice(offset, offset + length),
    };
    const reader = await envelope.openRange(source);
    source.size += 1;
    await refusal(reader.read(0, 1), "ERR_CONFLICT");
  });

  test("that fails fails the read with its own error", async () => {
    const failing: RangeSource = { size: 500, read: () => Promise.reject(new Error("disk on fire")) };
    await expect(envelope.decryptRange(failing, 0, 1)).rejects.toThrow("disk on fire");
  });

  test("that never answers is left when the signal aborts", async () => {
    const message = await sealed;
    let answers = 2;
    const source: RangeSource = {
      size: message.length,
      read: (offset, length, options) => {
        expect(options?.signal).toBeInstanceOf(AbortSignal);
        if (answers-- > 0) return Promise.resolve(message.slice(offset, offset + length));
        return new Promise(() => {});
      },
    };
    const opening = new AbortController();
    const reader = await envelope.openRange(source, { signal: opening.signal });
    const reading = new AbortController();
    const range = reader.read(0, 70, { signal: reading.signal });
    reading.abort(new Error("enough"));
    await expect(range).rejects.toThrow("enough");
    await expect(envelope.decryptRange(source, 0, 1, { signal: AbortSignal.abort(new Error("no")) })).rejects.toThrow(
      "no",
    );
  });
});
