// `fengni policy generate`: the smallest policy for what was used, or for actions and keys. Must not know how it is made.
import type { UsageRecord } from "@fengni/kms-api";
import type { Arguments, CommandSpec } from "../arguments.js";
import { CliError, usageError } from "../failure.js";
import { openInput } from "../input.js";
import { type CliIo, write } from "../io.js";
import { isResource, namesKeys, ownerOf, policyName, requireAction, resourceOfKey } from "../key-resource.js";
import { type KmsApi, loadKmsApi } from "../kms-api.js";
import type { OptionName } from "../option-table.js";
import { DEFAULT_REGION, readUin } from "../policy-request.js";
import { EXIT_OK } from "../report.js";
import { escapeText, toJson } from "../text.js";
import { readUsage, type Usage } from "../usage-log.js";

const AUDIT_OPTIONS: readonly OptionName[] = ["uin", "include-denied"];
const ACTION_OPTIONS: readonly OptionName[] = ["key", "owner", "creator", "region"];

/** The command. */
export const POLICY_GENERATE: CommandSpec = {
  name: "policy generate",
  usage: "--audit FILE | --action ACTION [--key KEY] [OPTIONS]",
  summary: "Make the smallest policy for what was used.",
  operands: [],
  options: ["audit", ...AUDIT_OPTIONS, "action", ...ACTION_OPTIONS, "json"],
  optionHelp: {
    action: "an action to grant, for example kms:Encrypt; may be given several times",
    key: "id of a key, or its resource in six segments; may be given several times: each action is granted on each",
    owner: "the number of the root account that owns the keys; needed for ids",
    json: "the policy and the notes in one JSON object on one line",
  },
  notes: [
    "The policy goes to standard output as JSON, notes to standard error. It grants every call that counts, and nothing beyond but what the service forces: for an action that is authorized at operation level, such as Decrypt, a policy cannot name keys.",
    "From an audit log only calls count that succeeded; with --include-denied also those that policies refused. Lines that are no whole entry are left out, and a note says so.",
    "An id needs --owner, and --creator unless the root account made the key: both are parts of the resource.",
    'With --json: {"policy","notes"}.',
  ],
  examples: [
    "fengni policy generate --audit audit.jsonl --uin 100000000002 > app.json",
    "fengni policy generate --action kms:Encrypt --key 6d5e... --owner 100000000001",
  ],
  run: runPolicyGenerate,
};

/** Makes a policy. @returns the exit code */
async function runPolicyGenerate(args: Arguments, io: CliIo): Promise<number> {
  const audit = args.text("audit");
  const actions = args.list("action");
  if ((audit === undefined) === (actions.length === 0)) {
    throw usageError("give either --audit or --action: they say what is to be granted");
  }
  refuse(args, audit === undefined ? AUDIT_OPTIONS : ACTION_OPTIONS, audit === undefined ? "--audit" : "--action");
  const api = await loadKmsApi();
  const used = audit === undefined ? wantedUsage(api, args) : await loggedUsage(audit, args, io);
  const { records, notes: left } = withResources(api, used.records);
  const { policy, notes } = api.generatePolicy(records);
  const all = [...used.notes, ...notes, ...left];
  if (args.flag("json")) {
    await write(io.stdout, `${toJson({ ...(policy !== undefined && { policy }), notes: all })}\n`);
  } else {
    if (policy !== undefined) await write(io.stdout, `${toJson(policy, 2)}\n`);
    await write(io.stderr, all.map((note) => `note: ${escapeText(note)}\n`).join(""));
  }
  if (policy === undefined) throw new CliError("ERR_POLICY", "there is no policy, because nothing is left to grant");
  return EXIT_OK;
}

function refuse(args: Arguments, names: readonly OptionName[], needed: string): void {
  const wrong = names.find((name) => args.flag(name));
  if (wrong !== undefined) throw usageError(`--${wrong} needs ${needed}`);
}

async function loggedUsage(path: string, args: Arguments, io: CliIo): Promise<Usage> {
  const filter = { uin: readUin(args, "uin"), includeDenied: args.flag("include-denied") };
  const input = await openInput(path, io);
  try {
    return await readUsage(input, filter, io.signal);
  } finally {
    await input.close();
  }
}

/** Each action on each key; an action that is about no key is granted on what it presents. */
function wantedUsage(api: KmsApi, args: Arguments): Usage {
  const actions = args.list("action").map((name) => requireAction(api, name));
  const keys = args.list("key");
  if (keys.includes("")) throw usageError("--key is empty");
  const region = args.text("region") ?? DEFAULT_REGION;
  const owner = readUin(args, "owner") ?? ownerOf(keys.find(isResource) ?? "");
  const creator = readUin(args, "creator");
  const records = actions.map((action): UsageRecord => {
    const name = policyName(action);
    if (action.granularity === "operation") return { action: name, resources: [] };
    if (owner === undefined) throw usageError(`--owner is missing: the resource of ${name} names the root account`);
    const place = { region, ownerUin: owner, creatorUin: creator ?? owner };
    if (!namesKeys(action)) return { action: name, resources: [api.presentResource(action, place)] };
    if (keys.length === 0) throw usageError(`--key is missing: ${name} is about a key`);
    return { action: name, resources: keys.map((key) => resourceOfKey(api, action, key, place)) };
  });
  const isCreatorAssumed = creator === undefined && actions.some(namesKeys) && keys.some((key) => !isResource(key));
  const notes = isCreatorAssumed
    ? [`The keys are taken to be made by the root account ${owner ?? ""}: --creator names another.`]
    : [];
  return { records, notes };
}

/** A policy names what an action presents; what presented nothing that was recorded cannot be granted. */
function withResources(api: KmsApi, records: readonly UsageRecord[]): Usage {
  const hasNone = ({ action, resources }: UsageRecord): boolean =>
    resources.length === 0 && api.findAction(action.replace(/^kms:/, ""))?.granularity === "resource";
  const notes = records
    .filter(hasNone)
    .map(({ action }) => `${action} was left out: the log names no resource for it.`);
  return { records: records.filter((record) => !hasNone(record)), notes };
}
