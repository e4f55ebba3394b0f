// Condition tests: an operator with its qualifier and suffix, one key and its values, against the context of a request. It must
// not know statements, effects or where the context comes from.
import { PolicyError, quote } from "./policy-error.js";
import { OPERATORS, type ValueTest } from "./policy-operators.js";

/** What a request says of one condition key: one value, several, or nothing at all. */
export type ContextValue = string | readonly string[] | undefined;

/** How a test ended. Only `met` passes. */
export type ConditionOutcome =
  /** The test passes. */
  | "met"
  /** No value agrees with the policy's. */
  | "unequal"
  /** The key is absent. */
  | "absent"
  /** The key is present although the policy wants it absent. */
  | "present"
  /** The key is there with no value, and the test needs one. */
  | "empty"
  /** The key has several values, and the test has no qualifier that says what to do with them. */
  | "several"
  /** A value of the request cannot be read as the operator's type. */
  | "unreadable";

/** One key under one operator, ready to be tested. */
export interface ConditionTest {
  /** As written, with qualifier and suffix. */
  readonly operator: string;
  readonly key: string;
  /** As written; numbers and booleans as text. */
  readonly values: readonly string[];
  /** Whether an absent key passes: the suffix `_if_exist`, or `null_equal` with `true`. */
  readonly passesWhenAbsent: boolean;
  readonly test: (value: ContextValue) => ConditionOutcome;
}

type Qualifier = "for_any_value:" | "for_all_value:" | "";

/** An operator's name taken apart. */
interface OperatorName {
  readonly qualifier: Qualifier;
  readonly base: string;
  readonly ifExists: boolean;
}

const SUFFIX = "_if_exist";
const NULL_EQUAL = "null_equal";
const QUALIFIERS: readonly Qualifier[] = ["for_any_value:", "for_all_value:"];

function splitOperator(name: string): OperatorName {
  const qualifier = QUALIFIERS.find((prefix) => name.startsWith(prefix)) ?? "";
  const rest = name.slice(qualifier.length);
  const ifExists = rest.endsWith(SUFFIX);
  return { qualifier, base: ifExists ? rest.slice(0, -SUFFIX.length) : rest, ifExists };
}

function outcomeOf(passes: boolean | undefined): ConditionOutcome {
  return passes === undefined ? "unreadable" : passes ? "met" : "unequal";
}

/**
 * No qualifier: exactly one value. A value that cannot be read fails the test, also of a negated operator. For an allow that is
 * the safe side; for a deny it is not, the deny then does not apply. It has to be so, because a test that fails is all that the
 * service knows, and it is harmless, because every value of a typed key comes from the server itself (`requestContext`), never
 * from the caller.
 */
function testSingle(passes: ValueTest, value: string | readonly string[]): ConditionOutcome {
  if (typeof value === "string") return outcomeOf(passes(value));
  if (value.length > 1) return "several";
  const [only] = value;
  return only === undefined ? "empty" : outcomeOf(passes(only));
}

/** `for_any_value:` one value that passes is enough, whatever the others are; none of no values passes. */
function testAny(passes: ValueTest, value: string | readonly string[]): ConditionOutcome {
  if (typeof value === "string") return outcomeOf(passes(value));
  let outcome: ConditionOutcome = value.length === 0 ? "empty" : "unequal";
  for (const one of value) {
    const passed = passes(one);
    if (passed === true) return "met";
    if (passed === undefined) outcome = "unreadable";
  }
  return outcome;
}

/** `for_all_value:` each value must pass. No values at all count as absent, else "all of none" would be true. */
function testAll(passes: ValueTest, value: string | readonly string[], ifExists: boolean): ConditionOutcome {
  if (typeof value === "string") return outcomeOf(passes(value));
  if (value.length === 0) return ifExists ? "met" : "absent";
  for (const one of value) {
    const outcome = outcomeOf(passes(one));
    if (outcome !== "met") return outcome;
  }
  return "met";
}

function comparison({ qualifier, ifExists }: OperatorName, passes: ValueTest): ConditionTest["test"] {
  // An absent key fails every operator, the negated ones too, unless the suffix says otherwise.
  const whenAbsent: ConditionOutcome = ifExists ? "met" : "absent";
  switch (qualifier) {
    case "for_any_value:":
      return (value) => (value === undefined ? whenAbsent : testAny(passes, value));
    case "for_all_value:":
      return (value) => (value === undefined ? whenAbsent : testAll(passes, value, ifExists));
    case "":
      return (value) => (value === undefined ? whenAbsent : testSingle(passes, value));
  }
}

function nullTest(path: string, operator: string, key: string, values: readonly string[]): ConditionTest {
  const [value] = values;
  if (operator !== NULL_EQUAL) {
    throw new PolicyError(path, `null_equal takes neither a qualifier nor ${SUFFIX}: write null_equal`);
  }
  if (values.length !== 1 || (value !== "true" && value !== "false")) {
    throw new PolicyError(path, 'null_equal takes one value, "true" for an absent key or "false" for a present one');
  }
  const wantsAbsent = value === "true";
  return {
    operator,
    key,
    values,
    passesWhenAbsent: wantsAbsent,
    test(found) {
      const isAbsent = found === undefined || found.length === 0;
      if (isAbsent === wantsAbsent) return "met";
      return isAbsent ? "absent" : "present";
    },
  };
}

/**
 * Prepares one key of a condition block.
 * @param path - where it stands, for errors
 * @param name - the operator as written
 * @param key - the condition key
 * @param values - at least one; numbers and booleans as text
 * @returns the test
 * @throws PolicyError for an unknown operator or a value that is not of its type
 */
export function compileCondition(path: string, name: string, key: string, values: readonly string[]): ConditionTest {
  const parts = splitOperator(name);
  if (parts.base === NULL_EQUAL) return nullTest(path, name, key, values);
  const operator = OPERATORS.get(parts.base);
  if (operator === undefined) {
    throw new PolicyError(path, `unknown operator ${quote(name)}: an ignored condition would open access`);
  }
  const passes = operator.prepare(values);
  if (typeof passes === "number") {
    throw new PolicyError(`${path}[${passes}]`, `${quote(values[passes] ?? "")} is not ${operator.expects}`);
  }
  return { operator: name, key, values, passesWhenAbsent: parts.ifExists, test: comparison(parts, passes) };
}

/**
 * Reads one key of a request's context; a name such as `constructor` finds nothing inherited.
 * @param context - the condition keys of a request
 * @param key - the name; case counts
 * @returns its value, or undefined when it is absent
 */
export function contextValue(context: Readonly<Record<string, ContextValue>>, key: string): ContextValue {
  return Object.hasOwn(context, key) ? context[key] : undefined;
}
