// A list in order of arrival from which any item is removed at once, however long it is. Must not know what it holds.

/** What an item of a {@link Chain} carries: its neighbours, and the chain that it is in. */
export interface Linked<Item extends Linked<Item>> {
  before: Item | undefined;
  after: Item | undefined;
  chain: Chain<Item> | undefined;
}

/** The links of an item that is in no chain. */
export const UNLINKED: { readonly before: undefined; readonly after: undefined; readonly chain: undefined } =
  Object.freeze({ before: undefined, after: undefined, chain: undefined });

/** Items in order of arrival; each is in one chain at most. */
export class Chain<Item extends Linked<Item>> {
  first: Item | undefined;
  last: Item | undefined;

  /** Puts an item at the end, out of the chain where it was. */
  append(item: Item): void {
    item.chain?.remove(item);
    item.chain = this;
    item.before = this.last;
    if (this.last === undefined) this.first = item;
    else this.last.after = item;
    this.last = item;
  }

  /** Takes an item out; one that is not in this chain is left alone. */
  remove(item: Item): void {
    if (item.chain !== this) return;
    const { before, after } = item;
    if (before === undefined) this.first = after;
    else before.after = after;
    if (after === undefined) this.last = before;
    else after.before = before;
    item.before = undefined;
    item.after = undefined;
    item.chain = undefined;
  }
}
