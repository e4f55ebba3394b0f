// Parallel streams write the very bytes that one thread writes, read what it writes, and refuse what it refuses.
import {
  buildClient,
  CommitmentPolicy,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
} from "@aws-crypto/client-node";
import {
  Envelope,
  rawAesKey,
  SUITE_COMMITTED,
  SUITE_COMMITTED_SIGNED,
  SUITE_SM4,
  type WritableSuiteId,
} from "@fengni/core";
import { createDecryptStream, createEncryptStream } from "@fengni/core/node";
import fc from "fast-check";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { framePool } from "../src/parallel-pool.js";
import { MIB, running, through } from "./parallel-support.js";
import { bytesOf, refusal } from "./support.js";

/** Randomness that is the same for two messages, on request. */
const randomness = vi.hoisted(() => ({ state: undefined as number | undefined }));
vi.mock("@fengni/crypto/random", async (original) => {
  const real = await original<typeof import("@fengni/crypto/random")>();
  return {
    ...real,
    randomBytes(length: number): Uint8Array {
      if (randomness.state === undefined) return real.randomBytes(length);
      return Uint8Array.from({ length }, () => (randomness.state = ((randomness.state ?? 0) * 61 + 7) % 251));
    },
  };
});
afterEach(() => {
  randomness.state = undefined;
});

const names = { keyNamespace: "parallel", keyName: "key" };
const key = bytesOf(32, 5);
const envelope = new Envelope({
  wrappingKeys: [rawAesKey({ namespace: names.keyNamespace, name: names.keyName, key })],
});
const parallel = { workers: 2 };
const PLAINTEXT = bytesOf(6 * MIB, 3);

beforeAll(async () => {
  await running(framePool, 2);
});

/** Threads must have taken part, or the test shows nothing of them. */
async function withThreads<Value>(work: () => Promise<Value>): Promise<Value> {
  await running(framePool, 2);
  const before = framePool.slots;
  const value = await work();
  expect(framePool.slots).toBeGreaterThan(before);
  return value;
}

const patterns = fc.record({
  frameLength: fc.oneof(fc.integer({ min: 700, max: 70_000 }), fc.constantFrom(1024, 32_768, 65_536, 2 * MIB)),
  total: fc.integer({ min: 2 * MIB + 700, max: 5 * MIB }),
  isExact: fc.boolean(),
  chunks: fc.array(fc.integer({ min: 1000, max: 3 * MIB }), { minLength: 1, maxLength: 5 }),
});

describe("bytes", () => {
  test("a sealed message is the same as that of one thread, whatever its frames and chunks", async () => {
    await fc.assert(
      fc.asyncProperty(patterns, async ({ frameLength, total, isExact, chunks }) => {
        const plaintext = PLAINTEXT.subarray(0, isExact ? total - (total % frameLength) : total);
        randomness.state = 1;
        const expected = await through(plaintext, createEncryptStream(envelope, { frameLength }), chunks);
        randomness.state = 1;
        const made = await through(plaintext, createEncryptStream(envelope, { frameLength, parallel }), chunks);
        randomness.state = undefined;
        expect(Buffer.compare(made, expected)).toBe(0);
        const opened = await through(expected, createDecryptStream(envelope, { parallel }), chunks);
        expect(Buffer.compare(opened, plaintext)).toBe(0);
      }),
      { numRuns: 12 },
    );
  });

  test.each([
    ["committed", SUITE_COMMITTED, 65_536],
    ["committed, short frames", SUITE_COMMITTED, 4096],
    ["signed", SUITE_COMMITTED_SIGNED, 65_536],
    ["signed, short frames", SUITE_COMMITTED_SIGNED, 4096],
  ] as const)("crosses over to one thread and back: %s", async (_name, suite, frameLength) => {
    await withThreads(async () => {
      const made = await through(PLAINTEXT, createEncryptStream(envelope, { suite, frameLength, parallel }));
      const { plaintext } = await envelope.decrypt(made);
      expect(Buffer.compare(plaintext, PLAINTEXT)).toBe(0);
    });
    await withThreads(async () => {
      const message = await envelope.encrypt(PLAINTEXT, { suite, frameLength });
      const stream = createDecryptStream(envelope, { parallel });
      expect(Buffer.compare(await through(message, stream), PLAINTEXT)).toBe(0);
      expect(stream.header?.frameLength).toBe(frameLength);
    });
  });

  test("the released AWS client opens a parallel signed message", async () => {
    const client = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
    const keyring = new RawAesKeyringNode({
      ...names,
      unencryptedMasterKey: new Uint8Array(key),
      wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
      utf8Sorting: true,
    });
    const made = await withThreads(() =>
      through(PLAINTEXT, createEncryptStream(envelope, { suite: SUITE_COMMITTED_SIGNED, parallel })),
    );
    const { plaintext } = await client.decrypt(keyring, Buffer.from(made));
    expect(Buffer.compare(plaintext, PLAINTEXT)).toBe(0);
  });

  test("chunks that the caller reuses are neither kept nor detached", async () => {
    const chunk = new Uint8Array(65_536);
    async function* reused(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < PLAINTEXT.length; at += chunk.length) {
        chunk.set(PLAINTEXT.subarray(at, at + chunk.length));
        yield chunk;
      }
    }
    const stream = createEncryptStream(envelope, { parallel });
    const pieces: Uint8Array[] = [];
    stream.on("data", (piece: Uint8Array) => pieces.push(piece));
    for await (const part of reused()) {
      await new Promise<void>((resolve, reject) => stream.write(part, (error) => (error ? reject(error) : resolve())));
    }
    await new Promise<void>((resolve) => stream.end(resolve).resume());
    await new Promise<void>((resolve) => (stream.readableEnded ? resolve() : stream.once("end", resolve)));
    expect(chunk.length).toBe(65_536);
    const { plaintext } = await envelope.decrypt(new Uint8Array(Buffer.concat(pieces)));
    expect(Buffer.compare(plaintext, PLAINTEXT)).toBe(0);
  });

  test.each([
    ["SM4", SUITE_SM4, 65_536],
    ["frames of more than 4 MiB", SUITE_COMMITTED, 4 * MIB + 1],
  ] as const)("%s: stays on one thread", async (_name, suite: WritableSuiteId, frameLength) => {
    const before = framePool.slots;
    const options = { suite, frameLength, parallel };
    const bytes = PLAINTEXT.subarray(0, 2 * MIB);
    const made = await through(bytes, createEncryptStream(envelope, options));
    expect(Buffer.compare(await through(made, createDecryptStream(envelope, { parallel })), bytes)).toBe(0);
    expect(framePool.slots).toBe(before);
  });
});

describe("what is refused", () => {
  const FRAME = 65_536;
  const SEALED = FRAME + 32;

  /** What came out before the refusal, which must be a beginning of the plaintext. */
  async function refused(message: Uint8Array, ...codes: readonly string[]): Promise<number> {
    const stream = createDecryptStream(envelope, { parallel });
    const pieces: Uint8Array[] = [];
    stream.on("data", (piece: Uint8Array) => pieces.push(piece));
    const done = new Promise<void>((resolve, reject) => stream.once("error", reject).once("end", resolve));
    stream.end(message);
    await refusal(done, ...codes);
    const released = new Uint8Array(Buffer.concat(pieces));
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(Buffer.concat(pieces).length).toBe(released.length);
    expect(Buffer.compare(released, PLAINTEXT.subarray(0, released.length))).toBe(0);
    return released.length;
  }

  test.each([
    ["committed", SUITE_COMMITTED],
    ["signed", SUITE_COMMITTED_SIGNED],
  ] as const)("a change anywhere: %s", async (_name, suite) => {
    const message = await envelope.encrypt(PLAINTEXT, { suite, frameLength: FRAME });
    const single = await envelope.encrypt(new Uint8Array(0), { suite, frameLength: FRAME });
    const body = message.length - (await footerOf(message));
    const headerLength = body - (PLAINTEXT.length / FRAME) * SEALED - 40;
    expect(headerLength).toBeLessThanOrEqual(single.length);
    await withThreads(async () => {
      for (const frame of [0, 1, 17, 40, PLAINTEXT.length / FRAME - 1]) {
        // Sequence number, IV, ciphertext, its end, tag.
        for (const place of [3, 9, 16, 16 + FRAME - 1, SEALED - 1]) {
          const at = headerLength + frame * SEALED + place;
          const changed = message.slice();
          changed[at] = (changed[at] as number) ^ 1;
          const length = await refused(changed, "ERR_AUTHENTICATION", "ERR_MESSAGE_INVALID");
          expect(length).toBeLessThanOrEqual(frame * FRAME);
        }
      }
      // The final frame, and the signature.
      for (let at = body - 40; at < message.length; at += 3) {
        const changed = message.slice();
        changed[at] = (changed[at] as number) ^ 1;
        const codes = ["ERR_AUTHENTICATION", "ERR_MESSAGE_INVALID", "ERR_MESSAGE_TRUNCATED"];
        await refused(changed, ...codes);
      }
    });
  });

  /** Bytes of the footer: none, or a length and the signature. */
  async function footerOf(message: Uint8Array): Promise<number> {
    const view = new DataView(message.buffer, message.byteOffset);
    for (let length = 100; length < 108; length++) {
      if (view.getUint16(message.length - length - 2) === length) return length + 2;
    }
    return 0;
  }

  test("frames that are swapped, repeated or left out", async () => {
    const message = await envelope.encrypt(PLAINTEXT, { frameLength: FRAME });
    const start = message.length - 40 - (PLAINTEXT.length / FRAME) * SEALED;
    const frame = (index: number): Uint8Array => message.slice(start + index * SEALED, start + (index + 1) * SEALED);
    const swapped = message.slice();
    swapped.set(frame(30), start + 31 * SEALED);
    swapped.set(frame(31), start + 30 * SEALED);
    const cut = Buffer.concat([message.slice(0, start + 30 * SEALED), message.slice(start + 31 * SEALED)]);
    const repeated = Buffer.concat([message.slice(0, start + 31 * SEALED), message.slice(start + 30 * SEALED)]);
    for (const wrong of [swapped, cut, repeated]) await refused(wrong, "ERR_MESSAGE_INVALID");
  });

  test("every kind of truncation", async () => {
    const message = await envelope.encrypt(PLAINTEXT, { suite: SUITE_COMMITTED_SIGNED, frameLength: FRAME });
    await withThreads(async () => {
      for (const length of [MIB, MIB + 1, 3 * MIB, 3 * MIB + 12_345, message.length - 200, message.length - 1]) {
        await refused(message.slice(0, length), "ERR_MESSAGE_TRUNCATED");
      }
    });
  });

  test("bytes after the end, and more plaintext than was announced", async () => {
    const message = await envelope.encrypt(PLAINTEXT, { frameLength: FRAME });
    await refused(Buffer.concat([message, new Uint8Array(1)]), "ERR_MESSAGE_INVALID");
    const limited = createEncryptStream(envelope, { parallel, maxPlaintextLength: PLAINTEXT.length - 1 });
    await refusal(through(PLAINTEXT, limited), "ERR_LIMIT");
  });

  test("options that cannot be", () => {
    expect(() => createEncryptStream(envelope, { parallel: { workers: -1 } })).toThrowError(/workers/);
    expect(() => createDecryptStream(envelope, { parallel: { workers: 65 } })).toThrowError(/workers/);
    const unknown = { parallel: { threads: 1 } } as never;
    expect(() => createDecryptStream(envelope, unknown)).toThrowError(/does not know the option "threads"/);
  });
});
