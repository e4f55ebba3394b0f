// How keys come, change their state and go. It must not know how they are used, listed or kept.
import { FengniError } from "@fengni/core";
import type { LocalCallOptions } from "./access.js";
import { checkCount, checkFields, DAY_MS, MAX_PENDING_WINDOW_DAYS, MIN_PENDING_WINDOW_DAYS } from "./checks.js";
import { checkBatch } from "./checks-lists.js";
import { createKey, type LocalCreateKeyRequest } from "./create-key.js";
import { describeKeyRecord, type KeyMetadata, requireUserKey } from "./keys.js";
import type { KeyRecord } from "./records.js";
import type { KeyUpdate, Room } from "./room.js";
import type { KeyOperation } from "./states.js";

/** Names one key. */
export interface KeyRequest {
  /** Key id or alias. */
  readonly keyId: string;
}

/** Names several keys. */
export interface KeysRequest {
  /** 1 to 100 key ids or aliases, of different keys. */
  readonly keyIds: readonly string[];
}

/** What is known of several keys. */
export interface DescribeKeysResult {
  /** In the order in which they were asked for. */
  readonly keys: readonly KeyMetadata[];
}

/** Asks for a key's deletion. */
export interface ScheduleKeyDeletionRequest extends KeyRequest {
  /** 7 to 30. */
  readonly pendingWindowDays: number;
}

/** When a key will be deleted. */
export interface ScheduleKeyDeletionResult {
  /** Full id of the key. */
  readonly keyId: string;
  /** From this moment on there is no such key, in milliseconds since the Unix epoch. */
  readonly deletionAtMs: number;
}

/** Which key it was. */
export interface CancelKeyDeletionResult {
  /** Full id of the key. */
  readonly keyId: string;
}

/**
 * Creates, describes and changes keys. Each rejects with `ERR_DENIED` where the authorizer refuses, with `ERR_KEY_NOT_FOUND` for
 * a key that is not there, and with `ERR_KEY_STATE` where the state table refuses; a copy of another region's key changes with
 * its source only. Batches happen whole or not at all.
 */
export interface LifecycleOperations {
  /**
   * Makes a key with one version of fresh material; it is enabled. An external key has none, and waits for its import. How many
   * keys a region may have is not limited.
   * @throws FengniError `ERR_CONFLICT` (`alias-exists`) when another key of the region has the alias, `ERR_NOT_SUPPORTED` for an
   *   unknown spec or an external key that is not symmetric, `ERR_LIMIT`; RangeError `ERR_ARGUMENT` for a usage that is not the
   *   spec's
   */
  createKey(request?: LocalCreateKeyRequest, options?: LocalCallOptions): Promise<KeyMetadata>;
  /** What is known of a key, in every state. */
  describeKey(request: KeyRequest, options?: LocalCallOptions): Promise<KeyMetadata>;
  /** What is known of several keys. @throws FengniError `ERR_CONFLICT` (`duplicate-id`), `ERR_LIMIT` */
  describeKeys(request: KeysRequest, options?: LocalCallOptions): Promise<DescribeKeysResult>;
  /** Lets a disabled key be used again. */
  enableKey(request: KeyRequest, options?: LocalCallOptions): Promise<void>;
  /** Lets several keys be used again. @throws FengniError `ERR_CONFLICT` (`duplicate-id`), `ERR_LIMIT` */
  enableKeys(request: KeysRequest, options?: LocalCallOptions): Promise<void>;
  /** Forbids every use of a key. @throws FengniError `ERR_KEY_USAGE` (`not-user-created`) for a product's key */
  disableKey(request: KeyRequest, options?: LocalCallOptions): Promise<void>;
  /** Forbids every use of several keys. @throws FengniError as {@link disableKey}, `ERR_CONFLICT` (`duplicate-id`), `ERR_LIMIT` */
  disableKeys(request: KeysRequest, options?: LocalCallOptions): Promise<void>;
  /** From now on the key opens what it sealed, and seals nothing more. @throws FengniError `ERR_KEY_USAGE` (`not-user-created`) */
  archiveKey(request: KeyRequest, options?: LocalCallOptions): Promise<void>;
  /** Enables an archived key. */
  cancelKeyArchive(request: KeyRequest, options?: LocalCallOptions): Promise<void>;
  /**
   * Has a disabled key deleted, with its material, its copies in other regions and the parameters of its imports. What it sealed,
   * hosted data keys too, will not open any more.
   * @throws FengniError `ERR_CONFLICT` (`cloud-resource-bound`) while resources are bound to it, `ERR_KEY_USAGE`
   *   (`not-user-created`) for a product's key, `ERR_LIMIT`
   */
  scheduleKeyDeletion(
    request: ScheduleKeyDeletionRequest,
    options?: LocalCallOptions,
  ): Promise<ScheduleKeyDeletionResult>;
  /** Keeps a key that was to be deleted: it is disabled, or waits for import when it has no material. */
  cancelKeyDeletion(request: KeyRequest, options?: LocalCallOptions): Promise<CancelKeyDeletionResult>;
}

/** The operations, over what all operations share. */
export function lifecycleOperations(room: Room): LifecycleOperations {
  return {
    createKey: async (request = {}, options) => createKey(room, request, options),
    async describeKey(request, options) {
      checkFields("describeKey", request, ["keyId"]);
      return describeKeyRecord(await room.key("describeKey", request.keyId, options));
    },
    async describeKeys(request, options) {
      const keyIds = checkKeys("describeKeys", request);
      const keys = await room.keys("describeKeys", keyIds, options);
      // As they stand once all are granted: an authorizer may have waited for each.
      return { keys: keys.map(({ region, id }) => describeKeyRecord(room.current("key", region, id))) };
    },
    async enableKey(request, options) {
      await changeKey(room, "enableKey", request, options);
    },
    async enableKeys(request, options) {
      await room.changeKeys("enableKeys", checkKeys("enableKeys", request), options);
    },
    async disableKey(request, options) {
      await changeKey(room, "disableKey", request, options, undefined, requireUserKey);
    },
    async disableKeys(request, options) {
      const keyIds = checkKeys("disableKeys", request);
      await room.changeKeys("disableKeys", keyIds, options, undefined, requireUserKey);
    },
    async archiveKey(request, options) {
      await changeKey(room, "archiveKey", request, options, undefined, requireUserKey);
    },
    async cancelKeyArchive(request, options) {
      await changeKey(room, "cancelKeyArchive", request, options);
    },
    scheduleKeyDeletion: async (request, options) => scheduleKeyDeletion(room, request, options),
    async cancelKeyDeletion(request, options) {
      const { id } = await changeKey(room, "cancelKeyDeletion", request, options, keep);
      return { keyId: id };
    },
  };
}

/** Changes the one key that a request of a `keyId` alone names. */
async function changeKey(
  room: Room,
  operation: KeyOperation,
  request: KeyRequest,
  options: LocalCallOptions | undefined,
  update?: KeyUpdate,
  requireFit?: (record: KeyRecord) => void,
): Promise<KeyRecord> {
  checkFields(operation, request, ["keyId"]);
  return room.changeKey(operation, request.keyId, options, update, requireFit);
}

async function scheduleKeyDeletion(
  room: Room,
  request: ScheduleKeyDeletionRequest,
  options: LocalCallOptions | undefined,
): Promise<ScheduleKeyDeletionResult> {
  checkFields("scheduleKeyDeletion", request, ["keyId", "pendingWindowDays"]);
  const { pendingWindowDays: days } = request;
  checkCount("pendingWindowDays", days, MIN_PENDING_WINDOW_DAYS, MAX_PENDING_WINDOW_DAYS);
  const { keyId } = request;
  let deletionAtMs = 0;
  const { id } = await room.changeKey(
    "scheduleKeyDeletion",
    keyId,
    options,
    (record, _records, nowMs) => {
      requireUnbound(record);
      deletionAtMs = nowMs + days * DAY_MS;
      return { ...record, deletionAtMs };
    },
    requireUserKey,
  );
  return { keyId: id, deletionAtMs };
}

function keep({ deletionAtMs: _, ...record }: KeyRecord): KeyRecord {
  return record.versions === 0 ? { ...record, state: "pending-import" } : record;
}

function checkKeys(operation: string, request: KeysRequest): readonly string[] {
  checkFields(operation, request, ["keyIds"]);
  return checkBatch("keyIds", request.keyIds);
}

function requireUnbound({ id, resources = [] }: KeyRecord): void {
  const [first] = resources;
  if (first === undefined) return;
  const { productId, resourceId } = first;
  throw new FengniError(
    "ERR_CONFLICT",
    `key ${id} is bound to ${resources.length} cloud resources, the first ${productId} ${resourceId}: unbind them first`,
    { details: { name: id, reason: "cloud-resource-bound" } },
  );
}
