// Telemetry of whole messages, however they are sealed and opened: one event each, with what was done.
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Envelope, type EnvelopeOptions, SUITE_COMMITTED, SUITE_COMMITTED_SIGNED } from "@fengni/core";
import { createDecryptStream, createEncryptStream } from "@fengni/core/node";
import { describe, expect, test } from "vitest";
import type { MessageTelemetryEvent, TelemetryEvent } from "../src/telemetry.js";
import { bytesOf, chunksOf, joined, readings, refusal, testKey } from "./support.js";

function listening(options: Partial<EnvelopeOptions> = {}): {
  readonly envelope: Envelope;
  /** Message events since the last call, without their times. */
  messages(): Omit<MessageTelemetryEvent, "atMs" | "durationMs">[];
} {
  const events: TelemetryEvent[] = [];
  const telemetry = (event: TelemetryEvent): unknown => events.push(event);
  const envelope = new Envelope({ wrappingKeys: [testKey()], frameLength: 100, ...options, telemetry });
  return {
    envelope,
    messages: () =>
      events.splice(0).flatMap((event) => {
        if (event.type !== "message") return [];
        const { atMs, durationMs, ...rest } = event;
        expect(atMs).toBeGreaterThan(0);
        expect(durationMs).toBeGreaterThanOrEqual(0);
        return [rest];
      }),
  };
}

describe("messages", () => {
  test.each([
    [0, 1],
    [99, 1],
    [100, 2],
    [250, 3],
  ])("%i bytes in frames of 100 are sealed and opened as %i frames", async (length, frames) => {
    const { envelope, messages } = listening({ suite: SUITE_COMMITTED });
    const plaintext = bytesOf(length);
    const message = await envelope.encrypt(plaintext);
    const done = { type: "message", outcome: "ok", plaintextBytes: length, frames, suiteId: SUITE_COMMITTED };
    expect(messages()).toEqual([{ ...done, operation: "encrypt" }]);
    for (const [name, reading] of Object.entries(readings)) {
      expect(await reading(envelope, message)).toEqual(plaintext);
      expect(messages(), name).toEqual([{ ...done, operation: "decrypt" }]);
    }
  });

  test("streams are told once, at their end", async () => {
    const { envelope, messages } = listening({ suite: SUITE_COMMITTED_SIGNED });
    const pieces: Uint8Array[] = [];
    await pipeline(Readable.from(chunksOf(bytesOf(250), 30)), createEncryptStream(envelope), async (output) => {
      for await (const piece of output) pieces.push(piece);
    });
    expect(await readings["node stream"]?.(envelope, joined(pieces))).toEqual(bytesOf(250));
    const done = { type: "message", outcome: "ok", plaintextBytes: 250, frames: 3, suiteId: SUITE_COMMITTED_SIGNED };
    expect(messages()).toEqual([
      { ...done, operation: "encrypt" },
      { ...done, operation: "decrypt" },
    ]);
  });

  test("a message that was changed or cut failed, with what it had come to", async () => {
    const { envelope, messages } = listening({ suite: SUITE_COMMITTED });
    const message = await envelope.encrypt(bytesOf(250));
    messages();
    const changed = message.slice();
    changed[changed.length - 1] = (changed[changed.length - 1] ?? 0) ^ 1;
    await refusal(envelope.decrypt(changed), "ERR_AUTHENTICATION");
    const failed = { type: "message", operation: "decrypt", outcome: "failed" };
    expect(messages()).toEqual([
      { ...failed, errorCode: "ERR_AUTHENTICATION", plaintextBytes: 0, frames: 2, suiteId: SUITE_COMMITTED },
    ]);
    await refusal(envelope.decrypt(message.subarray(0, -1)), "ERR_MESSAGE_TRUNCATED");
    expect(messages()).toMatchObject([{ ...failed, errorCode: "ERR_MESSAGE_TRUNCATED", suiteId: SUITE_COMMITTED }]);
    await refusal(envelope.decrypt(bytesOf(40)));
    const [early, ...others] = messages();
    expect(others).toEqual([]);
    expect(early).toMatchObject({ ...failed, plaintextBytes: 0, frames: 0 });
    expect(early).not.toHaveProperty("suiteId");
  });

  test("a stream that is given up, and a call whose signal aborts, are aborted", async () => {
    const { envelope, messages } = listening();
    const stream = createEncryptStream(envelope);
    stream.write(bytesOf(10));
    stream.destroy();
    await new Promise((resolve) => stream.once("close", resolve));
    expect(messages()).toMatchObject([{ operation: "encrypt", outcome: "aborted" }]);
    const decrypting = createDecryptStream(envelope);
    decrypting.destroy();
    await new Promise((resolve) => decrypting.once("close", resolve));
    expect(messages()).toMatchObject([{ operation: "decrypt", outcome: "aborted" }]);
    await expect(envelope.encrypt("text", { signal: AbortSignal.abort() })).rejects.toThrow();
    const [aborted, ...others] = messages();
    expect(others).toEqual([]);
    expect(aborted).toMatchObject({ operation: "encrypt", outcome: "aborted", plaintextBytes: 0, frames: 0 });
  });

  test("a listener that throws spoils no message", async () => {
    const telemetry = (): never => {
      throw new Error("listener");
    };
    const envelope = new Envelope({ wrappingKeys: [testKey()], telemetry, cache: { maxAgeMs: 60_000 } });
    expect(await envelope.decryptText(await envelope.encrypt("text"))).toBe("text");
  });
});
