// The local KMS in memory and in a sealed file, sealing and opening 1 KiB, against the bare sequence of node:crypto calls that one
// such message cannot do without.
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalKms, openFileKeystore } from "@fengni/backend-local";
import type { Arm, Comparison } from "./harness.js";

const PLAINTEXT = randomBytes(1024);
// What a ciphertext of the KMS begins with: all before the nonce.
const HEADER = Buffer.alloc(63, 3);

const NAMES = {
  bareEncrypt: "bare AES-256-GCM, random nonce: encrypt 1 KiB",
  bareDecrypt: "bare AES-256-GCM: decrypt 1 KiB",
  encryptMemory: "local KMS in memory: encrypt 1 KiB",
  decryptMemory: "local KMS in memory: decrypt 1 KiB",
  encryptFile: "local KMS in a file: encrypt 1 KiB",
  decryptFile: "local KMS in a file: decrypt 1 KiB",
};

async function inFile(): Promise<LocalKms> {
  const folder = mkdtempSync(join(tmpdir(), "fengni-bench-"));
  // The harness ends an arm's process by a signal.
  process.on("SIGTERM", () => {
    rmSync(folder, { recursive: true, force: true });
    process.exit();
  });
  return openFileKeystore(join(folder, "keys"), { rootKey: { key: randomBytes(32) }, create: true });
}

function encrypting(open: () => LocalKms | Promise<LocalKms>): Arm {
  return async () => {
    const kms = await open();
    const { keyId } = await kms.createKey();
    return async (count) => {
      for (let i = 0; i < count; i++) await kms.encrypt({ keyId, plaintext: PLAINTEXT });
    };
  };
}

function decrypting(open: () => LocalKms | Promise<LocalKms>): Arm {
  return async () => {
    const kms = await open();
    const { keyId } = await kms.createKey();
    const { ciphertext } = await kms.encrypt({ keyId, plaintext: PLAINTEXT });
    return async (count) => {
      for (let i = 0; i < count; i++) await kms.decrypt({ ciphertext });
    };
  };
}

/** Operations per second on one AES-256 key, without a context. */
export const localKms: Comparison = {
  rounds: 3,
  roundMs: 300,
  arms: {
    [NAMES.bareEncrypt]: async () => {
      const key = createSecretKey(randomBytes(32));
      return (count) => {
        for (let i = 0; i < count; i++) {
          const nonce = randomBytes(12);
          const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(HEADER);
          const ciphertext = cipher.update(PLAINTEXT);
          cipher.final();
          Buffer.concat([HEADER, nonce, ciphertext, cipher.getAuthTag()]);
        }
      };
    },
    [NAMES.encryptMemory]: encrypting(() => new LocalKms()),
    [NAMES.encryptFile]: encrypting(inFile),
    [NAMES.bareDecrypt]: async () => {
      const key = createSecretKey(randomBytes(32));
      const nonce = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(HEADER);
      const ciphertext = cipher.update(PLAINTEXT);
      cipher.final();
      const tag = cipher.getAuthTag();
      return (count) => {
        for (let i = 0; i < count; i++) {
          const decipher = createDecipheriv("aes-256-gcm", key, nonce).setAAD(HEADER).setAuthTag(tag);
          decipher.update(ciphertext);
          decipher.final();
        }
      };
    },
    [NAMES.decryptMemory]: decrypting(() => new LocalKms()),
    [NAMES.decryptFile]: decrypting(inFile),
  },
  lines: (line) => [
    line(NAMES.bareEncrypt),
    line(NAMES.encryptMemory, NAMES.bareEncrypt),
    line(NAMES.encryptFile, NAMES.bareEncrypt),
    line(NAMES.bareDecrypt),
    line(NAMES.decryptMemory, NAMES.bareDecrypt),
    line(NAMES.decryptFile, NAMES.bareDecrypt),
  ],
};
