// Records, changes and queries that the parts of the store suite share. It must not know stores.
import type { KeyRecord, RecordAddress, StoredRecord } from "../src/records.js";
import type { RecordQuery, RecordStore, RecordTransaction } from "../src/store.js";

/** The address of {@link keyRecord}. */
export function keyAddress(id: string, region = "local"): RecordAddress {
  return { kind: "key", region, id };
}

/** A change that puts records. */
export function put(...records: readonly StoredRecord[]): (transaction: RecordTransaction) => void {
  return (transaction) => {
    for (const record of records) transaction.put(record);
  };
}

/** What changes fail with. */
export const BROKEN: Error = new Error("in the change");

/** All keys of the region. */
export const ALL: RecordQuery<"key"> = { kind: "key", region: "local", order: "oldest-first", offset: 0, limit: 100 };
/** The ids of the keys that a query finds, as one text, with the rest of the answer. */
export function query(
  store: RecordStore,
  part: Partial<RecordQuery<"key">> = {},
): { ids: string; total: number; records: readonly KeyRecord[] } {
  const { records, total } = store.view().query({ ...ALL, ...part });
  return { ids: records.map(({ id }) => id).join(""), total, records };
}
