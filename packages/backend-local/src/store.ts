// What a store of keys must do, and the table in memory that stores are made of. It must not know files, clocks or callers.
import type { CallOptions } from "@fengni/core";
import type { KeyRecord, KeyTable, KeyVersion } from "./keys.js";

/** The keys inside one change. */
export interface KeyTransaction extends KeyTable {
  /** A number above every sequence that this store ever gave. */
  nextSequence(): number;
  /** Adds a record, or replaces the one with its id. */
  put(record: KeyRecord): void;
  remove(keyId: string): void;
}

/** How a change is made. */
export interface ChangeOptions extends CallOptions {
  /** How long to wait for other writers, in milliseconds; default 10,000. */
  readonly maxWaitMs?: number;
}

/** Holds records of keys. Whoever is given a store owns it. */
export interface KeyStore {
  /**
   * The newest state, also of changes that another process acknowledged.
   * @throws FengniError `ERR_STORE_DAMAGED` or `ERR_ROOT_KEY` when the state can no longer be read, `ERR_CLOSED`
   */
  view(): KeyTable;
  /**
   * Applies a change to the newest state, alone, and makes it durable before it resolves. Nothing is changed when it rejects.
   * Material that no record holds afterwards is wiped.
   * @param apply - called once, synchronous; what it throws is what the change rejects with
   * @throws FengniError `ERR_STORE_BUSY` when the state cannot be written, and as {@link KeyStore.view}
   */
  change<Result>(apply: (keys: KeyTransaction) => Result, options?: ChangeOptions): Promise<Result>;
  /** Wipes the material and lets go of every resource. Idempotent. */
  close(): void;
}

/** A table of records: what a store shows, and, as a copy, what a change works on. */
export class MemoryTable implements KeyTransaction {
  readonly #records: Map<string, KeyRecord>;
  readonly #aliases = new Map<string, string>();
  #lastSequence: number;
  #isChanged = false;

  /** @param records - in the order of creation */
  constructor(records: Iterable<KeyRecord> = [], lastSequence = 0) {
    this.#records = new Map();
    this.#lastSequence = lastSequence;
    for (const record of records) this.#set(record);
  }

  get lastSequence(): number {
    return this.#lastSequence;
  }

  /** Whether `put` or `remove` was called. */
  get isChanged(): boolean {
    return this.#isChanged;
  }

  get(keyId: string): KeyRecord | undefined {
    return this.#records.get(keyId);
  }

  findAlias(alias: string): KeyRecord | undefined {
    const keyId = this.#aliases.get(alias);
    return keyId === undefined ? undefined : this.#records.get(keyId);
  }

  *list(afterSequence = 0): Iterable<KeyRecord> {
    for (const record of this.#records.values()) if (record.sequence > afterSequence) yield record;
  }

  nextSequence(): number {
    return ++this.#lastSequence;
  }

  put(record: KeyRecord): void {
    const alias = this.#records.get(record.keyId)?.alias;
    if (alias !== undefined) this.#aliases.delete(alias);
    this.#set(record);
    this.#isChanged = true;
  }

  remove(keyId: string): void {
    const alias = this.#records.get(keyId)?.alias;
    if (alias !== undefined) this.#aliases.delete(alias);
    this.#records.delete(keyId);
    this.#isChanged = true;
  }

  /** A copy to change; records are shared. */
  draft(): MemoryTable {
    return new MemoryTable(this.#records.values(), this.#lastSequence);
  }

  /** Wipes material that `next`, the table that takes this one's place, does not hold; all of it without one. */
  wipeAllBut(next?: MemoryTable): void {
    for (const record of this.#records.values()) {
      const kept = new Set<KeyVersion>(next?.get(record.keyId)?.versions);
      for (const version of record.versions) if (!kept.has(version)) version.material.wipe();
    }
  }

  #set(record: KeyRecord): void {
    this.#records.set(record.keyId, record);
    if (record.alias !== undefined) this.#aliases.set(record.alias, record.keyId);
  }
}
