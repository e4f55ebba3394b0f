// The one way from an id or an alias to a key's record, and to a change of it: here a key whose deletion is due stops to exist.
// It must not know what is done with a record.
import type { CallOptions } from "@fengni/core";
import { checkText } from "./checks.js";
import type { Clock } from "./clock.js";
import { isDue, type KeyRecord, keyNotFound } from "./keys.js";
import type { ChangeOptions, KeyStore, KeyTransaction } from "./store.js";

/** Finds and changes records. Internal to the package: records hold material. */
export class KeyAccess {
  readonly #store: KeyStore;
  readonly #clock: Clock;

  constructor(store: KeyStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * The record that an id or an alias names; undefined when there is none, or its deletion is due. It does not wait, so that a
   * caller that finds its key has read its arguments before it returns.
   */
  lookUp(reference: string, options: CallOptions | undefined): KeyRecord | undefined {
    options?.signal?.throwIfAborted();
    const record = findRecord(this.#store.view(), checkText("keyId", reference));
    return record === undefined || isDue(record, this.#clock.now()) ? undefined : record;
  }

  /** For a key that {@link lookUp} did not find: deletes it if it is due, then rejects with `ERR_KEY_NOT_FOUND`. */
  async missing(reference: string): Promise<never> {
    if (findRecord(this.#store.view(), reference) !== undefined) await this.#purge();
    throw keyNotFound(reference);
  }

  /** The record that an id or an alias names. @throws FengniError `ERR_KEY_NOT_FOUND` */
  async find(reference: string, options: CallOptions | undefined): Promise<KeyRecord> {
    return this.lookUp(reference, options) ?? (await this.missing(reference));
  }

  /** Records in the order of creation, at most `limit`, of those after `afterSequence`. */
  async list(afterSequence: number, limit: number, options: CallOptions | undefined): Promise<KeyRecord[]> {
    options?.signal?.throwIfAborted();
    const nowMs = this.#clock.now();
    const records: KeyRecord[] = [];
    let hasDue = false;
    for (const record of this.#store.view().list(afterSequence)) {
      if (isDue(record, nowMs)) hasDue = true;
      else if (records.push(record) === limit) break;
    }
    if (hasDue) await this.#purge();
    return records;
  }

  /** One change of the store, in which every key that is due is deleted first. */
  change<Result>(
    options: ChangeOptions | undefined,
    apply: (keys: KeyTransaction, nowMs: number) => Result,
  ): Promise<Result> {
    return this.#store.change((keys) => {
      const nowMs = this.#clock.now();
      for (const record of [...keys.list()]) if (isDue(record, nowMs)) keys.remove(record.keyId);
      return apply(keys, nowMs);
    }, options);
  }

  /** As {@link change}, of the one record that an id or an alias names. */
  changeOne(
    reference: string,
    options: CallOptions | undefined,
    update: (record: KeyRecord, keys: KeyTransaction, nowMs: number) => KeyRecord,
  ): Promise<KeyRecord> {
    return this.change(options, (keys, nowMs) => {
      const record = findRecord(keys, checkText("keyId", reference));
      if (record === undefined) throw keyNotFound(reference);
      const updated = update(record, keys, nowMs);
      if (updated !== record) keys.put(updated);
      return updated;
    });
  }

  /** Deletes what is due. What cannot be written at once stays unreachable, and is deleted at a later access. */
  async #purge(): Promise<void> {
    try {
      await this.change({ maxWaitMs: 0 }, () => undefined);
    } catch {
      // The caller's own answer does not depend on it.
    }
  }
}

/** The key that an id or an alias names, due for deletion or not. */
function findRecord(keys: Pick<KeyTransaction, "get" | "findAlias">, reference: string): KeyRecord | undefined {
  return keys.get(reference) ?? keys.findAlias(reference);
}
