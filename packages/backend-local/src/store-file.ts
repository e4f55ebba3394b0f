// Keys in one sealed file that several processes may share: every read sees the newest file, every change is durable before it
// is acknowledged. It must not know the file's inner form (seal.ts, store-records.ts) nor what keys are for.
import { closeSync, type Stats } from "node:fs";
import { wipe } from "@fengni/crypto/bytes";
import { argumentError, checkFields, checkText, limitError } from "./checks.js";
import type { Clock } from "./clock.js";
import type { KeyTable } from "./keys.js";
import { LocalKms } from "./kms.js";
import { StoreSeal, storeDamaged } from "./seal.js";
import { checkRootKey, type RootKey } from "./seal-root-key.js";
import { type ChangeOptions, type KeyStore, type KeyTransaction, MemoryTable } from "./store.js";
import { MAX_FILE_BYTES, readWhole, resolveTarget, statOf, writeDurably } from "./store-disk.js";
import { withLock } from "./store-lock.js";
import { storeClosed } from "./store-memory.js";
import { formatRecords, parseRecords } from "./store-records.js";

const LOCK_SUFFIX = ".lock";

/** How a key store file is opened. */
export interface FileKeystoreOptions {
  /** Opens the file; for a new one, seals it. */
  readonly rootKey: RootKey;
  /** Whether to make the file when there is none; default false. */
  readonly create?: boolean;
  /** Default: the system's clock. */
  readonly clock?: Clock;
}

/**
 * Opens a local KMS whose keys are in a sealed file. Processes may share the file; none loses a key of another.
 * @param path - the file; beside it stand, while a change is written, `<path>.lock` and a temporary file
 * @returns the KMS, which the caller closes
 * @throws FengniError `ERR_ROOT_KEY` for a wrong root key; `ERR_STORE_NOT_FOUND` for one that is missing (without `create`); `ERR_STORE_DAMAGED` for a file that is
 *   foreign, damaged or unreadable; `ERR_STORE_BUSY` when a new file cannot be written; TypeError or RangeError
 *   `ERR_ARGUMENT` for wrong arguments. The file stays as it was
 *
 * @example
 * const kms = await openFileKeystore("keys.fengni", { rootKey: { passphrase }, create: true });
 */
export async function openFileKeystore(path: string, options: FileKeystoreOptions): Promise<LocalKms> {
  if (checkText("path", path) === "") throw argumentError("path expected the name of a file");
  checkFields("openFileKeystore", options, ["rootKey", "create", "clock"]);
  checkRootKey(options.rootKey);
  const store = await FileKeyStore.open(path, options.rootKey, options.create ?? false);
  return new LocalKms({ store, ...(options.clock === undefined ? {} : { clock: options.clock }) });
}

/** What was read of the file, and the open file itself. */
interface Loaded {
  /** Kept open, so that no other file can get its inode number: the same number is the same file. */
  readonly file: number;
  readonly stats: Stats;
  readonly table: MemoryTable;
}

class FileKeyStore implements KeyStore {
  readonly #path: string;
  readonly #seal: StoreSeal;
  #loaded: Loaded | undefined;
  #isClosed = false;

  private constructor(path: string, seal: StoreSeal) {
    this.#path = path;
    this.#seal = seal;
  }

  static async open(path: string, rootKey: RootKey, create: boolean): Promise<FileKeyStore> {
    const target = resolveTarget(path);
    if (create && statOf(target) === undefined) {
      const seal = await StoreSeal.create(rootKey);
      let isMine = false;
      try {
        isMine = await withLock(target + LOCK_SUFFIX, undefined, () => {
          if (statOf(target) !== undefined) return false;
          writeDurably(target, sealTable(seal, new MemoryTable()));
          return true;
        });
      } finally {
        if (!isMine) seal.wipe();
      }
      if (isMine) return FileKeyStore.#opened(target, seal);
    }
    const { file, bytes } = readWhole(target);
    closeSync(file);
    return FileKeyStore.#opened(target, await StoreSeal.open(rootKey, bytes));
  }

  static #opened(path: string, seal: StoreSeal): FileKeyStore {
    const store = new FileKeyStore(path, seal);
    try {
      store.view();
      return store;
    } catch (error) {
      store.close();
      throw error;
    }
  }

  view(): KeyTable {
    return this.#current();
  }

  async change<Result>(apply: (keys: KeyTransaction) => Result, options?: ChangeOptions): Promise<Result> {
    options?.signal?.throwIfAborted();
    if (this.#isClosed) throw storeClosed();
    return withLock(this.#path + LOCK_SUFFIX, options, () => {
      const draft = this.#current().draft();
      const result = apply(draft);
      if (draft.isChanged) {
        writeDurably(this.#path, sealTable(this.#seal, draft));
        this.#load(draft);
      }
      return result;
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#seal.wipe();
    this.#loaded?.table.wipeAllBut();
    if (this.#loaded !== undefined) closeSync(this.#loaded.file);
    this.#loaded = undefined;
  }

  /** The table of the newest file. */
  #current(): MemoryTable {
    if (this.#isClosed) throw storeClosed();
    const stats = statOf(this.#path);
    if (stats === undefined) throw storeDamaged(`there is no file ${this.#path} any more`);
    if (this.#loaded !== undefined && isSameFile(stats, this.#loaded.stats)) return this.#loaded.table;
    return this.#load(this.#loaded?.table ?? new MemoryTable());
  }

  /** Reads the file; versions of `known` that are in it stay the same objects. */
  #load(known: MemoryTable): MemoryTable {
    const { file, stats, bytes } = readWhole(this.#path);
    let table: MemoryTable;
    try {
      const payload = this.#seal.unseal(bytes);
      try {
        table = parseRecords(payload, known);
      } finally {
        wipe(payload);
      }
    } catch (error) {
      closeSync(file);
      throw error;
    }
    if (this.#loaded !== undefined) {
      this.#loaded.table.wipeAllBut(table);
      closeSync(this.#loaded.file);
    }
    this.#loaded = { file, stats, table };
    return table;
  }
}

function sealTable(seal: StoreSeal, table: MemoryTable): Uint8Array {
  const payload = formatRecords(table);
  try {
    const bytes = seal.seal(payload);
    if (bytes.length <= MAX_FILE_BYTES) return bytes;
    throw limitError("key store length in bytes", MAX_FILE_BYTES, bytes.length, "delete keys or use another store");
  } finally {
    wipe(payload);
  }
}

function isSameFile(a: Stats, b: Stats): boolean {
  return a.ino === b.ino && a.dev === b.dev && a.size === b.size && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs;
}
