// What the tests of key store files share: stores that are closed, and a way past the store to the file's tables.
import { join } from "node:path";
import { SecretBytes } from "@fengni/crypto/secret";
import { afterEach } from "vitest";
import type { RootKey } from "../src/seal-root-key.js";
import { SqliteRecordStore, type SqliteStoreOptions } from "../src/store-sqlite.js";
import { loadEngine, type SqlConnection } from "../src/store-sqlite-engine.js";
import { keyRecord } from "./fixtures/key-record.js";
import { keyAddress } from "./store-suite-records.js";
import { filled, ROOT_KEY, temporaryFolder } from "./store-support.js";

/** A passphrase that costs little. */
export const CHEAP: RootKey = { passphrase: "correct horse", scrypt: { log2N: 10, r: 1, p: 1 } };

/** A name in a folder of its own. */
export function storePath(): string {
  return join(temporaryFolder(), "keys");
}

const open: { close(): void }[] = [];

afterEach(() => {
  for (const closable of open.splice(0)) closable.close();
});

/** Opens a store, and closes it after the test. */
export async function openFile(path: string, options: Partial<SqliteStoreOptions> = {}): Promise<SqliteRecordStore> {
  const store = await SqliteRecordStore.open(path, { rootKey: { key: ROOT_KEY }, create: true, ...options });
  open.push(store);
  return store;
}

/** Opens a file with the engine alone, and closes it after the test. */
export async function openRaw(path: string): Promise<SqlConnection> {
  const connection = (await loadEngine())(path);
  let isClosed = false;
  const once: SqlConnection = {
    exec: (sql) => connection.exec(sql),
    prepare: (sql) => connection.prepare(sql),
    close: () => {
      if (!isClosed) connection.close();
      isClosed = true;
    },
  };
  open.push(once);
  return once;
}

/** Makes a record with a secret of 32 bytes in slot 1. */
export async function addKey(store: SqliteRecordStore, id: string, fill: number, name?: string): Promise<void> {
  await store.change((records) => {
    records.put(
      keyRecord(id, records.nextSequence(), {
        dueAtMs: 1_732_440_000_000 + fill,
        ...(name === undefined ? {} : { name }),
      }),
    );
    records.putSecret(keyAddress(id), 1, new SecretBytes(filled(32, fill)));
  });
}

/** A copy of a key's secret. */
export function secretOf(store: SqliteRecordStore, id: string): Uint8Array {
  return store.view().secret(keyAddress(id), 1).bytes().slice();
}

/** A closed file with the keys `a` and `b`. */
export async function closedFile(rootKey: RootKey = { key: ROOT_KEY }): Promise<string> {
  const path = storePath();
  const store = await openFile(path, { rootKey });
  await addKey(store, "a", 1, "alias-of-a");
  await addKey(store, "b", 2, "alias-of-b");
  store.close();
  return path;
}
