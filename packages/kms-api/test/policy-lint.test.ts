// The linter: each rule on a policy that breaks it and on one that does not, and that its claims are true of the evaluator.
import { describe, expect, test } from "vitest";
import { ACTIONS } from "../src/actions-table.gen.js";
import type { ConditionDocument, PolicyDocument, StatementDocument } from "../src/policy.js";
import { evaluate } from "../src/policy-evaluate.js";
import { lintPolicy } from "../src/policy-lint.js";
import { parsePolicy } from "../src/policy-parse.js";
import { obstacleOf } from "../src/policy-reach.js";
import { presentResource } from "../src/resource.js";
import { allow, CALLER, deny, document, K1, K2, OWNER, request, set } from "./policy-cases/support.js";

function findings(...statements: readonly StatementDocument[]): string[] {
  return lintPolicy(parsePolicy(document(...statements))).map(
    ({ severity, code, path }) => `${severity} ${code} ${path}`,
  );
}

const inOffice = { ip_equal: { "qcs:ip": "203.0.113.0/24" } };
const production = { "for_any_value:string_equal": { "qcs:resource_tag": "env&prod" } };
const account = (text: string): string => `qcs::kms::${text}:key/*`;
const at = (time: string): Record<string, string> => ({ "qcs:current_time": time });
type Row = readonly [name: string, statements: readonly StatementDocument[], expected: readonly string[]];
const RESOURCE = "error impossible-resource statement[0].resource[0]";
const NO_KEY = "error unknown-condition-key statement[0].condition";
const TYPE = "error condition-type statement[0].condition";
const TAG = "tag-value statement[0].condition.for_any_value:string_equal";
const REQUEST = "request-tag-unsupported statement[0].condition.for_any_value:string_equal.qcs:request_tag";
const WINDOW = "error empty-date-window statement[0].condition";
const conditional = (condition: ConditionDocument, action: string | readonly string[] = "kms:Encrypt") => [
  { ...deny(action), condition },
];
/** What can never apply, and beside it what looks alike and can. */
const NEVER: readonly Row[] = [
  ["uid", [deny("kms:Encrypt", account(`uid/${OWNER}`))], [RESOURCE]],
  ["uid with a star", [allow("kms:Encrypt", account("uid/*"))], [RESOURCE]],
  ["an account that ends in a letter", [deny("kms:Encrypt", account("uin/*x"))], [RESOURCE]],
  ["accounts with stars", [allow("kms:Encrypt", ["*", "u*1", "uin/1*", "*/1", "*n/*7"].map(account))], []],
  ["a region in capitals", [deny("kms:Encrypt", `qcs::kms:AP-GUANGZHOU:uin/${OWNER}:key/*`)], [RESOURCE]],
  ["a blank at the end", [deny("kms:Encrypt", `${K1} `)], [RESOURCE]],
  ["a blank in an id", [allow("kms:Encrypt", K1.replace("k-1111", "k 1111"))], [RESOURCE]],
  ["a creator that is no number", [deny("kms:Encrypt", `qcs::kms:::key/creatorUin/me/k1`)], [RESOURCE]],
  [
    "one resource of two",
    [allow("kms:Encrypt", [K1, account("uid/1")])],
    ["warning impossible-resource statement[0].resource[1]"],
  ],
  [
    "one resource of two, in a deny",
    [deny("kms:Encrypt", [K1, account("uid/1")])],
    ["error impossible-resource statement[0].resource[1]"],
  ],
  ["a mistyped key", conditional({ ip_not_equal: { "qcs:ipp": "10.0.0.0/8" } }), [`${NO_KEY}.ip_not_equal.qcs:ipp`]],
  ["a key in capitals", conditional({ ip_equal: { "QCS:IP": "10.0.0.0/8" } }), [`${NO_KEY}.ip_equal.QCS:IP`]],
  [
    "an unknown key that may be absent",
    conditional({ string_equal_if_exist: { "kms:x": "1" } }),
    ["warning unknown-condition-key statement[0].condition.string_equal_if_exist.kms:x"],
  ],
  [
    "another service's key beside its action",
    conditional({ string_equal: { "cos:prefix": "1" } }, ["kms:Encrypt", "cos:Get"]),
    ["warning unknown-condition-key statement[0].condition.string_equal.cos:prefix"],
  ],
  ["another service's key", conditional({ string_equal: { "cos:prefix": "1" } }, "cos:Get"), []],
  ["a range as text", conditional({ string_equal: { "qcs:ip": "10.0.0.0/8" } }), [`${TYPE}.string_equal.qcs:ip`]],
  [
    "an address as text",
    conditional({ string_equal: { "qcs:ip": "10.0.0.7" } }),
    ["warning condition-type statement[0].condition.string_equal.qcs:ip"],
  ],
  ["an address as a number", conditional({ numeric_equal: { "qcs:ip": "10" } }), [`${TYPE}.numeric_equal.qcs:ip`]],
  ["a time as an address", conditional({ ip_equal: at("10.0.0.1") }), [`${TYPE}.ip_equal.qcs:current_time`]],
  [
    "a tag without its value",
    conditional({ "for_any_value:string_equal": { "qcs:resource_tag": "prod" } }),
    [`error ${TAG}.qcs:resource_tag`],
  ],
  [
    "one tag of two",
    [
      {
        ...allow("kms:Encrypt", K1),
        condition: { "for_any_value:string_equal": { "qcs:resource_tag": ["a&b", "c"] } },
      },
    ],
    [`warning ${TAG}.qcs:resource_tag`],
  ],
  [
    "tags of a request that has none",
    conditional({ "for_any_value:string_equal": { "qcs:request_tag": "a&b" } }),
    [`error ${REQUEST}`],
  ],
  [
    "tags of some requests",
    conditional({ "for_any_value:string_equal": { "qcs:request_tag": "a&b" } }, ["kms:CreateKey", "kms:Encrypt"]),
    [`warning ${REQUEST}`],
  ],
  [
    "tags of the requests that have them",
    conditional({ "for_any_value:string_equal": { "qcs:request_tag": "a&b" } }, [
      ...["kms:CreateKey", "kms:CreateWhiteBoxKey", "kms:GenerateDataKey", "kms:ImportDataKey"],
    ]),
    [],
  ],
  [
    "a window that closes first",
    conditional({ date_less_than: at("2001-01-01"), date_greater_than: at("2002-01-01") }),
    [WINDOW],
  ],
  [
    "a window without a moment",
    conditional({ date_less_than: at("2001-01-01"), date_greater_than_equal: at("2001-01-01") }),
    [WINDOW],
  ],
  [
    "a moment outside of the window",
    conditional({ date_less_than: at("2001-01-01"), date_equal: at("2001-01-01") }),
    [WINDOW],
  ],
  [
    "a window of one moment",
    conditional({ date_less_than_equal: at("2001-01-01"), date_greater_than_equal: at("2001-01-01") }),
    [],
  ],
  ["a window", conditional({ date_less_than: at("2002-01-01"), date_greater_than: at("2001-01-01") }), []],
];
const ROWS: readonly Row[] = [
  ["a good policy", [allow(["kms:Encrypt", "kms:GenerateDataKey"], K1), allow("kms:GenerateRandom")], []],
  ["Decrypt on a key", [allow("kms:Decrypt", K1)], ["error operation-level-allow statement[0].resource"]],
  [
    "Decrypt on all keys, in six segments",
    [allow("kms:Decrypt", "qcs::kms:::key/*")],
    ["error operation-level-allow statement[0].resource"],
  ],
  [
    "a wildcard that catches Decrypt",
    [allow("kms:De*", K1)],
    [
      "warning operation-level-allow statement[0].resource",
      "warning data-key-region statement[0].resource",
      "info unreachable-resource statement[0].resource",
    ],
  ],
  ["a key and a star", [allow("kms:Decrypt", [K1, "*"])], ["info decrypts-every-key statement[0]"]],
  ["a deny of Decrypt on a key", [deny("kms:Decrypt", K1)], ["error operation-level-deny statement[0].resource"]],
  [
    "a deny of all on a key",
    [deny(["kms:Encrypt", "kms:*Decrypt"], K1)],
    ["warning operation-level-deny statement[0].resource"],
  ],
  ["a deny of Decrypt on all", [deny("kms:Decrypt")], []],
  [
    "an unknown action",
    [allow(["kms:Encrypt", "kms:Encript", "kms:Foo*"], K1)],
    ["error unknown-action statement[0].action[1]", "error unknown-action statement[0].action[2]"],
  ],
  ["an action of another service", [allow("cos:Foo")], []],
  [
    "a data key in a region",
    [allow("kms:GetDataKeyPlaintext", `qcs::kms:ap-guangzhou:uin/${OWNER}:key/*`)],
    ["error data-key-region statement[0].resource"],
  ],
  ["a data key in any region", [allow("kms:GetDataKeyPlaintext", `qcs::kms:*:uin/${OWNER}:key/*`)], []],
  ["a data key without region", [allow("kms:GetDataKeyPlaintext", `qcs::kms::uin/${OWNER}:key/*`)], []],
  ["CreateKey on one key", [allow("kms:CreateKey", K1)], ["error unreachable-resource statement[0].resource"]],
  ["CreateKey on what it presents", [allow("kms:CreateKey", `qcs::kms::uin/${OWNER}:key/creatorUin/${CALLER}/*`)], []],
  [
    "CreateWhiteBoxKey below a creator",
    [allow("kms:CreateWhiteBoxKey", `qcs::kms::uin/${OWNER}:key/creatorUin/${CALLER}/*`)],
    ["error unreachable-resource statement[0].resource"],
  ],
  [
    "another kind of resource",
    [allow("kms:Encrypt", "qcs::kms:::alias/*")],
    ["error unreachable-resource statement[0].resource"],
  ],
  [
    "a resource of another service",
    [allow("kms:Encrypt", "qcs::cos:::key/*")],
    ["error unreachable-resource statement[0].resource"],
  ],
  [
    "an address on an action without",
    [{ ...allow("kms:GetKeyAttributes", K1), condition: inOffice }],
    ["error ip-unsupported statement[0].condition.ip_equal.qcs:ip"],
  ],
  [
    "an address on some actions without",
    [{ ...deny(["kms:SetKeyAttributes", "kms:Encrypt"]), condition: { ip_not_equal: { "qcs:ip": "10.0.0.0/8" } } }],
    ["warning ip-unsupported statement[0].condition.ip_not_equal.qcs:ip"],
  ],
  ["an address on actions with", [{ ...allow("kms:Encrypt", K1), condition: inOffice }], []],
  [
    "another operator on tags",
    [{ ...allow("kms:Encrypt", K1), condition: { string_equal: { "qcs:resource_tag": "a&b" } } }],
    ["warning tag-operator statement[0].condition.string_equal.qcs:resource_tag"],
  ],
  [
    "all of the tags",
    [{ ...allow("kms:CreateKey"), condition: { "for_all_value:string_equal": { "qcs:request_tag": "a&b" } } }],
    ["warning tag-operator statement[0].condition.for_all_value:string_equal.qcs:request_tag"],
  ],
  ["the supported operator", [{ ...allow("kms:Encrypt", K1), condition: production }], []],
  [
    "tags for Decrypt",
    [{ ...allow("kms:Decrypt"), condition: production }],
    ["error tag-operation-level statement[0].condition.for_any_value:string_equal.qcs:resource_tag"],
  ],
  [
    "tags for all",
    [{ ...allow("kms:*"), condition: production }],
    ["warning tag-operation-level statement[0].condition.for_any_value:string_equal.qcs:resource_tag"],
  ],
  ...NEVER,
  ["everything", [allow("kms:*")], ["warning too-broad statement[0]"]],
  ["everything of all services", [allow("*")], ["warning too-broad statement[0]"]],
  [
    "everything from the office",
    [{ ...allow("kms:*"), condition: inOffice }],
    ["warning ip-unsupported statement[0].condition.ip_equal.qcs:ip"],
  ],
  ["Get*", [allow(["kms:List*", "kms:Get*"])], ["warning reads-plaintext statement[0].action[1]"]],
  ["the plaintext by its name", [allow(["kms:Get*", "kms:GetDataKeyPlaintext"])], []],
  ["a deny that covers an allow", [allow("kms:Encrypt", K1), deny("kms:Enc*")], ["error shadowed statement[0]"]],
  [
    "a deny by resources",
    [allow("kms:Encrypt", [K1, K2]), deny(["kms:*"], "qcs::kms:::key/*")],
    ["warning operation-level-deny statement[1].resource", "info unreachable-resource statement[1].resource"],
  ],
  [
    "a deny of every account",
    [allow("kms:Encrypt", [K1, K2]), deny("kms:Encrypt", "qcs::kms::*:key/*")],
    ["error shadowed statement[0]"],
  ],
  [
    "a deny with a condition",
    [allow("kms:Encrypt", K1), { ...deny("kms:*"), condition: inOffice }],
    ["warning ip-unsupported statement[1].condition.ip_equal.qcs:ip"],
  ],
  ["a deny of less than all resources", [allow("kms:Encrypt"), deny("kms:Encrypt", "qcs::kms::*:key/*")], []],
  ["a deny of some of the actions", [allow("kms:EnableKey*", K1), deny("kms:EnableKeys")], []],
  [
    "a deny beside an unknown action",
    [allow("kms:Foo*", K1), deny("kms:Enc*")],
    ["error unknown-action statement[0].action[0]"],
  ],
  ["a deny of another key", [allow("kms:Encrypt", K1), deny("kms:Encrypt", K2)], []],
  [
    "a deny of listed actions",
    [allow("kms:EnableKey*", K1), deny(ACTIONS.map(({ name }) => `kms:${name}`))],
    ["error shadowed statement[0]"],
  ],
  ["the same twice", [allow("kms:Encrypt", K1), allow("kms:Encrypt", K1)], ["info redundant statement[1]"]],
  ["a narrower one first", [allow("kms:Encrypt", K1), allow("kms:Encrypt", [K1, K2])], ["info redundant statement[0]"]],
  [
    "a narrower one with a condition",
    [{ ...allow("kms:Encrypt", K1), condition: inOffice }, allow("kms:Encrypt", K1)],
    ["info redundant statement[0]"],
  ],
];

describe("rules", () => {
  test.each(ROWS)("%s", (_name, statements, expected) => {
    expect(findings(...statements)).toEqual(expected);
  });

  test("each code has a policy that shows it", () => {
    const shown = new Set(ROWS.flatMap(([, , expected]) => expected.map((text) => text.split(" ")[1])));
    expect([...shown].sort()).toEqual([
      "condition-type",
      "data-key-region",
      "decrypts-every-key",
      "empty-date-window",
      "impossible-resource",
      ...["ip-unsupported", "operation-level-allow", "operation-level-deny", "reads-plaintext"],
      ...[
        "redundant",
        "request-tag-unsupported",
        "shadowed",
        "tag-operation-level",
        "tag-operator",
        "tag-value",
        "too-broad",
        "unknown-action",
        "unknown-condition-key",
        "unreachable-resource",
      ],
    ]);
  });

  test("a policy that is longer than the service takes", () => {
    const long = Array.from({ length: 90 }, (_, index) => `${K1}-${index}`);
    const [finding] = lintPolicy(parsePolicy(document(allow("kms:Encrypt", long))));
    expect(finding).toMatchObject({ severity: "warning", code: "too-long", path: "" });
    expect(finding?.message).toMatch(/^the policy has \d+ characters; the service takes 6144/);
  });

  test("a finding says what is wrong and what to do", () => {
    const [finding] = lintPolicy(parsePolicy(document(deny("kms:Decrypt", K1))));
    expect(finding?.message).toBe(
      'Decrypt: authorized at operation level, so only the resource "*" covers them; naming resources, the statement stops none of them',
    );
    expect(finding?.advice).toContain('deny them on "*"');
  });
});

describe("claims", () => {
  const patterns = [
    "*",
    K1,
    "qcs::kms:::*",
    "qcs::kms:::key/*",
    "qcs::kms:ap-guangzhou::key/*",
    "qcs::kms:::kmsservice/*",
    "qcs::cos:::*",
  ];
  const created = `qcs::kms::uin/${OWNER}:key/creatorUin/${CALLER}/*`;

  test.each([...patterns, created, "qcs::kms:*::k*", "qcs::kms:::key/creatorUin/*/k-1111", "qcs::kms:::key/*1"])(
    "what is called unreachable on %s is never allowed, and the rest can be",
    (pattern) => {
      const policies = set(allow("kms:*", pattern));
      const [compiled] = policies.policies[0]?.statements[0]?.resources ?? [];
      if (compiled === undefined) throw new Error("no pattern");
      let reachable = 0;
      for (const action of ACTIONS) {
        const decisions = [OWNER, CALLER].flatMap((creatorUin) =>
          ["k-1111", "dk-1"].map((id) => {
            const resource = presentResource(action, { region: "ap-guangzhou", ownerUin: OWNER, creatorUin, id });
            return evaluate(policies, request(`kms:${action.name}`, resource)).decision;
          }),
        );
        const isAllowed = decisions.includes("allow");
        if (obstacleOf(compiled, action) === undefined) expect(isAllowed, action.name).toBe(true);
        else expect(isAllowed, action.name).toBe(false);
        if (isAllowed) reachable++;
      }
      expect(reachable > 0).toBe(pattern !== "qcs::cos:::*");
    },
  );

  test("a statement that is called shadowed or redundant can be left out", () => {
    for (const [, statements] of ROWS) {
      const policy: PolicyDocument = document(...statements);
      for (const { code, path } of lintPolicy(parsePolicy(policy))) {
        if (code !== "shadowed" && code !== "redundant") continue;
        const rest = statements.filter((_, index) => path !== `statement[${index}]`);
        for (const { name } of ACTIONS) {
          for (const resource of [K1, K2, "*"]) {
            const asked = { ...request(`kms:${name}`, resource), context: { "qcs:ip": "203.0.113.9" } };
            expect(evaluate(set(...rest), asked).decision, `${path} ${name}`).toBe(
              evaluate(set(...statements), asked).decision,
            );
          }
        }
      }
    }
  });
});
