import { describe, expect, it } from "vitest";
import {
  ACTIONS,
  type Action,
  API_VERSION,
  type Field,
  findAction,
  isActionName,
  MODELS,
  type RequestOf,
  type ResultOf,
} from "../src/index.js";

const count = (claim: (action: Action) => boolean): number => ACTIONS.filter(claim).length;
const scalars = ["string", "number", "boolean"];
const itemOf = (type: string): string => type.replace(/\[\]$/, "");

/** Every field that a request can hold, with where it stands. */
function requestFields(fields: readonly Field[], owner: string): [path: string, field: Field][] {
  return fields.flatMap((field): [string, Field][] => {
    const path = `${owner}.${field.name}`;
    const item = itemOf(field.type);
    return [[path, field], ...(scalars.includes(item) ? [] : requestFields(MODELS[item] ?? [], path))];
  });
}

const fields = ACTIONS.flatMap(({ name, request }) => requestFields(request, name));

describe("the catalogue", () => {
  it("has every action of the authorization table and of the official client", () => {
    expect(API_VERSION).toBe("2019-01-18");
    expect(ACTIONS.length).toBe(81);
    expect(count(({ note = "" }) => !note.startsWith("not in the authorization table"))).toBe(77);
    expect(count(({ inSdk }) => inSdk)).toBe(69);
    expect(count(({ form }) => form === "ours")).toBe(12);
    expect(ACTIONS.filter(({ form, inSdk }) => (form === "ours") === inSdk)).toEqual([]);
  });

  it("leaves no column open", () => {
    expect(count(({ granularity }) => granularity === "operation")).toBe(19);
    for (const { name, access, granularity, resource, ipRestriction, response } of ACTIONS) {
      expect(["read", "write", "list", "other"], name).toContain(access);
      expect(granularity === "operation", name).toBe(resource === "*");
      expect(resource, name).toMatch(
        /^(\*|qcs::kms:(\$region)?:uin\/\$uin:key\/(creatorUin\/(\$creatorUin\/(\*|\$keyId|\$dataKeyId)|\$uin\/\*)|\*)|qcs::kms::uin\/\$uin:kmsservice\/\*)$/,
      );
      expect(typeof ipRestriction, name).toBe("boolean");
      expect(response.at(-1), name).toEqual({ name: "RequestId", type: "string" });
    }
    expect(ACTIONS.filter(({ ipRestriction }) => !ipRestriction).map(({ name }) => name)).toEqual([
      "BindCloudResource",
      "GetKeyAttributes",
      "ListKey",
      "ModifySyncTask",
      "SetKeyAttributes",
    ]);
  });

  it.each([
    ["RotateKey", "write", "qcs::kms:$region:uin/$uin:key/creatorUin/$creatorUin/$keyId"],
    ["ScheduleDataKeyDeletion", "write", "qcs::kms::uin/$uin:key/creatorUin/$creatorUin/$dataKeyId"],
    ["UpdateDataKeyName", "write", "qcs::kms::uin/$uin:key/creatorUin/$creatorUin/$dataKeyId"],
    ["GetDataKeyCiphertextBlob", "read", "qcs::kms::uin/$uin:key/creatorUin/$creatorUin/$dataKeyId"],
  ])("gives %s the columns that the table lacks", (name, access, resource) => {
    expect(findAction(name)).toMatchObject({ access, resource, granularity: "resource", ipRestriction: true });
  });

  it("finds actions by their exact name only", () => {
    for (const action of ACTIONS) expect(findAction(action.name)).toBe(action);
    for (const name of ["", "encrypt", "Encrypt ", "constructor", "__proto__", "toString", "hasOwnProperty"]) {
      expect(findAction(name), name).toBeUndefined();
      expect(isActionName(name), name).toBe(false);
    }
    expect(isActionName("Encrypt")).toBe(true);
  });

  it("bounds every text and every list of a request", () => {
    expect(fields.length).toBe(277);
    const open = fields.filter(([, { type, limits = {} }]) => {
      const isListOpen = type.endsWith("[]") && limits.maxItems === undefined;
      const { maxChars, maxBytes, bytes, pattern, oneOf } = limits;
      const isTextOpen = itemOf(type) === "string" && (maxChars ?? maxBytes ?? bytes ?? pattern ?? oneOf) === undefined;
      return isListOpen || isTextOpen;
    });
    expect(open.map(([path]) => path)).toEqual([]);
  });

  it("has whole patterns, and defaults that its own limits allow", () => {
    for (const [path, { limits = {} }] of fields) {
      if (limits.pattern !== undefined) expect(limits.pattern, path).toMatch(/^\^.*\$$/);
      if (limits.default === undefined) continue;
      if (limits.oneOf !== undefined) expect(limits.oneOf, path).toContain(limits.default);
      if (limits.min !== undefined) expect(limits.default, path).toBeGreaterThanOrEqual(limits.min);
      if (limits.max !== undefined) expect(limits.default, path).toBeLessThanOrEqual(limits.max);
    }
  });

  it("gives identifiers one form", () => {
    const identifiers = fields.filter(([, { name }]) => /^(Destination)?(Data)?KeyIds?$/.test(name));
    expect(identifiers.length).toBeGreaterThan(50);
    for (const [path, { limits }] of identifiers) {
      expect(limits, path).toMatchObject({
        pattern: "^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$",
        code: "InvalidParameterValue.InvalidKeyId",
      });
    }
  });

  it("has types that follow from it", () => {
    const request: RequestOf<"ScheduleKeyDeletion"> = { KeyId: "k", PendingWindowInDays: 7 };
    const result: ResultOf<"ListKey"> = { Keys: [{ KeyId: request.KeyId }], TotalCount: 1 };
    const nothing: RequestOf<"GetRegions"> = {};
    expect([result.Keys?.[0]?.KeyId, nothing]).toEqual(["k", {}]);
    // @ts-expect-error a required field is missing
    const short: RequestOf<"ScheduleKeyDeletion"> = { KeyId: "k" };
    // @ts-expect-error no such field
    const long: RequestOf<"GetRegions"> = { Region: "ap-guangzhou" };
    expect([short, long].length).toBe(2);
  });
});
