// Loading policies: the whole of what is refused, with the place that the error names, and what is accepted.
import { describe, expect, test } from "vitest";
import { isPolicyError } from "../src/policy-error.js";
import { MAX_LIST_ENTRIES, MAX_POLICY_CHARACTERS, MAX_STATEMENTS, parsePolicy } from "../src/policy-parse.js";
import { allow, document, K1 } from "./policy-cases/support.js";

function refusal(policy: unknown): { path: string; message: string } {
  try {
    parsePolicy(policy);
  } catch (error) {
    if (isPolicyError(error)) return { path: error.path, message: error.message };
    throw error;
  }
  throw new Error("the policy was accepted");
}

const statement = allow("kms:Encrypt", K1);

function withCondition(condition: unknown): unknown {
  return { version: "2.0", statement: [{ ...statement, condition }] };
}

function withElement(element: object): unknown {
  return { version: "2.0", statement: [{ ...statement, ...element }] };
}

const MALFORMED: readonly (readonly [name: string, policy: unknown, path: string, message: RegExp])[] = [
  ["no JSON", "{", "", /no valid JSON/],
  ["an empty text", "", "", /no valid JSON/],
  ["undefined", undefined, "", /cannot express/],
  ["null", null, "", /must be a JSON object/],
  ["a list", [], "", /must be a JSON object/],
  ["a text of JSON that is no object", '"2.0"', "", /must be a JSON object/],
  ["a cycle", Object.assign([], { 0: [] as unknown[] }), "", /must be a JSON object/],
  ["no version", { statement: [statement] }, "version", /"2\.0"/],
  ["another version", { version: "1.0", statement: [statement] }, "version", /"2\.0"/],
  ["a number as version", { version: 2.0, statement: [statement] }, "version", /"2\.0"/],
  ["no statement", { version: "2.0" }, "statement", /list/],
  ["no statements", { version: "2.0", statement: [] }, "statement", /no statement/],
  ["a statement without a list", { version: "2.0", statement }, "statement", /list/],
  ["a statement that is none", { version: "2.0", statement: [1] }, "statement[0]", /object/],
  ["an unknown element", { ...document(statement), id: "x" }, "id", /unknown element/],
  ["an element in capitals", { Version: "2.0", statement: [statement] }, "Version", /lower case: "version"/],
  ["a principal", { ...document(statement), principal: "*" }, "principal", /trust policy/],
  ["a principal in a statement", withElement({ principal: { qcs: ["*"] } }), "statement[0].principal", /trust policy/],
  ["an unknown element of a statement", withElement({ sid: "x" }), "statement[0].sid", /unknown element/],
  ["a prototype as element", '{"version":"2.0","statement":[],"__proto__":{}}', "__proto__", /unknown element/],
  ["an unknown effect", withElement({ effect: "permit" }), "statement[0].effect", /allow/],
  ["an effect in capitals", withElement({ effect: "Allow" }), "statement[0].effect", /lower case/],
  ["no effect", { version: "2.0", statement: [{ action: "*", resource: "*" }] }, "statement[0].effect", /allow/],
  ["no action", { version: "2.0", statement: [{ effect: "deny", resource: "*" }] }, "statement[0].action", /missing/],
  ["no resource", { version: "2.0", statement: [{ effect: "deny", action: "*" }] }, "statement[0].resource", /missing/],
  ["an empty list of actions", withElement({ action: [] }), "statement[0].action", /empty list/],
  ["an empty list of resources", withElement({ resource: [] }), "statement[0].resource", /empty list/],
  ["an action that is no string", withElement({ action: ["kms:*", 1] }), "statement[0].action[1]", /string/],
  ["an action without service", withElement({ action: "Encrypt" }), "statement[0].action", /no action/],
  ["an action with a question mark", withElement({ action: "kms:Encr?pt" }), "statement[0].action", /no action/],
  ["an action with a space", withElement({ action: "kms: Encrypt" }), "statement[0].action", /no action/],
  ["an action in three parts", withElement({ action: "kms:key:Encrypt" }), "statement[0].action", /no action/],
  ["an empty action", withElement({ action: "" }), "statement[0].action", /no action/],
  ["only the prefix name/", withElement({ action: "name/*" }), "statement[0].action", /no action/],
  [
    "a letter that folds to an ASCII one",
    withElement({ action: "\u212Ams:Encrypt" }),
    "statement[0].action",
    /no action/,
  ],
  ["a feature set", withElement({ action: "permid/12345" }), "statement[0].action", /feature set/],
  ["a feature set with prefix", withElement({ action: "name/PERMID/1:x" }), "statement[0].action", /feature set/],
  ["a resource in five segments", withElement({ resource: "qcs::kms::key" }), "statement[0].resource", /five colons/],
  ["another scheme", withElement({ resource: "acs::kms:::key/*" }), "statement[0].resource", /no resource/],
  ["a wildcard as scheme", withElement({ resource: "*::kms:::key/*" }), "statement[0].resource", /no resource/],
  ["no scheme", withElement({ resource: "::kms:::key/*" }), "statement[0].resource", /no resource/],
  [
    "an empty last segment",
    withElement({ resource: "qcs::kms:::" }),
    "statement[0].resource",
    /must end in a resource/,
  ],
  ["a control character", withElement({ resource: "qcs::kms:::key/\n" }), "statement[0].resource", /control/],
  ["an account without uin/", withElement({ resource: "qcs::kms::1000:key/*" }), "statement[0].resource", /account/],
  ["a space in a region", withElement({ resource: "qcs::kms:a b::key/*" }), "statement[0].resource", /characters/],
  ["stars around", withElement({ resource: "**" }), "statement[0].resource", /no resource/],
  ["an empty condition", withCondition({}), "statement[0].condition", /empty/],
  ["a condition that is no object", withCondition("x"), "statement[0].condition", /object/],
  ["a condition that is null", withCondition(null), "statement[0].condition", /object/],
  ["a condition that is undefined", withCondition(undefined), "condition", /cannot express/],
  ["an operator without keys", withCondition({ ip_equal: {} }), "statement[0].condition.ip_equal", /no condition key/],
  ["an operator with a list", withCondition({ ip_equal: ["x"] }), "statement[0].condition.ip_equal", /object/],
  [
    "a key that is none",
    withCondition({ string_equal: { "": "x" } }),
    "statement[0].condition.string_equal",
    /no condition key/,
  ],
  [
    "a prototype as key",
    `{"version":"2.0","statement":[{"effect":"deny","action":"*","resource":"*","condition":{"string_equal":{"__proto__":"x"}}}]}`,
    "statement[0].condition.string_equal",
    /no condition key/,
  ],
  [
    "an object as value",
    withCondition({ string_equal: { k: {} } }),
    "statement[0].condition.string_equal.k",
    /string, a number/,
  ],
  [
    "null as value",
    withCondition({ string_equal: { k: [null] } }),
    "statement[0].condition.string_equal.k[0]",
    /string, a number/,
  ],
  [
    "not a number as value",
    withCondition({ numeric_equal: { k: Number.NaN } }),
    "statement[0].condition.numeric_equal.k",
    /string, a number/,
  ],
  ["no values", withCondition({ string_equal: { k: [] } }), "statement[0].condition.string_equal.k", /empty list/],
  [
    "an unknown operator",
    withCondition({ string_equals: { k: "x" } }),
    "statement[0].condition.string_equals.k",
    /unknown operator/,
  ],
  [
    "an operator in capitals",
    withCondition({ String_Equal: { k: "x" } }),
    "statement[0].condition.String_Equal.k",
    /unknown operator/,
  ],
  [
    "an inherited name as operator",
    withCondition({ constructor: { k: "x" } }),
    "statement[0].condition.constructor.k",
    /unknown operator/,
  ],
  [
    "an unknown qualifier",
    withCondition({ "for_each_value:string_equal": { k: "x" } }),
    "statement[0].condition.for_each_value:string_equal.k",
    /unknown operator/,
  ],
  [
    "two qualifiers",
    withCondition({ "for_any_value:for_all_value:string_equal": { k: "x" } }),
    "statement[0].condition.for_any_value:for_all_value:string_equal.k",
    /unknown operator/,
  ],
  [
    "the suffix twice",
    withCondition({ string_equal_if_exist_if_exist: { k: "x" } }),
    "statement[0].condition.string_equal_if_exist_if_exist.k",
    /unknown operator/,
  ],
  [
    "the suffix of another service",
    withCondition({ string_equal_if_exists: { k: "x" } }),
    "statement[0].condition.string_equal_if_exists.k",
    /unknown operator/,
  ],
  [
    "null_equal with the suffix",
    withCondition({ null_equal_if_exist: { k: "true" } }),
    "statement[0].condition.null_equal_if_exist.k",
    /neither/,
  ],
  [
    "null_equal with a qualifier",
    withCondition({ "for_any_value:null_equal": { k: "true" } }),
    "statement[0].condition.for_any_value:null_equal.k",
    /neither/,
  ],
  [
    "null_equal with both values",
    withCondition({ null_equal: { k: ["true", "false"] } }),
    "statement[0].condition.null_equal.k",
    /one value/,
  ],
  [
    "null_equal with another value",
    withCondition({ null_equal: { k: "yes" } }),
    "statement[0].condition.null_equal.k",
    /one value/,
  ],
  [
    "a bad address",
    withCondition({ ip_equal: { "qcs:ip": ["10.0.0.0/8", "10.0.0.256"] } }),
    "statement[0].condition.ip_equal.qcs:ip[1]",
    /CIDR/,
  ],
  [
    "a bad prefix",
    withCondition({ ip_not_equal: { "qcs:ip": "10.0.0.0/33" } }),
    "statement[0].condition.ip_not_equal.qcs:ip[0]",
    /CIDR/,
  ],
  [
    "a bad date",
    withCondition({ date_less_than: { "qcs:current_time": "2026-02-29" } }),
    "statement[0].condition.date_less_than.qcs:current_time[0]",
    /date/,
  ],
  [
    "a number as date",
    withCondition({ date_equal: { "qcs:current_time": 1772359200 } }),
    "statement[0].condition.date_equal.qcs:current_time[0]",
    /date/,
  ],
  [
    "a bad number",
    withCondition({ numeric_less_than: { k: "1e3" } }),
    "statement[0].condition.numeric_less_than.k[0]",
    /decimal/,
  ],
  [
    "a rounded number",
    withCondition({ numeric_equal: { k: 2 ** 53 } }),
    "statement[0].condition.numeric_equal.k",
    /rounded/,
  ],
  [
    "a number with exponent",
    withCondition({ numeric_equal: { k: 1e-7 } }),
    "statement[0].condition.numeric_equal.k",
    /rounded/,
  ],
  ["a bad boolean", withCondition({ bool_equal: { mfa: "True" } }), "statement[0].condition.bool_equal.mfa[0]", /true/],
  ["bad base64", withCondition({ binary_equal: { k: "YQ" } }), "statement[0].condition.binary_equal.k[0]", /base64/],
];

describe("malformed policies", () => {
  test.each(MALFORMED)("refuses %s", (_name, policy, path, message) => {
    const error = refusal(policy);
    expect(error.path).toBe(path);
    expect(error.message).toMatch(message);
  });

  test("there are as many as were written", () => {
    expect(MALFORMED).toHaveLength(78);
  });

  test("one bad statement refuses the whole policy", () => {
    expect(refusal(document(statement, statement, { ...statement, action: [] })).path).toBe("statement[2].action");
  });

  test.each([
    [
      "of a statement",
      '{"version":"2.0","statement":[{"effect":"deny","effect":"allow","action":"*","resource":"*"}]}',
      "effect",
    ],
    [
      "written in two ways",
      '{"version":"2.0","statement":[{"effect":"allow","\\u0061ction":"kms:A","action":"*","resource":"*"}]}',
      "action",
    ],
    ["of the policy", '{"version":"2.0" , "statement" : [] , "statement"\n:[]}', "statement"],
    [
      "deep inside",
      '{"version":"2.0","statement":[{"condition":{"ip_equal":{"qcs:ip":"10.0.0.1","qcs:ip":"10.0.0.2"}}}]}',
      "qcs:ip",
    ],
    [
      "behind an escaped quote",
      '{"version":"2.0","statement":[{"resource":"a\\"b","effect":"deny","effect":"allow"}]}',
      "effect",
    ],
    [
      "behind an escaped backslash",
      '{"version":"2.0","statement":[{"resource":"a\\\\","effect":"deny","effect":"allow"}]}',
      "effect",
    ],
  ])("refuses a name that stands twice, %s", (_name, text, name) => {
    const { path, message } = refusal(text);
    expect(path).toBe("");
    expect(message).toContain(`${JSON.stringify(name)} stands twice`);
  });

  test("a name may stand in several objects, and in texts", () => {
    const text = JSON.stringify(
      document({ ...statement, condition: { string_equal: { 'a"b': "x" } } } as never, statement),
    ).replace('a\\"b', "action");
    expect(parsePolicy(text).statements).toHaveLength(2);
    const tricky = { ...statement, condition: { string_equal: { k: ['{"k":1,"k":2}', "\\", '"effect":'] } } };
    expect(parsePolicy(JSON.stringify(document(tricky))).statements).toHaveLength(1);
  });

  test("a cycle is refused", () => {
    const cycle: { version: string; statement: unknown[] } = { version: "2.0", statement: [] };
    cycle.statement.push(cycle);
    expect(refusal(cycle).message).toMatch(/JSON can express/);
  });

  test("a deep text is refused, not followed", () => {
    expect(refusal("[".repeat(8000) + "]".repeat(8000)).message).toMatch(/object|JSON/);
  });
});

describe("bounds", () => {
  test("the length of the text", () => {
    const policy = JSON.stringify(document(statement));
    expect(parsePolicy(policy.padEnd(MAX_POLICY_CHARACTERS)).characters).toBe(MAX_POLICY_CHARACTERS);
    expect(refusal(policy.padEnd(MAX_POLICY_CHARACTERS + 1)).message).toMatch(/16385 characters/);
    expect(refusal(document({ ...statement, resource: `qcs::kms:::${"x".repeat(MAX_POLICY_CHARACTERS)}` })).path).toBe(
      "",
    );
  });

  test("the number of statements", () => {
    const many = (count: number): unknown => document(...Array.from({ length: count }, () => allow("*")));
    expect(parsePolicy(many(MAX_STATEMENTS)).statements).toHaveLength(MAX_STATEMENTS);
    expect(refusal(many(MAX_STATEMENTS + 1)).path).toBe("statement");
  });

  test("the number of entries", () => {
    const many = (count: number): unknown => document(allow(Array.from({ length: count }, () => "*")));
    expect(parsePolicy(many(MAX_LIST_ENTRIES)).statements[0]?.actions).toHaveLength(MAX_LIST_ENTRIES);
    expect(refusal(many(MAX_LIST_ENTRIES + 1)).path).toBe("statement[0].action");
  });
});

describe("what is accepted", () => {
  test("strings for lists of one, numbers and booleans as values", () => {
    const condition = { numeric_equal: { k: [1, "2.50"] }, bool_equal: { mfa: true }, null_equal: { x: false } };
    const [parsed] = parsePolicy(document({ ...allow("*"), condition })).statements;
    expect(parsed?.conditions.map(({ operator, key, values }) => [operator, key, values])).toEqual([
      ["numeric_equal", "k", ["1", "2.50"]],
      ["bool_equal", "mfa", ["true"]],
      ["null_equal", "x", ["false"]],
    ]);
  });

  test("statements on other services", () => {
    const cos = allow(["name/cos:Get*", "*:*"], "qcs::cos:ap-guangzhou:uid/1250000000:prefix//1250000000/bücket:a/*");
    expect(parsePolicy(document(cos)).statements).toHaveLength(1);
  });

  test("the value is read once: later changes do not reach the policy", () => {
    const mutable = { version: "2.0", statement: [{ effect: "deny", action: ["kms:Encrypt"], resource: "*" }] };
    const policy = parsePolicy(mutable);
    mutable.statement.length = 0;
    expect(policy.statements).toHaveLength(1);
  });
});
