// The rules of the linter for what can never match: resources that no key has, and conditions that no request meets. It must not
// know other statements, policies or requests.
import { findAction } from "./catalogue.js";
import type { Statement } from "./policy.js";
import type { ConditionTest } from "./policy-conditions.js";
import type { Finding, Severity } from "./policy-lint.js";
import type { ResourcePattern, SegmentPattern } from "./policy-match.js";
import { coveredActions } from "./policy-reach.js";
import type { ActionRule } from "./resource.js";

const CURRENT_TIME = "qcs:current_time";
const ADDRESS = "qcs:ip";
const REQUEST_TAG = "qcs:request_tag";
const TAG_KEYS = ["qcs:resource_tag", REQUEST_TAG, "qcs:tag"];
/** The keys that a request of the KMS has, and the older name for the tags of a resource. */
const KNOWN_KEYS = [CURRENT_TIME, ADDRESS, ...TAG_KEYS];
const REGION = /^[a-z0-9*-]*$/;
const ADDRESS_TEXT = /^[0-9A-Fa-f.:]+$/;
/** What may follow the last star of an account: digits, with what is left of `uin/` before them. */
const ACCOUNT_END = /^(?:(?:(?:(?:u?i)?n)?\/)?[0-9]+|(?:(?:u?i)?n)?\/)?$/;
const STRING_LIKE = /string_(?:not_)?like/;

/** The base of an operator: `string_equal` of `for_any_value:string_equal_if_exist`. */
function baseOf({ operator }: ConditionTest): string {
  return operator.replace(/^for_(?:any|all)_value:/, "").replace(/_if_exist$/, "");
}

/** What cannot apply in part is a warning, but for a deny: what it does not stop is open. */
function severityOf(statement: Statement, isWhole: boolean): Severity {
  return isWhole || statement.effect === "deny" ? "error" : "warning";
}

function consequenceOf(statement: Statement): string {
  return statement.effect === "allow" ? "it never grants anything" : "it never stops anything";
}

function isAccountPossible({ text }: SegmentPattern): boolean {
  if (text === "") return true;
  const star = text.indexOf("*");
  if (star < 0) return /^uin\/[0-9]+$/.test(text);
  const start = text.slice(0, star);
  if (!"uin/".startsWith(start) && !/^uin\/[0-9]*$/.test(start)) return false;
  return ACCOUNT_END.test(text.slice(text.lastIndexOf("*") + 1));
}

/** Why no resource of the KMS can match, and what to do; undefined when one may. */
function whyImpossible({ segments }: ResourcePattern): readonly [why: string, advice: string] | undefined {
  if (segments === undefined) return undefined;
  const { region, account, resource } = segments;
  if (!isAccountPossible(account)) {
    return ['the account of a key is "uin/" and a number', 'write "uin/" and the number of the root account'];
  }
  if (!REGION.test(region.text)) return ["regions are in lower case", `write "${region.text.toLowerCase()}"`];
  if (/\s/.test(resource.text)) return ["no id of a key has a blank", "remove the blanks"];
  const creator = /^key\/creatorUin\/([^/*]*)\//.exec(resource.text)?.[1];
  if (creator !== undefined && !/^[0-9]+$/.test(creator)) {
    return ["the creator of a key is a number", "write the number of the account that made the key"];
  }
  return undefined;
}

/** Resource patterns that match nothing, whatever the action. */
export function checkResources(statement: Statement, path: string, actions: readonly ActionRule[]): Finding[] {
  if (coveredActions(statement, actions).length === 0) return [];
  const reasons = statement.resources.map((pattern) =>
    pattern.segments?.service.matches("kms") === true ? whyImpossible(pattern) : undefined,
  );
  const severity = severityOf(
    statement,
    reasons.every((reason) => reason !== undefined),
  );
  return reasons.flatMap((reason, index): Finding[] => {
    if (reason === undefined) return [];
    const [why, advice] = reason;
    const message = `"${statement.resources[index]?.text}" matches nothing: ${why}; ${consequenceOf(statement)}`;
    return [{ severity, code: "impossible-resource", path: `${path}.resource[${index}]`, message, advice }];
  });
}

function checkKey(condition: ConditionTest, statement: Statement, path: string): Finding[] {
  const { key, passesWhenAbsent } = condition;
  if (KNOWN_KEYS.includes(key)) return [];
  // Another service may have a key of its own name; those of "qcs:" are the same everywhere.
  const isOurs = /^(?:qcs|kms):/i.test(key) || statement.actions.every(({ folded }) => folded.startsWith("kms:"));
  const consequence = passesWhenAbsent ? "the condition always passes" : consequenceOf(statement);
  const isHarmless = passesWhenAbsent && statement.effect === "deny";
  const similar = KNOWN_KEYS.find((known) => known === key.toLowerCase());
  return [
    {
      severity: isOurs && !isHarmless ? "error" : "warning",
      code: "unknown-condition-key",
      path,
      message: `no request of the KMS has the condition key "${key}", and the case of names counts: ${consequence}`,
      advice: similar === undefined ? `the keys are ${KNOWN_KEYS.slice(0, 4).join(", ")}` : `write "${similar}"`,
    },
  ];
}

/** Whether a text of the policy can be, or match, a value of the key. */
function isPossibleText(key: string, value: string, hasStars: boolean): boolean {
  const literals = hasStars ? value.replaceAll("*", "") : value;
  if (key === ADDRESS) return literals === "" ? hasStars : ADDRESS_TEXT.test(literals);
  return hasStars || /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value);
}

/** Operators of another type than their key, whose values then compare as texts or cannot be read at all. */
function checkType(condition: ConditionTest, statement: Statement, path: string): Finding[] {
  const { key, values } = condition;
  const base = baseOf(condition);
  const type = base.slice(0, base.indexOf("_"));
  const wanted = key === ADDRESS ? "ip" : key === CURRENT_TIME ? "date" : "string";
  if (type === wanted || type === "null" || !KNOWN_KEYS.includes(key)) return [];
  const isReadable = type === "string";
  const isPossible = isReadable && values.some((value) => isPossibleText(key, value, STRING_LIKE.test(base)));
  const negated = base.includes("_not_") ? "it always passes" : consequenceOf(statement);
  const what = isReadable ? "compares the text of the value" : "cannot read the value";
  return [
    {
      severity: isPossible ? "warning" : "error",
      code: "condition-type",
      path,
      message: `${condition.operator} ${what} of ${key}${isPossible ? "" : `: ${isReadable ? negated : consequenceOf(statement)}`}`,
      advice: `use an operator whose name begins with "${wanted}_"`,
    },
  ];
}

function checkTagValues(condition: ConditionTest, statement: Statement, path: string): Finding[] {
  const base = baseOf(condition);
  if (!TAG_KEYS.includes(condition.key) || !base.startsWith("string_")) return [];
  const hasStars = STRING_LIKE.test(base);
  const wrong = condition.values.filter((value) => value.indexOf("&") <= 0 && !(hasStars && value.includes("*")));
  const [first] = wrong;
  if (first === undefined) return [];
  return [
    {
      severity: severityOf(statement, wrong.length === condition.values.length),
      code: "tag-value",
      path,
      message: `"${first}" is no tag, so that no tag is ever equal to it: a tag is its key, "&" and its value`,
      advice: 'write the key and the value of the tag, such as "env&prod"',
    },
  ];
}

function takesTags({ name }: ActionRule): boolean {
  return findAction(name)?.request.some((field) => field.name === "Tags") === true;
}

function checkRequestTags(
  condition: ConditionTest,
  statement: Statement,
  path: string,
  rules: readonly ActionRule[],
): Finding[] {
  if (condition.key !== REQUEST_TAG || condition.passesWhenAbsent) return [];
  const affected = rules.filter((rule) => !takesTags(rule));
  if (affected.length === 0) return [];
  const [first] = affected;
  const more = affected.length === 1 ? "" : ` and ${affected.length - 1} more`;
  const isAllow = statement.effect === "allow";
  return [
    {
      severity: affected.length === rules.length ? "error" : "warning",
      code: "request-tag-unsupported",
      path,
      message: `${first?.name}${more}: their requests pass no tags, so the statement ${isAllow ? "grants" : "stops"} none of them`,
      advice: `${isAllow ? "allow" : "deny"} them in a statement of their own without ${REQUEST_TAG}`,
    },
  ];
}

/** Conditions that no request meets, or that all do. */
export function checkConditionValues(statement: Statement, path: string, actions: readonly ActionRule[]): Finding[] {
  const rules = coveredActions(statement, actions);
  if (rules.length === 0) return [];
  return statement.conditions.flatMap((condition) => {
    const at = `${path}.condition.${condition.operator}.${condition.key}`;
    return [
      ...checkKey(condition, statement, at),
      ...checkType(condition, statement, at),
      ...checkTagValues(condition, statement, at),
      ...checkRequestTags(condition, statement, at, rules),
    ];
  });
}
