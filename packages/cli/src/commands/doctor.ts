// `fengni doctor`: which implementation of each primitive this runtime uses. Must not choose any.
import { type RuntimeReportEntry, runtimeReport } from "@fengni/crypto/report";
import type { Arguments, CommandSpec } from "../arguments.js";
import { type CliIo, write } from "../io.js";
import { EXIT_FAILED, EXIT_OK } from "../report.js";
import { toJson } from "../text.js";
import { VERSION } from "../version.js";

/** The command. */
export const DOCTOR: CommandSpec = {
  name: "doctor",
  usage: "[--json]",
  summary: "Show which implementation of each primitive is used here, and why.",
  operands: [],
  options: ["json"],
  notes: [
    "Runs the known-answer test of every implementation. The exit code is 1 when a primitive has none that works.",
  ],
  examples: ["fengni doctor"],
  run: runDoctor,
};

/** Shows the runtime report. @returns 1 when a primitive has no implementation */
async function runDoctor(args: Arguments, io: CliIo): Promise<number> {
  const primitives = runtimeReport();
  const { version: node, platform, arch, versions } = process;
  const openssl = versions["openssl"] ?? "none";
  const report = { fengni: VERSION, node, openssl, platform, arch, primitives };
  const text = args.flag("json") ? toJson(report) : doctorText(report);
  await write(io.stdout, `${text}\n`);
  return primitives.some(({ chosen }) => chosen === "none") ? EXIT_FAILED : EXIT_OK;
}

interface DoctorReport {
  readonly fengni: string;
  readonly node: string;
  readonly openssl: string;
  readonly platform: string;
  readonly arch: string;
  readonly primitives: readonly RuntimeReportEntry[];
}

function doctorText({ fengni, node, openssl, platform, arch, primitives }: DoctorReport): string {
  const width = Math.max(...primitives.map(({ primitive }) => primitive.length)) + 2;
  return [
    `fengni ${fengni}, Node.js ${node}, OpenSSL ${openssl}, ${platform} ${arch}`,
    ...primitives.map(({ primitive, chosen, available, reason }) => {
      const others = available.filter((name) => name !== chosen);
      const also = others.length === 0 ? "" : `; also there: ${others.join(", ")}`;
      return `${primitive.padEnd(width)}${chosen.padEnd(11)}${reason}${also}`;
    }),
  ].join("\n");
}
