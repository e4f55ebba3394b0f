// The records of hosted data keys: how they are made and changed, and what is told of them. It must not know how a data key is
// wrapped, nor what a request looks like.
import { FengniError, type KeyOrigin } from "@fengni/core";
import type { LocalCallOptions } from "./access.js";
import { checkAlias, checkDescription } from "./checks.js";
import { checkDistinct, checkTags } from "./checks-lists.js";
import { type DataKeyOperation, type DataKeyState, dataKeyStateAfter } from "./data-key-states.js";
import { createId, keyNotFound } from "./keys.js";
import type { DataKeyRecord, KeyRecord, Tags } from "./records.js";
import type { Room } from "./room.js";
import { stateAfter } from "./states.js";
import type { RecordTransaction, RecordView } from "./store.js";

/** Longest description of a data key, in bytes of UTF-8. */
export const MAX_DATA_KEY_DESCRIPTION_BYTES = 100;
/** The owner of every data key that callers make. */
const USER_OWNER = "user";

/** What a caller says of a data key that is to be kept. */
export interface DataKeyNaming {
  readonly name: string;
  readonly description: string;
  readonly tags: Tags;
}

/** What is kept of a data key. */
export interface DataKeyContent {
  readonly numberOfBytes: number;
  readonly origin: KeyOrigin;
  /** The data key as its wrapping key opens it without a context, base64. */
  readonly ciphertext: string;
}

/** All that is told of a hosted data key; never the data key itself. Times are milliseconds since the Unix epoch. */
export interface DataKeyMetadata extends Pick<DataKeyRecord, "numberOfBytes" | "origin" | "owner" | "creator"> {
  readonly dataKeyId: string;
  readonly dataKeyName: string;
  readonly region: string;
  /** Full id of the wrapping key. */
  readonly keyId: string;
  /** Alias of the wrapping key, when it has one and is still there. */
  readonly keyAlias?: string;
  readonly state: DataKeyState;
  readonly description: string;
  readonly createdAtMs: number;
  readonly tags: Tags;
  /** In the state `pending-deletion` only. */
  readonly deletionAtMs?: number;
}

/** What an operation makes of a data key's record; the state that the table gives is set afterwards. */
export type DataKeyUpdate = (record: DataKeyRecord, records: RecordTransaction, nowMs: number) => DataKeyRecord;

/** A checked copy of what a caller says of a data key. */
export function namingOf(request: {
  readonly dataKeyName: string;
  readonly description?: string;
  readonly tags?: Tags;
}): DataKeyNaming {
  const { description = "" } = request;
  return {
    name: checkAlias(request.dataKeyName, "dataKeyName"),
    description: checkDescription(description, MAX_DATA_KEY_DESCRIPTION_BYTES),
    tags: checkTags(request.tags),
  };
}

/**
 * Keeps a data key, enabled, if its wrapping key still allows the operation.
 * @returns its id
 * @throws FengniError `ERR_CONFLICT` with the reason `alias-exists`, `ERR_KEY_NOT_FOUND`, `ERR_KEY_STATE`
 */
export function hostDataKey(
  room: Room,
  operation: "generateDataKey" | "importDataKey",
  { region, id: keyId }: KeyRecord,
  content: DataKeyNaming & DataKeyContent,
  options: LocalCallOptions | undefined,
): Promise<string> {
  const creator = room.caller(options).id;
  return room.change(options, (records, nowMs) => {
    const wrappingKey = records.get("key", region, keyId);
    if (wrappingKey === undefined) throw keyNotFound(keyId);
    stateAfter(operation, wrappingKey);
    const id = createId();
    requireFreeName(records, region, content.name, id);
    const sequence = records.nextSequence();
    const fixed = { kind: "data-key", region, state: "enabled", owner: USER_OWNER } as const;
    records.put({ ...fixed, id, sequence, keyId, creator, createdAtMs: nowMs, ...content });
    return id;
  });
}

/** @throws FengniError `ERR_CONFLICT` with the reason `alias-exists` when another data key of the region has the name */
export function requireFreeName(records: RecordView, region: string, name: string, id: string): void {
  const holder = records.findName("data-key", region, name);
  if (holder === undefined || holder.id === id) return;
  throw new FengniError("ERR_CONFLICT", `the name "${name}" belongs to another data key: choose another`, {
    details: { name, reason: "alias-exists" },
  });
}

/**
 * Moves data keys to the state that the table gives, and applies `update` to each, once access is granted: one that refuses lets
 * all stay as they were.
 * @param references - ids or names
 * @returns the data keys as they are now
 */
export async function changeDataKeys(
  room: Room,
  operation: DataKeyOperation,
  references: readonly string[],
  options: LocalCallOptions | undefined,
  update: DataKeyUpdate = (record) => record,
): Promise<readonly DataKeyRecord[]> {
  const found: DataKeyRecord[] = [];
  for (const reference of references) found.push(await room.resource("data-key", operation, reference, options));
  const ids = found.map(({ id }) => id);
  checkDistinct("dataKeyIds", ids);
  const region = room.region(options);
  return room.change(options, (records, nowMs) =>
    ids.map((id) => {
      const record = records.get("data-key", region, id);
      if (record === undefined) throw keyNotFound(id);
      const state = dataKeyStateAfter(operation, record);
      const updated = update(record, records, nowMs);
      const next = state === updated.state ? updated : { ...updated, state };
      if (next !== record) records.put(next);
      return next;
    }),
  );
}

/** What callers may know of a data key. */
export function describeDataKeyRecord(record: DataKeyRecord, records: RecordView): DataKeyMetadata {
  const { id, name, region, keyId, numberOfBytes, origin, owner, creator, state, description, createdAtMs } = record;
  const keyAlias = records.get("key", region, keyId)?.name;
  return {
    dataKeyId: id,
    dataKeyName: name,
    region,
    keyId,
    ...(keyAlias === undefined ? {} : { keyAlias }),
    numberOfBytes,
    origin,
    owner,
    creator,
    state,
    description,
    createdAtMs,
    tags: { ...record.tags },
    ...(record.deletionAtMs === undefined ? {} : { deletionAtMs: record.deletionAtMs }),
  };
}
