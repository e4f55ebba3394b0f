// Keys in memory only: gone with the process. It must not know clocks or callers.
import { FengniError } from "@fengni/core";
import type { KeyTable } from "./keys.js";
import { type ChangeOptions, type KeyStore, type KeyTransaction, MemoryTable } from "./store.js";

/** A store that lives as long as its object. */
export class MemoryKeyStore implements KeyStore {
  #table = new MemoryTable();
  #isClosed = false;

  view(): KeyTable {
    if (this.#isClosed) throw storeClosed();
    return this.#table;
  }

  async change<Result>(apply: (keys: KeyTransaction) => Result, options?: ChangeOptions): Promise<Result> {
    options?.signal?.throwIfAborted();
    if (this.#isClosed) throw storeClosed();
    const draft = this.#table.draft();
    const result = apply(draft);
    this.#table.wipeAllBut(draft);
    this.#table = draft;
    return result;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#table.wipeAllBut();
    this.#table = new MemoryTable();
  }
}

/** The store was closed. */
export function storeClosed(): FengniError<"ERR_CLOSED"> {
  return new FengniError("ERR_CLOSED", "the local KMS was closed: make or open it again");
}
