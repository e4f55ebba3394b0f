// The lists of keys: pages, filters and search. It must not know what a key is for, nor how it is found.
import type { KeyOrigin, KeySpec, KeyState, KeyUsage } from "@fengni/core";
import type { LocalCallOptions } from "./access.js";
import { argumentError, checkFields, checkOneOf, checkText, checkTextLength, rangeError } from "./checks.js";
import { checkPage, checkTagFilters, type PageRequest, type TagFilter } from "./checks-lists.js";
import { describeKeyRecord, KEY_STATES, KEY_USAGES, type KeyMetadata } from "./keys.js";
import type { KmsOperation } from "./operations.js";
import type { Room } from "./room.js";
import { KEY_SPECS } from "./specs.js";
import type { QueryResult, RecordQuery } from "./store.js";

/** Longest text of a search, in characters. */
export const MAX_SEARCH_CHARACTERS = 128;
const CURSOR = /^[1-9][0-9]{0,14}$/;
/** The fields that must have a value, and the values that they can have. */
const FILTERS = {
  state: KEY_STATES,
  origin: ["provider", "external"],
  keyUsage: KEY_USAGES,
  keySpec: KEY_SPECS,
} as const satisfies Readonly<Record<string, readonly string[]>>;
const FILTER_FIELDS = ["state", "origin", "keyUsage", "keySpec"] as const satisfies readonly (keyof typeof FILTERS)[];

/** Whose keys: those of the user, those of products, or both. */
export type KeyOwner = "user" | "product" | "any";

/** Asks for a page of key ids, newest first. */
export interface LocalListKeysRequest extends PageRequest {
  /** Default `user`. */
  readonly owner?: KeyOwner;
}

/** A page of key ids. */
export interface LocalListKeysResult {
  readonly keys: readonly { readonly keyId: string }[];
  /** How many keys there are on all pages. */
  readonly total: number;
}

/** Asks for a page of keys that meet every filter. */
export interface ListKeyDetailRequest extends LocalListKeysRequest {
  /** Default `newest-first`. */
  readonly order?: "newest-first" | "oldest-first";
  readonly state?: KeyState;
  /** A part of the id or the alias, in upper or lower case; at most 128 characters. */
  readonly search?: string;
  readonly origin?: KeyOrigin;
  readonly keyUsage?: KeyUsage;
  readonly keySpec?: KeySpec;
  /** Keys that have each of these tags; at most 50 filters of at most 50 values. */
  readonly tagFilters?: readonly TagFilter[];
  /** The `next` of the page before, in the order `oldest-first`: no key is passed over when others are deleted meanwhile. */
  readonly cursor?: string;
}

/** A page of keys. */
export interface ListKeyDetailResult {
  readonly keys: readonly KeyMetadata[];
  /** How many keys meet the filters, from the cursor on if there is one. */
  readonly total: number;
  /** In the order `oldest-first`, when there is more. */
  readonly next?: string;
}

/** Lists keys. Each rejects with `ERR_DENIED` where the authorizer refuses, and with `ERR_LIMIT` for pages of more than 200. */
export interface ListOperations {
  /** As {@link listKeys}: the service lists the action without saying what sets it apart. */
  listKey(request?: LocalListKeysRequest, options?: LocalCallOptions): Promise<LocalListKeysResult>;
  /** A page of key ids, newest first. An offset past the end gives an empty page. */
  listKeys(request?: LocalListKeysRequest, options?: LocalCallOptions): Promise<LocalListKeysResult>;
  /**
   * A page of what is known of keys.
   * @throws RangeError `ERR_ARGUMENT` for a filter that is no state, origin, usage or spec, and for a cursor that no page gave
   */
  listKeyDetail(request?: ListKeyDetailRequest, options?: LocalCallOptions): Promise<ListKeyDetailResult>;
}

/** The operations, over what all operations share. */
export function listOperations(room: Room): ListOperations {
  return {
    listKey: async (request = {}, options) => listIds(room, "listKey", request, options),
    listKeys: async (request = {}, options) => listIds(room, "listKeys", request, options),
    listKeyDetail: async (request = {}, options) => listKeyDetail(room, request, options),
  };
}

async function listIds(
  room: Room,
  operation: KmsOperation,
  request: LocalListKeysRequest,
  options: LocalCallOptions | undefined,
): Promise<LocalListKeysResult> {
  checkFields(operation, request, ["offset", "limit", "owner"]);
  const { records, total } = await find(room, operation, detailQuery(request), options);
  return { keys: records.map(({ id }) => ({ keyId: id })), total };
}

async function listKeyDetail(
  room: Room,
  request: ListKeyDetailRequest,
  options: LocalCallOptions | undefined,
): Promise<ListKeyDetailResult> {
  checkFields("listKeyDetail", request, [
    "offset",
    "limit",
    "owner",
    "order",
    "search",
    "tagFilters",
    "cursor",
    ...FILTER_FIELDS,
  ]);
  const query = detailQuery(request);
  const { records, total } = await find(room, "listKeyDetail", query, options);
  const keys = records.map(describeKeyRecord);
  const last = records.at(-1);
  const isMore = query.order === "oldest-first" && query.offset + records.length < total;
  return isMore && last !== undefined ? { keys, total, next: String(last.sequence) } : { keys, total };
}

type KeyQuery = Omit<RecordQuery<"key">, "region" | "kind">;

async function find(
  room: Room,
  operation: KmsOperation,
  query: KeyQuery,
  options: LocalCallOptions | undefined,
): Promise<QueryResult<"key">> {
  await room.authorize(operation, options);
  const view = await room.settledView(options);
  return view.query({ kind: "key", region: room.region(options), ...query });
}

function detailQuery(request: ListKeyDetailRequest): KeyQuery {
  const { search, tagFilters, order = "newest-first", owner = "user" } = request;
  checkOneOf("order", order, ["newest-first", "oldest-first"]);
  checkOneOf("owner", owner, ["user", "product", "any"]);
  const equals: Record<string, string> = owner === "any" ? {} : { role: owner };
  for (const field of FILTER_FIELDS) {
    const value = request[field];
    if (value !== undefined) equals[field] = checkOneOf<string>(field, value, FILTERS[field]);
  }
  return {
    ...checkPage(request),
    order,
    equals,
    ...afterCursor(request.cursor, order, request.offset),
    ...(search === undefined ? {} : { contains: checkTextLength("search", search, 0, MAX_SEARCH_CHARACTERS) }),
    ...(tagFilters === undefined ? {} : { tags: checkTagFilters(tagFilters) }),
  };
}

function afterCursor(
  cursor: string | undefined,
  order: string,
  offset: number | undefined,
): { afterSequence?: number } {
  if (cursor === undefined) return {};
  if (!CURSOR.test(checkText("cursor", cursor))) throw rangeError('cursor expected the "next" of the page before');
  if (order !== "oldest-first") throw argumentError('cursor expected the order "oldest-first"');
  if (offset !== undefined && offset !== 0) throw argumentError("cursor expected no offset beside it");
  return { afterSequence: Number(cursor) };
}
