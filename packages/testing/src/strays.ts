// What happens behind the answers of a provider: rejections that nobody handles, exceptions that nobody catches, promises that
// settle twice or never. It must not know any operation.
import { errorName } from "./assert.js";
import type { Timers } from "./guard.js";

/** What was found, until it is taken. */
export class Strays {
  readonly #found: string[] = [];
  #hang: string | undefined;

  /** The first call of this check that did not settle in time: what follows would only wait as long again. */
  get hang(): string | undefined {
    return this.#hang;
  }

  /** Notes a call that did not settle in time. */
  addHang(what: string): void {
    this.#hang ??= what;
  }

  /** Notes something that should not have happened. */
  add(what: string): void {
    this.#found.push(what);
  }

  /** The first of what was found, or undefined; the rest is forgotten. A call that hung comes before all else. */
  take(): string | undefined {
    const [first] = this.#found.splice(0);
    const hang = this.#hang;
    this.#hang = undefined;
    return hang ?? first;
  }

  /**
   * Carries work out, and notes what is rejected meanwhile without a handler, or thrown without a caller. Where the runtime does
   * not tell, nothing is noted.
   */
  async watch<Value>(timers: Timers, work: () => Promise<Value>): Promise<Value> {
    const { process } = globalThis;
    if (typeof process?.on !== "function") return work();
    const onStray = (reason: unknown): void => {
      this.add(`after an answer: expected no rejection that nobody handles, got ${errorName(reason)}`);
    };
    const onThrow = (error: unknown): void => {
      this.add(`outside of a call: expected no exception that nobody catches, got ${errorName(error)}`);
    };
    process.on("unhandledRejection", onStray);
    process.on("uncaughtException", onThrow);
    try {
      return await work();
    } finally {
      // The runtime tells once the promises have had their turn.
      await timers.turn();
      process.off("unhandledRejection", onStray);
      process.off("uncaughtException", onThrow);
    }
  }
}
