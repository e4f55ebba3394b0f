// The least policy: what it allows is what was recorded, and nothing else on any key but what operation level forces.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ACTIONS } from "../src/actions-table.gen.js";
import { evaluate } from "../src/policy-evaluate.js";
import { generatePolicy, generatePolicyForKeys, type UsageRecord } from "../src/policy-generate.js";
import { lintPolicy } from "../src/policy-lint.js";
import { parsePolicy } from "../src/policy-parse.js";
import { presentResource } from "../src/resource.js";
import { CALLER, K1, K2, keyResource, OWNER, request } from "./policy-cases/support.js";

const DECRYPT_NOTES = [
  'kms:Decrypt is authorized at operation level: it can be granted on "*" only.',
  expect.stringMatching(/^The grant of kms:Decrypt opens every key of the account\./),
];

describe("generated policies", () => {
  test.each(ACTIONS.map((action) => [action.name, action] as const))(
    "%s: what it presents, it may do",
    (name, action) => {
      const parts = { region: "ap-guangzhou", ownerUin: OWNER, creatorUin: CALLER, id: "k-1111" };
      const presented = presentResource(action, parts);
      const { policy, notes } = generatePolicy([{ action: name, resources: [presented] }]);
      expect(notes.filter((note) => note.includes("left out"))).toEqual([]);
      const decision = evaluate({ policies: [parsePolicy(policy)] }, request(`kms:${name}`, presented));
      expect(decision.decision).toBe("allow");
    },
  );

  test("a list of white-box keys is about no key: it presents a literal star below the owner", () => {
    const [action] = ACTIONS.filter(({ name }) => name === "DescribeWhiteBoxKeyDetails");
    if (action === undefined) throw new Error("no action");
    const presented = `qcs::kms:ap-guangzhou:uin/${OWNER}:key/creatorUin/${OWNER}/*`;
    expect(presentResource(action, { region: "ap-guangzhou", ownerUin: OWNER, creatorUin: CALLER })).toBe(presented);
    expect(generatePolicy([{ action: action.name, resources: [presented] }]).policy?.statement).toHaveLength(1);
  });

  test("actions with the same resources share a statement; operation level has one of its own; all in a fixed order", () => {
    const records: UsageRecord[] = [
      { action: "kms:GenerateDataKey", resources: [K2, K1] },
      { action: "Decrypt", resources: ["*"] },
      { action: "kms:Encrypt", resources: [K1] },
      { action: "name/kms:Encrypt", resources: [K2] },
      { action: "kms:GenerateRandom", resources: ["*"] },
      { action: "kms:DescribeKey", resources: [K1] },
      { action: "kms:Encrypt", resources: [K1.replace("qcs::", "qcs:id/0:")] },
    ];
    const expected = {
      policy: {
        version: "2.0",
        statement: [
          { effect: "allow", action: ["kms:Decrypt", "kms:GenerateRandom"], resource: ["*"] },
          { effect: "allow", action: ["kms:DescribeKey"], resource: [K1] },
          { effect: "allow", action: ["kms:Encrypt", "kms:GenerateDataKey"], resource: [K1, K2] },
        ],
      },
      notes: [
        ...DECRYPT_NOTES.slice(0, 1),
        'kms:GenerateRandom is authorized at operation level: it can be granted on "*" only.',
        ...DECRYPT_NOTES.slice(1),
      ],
    };
    expect(generatePolicy(records)).toEqual(expected);
    expect(generatePolicy(records.toReversed())).toEqual(expected);
    expect(lintPolicy(parsePolicy(generatePolicy(records).policy)).map(({ code }) => code)).toEqual([
      "decrypts-every-key",
    ]);
  });

  test("from actions and keys", () => {
    const key = { region: "ap-guangzhou", ownerUin: OWNER, id: "k-1111" };
    const uses = [
      { action: "Encrypt", keys: [key] },
      { action: "kms:Decrypt", keys: [] },
      { action: "kms:CreateKey", keys: [{ ...key, creatorUin: CALLER }] },
      { action: "kms:GetDataKeyPlaintext", keys: [{ ownerUin: OWNER, id: "dk-1" }] },
    ];
    expect(generatePolicyForKeys(uses)).toEqual({
      policy: {
        version: "2.0",
        statement: [
          {
            effect: "allow",
            action: ["kms:CreateKey"],
            resource: [`qcs::kms:ap-guangzhou:uin/${OWNER}:key/creatorUin/${CALLER}/*`],
          },
          { effect: "allow", action: ["kms:Decrypt"], resource: ["*"] },
          { effect: "allow", action: ["kms:Encrypt"], resource: [K1] },
          { effect: "allow", action: ["kms:GetDataKeyPlaintext"], resource: [keyResource("dk-1", "")] },
        ],
      },
      notes: DECRYPT_NOTES,
    });
    expect(() => generatePolicyForKeys([{ action: "Encrypt", keys: [{ ownerUin: OWNER, id: "k" }] }])).toThrow(
      /region/,
    );
  });

  test.each([
    ["a star for an id, which would become a wildcard", "kms:Encrypt", keyResource("*")],
    ["a star in an id", "kms:Encrypt", keyResource("k*")],
    ["a star in a region", "kms:Encrypt", keyResource("k-1", "*")],
    ["a bare star", "kms:Encrypt", "*"],
    ["too wide a star for a creation", "kms:CreateKey", `qcs::kms:ap-guangzhou:uin/${OWNER}:key/*`],
    ["a region on a data key", "kms:GetDataKeyPlaintext", keyResource("dk-1")],
    ["a data key for a key", "kms:Encrypt", keyResource("dk-1", "")],
    ["a line break", "kms:Encrypt", keyResource("k\n")],
    ["an empty text", "kms:Encrypt", ""],
  ])("%s is left out with a note", (_name, action, resource) => {
    const { policy, notes } = generatePolicy([
      { action, resources: [resource] },
      { action: "kms:DescribeKey", resources: [K1] },
    ]);
    expect(policy?.statement).toEqual([{ effect: "allow", action: ["kms:DescribeKey"], resource: [K1] }]);
    expect(notes).toEqual([expect.stringMatching(`^A use of ${action} was left out: it never presents `)]);
  });

  test("unknown actions are left out with a note; without any use there is no policy", () => {
    expect(
      generatePolicy([
        { action: "kms:Nothing", resources: [K1] },
        { action: "cos:Encrypt", resources: [K1] },
      ]),
    ).toEqual({
      notes: [
        "Nothing is left to grant, so there is no policy.",
        '"cos:Encrypt" was left out: the KMS has no such action.',
        '"kms:Nothing" was left out: the KMS has no such action.',
      ],
    });
    expect(generatePolicy([])).toEqual({ notes: ["Nothing is left to grant, so there is no policy."] });
  });

  test("a policy that the service would not take is noted", () => {
    const records = Array.from({ length: 90 }, (_, index) => ({
      action: "kms:Encrypt",
      resources: [keyResource(`k-${index}`)],
    }));
    expect(generatePolicy(records).notes).toEqual([
      expect.stringMatching(/^The policy has \d{4} characters, .* 6144: split it\.$/),
    ]);
  });
});

describe("least privilege", () => {
  const universe = ACTIONS.flatMap((action) => {
    const keys = ["ap-guangzhou", "ap-shanghai"].flatMap((region) =>
      ["k-1", "k-2", "k-11"].flatMap((id) =>
        [OWNER, CALLER].map((creatorUin) => presentResource(action, { region, ownerUin: OWNER, creatorUin, id })),
      ),
    );
    return [...new Set(keys)].map((resource) => ({ action: `kms:${action.name}`, resource }));
  });

  test("allows every record and no other pair of action and key", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.constantFrom(...universe), { minLength: 1, maxLength: 25 }), (used) => {
        const { policy } = generatePolicy(used.map(({ action, resource }) => ({ action, resources: [resource] })));
        const policies = [parsePolicy(policy)];
        const recorded = new Set(used.map(({ action, resource }) => `${action} ${resource}`));
        // An operation-level action has one resource only, so that its pair is recorded or not like any other.
        for (const { action, resource } of universe) {
          const { decision } = evaluate({ policies }, request(action, resource));
          expect(decision, `${action} ${resource}`).toBe(
            recorded.has(`${action} ${resource}`) ? "allow" : "implicit_deny",
          );
        }
      }),
      { numRuns: process.env["SLOW"] === undefined ? 60 : 2000 },
    );
    expect(universe.length).toBeGreaterThan(500);
  });

  test("has no two statements with the same resources, and no action twice", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...universe), { minLength: 1, maxLength: 40 }), (used) => {
        const statements =
          generatePolicy(used.map(({ action, resource }) => ({ action, resources: [resource] }))).policy?.statement ??
          [];
        const resources = statements.map(({ resource }) => JSON.stringify(resource));
        expect(new Set(resources).size).toBe(resources.length);
        const actions = statements.flatMap(({ action }) => action);
        expect(new Set(actions).size).toBe(actions.length);
        expect(statements.length).toBeGreaterThan(0);
      }),
    );
  });
});
