// Every store against the one suite: in memory, and in a file with each engine that this runtime has.
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { MemoryRecordStore } from "../src/store-memory.js";
import { SqliteRecordStore } from "../src/store-sqlite.js";
import { loadEngine, SQL_ENGINES, type SqlEngine, type SqlEngineName } from "../src/store-sqlite-engine.js";
import { keyRecord } from "./fixtures/key-record.js";
import { storeSuite } from "./store-suite.js";
import { keyAddress } from "./store-suite-records.js";
import { errorOf, ROOT_KEY, temporaryFolder } from "./store-support.js";

storeSuite("memory", async () => new MemoryRecordStore());

const engines: (readonly [SqlEngineName, SqlEngine | undefined])[] = [];
for (const name of SQL_ENGINES) engines.push([name, await loadEngine(name).catch(() => undefined)]);

for (const [name, engine] of engines) {
  if (engine === undefined) {
    test(`${name} is not there: a typed error says what to do`, async () => {
      const error = await errorOf(loadEngine(name));
      expect(error).toMatchObject({ code: "ERR_NOT_SUPPORTED", details: { reason: "no-sqlite" } });
      expect(error.message).toContain("libsql");
    });
  } else {
    storeSuite(`file, ${name}`, () =>
      SqliteRecordStore.open(join(temporaryFolder(), "keys"), { rootKey: { key: ROOT_KEY }, create: true, engine }),
    );
  }
}

test("some engine is there", () => {
  expect(engines.some(([, engine]) => engine !== undefined)).toBe(true);
});

describe("in memory", () => {
  test("100,000 keys are made, renamed and taken back within bounds", async () => {
    const store = new MemoryRecordStore();
    const count = 100_000;
    for (let sequence = 1; sequence <= count; sequence++) {
      await store.change((records) =>
        records.put(keyRecord(`k${sequence}`, sequence, { name: `n${sequence}`, dueAtMs: sequence })),
      );
    }
    const failing = store.change((records) => {
      for (let sequence = 1; sequence <= 1000; sequence++) records.remove(keyAddress(`k${sequence}`));
      expect(records.nextDueAtMs()).toBe(1001);
      throw new Error("in the change");
    });
    await expect(failing).rejects.toThrow("in the change");
    const all = { kind: "key", region: "local", order: "newest-first", offset: 50_000, limit: 2 } as const;
    expect(store.view().query(all)).toMatchObject({ total: count, records: [{ id: "k50000" }, { id: "k49999" }] });
    expect(store.view().nextDueAtMs()).toBe(1);
    store.close();
  });
});
