// One connection to a key store's file: statements that stay prepared, engine errors as typed ones, transactions. It must not know
// records, seals or what is remembered.
import type { FengniError } from "@fengni/core";
import { storeBusy, storeDamaged, storeUnwritable } from "./store-errors.js";
import {
  resultCode,
  type SqlConnection,
  type SqlRow,
  type SqlStatement,
  type SqlValue,
} from "./store-sqlite-engine.js";

// Primary result codes. https://www.sqlite.org/rescode.html
const PERM = 3;
const BUSY = 5;
const LOCKED = 6;
const NOMEM = 7;
const READONLY = 8;
const IOERR = 10;
const FULL = 13;
const CANTOPEN = 14;
const CONSTRAINT = 19;
// Extended ones.
const IOERR_READ = 266;
const IOERR_SHORT_READ = 522;
/** How long a read may block for a process that recovers the journal of one that was killed. */
const RECOVERY_WAIT_MS = 2000;

const UNWRITABLE: ReadonlyMap<number, string> = new Map([
  [PERM, "it is not allowed"],
  [NOMEM, "there is not enough memory"],
  [READONLY, "the file or its folder is read-only"],
  [IOERR, "the disk gave an error"],
  [FULL, "the disk is full"],
  [CANTOPEN, "its journal cannot be made"],
]);

/** A connection, with every failure typed. */
export class SqliteSession {
  readonly #connection: SqlConnection;
  readonly #statements = new Map<string, SqlStatement>();
  #isInTransaction = false;

  constructor(connection: SqlConnection) {
    this.#connection = connection;
  }

  get(sql: string, ...values: readonly SqlValue[]): SqlRow | undefined {
    return this.#read(() => this.#statement(sql).get(...values));
  }

  all(sql: string, ...values: readonly SqlValue[]): readonly SqlRow[] {
    return this.#read(() => this.#statement(sql).all(...values));
  }

  run(sql: string, ...values: readonly SqlValue[]): void {
    translated(() => this.#statement(sql).run(...values));
  }

  /** Changes when another connection commits, and then only. https://www.sqlite.org/pragma.html#pragma_data_version */
  dataVersion(): SqlValue | undefined {
    return this.get("PRAGMA data_version")?.["data_version"];
  }

  /** Begins to write. @returns false when somebody else does */
  begin(): boolean {
    try {
      // Not prepared: a statement that met a lock may keep later transactions from ending.
      this.#connection.exec("BEGIN IMMEDIATE");
    } catch (error) {
      const code = primaryCode(error);
      if (code === BUSY || code === LOCKED) return false;
      throw typedError(error);
    }
    this.#isInTransaction = true;
    return true;
  }

  commit(): void {
    translated(() => this.#connection.exec("COMMIT"));
    this.#isInTransaction = false;
  }

  /** Takes back all since `begin`; after some failures the engine has done so by itself. */
  rollback(): void {
    this.#isInTransaction = false;
    try {
      this.#connection.exec("ROLLBACK");
    } catch {
      // There is no transaction any more.
    }
  }

  /** Statements without values and rows, for points to which a part of a transaction goes back. */
  exec(sql: string): void {
    translated(() => this.#connection.exec(sql));
  }

  /**
   * Moves the journal into the file and empties it.
   * @returns whether that was possible: nobody else was in the way
   */
  checkpoint(): boolean {
    return this.get("PRAGMA wal_checkpoint(TRUNCATE)")?.["busy"] === 0;
  }

  close(): void {
    this.#statements.clear();
    this.#connection.close();
  }

  #statement(sql: string): SqlStatement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#connection.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #read<Result>(read: () => Result): Result {
    try {
      return read();
    } catch (error) {
      if (primaryCode(error) !== BUSY || this.#isInTransaction) throw typedError(error);
    }
    // In this journal mode readers wait for nobody, but for a recovery, which is short.
    this.#connection.exec(`PRAGMA busy_timeout = ${RECOVERY_WAIT_MS}`);
    try {
      return translated(read);
    } finally {
      this.#connection.exec("PRAGMA busy_timeout = 0");
    }
  }
}

/** Whether an engine refused a value that has to be unique. */
export function isConstraint(error: unknown): boolean {
  return error instanceof Error && primaryCode(error.cause) === CONSTRAINT;
}

/** Runs a section of an engine; what it throws is typed. */
export function translated<Result>(section: () => Result): Result {
  try {
    return section();
  } catch (error) {
    throw typedError(error);
  }
}

function typedError(error: unknown): FengniError | unknown {
  const code = resultCode(error);
  const primary = primaryCode(error);
  if (code === undefined || primary === undefined) {
    // Numbers beyond 2^53, which no store writes, make an engine throw errors of its own kind.
    return error instanceof RangeError ? storeDamaged("it holds values that no store writes", error) : error;
  }
  if (primary === BUSY || primary === LOCKED) return storeBusy("another process is using it: try again", error);
  if (code === IOERR_READ || code === IOERR_SHORT_READ) return storeDamaged("it cannot be read", error);
  const why = UNWRITABLE.get(primary);
  return why === undefined
    ? storeDamaged("it is damaged, or not as this release wrote it", error)
    : storeUnwritable(why, error);
}

function primaryCode(error: unknown): number | undefined {
  const code = resultCode(error);
  return code === undefined ? undefined : code & 0xff;
}
