// The admin over a local KMS: every operation of the contract, cursors, regions and callers, and its own end.
import { LocalKeyAdmin, LocalKms, ManualClock } from "@fengni/backend-local";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { codeOf, errorOf, filled, refusalOf } from "./assertions.js";
import { MATERIAL, wrappedMaterial } from "./external-keys.js";
import { DAY_MS } from "./support.js";

describe("operations", () => {
  test("all seventeen are claimed, and are there", () => {
    const admin = new LocalKeyAdmin(new LocalKms());
    expect(new Set(admin.operations).size).toBe(17);
    for (const operation of admin.operations) expect(typeof admin[operation]).toBe("function");
  });

  test("the life of a key", async () => {
    const clock = new ManualClock(3);
    const kms = new LocalKms({ clock });
    const admin = new LocalKeyAdmin(kms);
    const { keyId } = await admin.createKey({ alias: "a", description: "text" });
    const { ciphertext } = await kms.encrypt({ keyId, plaintext: filled(2) });
    await admin.rotateKey("a");
    await admin.enableKeyRotation("a", 30);
    await admin.updateAlias("a", "b");
    await admin.updateDescription("b", "other");
    expect(await admin.describeKey("b")).toMatchObject({
      keyId,
      alias: "b",
      description: "other",
      versions: 2,
      rotationPeriodDays: 30,
      nextRotationAtMs: 3 + 30 * DAY_MS,
    });
    await admin.disableKeyRotation("b");
    expect(await admin.describeKey("b")).not.toHaveProperty("rotationPeriodDays");
    await admin.archiveKey("b");
    expect((await kms.decrypt({ ciphertext })).plaintext).toEqual(filled(2));
    expect(await refusalOf(kms.encrypt({ keyId, plaintext: filled(1) }))).toBe("ERR_KEY_STATE key-archived");
    await admin.cancelKeyArchive("b");
    await admin.disableKey("b");
    expect(await admin.scheduleKeyDeletion("b", 7)).toEqual({ deletionAtMs: 3 + 7 * DAY_MS });
    await admin.cancelKeyDeletion("b");
    await admin.enableKey("b");
    expect((await admin.describeKey(keyId)).state).toBe("enabled");
  });

  test("the life of imported material", async () => {
    const kms = new LocalKms({ clock: new ManualClock(3) });
    const admin = new LocalKeyAdmin(kms);
    const { keyId } = await admin.createKey({ origin: "external" });
    const parameters = await admin.getParametersForImport(keyId, "RSAES_OAEP_SHA_256");
    expect(parameters.keyId).toBe(keyId);
    await admin.importKeyMaterial(await wrappedMaterial(kms, keyId));
    expect(await admin.describeKey(keyId)).toMatchObject({ state: "enabled", versions: 1 });
    await admin.deleteImportedKeyMaterial(keyId);
    expect(await admin.describeKey(keyId)).toMatchObject({ state: "pending-import", versions: 0 });
    expect(MATERIAL.length).toBe(32);
  });

  test("fields that only the KMS itself takes are unknown", async () => {
    const admin = new LocalKeyAdmin(new LocalKms());
    for (const request of [{ owner: "disk" }, { tags: {} }, { keyspec: "AES_256" }]) {
      expect(await codeOf(admin.createKey(request as never))).toBe("ERR_ARGUMENT");
    }
    expect(await codeOf(admin.listKeys({ offset: 1 } as never))).toBe("ERR_ARGUMENT");
  });
});

describe("listKeys", () => {
  test("pages show every key once, oldest first, whatever their size, those of products too (property)", async () => {
    const kms = new LocalKms();
    const admin = new LocalKeyAdmin(kms);
    const ids: string[] = [];
    for (let i = 0; i < 23; i++) ids.push((await kms.createKey({ owner: i % 5 === 0 ? "disk" : "user" })).keyId);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 30 }), async (limit) => {
        const seen: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await admin.listKeys(cursor === undefined ? { limit } : { limit, cursor });
          expect(page.keys.length).toBeLessThanOrEqual(limit);
          seen.push(...page.keys.map((key) => key.keyId));
          cursor = page.next;
        } while (cursor !== undefined);
        expect(seen).toEqual(ids);
      }),
      { numRuns: 30 },
    );
  });

  test("a page goes on after its last key was deleted", async () => {
    const clock = new ManualClock();
    const admin = new LocalKeyAdmin(new LocalKms({ clock }));
    const ids: string[] = [];
    for (let i = 0; i < 4; i++) ids.push((await admin.createKey()).keyId);
    const { next } = await admin.listKeys({ limit: 2 });
    await admin.disableKey(ids[1] as string);
    await admin.scheduleKeyDeletion(ids[1] as string, 7);
    clock.advance(7 * DAY_MS);
    const rest = await admin.listKeys({ limit: 2, cursor: next as string });
    expect(rest.keys.map((key) => key.keyId)).toEqual(ids.slice(2));
    expect(rest).not.toHaveProperty("next");
    const others = ids.filter((id) => id !== ids[1]);
    expect((await admin.listKeys({ limit: 3 })).keys.map((key) => key.keyId)).toEqual(others);
  });

  test("the default page has 100 keys, the longest 200, and only cursors that a page gave are taken", async () => {
    const admin = new LocalKeyAdmin(new LocalKms());
    for (let i = 0; i < 101; i++) await admin.createKey();
    const page = await admin.listKeys();
    expect(page.keys.length).toBe(100);
    expect((await admin.listKeys({ limit: 200 })).keys.length).toBe(101);
    for (const limit of [0, -1, 1.5]) expect(await codeOf(admin.listKeys({ limit }))).toBe("ERR_ARGUMENT");
    expect(await codeOf(admin.listKeys({ limit: 201 }))).toBe("ERR_LIMIT");
    for (const cursor of ["x", "-1", "1e3", " 1", 1 as never]) {
      expect(await codeOf(admin.listKeys({ cursor }))).toBe("ERR_ARGUMENT");
    }
  });
});

test("an admin keeps to its region and its caller, whatever a call brings", async () => {
  const callers: string[] = [];
  const kms = new LocalKms({
    regions: [{ name: "east" }, { name: "west" }],
    authorizer: ({ caller }) => callers.push(caller.id) > 0,
  });
  const admin = new LocalKeyAdmin(kms, { region: "west", caller: { id: "alice" } });
  const { keyId } = await admin.createKey({}, { region: "east", caller: { id: "mallory" } } as never);
  expect(callers).toEqual(["alice"]);
  expect((await kms.describeKey({ keyId }, { region: "west" })).creator).toBe("alice");
  expect((await new LocalKeyAdmin(kms).listKeys()).keys).toEqual([]);
  expect(() => new LocalKeyAdmin(kms, { regions: "west" } as never)).toThrow(TypeError);
  const nowhere = new LocalKeyAdmin(kms, { region: "mars" });
  expect(await refusalOf(nowhere.listKeys())).toBe("ERR_NOT_SUPPORTED no-such-region");
});

test("an aborted signal reaches the KMS", async () => {
  const admin = new LocalKeyAdmin(new LocalKms());
  const reason = new Error("enough");
  expect(await errorOf(admin.createKey({}, { signal: AbortSignal.abort(reason) }))).toBe(reason);
  expect((await admin.listKeys()).keys).toEqual([]);
});

test("close ends the admin, and not the KMS", async () => {
  const kms = new LocalKms();
  const admin = new LocalKeyAdmin(kms);
  const { keyId } = await admin.createKey();
  await admin.close();
  await admin.close();
  expect(await codeOf(admin.describeKey(keyId))).toBe("ERR_CLOSED");
  expect(await codeOf(admin.createKey())).toBe("ERR_CLOSED");
  expect((await kms.describeKey({ keyId })).keyId).toBe(keyId);
  await kms.close();
  expect(await codeOf(new LocalKeyAdmin(kms).createKey())).toBe("ERR_CLOSED");
});
