// Small tools of the two engines: pieces of output, and work that is synchronous where the cipher is.
import { joinBytes } from "@fengni/crypto/bytes";
import { argumentError } from "./errors.js";

/** A value, or a promise of it: ciphers of some runtimes are asynchronous. */
export type Awaitable<Value> = Value | Promise<Value>;

/** Pieces from this length on are given out as they are: copying them together would cost more than a piece more does. */
const JOIN_BELOW: number = 8 * 1024;

/** Calls `next` with the value: at once where it is there, when it comes where it is promised. */
export function andThen<Value, Result>(
  value: Awaitable<Value>,
  next: (value: Value) => Awaitable<Result>,
): Awaitable<Result> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** Runs work that may fail at once or later; `onFailure` runs before the failure reaches the caller. */
export function guarded<Value>(work: () => Awaitable<Value>, onFailure: (error: unknown) => void): Awaitable<Value> {
  const fail = (error: unknown): never => {
    onFailure(error);
    throw error;
  };
  try {
    const value = work();
    return value instanceof Promise ? value.catch(fail) : value;
  } catch (error) {
    return fail(error);
  }
}

/** Lets one call work at a time: an engine whose calls overlapped would mix up its bytes. */
export class Turns {
  #isTaken = false;

  /** @throws TypeError (`ERR_ARGUMENT`) while another call is at work, which goes on undisturbed */
  take<Value>(work: () => Awaitable<Value>, onFailure: (error: unknown) => void): Awaitable<Value> {
    if (this.#isTaken) throw argumentError("calls must not overlap: await the one before");
    this.#isTaken = true;
    const done = <Result>(result: Result): Result => {
      this.#isTaken = false;
      return result;
    };
    return andThen(
      guarded(work, (error) => {
        this.#isTaken = false;
        onFailure(error);
      }),
      done,
    );
  }
}

/** Joins neighbours that are shorter than {@link JOIN_BELOW}; larger pieces stay as they are. */
export function gather(pieces: readonly Uint8Array[]): Uint8Array[] {
  const gathered: Uint8Array[] = [];
  let small: Uint8Array[] = [];
  const flush = (): void => {
    if (small.length > 0) gathered.push(small.length === 1 ? (small[0] as Uint8Array) : joinBytes(small));
    small = [];
  };
  for (const piece of pieces) {
    if (piece.length < JOIN_BELOW) {
      small.push(piece);
    } else {
      flush();
      gathered.push(piece);
    }
  }
  flush();
  return gathered;
}
