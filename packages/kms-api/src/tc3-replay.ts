// A memory of accepted signatures, for those who want each request to count once. It must not know how signatures are made.

/** How a {@link ReplayWindow} is bounded. */
export interface ReplayWindowOptions {
  /** How far a request's time may be from now, in seconds, as for `verifySignature`; default 300. */
  readonly windowSeconds?: number;
  /** Most signatures remembered; default 100,000. */
  readonly maxEntries?: number;
  /** Most signatures remembered of one holder, so that none takes the room of the others; default a quarter of `maxEntries`. */
  readonly maxEntriesPerHolder?: number;
  /**
   * How long after its first use the same signature is still taken, in whole seconds; default 1. 0 takes it once, and so refuses
   * the second of two equal requests that one client makes in the same second.
   */
  readonly graceSeconds?: number;
}

/** What the window needs to know of a request that was verified. */
export interface SignedUse {
  readonly signature: string;
  /** The request's time, Unix seconds. */
  readonly timestampSeconds: number;
  /** Whose share of the room it takes: a SecretId, or whoever holds several. */
  readonly holder: string;
  /** All of the request that the signature does not bind, in any form of bounded length: the same signature with another is a replay. */
  readonly unsigned: string;
}

interface Entry {
  readonly firstUseSeconds: number;
  readonly holder: string;
  readonly unsigned: string;
}

/** What the window says of a signature: take it, it was used before, or there is no room to remember it. */
export type ReplayAnswer = "fresh" | "replayed" | "full";

function checkCount(name: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw Object.assign(new RangeError(`"${name}" expected an integer of at least ${least}`), { code: "ERR_ARGUMENT" });
}

/**
 * Remembers accepted signatures for as long as their requests are in time.
 *
 * The protocol has no nonce and counts in seconds: two equal requests in one second are signed alike, and the real service takes
 * a signed request any number of times within its window. So this is an addition, and off unless given. A repetition within
 * `graceSeconds` of the first use counts as such an equal request; a later one is a replay, and so is one that differs in anything
 * at all. When it is full it takes nothing new, nor of a holder whose share is: forgetting would open what it is there to close.
 */
export class ReplayWindow {
  readonly windowSeconds: number;
  readonly #maxEntries: number;
  readonly #maxEntriesPerHolder: number;
  readonly #graceSeconds: number;
  // By the second of the request's time, because a whole second runs out at once; inside, by signature.
  readonly #seconds = new Map<number, Map<string, Entry>>();
  readonly #sizes = new Map<string, number>();
  #size = 0;
  #sweptAt = Number.NEGATIVE_INFINITY;

  /**
   * @param options - its bounds
   * @throws RangeError `ERR_ARGUMENT` for a bound that is no positive integer
   */
  constructor(options: ReplayWindowOptions = {}) {
    const { windowSeconds = 300, maxEntries = 100_000, graceSeconds = 1 } = options;
    this.windowSeconds = checkCount("windowSeconds", windowSeconds, 1);
    this.#maxEntries = checkCount("maxEntries", maxEntries, 1);
    const share = options.maxEntriesPerHolder ?? Math.ceil(maxEntries / 4);
    this.#maxEntriesPerHolder = checkCount("maxEntriesPerHolder", share, 1);
    this.#graceSeconds = checkCount("graceSeconds", graceSeconds, 0);
  }

  /** How many signatures are remembered. */
  get size(): number {
    return this.#size;
  }

  /**
   * Takes note of a request that was verified; others must not come here, for they would fill it.
   * @param use - what is known of it
   * @param nowSeconds - the time now, Unix seconds
   * @returns whether the request may be served
   */
  remember({ signature, timestampSeconds, holder, unsigned }: SignedUse, nowSeconds: number): ReplayAnswer {
    this.#sweep(nowSeconds);
    const signatures = this.#seconds.get(timestampSeconds);
    const first = signatures?.get(signature);
    if (first !== undefined) {
      const isRepeated = this.#graceSeconds > 0 && nowSeconds - first.firstUseSeconds <= this.#graceSeconds;
      return isRepeated && first.unsigned === unsigned && first.holder === holder ? "fresh" : "replayed";
    }
    const held = this.#sizes.get(holder) ?? 0;
    if (this.#size >= this.#maxEntries || held >= this.#maxEntriesPerHolder) return "full";
    const entry: Entry = { firstUseSeconds: nowSeconds, holder, unsigned };
    if (signatures === undefined) this.#seconds.set(timestampSeconds, new Map([[signature, entry]]));
    else signatures.set(signature, entry);
    this.#sizes.set(holder, held + 1);
    this.#size += 1;
    return "fresh";
  }

  /** Drops what could not be accepted any more. */
  #sweep(nowSeconds: number): void {
    if (nowSeconds === this.#sweptAt) return;
    this.#sweptAt = nowSeconds;
    for (const [second, signatures] of this.#seconds) {
      if (second >= nowSeconds - this.windowSeconds) continue;
      this.#size -= signatures.size;
      for (const { holder } of signatures.values()) this.#release(holder);
      this.#seconds.delete(second);
    }
  }

  #release(holder: string): void {
    const held = (this.#sizes.get(holder) ?? 0) - 1;
    if (held > 0) this.#sizes.set(holder, held);
    else this.#sizes.delete(holder);
  }
}
