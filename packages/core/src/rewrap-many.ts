// Rewraps many messages with bounded concurrency, in order, each failure its own. Must know nothing of headers.
import { equalBytes } from "@fengni/crypto/bytes";
import type { Envelope } from "./envelope.js";
import { checkEnvelope } from "./envelope-options.js";
import { argumentError } from "./errors.js";
import { checkInteger, checkOptions, isIterable } from "./options.js";
import { checkRewrapOptions, REWRAP_FIELDS, type RewrapOptions } from "./rewrap-options.js";

/** Messages that are rewrapped at the same time unless told otherwise. */
export const DEFAULT_REWRAP_CONCURRENCY = 8;
const MAX_REWRAP_CONCURRENCY = 256;

/** How far {@link rewrapMany} is. */
export interface RewrapProgress {
  /** Messages given out, whatever became of them. */
  readonly done: number;
  /** As the options say. */
  readonly total: number | undefined;
  /** Bytes of the new messages given out, those that stayed as they were included. */
  readonly bytes: number;
  readonly failed: number;
  /** Messages that stayed as they were. */
  readonly unchanged: number;
}

/** Options of {@link rewrapMany}. */
export interface RewrapManyOptions extends RewrapOptions {
  /** Messages at the same time, 1 to 256; default {@link DEFAULT_REWRAP_CONCURRENCY}. As many are held in memory. */
  readonly concurrency?: number;
  /** How many messages there are, for `onProgress`. */
  readonly total?: number;
  /** Is told after each message. What it throws ends the work. */
  readonly onProgress?: (progress: RewrapProgress) => void;
}

/** What became of one message. */
export type RewrapResult =
  | { readonly index: number; readonly message: Uint8Array; readonly isUnchanged: boolean }
  | { readonly index: number; readonly error: unknown };

/**
 * Rewraps messages: one result for each, in their order, as soon as it is there: the messages may come as they like. A
 * message that fails does not end the others; the signal does, also while no message comes.
 * @param messages - is closed when the work ends early; not waited for where it has been asked and has not answered, and when
 *   the signal aborts
 * @throws TypeError, RangeError (`ERR_ARGUMENT`) for arguments that cannot be; the signal's reason; what the messages'
 *   iterable throws, once the results before it are given out
 *
 * @example
 * ```ts
 * for await (const result of rewrapMany(envelope, messages)) {
 *   if ("error" in result) report(result.index, result.error);
 *   else await store(result.index, result.message);
 * }
 * ```
 */
export async function* rewrapMany(
  envelope: Envelope,
  messages: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  options: RewrapManyOptions = {},
): AsyncGenerator<RewrapResult, void, undefined> {
  checkEnvelope("rewrapMany", envelope, "rewrap");
  if (!isIterable(messages) && !isIterable(messages, Symbol.asyncIterator)) {
    throw argumentError("rewrapMany expected an iterable of messages: one message goes into a list");
  }
  checkOptions("rewrapMany", options, [...REWRAP_FIELDS, "concurrency", "total", "onProgress"]);
  const { concurrency = DEFAULT_REWRAP_CONCURRENCY, total, onProgress, ...each } = options;
  checkInteger("concurrency", concurrency, 1, MAX_REWRAP_CONCURRENCY);
  if (total !== undefined) checkInteger("total", total, 0, Number.MAX_SAFE_INTEGER);
  if (onProgress !== undefined && typeof onProgress !== "function")
    throw argumentError("onProgress expected a function");
  checkRewrapOptions("rewrapMany", each);

  let done = 0;
  let bytes = 0;
  let failed = 0;
  let unchanged = 0;
  const work = (message: Uint8Array, index: number): Promise<RewrapResult> => one(envelope, message, index, each);
  for await (const result of inOrder(messages, concurrency, work, each.signal)) {
    done += 1;
    if ("error" in result) failed += 1;
    else {
      bytes += result.message.length;
      if (result.isUnchanged) unchanged += 1;
    }
    yield result;
    onProgress?.({ done, total, bytes, failed, unchanged });
  }
}

async function one(
  envelope: Envelope,
  message: Uint8Array,
  index: number,
  options: RewrapOptions,
): Promise<RewrapResult> {
  try {
    const rewrapped = await envelope.rewrap(message, options);
    const isUnchanged = rewrapped.length === message.length && equalBytes(rewrapped, message);
    return { index, message: rewrapped, isUnchanged };
  } catch (error) {
    return { index, error };
  }
}

/** An item that is worked on. */
interface Slot<Result> {
  /** Absent until there is a result. */
  settled?: { readonly result: Result };
}

/**
 * Works on the items side by side, as many as allowed, and gives the results in the items' order, each as soon as it is
 * there: items may be long in coming.
 * @param work - must not reject
 * @throws the signal's reason at once; what the items' iterator throws, once the results before it are given out
 */
async function* inOrder<Item, Result>(
  items: Iterable<Item> | AsyncIterable<Item>,
  concurrency: number,
  work: (item: Item, index: number) => Promise<Result>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Result, void, undefined> {
  const slots: Slot<Result>[] = [];
  const running = new Set<Promise<void>>();
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  let index = 0;
  let isPulling = false;
  let isEnded = false;
  let isOver = false;
  let failure: { readonly reason: unknown } | undefined;
  // One to wake at a time, and no race: each would leave its reactions on promises that outlive it.
  let wake = (): void => {};

  const begin = (item: Item): void => {
    const slot: Slot<Result> = {};
    slots.push(slot);
    const job = work(item, index++).then((result) => {
      slot.settled = { result };
      running.delete(job);
      wake();
    });
    running.add(job);
  };
  const pull = async (): Promise<void> => {
    isPulling = true;
    try {
      // Goes on by itself, so that what comes is worked on also while nobody asks for results.
      while (!isEnded && !isOver && slots.length < concurrency) {
        const next = await iterator.next();
        // Nobody wants it any more.
        if (isOver) return;
        if (next.done === true) isEnded = true;
        else begin(next.value);
      }
    } catch (reason) {
      isEnded = true;
      failure = { reason };
    } finally {
      isPulling = false;
      wake();
    }
  };
  const onAbort = (): void => wake();
  signal?.addEventListener("abort", onAbort);
  try {
    for (;;) {
      signal?.throwIfAborted();
      if (!isEnded && !isPulling) void pull();
      const settled = slots[0]?.settled;
      if (settled !== undefined) {
        slots.shift();
        yield settled.result;
      } else if (isEnded && slots.length === 0) {
        if (failure !== undefined) throw failure.reason;
        return;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    isOver = true;
    signal?.removeEventListener("abort", onAbort);
    try {
      if (!isEnded) await closeIterator(iterator, isPulling || signal?.aborted === true);
    } finally {
      // Nobody is left at work when it ends.
      await Promise.all(running);
    }
  }
}

/**
 * Ends an iterator early.
 * @param isTold - it is told, and neither waited for nor heard: one that has been asked and has not answered may never do so,
 *   as a generator is closed only where it next stops; and who gives up does so at once, for his own reason
 */
async function closeIterator(iterator: Iterator<unknown> | AsyncIterator<unknown>, isTold: boolean): Promise<void> {
  const closing = (async () => iterator.return?.())();
  if (isTold) closing.catch(() => {});
  else await closing;
}
