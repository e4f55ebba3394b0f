// The records inside one change, as time leaves them: what is due of a record happens before anybody sees it, and copies in other
// regions follow. What one change does of this is bounded. It must not know callers, nor what the change is for.
import type { KeyRecord, RecordKind, RecordKinds, StoredRecord } from "./records.js";
import { replicate } from "./replicas.js";
import { dueAtMs, isDue, isToRotate, recordAt, settleOnce, timedRecord } from "./scheduled.js";
import type { RecordTransaction } from "./store.js";

/** How much of what is due, or is to be copied, one change does at most; it always does one thing. */
export const PORTION: PortionBounds = { steps: 50, ms: 8 };
/** The same of a change that is made for another reason, and that touches nothing of it. */
export const SMALL_PORTION: PortionBounds = { steps: 10, ms: 2 };

/** Bounds of a part of a work. */
export interface PortionBounds {
  readonly steps: number;
  readonly ms: number;
}

/** Counts what was done of a portion. */
export class Portion {
  readonly #startedMs: number = performance.now();
  readonly #bounds: PortionBounds;
  #steps = 0;

  constructor(bounds: PortionBounds) {
    this.#bounds = bounds;
  }

  /** Counts one step. @returns whether there may be another */
  step(): boolean {
    return ++this.#steps < this.#bounds.steps && performance.now() - this.#startedMs < this.#bounds.ms;
  }
}

/** Lets others have the event loop between two portions. @throws the signal's reason when it aborted */
export async function nextTurn(signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
  signal?.throwIfAborted();
}

type Address = { readonly region: string; readonly id: string };

/** Keeps the due time of every record right, settles what is found, and lets copies follow the keys that were touched. */
export class SettlingTransaction implements RecordTransaction {
  readonly #records: RecordTransaction;
  readonly #nowMs: number;
  readonly #touched = new Map<string, Address>();
  /** Each is settled once in a change, so that a key with more rotations than may be in one ends. */
  readonly #settled = new Set<string>();

  constructor(records: RecordTransaction, nowMs: number) {
    this.#records = records;
    this.#nowMs = nowMs;
  }

  secret: RecordTransaction["secret"] = (record, slot) => this.#records.secret(record, slot);
  query: RecordTransaction["query"] = (query) => this.#records.query(query);
  nextDueAtMs: RecordTransaction["nextDueAtMs"] = () => this.#records.nextDueAtMs();
  due: RecordTransaction["due"] = (nowMs, limit) => this.#records.due(nowMs, limit);
  nextSequence: RecordTransaction["nextSequence"] = () => this.#records.nextSequence();
  putSecret: RecordTransaction["putSecret"] = (address, slot, secret) => this.#records.putSecret(address, slot, secret);
  removeSecret: RecordTransaction["removeSecret"] = (address, slot) => this.#records.removeSecret(address, slot);

  get<Kind extends RecordKind>(kind: Kind, region: string, id: string): RecordKinds[Kind] | undefined {
    const record = this.#records.get(kind, region, id);
    return record !== undefined && this.#settle(record) ? this.#records.get(kind, region, id) : record;
  }

  findName<Kind extends RecordKind>(kind: Kind, region: string, name: string): RecordKinds[Kind] | undefined {
    const record = this.#records.findName(kind, region, name);
    return record !== undefined && this.#settle(record) ? this.#records.findName(kind, region, name) : record;
  }

  put(record: StoredRecord): void {
    const { dueAtMs: _, ...rest } = record;
    const due = dueAtMs(record);
    if (record.kind === "key") this.#touch(record);
    this.#records.put((due === undefined ? rest : { ...rest, dueAtMs: due }) as typeof record);
  }

  remove: RecordTransaction["remove"] = (address) => {
    if (address.kind === "key") this.#touch(address);
    this.#records.remove(address);
  };

  /** Lets a portion of all that is due happen, in the order in which it fell due. */
  settlePortion(bounds: PortionBounds): void {
    const portion = new Portion(bounds);
    do {
      const dueMs = this.#records.nextDueAtMs();
      const [record] = dueMs === undefined || dueMs > this.#nowMs ? [] : this.#records.due(this.#nowMs, 1);
      if (record === undefined) break;
      settleOnce(this, record, this.#nowMs);
    } while (portion.step());
    this.follow();
  }

  /** Brings the copies of a key to where they have to be. */
  copy({ region, id }: Address): void {
    this.#touch({ region, id });
    this.follow();
  }

  /** Lets the copies follow the keys that were touched so far. */
  follow(): void {
    if (this.#touched.size === 0) return;
    const touched = [...this.#touched.values()];
    this.#touched.clear();
    replicate(this.#records, touched, this.#nowMs, (region, name) => this.#holderOf(region, name));
  }

  /** Who has an alias, once a holder that is to be deleted is. */
  #holderOf(region: string, name: string): KeyRecord | undefined {
    const holder = this.#records.findName("key", region, name);
    if (holder === undefined || recordAt(this.#records, holder, this.#nowMs) !== undefined) return holder;
    return this.findName("key", region, name);
  }

  #touch({ region, id }: Address): void {
    this.#touched.set(`${region} ${id}`, { region, id });
  }

  /** Lets what is due of a record happen, of a copy what is due of its source. @returns whether anything did */
  #settle(record: StoredRecord): boolean {
    const timed = timedRecord(this.#records, record);
    if (timed === undefined || !isDue(timed, this.#nowMs)) return false;
    const { kind, region, id } = timed;
    const key = `${kind} ${region} ${id}`;
    if (this.#settled.has(key)) return false;
    this.#settled.add(key);
    const portion = new Portion(PORTION);
    let current: StoredRecord | undefined = timed;
    do {
      settleOnce(this, current, this.#nowMs);
      current = this.#records.get(kind, region, id);
    } while (current !== undefined && isDue(current, this.#nowMs) && (!isToRotate(current) || portion.step()));
    // At once: whoever asks for a copy, or for its alias, is to see what became of it.
    this.follow();
    return true;
  }
}
