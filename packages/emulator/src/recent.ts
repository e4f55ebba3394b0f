// The last so many of anything, in memory. It must not know what it keeps.

/** A list of bounded length: a new entry takes the place of the oldest. */
export class RecentEntries<Entry> {
  readonly #capacity: number;
  readonly #entries: Entry[] = [];
  #next = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  add(entry: Entry): void {
    this.#entries[this.#next] = entry;
    this.#next = (this.#next + 1) % this.#capacity;
  }

  /** The newest `limit`, the oldest of them first. */
  last(limit: number): readonly Entry[] {
    const ordered = [...this.#entries.slice(this.#next), ...this.#entries.slice(0, this.#next)];
    return limit <= 0 ? [] : ordered.slice(-limit);
  }

  /** The newest entry that meets a condition. */
  findLast(isWanted: (entry: Entry) => boolean): Entry | undefined {
    return this.last(this.#capacity).findLast(isWanted);
  }
}
