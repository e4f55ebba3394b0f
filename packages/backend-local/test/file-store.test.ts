// The sealed file: durable, private, and holding no secret in clear.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { SecretBytes } from "@fengni/crypto/secret";
import { describe, expect, test } from "vitest";
import type { RootKey } from "../src/seal-root-key.js";
import { SqliteRecordStore } from "../src/store-sqlite.js";
import { addKey, CHEAP, closedFile, openFile, secretOf, storePath } from "./file-support.js";
import { keyRecord } from "./fixtures/key-record.js";
import { keyAddress } from "./store-suite-records.js";
import { codeOf, errorOf, filled, ROOT_KEY, snapshot, temporaryFolder, thrownCode } from "./store-support.js";

const HEADER_MAGIC = "FENGNIKS";

describe("durability", () => {
  test("everything is there after the store is opened again", async () => {
    const path = storePath();
    const first = await openFile(path);
    const record = keyRecord("a", await first.change((records) => records.nextSequence()), {
      name: "n",
      dueAtMs: 1_999_999_999_999,
      description: "é",
    });
    await first.change((records) => {
      records.put(record);
      records.putSecret(record, 3, new SecretBytes(filled(2000, 7)));
    });
    first.close();
    const second = await openFile(path, { create: false });
    expect(second.view().findName("key", "local", "n")).toEqual(record);
    expect(second.view().nextDueAtMs()).toBe(1_999_999_999_999);
    expect(second.view().secret(record, 3).bytes()).toEqual(filled(2000, 7));
    expect(await second.change((records) => records.nextSequence())).toBe(2);
  });

  test("numbers are not given again after their record was removed", async () => {
    const path = await closedFile();
    const first = await openFile(path);
    await first.change((records) => records.remove(keyAddress("b")));
    first.close();
    expect(await (await openFile(path)).change((records) => records.nextSequence())).toBe(3);
  });

  test("a file of a closed store holds everything by itself", async () => {
    const path = await closedFile();
    const copy = storePath();
    copyFileSync(path, copy);
    expect(secretOf(await openFile(copy, { create: false }), "b")).toEqual(filled(32, 2));
  });

  test("only the owner may read the file and its journal", async () => {
    const path = storePath();
    await addKey(await openFile(path), "a", 1);
    for (const suffix of ["", "-wal", "-shm"]) expect(statSync(path + suffix).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(path, "..")).sort()).toEqual(["keys", "keys-shm", "keys-wal"]);
  });

  test("a change that changes nothing writes nothing", async () => {
    const path = storePath();
    const store = await openFile(path);
    await addKey(store, "a", 1);
    const size = (): number => statSync(`${path}-wal`).size;
    const before = size();
    await store.change((records) => records.get("key", "local", "a"));
    await errorOf(
      store.change((records) => {
        records.put(keyRecord("b", records.nextSequence()));
        throw new Error("in the change");
      }),
    );
    expect(size()).toBe(before);
  });

  test("two names of one file are one store", async () => {
    const path = storePath();
    const store = await openFile(path);
    symlinkSync("keys", `${path}-link`);
    const linked = await openFile(`${path}-link`);
    await addKey(linked, "a", 1);
    expect(secretOf(store, "a")).toEqual(filled(32, 1));
    expect(readdirSync(join(path, "..")).sort()).toEqual(["keys", "keys-link", "keys-shm", "keys-wal"]);
  });
});

describe("root key", () => {
  test("a passphrase opens the file in either Unicode form, at the cost that the file names", async () => {
    const path = storePath();
    const scrypt = { log2N: 10, r: 1, p: 1 };
    (await openFile(path, { rootKey: { passphrase: "u\u0308ber", scrypt } })).close();
    await openFile(path, { rootKey: { passphrase: "\u00fcber" }, create: false });
    expect([...headerOf(path).subarray(9, 13)]).toEqual([1, 10, 1, 1]);
  });

  test("the default cost is 2^17, 8, 1", async () => {
    const path = storePath();
    (await openFile(path, { rootKey: { passphrase: "p" } })).close();
    expect([...headerOf(path).subarray(9, 13)]).toEqual([1, 17, 8, 1]);
  });

  test.each<[string, RootKey, RootKey]>([
    ["another key", { key: ROOT_KEY }, { key: filled(32, 1) }],
    ["a passphrase for a key", { key: ROOT_KEY }, { passphrase: "correct horse" }],
    ["another passphrase", CHEAP, { passphrase: "correct horsf" }],
    ["a longer passphrase", CHEAP, { passphrase: "correct horse " }],
    ["a key for a passphrase", CHEAP, { key: ROOT_KEY }],
  ])("%s is refused as such, and the file stays as it was", async (_name, right, wrong) => {
    const path = await closedFile(right);
    const before = readFileSync(path);
    for (const create of [true, false]) {
      expect(await codeOf(SqliteRecordStore.open(path, { rootKey: wrong, create }))).toBe("ERR_ROOT_KEY");
    }
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(secretOf(await openFile(path, { rootKey: right }), "a")).toEqual(filled(32, 1));
  });
});

describe("the file while it is open", () => {
  test("removed or replaced by others: a typed error, and no change is acknowledged", async () => {
    const path = storePath();
    const store = await openFile(path);
    await addKey(store, "a", 1);
    rmSync(path);
    const view = (): unknown => store.view();
    expect(thrownCode(view)).toBe("ERR_STORE_DAMAGED");
    expect(await codeOf(addKey(store, "b", 2))).toBe("ERR_STORE_DAMAGED");
    copyFileSync(await closedFile(), path);
    const before = readFileSync(path);
    expect(thrownCode(view)).toBe("ERR_STORE_DAMAGED");
    expect(await codeOf(addKey(store, "b", 2))).toBe("ERR_STORE_DAMAGED");
    store.close();
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test("a secret of it is no longer held when its store forgets it, and is the same object until then", async () => {
    const path = await closedFile();
    const store = await openFile(path);
    const secret = store.view().secret(keyAddress("a"), 1);
    const other = await openFile(path);
    await addKey(other, "c", 3);
    await other.change((records) => records.put(keyRecord("a", 1, { state: "disabled" })));
    expect(store.view().get("key", "local", "a")?.state).toBe("disabled");
    expect(store.view().secret(keyAddress("a"), 1)).toBe(secret);
    await other.change((records) => records.putSecret(keyAddress("a"), 1, new SecretBytes(filled(32, 8))));
    expect(secretOf(store, "a")).toEqual(filled(32, 8));
    expect(secret.wiped).toBe(true);
  });
});

describe("a disk that is full", () => {
  test("the change fails, nothing of it is there, and smaller ones go on", async () => {
    const path = await closedFile();
    const { loadEngine } = await import("../src/store-sqlite-engine.js");
    const engine = await loadEngine();
    const store = await openFile(path, {
      engine: (name) => {
        const connection = engine(name);
        connection.exec("PRAGMA max_page_count = 14");
        return connection;
      },
    });
    const secret = new SecretBytes(filled(60_000, 4));
    const calls = [
      store.change((records) => records.put(keyRecord("small", records.nextSequence()))),
      store.change((records) => {
        records.put(keyRecord("large", records.nextSequence()));
        records.putSecret(keyAddress("large"), 1, secret);
      }),
    ];
    const answers = await Promise.allSettled(calls);
    expect(answers[1]).toMatchObject({ status: "rejected", reason: { code: "ERR_STORE_BUSY" } });
    expect(secret.wiped).toBe(true);
    const isThere = answers[0]?.status === "fulfilled";
    expect(store.view().get("key", "local", "small") !== undefined).toBe(isThere);
    expect(store.view().get("key", "local", "large")).toBeUndefined();
    await store.change((records) => records.put(keyRecord("b", 2, { state: "disabled" })));
    expect(secretOf(store, "a")).toEqual(filled(32, 1));
    store.close();
    const again = await openFile(path);
    expect(again.view().get("key", "local", "b")?.state).toBe("disabled");
    expect(again.view().get("key", "local", "large")).toBeUndefined();
  });

  test("a new file that cannot be made leaves nothing behind", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "sub"));
    const { loadEngine } = await import("../src/store-sqlite-engine.js");
    const engine = await loadEngine();
    const failing = SqliteRecordStore.open(join(folder, "sub", "keys"), {
      rootKey: { key: ROOT_KEY },
      create: true,
      engine: (name) => {
        const connection = engine(name);
        connection.exec("PRAGMA max_page_count = 3");
        return connection;
      },
    });
    expect(await codeOf(failing)).toBe("ERR_STORE_BUSY");
    expect(snapshot(join(folder, "sub"))).toEqual({});
  });
});

describe("secrecy on disk", () => {
  test("no secret and no root key is in the file or its journal, raw, in hex or in base64", async () => {
    const secret = Uint8Array.from({ length: 48 }, (_, index) => (index * 89 + 17) % 251);
    for (const rootKey of [{ key: Uint8Array.from({ length: 32 }, (_, i) => 255 - 7 * i) }, CHEAP]) {
      const path = storePath();
      const store = await openFile(path, { rootKey });
      await addKey(store, "a", 1, "findable");
      await store.change((records) => records.putSecret(keyAddress("a"), 1, new SecretBytes(Uint8Array.from(secret))));
      await store.change((records) => records.put(keyRecord("a", 1, { state: "disabled" })));
      const files = ["", "-wal", "-shm"].map((suffix) => readFileSync(path + suffix));
      store.close();
      const all = Buffer.concat([...files, readFileSync(path)]);
      expect(all.includes("findable")).toBe(true);
      expectAbsent(all, secret);
      if ("key" in rootKey) expectAbsent(all, rootKey.key);
      expect(all.includes("correct horse")).toBe(false);
    }
  });

  test("what was removed is not in the file any more", async () => {
    const path = storePath();
    const store = await openFile(path);
    await addKey(store, "gone-with-its-name", 1, "findable");
    await store.change((records) => records.remove(keyAddress("gone-with-its-name")));
    store.close();
    const file = readFileSync(path);
    for (const text of ["findable", "gone-with-its-name"]) expect(file.includes(text)).toBe(false);
  });

  function expectAbsent(file: Buffer, secret: Uint8Array): void {
    const text = file.toString("latin1");
    const bytes = Buffer.from(secret);
    for (let at = 0; at + 9 <= bytes.length; at += 3) {
      const part = bytes.subarray(at, at + 9);
      expect(file.includes(part)).toBe(false);
      expect(text.toLowerCase().includes(part.toString("hex"))).toBe(false);
      expect(text.includes(part.toString("base64"))).toBe(false);
    }
  }
});

/** The sealed header of a closed file. */
function headerOf(path: string): Buffer {
  const bytes = readFileSync(path);
  const at = bytes.indexOf(HEADER_MAGIC);
  return bytes.subarray(at, at + 125);
}
