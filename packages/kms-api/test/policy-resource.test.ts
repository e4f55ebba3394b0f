// What actions present: resources, the context of conditions, and the message of a refusal.
import { describe, expect, test } from "vitest";
import { ACTIONS } from "../src/actions-table.gen.js";
import { deniedMessage, isPresentedBy, presentResource, requestContext } from "../src/resource.js";
import { CALLER, NOW_MS, OWNER, rule } from "./policy-cases/support.js";

const parts = { region: "ap-guangzhou", ownerUin: OWNER, creatorUin: CALLER, id: "k-1" };
const argument = expect.objectContaining({ code: "ERR_ARGUMENT" });

describe("resources", () => {
  test.each([
    ["Encrypt", `qcs::kms:ap-guangzhou:uin/${OWNER}:key/creatorUin/${CALLER}/k-1`],
    ["RotateKey", `qcs::kms:ap-guangzhou:uin/${OWNER}:key/creatorUin/${CALLER}/k-1`],
    ["CreateKey", `qcs::kms:ap-guangzhou:uin/${OWNER}:key/creatorUin/${CALLER}/*`],
    ["CreateWhiteBoxKey", `qcs::kms:ap-guangzhou:uin/${OWNER}:key/*`],
    ["GetDataKeyPlaintext", `qcs::kms::uin/${OWNER}:key/creatorUin/${CALLER}/k-1`],
    ["ScheduleDataKeyDeletion", `qcs::kms::uin/${OWNER}:key/creatorUin/${CALLER}/k-1`],
    ["DescribeServiceList", `qcs::kms::uin/${OWNER}:kmsservice/*`],
    ["Decrypt", "*"],
    ["ListKeys", "*"],
  ])("%s presents %s", (name, resource) => {
    expect(presentResource(rule(name), parts)).toBe(resource);
  });

  test("every action presents what it can present, and all variables are filled", () => {
    for (const action of ACTIONS) {
      const resource = presentResource(action, parts);
      expect(resource).not.toContain("$");
      expect(isPresentedBy(action, resource), action.name).toBe(true);
    }
    expect(ACTIONS.filter(({ granularity }) => granularity === "operation")).toHaveLength(19);
  });

  test("the creator is the owner where it is not known", () => {
    expect(presentResource(rule("Encrypt"), { region: "ap-guangzhou", ownerUin: OWNER, id: "nosuch" })).toBe(
      `qcs::kms:ap-guangzhou:uin/${OWNER}:key/creatorUin/${OWNER}/nosuch`,
    );
  });

  test("an id is put in as it is, once", () => {
    for (const id of ["a:b/c", "$uin", "$&", "$1", "*"]) {
      expect(presentResource(rule("Encrypt"), { ...parts, id }).endsWith(`/${id}`)).toBe(true);
    }
  });

  test.each([
    [{ region: "" }],
    [{ region: "ap:guangzhou" }],
    [{ region: "*" }],
    [{ ownerUin: "1:2" }],
    [{ ownerUin: "" }],
    [{ creatorUin: "1/2" }],
    [{ id: "" }],
    [{ id: "a\n" }],
    [{ id: "x".repeat(257) }],
  ])("%j is refused", (wrong) => {
    expect(() => presentResource(rule("Encrypt"), { ...parts, ...wrong })).toThrow(argument);
    expect(presentResource(rule("Decrypt"), { ...parts, ...wrong })).toBe("*");
  });

  test("what an action needs must be there", () => {
    expect(() => presentResource(rule("Encrypt"), { ownerUin: OWNER, id: "k" })).toThrow(/^region expected a region/);
    expect(() => presentResource(rule("Encrypt"), { ownerUin: OWNER, region: "ap-guangzhou" })).toThrow(/^id expected/);
    expect(presentResource(rule("CreateKey"), { ownerUin: OWNER, region: "ap-guangzhou" })).toMatch(/\*$/);
  });
});

describe("context", () => {
  const facts = {
    ip: "203.0.113.9",
    timeMs: NOW_MS,
    resourceTags: [
      { key: "env", value: "prod" },
      { key: "team", value: "a&b" },
    ],
    requestTags: [{ key: "env", value: "" }],
  };

  test("a resource-level action has all of it", () => {
    expect(requestContext(rule("Encrypt"), facts)).toEqual({
      "qcs:current_time": "2026-03-01T10:00:00.000Z",
      "qcs:ip": "203.0.113.9",
      "qcs:resource_tag": ["env&prod", "team&a&b"],
      "qcs:request_tag": ["env&"],
    });
  });

  test("an operation-level action has no resource tags, five actions no address", () => {
    expect(Object.keys(requestContext(rule("Decrypt"), facts))).toEqual([
      "qcs:current_time",
      "qcs:ip",
      "qcs:request_tag",
    ]);
    const without = ACTIONS.filter((action) => requestContext(action, facts)["qcs:ip"] === undefined);
    expect(without.map(({ name }) => name)).toEqual([
      "BindCloudResource",
      "GetKeyAttributes",
      "ListKey",
      "ModifySyncTask",
      "SetKeyAttributes",
    ]);
  });

  test("what is not known is absent; a key without tags has an empty set", () => {
    expect(requestContext(rule("Encrypt"), { timeMs: 0 })).toEqual({ "qcs:current_time": "1970-01-01T00:00:00.000Z" });
    expect(requestContext(rule("Encrypt"), { timeMs: 0, resourceTags: [] })["qcs:resource_tag"]).toEqual([]);
  });

  test("the zone of an address is dropped", () => {
    expect(requestContext(rule("Encrypt"), { timeMs: 0, ip: "fe80::1%eth0" })["qcs:ip"]).toBe("fe80::1");
  });

  test.each([
    [{ ip: "" }],
    [{ ip: "localhost" }],
    [{ ip: "1.2.3.4:80" }],
    [{ timeMs: Number.NaN }],
    [{ timeMs: Number.POSITIVE_INFINITY }],
    [{ timeMs: 8.64e15 }],
    [{ resourceTags: [{ key: "a&b", value: "c" }] }],
    [{ requestTags: [{ key: "", value: "c" }] }],
  ])("%j is refused, for no condition could read it", (wrong) => {
    expect(() => requestContext(rule("Encrypt"), { ...facts, ...wrong })).toThrow(argument);
  });
});

test("the message of a refusal", () => {
  expect(deniedMessage("3c140219-cfe9-470e-b241-907877d6fb03", "kms:Decrypt", "*")).toBe(
    "[request id:3c140219-cfe9-470e-b241-907877d6fb03]you are not authorized to perform operation (kms:Decrypt)\nresource (*) has no permission",
  );
});
