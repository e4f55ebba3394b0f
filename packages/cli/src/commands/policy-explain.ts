// `fengni policy explain`: whether policies allow a request, and why. Must not decide anything itself.
import type { Explanation, Policy } from "@fengni/kms-api";
import type { Arguments, CommandSpec } from "../arguments.js";
import { usageError } from "../failure.js";
import { type CliIo, write } from "../io.js";
import { loadKmsApi } from "../kms-api.js";
import { requirePolicy } from "../policy-file.js";
import { readQuestion } from "../policy-request.js";
import { EXIT_DENIED, EXIT_OK } from "../report.js";
import { escapeText, toJson } from "../text.js";

/** The command. */
export const POLICY_EXPLAIN: CommandSpec = {
  name: "policy explain",
  usage: "--policy FILE --action ACTION [--key KEY] [OPTIONS]",
  summary: "Tell whether policies allow a request, and why.",
  operands: [],
  options: [
    "policy",
    "action",
    "key",
    "caller",
    "owner",
    "creator",
    "region",
    "ip",
    "time",
    "tag",
    "request-tag",
    "json",
  ],
  optionHelp: {
    key: "id of the key, or its resource in six segments as the audit log names it; several for an action on several keys",
  },
  notes: [
    "Shows the decision, the statement that made it, and for every other statement why it does not apply. Anything that no statement allows is refused; a deny wins over every allow.",
    "Some actions are authorized at operation level, Decrypt among them: for those a policy cannot name keys, and --key changes nothing.",
    "The exit code is 0 when the request is allowed and 3 when it is refused.",
    "With --json: the decision, its reason, and each resource with its statements, as one object.",
  ],
  examples: [
    "fengni policy explain --policy app.json --action kms:Encrypt --key 6d5e... --ip 10.0.0.7",
    "fengni policy explain --policy app.json --policy deny.json --action kms:Decrypt",
  ],
  run: runPolicyExplain,
};

/** Explains one request. @returns 0 when it is allowed, 3 when it is refused */
async function runPolicyExplain(args: Arguments, io: CliIo): Promise<number> {
  const files = args.list("policy");
  if (files.length === 0) throw usageError("--policy is missing: it names a file with a policy");
  if (files.includes("")) throw usageError("--policy is empty");
  const api = await loadKmsApi();
  const { action, request } = readQuestion(api, args, io);
  const policies: Policy[] = [];
  for (const file of files) policies.push(await requirePolicy(api, file, io));
  const explanation = api.explain({ policies }, request);
  const isKeyIgnored = action.granularity === "operation" && args.list("key").length > 0;
  await write(
    io.stdout,
    args.flag("json") ? explanationJson(files, explanation) : explanationText(files, explanation, isKeyIgnored),
  );
  return explanation.decision === "allow" ? EXIT_OK : EXIT_DENIED;
}

function explanationJson(files: readonly string[], { text: _, ...explanation }: Explanation): string {
  return `${toJson({ ...explanation, policies: files })}\n`;
}

function explanationText(files: readonly string[], { action, text }: Explanation, isKeyIgnored: boolean): string {
  const lines = text.split("\n");
  if (isKeyIgnored) {
    lines.push(`--key changes nothing: keys cannot be named in policies for ${action}.`);
  }
  lines.push(...files.map((file, index) => `policies[${index}] is ${file}.`));
  return `${lines.map(escapeText).join("\n")}\n`;
}
