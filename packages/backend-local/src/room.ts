// The one way from a reference to a record and to a change of it: time passes here (scheduled.ts), access is asked for here, copies
// in other regions follow here. It must not know what an operation does. Internal to the package: records lead to material.
import { FengniError, isFengniError, type KeyState } from "@fengni/core";
import type { SecretBytes } from "@fengni/crypto/secret";
import { type AccessResource, type Authorizer, type Caller, DEFAULT_CALLER, type LocalCallOptions } from "./access.js";
import { checkText } from "./checks.js";
import { checkDistinct } from "./checks-lists.js";
import { Ciphers } from "./ciphers.js";
import { type Clock, checkTime } from "./clock.js";
import { keyNotFound } from "./keys.js";
import type { KmsOperation } from "./operations.js";
import { PrivateKeys } from "./private-keys.js";
import type { KeyRecord, RecordKind, RecordKinds, Tags } from "./records.js";
import type { Regions } from "./regions.js";
import { isDue, recordAt, timedRecord } from "./scheduled.js";
import { nextTurn, PORTION, SettlingTransaction, SMALL_PORTION } from "./settling.js";
import { type KeyOperation, stateAfter } from "./states.js";
import type { ChangeOptions, RecordStore, RecordTransaction, RecordView } from "./store.js";

type Awaitable<Value> = Value | Promise<Value>;
/** The kinds of record that callers name and that access is asked for. */
export type ResourceKind = AccessResource["kind"];

/** What all operations share. */
export class Room {
  readonly regions: Regions;
  readonly ciphers: Ciphers = new Ciphers();
  readonly privateKeys: PrivateKeys = new PrivateKeys();
  readonly #store: RecordStore;
  readonly #clock: Clock;
  readonly #authorizer: Authorizer | undefined;
  #view: RecordView | undefined;

  constructor(store: RecordStore, clock: Clock, regions: Regions, authorizer?: Authorizer) {
    this.#store = store;
    this.#clock = clock;
    this.regions = regions;
    this.#authorizer = authorizer;
  }

  /** Milliseconds since the Unix epoch. @throws RangeError `ERR_ARGUMENT` when the clock says anything that is no moment */
  now(): number {
    return checkTime("the clock's time", this.#clock.now());
  }

  region(options: LocalCallOptions | undefined): string {
    return this.regions.resolve(options?.region);
  }

  caller(options: LocalCallOptions | undefined): Caller {
    return options?.caller ?? DEFAULT_CALLER;
  }

  /**
   * A secret of a record, to be read before the next `await`.
   * @throws FengniError `ERR_KEY_NOT_FOUND` or `ERR_KEY_STATE` when another process took record or secret away since it was found
   */
  secret(record: RecordKinds[RecordKind], slot: number): SecretBytes {
    // Of the view that found the record: a view is live, and asking the store for another may cost a look at its file.
    this.#view ??= this.#store.view();
    try {
      return this.#view.secret(record, slot);
    } catch (error) {
      if (!isFengniError(error, "ERR_STORE_DAMAGED")) throw error;
      return this.#secretAgain(record, slot, error);
    }
  }

  #secretAgain(record: RecordKinds[RecordKind], slot: number, error: unknown): SecretBytes {
    const view = this.#store.view();
    const newest = view.get(record.kind, record.region, record.id);
    if (newest === undefined) throw keyNotFound(record.id);
    // What did not change is the same object.
    if (newest === record) throw error;
    if (newest.kind === "key" && newest.versions < slot) throw materialGone(newest);
    return view.secret(newest, slot);
  }

  /**
   * A record as it stands now, for whoever waited since access to it was granted, or reaches it through a record so granted.
   * @throws FengniError `ERR_KEY_NOT_FOUND` when it is no longer there
   */
  current<Kind extends ResourceKind>(kind: Kind, region: string, id: string): RecordKinds[Kind] {
    const view = this.#store.view();
    const found = view.get(kind, region, id);
    const record = found === undefined ? undefined : recordAt(view, found, this.now());
    if (record === undefined) throw keyNotFound(id);
    return record;
  }

  /**
   * The key that an id or an alias names, once access to it is granted; its state and usage are the caller's to check. Without an
   * authorizer, and with nothing due, it answers at once, so that an operation has read its arguments before it waits.
   * @param requestTags - the tags of what is to be made under the key
   * @throws FengniError `ERR_DENIED`, then `ERR_KEY_NOT_FOUND`
   */
  key(
    operation: KmsOperation,
    reference: string,
    options: LocalCallOptions | undefined,
    requestTags?: Tags,
  ): Awaitable<KeyRecord> {
    return this.resource("key", operation, reference, options, requestTags);
  }

  /** As {@link key}, of any kind of resource. */
  resource<Kind extends ResourceKind>(
    kind: Kind,
    operation: KmsOperation,
    reference: string,
    options: LocalCallOptions | undefined,
    requestTags?: Tags,
  ): Awaitable<RecordKinds[Kind]> {
    options?.signal?.throwIfAborted();
    checkText(kind === "data-key" ? "dataKeyId" : "keyId", reference);
    const region = this.region(options);
    const view = this.#store.view();
    this.#view = view;
    if (this.#authorizer === undefined) {
      const record = findRecord(view, kind, region, reference);
      if (record === undefined) throw keyNotFound(reference);
      if (!this.#isDue(view, record)) return record;
    }
    return this.#settledResource(kind, operation, reference, region, options, requestTags);
  }

  async #settledResource<Kind extends ResourceKind>(
    kind: Kind,
    operation: KmsOperation,
    reference: string,
    region: string,
    options: LocalCallOptions | undefined,
    requestTags: Tags | undefined,
  ): Promise<RecordKinds[Kind]> {
    let shown = await this.#settledRecord(kind, region, reference, options);
    for (;;) {
      const resource = describeResource(kind, region, reference, shown, this.caller(options));
      await this.#askFor(operation, options, resource, requestTags);
      // What was not there when it was asked for is not granted, whatever has the id or the name by now.
      if (shown === undefined) throw keyNotFound(reference);
      if (this.#authorizer === undefined) return shown;
      // The authorizer may have waited: what it granted is looked up again, by its id, and asked for again if it looks different.
      const record = await this.#settledRecord(kind, region, shown.id, options);
      if (record === undefined) throw keyNotFound(reference);
      if (isShownAlike(record, shown)) return record;
      shown = record;
    }
  }

  /**
   * Asks for access where there is no record to ask for: lists, and what is to be made (`kind`, with its tags).
   * @throws FengniError `ERR_DENIED`
   */
  authorize(
    operation: KmsOperation,
    options: LocalCallOptions | undefined,
    created?: { readonly kind: ResourceKind; readonly tags: Tags },
  ): Awaitable<void> {
    options?.signal?.throwIfAborted();
    const region = this.region(options);
    // A store that was closed says so here, also to operations that need no record.
    this.#store.view();
    if (this.#authorizer === undefined) return undefined;
    if (created === undefined) return this.#askFor(operation, options, undefined);
    const resource: AccessResource = {
      kind: created.kind,
      region,
      id: "*",
      creator: this.caller(options).id,
      tags: {},
      exists: false,
    };
    return this.#askFor(operation, options, resource, created.tags);
  }

  async #askFor(
    operation: KmsOperation,
    options: LocalCallOptions | undefined,
    resource: AccessResource | undefined,
    requestTags?: Tags,
  ): Promise<void> {
    if (this.#authorizer === undefined) return;
    const caller = this.caller(options);
    const granted = await this.#authorizer({
      caller,
      operation,
      region: this.region(options),
      ...(resource === undefined ? {} : { resource }),
      ...(requestTags === undefined ? {} : { requestTags }),
    });
    if (granted !== true) {
      throw new FengniError("ERR_DENIED", `${operation} is not allowed for this caller: ask for the permission`);
    }
  }

  /** A record after all that is due of it has happened; undefined when there is none, or no longer. */
  async #settledRecord<Kind extends ResourceKind>(
    kind: Kind,
    region: string,
    reference: string,
    options: LocalCallOptions | undefined,
  ): Promise<RecordKinds[Kind] | undefined> {
    for (let isFirst = true; ; isFirst = false) {
      const view = this.#store.view();
      const record = findRecord(view, kind, region, reference);
      if (record === undefined || !this.#isDue(view, record)) return record;
      if (!isFirst) await nextTurn(options?.signal);
      await this.#settle(options, (records) => void records.get(kind, region, record.id));
    }
  }

  /** The records after all that is due has happened, in portions. */
  async settledView(options: LocalCallOptions | undefined): Promise<RecordView> {
    options?.signal?.throwIfAborted();
    for (let isFirst = true; this.#hasDue(this.#store.view()); isFirst = false) {
      if (!isFirst) await nextTurn(options?.signal);
      await this.#settle(options, (records) => records.settlePortion(PORTION));
    }
    return this.#store.view();
  }

  /**
   * One change of the store: a little of what is due happens, then `apply`, which finds every record as time leaves it, then the
   * copies in other regions follow.
   */
  change<Result>(
    options: ChangeOptions | undefined,
    apply: (records: SettlingTransaction, nowMs: number) => Result,
  ): Promise<Result> {
    return this.#settle(options, (records, nowMs) => {
      records.settlePortion(SMALL_PORTION);
      return apply(records, nowMs);
    });
  }

  #settle<Result>(
    options: ChangeOptions | undefined,
    apply: (records: SettlingTransaction, nowMs: number) => Result,
  ): Promise<Result> {
    return this.#store.change((records) => {
      const nowMs = this.now();
      const settling = new SettlingTransaction(records, nowMs);
      const result = apply(settling, nowMs);
      settling.follow();
      return result;
    }, options);
  }

  /** Several keys that ids or aliases name, once access to each is granted. @throws FengniError `ERR_CONFLICT` for one twice */
  async keys(
    operation: KeyOperation,
    references: readonly string[],
    options: LocalCallOptions | undefined,
  ): Promise<readonly KeyRecord[]> {
    const keys: KeyRecord[] = [];
    for (const reference of references) keys.push(await this.key(operation, reference, options));
    checkDistinct(
      "keyIds",
      keys.map(({ id }) => id),
    );
    return keys;
  }

  /**
   * Moves one key to the state that the table gives, and applies `update` to it, once access is granted.
   * @param requireFit - throws for a key that can never do this, whatever its state
   * @returns the key as it is now
   */
  async changeKey(
    operation: KeyOperation,
    reference: string,
    options: LocalCallOptions | undefined,
    update?: KeyUpdate,
    requireFit?: (record: KeyRecord) => void,
  ): Promise<KeyRecord> {
    const key = await this.key(operation, reference, options);
    requireFit?.(key);
    const { id, region } = key;
    return this.change(options, (records, nowMs) => changeRecord(records, region, id, operation, nowMs, update));
  }

  /** As {@link changeKey}, of several keys at one stroke: one that refuses lets all stay as they were. */
  async changeKeys(
    operation: KeyOperation,
    references: readonly string[],
    options: LocalCallOptions | undefined,
    update?: KeyUpdate,
    requireFit?: (record: KeyRecord) => void,
  ): Promise<readonly KeyRecord[]> {
    const keys = await this.keys(operation, references, options);
    if (requireFit !== undefined) keys.forEach(requireFit);
    return this.change(options, (records, nowMs) =>
      keys.map(({ id, region }) => changeRecord(records, region, id, operation, nowMs, update)),
    );
  }

  close(): void {
    this.ciphers.clear();
    this.privateKeys.clear();
    this.#store.close();
  }

  #hasDue(view: RecordView): boolean {
    const dueMs = view.nextDueAtMs();
    return dueMs !== undefined && dueMs <= this.now();
  }

  /** Whether something of a record is due, of a copy something of its source. */
  #isDue(view: RecordView, record: RecordKinds[ResourceKind]): boolean {
    const timed = timedRecord(view, record);
    return timed?.dueAtMs !== undefined && isDue(timed, this.now());
  }
}

/** What an operation makes of a key's record; it gets the state that the table gives afterwards unless it sets another itself. */
export type KeyUpdate = (record: KeyRecord, records: RecordTransaction, nowMs: number) => KeyRecord;

/**
 * Moves one key to the state that the table gives, and applies `update` to it, inside a change.
 * @throws FengniError `ERR_KEY_NOT_FOUND`, or `ERR_KEY_STATE` for a copy and when the table refuses the operation
 */
export function changeRecord(
  records: RecordTransaction,
  region: string,
  id: string,
  operation: KeyOperation,
  nowMs: number,
  update: KeyUpdate = (record) => record,
): KeyRecord {
  const record = records.get("key", region, id);
  if (record === undefined) throw keyNotFound(id);
  if (record.sourceRegion !== undefined) throw isReplica(record, operation);
  const state: KeyState = stateAfter(operation, record);
  const updated = update(record, records, nowMs);
  const next = updated.state === record.state && state !== record.state ? { ...updated, state } : updated;
  if (next !== record) records.put(next);
  return next;
}

function isReplica({ id, state, sourceRegion }: KeyRecord, operation: string): FengniError<"ERR_KEY_STATE"> {
  return new FengniError(
    "ERR_KEY_STATE",
    `key ${id} is a copy, which forbids ${operation}: change it in its source region, ${sourceRegion ?? ""}`,
    { details: { keyId: id, state, reason: "state-not-supported" } },
  );
}

function materialGone({ id, state }: KeyRecord): FengniError<"ERR_KEY_STATE"> {
  return new FengniError("ERR_KEY_STATE", `key ${id} lost its material while it was used: import it again`, {
    details: { keyId: id, state, reason: "state-not-supported" },
  });
}

/** The record with an id, or with a name that is none of an id's form. */
function findRecord<Kind extends ResourceKind>(
  view: RecordView,
  kind: Kind,
  region: string,
  reference: string,
): RecordKinds[Kind] | undefined {
  return view.get(kind, region, reference) ?? view.findName(kind, region, reference);
}

function describeResource(
  kind: ResourceKind,
  region: string,
  reference: string,
  record: RecordKinds[ResourceKind] | undefined,
  caller: Caller,
): AccessResource {
  if (record === undefined) return { kind, region, id: reference, creator: caller.id, tags: {}, exists: false };
  return { kind, region, id: record.id, creator: record.creator, tags: { ...record.tags }, exists: true };
}

/** Whether an authorizer that was shown the one record was shown all that it would be shown of the other. */
function isShownAlike(a: RecordKinds[ResourceKind], b: RecordKinds[ResourceKind]): boolean {
  if (a.creator !== b.creator) return false;
  const { tags: own = {} } = a;
  const { tags: other = {} } = b;
  if (own === other) return true;
  const keys = Object.keys(own);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && own[key] === other[key])
  );
}
