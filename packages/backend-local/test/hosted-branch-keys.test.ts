// Branch keys as hosted data keys of a local KMS: versions by name, which of them count, and what their states mean.
import { hostedBranchKeys, LocalKms, ManualClock } from "@fengni/backend-local";
import { BranchKeyring, Envelope } from "@fengni/core";
import { digest } from "@fengni/crypto/hash";
import { describe, expect, test } from "vitest";
import { codeOf } from "./support.js";

interface Fixture {
  readonly kms: LocalKms;
  readonly clock: ManualClock;
  readonly keyId: string;
  /** How often each operation that gives or makes a data key was asked for. */
  readonly asked: Map<string, number>;
}

async function fixture(): Promise<Fixture> {
  const clock = new ManualClock(1_000_000);
  const asked = new Map<string, number>();
  const kms = new LocalKms({
    clock,
    authorizer: ({ operation }) => {
      asked.set(operation, (asked.get(operation) ?? 0) + 1);
      return true;
    },
  });
  const { keyId } = await kms.createKey({ alias: "tenants" });
  return { kms, clock, keyId, asked };
}

const nameOf = (branchKeyId: string, number: string): string =>
  `fbk-${Buffer.from(digest("sha256", Buffer.from(branchKeyId)))
    .toString("hex")
    .slice(0, 48)}-${number}`;
const versionOf = (dataKeyId: string): Uint8Array => digest("sha256", Buffer.from(dataKeyId)).slice(0, 16);

describe("hosted branch keys", () => {
  test("are data keys under names as documented", async () => {
    const { kms, clock, keyId } = await fixture();
    const store = hostedBranchKeys(kms, { keyId });
    const first = await store.create("acme");
    clock.advance(1_000_000);
    const second = await store.rotate("acme");
    const one = await kms.describeDataKey({ dataKeyId: nameOf("acme", "0000001") });
    const two = await kms.describeDataKey({ dataKeyId: nameOf("acme", "0000002") });
    expect(one).toMatchObject({ numberOfBytes: 32, keyId, origin: "provider", description: "Fengni branch key acme" });
    expect([first.version, second.version]).toEqual([versionOf(one.dataKeyId), versionOf(two.dataKeyId)]);
    expect(await store.versions("acme")).toEqual([
      { branchKeyId: "acme", version: first.version, createdAtMs: one.createdAtMs, active: false },
      { branchKeyId: "acme", version: second.version, createdAtMs: two.createdAtMs, active: true },
    ]);
    const { plaintext } = await kms.getDataKeyPlaintext({ dataKeyId: one.dataKeyId });
    expect((await store.getVersion("acme", first.version)).material).toEqual(plaintext);
    expect((await store.getActive("acme")).version).toEqual(second.version);
  });

  test("take any id, and know no other ids and versions", async () => {
    const { kms } = await fixture();
    const store = hostedBranchKeys(kms, { keyId: "tenants" });
    for (const id of ["\u98ce\u0000", "x".repeat(256), "A", "a"]) await store.create(id);
    expect((await store.getActive("a")).material).not.toEqual((await store.getActive("A")).material);
    const { version } = await store.getActive("A");
    expect(await codeOf(store.getVersion("a", version))).toBe("ERR_KEY_NOT_FOUND");
    for (const ask of [store.getActive("b"), store.rotate("b"), store.versions("b")]) {
      expect(await codeOf(ask)).toBe("ERR_KEY_NOT_FOUND");
    }
    expect(await codeOf(store.create("a"))).toBe("ERR_CONFLICT");
    expect(await codeOf(store.rewrap("a"))).toBe("ERR_NOT_SUPPORTED");
    await expect(store.create("x".repeat(257))).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
    expect(() => hostedBranchKeys(kms, { keyId: "" })).toThrow(TypeError);
    expect(() => hostedBranchKeys(kms, { keyIds: "tenants" } as never)).toThrow(/keyIds/);
  });

  test("of many who create or rotate at once, one wins", async () => {
    const { kms } = await fixture();
    const stores = [1, 2, 3, 4].map(() => hostedBranchKeys(kms, { keyId: "tenants" }));
    for (const change of ["create", "rotate"] as const) {
      const results = await Promise.allSettled(stores.map((store) => store[change]("a")));
      expect(results.filter(({ status }) => status === "fulfilled").length).toBe(1);
      for (const result of results) {
        if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "ERR_CONFLICT" });
      }
    }
    const versions = await stores[0]?.versions("a");
    expect(versions?.map(({ active }) => active)).toEqual([false, true]);
  });

  test("a version that is disabled is not given out, also the active one; a new one takes its place", async () => {
    const { kms } = await fixture();
    const store = hostedBranchKeys(kms, { keyId: "tenants" });
    await store.create("a");
    const { version } = await store.rotate("a");
    await kms.disableDataKey({ dataKeyId: nameOf("a", "0000002") });
    expect(await codeOf(store.getActive("a"))).toBe("ERR_KEY_STATE");
    expect(await codeOf(store.getVersion("a", version))).toBe("ERR_KEY_STATE");
    const next = await store.rotate("a");
    expect((await store.getActive("a")).version).toEqual(next.version);
    await kms.enableDataKey({ dataKeyId: nameOf("a", "0000002") });
    expect((await store.getVersion("a", version)).material.length).toBe(32);
  });

  test("data keys that somebody may know, or of another key or length, do not count", async () => {
    const { kms } = await fixture();
    await kms.createKey({ alias: "another" });
    const store = hostedBranchKeys(kms, { keyId: "tenants" });
    const { version } = await store.create("a");
    const dataKeyName = (number: number): string => nameOf("a", `000000${number}`);
    const importKeyMaterial = new Uint8Array(32).fill(1);
    await kms.importDataKey({
      importType: "plaintext",
      keyId: "tenants",
      importKeyMaterial,
      dataKeyName: dataKeyName(2),
    });
    const hosted = { isHostedByKms: true, numberOfBytes: 32 };
    await kms.generateDataKey({ ...hosted, keyId: "another", dataKeyName: dataKeyName(3) });
    await kms.generateDataKey({ ...hosted, keyId: "tenants", numberOfBytes: 16, dataKeyName: dataKeyName(4) });
    await kms.generateDataKey({ ...hosted, keyId: "tenants", dataKeyName: `${nameOf("a", "5")}` });
    expect((await store.versions("a")).map((info) => info.version)).toEqual([version]);
    expect((await store.getActive("a")).version).toEqual(version);
    // Their names are taken: a rotation goes past them.
    const rotated = await store.rotate("a");
    const { dataKeyId } = await kms.describeDataKey({ dataKeyId: dataKeyName(5) });
    expect(rotated.version).toEqual(versionOf(dataKeyId));
    // A former key's versions count where it is named.
    const both = hostedBranchKeys(kms, { keyId: "tenants", formerKeyIds: ["another"] });
    expect((await both.versions("a")).length).toBe(3);
  });

  test("more versions than one answer of the KMS holds", async () => {
    const { kms } = await fixture();
    const store = hostedBranchKeys(kms, { keyId: "tenants" });
    await store.create("a");
    for (let number = 2; number <= 205; number++) {
      const dataKeyName = nameOf("a", String(number).padStart(7, "0"));
      await kms.generateDataKey({ keyId: "tenants", numberOfBytes: 32, isHostedByKms: true, dataKeyName });
    }
    const versions = await store.versions("a");
    expect(versions.length).toBe(205);
    expect((await store.getActive("a")).version).toEqual(versions[204]?.version);
  });

  test("with a keyring, messages cost one data key per branch key, however many", async () => {
    const { kms, asked } = await fixture();
    const store = hostedBranchKeys(kms, { keyId: "tenants" });
    await store.create("a");
    await store.create("b");
    asked.clear();
    const make = (): Envelope => {
      const branchKeyIdFor = (context: Readonly<Record<string, string>>): string => context["tenant"] ?? "";
      return new Envelope({ wrappingKeys: [new BranchKeyring({ store, branchKeyIdFor, ttlMs: 60_000 })] });
    };
    const [writer, reader] = [make(), make()];
    const messages = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        writer.encrypt(`${i}`, { encryptionContext: { tenant: i % 2 ? "a" : "b" } }),
      ),
    );
    expect(Object.fromEntries(asked)).toEqual({ listDataKeyDetail: 2, getDataKeyPlaintext: 2 });
    asked.clear();
    const texts = await Promise.all(messages.map(async (message) => (await reader.decrypt(message)).plaintext));
    expect(texts.map((text) => Buffer.from(text).toString())).toEqual(messages.map((_, i) => `${i}`));
    expect(Object.fromEntries(asked)).toEqual({ listDataKeyDetail: 2, getDataKeyPlaintext: 2 });
  });

  test("in the region, and as the caller, that they were made for", async () => {
    const callers: string[] = [];
    const kms = new LocalKms({
      regions: [{ name: "one" }, { name: "two" }],
      authorizer: ({ caller, region }) => callers.push(`${caller.id} ${region}`) > 0,
    });
    const region = "two";
    const { keyId } = await kms.createKey({}, { region });
    callers.length = 0;
    const store = hostedBranchKeys(kms, { keyId, region, caller: { id: "me" } });
    await store.create("a");
    await store.getActive("a");
    expect(new Set(callers)).toEqual(new Set(["me two"]));
    const reason = new Error("enough");
    await expect(store.getActive("a", { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
