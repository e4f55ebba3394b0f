// A map that keeps what was asked for lately, so that names from outside do not fill the memory. It must not know what it keeps.

/** Regions that a client remembers: more than the service has. */
export const MAX_REGIONS = 64;

/** What happens to the values that a {@link RecentMap} lets go. */
export interface RecentMapOptions<Value> {
  /** Whether a value may go now; default: always. One that may not stays, although there are too many. */
  readonly mayGo?: (value: Value) => boolean;
  /** Is told of a value that has gone. */
  readonly onGone?: (value: Value) => void;
}

/** Values by name, each made when it is first asked for. When there are too many, the one that nobody has asked for longest goes. */
export class RecentMap<Value> {
  readonly #maximum: number;
  readonly #options: RecentMapOptions<Value>;
  // In the order in which they were asked for last.
  readonly #values = new Map<string, Value>();
  #latest: string | undefined;

  /** @param maximum - of values, 1 or more */
  constructor(maximum: number, options: RecentMapOptions<Value> = {}) {
    this.#maximum = maximum;
    this.#options = options;
  }

  /** The value of a name. */
  get(name: string, make: () => Value): Value {
    const found = this.#values.get(name);
    if (found !== undefined) {
      if (name !== this.#latest) {
        this.#values.delete(name);
        this.#values.set(name, found);
        this.#latest = name;
      }
      return found;
    }
    if (this.#values.size >= this.#maximum) this.#dropOldest();
    const made = make();
    this.#values.set(name, made);
    this.#latest = name;
    return made;
  }

  /** Names and values, those first that nobody has asked for longest. */
  entries(): IterableIterator<[string, Value]> {
    return this.#values.entries();
  }

  #dropOldest(): void {
    const { mayGo, onGone } = this.#options;
    for (const [name, value] of this.#values) {
      if (mayGo?.(value) === false) continue;
      this.#values.delete(name);
      onGone?.(value);
      if (this.#values.size < this.#maximum) return;
    }
  }
}
