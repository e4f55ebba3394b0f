// A sealed field of 64 bytes with a warm branch key, against the bare sequence of node:crypto calls that it cannot do without,
// and against a whole message of the same text.
import { createCipheriv, createDecipheriv, createHmac, createSecretKey, randomBytes } from "node:crypto";
import { BranchKeyring, branchKeyStore, Envelope, FieldCipher, memoryBranchKeyRecords } from "@fengni/core";
import type { Comparison } from "./harness.js";
import { ourKey } from "./key.js";

const TEXT = "x".repeat(64);
const PLAINTEXT = Buffer.from(TEXT);
const PLACE = { name: "email", encryptionContext: { tenant: "4711", table: "users", row: "42" } };
const ZERO_IV = Buffer.alloc(12);
const INFO = Buffer.alloc(60, 3);
const AAD = Buffer.alloc(120, 3);

const NAMES = {
  bareSeal: "bare HMAC, one cipher: seal 64 B",
  bareOpen: "bare HMAC, one cipher: open 64 B",
  seal: "sealFieldSync, 64 B",
  open: "openFieldSync, 64 B",
  message: "whole message under a branch key: encrypt 64 B",
};

async function keyring(): Promise<BranchKeyring> {
  const store = branchKeyStore({ wrappingKey: ourKey(), records: memoryBranchKeyRecords() });
  await store.create("4711");
  const ring = new BranchKeyring({ store, branchKeyIdFor: ({ tenant = "" }) => tenant, ttlMs: 3_600_000 });
  await ring.warm(["4711"]);
  return ring;
}

const BRANCH_KEY = createSecretKey(randomBytes(64));

function derived(salt: Buffer): Buffer {
  return createHmac("sha512", BRANCH_KEY).update(INFO).update(salt).digest();
}

function bareSeal(): Buffer {
  const salt = randomBytes(16);
  const keys = derived(salt);
  const cipher = createCipheriv("aes-256-gcm", createSecretKey(keys.subarray(0, 32)), ZERO_IV).setAAD(AAD);
  const ciphertext = cipher.update(PLAINTEXT);
  cipher.final();
  return Buffer.concat([salt, keys.subarray(32, 48), ciphertext, cipher.getAuthTag()]);
}

function bareOpen(sealed: Buffer): Buffer {
  const keys = derived(sealed.subarray(0, 16));
  const decipher = createDecipheriv("aes-256-gcm", createSecretKey(keys.subarray(0, 32)), ZERO_IV).setAAD(AAD);
  const plaintext = decipher.update(sealed.subarray(32, -16));
  decipher.setAuthTag(sealed.subarray(-16)).final();
  return plaintext;
}

function times(work: () => unknown): (count: number) => void {
  return (count) => {
    for (let i = 0; i < count; i++) work();
  };
}

/** Operations per second. */
export const fields: Comparison = {
  rounds: 3,
  roundMs: 500,
  arms: {
    [NAMES.bareSeal]: async () => times(bareSeal),
    [NAMES.seal]: async () => {
      const cipher = new FieldCipher({ branchKeys: await keyring() });
      return times(() => cipher.sealFieldSync(TEXT, PLACE));
    },
    [NAMES.bareOpen]: async () => {
      const sealed = bareSeal();
      return times(() => bareOpen(sealed));
    },
    [NAMES.open]: async () => {
      const cipher = new FieldCipher({ branchKeys: await keyring() });
      const sealed = cipher.sealFieldSync(TEXT, PLACE);
      return times(() => cipher.openFieldSync(sealed, PLACE));
    },
    [NAMES.message]: async () => {
      const envelope = new Envelope({ wrappingKeys: [await keyring()] });
      return async (count) => {
        for (let i = 0; i < count; i++) await envelope.encrypt(TEXT, { encryptionContext: PLACE.encryptionContext });
      };
    },
  },
  lines: (line) => [
    line(NAMES.bareSeal),
    line(NAMES.seal, NAMES.bareSeal),
    line(NAMES.seal, NAMES.message),
    line(NAMES.bareOpen),
    line(NAMES.open, NAMES.bareOpen),
  ],
};
