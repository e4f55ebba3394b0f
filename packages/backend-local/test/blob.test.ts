// The ciphertext: its layout to the byte, and that no other bytes open.
import { createDecipheriv, hkdfSync } from "node:crypto";
import type { LocalKms } from "@fengni/backend-local";
import { LocalKms as Kms } from "@fengni/backend-local";
import type { KeySpec } from "@fengni/core";
import { SecretBytes } from "@fengni/crypto/secret";
import { importSm4GcmKey } from "@fengni/crypto/sm4-gcm";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseBlob } from "../src/blob.js";
import { Ciphers, type VersionMaterial } from "../src/ciphers.js";
import { specOf } from "../src/specs.js";
import { MemoryRecordStore } from "../src/store-memory.js";
import { codeOf, filled, kmsWithKey, withBitFlipped } from "./support.js";

const REFUSALS = ["ERR_CIPHERTEXT_INVALID", "ERR_AUTHENTICATION", "ERR_KEY_NOT_FOUND"];

async function sealedOnce(
  keySpec: KeySpec = "AES_256",
): Promise<{ kms: LocalKms; keyId: string; ciphertext: Uint8Array }> {
  const { kms, keyId } = await kmsWithKey({}, keySpec);
  const { ciphertext } = await kms.encrypt({ keyId, plaintext: filled(5), encryptionContext: { a: "b" } });
  return { kms, keyId, ciphertext };
}

describe("layout", () => {
  test.each([
    ["AES_256", 1, 32, "sha256", "aes-256-gcm"],
    ["SM4", 2, 16, "sm3", undefined],
  ] as const)("of %s is the one documented, and opens without the KMS", async (keySpec, id, keyBytes, hash, cipher) => {
    const store = new MemoryRecordStore();
    const kms = new Kms({ store });
    const { keyId } = await kms.createKey({ keySpec });
    const material = store.view().secret({ kind: "key", region: "local", id: keyId }, 1).bytes();
    expect(material.length).toBe(keyBytes);
    const { ciphertext } = await kms.encrypt({ keyId, plaintext: filled(5, 9), encryptionContext: { b: "2", a: "1" } });
    const bytes = Buffer.from(ciphertext);

    expect(bytes.subarray(0, 7)).toEqual(Buffer.from([0x46, 0x4e, 0x4b, 0x42, 1, id, 36]));
    expect(bytes.toString("latin1", 7, 43)).toBe(keyId);
    expect(bytes.readUInt32BE(43)).toBe(1);
    const salt = bytes.subarray(47, 63);
    const nonce = bytes.subarray(63, 75);
    const key = Buffer.from(hkdfSync(hash, material, salt, "fengni local kms ciphertext v1", keyBytes));
    const context = Buffer.from("0002" + "000161" + "000131" + "000162" + "000132", "hex");
    const aad = Buffer.concat([bytes.subarray(0, 63), context]);
    if (cipher === undefined) {
      const opened = await importSm4GcmKey(key).open(nonce, aad, bytes.subarray(75, -16), bytes.subarray(-16));
      expect(Uint8Array.from(opened)).toEqual(filled(5, 9));
      return;
    }
    const decipher = createDecipheriv(cipher, key, nonce);
    decipher.setAAD(aad);
    decipher.setAuthTag(bytes.subarray(-16));
    const plaintext = Buffer.concat([decipher.update(bytes.subarray(75, -16)), decipher.final()]);
    expect(plaintext).toEqual(Buffer.from(filled(5, 9)));
  });
});

describe("refusals", () => {
  test.each(["AES_256", "SM4"] as const)("%s: every flipped bit", async (keySpec) => {
    const { kms, ciphertext } = await sealedOnce(keySpec);
    const seen = new Set<string | undefined>();
    for (let bit = 0; bit < 8 * ciphertext.length; bit++) {
      const call = kms.decrypt({ ciphertext: withBitFlipped(ciphertext, bit), encryptionContext: { a: "b" } });
      const code = await codeOf(call);
      expect(REFUSALS).toContain(code);
      seen.add(code);
    }
    expect(seen.size).toBe(3);
  });

  test("every byte replaced by each of a sample of others", async () => {
    const { kms, ciphertext } = await sealedOnce();
    let cases = 0;
    for (let at = 0; at < ciphertext.length; at++) {
      for (const other of [0x00, 0x01, 0x7f, 0x80, 0xff, (ciphertext[at] as number) ^ 0xff]) {
        if (other === ciphertext[at]) continue;
        const changed = Uint8Array.from(ciphertext);
        changed[at] = other;
        expect(REFUSALS).toContain(await codeOf(kms.decrypt({ ciphertext: changed, encryptionContext: { a: "b" } })));
        cases++;
      }
    }
    expect(cases).toBeGreaterThan(5 * ciphertext.length - 100);
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
    const other = await kms.createKey();
    await kms.rotateKey({ keyId });
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
    const { keyId } = await kms.createKey({ keySpec: "ECC_P256" });
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
  function material(keySpec: KeySpec): VersionMaterial {
    const { symmetric } = specOf(keySpec);
    if (symmetric === undefined) throw new Error("expected a symmetric spec");
    const bytes = new SecretBytes(filled(symmetric.keyBytes));
    return { spec: symmetric, keyId: "00000000-0000-4000-8000-000000000000", version: 1, material: bytes };
  }
  const none = new Uint8Array(0);

  test.each(["AES_256", "SM4"] as const)(
    "%s: every run of a program seals under its own salt, and opens what all others sealed",
    async (keySpec) => {
      const version = material(keySpec);
      const blobs: Uint8Array[] = [];
      for (let run = 0; run < 200; run++) blobs.push(await new Ciphers().seal(version, none, filled(2, run)));
      expect(new Set(blobs.map((blob) => String(parseBlob(blob).salt))).size).toBe(200);
      const reader = new Ciphers();
      for (const round of [1, 2]) {
        for (const [run, blob] of blobs.entries()) {
          const opened = await reader.open(version, none, parseBlob(blob));
          expect([round, opened[0]]).toEqual([round, run]);
        }
      }
    },
  );

  test("one run keeps its salt for so many messages, then takes another, as it does after clear", async () => {
    const version = material("AES_256");
    const ciphers = new Ciphers(3);
    const salt = async (): Promise<string> => {
      const blob = parseBlob(await ciphers.seal(version, none, filled(1)));
      expect(await ciphers.open(version, none, blob)).toEqual(filled(1));
      return String(blob.salt);
    };
    const salts: string[] = [];
    for (let i = 0; i < 7; i++) salts.push(await salt());
    ciphers.clear();
    salts.push(await salt());
    expect(salts.map((text) => salts.indexOf(text))).toEqual([0, 0, 0, 3, 3, 3, 6, 7]);
  });

  test("nothing is derived of material that was wiped, once what was derived is gone", async () => {
    const version = material("AES_256");
    const ciphers = new Ciphers();
    const blob = parseBlob(await ciphers.seal(version, none, filled(1)));
    version.material.wipe();
    ciphers.clear();
    expect(() => ciphers.open(version, none, blob)).toThrow(expect.objectContaining({ code: "ERR_CLOSED" }));
  });
});
