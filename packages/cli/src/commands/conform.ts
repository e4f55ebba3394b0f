// `fengni conform`: the conformance kit over a backend of the user's. Must not know what the kit demands.
import type { CheckResult, ConformanceReport } from "@fengni/testing";
import type { Arguments, CommandSpec } from "../arguments.js";
import { isDebugging } from "../config.js";
import { loadFactory } from "../conform-module.js";
import { ConformProgress } from "../conform-progress.js";
import { CliError, usageError } from "../failure.js";
import { type CliIo, write } from "../io.js";
import { EXIT_FAILED, EXIT_OK } from "../report.js";
import { escapeText, toJson } from "../text.js";

const MAX_DATA_KEYS = 100_000;
/** For the check that runs, and for deleting the keys that the kit made, in milliseconds. */
const GRACE_MS = 15_000;

/** The command. */
export const CONFORM: CommandSpec = {
  name: "conform",
  usage: "MODULE [--only AREA]... [--json] [--data-keys N]",
  summary: "Find out whether a backend keeps the contract of a key provider.",
  operands: ["MODULE"],
  options: ["only", "data-keys", "json"],
  optionHelp: { json: "the report as one JSON object on one line" },
  notes: [
    "MODULE is a file in JavaScript, or a package that can be imported from this folder. Its default export, or its export factory, is a function that makes what the kit needs: a ConformanceFactory of @fengni/testing; docs/conformance.md shows one. It is code, and runs with all your rights. TypeScript needs a Node.js that loads it by itself, or a loader.",
    "The kit tries what the provider claims, under attack as well as in daily use, and that it refuses the rest. It changes no key that the factory gives. The report names what failed, and what was not claimed.",
    "The exit code is 1 when a check failed, or the module gave nothing to test. FENGNI_DEBUG=1 shows the stack of the error behind each failure; a wrong backend may have put a secret into it.",
  ],
  examples: [
    "fengni conform ./my-backend.mjs",
    "fengni conform my-backend --only encrypt-decrypt --only errors --data-keys 500 --json",
  ],
  run: runConform,
};

/** Runs the kit. @returns 1 when the backend does not conform */
async function runConform(args: Arguments, io: CliIo): Promise<number> {
  const uniqueDataKeys = args.integer("data-keys", 1, MAX_DATA_KEYS);
  // Only here: no other command needs it.
  const { CONFORMANCE_AREAS, formatReport, runConformance } = await import("@fengni/testing");
  const only = args.list("only");
  const unknown = only.find((area) => !CONFORMANCE_AREAS.includes(area));
  if (unknown !== undefined) {
    throw usageError(`--only expected one of ${CONFORMANCE_AREAS.join(", ")}, got "${unknown}"`);
  }
  const factory = await loadFactory(args.operand(0));
  io.setGraceMs(GRACE_MS);
  const progress = new ConformProgress(io.stderr, only.length === 0 ? CONFORMANCE_AREAS.length : new Set(only).size);
  let report: ConformanceReport;
  try {
    report = await runConformance(factory, {
      signal: io.signal,
      ...(uniqueDataKeys !== undefined && { uniqueDataKeys }),
      ...(only.length > 0 && { only }),
      onResult: (result, cause) => {
        progress.add(result);
        if (isDebugging(io.env)) progress.remark(causeText(result, cause));
      },
    });
  } catch (error) {
    if (error instanceof CliError || !(error instanceof Error)) throw error;
    throw new CliError("ERR_MODULE", `cannot test ${args.operand(0)}: ${error.message}`, error);
  } finally {
    progress.finish();
  }
  await write(io.stdout, args.flag("json") ? `${toJson(report)}\n` : escapeLines(formatReport(report)));
  // A report without a single check that held proves nothing.
  return report.passed && report.counts.passed > 0 ? EXIT_OK : EXIT_FAILED;
}

function causeText({ area, name }: CheckResult, cause: unknown): string {
  return cause instanceof Error ? escapeLines(`${area}: ${name}: ${cause.stack ?? cause.message}\n`) : "";
}

/** Ids come from the backend. */
function escapeLines(text: string): string {
  return text.split("\n").map(escapeText).join("\n");
}
