// What every store refuses alike, and what a query asks of a record. It must not know where records are.
import { argumentError } from "./checks.js";
import type { RecordAddress, RecordKind, StoredRecord } from "./records.js";
import type { RecordQuery } from "./store.js";

const FIELD = /^[A-Za-z]{1,40}$/;
const UPPER_CASE = /[A-Z]/g;

/** Ids and names that every store can keep: some engines end a text at a NUL. @throws TypeError `ERR_ARGUMENT` */
export function checkRecordTexts({ region, id, name = "" }: RecordAddress & { readonly name?: string }): void {
  if (hasNul(region) || hasNul(id) || hasNul(name)) throw argumentError("regions, ids and names expected no NUL");
}

/** Whether text holds a NUL: no record has such an id or name. */
export function hasNul(text: string): boolean {
  return text.includes("\0");
}

/** Checks the parts of a query that become part of a statement. @throws TypeError `ERR_ARGUMENT` */
export function checkQuery(query: RecordQuery<RecordKind>): void {
  for (const field of Object.keys(query.equals ?? {})) {
    if (!FIELD.test(field)) throw argumentError(`a query expected names of letters, got the field "${field}"`);
  }
  for (const [name, value] of [
    ["offset", query.offset],
    ["limit", query.limit],
    ["afterSequence", query.afterSequence ?? 0],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < 0)
      throw argumentError(`a query expected a whole number as its ${name}`);
  }
}

/** Whether a query asks for anything beside kind, region and sequence. */
export function isFiltered(query: RecordQuery<RecordKind>): boolean {
  return (
    Object.keys(query.equals ?? {}).length > 0 ||
    (query.contains ?? "") !== "" ||
    (query.tags !== undefined && query.tags.length > 0)
  );
}

/** Tells whether a record of the query's kind and region meets its other conditions, sequence aside. */
export function matcherOf(query: RecordQuery<RecordKind>): (record: StoredRecord) => boolean {
  const equals = Object.entries(query.equals ?? {});
  const part = lowerCase(query.contains ?? "");
  const tags = query.tags ?? [];
  return (record) => {
    const fields = record as unknown as Readonly<Record<string, unknown>>;
    for (const [field, value] of equals) if (fields[field] !== value) return false;
    if (part !== "" && !lowerCase(record.id).includes(part) && !lowerCase(record.name ?? "").includes(part))
      return false;
    return tags.every((tag) => hasTag(record, tag));
  };
}

function hasTag({ tags = {} }: StoredRecord, { key, values }: { key: string; values: readonly string[] }): boolean {
  return Object.hasOwn(tags, key) && (values.length === 0 || values.includes(tags[key] as string));
}

// Of ASCII only, as SQLite does it: every store must find the same.
function lowerCase(text: string): string {
  return text.replace(UPPER_CASE, (letter) => letter.toLowerCase());
}
