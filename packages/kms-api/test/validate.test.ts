import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ACTIONS, type ActionName, type findAction, isApiError, validateRequest } from "../src/index.js";
import { apiCode, apiFailure } from "./support.js";

const KeyId = "23e80852-1e38-11e9-b129-5cb9019b4b01";
const base64 = (bytes: number): string => Buffer.alloc(bytes, 7).toString("base64");
const VALUE = "InvalidParameterValue";
const Identity = "00000000-00000000000000-00000000000000-00000000000000-0000000000000000";
const identity = (i: number): string => Identity.slice(0, -4) + i.toString(16).padStart(4, "0");
const many = <T>(count: number, item: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => item(i));
const tag = (i: number) => ({ TagKey: `k${i}`, TagValue: "" });

type Case = readonly [code: string, action: ActionName, body: unknown, named?: string];

function run(cases: readonly Case[]): void {
  const named: readonly { readonly title: string; readonly test: Case }[] = cases.map((test) => ({
    title: `${test[0]}: ${test[1]} ${JSON.stringify(test[2])?.slice(0, 80)}`,
    test,
  }));
  it.each(named)("$title", ({ test: [code, action, body, named] }) => {
    const failure = apiFailure(() => validateRequest(action, body));
    expect(failure?.code ?? "none").toBe(code);
    if (named !== undefined) expect(failure?.message).toContain(`\`${named}\``);
  });
}

describe("fields", () => {
  run([
    ["none", "GetRegions", {}],
    ["none", "Encrypt", { KeyId, Plaintext: base64(1) }],
    ["InvalidParameter", "Encrypt", null],
    ["InvalidParameter", "Encrypt", []],
    ["InvalidParameter", "Encrypt", "{}"],
    ["InvalidParameter", "Encrypt", undefined],
    ["MissingParameter", "Encrypt", {}, "KeyId"],
    ["MissingParameter", "Encrypt", { KeyId }, "Plaintext"],
    ["MissingParameter", "Encrypt", { KeyId, Plaintext: undefined }, "Plaintext"],
    // Missing before unknown before wrong.
    ["MissingParameter", "Encrypt", { Wrong: 1, KeyId: 5 }, "Plaintext"],
    ["UnknownParameter", "Encrypt", { KeyId: 5, Plaintext: "", plaintext: "" }, "plaintext"],
    ["UnknownParameter", "GetRegions", { Region: "ap-guangzhou" }, "Region"],
    ["UnknownParameter", "GetRegions", JSON.parse('{"__proto__":{"KeyId":"x"}}'), "__proto__"],
    ["UnknownParameter", "GetRegions", { constructor: 1 }, "constructor"],
    ["UnknownParameter", "GetRegions", { "<script>\n": 1 }, "(not a name)"],
    ["UnknownParameter", "CreateKey", { Alias: "a", Tags: [{ TagKey: "k", TagValue: "v", X: 1 }] }, "Tags.0.X"],
    ["MissingParameter", "CreateKey", { Alias: "a", Tags: [tag(0), { TagKey: "k" }] }, "Tags.1.TagValue"],
    ["InvalidParameter", "CreateKey", { Alias: "a", Tags: [null] }, "Tags.0"],
    ["InvalidParameter", "CreateKey", { Alias: "a", Tags: [["k", "v"]] }, "Tags.0"],
    ["InvalidParameter", "DescribeKey", { KeyId, MemberAccount: "1" }, "MemberAccount"],
    [VALUE, "DescribeKey", { KeyId, MemberAccount: { MemberUin: 0 } }, "MemberAccount.MemberUin"],
    ["none", "DescribeKey", { KeyId, MemberAccount: {} }],
  ]);
});

describe("JSON types", () => {
  run([
    ["InvalidParameter", "Encrypt", { KeyId: null, Plaintext: base64(1) }, "KeyId"],
    ["InvalidParameter", "Encrypt", { KeyId: [KeyId], Plaintext: base64(1) }, "KeyId"],
    ["InvalidParameter", "ListKeys", { Limit: "10" }, "Limit"],
    ["InvalidParameter", "ListKeys", { Limit: 10.5 }, "Limit"],
    ["InvalidParameter", "ListKeys", { Limit: 2 ** 53 }, "Limit"],
    ["InvalidParameter", "ListKeys", { Limit: Number.NaN }, "Limit"],
    ["InvalidParameter", "ListKeys", { Limit: true }, "Limit"],
    ["InvalidParameter", "ListKeys", { Limit: null }, "Limit"],
    ["InvalidParameter", "EnableKeys", { KeyIds: KeyId }, "KeyIds"],
    ["InvalidParameter", "EnableKeys", { KeyIds: { 0: KeyId, length: 1 } }, "KeyIds"],
    ["InvalidParameter", "EnableKeys", { KeyIds: [KeyId, 7] }, "KeyIds.1"],
  ]);
});

describe("numbers", () => {
  run([
    ["none", "ListKeys", { Offset: 0, Limit: 1, Role: 1 }],
    ["none", "ListKeys", { Limit: 200 }],
    [VALUE, "ListKeys", { Limit: 0 }, "Limit"],
    [VALUE, "ListKeys", { Limit: 201 }, "Limit"],
    [VALUE, "ListKey", { Offset: -1 }, "Offset"],
    [VALUE, "ListKeys", { Role: 2 }, "Role"],
    ["none", "ListKeyDetail", { KeyState: 5, Origin: "ALL", KeyUsage: "ALL" }],
    [VALUE, "ListKeyDetail", { KeyState: 6 }, "KeyState"],
    ["none", "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 }],
    ["none", "ScheduleDataKeyDeletion", { DataKeyId: KeyId, PendingWindowInDays: 30 }],
    ["InvalidParameter.InvalidPendingWindowInDays", "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 6 }],
    [
      "InvalidParameter.InvalidPendingWindowInDays",
      "ScheduleDataKeyDeletion",
      { DataKeyId: KeyId, PendingWindowInDays: 31 },
    ],
    [`${VALUE}.InvalidType`, "CreateKey", { Alias: "a", Type: 3 }, "Type"],
    [VALUE, "EnableKeyRotation", { KeyId, RotateDays: 366 }, "RotateDays"],
    ["none", "GenerateRandom", { NumberOfBytes: 1024 }],
    [VALUE, "GenerateRandom", { NumberOfBytes: 1025 }, "NumberOfBytes"],
    ["none", "ImportKeyMaterial", { KeyId, EncryptedKeyMaterial: base64(256), ImportToken: "t", ValidTo: 2147443200 }],
    [VALUE, "ImportKeyMaterial", { KeyId, EncryptedKeyMaterial: base64(256), ImportToken: "t", ValidTo: 2147443201 }],
  ]);
});

describe("texts", () => {
  run([
    [`${VALUE}.InvalidKeyId`, "DescribeKey", { KeyId: "" }, "KeyId"],
    ["none", "DescribeKey", { KeyId: "k".repeat(128) }],
    [`${VALUE}.InvalidKeyId`, "DescribeKey", { KeyId: "k".repeat(129) }],
    // An identifier becomes part of a resource's name: it holds no separator and no wildcard.
    [`${VALUE}.InvalidKeyId`, "DescribeKey", { KeyId: "*" }],
    [`${VALUE}.InvalidKeyId`, "DescribeKey", { KeyId: "a/b" }],
    [`${VALUE}.InvalidKeyId`, "DescribeKey", { KeyId: `${KeyId}\n` }],
    ["none", "CreateKey", { Alias: "a".repeat(60), KeyUsage: "ASYMMETRIC_SIGN_VERIFY_SM2" }],
    [`${VALUE}.InvalidAlias`, "CreateKey", { Alias: "a".repeat(61) }],
    [`${VALUE}.InvalidAlias`, "CreateKey", { Alias: "" }],
    [`${VALUE}.InvalidAlias`, "CreateKey", { Alias: "-a" }],
    [`${VALUE}.InvalidAlias`, "UpdateAlias", { KeyId, Alias: "kms-cos" }],
    [`${VALUE}.InvalidKeyUsage`, "CreateKey", { Alias: "a", KeyUsage: "SIGN" }],
    ["none", "CreateKey", { Alias: "a", Description: "é".repeat(512) }],
    [VALUE, "CreateKey", { Alias: "a", Description: "é".repeat(513) }, "Description"],
    ["none", "CreateKey", { Alias: "a", Description: "😀".repeat(256) }],
    [VALUE, "CreateKey", { Alias: "a", Description: "😀".repeat(257) }],
    ["none", "CreateKey", { Alias: "a", Description: "名".repeat(341) }],
    [VALUE, "CreateKey", { Alias: "a", Description: "名".repeat(342) }],
    [VALUE, "CreateKey", { Alias: "a", Description: "a\ud800" }],
    ["none", "UpdateKeyDescription", { KeyId, Description: "" }],
    [VALUE, "UpdateDataKeyName", { DataKeyId: KeyId, DataKeyName: "" }, "DataKeyName"],
    [VALUE, "GenerateDataKey", { KeyId, KeySpec: "AES_192" }, "KeySpec"],
    [VALUE, "SignByAsymmetricKey", { KeyId, Algorithm: "SM2", Message: base64(1) }, "Algorithm"],
  ]);
});

describe("bytes", () => {
  const blob = (CiphertextBlob: string) => ({ CiphertextBlob });
  run([
    [`${VALUE}.InvalidPlaintext`, "Encrypt", { KeyId, Plaintext: "" }, "Plaintext"],
    ["none", "Encrypt", { KeyId, Plaintext: base64(4096) }],
    [`${VALUE}.InvalidPlaintext`, "Encrypt", { KeyId, Plaintext: base64(4097) }],
    [`${VALUE}.InvalidPlaintext`, "EncryptByWhiteBox", { KeyId, PlainText: base64(4097) }],
    [`${VALUE}.InvalidPlaintext`, "PostQuantumCryptoEncrypt", { KeyId, PlainText: base64(4098) }],
    ["none", "Decrypt", blob(base64(8192))],
    [`${VALUE}.InvalidCiphertext`, "Decrypt", blob(base64(8193))],
    [`${VALUE}.InvalidCiphertext`, "Decrypt", blob("")],
    [`${VALUE}.InvalidCiphertext`, "Decrypt", blob("YQ")],
    [`${VALUE}.InvalidCiphertext`, "Decrypt", blob("YQ=")],
    [`${VALUE}.InvalidCiphertext`, "Decrypt", blob("YR==")],
    [`${VALUE}.InvalidCiphertext`, "Decrypt", blob("YU==")],
    [`${VALUE}.InvalidCiphertext`, "Decrypt", blob("YWF=")],
    [`${VALUE}.InvalidCiphertext`, "Decrypt", blob("=YQ=")],
    [`${VALUE}.InvalidCiphertext`, "Decrypt", blob("====")],
    [`${VALUE}.InvalidCiphertext`, "Decrypt", blob("Y-_=")],
    [`${VALUE}.InvalidCiphertext`, "Decrypt", blob("YQ==\n")],
    [`${VALUE}.InvalidCiphertext`, "ReEncrypt", blob(" YWE")],
    ["none", "AsymmetricRsaDecrypt", { KeyId, Ciphertext: base64(256), Algorithm: "RSAES_OAEP_SHA_256" }],
    [
      `${VALUE}.InvalidCiphertext`,
      "AsymmetricRsaDecrypt",
      { KeyId, Ciphertext: base64(255), Algorithm: "RSAES_OAEP_SHA_256" },
    ],
    ["none", "AsymmetricSm2Decrypt", { KeyId, Ciphertext: base64(256) }],
    [`${VALUE}.InvalidCiphertext`, "AsymmetricSm2Decrypt", { KeyId, Ciphertext: base64(257) }],
    ["none", "EncryptByWhiteBox", { KeyId, PlainText: base64(1), InitializationVector: base64(16) }],
    [VALUE, "EncryptByWhiteBox", { KeyId, PlainText: base64(1), InitializationVector: base64(15) }],
    [VALUE, "PostQuantumCryptoSign", { KeyId, Message: base64(4097) }],
    [
      "InvalidParameter.DecryptMaterialError",
      "ImportKeyMaterial",
      { KeyId, EncryptedKeyMaterial: base64(255), ImportToken: "t" },
    ],
  ]);
});

describe("texts that hold something else", () => {
  const encrypt = (EncryptionContext: unknown) => ({ KeyId, Plaintext: base64(1), EncryptionContext });
  const generate = (EncryptionPublicKey: string) => ({ KeyId, KeySpec: "AES_256", EncryptionPublicKey });
  const pem = (body: string) => `-----BEGIN PUBLIC KEY-----\n${body}\n-----END PUBLIC KEY-----\n`;
  const context = (length: number): string => JSON.stringify({ a: "b".repeat(length - '{"a":""}'.length) });
  run([
    ["none", "Encrypt", encrypt('{"tenant":"a","名":"值"}')],
    ["none", "Encrypt", encrypt("{}")],
    ["none", "Encrypt", encrypt(context(1024))],
    [VALUE, "Encrypt", encrypt(context(1025)), "EncryptionContext"],
    [VALUE, "Encrypt", encrypt("{"), "EncryptionContext"],
    [VALUE, "Encrypt", encrypt("[]")],
    [VALUE, "Encrypt", encrypt("null")],
    [VALUE, "Encrypt", encrypt('"a"')],
    [VALUE, "Encrypt", encrypt('{"a":1}')],
    [VALUE, "Encrypt", encrypt('{"a":{"b":"c"}}')],
    [VALUE, "Encrypt", encrypt('{"a":"\\ud800"}')],
    [VALUE, "Encrypt", encrypt('{"\\udc00":"a"}')],
    ["InvalidParameter", "Encrypt", encrypt({ tenant: "a" })],
    ["none", "GenerateDataKey", generate(pem("MIIBIjANBgkqhkiG\n9w0BAQ=="))],
    ["none", "GenerateDataKey", generate(pem("AA==").replaceAll("PUBLIC", "RSA PUBLIC"))],
    [VALUE, "GenerateDataKey", generate("MIIBIjANBgkqhkiG")],
    [VALUE, "GenerateDataKey", generate(pem("AA==").replaceAll("PUBLIC", "PRIVATE"))],
    [VALUE, "GenerateDataKey", generate(pem("A".repeat(2048)))],
    [VALUE, "GetDataKeyPlaintext", { DataKeyId: KeyId, EncryptionPublicKey: `${pem("AA==")}x` }, "EncryptionPublicKey"],
  ]);
});

describe("lists", () => {
  const prints = (DeviceFingerprints: unknown) => ({ KeyId, DeviceFingerprints });
  run([
    ["none", "EnableKeys", { KeyIds: many(100, (i) => `k${i}`) }],
    [VALUE, "EnableKeys", { KeyIds: many(101, (i) => `k${i}`) }, "KeyIds"],
    [VALUE, "EnableKeys", { KeyIds: [] }, "KeyIds"],
    [VALUE, "EnableWhiteBoxKeys", { KeyIds: many(51, (i) => `k${i}`) }],
    [`${VALUE}.DuplicatedKeyId`, "DescribeKeys", { KeyIds: ["a", "b", "a"] }],
    [`${VALUE}.DuplicatedKeyId`, "DisableDataKeys", { DataKeyIds: ["a", "a"] }],
    [`${VALUE}.InvalidKeyId`, "DescribeKeys", { KeyIds: ["a", ""] }, "KeyIds.1"],
    ["none", "CreateKey", { Alias: "a", Tags: many(50, tag) }],
    [VALUE, "CreateKey", { Alias: "a", Tags: many(51, tag) }, "Tags"],
    [`${VALUE}.TagKeysDuplicated`, "CreateKey", { Alias: "a", Tags: [tag(1), { TagKey: "k1", TagValue: "v" }] }],
    ["none", "CreateKey", { Alias: "a", Tags: [{ TagKey: "k".repeat(127), TagValue: "v".repeat(255) }] }],
    [VALUE, "CreateKey", { Alias: "a", Tags: [{ TagKey: "k".repeat(128), TagValue: "" }] }, "Tags.0.TagKey"],
    [VALUE, "CreateKey", { Alias: "a", Tags: [{ TagKey: "", TagValue: "" }] }, "Tags.0.TagKey"],
    [VALUE, "CreateKey", { Alias: "a", Tags: [{ TagKey: "k", TagValue: "v".repeat(256) }] }, "Tags.0.TagValue"],
    ["none", "ListKeyDetail", { TagFilters: [{ TagKey: "k", TagValue: ["", "v"] }] }],
    [VALUE, "ListKeyDetail", { TagFilters: [{ TagKey: "k", TagValue: ["v".repeat(256)] }] }, "TagFilters.0.TagValue.0"],
    ["none", "OverwriteWhiteBoxDeviceFingerprints", prints([])],
    ["none", "OverwriteWhiteBoxDeviceFingerprints", prints(many(200, (i) => ({ Identity: identity(i) })))],
    [
      "LimitExceeded.FingerprintsLimitExceeded",
      "OverwriteWhiteBoxDeviceFingerprints",
      prints(many(201, (i) => ({ Identity: identity(i) }))),
    ],
    [VALUE, "OverwriteWhiteBoxDeviceFingerprints", prints([{ Identity: Identity.replace("0", "A") }])],
    [VALUE, "OverwriteWhiteBoxDeviceFingerprints", prints([{ Identity }, { Identity }])],
    ["none", "ModifySyncTask", { Destinations: [] }],
    ["none", "ModifySyncTask", { Destinations: [{ DestinationRegion: "ap-shanghai" }] }],
    ["MissingParameter", "ModifySyncTask", { Destinations: [{}] }, "Destinations.0.DestinationRegion"],
    ["none", "SetKeyAttributes", { KeyId, Attributes: [{ Name: "a", Value: "" }] }],
    [
      VALUE,
      "SetKeyAttributes",
      {
        KeyId,
        Attributes: [
          { Name: "a", Value: "" },
          { Name: "a", Value: "b" },
        ],
      },
    ],
  ]);
});

describe("what one field demands of another", () => {
  run([
    ["MissingParameter", "GenerateDataKey", { KeyId }, "KeySpec"],
    ["MissingParameter", "GenerateDataKey", { KeyId, KeySpec: "" }, "NumberOfBytes"],
    ["none", "GenerateDataKey", { KeyId, NumberOfBytes: 1 }],
    ["none", "GenerateDataKey", { KeyId, NumberOfBytes: 1, KeySpec: "AES_128" }],
    ["MissingParameter", "GenerateDataKey", { KeyId, KeySpec: "AES_256", IsHostedByKms: 1 }, "DataKeyName"],
    [
      "MissingParameter",
      "GenerateDataKey",
      { KeyId, KeySpec: "AES_256", IsHostedByKms: 1, DataKeyName: "" },
      "DataKeyName",
    ],
    ["none", "GenerateDataKey", { KeyId, KeySpec: "AES_256", IsHostedByKms: 1, DataKeyName: "n" }],
    ["none", "GenerateDataKey", { KeyId, KeySpec: "AES_256", IsHostedByKms: 0 }],
    ["MissingParameter", "ImportDataKey", { DataKeyName: "n", ImportKeyMaterial: base64(32), ImportType: 2 }, "KeyId"],
    ["none", "ImportDataKey", { DataKeyName: "n", ImportKeyMaterial: base64(32), ImportType: 1 }],
  ]);
});

describe("the result", () => {
  it("is the body itself, or one without its empty optional texts", () => {
    const body = { KeyId, KeySpec: "AES_256" };
    expect(validateRequest("GenerateDataKey", body)).toBe(body);
    const withEmpty = { ...body, EncryptionContext: "", Description: "", HsmClusterId: "" };
    expect(validateRequest("GenerateDataKey", withEmpty)).toEqual(body);
    expect(withEmpty.EncryptionContext).toBe("");
    const emptied = { KeyId, Description: "" };
    expect(validateRequest("UpdateKeyDescription", emptied)).toBe(emptied);
  });

  it("refuses what is no action, though the types forbid it", () => {
    for (const name of ["Nothing", "constructor", "__proto__"]) {
      expect(apiCode(() => validateRequest(name as ActionName, {}))).toBe("InvalidAction");
    }
  });

  it("takes the least request of every action, and misses each of its fields", () => {
    let missed = 0;
    for (const { name, request, rules = [] } of ACTIONS) {
      const least = Object.fromEntries(
        request.filter(({ required }) => required).map((field) => [field.name, sample(field)]),
      );
      if (name === "GenerateDataKey") least["KeySpec"] = "AES_256";
      if (name === "ImportDataKey") least["KeyId"] = KeyId;
      expect(
        apiCode(() => validateRequest(name, least)),
        name,
      ).toBe("none");
      for (const { name: field, required } of request) {
        if (!required) continue;
        const { [field]: _left, ...rest } = least;
        const failure = apiFailure(() => validateRequest(name, rest));
        expect([failure?.code, failure?.message], `${name}.${field}`).toEqual([
          "MissingParameter",
          `The request is missing the required parameter \`${field}\`.`,
        ]);
        missed += 1;
      }
      expect(rules.length === 0 || name === "GenerateDataKey" || name === "ImportDataKey").toBe(true);
    }
    expect(missed).toBe(ACTIONS.flatMap(({ request }) => request.filter(({ required }) => required)).length);
  });

  it("never names a value, and says what is allowed", () => {
    const secret = "c2VjcmV0IHRleHQgdGhhdCBub2JvZHkgbWF5IHNlZQ!!";
    const bodies: readonly [ActionName, Record<string, unknown>][] = [
      ["Encrypt", { KeyId, Plaintext: secret }],
      ["Encrypt", { KeyId: secret, Plaintext: base64(1) }],
      ["Encrypt", { KeyId, Plaintext: base64(1), EncryptionContext: secret }],
      ["ImportDataKey", { DataKeyName: "n", ImportKeyMaterial: secret, ImportType: 1 }],
      ["GenerateDataKey", { KeyId, KeySpec: secret }],
      ["CreateKey", { Alias: secret }],
    ];
    for (const [name, body] of bodies) {
      const failure = apiFailure(() => validateRequest(name, body));
      expect(failure?.message).toMatch(/^The parameter `\w+` is not valid\. It takes: .+\.$/);
      expect(failure?.message).not.toContain(secret);
    }
    expect(apiFailure(() => validateRequest("Encrypt", { KeyId, Plaintext: "" }))?.message).toBe(
      "The parameter `Plaintext` is not valid. It takes: base64; 1 to 4,096 bytes.",
    );
  });

  it("answers any JSON with a request or an ApiError", () => {
    const names = ACTIONS.map(({ name }) => name);
    const fieldNames = [...new Set(ACTIONS.flatMap(({ request }) => request.map(({ name }) => name)))];
    const body = fc.dictionary(fc.oneof(fc.constantFrom(...fieldNames), fc.string()), fc.jsonValue(), { maxKeys: 8 });
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.oneof(body, fc.jsonValue()), (name, value) => {
        try {
          validateRequest(name, value);
        } catch (error) {
          if (!isApiError(error)) throw error;
        }
      }),
      { numRuns: process.env["SLOW"] === "1" ? 50_000 : 2_000 },
    );
  });
});

function sample({ name, type, limits = {} }: NonNullable<ReturnType<typeof findAction>>["request"][number]): unknown {
  if (type === "string[]") return [KeyId];
  if (type.endsWith("[]")) return [];
  if (type === "number") return limits.min ?? limits.oneOf?.[0] ?? 1;
  if (limits.oneOf !== undefined) return limits.oneOf[0];
  if (limits.encoding === "base64") return base64(limits.bytes ?? 1);
  return name === "Alias" ? "alias" : KeyId;
}
