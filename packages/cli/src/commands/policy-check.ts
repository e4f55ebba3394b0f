// `fengni policy check`: policies looked over before they reach the service. Must not know any rule.
import type { Arguments, CommandSpec } from "../arguments.js";
import { type CheckedFile, type CheckFinding, checkedFileText, checkedTotal } from "../finding-text.js";
import { type CliIo, write } from "../io.js";
import { type KmsApi, loadKmsApi } from "../kms-api.js";
import { readPolicy } from "../policy-file.js";
import { EXIT_FAILED, EXIT_OK } from "../report.js";
import { toJson } from "../text.js";

/** The command. */
export const POLICY_CHECK: CommandSpec = {
  name: "policy check",
  usage: "FILE... [--strict] [--json]",
  summary: "Find what is wrong with access policies.",
  operands: ["FILE"],
  takesSeveral: true,
  options: ["strict", "json"],
  notes: [
    "FILE is an access policy (CAM) of version 2.0 in JSON; - is standard input. A policy that is not understood to the letter is an error, with the place. Statements that cannot do what they say are findings: an error does not do what it says, a warning does it in part or opens much, an info is worth knowing.",
    "The exit code is 1 when there is an error, with --strict also for a warning.",
    'With --json: {"files":[{"file","findings":[{"severity","code","path","message","advice"}]}]}.',
  ],
  examples: ["fengni policy check app.json", "fengni policy check --strict policies/*.json"],
  run: runPolicyCheck,
};

/** Checks each file. @returns 1 when something is wrong */
async function runPolicyCheck(args: Arguments, io: CliIo): Promise<number> {
  const api = await loadKmsApi();
  const files: CheckedFile[] = [];
  for (const file of args.operands) files.push({ file, findings: await check(api, file, io) });
  const text = args.flag("json")
    ? `${toJson({ files })}\n`
    : `${files.map(checkedFileText).join("")}${checkedTotal(files)}`;
  await write(io.stdout, text);
  const isStrict = args.flag("strict");
  const isBad = files.some(({ findings }) =>
    findings.some(({ severity }) => severity === "error" || (isStrict && severity === "warning")),
  );
  return isBad ? EXIT_FAILED : EXIT_OK;
}

async function check(api: KmsApi, file: string, io: CliIo): Promise<readonly CheckFinding[]> {
  const read = await readPolicy(api, file, io);
  if ("policy" in read) return api.lintPolicy(read.policy);
  return [
    {
      severity: "error",
      code: "malformed",
      ...read.malformed,
      advice: "correct it: a policy that is not understood to the letter is refused as a whole",
    },
  ];
}
