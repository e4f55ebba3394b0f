// What a store of records must do. It must not know files, clocks or callers, nor what a record is for.
import type { CallOptions } from "@fengni/core";
import type { SecretBytes } from "@fengni/crypto/secret";
import type { RecordAddress, RecordKind, RecordKinds, StoredRecord } from "./records.js";

/** Asks for a part of the records of one kind and region. All conditions must hold. */
export interface RecordQuery<Kind extends RecordKind> {
  readonly kind: Kind;
  readonly region: string;
  readonly order: "oldest-first" | "newest-first";
  /** How many matches to pass over. */
  readonly offset: number;
  /** How many to give at most. */
  readonly limit: number;
  /** Only records whose fields of these names have these values. */
  readonly equals?: Readonly<Record<string, string | number>>;
  /** Only records with a sequence above this. */
  readonly afterSequence?: number;
  /** Only records whose id or name holds this text, in upper or lower case. */
  readonly contains?: string;
  /** Only records that have each of these tags, with one of the values; no values: with any. */
  readonly tags?: readonly { readonly key: string; readonly values: readonly string[] }[];
}

/** A part of the matches, and how many matches there are. */
export interface QueryResult<Kind extends RecordKind> {
  readonly records: readonly RecordKinds[Kind][];
  readonly total: number;
}

/** Records as a store shows them. */
export interface RecordView {
  get<Kind extends RecordKind>(kind: Kind, region: string, id: string): RecordKinds[Kind] | undefined;
  findName<Kind extends RecordKind>(kind: Kind, region: string, name: string): RecordKinds[Kind] | undefined;
  /**
   * A secret of a record, by slot. The holder stays the store's: read it before the next `await`, since it may be wiped then. The
   * same secret is the same object for as long as the store remembers it, so that what is derived of it can hang on it.
   * @throws FengniError `ERR_STORE_DAMAGED` when it is not there or does not open
   */
  secret(record: RecordAddress, slot: number): SecretBytes;
  query<Kind extends RecordKind>(query: RecordQuery<Kind>): QueryResult<Kind>;
  /** The earliest `dueAtMs` of all records; undefined without any. Cheap: it is asked before every operation. */
  nextDueAtMs(): number | undefined;
  /** At most `limit` records whose `dueAtMs` is `nowMs` or earlier, the earliest first. */
  due(nowMs: number, limit: number): readonly StoredRecord[];
}

/** The records inside one change. */
export interface RecordTransaction extends RecordView {
  /** A number above every sequence that this store ever gave. */
  nextSequence(): number;
  /** Adds a record, or replaces the one at its address. */
  put(record: StoredRecord): void;
  /** Removes a record with its secrets. */
  remove(address: RecordAddress): void;
  /** Keeps a secret of a record that was put; the store owns the holder from here on, also when the change fails. */
  putSecret(address: RecordAddress, slot: number, secret: SecretBytes): void;
  removeSecret(address: RecordAddress, slot: number): void;
}

/** How a change is made. */
export interface ChangeOptions extends CallOptions {
  /** How long to wait for other writers, in milliseconds; default 10,000. */
  readonly maxWaitMs?: number;
}

/** Holds records. Whoever is given a store owns it. */
export interface RecordStore {
  /**
   * The newest state, also of changes that another process acknowledged. The view is live: it may be kept, and shows what is newest
   * whenever it is read.
   * @throws FengniError `ERR_STORE_DAMAGED` or `ERR_ROOT_KEY` when the state can no longer be read, `ERR_CLOSED`
   */
  view(): RecordView;
  /**
   * Applies a change to the newest state, alone, and makes it durable before it resolves. Nothing is changed when it rejects.
   * Secrets that no record holds afterwards are wiped.
   * @param apply - called once, synchronous; what it throws is what the change rejects with
   * @throws FengniError `ERR_STORE_BUSY` when the state cannot be written, and as {@link RecordStore.view}
   */
  change<Result>(apply: (records: RecordTransaction) => Result, options?: ChangeOptions): Promise<Result>;
  /** Wipes the secrets and lets go of every resource. Idempotent. */
  close(): void;
}
