// A call of a wrapping key with a deadline, whether the key heeds its signal or not. Must know nothing of what it answers.
import { whenAborted } from "./abort.js";
import { FengniError, shown } from "./errors.js";
import type { CallOptions } from "./provider.js";

/** How long one call of a wrapping key may take unless told otherwise, in milliseconds. */
export const DEFAULT_KEY_DEADLINE_MS = 10_000;
/** Longest time that a call may be given, in milliseconds. */
export const MAX_KEY_DEADLINE_MS = 600_000;

/**
 * Calls a key. When the deadline passes or the caller's signal aborts first, it rejects at once, and what the key answers
 * later goes to `discard`.
 * @throws `ERR_TIMEOUT` (retryable), the signal's reason, and what the call rejects with
 */
export function withDeadline<Value>(
  name: string,
  timeoutMs: number,
  { signal }: CallOptions,
  call: (options: CallOptions) => Promise<Value>,
  discard: (late: Value) => void,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const controller = new AbortController();
    let isOver = false;
    let stop: (() => void) | undefined;
    const end = (): boolean => {
      if (isOver) return false;
      isOver = true;
      clearTimeout(timer);
      stop?.();
      return true;
    };
    const giveUp = (reason: unknown): void => {
      if (!end()) return;
      reject(reason);
      controller.abort(reason);
    };
    const onAbort = (): void => giveUp(signal?.reason);
    const timer = setTimeout(() => {
      const text = `wrapping key ${shown(name)} did not answer within ${timeoutMs} ms: try again, or raise keyDeadlineMs`;
      giveUp(new FengniError("ERR_TIMEOUT", text, { retryable: true, details: { timeoutMs } }));
    }, timeoutMs);
    if (signal?.aborted === true) return onAbort();
    if (signal !== undefined) stop = whenAborted(signal, onAbort);
    new Promise<Value>((settle) => settle(call({ signal: controller.signal }))).then(
      (value) => (end() ? resolve(value) : discard(value)),
      (error: unknown) => {
        if (end()) reject(error);
      },
    );
  });
}
