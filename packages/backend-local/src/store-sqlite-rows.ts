// Records as rows, each with a value that only the store's key gives it. It must not know SQL, nor what records are for.
import { equalBytes } from "@fengni/crypto/bytes";
import type { StoredRecord } from "./records.js";
import type { StoreSeal } from "./seal.js";
import { storeDamaged } from "./store-errors.js";
import type { SqlRow, SqlValue } from "./store-sqlite-engine.js";

/** The columns that {@link readRow} needs. */
export const RECORD_COLUMNS = "number, kind, region, id, sequence, name, dueAtMs, data, mac";

/** A record with what the file has of it. */
export interface RecordRow {
  readonly record: StoredRecord;
  /** The row's number, which its secrets refer to. */
  readonly number: number;
  readonly mac: Uint8Array;
}

/** The values of kind, region, id, sequence, name, dueAtMs, data and mac. */
export function writeRow(
  record: StoredRecord,
  seal: StoreSeal,
): { readonly values: SqlValue[]; readonly mac: Uint8Array } {
  const { kind, region, id, sequence, name = null, dueAtMs = null } = record;
  const columns = [kind, region, id, sequence, name, dueAtMs, JSON.stringify(record)];
  const mac = seal.mac(recordText(columns));
  return { values: [...columns, mac], mac };
}

/**
 * A row's record, once it is known to be what was written.
 * @param known - a row that was read before; when it is the same, its record stays the same object
 * @throws FengniError `ERR_STORE_DAMAGED`
 */
export function readRow(row: SqlRow, seal: StoreSeal, known: RecordRow | undefined): RecordRow {
  const { number, kind, region, id, sequence, name, dueAtMs, data, mac } = row as Record<string, SqlValue>;
  if (typeof number !== "number" || typeof data !== "string" || !(mac instanceof Uint8Array)) throw rowDamaged(id);
  const columns = [kind, region, id, sequence, name, dueAtMs, data] as SqlValue[];
  if (!equalBytes(macOf(seal, columns), mac)) throw rowDamaged(id);
  if (known !== undefined && known.number === number && equalBytes(known.mac, mac)) return known;
  // What has the store's own mark was written by `writeRow`.
  return { record: JSON.parse(data) as StoredRecord, number, mac };
}

/** The mark of a row that {@link readRow} has read, under another key. */
export function markRow({ kind, region, id, sequence, name, dueAtMs, data }: SqlRow, seal: StoreSeal): Uint8Array {
  return macOf(seal, [kind, region, id, sequence, name, dueAtMs, data] as SqlValue[]);
}

/** The text that vouches for the highest sequence. */
export function sequenceText(sequence: number): string {
  return JSON.stringify(["sequence", sequence]);
}

function recordText(columns: readonly SqlValue[]): string {
  return JSON.stringify(["record", ...columns]);
}

function macOf(seal: StoreSeal, columns: readonly SqlValue[]): Uint8Array {
  return seal.mac(recordText(columns));
}

function rowDamaged(id: SqlValue | undefined): Error {
  const shown = typeof id === "string" && /^[A-Za-z0-9_-]{1,80}$/.test(id) ? ` ${id}` : "";
  return storeDamaged(`the record${shown} was changed`);
}
