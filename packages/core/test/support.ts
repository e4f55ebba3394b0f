// What the tests of core share: a wrapping key, ways to read a message, and the errors that a reader may give.
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type DecryptOptions, type Envelope, isFengniError, rawAesKey, type WrappingKey } from "@fengni/core";
import { createDecryptStream } from "@fengni/core/node";
import { expect } from "vitest";

export function testKey(name = "key", fill = 7, namespace = "test"): WrappingKey {
  return rawAesKey({ namespace, name, key: new Uint8Array(32).fill(fill) });
}

export function bytesOf(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed >>> 0 || 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** Cuts bytes into chunks of the given length, each a copy of its own. */
export function chunksOf(bytes: Uint8Array, length: number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let i = 0; i < bytes.length; i += length) chunks.push(bytes.slice(i, i + length));
  return chunks;
}

export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces));
}

/** One way to read a whole message. */
export type Reading = (envelope: Envelope, message: Uint8Array, options?: DecryptOptions) => Promise<Uint8Array>;

async function readWeb(
  envelope: Envelope,
  message: Uint8Array,
  options: DecryptOptions,
  length: number,
): Promise<Uint8Array> {
  const source = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunksOf(message, length)) controller.enqueue(chunk);
      controller.close();
    },
  });
  const pieces: Uint8Array[] = [];
  for await (const piece of source.pipeThrough(envelope.decryptStream(options))) pieces.push(piece);
  return joined(pieces);
}

async function readNode(
  envelope: Envelope,
  message: Uint8Array,
  options: DecryptOptions,
  length: number,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  await pipeline(Readable.from(chunksOf(message, length)), createDecryptStream(envelope, options), async (output) => {
    for await (const piece of output) pieces.push(piece);
  });
  return joined(pieces);
}

async function readEngine(envelope: Envelope, message: Uint8Array, options: DecryptOptions): Promise<Uint8Array> {
  const decryptor = envelope.createDecryptor(options);
  const pieces: Uint8Array[] = [];
  const chunk = new Uint8Array(1);
  for (const byte of message) {
    // The chunk is reused, as the engine promises that it may be.
    chunk[0] = byte;
    pieces.push(...(await decryptor.update(chunk)));
  }
  await decryptor.final();
  return joined(pieces);
}

/** Every way: whole, streamed both ways, byte by byte. */
export const readings: Readonly<Record<string, Reading>> = {
  whole: async (envelope, message, options = {}) => (await envelope.decrypt(message, options)).plaintext,
  "web stream": (envelope, message, options = {}) => readWeb(envelope, message, options, 997),
  "node stream": (envelope, message, options = {}) => readNode(envelope, message, options, 4099),
  "byte by byte": (envelope, message, options = {}) => readEngine(envelope, message, options),
};

/** Asserts that a promise rejects with a typed error of one of these codes; returns the code. */
export async function refusal(promise: Promise<unknown>, ...codes: readonly string[]): Promise<string> {
  const error = await promise.then(
    () => new Error("accepted what must be refused"),
    (reason: unknown) => reason,
  );
  if (!isFengniError(error)) throw error;
  if (codes.length > 0) expect(codes).toContain(error.code);
  return error.code;
}
