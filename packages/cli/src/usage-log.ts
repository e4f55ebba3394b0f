// From the emulator's audit log to the uses that a policy must grant. Must not know how a policy is made of them.
import type { UsageRecord } from "@fengni/kms-api";
import { CliError } from "./failure.js";
import type { Input } from "./input.js";
import { linesOf } from "./lines.js";
import { formatCount, plural } from "./text.js";

/** Which calls count. */
export interface UsageFilter {
  /** Only those of this account; undefined: of every account. */
  readonly uin: string | undefined;
  /** Also those that policies refused. */
  readonly includeDenied: boolean;
}

/** What was used. */
export interface Usage {
  /** Each action once, with all of its resources. */
  readonly records: readonly UsageRecord[];
  /** Sentences for people: how many calls counted, and which did not. */
  readonly notes: readonly string[];
}

/** Longest line, in bytes: an entry with the resources of a hundred keys has some 15,000. */
const MAX_LINE_BYTES = 1024 * 1024;
/** Different pairs of action and resource that are kept. */
const MAX_USES = 100_000;
const MAX_SHOWN_LINES = 5;
const MAX_SHOWN_ACCOUNTS = 10;
const DECISIONS = ["", "allow", "explicit_deny", "implicit_deny"];

/** The members of an entry that matter here. */
interface Entry {
  readonly action: string;
  readonly uin: string;
  readonly resources: readonly string[];
  readonly decision: string;
  readonly code: string;
}

/**
 * Reads a log of any length: memory grows with the number of different uses only, which is bounded.
 * @throws `ERR_INPUT` when no line is an entry, for a line that is too long, and for too many different uses
 */
export async function readUsage(input: Input, filter: UsageFilter, signal: AbortSignal): Promise<Usage> {
  const collector = new UsageCollector(filter);
  for await (const { number, text, isComplete } of linesOf(input, MAX_LINE_BYTES, signal)) {
    if (text === "") continue;
    const entry = isComplete ? readEntry(text) : undefined;
    if (entry === undefined) collector.skip(number);
    else if (!collector.add(entry)) {
      const limit = `more than the allowed ${formatCount(MAX_USES)} different uses`;
      throw new CliError("ERR_INPUT", `${input.label} has ${limit}: choose an account with --uin`);
    }
  }
  if (collector.isNoLog) {
    throw new CliError("ERR_INPUT", `${input.label} is no audit log of the emulator: no line of it is an entry`);
  }
  return collector.usage;
}

/** The entry in a line; undefined when there is none, as in a line that a lost process cut off. */
function readEntry(line: string): Entry | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { action, uin, resources, decision, code } = value as Readonly<Record<keyof Entry, unknown>>;
  if (typeof action !== "string" || typeof uin !== "string" || typeof code !== "string") return undefined;
  if (typeof decision !== "string" || !DECISIONS.includes(decision) || !isTexts(resources)) return undefined;
  return { action, uin, resources, decision, code };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

class UsageCollector {
  readonly #filter: UsageFilter;
  readonly #resources = new Map<string, Set<string>>();
  readonly #skippedLines: number[] = [];
  /** Those whose calls counted, up to one more than are shown. */
  readonly #accounts = new Set<string>();
  #uses = 0;
  #skipped = 0;
  #granted = 0;
  #denied = 0;
  #failed = 0;
  #others = 0;

  constructor(filter: UsageFilter) {
    this.#filter = filter;
  }

  get isNoLog(): boolean {
    return this.#skipped > 0 && this.#granted + this.#denied + this.#failed + this.#others === 0;
  }

  skip(line: number): void {
    this.#skipped += 1;
    if (this.#skippedLines.length < MAX_SHOWN_LINES) this.#skippedLines.push(line);
  }

  /** @returns false when there are too many different uses */
  add(entry: Entry): boolean {
    const { uin, includeDenied } = this.#filter;
    if (uin !== undefined && entry.uin !== uin) {
      this.#others += 1;
      return true;
    }
    if (entry.decision.endsWith("_deny")) {
      this.#denied += 1;
      if (!includeDenied) return true;
    } else if (entry.code !== "") {
      this.#failed += 1;
      return true;
    } else {
      this.#granted += 1;
    }
    if (this.#accounts.size <= MAX_SHOWN_ACCOUNTS) this.#accounts.add(entry.uin);
    return this.#keep(entry);
  }

  #keep({ action, resources }: Entry): boolean {
    const known = this.#resources.get(action) ?? new Set<string>();
    if (!this.#resources.has(action)) {
      this.#resources.set(action, known);
      this.#uses += 1;
    }
    for (const resource of resources) {
      if (!known.has(resource)) this.#uses += 1;
      known.add(resource);
    }
    return this.#uses <= MAX_USES;
  }

  get usage(): Usage {
    const { includeDenied } = this.#filter;
    const notes = [`${plural(this.#granted, "call")} succeeded and counted.`];
    if (this.#accounts.size > 1) {
      const shown = [...this.#accounts].slice(0, MAX_SHOWN_ACCOUNTS).join(", ");
      const accounts = this.#accounts.size > MAX_SHOWN_ACCOUNTS ? `${shown} and more` : shown;
      notes.push(`The policy grants what several accounts did together: ${accounts}. --uin chooses one.`);
    }
    if (this.#denied > 0) {
      const what = includeDenied ? "counted too: look at what they asked for" : "did not count";
      notes.push(`${plural(this.#denied, "call")} that policies refused ${what}.`);
    }
    if (this.#failed > 0) notes.push(`${plural(this.#failed, "call")} that failed for another reason did not count.`);
    if (this.#others > 0) notes.push(`${plural(this.#others, "call")} of other accounts did not count.`);
    if (this.#skipped > 0) {
      const more = this.#skipped > this.#skippedLines.length ? " and more" : "";
      const lines = `${this.#skippedLines.join(", ")}${more}`;
      notes.push(`${plural(this.#skipped, "line")} left out, no whole entry of an audit log: ${lines}.`);
    }
    const records = [...this.#resources].map(([action, resources]) => ({ action, resources: [...resources] }));
    return { records, notes };
  }
}
