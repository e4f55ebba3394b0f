// What every store of records must do, whatever it keeps them in. The stores themselves are made by whoever calls it.
import { SecretBytes } from "@fengni/crypto/secret";
import { afterEach, describe, expect, test } from "vitest";
import type { RecordAddress, StoredRecord } from "../src/records.js";
import type { RecordStore, RecordTransaction } from "../src/store.js";
import { keyRecord } from "./fixtures/key-record.js";
import { storeQueries } from "./store-suite-queries.js";
import { ALL, BROKEN, keyAddress, put, query } from "./store-suite-records.js";
import { codeOf, errorOf, filled } from "./store-support.js";

/** Runs the suite on stores that `makeStore` makes; each is closed after its test. */
export function storeSuite(name: string, makeStore: () => Promise<RecordStore>): void {
  describe(name, () => {
    const stores: RecordStore[] = [];
    async function make(...records: readonly StoredRecord[]): Promise<RecordStore> {
      const store = await makeStore();
      stores.push(store);
      if (records.length > 0) await store.change(put(...records));
      return store;
    }
    afterEach(() => {
      for (const store of stores.splice(0)) store.close();
    });

    describe("records", () => {
      test("are found by address, and by name within their kind and region", async () => {
        const records: StoredRecord[] = [
          keyRecord("a", 1, { name: "n" }),
          keyRecord("a", 2, { region: "north", name: "n" }),
          {
            kind: "sync",
            region: "local",
            id: "a",
            sequence: 3,
            createdAtMs: 0,
            name: "n",
            destinations: ["north"],
            run: 1,
          },
        ];
        const view = (await make(...records)).view();
        for (const { kind, region, id } of records) {
          const expected = records.find((record) => record.kind === kind && record.region === region);
          expect(view.get(kind, region, id)).toEqual(expected);
          expect(view.findName(kind, region, "n")).toEqual(expected);
        }
        expect(view.get("key", "local", "b")).toBeUndefined();
        expect(view.get("import", "local", "a")).toBeUndefined();
        expect(view.findName("key", "south", "n")).toBeUndefined();
        expect(view.findName("key", "local", "N")).toBeUndefined();
      });

      test("hold every value that JSON can, times beyond 32 bits included", async () => {
        const record = keyRecord("a", 2 ** 40, {
          createdAtMs: 2 ** 53 - 1,
          dueAtMs: 1_999_999_999_999,
          description: "é \u0000 \" ' \\ 😀 \u2028",
          tags: { 'a"b': "1", é: "", "1": "x", "😀": "\u0000" },
          resources: [{ productId: "p", resourceId: "r" }],
          lastRotatedAtMs: 0,
        });
        const view = (await make(record)).view();
        expect(view.get("key", "local", "a")).toEqual(record);
        expect(view.nextDueAtMs()).toBe(1_999_999_999_999);
      });

      test("are replaced at their address, and removed", async () => {
        const store = await make(keyRecord("a", 1, { name: "n", dueAtMs: 5 }), keyRecord("b", 2));
        await store.change(put(keyRecord("a", 1, { name: "m", state: "disabled" })));
        const view = store.view();
        expect(view.get("key", "local", "a")?.state).toBe("disabled");
        expect(view.findName("key", "local", "n")).toBeUndefined();
        expect(view.findName("key", "local", "m")?.id).toBe("a");
        expect(view.nextDueAtMs()).toBeUndefined();
        expect(query(store).total).toBe(2);
        await store.change((records) => records.remove(keyAddress("a")));
        await store.change((records) => records.remove(keyAddress("a")));
        expect(view.get("key", "local", "a")).toBeUndefined();
        expect(view.findName("key", "local", "m")).toBeUndefined();
        expect(query(store)).toMatchObject({ total: 1, records: [{ id: "b" }] });
      });

      test("cannot take a name that another one has, until that one gives it up", async () => {
        const store = await make(keyRecord("a", 1, { name: "n" }), keyRecord("b", 2, { name: "m" }));
        expect(await errorOf(store.change(put(keyRecord("b", 2, { name: "n" }))))).toMatchObject({
          code: "ERR_CONFLICT",
          details: { name: "n" },
        });
        expect(await codeOf(store.change(put(keyRecord("c", 3, { name: "m" }))))).toBe("ERR_CONFLICT");
        await store.change(put(keyRecord("a", 1), keyRecord("b", 2, { name: "n" }), keyRecord("a", 1, { name: "m" })));
        expect(store.view().findName("key", "local", "n")?.id).toBe("b");
        expect(store.view().findName("key", "local", "m")?.id).toBe("a");
      });

      test("stay the same objects while nothing changes", async () => {
        const record = keyRecord("a", 1, { name: "n" });
        const store = await make(record);
        const view = store.view();
        expect(view.get("key", "local", "a")).toBe(record);
        expect(view.findName("key", "local", "n")).toBe(record);
        expect(view.query({ ...ALL }).records[0]).toBe(record);
      });

      test("are numbered upwards, across changes", async () => {
        const store = await make();
        const first = await store.change((records) => [records.nextSequence(), records.nextSequence()]);
        await errorOf(
          store.change((records) => {
            records.nextSequence();
            throw BROKEN;
          }),
        );
        const second = await store.change((records) => records.nextSequence());
        expect(first).toEqual([1, 2]);
        expect(second).toBeGreaterThan(2);
      });
    });

    storeQueries(make);

    describe("secrets", () => {
      const address = keyAddress("a");
      async function withSecret(fill = 1): Promise<{ store: RecordStore; bytes: Uint8Array }> {
        const store = await make(keyRecord("a", 1), keyRecord("b", 2));
        const bytes = filled(32, fill);
        await store.change((records) => records.putSecret(address, 1, new SecretBytes(bytes)));
        return { store, bytes };
      }
      const copyOf = (store: RecordStore, of: RecordAddress = address, slot = 1): Uint8Array =>
        store.view().secret(of, slot).bytes().slice();

      test("are the same objects at every look, and no slot has another's", async () => {
        const { store } = await withSecret();
        await store.change((records) => records.putSecret(address, 2, new SecretBytes(filled(7, 2))));
        expect(copyOf(store)).toEqual(filled(32, 1));
        expect(copyOf(store, address, 2)).toEqual(filled(7, 2));
        expect(store.view().secret(address, 1)).toBe(store.view().secret(address, 1));
        for (const [of, slot] of [
          [address, 3],
          [keyAddress("b"), 1],
          [keyAddress("a", "north"), 1],
        ] as const) {
          expect(() => store.view().secret(of, slot)).toThrow(expect.objectContaining({ code: "ERR_STORE_DAMAGED" }));
        }
      });

      test("stay when their record is replaced", async () => {
        const { store } = await withSecret();
        const secret = store.view().secret(address, 1);
        await store.change(put(keyRecord("a", 1, { state: "disabled" })));
        expect(store.view().secret(address, 1)).toBe(secret);
      });

      test.each<[string, (records: RecordTransaction) => void]>([
        ["removed", (records) => records.removeSecret(address, 1)],
        ["removed with their record", (records) => records.remove(address)],
        ["replaced", (records) => records.putSecret(address, 1, new SecretBytes(filled(32, 9)))],
      ])("that are %s are wiped once the change is made, and not when it fails", async (_name, apply) => {
        const { store } = await withSecret();
        const secret = store.view().secret(address, 1);
        const failing = store.change((records) => {
          apply(records);
          expect(secret.wiped).toBe(false);
          throw BROKEN;
        });
        expect(await errorOf(failing)).toBe(BROKEN);
        expect(store.view().secret(address, 1)).toBe(secret);
        expect(secret.bytes()).toEqual(filled(32, 1));
        await store.change(apply);
        expect(secret.wiped).toBe(true);
        if (store.view().get("key", "local", "a") === undefined) return;
        const left = store.change((records) => records.secret(address, 1).bytes().slice());
        expect(await left.catch((error) => error.code)).toEqual(
          _name === "replaced" ? filled(32, 9) : "ERR_STORE_DAMAGED",
        );
      });

      test("that were given in a change that failed are wiped, also after they were taken again", async () => {
        const { store } = await withSecret();
        const given = [1, 2, 3, 4].map((fill) => new SecretBytes(filled(8, fill)));
        const [first, second, third, fourth] = given as [SecretBytes, SecretBytes, SecretBytes, SecretBytes];
        const failing = store.change((records) => {
          records.putSecret(address, 1, first);
          records.putSecret(address, 1, second);
          records.putSecret(address, 2, third);
          records.removeSecret(address, 2);
          records.putSecret(keyAddress("nobody"), 1, fourth);
        });
        expect(await codeOf(failing)).toBe("ERR_ARGUMENT");
        expect(given.map(({ wiped }) => wiped)).toEqual([true, true, true, true]);
        expect(copyOf(store)).toEqual(filled(32, 1));
      });

      test("of the store that are given again are copied, so that each slot has its own", async () => {
        const { store } = await withSecret();
        await store.change((records) => records.putSecret(keyAddress("b"), 1, records.secret(address, 1)));
        await store.change((records) => records.remove(address));
        expect(copyOf(store, keyAddress("b"))).toEqual(filled(32, 1));
        await store.change((records) => records.putSecret(keyAddress("b"), 1, records.secret(keyAddress("b"), 1)));
        expect(copyOf(store, keyAddress("b"))).toEqual(filled(32, 1));
      });

      test("are wiped when the store is closed", async () => {
        const { store, bytes } = await withSecret();
        const secret = store.view().secret(address, 1);
        store.close();
        expect(secret.wiped).toBe(true);
        expect(bytes).toEqual(filled(32, 0));
      });
    });

    describe("changes", () => {
      test("that fail leave everything as it was", async () => {
        const store = await make(keyRecord("a", 1, { name: "n", dueAtMs: 5 }), keyRecord("b", 2, { name: "m" }));
        await store.change((records) => records.putSecret(keyAddress("a"), 1, new SecretBytes(filled(8, 1))));
        const before = query(store).records;
        const failing = store.change((records) => {
          records.put(keyRecord("c", records.nextSequence(), { name: "k", dueAtMs: 1 }));
          records.remove(keyAddress("a"));
          records.put(keyRecord("b", 2, { name: "n", region: "local" }));
          records.put(keyRecord("a", 9, { name: "m" }));
          records.removeSecret(keyAddress("a"), 1);
          records.remove(keyAddress("b"));
          expect(records.query(ALL).records.map(({ id }) => id)).toEqual(expect.arrayContaining(["a", "c"]));
          throw BROKEN;
        });
        expect(await errorOf(failing)).toBe(BROKEN);
        expect(query(store).records).toEqual(before);
        const view = store.view();
        expect(view.findName("key", "local", "n")?.id).toBe("a");
        expect(view.findName("key", "local", "m")?.id).toBe("b");
        expect(view.findName("key", "local", "k")).toBeUndefined();
        expect(view.nextDueAtMs()).toBe(5);
        expect(view.secret(keyAddress("a"), 1).bytes()).toEqual(filled(8, 1));
      });

      test("made at once all happen, each alone: one that fails takes nothing of the others with it", async () => {
        const store = await make();
        const calls = Array.from({ length: 100 }, (_, index) =>
          store.change((records) => {
            const sequence = records.nextSequence();
            const { total } = records.query(ALL);
            records.put(keyRecord(`k${index}`, sequence, { versions: total }));
            records.putSecret(keyAddress(`k${index}`), 1, new SecretBytes(filled(8, index)));
            if (index % 10 === 3) throw BROKEN;
            return total;
          }),
        );
        const answers = await Promise.allSettled(calls);
        const failed = answers.filter(({ status }) => status === "rejected");
        expect(failed.length).toBe(10);
        const totals = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
        expect(totals).toEqual(Array.from({ length: 90 }, (_, index) => index));
        const { records, total } = query(store, { limit: 200 });
        expect(total).toBe(90);
        expect(records.map(({ versions }) => versions)).toEqual(totals);
        expect(new Set(records.map(({ sequence }) => sequence)).size).toBe(90);
        for (const { id } of records) {
          expect(store.view().secret(keyAddress(id), 1).bytes()).toEqual(filled(8, Number(id.slice(1))));
        }
      });

      test("are not made when their signal was aborted before", async () => {
        const store = await make();
        const reason = new Error("enough");
        let isCalled = false;
        const call = store.change(
          () => {
            isCalled = true;
          },
          { signal: AbortSignal.abort(reason) },
        );
        expect(await errorOf(call)).toBe(reason);
        expect(isCalled).toBe(false);
      });

      test("end with their call: nothing of them works afterwards, and none begins inside another", async () => {
        const store = await make();
        let leaked: RecordTransaction | undefined;
        let inner: Promise<unknown> | undefined;
        await store.change((records) => {
          leaked = records;
          inner = errorOf(store.change(() => undefined));
        });
        expect(await inner).toMatchObject({ code: "ERR_ARGUMENT" });
        expect(() => leaked?.put(keyRecord("a", 1))).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
        const secret = new SecretBytes(filled(8));
        expect(() => leaked?.putSecret(keyAddress("a"), 1, secret)).toThrow(
          expect.objectContaining({ code: "ERR_ARGUMENT" }),
        );
        expect(secret.wiped).toBe(true);
        expect(query(store).total).toBe(0);
      });

      test("refuse texts that not every store can hold", async () => {
        const store = await make(keyRecord("a", 1, { name: "n" }));
        for (const record of [
          keyRecord("a\0b", 2),
          keyRecord("b", 2, { name: "n\0" }),
          keyRecord("b", 2, { region: "\0" }),
        ]) {
          expect(await codeOf(store.change(put(record)))).toBe("ERR_ARGUMENT");
        }
        expect(store.view().get("key", "local", "a\0b")).toBeUndefined();
        expect(store.view().findName("key", "local", "n\0")).toBeUndefined();
      });
    });

    describe("a store that is closed", () => {
      test("refuses everything, and lets changes that wait fail", async () => {
        const store = await make(keyRecord("a", 1));
        const view = store.view();
        const waiting = store.change(put(keyRecord("b", 2)));
        store.close();
        store.close();
        await waiting.catch((error) => expect(error.code).toBe("ERR_CLOSED"));
        expect(() => store.view()).toThrow(expect.objectContaining({ code: "ERR_CLOSED" }));
        expect(() => view.get("key", "local", "a")).toThrow(expect.objectContaining({ code: "ERR_CLOSED" }));
        expect(() => view.secret(keyAddress("a"), 1)).toThrow(expect.objectContaining({ code: "ERR_CLOSED" }));
        expect(() => view.nextDueAtMs()).toThrow(expect.objectContaining({ code: "ERR_CLOSED" }));
        expect(await codeOf(store.change(() => undefined))).toBe("ERR_CLOSED");
      });

      test("inside a change: that change fails, and its secrets are wiped", async () => {
        const store = await make(keyRecord("a", 1));
        const secret = new SecretBytes(filled(8));
        const call = store.change((records) => {
          records.putSecret(keyAddress("a"), 1, secret);
          store.close();
        });
        expect(await codeOf(call)).toBe("ERR_CLOSED");
        expect(secret.wiped).toBe(true);
      });
    });
  });
}
