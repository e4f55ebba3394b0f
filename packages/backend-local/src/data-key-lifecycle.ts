// Hosted data keys through their lives: told of, listed, enabled and disabled, named, deleted. It must not know what a data key is
// wrapped with, nor give one out.
import type { KeyOrigin } from "@fengni/core";
import type { LocalCallOptions } from "./access.js";
import {
  checkAlias,
  checkCount,
  checkDescription,
  checkFields,
  checkOneOf,
  checkText,
  checkTextLength,
  DAY_MS,
  MAX_DATA_KEY_BYTES,
  MAX_PENDING_WINDOW_DAYS,
  MIN_PENDING_WINDOW_DAYS,
} from "./checks.js";
import {
  checkBatch,
  checkDistinct,
  checkPage,
  checkTagFilters,
  type PageRequest,
  type TagFilter,
} from "./checks-lists.js";
import type { DataKeyState } from "./data-key-states.js";
import {
  changeDataKeys,
  type DataKeyMetadata,
  describeDataKeyRecord,
  MAX_DATA_KEY_DESCRIPTION_BYTES,
  requireFreeName,
} from "./hosted-data-keys.js";
import { isId, keyNotFound } from "./keys.js";
import { type KeyOwner, MAX_SEARCH_CHARACTERS } from "./lists.js";
import type { DataKeyRecord } from "./records.js";
import type { Room } from "./room.js";
import type { RecordView } from "./store.js";

/** Names one hosted data key. */
export interface DataKeyRequest {
  /** Id or name. */
  readonly dataKeyId: string;
}

/** Names several hosted data keys. */
export interface DataKeysRequest {
  /** 1 to 100 ids or names, all different. */
  readonly dataKeyIds: readonly string[];
}

/** What is known of several hosted data keys. */
export interface DescribeDataKeysResult {
  /** In the order of the request. */
  readonly dataKeys: readonly DataKeyMetadata[];
}

/** Asks for a part of the ids of all hosted data keys. */
export interface ListDataKeysRequest extends PageRequest {
  /** Whose: default `user`. Products keep none in this KMS. */
  readonly owner?: KeyOwner;
}

/** A part of the ids of all hosted data keys. */
export interface ListDataKeysResult {
  /** Newest first. */
  readonly dataKeys: readonly { readonly dataKeyId: string }[];
  /** How many there are in all. */
  readonly total: number;
}

/** Asks for a part of what is known of hosted data keys. All filters must hold. */
export interface ListDataKeyDetailRequest extends ListDataKeysRequest {
  /** Default `newest-first`. */
  readonly order?: "newest-first" | "oldest-first";
  readonly state?: DataKeyState;
  /** A part of the id or the name, in upper or lower case. */
  readonly search?: string;
  readonly origin?: KeyOrigin;
  /** Id of the wrapping key, which may be gone by now; or its alias, with which access is asked for as by `describeKey`. */
  readonly keyId?: string;
  /** Length of the data key. */
  readonly numberOfBytes?: number;
  readonly tagFilters?: readonly TagFilter[];
}

/** A part of what is known of hosted data keys. */
export interface ListDataKeyDetailResult {
  readonly dataKeys: readonly DataKeyMetadata[];
  /** How many match in all. */
  readonly total: number;
}

/** Asks for another name. */
export interface UpdateDataKeyNameRequest extends DataKeyRequest {
  /** 1 to 60 characters as an alias, unique in its region. */
  readonly dataKeyName: string;
}

/** Asks for another description. */
export interface UpdateDataKeyDescriptionRequest extends DataKeyRequest {
  /** At most 100 bytes of UTF-8. */
  readonly description: string;
}

/** Asks for a deletion. */
export interface ScheduleDataKeyDeletionRequest extends DataKeyRequest {
  /** 7 to 30. */
  readonly pendingWindowDays: number;
}

/** When a data key will be gone. */
export interface ScheduleDataKeyDeletionResult {
  readonly dataKeyId: string;
  /** From this moment on there is no such data key; milliseconds since the Unix epoch. */
  readonly deletionAtMs: number;
}

/**
 * The lifecycle of hosted data keys. Every operation rejects with `ERR_KEY_NOT_FOUND` for a data key that is not there, and those
 * that change one with `ERR_KEY_STATE` where its state forbids it ({@link DATA_KEY_STATE_TABLE}).
 */
export interface DataKeyLifecycleOperations {
  describeDataKey(request: DataKeyRequest, options?: LocalCallOptions): Promise<DataKeyMetadata>;
  /** All or none. @throws FengniError `ERR_CONFLICT` with the reason `duplicate-id` for one named twice, `ERR_LIMIT` */
  describeDataKeys(request: DataKeysRequest, options?: LocalCallOptions): Promise<DescribeDataKeysResult>;
  /** @throws FengniError `ERR_LIMIT` for more than 200 at once */
  listDataKeys(request?: ListDataKeysRequest, options?: LocalCallOptions): Promise<ListDataKeysResult>;
  /** @throws FengniError `ERR_LIMIT` for more than 200 at once, `ERR_KEY_NOT_FOUND` for an alias that no wrapping key has */
  listDataKeyDetail(request?: ListDataKeyDetailRequest, options?: LocalCallOptions): Promise<ListDataKeyDetailResult>;
  /** Lets a disabled data key be given out again. */
  enableDataKey(request: DataKeyRequest, options?: LocalCallOptions): Promise<void>;
  /** As {@link enableDataKey}, all or none. @throws FengniError as {@link describeDataKeys} */
  enableDataKeys(request: DataKeysRequest, options?: LocalCallOptions): Promise<void>;
  /** Forbids that a data key is given out. */
  disableDataKey(request: DataKeyRequest, options?: LocalCallOptions): Promise<void>;
  /** As {@link disableDataKey}, all or none. @throws FengniError as {@link describeDataKeys} */
  disableDataKeys(request: DataKeysRequest, options?: LocalCallOptions): Promise<void>;
  /** @throws FengniError `ERR_CONFLICT` with the reason `alias-exists` when another data key has the name, `ERR_LIMIT` */
  updateDataKeyName(request: UpdateDataKeyNameRequest, options?: LocalCallOptions): Promise<void>;
  /** @throws FengniError `ERR_LIMIT` */
  updateDataKeyDescription(request: UpdateDataKeyDescriptionRequest, options?: LocalCallOptions): Promise<void>;
  /** Has a disabled data key deleted. @throws FengniError `ERR_LIMIT` for a longer window */
  scheduleDataKeyDeletion(
    request: ScheduleDataKeyDeletionRequest,
    options?: LocalCallOptions,
  ): Promise<ScheduleDataKeyDeletionResult>;
  /** Keeps a data key that was to be deleted; it is disabled. */
  cancelDataKeyDeletion(request: DataKeyRequest, options?: LocalCallOptions): Promise<{ readonly dataKeyId: string }>;
}

const LIST_FIELDS = ["offset", "limit", "owner"];
const DETAIL_FIELDS = [...LIST_FIELDS, "order", "state", "search", "origin", "keyId", "numberOfBytes", "tagFilters"];
const OWNERS: readonly KeyOwner[] = ["user", "product", "any"];
const STATES: readonly DataKeyState[] = ["enabled", "disabled", "pending-deletion"];
const ORIGINS: readonly KeyOrigin[] = ["provider", "external"];

/** Makes the group over what all operations share. */
export function dataKeyLifecycleOperations(room: Room): DataKeyLifecycleOperations {
  return { ...readingOperations(room), ...stateOperations(room), ...updatingOperations(room) };
}

type Reading = "describeDataKey" | "describeDataKeys" | "listDataKeys" | "listDataKeyDetail";
type Stating = "enableDataKey" | "enableDataKeys" | "disableDataKey" | "disableDataKeys";

function readingOperations(room: Room): Pick<DataKeyLifecycleOperations, Reading> {
  return {
    async describeDataKey(request, options) {
      checkFields("describeDataKey", request, ["dataKeyId"]);
      const record = await room.resource("data-key", "describeDataKey", request.dataKeyId, options);
      const view = await room.settledView(options);
      return describeCurrent(view, record);
    },

    async describeDataKeys(request, options) {
      checkFields("describeDataKeys", request, ["dataKeyIds"]);
      const records: DataKeyRecord[] = [];
      for (const reference of checkBatch("dataKeyIds", request.dataKeyIds)) {
        records.push(await room.resource("data-key", "describeDataKeys", reference, options));
      }
      checkDistinct(
        "dataKeyIds",
        records.map(({ id }) => id),
      );
      const view = await room.settledView(options);
      return { dataKeys: records.map((record) => describeCurrent(view, record)) };
    },

    async listDataKeys(request = {}, options) {
      checkFields("listDataKeys", request, LIST_FIELDS);
      const { owner = "user" } = request;
      const page = { ...checkPage(request), owner: checkOneOf("owner", owner, OWNERS) };
      await room.authorize("listDataKeys", options);
      const { records, total } = find(await room.settledView(options), room.region(options), page);
      return { dataKeys: records.map(({ id }) => ({ dataKeyId: id })), total };
    },

    async listDataKeyDetail(request = {}, options) {
      checkFields("listDataKeyDetail", request, DETAIL_FIELDS);
      const filters = checkFilters(request);
      await room.authorize("listDataKeyDetail", options);
      const keyId = await wrappingKeyId(room, filters.keyId, options);
      const view = await room.settledView(options);
      const { records, total } = find(view, room.region(options), { ...filters, ...keyId });
      return { dataKeys: records.map((record) => describeDataKeyRecord(record, view)), total };
    },
  };
}

function stateOperations(room: Room): Pick<DataKeyLifecycleOperations, Stating> {
  async function changeOne(
    operation: "enableDataKey" | "disableDataKey",
    request: DataKeyRequest,
    options?: LocalCallOptions,
  ): Promise<void> {
    checkFields(operation, request, ["dataKeyId"]);
    await changeDataKeys(room, operation, [request.dataKeyId], options);
  }
  async function changeAll(
    operation: "enableDataKeys" | "disableDataKeys",
    request: DataKeysRequest,
    options?: LocalCallOptions,
  ): Promise<void> {
    checkFields(operation, request, ["dataKeyIds"]);
    await changeDataKeys(room, operation, checkBatch("dataKeyIds", request.dataKeyIds), options);
  }
  return {
    enableDataKey: (request, options) => changeOne("enableDataKey", request, options),
    disableDataKey: (request, options) => changeOne("disableDataKey", request, options),
    enableDataKeys: (request, options) => changeAll("enableDataKeys", request, options),
    disableDataKeys: (request, options) => changeAll("disableDataKeys", request, options),
  };
}

function updatingOperations(room: Room): Omit<DataKeyLifecycleOperations, Reading | Stating> {
  return {
    async updateDataKeyName(request, options) {
      checkFields("updateDataKeyName", request, ["dataKeyId", "dataKeyName"]);
      const name = checkAlias(request.dataKeyName, "dataKeyName");
      await changeDataKeys(room, "updateDataKeyName", [request.dataKeyId], options, (record, records) => {
        requireFreeName(records, record.region, name, record.id);
        return name === record.name ? record : { ...record, name };
      });
    },

    async updateDataKeyDescription(request, options) {
      checkFields("updateDataKeyDescription", request, ["dataKeyId", "description"]);
      const description = checkDescription(request.description, MAX_DATA_KEY_DESCRIPTION_BYTES);
      await changeDataKeys(room, "updateDataKeyDescription", [request.dataKeyId], options, (record) =>
        description === record.description ? record : { ...record, description },
      );
    },

    async scheduleDataKeyDeletion(request, options) {
      checkFields("scheduleDataKeyDeletion", request, ["dataKeyId", "pendingWindowDays"]);
      const { pendingWindowDays } = request;
      checkCount("pendingWindowDays", pendingWindowDays, MIN_PENDING_WINDOW_DAYS, MAX_PENDING_WINDOW_DAYS);
      let deletionAtMs = 0;
      const [record] = await changeDataKeys(
        room,
        "scheduleDataKeyDeletion",
        [request.dataKeyId],
        options,
        (current, _records, nowMs) => {
          deletionAtMs = nowMs + pendingWindowDays * DAY_MS;
          return { ...current, deletionAtMs };
        },
      );
      return { dataKeyId: record?.id ?? request.dataKeyId, deletionAtMs };
    },

    async cancelDataKeyDeletion(request, options) {
      checkFields("cancelDataKeyDeletion", request, ["dataKeyId"]);
      const [record] = await changeDataKeys(
        room,
        "cancelDataKeyDeletion",
        [request.dataKeyId],
        options,
        ({ deletionAtMs: _, ...current }) => current,
      );
      return { dataKeyId: record?.id ?? request.dataKeyId };
    },
  };
}

/** A data key that access was granted to, as a view that was taken afterwards shows it. */
function describeCurrent(view: RecordView, { region, id }: DataKeyRecord): DataKeyMetadata {
  const record = view.get("data-key", region, id);
  if (record === undefined) throw keyNotFound(id);
  return describeDataKeyRecord(record, view);
}

/** The id that a filter means. An alias tells of a key, so that access to that is asked for; an id alone tells nothing. */
async function wrappingKeyId(
  room: Room,
  reference: string | undefined,
  options: LocalCallOptions | undefined,
): Promise<{ readonly keyId?: string }> {
  if (reference === undefined) return {};
  return { keyId: isId(reference) ? reference : (await room.key("describeKey", reference, options)).id };
}

/** Filters of a list, checked. */
interface Filters extends Omit<ListDataKeyDetailRequest, "tagFilters"> {
  readonly offset: number;
  readonly limit: number;
  readonly owner: KeyOwner;
  readonly tags?: readonly { readonly key: string; readonly values: readonly string[] }[];
}

function checkFilters(request: ListDataKeyDetailRequest): Filters {
  const { owner = "user", order = "newest-first", state, search, origin, keyId, numberOfBytes, tagFilters } = request;
  return {
    ...checkPage(request),
    owner: checkOneOf("owner", owner, OWNERS),
    order: checkOneOf("order", order, ["newest-first", "oldest-first"]),
    ...(state === undefined ? {} : { state: checkOneOf("state", state, STATES) }),
    ...(search === undefined ? {} : { search: checkTextLength("search", search, 0, MAX_SEARCH_CHARACTERS) }),
    ...(origin === undefined ? {} : { origin: checkOneOf("origin", origin, ORIGINS) }),
    ...(keyId === undefined ? {} : { keyId: checkText("keyId", keyId) }),
    ...(numberOfBytes === undefined
      ? {}
      : { numberOfBytes: checkCount("numberOfBytes", numberOfBytes, 1, MAX_DATA_KEY_BYTES) }),
    tags: checkTagFilters(tagFilters),
  };
}

function find(
  view: RecordView,
  region: string,
  filters: Filters,
): { readonly records: readonly DataKeyRecord[]; readonly total: number } {
  const { offset, limit, owner, order = "newest-first", state, search, origin, keyId, numberOfBytes } = filters;
  if (owner === "product") return { records: [], total: 0 };
  const equals = {
    ...(state === undefined ? {} : { state }),
    ...(origin === undefined ? {} : { origin }),
    ...(keyId === undefined ? {} : { keyId }),
    ...(numberOfBytes === undefined ? {} : { numberOfBytes }),
  };
  return view.query({
    kind: "data-key",
    region,
    order,
    offset,
    limit,
    equals,
    ...(search === undefined ? {} : { contains: search }),
    tags: filters.tags ?? [],
  });
}
