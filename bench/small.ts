// Small messages with a cached data key, against the released AWS Encryption SDK client with its caching manager, and
// against the bare sequence of node:crypto calls that one such message cannot do without.
import { createCipheriv, createDecipheriv, createHmac, createSecretKey, randomBytes } from "node:crypto";
import { AlgorithmSuiteIdentifier } from "@aws-crypto/client-node";
import { Envelope, inspect } from "@fengni/core";
import type { Comparison } from "./harness.js";
import { ourKey } from "./key.js";
import { PEER, peer, peerCachingManager } from "./peers.js";

const CONTEXT = { tenant: "4711", table: "users", column: "email" };
const SUITE = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY;
const IV0 = Buffer.alloc(12);
const IV1 = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
const FRAME_AAD = Buffer.alloc(78, 3);
const DERIVE = Buffer.from("\x04\x78DERIVEKEY\x01", "latin1");
const COMMIT = Buffer.from("COMMITKEY\x01");

/** HKDF-SHA512 with two outputs of 32 bytes, by the fewest HMACs: extract once, expand twice. */
function deriveKeys(dataKey: Buffer, messageId: Buffer): [Buffer, Buffer] {
  const prk = createSecretKey(createHmac("sha512", createSecretKey(messageId)).update(dataKey).digest());
  const derived = createHmac("sha512", prk).update(DERIVE).digest().subarray(0, 32);
  return [derived, createHmac("sha512", prk).update(COMMIT).digest().subarray(0, 32)];
}

/** Random message id, HKDF, header tag, one frame, one buffer: nothing checked, parsed, serialised or accounted for. */
function bareEncrypt(dataKey: Buffer, header: Buffer, plaintext: Buffer): Buffer {
  const messageId = randomBytes(32);
  const [derived, commitment] = deriveKeys(dataKey, messageId);
  const key = createSecretKey(derived);
  const tag = createCipheriv("aes-256-gcm", key, IV0).setAAD(header);
  tag.final();
  const frame = createCipheriv("aes-256-gcm", key, IV1).setAAD(FRAME_AAD);
  const ciphertext = frame.update(plaintext);
  frame.final();
  return Buffer.concat([header, messageId, commitment, tag.getAuthTag(), IV1, ciphertext, frame.getAuthTag()]);
}

function bareDecrypt(
  dataKey: Buffer,
  messageId: Buffer,
  header: Buffer,
  headerTag: Buffer,
  frame: Buffer,
  tag: Buffer,
): Buffer {
  const key = createSecretKey(deriveKeys(dataKey, messageId)[0]);
  const decipher = createDecipheriv("aes-256-gcm", key, IV0).setAAD(header);
  decipher.setAuthTag(headerTag).final();
  const body = createDecipheriv("aes-256-gcm", key, IV1).setAAD(FRAME_AAD);
  const plaintext = body.update(frame);
  body.setAuthTag(tag).final();
  return plaintext;
}

const PLAINTEXT = randomBytes(64);
const OPTIONS = { suiteId: SUITE, encryptionContext: CONTEXT, plaintextLength: PLAINTEXT.length };

function envelopeWithCache(): Envelope {
  return new Envelope({ wrappingKeys: [ourKey()], cache: { maxAgeMs: 3_600_000 } });
}

/** A header as long as ours, without its tag. */
async function headerBody(): Promise<Buffer> {
  const message = await envelopeWithCache().encrypt(PLAINTEXT, { encryptionContext: CONTEXT });
  return Buffer.from(message.subarray(0, inspect(message).headerLength - 16));
}

function inTurn(work: () => Promise<unknown>): (count: number) => Promise<void> {
  return async (count) => {
    for (let i = 0; i < count; i++) await work();
  };
}

const NAMES = {
  bareEncrypt: "bare HKDF, header tag, frame: encrypt 64 B",
  bareDecrypt: "bare HKDF, header tag, frame: decrypt 64 B",
  encrypt: "encrypt 64 B, cached data key",
  decrypt: "decrypt 64 B, cached data key",
  peerEncrypt: `${PEER} with cache: encrypt 64 B`,
  peerDecrypt: `${PEER} with cache: decrypt 64 B`,
};

/** Operations per second on 64-byte messages, suite 0x0478, three pairs of context. */
export const small: Comparison = {
  rounds: 3,
  roundMs: 500,
  arms: {
    [NAMES.bareEncrypt]: async () => {
      const dataKey = randomBytes(32);
      const header = await headerBody();
      return (count) => {
        for (let i = 0; i < count; i++) bareEncrypt(dataKey, header, PLAINTEXT);
      };
    },
    [NAMES.encrypt]: async () => {
      const envelope = envelopeWithCache();
      return inTurn(() => envelope.encrypt(PLAINTEXT, { encryptionContext: CONTEXT }));
    },
    [NAMES.peerEncrypt]: async () => {
      const manager = peerCachingManager();
      return inTurn(() => peer.encrypt(manager, PLAINTEXT, OPTIONS));
    },
    [NAMES.bareDecrypt]: async () => {
      const dataKey = randomBytes(32);
      const header = await headerBody();
      const messageId = randomBytes(32);
      const key = createSecretKey(deriveKeys(dataKey, messageId)[0]);
      const headerCipher = createCipheriv("aes-256-gcm", key, IV0).setAAD(header);
      headerCipher.final();
      const frameCipher = createCipheriv("aes-256-gcm", key, IV1).setAAD(FRAME_AAD);
      const frame = frameCipher.update(PLAINTEXT);
      frameCipher.final();
      const [headerTag, frameTag] = [headerCipher.getAuthTag(), frameCipher.getAuthTag()];
      return (count) => {
        for (let i = 0; i < count; i++) bareDecrypt(dataKey, messageId, header, headerTag, frame, frameTag);
      };
    },
    [NAMES.decrypt]: async () => {
      const envelope = envelopeWithCache();
      const message = await envelope.encrypt(PLAINTEXT, { encryptionContext: CONTEXT });
      return inTurn(() => envelope.decrypt(message, { encryptionContext: CONTEXT }));
    },
    [NAMES.peerDecrypt]: async () => {
      const manager = peerCachingManager();
      const { result } = await peer.encrypt(manager, PLAINTEXT, OPTIONS);
      return inTurn(() => peer.decrypt(manager, result));
    },
  },
  lines: (line) => [
    line(NAMES.bareEncrypt),
    line(NAMES.peerEncrypt),
    line(NAMES.encrypt, NAMES.bareEncrypt),
    line(NAMES.encrypt, NAMES.peerEncrypt),
    line(NAMES.bareDecrypt),
    line(NAMES.peerDecrypt),
    line(NAMES.decrypt, NAMES.bareDecrypt),
    line(NAMES.decrypt, NAMES.peerDecrypt),
  ],
};
