// The faults that are switched on, and which of them a request meets. It must not know how a fault is carried out.
import { EmulatorConfigurationError } from "./configuration-error.js";
import { wholeOf } from "./document.js";
import { checkFaultRule, type FaultKind, type FaultRule } from "./fault-rules.js";

/** A rule that is switched on. */
export interface ActiveFault extends FaultRule {
  /** For {@link Faults.remove}. */
  readonly id: number;
  /** How many times it has happened. */
  readonly happened: number;
}

/** What a request meets. */
export interface ChosenFault {
  /** How long it waits first. */
  readonly latencyMs: number;
  /** What happens then; undefined when it only waits. */
  readonly kind: Exclude<FaultKind, "latency"> | undefined;
  /** The HTTP status of `http-5xx`. */
  readonly status: number;
}

const MAX_RULES = 100;
/** By how much the clock can be set wrong, at most. */
export const MAX_SKEW_SECONDS: number = 10 * 366 * 86_400;
const DEFAULT_STATUS = 503;

interface Rule {
  readonly id: number;
  readonly rule: FaultRule;
  happened: number;
}

/** The fault switches of one emulator. With none switched on, a request pays for one comparison. */
export class Faults {
  readonly #rules: Rule[] = [];
  #random: () => number;
  #nextId = 1;
  #skewSeconds = 0;

  /** @param seed - of the generator that draws probabilities, 0 to 2^32-1 */
  constructor(seed = 1) {
    this.#random = randomOf(seed);
  }

  /**
   * By how many seconds the server's clock is ahead (or behind, when negative): for the time window of signatures, the header
   * `Date`, the condition key `qcs:current_time` and the times of the audit log. Keys do not age by it.
   */
  get skewSeconds(): number {
    return this.#skewSeconds;
  }

  /** @throws EmulatorConfigurationError for what is no whole number of seconds within ten years */
  set skewSeconds(seconds: number) {
    this.#skewSeconds = wholeOf(seconds, "skewSeconds", -MAX_SKEW_SECONDS, MAX_SKEW_SECONDS);
  }

  /**
   * Switches a fault on. Rules apply in the order in which they were added: waits add up, and the first other fault is the one.
   * @returns the id of the rule
   * @throws EmulatorConfigurationError for a malformed rule, and for more than 100
   */
  add(rule: FaultRule): number {
    const checked = checkFaultRule(rule);
    if (this.#rules.length >= MAX_RULES) throw new EmulatorConfigurationError(`there are at most ${MAX_RULES} faults`);
    const id = this.#nextId++;
    this.#rules.push({ id, rule: checked, happened: 0 });
    return id;
  }

  /** Switches a fault off. @returns whether it was on */
  remove(id: number): boolean {
    const index = this.#rules.findIndex((rule) => rule.id === id);
    if (index >= 0) this.#rules.splice(index, 1);
    return index >= 0;
  }

  /** Switches all faults off; the clock is set right again. @param seed - starts the generator anew */
  clear(seed?: number): void {
    this.#rules.length = 0;
    this.#skewSeconds = 0;
    if (seed !== undefined) this.#random = randomOf(seed);
  }

  /** What is switched on. */
  list(): readonly ActiveFault[] {
    return this.#rules.map(({ id, rule, happened }) => ({ ...rule, id, happened }));
  }

  /** What a request of an action meets; undefined, mostly. A rule that has happened as often as it should is removed. */
  choose(action: string | undefined): ChosenFault | undefined {
    if (this.#rules.length === 0) return undefined;
    let latencyMs = 0;
    let chosen: FaultRule | undefined;
    for (const entry of [...this.#rules]) {
      const { rule } = entry;
      if (rule.action !== undefined && rule.action !== action) continue;
      if (rule.probability !== undefined && this.#random() >= rule.probability) continue;
      entry.happened += 1;
      if (entry.happened === rule.count) this.remove(entry.id);
      if (rule.kind === "latency") {
        latencyMs += rule.latencyMs ?? 0;
        continue;
      }
      chosen = rule;
      break;
    }
    if (chosen === undefined && latencyMs === 0) return undefined;
    const kind = chosen?.kind === "latency" ? undefined : chosen?.kind;
    return { latencyMs, kind, status: chosen?.status ?? DEFAULT_STATUS };
  }
}

/** A generator of numbers from 0 up to 1: a counter through a mixing function of 32 bits. It is no source of secrets. */
function randomOf(seed: number): () => number {
  let state = wholeOf(seed, "seed", 0, 0xffff_ffff);
  return () => {
    state = (state + 0x9e37_79b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0_aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a_2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}
