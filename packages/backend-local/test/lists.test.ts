// Lists of keys: pages, both orders, every filter, search, and cursors that keys may vanish under.
import { LocalKms, ManualClock } from "@fengni/backend-local";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import type { ListKeyDetailRequest } from "../src/lists.js";
import { createImportedKey } from "./external-keys.js";
import { codeOf, DAY_MS } from "./support.js";

/** Fifteen keys of different kinds; an alias stands for each. */
async function manyKeys(): Promise<LocalKms> {
  const kms = new LocalKms({ clock: new ManualClock(1) });
  for (const alias of ["Orders-EU", "orders-us", "plain"]) {
    await kms.createKey({ alias, tags: { team: alias.slice(0, 5), stage: "test" } });
  }
  await kms.createKey({ alias: "sm4", keySpec: "SM4", tags: { team: "sm", stage: "live" } });
  await kms.createKey({ alias: "rsa", keySpec: "RSA_2048", keyUsage: "asymmetric-decrypt", tags: { stage: "live" } });
  for (const keySpec of ["ECC_P256", "ECC_P384", "SM2", "ML_DSA_65"] as const) {
    await kms.createKey({ alias: keySpec.toLowerCase(), keySpec, keyUsage: "sign-verify" });
  }
  await kms.createKey({ alias: "external", origin: "external" });
  await kms.updateAlias({ keyId: await createImportedKey(kms), alias: "imported" });
  for (const alias of ["off", "old", "doomed"]) await kms.createKey({ alias });
  await kms.disableKey({ keyId: "off" });
  await kms.archiveKey({ keyId: "old" });
  await kms.disableKey({ keyId: "doomed" });
  await kms.scheduleKeyDeletion({ keyId: "doomed", pendingWindowDays: 7 });
  await kms.createKey({ alias: "kms-disk", owner: "disk" });
  return kms;
}

describe("filters", () => {
  let kms: LocalKms;
  beforeAll(async () => {
    kms = await manyKeys();
  });

  const signing = ["ecc_p256", "ecc_p384", "sm2", "ml_dsa_65"];
  const usual = [
    "Orders-EU",
    "orders-us",
    "plain",
    "sm4",
    "rsa",
    ...signing,
    "external",
    "imported",
    "off",
    "old",
    "doomed",
  ];
  const cases: [string, ListKeyDetailRequest, readonly string[]][] = [
    ["none", {}, usual],
    ["owner user", { owner: "user" }, usual],
    ["owner product", { owner: "product" }, ["kms-disk"]],
    ["any owner", { owner: "any" }, [...usual, "kms-disk"]],
    ["state disabled", { state: "disabled" }, ["off"]],
    ["state archived", { state: "archived" }, ["old"]],
    ["state pending-deletion", { state: "pending-deletion" }, ["doomed"]],
    ["state pending-import", { state: "pending-import" }, ["external"]],
    ["origin external", { origin: "external" }, ["external", "imported"]],
    ["usage sign-verify", { keyUsage: "sign-verify" }, signing],
    ["usage asymmetric-decrypt", { keyUsage: "asymmetric-decrypt" }, ["rsa"]],
    ["usage post-quantum", { keyUsage: "post-quantum-encrypt-decrypt" }, []],
    ["spec SM2", { keySpec: "SM2" }, ["sm2"]],
    [
      "spec and state",
      { keySpec: "AES_256", state: "enabled", origin: "provider" },
      ["Orders-EU", "orders-us", "plain"],
    ],
    ["search in an alias, in either case", { search: "ORDERS" }, ["Orders-EU", "orders-us"]],
    ["search for what no key has", { search: "%" }, []],
    ["search for an underscore, which is a letter like others", { search: "c_p" }, ["ecc_p256", "ecc_p384"]],
    ["an empty search", { search: "" }, usual],
    ["a tag of any value", { tagFilters: [{ key: "stage" }] }, ["Orders-EU", "orders-us", "plain", "sm4", "rsa"]],
    ["a tag of one value", { tagFilters: [{ key: "stage", values: ["live"] }] }, ["sm4", "rsa"]],
    ["a tag of several values", { tagFilters: [{ key: "team", values: ["plain", "sm"] }] }, ["plain", "sm4"]],
    ["two tags", { tagFilters: [{ key: "stage", values: ["live"] }, { key: "team" }] }, ["sm4"]],
    ["a tag that no key has", { tagFilters: [{ key: "constructor" }] }, []],
    ["no tags", { tagFilters: [] }, usual],
  ];

  test.each(cases)("%s", async (_name, request, aliases) => {
    const oldest = await kms.listKeyDetail({ ...request, limit: 200, order: "oldest-first" });
    expect(oldest.keys.map(({ alias }) => alias)).toEqual(aliases);
    expect(oldest.total).toBe(aliases.length);
    expect(oldest).not.toHaveProperty("next");
    const newest = await kms.listKeyDetail({ ...request, limit: 200 });
    expect(newest.keys).toEqual([...oldest.keys].reverse());
  });

  test("search in an id", async () => {
    const { keyId } = await kms.describeKey({ keyId: "plain" });
    const { keys } = await kms.listKeyDetail({ search: keyId.slice(4, 30).toUpperCase() });
    expect(keys.map((key) => key.keyId)).toEqual([keyId]);
  });

  test("entries are what describeKey gives", async () => {
    const { keys } = await kms.listKeyDetail({ owner: "any", limit: 200 });
    for (const key of keys) expect(await kms.describeKey({ keyId: key.keyId })).toEqual(key);
  });

  test.each(["listKey", "listKeys"] as const)("%s gives ids, newest first", async (operation) => {
    const { keys } = await kms.listKeyDetail({ limit: 200 });
    const ids = keys.map(({ keyId }) => ({ keyId }));
    expect(await kms[operation]({ limit: 200 })).toEqual({ keys: ids, total: 14 });
    expect(await kms[operation]({ offset: 2, limit: 3 })).toEqual({ keys: ids.slice(2, 5), total: 14 });
    expect((await kms[operation]({ owner: "product" })).total).toBe(1);
    expect((await kms[operation]()).keys.length).toBe(10);
    expect(await codeOf(kms[operation]({ order: "oldest-first" } as never))).toBe("ERR_ARGUMENT");
  });

  test("wrong arguments", async () => {
    const wrong: readonly object[] = [
      { offset: -1 },
      { offset: 0.5 },
      { limit: 0 },
      { limit: "10" },
      { order: "newest" },
      { owner: "disk" },
      { state: "Enabled" },
      { origin: "cloud" },
      { keyUsage: "sign" },
      { keySpec: "AES" },
      { search: 7 },
      { tagFilters: {} },
      { tagFilters: [{ key: "" }] },
      { tagFilters: [{ key: "a", values: "b" }] },
      { tagFilters: [{ name: "a" }] },
      { cursor: "x", order: "oldest-first" },
      { cursor: "0", order: "oldest-first" },
      { cursor: "1" },
      { cursor: "1", order: "oldest-first", offset: 1 },
      { unknown: 1 },
    ];
    for (const request of wrong) {
      expect(await codeOf(kms.listKeyDetail(request as ListKeyDetailRequest)), JSON.stringify(request)).toBe(
        "ERR_ARGUMENT",
      );
    }
    for (const request of [
      { limit: 201 },
      { search: "x".repeat(129) },
      { tagFilters: Array.from({ length: 51 }, (_, index) => ({ key: `${index}` })) },
      { tagFilters: [{ key: "a", values: Array.from({ length: 51 }, () => "b") }] },
      { tagFilters: [{ key: "x".repeat(128) }] },
    ]) {
      expect(await codeOf(kms.listKeyDetail(request))).toBe("ERR_LIMIT");
    }
  });
});

describe("pages", () => {
  test("show every key once, in both orders, whatever their size; past the end they are empty (property)", async () => {
    const kms = new LocalKms();
    const ids: string[] = [];
    for (let i = 0; i < 23; i++) ids.push((await kms.createKey()).keyId);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 30 }),
        fc.constantFrom("oldest-first" as const, "newest-first" as const),
        async (limit, order) => {
          const seen: string[] = [];
          for (let offset = 0; offset < 60; offset += limit) {
            const page = await kms.listKeyDetail({ offset, limit, order });
            expect(page.total).toBe(23);
            expect(page.keys.length).toBe(Math.max(0, Math.min(limit, 23 - offset)));
            seen.push(...page.keys.map(({ keyId }) => keyId));
          }
          expect(seen).toEqual(order === "oldest-first" ? ids : [...ids].reverse());
        },
      ),
      { numRuns: 30 },
    );
    const far = await kms.listKeyDetail({ offset: Number.MAX_SAFE_INTEGER });
    expect(far).toEqual({ keys: [], total: 23 });
  });

  test("a cursor passes over no key when others are deleted meanwhile", async () => {
    const clock = new ManualClock();
    const kms = new LocalKms({ clock });
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.push((await kms.createKey()).keyId);
    const first = await kms.listKeyDetail({ limit: 2, order: "oldest-first" });
    const keyIds = ids.slice(0, 2);
    await kms.disableKeys({ keyIds });
    for (const keyId of keyIds) await kms.scheduleKeyDeletion({ keyId, pendingWindowDays: 7 });
    clock.advance(7 * DAY_MS);
    const second = await kms.listKeyDetail({ limit: 2, order: "oldest-first", cursor: first.next as string });
    expect(second.keys.map(({ keyId }) => keyId)).toEqual(ids.slice(2, 4));
    const third = await kms.listKeyDetail({ limit: 2, order: "oldest-first", cursor: second.next as string });
    expect(third.keys.map(({ keyId }) => keyId)).toEqual(ids.slice(4));
    expect(third).not.toHaveProperty("next");
  });
});
