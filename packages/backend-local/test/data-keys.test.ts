// Hosted data keys: kept in wrapped form, given out while both keys allow it, and led through their states.
import {
  DATA_KEY_STATE_TABLE,
  type DataKeyOperation,
  type DataKeyState,
  LocalKms,
  ManualClock,
} from "@fengni/backend-local";
import { describe, expect, test } from "vitest";
import { MemoryRecordStore } from "../src/store-memory.js";
import { codeOf, DAY_MS, errorOf, filled } from "./support.js";

interface Fixture {
  readonly kms: LocalKms;
  readonly clock: ManualClock;
  readonly store: MemoryRecordStore;
  readonly keyId: string;
}

async function fixture(): Promise<Fixture> {
  const clock = new ManualClock(1_000_000);
  const store = new MemoryRecordStore();
  const kms = new LocalKms({ clock, store, regions: [{ name: "local" }, { name: "other" }] });
  const { keyId } = await kms.createKey({ alias: "wrapping" });
  return { kms, clock, store, keyId };
}

async function host(
  kms: LocalKms,
  keyId: string,
  dataKeyName: string,
  fields: {
    readonly numberOfBytes?: number;
    readonly tags?: Record<string, string>;
    readonly description?: string;
  } = {},
): Promise<{ dataKeyId: string; plaintext: Uint8Array; ciphertext: Uint8Array }> {
  const request = { keyId, numberOfBytes: 32, isHostedByKms: true, dataKeyName, ...fields };
  const { dataKeyId, plaintext, ciphertext } = await kms.generateDataKey(request);
  if (dataKeyId === undefined) throw new Error("expected a hosted data key");
  return { dataKeyId, plaintext, ciphertext };
}

describe("hosting", () => {
  test("keeps the data key in wrapped form only, without the context", async () => {
    const { kms, store, keyId } = await fixture();
    const encryptionContext = { tenant: "7" };
    const generated = await kms.generateDataKey({
      keyId: "wrapping",
      keySpec: "AES_128",
      encryptionContext,
      isHostedByKms: true,
      dataKeyName: "orders",
      description: "d",
      tags: { env: "test" },
    });
    const { dataKeyId = "", plaintext } = generated;
    expect((await kms.decrypt({ ciphertext: generated.ciphertext, encryptionContext })).plaintext).toEqual(plaintext);
    for (const reference of [dataKeyId, "orders"]) {
      const got = await kms.getDataKeyPlaintext({ dataKeyId: reference });
      expect(got).toEqual({ dataKeyId, keyId, plaintext });
    }
    const wrapped = await kms.getDataKeyCiphertextBlob({ dataKeyId: "orders" });
    expect(wrapped).toMatchObject({ dataKeyId, keyId });
    expect((await kms.decrypt({ ciphertext: wrapped.ciphertext })).plaintext).toEqual(plaintext);
    expect(await kms.describeDataKey({ dataKeyId: "orders" })).toEqual({
      dataKeyId,
      dataKeyName: "orders",
      region: "local",
      keyId,
      keyAlias: "wrapping",
      numberOfBytes: 16,
      origin: "provider",
      owner: "user",
      creator: "local",
      state: "enabled",
      description: "d",
      createdAtMs: 1_000_000,
      tags: { env: "test" },
    });
    const record = JSON.stringify(store.view().get("data-key", "local", dataKeyId));
    expect(record).not.toContain(Buffer.from(plaintext).toString("base64").slice(0, 12));
  });

  test("without a context the wrapped form is the one that generateDataKey gave", async () => {
    const { kms, keyId } = await fixture();
    const { dataKeyId, ciphertext } = await host(kms, keyId, "a");
    expect((await kms.getDataKeyCiphertextBlob({ dataKeyId })).ciphertext).toEqual(ciphertext);
  });

  test("needs a name, which is the region's own, and a data key that is not kept has none", async () => {
    const { kms, keyId } = await fixture();
    await host(kms, keyId, "taken");
    const generate = (fields: object): Promise<unknown> => kms.generateDataKey({ keyId, numberOfBytes: 16, ...fields });
    expect(await errorOf(generate({ isHostedByKms: true, dataKeyName: "taken" }))).toMatchObject({
      code: "ERR_CONFLICT",
      details: { name: "taken", reason: "alias-exists" },
    });
    for (const fields of [
      { isHostedByKms: true },
      { dataKeyName: "a" },
      { description: "a" },
      { tags: {} },
      { isHostedByKms: 1, dataKeyName: "a" },
      { isHostedByKms: true, dataKeyName: "" },
      { isHostedByKms: true, dataKeyName: "-a" },
      { isHostedByKms: true, dataKeyName: "a b" },
      { isHostedByKms: true, dataKeyName: keyId },
      { isHostedByKms: true, dataKeyName: "a", tags: { a: 1 } },
    ]) {
      expect(await codeOf(generate(fields)), JSON.stringify(fields)).toBe("ERR_ARGUMENT");
    }
    for (const fields of [
      { isHostedByKms: true, dataKeyName: "x".repeat(61) },
      { isHostedByKms: true, dataKeyName: "a", description: `${"é".repeat(50)}a` },
      {
        isHostedByKms: true,
        dataKeyName: "a",
        tags: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [i, ""])),
      },
    ]) {
      expect(await codeOf(generate(fields))).toBe("ERR_LIMIT");
    }
    expect((await kms.listDataKeys()).total).toBe(1);
    await host(kms, keyId, "x".repeat(60), { description: "é".repeat(50) });
    const other = await kms.createKey({}, { region: "other" });
    const elsewhere = { keyId: other.keyId, numberOfBytes: 16, isHostedByKms: true, dataKeyName: "taken" };
    expect((await kms.generateDataKey(elsewhere, { region: "other" })).dataKeyId).toBeDefined();
  });

  test("two at the same time cannot take one name", async () => {
    const { kms, keyId } = await fixture();
    const results = await Promise.allSettled([1, 2, 3].map(() => host(kms, keyId, "same")));
    expect(results.filter(({ status }) => status === "fulfilled").length).toBe(1);
    expect((await kms.listDataKeys()).total).toBe(1);
  });

  test("a name is neither a key's alias nor the other way round", async () => {
    const { kms, keyId } = await fixture();
    await host(kms, keyId, "wrapping");
    await host(kms, keyId, "only-a-data-key");
    expect(await codeOf(kms.describeKey({ keyId: "only-a-data-key" }))).toBe("ERR_KEY_NOT_FOUND");
    expect(await codeOf(kms.getDataKeyPlaintext({ dataKeyId: keyId }))).toBe("ERR_KEY_NOT_FOUND");
  });
});

describe("import", () => {
  test("of a plaintext: 1 to 1,024 bytes, under the key named", async () => {
    const { kms, keyId } = await fixture();
    for (const length of [1, 1024]) {
      const importKeyMaterial = filled(length, 7);
      const request = {
        importType: "plaintext",
        dataKeyName: `n${length}`,
        keyId: "wrapping",
        importKeyMaterial,
      } as const;
      const importing = kms.importDataKey(request);
      importKeyMaterial.fill(0);
      const imported = await importing;
      expect(imported.keyId).toBe(keyId);
      const { dataKeyId } = imported;
      expect((await kms.getDataKeyPlaintext({ dataKeyId })).plaintext).toEqual(filled(length, 7));
      const described = await kms.describeDataKey({ dataKeyId });
      expect(described).toMatchObject({ origin: "external", numberOfBytes: length });
    }
    const base = { importType: "plaintext", dataKeyName: "x" } as const;
    expect(await codeOf(kms.importDataKey({ ...base, importKeyMaterial: filled(1) }))).toBe("ERR_ARGUMENT");
    expect(await codeOf(kms.importDataKey({ ...base, keyId, importKeyMaterial: filled(0) }))).toBe("ERR_ARGUMENT");
    expect(await codeOf(kms.importDataKey({ ...base, keyId, importKeyMaterial: filled(1025) }))).toBe("ERR_LIMIT");
    const unknown = { ...base, importType: "x" as "plaintext", keyId, importKeyMaterial: filled(1) };
    expect(await codeOf(kms.importDataKey(unknown))).toBe("ERR_ARGUMENT");
  });

  test("of a ciphertext: what opens without a context, under its own key, kept as it is", async () => {
    const { kms, keyId } = await fixture();
    const { plaintext, ciphertext } = await kms.generateDataKey({ keyId, numberOfBytes: 24 });
    const base = { importType: "ciphertext", importKeyMaterial: ciphertext } as const;
    const { dataKeyId } = await kms.importDataKey({ ...base, dataKeyName: "a", description: "d", tags: { t: "" } });
    expect((await kms.getDataKeyPlaintext({ dataKeyId })).plaintext).toEqual(plaintext);
    expect((await kms.getDataKeyCiphertextBlob({ dataKeyId })).ciphertext).toEqual(ciphertext);
    expect(await kms.describeDataKey({ dataKeyId })).toMatchObject({
      origin: "external",
      numberOfBytes: 24,
      description: "d",
      tags: { t: "" },
    });
    await kms.importDataKey({ ...base, dataKeyName: "b", keyId: "wrapping" });
    const { keyId: other } = await kms.createKey();
    expect(await codeOf(kms.importDataKey({ ...base, dataKeyName: "c", keyId: other }))).toBe("ERR_NO_MATCHING_KEY");
    expect(await errorOf(kms.importDataKey({ ...base, dataKeyName: "b" }))).toMatchObject({ code: "ERR_CONFLICT" });
  });

  test("of a ciphertext that does not open, or holds more than a data key", async () => {
    const { kms, keyId } = await fixture();
    const request = (importKeyMaterial: Uint8Array): Promise<unknown> =>
      kms.importDataKey({ importType: "ciphertext", dataKeyName: "a", importKeyMaterial });
    const bound = await kms.encrypt({ keyId, plaintext: filled(16), encryptionContext: { a: "b" } });
    expect(await codeOf(request(bound.ciphertext))).toBe("ERR_AUTHENTICATION");
    const long = await kms.encrypt({ keyId, plaintext: filled(1025) });
    expect(await codeOf(request(long.ciphertext))).toBe("ERR_LIMIT");
    expect(await codeOf(request(filled(200)))).toBe("ERR_CIPHERTEXT_INVALID");
    expect(await codeOf(request(filled(0)))).toBe("ERR_CIPHERTEXT_INVALID");
    expect((await kms.listDataKeys()).total).toBe(0);
  });
});

describe("the wrapping key", () => {
  test("must allow it: disabled, archived, deleted", async () => {
    const { kms, clock, keyId } = await fixture();
    const { dataKeyId, plaintext } = await host(kms, keyId, "a");
    await kms.archiveKey({ keyId });
    expect((await kms.getDataKeyPlaintext({ dataKeyId })).plaintext).toEqual(plaintext);
    expect(await errorOf(host(kms, keyId, "b"))).toMatchObject({ details: { reason: "key-archived" } });
    const importing = { importType: "plaintext", dataKeyName: "b", keyId, importKeyMaterial: filled(1) } as const;
    expect(await errorOf(kms.importDataKey(importing))).toMatchObject({ details: { reason: "key-archived" } });
    await kms.cancelKeyArchive({ keyId });
    await kms.disableKey({ keyId });
    const refused = { code: "ERR_KEY_STATE", details: { keyId, reason: "key-disabled" } };
    expect(await errorOf(kms.getDataKeyPlaintext({ dataKeyId }))).toMatchObject(refused);
    expect((await kms.getDataKeyCiphertextBlob({ dataKeyId })).keyId).toBe(keyId);
    await kms.scheduleKeyDeletion({ keyId, pendingWindowDays: 7 });
    expect(await codeOf(kms.getDataKeyPlaintext({ dataKeyId }))).toBe("ERR_KEY_STATE");
    clock.advance(7 * DAY_MS);
    const gone = await errorOf(kms.getDataKeyPlaintext({ dataKeyId }));
    expect(gone).toMatchObject({ code: "ERR_KEY_NOT_FOUND", details: { keyId } });
    const described = await kms.describeDataKey({ dataKeyId });
    expect(described).toMatchObject({ keyId, state: "enabled" });
    expect(described).not.toHaveProperty("keyAlias");
  });

  test("may rotate: the data key stays the same, wrapped by the older version", async () => {
    const { kms, keyId } = await fixture();
    const { dataKeyId, plaintext, ciphertext } = await host(kms, keyId, "a");
    await kms.rotateKey({ keyId });
    expect((await kms.getDataKeyPlaintext({ dataKeyId })).plaintext).toEqual(plaintext);
    expect((await kms.getDataKeyCiphertextBlob({ dataKeyId })).ciphertext).toEqual(ciphertext);
  });
});

describe("states", () => {
  const REQUESTS: Readonly<Record<DataKeyOperation, (kms: LocalKms, dataKeyId: string) => Promise<unknown>>> = {
    getDataKeyPlaintext: (kms, dataKeyId) => kms.getDataKeyPlaintext({ dataKeyId }),
    getDataKeyCiphertextBlob: (kms, dataKeyId) => kms.getDataKeyCiphertextBlob({ dataKeyId }),
    describeDataKey: (kms, dataKeyId) => kms.describeDataKey({ dataKeyId }),
    describeDataKeys: (kms, dataKeyId) => kms.describeDataKeys({ dataKeyIds: [dataKeyId] }),
    enableDataKey: (kms, dataKeyId) => kms.enableDataKey({ dataKeyId }),
    enableDataKeys: (kms, dataKeyId) => kms.enableDataKeys({ dataKeyIds: [dataKeyId] }),
    disableDataKey: (kms, dataKeyId) => kms.disableDataKey({ dataKeyId }),
    disableDataKeys: (kms, dataKeyId) => kms.disableDataKeys({ dataKeyIds: [dataKeyId] }),
    updateDataKeyName: (kms, dataKeyId) => kms.updateDataKeyName({ dataKeyId, dataKeyName: "renamed" }),
    updateDataKeyDescription: (kms, dataKeyId) => kms.updateDataKeyDescription({ dataKeyId, description: "new" }),
    scheduleDataKeyDeletion: (kms, dataKeyId) => kms.scheduleDataKeyDeletion({ dataKeyId, pendingWindowDays: 7 }),
    cancelDataKeyDeletion: (kms, dataKeyId) => kms.cancelDataKeyDeletion({ dataKeyId }),
  };

  async function lead(kms: LocalKms, dataKeyId: string, state: DataKeyState): Promise<void> {
    if (state !== "enabled") await kms.disableDataKey({ dataKeyId });
    if (state === "pending-deletion") await kms.scheduleDataKeyDeletion({ dataKeyId, pendingWindowDays: 7 });
  }

  const cases = Object.entries(DATA_KEY_STATE_TABLE).flatMap(([operation, row]) =>
    Object.entries(row).map(([state, cell]) => [operation as DataKeyOperation, state as DataKeyState, cell] as const),
  );

  test("the table has every pair", () => {
    expect(cases.length).toBe(12 * 3);
  });

  test.each(cases)("%s of one that is %s", async (operation, state, cell) => {
    const { kms, keyId } = await fixture();
    const { dataKeyId } = await host(kms, keyId, "a");
    await lead(kms, dataKeyId, state);
    const call = REQUESTS[operation](kms, dataKeyId);
    if (typeof cell === "string") {
      await call;
      expect((await kms.describeDataKey({ dataKeyId })).state).toBe(cell);
      return;
    }
    const { reason } = cell;
    expect(await errorOf(call)).toMatchObject({ code: "ERR_KEY_STATE", details: { keyId: dataKeyId, state, reason } });
    expect((await kms.describeDataKey({ dataKeyId })).state).toBe(state);
  });

  test("a deletion happens in the millisecond in which it is due, unless it is cancelled", async () => {
    const { kms, clock, keyId } = await fixture();
    const { dataKeyId } = await host(kms, keyId, "a");
    const { dataKeyId: kept } = await host(kms, keyId, "b");
    await kms.disableDataKeys({ dataKeyIds: [dataKeyId, kept] });
    const scheduled = await kms.scheduleDataKeyDeletion({ dataKeyId: "a", pendingWindowDays: 7 });
    expect(scheduled).toEqual({ dataKeyId, deletionAtMs: 1_000_000 + 7 * DAY_MS });
    await kms.scheduleDataKeyDeletion({ dataKeyId: kept, pendingWindowDays: 30 });
    expect(await kms.describeDataKey({ dataKeyId })).toMatchObject(scheduled);
    expect(await kms.cancelDataKeyDeletion({ dataKeyId: "b" })).toEqual({ dataKeyId: kept });
    expect(await kms.describeDataKey({ dataKeyId: kept })).not.toHaveProperty("deletionAtMs");
    clock.advance(7 * DAY_MS - 1);
    expect((await kms.describeDataKey({ dataKeyId })).state).toBe("pending-deletion");
    clock.advance(1);
    expect(await codeOf(kms.describeDataKey({ dataKeyId }))).toBe("ERR_KEY_NOT_FOUND");
    clock.advance(30 * DAY_MS);
    expect((await kms.listDataKeys()).dataKeys).toEqual([{ dataKeyId: kept }]);
    await host(kms, keyId, "a");
    for (const days of [6, 0, 7.5, Number.NaN]) {
      const call = kms.scheduleDataKeyDeletion({ dataKeyId: kept, pendingWindowDays: days });
      expect(await codeOf(call)).toBe("ERR_ARGUMENT");
    }
    const long = kms.scheduleDataKeyDeletion({ dataKeyId: kept, pendingWindowDays: 31 });
    expect(await codeOf(long)).toBe("ERR_LIMIT");
  });

  test("names are unique, also afterwards", async () => {
    const { kms, keyId } = await fixture();
    const { dataKeyId } = await host(kms, keyId, "a");
    await host(kms, keyId, "b");
    const taken = await errorOf(kms.updateDataKeyName({ dataKeyId, dataKeyName: "b" }));
    expect(taken).toMatchObject({ code: "ERR_CONFLICT", details: { name: "b", reason: "alias-exists" } });
    await kms.updateDataKeyName({ dataKeyId, dataKeyName: "a" });
    await kms.updateDataKeyName({ dataKeyId: "a", dataKeyName: "c" });
    await kms.updateDataKeyDescription({ dataKeyId: "c", description: "x".repeat(100) });
    expect(await kms.describeDataKey({ dataKeyId })).toMatchObject({ dataKeyName: "c", description: "x".repeat(100) });
    expect(await codeOf(kms.describeDataKey({ dataKeyId: "a" }))).toBe("ERR_KEY_NOT_FOUND");
    const long = kms.updateDataKeyDescription({ dataKeyId, description: "x".repeat(101) });
    expect(await codeOf(long)).toBe("ERR_LIMIT");
  });
});

describe("batches and lists", () => {
  test("batches are whole or nothing, of 1 to 100 different data keys", async () => {
    const { kms, keyId } = await fixture();
    const hosted: string[] = [];
    for (const name of ["a", "b", "c"]) hosted.push((await host(kms, keyId, name)).dataKeyId);
    const [a = "", b = "", c = ""] = hosted;
    await kms.disableDataKeys({ dataKeyIds: [a, "b", c] });
    await kms.scheduleDataKeyDeletion({ dataKeyId: c, pendingWindowDays: 7 });
    expect(await errorOf(kms.enableDataKeys({ dataKeyIds: [a, b, c] }))).toMatchObject({ details: { keyId: c } });
    expect(await codeOf(kms.enableDataKeys({ dataKeyIds: [a, "missing"] }))).toBe("ERR_KEY_NOT_FOUND");
    const { dataKeys } = await kms.describeDataKeys({ dataKeyIds: [b, a] });
    expect(dataKeys.map(({ dataKeyId, state }) => [dataKeyId, state])).toEqual([
      [b, "disabled"],
      [a, "disabled"],
    ]);
    for (const dataKeyIds of [
      [a, a],
      [a, "a"],
    ]) {
      for (const call of [kms.enableDataKeys({ dataKeyIds }), kms.describeDataKeys({ dataKeyIds })]) {
        expect(await errorOf(call)).toMatchObject({ code: "ERR_CONFLICT", details: { reason: "duplicate-id" } });
      }
    }
    expect(await codeOf(kms.enableDataKeys({ dataKeyIds: [] }))).toBe("ERR_ARGUMENT");
    expect(await codeOf(kms.enableDataKeys({ dataKeyIds: "a" as unknown as string[] }))).toBe("ERR_ARGUMENT");
    const many = Array.from({ length: 101 }, (_, i) => `n${i}`);
    expect(await codeOf(kms.disableDataKeys({ dataKeyIds: many }))).toBe("ERR_LIMIT");
    expect(await codeOf(kms.describeDataKeys({ dataKeyIds: many.slice(1) }))).toBe("ERR_KEY_NOT_FOUND");
  });

  test("lists page, order and filter", async () => {
    const { kms, keyId } = await fixture();
    const { keyId: second } = await kms.createKey({ alias: "second" });
    const ids: string[] = [];
    for (let i = 0; i < 12; i++) {
      const fields = { numberOfBytes: i < 6 ? 16 : 32, tags: i % 2 === 0 ? { even: "yes" } : { odd: String(i) } };
      ids.push((await host(kms, i < 9 ? keyId : second, `Name-${i}`, fields)).dataKeyId);
    }
    const importing = { importType: "plaintext", dataKeyName: "brought", keyId, importKeyMaterial: filled(1) } as const;
    ids.push((await kms.importDataKey(importing)).dataKeyId);
    await kms.disableDataKeys({ dataKeyIds: ids.slice(0, 2) });
    const newest = [...ids].reverse();
    const listed = await kms.listDataKeys();
    expect(listed).toEqual({ dataKeys: newest.slice(0, 10).map((dataKeyId) => ({ dataKeyId })), total: 13 });
    const last = await kms.listDataKeys({ offset: 10, limit: 200 });
    expect(last.dataKeys.map(({ dataKeyId }) => dataKeyId)).toEqual(newest.slice(10));
    expect(await kms.listDataKeys({ owner: "product" })).toEqual({ dataKeys: [], total: 0 });
    expect(await kms.listDataKeys({ offset: 99 })).toEqual({ dataKeys: [], total: 13 });

    const find = async (request: Parameters<typeof kms.listDataKeyDetail>[0]): Promise<number[]> => {
      const { dataKeys, total } = await kms.listDataKeyDetail({ order: "oldest-first", limit: 200, ...request });
      expect(dataKeys.length).toBe(total);
      return dataKeys.map(({ dataKeyId }) => ids.indexOf(dataKeyId));
    };
    expect(await find({})).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(await find({ order: "newest-first" })).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    expect(await find({ state: "disabled" })).toEqual([0, 1]);
    expect(await find({ state: "pending-deletion" })).toEqual([]);
    expect(await find({ search: "NAME-1" })).toEqual([1, 10, 11]);
    expect(await find({ search: (ids[4] as string).slice(3, 30).toUpperCase() })).toEqual([4]);
    expect(await find({ origin: "external" })).toEqual([12]);
    expect(await find({ keyId: second })).toEqual([9, 10, 11]);
    expect(await find({ keyId: "second", numberOfBytes: 32 })).toEqual([9, 10, 11]);
    expect(await codeOf(kms.listDataKeyDetail({ keyId: "missing" }))).toBe("ERR_KEY_NOT_FOUND");
    expect(await find({ keyId: ids[0] as string })).toEqual([]);
    expect(await find({ numberOfBytes: 16, state: "enabled" })).toEqual([2, 3, 4, 5]);
    expect(await find({ tagFilters: [{ key: "even", values: ["yes", "x"] }] })).toEqual([0, 2, 4, 6, 8, 10]);
    expect(await find({ tagFilters: [{ key: "odd" }] })).toEqual([1, 3, 5, 7, 9, 11]);
    expect(await find({ tagFilters: [{ key: "odd", values: ["3"] }] })).toEqual([3]);
    expect(await find({ tagFilters: [{ key: "odd" }, { key: "even" }] })).toEqual([]);
    expect((await kms.listDataKeyDetail({ keyId, limit: 2, offset: 1 })).total).toBe(10);
    for (const request of [
      { limit: 0 },
      { offset: -1 },
      { owner: "x" },
      { order: "x" },
      { state: "archived" },
      { origin: "x" },
      { search: 7 },
      { tagFilters: [{ key: "" }] },
      { tagFilters: "x" },
      { unknown: 1 },
    ]) {
      expect(await codeOf(kms.listDataKeyDetail(request as object)), JSON.stringify(request)).toBe("ERR_ARGUMENT");
    }
    expect(await codeOf(kms.listDataKeys({ limit: 201 }))).toBe("ERR_LIMIT");
    expect(await codeOf(kms.listDataKeyDetail({ search: "x".repeat(129) }))).toBe("ERR_LIMIT");
    expect((await kms.listDataKeyDetail({ owner: "any", search: "" })).total).toBe(13);
  });
});

test("the tags of a data key are part of the question to the authorizer", async () => {
  const asked: unknown[] = [];
  const kms = new LocalKms({
    authorizer: ({ operation, requestTags }) => {
      asked.push([operation, requestTags]);
      return requestTags?.["env"] !== "prod";
    },
  });
  const { keyId } = await kms.createKey();
  const hosted = { keyId, numberOfBytes: 16, isHostedByKms: true, dataKeyName: "one", tags: { env: "prod" } } as const;
  expect(await codeOf(kms.generateDataKey(hosted))).toBe("ERR_DENIED");
  const imported = { dataKeyName: "two", tags: { env: "prod" }, importKeyMaterial: filled(16), keyId } as const;
  expect(await codeOf(kms.importDataKey({ importType: "plaintext", ...imported }))).toBe("ERR_DENIED");
  expect(asked.slice(1)).toEqual([
    ["generateDataKey", { env: "prod" }],
    ["importDataKey", { env: "prod" }],
  ]);
  await kms.close();
});
