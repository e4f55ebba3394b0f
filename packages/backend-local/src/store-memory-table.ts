// Records and secrets in memory with every index that stores need. Each operation is its own inverse. It must not know changes,
// nor when a secret is wiped.
import type { SecretBytes } from "@fengni/crypto/secret";
import type { RecordAddress, RecordKind, RecordKinds, StoredRecord } from "./records.js";
import type { QueryResult, RecordQuery } from "./store.js";
import { isFiltered, matcherOf } from "./store-checks.js";

type Due = StoredRecord & { readonly dueAtMs: number };

/** The records of one kind and region. */
interface Group {
  readonly byId: Map<string, StoredRecord>;
  readonly byName: Map<string, StoredRecord>;
  readonly inSequence: OrderedList<StoredRecord>;
}

/** Records by address, by name, in sequence and by due time. */
export class MemoryTable {
  readonly #groups = new Map<string, Group>();
  readonly #due = new OrderedList<Due>((a, b) => a.dueAtMs - b.dueAtMs || compareAddresses(a, b));
  readonly #secrets = new Map<string, Map<number, SecretBytes>>();

  get<Kind extends RecordKind>(kind: Kind, region: string, id: string): RecordKinds[Kind] | undefined {
    return this.#groups.get(groupOf(kind, region))?.byId.get(id) as RecordKinds[Kind] | undefined;
  }

  findName<Kind extends RecordKind>(kind: Kind, region: string, name: string): RecordKinds[Kind] | undefined {
    return this.#groups.get(groupOf(kind, region))?.byName.get(name) as RecordKinds[Kind] | undefined;
  }

  query<Kind extends RecordKind>(query: RecordQuery<Kind>): QueryResult<Kind> {
    const { kind, region, order, offset, limit, afterSequence } = query;
    const group = this.#groups.get(groupOf(kind, region));
    if (group === undefined) return { records: [], total: 0 };
    const { items } = group.inSequence;
    const from = afterSequence === undefined ? 0 : firstAfter(items, afterSequence);
    const isWhole = !isFiltered(query);
    const rest = from === 0 ? items : items.slice(from);
    const found = isWhole ? rest : rest.filter(matcherOf(query));
    const total = found.length;
    const end = total - offset;
    const page =
      order === "oldest-first"
        ? found.slice(offset, offset + limit)
        : found.slice(Math.max(0, end - limit), Math.max(0, end)).reverse();
    return { records: page as RecordKinds[Kind][], total };
  }

  nextDueAtMs(): number | undefined {
    return this.#due.items[0]?.dueAtMs;
  }

  due(nowMs: number, limit: number): readonly StoredRecord[] {
    const { items } = this.#due;
    let count = 0;
    while (count < limit && count < items.length && (items[count] as Due).dueAtMs <= nowMs) count++;
    return items.slice(0, count);
  }

  /** Puts one record in the place of another; undefined for none. */
  replace(previous: StoredRecord | undefined, next: StoredRecord | undefined): void {
    if (previous !== undefined) {
      const group = this.#group(previous);
      group.byId.delete(previous.id);
      if (previous.name !== undefined) group.byName.delete(previous.name);
      if (isDue(previous)) this.#due.delete(previous);
      group.inSequence.delete(previous, next);
    }
    if (next !== undefined) {
      const group = this.#group(next);
      group.byId.set(next.id, next);
      if (next.name !== undefined) group.byName.set(next.name, next);
      if (isDue(next)) this.#due.add(next);
      group.inSequence.add(next);
    }
  }

  secret(address: RecordAddress, slot: number): SecretBytes | undefined {
    return this.#secrets.get(addressText(address))?.get(slot);
  }

  secretsOf(address: RecordAddress): ReadonlyMap<number, SecretBytes> {
    return this.#secrets.get(addressText(address)) ?? new Map();
  }

  /** Puts a secret in its slot; undefined for none. */
  setSecret(address: RecordAddress, slot: number, secret: SecretBytes | undefined): void {
    const key = addressText(address);
    const slots = this.#secrets.get(key) ?? new Map<number, SecretBytes>();
    if (secret === undefined) slots.delete(slot);
    else slots.set(slot, secret);
    if (slots.size === 0) this.#secrets.delete(key);
    else this.#secrets.set(key, slots);
  }

  /** Wipes every secret. */
  wipe(): void {
    for (const slots of this.#secrets.values()) for (const secret of slots.values()) secret.wipe();
  }

  #group(address: RecordAddress): Group {
    const key = groupOf(address.kind, address.region);
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { byId: new Map(), byName: new Map(), inSequence: new OrderedList(compareSequences) };
      this.#groups.set(key, group);
    }
    return group;
  }
}

/** Items in order. Adding at the end is the common case, and costs nothing more. */
class OrderedList<Item> {
  readonly items: Item[] = [];
  readonly #compare: (a: Item, b: Item) => number;

  constructor(compare: (a: Item, b: Item) => number) {
    this.#compare = compare;
  }

  add(item: Item): void {
    const at = this.#find(item);
    const isThere = at < this.items.length && this.#compare(this.items[at] as Item, item) === 0;
    this.items.splice(at, isThere ? 1 : 0, item);
  }

  /** @param next - what is added next; in the same place it will overwrite the item, so that nothing moves */
  delete(item: Item, next?: Item): void {
    if (next !== undefined && this.#compare(item, next) === 0) return;
    this.items.splice(this.#find(item), 1);
  }

  /** Index of the first item that is not before the one given. */
  #find(item: Item): number {
    const last = this.items.at(-1);
    if (last === undefined || this.#compare(last, item) < 0) return this.items.length;
    return lowerBound(this.items, (other) => this.#compare(other, item) < 0);
  }
}

function firstAfter(items: readonly StoredRecord[], sequence: number): number {
  return lowerBound(items, (item) => item.sequence <= sequence);
}

/** Index of the first item that is not before; all that are before come first. */
function lowerBound<Item>(items: readonly Item[], isBefore: (item: Item) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(items[middle] as Item)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function compareSequences(a: StoredRecord, b: StoredRecord): number {
  return a.sequence - b.sequence || compareTexts(a.id, b.id);
}

function compareAddresses(a: StoredRecord, b: StoredRecord): number {
  return a.sequence - b.sequence || compareTexts(addressText(a), addressText(b));
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function isDue(record: StoredRecord): record is Due {
  return record.dueAtMs !== undefined;
}

function groupOf(kind: RecordKind, region: string): string {
  return `${kind}\0${region}`;
}

/** An address as one text. Kinds and regions hold no NUL. */
function addressText({ kind, region, id }: RecordAddress): string {
  return `${kind}\0${region}\0${id}`;
}
