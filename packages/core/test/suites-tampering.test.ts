// Messages of the suites of our own that were changed on the way: the bytes of a message of two frames, header, frames and
// footer, and every cut.
import {
  Envelope,
  SUITE_COMMITTED_SIGNED_ML_DSA,
  SUITE_REWRAPPABLE,
  SUITE_REWRAPPABLE_SIGNED,
  SUITE_SM4,
  SUITE_SM4_SIGNED,
} from "@fengni/core";
import { describe, expect, test } from "vitest";
import { bytesOf, chunksOf, refusal, testKey } from "./support.js";

const REFUSALS = [
  "ERR_MESSAGE_INVALID",
  "ERR_MESSAGE_TRUNCATED",
  "ERR_MESSAGE_UNSUPPORTED",
  "ERR_AUTHENTICATION",
  "ERR_NO_MATCHING_KEY",
  "ERR_UNWRAP_FAILED",
  "ERR_LIMIT",
];

/** Of a signature of ML-DSA-65, which is long and slow to verify without node:crypto, this part of the bytes is changed. */
const ML_DSA_STEP = 8;
const ML_DSA_SIGNATURE_BYTES = 3309;

const envelope = new Envelope({ wrappingKeys: [testKey("a")], frameLength: 16 });

describe.each([
  ["0xf128", SUITE_SM4],
  ["0xf228", SUITE_SM4_SIGNED],
  ["0xf378", SUITE_COMMITTED_SIGNED_ML_DSA],
  ["0xf478", SUITE_REWRAPPABLE],
  ["0xf578", SUITE_REWRAPPABLE_SIGNED],
] as const)("suite %s", (_name, suite) => {
  const sealed = envelope.encrypt(bytesOf(20), { suite, encryptionContext: { id: "7" } });

  test("a byte that was changed is refused, wherever it stands", async () => {
    const message = await sealed;
    expect((await envelope.decrypt(message)).plaintext).toEqual(bytesOf(20));
    const changed = message.slice();
    const sparseFrom = message.length - (suite === SUITE_COMMITTED_SIGNED_ML_DSA ? ML_DSA_SIGNATURE_BYTES : 0);
    for (let i = 0; i < message.length; i += i < sparseFrom ? 1 : ML_DSA_STEP) {
      changed[i] = (message[i] as number) ^ (1 << (i & 7));
      await refusal(envelope.decrypt(changed), ...REFUSALS);
      changed[i] = message[i] as number;
    }
    expect((await envelope.decrypt(changed)).plaintext).toEqual(bytesOf(20));
  });

  test("every message that was cut is refused, and one that goes on", async () => {
    const message = await sealed;
    for (let length = 0; length < message.length; length++) {
      await refusal(envelope.decrypt(message.subarray(0, length)), "ERR_MESSAGE_TRUNCATED");
    }
    await refusal(envelope.decrypt(new Uint8Array([...message, 0])), "ERR_MESSAGE_INVALID");
  });

  test("a stream gives out nothing of a header or a frame that was changed, nor the last frame of a wrong signature", async () => {
    const message = await sealed;
    const { headerLength } = (await envelope.decrypt(message)).header;
    const isSigned = suite !== SUITE_SM4 && suite !== SUITE_REWRAPPABLE;
    // A full frame of 16 bytes, then a final one of 4.
    const tagEnd = headerLength + 16 + 16 + 16 + 24 + 4 + 16;
    const places: readonly (readonly [place: number, released: number])[] = [
      [headerLength - 1, 0],
      [headerLength + 16, 0],
      [tagEnd - 1, 16],
      ...(isSigned ? ([[message.length - 1, 16]] as const) : []),
    ];
    for (const [place, expected] of places) {
      const changed = message.slice();
      changed[place] = (changed[place] as number) ^ 1;
      const decryptor = envelope.createDecryptor();
      let released = 0;
      const reading = (async () => {
        for (const chunk of chunksOf(changed, 5)) {
          for (const piece of await decryptor.update(chunk)) released += piece.length;
        }
        await decryptor.final();
      })();
      await refusal(reading, "ERR_AUTHENTICATION");
      expect(released).toBe(expected);
    }
  });

  test("the header of another message, or its frames, are refused", async () => {
    const message = await sealed;
    const other = await envelope.encrypt(bytesOf(20, 5), { suite, encryptionContext: { id: "7" } });
    const { headerLength } = (await envelope.decrypt(message)).header;
    const mixed = new Uint8Array([...message.slice(0, headerLength), ...other.slice(headerLength)]);
    await refusal(envelope.decrypt(mixed), "ERR_AUTHENTICATION", "ERR_MESSAGE_INVALID");
  });
});
