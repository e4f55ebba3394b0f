// What happens by itself, at its millisecond, also when nobody called in between: deletion, expiry, rotation.
import {
  LocalKms,
  ManualClock,
  MemoryRecordStore,
  type RecordAddress,
  type RecordKind,
  type RecordStore,
} from "@fengni/backend-local";
import { describe, expect, test } from "vitest";
import { codeOf, filled, refusalOf } from "./assertions.js";
import { createImportedKey, MATERIAL, wrappedMaterial } from "./external-keys.js";
import { DAY_MS } from "./support.js";

interface Bench {
  readonly kms: LocalKms;
  readonly clock: ManualClock;
  readonly store: MemoryRecordStore;
}

function bench(startMs = 17): Bench {
  const clock = new ManualClock(startMs);
  const store = new MemoryRecordStore();
  return { kms: new LocalKms({ clock, store }), clock, store };
}

function count(store: MemoryRecordStore, kind: RecordKind): number {
  return store.view().query({ kind, region: "local", order: "oldest-first", offset: 0, limit: 0 }).total;
}

async function scheduleDeletion(kms: LocalKms, keyId: string, pendingWindowDays = 7): Promise<number> {
  await kms.disableKey({ keyId });
  return (await kms.scheduleKeyDeletion({ keyId, pendingWindowDays })).deletionAtMs;
}

describe("deletion", () => {
  test("happens in the millisecond that it is due", async () => {
    const { kms, clock } = bench();
    const { keyId } = await kms.createKey({ alias: "doomed" });
    const { ciphertext } = await kms.encrypt({ keyId, plaintext: filled(1) });
    const deletionAtMs = await scheduleDeletion(kms, "doomed");
    expect(deletionAtMs).toBe(17 + 7 * DAY_MS);
    clock.advance(7 * DAY_MS - 1);
    expect(await kms.describeKey({ keyId: "doomed" })).toMatchObject({ state: "pending-deletion", deletionAtMs });
    clock.advance(1);
    for (const call of [
      kms.resolveKeyId(keyId),
      kms.resolveKeyId("doomed"),
      kms.encrypt({ keyId: "doomed", plaintext: filled(1) }),
      kms.decrypt({ ciphertext }),
      kms.decrypt({ ciphertext, keyId: "doomed" }),
      kms.describeKey({ keyId }),
      kms.cancelKeyDeletion({ keyId }),
      kms.enableKey({ keyId }),
      kms.enableKeys({ keyIds: [keyId] }),
    ]) {
      expect(await codeOf(call)).toBe("ERR_KEY_NOT_FOUND");
    }
    expect(await kms.listKeyDetail()).toEqual({ keys: [], total: 0 });
  });

  test("of every later moment too", async () => {
    const { kms, clock } = bench();
    const { keyId } = await kms.createKey();
    await scheduleDeletion(kms, keyId);
    clock.advance(7 * DAY_MS + 1);
    expect(await codeOf(kms.describeKey({ keyId }))).toBe("ERR_KEY_NOT_FOUND");
  });

  test("can be cancelled until its last millisecond", async () => {
    const { kms, clock } = bench();
    const { keyId } = await kms.createKey();
    await scheduleDeletion(kms, keyId);
    clock.advance(7 * DAY_MS - 1);
    await kms.cancelKeyDeletion({ keyId });
    clock.advance(365 * DAY_MS);
    expect((await kms.describeKey({ keyId })).state).toBe("disabled");
  });

  test.each(["resolve", "list", "create", "run"] as const)(
    "wipes the material at the first access: %s",
    async (access) => {
      const { kms, clock, store } = bench();
      const { keyId } = await kms.createKey();
      await kms.rotateKey({ keyId });
      const record = store.view().get("key", "local", keyId);
      const materials = [1, 2].map((version) => store.view().secret(record as NonNullable<typeof record>, version));
      await scheduleDeletion(kms, keyId);
      clock.advance(7 * DAY_MS);
      expect(materials.map(({ wiped }) => wiped)).toEqual([false, false]);
      if (access === "resolve") await codeOf(kms.resolveKeyId(keyId));
      else if (access === "list") await kms.listKeys();
      else if (access === "create") await kms.createKey();
      else await kms.runScheduledWork();
      expect(materials.map(({ wiped }) => wiped)).toEqual([true, true]);
      expect(store.view().get("key", "local", keyId)).toBeUndefined();
    },
  );

  test("frees the alias", async () => {
    const { kms, clock } = bench();
    const { keyId } = await kms.createKey({ alias: "name" });
    await scheduleDeletion(kms, keyId);
    expect(await codeOf(kms.createKey({ alias: "name" }))).toBe("ERR_CONFLICT");
    clock.advance(7 * DAY_MS);
    const next = await kms.createKey({ alias: "name" });
    expect(await kms.resolveKeyId("name")).toBe(next.keyId);
  });

  test("takes the parameters of imports along; hosted data keys stay, and do not open any more", async () => {
    const { kms, clock, store } = bench();
    const keyId = await createImportedKey(kms);
    await kms.generateDataKey({ keyId, numberOfBytes: 16, isHostedByKms: true, dataKeyName: "hosted" });
    await scheduleDeletion(kms, keyId);
    // Put back by hand, as parameters are gone after a day and keys after seven.
    await store.change((records) => {
      const address = { kind: "import", region: "local", id: "left" } as const;
      const validToMs = clock.now() + 30 * DAY_MS;
      const sequence = records.nextSequence();
      records.put({
        ...address,
        sequence,
        createdAtMs: 0,
        keyId,
        wrappingAlgorithm: "x",
        validToMs,
        dueAtMs: validToMs,
      });
    });
    clock.advance(7 * DAY_MS);
    await kms.runScheduledWork();
    expect(count(store, "import")).toBe(0);
    expect((await kms.describeDataKey({ dataKeyId: "hosted" })).keyId).toBe(keyId);
    expect(await codeOf(kms.getDataKeyPlaintext({ dataKeyId: "hosted" }))).toBe("ERR_KEY_NOT_FOUND");
  });
});

describe("other records", () => {
  test("a hosted data key is deleted in its millisecond", async () => {
    const { kms, clock, store } = bench();
    const { keyId } = await kms.createKey();
    const dataKeyId = "hosted";
    await kms.generateDataKey({ keyId, numberOfBytes: 16, isHostedByKms: true, dataKeyName: dataKeyId });
    await kms.disableDataKey({ dataKeyId });
    await kms.scheduleDataKeyDeletion({ dataKeyId, pendingWindowDays: 7 });
    clock.advance(7 * DAY_MS - 1);
    await kms.describeDataKey({ dataKeyId });
    clock.advance(1);
    expect(await codeOf(kms.describeDataKey({ dataKeyId }))).toBe("ERR_KEY_NOT_FOUND");
    expect(count(store, "data-key")).toBe(0);
  });

  test("the parameters of an import are removed when they expire, with their private half", async () => {
    const { kms, clock, store } = bench();
    const { keyId } = await kms.createKey({ origin: "external" });
    await kms.getParametersForImport({ keyId, wrappingAlgorithm: "RSAES_OAEP_SHA_1" });
    clock.advance(DAY_MS - 1);
    await kms.runScheduledWork();
    expect(count(store, "import")).toBe(1);
    clock.advance(1);
    await kms.runScheduledWork();
    expect(count(store, "import")).toBe(0);
  });
});

describe("expiry of imported material", () => {
  const VALID_TO_MS = 17 + 3 * DAY_MS;

  test("happens in its millisecond, and the same material opens what it sealed", async () => {
    const { kms, clock, store } = bench();
    const keyId = await createImportedKey(kms, VALID_TO_MS);
    const { ciphertext } = await kms.encrypt({ keyId, plaintext: filled(5) });
    const record = store.view().get("key", "local", keyId);
    const material = store.view().secret(record as NonNullable<typeof record>, 1);
    expect(material.bytes()).toEqual(MATERIAL);
    clock.advance(3 * DAY_MS - 1);
    await kms.decrypt({ ciphertext });
    expect(await kms.describeKey({ keyId })).toMatchObject({ state: "enabled", validToMs: VALID_TO_MS, versions: 1 });
    clock.advance(1);
    expect(await refusalOf(kms.decrypt({ ciphertext }))).toBe("ERR_KEY_STATE state-not-supported");
    const expired = await kms.describeKey({ keyId });
    expect(expired).toMatchObject({ state: "pending-import", versions: 0 });
    expect(expired).not.toHaveProperty("validToMs");
    expect(material.wiped).toBe(true);
    await kms.importKeyMaterial(await wrappedMaterial(kms, keyId));
    expect((await kms.decrypt({ ciphertext })).plaintext).toEqual(filled(5));
    clock.advance(1000 * DAY_MS);
    expect((await kms.describeKey({ keyId })).state).toBe("enabled");
  });

  test.each(["disabled", "archived"] as const)("of a key that is %s: it waits for import", async (state) => {
    const { kms, clock } = bench();
    const keyId = await createImportedKey(kms, VALID_TO_MS);
    if (state === "disabled") await kms.disableKey({ keyId });
    else await kms.archiveKey({ keyId });
    clock.advance(3 * DAY_MS);
    expect(await kms.describeKey({ keyId })).toMatchObject({ state: "pending-import", versions: 0 });
  });

  test("of a key that will be deleted: it stays so, and waits for import when that is cancelled", async () => {
    const { kms, clock } = bench();
    const keyId = await createImportedKey(kms, VALID_TO_MS);
    const deletionAtMs = await scheduleDeletion(kms, keyId);
    clock.advance(3 * DAY_MS);
    expect(await kms.describeKey({ keyId })).toMatchObject({ state: "pending-deletion", versions: 0, deletionAtMs });
    await kms.cancelKeyDeletion({ keyId });
    expect((await kms.describeKey({ keyId })).state).toBe("pending-import");
  });

  test("at the moment of deletion is of no account", async () => {
    const { kms, clock } = bench();
    const keyId = await createImportedKey(kms, 17 + 7 * DAY_MS);
    await scheduleDeletion(kms, keyId);
    clock.advance(7 * DAY_MS);
    expect(await codeOf(kms.describeKey({ keyId }))).toBe("ERR_KEY_NOT_FOUND");
  });
});

describe("rotation by schedule", () => {
  test("adds one version in its millisecond", async () => {
    const { kms, clock } = bench();
    const { keyId } = await kms.createKey();
    await kms.enableKeyRotation({ keyId, rotationPeriodDays: 7 });
    const firstMs = 17 + 7 * DAY_MS;
    const status = { keyId, keyRotationEnabled: true, rotationPeriodDays: 7 };
    expect(await kms.getKeyRotationStatus({ keyId })).toEqual({ ...status, nextRotationAtMs: firstMs });
    clock.advance(7 * DAY_MS - 1);
    expect((await kms.describeKey({ keyId })).versions).toBe(1);
    clock.advance(1);
    expect(await kms.describeKey({ keyId })).toMatchObject({ versions: 2, lastRotatedAtMs: firstMs });
    expect(await kms.getKeyRotationStatus({ keyId })).toEqual({
      ...status,
      lastRotatedAtMs: firstMs,
      nextRotationAtMs: firstMs + 7 * DAY_MS,
    });
  });

  test("over years, each time when it was due, also when nobody called in between; every version opens", async () => {
    const watched = bench();
    const unwatched = bench();
    const sealed: Uint8Array[] = [];
    const ids: string[] = [];
    for (const { kms } of [watched, unwatched]) {
      const { keyId } = await kms.createKey();
      await kms.enableKeyRotation({ keyId, rotationPeriodDays: 30 });
      ids.push(keyId);
    }
    const [keyId = "", other = ""] = ids;
    for (let month = 0; month < 61; month++) {
      sealed.push((await watched.kms.encrypt({ keyId, plaintext: filled(3, month) })).ciphertext);
      watched.clock.advance(30 * DAY_MS);
    }
    unwatched.clock.advance(61 * 30 * DAY_MS + 5);
    const expected = {
      versions: 62,
      lastRotatedAtMs: 17 + 61 * 30 * DAY_MS,
      nextRotationAtMs: 17 + 62 * 30 * DAY_MS,
    };
    expect(await watched.kms.describeKey({ keyId })).toMatchObject(expected);
    expect(await unwatched.kms.describeKey({ keyId: other })).toMatchObject(expected);
    for (const [month, ciphertext] of sealed.entries()) {
      expect((await watched.kms.decrypt({ ciphertext })).plaintext).toEqual(filled(3, month));
    }
  });

  test.each(["disabled", "archived", "pending-deletion"] as const)(
    "of a key that is %s falls out, and the schedule goes on",
    async (state) => {
      const { kms, clock } = bench();
      const { keyId } = await kms.createKey();
      await kms.enableKeyRotation({ keyId, rotationPeriodDays: 7 });
      if (state === "archived") await kms.archiveKey({ keyId });
      else await kms.disableKey({ keyId });
      if (state === "pending-deletion") await kms.scheduleKeyDeletion({ keyId, pendingWindowDays: 30 });
      clock.advance(3 * 7 * DAY_MS + 1);
      const resting = { state, versions: 1, nextRotationAtMs: 17 + 4 * 7 * DAY_MS };
      expect(await kms.describeKey({ keyId })).toMatchObject(resting);
      if (state === "pending-deletion") await kms.cancelKeyDeletion({ keyId });
      if (state === "archived") await kms.cancelKeyArchive({ keyId });
      else await kms.enableKey({ keyId });
      expect((await kms.describeKey({ keyId })).versions).toBe(1);
      clock.advance(7 * DAY_MS - 2);
      expect((await kms.describeKey({ keyId })).versions).toBe(1);
      clock.advance(1);
      expect(await kms.describeKey({ keyId })).toMatchObject({ versions: 2, lastRotatedAtMs: 17 + 4 * 7 * DAY_MS });
    },
  );

  test("the default is a year, the same period again changes nothing, another counts from now on", async () => {
    const { kms, clock } = bench();
    const { keyId } = await kms.createKey();
    await kms.enableKeyRotation({ keyId });
    clock.advance(DAY_MS);
    await kms.enableKeyRotation({ keyId, rotationPeriodDays: 365 });
    expect(await kms.getKeyRotationStatus({ keyId })).toMatchObject({ nextRotationAtMs: 17 + 365 * DAY_MS });
    await kms.enableKeyRotation({ keyId, rotationPeriodDays: 8 });
    expect(await kms.getKeyRotationStatus({ keyId })).toMatchObject({ nextRotationAtMs: 17 + 9 * DAY_MS });
    await kms.disableKeyRotation({ keyId });
    await kms.disableKeyRotation({ keyId });
    expect(await kms.getKeyRotationStatus({ keyId })).toEqual({ keyId, keyRotationEnabled: false });
    clock.advance(1000 * DAY_MS);
    expect((await kms.describeKey({ keyId })).versions).toBe(1);
  });

  test("a rotation on demand leaves the schedule", async () => {
    const { kms, clock } = bench();
    const { keyId } = await kms.createKey({ keySpec: "SM4" });
    await kms.enableKeyRotation({ keyId, rotationPeriodDays: 7 });
    clock.advance(DAY_MS);
    const { taskId } = await kms.rotateKey({ keyId });
    expect(taskId).toMatch(/^[0-9a-f-]{36}$/);
    expect(await kms.describeKey({ keyId })).toMatchObject({
      versions: 2,
      lastRotatedAtMs: 17 + DAY_MS,
      nextRotationAtMs: 17 + 7 * DAY_MS,
    });
  });

  test("only symmetric keys rotate", async () => {
    const { kms } = bench();
    for (const keySpec of ["ECC_P256", "SM2", "RSA_2048", "ML_KEM_768"] as const) {
      const { keyId } = await kms.createKey({ keySpec });
      expect(await refusalOf(kms.rotateKey({ keyId }))).toBe("ERR_KEY_USAGE key-usage");
      expect(await refusalOf(kms.enableKeyRotation({ keyId }))).toBe("ERR_KEY_USAGE key-usage");
    }
  });
});

test("events of many keys happen in the order in which they fell due", async () => {
  const store = new MemoryRecordStore();
  const clock = new ManualClock();
  const events: string[] = [];
  const kms = new LocalKms({ clock, store: watching(store, events) });
  for (const [alias, rotationPeriodDays] of [
    ["ten", 10],
    ["nine", 9],
    ["seven", 7],
  ] as const) {
    await kms.createKey({ alias });
    await kms.enableKeyRotation({ keyId: alias, rotationPeriodDays });
  }
  await kms.createKey({ alias: "doomed" });
  await scheduleDeletion(kms, "doomed", 15);
  clock.advance(30 * DAY_MS);
  events.length = 0;
  await kms.runScheduledWork();
  const order = ["seven", "nine", "ten", "seven", "doomed", "nine", "ten", "seven", "nine", "seven", "ten"];
  expect(events.slice(0, 8)).toEqual(order.slice(0, 8));
  // 27 and 28 and 30 days.
  expect(events.slice(8)).toEqual(["nine", "seven", "ten"]);
  expect(store.view().nextDueAtMs()).toBe(35 * DAY_MS);
});

/** A store that notes the alias of every key that gets a version or is removed. */
function watching(store: MemoryRecordStore, events: string[]): RecordStore {
  return {
    view: () => store.view(),
    close: () => store.close(),
    change: (apply, options) =>
      store.change((records) => {
        const note = ({ region, id }: RecordAddress): void => {
          events.push(records.get("key", region, id)?.name ?? "");
        };
        const noting = new Proxy(records, {
          get(target, name) {
            const value: unknown = Reflect.get(target, name);
            if (typeof value !== "function") return value;
            return (...given: unknown[]) => {
              if (name === "putSecret" || name === "remove") note(given[0] as RecordAddress);
              return Reflect.apply(value, target, given);
            };
          },
        });
        return apply(noting);
      }, options),
  };
}

test("a record whose due time says something that nothing comes of is put right", async () => {
  const { kms, store } = bench();
  const { keyId } = await kms.createKey();
  await store.change((records) => {
    const record = records.get("key", "local", keyId);
    if (record !== undefined) records.put({ ...record, dueAtMs: 1 });
  });
  const described = await kms.describeKey({ keyId });
  expect(described.state).toBe("enabled");
  expect(store.view().nextDueAtMs()).toBeUndefined();
});

test("a change that fails takes back what fell due in it, which happens with the next", async () => {
  const { kms, clock } = bench();
  const { keyId } = await kms.createKey({ alias: "a" });
  await kms.enableKeyRotation({ keyId, rotationPeriodDays: 7 });
  clock.advance(7 * DAY_MS);
  expect(await codeOf(kms.createKey({ alias: "a" }))).toBe("ERR_CONFLICT");
  const { ciphertext } = await kms.encrypt({ keyId, plaintext: filled(1) });
  await kms.decrypt({ ciphertext });
  expect((await kms.describeKey({ keyId })).versions).toBe(2);
});
