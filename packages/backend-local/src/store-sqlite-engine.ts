// Obtains an SQLite engine, lazily, and makes those there are look alike. It must not know tables or what they hold.
import { FengniError } from "@fengni/core";
import { plainBytes } from "./checks.js";

/** What can be bound and read. */
export type SqlValue = string | number | null | Uint8Array;
/** A row by column names. */
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** A prepared statement. */
export interface SqlStatement {
  run(...values: readonly SqlValue[]): void;
  get(...values: readonly SqlValue[]): SqlRow | undefined;
  all(...values: readonly SqlValue[]): readonly SqlRow[];
}

/** A connection to one file. */
export interface SqlConnection {
  exec(sql: string): void;
  prepare(sql: string): SqlStatement;
  close(): void;
}

/** The engines that are known, the preferred one first. */
export const SQL_ENGINES = ["libsql", "node:sqlite"] as const;
/** The name of an engine. */
export type SqlEngineName = (typeof SQL_ENGINES)[number];
/** Opens a file. */
export type SqlEngine = (path: string) => SqlConnection;

/** What the engines have in common, as far as it is used here. */
interface RawConnection {
  exec(sql: string): unknown;
  prepare(sql: string): Record<"run" | "get" | "all", (...values: unknown[]) => unknown>;
  close(): void;
}
type RawEngine = new (path: string, options: object) => RawConnection;

/**
 * Loads an engine.
 * @param name - default: the first that is there
 * @throws FengniError `ERR_NOT_SUPPORTED` when there is none
 */
export async function loadEngine(name?: SqlEngineName): Promise<SqlEngine> {
  const causes: unknown[] = [];
  for (const candidate of name === undefined ? SQL_ENGINES : [name]) {
    try {
      return await LOADERS[candidate]();
    } catch (cause) {
      causes.push(cause);
    }
  }
  throw new FengniError(
    "ERR_NOT_SUPPORTED",
    "a key store in a file needs SQLite, which is not there: install the package libsql, or use Node 22.13 or newer",
    { cause: new AggregateError(causes), details: { operation: "openFileKeystore", reason: "no-sqlite" } },
  );
}

const LOADERS: Readonly<Record<SqlEngineName, () => Promise<SqlEngine>>> = {
  libsql: async () => {
    const loaded: { readonly default?: unknown } = await import("libsql");
    const Engine = engineOf(loaded.default);
    // One list of values: a lone byte string would be taken for named ones.
    return (path) => adapt(new Engine(path, { timeout: 0 }), (values) => [values]);
  },
  "node:sqlite": async () => {
    // Not a literal: the types of the oldest supported runtime do not have it, and bundlers must not look for it.
    const name: string = "node:sqlite";
    const loaded: { readonly DatabaseSync?: unknown } = await import(/* @vite-ignore */ name);
    const Engine = engineOf(loaded.DatabaseSync);
    return (path) => adapt(new Engine(path, { timeout: 0, allowExtension: false }), (values) => values);
  },
};

function engineOf(value: unknown): RawEngine {
  if (typeof value !== "function") throw new TypeError("the module is not an SQLite engine");
  return value as RawEngine;
}

function adapt(
  raw: RawConnection,
  argumentsOf: (values: readonly SqlValue[]) => unknown[] | readonly unknown[],
): SqlConnection {
  return {
    exec: (sql) => void raw.exec(sql),
    close: () => raw.close(),
    prepare: (sql) => {
      const statement = raw.prepare(sql);
      return {
        run: (...values) => void statement.run(...argumentsOf(values)),
        get: (...values) => {
          const row = statement.get(...argumentsOf(values));
          return row === undefined || row === null ? undefined : rowOf(row);
        },
        all: (...values) => (statement.all(...argumentsOf(values)) as object[]).map(rowOf),
      };
    },
  };
}

/** A row of plain values: engines give bytes as a Buffer, an ArrayBuffer or a Uint8Array, and may add fields of their own. */
function rowOf(raw: unknown): SqlRow {
  const row: Record<string, SqlValue> = {};
  for (const [column, value] of Object.entries(raw as object)) {
    if (value instanceof Uint8Array) row[column] = plainBytes(value);
    else if (value instanceof ArrayBuffer) row[column] = new Uint8Array(value);
    else if (typeof value === "string" || typeof value === "number" || value === null) row[column] = value;
  }
  return row;
}

/** The extended result code of an engine's error; undefined for any other error. https://www.sqlite.org/rescode.html */
export function resultCode(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const { errcode, rawCode } = error as { readonly errcode?: unknown; readonly rawCode?: unknown };
  if (typeof errcode === "number") return errcode;
  return typeof rawCode === "number" ? rawCode : undefined;
}
