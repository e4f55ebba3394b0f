// Pages of keys, oldest first, that neither repeat nor leave out a key when others are made or deleted meanwhile. It must not know
// how requests are sent.
import { isFengniError, type KeyDescription } from "@fengni/core";
import { base64ToBytes, bytesToBase64, bytesToUtf8, utf8ToBytes } from "@fengni/crypto/bytes";
import type { KeyMetadata } from "@fengni/kms-api";
import { rangeError } from "./checks.js";
import { answerError } from "./key-answers.js";
import { describeKey } from "./key-description.js";
import { isKeyIdForm, MAX_LIST_LIMIT } from "./request-checks.js";

/** Where a list goes on. The service counts keys from the oldest; ids tell whether some were deleted since. */
interface Position {
  /** How many keys came before. */
  readonly offset: number;
  /** When the last one was made, in the service's seconds. */
  readonly seconds: number;
  /** The keys made in that second that came already. */
  readonly keyIds: readonly string[];
}

/** Keys as the service lists them. */
interface RawPage {
  readonly keys: readonly KeyMetadata[];
  readonly total: number;
}

/** Asks for keys, oldest first. */
export type AskForKeys = (offset: number, limit: number) => Promise<RawPage>;

/** A page of keys. */
export interface KeyPage {
  readonly keys: readonly KeyDescription[];
  readonly next?: string;
}

const START: Position = { offset: 0, seconds: 0, keyIds: [] };
/** Keys of one second that a cursor can name: more cannot be made at the rate that the service allows. */
const MAX_CURSOR_KEYS = 400;
const MAX_CURSOR_CHARACTERS = 32_768;
/** Keys before a position: more no region has. */
const MAX_OFFSET = 1_000_000;
/** Requests for one page: a service, or a cursor, that leads nowhere must not keep on asking. */
const MAX_REQUESTS = 100;
const ACTION = "ListKeyDetail";

/**
 * A page of at most `limit` keys. A key whose usage is newer than this version is left out.
 * @throws RangeError `ERR_ARGUMENT` for a cursor that is none of this list; FengniError `ERR_UNAVAILABLE` for a list without an
 *   end, and as `ask` does
 */
export async function pageOfKeys(ask: AskForKeys, limit: number, cursor: string | undefined): Promise<KeyPage> {
  let position = cursor === undefined ? START : parseCursor(cursor);
  let requests = 0;
  const askBounded: AskForKeys = (offset, most) => {
    requests += 1;
    if (requests > MAX_REQUESTS) {
      throw answerError(
        ACTION,
        `a page has no end after ${MAX_REQUESTS} requests: begin the list anew, without a cursor`,
      );
    }
    return ask(offset, most);
  };
  for (;;) {
    // One more than asked for: the first is one that came before. Where there was nothing new, as many as there can be.
    const most = requests === 0 ? Math.min(MAX_LIST_LIMIT, limit + 1) : MAX_LIST_LIMIT;
    const { page, offset } = await pageAfter(askBounded, position, most);
    const unseen = page.keys
      .map((key, index) => ({ key, end: offset + index + 1 }))
      .filter(({ key }) => !cameBefore(key, position));
    const taken = unseen.slice(0, limit);
    const last = taken.at(-1);
    const reached = last?.end ?? offset + page.keys.length;
    if (last !== undefined) position = after(position, taken, reached);
    else position = { ...position, offset: reached };
    const hasMore = reached < page.total && page.keys.length > 0;
    const keys = taken.flatMap(({ key }) => known(key) ?? []);
    // A page may hold nothing that is new: the next one is asked for at once.
    if (keys.length > 0 || !hasMore) return hasMore ? { keys, next: formatCursor(position) } : { keys };
  }
}

/** The keys from a position on, and how many are before them: fewer than at the time of the position, if some were deleted. */
async function pageAfter(
  ask: AskForKeys,
  position: Position,
  most: number,
): Promise<{ readonly page: RawPage; readonly offset: number }> {
  // One that came before is asked for again, to see whether it is still in its place.
  let offset = Math.max(0, position.offset - 1);
  for (let step = MAX_LIST_LIMIT; ; step *= 2) {
    const page = await ask(offset, most);
    const [first] = page.keys;
    if (offset === 0 || (first !== undefined && cameBefore(first, position))) return { page, offset };
    // However far off the position is, what is left of the list is near: no more steps than the length of its number.
    offset = Math.max(0, Math.min(offset - step, page.total - 1));
  }
}

function cameBefore({ CreateTime = 0, KeyId = "" }: KeyMetadata, { seconds, keyIds }: Position): boolean {
  return CreateTime < seconds || (CreateTime === seconds && keyIds.includes(KeyId));
}

function after(position: Position, taken: readonly { readonly key: KeyMetadata }[], offset: number): Position {
  const seconds = taken.at(-1)?.key.CreateTime ?? position.seconds;
  const before = seconds === position.seconds ? position.keyIds : [];
  const now = taken.flatMap(({ key }) => (key.CreateTime === seconds && key.KeyId !== undefined ? [key.KeyId] : []));
  return { offset, seconds, keyIds: [...before, ...now].slice(-MAX_CURSOR_KEYS) };
}

function known(key: KeyMetadata): KeyDescription | undefined {
  try {
    return describeKey(ACTION, key);
  } catch (error) {
    if (isFengniError(error, "ERR_NOT_SUPPORTED")) return undefined;
    throw error;
  }
}

function formatCursor({ offset, seconds, keyIds }: Position): string {
  return bytesToBase64(utf8ToBytes(JSON.stringify([offset, seconds, ...keyIds])));
}

function parseCursor(cursor: string): Position {
  try {
    if (typeof cursor === "string" && cursor.length <= MAX_CURSOR_CHARACTERS) {
      const parsed: unknown = JSON.parse(bytesToUtf8(base64ToBytes(cursor)));
      if (Array.isArray(parsed)) {
        const [offset, seconds, ...keyIds]: unknown[] = parsed;
        if (isCount(offset) && offset <= MAX_OFFSET && isCount(seconds) && areKeyIds(keyIds)) {
          return { offset, seconds, keyIds };
        }
      }
    }
  } catch {
    // Said below, in one way for all.
  }
  throw rangeError("cursor expected the `next` of a page of this list");
}

function areKeyIds(values: readonly unknown[]): values is readonly string[] {
  return values.length <= MAX_CURSOR_KEYS && values.every((value) => typeof value === "string" && isKeyIdForm(value));
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
