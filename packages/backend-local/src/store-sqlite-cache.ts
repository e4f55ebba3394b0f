// What a store remembers of a file, bounded; what was not used for long goes first. It must not know what is remembered.

interface Entry<Value> {
  readonly value: Value;
  readonly generation: number;
}

/**
 * Values by key, each with the generation in which it was last known to hold. There are two halves: what is used moves to the young
 * one; when that is full the old one is dropped, and the young one grows old. So whatever was used lately stays for long enough.
 */
export class BoundedCache<Value> {
  #young = new Map<string, Entry<Value>>();
  #old = new Map<string, Entry<Value>>();
  readonly #half: number;
  readonly #drop: (value: Value) => void;

  /**
   * @param maximum - number of values
   * @param drop - called with every value that is forgotten
   */
  constructor(maximum: number, drop: (value: Value) => void = () => undefined) {
    this.#half = Math.ceil(maximum / 2);
    this.#drop = drop;
  }

  /** The value, if it holds in a generation. */
  get(key: string, generation: number): Value | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young.generation === generation ? young.value : undefined;
    const old = this.#old.get(key);
    if (old === undefined || old.generation !== generation) return undefined;
    this.#old.delete(key);
    this.#add(key, old);
    return old.value;
  }

  /** The value, of whatever generation. */
  peek(key: string): Value | undefined {
    return (this.#young.get(key) ?? this.#old.get(key))?.value;
  }

  set(key: string, value: Value, generation: number): void {
    const previous = this.take(key);
    this.#add(key, { value, generation });
    if (previous !== undefined && previous !== value) this.#drop(previous);
  }

  delete(key: string): void {
    const value = this.take(key);
    if (value !== undefined) this.#drop(value);
  }

  /** Forgets a value without dropping it. */
  take(key: string): Value | undefined {
    const value = this.peek(key);
    this.#young.delete(key);
    this.#old.delete(key);
    return value;
  }

  clear(): void {
    for (const half of [this.#young, this.#old]) {
      for (const { value } of half.values()) this.#drop(value);
      half.clear();
    }
  }

  #add(key: string, entry: Entry<Value>): void {
    if (this.#young.size >= this.#half) {
      const dropped = this.#old;
      this.#old = this.#young;
      this.#young = new Map();
      for (const { value } of dropped.values()) this.#drop(value);
    }
    this.#young.set(key, entry);
  }
}
