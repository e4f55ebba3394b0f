// The records of a key store's file, read through what is remembered of it and written as rows. It must not know when a change
// begins and ends, nor who makes it.
import { isFengniError } from "@fengni/core";
import { equalBytes } from "@fengni/crypto/bytes";
import { SecretBytes } from "@fengni/crypto/secret";
import type { RecordAddress, RecordKind, RecordKinds, StoredRecord } from "./records.js";
import type { StoreSeal } from "./seal.js";
import type { QueryResult, RecordQuery, RecordView } from "./store.js";
import { checkQuery, checkRecordTexts, hasNul } from "./store-checks.js";
import { indexDamaged, nameTaken, noSuchRecord, secretMissing, storeClosed, storeDamaged } from "./store-errors.js";
import { BoundedCache } from "./store-sqlite-cache.js";
import type { SqlRow } from "./store-sqlite-engine.js";
import type { StoreFile } from "./store-sqlite-file.js";
import { addressKey, markOf, nameKey, secretKey, totalKey } from "./store-sqlite-names.js";
import { conditionOf, type SqlCondition } from "./store-sqlite-query.js";
import { RECORD_COLUMNS, type RecordRow, readRow, sequenceText, writeRow } from "./store-sqlite-rows.js";
import { isConstraint, type SqliteSession } from "./store-sqlite-session.js";

/** How many records, and how many secrets, are remembered. */
const MAX_REMEMBERED = 10_000;
const MAX_REMEMBERED_TOTALS = 200;

const BY_ADDRESS = "kind = ? AND region = ? AND id = ?";
const GET = `SELECT ${RECORD_COLUMNS} FROM records WHERE ${BY_ADDRESS}`;
const FIND_NAME = `SELECT ${RECORD_COLUMNS} FROM records WHERE kind = ? AND region = ? AND name = ?`;
const GET_SECRET = `SELECT sealed FROM secrets WHERE record = (SELECT number FROM records WHERE ${BY_ADDRESS}) AND slot = ?`;
const NEXT_DUE = "SELECT dueAtMs FROM records WHERE dueAtMs IS NOT NULL ORDER BY dueAtMs LIMIT 1";
const DUE = `SELECT ${RECORD_COLUMNS} FROM records WHERE dueAtMs <= ? ORDER BY dueAtMs, number LIMIT ?`;
const INSERT = `INSERT INTO records (kind, region, id, sequence, name, dueAtMs, data, mac) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
  RETURNING number`;
const UPDATE = `UPDATE records SET kind = ?, region = ?, id = ?, sequence = ?, name = ?, dueAtMs = ?, data = ?, mac = ?
  WHERE number = ?`;
/** What names and orders a record stays, and so do the indexes of it. */
const UPDATE_CONTENT = "UPDATE records SET dueAtMs = ?, data = ?, mac = ? WHERE number = ?";
/** How often a section that looks damaged is read again while others change the file. */
const MAX_LOOKS = 100;

/** A secret that is open, and the part of its sealed form that is never the same twice. */
export interface OpenSecret {
  readonly secret: SecretBytes;
  readonly mark: Uint8Array;
}

/** The records as they stand, inside and outside changes. */
export class SqliteRecords implements RecordView {
  readonly #session: SqliteSession;
  readonly #seal: StoreSeal;
  readonly #file: StoreFile;
  readonly #rows = new BoundedCache<RecordRow>(MAX_REMEMBERED);
  readonly #secrets = new BoundedCache<OpenSecret>(MAX_REMEMBERED, ({ secret }) => secret.wipe());
  /** Every holder that is or was the store's. */
  readonly #holders = new WeakSet<SecretBytes>();
  readonly #totals = new Map<string, number>();
  #due: { readonly atMs: number | undefined } | undefined;
  #sequence: { last: number; readonly stored: number } | undefined;
  #version: unknown;
  /** Goes up when what is remembered may no longer hold; it is compared with the file at its next use. */
  #generation = 0;
  #isFresh = false;
  #isClosed = false;
  readonly #expire = (): void => {
    this.#isFresh = false;
  };

  constructor(session: SqliteSession, seal: StoreSeal, file: StoreFile) {
    this.#session = session;
    this.#seal = seal;
    this.#file = file;
  }

  /** Looks whether others changed the file. @throws FengniError as {@link RecordStore.view} */
  refresh(): void {
    if (this.#isClosed) throw storeClosed();
    this.#file.check();
    const version = this.#session.dataVersion();
    if (version !== this.#version) {
      const header = this.#session.get("SELECT header FROM keystore")?.["header"];
      if (!(header instanceof Uint8Array)) throw storeDamaged("its header is not there");
      this.#seal.requireOwn(header);
      this.#version = version;
      this.forget();
    }
    if (!this.#isFresh) queueMicrotask(this.#expire);
    this.#isFresh = true;
  }

  /** Compares all that is remembered with the file at its next use. */
  forget(): void {
    this.#generation++;
    this.#totals.clear();
    this.#due = undefined;
  }

  get<Kind extends RecordKind>(kind: Kind, region: string, id: string): RecordKinds[Kind] | undefined {
    this.#look();
    const known = this.#rows.get(addressKey(kind, region, id), this.#generation);
    const row = known ?? this.#consistent(() => this.#row(kind, region, id));
    return row?.record as RecordKinds[Kind] | undefined;
  }

  findName<Kind extends RecordKind>(kind: Kind, region: string, name: string): RecordKinds[Kind] | undefined {
    this.#look();
    const known = this.#rows.get(nameKey(kind, region, name), this.#generation);
    const row = known ?? (hasNul(name) ? undefined : this.#consistent(() => this.#namedRow(kind, region, name)));
    return row?.record as RecordKinds[Kind] | undefined;
  }

  secret(record: RecordAddress, slot: number): SecretBytes {
    this.#look();
    const open = this.#secrets.get(secretKey(record, slot), this.#generation);
    return open === undefined ? this.#consistent(() => this.#openSecret(record, slot)) : open.secret;
  }

  query<Kind extends RecordKind>(query: RecordQuery<Kind>): QueryResult<Kind> {
    this.#look();
    checkQuery(query);
    const condition = conditionOf(query);
    const direction = query.order === "oldest-first" ? "ASC" : "DESC";
    const page = `SELECT ${RECORD_COLUMNS} FROM records WHERE ${condition.sql} ORDER BY sequence ${direction} LIMIT ? OFFSET ?`;
    return this.#consistent(() => {
      const total = this.#total(condition);
      const rows = this.#session.all(page, ...condition.values, query.limit, query.offset);
      const records = rows.map((row) => this.#remember(row).record);
      for (const record of records) this.#checkListed(record, query);
      return { records: records as RecordKinds[Kind][], total };
    });
  }

  nextDueAtMs(): number | undefined {
    this.#look();
    if (this.#due === undefined) {
      const atMs = this.#session.get(NEXT_DUE)?.["dueAtMs"];
      this.#due = { atMs: typeof atMs === "number" ? atMs : undefined };
    }
    return this.#due.atMs;
  }

  due(nowMs: number, limit: number): readonly StoredRecord[] {
    this.#look();
    return this.#consistent(() => {
      const records = this.#session.all(DUE, nowMs, limit).map((row) => this.#remember(row).record);
      if (records.some(({ dueAtMs }) => dueAtMs === undefined || dueAtMs > nowMs)) throw indexDamaged();
      return records;
    });
  }

  nextSequence(): number {
    if (this.#sequence === undefined) {
      const { sequence, sequenceMac } = this.#session.get("SELECT sequence, sequenceMac FROM keystore") ?? {};
      const isWritten =
        typeof sequence === "number" &&
        sequenceMac instanceof Uint8Array &&
        equalBytes(sequenceMac, this.#seal.mac(sequenceText(sequence)));
      if (!isWritten) throw storeDamaged("its count of records was changed");
      this.#sequence = { last: sequence, stored: sequence };
    }
    return ++this.#sequence.last;
  }

  /** The last number given in this transaction; undefined for none. */
  get lastSequence(): number | undefined {
    return this.#sequence?.last;
  }

  /** Goes back to the last number given before; undefined for none. */
  resetSequence(last: number | undefined): void {
    if (last === undefined || this.#sequence === undefined) this.#sequence = undefined;
    else this.#sequence.last = last;
  }

  /** Writes the last number given, at the end of a transaction. */
  writeSequence(): void {
    if (this.#sequence === undefined || this.#sequence.last === this.#sequence.stored) return;
    const { last } = this.#sequence;
    this.#session.run("UPDATE keystore SET sequence = ?, sequenceMac = ?", last, this.#seal.mac(sequenceText(last)));
  }

  put(record: StoredRecord): void {
    checkRecordTexts(record);
    const { kind, region, id, name } = record;
    const previous = this.#row(kind, region, id);
    const { values, mac } = writeRow(record, this.#seal);
    let number = previous?.number;
    try {
      if (number === undefined) number = Number(this.#session.all(INSERT, ...values)[0]?.["number"]);
      else if (previous?.record.name !== name || previous?.record.sequence !== record.sequence)
        this.#session.run(UPDATE, ...values, number);
      else this.#session.run(UPDATE_CONTENT, ...values.slice(5), number);
    } catch (error) {
      if (name !== undefined && isConstraint(error)) throw nameTaken(name);
      throw error;
    }
    this.#forgetRow(previous?.record);
    this.#rows.set(addressKey(kind, region, id), { record, number, mac }, this.#generation);
    this.#changed(record, previous === undefined ? 1 : 0);
  }

  /** @returns its secrets that were open */
  remove(address: RecordAddress): readonly (readonly [string, OpenSecret])[] {
    const row = this.#row(address.kind, address.region, address.id);
    if (row === undefined) return [];
    const { record, number } = row;
    const open: (readonly [string, OpenSecret])[] = [];
    for (const { slot } of this.#session.all("SELECT slot FROM secrets WHERE record = ?", number)) {
      open.push(...this.#takeSecret(record, Number(slot)));
    }
    this.#session.run("DELETE FROM secrets WHERE record = ?", number);
    this.#session.run("DELETE FROM records WHERE number = ?", number);
    this.#forgetRow(record);
    this.#changed(record, -1);
    return open;
  }

  /** The holder to keep: a copy when it is the store's already. */
  own(secret: SecretBytes): SecretBytes {
    const holder = this.#holders.has(secret) ? new SecretBytes(Uint8Array.from(secret.bytes())) : secret;
    this.#holders.add(holder);
    return holder;
  }

  /** @returns the key under which it is remembered, and the secret that was open in its place */
  putSecret(
    address: RecordAddress,
    slot: number,
    secret: SecretBytes,
  ): { readonly key: string; readonly replaced: readonly (readonly [string, OpenSecret])[] } {
    const row = this.#row(address.kind, address.region, address.id);
    if (row === undefined) throw noSuchRecord(address);
    const sealed = this.#seal.sealSecret(row.record, slot, secret.bytes());
    this.#session.run(
      "INSERT OR REPLACE INTO secrets (record, slot, sealed) VALUES (?, ?, ?)",
      row.number,
      slot,
      sealed,
    );
    const replaced = this.#takeSecret(row.record, slot);
    const key = secretKey(row.record, slot);
    this.#secrets.set(key, { secret, mark: markOf(sealed) }, this.#generation);
    return { key, replaced };
  }

  /** @returns the secret, if it was open */
  removeSecret(address: RecordAddress, slot: number): readonly (readonly [string, OpenSecret])[] {
    const row = this.#row(address.kind, address.region, address.id);
    if (row === undefined) return [];
    this.#session.run("DELETE FROM secrets WHERE record = ? AND slot = ?", row.number, slot);
    return this.#takeSecret(row.record, slot);
  }

  /** Forgets a secret that was given in a change that failed, and wipes it. */
  dropSecret(key: string, secret: SecretBytes): void {
    if (this.#secrets.peek(key)?.secret === secret) this.#secrets.delete(key);
    secret.wipe();
  }

  /** Remembers a secret again that was taken in a change that failed. */
  restoreSecret(key: string, open: OpenSecret): void {
    // Of no generation: whether it still holds is looked up at its next use.
    if (!open.secret.wiped && this.#secrets.peek(key) === undefined) this.#secrets.set(key, open, -1);
    else if (this.#secrets.peek(key)?.secret !== open.secret) open.secret.wipe();
  }

  /** Wipes all that is remembered. */
  close(): void {
    this.#isClosed = true;
    this.#secrets.clear();
    this.#rows.clear();
  }

  #look(): void {
    if (!this.#isFresh || this.#isClosed) this.refresh();
  }

  /**
   * What a section reads of the file. It reads in several steps, between which others may change the file: what looks damaged is
   * damaged only if nobody did.
   */
  #consistent<Result>(read: () => Result): Result {
    for (let looks = 1; ; looks++) {
      try {
        return read();
      } catch (error) {
        const isSame = !isFengniError(error, "ERR_STORE_DAMAGED") || this.#session.dataVersion() === this.#version;
        if (isSame || looks === MAX_LOOKS) throw error;
        this.refresh();
      }
    }
  }

  #row(kind: RecordKind, region: string, id: string): RecordRow | undefined {
    const key = addressKey(kind, region, id);
    const known = this.#rows.get(key, this.#generation);
    if (known !== undefined || hasNul(id)) return known;
    const row = this.#session.get(GET, kind, region, id);
    if (row === undefined) {
      this.#rows.delete(key);
      return undefined;
    }
    const found = this.#remember(row);
    const { record } = found;
    // An index leads here, for which nothing vouches.
    if (record.id !== id || record.region !== region || record.kind !== kind) throw indexDamaged();
    return found;
  }

  #namedRow(kind: RecordKind, region: string, name: string): RecordRow | undefined {
    const row = this.#session.get(FIND_NAME, kind, region, name);
    if (row === undefined) return undefined;
    const found = this.#remember(row);
    const { record } = found;
    if (record.name !== name || record.region !== region || record.kind !== kind) throw indexDamaged();
    this.#rows.set(nameKey(kind, region, name), found, this.#generation);
    return found;
  }

  #openSecret(record: RecordAddress, slot: number): SecretBytes {
    const key = secretKey(record, slot);
    const sealed = this.#session.get(GET_SECRET, record.kind, record.region, record.id, slot)?.["sealed"];
    if (!(sealed instanceof Uint8Array)) {
      this.#secrets.delete(key);
      throw secretMissing(record, slot);
    }
    const mark = markOf(sealed);
    const known = this.#secrets.peek(key);
    if (known !== undefined && equalBytes(known.mark, mark)) {
      this.#secrets.set(key, known, this.#generation);
      return known.secret;
    }
    const secret = this.#seal.openSecret(record, slot, sealed);
    this.#holders.add(secret);
    this.#secrets.set(key, { secret, mark }, this.#generation);
    return secret;
  }

  #total(condition: SqlCondition): number {
    const { sql, values } = condition;
    const key = totalKey(condition);
    let total = this.#totals.get(key);
    if (total === undefined) {
      total = Number(this.#session.get(`SELECT count(*) AS total FROM records WHERE ${sql}`, ...values)?.["total"]);
      if (this.#totals.size >= MAX_REMEMBERED_TOTALS) this.#totals.clear();
      this.#totals.set(key, total);
    }
    return total;
  }

  /** What a list shows is what was asked for, and due no earlier than the index of what is due says. */
  #checkListed({ kind, region, dueAtMs }: StoredRecord, query: RecordQuery<RecordKind>): void {
    if (kind !== query.kind || region !== query.region) throw indexDamaged();
    if (dueAtMs !== undefined && dueAtMs < (this.nextDueAtMs() ?? Number.POSITIVE_INFINITY)) throw indexDamaged();
  }

  #remember(row: SqlRow): RecordRow {
    const { kind, region, id } = row;
    const key = addressKey(String(kind), String(region), String(id));
    const known = this.#rows.get(key, this.#generation);
    if (known !== undefined && row["mac"] instanceof Uint8Array && equalBytes(known.mac, row["mac"])) return known;
    const read = readRow(row, this.#seal, this.#rows.peek(key));
    this.#rows.set(key, read, this.#generation);
    return read;
  }

  #forgetRow(record: StoredRecord | undefined): void {
    if (record === undefined) return;
    this.#rows.delete(addressKey(record.kind, record.region, record.id));
    if (record.name !== undefined) this.#rows.delete(nameKey(record.kind, record.region, record.name));
  }

  #takeSecret(address: RecordAddress, slot: number): readonly (readonly [string, OpenSecret])[] {
    const key = secretKey(address, slot);
    const open = this.#secrets.take(key);
    return open === undefined ? [] : [[key, open]];
  }

  /** Keeps the total of all records of a kind and region, which is asked for most, and forgets the others. */
  #changed({ kind, region }: StoredRecord, difference: number): void {
    const key = totalKey(conditionOf({ kind, region, order: "oldest-first", offset: 0, limit: 0 }));
    const total = this.#totals.get(key);
    this.#totals.clear();
    if (total !== undefined) this.#totals.set(key, total + difference);
    this.#due = undefined;
  }
}
