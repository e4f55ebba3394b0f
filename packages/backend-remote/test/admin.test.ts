// What the admin sends and how it reads what it is told: against a service that the test plays.
import { FengniError } from "@fengni/core";
import { describe, expect, test } from "vitest";
import { GENERATED_ALIAS_PREFIX, TencentKeyAdmin } from "../src/index.js";
import { FakeService, KEY_ID, metadata } from "./fake-service.js";

const CREATED_SECONDS = 1_700_000_000;

function setUp(answers: FakeService["answers"]) {
  const service = new FakeService(answers);
  return { service, admin: new TencentKeyAdmin({ client: service }) };
}

describe("describeKey", () => {
  test.each([
    ["a plain key", {}, { keyUsage: "encrypt-decrypt", keySpec: "AES_256", state: "enabled", origin: "provider" }],
    ["a key of an SM region", { Type: 4 }, { keySpec: "SM4" }],
    [
      "a key that rotated",
      {
        LastRotateTime: CREATED_SECONDS + 5,
        KeyRotationEnabled: true,
        RotateDays: 90,
        NextRotateTime: CREATED_SECONDS + 9,
      },
      {
        lastRotatedAtMs: 1_700_000_005_000,
        rotationPeriodDays: 90,
        nextRotationAtMs: 1_700_000_009_000,
      },
    ],
    ["a key that waits", { KeyState: "PendingImport", Origin: "EXTERNAL" }, { state: "pending-import" }],
    ["imported material", { Origin: "EXTERNAL", ValidTo: CREATED_SECONDS + 7 }, { validToMs: 1_700_000_007_000 }],
    [
      "a key to be deleted",
      { KeyState: "PendingDelete", DeletionDate: CREATED_SECONDS + 8 },
      { state: "pending-deletion", deletionAtMs: 1_700_000_008_000 },
    ],
    ["an archived key", { KeyState: "Archived" }, { state: "archived" }],
    ["a decrypting key", { KeyUsage: "ASYMMETRIC_DECRYPT_SM2" }, { keyUsage: "asymmetric-decrypt", keySpec: "SM2" }],
  ])("%s", async (_name, fields, expected) => {
    const { admin } = setUp({ DescribeKey: { KeyMetadata: metadata(fields) } });
    expect(await admin.describeKey(KEY_ID)).toMatchObject({
      keyId: KEY_ID,
      createdAtMs: 1_700_000_000_000,
      ...expected,
    });
  });

  test("times that are 0 are absent, and no deletion is left of a cancelled one", async () => {
    const { admin } = setUp({ DescribeKey: { KeyMetadata: metadata({ Alias: "", DeletionDate: 5, RotateDays: 90 }) } });
    expect(Object.keys(await admin.describeKey(KEY_ID)).sort()).toEqual(
      ["createdAtMs", "description", "keyId", "keySpec", "keyUsage", "origin", "state"].sort(),
    );
  });

  test.each([
    ["a usage of later", { KeyUsage: "NEW" }, "ERR_NOT_SUPPORTED"],
    ["a state of later", { KeyState: "New" }, "ERR_NOT_SUPPORTED"],
    ["another key", { KeyId: "99999999-1e38-11e9-b129-5cb9019b4b02" }, "ERR_NO_MATCHING_KEY"],
    ["no id", { KeyId: "" }, "ERR_UNAVAILABLE"],
    ["no time", { CreateTime: 0 }, "ERR_UNAVAILABLE"],
  ])("%s is not described", async (_name, fields, code) => {
    const { admin } = setUp({ DescribeKey: { KeyMetadata: metadata(fields) } });
    await expect(admin.describeKey(KEY_ID)).rejects.toMatchObject({ code });
  });
});

describe("createKey", () => {
  test("makes up an alias, for the service demands one", async () => {
    const { service, admin } = setUp({ CreateKey: { KeyId: KEY_ID }, DescribeKey: { KeyMetadata: metadata() } });
    await admin.createKey();
    await admin.createKey({ alias: "mine", description: "d", keySpec: "SM2", keyUsage: "asymmetric-decrypt" });
    await admin.createKey({ origin: "external" });
    const [first, second, third] = service.requests.filter(({ action }) => action === "CreateKey");
    expect(first?.params["Alias"]).toMatch(new RegExp(`^${GENERATED_ALIAS_PREFIX}[0-9a-f]{32}$`));
    expect(Object.keys(first?.params ?? {})).toEqual(["Alias"]);
    expect(second?.params).toEqual({ Alias: "mine", Description: "d", KeyUsage: "ASYMMETRIC_DECRYPT_SM2" });
    expect(third?.params["Type"]).toBe(2);
  });

  test("a spec that the region does not have is refused, and what came instead is taken away", async () => {
    const { service, admin } = setUp({
      CreateKey: { KeyId: KEY_ID },
      DescribeKey: { KeyMetadata: metadata({ Type: 4 }) },
      DisableKey: {},
      ScheduleKeyDeletion: { DeletionDate: CREATED_SECONDS },
    });
    await expect(admin.createKey({ keySpec: "AES_256" })).rejects.toMatchObject({ code: "ERR_NOT_SUPPORTED" });
    expect(service.requests.map(({ action }) => action)).toEqual([
      "CreateKey",
      "DescribeKey",
      "DisableKey",
      "ScheduleKeyDeletion",
    ]);
    expect((await admin.createKey({ keySpec: "SM4" })).keySpec).toBe("SM4");
  });

  test("a key that was made and cannot be described is named", async () => {
    const { admin } = setUp({ CreateKey: { KeyId: KEY_ID }, DescribeKey: new FengniError("ERR_TIMEOUT", "late") });
    await expect(admin.createKey()).rejects.toThrow(`the key ${KEY_ID} was made, but cannot be described`);
  });

  test("a key that was made is named also when the caller left meanwhile", async () => {
    const controller = new AbortController();
    const reason = new Error("the caller left");
    const { service, admin } = setUp({
      CreateKey: { KeyId: KEY_ID },
      DescribeKey: () => {
        controller.abort(reason);
        throw reason;
      },
    });
    await expect(admin.createKey({}, { signal: controller.signal })).rejects.toMatchObject({
      code: "ERR_UNAVAILABLE",
      message: `the key ${KEY_ID} was made, but cannot be described: do not make another`,
      cause: reason,
    });
    expect(service.count("CreateKey")).toBe(1);
  });

  test.each([
    ["an unknown spec", { keySpec: "AES_257" }, "ERR_NOT_SUPPORTED"],
    ["a usage of another spec", { keySpec: "AES_256", keyUsage: "sign-verify" }, "ERR_NOT_SUPPORTED"],
    ["an external key that signs", { keySpec: "SM2", origin: "external" }, "ERR_NOT_SUPPORTED"],
    ["an unknown origin", { origin: "elsewhere" }, "ERR_ARGUMENT"],
    ["an alias of products", { alias: "kms-mine" }, "ERR_ARGUMENT"],
    ["an alias of the form of an id", { alias: KEY_ID }, "ERR_ARGUMENT"],
    ["an alias too long", { alias: "a".repeat(61) }, "ERR_LIMIT"],
    ["a description too long", { description: "\u00e9".repeat(513) }, "ERR_LIMIT"],
    ["a field it does not know", { keyspec: "SM2" }, "ERR_ARGUMENT"],
  ])("%s is refused before anything is sent", async (_name, request, code) => {
    const { service, admin } = setUp({});
    await expect(admin.createKey(request as object)).rejects.toMatchObject({ code });
    expect(service.requests).toEqual([]);
  });
});

describe("import", () => {
  const material = { keyId: KEY_ID, encryptedKeyMaterial: new Uint8Array(256) };

  test("the token goes through unchanged, whatever it looks like", async () => {
    const { service, admin } = setUp({
      GetParametersForImport: { KeyId: KEY_ID, ImportToken: "t\u00f6ken==", PublicKey: "AAEC", ParametersValidTo: 5 },
      ImportKeyMaterial: {},
    });
    const { importToken, validToMs } = await admin.getParametersForImport(KEY_ID, "RSAES_OAEP_SHA_1");
    expect(validToMs).toBe(5_000);
    await admin.importKeyMaterial({ ...material, importToken, validToMs: 1_999 });
    expect(service.requests[1]?.params).toMatchObject({ ImportToken: "t\u00f6ken==", ValidTo: 1 });
  });

  const importToken = Uint8Array.of(65);
  test.each([
    ["an expiry that would mean never", { importToken, validToMs: 999 }, "ERR_ARGUMENT"],
    ["an expiry too late", { importToken, validToMs: 2_147_443_201_000 }, "ERR_LIMIT"],
    ["a token that is no text", { importToken: Uint8Array.of(255) }, "ERR_KEY_INVALID"],
    ["no token", { importToken: new Uint8Array(0) }, "ERR_KEY_INVALID"],
    ["a token too long", { importToken: new Uint8Array(8_193) }, "ERR_KEY_INVALID"],
    ["material that is not wrapped", { importToken, encryptedKeyMaterial: new Uint8Array(32) }, "ERR_KEY_INVALID"],
  ])("%s is refused before anything is sent", async (_name, fields, code) => {
    const { service, admin } = setUp({});
    await expect(admin.importKeyMaterial({ ...material, ...fields })).rejects.toMatchObject({ code });
    expect(service.requests).toEqual([]);
  });
});

/** A service whose keys are made and deleted while they are listed. */
function listing(count: number, perSecond: number) {
  const keys = Array.from({ length: count }, (_value, index) => ({
    id: `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`,
    seconds: CREATED_SECONDS + Math.floor(index / perSecond),
  }));
  const { service, admin } = setUp({
    ListKeyDetail: ({ Offset, Limit, OrderType, KeyUsage }) => {
      expect([OrderType, KeyUsage]).toEqual([1, "ALL"]);
      const page = keys.slice(Number(Offset), Number(Offset) + Number(Limit));
      const described = page.map(({ id, seconds }) => metadata({ KeyId: id, Alias: "", CreateTime: seconds }));
      return { TotalCount: keys.length, KeyMetadatas: described };
    },
  });
  return { keys, service, admin };
}

function cursorOf(...position: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(position)).toString("base64");
}

describe("listKeys", () => {
  async function all(admin: TencentKeyAdmin, limit: number, between: (page: number) => void = () => {}) {
    const seen: string[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < 1_000; page++) {
      const { keys, next } = await admin.listKeys({ limit, ...(cursor === undefined ? {} : { cursor }) });
      expect(keys.length).toBeLessThanOrEqual(limit);
      seen.push(...keys.map(({ keyId }) => keyId));
      if (next === undefined) return seen;
      cursor = next;
      between(page);
    }
    throw new Error("the list does not end");
  }

  test.each([
    [0, 1, 10],
    [1, 1, 10],
    [10, 1, 10],
    [11, 1, 10],
    [450, 3, 200],
    [450, 100, 200],
    [450, 100, 7],
    [450, 450, 7],
  ])("%i keys, %i of each second, by %i: each once", async (count, perSecond, limit) => {
    const { keys, admin } = listing(count, perSecond);
    expect(await all(admin, limit)).toEqual(keys.map(({ id }) => id));
  });

  test.each([1, 4, 50])(
    "keys that are made and deleted meanwhile neither hide nor repeat others (%i a second)",
    async (perSecond) => {
      const { keys, admin } = listing(400, perSecond);
      const kept = new Set(keys.filter((_key, index) => index % 5 !== 0).map(({ id }) => id));
      const seen = await all(admin, 9, (page) => {
        // From the front, also the key that the cursor stands on.
        for (let i = 0; i < 3; i++) {
          const index = keys.findIndex(({ id }) => !kept.has(id));
          if (index >= 0) keys.splice(index, 1);
        }
        if (page >= 5) return;
        const id = `99999999-0000-4000-8000-00000000000${page}`;
        keys.push({ id, seconds: CREATED_SECONDS + 9_999 });
        kept.add(id);
      });
      expect(new Set(seen).size).toBe(seen.length);
      for (const id of kept) expect(seen).toContain(id);
      expect(seen.filter((id) => id.startsWith("9999")).length).toBe(5);
    },
  );

  test("keys that this version does not know are left out", async () => {
    const { admin } = setUp({
      ListKeyDetail: { TotalCount: 2, KeyMetadatas: [metadata({ KeyUsage: "NEW" }), metadata()] },
    });
    expect((await admin.listKeys()).keys.map(({ keyUsage }) => keyUsage)).toEqual(["encrypt-decrypt"]);
  });

  test.each([
    "",
    "x",
    "W10=",
    "bm90IGpzb24=",
    Buffer.from("[-1,2]").toString("base64"),
    "a".repeat(40_000),
    cursorOf(1e9, 1, KEY_ID),
    cursorOf(1, 1, "x"),
  ])("refuses a cursor that is none (%#)", async (cursor) => {
    const { admin } = listing(3, 1);
    await expect(admin.listKeys({ cursor })).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
  });

  test("a cursor far beyond the list comes back to it in a few requests", async () => {
    const { service, admin } = listing(3, 1);
    const { keys } = await admin.listKeys({ cursor: cursorOf(999_999, CREATED_SECONDS, KEY_ID) });
    expect(keys.length).toBeGreaterThan(0);
    expect(service.count("ListKeyDetail")).toBeLessThanOrEqual(4);
  });

  test("a list without an end is given up", async () => {
    const { service, admin } = setUp({
      ListKeyDetail: { TotalCount: 1e12, KeyMetadatas: [metadata({ KeyUsage: "NEW" })] },
    });
    await expect(admin.listKeys()).rejects.toMatchObject({ code: "ERR_UNAVAILABLE" });
    expect(service.count("ListKeyDetail")).toBe(100);
  });

  test.each([
    [0, "ERR_ARGUMENT"],
    [1.5, "ERR_ARGUMENT"],
    [201, "ERR_LIMIT"],
  ])("refuses the limit %d", async (limit, code) => {
    const { admin } = listing(3, 1);
    await expect(admin.listKeys({ limit })).rejects.toMatchObject({ code });
  });
});

describe("changes", () => {
  const simple = [
    ["enableKey", "EnableKey"],
    ["disableKey", "DisableKey"],
    ["rotateKey", "RotateKey"],
    ["cancelKeyDeletion", "CancelKeyDeletion"],
    ["disableKeyRotation", "DisableKeyRotation"],
    ["archiveKey", "ArchiveKey"],
    ["cancelKeyArchive", "CancelKeyArchive"],
    ["deleteImportedKeyMaterial", "DeleteImportedKeyMaterial"],
  ] as const;

  test.each(simple)("%s is %s of the key that an alias names at that time", async (operation, action) => {
    const { service, admin } = setUp({
      ListKeyDetail: { TotalCount: 1, KeyMetadatas: [metadata()] },
      [action]: { KeyId: KEY_ID },
    });
    for (let i = 0; i < 2; i++) await admin[operation]("sealer");
    expect(service.count("ListKeyDetail")).toBe(2);
    expect(service.requests.filter((request) => request.action === action).map(({ params }) => params)).toEqual([
      { KeyId: KEY_ID },
      { KeyId: KEY_ID },
    ]);
  });

  test("deletion and rotation take their days, within bounds", async () => {
    const { service, admin } = setUp({
      ScheduleKeyDeletion: { DeletionDate: 77, KeyId: KEY_ID },
      EnableKeyRotation: {},
      UpdateKeyDescription: {},
    });
    expect(await admin.scheduleKeyDeletion(KEY_ID, 7)).toEqual({ deletionAtMs: 77_000 });
    await admin.enableKeyRotation(KEY_ID, 365);
    await admin.updateDescription(KEY_ID, "");
    expect(service.requests.map(({ params }) => params)).toEqual([
      { KeyId: KEY_ID, PendingWindowInDays: 7 },
      { KeyId: KEY_ID, RotateDays: 365 },
      { KeyId: KEY_ID, Description: "" },
    ]);
    await expect(admin.scheduleKeyDeletion(KEY_ID, 6)).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
    await expect(admin.scheduleKeyDeletion(KEY_ID, 31)).rejects.toMatchObject({ code: "ERR_LIMIT" });
    await expect(admin.enableKeyRotation(KEY_ID, 366)).rejects.toMatchObject({ code: "ERR_LIMIT" });
    expect(service.requests.length).toBe(3);
  });

  test("nothing is sent after close, and the client stays with its owner", async () => {
    const { service, admin } = setUp({});
    await admin.close();
    await admin.close();
    await expect(admin.createKey()).rejects.toMatchObject({ code: "ERR_CLOSED" });
    await expect(admin.enableKey(KEY_ID)).rejects.toMatchObject({ code: "ERR_CLOSED" });
    expect([service.requests.length, service.isClosed]).toEqual([0, false]);
  });
});
