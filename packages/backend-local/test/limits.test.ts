// Every limit, one below, at and above it: more than a maximum is ERR_LIMIT, the rest of what is wrong is ERR_ARGUMENT.
import { type Clock, LocalKms, ManualClock, systemClock } from "@fengni/backend-local";
import type { EncryptionContext, KeySpec, SignatureAlgorithm } from "@fengni/core";
import { describe, expect, test } from "vitest";
import { codeOf, errorOf, filled, kmsWithKey } from "./support.js";

function wrong<Type>(value: unknown): Type {
  return value as Type;
}

describe("limits", () => {
  test("plaintext: 1 to 4,096 bytes", async () => {
    const { kms, keyId } = await kmsWithKey();
    expect(await codeOf(kms.encrypt({ keyId, plaintext: filled(0) }))).toBe("ERR_ARGUMENT");
    const error = await errorOf(kms.encrypt({ keyId, plaintext: filled(4097) }));
    expect(error).toMatchObject({ code: "ERR_LIMIT", details: { maximum: 4096, actual: 4097 } });
    expect(await codeOf(kms.encrypt({ keyId, plaintext: wrong("text") }))).toBe("ERR_ARGUMENT");
  });

  test("data key: 1 to 1,024 bytes", async () => {
    const { kms, keyId } = await kmsWithKey();
    const call = (numberOfBytes: number): Promise<unknown> => kms.generateDataKey({ keyId, numberOfBytes });
    for (const value of [0, -1, 1.5, Number.NaN, wrong<number>("32")]) {
      expect(await codeOf(call(value))).toBe("ERR_ARGUMENT");
    }
    expect(await errorOf(call(1025))).toMatchObject({ code: "ERR_LIMIT", details: { maximum: 1024, actual: 1025 } });
  });

  test("encryption context: 1,024 characters of canonical JSON, in every request that takes one", async () => {
    const { kms, keyId } = await kmsWithKey();
    const fitting: EncryptionContext = { k: "v".repeat(1024 - 8) };
    const tooLong: EncryptionContext = { k: "v".repeat(1024 - 7) };
    expect(JSON.stringify(fitting).length).toBe(1024);
    const { ciphertext } = await kms.encrypt({ keyId, plaintext: filled(1), encryptionContext: fitting });
    expect((await kms.decrypt({ ciphertext, encryptionContext: fitting })).keyId).toBe(keyId);
    const escaped: EncryptionContext = { k: "\u0001".repeat(170) };
    expect(JSON.stringify(escaped).length).toBeGreaterThan(1024);
    for (const encryptionContext of [tooLong, escaped]) {
      for (const call of [
        kms.encrypt({ keyId, plaintext: filled(1), encryptionContext }),
        kms.generateDataKey({ keyId, numberOfBytes: 1, encryptionContext }),
        kms.decrypt({ ciphertext, encryptionContext }),
        kms.reEncrypt({ ciphertext, sourceEncryptionContext: encryptionContext }),
        kms.reEncrypt({ ciphertext, destinationEncryptionContext: encryptionContext }),
      ]) {
        expect(await errorOf(call)).toMatchObject({ code: "ERR_LIMIT", details: { maximum: 1024 } });
      }
    }
    for (const context of [null, 1, "a", ["a"], { a: 1 }, { a: undefined }, { a: "\ud800" }, { "\ud800": "a" }]) {
      const call = kms.encrypt({ keyId, plaintext: filled(1), encryptionContext: wrong(context) });
      expect(await codeOf(call)).toBe("ERR_ARGUMENT");
    }
  });

  test("messages: raw 1 to 4,096 bytes, a digest of the hash's length exactly", async () => {
    const specs: [KeySpec, SignatureAlgorithm, number][] = [
      ["ECC_P256", "ECDSA_P256_SHA_256", 32],
      ["ECC_P384", "ECDSA_P384_SHA_384", 48],
    ];
    for (const [keySpec, algorithm, digestBytes] of specs) {
      const { kms, keyId } = await kmsWithKey({}, keySpec);
      const sign = (message: Uint8Array, messageType: "raw" | "digest"): Promise<unknown> =>
        kms.signByAsymmetricKey({ keyId, algorithm, message, messageType });
      await sign(filled(1), "raw");
      await sign(filled(4096), "raw");
      expect(await codeOf(sign(filled(0), "raw"))).toBe("ERR_ARGUMENT");
      expect(await codeOf(sign(filled(4097), "raw"))).toBe("ERR_LIMIT");
      await sign(filled(digestBytes), "digest");
      for (const length of [0, digestBytes - 1, digestBytes + 1]) {
        expect(await codeOf(sign(filled(length), "digest"))).toBe("ERR_ARGUMENT");
      }
      expect(await codeOf(sign(filled(1), wrong("text")))).toBe("ERR_ARGUMENT");
      const unknown = await errorOf(kms.signByAsymmetricKey({ keyId, algorithm: wrong("RSA"), message: filled(1) }));
      expect(unknown.code).toBe("ERR_NOT_SUPPORTED");
    }
  });

  test("alias: 1 to 60 of letters, digits, - and _, and not the form of a key id", async () => {
    const kms = new LocalKms();
    const { keyId } = await kms.createKey({ alias: "a" });
    for (const alias of ["A", "0", "a-b_c", "x".repeat(60)]) await kms.updateAlias({ keyId, alias });
    const bad = ["", "-a", "_a", "a b", "a/b", "é", "a\n", keyId, keyId.toUpperCase(), wrong<string>(7)];
    for (const alias of bad) {
      expect(await codeOf(kms.createKey({ alias }))).toBe("ERR_ARGUMENT");
      expect(await codeOf(kms.updateAlias({ keyId, alias }))).toBe("ERR_ARGUMENT");
    }
    const alias = "x".repeat(61);
    expect(await codeOf(kms.createKey({ alias }))).toBe("ERR_LIMIT");
    expect(await codeOf(kms.updateAlias({ keyId, alias }))).toBe("ERR_LIMIT");
  });

  test("description: at most 1,024 bytes of UTF-8", async () => {
    const kms = new LocalKms();
    const { keyId } = await kms.createKey({ description: "é".repeat(512) });
    await kms.updateKeyDescription({ keyId, description: "" });
    const description = `${"é".repeat(512)}a`;
    expect(await codeOf(kms.createKey({ description }))).toBe("ERR_LIMIT");
    expect(await codeOf(kms.updateKeyDescription({ keyId, description }))).toBe("ERR_LIMIT");
    expect(await codeOf(kms.updateKeyDescription({ keyId, description: wrong(7) }))).toBe("ERR_ARGUMENT");
    expect((await kms.describeKey({ keyId })).description).toBe("");
  });

  test("deletion window: 7 to 30 whole days", async () => {
    const { kms, keyId } = await kmsWithKey({ clock: new ManualClock(5) });
    await kms.disableKey({ keyId });
    for (const days of [6, 0, -7, 7.5, Number.NaN, wrong<number>("7")]) {
      expect(await codeOf(kms.scheduleKeyDeletion({ keyId, pendingWindowDays: days }))).toBe("ERR_ARGUMENT");
    }
    expect(await codeOf(kms.scheduleKeyDeletion({ keyId, pendingWindowDays: 31 }))).toBe("ERR_LIMIT");
    for (const days of [7, 30]) {
      const { deletionAtMs } = await kms.scheduleKeyDeletion({ keyId, pendingWindowDays: days });
      expect(deletionAtMs).toBe(5 + days * 86_400_000);
      await kms.cancelKeyDeletion({ keyId });
    }
  });

  test("rotation period: 7 to 365 whole days", async () => {
    const { kms, keyId } = await kmsWithKey();
    for (const rotationPeriodDays of [6, 0, -7, 7.5, Number.NaN, wrong<number>("7")]) {
      expect(await codeOf(kms.enableKeyRotation({ keyId, rotationPeriodDays }))).toBe("ERR_ARGUMENT");
    }
    expect(await codeOf(kms.enableKeyRotation({ keyId, rotationPeriodDays: 366 }))).toBe("ERR_LIMIT");
    expect((await kms.getKeyRotationStatus({ keyId })).keyRotationEnabled).toBe(false);
    for (const rotationPeriodDays of [7, 365]) await kms.enableKeyRotation({ keyId, rotationPeriodDays });
  });

  test("tags: 50, with keys of 1 to 127 characters and values of at most 255", async () => {
    const kms = new LocalKms();
    const many = (count: number): Record<string, string> =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, ""]));
    for (const tags of [many(50), { ["k".repeat(127)]: "v".repeat(255) }]) {
      expect((await kms.createKey({ tags })).tags).toEqual(tags);
    }
    for (const tags of [many(51), { ["k".repeat(128)]: "" }, { k: "v".repeat(256) }]) {
      expect(await codeOf(kms.createKey({ tags }))).toBe("ERR_LIMIT");
    }
    for (const tags of [{ "": "v" }, { k: 1 }, ["k"], "k", null]) {
      expect(await codeOf(kms.createKey({ tags: wrong(tags) }))).toBe("ERR_ARGUMENT");
    }
    expect((await kms.listKeys()).total).toBe(2);
  });

  test("owner: user, or 1 to 60 of letters, digits, - and _", async () => {
    const kms = new LocalKms();
    for (const owner of ["user", "D", "x".repeat(60)]) expect((await kms.createKey({ owner })).owner).toBe(owner);
    for (const owner of ["", "-a", "a b", "x".repeat(61), wrong<string>(7)]) {
      expect(await codeOf(kms.createKey({ owner }))).toBe("ERR_ARGUMENT");
    }
  });

  test("pages: 1 to 200 keys, from any whole number on", async () => {
    const kms = new LocalKms();
    for (const limit of [0, -1, 1.5]) expect(await codeOf(kms.listKeys({ limit }))).toBe("ERR_ARGUMENT");
    expect(await codeOf(kms.listKeys({ limit: 201 }))).toBe("ERR_LIMIT");
    for (const offset of [-1, 0.5, wrong<number>("1")]) {
      expect(await codeOf(kms.listKeys({ offset }))).toBe("ERR_ARGUMENT");
    }
  });
});

describe("arguments", () => {
  test("an unknown field is an error, so that a typing mistake changes nothing silently", async () => {
    const { kms, keyId } = await kmsWithKey();
    const misspelt = { encryptionContex: { a: "b" } };
    const { ciphertext } = await kms.encrypt({ keyId, plaintext: filled(1) });
    for (const call of [
      kms.encrypt({ keyId, plaintext: filled(1), ...misspelt }),
      kms.decrypt({ ciphertext, ...misspelt }),
      kms.generateDataKey({ keyId, numberOfBytes: 32, ...misspelt }),
      kms.reEncrypt({ ciphertext, ...misspelt }),
      kms.signByAsymmetricKey({ keyId, algorithm: "ECDSA_P256_SHA_256", message: filled(1), ...misspelt }),
      kms.getPublicKey({ keyId, ...misspelt }),
      kms.createKey(wrong({ keyspec: "AES_256" })),
      kms.listKeys(wrong({ max: 1 })),
      kms.encrypt(wrong(undefined)),
    ]) {
      expect(await codeOf(call)).toBe("ERR_ARGUMENT");
    }
    expect(() => new LocalKms(wrong({ clocks: systemClock }))).toThrow(TypeError);
  });

  test("a key that is no text is the programmer's mistake, any other text is not found", async () => {
    const kms = new LocalKms();
    expect(await codeOf(kms.resolveKeyId(wrong(7)))).toBe("ERR_ARGUMENT");
    expect(await codeOf(kms.enableKey({ keyId: wrong(undefined) }))).toBe("ERR_ARGUMENT");
    for (const keyId of ["", "__proto__", "constructor", "x".repeat(10_000)]) {
      const error = await errorOf(kms.resolveKeyId(keyId));
      expect(error).toMatchObject({ code: "ERR_KEY_NOT_FOUND", details: { keyId } });
      expect(error.message.length).toBeLessThan(250);
    }
  });

  test("an unknown key spec is not supported", async () => {
    for (const keySpec of ["RSA_1024", "constructor", ""]) {
      const call = new LocalKms().createKey({ keySpec: wrong(keySpec) });
      expect(await codeOf(call)).toBe("ERR_NOT_SUPPORTED");
    }
  });

  test("clocks", () => {
    const clock = new ManualClock(10);
    clock.advance(5);
    expect(clock.now()).toBe(15);
    for (const ms of [-1, 0.5, Number.NaN, Number.MAX_SAFE_INTEGER])
      expect(() => clock.advance(ms)).toThrow(RangeError);
    expect(() => new ManualClock(-1)).toThrow(RangeError);
    expect(clock.now()).toBe(15);
    const shared: Clock = systemClock;
    expect(Math.abs(shared.now() - Date.now())).toBeLessThan(1000);
  });
});
