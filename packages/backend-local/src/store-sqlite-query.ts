// Queries as statements. Names of fields become part of a statement and are checked; all else is bound. It must not know rows.
import type { RecordKind } from "./records.js";
import type { RecordQuery } from "./store.js";
import type { SqlValue } from "./store-sqlite-engine.js";

/** A condition and its values. */
export interface SqlCondition {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

/** The condition of a query that {@link checkQuery} has seen. */
export function conditionOf(query: RecordQuery<RecordKind>): SqlCondition {
  const parts = ["kind = ? AND region = ?"];
  const values: SqlValue[] = [query.kind, query.region];
  if (query.afterSequence !== undefined) {
    parts.push("sequence > ?");
    values.push(query.afterSequence);
  }
  for (const [field, value] of Object.entries(query.equals ?? {})) {
    parts.push(`json_extract(data, '$.${field}') = ?`);
    values.push(value);
  }
  if (query.contains !== undefined && query.contains !== "") {
    // SQLite's lower() knows ASCII only, and LIKE would take "%" and "_" for more than themselves.
    parts.push("(instr(lower(id), lower(?)) > 0 OR instr(lower(name), lower(?)) > 0)");
    values.push(query.contains, query.contains);
  }
  for (const { key, values: wanted } of query.tags ?? []) {
    const isAny = wanted.length === 0;
    const among = isAny ? "" : " AND tag.value IN (SELECT value FROM json_each(?))";
    parts.push(`EXISTS (SELECT 1 FROM json_each(data, '$.tags') AS tag WHERE tag.key = ?${among})`);
    values.push(key, ...(isAny ? [] : [JSON.stringify(wanted)]));
  }
  return { sql: parts.join(" AND "), values };
}
