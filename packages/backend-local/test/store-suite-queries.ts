// What every store must find, in which order, and how many. Part of store-suite.ts.
import { describe, expect, test } from "vitest";
import type { StoredRecord } from "../src/records.js";
import type { RecordQuery, RecordStore } from "../src/store.js";
import { keyRecord } from "./fixtures/key-record.js";
import { ALL, BROKEN, keyAddress, put, query } from "./store-suite-records.js";
import { errorOf } from "./store-support.js";

/** The tests of queries and due times, on stores that `make` makes with some records. */
export function storeQueries(make: (...records: readonly StoredRecord[]) => Promise<RecordStore>): void {
  describe("queries", () => {
    const RECORDS = [
      keyRecord("c", 3, { name: "Third%", tags: { color: "red" } }),
      keyRecord("a", 1, { name: "first_", versions: 7, tags: { color: "blue", 'a.b"c': "é" } }),
      keyRecord("b", 2, { state: "disabled", tags: {} }),
      keyRecord("e", 5, { name: "ÉTÉ", state: "disabled", owner: "product", tags: { color: "red", size: "" } }),
      keyRecord("d", 4, { name: "first-d", description: "first" }),
      keyRecord("z", 6, { region: "north" }),
    ];
    test.each<[string, Partial<RecordQuery<"key">>, string, number]>([
      ["all", {}, "abcde", 5],
      ["the newest first", { order: "newest-first" }, "edcba", 5],
      ["a page", { offset: 1, limit: 2 }, "bc", 5],
      ["a page, the newest first", { order: "newest-first", offset: 1, limit: 2 }, "dc", 5],
      ["the last page", { offset: 4, limit: 2 }, "e", 5],
      ["the last page, the newest first", { order: "newest-first", offset: 4, limit: 2 }, "a", 5],
      ["past the end", { offset: 5 }, "", 5],
      ["past the end, the newest first", { order: "newest-first", offset: 9 }, "", 5],
      ["no records, but the total", { limit: 0 }, "", 5],
      ["after a sequence", { afterSequence: 2 }, "cde", 3],
      ["after a sequence, the newest first", { afterSequence: 2, order: "newest-first", limit: 1 }, "e", 3],
      ["after the last sequence", { afterSequence: 5 }, "", 0],
      ["another region", { region: "north" }, "z", 1],
      ["no region", { region: "south" }, "", 0],
      ["a field", { equals: { state: "disabled" } }, "be", 2],
      ["two fields", { equals: { state: "disabled", owner: "user" } }, "b", 1],
      ["a number", { equals: { versions: 7 } }, "a", 1],
      ["a number as text", { equals: { versions: "7" } }, "", 0],
      ["a field of the address", { equals: { id: "c", sequence: 3 } }, "c", 1],
      ["a field that is not there", { equals: { nothing: "" } }, "", 0],
      ["a part of a name", { contains: "first" }, "ad", 2],
      ["a part of a name in another case", { contains: "FIRST" }, "ad", 2],
      ["a part of an id", { contains: "B" }, "b", 1],
      ["a part with a wildcard", { contains: "%" }, "c", 1],
      ["a part with the other wildcard", { contains: "t_" }, "a", 1],
      ["case beyond ASCII is not the same", { contains: "été" }, "", 0],
      ["an empty part", { contains: "" }, "abcde", 5],
      ["a tag", { tags: [{ key: "color", values: ["red"] }] }, "ce", 2],
      ["a tag with one of two values", { tags: [{ key: "color", values: ["red", "blue"] }] }, "ace", 3],
      ["a tag with any value", { tags: [{ key: "size", values: [] }] }, "e", 1],
      ["a tag with the empty value", { tags: [{ key: "size", values: [""] }] }, "e", 1],
      [
        "two tags",
        {
          tags: [
            { key: "color", values: ["red"] },
            { key: "size", values: [] },
          ],
        },
        "e",
        1,
      ],
      ["a tag with a name of signs", { tags: [{ key: 'a.b"c', values: ["é"] }] }, "a", 1],
      ["a tag named as what every object has", { tags: [{ key: "toString", values: [] }] }, "", 0],
      ["no tags", { tags: [] }, "abcde", 5],
      [
        "everything at once",
        {
          contains: "T",
          equals: { owner: "user" },
          afterSequence: 1,
          tags: [{ key: "color", values: [] }],
          limit: 1,
        },
        "c",
        1,
      ],
    ])("%s", async (_name, part, ids, total) => {
      const store = await make(...RECORDS);
      expect(query(store, part)).toMatchObject({ ids, total });
      // The second answer may come of what the store remembers.
      expect(query(store, part)).toMatchObject({ ids, total });
    });

    test("totals follow every change, and take back what failed", async () => {
      const store = await make(...RECORDS);
      const totals = (): number[] => [query(store).total, query(store, { equals: { state: "disabled" } }).total];
      expect(totals()).toEqual([5, 2]);
      await store.change(put(keyRecord("f", 7, { state: "disabled" })));
      expect(totals()).toEqual([6, 3]);
      await store.change(put(keyRecord("f", 7)));
      expect(totals()).toEqual([6, 2]);
      await store.change((records) => records.remove(keyAddress("b")));
      expect(totals()).toEqual([5, 1]);
      const failing = store.change((records) => {
        records.put(keyRecord("g", 8));
        expect(records.query(ALL).total).toBe(6);
        throw BROKEN;
      });
      expect(await errorOf(failing)).toBe(BROKEN);
      expect(totals()).toEqual([5, 1]);
    });

    test("refuse names of fields that are no names, and numbers that are none", async () => {
      const view = (await make()).view();
      for (const part of [
        { equals: { "a') OR 1=1 --": 1 } },
        { equals: { "a.b": 1 } },
        { offset: -1 },
        { limit: 1.5 },
      ]) {
        expect(() => view.query({ ...ALL, ...part })).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
      }
    });
  });

  describe("due times", () => {
    test("come the earliest first, of all kinds and regions", async () => {
      const store = await make(
        keyRecord("a", 1, { dueAtMs: 30 }),
        keyRecord("b", 2, { dueAtMs: 10, region: "north" }),
        {
          kind: "import",
          region: "local",
          id: "c",
          sequence: 3,
          createdAtMs: 0,
          dueAtMs: 20,
          keyId: "a",
          wrappingAlgorithm: "x",
          validToMs: 20,
        },
        keyRecord("d", 4),
      );
      const due = (nowMs: number, limit = 10): string =>
        store
          .view()
          .due(nowMs, limit)
          .map(({ id }) => id)
          .join("");
      expect(store.view().nextDueAtMs()).toBe(10);
      expect([due(9), due(10), due(29), due(30), due(99, 2), due(99, 0)]).toEqual(["", "b", "bc", "bca", "bc", ""]);
      await store.change(put(keyRecord("b", 2, { dueAtMs: 40, region: "north" })));
      expect(store.view().nextDueAtMs()).toBe(20);
      await store.change((records) => {
        records.remove({ kind: "import", region: "local", id: "c" });
        expect(records.nextDueAtMs()).toBe(30);
      });
      expect(due(99)).toBe("ab");
      await errorOf(
        store.change((records) => {
          records.put(keyRecord("d", 4, { dueAtMs: 1 }));
          throw BROKEN;
        }),
      );
      expect(store.view().nextDueAtMs()).toBe(30);
    });
  });
}
