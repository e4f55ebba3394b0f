// Reads a policy strictly: what is not understood to the letter is refused as a whole, because an element that were ignored could
// open access. It must not know how a policy is evaluated.

import type { Effect, Policy, Statement } from "./policy.js";
import { type ConditionTest, compileCondition } from "./policy-conditions.js";
import { PolicyError, quote } from "./policy-error.js";
import { parsePolicyJson } from "./policy-json.js";
import { parseActionPattern, parseResourcePattern } from "./policy-match.js";

/**
 * The longest policy that is read, in characters of its JSON. The service takes 6,144 characters of a custom policy; its own
 * presets are longer.
 */
export const MAX_POLICY_CHARACTERS = 16_384;
/** The most statements of a policy. */
export const MAX_STATEMENTS = 128;
/** The most entries of one list: actions, resources, or values of a condition key. */
export const MAX_LIST_ENTRIES = 512;

const STATEMENT_ELEMENTS = ["effect", "action", "resource", "condition"];
const CONDITION_KEY = /^[A-Za-z][A-Za-z0-9_.:/-]{0,127}$/;

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function requireObject(path: string, value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (!isObject(value)) throw new PolicyError(path, `${what} must be a JSON object`);
  return value;
}

/** Refuses elements that are not known, with a hint for the usual mistakes. */
function checkElements(path: string, value: Readonly<Record<string, unknown>>, known: readonly string[]): void {
  for (const name of Object.keys(value)) {
    if (known.includes(name)) continue;
    const at = path === "" ? name.slice(0, 40) : `${path}.${name.slice(0, 40)}`;
    if (name === "principal") {
      const why = "a policy of a user, group or role has no principal; it belongs in a role's trust policy";
      throw new PolicyError(at, `${why}. Remove it and attach the policy to whom it is for`);
    }
    const lower = name.toLowerCase();
    const hint = known.includes(lower) ? `write it in lower case: "${lower}"` : `known are ${known.join(", ")}`;
    throw new PolicyError(at, `unknown element: ${hint}`);
  }
}

/** The entries of a list, which may be written without brackets when it has one. */
function entriesOf(path: string, value: unknown): readonly { path: string; value: unknown }[] {
  if (!Array.isArray(value)) return [{ path, value }];
  const list: readonly unknown[] = value;
  if (list.length === 0)
    throw new PolicyError(path, "an empty list matches nothing: remove the statement or fill it in");
  if (list.length > MAX_LIST_ENTRIES) {
    throw new PolicyError(path, `${list.length} entries are more than the allowed ${MAX_LIST_ENTRIES}`);
  }
  return Array.from(list, (entry, index) => ({ path: `${path}[${index}]`, value: entry }));
}

function parseTexts<Parsed>(
  path: string,
  value: unknown,
  parse: (path: string, text: string) => Parsed,
): readonly Parsed[] {
  if (value === undefined) throw new PolicyError(path, "is missing");
  return entriesOf(path, value).map((entry) => {
    if (typeof entry.value !== "string") throw new PolicyError(entry.path, "must be a string or a list of strings");
    return parse(entry.path, entry.value);
  });
}

/** The text of a condition value. A number stands as it was written only if reading JSON did not round it. */
function conditionText(path: string, value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  if (typeof value !== "number") throw new PolicyError(path, "must be a string, a number or a boolean");
  const text = String(value);
  if (!(Math.abs(value) <= Number.MAX_SAFE_INTEGER) || text.includes("e")) {
    throw new PolicyError(path, `the number ${text} may have been rounded: write it as a string`);
  }
  return text;
}

function parseConditions(path: string, value: unknown): readonly ConditionTest[] {
  const tests: ConditionTest[] = [];
  const block = requireObject(path, value, "condition");
  for (const [operator, keys] of Object.entries(block)) {
    const operatorPath = `${path}.${operator.slice(0, 60)}`;
    const pairs = Object.entries(requireObject(operatorPath, keys, "what stands under an operator"));
    if (pairs.length === 0) throw new PolicyError(operatorPath, "names no condition key");
    for (const [key, values] of pairs) {
      if (!CONDITION_KEY.test(key)) throw new PolicyError(operatorPath, `${quote(key)} is no condition key`);
      const keyPath = `${operatorPath}.${key}`;
      const texts = entriesOf(keyPath, values).map((entry) => conditionText(entry.path, entry.value));
      tests.push(compileCondition(keyPath, operator, key, texts));
    }
  }
  if (tests.length === 0) throw new PolicyError(path, "is empty: remove it, or name an operator");
  return tests;
}

function parseEffect(path: string, value: unknown): Effect {
  if (value === "allow" || value === "deny") return value;
  throw new PolicyError(path, 'must be "allow" or "deny", in lower case');
}

function parseStatement(path: string, value: unknown): Statement {
  const statement = requireObject(path, value, "a statement");
  checkElements(path, statement, STATEMENT_ELEMENTS);
  const { effect, action, resource, condition } = statement;
  return {
    effect: parseEffect(`${path}.effect`, effect),
    actions: parseTexts(`${path}.action`, action, parseActionPattern),
    resources: parseTexts(`${path}.resource`, resource, parseResourcePattern),
    conditions: Object.hasOwn(statement, "condition") ? parseConditions(`${path}.condition`, condition) : [],
  };
}

/** JSON leaves members out that are undefined; a condition that is left out opens access, so such a value is refused. */
function refuseOmission(name: string, value: unknown): unknown {
  if (value !== undefined && typeof value !== "function" && typeof value !== "symbol") return value;
  throw new PolicyError(name, `is ${typeof value}, which JSON cannot express`);
}

/** The JSON text of a value, so that it is read once: getters and `toJSON` cannot answer differently later. */
function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value, refuseOmission);
  } catch (error) {
    if (error instanceof PolicyError) throw error;
    throw new PolicyError("", "the policy is nothing that JSON can express");
  }
}

function tooLong(characters: number): PolicyError {
  const limit = `more than the allowed ${MAX_POLICY_CHARACTERS}`;
  return new PolicyError("", `the policy has ${characters} characters, ${limit}: split it into several`);
}

/**
 * Reads and checks a policy.
 * @param json - the JSON text, or its value; at most {@link MAX_POLICY_CHARACTERS} characters, {@link MAX_STATEMENTS} statements
 * and {@link MAX_LIST_ENTRIES} entries a list
 * @returns the policy in the form that `evaluate` takes
 * @throws PolicyError (`ERR_POLICY`) for anything that is not understood: another version, unknown elements, operators or
 * effects, empty lists, `permid/` actions, a principal, malformed resources, addresses, dates, numbers or base64
 */
export function parsePolicy(json: unknown): Policy {
  const text = typeof json === "string" ? json : jsonOf(json);
  if (text.length > MAX_POLICY_CHARACTERS) throw tooLong(text.length);
  const policy = requireObject("", parsePolicyJson(text), "a policy");
  checkElements("", policy, ["version", "statement"]);
  const { version, statement } = policy;
  if (version !== "2.0") throw new PolicyError("version", 'must be the string "2.0"');
  if (!Array.isArray(statement)) throw new PolicyError("statement", "must be a list of statements");
  const statements: readonly unknown[] = statement;
  if (statements.length === 0) throw new PolicyError("statement", "has no statement");
  if (statements.length > MAX_STATEMENTS) {
    throw new PolicyError("statement", `${statements.length} statements are more than the allowed ${MAX_STATEMENTS}`);
  }
  return {
    statements: Array.from(statements, (value, index) => parseStatement(`statement[${index}]`, value)),
    characters: text.length,
  };
}
