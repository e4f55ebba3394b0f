// Throughput of streams, against one new node:crypto cipher per frame (which neither derives keys, parses nor streams) and
// against the released AWS Encryption SDK client.
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from "node:crypto";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ReadableStream as NodeReadableStream } from "node:stream/web";
import { AlgorithmSuiteIdentifier } from "@aws-crypto/client-node";
import { Envelope } from "@fengni/core";
import { createDecryptStream, createEncryptStream } from "@fengni/core/node";
import type { Comparison } from "./harness.js";
import { ourKey } from "./key.js";
import { PEER, peer, peerKeyring } from "./peers.js";

const CHUNK = 64 * 1024;
const KEY = createSecretKey(randomBytes(32));
const AAD = Buffer.alloc(76, 3);
const SUITE = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY;

function* chunksOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let i = 0; i < bytes.length; i += CHUNK) yield bytes.subarray(i, i + CHUNK);
}

function sink(): Writable {
  return new Writable({ write: (_chunk, _encoding, callback) => callback() });
}

function cipherFrames(plaintext: Uint8Array, frameLength: number): void {
  for (let i = 0; i < plaintext.length; i += frameLength) {
    const cipher = createCipheriv("aes-256-gcm", KEY, AAD.subarray(0, 12));
    cipher.setAAD(AAD);
    cipher.update(plaintext.subarray(i, i + frameLength));
    cipher.final();
    cipher.getAuthTag();
  }
}

function decipherFrames(ciphertext: Uint8Array, tags: readonly Buffer[], frameLength: number): void {
  for (let i = 0; i < tags.length; i++) {
    const decipher = createDecipheriv("aes-256-gcm", KEY, AAD.subarray(0, 12));
    decipher.setAAD(AAD);
    decipher.setAuthTag(tags[i] as Buffer);
    decipher.update(ciphertext.subarray(i * frameLength, (i + 1) * frameLength));
    decipher.final();
  }
}

/** What {@link decipherFrames} opens: as much ciphertext as the plaintext, so that both come from memory and not a cache. */
function sealFrames(plaintext: Uint8Array, frameLength: number): { ciphertext: Uint8Array; tags: Buffer[] } {
  const ciphertext = new Uint8Array(plaintext.length);
  const tags: Buffer[] = [];
  for (let i = 0; i < plaintext.length; i += frameLength) {
    const cipher = createCipheriv("aes-256-gcm", KEY, AAD.subarray(0, 12));
    cipher.setAAD(AAD);
    ciphertext.set(cipher.update(plaintext.subarray(i, i + frameLength)), i);
    cipher.final();
    tags.push(cipher.getAuthTag());
  }
  return { ciphertext, tags };
}

async function web(bytes: Uint8Array, pair: ReadableWritablePair<Uint8Array, Uint8Array>): Promise<void> {
  const source = NodeReadableStream.from(chunksOf(bytes)) as ReadableStream<Uint8Array>;
  await source.pipeThrough(pair).pipeTo(new WritableStream());
}

function times(work: () => void | Promise<void>): (count: number) => Promise<void> {
  return async (count) => {
    for (let i = 0; i < count; i++) await work();
  };
}

/** Streams of `size` bytes in chunks of 64 KiB, suite 0x0478. */
export function streamOf(frameLength: number, size: number): Comparison {
  const label = `${frameLength / 1024} KiB frames`;
  const names = {
    rawEncrypt: `one createCipheriv a frame, ${label}`,
    rawDecrypt: `one createDecipheriv a frame, ${label}`,
    encrypt: `encrypt stream, ${label}`,
    decrypt: `decrypt stream, ${label}`,
    parallelEncrypt: `encrypt stream, parallel, ${label}`,
    parallelDecrypt: `decrypt stream, parallel, ${label}`,
    webEncrypt: `encrypt Web stream, ${label}`,
    webDecrypt: `decrypt Web stream, ${label}`,
    peerEncrypt: `${PEER} encrypt stream, ${label}`,
    peerDecrypt: `${PEER} decrypt stream, ${label}`,
  };
  const envelope = (): Envelope => new Envelope({ wrappingKeys: [ourKey()], frameLength });
  const plaintext = (): Uint8Array => randomBytes(size);
  const message = (): Promise<Uint8Array> => envelope().encrypt(plaintext());
  return {
    rounds: 3,
    roundMs: 400,
    arms: {
      [names.rawEncrypt]: async () => {
        const bytes = plaintext();
        return times(() => cipherFrames(bytes, frameLength));
      },
      [names.encrypt]: async () => {
        const bytes = plaintext();
        const ours = envelope();
        return times(() => pipeline(Readable.from(chunksOf(bytes)), createEncryptStream(ours), sink()));
      },
      [names.parallelEncrypt]: async () => {
        const bytes = plaintext();
        const ours = envelope();
        const options = { parallel: true };
        return times(() => pipeline(Readable.from(chunksOf(bytes)), createEncryptStream(ours, options), sink()));
      },
      [names.webEncrypt]: async () => {
        const bytes = plaintext();
        const ours = envelope();
        return times(() => web(bytes, ours.encryptStream()));
      },
      [names.peerEncrypt]: async () => {
        const bytes = plaintext();
        const keyring = peerKeyring();
        const options = { suiteId: SUITE, frameLength };
        return times(() => pipeline(Readable.from(chunksOf(bytes)), peer.encryptStream(keyring, options), sink()));
      },
      [names.rawDecrypt]: async () => {
        const { ciphertext, tags } = sealFrames(plaintext(), frameLength);
        return times(() => decipherFrames(ciphertext, tags, frameLength));
      },
      [names.decrypt]: async () => {
        const bytes = await message();
        const ours = envelope();
        return times(() => pipeline(Readable.from(chunksOf(bytes)), createDecryptStream(ours), sink()));
      },
      [names.parallelDecrypt]: async () => {
        const bytes = await message();
        const ours = envelope();
        const options = { parallel: true };
        return times(() => pipeline(Readable.from(chunksOf(bytes)), createDecryptStream(ours, options), sink()));
      },
      [names.webDecrypt]: async () => {
        const bytes = await message();
        const ours = envelope();
        return times(() => web(bytes, ours.decryptStream()));
      },
      [names.peerDecrypt]: async () => {
        const bytes = await message();
        const keyring = peerKeyring();
        return times(() =>
          pipeline(Readable.from(chunksOf(bytes)), peer.decryptUnsignedMessageStream(keyring), sink()),
        );
      },
    },
    lines: (line) => [
      line(names.rawEncrypt),
      line(names.peerEncrypt),
      line(names.encrypt, names.rawEncrypt),
      line(names.encrypt, names.peerEncrypt),
      line(names.parallelEncrypt, names.rawEncrypt),
      line(names.webEncrypt, names.rawEncrypt),
      line(names.webEncrypt, names.peerEncrypt),
      line(names.rawDecrypt),
      line(names.peerDecrypt),
      line(names.decrypt, names.rawDecrypt),
      line(names.decrypt, names.peerDecrypt),
      line(names.parallelDecrypt, names.rawDecrypt),
      line(names.webDecrypt, names.rawDecrypt),
      line(names.webDecrypt, names.peerDecrypt),
    ],
  };
}
