// Records in one sealed SQLite file that processes may share. It must not know clocks or callers, nor what a record is for.

import { StoreSeal } from "./seal.js";
import type { RootKey } from "./seal-root-key.js";
import type { ChangeOptions, RecordStore, RecordTransaction, RecordView } from "./store.js";
import { outsideChange, storeClosed, storeDamaged, storeUnwritable } from "./store-errors.js";
import { SqliteChange } from "./store-sqlite-change.js";
import { loadEngine, type SqlConnection, type SqlEngine } from "./store-sqlite-engine.js";
import { createFile, holdFile, resolveTarget, type StoreFile, statOf } from "./store-sqlite-file.js";
import { ChangeQueue, type WaitingChange } from "./store-sqlite-queue.js";
import { SqliteRecords } from "./store-sqlite-records.js";
import { sequenceText } from "./store-sqlite-rows.js";
import { checkSchema, endOpening, fillFile, setUpConnection } from "./store-sqlite-schema.js";
import { SqliteSession, translated } from "./store-sqlite-session.js";

/** How many changes share a transaction at most, and after how long the next one begins: the event loop waits meanwhile. */
const MAX_GROUP = 1000;
const MAX_GROUP_MS = 50;

/** How a store is opened. */
export interface SqliteStoreOptions {
  readonly rootKey: RootKey;
  /** Whether to make the file when there is none; default false. */
  readonly create?: boolean;
  /** Default: the first engine that is there. */
  readonly engine?: SqlEngine;
}

/**
 * A store in a file. What it detects: a record, a secret or the header that was changed, and secrets that changed places. What it
 * cannot detect: whole rows, or the whole file, that were removed or put back as they were before.
 */
export class SqliteRecordStore implements RecordStore {
  readonly #session: SqliteSession;
  readonly #seal: StoreSeal;
  readonly #file: StoreFile;
  readonly #records: SqliteRecords;
  readonly #queue: ChangeQueue;
  #isInGroup = false;
  #isClosed = false;

  private constructor(session: SqliteSession, seal: StoreSeal, file: StoreFile) {
    this.#session = session;
    this.#seal = seal;
    this.#file = file;
    this.#records = new SqliteRecords(session, seal, file);
    this.#queue = new ChangeQueue({ begin: () => this.#begin(), runGroup: (next) => this.#runGroup(next) });
  }

  /**
   * Opens a file, or makes it.
   * @throws FengniError `ERR_STORE_NOT_FOUND`, `ERR_STORE_DAMAGED`, `ERR_STORE_BUSY`, `ERR_ROOT_KEY`, `ERR_NOT_SUPPORTED`
   */
  static async open(path: string, options: SqliteStoreOptions): Promise<SqliteRecordStore> {
    const target = resolveTarget(path);
    const engine = options.engine ?? (await loadEngine());
    let seal: StoreSeal | undefined;
    if (options.create === true && statOf(target) === undefined)
      seal = await createStore(target, options.rootKey, engine);
    const { file, connection } = connect(target, engine);
    try {
      seal ??= await StoreSeal.open(options.rootKey, readHeader(connection));
      const store = new SqliteRecordStore(new SqliteSession(connection), seal, file);
      store.view();
      return store;
    } catch (error) {
      seal?.wipe();
      connection.close();
      file.release();
      throw error;
    }
  }

  view(): RecordView {
    if (this.#isClosed) throw storeClosed();
    if (!this.#isInGroup) this.#records.refresh();
    return this.#records;
  }

  async change<Result>(apply: (records: RecordTransaction) => Result, options?: ChangeOptions): Promise<Result> {
    options?.signal?.throwIfAborted();
    if (this.#isClosed) throw storeClosed();
    if (this.#isInGroup) throw outsideChange();
    return new Promise<Result>((resolve, reject) => {
      let result: { readonly value: Result } | undefined;
      let change: SqliteChange | undefined;
      const waiting: WaitingChange = {
        run: () => {
          change = new SqliteChange(this.#records);
          try {
            result = { value: apply(change) };
          } finally {
            change.end();
          }
        },
        keep: () => {
          change?.keep();
          if (result !== undefined) resolve(result.value);
        },
        fail: (error) => {
          change?.takeBack();
          reject(error);
        },
      };
      this.#queue.add(waiting, options);
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#queue.failAll(storeClosed());
    // Inside a change the transaction is still to be taken back.
    if (!this.#isInGroup) this.#letGo();
  }

  #letGo(): void {
    this.#records.close();
    this.#seal.wipe();
    try {
      // So that the file alone holds everything; when others are in the way, the last of them sees to it.
      this.#session.checkpoint();
    } catch {
      // What was acknowledged is in the journal.
    }
    this.#session.close();
    this.#file.release();
  }

  #begin(): boolean {
    this.#file.check();
    return this.#session.begin();
  }

  #runGroup(next: () => WaitingChange | undefined): void {
    const done: WaitingChange[] = [];
    let hasStarted = false;
    this.#isInGroup = true;
    try {
      this.#records.resetSequence(undefined);
      this.#records.refresh();
      hasStarted = true;
      const startedMs = performance.now();
      while (done.length < MAX_GROUP && performance.now() - startedMs < MAX_GROUP_MS) {
        const change = next();
        if (change === undefined) break;
        if (this.#runOne(change)) done.push(change);
        if (this.#isClosed) throw storeClosed();
      }
      // Changes that failed have written, too: it need not reach the disk.
      if (done.length === 0) this.#session.rollback();
      else this.#commit();
    } catch (error) {
      this.#session.rollback();
      // The newest first, so that each finds what it left.
      for (const change of done.reverse()) change.fail(error);
      if (!hasStarted) next()?.fail(error);
      return;
    } finally {
      this.#isInGroup = false;
      if (this.#isClosed) this.#letGo();
    }
    for (const change of done) change.keep();
  }

  #commit(): void {
    this.#records.writeSequence();
    this.#session.commit();
  }

  /** @returns whether it is part of the transaction; it failed otherwise, alone */
  #runOne(change: WaitingChange): boolean {
    try {
      this.#session.exec("SAVEPOINT one");
      change.run();
      this.#session.exec("RELEASE one");
      return true;
    } catch (error) {
      try {
        this.#session.exec("ROLLBACK TO one; RELEASE one");
      } catch (cause) {
        // The engine took the whole transaction back.
        change.fail(error);
        throw storeUnwritable("a change that was made at the same time failed", cause);
      }
      change.fail(error);
      return false;
    }
  }
}

/** Connects to a file that was recognised. The caller closes the one and releases the other. */
export function connect(
  path: string,
  engine: SqlEngine,
): { readonly file: StoreFile; readonly connection: SqlConnection } {
  const file = holdFile(path);
  let connection: SqlConnection | undefined;
  try {
    const opened = translated(() => engine(path));
    connection = opened;
    translated(() => {
      setUpConnection(opened);
      checkSchema(opened);
      endOpening(opened);
    });
    return { file, connection };
  } catch (error) {
    connection?.close();
    file.release();
    throw error;
  }
}

/** The header of a file. */
export function readHeader(connection: SqlConnection): Uint8Array {
  const header = translated(() => connection.prepare("SELECT header FROM keystore").get()?.["header"]);
  if (!(header instanceof Uint8Array)) throw storeDamaged("its header is not there");
  return header;
}

/** @returns the seal of the new file, or undefined when somebody else made it meanwhile */
async function createStore(path: string, rootKey: RootKey, engine: SqlEngine): Promise<StoreSeal | undefined> {
  const seal = await StoreSeal.create(rootKey);
  let isMine = false;
  try {
    const mac = seal.mac(sequenceText(0));
    isMine = createFile(path, (temporary) => translated(() => fillFile(engine, temporary, seal.header, mac)));
    return isMine ? seal : undefined;
  } finally {
    if (!isMine) seal.wipe();
  }
}
