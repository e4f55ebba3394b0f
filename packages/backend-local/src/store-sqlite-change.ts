// One change of a key store's file among those that share a transaction: what it gave and took, so that it can be taken back alone.
// It must not know when the transaction ends, nor SQL.
import type { SecretBytes } from "@fengni/crypto/secret";
import type { RecordAddress, StoredRecord } from "./records.js";
import type { RecordTransaction } from "./store.js";
import { outsideChange } from "./store-errors.js";
import type { OpenSecret, SqliteRecords } from "./store-sqlite-records.js";

/** The records inside one change. */
export class SqliteChange implements RecordTransaction {
  readonly #records: SqliteRecords;
  readonly #lastSequence: number | undefined;
  readonly #given: (readonly [string, SecretBytes])[] = [];
  readonly #taken: (readonly [string, OpenSecret])[] = [];
  #isOver = false;

  constructor(records: SqliteRecords) {
    this.#records = records;
    this.#lastSequence = records.lastSequence;
  }

  get: RecordTransaction["get"] = (kind, region, id) => this.#open().get(kind, region, id);
  findName: RecordTransaction["findName"] = (kind, region, name) => this.#open().findName(kind, region, name);
  secret: RecordTransaction["secret"] = (record, slot) => this.#open().secret(record, slot);
  query: RecordTransaction["query"] = (query) => this.#open().query(query);
  nextDueAtMs: RecordTransaction["nextDueAtMs"] = () => this.#open().nextDueAtMs();
  due: RecordTransaction["due"] = (nowMs, limit) => this.#open().due(nowMs, limit);

  nextSequence(): number {
    return this.#open().nextSequence();
  }

  put(record: StoredRecord): void {
    this.#open().put(record);
  }

  remove(address: RecordAddress): void {
    this.#taken.push(...this.#open().remove(address));
  }

  putSecret(address: RecordAddress, slot: number, secret: SecretBytes): void {
    const holder = this.#records.own(secret);
    try {
      const { key, replaced } = this.#open().putSecret(address, slot, holder);
      this.#given.push([key, holder]);
      this.#taken.push(...replaced);
    } catch (error) {
      holder.wipe();
      throw error;
    }
  }

  removeSecret(address: RecordAddress, slot: number): void {
    this.#taken.push(...this.#open().removeSecret(address, slot));
  }

  /** Nothing may be done in it any more; whether it is kept shows later. */
  end(): void {
    this.#isOver = true;
  }

  /** It is in the file: secrets that it took are held by no record. */
  keep(): void {
    for (const [, { secret }] of this.#taken) secret.wipe();
  }

  /** It is not in the file: secrets that it gave are held by no record, those that it took are again. */
  takeBack(): void {
    this.#records.forget();
    this.#records.resetSequence(this.#lastSequence);
    for (const [key, secret] of this.#given) this.#records.dropSecret(key, secret);
    for (const [key, open] of this.#taken) this.#records.restoreSecret(key, open);
  }

  #open(): SqliteRecords {
    if (this.#isOver) throw outsideChange();
    return this.#records;
  }
}
