// The lifecycle: creation, every pair of state and operation, aliases, pages, and deletion at the moment it is due.
import { KEY_SPECS, LocalKms, ManualClock, STATE_TABLE, type StatefulOperation } from "@fengni/backend-local";
import type { KeySpec, KeyState, SignatureAlgorithm } from "@fengni/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MemoryKeyStore } from "../src/store-memory.js";
import { codeOf, DAY_MS, errorOf, filled, kmsWithKey } from "./support.js";

describe("createKey and describeKey", () => {
  test("a new key is enabled, of one version, and described without material", async () => {
    const kms = new LocalKms({ clock: new ManualClock(1234) });
    const created = await kms.lifecycle.createKey({ keySpec: "ECC_P384", alias: "signer", description: "for tests" });
    expect(created.keyId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(created).toEqual({
      keyId: created.keyId,
      keySpec: "ECC_P384",
      keyUsage: "sign-verify",
      state: "enabled",
      createdAtMs: 1234,
      alias: "signer",
      description: "for tests",
      versions: 1,
    });
    expect(await kms.lifecycle.describeKey("signer")).toEqual(created);
  });

  test("the default is a symmetric key without an alias", async () => {
    const created = await new LocalKms().lifecycle.createKey();
    expect(created).toMatchObject({ keySpec: "AES_256", keyUsage: "encrypt-decrypt", description: "" });
    expect(created).not.toHaveProperty("alias");
  });

  test("rotation is told in the description", async () => {
    const clock = new ManualClock(1000);
    const { kms, keyId } = await kmsWithKey({ clock });
    clock.advance(50);
    await kms.lifecycle.rotateKey(keyId);
    expect(await kms.lifecycle.describeKey(keyId)).toMatchObject({
      versions: 2,
      createdAtMs: 1000,
      lastRotatedAtMs: 1050,
    });
  });

  test("every spec of the table makes keys", async () => {
    const kms = new LocalKms();
    for (const keySpec of KEY_SPECS) {
      expect(await kms.lifecycle.createKey({ keySpec })).toMatchObject({ keySpec, state: "enabled" });
    }
  });
});

describe("states", () => {
  const WAYS: Record<KeyState, (kms: LocalKms, keyId: string) => Promise<unknown>> = {
    enabled: async () => undefined,
    disabled: (kms, keyId) => kms.lifecycle.disableKey(keyId),
    "pending-deletion": async (kms, keyId) => {
      await kms.lifecycle.disableKey(keyId);
      await kms.lifecycle.scheduleKeyDeletion(keyId, 7);
    },
  };
  const ALGORITHMS: Record<KeySpec, SignatureAlgorithm> = {
    AES_256: "ECDSA_P256_SHA_256",
    ECC_P256: "ECDSA_P256_SHA_256",
    ECC_P384: "ECDSA_P384_SHA_384",
  };
  type Subject = { kms: LocalKms; keyId: string; ciphertext: Uint8Array; algorithm: SignatureAlgorithm };
  const CALLS: Record<StatefulOperation, (subject: Subject) => Promise<unknown>> = {
    encrypt: ({ kms, keyId }) => kms.encrypt({ keyId, plaintext: filled(1) }),
    generateDataKey: ({ kms, keyId }) => kms.generateDataKey({ keyId, numberOfBytes: 16 }),
    decrypt: ({ kms, ciphertext }) => kms.decrypt({ ciphertext }),
    sign: ({ kms, keyId, algorithm }) => kms.sign({ keyId, algorithm, message: filled(1) }),
    verify: ({ kms, keyId, algorithm }) => kms.verify({ keyId, algorithm, message: filled(1), signature: filled(1) }),
    getPublicKey: ({ kms, keyId }) => kms.getPublicKey({ keyId }),
    describeKey: ({ kms, keyId }) => kms.lifecycle.describeKey(keyId),
    rotateKey: ({ kms, keyId }) => kms.lifecycle.rotateKey(keyId),
    updateAlias: ({ kms, keyId }) => kms.lifecycle.updateAlias(keyId, "renamed"),
    updateDescription: ({ kms, keyId }) => kms.lifecycle.updateDescription(keyId, "described"),
    enableKey: ({ kms, keyId }) => kms.lifecycle.enableKey(keyId),
    disableKey: ({ kms, keyId }) => kms.lifecycle.disableKey(keyId),
    scheduleKeyDeletion: ({ kms, keyId }) => kms.lifecycle.scheduleKeyDeletion(keyId, 7),
    cancelKeyDeletion: ({ kms, keyId }) => kms.lifecycle.cancelKeyDeletion(keyId),
  };
  const SIGNING: readonly StatefulOperation[] = ["sign", "verify", "getPublicKey"];
  const pairs = Object.entries(STATE_TABLE).flatMap(([operation, row]) =>
    Object.entries(row).map(([state, cell]) => ({
      operation: operation as StatefulOperation,
      state: state as KeyState,
      cell,
    })),
  );

  test("the table has every pair", () => {
    expect(pairs.length).toBe(14 * 3);
    expect(Object.keys(CALLS).sort()).toEqual(Object.keys(STATE_TABLE).sort());
  });

  test.each(pairs)("$operation of a key that is $state", async ({ operation, state, cell }) => {
    const spec: KeySpec = SIGNING.includes(operation) ? "ECC_P256" : "AES_256";
    const { kms, keyId } = await kmsWithKey({}, spec);
    const ciphertext = spec === "AES_256" ? (await kms.encrypt({ keyId, plaintext: filled(1) })).ciphertext : filled(0);
    await WAYS[state](kms, keyId);
    const before = await kms.lifecycle.describeKey(keyId);
    expect(before.state).toBe(state);
    const call = CALLS[operation]({ kms, keyId, ciphertext, algorithm: ALGORITHMS[spec] });
    if (typeof cell === "string") {
      await call;
      expect((await kms.lifecycle.describeKey(keyId)).state).toBe(cell);
    } else {
      const error = await errorOf(call);
      expect(error).toMatchObject({ code: "ERR_KEY_STATE", details: { keyId, state } });
      expect(error.message).toContain(cell.advice);
      expect(await kms.lifecycle.describeKey(keyId)).toEqual(before);
    }
  });

  test("reEncrypt needs its source as decrypt does and its destination as encrypt does", async () => {
    const { kms, keyId } = await kmsWithKey();
    const { keyId: destinationKeyId } = await kms.lifecycle.createKey();
    const { ciphertext } = await kms.encrypt({ keyId, plaintext: filled(1) });
    await kms.lifecycle.disableKey(destinationKeyId);
    const toDisabled = await errorOf(kms.reEncrypt({ ciphertext, destinationKeyId }));
    expect(toDisabled).toMatchObject({ code: "ERR_KEY_STATE", details: { keyId: destinationKeyId } });
    await kms.lifecycle.enableKey(destinationKeyId);
    await kms.lifecycle.disableKey(keyId);
    const fromDisabled = await errorOf(kms.reEncrypt({ ciphertext, destinationKeyId }));
    expect(fromDisabled).toMatchObject({ code: "ERR_KEY_STATE", details: { keyId } });
  });

  test("a disabled key that is enabled again opens its old ciphertexts", async () => {
    const { kms, keyId } = await kmsWithKey();
    const { ciphertext } = await kms.encrypt({ keyId, plaintext: filled(6) });
    await kms.lifecycle.disableKey(keyId);
    await kms.lifecycle.scheduleKeyDeletion(keyId, 30);
    await kms.lifecycle.cancelKeyDeletion(keyId);
    expect(await kms.lifecycle.describeKey(keyId)).not.toHaveProperty("deletionAtMs");
    await kms.lifecycle.enableKey(keyId);
    expect((await kms.decrypt({ ciphertext })).plaintext.length).toBe(6);
  });
});

describe("aliases", () => {
  test("are unique, and a conflict changes nothing", async () => {
    const kms = new LocalKms();
    const first = await kms.lifecycle.createKey({ alias: "taken" });
    const second = await kms.lifecycle.createKey({ alias: "free" });
    const conflict = { code: "ERR_CONFLICT", details: { name: "taken" } };
    expect(await errorOf(kms.lifecycle.createKey({ alias: "taken" }))).toMatchObject(conflict);
    expect(await errorOf(kms.lifecycle.updateAlias(second.keyId, "taken"))).toMatchObject(conflict);
    expect((await kms.lifecycle.listKeys()).keys).toEqual([first, second]);
    await kms.lifecycle.updateAlias("taken", "taken");
    expect(await kms.resolveKeyId("free")).toBe(second.keyId);
  });

  test("a renamed key frees its alias", async () => {
    const kms = new LocalKms();
    const { keyId } = await kms.lifecycle.createKey({ alias: "old" });
    await kms.lifecycle.updateAlias("old", "new");
    expect(await codeOf(kms.resolveKeyId("old"))).toBe("ERR_KEY_NOT_FOUND");
    expect(await kms.resolveKeyId("new")).toBe(keyId);
    await kms.lifecycle.createKey({ alias: "old" });
    expect(await codeOf(kms.resolveKeyId("Old"))).toBe("ERR_KEY_NOT_FOUND");
  });
});

describe("listKeys", () => {
  test("pages show every key once, oldest first, whatever their size (property)", async () => {
    const kms = new LocalKms({ clock: new ManualClock() });
    const ids: string[] = [];
    for (let i = 0; i < 23; i++) ids.push((await kms.lifecycle.createKey()).keyId);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 30 }), async (limit) => {
        const seen: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await kms.lifecycle.listKeys(cursor === undefined ? { limit } : { limit, cursor });
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
    const kms = new LocalKms({ clock });
    const ids: string[] = [];
    for (let i = 0; i < 4; i++) ids.push((await kms.lifecycle.createKey()).keyId);
    const { next } = await kms.lifecycle.listKeys({ limit: 2 });
    await kms.lifecycle.disableKey(ids[1] as string);
    await kms.lifecycle.scheduleKeyDeletion(ids[1] as string, 7);
    clock.advance(7 * DAY_MS);
    const rest = await kms.lifecycle.listKeys({ limit: 2, cursor: next as string });
    expect(rest.keys.map((key) => key.keyId)).toEqual(ids.slice(2));
    expect(rest).not.toHaveProperty("next");
    expect((await kms.lifecycle.listKeys({ limit: 3 })).keys.map((key) => key.keyId)).toEqual(
      ids.filter((id) => id !== ids[1]),
    );
  });

  test("the default page has 100 keys", async () => {
    const kms = new LocalKms();
    for (let i = 0; i < 101; i++) await kms.lifecycle.createKey();
    const page = await kms.lifecycle.listKeys();
    expect(page.keys.length).toBe(100);
    expect((await kms.lifecycle.listKeys({ limit: 200 })).keys.length).toBe(101);
  });
});

describe("deletion", () => {
  test("happens in the millisecond that it is due, also when nobody called in between", async () => {
    const clock = new ManualClock(17);
    const { kms, keyId } = await kmsWithKey({ clock });
    await kms.lifecycle.updateAlias(keyId, "doomed");
    const { ciphertext } = await kms.encrypt({ keyId, plaintext: filled(1) });
    await kms.lifecycle.disableKey(keyId);
    const { deletionAtMs } = await kms.lifecycle.scheduleKeyDeletion("doomed", 7);
    expect(deletionAtMs).toBe(17 + 7 * DAY_MS);
    clock.advance(7 * DAY_MS - 1);
    expect(await kms.lifecycle.describeKey("doomed")).toMatchObject({ state: "pending-deletion", deletionAtMs });
    clock.advance(1);
    for (const call of [
      kms.resolveKeyId(keyId),
      kms.resolveKeyId("doomed"),
      kms.encrypt({ keyId: "doomed", plaintext: filled(1) }),
      kms.decrypt({ ciphertext }),
      kms.decrypt({ ciphertext, keyId: "doomed" }),
      kms.lifecycle.describeKey(keyId),
      kms.lifecycle.cancelKeyDeletion(keyId),
      kms.lifecycle.enableKey(keyId),
    ]) {
      expect(await codeOf(call)).toBe("ERR_KEY_NOT_FOUND");
    }
    expect((await kms.lifecycle.listKeys()).keys).toEqual([]);
  });

  test.each(["resolve", "list", "create"] as const)("wipes the material at the first access: %s", async (access) => {
    const clock = new ManualClock();
    const store = new MemoryKeyStore();
    const { kms, keyId } = await kmsWithKey({ clock, store });
    const material = store.view().get(keyId)?.versions[0]?.material;
    await kms.lifecycle.disableKey(keyId);
    await kms.lifecycle.scheduleKeyDeletion(keyId, 7);
    clock.advance(7 * DAY_MS);
    expect(material?.wiped).toBe(false);
    if (access === "resolve") await codeOf(kms.resolveKeyId(keyId));
    else if (access === "list") await kms.lifecycle.listKeys();
    else await kms.lifecycle.createKey();
    expect(material?.wiped).toBe(true);
    expect(store.view().get(keyId)).toBeUndefined();
  });

  test("frees the alias", async () => {
    const clock = new ManualClock();
    const kms = new LocalKms({ clock });
    const { keyId } = await kms.lifecycle.createKey({ alias: "name" });
    await kms.lifecycle.disableKey(keyId);
    await kms.lifecycle.scheduleKeyDeletion(keyId, 7);
    expect(await codeOf(kms.lifecycle.createKey({ alias: "name" }))).toBe("ERR_CONFLICT");
    clock.advance(7 * DAY_MS);
    const next = await kms.lifecycle.createKey({ alias: "name" });
    expect(await kms.resolveKeyId("name")).toBe(next.keyId);
  });
});
