// Makes the least policy that allows what was used: from audit records, or from actions and keys. It must not know how records
// are kept, and guesses nothing: what no policy can express is left out and noted.
import type { PolicyDocument, StatementDocument } from "./policy.js";
import { quote } from "./policy-error.js";
import { MAX_CUSTOM_POLICY_CHARACTERS } from "./policy-lint.js";
import { findPolicyAction, policyAction } from "./policy-reach.js";
import { type ActionRule, isPresentedBy, presentResource, type ResourceParts } from "./resource.js";

/** What was called, and the resources it presented: a line of an audit log. Give only calls that were right to succeed. */
export interface UsageRecord {
  /** `kms:Encrypt` or `Encrypt`. */
  readonly action: string;
  /** As `presentResource` gives them. */
  readonly resources: readonly string[];
}

/** An action and the keys that it is needed for; none for an action that is not about a key. */
export interface ActionUse {
  readonly action: string;
  readonly keys: readonly ResourceParts[];
}

/** A policy, and what to know about it. */
export interface GeneratedPolicy {
  /** Left out when no record can be expressed: a policy needs a statement. */
  readonly policy?: PolicyDocument;
  /** Sentences for people: what the policy opens beyond the records, and which records it leaves out. */
  readonly notes: readonly string[];
}

/** Rewrites what the audit log calls a resource into a policy's terms, or says why it has none. */
function resourceFor(rule: ActionRule, resource: string): { readonly resource: string } | { readonly why: string } {
  if (rule.granularity === "operation") return { resource: "*" };
  if (!isPresentedBy(rule, resource)) {
    return { why: `it never presents ${quote(resource, 160)}, and to grant that could open other keys` };
  }
  return { resource: resource.replace(/^qcs:[^:]*:/, "qcs::") };
}

/** The resources of each action, both in the order of their texts. */
interface Collected {
  readonly resources: ReadonlyMap<string, ReadonlySet<string>>;
  readonly operationLevel: ReadonlySet<string>;
  readonly leftOut: ReadonlySet<string>;
}

function collect(records: Iterable<UsageRecord>): Collected {
  const resources = new Map<string, Set<string>>();
  const operationLevel = new Set<string>();
  const leftOut = new Set<string>();
  const seen = new Set<string>();
  for (const record of records) {
    const rule = findPolicyAction(record.action);
    if (rule === undefined) {
      leftOut.add(`${quote(record.action)} was left out: the KMS has no such action.`);
      continue;
    }
    const action = policyAction(rule.name);
    for (const text of rule.granularity === "operation" ? ["*"] : record.resources) {
      const use = `${action}\n${text}`;
      if (seen.has(use)) continue;
      seen.add(use);
      const answer = resourceFor(rule, text);
      if ("why" in answer) {
        leftOut.add(`A use of ${action} was left out: ${answer.why}.`);
        continue;
      }
      if (answer.resource === "*") operationLevel.add(action);
      const known = resources.get(action);
      if (known === undefined) resources.set(action, new Set([answer.resource]));
      else known.add(answer.resource);
    }
  }
  return { resources, operationLevel, leftOut };
}

/** One statement for all actions with the same resources; in a fixed order, whatever the order of the records was. */
function statementsOf(collected: Collected): StatementDocument[] {
  const groups = new Map<string, { action: string[]; resource: string[] }>();
  for (const action of [...collected.resources.keys()].sort()) {
    const resource = [...(collected.resources.get(action) ?? [])].sort();
    // No resource holds a line break, so that the joined text is unambiguous.
    const key = resource.join("\n");
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { action: [action], resource });
    else group.action.push(action);
  }
  return [...groups.values()].map((group) => ({ effect: "allow", ...group }));
}

function notesOf({ operationLevel, leftOut }: Collected, policy: PolicyDocument | undefined): string[] {
  const notes = [...operationLevel]
    .sort()
    .map((action) => `${action} is authorized at operation level: it can be granted on "*" only.`);
  if (operationLevel.has(policyAction("Decrypt"))) {
    notes.push(
      "The grant of kms:Decrypt opens every key of the account. Bind messages by their encryption context, check the key id of each answer, restrict the address, or keep keys in separate accounts.",
    );
  }
  if (policy === undefined) notes.push("Nothing is left to grant, so there is no policy.");
  else {
    const { length } = JSON.stringify(policy);
    if (length > MAX_CUSTOM_POLICY_CHARACTERS) {
      notes.push(
        `The policy has ${length} characters, and the service takes ${MAX_CUSTOM_POLICY_CHARACTERS}: split it.`,
      );
    }
  }
  return [...notes, ...[...leftOut].sort()];
}

/**
 * Makes the least policy for what was used: it allows every record, and no other action on any key beyond what operation level
 * forces. The same uses give the same policy, in whatever order they come.
 * @param records - what was called on what; read once
 * @returns the policy, and notes on operation-level grants and on records that were left out
 */
export function generatePolicy(records: Iterable<UsageRecord>): GeneratedPolicy {
  const collected = collect(records);
  const statement = statementsOf(collected);
  if (statement.length === 0) return { notes: notesOf(collected, undefined) };
  const policy: PolicyDocument = { version: "2.0", statement };
  return { policy, notes: notesOf(collected, policy) };
}

/**
 * Makes the least policy for actions and keys, without an audit log.
 * @param uses - actions with the keys they are for; an operation-level action needs no key
 * @returns as {@link generatePolicy}
 * @throws TypeError `ERR_ARGUMENT` for a key without what the action's resource needs
 */
export function generatePolicyForKeys(uses: Iterable<ActionUse>): GeneratedPolicy {
  const records = Array.from(uses, ({ action, keys }): UsageRecord => {
    const rule = findPolicyAction(action);
    return { action, resources: rule === undefined ? [] : keys.map((key) => presentResource(rule, key)) };
  });
  return generatePolicy(records);
}
