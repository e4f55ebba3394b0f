// What came of a run of the kit, as data and as text. It must not know how checks are run.

/** Of a check: it held, it did not, or the provider does not claim what it is about. */
export type CheckStatus = "passed" | "failed" | "not claimed";

/** What came of one check. */
export interface CheckResult {
  readonly area: string;
  readonly name: string;
  readonly status: CheckStatus;
  /** What broke, or why it was not claimed. No secret is in it. */
  readonly message?: string;
  /** How many assertions it made. */
  readonly assertions: number;
  readonly durationMs: number;
}

/** What came of one area. */
export interface AreaReport {
  readonly area: string;
  readonly status: "exercised" | "failed" | "not claimed";
  readonly durationMs: number;
  readonly checks: readonly CheckResult[];
}

/** What came of a run. Plain data: it can be written as JSON. */
export interface ConformanceReport {
  readonly providerId: string;
  /** Whether no check failed. */
  readonly passed: boolean;
  readonly durationMs: number;
  /** How many data keys the check of uniqueness compared; fewer than 10,000 where the caller lowered it. */
  readonly uniqueDataKeys: number;
  /** Areas that were left out by the caller: of them the report says nothing. */
  readonly notRun: readonly string[];
  /** Checks by status, and the assertions that they made. */
  readonly counts: {
    readonly passed: number;
    readonly failed: number;
    readonly notClaimed: number;
    readonly assertions: number;
  };
  readonly areas: readonly AreaReport[];
}

/** Sums up the results of a run. */
export function reportOf(
  providerId: string,
  uniqueDataKeys: number,
  notRun: readonly string[],
  durationMs: number,
  results: readonly CheckResult[],
): ConformanceReport {
  const byStatus = (status: CheckStatus): number => results.filter((result) => result.status === status).length;
  const names = [...new Set(results.map(({ area }) => area))];
  return {
    providerId,
    passed: byStatus("failed") === 0,
    durationMs,
    uniqueDataKeys,
    notRun,
    counts: {
      passed: byStatus("passed"),
      failed: byStatus("failed"),
      notClaimed: byStatus("not claimed"),
      assertions: results.reduce((sum, { assertions }) => sum + assertions, 0),
    },
    areas: names.map((name) =>
      areaReport(
        name,
        results.filter(({ area }) => area === name),
      ),
    ),
  };
}

function areaReport(area: string, checks: readonly CheckResult[]): AreaReport {
  const has = (status: CheckStatus): boolean => checks.some((check) => check.status === status);
  return {
    area,
    status: has("failed") ? "failed" : has("passed") ? "exercised" : "not claimed",
    durationMs: checks.reduce((sum, { durationMs }) => sum + durationMs, 0),
    checks,
  };
}

/** One line for each reason: a backend that claims little has a hundred checks without a claim. */
function notClaimedLines(checks: readonly CheckResult[]): string[] {
  const counts = new Map<string, number>();
  for (const { status, message = "" } of checks) {
    if (status === "not claimed") counts.set(message, (counts.get(message) ?? 0) + 1);
  }
  return [...counts].map(
    ([reason, count]) => `    not claimed: ${count === 1 ? "1 check" : `${count} checks`}, as ${reason}`,
  );
}

/**
 * Writes a report for people: a line for each area, one for each check that failed, and one for each reason why checks were not
 * claimed; which these are is in the report itself.
 * @returns lines of text, with a line feed at the end
 */
export function formatReport(report: ConformanceReport): string {
  const { passed, failed, notClaimed, assertions } = report.counts;
  const seconds = (report.durationMs / 1000).toFixed(1);
  const lines = [
    `${report.providerId}: ${verdict(report)}`,
    `${passed} checks passed, ${failed} failed, ${notClaimed} not claimed; ${assertions} assertions in ${seconds} s`,
  ];
  if (report.uniqueDataKeys < 10_000) lines.push(`uniqueness was checked over ${report.uniqueDataKeys} data keys only`);
  if (report.notRun.length > 0) lines.push(`not run: ${report.notRun.join(", ")}`);
  for (const { area, status, durationMs, checks } of report.areas) {
    const held = checks.filter((check) => check.status === "passed").length;
    lines.push(
      `  ${area.padEnd(18)} ${status.padEnd(11)} ${held} of ${checks.length} checks, ${Math.round(durationMs)} ms`,
    );
    for (const check of checks) {
      if (check.status === "failed") lines.push(`    failed: ${check.name} (${check.message ?? ""})`);
    }
    lines.push(...notClaimedLines(checks));
  }
  return `${lines.join("\n")}\n`;
}

/** A part of the kit proves a part of the contract. */
function verdict({ passed, notRun, counts }: ConformanceReport): string {
  if (!passed) return "does not conform";
  if (counts.passed === 0) return "nothing was exercised";
  return notRun.length === 0 ? "conforms" : "conforms as far as the areas that were run go";
}
