// The one way from a reference to a record and to a change of it: time passes here (scheduled.ts), access is asked for here, copies
// in other regions follow here. It must not know what an operation does. Internal to the package: records lead to material.
import { FengniError, type KeyState } from "@fengni/core";
import type { SecretBytes } from "@fengni/crypto/secret";
import { type AccessResource, type Authorizer, type Caller, DEFAULT_CALLER, type LocalCallOptions } from "./access.js";
import { checkText } from "./checks.js";
import { checkDistinct } from "./checks-lists.js";
import { Ciphers } from "./ciphers.js";
import type { Clock } from "./clock.js";
import { keyNotFound } from "./keys.js";
import type { KmsOperation } from "./operations.js";
import { PrivateKeys } from "./private-keys.js";
import type { KeyRecord, RecordKind, RecordKinds, Tags } from "./records.js";
import type { Regions } from "./regions.js";
import { replicate } from "./replicas.js";
import { dueAtMs, settle } from "./scheduled.js";
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

  /** Milliseconds since the Unix epoch. */
  now(): number {
    return this.#clock.now();
  }

  region(options: LocalCallOptions | undefined): string {
    return this.regions.resolve(options?.region);
  }

  caller(options: LocalCallOptions | undefined): Caller {
    return options?.caller ?? DEFAULT_CALLER;
  }

  /** A secret of a record, to be read before the next `await`. */
  secret(record: RecordKinds[RecordKind], slot: number): SecretBytes {
    // Of the view that found the record: a view is live, and asking the store for another may cost a look at its file.
    this.#view ??= this.#store.view();
    return this.#view.secret(record, slot);
  }

  /**
   * A record as it stands now, for whoever waited since access to it was granted, or reaches it through a record so granted.
   * @throws FengniError `ERR_KEY_NOT_FOUND` when it is no longer there
   */
  current<Kind extends ResourceKind>(kind: Kind, region: string, id: string): RecordKinds[Kind] {
    const record = this.#store.view().get(kind, region, id);
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
    if (this.#authorizer !== undefined || this.#hasDue(view)) {
      return this.#settledResource(kind, operation, reference, region, options, requestTags);
    }
    const record = findRecord(view, kind, region, reference);
    if (record === undefined) throw keyNotFound(reference);
    return record;
  }

  async #settledResource<Kind extends ResourceKind>(
    kind: Kind,
    operation: KmsOperation,
    reference: string,
    region: string,
    options: LocalCallOptions | undefined,
    requestTags: Tags | undefined,
  ): Promise<RecordKinds[Kind]> {
    const asked = findRecord(await this.settledView(options), kind, region, reference);
    const resource = describeResource(kind, region, reference, asked, this.caller(options));
    await this.#askFor(operation, options, resource, requestTags);
    // An authorizer may have waited: what it granted is looked up again, by its id.
    const record =
      this.#authorizer === undefined
        ? asked
        : findRecord(await this.settledView(options), kind, region, asked?.id ?? reference);
    if (record === undefined) throw keyNotFound(reference);
    return record;
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

  /** The records after all that is due has happened. */
  async settledView(options: LocalCallOptions | undefined): Promise<RecordView> {
    options?.signal?.throwIfAborted();
    if (this.#hasDue(this.#store.view())) await this.change(options, () => undefined);
    return this.#store.view();
  }

  /** One change of the store: first all that is due happens, then `apply`, then the copies in other regions follow. */
  change<Result>(
    options: ChangeOptions | undefined,
    apply: (records: RecordTransaction, nowMs: number) => Result,
  ): Promise<Result> {
    return this.#store.change((records) => {
      const nowMs = this.now();
      const scheduled = new ScheduledTransaction(records);
      settle(scheduled, nowMs);
      const result = apply(scheduled, nowMs);
      replicate(records, scheduled.touchedKeys, nowMs);
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

/** Keeps the due time of every record right, and remembers which keys were touched. */
class ScheduledTransaction implements RecordTransaction {
  /** Region and id of every key that was put or removed. */
  readonly touchedKeys: { readonly region: string; readonly id: string }[] = [];
  readonly #records: RecordTransaction;

  constructor(records: RecordTransaction) {
    this.#records = records;
  }

  get: RecordTransaction["get"] = (kind, region, id) => this.#records.get(kind, region, id);
  findName: RecordTransaction["findName"] = (kind, region, name) => this.#records.findName(kind, region, name);
  secret: RecordTransaction["secret"] = (record, slot) => this.#records.secret(record, slot);
  query: RecordTransaction["query"] = (query) => this.#records.query(query);
  nextDueAtMs: RecordTransaction["nextDueAtMs"] = () => this.#records.nextDueAtMs();
  due: RecordTransaction["due"] = (nowMs, limit) => this.#records.due(nowMs, limit);
  nextSequence: RecordTransaction["nextSequence"] = () => this.#records.nextSequence();
  putSecret: RecordTransaction["putSecret"] = (address, slot, secret) => this.#records.putSecret(address, slot, secret);
  removeSecret: RecordTransaction["removeSecret"] = (address, slot) => this.#records.removeSecret(address, slot);

  put: RecordTransaction["put"] = (record) => {
    const { dueAtMs: _, ...rest } = record;
    const due = dueAtMs(record);
    if (record.kind === "key") this.touchedKeys.push({ region: record.region, id: record.id });
    this.#records.put((due === undefined ? rest : { ...rest, dueAtMs: due }) as typeof record);
  };

  remove: RecordTransaction["remove"] = (address) => {
    if (address.kind === "key") this.touchedKeys.push({ region: address.region, id: address.id });
    this.#records.remove(address);
  };
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
  return { kind, region, id: record.id, creator: record.creator, tags: record.tags ?? {}, exists: true };
}
