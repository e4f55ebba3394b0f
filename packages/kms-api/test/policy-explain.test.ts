// Explanations: why a statement does not apply, as data and as text.
import { describe, expect, test } from "vitest";
import { explain } from "../src/policy-explain.js";
import { parsePolicy } from "../src/policy-parse.js";
import { allow, CALLER, deny, document, K1, K2, OWNER, request, STRANGER, set } from "./policy-cases/support.js";

describe("explanations", () => {
  test("the action, the resource and every failing condition are told apart", () => {
    const condition = {
      ip_equal: { "qcs:ip": ["10.0.0.0/8"] },
      string_equal: { a: "1", b: "2" },
      "for_any_value:string_equal": { "qcs:resource_tag": "env&prod" },
      numeric_less_than: { n: 5 },
      date_less_than: { "qcs:current_time": "2026-01-01" },
      null_equal: { x: true },
    };
    const policies = set(
      allow(["kms:DescribeKey", "kms:List*"]),
      allow("kms:Encrypt", [K2, `qcs::kms::uin/${STRANGER}:key/*`, "qcs::kms:ap-shanghai::key/*", "qcs::cos:::*"]),
      { ...allow("kms:Encrypt"), condition },
      allow("kms:Enc*", "qcs::kms:::key/*"),
    );
    const context = {
      "qcs:ip": "203.0.113.9",
      a: "1",
      "qcs:resource_tag": [],
      n: ["1", "2"],
      "qcs:current_time": "now",
      x: "y",
    };
    const explanation = explain(policies, { ...request("kms:Encrypt", K1), context });
    expect(explanation).toMatchObject({
      decision: "allow",
      reason: "allowed",
      statement: { source: "policies", policy: 0, statement: 3 },
    });
    expect(explanation.resources).toHaveLength(1);
    const mismatches = explanation.resources[0]?.statements.map(({ mismatch }) => mismatch);
    expect(mismatches).toEqual([
      { part: "action", wanted: ["kms:DescribeKey", "kms:List*"], given: "kms:Encrypt" },
      {
        part: "resource",
        patterns: [
          {
            pattern: K2,
            difference: "resource",
            wanted: `key/creatorUin/${OWNER}/k-2222`,
            given: `key/creatorUin/${OWNER}/k-1111`,
          },
          {
            pattern: `qcs::kms::uin/${STRANGER}:key/*`,
            difference: "account",
            wanted: `uin/${STRANGER}`,
            given: `uin/${OWNER}`,
          },
          {
            pattern: "qcs::kms:ap-shanghai::key/*",
            difference: "region",
            wanted: "ap-shanghai",
            given: "ap-guangzhou",
          },
          { pattern: "qcs::cos:::*", difference: "service", wanted: "cos", given: "kms" },
        ],
      },
      {
        part: "condition",
        failures: [
          { operator: "ip_equal", key: "qcs:ip", wanted: ["10.0.0.0/8"], given: "203.0.113.9", outcome: "unequal" },
          { operator: "string_equal", key: "b", wanted: ["2"], outcome: "absent" },
          {
            operator: "for_any_value:string_equal",
            key: "qcs:resource_tag",
            wanted: ["env&prod"],
            given: [],
            outcome: "empty",
          },
          { operator: "numeric_less_than", key: "n", wanted: ["5"], given: ["1", "2"], outcome: "several" },
          {
            operator: "date_less_than",
            key: "qcs:current_time",
            wanted: ["2026-01-01"],
            given: "now",
            outcome: "unreadable",
          },
          { operator: "null_equal", key: "x", wanted: ["true"], given: "y", outcome: "present" },
        ],
      },
      undefined,
    ]);
    expect(explanation.text.split("\n")).toEqual([
      `kms:Encrypt on ${K1}: allowed: a statement allows it (policies[0].statement[3]).`,
      "  policies[0].statement[0] (allow) does not apply: its action is kms:DescribeKey, kms:List*",
      [
        `  policies[0].statement[1] (allow) does not apply: the resource of ${K2} is "key/creatorUin/${OWNER}/k-2222", the request's is "key/creatorUin/${OWNER}/k-1111"`,
        `the account of qcs::kms::uin/${STRANGER}:key/* is "uin/${STRANGER}", the request's is "uin/${OWNER}"`,
        'the region of qcs::kms:ap-shanghai::key/* is "ap-shanghai", the request\'s is "ap-guangzhou"',
        'the service of qcs::cos:::* is "cos", the request\'s is "kms"',
      ].join("; "),
      [
        '  policies[0].statement[2] (allow) does not apply: ip_equal of qcs:ip wants "10.0.0.0/8", and the request has "203.0.113.9"',
        'string_equal of b wants "2", and the request has no b',
        'for_any_value:string_equal of qcs:resource_tag wants "env&prod", and qcs:resource_tag has no value',
        'numeric_less_than of n wants "5", and n has several values: it needs for_any_value: or for_all_value:',
        'date_less_than of qcs:current_time wants "2026-01-01", and "now" cannot be read as such a value',
        'null_equal of x wants "true", and the request has a x',
      ].join("; "),
      "  policies[0].statement[3] (allow) applies",
    ]);
  });

  test("an operation-level action with a named key: the rule is said plainly", () => {
    const explanation = explain(set(allow("kms:Decrypt", K1)), request("kms:Decrypt", "*"));
    expect(explanation.decision).toBe("implicit_deny");
    expect(explanation.resources[0]?.isOperationLevel).toBe(true);
    expect(explanation.resources[0]?.statements[0]?.mismatch).toEqual({
      part: "resource",
      patterns: [{ pattern: K1, difference: "operation-level", wanted: K1, given: "*" }],
    });
    expect(explanation.text.split("\n")).toEqual([
      "kms:Decrypt on *: refused (implicit deny): no statement allows it.",
      'kms:Decrypt is authorized at operation level: the service presents "*" instead of a key, so only statements on the resource "*" bear on it, and they bear on every key of the account.',
      `  policies[0].statement[0] (allow) does not apply: it names ${K1}, and the action is about no key: write "*"`,
    ]);
  });

  test("a deny that decides is named, in the part of the set where it stands", () => {
    const session = parsePolicy(document(allow("kms:*"), deny("kms:Encrypt", K1)));
    const explanation = explain({ ...set(allow("kms:*")), session }, request("kms:Encrypt", K1));
    expect(explanation).toMatchObject({ decision: "explicit_deny", statement: { source: "session", statement: 1 } });
    expect(explanation.text).toContain("a deny wins over every allow (session.statement[1])");
  });

  test("several resources are explained one by one", () => {
    const explanation = explain(set(allow("kms:EnableKeys", K1)), request("kms:EnableKeys", K1, K2));
    expect(explanation.resources.map(({ decision }) => decision)).toEqual(["allow", "implicit_deny"]);
    expect(explanation.text).toMatch(/1 of 2 resources are refused, so the whole call is/);
  });

  test.each([
    [{ ownerUin: OWNER, uin: OWNER }, /allowed: the caller is the root account/],
    [{ ownerUin: STRANGER, uin: CALLER }, /refused \(implicit deny\): the key belongs to another root account/],
  ])("the caller %j", (caller, text) => {
    expect(explain(set(allow("kms:*")), { ...request("kms:Encrypt", K1), caller }).text).toMatch(text);
  });

  test("what an empty account means, and why a key may be absent", () => {
    const policies = set(
      { ...allow("kms:*"), condition: { ip_equal: { "qcs:ip": "10.0.0.1" } } },
      { ...allow("kms:*"), condition: { "for_any_value:string_equal": { "qcs:resource_tag": "a&b" } } },
      allow("kms:*", "qcs::kms:::key/*"),
    );
    const asked = { ...request("kms:Encrypt", K1), caller: { ownerUin: STRANGER, uin: CALLER } };
    const { text } = explain(policies, asked);
    expect(text).toContain("is the policy's own account, the request's is \"uin/100000000001\"");
    expect(text).toContain("has no qcs:ip (actions that the service does not restrict by address carry none)");
    expect(text).toContain("has no qcs:resource_tag (an operation-level action has no resource, hence no tags)");
  });
});
