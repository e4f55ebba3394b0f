// The rules of the linter for a single statement. It must not know other statements, policies or requests.

import type { Statement } from "./policy.js";
import type { ConditionTest } from "./policy-conditions.js";
import type { Finding, FindingCode } from "./policy-lint.js";
import { coveredActions, coversAction, namesAction, type Obstacle, obstacleOf } from "./policy-reach.js";
import type { ActionRule } from "./resource.js";

const SHOWN_NAMES = 5;
const RESOURCE_TAG_KEYS = ["qcs:resource_tag", "qcs:tag"];
const TAG_KEYS = [...RESOURCE_TAG_KEYS, "qcs:request_tag"];
const TAG_OPERATOR = "for_any_value:string_equal";
const DATA_KEY_PLAINTEXT = "GetDataKeyPlaintext";

function names(rules: readonly ActionRule[]): string {
  const shown = rules
    .slice(0, SHOWN_NAMES)
    .map(({ name }) => name)
    .join(", ");
  return rules.length > SHOWN_NAMES ? `${shown} and ${rules.length - SHOWN_NAMES} more` : shown;
}

/** Patterns of the KMS that match nothing in the catalogue; other services' actions are not ours to judge. */
export function checkUnknownActions(statement: Statement, path: string, actions: readonly ActionRule[]): Finding[] {
  return statement.actions.flatMap((pattern, index): Finding[] => {
    if (!pattern.folded.startsWith("kms:")) return [];
    if (actions.some(({ name }) => coversAction(pattern, name))) return [];
    return [
      {
        severity: "error",
        code: "unknown-action",
        path: `${path}.action[${index}]`,
        message: `"${pattern.text}" matches no action of the KMS`,
        advice: "correct the name",
      },
    ];
  });
}

interface Unreachable {
  readonly code: FindingCode;
  readonly message: (actionNames: string) => string;
  readonly advice: string;
}

function unreachable(obstacle: Obstacle, isAllow: boolean): Unreachable {
  const consequence = isAllow ? "the statement grants nothing for them" : "the statement stops none of them";
  switch (obstacle) {
    case "operation-level":
      return {
        code: isAllow ? "operation-level-allow" : "operation-level-deny",
        message: (list) =>
          `${list}: authorized at operation level, so only the resource "*" covers them; naming resources, ${consequence}`,
        advice: isAllow
          ? 'grant them in a statement of their own on "*"; it opens every key of the account, so bind it by address, time or a separate account'
          : 'deny them on "*", or keep the keys in another account: a policy cannot bind them to a key',
      };
    case "region":
      return {
        code: "data-key-region",
        message: (list) => `${list}: their resources have no region, and the statement demands one; ${consequence}`,
        advice: "leave the region empty: qcs::kms::uin/<root account>:key/...",
      };
    case "service":
    case "resource":
      return {
        code: "unreachable-resource",
        message: (list) => `${list}: no resource of the statement can match what they present; ${consequence}`,
        advice: "look up the resource that they present, and name it in a statement of its own",
      };
  }
}

/** Actions that the statement covers and that none of its resources can match. */
export function checkReach(statement: Statement, path: string, actions: readonly ActionRule[]): Finding[] {
  const found = new Map<Obstacle, ActionRule[]>();
  for (const rule of coveredActions(statement, actions)) {
    const obstacles = statement.resources.map((pattern) => obstacleOf(pattern, rule));
    if (obstacles.includes(undefined)) continue;
    // With several patterns the region is the one to report: it is what the author can mend.
    const obstacle = obstacles.includes("region") ? "region" : obstacles[0];
    if (obstacle !== undefined) found.set(obstacle, [...(found.get(obstacle) ?? []), rule]);
  }
  return [...found].map(([obstacle, rules]): Finding => {
    const { code, message, advice } = unreachable(obstacle, statement.effect === "allow");
    // Written out, it was meant. Caught by a wildcard it matters at operation level, where a key seems to be guarded or granted.
    const isNamed = rules.some(({ name }) => namesAction(statement, name));
    const severity = isNamed ? "error" : code === "unreachable-resource" ? "info" : "warning";
    return { severity, code, path: `${path}.resource`, message: message(names(rules)), advice };
  });
}

function checkAddress(
  condition: ConditionTest,
  statement: Statement,
  path: string,
  rules: readonly ActionRule[],
): Finding[] {
  const affected = rules.filter(({ ipRestriction }) => !ipRestriction);
  if (condition.key !== "qcs:ip" || affected.length === 0) return [];
  const isAllow = statement.effect === "allow";
  const consequence = condition.passesWhenAbsent
    ? "the condition always passes for them"
    : isAllow
      ? "the statement grants nothing for them"
      : "the statement stops none of them";
  return [
    {
      severity: affected.length === rules.length ? "error" : "warning",
      code: "ip-unsupported",
      path,
      message: `${names(affected)}: the service does not restrict them by address, so ${consequence}`,
      advice: `${isAllow ? "allow" : "deny"} them in a statement of their own without the address`,
    },
  ];
}

function checkTag(
  condition: ConditionTest,
  statement: Statement,
  path: string,
  rules: readonly ActionRule[],
): Finding[] {
  if (!TAG_KEYS.includes(condition.key)) return [];
  const findings: Finding[] = [];
  if (condition.operator !== TAG_OPERATOR) {
    const message = `the service supports only ${TAG_OPERATOR} for tags, not ${condition.operator}`;
    const advice = `use ${TAG_OPERATOR}, or do not rely on this statement`;
    findings.push({ severity: "warning", code: "tag-operator", path, message, advice });
  }
  const affected = rules.filter(({ granularity }) => granularity === "operation");
  if (!RESOURCE_TAG_KEYS.includes(condition.key) || affected.length === 0 || condition.passesWhenAbsent)
    return findings;
  const isAllow = statement.effect === "allow";
  findings.push({
    severity: affected.length === rules.length ? "error" : "warning",
    code: "tag-operation-level",
    path,
    message: `${names(affected)}: operation-level actions have no resource and no tags, so the statement ${isAllow ? "grants" : "stops"} none of them`,
    advice: `${isAllow ? "allow" : "deny"} them in a statement of their own without the tag`,
  });
  return findings;
}

/** Conditions that the service does not have for some of the actions. */
export function checkConditions(statement: Statement, path: string, actions: readonly ActionRule[]): Finding[] {
  const rules = coveredActions(statement, actions);
  return statement.conditions.flatMap((condition) => {
    const at = `${path}.condition.${condition.operator}.${condition.key}`;
    return [...checkAddress(condition, statement, at, rules), ...checkTag(condition, statement, at, rules)];
  });
}

/** Allows that open more than they seem to. */
export function checkBreadth(statement: Statement, path: string): Finding[] {
  if (statement.effect === "deny") return [];
  const onEverything = statement.resources.some(({ segments }) => segments === undefined);
  const isUnconditional = statement.conditions.length === 0;
  const everything = statement.actions.find(({ folded }) => folded === "*" || folded === "kms:*" || folded === "*:*");
  const findings: Finding[] = [];
  if (everything !== undefined && onEverything && isUnconditional) {
    const message = `"${everything.text}" on "*" without a condition opens every key, and their deletion`;
    const advice = "list the actions and keys that are used; generatePolicy does it from an audit log";
    findings.push({ severity: "warning", code: "too-broad", path, message, advice });
    return findings;
  }
  if (onEverything && isUnconditional && statement.actions.some((pattern) => coversAction(pattern, "Decrypt"))) {
    const message = 'Decrypt on "*" opens every key of the account: a policy cannot bind it to a key';
    const advice =
      "put tenant and purpose into the encryption context, check the key id of each answer, and keep keys that must be apart in separate accounts";
    findings.push({ severity: "info", code: "decrypts-every-key", path, message, advice });
  }
  const index = statement.actions.findIndex((pattern) => coversAction(pattern, DATA_KEY_PLAINTEXT));
  if (index >= 0 && everything === undefined && !namesAction(statement, DATA_KEY_PLAINTEXT)) {
    findings.push({
      severity: "warning",
      code: "reads-plaintext",
      path: `${path}.action[${index}]`,
      message: `"${statement.actions[index]?.text}" covers ${DATA_KEY_PLAINTEXT}, which hands out plaintext data keys`,
      advice: "list the reading actions that are meant, or add a deny for it",
    });
  }
  return findings;
}
