// Checks of what requests share that name many things: pages, batches of ids, tags and filters by them. It must not know what is
// listed, nor stores.
import { FengniError } from "@fengni/core";
import {
  argumentError,
  checkCount,
  checkFields,
  checkText,
  isPlainObject,
  limitError,
  MAX_LIST_LIMIT,
  rangeError,
} from "./checks.js";
import type { Tags } from "./records.js";

/** Entries of a list when the caller does not say. */
export const DEFAULT_PAGE_LIMIT = 10;
/** Most ids in one batch of keys or data keys. */
export const MAX_BATCH_IDS = 100;
/** Most tags of one thing. */
export const MAX_TAGS = 50;
/** Longest key of a tag, in characters; the shortest has 1. */
export const MAX_TAG_KEY_CHARACTERS = 127;
/** Longest value of a tag, in characters. */
export const MAX_TAG_VALUE_CHARACTERS = 255;

/** Which part of a list is asked for. */
export interface PageRequest {
  /** How many to pass over; default 0. */
  readonly offset?: number;
  /** How many to give at most: 1 to 200; default 10. */
  readonly limit?: number;
}

/** Asks for what has a tag. */
export interface TagFilter {
  readonly key: string;
  /** One of these; none given: any. */
  readonly values?: readonly string[];
}

/** A page, with its defaults. */
export function checkPage({ offset = 0, limit = DEFAULT_PAGE_LIMIT }: PageRequest): { offset: number; limit: number } {
  return {
    offset: checkCount("offset", offset, 0, Number.MAX_SAFE_INTEGER),
    limit: checkCount("limit", limit, 1, MAX_LIST_LIMIT),
  };
}

/**
 * A copy of ids, or names, that are all different.
 * @throws FengniError `ERR_CONFLICT` with the reason `duplicate-id`, `ERR_LIMIT`
 */
export function checkBatch(name: string, ids: readonly string[], maximum: number = MAX_BATCH_IDS): readonly string[] {
  if (!Array.isArray(ids)) throw argumentError(`${name} expected a list`);
  if (ids.length === 0) throw rangeError(`${name} expected 1 to ${maximum} ids, got none`);
  if (ids.length > maximum) throw limitError(`${name} count`, maximum, ids.length, "split it up");
  return checkDistinct(
    name,
    ids.map((id) => checkText(name, id)),
  );
}

/** @throws FengniError `ERR_CONFLICT` with the reason `duplicate-id` */
export function checkDistinct(name: string, ids: readonly string[]): readonly string[] {
  const duplicate = ids.find((id, index) => ids.indexOf(id) !== index);
  if (duplicate === undefined) return ids;
  throw new FengniError("ERR_CONFLICT", `${name} names the same thing twice: name it once`, {
    details: { name: duplicate, reason: "duplicate-id" },
  });
}

/** A copy of tags; none for absent ones. */
export function checkTags(tags: Tags | undefined): Tags {
  if (tags === undefined) return {};
  if (!isPlainObject(tags)) throw argumentError("tags expected a plain object of strings");
  const entries = Object.entries(tags);
  if (entries.length > MAX_TAGS) throw limitError("tags count", MAX_TAGS, entries.length, "use fewer");
  for (const [key, value] of entries) {
    checkTagText("tag key", key, 1, MAX_TAG_KEY_CHARACTERS);
    checkTagText("tag value", value, 0, MAX_TAG_VALUE_CHARACTERS);
  }
  return Object.fromEntries(entries);
}

/** A copy of filters, as stores take them. */
export function checkTagFilters(
  filters: readonly TagFilter[] | undefined,
): readonly { readonly key: string; readonly values: readonly string[] }[] {
  if (filters === undefined) return [];
  if (!Array.isArray(filters)) throw argumentError("tagFilters expected a list");
  if (filters.length > MAX_TAGS) throw limitError("tagFilters count", MAX_TAGS, filters.length, "use fewer");
  return filters.map((filter: TagFilter) => {
    checkFields("tagFilter", filter, ["key", "values"]);
    const { key, values = [] } = filter;
    if (!Array.isArray(values)) throw argumentError("tagFilter values expected a list");
    if (values.length > MAX_TAGS) throw limitError("tagFilter values count", MAX_TAGS, values.length, "use fewer");
    return {
      key: checkTagText("tag key", key, 1, MAX_TAG_KEY_CHARACTERS),
      values: values.map((value: string) => checkTagText("tag value", value, 0, MAX_TAG_VALUE_CHARACTERS)),
    };
  });
}

function checkTagText(name: string, text: string, minimum: number, maximum: number): string {
  const { length } = checkText(name, text);
  if (length < minimum) throw rangeError(`${name} expected at least ${minimum} character`);
  if (length > maximum) throw limitError(`${name} length`, maximum, length, "shorten it");
  return text;
}
