// Copies of keys in other regions: they are the same keys, follow their source in the same change, and go with it.
import { LocalKms, ManualClock, MemoryRecordStore } from "@fengni/backend-local";
import type { KeySpec } from "@fengni/core";
import { describe, expect, test } from "vitest";
import { replicate } from "../src/replicas.js";
import { codeOf, errorOf, filled, refusalOf } from "./assertions.js";
import { createImportedKey, wrappedMaterial } from "./external-keys.js";
import { DAY_MS } from "./support.js";

const east = { region: "east" };
const west = { region: "west" };
const north = { region: "north" };

interface Bench {
  readonly kms: LocalKms;
  readonly clock: ManualClock;
  readonly store: MemoryRecordStore;
}

/** Keys of `east` are copied to `west`. */
async function bench(destinations: readonly string[] = ["west"]): Promise<Bench> {
  const clock = new ManualClock(5);
  const store = new MemoryRecordStore();
  const regions = [{ name: "east" }, { name: "west", symmetric: "sm4" }, { name: "north" }] as const;
  const kms = new LocalKms({ clock, store, regions });
  await kms.modifySyncTask({ destinations });
  return { kms, clock, store };
}

describe("a copy", () => {
  test("has the id and everything else of its source, and says where it comes from", async () => {
    const { kms } = await bench();
    const tags = { team: "a" };
    const { keyId } = await kms.createKey({ alias: "orders", description: "text", tags, owner: "disk" });
    const sync = { status: "done", message: "", startedAtMs: 5, endedAtMs: 5 };
    const source = await kms.describeKey({ keyId });
    expect(source.sync).toEqual(sync);
    expect(source).not.toHaveProperty("sourceRegion");
    expect(await kms.describeKey({ keyId: "orders" }, west)).toEqual({
      ...source,
      region: "west",
      sourceRegion: "east",
    });
    expect(await codeOf(kms.describeKey({ keyId }, north))).toBe("ERR_KEY_NOT_FOUND");
    const listed = await kms.listKeyDetail({ owner: "product", tagFilters: [{ key: "team" }] }, west);
    expect(listed.keys.map((key) => key.keyId)).toEqual([keyId]);
  });

  test.each(["AES_256", "SM4"] as const)(
    "opens what its source sealed and the other way round: %s",
    async (keySpec: KeySpec) => {
      const { kms } = await bench();
      const { keyId } = await kms.createKey({ keySpec });
      for (let version = 1; version <= 3; version++) {
        const there = await kms.encrypt({ keyId, plaintext: filled(version) }, west);
        const here = await kms.encrypt({ keyId, plaintext: filled(version) });
        expect((await kms.decrypt({ ciphertext: there.ciphertext })).plaintext).toEqual(filled(version));
        expect((await kms.decrypt({ ciphertext: here.ciphertext }, west)).plaintext).toEqual(filled(version));
        await kms.rotateKey({ keyId });
      }
      expect((await kms.describeKey({ keyId }, west)).versions).toBe(4);
    },
  );

  test("of a signing key has the same public half", async () => {
    const { kms } = await bench();
    const { keyId } = await kms.createKey({ keySpec: "ECC_P256" });
    expect(await kms.getPublicKey({ keyId }, west)).toEqual(await kms.getPublicKey({ keyId }));
  });

  test("follows every change in the same change", async () => {
    const { kms } = await bench();
    const { keyId } = await kms.createKey({ alias: "first" });
    const changes: Record<string, () => Promise<unknown>> = {
      updateAlias: () => kms.updateAlias({ keyId, alias: "second" }),
      updateKeyDescription: () => kms.updateKeyDescription({ keyId, description: "other" }),
      enableKeyRotation: () => kms.enableKeyRotation({ keyId }),
      rotateKey: () => kms.rotateKey({ keyId }),
      disableKeyRotation: () => kms.disableKeyRotation({ keyId }),
      bindCloudResource: () => kms.bindCloudResource({ keyId, productId: "p", resourceId: "r" }),
      unbindCloudResource: () => kms.unbindCloudResource({ keyId, productId: "p", resourceId: "r" }),
      archiveKey: () => kms.archiveKey({ keyId }),
      cancelKeyArchive: () => kms.cancelKeyArchive({ keyId }),
      disableKeys: () => kms.disableKeys({ keyIds: [keyId] }),
      scheduleKeyDeletion: () => kms.scheduleKeyDeletion({ keyId, pendingWindowDays: 7 }),
      cancelKeyDeletion: () => kms.cancelKeyDeletion({ keyId }),
    };
    for (const [name, change] of Object.entries(changes)) {
      await change();
      const source = await kms.describeKey({ keyId });
      expect(await kms.describeKey({ keyId }, west), name).toEqual({ ...source, region: "west", sourceRegion: "east" });
    }
    await kms.setKeyAttributes({ keyId, attributes: { a: "b" } });
    expect(await kms.getKeyAttributes({ keyId }, west)).toEqual({ keyId, attributes: { a: "b" } });
    expect(await codeOf(kms.resolveKeyId("first", west))).toBe("ERR_KEY_NOT_FOUND");
  });

  test("does nothing by itself and cannot be changed where it is", async () => {
    const { kms, store } = await bench();
    const { keyId } = await kms.createKey();
    for (const call of [
      kms.disableKey({ keyId }, west),
      kms.disableKeys({ keyIds: [keyId] }, west),
      kms.rotateKey({ keyId }, west),
      kms.updateAlias({ keyId, alias: "b" }, west),
      kms.bindCloudResource({ keyId, productId: "p", resourceId: "r" }, west),
    ]) {
      expect(await refusalOf(call)).toBe("ERR_KEY_STATE state-not-supported");
    }
    await kms.enableKeyRotation({ keyId });
    expect(store.view().get("key", "west", keyId)?.dueAtMs).toBeUndefined();
    expect(store.view().get("key", "east", keyId)?.dueAtMs).toBe(5 + 365 * DAY_MS);
  });

  test("rotates by its source's schedule, and is deleted with it", async () => {
    const { kms, clock, store } = await bench(["west", "north"]);
    const { keyId } = await kms.createKey({ alias: "a" });
    await kms.enableKeyRotation({ keyId, rotationPeriodDays: 7 });
    const { ciphertext } = await kms.encrypt({ keyId, plaintext: filled(2) });
    clock.advance(21 * DAY_MS);
    expect((await kms.describeKey({ keyId }, west)).versions).toBe(4);
    expect((await kms.decrypt({ ciphertext }, north)).plaintext).toEqual(filled(2));
    const copy = store.view().get("key", "north", keyId);
    const material = store.view().secret(copy as NonNullable<typeof copy>, 4);
    await kms.disableKey({ keyId });
    await kms.scheduleKeyDeletion({ keyId, pendingWindowDays: 7 });
    clock.advance(7 * DAY_MS);
    expect(await codeOf(kms.describeKey({ keyId: "a" }, north))).toBe("ERR_KEY_NOT_FOUND");
    expect(await codeOf(kms.decrypt({ ciphertext }, west))).toBe("ERR_KEY_NOT_FOUND");
    expect(material.wiped).toBe(true);
  });

  test("follows imported material: it comes, expires, comes again", async () => {
    const { kms, clock } = await bench();
    const keyId = await createImportedKey(kms, 5 + DAY_MS);
    const { ciphertext } = await kms.encrypt({ keyId, plaintext: filled(3) });
    expect((await kms.decrypt({ ciphertext }, west)).plaintext).toEqual(filled(3));
    clock.advance(DAY_MS);
    expect(await kms.describeKey({ keyId }, west)).toMatchObject({ state: "pending-import", versions: 0 });
    await kms.importKeyMaterial(await wrappedMaterial(kms, keyId));
    expect((await kms.decrypt({ ciphertext }, west)).plaintext).toEqual(filled(3));
    await kms.deleteImportedKeyMaterial({ keyId });
    expect(await codeOf(kms.decrypt({ ciphertext }, west))).toBe("ERR_KEY_STATE");
  });
});

describe("conflicts", () => {
  test("an alias that is taken there is told, and tried again with the next change", async () => {
    const { kms } = await bench(["west", "north"]);
    const { keyId: holder } = await kms.createKey({ alias: "taken" }, west);
    const { keyId } = await kms.createKey({ alias: "taken" });
    for (const region of ["east", "west", "north"]) {
      const { sync } = await kms.describeKey({ keyId }, { region });
      expect(sync).toMatchObject({ status: "failed", message: expect.stringMatching(/^west: .*"taken"/) });
    }
    expect(await kms.describeKey({ keyId }, west)).not.toHaveProperty("alias");
    expect(await kms.resolveKeyId("taken", west)).toBe(holder);
    expect(await kms.resolveKeyId("taken", north)).toBe(keyId);
    await kms.updateAlias({ keyId: holder, alias: "given-up" }, west);
    await kms.updateKeyDescription({ keyId, description: "again" });
    expect(await kms.resolveKeyId("taken", west)).toBe(keyId);
    expect((await kms.describeKey({ keyId })).sync).toMatchObject({ status: "done", message: "" });
  });

  test("a copy's alias is taken where the copy is", async () => {
    const { kms } = await bench();
    await kms.createKey({ alias: "orders" });
    expect(await refusalOf(kms.createKey({ alias: "orders" }, west))).toBe("ERR_CONFLICT alias-exists");
  });

  test("a new key gets the alias of one that is deleted in the same change, there too", async () => {
    const { kms, clock } = await bench();
    const { keyId } = await kms.createKey({ alias: "name" });
    await kms.disableKey({ keyId });
    await kms.scheduleKeyDeletion({ keyId, pendingWindowDays: 7 });
    clock.advance(7 * DAY_MS);
    const { keyId: next } = await kms.createKey({ alias: "name" });
    expect(await kms.resolveKeyId("name", west)).toBe(next);
    expect((await kms.describeKey({ keyId: next })).sync).toMatchObject({ status: "done" });
  });

  test("copies of deleted keys go before others are made, whatever was touched first", async () => {
    const { store, kms } = await bench();
    const { keyId: first } = await kms.createKey({ alias: "name" });
    const { keyId: second } = await kms.createKey();
    await store.change((records) => {
      const renamed = records.get("key", "east", second);
      records.remove({ kind: "key", region: "east", id: first });
      if (renamed !== undefined) records.put({ ...renamed, name: "name" });
      const touched = [second, first].map((id) => ({ region: "east", id }));
      replicate(records, touched, 9);
    });
    expect(await kms.resolveKeyId("name", west)).toBe(second);
  });
});

describe("modifySyncTask and getSyncSupportRegion", () => {
  test("keys that are there are copied then, more than a page of them", async () => {
    const { kms } = await bench([]);
    const ids: string[] = [];
    for (let i = 0; i < 1001; i++) ids.push((await kms.createKey()).keyId);
    await kms.createKey({}, west);
    expect((await kms.listKeys({}, north)).total).toBe(0);
    await kms.modifySyncTask({ destinations: ["north"] });
    expect((await kms.listKeys({}, north)).total).toBe(1001);
    expect((await kms.describeKey({ keyId: ids[1000] as string }, north)).sourceRegion).toBe("east");
  });

  test("a region that is not named any more loses its copies, and nothing else", async () => {
    const { kms } = await bench(["west", "north"]);
    const { keyId } = await kms.createKey({ alias: "a" });
    const { keyId: own } = await kms.createKey({ alias: "b" }, west);
    await kms.modifySyncTask({ destinations: ["north"] });
    expect((await kms.listKeys({}, west)).keys).toEqual([{ keyId: own }]);
    expect((await kms.describeKey({ keyId }, north)).sourceRegion).toBe("east");
    await kms.modifySyncTask({ destinations: [] });
    expect((await kms.listKeys({}, north)).total).toBe(0);
    expect(await kms.describeKey({ keyId })).not.toHaveProperty("sync");
    await kms.disableKey({ keyId });
    expect(await codeOf(kms.describeKey({ keyId }, west))).toBe("ERR_KEY_NOT_FOUND");
  });

  test("two regions may copy to each other; copies are not copied on", async () => {
    const { kms } = await bench(["west"]);
    await kms.modifySyncTask({ destinations: ["east", "north"] }, west);
    const { keyId: eastern } = await kms.createKey({ alias: "eastern" });
    const { keyId: western } = await kms.createKey({ alias: "western" }, west);
    expect(await kms.resolveKeyId("western", east)).toBe(western);
    expect(await kms.resolveKeyId("eastern", west)).toBe(eastern);
    expect((await kms.listKeys({}, north)).keys).toEqual([{ keyId: western }]);
    await kms.modifySyncTask({ destinations: [] }, west);
    expect((await kms.listKeys({}, east)).keys).toEqual([{ keyId: eastern }]);
    expect((await kms.listKeys({}, west)).total).toBe(2);
  });

  test("the regions to choose from, and those chosen", async () => {
    const { kms } = await bench(["north"]);
    expect(await kms.getSyncSupportRegion()).toEqual({ regions: ["west", "north"], destinations: ["north"] });
    expect(await kms.getSyncSupportRegion({}, west)).toEqual({ regions: ["east", "north"], destinations: [] });
  });

  test("refusals change nothing", async () => {
    const { kms } = await bench(["west"]);
    expect(await refusalOf(kms.modifySyncTask({ destinations: ["mars"] }))).toBe("ERR_NOT_SUPPORTED no-such-region");
    expect(await refusalOf(kms.modifySyncTask({ destinations: ["north", "north"] }))).toBe("ERR_CONFLICT duplicate-id");
    expect(await codeOf(kms.modifySyncTask({ destinations: ["a", "b", "c", "d"] }))).toBe("ERR_LIMIT");
    for (const request of [
      { destinations: ["east"] },
      { destinations: "west" },
      { destinations: [1] },
      {},
      { to: [] },
    ]) {
      expect(await codeOf(kms.modifySyncTask(request as never))).toBe("ERR_ARGUMENT");
    }
    expect((await kms.getSyncSupportRegion()).destinations).toEqual(["west"]);
  });

  test("a change that fails leaves source and copies as they were", async () => {
    const { kms } = await bench();
    const { keyId } = await kms.createKey({ alias: "a" });
    await kms.createKey({ alias: "b" });
    const before = await kms.describeKey({ keyId }, west);
    expect((await errorOf(kms.updateAlias({ keyId, alias: "b" }))).message).toContain("b");
    expect(await kms.describeKey({ keyId }, west)).toEqual(before);
  });
});
