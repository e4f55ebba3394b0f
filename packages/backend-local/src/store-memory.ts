// Records in memory only: gone with the process. It must not know clocks or callers.
import { SecretBytes } from "@fengni/crypto/secret";
import type { RecordAddress, RecordKind, RecordKinds, StoredRecord } from "./records.js";
import type { ChangeOptions, QueryResult, RecordQuery, RecordStore, RecordTransaction, RecordView } from "./store.js";
import { checkQuery, checkRecordTexts } from "./store-checks.js";
import { nameTaken, noSuchRecord, outsideChange, secretMissing, storeClosed } from "./store-errors.js";
import { MemoryTable } from "./store-memory-table.js";

/** A store that lives as long as its object. */
export class MemoryRecordStore implements RecordStore {
  readonly #records = new MemoryRecords();
  #isChanging = false;

  view(): RecordView {
    if (this.#records.isClosed) throw storeClosed();
    return this.#records;
  }

  async change<Result>(apply: (records: RecordTransaction) => Result, options?: ChangeOptions): Promise<Result> {
    options?.signal?.throwIfAborted();
    if (this.#records.isClosed) throw storeClosed();
    if (this.#isChanging) throw outsideChange();
    this.#isChanging = true;
    const journal = new Journal(this.#records);
    try {
      const result = apply(journal);
      if (this.#records.isClosed) throw storeClosed();
      journal.end(true);
      return result;
    } catch (error) {
      journal.end(false);
      throw error;
    } finally {
      this.#isChanging = false;
    }
  }

  close(): void {
    this.#records.close();
  }
}

/** The records as they stand. */
class MemoryRecords implements RecordView {
  isClosed = false;
  lastSequence = 0;
  #table = new MemoryTable();
  /** Every holder that was ever put, so that none stands in two slots. */
  readonly #holders = new WeakSet<SecretBytes>();

  get table(): MemoryTable {
    if (this.isClosed) throw storeClosed();
    return this.#table;
  }

  get<Kind extends RecordKind>(kind: Kind, region: string, id: string): RecordKinds[Kind] | undefined {
    return this.table.get(kind, region, id);
  }

  findName<Kind extends RecordKind>(kind: Kind, region: string, name: string): RecordKinds[Kind] | undefined {
    return this.table.findName(kind, region, name);
  }

  secret(record: RecordAddress, slot: number): SecretBytes {
    const secret = this.table.secret(record, slot);
    if (secret === undefined) throw secretMissing(record, slot);
    return secret;
  }

  query<Kind extends RecordKind>(query: RecordQuery<Kind>): QueryResult<Kind> {
    checkQuery(query);
    return this.table.query(query);
  }

  nextDueAtMs(): number | undefined {
    return this.table.nextDueAtMs();
  }

  due(nowMs: number, limit: number): readonly StoredRecord[] {
    return this.table.due(nowMs, limit);
  }

  /** The holder to keep: a copy when it stands in a slot already. */
  own(secret: SecretBytes): SecretBytes {
    const holder = this.#holders.has(secret) ? new SecretBytes(Uint8Array.from(secret.bytes())) : secret;
    this.#holders.add(holder);
    return holder;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#table.wipe();
    this.#table = new MemoryTable();
  }
}

/** The records inside one change, each step with its inverse. */
class Journal implements RecordTransaction {
  readonly #records: MemoryRecords;
  readonly #inverses: (() => void)[] = [];
  /** Secrets that are wiped when the change fails, and when it succeeds. */
  readonly #given: SecretBytes[] = [];
  readonly #taken: SecretBytes[] = [];
  #isOver = false;

  constructor(records: MemoryRecords) {
    this.#records = records;
  }

  get: RecordTransaction["get"] = (kind, region, id) => this.#open().get(kind, region, id);
  findName: RecordTransaction["findName"] = (kind, region, name) => this.#open().findName(kind, region, name);
  secret: RecordTransaction["secret"] = (record, slot) => this.#open().secret(record, slot);
  query: RecordTransaction["query"] = (query) => this.#open().query(query);
  nextDueAtMs: RecordTransaction["nextDueAtMs"] = () => this.#open().nextDueAtMs();
  due: RecordTransaction["due"] = (nowMs, limit) => this.#open().due(nowMs, limit);

  nextSequence(): number {
    return ++this.#open().lastSequence;
  }

  put(record: StoredRecord): void {
    const { table } = this.#open();
    checkRecordTexts(record);
    const { kind, region, id, name } = record;
    if (name !== undefined) {
      const holder = table.findName(kind, region, name);
      if (holder !== undefined && holder.id !== id) throw nameTaken(name);
    }
    this.#replace(table, table.get(kind, region, id), record);
  }

  remove(address: RecordAddress): void {
    const { table } = this.#open();
    const { kind, region, id } = address;
    const record = table.get(kind, region, id);
    if (record === undefined) return;
    for (const slot of [...table.secretsOf(record).keys()]) this.#setSecret(table, record, slot, undefined);
    this.#replace(table, record, undefined);
  }

  putSecret(address: RecordAddress, slot: number, secret: SecretBytes): void {
    const holder = this.#records.own(secret);
    try {
      const { table } = this.#open();
      const record = table.get(address.kind, address.region, address.id);
      if (record === undefined) throw noSuchRecord(address);
      this.#given.push(holder);
      this.#setSecret(table, record, slot, holder);
    } catch (error) {
      holder.wipe();
      throw error;
    }
  }

  removeSecret(address: RecordAddress, slot: number): void {
    const { table } = this.#open();
    if (table.secret(address, slot) !== undefined) this.#setSecret(table, address, slot, undefined);
  }

  /** Ends the change: keeps it, or takes back every step. */
  end(isKept: boolean): void {
    this.#isOver = true;
    const { isClosed } = this.#records;
    // Closed inside the change: there is nothing left to take back.
    if (!isKept && !isClosed) for (const invert of this.#inverses.reverse()) invert();
    if (!isKept) for (const secret of this.#given) secret.wipe();
    if (isKept || isClosed) for (const secret of this.#taken) secret.wipe();
  }

  #open(): MemoryRecords {
    if (this.#isOver) throw outsideChange();
    return this.#records;
  }

  #replace(table: MemoryTable, previous: StoredRecord | undefined, next: StoredRecord | undefined): void {
    table.replace(previous, next);
    this.#inverses.push(() => table.replace(next, previous));
  }

  #setSecret(
    table: MemoryTable,
    { kind, region, id }: RecordAddress,
    slot: number,
    next: SecretBytes | undefined,
  ): void {
    const address = { kind, region, id };
    const previous = table.secret(address, slot);
    if (previous !== undefined) this.#taken.push(previous);
    table.setSecret(address, slot, next);
    this.#inverses.push(() => table.setSecret(address, slot, previous));
  }
}
