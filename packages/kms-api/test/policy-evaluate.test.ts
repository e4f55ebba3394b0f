// Decisions: every action of the catalogue, the root account, boundary and session, foreign accounts, several resources.
import { describe, expect, test } from "vitest";
import { ACTIONS } from "../src/actions-table.gen.js";
import { type AccessRequest, evaluate, type PolicySet, type Verdict } from "../src/policy-evaluate.js";
import { explain } from "../src/policy-explain.js";
import { parsePolicy } from "../src/policy-parse.js";
import { presentResource, requestContext } from "../src/resource.js";
import {
  allow,
  CALLER,
  deny,
  document,
  K1,
  K2,
  keyResource,
  NOW_MS,
  OWNER,
  request,
  STRANGER,
  set,
} from "./policy-cases/support.js";

const parts = { region: "ap-guangzhou", ownerUin: OWNER, creatorUin: OWNER, id: "k-1111" };
const full = parsePolicy(document(allow("kms:*")));

function decide(policies: PolicySet, asked: AccessRequest): Verdict {
  const { decision } = evaluate(policies, asked);
  expect(explain(policies, asked).decision).toBe(decision);
  return decision;
}

describe("every action of the catalogue", () => {
  test("there are 81", () => {
    expect(ACTIONS).toHaveLength(81);
  });

  test.each(ACTIONS)("$name", (action) => {
    const resource = presentResource(action, parts);
    const asked = {
      ...request(`kms:${action.name}`, resource),
      context: requestContext(action, {
        ip: "203.0.113.9",
        timeMs: NOW_MS,
        resourceTags: [{ key: "env", value: "prod" }],
      }),
    };
    const named = resource === "*" ? K1 : resource;
    const other = ACTIONS.filter(({ name }) => name !== action.name).map(({ name }) => `kms:${name}`);
    const exact = allow(`kms:${action.name}`, resource);

    expect(decide(set(exact), asked)).toBe("allow");
    expect(decide(set(allow(`name/KMS:${action.name.toUpperCase()}`)), asked)).toBe("allow");
    expect(decide({ policies: [] }, asked)).toBe("implicit_deny");
    expect(decide(set(allow(other.slice(0, 40)), allow(other.slice(40))), asked)).toBe("implicit_deny");
    expect(decide(set(allow("kms:*"), deny(`kms:${action.name}`, resource)), asked)).toBe("explicit_deny");
    expect(decide(set(deny(`kms:${action.name}`), exact), asked)).toBe("explicit_deny");

    // Naming a resource does nothing at operation level, neither for an allow nor for a deny.
    const isOperation = action.granularity === "operation";
    expect(decide(set(allow("kms:*", named)), asked)).toBe(isOperation ? "implicit_deny" : "allow");
    expect(decide(set(allow("kms:*", "qcs:::::*")), asked)).toBe(isOperation ? "implicit_deny" : "allow");
    expect(decide(set(allow("kms:*"), deny("kms:*", named)), asked)).toBe(isOperation ? "allow" : "explicit_deny");

    const inside = { ip_equal: { "qcs:ip": "203.0.113.0/24" } };
    const tagged = { "for_any_value:string_equal": { "qcs:resource_tag": "env&prod" } };
    expect(decide(set({ ...exact, condition: inside }), asked)).toBe(action.ipRestriction ? "allow" : "implicit_deny");
    expect(decide(set(exact, { ...deny("kms:*"), condition: inside }), asked)).toBe(
      action.ipRestriction ? "explicit_deny" : "allow",
    );
    expect(decide(set({ ...exact, condition: tagged }), asked)).toBe(isOperation ? "implicit_deny" : "allow");
  });
});

describe("resources", () => {
  test.each([
    ["*", K1, true],
    ["*", "*", true],
    ["qcs:::::*", K1, true],
    ["qcs::kms:::key/*", K1, true],
    ["qcs::kms:::key/creatorUin/*/k-1111", K1, true],
    ["qcs:id/0:kms:*:uin/*:*k-1111", K1, true],
    ["qcs::k*s:ap-*:uin/1*1:key/*", K1, true],
    ["qcs::*:*:*:*", K1, true],
    [K1, K1.replace("qcs::", "qcs:id/0:"), true],
    ["qcs::kms:::key", K1, false],
    ["qcs::kms:::KEY/*", K1, false],
    ["qcs::KMS:::key/*", K1, false],
    ["qcs::cos:::key/*", K1, false],
    ["qcs::kms:ap-shanghai::key/*", K1, false],
    ["qcs::kms:AP-guangzhou::key/*", K1, false],
    [`qcs::kms::uin/${STRANGER}:*`, K1, false],
    ["qcs::kms::uid/100000000001:*", K1, false],
    [`${K1}*`, `${K1}2`, true],
    [K1, `${K1}2`, false],
    ["qcs::kms:::key/*", keyResource("dk-1", ""), true],
    ["qcs::kms:*::key/*", keyResource("dk-1", ""), true],
    ["qcs::kms:ap-guangzhou::key/*", keyResource("dk-1", ""), false],
    // A star stays inside its segment, but in the last one it takes colons and slashes.
    ["qcs::kms:*:key/*", K1, false],
    ["qcs::kms:::key/*", keyResource("a:b/c"), true],
    [`${keyResource("a")}:b`, keyResource("a:b"), true],
    // A star that the request presents is a character like any other.
    [
      "qcs::kms:::key/creatorUin/100000000077/*",
      "qcs::kms:ap-guangzhou:uin/100000000001:key/creatorUin/100000000077/*",
      true,
    ],
    [
      "qcs::kms:::key/creatorUin/100000000077/k*",
      "qcs::kms:ap-guangzhou:uin/100000000001:key/creatorUin/100000000077/*",
      false,
    ],
  ])("%s covers %s: %j", (pattern, resource, covers) => {
    if (pattern === "qcs::kms:*:key/*") {
      expect(() => set(allow("kms:*", pattern))).toThrow(/five colons/);
      return;
    }
    expect(decide(set(allow("kms:*", pattern)), request("kms:Encrypt", resource))).toBe(
      covers ? "allow" : "implicit_deny",
    );
  });

  test("the empty account of a pattern is the caller's own root account, not any", () => {
    const policies = set(allow("kms:*", "qcs::kms:::key/*"));
    const foreign = {
      caller: { ownerUin: STRANGER, uin: CALLER },
      action: "kms:Encrypt",
      resources: [K1],
      context: {},
    };
    expect(evaluate(policies, foreign)).toMatchObject({ decision: "implicit_deny", reason: "foreign_account" });
  });
});

describe("actions", () => {
  test.each([
    ["*", "kms:Encrypt", true],
    ["kms:*", "name/kms:Encrypt", true],
    ["*:Encrypt", "kms:Encrypt", true],
    ["kms:*crypt", "kms:ReEncrypt", true],
    ["kms:Encrypt", "kms:ReEncrypt", false],
    ["KMS:encrypt", "kms:Encrypt", true],
    ["cos:*", "kms:Encrypt", false],
    ["kms:", "kms:Encrypt", false],
  ])("%s covers %s: %j", (pattern, action, covers) => {
    if (pattern === "kms:") expect(() => set(allow(pattern))).toThrow(/no action/);
    else expect(decide(set(allow(pattern)), request(action, K1))).toBe(covers ? "allow" : "implicit_deny");
  });
});

describe("who calls", () => {
  const root = { ...request("kms:ScheduleKeyDeletion", K1), caller: { ownerUin: OWNER, uin: OWNER } };

  test("the root account of the owner needs no policy, and no policy stops it", () => {
    expect(evaluate({ policies: [] }, root)).toEqual({ decision: "allow", reason: "root_account", resource: K1 });
    expect(evaluate(set(deny("*")), root).decision).toBe("allow");
    expect(evaluate({ policies: [] }, { ...root, action: "kms:Decrypt", resources: ["*"] }).decision).toBe("allow");
  });

  test("another root account gets nothing, however wide its policies", () => {
    const stranger = { ...root, caller: { ownerUin: STRANGER, uin: STRANGER } };
    expect(evaluate({ policies: [full] }, stranger)).toMatchObject({
      decision: "implicit_deny",
      reason: "foreign_account",
    });
    expect(
      evaluate(set(allow("*", `qcs::kms::uin/${OWNER}:*`)), {
        ...stranger,
        caller: { ownerUin: STRANGER, uin: CALLER },
      }),
    ).toMatchObject({
      decision: "implicit_deny",
      reason: "foreign_account",
    });
    const nobody = root.resources.map((text) => text.replace(`uin/${OWNER}`, ""));
    expect(evaluate({ policies: [full] }, { ...root, resources: nobody }).reason).toBe("foreign_account");
  });

  test("an assumed role of the owner has the role's policies, and is never root", () => {
    const role = { ...root, caller: { ownerUin: OWNER, uin: OWNER, roleName: "operator" } };
    expect(evaluate({ policies: [] }, role).decision).toBe("implicit_deny");
    expect(evaluate({ policies: [full] }, role).decision).toBe("allow");
  });

  test("a boundary or a session narrows even the root account", () => {
    const session = parsePolicy(document(allow("kms:Encrypt")));
    expect(evaluate({ policies: [], session }, root)).toMatchObject({
      decision: "implicit_deny",
      reason: "not_granted_by_session",
    });
    expect(evaluate({ policies: [], boundary: session }, { ...root, action: "kms:Encrypt" }).decision).toBe("allow");
  });

  test.each([
    { ownerUin: "", uin: "" },
    { ownerUin: OWNER, uin: "" },
    { ownerUin: "root", uin: "root" },
  ])("the caller %j is refused", (caller) => {
    expect(() => evaluate({ policies: [full] }, { ...root, caller })).toThrow(
      expect.objectContaining({ code: "ERR_ARGUMENT" }),
    );
  });
});

describe("boundary and session", () => {
  const encrypt = parsePolicy(document(allow("kms:Encrypt", K1)));
  const denies = parsePolicy(document(deny("kms:Encrypt", K1)));
  const other = parsePolicy(document(allow("kms:DescribeKey", K1)));

  test.each<[string, PolicySet, Verdict, string]>([
    ["both allow", { policies: [full], boundary: encrypt, session: encrypt }, "allow", "allowed"],
    ["the boundary does not", { policies: [full], boundary: other }, "implicit_deny", "not_granted_by_boundary"],
    [
      "the session does not",
      { policies: [full], boundary: full, session: other },
      "implicit_deny",
      "not_granted_by_session",
    ],
    ["the boundary alone grants nothing", { policies: [], boundary: full }, "implicit_deny", "not_granted_by_policies"],
    ["the session alone grants nothing", { policies: [], session: full }, "implicit_deny", "not_granted_by_policies"],
    ["the boundary denies", { policies: [full], boundary: denies }, "explicit_deny", "denied"],
    ["the session denies", { policies: [full], session: denies }, "explicit_deny", "denied"],
    ["a deny wins over a missing allow", { policies: [], boundary: other, session: denies }, "explicit_deny", "denied"],
    ["the policies deny", { policies: [full, denies], boundary: full, session: full }, "explicit_deny", "denied"],
  ])("%s", (_name, policies, decision, reason) => {
    const asked = request("kms:Encrypt", K1);
    expect(evaluate(policies, asked)).toMatchObject({ decision, reason });
    expect(decide(policies, asked)).toBe(decision);
  });

  test("the statement that decides is named", () => {
    const asked = request("kms:Encrypt", K1);
    expect(evaluate({ policies: [other, encrypt] }, asked).statement).toEqual({
      source: "policies",
      policy: 1,
      statement: 0,
    });
    expect(evaluate({ policies: [full], session: denies }, asked).statement).toEqual({
      source: "session",
      policy: 0,
      statement: 0,
    });
    expect(evaluate({ policies: [other] }, asked).statement).toBeUndefined();
    // Of several denies the first.
    expect(evaluate({ policies: [full, denies], session: denies }, asked).statement).toEqual({
      source: "policies",
      policy: 1,
      statement: 0,
    });
  });
});

describe("several resources", () => {
  const policies = set(allow("kms:EnableKeys", K1), deny("kms:*", keyResource("k-denied")));

  test.each<[string, readonly string[], Verdict, string]>([
    ["all allowed", [K1, K1], "allow", K1],
    ["one not", [K1, K2], "implicit_deny", K2],
    ["one not, in the other order", [K2, K1], "implicit_deny", K2],
    [
      "a deny behind one that is not granted",
      [K1, K2, keyResource("k-denied")],
      "explicit_deny",
      keyResource("k-denied"),
    ],
  ])("%s", (_name, resources, decision, resource) => {
    expect(evaluate(policies, request("kms:EnableKeys", ...resources))).toMatchObject({ decision, resource });
  });

  test("none at all is an error: all of none would be allowed", () => {
    expect(() => evaluate({ policies: [full] }, request("kms:EnableKeys"))).toThrow(
      expect.objectContaining({ code: "ERR_ARGUMENT" }),
    );
    expect(() => explain({ policies: [full] }, request("kms:EnableKeys"))).toThrow(
      expect.objectContaining({ code: "ERR_ARGUMENT" }),
    );
  });

  test.each(["Encrypt", "", "kms:*", "kms:Enc*", "*", "kms", "a:b:c", "\u212Ams:Encrypt", "permid/1"])(
    "the action %j is refused",
    (action) => {
      expect(() => evaluate({ policies: [full] }, request(action, K1))).toThrow(
        expect.objectContaining({ code: "ERR_ARGUMENT" }),
      );
    },
  );

  test.each(["", "**", "k-1111", "qcs::kms::", "qcs::kms:::", "QCS::kms:::key/*"])(
    "the resource %j is refused",
    (resource) => {
      expect(() => evaluate({ policies: [full] }, request("kms:Encrypt", resource))).toThrow(
        expect.objectContaining({ code: "ERR_ARGUMENT" }),
      );
    },
  );
});

describe("conditions", () => {
  const conditional = (effect: "allow" | "deny", condition: object): PolicySet =>
    set(allow("kms:DescribeKey"), { effect, action: "kms:Encrypt", resource: "*", condition: condition as never });

  test("operators and keys must all hold", () => {
    const condition = { string_equal: { a: "1", b: "2" }, string_not_equal: { c: "3" } };
    const asked = (context: AccessRequest["context"]): AccessRequest => ({ ...request("kms:Encrypt", K1), context });
    expect(decide(conditional("allow", condition), asked({ a: "1", b: "2", c: "4" }))).toBe("allow");
    for (const context of [
      { a: "1", b: "2" },
      { a: "1", b: "x", c: "4" },
      { a: "x", b: "2", c: "4" },
      { a: "1", b: "2", c: "3" },
      {},
    ]) {
      expect(decide(conditional("allow", condition), asked(context))).toBe("implicit_deny");
    }
  });

  test("a value that cannot be read fails the test: an allow does not grant, and a deny does not stop", () => {
    const asked = { ...request("kms:Encrypt", K1), context: { "qcs:ip": "garbage" } };
    for (const operator of ["ip_equal", "ip_not_equal", "ip_equal_if_exist"]) {
      const condition = { [operator]: { "qcs:ip": "10.0.0.0/8" } };
      expect(decide({ policies: conditional("allow", condition).policies }, asked)).toBe("implicit_deny");
      expect(decide({ policies: [full, ...conditional("deny", condition).policies] }, asked)).toBe("allow");
    }
  });

  test("names are compared with their case, and nothing is inherited", () => {
    const condition = { string_equal_if_exist: { constructor: "x" } };
    expect(decide(conditional("allow", condition), request("kms:Encrypt", K1))).toBe("allow");
    const asked = { ...request("kms:Encrypt", K1), context: { "QCS:ip": "10.0.0.1" } };
    expect(decide(conditional("allow", { ip_equal: { "qcs:ip": "10.0.0.1" } }), asked)).toBe("implicit_deny");
  });
});
