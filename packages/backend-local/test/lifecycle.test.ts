// The lifecycle: creation of every kind of key, batches, aliases, owners, access, aborted calls, and calls at the same time.
import { KEY_SPECS, LocalKms, ManualClock, MemoryRecordStore } from "@fengni/backend-local";
import type { KeySpec, KeyUsage } from "@fengni/core";
import { describe, expect, test } from "vitest";
import type { AccessRequest } from "../src/access.js";
import { specOf } from "../src/specs.js";
import { codeOf, errorOf, filled, refusalOf } from "./assertions.js";

const REGIONS = [{ name: "aes" }, { name: "sm", symmetric: "sm4" }] as const;

describe("createKey and describeKey", () => {
  test("a new key is enabled, of one version, and described without material", async () => {
    const kms = new LocalKms({ clock: new ManualClock(1234) });
    const created = await kms.createKey(
      { keySpec: "ECC_P384", alias: "signer", description: "for tests", tags: { team: "a", empty: "" } },
      { caller: { id: "alice" } },
    );
    expect(created.keyId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(created).toEqual({
      keyId: created.keyId,
      region: "local",
      keySpec: "ECC_P384",
      keyUsage: "sign-verify",
      state: "enabled",
      origin: "provider",
      owner: "user",
      creator: "alice",
      createdAtMs: 1234,
      alias: "signer",
      description: "for tests",
      tags: { team: "a", empty: "" },
      resources: [],
      versions: 1,
    });
    expect(await kms.describeKey({ keyId: "signer" })).toEqual(created);
  });

  test("the default is a symmetric key of the region's spec, without an alias", async () => {
    const kms = new LocalKms({ regions: REGIONS });
    for (const [region, keySpec] of [
      ["aes", "AES_256"],
      ["sm", "SM4"],
    ] as const) {
      const created = await kms.createKey({}, { region });
      expect(created).toMatchObject({ region, keySpec, keyUsage: "encrypt-decrypt", description: "", tags: {} });
      expect(created).not.toHaveProperty("alias");
    }
    expect(await kms.createKey({ keyUsage: "encrypt-decrypt" }, { region: "sm" })).toMatchObject({ keySpec: "SM4" });
    expect(await kms.createKey({ keySpec: "AES_256" }, { region: "sm" })).toMatchObject({ keySpec: "AES_256" });
  });

  const kinds = KEY_SPECS.flatMap((keySpec) => specOf(keySpec).usages.map((keyUsage) => ({ keySpec, keyUsage })));

  test("the table has ten kinds", () => {
    expect(kinds.length).toBe(10);
  });

  test.each(kinds)("$keySpec for $keyUsage", async ({ keySpec, keyUsage }) => {
    const kms = new LocalKms();
    expect(await kms.createKey({ keySpec, keyUsage })).toMatchObject({
      keySpec,
      keyUsage,
      state: "enabled",
      versions: 1,
    });
    expect(await kms.createKey({ keySpec })).toMatchObject({ keySpec, keyUsage: specOf(keySpec).usages[0] });
  });

  test("a usage that is not the spec's is the programmer's mistake", async () => {
    const kms = new LocalKms();
    const wrong: [KeySpec | undefined, KeyUsage][] = [
      ["AES_256", "sign-verify"],
      ["ECC_P256", "encrypt-decrypt"],
      ["RSA_2048", "encrypt-decrypt"],
      ["ML_DSA_65", "post-quantum-encrypt-decrypt"],
      [undefined, "sign-verify"],
      ["AES_256", "ENCRYPT_DECRYPT" as never],
    ];
    for (const [keySpec, keyUsage] of wrong) {
      const call = kms.createKey({ keyUsage, ...(keySpec === undefined ? {} : { keySpec }) });
      expect(await errorOf(call)).toMatchObject({ name: "RangeError", code: "ERR_ARGUMENT" });
    }
    for (const keySpec of ["RSA_4096", "constructor", ""]) {
      expect(await codeOf(kms.createKey({ keySpec: keySpec as never }))).toBe("ERR_NOT_SUPPORTED");
    }
    expect((await kms.listKeys({ owner: "any" })).total).toBe(0);
  });

  test("an external key is symmetric, has no material and waits for it", async () => {
    const kms = new LocalKms();
    const created = await kms.createKey({ origin: "external", keySpec: "SM4" });
    expect(created).toMatchObject({ origin: "external", state: "pending-import", versions: 0 });
    for (const keySpec of ["RSA_2048", "SM2", "ECC_P256", "ML_KEM_768", "ML_DSA_65"] as const) {
      const call = kms.createKey({ keySpec, origin: "external" });
      expect(await refusalOf(call)).toBe("ERR_NOT_SUPPORTED external-asymmetric");
    }
    expect(await codeOf(kms.createKey({ origin: "elsewhere" as never }))).toBe("ERR_ARGUMENT");
  });

  test("what the caller does to its request afterwards changes nothing", async () => {
    const kms = new LocalKms({ authorizer: async () => true });
    const tags: Record<string, string> = { a: "1" };
    const call = kms.createKey({ tags });
    tags["a"] = "2";
    expect((await call).tags).toEqual({ a: "1" });
  });

  test("names from an object's prototype are tags like others", async () => {
    const kms = new LocalKms();
    const tags = JSON.parse('{"__proto__":"x","constructor":"y"}') as Record<string, string>;
    const { keyId } = await kms.createKey({ tags });
    expect(Object.entries((await kms.describeKey({ keyId })).tags)).toEqual(Object.entries(tags));
  });

  test("an unknown region is refused before anything else of the KMS", async () => {
    const kms = new LocalKms({ regions: REGIONS });
    for (const call of [
      kms.createKey({}, { region: "mars" }),
      kms.describeKey({ keyId: "x" }, { region: "mars" }),
      kms.listKeys({}, { region: "mars" }),
      kms.modifySyncTask({ destinations: [] }, { region: "mars" }),
    ]) {
      expect(await refusalOf(call)).toBe("ERR_NOT_SUPPORTED no-such-region");
    }
  });

  test("keys of one region are not there in another", async () => {
    const kms = new LocalKms({ regions: REGIONS });
    const { keyId } = await kms.createKey({ alias: "one" });
    expect(await codeOf(kms.describeKey({ keyId }, { region: "sm" }))).toBe("ERR_KEY_NOT_FOUND");
    expect((await kms.createKey({ alias: "one" }, { region: "sm" })).alias).toBe("one");
  });
});

describe("batches", () => {
  async function threeKeys(): Promise<{ kms: LocalKms; ids: string[] }> {
    const kms = new LocalKms();
    const ids: string[] = [];
    for (const alias of ["a", "b", "c"]) ids.push((await kms.createKey({ alias })).keyId);
    return { kms, ids };
  }

  async function states(kms: LocalKms, ids: readonly string[]): Promise<string[]> {
    return (await kms.describeKeys({ keyIds: ids })).keys.map(({ state }) => state);
  }

  test("are answered in the order asked, by id and by alias", async () => {
    const { kms, ids } = await threeKeys();
    const { keys } = await kms.describeKeys({ keyIds: ["c", ids[0] as string, "b"] });
    expect(keys.map(({ alias }) => alias)).toEqual(["c", "a", "b"]);
  });

  test("change every key", async () => {
    const { kms, ids } = await threeKeys();
    await kms.disableKeys({ keyIds: ids });
    expect(await states(kms, ids)).toEqual(["disabled", "disabled", "disabled"]);
    await kms.enableKeys({ keyIds: ids });
    expect(await states(kms, ids)).toEqual(["enabled", "enabled", "enabled"]);
  });

  test("change none when one refuses or is not there", async () => {
    const { kms, ids } = await threeKeys();
    await kms.archiveKey({ keyId: "c" });
    expect(await refusalOf(kms.disableKeys({ keyIds: ids }))).toBe("ERR_KEY_STATE key-archived");
    expect(await codeOf(kms.disableKeys({ keyIds: ["a", "b", "nobody"] }))).toBe("ERR_KEY_NOT_FOUND");
    expect(await codeOf(kms.describeKeys({ keyIds: ["a", "nobody"] }))).toBe("ERR_KEY_NOT_FOUND");
    expect(await states(kms, ids)).toEqual(["enabled", "enabled", "archived"]);
  });

  test("name each key once, also by another name", async () => {
    const { kms, ids } = await threeKeys();
    for (const keyIds of [
      ["a", "b", "a"],
      ["a", ids[0] as string],
    ]) {
      for (const call of [kms.enableKeys({ keyIds }), kms.disableKeys({ keyIds }), kms.describeKeys({ keyIds })]) {
        expect(await refusalOf(call)).toBe("ERR_CONFLICT duplicate-id");
      }
    }
    expect(await states(kms, ids)).toEqual(["enabled", "enabled", "enabled"]);
  });

  test("have 1 to 100 ids", async () => {
    const kms = new LocalKms();
    const ids: string[] = [];
    for (let i = 0; i < 101; i++) ids.push((await kms.createKey()).keyId);
    await kms.disableKeys({ keyIds: ids.slice(1) });
    expect((await kms.listKeyDetail({ state: "disabled" })).total).toBe(100);
    for (const operation of ["enableKeys", "disableKeys", "describeKeys"] as const) {
      const tooMany = await errorOf(kms[operation]({ keyIds: ids }));
      expect(tooMany).toMatchObject({ code: "ERR_LIMIT", details: { maximum: 100, actual: 101 } });
      for (const keyIds of [[], "ids", undefined, [1]]) {
        expect(await codeOf(kms[operation]({ keyIds: keyIds as never }))).toBe("ERR_ARGUMENT");
      }
    }
  });
});

describe("aliases", () => {
  test("are unique, and a conflict changes nothing", async () => {
    const kms = new LocalKms();
    const first = await kms.createKey({ alias: "taken" });
    const second = await kms.createKey({ alias: "free" });
    const conflict = { code: "ERR_CONFLICT", details: { name: "taken", reason: "alias-exists" } };
    expect(await errorOf(kms.createKey({ alias: "taken" }))).toMatchObject(conflict);
    expect(await errorOf(kms.updateAlias({ keyId: second.keyId, alias: "taken" }))).toMatchObject(conflict);
    expect((await kms.listKeyDetail({ order: "oldest-first" })).keys).toEqual([first, second]);
    await kms.updateAlias({ keyId: "taken", alias: "taken" });
    expect(await kms.resolveKeyId("free")).toBe(second.keyId);
  });

  test("a renamed key frees its alias", async () => {
    const kms = new LocalKms();
    const { keyId } = await kms.createKey({ alias: "old" });
    await kms.updateAlias({ keyId: "old", alias: "new" });
    expect(await codeOf(kms.resolveKeyId("old"))).toBe("ERR_KEY_NOT_FOUND");
    expect(await kms.resolveKeyId("new")).toBe(keyId);
    await kms.createKey({ alias: "old" });
    expect(await codeOf(kms.resolveKeyId("Old"))).toBe("ERR_KEY_NOT_FOUND");
  });

  test("of 200 keys that ask for one alias at the same time, one gets it, and the others leave nothing", async () => {
    const kms = new LocalKms();
    const calls = Array.from({ length: 200 }, () => kms.createKey({ alias: "wanted" }));
    const settled = await Promise.allSettled(calls);
    const won = settled.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    expect(won.length).toBe(1);
    for (const result of settled) {
      if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "ERR_CONFLICT" });
    }
    expect(await kms.listKeyDetail({ limit: 200 })).toEqual({ keys: won, total: 1 });
  });

  test("of 200 keys that are renamed to one alias at the same time, one gets it", async () => {
    const kms = new LocalKms();
    const ids: string[] = [];
    for (let i = 0; i < 200; i++) ids.push((await kms.createKey()).keyId);
    const settled = await Promise.allSettled(ids.map((keyId) => kms.updateAlias({ keyId, alias: "wanted" })));
    const won = ids.filter((_, index) => settled[index]?.status === "fulfilled");
    expect(won).toEqual([await kms.resolveKeyId("wanted")]);
  });
});

describe("keys of products", () => {
  test("may have reserved aliases, and those of users may not", async () => {
    const kms = new LocalKms();
    const created = await kms.createKey({ alias: "kms-disk", owner: "disk" });
    expect(created).toMatchObject({ owner: "disk", alias: "kms-disk" });
    expect(await codeOf(kms.createKey({ alias: "kms-mine" }))).toBe("ERR_ARGUMENT");
    const { keyId } = await kms.createKey({ alias: "kms_mine" });
    expect(await codeOf(kms.updateAlias({ keyId, alias: "kms-mine" }))).toBe("ERR_ARGUMENT");
    expect((await kms.describeKey({ keyId })).alias).toBe("kms_mine");
  });

  test("are neither disabled, archived, deleted, nor given another alias or description", async () => {
    const kms = new LocalKms();
    const { keyId } = await kms.createKey({ owner: "disk" });
    const { keyId: own } = await kms.createKey();
    for (const call of [
      kms.disableKey({ keyId }),
      kms.disableKeys({ keyIds: [own, keyId] }),
      kms.archiveKey({ keyId }),
      kms.scheduleKeyDeletion({ keyId, pendingWindowDays: 7 }),
      kms.updateAlias({ keyId, alias: "other" }),
      kms.updateKeyDescription({ keyId, description: "other" }),
    ]) {
      expect(await refusalOf(call)).toBe("ERR_KEY_USAGE not-user-created");
    }
    expect(await kms.describeKey({ keyId })).toMatchObject({ description: "", state: "enabled" });
    expect((await kms.describeKey({ keyId: own })).state).toBe("enabled");
    await kms.enableKeyRotation({ keyId });
    await kms.encrypt({ keyId, plaintext: filled(1) });
  });
});

describe("access", () => {
  test("is asked for once, under the operation's name, with the key or the tags of the new one", async () => {
    const asked: AccessRequest[] = [];
    const authorizer = async (request: AccessRequest): Promise<boolean> => asked.push(request) > 0;
    const kms = new LocalKms({ authorizer });
    const caller = { id: "alice" };
    const { keyId } = await kms.createKey({ alias: "a", tags: { team: "x" } }, { caller });
    const { keyId: other } = await kms.createKey({}, { caller });
    expect(asked.splice(0)[0]).toEqual({
      caller,
      operation: "createKey",
      region: "local",
      resource: { kind: "key", region: "local", id: "*", creator: "alice", tags: {}, exists: false },
      requestTags: { team: "x" },
    });
    const request = { keyId: "a" };
    const calls: Record<string, () => Promise<unknown>> = {
      describeKey: () => kms.describeKey(request),
      enableKey: () => kms.enableKey(request),
      rotateKey: () => kms.rotateKey(request),
      enableKeyRotation: () => kms.enableKeyRotation(request),
      disableKeyRotation: () => kms.disableKeyRotation(request),
      getKeyRotationStatus: () => kms.getKeyRotationStatus(request),
      updateAlias: () => kms.updateAlias({ keyId, alias: "a" }),
      updateKeyDescription: () => kms.updateKeyDescription({ keyId, description: "" }),
      setKeyAttributes: () => kms.setKeyAttributes({ keyId, attributes: {} }),
      getKeyAttributes: () => kms.getKeyAttributes(request),
      bindCloudResource: () => kms.bindCloudResource({ keyId, productId: "p", resourceId: "r" }),
      unbindCloudResource: () => kms.unbindCloudResource({ keyId, productId: "p", resourceId: "r" }),
      archiveKey: () => kms.archiveKey(request),
      cancelKeyArchive: () => kms.cancelKeyArchive(request),
      disableKey: () => kms.disableKey(request),
      scheduleKeyDeletion: () => kms.scheduleKeyDeletion({ keyId, pendingWindowDays: 7 }),
      cancelKeyDeletion: () => kms.cancelKeyDeletion(request),
    };
    for (const [operation, call] of Object.entries(calls)) {
      await call();
      expect(asked.map((question) => [question.operation, question.resource?.id])).toEqual([[operation, keyId]]);
      expect(asked.splice(0)[0]?.resource).toMatchObject({ creator: "alice", tags: { team: "x" }, exists: true });
    }
    await kms.enableKeys({ keyIds: ["a", other] });
    expect(asked.splice(0).map(({ resource }) => resource?.id)).toEqual([keyId, other]);
    for (const operation of ["listKey", "listKeys", "listKeyDetail", "getSyncSupportRegion"] as const) {
      await kms[operation]();
      expect(asked.splice(0)).toEqual([{ caller: { id: "local" }, operation, region: "local" }]);
    }
  });

  test("refused: nothing changes, and what is not there is not told", async () => {
    let isAllowed = true;
    const kms = new LocalKms({ authorizer: () => isAllowed });
    const { keyId } = await kms.createKey({ alias: "a" });
    isAllowed = false;
    for (const call of [
      kms.createKey({ alias: "b" }),
      kms.disableKey({ keyId }),
      kms.disableKey({ keyId: "nobody" }),
      kms.disableKeys({ keyIds: [keyId] }),
      kms.listKeys(),
      kms.modifySyncTask({ destinations: [] }),
    ]) {
      expect(await codeOf(call)).toBe("ERR_DENIED");
    }
    isAllowed = true;
    expect((await kms.listKeyDetail()).keys).toMatchObject([{ keyId, state: "enabled" }]);
  });
});

describe("an aborted signal", () => {
  test("ends every call with its reason, and nothing changes", async () => {
    const kms = new LocalKms();
    const { keyId } = await kms.createKey({ alias: "a" });
    const before = await kms.listKeyDetail();
    const reason = new Error("enough");
    const options = { signal: AbortSignal.abort(reason) };
    for (const call of [
      kms.createKey({}, options),
      kms.describeKey({ keyId }, options),
      kms.describeKeys({ keyIds: [keyId] }, options),
      kms.disableKey({ keyId }, options),
      kms.disableKeys({ keyIds: [keyId] }, options),
      kms.rotateKey({ keyId }, options),
      kms.enableKeyRotation({ keyId }, options),
      kms.updateAlias({ keyId, alias: "b" }, options),
      kms.setKeyAttributes({ keyId, attributes: { a: "b" } }, options),
      kms.bindCloudResource({ keyId, productId: "p", resourceId: "r" }, options),
      kms.listKeys({}, options),
      kms.listKeyDetail({}, options),
      kms.modifySyncTask({ destinations: [] }, options),
    ]) {
      expect(await errorOf(call)).toBe(reason);
    }
    expect(await kms.listKeyDetail()).toEqual(before);
  });

  test("while a key is made: there is none afterwards", async () => {
    const kms = new LocalKms();
    const abort = new AbortController();
    const call = kms.createKey({ keySpec: "RSA_2048" }, { signal: abort.signal });
    abort.abort(new Error("enough"));
    expect((await errorOf(call)).message).toBe("enough");
    expect((await kms.listKeys()).total).toBe(0);
  });
});

test("50 rotations at the same time are 50 versions, all of which open", async () => {
  const store = new MemoryRecordStore();
  const kms = new LocalKms({ store });
  const { keyId } = await kms.createKey();
  const ciphertexts = [(await kms.encrypt({ keyId, plaintext: filled(4) })).ciphertext];
  const answers = await Promise.all(Array.from({ length: 50 }, () => kms.rotateKey({ keyId })));
  expect(new Set(answers.map(({ taskId }) => taskId)).size).toBe(50);
  expect((await kms.describeKey({ keyId })).versions).toBe(51);
  ciphertexts.push((await kms.encrypt({ keyId, plaintext: filled(4) })).ciphertext);
  for (const ciphertext of ciphertexts) expect((await kms.decrypt({ ciphertext })).plaintext).toEqual(filled(4));
  const record = store.view().get("key", "local", keyId);
  const materials = new Set<string>();
  for (let version = 1; version <= 51; version++) {
    if (record !== undefined) materials.add(Buffer.from(store.view().secret(record, version).bytes()).toString("hex"));
  }
  expect(materials.size).toBe(51);
});
