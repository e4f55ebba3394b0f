// A sealed file that is not as it was written: refused in every wrong state, before it is touched.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SecretBytes } from "@fengni/crypto/secret";
import { describe, expect, test } from "vitest";
import type { RootKey } from "../src/seal-root-key.js";
import { SqliteRecordStore } from "../src/store-sqlite.js";
import { CHEAP, closedFile, openFile, openRaw, secretOf, storePath } from "./file-support.js";
import { keyRecord } from "./fixtures/key-record.js";
import { keyAddress } from "./store-suite-records.js";
import { codeOf, errorOf, filled, ROOT_KEY, snapshot, temporaryFolder } from "./store-support.js";

const HEADER_MAGIC = "FENGNIKS";

/** Opens a file that has to be there. */
function open(path: string, rootKey: RootKey = { key: ROOT_KEY }): Promise<SqliteRecordStore> {
  return SqliteRecordStore.open(path, { rootKey });
}

describe("damage", () => {
  /** The code with which altered bytes are refused; undefined when they open, with everything in place. */
  async function verdict(bytes: Uint8Array): Promise<string | undefined> {
    const path = storePath();
    writeFileSync(path, bytes);
    let store: SqliteRecordStore;
    try {
      store = await SqliteRecordStore.open(path, { rootKey: { key: ROOT_KEY }, create: true });
    } catch (error) {
      expect(readFileSync(path).equals(Buffer.from(bytes))).toBe(true);
      return (error as { code?: string }).code;
    }
    try {
      expect([secretOf(store, "a"), secretOf(store, "b")]).toEqual([filled(32, 1), filled(32, 2)]);
      return undefined;
    } finally {
      store.close();
    }
  }

  function flipped(bytes: Uint8Array, at: number, bits: number): Uint8Array {
    const copy = Uint8Array.from(bytes);
    copy[at] = (copy[at] as number) ^ bits;
    return copy;
  }

  test("every byte of the database's own header is as it was written, or does not matter", async () => {
    const bytes = readFileSync(await closedFile());
    // Counters, hints and the version of the engine: https://www.sqlite.org/fileformat.html section 1.3
    const mayDiffer = (at: number): boolean => (at >= 24 && at < 44) || (at >= 48 && at < 52) || at >= 92;
    for (let at = 0; at < 100; at++) {
      for (const bits of [1, 0x80]) {
        const code = await verdict(flipped(bytes, at, bits));
        if (code !== undefined || !mayDiffer(at)) expect([at, bits, code]).toEqual([at, bits, "ERR_STORE_DAMAGED"]);
      }
    }
  });

  test("every byte of the key store's header that changed is seen, and is not taken for a wrong root key", async () => {
    const bytes = readFileSync(await closedFile());
    const start = bytes.indexOf(HEADER_MAGIC);
    expect(start).toBeGreaterThan(100);
    for (let at = start; at < start + 125; at++) {
      for (const bits of [1, 0x80])
        expect([at, await verdict(flipped(bytes, at, bits))]).toEqual([at, "ERR_STORE_DAMAGED"]);
    }
  });

  test("a file that was cut off is seen before it is touched", async () => {
    const bytes = readFileSync(await closedFile());
    for (const length of [0, 1, 15, 16, 99, 100, 4095, 4096, 8192, bytes.length - 4096, bytes.length - 1]) {
      expect([length, await verdict(bytes.subarray(0, length))]).toEqual([length, "ERR_STORE_DAMAGED"]);
    }
  });

  test("foreign files are seen before they are touched", async () => {
    const path = storePath();
    const raw = await openRaw(path);
    raw.exec("CREATE TABLE t (n)");
    raw.close();
    const foreign = [
      filled(5000, 0),
      filled(5000, 0xff),
      Buffer.from("{}"),
      Buffer.from("SQLite format 3\0"),
      readFileSync(path),
    ];
    for (const bytes of foreign) expect(await verdict(bytes)).toBe("ERR_STORE_DAMAGED");
    const first = await errorOf(open(writtenFile(Buffer.concat([Buffer.from(HEADER_MAGIC), filled(200)]))));
    expect(first.message).toContain("format 1");
  });

  test("a forged header cannot ask for more memory or time than is allowed", async () => {
    const bytes = readFileSync(await closedFile(CHEAP));
    const start = bytes.indexOf(HEADER_MAGIC);
    for (const cost of [
      [21, 1, 1],
      [63, 1, 1],
      [255, 255, 255],
      [20, 8, 1],
      [17, 0, 1],
      [17, 8, 0],
      [17, 8, 17],
      [0, 8, 1],
    ]) {
      const forged = Uint8Array.from(bytes);
      forged.set([1, ...cost], start + 9);
      forged.set(
        createHash("sha256")
          .update(forged.subarray(start, start + 61))
          .digest()
          .subarray(0, 16),
        start + 61,
      );
      const error = await errorOf(open(writtenFile(forged), CHEAP));
      expect(error.code).toBe("ERR_STORE_DAMAGED");
      expect(error.message).toContain("more than is allowed");
    }
  });

  test("a missing file, a folder, a pipe, and a missing folder give a clear error", async () => {
    const folder = temporaryFolder();
    const missing = await errorOf(open(join(folder, "none")));
    expect(missing.code).toBe("ERR_STORE_NOT_FOUND");
    expect(missing.message).toContain("create: true");
    spawnSync("bash", ["-c", 'mkfifo "$0"', join(folder, "pipe")]);
    for (const create of [false, true]) {
      const options = { rootKey: { key: ROOT_KEY }, create };
      expect(await codeOf(SqliteRecordStore.open(folder, options))).toBe("ERR_STORE_DAMAGED");
      if (existsSync(join(folder, "pipe"))) {
        expect(await codeOf(SqliteRecordStore.open(join(folder, "pipe"), options))).toBe("ERR_STORE_DAMAGED");
      }
    }
    const lost = SqliteRecordStore.open(join(folder, "no", "keys"), { rootKey: { key: ROOT_KEY }, create: true });
    expect(await codeOf(lost)).toBe("ERR_STORE_BUSY");
    expect(readdirSync(folder).filter((name) => name !== "pipe")).toEqual([]);
  });

  test("a journal without its file: no new file is made beside it", async () => {
    const path = storePath();
    writeFileSync(`${path}-wal`, filled(100));
    const before = snapshot(join(path, ".."));
    expect(await codeOf(SqliteRecordStore.open(path, { rootKey: { key: ROOT_KEY }, create: true }))).toBe(
      "ERR_STORE_DAMAGED",
    );
    expect(snapshot(join(path, ".."))).toEqual(before);
  });

  test("a page that was overwritten gives a typed error when it is met", async () => {
    const path = storePath();
    const store = await openFile(path);
    await store.change((records) => {
      for (let i = 0; i < 500; i++) records.put(keyRecord(`k${i}`, records.nextSequence(), { name: `n${i}` }));
    });
    store.close();
    const bytes = readFileSync(path);
    let refused = 0;
    // The pages after those of the schema and the header; one at a time.
    for (let page = 3; page < bytes.length / 4096; page += 7) {
      const damaged = Uint8Array.from(bytes);
      damaged.fill(0xa5, page * 4096, (page + 1) * 4096);
      const code = await codeOfReading(writtenFile(damaged));
      if (code !== undefined) expect(code).toBe("ERR_STORE_DAMAGED");
      if (code !== undefined) refused++;
    }
    expect(refused).toBeGreaterThan(5);
  });

  async function codeOfReading(path: string): Promise<string | undefined> {
    try {
      const { records } = (await openFile(path))
        .view()
        .query({ kind: "key", region: "local", order: "oldest-first", offset: 0, limit: 500 });
      expect(records.length).toBe(500);
      return undefined;
    } catch (error) {
      return (error as { code?: string }).code;
    }
  }

  function writtenFile(bytes: Uint8Array): string {
    const path = storePath();
    writeFileSync(path, bytes);
    return path;
  }
});

describe("tables that somebody edited", () => {
  const looks: Record<string, (store: SqliteRecordStore) => unknown> = {
    get: (store) => store.view().get("key", "local", "a"),
    query: (store) => store.view().query({ kind: "key", region: "local", order: "oldest-first", offset: 0, limit: 9 }),
    due: (store) => store.view().due(2 ** 52, 9),
    secret: (store) => store.view().secret(keyAddress("a"), 1),
    sequence: (store) => store.change((records) => records.nextSequence()),
  };
  const A = "(SELECT number FROM records WHERE id = 'a')";
  const B = "(SELECT number FROM records WHERE id = 'b')";
  test.each<[string, string, keyof typeof looks]>([
    ["a state", `UPDATE records SET data = replace(data, '"enabled"', '"disabled"')`, "get"],
    ["a state in a list", `UPDATE records SET data = replace(data, '"enabled"', '"disabled"')`, "query"],
    ["a sequence", "UPDATE records SET sequence = 9 WHERE id = 'a'", "get"],
    ["a due time", "UPDATE records SET dueAtMs = 7 WHERE id = 'a'", "due"],
    ["a name", "UPDATE records SET name = 'other' WHERE id = 'a'", "get"],
    ["a name that is taken away", "UPDATE records SET name = NULL WHERE id = 'a'", "get"],
    ["an id", "UPDATE records SET id = 'a' || id", "query"],
    [
      "a kind",
      "UPDATE records SET kind = 'key', region = 'local' WHERE id = 'a'; UPDATE records SET mac = x'00'",
      "get",
    ],
    ["data of another form", "UPDATE records SET data = '[]'", "get"],
    ["the mark of another record", `UPDATE records SET mac = (SELECT mac FROM records WHERE id = 'b')`, "get"],
    ["a secret", "UPDATE secrets SET sealed = zeroblob(64)", "secret"],
    ["a secret that is cut off", "UPDATE secrets SET sealed = x'00'", "secret"],
    [
      "a secret of another record",
      `UPDATE secrets SET sealed = (SELECT sealed FROM secrets WHERE record = ${B}) WHERE record = ${A}`,
      "secret",
    ],
    ["a secret that is removed", "DELETE FROM secrets", "secret"],
    [
      "records that changed places",
      `UPDATE records SET number = 99 WHERE id = 'a'; UPDATE records SET number = 1 WHERE id = 'b'; UPDATE records SET number = 2 WHERE id = 'a'`,
      "secret",
    ],
    ["a secret in another slot", "UPDATE secrets SET slot = 1 - slot + 1", "secret"],
    ["the count of records", "UPDATE keystore SET sequence = 0", "sequence"],
    ["a number beyond all bounds", "UPDATE records SET sequence = 9223372036854775807 WHERE id = 'a'", "get"],
  ])("%s: refused, before and while the store is open", async (name, sql, look) => {
    const path = await closedFile();
    if (name.includes("slot")) {
      const store = await openFile(path);
      await store.change((records) => {
        for (const id of ["a", "b"]) records.putSecret(keyAddress(id), 0, new SecretBytes(filled(32)));
      });
      store.close();
    }
    const store = await openFile(path);
    for (const warm of Object.values(looks)) await warm(store);
    const raw = await openRaw(path);
    raw.exec(
      sql.replace(
        "UPDATE secrets SET slot = 1 - slot + 1",
        "DELETE FROM secrets WHERE slot = 1; UPDATE secrets SET slot = 1",
      ),
    );
    raw.close();
    for (const store_ of [store, await openFile(path)]) {
      const call = async (): Promise<unknown> => (looks[look] as (store: SqliteRecordStore) => unknown)(store_);
      expect(await codeOf(call())).toBe("ERR_STORE_DAMAGED");
    }
  });

  test.each([
    ["a trigger", "CREATE TRIGGER t AFTER INSERT ON records BEGIN DELETE FROM secrets; END"],
    ["a view", "CREATE VIEW v AS SELECT 1"],
    ["another table", "CREATE TABLE t (n)"],
    ["an index less", "DROP INDEX recordsByName"],
    ["no tables", "DROP TABLE secrets"],
  ])("%s: the file is not opened", async (_name, sql) => {
    const path = await closedFile();
    const raw = await openRaw(path);
    raw.exec(sql);
    raw.close();
    expect(await codeOf(open(path))).toBe("ERR_STORE_DAMAGED");
  });
});

test("a file that was made larger than it says is refused or opens as it was", async () => {
  const path = await closedFile();
  truncateSync(path, 2 ** 20);
  expect(secretOf(await openFile(path), "a")).toEqual(filled(32, 1));
});
