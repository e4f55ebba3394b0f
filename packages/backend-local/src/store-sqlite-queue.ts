// Changes that wait for their turn: those that come while others are written share one transaction, so that one synchronisation of
// the disk serves many. It must not know records, SQL or files.
import type { ChangeOptions } from "./store.js";
import { storeBusy } from "./store-errors.js";

const DEFAULT_WAIT_MS = 10_000;
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 10;

/** A change that waits. */
export interface WaitingChange {
  /** Runs it inside a transaction that was begun. */
  run(): void;
  /** The transaction is durable. */
  keep(): void;
  /** Nothing of it is in the file. */
  fail(error: unknown): void;
}

/** How the queue reaches the file. */
export interface TransactionOwner {
  /** @returns false while somebody else writes */
  begin(): boolean;
  /** Runs some of the changes from the front of the queue in the transaction that was begun, and ends it. */
  runGroup(next: () => WaitingChange | undefined): void;
}

interface Entry extends WaitingChange {
  readonly deadlineMs: number;
  readonly stopListening: () => void;
}

/** The changes of one store that wait. */
export class ChangeQueue {
  readonly #owner: TransactionOwner;
  readonly #entries: Entry[] = [];
  #isDraining = false;

  constructor(owner: TransactionOwner) {
    this.#owner = owner;
  }

  add(change: WaitingChange, options: ChangeOptions | undefined): void {
    const signal = options?.signal;
    const onAbort = (): void => {
      const at = this.#entries.indexOf(entry);
      if (at < 0) return;
      this.#entries.splice(at, 1);
      change.fail(signal?.reason);
    };
    const entry: Entry = {
      run: () => change.run(),
      keep: () => change.keep(),
      fail: (error) => change.fail(error),
      deadlineMs: performance.now() + (options?.maxWaitMs ?? DEFAULT_WAIT_MS),
      stopListening: () => signal?.removeEventListener("abort", onAbort),
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#entries.push(entry);
    if (!this.#isDraining) void this.#drain();
  }

  /** Lets every change that waits fail. */
  failAll(error: unknown): void {
    for (let change = this.#next(); change !== undefined; change = this.#next()) change.fail(error);
  }

  async #drain(): Promise<void> {
    this.#isDraining = true;
    try {
      while (this.#entries.length > 0) {
        // Those that come in the same turn of the event loop share the transaction.
        await new Promise<void>((resolve) => setImmediate(resolve));
        if (await this.#begin()) this.#owner.runGroup(() => this.#next());
      }
    } catch (error) {
      this.failAll(error);
    } finally {
      this.#isDraining = false;
    }
  }

  /** Waits, without blocking, until nobody else writes. @returns false when nothing waits any more */
  async #begin(): Promise<boolean> {
    for (let pauseMs = FIRST_PAUSE_MS; this.#entries.length > 0; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      if (this.#owner.begin()) return true;
      this.#failLate();
      await new Promise<void>((resolve) => setTimeout(resolve, pauseMs));
    }
    return false;
  }

  #failLate(): void {
    const now = performance.now();
    for (const entry of this.#entries.filter(({ deadlineMs }) => deadlineMs <= now)) {
      this.#entries.splice(this.#entries.indexOf(entry), 1);
      entry.stopListening();
      entry.fail(storeBusy("another process writes it for too long: try again"));
    }
  }

  #next(): WaitingChange | undefined {
    const entry = this.#entries.shift();
    entry?.stopListening();
    return entry;
  }
}
