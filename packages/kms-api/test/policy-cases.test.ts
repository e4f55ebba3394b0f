// The worked cases: each policy and request with the decision that the documentation leads to, and the presets.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ACTIONS } from "../src/actions-table.gen.js";
import { evaluate, type Verdict } from "../src/policy-evaluate.js";
import { explain } from "../src/policy-explain.js";
import { parsePolicy } from "../src/policy-parse.js";
import { presentResource } from "../src/resource.js";
import { CALLER, K1, OWNER, request, rule } from "./policy-cases/support.js";

interface Case {
  readonly id: number;
  readonly name: string;
  readonly policies: readonly unknown[];
  readonly request: {
    readonly principal: { readonly ownerUin: string; readonly uin: string };
    readonly action: string;
    readonly resource: string;
    readonly context: Readonly<Record<string, string | readonly string[]>>;
  };
  readonly expect: Verdict;
}

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`./policy-cases/${name}`, import.meta.url), "utf8"));
}

const { cases } = readJson("cases.json") as { cases: readonly Case[] };
const presets = readJson("presets.json") as { everything: unknown; readOnly: unknown };

describe("worked cases", () => {
  test("there are 34 of them, 13 allowed, 4 denied explicitly", () => {
    const count = (verdict: Verdict): number => cases.filter((one) => one.expect === verdict).length;
    expect([cases.length, count("allow"), count("explicit_deny"), count("implicit_deny")]).toEqual([34, 13, 4, 17]);
  });

  test.each(cases)(
    "case $id: $name",
    ({ policies, request: { principal, action, resource, context }, expect: verdict }) => {
      const { "qcs:ip": ip, ...others } = context;
      const supportsIp = rule(action.replace("kms:", "")).ipRestriction && ip !== undefined;
      const set = { policies: policies.map(parsePolicy) };
      const asked = {
        caller: principal,
        action,
        resources: [resource],
        context: supportsIp ? { ...others, "qcs:ip": ip } : others,
      };
      expect(evaluate(set, asked).decision).toBe(verdict);
      // The order of policies and of statements must not matter.
      const turned = set.policies.map(({ statements, characters }) => ({
        statements: statements.toReversed(),
        characters,
      }));
      expect(evaluate({ policies: turned.toReversed() }, asked).decision).toBe(verdict);
      // The text form of a document gives the same policy.
      expect(
        evaluate({ policies: policies.map((policy) => parsePolicy(JSON.stringify(policy))) }, asked).decision,
      ).toBe(verdict);
      expect(explain(set, asked).decision).toBe(verdict);
    },
  );
});

describe("presets", () => {
  test("everything allows every action", () => {
    const policies = [parsePolicy(presets.everything)];
    for (const action of ACTIONS) {
      const resource = presentResource(action, {
        region: "ap-guangzhou",
        ownerUin: OWNER,
        creatorUin: CALLER,
        id: "k-1111",
      });
      expect(evaluate({ policies }, request(`kms:${action.name}`, resource)).decision, action.name).toBe("allow");
    }
  });

  test("reading allows what begins with Describe, List or Get, the plaintext of data keys among it", () => {
    const policies = [parsePolicy(presets.readOnly)];
    const allowed = ACTIONS.filter(
      ({ name }) => evaluate({ policies }, request(`kms:${name}`, K1)).decision === "allow",
    );
    expect(allowed.map(({ name }) => name)).toEqual(
      ACTIONS.map(({ name }) => name).filter((name) => /^(Describe|List|Get)/.test(name)),
    );
    expect(allowed.map(({ name }) => name)).toContain("GetDataKeyPlaintext");
  });
});
