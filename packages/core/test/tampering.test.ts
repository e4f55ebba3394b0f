import { Envelope, type ErrorCode, SUITE_COMMITTED, SUITE_COMMITTED_SIGNED } from "@fengni/core";
import { describe, expect, test } from "vitest";
import { bytesOf, readings, refusal, testKey } from "./support.js";

const ANY_REFUSAL: readonly ErrorCode[] = [
  "ERR_MESSAGE_INVALID",
  "ERR_MESSAGE_TRUNCATED",
  "ERR_MESSAGE_UNSUPPORTED",
  "ERR_AUTHENTICATION",
  "ERR_NO_MATCHING_KEY",
  "ERR_UNWRAP_FAILED",
  "ERR_LIMIT",
];

const envelope = new Envelope({ wrappingKeys: [testKey("a"), testKey("b", 9)], frameLength: 16 });

describe.each([
  ["committed", SUITE_COMMITTED],
  ["committed and signed", SUITE_COMMITTED_SIGNED],
] as const)("a small message, %s", (_name, suite) => {
  const sealed = envelope.encrypt(bytesOf(40), { suite, encryptionContext: { purpose: "test", id: "7" } });

  test("opens in every way of reading", async () => {
    for (const read of Object.values(readings)) expect(await read(envelope, await sealed)).toEqual(bytesOf(40));
  });

  test("every single-bit flip is refused with a typed error", async () => {
    const message = await sealed;
    let refused = 0;
    for (let bit = 0; bit < message.length * 8; bit++) {
      const flipped = message.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      await refusal(envelope.decrypt(flipped), ...ANY_REFUSAL);
      refused += 1;
    }
    expect(refused).toBe(message.length * 8);
  });

  test("every truncation is refused as such, whole and as a stream", async () => {
    const message = await sealed;
    for (let length = 0; length < message.length; length++) {
      const cut = message.slice(0, length);
      await refusal(envelope.decrypt(cut), "ERR_MESSAGE_TRUNCATED");
      await refusal((readings["web stream"] as (typeof readings)[string])(envelope, cut), "ERR_MESSAGE_TRUNCATED");
    }
  });

  test("every byte more is refused", async () => {
    const message = await sealed;
    for (let byte = 0; byte < 256; byte++) {
      const longer = new Uint8Array([...message, byte]);
      await refusal(envelope.decrypt(longer), "ERR_MESSAGE_INVALID");
    }
    await refusal(envelope.decrypt(new Uint8Array([...message, ...message])), "ERR_MESSAGE_INVALID");
  });

  test("every byte removed, doubled or set to another value is refused", async () => {
    const message = await sealed;
    for (let i = 0; i < message.length; i++) {
      const without = new Uint8Array([...message.slice(0, i), ...message.slice(i + 1)]);
      await refusal(envelope.decrypt(without), ...ANY_REFUSAL);
      const doubled = new Uint8Array([...message.slice(0, i + 1), ...message.slice(i)]);
      await refusal(envelope.decrypt(doubled), ...ANY_REFUSAL);
      for (const value of [0x00, 0xff]) {
        if (message[i] === value) continue;
        const set = message.slice();
        set[i] = value;
        await refusal(envelope.decrypt(set), ...ANY_REFUSAL);
      }
    }
  });

  test("frames of another message under the same key are refused", async () => {
    const other = await envelope.encrypt(bytesOf(40, 5), { suite, encryptionContext: { purpose: "test", id: "7" } });
    const message = await sealed;
    const { headerLength } = (await envelope.decrypt(message)).header;
    const mixed = new Uint8Array([...message.slice(0, headerLength), ...other.slice(headerLength)]);
    await refusal(envelope.decrypt(mixed), "ERR_AUTHENTICATION", "ERR_MESSAGE_INVALID");
  });
});

describe("a signed message as a stream", () => {
  test("the final frame is held back until the signature is verified", async () => {
    const message = await envelope.encrypt(bytesOf(40), { suite: SUITE_COMMITTED_SIGNED });
    const decryptor = envelope.createDecryptor();
    let released = 0;
    for (let i = 0; i < message.length - 1; i++) {
      for (const piece of await decryptor.update(message.slice(i, i + 1))) released += piece.length;
    }
    expect(released).toBe(32);
    for (const piece of await decryptor.update(message.slice(-1))) released += piece.length;
    expect(released).toBe(40);
    await decryptor.final();
  });

  test("can be refused outright, before any key is asked", async () => {
    const message = await envelope.encrypt(bytesOf(40), { suite: SUITE_COMMITTED_SIGNED });
    const decryptor = envelope.createDecryptor({ refuseSigned: true });
    await refusal(decryptor.update(message), "ERR_MESSAGE_UNSUPPORTED");
    await refusal(decryptor.update(message), "ERR_CLOSED");
    const unsigned = envelope.createDecryptor({ refuseSigned: true });
    await unsigned.update(await envelope.encrypt(bytesOf(40)));
    await unsigned.final();
  });
});
