// Writes an explanation out for people. It must not decide anything: it only says what it is given.

import type { DecisionReason, StatementPosition } from "./policy-evaluate.js";
import type {
  ConditionFailure,
  Mismatch,
  ResourceExplanation,
  ResourceMismatch,
  StatementExplanation,
} from "./policy-explain.js";

const OPERATION_LEVEL =
  'is authorized at operation level: the service presents "*" instead of a key, so only statements on the resource "*" bear on it, and they bear on every key of the account';

function position({ source, policy, statement }: StatementPosition): string {
  return source === "policies" ? `policies[${policy}].statement[${statement}]` : `${source}.statement[${statement}]`;
}

function list(values: readonly string[]): string {
  return values.length === 0 ? "no value" : values.map((value) => JSON.stringify(value)).join(" or ");
}

function patternText({ pattern, difference, wanted, given }: ResourceMismatch): string {
  if (difference === "operation-level") return `it names ${pattern}, and the action is about no key: write "*"`;
  const expected = difference === "account" && wanted === "" ? "the policy's own account" : JSON.stringify(wanted);
  return `the ${difference} of ${pattern} is ${expected}, the request's is ${JSON.stringify(given)}`;
}

/** Why a key may be absent although the author did not expect it. */
function absenceHint(key: string): string {
  if (key === "qcs:ip") return " (actions that the service does not restrict by address carry none)";
  if (key === "qcs:resource_tag") return " (an operation-level action has no resource, hence no tags)";
  return "";
}

function failureText({ operator, key, wanted, given, outcome }: ConditionFailure): string {
  const condition = `${operator} of ${key} wants ${list(wanted)}`;
  const found = given === undefined ? "nothing" : typeof given === "string" ? JSON.stringify(given) : list(given);
  switch (outcome) {
    case "absent":
      return `${condition}, and the request has no ${key}${absenceHint(key)}`;
    case "present":
      return `${condition}, and the request has a ${key}`;
    case "empty":
      return `${condition}, and ${key} has no value`;
    case "several":
      return `${condition}, and ${key} has several values: it needs for_any_value: or for_all_value:`;
    case "unreadable":
      return `${condition}, and ${found} cannot be read as such a value`;
    case "unequal":
      return `${condition}, and the request has ${found}`;
  }
}

function mismatchText(mismatch: Mismatch): string {
  switch (mismatch.part) {
    case "action":
      return `its action is ${mismatch.wanted.join(", ")}`;
    case "resource":
      return mismatch.patterns.map(patternText).join("; ");
    case "condition":
      return mismatch.failures.map(failureText).join("; ");
  }
}

function statementText(statement: StatementExplanation): string {
  const { effect, mismatch } = statement;
  const reason = mismatch === undefined ? "applies" : `does not apply: ${mismatchText(mismatch)}`;
  return `  ${position(statement)} (${effect}) ${reason}`;
}

const REASONS: Readonly<Record<DecisionReason, string>> = {
  root_account: "the caller is the root account, which needs no policy",
  allowed: "a statement allows it",
  denied: "a statement denies it, and a deny wins over every allow",
  not_granted_by_policies: "no statement allows it",
  not_granted_by_boundary: "the permission boundary does not allow it",
  not_granted_by_session: "the policy of the session does not allow it",
  foreign_account: "the key belongs to another root account, and keys are not shared between root accounts",
};

const VERDICTS = {
  allow: "allowed",
  explicit_deny: "refused (explicit deny)",
  implicit_deny: "refused (implicit deny)",
};

/** Lines of plain English: for each resource the decision, its reason, and what each statement says. */
export function explanationText(action: string, resources: readonly ResourceExplanation[]): string {
  const lines: string[] = [];
  for (const { resource, decision, reason, statement, isOperationLevel, statements } of resources) {
    const where = statement === undefined ? "" : ` (${position(statement)})`;
    lines.push(`${action} on ${resource}: ${VERDICTS[decision]}: ${REASONS[reason]}${where}.`);
    if (isOperationLevel) lines.push(`${action} ${OPERATION_LEVEL}.`);
    lines.push(...statements.map(statementText));
  }
  const refused = resources.filter(({ decision }) => decision !== "allow").length;
  if (resources.length > 1 && refused > 0) {
    lines.push(
      `${refused} of ${resources.length} resources are refused, so the whole call is: all of them must be allowed.`,
    );
  }
  return lines.join("\n");
}
