// What every call takes beside its request, and what a clock may say: anything else is refused before anything happens.
import { LocalKeyAdmin, LocalKeyProvider, LocalKms, ManualClock, OPERATION_GROUPS } from "@fengni/backend-local";
import { describe, expect, test } from "vitest";
import { codeOf, errorOf, filled } from "./support.js";

const WRONG: readonly [string, unknown][] = [
  ["null", null],
  ["text", "alice"],
  ["a list", []],
  ["a Map", new Map([["region", "local"]])],
  ["an unknown field", { regoin: "local" }],
  ["region null", { region: null }],
  ["region of another type", { region: 1 }],
  ["caller null", { caller: null }],
  ["caller text", { caller: "alice" }],
  ["caller a list", { caller: ["alice"] }],
  ["caller without an id", { caller: {} }],
  ["caller with an empty id", { caller: { id: "" } }],
  ["caller with an id of another type", { caller: { id: 7 } }],
  ["signal null", { signal: null }],
  ["signal of another type", { signal: { aborted: false } }],
];

const ABOUT_OPTIONS = /^(options|region|caller|signal)\b/;

describe("options", () => {
  test.each(WRONG)("%s: refused by every operation", async (_name, options) => {
    const kms = new LocalKms({ authorizer: () => expect.fail("asked") });
    for (const name of Object.values(OPERATION_GROUPS).flat()) {
      const error = await errorOf(kms[name as "createKey"]({}, options as object));
      expect(error, name).toMatchObject({ code: "ERR_ARGUMENT", message: expect.stringMatching(ABOUT_OPTIONS) });
    }
    expect(await codeOf(kms.resolveKeyId("a", options as object))).toBe("ERR_ARGUMENT");
    expect(await codeOf(kms.runScheduledWork(options as object))).toBe("ERR_ARGUMENT");
    expect(await errorOf(kms.createKey({}, options as object))).toBeInstanceOf(TypeError);
  });

  test("undefined is as absent", async () => {
    const kms = new LocalKms();
    const options = { region: undefined, caller: undefined, signal: undefined } as object;
    expect(await kms.createKey({}, options)).toMatchObject({ creator: "local", region: "local" });
    await kms.runScheduledWork(options);
  });

  test("without a prototype, or frozen, they serve too", async () => {
    const kms = new LocalKms();
    const caller = Object.freeze(Object.assign(Object.create(null), { id: "alice" }));
    const options = Object.freeze(Object.assign(Object.create(null), { caller }));
    expect((await kms.createKey({}, options)).creator).toBe("alice");
  });

  test("of a provider and an admin: checked when they are made, and read once", async () => {
    const kms = new LocalKms();
    const { keyId } = await kms.createKey();
    for (const Made of [LocalKeyProvider, LocalKeyAdmin]) {
      for (const wrong of [{ region: 1 }, { region: null }, { caller: {} }, { caller: null }]) {
        expect(() => new Made(kms, wrong as object)).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
      }
    }
    const caller = { id: "alice" };
    const admin = new LocalKeyAdmin(kms, { caller });
    caller.id = "root";
    expect((await kms.describeKey({ keyId: (await admin.createKey()).keyId })).creator).toBe("alice");
    expect(await codeOf(admin.describeKey(keyId, { signal: null as never }))).toBe("ERR_ARGUMENT");
    const provider = new LocalKeyProvider(kms);
    expect(await codeOf(provider.encrypt({ keyId, plaintext: filled(1) }, null as never))).toBe("ERR_ARGUMENT");
    expect(() => new LocalKeyProvider(kms, { providerId: null as never })).toThrow(TypeError);
  });
});

describe("null is wrong where undefined is absent", () => {
  test("in the options of a KMS", () => {
    for (const field of ["clock", "store", "regions", "authorizer"]) {
      const make = (): unknown => new LocalKms({ [field]: null } as object);
      expect(make, field).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
      expect(new LocalKms({ [field]: undefined } as object)).toBeInstanceOf(LocalKms);
    }
  });

  test("in requests", async () => {
    const kms = new LocalKms();
    const { keyId } = await kms.createKey();
    const { keyId: signing } = await kms.createKey({ keySpec: "ECC_P256" });
    const { keyId: postQuantum } = await kms.createKey({ keySpec: "ML_KEM_768" });
    const { ciphertext } = await kms.encrypt({ keyId, plaintext: filled(1) });
    const sealed = await kms.postQuantumCryptoEncrypt({ keyId: postQuantum, plaintext: filled(1) });
    const message = { keyId: signing, algorithm: "ECDSA_P256_SHA_256", message: filled(1) } as const;
    const calls: Record<string, (missing: never) => Promise<unknown>> = {
      owner: (owner) => kms.createKey({ owner }),
      origin: (origin) => kms.createKey({ origin }),
      keySpec: (keySpec) => kms.createKey({ keySpec }),
      keyUsage: (keyUsage) => kms.createKey({ keyUsage }),
      description: (description) => kms.createKey({ description }),
      tags: (tags) => kms.createKey({ tags }),
      "owner of a list": (owner) => kms.listKeys({ owner }),
      "order of a list": (order) => kms.listKeyDetail({ order }),
      "owner of data keys": (owner) => kms.listDataKeys({ owner }),
      "order of data keys": (order) => kms.listDataKeyDetail({ order }),
      "owner of data keys in detail": (owner) => kms.listDataKeyDetail({ owner }),
      messageType: (messageType) => kms.signByAsymmetricKey({ ...message, messageType }),
      "key of decrypt": (named) => kms.decrypt({ ciphertext, keyId: named }),
      "key of postQuantumCryptoDecrypt": (named) =>
        kms.postQuantumCryptoDecrypt({ ciphertext: sealed.ciphertext, keyId: named }),
      "key of importDataKey": (named) =>
        kms.importDataKey({
          importType: "ciphertext",
          importKeyMaterial: ciphertext,
          dataKeyName: "a",
          keyId: named,
          ...(named === undefined ? { description: "b" } : {}),
        }),
      "description of a white-box key": (description) =>
        kms.createWhiteBoxKey({ alias: `w${description === undefined ? 1 : 2}`, algorithm: "SM4", description }),
      "request of getServiceStatus": (request) => kms.getServiceStatus(request),
      "request of describeResourceIds": (request) => kms.describeResourceIds(request),
    };
    for (const [name, call] of Object.entries(calls)) {
      expect(await codeOf(call(null as never)), name).toBe("ERR_ARGUMENT");
      await call(undefined as never);
    }
  });
});

describe("tags and attributes", () => {
  class Tags {
    a = "b";
  }
  test.each([
    ["a Map", new Map([["a", "b"]])],
    ["a Date", new Date(0)],
    ["bytes", filled(1)],
    ["an instance of a class", new Tags()],
    ["a list", ["a"]],
    ["null", null],
  ])("%s is refused: they are plain objects", async (_name, value) => {
    const kms = new LocalKms();
    const { keyId } = await kms.createKey();
    await kms.setKeyAttributes({ keyId, attributes: { kept: "yes" } });
    expect(await codeOf(kms.setKeyAttributes({ keyId, attributes: value as never }))).toBe("ERR_ARGUMENT");
    expect((await kms.getKeyAttributes({ keyId })).attributes).toEqual({ kept: "yes" });
    expect(await codeOf(kms.createKey({ tags: value as never }))).toBe("ERR_ARGUMENT");
    const white = { alias: "w", algorithm: "SM4", tags: value as never } as const;
    expect(await codeOf(kms.createWhiteBoxKey(white))).toBe("ERR_ARGUMENT");
    const hosted = { keyId, numberOfBytes: 1, isHostedByKms: true, dataKeyName: "d", tags: value as never };
    expect(await codeOf(kms.generateDataKey(hosted))).toBe("ERR_ARGUMENT");
  });

  test("without a prototype they serve too", async () => {
    const kms = new LocalKms();
    const tags = Object.assign(Object.create(null), { a: "b" });
    expect((await kms.createKey({ tags })).tags).toEqual({ a: "b" });
  });
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, -5, 1.5, 8.64e15 + 1, "5", undefined, null, 5n])(
  "a clock that says %s is refused",
  async (time) => {
    const kms = new LocalKms({ clock: { now: () => time as number } });
    const error = await errorOf(kms.createKey());
    expect(error).toBeInstanceOf(RangeError);
    expect(error.code).toBe("ERR_ARGUMENT");
  },
);

test("a clock may say 0 and the last moment of a Date, and no clock of ours goes further", async () => {
  for (const startMs of [0, 8.64e15]) {
    const kms = new LocalKms({ clock: new ManualClock(startMs) });
    expect((await kms.createKey()).createdAtMs).toBe(startMs);
  }
  expect(() => new ManualClock(8.64e15).advance(1)).toThrow(RangeError);
  expect(() => new ManualClock(8.64e15 + 1)).toThrow(RangeError);
});

test("a Proxy of bytes is refused as bytes: a cipher could not read it", async () => {
  const kms = new LocalKms();
  const { keyId } = await kms.createKey();
  const { keyId: signing } = await kms.createKey({ keySpec: "ECC_P256" });
  const proxy = new Proxy(filled(32), {});
  const message = { keyId: signing, algorithm: "ECDSA_P256_SHA_256", message: filled(1) } as const;
  for (const call of [
    kms.encrypt({ keyId, plaintext: proxy }),
    kms.decrypt({ ciphertext: proxy }),
    kms.signByAsymmetricKey({ ...message, message: proxy }),
    kms.verifyByAsymmetricKey({ ...message, signature: proxy }),
    kms.generateDataKey({ keyId, numberOfBytes: 1, encryptionPublicKey: proxy }),
  ]) {
    expect(await errorOf(call)).toMatchObject({ name: "TypeError", code: "ERR_ARGUMENT" });
  }
});
