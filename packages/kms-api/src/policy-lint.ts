// Warns of statements that cannot do what their author meant. Findings never change a decision; the rules stand one by one in
// policy-lint-rules.ts. It must not know requests.
import { ACTIONS } from "./actions-table.gen.js";
import type { Policy, Statement } from "./policy.js";
import { checkConditionValues, checkResources } from "./policy-lint-never.js";
import { checkBreadth, checkConditions, checkReach, checkUnknownActions } from "./policy-lint-rules.js";
import { checkWindow } from "./policy-lint-window.js";
import { coversActions, coversResource } from "./policy-reach.js";
import type { ActionRule } from "./resource.js";

/** `error`: it does not do what it says. `warning`: part of it does not, or it opens much. `info`: worth knowing. */
export type Severity = "error" | "warning" | "info";

/** What kind of finding it is; stable. */
export type FindingCode =
  /** An allow on an operation-level action that names resources: it grants nothing. */
  | "operation-level-allow"
  /** A deny on an operation-level action that names resources: it stops nothing. */
  | "operation-level-deny"
  /** An action pattern that matches no action of the KMS. */
  | "unknown-action"
  /** Actions whose resource no pattern of the statement can match. */
  | "unreachable-resource"
  /** A region on actions whose resources have none. */
  | "data-key-region"
  /** An address condition on actions that the service does not restrict by address. */
  | "ip-unsupported"
  /** A tag condition with another operator than the service supports. */
  | "tag-operator"
  /** A condition on the tags of a resource for operation-level actions, which have none. */
  | "tag-operation-level"
  /** A resource pattern that matches no resource of the KMS: an account of another form, a region in capitals, a blank. */
  | "impossible-resource"
  /** A condition key that no request has. */
  | "unknown-condition-key"
  /** An operator of another type than its condition key. */
  | "condition-type"
  /** A tag that is not written as key, `&` and value. */
  | "tag-value"
  /** A condition on the tags of a request for actions whose requests pass none. */
  | "request-tag-unsupported"
  /** A window of time in which no moment lies. */
  | "empty-date-window"
  /** An allow that a deny covers whole. */
  | "shadowed"
  /** A statement that another one with the same effect covers whole. */
  | "redundant"
  /** Everything on everything. */
  | "too-broad"
  /** Decrypt for every key of the account, as it cannot be otherwise. */
  | "decrypts-every-key"
  /** A pattern that looks like reading and covers the plaintext of data keys. */
  | "reads-plaintext"
  /** Longer than the service takes. */
  | "too-long";

/** One finding. */
export interface Finding {
  readonly severity: Severity;
  readonly code: FindingCode;
  /** For example `statement[0].condition.ip_equal.qcs:ip`; empty for the policy as a whole. */
  readonly path: string;
  /** What is wrong. */
  readonly message: string;
  /** What to do. */
  readonly advice: string;
}

/** The longest custom policy that the service takes, in characters. */
export const MAX_CUSTOM_POLICY_CHARACTERS = 6144;

/** Whether a statement without conditions covers another: whatever the other one applies to, this one does too. */
function covers(wide: Statement, narrow: Statement, actions: readonly ActionRule[]): boolean {
  return (
    wide.conditions.length === 0 &&
    coversActions(wide, narrow, actions) &&
    narrow.resources.every((resource) => wide.resources.some((other) => coversResource(other, resource)))
  );
}

function checkShadows(statements: readonly Statement[], index: number, actions: readonly ActionRule[]): Finding[] {
  const statement = statements[index] as Statement;
  const path = `statement[${index}]`;
  const deny = statements.findIndex(
    (other) => statement.effect === "allow" && other.effect === "deny" && covers(other, statement, actions),
  );
  if (deny >= 0) {
    const message = `statement[${deny}] denies all that this statement allows: it never grants anything`;
    return [
      { severity: "error", code: "shadowed", path, message, advice: "remove one of the two, or narrow the deny" },
    ];
  }
  const twin = statements.findIndex(
    (other, at) =>
      at !== index &&
      other.effect === statement.effect &&
      covers(other, statement, actions) &&
      // Of two that cover each other only the later one is superfluous.
      (at < index || !covers(statement, other, actions)),
  );
  if (twin < 0) return [];
  const message = `statement[${twin}] covers all that this statement does`;
  return [{ severity: "info", code: "redundant", path, message, advice: "remove it" }];
}

/**
 * Looks a policy over.
 * @param policy - from `parsePolicy`
 * @param actions - the actions to judge by; the catalogue by default
 * @returns the findings, statement by statement; none for a policy that does what it says
 */
export function lintPolicy(policy: Policy, actions: readonly ActionRule[] = ACTIONS): readonly Finding[] {
  const findings: Finding[] = [];
  if (policy.characters > MAX_CUSTOM_POLICY_CHARACTERS) {
    const message = `the policy has ${policy.characters} characters; the service takes ${MAX_CUSTOM_POLICY_CHARACTERS} of a custom policy`;
    findings.push({
      severity: "warning",
      code: "too-long",
      path: "",
      message,
      advice: "split it, or shorten its lists",
    });
  }
  for (const [index, statement] of policy.statements.entries()) {
    const path = `statement[${index}]`;
    findings.push(
      ...checkUnknownActions(statement, path, actions),
      ...checkReach(statement, path, actions),
      ...checkResources(statement, path, actions),
      ...checkConditions(statement, path, actions),
      ...checkConditionValues(statement, path, actions),
      ...checkWindow(statement, path, actions),
      ...checkBreadth(statement, path),
      ...checkShadows(policy.statements, index, actions),
    );
  }
  return findings;
}
