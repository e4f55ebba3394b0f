// Properties of decisions over generated policies: what may never open anything, and that order and spreading do not matter.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { evaluate, type PolicySet, type Verdict } from "../src/policy-evaluate.js";
import { explain } from "../src/policy-explain.js";
import { parsePolicy } from "../src/policy-parse.js";
import { CALLER, document, K1, K2, keyResource, OWNER, STRANGER } from "./policy-cases/support.js";

describe("properties", () => {
  const action = fc.constantFrom("*", "kms:*", "kms:Encrypt", "kms:Decrypt", "kms:E*", "name/kms:Enable*", "cos:*");
  const resource = fc.constantFrom(
    "*",
    "qcs::kms:::key/*",
    K1,
    K2,
    `${K1}*`,
    "qcs::kms:ap-*::key/*",
    `qcs::kms::uin/${STRANGER}:*`,
  );
  const condition = fc.constantFrom(
    undefined,
    { ip_equal: { "qcs:ip": "203.0.113.0/24" } },
    { ip_not_equal: { "qcs:ip": "10.0.0.0/8" } },
    { date_less_than: { "qcs:current_time": "2026-01-01" } },
    { "for_any_value:string_equal_if_exist": { "qcs:resource_tag": ["env&prod"] } },
    { null_equal: { "qcs:resource_tag": "true" } },
  );
  const list = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(values, { minLength: 1, maxLength: 3 });
  const statement = fc
    .record({
      effect: fc.constantFrom("allow" as const, "deny" as const),
      action: list(action),
      resource: list(resource),
      condition,
    })
    .map(({ condition: block, ...rest }) => (block === undefined ? rest : { ...rest, condition: block }));
  const policies = fc
    .array(list(statement), { maxLength: 3 })
    .map((documents) => documents.map((statements) => document(...statements)));
  const one = fc.option(
    list(statement).map((statements) => parsePolicy(document(...statements))),
    { nil: undefined },
  );
  const asked = fc.record({
    caller: fc.constantFrom(
      { ownerUin: OWNER, uin: CALLER },
      { ownerUin: STRANGER, uin: CALLER },
      { ownerUin: OWNER, uin: OWNER },
    ),
    action: fc.constantFrom("kms:Encrypt", "kms:Decrypt", "kms:EnableKeys"),
    resources: fc.oneof(
      fc.constant(["*"]),
      list(fc.constantFrom(K1, K2, keyResource("k-1111", "ap-shanghai"), keyResource("dk", ""))),
    ),
    context: fc.constantFrom(
      {},
      { "qcs:ip": "203.0.113.9", "qcs:resource_tag": ["env&prod"] },
      { "qcs:ip": "10.1.1.1", "qcs:resource_tag": [] },
      { "qcs:current_time": "2025-06-01T00:00:00Z" },
    ),
  });
  const rank: Readonly<Record<Verdict, number>> = { explicit_deny: 0, implicit_deny: 1, allow: 2 };
  const numRuns = process.env["SLOW"] === undefined ? 400 : 20_000;

  test("one more deny never allows more", () => {
    fc.assert(
      fc.property(policies, statement, one, one, asked, (documents, extra, boundary, session, ask) => {
        const before = { policies: documents.map(parsePolicy), boundary, session };
        const denying = parsePolicy(document({ ...extra, effect: "deny" }));
        const after = { ...before, policies: [...before.policies, denying] };
        expect(rank[evaluate(after, ask).decision]).toBeLessThanOrEqual(rank[evaluate(before, ask).decision]);
      }),
      { numRuns },
    );
  });

  test("one allow less never allows more", () => {
    fc.assert(
      fc.property(list(statement), one, asked, fc.nat(), (statements, session, ask, pick) => {
        const allows = statements.filter(({ effect }) => effect === "allow");
        fc.pre(allows.length > 0);
        const removed = allows[pick % allows.length];
        const rest = statements.filter((kept) => kept !== removed);
        const of = (kept: typeof statements): PolicySet => ({
          policies: kept.map((each) => parsePolicy(document(each))),
          session,
        });
        expect(rank[evaluate(of(rest), ask).decision]).toBeLessThanOrEqual(
          rank[evaluate(of(statements), ask).decision],
        );
      }),
      { numRuns },
    );
  });

  test("a boundary and a session never allow more", () => {
    fc.assert(
      fc.property(policies, one, one, asked, (documents, boundary, session, ask) => {
        const alone = { policies: documents.map(parsePolicy) };
        expect(rank[evaluate({ ...alone, boundary, session }, ask).decision]).toBeLessThanOrEqual(
          rank[evaluate(alone, ask).decision],
        );
      }),
      { numRuns },
    );
  });

  test("the order of policies, statements, lists and resources does not matter, nor how they are spread over policies", () => {
    fc.assert(
      fc.property(policies, one, asked, (documents, boundary, ask) => {
        const expected = evaluate({ policies: documents.map(parsePolicy), boundary }, ask).decision;
        const turned = documents.toReversed().map(({ statement: statements }) =>
          document(
            ...statements.toReversed().map((each) => ({
              ...each,
              action: [...each.action].reverse(),
              resource: [...each.resource].reverse(),
            })),
          ),
        );
        const asking = { ...ask, resources: ask.resources.toReversed() };
        expect(evaluate({ policies: turned.map(parsePolicy), boundary }, asking).decision).toBe(expected);
        const spread = turned.flatMap(({ statement: statements }) =>
          statements.map((each) => parsePolicy(document(each))),
        );
        expect(evaluate({ policies: spread, boundary }, asking).decision).toBe(expected);
      }),
      { numRuns },
    );
  });

  test("the explanation decides as the evaluation does, and its statements bear it out", () => {
    fc.assert(
      fc.property(policies, one, one, asked, (documents, boundary, session, ask) => {
        const all = { policies: documents.map(parsePolicy), boundary, session };
        const explanation = explain(all, ask);
        expect(explanation).toMatchObject(evaluate(all, ask));
        for (const each of explanation.resources) {
          if (each.reason === "foreign_account" || each.reason === "root_account") continue;
          const applying = each.statements.filter(({ mismatch }) => mismatch === undefined);
          const isRoot = ask.caller.uin === ask.caller.ownerUin;
          const denied = applying.some(({ effect, source }) => effect === "deny" && !(isRoot && source === "policies"));
          expect(each.decision === "explicit_deny").toBe(denied);
          const sources = ["policies", "boundary", "session"].filter(
            (source) =>
              !(isRoot && source === "policies") && (source === "policies" || all[source as "boundary"] !== undefined),
          );
          const granted = sources.every((source) =>
            applying.some((one_) => one_.source === source && one_.effect === "allow"),
          );
          expect(each.decision === "allow").toBe(granted && !denied);
        }
      }),
      { numRuns },
    );
  });
});
