// Calls of the actions on white-box keys.
import { whiteBoxDecrypt } from "@fengni/backend-local";
import { expect } from "vitest";
import { base64, OWNER_UIN, type TestGateway, UNKNOWN_ID } from "../gateway-support.js";
import type { ActionCase, ActionCases } from "./case.js";

const NOT_FOUND = "ResourceNotFound";
const DISABLED = "ResourceUnavailable.KeyDisabled";
const DUPLICATED = "InvalidParameterValue.DuplicatedKeyId";
const IDENTITY = "01234567-0123456789abcd-0123456789abcd-0123456789abcd-0123456789abcdef";

const unknown = () => ({ KeyId: UNKNOWN_ID });

async function stateOf(gateway: TestGateway, KeyId: string): Promise<string | undefined> {
  return (await gateway.call("DescribeWhiteBoxKey", { KeyId })).KeyInfo?.Status;
}

function moves(make: (gateway: TestGateway) => Promise<string>, after: string): ActionCase<"EnableWhiteBoxKey"> {
  return {
    request: async (gateway) => ({ KeyId: await make(gateway) }),
    check: async (_answer, gateway, { KeyId }) => expect(await stateOf(gateway, KeyId)).toBe(after),
    refused: { [NOT_FOUND]: unknown, "InvalidParameterValue.InvalidKeyId": () => ({ KeyId: "an-alias" }) },
  };
}

function movesAll(make: (gateway: TestGateway) => Promise<string>, after: string): ActionCase<"EnableWhiteBoxKeys"> {
  return {
    request: async (gateway) => ({ KeyIds: [await make(gateway), await make(gateway)] }),
    check: async (_answer, gateway, { KeyIds }) => {
      for (const id of KeyIds) expect(await stateOf(gateway, id)).toBe(after);
    },
    refused: {
      [NOT_FOUND]: async (gateway) => ({ KeyIds: [await make(gateway), UNKNOWN_ID] }),
      [DUPLICATED]: () => ({ KeyIds: [UNKNOWN_ID, UNKNOWN_ID] }),
    },
  };
}

export const WHITE_BOX_CASES: ActionCases<
  | "CreateWhiteBoxKey"
  | "DescribeWhiteBoxKey"
  | "DescribeWhiteBoxKeyDetails"
  | "DescribeWhiteBoxDecryptKey"
  | "DescribeWhiteBoxServiceStatus"
  | "EnableWhiteBoxKey"
  | "EnableWhiteBoxKeys"
  | "DisableWhiteBoxKey"
  | "DisableWhiteBoxKeys"
  | "DeleteWhiteBoxKey"
  | "EncryptByWhiteBox"
  | "DescribeWhiteBoxDeviceFingerprints"
  | "OverwriteWhiteBoxDeviceFingerprints"
> = {
  CreateWhiteBoxKey: {
    request: () => ({ Alias: "device", Algorithm: "SM4", Tags: [{ TagKey: "a", TagValue: "" }] }),
    check: async (answer, gateway) => {
      expect(answer).toMatchObject({ TagCode: 0, TagMsg: "" });
      const { KeyId = "", DecryptKey = "" } = answer;
      expect((await gateway.call("DescribeWhiteBoxDecryptKey", { KeyId })).DecryptKey).toBe(DecryptKey);
    },
    refused: {
      "InvalidParameterValue.AliasAlreadyExists": async (gateway) => {
        await gateway.call("CreateWhiteBoxKey", { Alias: "taken", Algorithm: "SM4" });
        return { Alias: "taken", Algorithm: "SM4" };
      },
      "InvalidParameterValue.InvalidAlias": () => ({ Alias: UNKNOWN_ID, Algorithm: "SM4" }),
      InvalidParameterValue: () => ({ Alias: "a", Algorithm: "DES" }),
    },
  },
  DescribeWhiteBoxKey: {
    request: async (gateway) => {
      const { KeyId = "" } = await gateway.call("CreateWhiteBoxKey", {
        Alias: "device",
        Algorithm: "AES_256",
        Description: "d",
      });
      return { KeyId };
    },
    check: ({ KeyInfo }, gateway, { KeyId }) =>
      expect(KeyInfo).toStrictEqual({
        KeyId,
        Alias: "device",
        CreatorUin: Number(OWNER_UIN),
        Description: "d",
        CreateTime: Math.floor(gateway.clock.now() / 1000),
        Status: "Enabled",
        OwnerUin: Number(OWNER_UIN),
        Algorithm: "AES_256",
        ResourceId: `creatorUin/${OWNER_UIN}/${KeyId}`,
        DeviceFingerprintBind: false,
      }),
    refused: { [NOT_FOUND]: unknown },
  },
  DescribeWhiteBoxKeyDetails: {
    request: async (gateway) => {
      await gateway.whiteBoxKey();
      await gateway.disabledWhiteBoxKey();
      return { KeyStatus: 0 };
    },
    check: async ({ KeyInfos = [], TotalCount }, gateway) => {
      expect(KeyInfos.map(({ Status }) => Status)).toStrictEqual(["Disabled"]);
      expect(TotalCount).toBe(1);
      expect((await gateway.call("DescribeWhiteBoxKeyDetails", { KeyStatus: 1 })).KeyInfos).toHaveLength(1);
      const page = await gateway.call("DescribeWhiteBoxKeyDetails", { Offset: 1, Limit: 1 });
      expect(page).toMatchObject({ TotalCount: 2, KeyInfos: [{ Status: "Disabled" }] });
    },
    refused: { InvalidParameterValue: () => ({ KeyStatus: 2 }) },
  },
  DescribeWhiteBoxDecryptKey: {
    request: async (gateway) => ({ KeyId: await gateway.whiteBoxKey() }),
    check: ({ DecryptKey = "" }) => expect(DecryptKey).toMatch(/^[A-Za-z0-9+/]+={0,2}$/),
    refused: { [NOT_FOUND]: unknown },
  },
  DescribeWhiteBoxServiceStatus: {
    request: () => ({}),
    check: (answer) => expect(answer).toMatchObject({ ServiceEnabled: true }),
    refused: { UnknownParameter: () => ({ KeyId: UNKNOWN_ID }) },
  },
  EnableWhiteBoxKey: moves((gateway) => gateway.disabledWhiteBoxKey(), "Enabled"),
  DisableWhiteBoxKey: moves((gateway) => gateway.whiteBoxKey(), "Disabled"),
  EnableWhiteBoxKeys: movesAll((gateway) => gateway.disabledWhiteBoxKey(), "Enabled"),
  DisableWhiteBoxKeys: movesAll((gateway) => gateway.whiteBoxKey(), "Disabled"),
  DeleteWhiteBoxKey: {
    request: async (gateway) => ({ KeyId: await gateway.disabledWhiteBoxKey() }),
    check: async (_answer, gateway, request) =>
      expect((await gateway.refusal("DescribeWhiteBoxKey", request)).Code).toBe(NOT_FOUND),
    refused: {
      "ResourceUnavailable.CmkStateNotSupport": async (gateway) => ({ KeyId: await gateway.whiteBoxKey() }),
      [NOT_FOUND]: unknown,
    },
  },
  EncryptByWhiteBox: {
    request: async (gateway) => ({
      KeyId: await gateway.whiteBoxKey(),
      PlainText: base64("to a device"),
      InitializationVector: Buffer.alloc(16, 7).toString("base64"),
    }),
    check: async (answer, gateway, { KeyId, InitializationVector }) => {
      expect(answer.InitializationVector).toBe(InitializationVector);
      const { DecryptKey = "" } = await gateway.call("DescribeWhiteBoxDecryptKey", { KeyId });
      const opened = await whiteBoxDecrypt({
        decryptKey: Buffer.from(DecryptKey, "base64"),
        initializationVector: Buffer.from(answer.InitializationVector ?? "", "base64"),
        ciphertext: Buffer.from(answer.CipherText ?? "", "base64"),
      });
      expect(Buffer.from(opened).toString()).toBe("to a device");
      const random = await gateway.call("EncryptByWhiteBox", { KeyId, PlainText: "QQ==" });
      expect(Buffer.from(random.InitializationVector ?? "", "base64")).toHaveLength(16);
    },
    refused: {
      [DISABLED]: async (gateway) => ({ KeyId: await gateway.disabledWhiteBoxKey(), PlainText: "QQ==" }),
      [NOT_FOUND]: () => ({ KeyId: UNKNOWN_ID, PlainText: "QQ==" }),
      InvalidParameterValue: () => ({ KeyId: UNKNOWN_ID, PlainText: "QQ==", InitializationVector: "QQ==" }),
      "InvalidParameterValue.InvalidPlaintext": () => ({ KeyId: UNKNOWN_ID, PlainText: "?" }),
    },
  },
  DescribeWhiteBoxDeviceFingerprints: {
    request: async (gateway) => {
      const KeyId = await gateway.whiteBoxKey();
      const DeviceFingerprints = [{ Identity: IDENTITY, Description: "mine" }];
      await gateway.call("OverwriteWhiteBoxDeviceFingerprints", { KeyId, DeviceFingerprints });
      return { KeyId };
    },
    check: ({ DeviceFingerprints }) =>
      expect(DeviceFingerprints).toStrictEqual([{ Identity: IDENTITY, Description: "mine" }]),
    refused: { [NOT_FOUND]: unknown },
  },
  OverwriteWhiteBoxDeviceFingerprints: {
    request: async (gateway) => ({
      KeyId: await gateway.whiteBoxKey(),
      DeviceFingerprints: [{ Identity: IDENTITY }],
    }),
    check: async (_answer, gateway, { KeyId }) => {
      const isBound = async () => (await gateway.call("DescribeWhiteBoxKey", { KeyId })).KeyInfo?.DeviceFingerprintBind;
      expect(await isBound()).toBe(true);
      await gateway.call("OverwriteWhiteBoxDeviceFingerprints", { KeyId, DeviceFingerprints: [] });
      expect(await isBound()).toBe(false);
    },
    refused: {
      "LimitExceeded.FingerprintsLimitExceeded": () => ({
        KeyId: UNKNOWN_ID,
        DeviceFingerprints: Array.from({ length: 201 }, () => ({ Identity: IDENTITY })),
      }),
      InvalidParameterValue: () => ({ KeyId: UNKNOWN_ID, DeviceFingerprints: [{ Identity: "mine" }] }),
      [NOT_FOUND]: unknown,
    },
  },
};
