import { type CommitmentPolicy, Envelope, inspect } from "@fengni/core";
import { describe, expect, test } from "vitest";
import { bytesOf, refusal, testKey } from "./support.js";

// Headers that lie about lengths. None of them may make the reader allocate what they claim: each must be refused from the
// bytes at hand, or wait for bytes that never come.

const u16 = (value: number): number[] => [value >>> 8, value & 0xff];
const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value & 0xffff)];

interface Lies {
  readonly contextLength?: number;
  readonly keyCount?: number;
  readonly fieldLength?: number;
  readonly contentType?: number;
  readonly frameLength?: number;
}

/** A version 2 header of suite 0x0478 up to its frame length, with the given lies. */
function header({
  contextLength = 0,
  keyCount = 1,
  fieldLength = 0,
  contentType = 2,
  frameLength = 16,
}: Lies): Uint8Array {
  return new Uint8Array([
    2,
    ...u16(0x0478),
    ...new Uint8Array(32),
    ...u16(contextLength),
    ...u16(keyCount),
    ...u16(fieldLength),
    ...u16(0),
    ...u16(0),
    contentType,
    ...u32(frameLength),
    ...new Uint8Array(32 + 16),
  ]);
}

const envelope = new Envelope({ wrappingKeys: [testKey()] });

/** Runs `work` and returns how far the memory outside the heap grew, in bytes. */
async function memoryOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage().arrayBuffers;
  await work();
  return process.memoryUsage().arrayBuffers - before;
}

describe("lengths that lie", () => {
  test.each([
    ["context of 65,535 bytes", { contextLength: 65535 }, "ERR_MESSAGE_TRUNCATED"],
    ["65,535 encrypted data keys", { keyCount: 65535 }, "ERR_LIMIT"],
    ["101 encrypted data keys", { keyCount: 101 }, "ERR_LIMIT"],
    ["100 encrypted data keys", { keyCount: 100 }, "ERR_MESSAGE_TRUNCATED"],
    ["no encrypted data key", { keyCount: 0 }, "ERR_MESSAGE_INVALID"],
    ["field of 65,535 bytes", { fieldLength: 65535 }, "ERR_MESSAGE_TRUNCATED"],
    ["frame of 4 GiB", { frameLength: 0xffffffff }, "ERR_LIMIT"],
    ["frame of nothing", { frameLength: 0 }, "ERR_MESSAGE_INVALID"],
    ["not framed, with a frame length", { contentType: 1, frameLength: 0xffffffff }, "ERR_MESSAGE_INVALID"],
  ] as const)("%s", async (_name, lies, code) => {
    const grown = await memoryOf(() => refusal(envelope.decrypt(header(lies)), code));
    expect(grown).toBeLessThan(1 << 20);
  });

  test("a header longer than the limit is refused while it still comes", async () => {
    const decryptor = new Envelope({ wrappingKeys: [testKey()], maxEncryptedDataKeys: 65535 }).createDecryptor();
    await decryptor.update(header({ keyCount: 65535 }).slice(0, 39));
    // Encrypted data keys of 65,535 bytes, one after the other, for ever.
    const field = new Uint8Array([...u16(65535), ...new Uint8Array(65535)]);
    let sent = 0;
    const code = await (async () => {
      for (;;) {
        try {
          await decryptor.update(field);
        } catch (error) {
          return (error as { code: string }).code;
        }
        sent += field.length;
      }
    })();
    expect(code).toBe("ERR_LIMIT");
    expect(sent).toBeLessThan(1.2 * 1024 * 1024);
    await refusal(decryptor.update(field), "ERR_CLOSED");
  });

  test("maxHeaderLength and maxEncryptedDataKeys bound inspect too", () => {
    expect(() => inspect(header({ keyCount: 3 }), { maxEncryptedDataKeys: 2 })).toThrowError(
      /encrypted data keys is 3/,
    );
    expect(() => inspect(header({ contextLength: 1000 }), { maxHeaderLength: 500 })).toThrowError(/header length/);
  });

  test("a body that is not framed and claims up to 2^64 - 1 bytes", async () => {
    // Suite 0x0014 has no key derivation, so a valid header can be made by hand.
    const { createCipheriv } = await import("node:crypto");
    const dataKey = Buffer.alloc(16, 5);
    const body = Buffer.from([1, 0x80, 0, 0x14, ...bytesOf(16), ...u16(0), ...u16(1), ...u16(0), ...u16(0), ...u16(0)]);
    const rest = Buffer.from([1, ...u32(0), 12, ...u32(0)]);
    const cipher = createCipheriv("aes-128-gcm", dataKey, Buffer.alloc(12)).setAAD(Buffer.concat([body, rest]));
    cipher.final();
    const valid = Buffer.concat([body, rest, Buffer.alloc(12), cipher.getAuthTag()]);
    const commitmentPolicy: CommitmentPolicy = "require-encrypt-allow-decrypt";
    const reader = new Envelope({
      wrappingKeys: [],
      unwrappingKeys: [{ name: "static", unwrapDataKey: async () => new Uint8Array(dataKey) }],
      commitmentPolicy,
    });
    const claims: readonly (readonly [bigint, string])[] = [
      [2n ** 64n - 1n, "ERR_MESSAGE_INVALID"],
      [2n ** 63n, "ERR_MESSAGE_INVALID"],
      [2n ** 53n, "ERR_MESSAGE_INVALID"],
      [2n ** 36n - 31n, "ERR_MESSAGE_INVALID"],
      [2n ** 36n - 32n, "ERR_LIMIT"],
      [2n ** 32n, "ERR_LIMIT"],
      [64n * 1024n * 1024n + 1n, "ERR_LIMIT"],
      [64n * 1024n * 1024n, "ERR_MESSAGE_TRUNCATED"],
      [1n, "ERR_MESSAGE_TRUNCATED"],
    ];
    for (const [length, code] of claims) {
      const claim = Buffer.alloc(8);
      claim.writeBigUInt64BE(length);
      const message = Buffer.concat([valid, Buffer.alloc(11), Buffer.from([1]), claim]);
      const grown = await memoryOf(() => refusal(reader.decrypt(message), code));
      expect(grown, String(length)).toBeLessThan(1 << 20);
    }
  });

  test("a final frame that claims more than the frame length, or more than there is", async () => {
    const message = await envelope.encrypt(bytesOf(10), { frameLength: 64 });
    const { headerLength } = inspect(message);
    for (const [length, code] of [
      [0xffffffff, "ERR_MESSAGE_INVALID"],
      [65, "ERR_MESSAGE_INVALID"],
      [64, "ERR_MESSAGE_TRUNCATED"],
      [11, "ERR_MESSAGE_TRUNCATED"],
      [9, "ERR_AUTHENTICATION"],
    ] as const) {
      const lying = message.slice();
      lying.set(u32(length), headerLength + 20);
      await refusal(envelope.decrypt(lying), code);
    }
  });
});
