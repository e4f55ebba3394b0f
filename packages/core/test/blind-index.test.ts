// Blind indexes: equal values are found, and nothing else is equal.
import { BlindIndex, branchKeyStore, type IndexableValue, memoryBranchKeyRecords } from "@fengni/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { keyringOver, TwoVersions, VERSION_1, VERSION_2 } from "./field-support.js";
import { testKey } from "./support.js";

const indexKey = new Uint8Array(32).fill(5);
const acme = { encryptionContext: { tenant: "acme" } };
const bolt = { encryptionContext: { tenant: "bolt" } };
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

const values: fc.Arbitrary<IndexableValue> = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 6 }),
  fc.constantFrom<IndexableValue>(1, 1n, "1", true, "true", new Date(1), Uint8Array.of(1), 0, -0),
  fc.bigInt({ min: -300n, max: 300n }),
  fc.date({ noInvalidDate: true }),
);

function identity(value: IndexableValue): string {
  if (value instanceof Date) return `date ${value.getTime()}`;
  return value instanceof Uint8Array ? `bytes ${hex(value)}` : `${typeof value} ${String(value)}`;
}

describe("blind index", () => {
  test("of equal values is equal; of others, of other types too, it is not", () => {
    const index = new BlindIndex({ indexKey, name: "i", bits: 256 });
    fc.assert(
      fc.property(values, values, (a, b) => {
        const isEqual = hex(index.computeSync(a, acme)) === hex(index.computeSync(b, acme));
        expect(isEqual).toBe(identity(a) === identity(b));
      }),
      { numRuns: 500 },
    );
  });

  test("at once as later, under each kind of key", async () => {
    const branchKeys = keyringOver();
    await branchKeys.warm([{ branchKeyId: "acme", version: VERSION_1 }]);
    const indexes = [
      new BlindIndex({ indexKey, name: "i", bits: 64 }),
      new BlindIndex({ branchKeys, versionFor: () => VERSION_1, name: "i", bits: 64 }),
    ];
    for (const index of indexes) {
      expect(await index.compute("value", acme)).toEqual(index.computeSync("value", acme));
      expect((await index.compute("value", acme)).length).toBe(8);
    }
  });

  test("differs by name, key, version, branch key and partition, and by nothing else of the context", async () => {
    const branchKeys = keyringOver();
    const common = { name: "i", bits: 128 };
    const digests = await Promise.all([
      new BlindIndex({ ...common, indexKey }).compute("v", acme),
      new BlindIndex({ ...common, indexKey, name: "j" }).compute("v", acme),
      new BlindIndex({ ...common, indexKey: new Uint8Array(32).fill(6) }).compute("v", acme),
      new BlindIndex({ ...common, indexKey, partitionFor: ({ tenant }) => tenant ?? "" }).compute("v", acme),
      new BlindIndex({ ...common, indexKey, partitionFor: ({ tenant }) => tenant ?? "" }).compute("v", bolt),
      new BlindIndex({ ...common, branchKeys, versionFor: () => VERSION_1 }).compute("v", acme),
      new BlindIndex({ ...common, branchKeys, versionFor: () => VERSION_1 }).compute("v", bolt),
      new BlindIndex({ ...common, branchKeys, versionFor: () => VERSION_2 }).compute("v", acme),
      new BlindIndex({ ...common, branchKeys, versionFor: () => VERSION_1, name: "j" }).compute("v", acme),
    ]);
    expect(new Set(digests.map(hex)).size).toBe(digests.length);
    const more = { encryptionContext: { tenant: "acme", row: "17" } };
    const index = new BlindIndex({ ...common, branchKeys, versionFor: () => VERSION_1 });
    expect(await index.compute("v", more)).toEqual(digests[5]);
    expect(new BlindIndex({ ...common, indexKey }).computeSync("v", bolt)).toEqual(digests[0]);
  });

  test("name and partition are not run together", () => {
    const index = (name: string, partition: string): string =>
      hex(new BlindIndex({ indexKey, name, bits: 128, partitionFor: () => partition }).computeSync("v", acme));
    expect(index("ab", "c")).not.toBe(index("a", "bc"));
  });

  test("keeps exactly its bits, the first ones", () => {
    const compute = (bits: number): Uint8Array => new BlindIndex({ indexKey, name: "i", bits }).computeSync("v", acme);
    const binary = (bytes: Uint8Array): string =>
      Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");
    const all = binary(compute(256));
    for (let bits = 8; bits <= 256; bits++) {
      const cut = compute(bits);
      expect(cut.length).toBe(Math.ceil(bits / 8));
      expect(binary(cut)).toBe(all.slice(0, bits).padEnd(8 * cut.length, "0"));
    }
  });

  test("is of the normal form", () => {
    const index = new BlindIndex<string>({
      indexKey,
      name: "i",
      bits: 64,
      normalize: (mail) => mail.trim().toLowerCase(),
    });
    expect(index.computeSync(" Li.Lei@Example.cn", acme)).toEqual(index.computeSync("li.lei@example.cn", acme));
  });

  test("stays the same when the branch key rotates", async () => {
    const store = branchKeyStore({ wrappingKey: testKey(), records: memoryBranchKeyRecords() });
    const { version } = await store.create("acme");
    const branchKeys = keyringOver(store);
    const index = new BlindIndex({ branchKeys, versionFor: () => version, name: "i", bits: 64 });
    const before = await index.compute("v", acme);
    await store.rotate("acme");
    branchKeys.clear();
    expect(await index.compute("v", acme)).toEqual(before);
  });

  test("needs its version warm to be computed at once", () => {
    const index = new BlindIndex({ branchKeys: keyringOver(), versionFor: () => VERSION_1, name: "i", bits: 64 });
    expect(() => index.computeSync("v", acme)).toThrow(expect.objectContaining({ code: "ERR_NOT_WARM" }));
  });

  test("never falls back to the active version", async () => {
    const store = new TwoVersions();
    const wrong = [undefined, null, "", new Uint8Array(15)] as unknown as readonly Uint8Array[];
    for (const version of wrong) {
      const index = new BlindIndex({ branchKeys: keyringOver(store), versionFor: () => version, name: "i", bits: 64 });
      expect(() => index.computeSync("v", acme)).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
      await expect(index.compute("v", acme)).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
    }
    expect(store.calls).toBe(0);
  });

  test("refuses what cannot be indexed, wrong options, and work after it was closed", async () => {
    const index = new BlindIndex({ indexKey, name: "i", bits: 64 });
    for (const value of [null, undefined, {}, [], Number.NaN, new Date(Number.NaN), "\ud800", Symbol("s")]) {
      expect(() => index.computeSync(value as never, acme)).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
    }
    const good = { indexKey, name: "i", bits: 64 };
    const branchKeys = keyringOver();
    const wrong: readonly object[] = [
      { ...good, bits: 7 },
      { ...good, bits: 257 },
      { indexKey, name: "i" },
      { ...good, name: "" },
      { ...good, indexKey: new Uint8Array(16) },
      { ...good, branchKeys },
      { ...good, normalize: 1 },
      { ...good, partitionFor: "tenant" },
      { branchKeys, name: "i", bits: 64 },
      { name: "i", bits: 64 },
    ];
    for (const options of wrong) {
      expect(() => new BlindIndex(options as never)).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
    }
    index.close();
    expect(() => index.computeSync("v", acme)).toThrow(expect.objectContaining({ code: "ERR_CLOSED" }));
    await expect(index.compute("v", acme)).rejects.toMatchObject({ code: "ERR_CLOSED" });
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(new BlindIndex(good).compute("v", { ...acme, signal })).rejects.toThrow("enough");
  });
});
