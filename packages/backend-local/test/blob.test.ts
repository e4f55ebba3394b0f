// The ciphertext: its layout to the byte, and that no other bytes open.
import { createDecipheriv, hkdfSync } from "node:crypto";
import type { LocalKms } from "@fengni/backend-local";
import { LocalKms as Kms } from "@fengni/backend-local";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseBlob } from "../src/blob.js";
import { Ciphers } from "../src/ciphers.js";
import type { KeyRecord } from "../src/keys.js";
import { symmetricSpec } from "../src/keys.js";
import { MemoryKeyStore } from "../src/store-memory.js";
import { codeOf, filled, kmsWithKey, withBitFlipped } from "./support.js";

const REFUSALS = ["ERR_CIPHERTEXT_INVALID", "ERR_AUTHENTICATION", "ERR_KEY_NOT_FOUND"];

async function sealedOnce(): Promise<{ kms: LocalKms; keyId: string; ciphertext: Uint8Array }> {
  const { kms, keyId } = await kmsWithKey();
  const { ciphertext } = await kms.encrypt({ keyId, plaintext: filled(5), encryptionContext: { a: "b" } });
  return { kms, keyId, ciphertext };
}

describe("layout", () => {
  test("is the one documented, and opens by node:crypto alone", async () => {
    const store = new MemoryKeyStore();
    const kms = new Kms({ store });
    const { keyId } = await kms.lifecycle.createKey();
    const material = store.view().get(keyId)?.versions[0]?.material.bytes() as Uint8Array;
    const { ciphertext } = await kms.encrypt({ keyId, plaintext: filled(5, 9), encryptionContext: { b: "2", a: "1" } });
    const bytes = Buffer.from(ciphertext);

    expect(bytes.subarray(0, 7)).toEqual(Buffer.from([0x46, 0x4e, 0x4b, 0x42, 1, 1, 36]));
    expect(bytes.toString("latin1", 7, 43)).toBe(keyId);
    expect(bytes.readUInt32BE(43)).toBe(1);
    const salt = bytes.subarray(47, 63);
    const nonce = bytes.subarray(63, 75);
    const key = hkdfSync("sha256", material, salt, "fengni local kms ciphertext v1", 32);
    const decipher = createDecipheriv("aes-256-gcm", Buffer.from(key), nonce);
    const context = Buffer.from("0002" + "000161" + "000131" + "000162" + "000132", "hex");
    decipher.setAAD(Buffer.concat([bytes.subarray(0, 63), context]));
    decipher.setAuthTag(bytes.subarray(-16));
    const plaintext = Buffer.concat([decipher.update(bytes.subarray(75, -16)), decipher.final()]);
    expect(plaintext).toEqual(Buffer.from(filled(5, 9)));
  });
});

describe("refusals", () => {
  test("every flipped bit", async () => {
    const { kms, ciphertext } = await sealedOnce();
    const seen = new Set<string | undefined>();
    for (let bit = 0; bit < 8 * ciphertext.length; bit++) {
      const call = kms.decrypt({ ciphertext: withBitFlipped(ciphertext, bit), encryptionContext: { a: "b" } });
      const code = await codeOf(call);
      expect(REFUSALS).toContain(code);
      seen.add(code);
    }
    expect(seen.size).toBe(3);
  });

  test("every truncation from either end, and every extension", async () => {
    const { kms, ciphertext } = await sealedOnce();
    const decrypt = (bytes: Uint8Array): Promise<unknown> =>
      kms.decrypt({ ciphertext: bytes, encryptionContext: { a: "b" } });
    for (let length = 0; length < ciphertext.length; length++) {
      expect(REFUSALS).toContain(await codeOf(decrypt(ciphertext.subarray(0, length))));
      expect(await codeOf(decrypt(ciphertext.subarray(ciphertext.length - length)))).toBe("ERR_CIPHERTEXT_INVALID");
    }
    for (const more of [1, 16, 4091, 4092, 100_000]) {
      const code = await codeOf(decrypt(Buffer.concat([ciphertext, filled(more, 0)])));
      expect(code).toBe(more > 4091 ? "ERR_CIPHERTEXT_INVALID" : "ERR_AUTHENTICATION");
    }
  });

  test("an exchanged key id, version or salt of the same KMS", async () => {
    const { kms, keyId, ciphertext } = await sealedOnce();
    const other = await kms.lifecycle.createKey();
    await kms.lifecycle.rotateKey(keyId);
    const foreign = ciphertext.slice();
    foreign.set(Buffer.from(other.keyId), 7);
    const nextVersion = ciphertext.slice();
    nextVersion[46] = 2;
    const noVersion = ciphertext.slice();
    noVersion[46] = 3;
    const zeroVersion = ciphertext.slice();
    zeroVersion[46] = 0;
    const codes = await Promise.all(
      [foreign, nextVersion, noVersion, zeroVersion].map((bytes) =>
        codeOf(kms.decrypt({ ciphertext: bytes, encryptionContext: { a: "b" } })),
      ),
    );
    expect(codes).toEqual([
      "ERR_AUTHENTICATION",
      "ERR_AUTHENTICATION",
      "ERR_CIPHERTEXT_INVALID",
      "ERR_CIPHERTEXT_INVALID",
    ]);
  });

  test("a ciphertext that names a signing key", async () => {
    const { kms, ciphertext } = await sealedOnce();
    const { keyId } = await kms.lifecycle.createKey({ keySpec: "ECC_P256" });
    const forged = ciphertext.slice();
    forged.set(Buffer.from(keyId), 7);
    expect(await codeOf(kms.decrypt({ ciphertext: forged }))).toBe("ERR_KEY_USAGE");
  });

  test("any bytes at all give a typed error, never another one (property)", async () => {
    const { kms, ciphertext } = await sealedOnce();
    const start = fc.constantFrom(0, 4, 7, 43, 47, 63, 75);
    await fc.assert(
      fc.asyncProperty(start, fc.uint8Array({ maxLength: 200 }), async (kept, tail) => {
        const bytes = Buffer.concat([ciphertext.subarray(0, kept), tail]);
        expect(REFUSALS).toContain(await codeOf(kms.decrypt({ ciphertext: bytes })));
        expect(REFUSALS).toContain(await codeOf(kms.reEncrypt({ ciphertext: bytes })));
      }),
      { numRuns: 300 },
    );
  });
});

describe("derived keys", () => {
  async function recordOf(): Promise<KeyRecord> {
    const store = new MemoryKeyStore();
    const { keyId } = await new Kms({ store }).lifecycle.createKey();
    return store.view().get(keyId) as KeyRecord;
  }

  test("every run of a program seals under its own salt, and opens what all others sealed", async () => {
    const record = await recordOf();
    const spec = symmetricSpec(record);
    const none = new Uint8Array(0);
    const blobs = [];
    for (let run = 0; run < 200; run++) blobs.push(await new Ciphers().seal(spec, record, none, filled(2, run)));
    expect(new Set(blobs.map((blob) => String(parseBlob(blob).salt))).size).toBe(200);
    const reader = new Ciphers();
    for (const round of [1, 2]) {
      for (const [run, blob] of blobs.entries()) {
        const opened = await reader.open(spec, record, none, parseBlob(blob));
        expect([round, opened[0]]).toEqual([round, run]);
      }
    }
  });

  test("one run keeps its salt for so many messages, then takes another, as it does after clear", async () => {
    const record = await recordOf();
    const spec = symmetricSpec(record);
    const ciphers = new Ciphers(3);
    const salt = async (): Promise<string> => {
      const blob = parseBlob(await ciphers.seal(spec, record, new Uint8Array(0), filled(1)));
      expect(await ciphers.open(spec, record, new Uint8Array(0), blob)).toEqual(filled(1));
      return String(blob.salt);
    };
    const salts: string[] = [];
    for (let i = 0; i < 7; i++) salts.push(await salt());
    ciphers.clear();
    salts.push(await salt());
    expect(salts.map((text) => salts.indexOf(text))).toEqual([0, 0, 0, 3, 3, 3, 6, 7]);
  });
});
