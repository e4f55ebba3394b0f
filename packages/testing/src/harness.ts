// Runs the checks of all areas over one subject: as tests of a test framework, or by itself with a report. It must not know what
// any check is about.
import { restingHandles, shutdown } from "./areas/shutdown.js";
import { AREAS } from "./areas.js";
import { ConformanceFailure, errorName } from "./assert.js";
import { Timers } from "./guard.js";
import { type Area, type Check, Kit, type KitSettings, whyNotClaimed } from "./kit.js";
import { type CheckResult, type ConformanceReport, reportOf } from "./report.js";
import type { ConformanceFactory } from "./subject.js";
import { checkSubject } from "./subject-shape.js";

/** Data keys that the check of uniqueness compares unless told otherwise. */
const UNIQUE_DATA_KEYS = 10_000;
const CALL_TIMEOUT_MS = 20_000;
/** Enough for 10,000 data keys at 20 a second. */
const CHECK_TIMEOUT_MS = 600_000;

/** Names of the areas, in the order in which they run. */
export const CONFORMANCE_AREAS: readonly string[] = AREAS.map(({ name }) => name);

/** Settings that suit a backend to its speed. They change how long the kit takes and waits, never what it demands. */
export interface ConformanceSettings {
  /** How many data keys the check of uniqueness compares; default 10,000. The report says so when it is less. */
  readonly uniqueDataKeys?: number;
  /** How long one call of the provider may take, in milliseconds; default 20,000. */
  readonly callTimeoutMs?: number;
  /** How long one check, the factory and the cleanup may take, in milliseconds; default 600,000. */
  readonly checkTimeoutMs?: number;
}

/** Options of {@link runConformance}. */
export interface RunConformanceOptions extends ConformanceSettings {
  /** Names of the areas to run; absent: all. */
  readonly only?: readonly string[];
  /** Ends the run before its next check; what was made is cleaned up, and the call rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /**
   * Called after each check.
   * @param cause - the error behind a failure, with its stack: for the eyes of the backend's author, as a wrong provider may have
   *   put a secret into it
   */
  readonly onResult?: (result: CheckResult, cause?: unknown) => void;
}

/** Options of {@link conformance}. */
export interface ConformanceOptions extends ConformanceSettings {
  /** The `test` of Vitest, of node:test, or of anything that takes a name and an async function. */
  readonly test: (name: string, fn: () => Promise<void>) => unknown;
  readonly factory: ConformanceFactory;
  /** Stands before the name of each test. */
  readonly name?: string;
}

/** What came of a check, and the error behind it, which is not part of the report. */
interface Outcome {
  readonly result: CheckResult;
  readonly cause?: unknown;
}

/** One subject, made at first need, and cleaned up once. */
class Run {
  readonly #factory: ConformanceFactory;
  readonly #areas: readonly Area[];
  readonly #settings: KitSettings;
  readonly #checkTimeoutMs: number;
  #kit: Promise<Kit> | undefined;
  #isDisposed = false;

  constructor(factory: ConformanceFactory, areas: readonly Area[], settings: ConformanceSettings) {
    this.#factory = factory;
    this.#areas = areas;
    this.#settings = {
      uniqueDataKeys: settings.uniqueDataKeys ?? UNIQUE_DATA_KEYS,
      callTimeoutMs: settings.callTimeoutMs ?? CALL_TIMEOUT_MS,
    };
    this.#checkTimeoutMs = settings.checkTimeoutMs ?? CHECK_TIMEOUT_MS;
  }

  get uniqueDataKeys(): number {
    return this.#settings.uniqueDataKeys;
  }

  async kit(): Promise<Kit> {
    this.#kit ??= this.#makeKit();
    return this.#kit;
  }

  async #makeKit(): Promise<Kit> {
    const handles = this.#areas.includes(shutdown) ? await restingHandles(new Timers()) : undefined;
    const made = (async () => this.#factory())();
    const subject = await new Timers().within(this.#checkTimeoutMs, made, "the factory");
    checkSubject(subject);
    return new Kit(subject, this.#settings, handles);
  }

  async check(area: Area, check: Check): Promise<Outcome> {
    const startedAt = performance.now();
    const kit = await this.kit();
    const before = kit.check.count;
    const result = (status: CheckResult["status"], message?: string): CheckResult => ({
      area: area.name,
      name: check.name,
      status,
      ...(message !== undefined && { message }),
      assertions: kit.check.count - before,
      durationMs: performance.now() - startedAt,
    });
    try {
      const reason = whyNotClaimed(check.needs, kit.subject);
      if (reason !== undefined) return { result: result("not claimed", reason) };
      const within = (): Promise<void> => kit.timers.within(this.#checkTimeoutMs, check.run(kit), "the check");
      await kit.strays.watch(kit.timers, within);
      const stray = kit.strays.take();
      return { result: stray === undefined ? result("passed") : result("failed", stray) };
    } catch (error) {
      const text = failureText(error);
      const { hang } = kit.strays;
      kit.strays.take();
      // Something between the check and the provider may have hidden it.
      const message = hang === undefined || text.includes(hang) ? text : hang;
      return { result: result("failed", message), cause: causeOf(error) };
    }
  }

  /** Cleans up; what the checks of shutdown did already is no error. */
  async dispose(): Promise<void> {
    if (this.#isDisposed || this.#kit === undefined) return;
    this.#isDisposed = true;
    const kit = await this.#kit;
    await kit.strays.watch(kit.timers, async () => {
      await kit.cleanUp();
      await kit.close();
      await kit.timers.within(this.#checkTimeoutMs, kit.disposeSubject(), "the subject's cleanup");
    });
  }

  /** Cleans up. @returns what came of it when it failed: the results of the checks are not lost for that */
  async failedCleanup(): Promise<Outcome | undefined> {
    const startedAt = performance.now();
    try {
      await this.dispose();
      return undefined;
    } catch (error) {
      const durationMs = performance.now() - startedAt;
      const message = failureText(error);
      const result = { area: "cleanup", name: "the subject's cleanup", status: "failed", message } as const;
      return { result: { ...result, assertions: 0, durationMs }, cause: causeOf(error) };
    }
  }
}

function failureText(error: unknown): string {
  return error instanceof ConformanceFailure ? error.message : `expected no error, got ${errorName(error)}`;
}

/** The error of the provider, or of the factory, behind a failure of the kit. */
function causeOf(error: unknown): unknown {
  let cause = error;
  while (cause instanceof ConformanceFailure) ({ cause } = cause);
  return cause;
}

/**
 * Runs the contract of a key provider against a backend, and reports.
 * @param factory - makes the subject; called once
 * @returns what was exercised, what is not claimed and what failed
 * @throws RangeError `ERR_ARGUMENT` for an unknown area; TypeError `ERR_ARGUMENT` for what is no subject; what the factory rejects
 *   with; the signal's reason
 *
 * @example
 * const report = await runConformance(async () => inMemoryProvider());
 * console.log(formatReport(report));
 */
export async function runConformance(
  factory: ConformanceFactory,
  options: RunConformanceOptions = {},
): Promise<ConformanceReport> {
  const areas = selected(options.only);
  const startedAt = performance.now();
  const run = new Run(factory, areas, options);
  const { provider } = (await run.kit()).subject;
  const results: CheckResult[] = [];
  const take = ({ result, cause }: Outcome): void => {
    results.push(result);
    options.onResult?.(result, cause);
  };
  try {
    for (const area of areas) {
      for (const check of area.checks) {
        options.signal?.throwIfAborted();
        take(await run.check(area, check));
      }
    }
  } finally {
    const failed = await run.failedCleanup();
    if (failed !== undefined) take(failed);
  }
  const notRun = CONFORMANCE_AREAS.filter((name) => !areas.some((area) => area.name === name));
  return reportOf(provider.providerId, run.uniqueDataKeys, notRun, performance.now() - startedAt, results);
}

/**
 * Declares the contract of a key provider as tests of a test framework, one for each rule. What the provider does not claim
 * passes; {@link runConformance} tells it apart. The tests share one subject and must run in their order, one after the other.
 *
 * @example
 * // `test` is Vitest's or node:test's.
 * conformance({ test, factory: async () => inMemoryProvider() });
 */
export function conformance(options: ConformanceOptions): void {
  const { test, factory, name = "conformance" } = options;
  const run = new Run(factory, AREAS, options);
  for (const area of AREAS) {
    for (const check of area.checks) {
      test(`${name} / ${area.name} / ${check.name}`, async () => {
        const { result, cause } = await run.check(area, check);
        if (result.status === "failed") throw new ConformanceFailure(result.message, { cause });
      });
    }
  }
  test(`${name} / cleanup`, () => run.dispose());
}

function selected(only: readonly string[] | undefined): readonly Area[] {
  const unknown = only?.find((name) => !AREAS.some((area) => area.name === name));
  if (unknown !== undefined) {
    const known = AREAS.map((area) => area.name).join(", ");
    throw Object.assign(new RangeError(`only expected names of areas, of ${known}`), { code: "ERR_ARGUMENT" });
  }
  return only === undefined ? AREAS : AREAS.filter((area) => only.includes(area.name));
}
