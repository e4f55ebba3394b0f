// Sealing and opening: what goes in comes out under the same key and context, and nothing else does.
import { LocalKms } from "@fengni/backend-local";
import type { EncryptionContext } from "@fengni/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { codeOf, errorOf, filled, kmsWithKey } from "./support.js";

const text = new TextEncoder();

describe("encrypt and decrypt", () => {
  test.each(["AES_256", "SM4"] as const)(
    "%s: a plaintext of every length from 1 to 4,096 comes back (edges and a sample)",
    async (keySpec) => {
      const { kms, keyId } = await kmsWithKey({}, keySpec);
      for (const length of [1, 2, 15, 16, 17, 1024, 4095, 4096]) {
        const plaintext = filled(length, length & 255);
        const sealed = await kms.encrypt({ keyId, plaintext });
        expect(sealed.keyId).toBe(keyId);
        expect(sealed.ciphertext.length).toBe(length + 91);
        const opened = await kms.decrypt({ ciphertext: sealed.ciphertext });
        expect(opened).toEqual({ keyId, plaintext });
      }
    },
  );

  test("the same plaintext never gives the same ciphertext", async () => {
    const { kms, keyId } = await kmsWithKey();
    const seen = new Set<string>();
    for (let i = 0; i < 200; i++) {
      const { ciphertext } = await kms.encrypt({ keyId, plaintext: filled(16) });
      seen.add(Buffer.from(ciphertext).toString("hex"));
    }
    expect(seen.size).toBe(200);
  });

  test("an alias names the key, and answers carry the full id", async () => {
    const { kms, keyId } = await kmsWithKey();
    await kms.updateAlias({ keyId, alias: "orders" });
    const { ciphertext, keyId: answered } = await kms.encrypt({ keyId: "orders", plaintext: filled(3) });
    expect(answered).toBe(keyId);
    expect((await kms.decrypt({ ciphertext, keyId: "orders" })).keyId).toBe(keyId);
    expect(await kms.resolveKeyId("orders")).toBe(keyId);
    expect(await kms.resolveKeyId(keyId)).toBe(keyId);
  });

  test("another key named at decrypt is refused, and so is one that is not there", async () => {
    const { kms, keyId } = await kmsWithKey();
    const other = await kms.createKey({ alias: "other" });
    const { ciphertext } = await kms.encrypt({ keyId, plaintext: filled(3) });
    for (const named of [other.keyId, "other"]) {
      const error = await errorOf(kms.decrypt({ ciphertext, keyId: named }));
      expect(error).toMatchObject({ code: "ERR_NO_MATCHING_KEY", details: { available: [keyId] } });
    }
    expect(await codeOf(kms.decrypt({ ciphertext, keyId: "missing" }))).toBe("ERR_KEY_NOT_FOUND");
  });

  test("a ciphertext of another KMS names a key that is not there", async () => {
    const { kms, keyId } = await kmsWithKey();
    const { ciphertext } = await kms.encrypt({ keyId, plaintext: filled(3) });
    const error = await errorOf(new LocalKms().decrypt({ ciphertext }));
    expect(error).toMatchObject({ code: "ERR_KEY_NOT_FOUND", details: { keyId } });
  });

  test.each([
    ["Uint8Array", (bytes: Uint8Array) => Uint8Array.from(bytes)],
    ["Buffer", (bytes: Uint8Array) => Buffer.from(bytes)],
  ])("what the caller does to its buffers after the call changes nothing: %s", async (_name, copyOf) => {
    const { kms, keyId } = await kmsWithKey();
    const plaintext = copyOf(filled(32, 7));
    const sealing = kms.encrypt({ keyId, plaintext });
    plaintext.fill(0);
    const { ciphertext } = await sealing;
    const copy = copyOf(ciphertext);
    const other = copyOf(ciphertext);
    const opening = kms.decrypt({ ciphertext: other });
    other.fill(0);
    expect((await opening).plaintext).toEqual(filled(32, 7));
    const moving = kms.reEncrypt({ ciphertext: copy, destinationEncryptionContext: { a: "b" } });
    copy.fill(0);
    const moved = await moving;
    expect((await kms.decrypt({ ciphertext: moved.ciphertext, encryptionContext: { a: "b" } })).plaintext[0]).toBe(7);
  });

  test("a signing key neither seals nor opens", async () => {
    const { kms, keyId } = await kmsWithKey({}, "ECC_P256");
    const { keyId: symmetric } = await kms.createKey();
    const { ciphertext } = await kms.encrypt({ keyId: symmetric, plaintext: filled(1) });
    for (const call of [
      kms.encrypt({ keyId, plaintext: filled(1) }),
      kms.generateDataKey({ keyId, numberOfBytes: 32 }),
      kms.reEncrypt({ ciphertext, destinationKeyId: keyId }),
      kms.rotateKey({ keyId }),
    ]) {
      expect(await errorOf(call)).toMatchObject({ code: "ERR_KEY_USAGE", details: { keyId } });
    }
  });
});

describe("encryption context", () => {
  const base: EncryptionContext = { tenant: "7", purpose: "invoice" };
  const others: readonly [string, EncryptionContext | undefined][] = [
    ["absent", undefined],
    ["empty", {}],
    ["one pair less", { tenant: "7" }],
    ["one pair more", { ...base, more: "" }],
    ["another value", { ...base, tenant: "8" }],
    ["another key", { Tenant: "7", purpose: "invoice" }],
    ["exchanged values", { tenant: "invoice", purpose: "7" }],
    ["the same characters, cut otherwise", { tenan: "t7", purpose: "invoice" }],
  ];

  test.each(others)("is bound: %s does not open", async (_name, encryptionContext) => {
    const { kms, keyId } = await kmsWithKey();
    const sealed = await kms.encrypt({ keyId, plaintext: filled(9), encryptionContext: base });
    const request = encryptionContext === undefined ? {} : { encryptionContext };
    expect(await codeOf(kms.decrypt({ ciphertext: sealed.ciphertext, ...request }))).toBe("ERR_AUTHENTICATION");
    const opposite = await kms.encrypt({ keyId, plaintext: filled(9), ...request });
    const call = kms.decrypt({ ciphertext: opposite.ciphertext, encryptionContext: base });
    expect(await codeOf(call)).toBe("ERR_AUTHENTICATION");
  });

  test("an empty one is the same as none, and keys like __proto__ are keys", async () => {
    const { kms, keyId } = await kmsWithKey();
    const { ciphertext } = await kms.encrypt({ keyId, plaintext: filled(9), encryptionContext: {} });
    expect((await kms.decrypt({ ciphertext })).plaintext.length).toBe(9);
    const encryptionContext = JSON.parse('{"__proto__":"a","constructor":"b"}');
    const odd = await kms.encrypt({ keyId, plaintext: filled(9), encryptionContext });
    expect(await codeOf(kms.decrypt({ ciphertext: odd.ciphertext }))).toBe("ERR_AUTHENTICATION");
    expect((await kms.decrypt({ ciphertext: odd.ciphertext, encryptionContext })).plaintext.length).toBe(9);
  });

  test("opens in any order of its pairs, and only with the same pairs (property)", async () => {
    const { kms, keyId } = await kmsWithKey();
    const contexts = fc.dictionary(fc.string({ maxLength: 12, unit: "grapheme" }), fc.string({ maxLength: 12 }), {
      maxKeys: 6,
    });
    await fc.assert(
      fc.asyncProperty(contexts, contexts, fc.uint8Array({ minLength: 1, maxLength: 64 }), async (a, b, plaintext) => {
        const { ciphertext } = await kms.encrypt({ keyId, plaintext, encryptionContext: a });
        const reversed = Object.fromEntries(Object.entries(a).reverse());
        const opened = await kms.decrypt({ ciphertext, encryptionContext: reversed });
        expect(Buffer.compare(opened.plaintext, plaintext)).toBe(0);
        const isSame = JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());
        if (isSame) return;
        expect(await codeOf(kms.decrypt({ ciphertext, encryptionContext: b }))).toBe("ERR_AUTHENTICATION");
      }),
      { numRuns: 150 },
    );
  });
});

describe("generateDataKey", () => {
  test("numberOfBytes wins over keySpec, and one of them is needed", async () => {
    const { kms, keyId } = await kmsWithKey();
    expect((await kms.generateDataKey({ keyId, keySpec: "AES_128" })).plaintext.length).toBe(16);
    expect((await kms.generateDataKey({ keyId, keySpec: "AES_256" })).plaintext.length).toBe(32);
    expect((await kms.generateDataKey({ keyId, keySpec: "AES_256", numberOfBytes: 7 })).plaintext.length).toBe(7);
    expect(await codeOf(kms.generateDataKey({ keyId }))).toBe("ERR_ARGUMENT");
    expect(await codeOf(kms.generateDataKey({ keyId, keySpec: "AES_192" as "AES_128" }))).toBe("ERR_NOT_SUPPORTED");
    const named = { keyId, keySpec: "constructor" as "AES_128", numberOfBytes: 1 };
    expect(await codeOf(kms.generateDataKey(named))).toBe("ERR_NOT_SUPPORTED");
  });

  test("gives 1 to 1,024 fresh bytes and a ciphertext that opens to them", async () => {
    const { kms, keyId } = await kmsWithKey();
    const encryptionContext = { a: "b" };
    for (const numberOfBytes of [1, 16, 32, 1024]) {
      const generated = await kms.generateDataKey({ keyId, numberOfBytes, encryptionContext });
      expect(generated.plaintext.length).toBe(numberOfBytes);
      expect(generated.keyId).toBe(keyId);
      const opened = await kms.decrypt({ ciphertext: generated.ciphertext, encryptionContext });
      expect(Buffer.compare(opened.plaintext, generated.plaintext)).toBe(0);
      expect(await codeOf(kms.decrypt({ ciphertext: generated.ciphertext }))).toBe("ERR_AUTHENTICATION");
    }
    const [first, second] = await Promise.all(
      [1, 2].map(() => kms.generateDataKey({ keyId, numberOfBytes: 32, encryptionContext })),
    );
    expect(first?.plaintext).not.toEqual(second?.plaintext);
  });
});

describe("reEncrypt", () => {
  test("moves a plaintext to another key and context", async () => {
    const { kms, keyId } = await kmsWithKey();
    const destination = await kms.createKey({ alias: "new" });
    const plaintext = text.encode("payload");
    const { ciphertext } = await kms.encrypt({ keyId, plaintext, encryptionContext: { a: "1" } });
    const moved = await kms.reEncrypt({
      ciphertext,
      sourceEncryptionContext: { a: "1" },
      destinationKeyId: "new",
      destinationEncryptionContext: { b: "2" },
    });
    expect(moved).toMatchObject({ keyId: destination.keyId, sourceKeyId: keyId, reEncrypted: true });
    const opened = await kms.decrypt({ ciphertext: moved.ciphertext, encryptionContext: { b: "2" }, keyId: "new" });
    expect(Buffer.from(opened.plaintext).toString()).toBe("payload");
  });

  test("stays with the key: the same bytes until it rotates, the newest version afterwards", async () => {
    const { kms, keyId } = await kmsWithKey();
    const context = { sourceEncryptionContext: { a: "1" }, destinationEncryptionContext: { a: "1" } };
    const { ciphertext } = await kms.encrypt({ keyId, plaintext: filled(8), encryptionContext: { a: "1" } });
    const same = await kms.reEncrypt({ ciphertext, ...context });
    expect(same).toEqual({ keyId, sourceKeyId: keyId, ciphertext, reEncrypted: false });
    const named = await kms.reEncrypt({ ciphertext, destinationKeyId: keyId, ...context });
    expect(named).toEqual(same);
    expect(same.ciphertext.buffer).not.toBe(ciphertext.buffer);
    await kms.rotateKey({ keyId });
    const renewed = await kms.reEncrypt({ ciphertext, ...context });
    expect(renewed).toMatchObject({ keyId, sourceKeyId: keyId, reEncrypted: true });
    expect(renewed.ciphertext).not.toEqual(ciphertext);
    expect(renewed.ciphertext[46]).toBe(2);
    const opened = await kms.decrypt({ ciphertext: renewed.ciphertext, encryptionContext: { a: "1" } });
    expect(opened.plaintext.length).toBe(8);
  });

  test("an absent destination context is an empty one", async () => {
    const { kms, keyId } = await kmsWithKey();
    const { ciphertext } = await kms.encrypt({ keyId, plaintext: filled(8), encryptionContext: { a: "1" } });
    const moved = await kms.reEncrypt({ ciphertext, sourceEncryptionContext: { a: "1" } });
    expect((await kms.decrypt({ ciphertext: moved.ciphertext })).plaintext.length).toBe(8);
  });

  test("authenticates the source even when nothing would change", async () => {
    const { kms, keyId } = await kmsWithKey();
    const { ciphertext } = await kms.encrypt({ keyId, plaintext: filled(8), encryptionContext: { a: "1" } });
    expect(await codeOf(kms.reEncrypt({ ciphertext }))).toBe("ERR_AUTHENTICATION");
    ciphertext[ciphertext.length - 1] = (ciphertext[ciphertext.length - 1] as number) ^ 1;
    expect(await codeOf(kms.reEncrypt({ ciphertext, sourceEncryptionContext: { a: "1" } }))).toBe("ERR_AUTHENTICATION");
  });
});

describe("states", () => {
  test("of reEncrypt: the source must open, the destination must seal", async () => {
    const { kms, keyId } = await kmsWithKey();
    const { keyId: other } = await kms.createKey();
    const { ciphertext } = await kms.encrypt({ keyId, plaintext: filled(3) });
    await kms.archiveKey({ keyId });
    expect((await kms.reEncrypt({ ciphertext, destinationKeyId: other })).keyId).toBe(other);
    expect((await kms.decrypt({ ciphertext })).keyId).toBe(keyId);
    const archived = await errorOf(kms.reEncrypt({ ciphertext }));
    expect(archived).toMatchObject({ code: "ERR_KEY_STATE", details: { keyId, reason: "key-archived" } });
    await kms.cancelKeyArchive({ keyId });
    await kms.disableKey({ keyId });
    for (const call of [
      kms.encrypt({ keyId, plaintext: filled(1) }),
      kms.decrypt({ ciphertext }),
      kms.generateDataKey({ keyId, numberOfBytes: 1 }),
      kms.reEncrypt({ ciphertext, destinationKeyId: other }),
    ]) {
      expect(await errorOf(call)).toMatchObject({ code: "ERR_KEY_STATE", details: { keyId, reason: "key-disabled" } });
    }
    await kms.disableKey({ keyId: other });
    await kms.enableKey({ keyId });
    const destination = await errorOf(kms.reEncrypt({ ciphertext, destinationKeyId: other }));
    expect(destination).toMatchObject({ code: "ERR_KEY_STATE", details: { keyId: other, reason: "key-disabled" } });
  });
});

describe("generateRandom", () => {
  test("gives 1 to 1,024 fresh bytes", async () => {
    const { kms } = await kmsWithKey();
    for (const numberOfBytes of [1, 64, 1024]) {
      expect((await kms.generateRandom({ numberOfBytes })).plaintext.length).toBe(numberOfBytes);
    }
    const [a, b] = [await kms.generateRandom({ numberOfBytes: 32 }), await kms.generateRandom({ numberOfBytes: 32 })];
    expect(a.plaintext).not.toEqual(b.plaintext);
    for (const numberOfBytes of [0, -1, 1.5, Number.NaN]) {
      expect(await codeOf(kms.generateRandom({ numberOfBytes }))).toBe("ERR_ARGUMENT");
    }
    expect(await codeOf(kms.generateRandom({ numberOfBytes: 1025 }))).toBe("ERR_LIMIT");
  });
});

describe("regions", () => {
  test("keys stand apart, and each region has its own symmetric spec", async () => {
    const kms = new LocalKms({ regions: [{ name: "north" }, { name: "south", symmetric: "sm4" }] });
    const north = await kms.createKey();
    const south = await kms.createKey({}, { region: "south" });
    expect([north.keySpec, south.keySpec]).toEqual(["AES_256", "SM4"]);
    const plaintext = filled(5);
    const { ciphertext } = await kms.encrypt({ keyId: south.keyId, plaintext }, { region: "south" });
    expect(ciphertext[5]).toBe(2);
    expect((await kms.decrypt({ ciphertext }, { region: "south" })).plaintext).toEqual(plaintext);
    expect(await codeOf(kms.decrypt({ ciphertext }))).toBe("ERR_KEY_NOT_FOUND");
    expect(await codeOf(kms.encrypt({ keyId: north.keyId, plaintext }, { region: "south" }))).toBe("ERR_KEY_NOT_FOUND");
    const nowhere = await errorOf(kms.encrypt({ keyId: north.keyId, plaintext }, { region: "west" }));
    expect(nowhere).toMatchObject({ code: "ERR_NOT_SUPPORTED", details: { reason: "no-such-region" } });
    expect(await codeOf(kms.generateRandom({ numberOfBytes: 1 }, { region: "west" }))).toBe("ERR_NOT_SUPPORTED");
  });
});

describe("rotation", () => {
  test("after 1,000 rotations the oldest ciphertext opens, and new ones use the newest version", async () => {
    const { kms, keyId } = await kmsWithKey();
    const oldest = await kms.encrypt({ keyId, plaintext: text.encode("oldest") });
    const between: Uint8Array[] = [];
    for (let i = 1; i <= 1000; i++) {
      await kms.rotateKey({ keyId });
      if (i % 100 === 0) between.push((await kms.encrypt({ keyId, plaintext: filled(4, i / 100) })).ciphertext);
    }
    expect(await kms.describeKey({ keyId })).toMatchObject({ versions: 1001 });
    expect(Buffer.from((await kms.decrypt({ ciphertext: oldest.ciphertext })).plaintext).toString()).toBe("oldest");
    for (const [index, ciphertext] of between.entries()) {
      expect((await kms.decrypt({ ciphertext })).plaintext).toEqual(filled(4, index + 1));
    }
    const { ciphertext } = await kms.encrypt({ keyId, plaintext: filled(1) });
    expect(new DataView(ciphertext.buffer).getUint32(43)).toBe(1001);
  });

  test("concurrent use while a key rotates opens everything", async () => {
    const { kms, keyId } = await kmsWithKey();
    const sealed = await Promise.all(
      Array.from({ length: 300 }, async (_, i) => {
        if (i % 10 === 0) await kms.rotateKey({ keyId });
        return (await kms.encrypt({ keyId, plaintext: filled(8, i & 255) })).ciphertext;
      }),
    );
    for (const [i, ciphertext] of sealed.entries()) {
      expect((await kms.decrypt({ ciphertext })).plaintext[0]).toBe(i & 255);
    }
  });
});
