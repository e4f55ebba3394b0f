// Calls of the actions on hosted data keys.
import { expect } from "vitest";
import { base64, DAY_MS, OWNER_UIN, type TestGateway, text, UNKNOWN_ID } from "../gateway-support.js";
import type { ActionCase, ActionCases } from "./case.js";
import { CALLER_KEYS, openForCaller } from "./symmetric.js";

const NOT_FOUND = "ResourceNotFound";
const DISABLED = "ResourceUnavailable.KeyDisabled";
const WRONG_STATE = "ResourceUnavailable.CmkStateNotSupport";
const DUPLICATED = "InvalidParameterValue.DuplicatedKeyId";

const unknown = () => ({ DataKeyId: UNKNOWN_ID });

async function idOf(gateway: TestGateway): Promise<{ DataKeyId: string }> {
  return { DataKeyId: (await gateway.dataKey()).DataKeyId };
}

async function dying(gateway: TestGateway): Promise<{ DataKeyId: string }> {
  const DataKeyId = await gateway.disabledDataKey();
  await gateway.call("ScheduleDataKeyDeletion", { DataKeyId, PendingWindowInDays: 7 });
  return { DataKeyId };
}

async function describe(gateway: TestGateway, DataKeyId: string) {
  return (await gateway.call("DescribeDataKey", { DataKeyId })).DataKeyMetadata ?? {};
}

function moves(make: (gateway: TestGateway) => Promise<string>, after: string): ActionCase<"EnableDataKey"> {
  return {
    request: async (gateway) => ({ DataKeyId: await make(gateway) }),
    check: async (_answer, gateway, { DataKeyId }) => expect((await describe(gateway, DataKeyId)).KeyState).toBe(after),
    refused: {
      [NOT_FOUND]: unknown,
      [WRONG_STATE]: dying,
      "InvalidParameterValue.InvalidKeyId": () => ({ DataKeyId: "a-name" }),
    },
  };
}

function movesAll(make: (gateway: TestGateway) => Promise<string>, after: string): ActionCase<"EnableDataKeys"> {
  return {
    request: async (gateway) => ({ DataKeyIds: [await make(gateway), await make(gateway)] }),
    check: async (_answer, gateway, { DataKeyIds }) => {
      for (const id of DataKeyIds) expect((await describe(gateway, id)).KeyState).toBe(after);
    },
    refused: {
      [DUPLICATED]: () => ({ DataKeyIds: [UNKNOWN_ID, UNKNOWN_ID] }),
      [NOT_FOUND]: async (gateway) => ({ DataKeyIds: [(await gateway.dataKey()).DataKeyId, UNKNOWN_ID] }),
      [WRONG_STATE]: async (gateway) => ({ DataKeyIds: [await make(gateway), (await dying(gateway)).DataKeyId] }),
    },
  };
}

export const DATA_KEY_CASES: ActionCases<
  | "ImportDataKey"
  | "GetDataKeyPlaintext"
  | "GetDataKeyCiphertextBlob"
  | "DescribeDataKey"
  | "DescribeDataKeys"
  | "ListDataKeys"
  | "ListDataKeyDetail"
  | "EnableDataKey"
  | "EnableDataKeys"
  | "DisableDataKey"
  | "DisableDataKeys"
  | "UpdateDataKeyName"
  | "UpdateDataKeyDescription"
  | "ScheduleDataKeyDeletion"
  | "CancelDataKeyDeletion"
> = {
  ImportDataKey: {
    request: async (gateway) => ({
      DataKeyName: "imported",
      ImportType: 2,
      ImportKeyMaterial: base64("sixteen bytes 16"),
      KeyId: await gateway.key(),
      Tags: [{ TagKey: "a", TagValue: "b" }],
    }),
    check: async (answer, gateway, { KeyId }) => {
      expect(answer).toMatchObject({ KeyId, TagCode: 0 });
      const DataKeyId = answer.DataKeyId ?? "";
      expect(text((await gateway.call("GetDataKeyPlaintext", { DataKeyId })).Plaintext)).toBe("sixteen bytes 16");
      expect(await describe(gateway, DataKeyId)).toMatchObject({ Origin: "EXTERNAL", NumberOfBytes: 16 });
      const made = await gateway.call("GenerateDataKey", { KeyId: KeyId ?? "", NumberOfBytes: 5 });
      const ImportKeyMaterial = made.CiphertextBlob ?? "";
      const again = await gateway.call("ImportDataKey", { DataKeyName: "wrapped", ImportType: 1, ImportKeyMaterial });
      const opened = await gateway.call("GetDataKeyPlaintext", { DataKeyId: again.DataKeyId ?? "" });
      expect(opened.Plaintext).toBe(made.Plaintext);
    },
    refused: {
      MissingParameter: () => ({ DataKeyName: "a", ImportType: 2, ImportKeyMaterial: "QQ==" }),
      "InvalidParameterValue.InvalidCiphertext": () => ({ DataKeyName: "a", ImportType: 1, ImportKeyMaterial: "QQ==" }),
      "FailedOperation.DecryptError": async (gateway) => {
        const made = await gateway.call("GenerateDataKey", { KeyId: await gateway.key(), NumberOfBytes: 5 });
        const KeyId = await gateway.key();
        return { DataKeyName: "a", ImportType: 1, ImportKeyMaterial: made.CiphertextBlob, KeyId };
      },
      "ResourceUnavailable.CmkNotFound": () => ({
        DataKeyName: "a",
        ImportType: 2,
        ImportKeyMaterial: "QQ==",
        KeyId: UNKNOWN_ID,
      }),
      "ResourceUnavailable.CmkDisabled": async (gateway) => ({
        DataKeyName: "a",
        ImportType: 2,
        ImportKeyMaterial: "QQ==",
        KeyId: await gateway.disabledKey(),
      }),
    },
  },
  GetDataKeyPlaintext: {
    request: idOf,
    check: async ({ Plaintext = "" }, gateway, request) => {
      expect(Buffer.from(Plaintext, "base64")).toHaveLength(32);
      const encrypted = await gateway.call("GetDataKeyPlaintext", {
        ...request,
        EncryptionPublicKey: CALLER_KEYS.publicKey,
        EncryptionAlgorithm: "RSAES_OAEP_SHA_256",
      });
      expect(openForCaller(encrypted.Plaintext).toString("base64")).toBe(Plaintext);
    },
    refused: {
      [NOT_FOUND]: unknown,
      [DISABLED]: async (gateway) => ({ DataKeyId: await gateway.disabledDataKey() }),
      [WRONG_STATE]: dying,
      // The key that wraps it, not the data key.
      "ResourceUnavailable.CmkDisabled": async (gateway) => {
        const { DataKeyId, KeyId } = await gateway.dataKey();
        await gateway.call("DisableKey", { KeyId });
        return { DataKeyId };
      },
      "ResourceUnavailable.CmkNotFound": async (gateway) => {
        const { DataKeyId, KeyId } = await gateway.dataKey();
        await gateway.call("DisableKey", { KeyId });
        await gateway.call("ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
        gateway.clock.advance(7 * DAY_MS);
        return { DataKeyId };
      },
    },
  },
  GetDataKeyCiphertextBlob: {
    request: idOf,
    check: async ({ CiphertextBlob = "" }, gateway, request) => {
      const opened = await gateway.call("Decrypt", { CiphertextBlob });
      expect(opened.Plaintext).toBe((await gateway.call("GetDataKeyPlaintext", request)).Plaintext);
    },
    refused: { [NOT_FOUND]: unknown },
  },
  DescribeDataKey: {
    request: async (gateway) => {
      const KeyId = await gateway.key({ Alias: "wrapping" });
      const { DataKeyId = "" } = await gateway.call("GenerateDataKey", {
        KeyId,
        KeySpec: "AES_256",
        IsHostedByKms: 1,
        DataKeyName: "hosted",
        Description: "d",
      });
      return { DataKeyId };
    },
    check: ({ DataKeyMetadata }, gateway, { DataKeyId }) =>
      expect(DataKeyMetadata).toStrictEqual({
        DataKeyId,
        KeyId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        KeyName: "wrapping",
        DataKeyName: "hosted",
        NumberOfBytes: 32,
        CreateTime: Math.floor(gateway.clock.now() / 1000),
        Description: "d",
        KeyState: "Enabled",
        CreatorUin: Number(OWNER_UIN),
        Owner: "user",
        DeletionDate: 0,
        Origin: "TENCENT_KMS",
        HsmClusterId: "",
        ResourceId: `creatorUin/${OWNER_UIN}/${DataKeyId}`,
        IsSyncReplica: 0,
        SourceRegion: "",
        SyncStatus: 0,
        SyncMessages: "",
        SyncStartTime: 0,
        SyncEndTime: 0,
        SourceHsmClusterId: "",
        AccountAppId: 0,
        AccountUin: Number(OWNER_UIN),
        AccountName: "",
        CreatorUinString: OWNER_UIN,
      }),
    refused: { [NOT_FOUND]: unknown, "InvalidParameterValue.InvalidKeyId": () => ({ DataKeyId: "hosted" }) },
  },
  DescribeDataKeys: {
    request: async (gateway) => ({
      DataKeyIds: [(await gateway.dataKey()).DataKeyId, (await gateway.dataKey()).DataKeyId],
    }),
    check: ({ DataKeyMetadatas = [] }, _gateway, { DataKeyIds }) =>
      expect(DataKeyMetadatas.map(({ DataKeyId }) => DataKeyId)).toStrictEqual(DataKeyIds),
    refused: {
      [NOT_FOUND]: async (gateway) => ({ DataKeyIds: [(await gateway.dataKey()).DataKeyId, UNKNOWN_ID] }),
      [DUPLICATED]: () => ({ DataKeyIds: [UNKNOWN_ID, UNKNOWN_ID] }),
    },
  },
  ListDataKeys: {
    request: async (gateway) => {
      for (let i = 0; i < 3; i++) await gateway.dataKey();
      return { Offset: 2 };
    },
    check: async ({ DataKeys, TotalCount }, gateway) => {
      expect(DataKeys).toHaveLength(1);
      expect(TotalCount).toBe(3);
      expect(await gateway.call("ListDataKeys", { Role: 1 })).toMatchObject({ DataKeys: [], TotalCount: 0 });
    },
    refused: { InvalidParameterValue: () => ({ Limit: 0 }), ResourceNotFound: () => ({ HsmClusterId: "c" }) },
  },
  ListDataKeyDetail: {
    request: async (gateway) => {
      await gateway.dataKey();
      await gateway.disabledDataKey();
      return { KeyState: 2, DataKeyLen: 32, Origin: "ALL" };
    },
    check: async ({ DataKeyMetadatas = [], TotalCount }, gateway) => {
      expect(DataKeyMetadatas.map(({ KeyState }) => KeyState)).toStrictEqual(["Disabled"]);
      expect(TotalCount).toBe(1);
      const count = async (filter: object) => (await gateway.call("ListDataKeyDetail", filter)).TotalCount;
      expect(await count({})).toBe(2);
      expect(await count({ DataKeyLen: 0 })).toBe(2);
      expect(await count({ KeyId: DataKeyMetadatas[0]?.KeyId })).toBe(1);
      expect(await count({ Origin: "EXTERNAL" })).toBe(0);
      expect(await count({ SearchKeyAlias: "ALIAS-" })).toBe(2);
      expect(await count({ TagFilters: [{ TagKey: "none" }] })).toBe(0);
      for (const KeyState of [4, 5]) expect(await count({ KeyState })).toBe(0);
    },
    refused: {
      InvalidParameterValue: () => ({ Origin: "ELSEWHERE" }),
      "InvalidParameterValue.InvalidKeyId": () => ({ KeyId: "an-alias" }),
    },
  },
  EnableDataKey: moves((gateway) => gateway.disabledDataKey(), "Enabled"),
  DisableDataKey: moves(async (gateway) => (await gateway.dataKey()).DataKeyId, "Disabled"),
  EnableDataKeys: movesAll((gateway) => gateway.disabledDataKey(), "Enabled"),
  DisableDataKeys: movesAll(async (gateway) => (await gateway.dataKey()).DataKeyId, "Disabled"),
  UpdateDataKeyName: {
    request: async (gateway) => ({ ...(await idOf(gateway)), DataKeyName: "renamed" }),
    check: async (_answer, gateway, { DataKeyId }) =>
      expect((await describe(gateway, DataKeyId)).DataKeyName).toBe("renamed"),
    refused: {
      [NOT_FOUND]: () => ({ ...unknown(), DataKeyName: "renamed" }),
      "InvalidParameterValue.AliasAlreadyExists": async (gateway) => {
        const other = await describe(gateway, (await idOf(gateway)).DataKeyId);
        return { ...(await idOf(gateway)), DataKeyName: other.DataKeyName };
      },
      [WRONG_STATE]: async (gateway) => ({ ...(await dying(gateway)), DataKeyName: "renamed" }),
    },
  },
  UpdateDataKeyDescription: {
    request: async (gateway) => ({ ...(await idOf(gateway)), Description: "new" }),
    check: async (_answer, gateway, { DataKeyId }) =>
      expect((await describe(gateway, DataKeyId)).Description).toBe("new"),
    refused: {
      [NOT_FOUND]: () => ({ ...unknown(), Description: "" }),
      InvalidParameterValue: () => ({ ...unknown(), Description: "x".repeat(101) }),
    },
  },
  ScheduleDataKeyDeletion: {
    request: async (gateway) => ({ DataKeyId: await gateway.disabledDataKey(), PendingWindowInDays: 30 }),
    check: async (answer, gateway, { DataKeyId }) => {
      const DeletionDate = Math.floor(gateway.clock.now() / 1000) + 30 * 86_400;
      expect(answer).toMatchObject({ DataKeyId, DeletionDate });
      expect(await describe(gateway, DataKeyId)).toMatchObject({ KeyState: "PendingDelete", DeletionDate });
    },
    refused: {
      "ResourceUnavailable.CmkShouldBeDisabled": async (gateway) => ({
        ...(await idOf(gateway)),
        PendingWindowInDays: 7,
      }),
      "InvalidParameter.InvalidPendingWindowInDays": () => ({ ...unknown(), PendingWindowInDays: 6 }),
    },
  },
  CancelDataKeyDeletion: {
    request: dying,
    check: async (answer, gateway, { DataKeyId }) => {
      expect(answer).toMatchObject({ DataKeyId });
      expect((await describe(gateway, DataKeyId)).KeyState).toBe("Disabled");
    },
    refused: { "ResourceUnavailable.CmkNotPendingDelete": idOf },
  },
};
