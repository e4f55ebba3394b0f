// A store of branch keys over records: what opens, what does not, and that nobody who comes at the same time loses anything.
import {
  AggregateUnwrapError,
  type BranchKeyRecord,
  type BranchKeyRecords,
  branchKeyStore,
  Envelope,
  memoryBranchKeyRecords,
  type WrappingKey,
} from "@fengni/core";
import { describe, expect, test } from "vitest";
import { CountedKey, storeWith, versionOf } from "./branch-key-support.js";
import { refusal, testKey } from "./support.js";

const NO_BYTES = new Uint8Array(0);

/** Records whose reader sees what a test makes of them. */
function changed(records: BranchKeyRecords, change: (record: BranchKeyRecord) => BranchKeyRecord): BranchKeyRecords {
  return {
    ...records,
    getActive: async (id) => {
      const record = await records.getActive(id);
      return record === undefined ? undefined : change(record);
    },
  };
}

describe("branchKeyStore", () => {
  test("gives the same material again, by the active version and by its version", async () => {
    const { store } = await storeWith("a", "b");
    const active = await store.getActive("a");
    expect(active.material.length).toBe(32);
    expect(active.version.length).toBe(16);
    expect(await store.getVersion("a", active.version)).toEqual(active);
    expect((await store.getActive("b")).material).not.toEqual(active.material);
  });

  test("gives buffers that are the caller's own", async () => {
    const { store } = await storeWith("a");
    const first = await store.getActive("a");
    const copy = first.material.slice();
    first.material.fill(0);
    first.version.fill(0);
    expect((await store.getActive("a")).material).toEqual(copy);
  });

  test("rotates: the new version is active, the old one still opens", async () => {
    const { store } = await storeWith("a");
    const old = await store.getActive("a");
    const info = await store.rotate("a");
    const active = await store.getActive("a");
    expect(active.version).toEqual(info.version);
    expect(active.version).not.toEqual(old.version);
    expect(active.material).not.toEqual(old.material);
    expect(await store.getVersion("a", old.version)).toEqual(old);
    expect((await store.versions("a")).map(({ version, active }) => [version, active])).toEqual([
      [old.version, false],
      [active.version, true],
    ]);
  });

  test("knows no other ids and versions", async () => {
    const { store } = await storeWith("a");
    await refusal(store.getActive("b"), "ERR_KEY_NOT_FOUND");
    await refusal(store.getVersion("a", versionOf(0)), "ERR_KEY_NOT_FOUND");
    await refusal(store.rotate("b"), "ERR_KEY_NOT_FOUND");
    await refusal(store.versions("b"), "ERR_KEY_NOT_FOUND");
    await refusal(store.rewrap("b"), "ERR_KEY_NOT_FOUND");
    await refusal(store.create("a"), "ERR_CONFLICT");
  });

  test("refuses ids and versions that cannot be", async () => {
    const { store } = await storeWith();
    for (const id of ["", "x".repeat(257), "\u00e9".repeat(129), "\ud800", 7 as unknown as string]) {
      await expect(store.create(id)).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
      await expect(store.getActive(id)).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
    }
    await store.create("\u00e9".repeat(128));
    await expect(store.getVersion("a", new Uint8Array(15))).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
    expect(() => branchKeyStore({ wrappingKey: testKey(), records: {} as BranchKeyRecords })).toThrow(TypeError);
    const misspelt = { wrappingKey: testKey(), records: memoryBranchKeyRecords(), unwrapingKeys: [] };
    expect(() => branchKeyStore(misspelt)).toThrow(/unwrapingKeys/);
  });

  test("of many who create or rotate at once, one wins, and there is one active version", async () => {
    const { store } = await storeWith();
    const created = await Promise.allSettled(Array.from({ length: 8 }, () => store.create("a")));
    expect(created.filter(({ status }) => status === "fulfilled").length).toBe(1);
    for (const result of created) {
      if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "ERR_CONFLICT" });
    }
    const rotated = await Promise.allSettled(Array.from({ length: 8 }, () => store.rotate("a")));
    const won = rotated.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    expect(won.length).toBe(1);
    const versions = await store.versions("a");
    expect(versions.length).toBe(2);
    expect(versions.filter(({ active }) => active)).toEqual(won);
  });

  test("a record of another branch key or version does not open", async () => {
    const { key, records, store } = await storeWith("a", "b");
    const { encryptedDataKey: ofB } = (await records.getActive("b")) as BranchKeyRecord;
    const oldOfA = (await records.getActive("a")) as BranchKeyRecord;
    await store.rotate("a");
    const swapped = (change: (record: BranchKeyRecord) => BranchKeyRecord) =>
      branchKeyStore({ wrappingKey: key, records: changed(records, change) }).getActive("a");
    // The wrapped material of another, under the name that was asked for.
    await refusal(
      swapped((record) => ({ ...record, encryptedDataKey: ofB })),
      "ERR_UNWRAP_FAILED",
    );
    const { encryptedDataKey } = oldOfA;
    await refusal(
      swapped((record) => ({ ...record, encryptedDataKey })),
      "ERR_UNWRAP_FAILED",
    );
    // Another's whole record.
    await refusal(
      swapped((record) => ({ ...record, branchKeyId: "b" })),
      "ERR_STORE_DAMAGED",
    );
    // A limit that is documented: which version is active is not authenticated.
    expect((await swapped(() => oldOfA)).version).toEqual(oldOfA.version);
  });

  test("neither a message's data key nor a branch key passes for the other", async () => {
    const { key, records } = await storeWith("a");
    const { encryptedDataKey, version } = (await records.getActive("a")) as BranchKeyRecord;
    const context = {
      "fengni-branch-key-id": "a",
      "fengni-branch-key-version": Buffer.from(version).toString("hex"),
      "fengni-purpose": "branch-key",
    };
    // This is the context to the byte: it opens with it, and callers of an Envelope cannot say it.
    const request = { encryptedDataKey, dataKeyBytes: 32, encryptionContext: context };
    expect((await testKey().unwrapDataKey(request))?.length).toBe(32);
    const envelope = new Envelope({ wrappingKeys: [key] });
    await refusal(envelope.encrypt("x", { encryptionContext: context }), "ERR_CONTEXT_INVALID");
  });

  test("moves all versions under a new wrapping key", async () => {
    const { key, records, store } = await storeWith("a");
    await store.rotate("a");
    const before = await Promise.all((await store.versions("a")).map(({ version }) => store.getVersion("a", version)));
    const next = testKey("next", 9);
    const both = branchKeyStore({ wrappingKey: next, records, unwrappingKeys: [key] });
    await refusal(branchKeyStore({ wrappingKey: next, records }).getActive("a"), "ERR_NO_MATCHING_KEY");
    expect(await both.rewrap("a")).toBe(2);
    const after = branchKeyStore({ wrappingKey: next, records });
    for (const opened of before) expect(await after.getVersion("a", opened.version)).toEqual(opened);
    expect((await after.getActive("a")).version).toEqual(before[1]?.version);
    await refusal(store.getActive("a"), "ERR_NO_MATCHING_KEY");
  });

  test("a rewrap that somebody was quicker than changes nothing of his", async () => {
    const { key, records } = await storeWith("a");
    const kept: BranchKeyRecords = { ...records, replace: async () => false };
    await refusal(branchKeyStore({ wrappingKey: key, records: kept }).rewrap("a"), "ERR_CONFLICT");
    const record = (await records.getActive("a")) as BranchKeyRecord;
    const other = { ...record.encryptedDataKey, ciphertext: Uint8Array.of(1) };
    expect(await records.replace("a", record.version, other, other)).toBe(false);
    expect(await records.replace("b", record.version, record.encryptedDataKey, other)).toBe(false);
    expect(await records.getActive("a")).toEqual(record);
  });

  test("tells what each wrapping key answered, and whether a retry may help", async () => {
    const { records } = await storeWith("a");
    const failing: WrappingKey = {
      ...new CountedKey(),
      name: "failing",
      unwrapDataKey: () => Promise.reject(Object.assign(new Error("down"), { retryable: true })),
    };
    const error = await branchKeyStore({ wrappingKey: failing, records })
      .getActive("a")
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(AggregateUnwrapError);
    expect(error).toMatchObject({ retryable: true, code: "ERR_UNWRAP_FAILED" });
    // With another that opens it, the failure of the first does not count.
    const both = branchKeyStore({ wrappingKey: failing, records, unwrappingKeys: [testKey()] });
    expect((await both.getActive("a")).material.length).toBe(32);
  });

  test("a material of the wrong length is refused and wiped", async () => {
    const { records } = await storeWith("a");
    const short = new Uint8Array(31).fill(1);
    const lying: WrappingKey = { ...new CountedKey(), name: "lying", unwrapDataKey: async () => short };
    await refusal(branchKeyStore({ wrappingKey: lying, records }).getActive("a"), "ERR_UNWRAP_FAILED");
    expect(short).toEqual(new Uint8Array(31));
    const encryptedDataKey = { providerId: "x", providerInfo: NO_BYTES, ciphertext: NO_BYTES };
    const dataKey = new Uint8Array(16).fill(1);
    const generating = { ...lying, generateDataKey: async () => ({ dataKey, encryptedDataKey }) };
    const other = memoryBranchKeyRecords();
    await refusal(branchKeyStore({ wrappingKey: generating, records: other }).create("a"), "ERR_UNAVAILABLE");
    expect(await other.list("a")).toEqual([]);
  });

  test("ends with its signal's reason", async () => {
    const { store } = await storeWith("a");
    const reason = new Error("enough");
    const options = { signal: AbortSignal.abort(reason) };
    await expect(store.getActive("a", options)).rejects.toBe(reason);
    await expect(store.rotate("a", options)).rejects.toBe(reason);
    expect((await store.versions("a")).length).toBe(1);
  });
});
