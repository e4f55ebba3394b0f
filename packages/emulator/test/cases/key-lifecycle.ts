// Calls of the actions on the life of keys.
import { expect } from "vitest";
import { DAY_MS, OWNER_UIN, type TestGateway, UNKNOWN_ID } from "../gateway-support.js";
import type { ActionCase, ActionCases } from "./case.js";

const NOT_FOUND = "ResourceUnavailable.CmkNotFound";
const DISABLED = "ResourceUnavailable.CmkDisabled";
const ARCHIVED = "ResourceUnavailable.CmkArchived";
const WRONG_STATE = "ResourceUnavailable.CmkStateNotSupport";
const SHOULD_BE_DISABLED = "ResourceUnavailable.CmkShouldBeDisabled";
const NOT_PENDING = "ResourceUnavailable.CmkNotPendingDelete";
const EXTERNAL = "UnsupportedOperation.ExternalCmkCanNotRotate";
const NOT_USER_CREATED = "UnsupportedOperation.NotUserCreatedCmk";
const WRONG_USAGE = "InvalidParameterValue.InvalidKeyUsage";
const DUPLICATED = "InvalidParameterValue.DuplicatedKeyId";

const unknown = () => ({ KeyId: UNKNOWN_ID });

async function state(gateway: TestGateway, KeyId: string): Promise<string | undefined> {
  return (await gateway.call("DescribeKey", { KeyId })).KeyMetadata?.KeyState;
}

/** An action that moves one key to a state. */
function moves(
  make: (gateway: TestGateway) => Promise<string>,
  after: string,
  refused: ActionCase<"EnableKey">["refused"],
): ActionCase<"EnableKey"> {
  return {
    request: async (gateway) => ({ KeyId: await make(gateway) }),
    check: async (_answer, gateway, { KeyId }) => expect(await state(gateway, KeyId)).toBe(after),
    refused: { [NOT_FOUND]: unknown, ...refused },
  };
}

export const KEY_LIFECYCLE_CASES: ActionCases<
  | "CreateKey"
  | "DescribeKey"
  | "DescribeKeys"
  | "ListKey"
  | "ListKeys"
  | "ListKeyDetail"
  | "EnableKey"
  | "EnableKeys"
  | "DisableKey"
  | "DisableKeys"
  | "EnableKeyRotation"
  | "DisableKeyRotation"
  | "GetKeyRotationStatus"
  | "RotateKey"
  | "ArchiveKey"
  | "CancelKeyArchive"
  | "ScheduleKeyDeletion"
  | "CancelKeyDeletion"
> = {
  CreateKey: {
    request: () => ({ Alias: "orders", Description: "of orders", Tags: [{ TagKey: "team", TagValue: "sales" }] }),
    check: (answer, gateway) =>
      expect(answer).toMatchObject({
        KeyId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        Alias: "orders",
        CreateTime: Math.floor(gateway.clock.now() / 1000),
        Description: "of orders",
        KeyState: "Enabled",
        KeyUsage: "ENCRYPT_DECRYPT",
        TagCode: 0,
        TagMsg: "",
        HsmClusterId: "",
      }),
    refused: {
      "InvalidParameterValue.AliasAlreadyExists": async (gateway) => {
        await gateway.key({ Alias: "taken" });
        return { Alias: "taken" };
      },
      "InvalidParameterValue.InvalidAlias": () => ({ Alias: "kms-mine" }),
      [WRONG_USAGE]: () => ({ Alias: "a", KeyUsage: "NO_USE" }),
      "InvalidParameterValue.InvalidType": () => ({ Alias: "a", Type: 2, KeyUsage: "ASYMMETRIC_DECRYPT_RSA_2048" }),
      "InvalidParameterValue.TagKeysDuplicated": () => ({
        Alias: "a",
        Tags: [
          { TagKey: "k", TagValue: "1" },
          { TagKey: "k", TagValue: "2" },
        ],
      }),
      ResourceNotFound: () => ({ Alias: "a", HsmClusterId: "cluster" }),
      MissingParameter: () => ({}),
    },
  },
  DescribeKey: {
    request: async (gateway) => ({ KeyId: await gateway.key({ Alias: "plain", Description: "d" }) }),
    check: ({ KeyMetadata }, gateway, { KeyId }) =>
      expect(KeyMetadata).toStrictEqual({
        KeyId,
        Alias: "plain",
        CreateTime: Math.floor(gateway.clock.now() / 1000),
        Description: "d",
        KeyState: "Enabled",
        KeyUsage: "ENCRYPT_DECRYPT",
        Type: 2,
        CreatorUin: Number(OWNER_UIN),
        KeyRotationEnabled: false,
        Owner: "user",
        NextRotateTime: 0,
        DeletionDate: 0,
        Origin: "TENCENT_KMS",
        ValidTo: 0,
        ResourceId: `creatorUin/${OWNER_UIN}/${KeyId}`,
        HsmClusterId: "",
        RotateDays: 0,
        LastRotateTime: 0,
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
    refused: {
      [NOT_FOUND]: unknown,
      "InvalidParameterValue.InvalidKeyId": async (gateway) => {
        await gateway.key({ Alias: "an-alias" });
        return { KeyId: "an-alias" };
      },
      ResourceNotFound: async (gateway) => ({ KeyId: await gateway.key(), MemberAccount: { MemberUin: 5 } }),
    },
  },
  DescribeKeys: {
    request: async (gateway) => ({ KeyIds: [await gateway.key(), await gateway.key()] }),
    check: ({ KeyMetadatas = [] }, _gateway, { KeyIds }) =>
      expect(KeyMetadatas.map(({ KeyId }) => KeyId)).toStrictEqual(KeyIds),
    refused: {
      [NOT_FOUND]: async (gateway) => ({ KeyIds: [await gateway.key(), UNKNOWN_ID] }),
      [DUPLICATED]: () => ({ KeyIds: [UNKNOWN_ID, UNKNOWN_ID] }),
      "InvalidParameterValue.InvalidKeyId": () => ({ KeyIds: [UNKNOWN_ID, "an-alias"] }),
    },
  },
  ListKey: {
    request: async (gateway) => {
      await gateway.key();
      return { Limit: 1 };
    },
    check: ({ Keys, TotalCount }) => {
      expect(Keys).toHaveLength(1);
      expect(TotalCount).toBe(1);
    },
    refused: { InvalidParameterValue: () => ({ Limit: 0 }) },
  },
  ListKeys: {
    request: async (gateway) => {
      for (let i = 0; i < 3; i++) await gateway.key();
      await gateway.productKey();
      return { Offset: 1, Limit: 1 };
    },
    check: async ({ Keys, TotalCount }, gateway) => {
      expect(Keys).toHaveLength(1);
      expect(TotalCount).toBe(3);
      expect((await gateway.call("ListKeys", { Role: 1 })).TotalCount).toBe(1);
    },
    refused: { InvalidParameterValue: () => ({ Limit: 201 }), InvalidParameter: () => ({ Offset: "0" }) },
  },
  ListKeyDetail: {
    request: async (gateway) => {
      await gateway.key({ Alias: "blue-1", Tags: [{ TagKey: "c", TagValue: "blue" }] });
      await gateway.key({ Alias: "blue-2", Type: 2, Tags: [{ TagKey: "c", TagValue: "blue" }] });
      await gateway.key({ Alias: "sign", KeyUsage: "ASYMMETRIC_SIGN_VERIFY_ECC" });
      return { OrderType: 1, SearchKeyAlias: "BLUE", TagFilters: [{ TagKey: "c", TagValue: ["blue", "red"] }] };
    },
    check: async ({ KeyMetadatas = [], TotalCount }, gateway) => {
      expect(KeyMetadatas.map(({ Alias }) => Alias)).toStrictEqual(["blue-1", "blue-2"]);
      expect(TotalCount).toBe(2);
      const aliases = async (filter: object) =>
        ((await gateway.call("ListKeyDetail", filter)).KeyMetadatas ?? []).map(({ Alias }) => Alias);
      expect(await aliases({ KeyState: 4 })).toStrictEqual(["blue-2"]);
      expect(await aliases({ Origin: "TENCENT_KMS" })).toStrictEqual(["blue-1"]);
      expect(await aliases({ KeyUsage: "ALL" })).toStrictEqual(["sign", "blue-2", "blue-1"]);
      expect(await aliases({ KeyUsage: "ASYMMETRIC_SIGN_VERIFY_ECC" })).toStrictEqual(["sign"]);
      expect(await aliases({ KeyUsage: "ASYMMETRIC_SIGN_VERIFY_SM2" })).toStrictEqual([]);
      expect(await aliases({ Role: 1 })).toStrictEqual([]);
    },
    refused: {
      InvalidParameterValue: () => ({ KeyState: 6 }),
      ResourceNotFound: () => ({ MemberAccounts: [{ MemberUin: 5 }] }),
    },
  },
  EnableKey: moves((gateway) => gateway.disabledKey(), "Enabled", {
    [ARCHIVED]: async (gateway) => ({ KeyId: await gateway.archivedKey() }),
    [WRONG_STATE]: async (gateway) => ({ KeyId: await gateway.dyingKey() }),
  }),
  EnableKeys: {
    request: async (gateway) => ({ KeyIds: [await gateway.disabledKey(), await gateway.key()] }),
    check: async (_answer, gateway, { KeyIds }) => {
      for (const id of KeyIds) expect(await state(gateway, id)).toBe("Enabled");
    },
    refused: {
      [ARCHIVED]: async (gateway) => ({ KeyIds: [await gateway.disabledKey(), await gateway.archivedKey()] }),
      [DUPLICATED]: () => ({ KeyIds: [UNKNOWN_ID, UNKNOWN_ID] }),
      [NOT_FOUND]: () => ({ KeyIds: [UNKNOWN_ID] }),
    },
  },
  DisableKey: moves((gateway) => gateway.key(), "Disabled", {
    [NOT_USER_CREATED]: async (gateway) => ({ KeyId: await gateway.productKey() }),
    [WRONG_STATE]: async (gateway) => ({ KeyId: await gateway.key({ Type: 2 }) }),
  }),
  DisableKeys: {
    request: async (gateway) => ({ KeyIds: [await gateway.key(), await gateway.key()] }),
    check: async (_answer, gateway, { KeyIds }) => {
      for (const id of KeyIds) expect(await state(gateway, id)).toBe("Disabled");
    },
    refused: {
      [WRONG_STATE]: async (gateway) => ({ KeyIds: [await gateway.key(), await gateway.dyingKey()] }),
      [NOT_USER_CREATED]: async (gateway) => ({ KeyIds: [await gateway.key(), await gateway.productKey()] }),
    },
  },
  EnableKeyRotation: {
    request: async (gateway) => ({ KeyId: await gateway.key(), RotateDays: 30 }),
    check: async (_answer, gateway, { KeyId }) => {
      const nowSeconds = Math.floor(gateway.clock.now() / 1000);
      const { KeyMetadata } = await gateway.call("DescribeKey", { KeyId });
      const next = nowSeconds + 30 * 86_400;
      expect(KeyMetadata).toMatchObject({ KeyRotationEnabled: true, RotateDays: 30, NextRotateTime: next });
      gateway.clock.advance(30 * DAY_MS);
      const { KeyMetadata: later } = await gateway.call("DescribeKey", { KeyId });
      expect(later).toMatchObject({ LastRotateTime: next, NextRotateTime: next + 30 * 86_400 });
    },
    refused: {
      [DISABLED]: async (gateway) => ({ KeyId: await gateway.disabledKey() }),
      [EXTERNAL]: async (gateway) => ({ KeyId: await gateway.key({ Type: 2 }) }),
      [ARCHIVED]: async (gateway) => ({ KeyId: await gateway.archivedKey() }),
      InvalidParameterValue: () => ({ KeyId: UNKNOWN_ID, RotateDays: 6 }),
    },
  },
  DisableKeyRotation: {
    request: async (gateway) => {
      const KeyId = await gateway.key();
      await gateway.call("EnableKeyRotation", { KeyId });
      return { KeyId };
    },
    check: async (_answer, gateway, { KeyId }) =>
      expect(await gateway.call("GetKeyRotationStatus", { KeyId })).toMatchObject({ KeyRotationEnabled: false }),
    refused: { [WRONG_STATE]: async (gateway) => ({ KeyId: await gateway.dyingKey() }) },
  },
  GetKeyRotationStatus: {
    request: async (gateway) => {
      const KeyId = await gateway.key();
      await gateway.call("EnableKeyRotation", { KeyId });
      return { KeyId };
    },
    check: (answer) => expect(answer).toMatchObject({ KeyRotationEnabled: true }),
    refused: { [NOT_FOUND]: unknown },
  },
  RotateKey: {
    request: async (gateway) => ({ KeyId: await gateway.key() }),
    check: async ({ TaskId }, gateway, { KeyId }) => {
      expect(TaskId).toMatch(/^[0-9a-f-]{36}$/);
      const { KeyMetadata } = await gateway.call("DescribeKey", { KeyId });
      expect(KeyMetadata?.LastRotateTime).toBe(Math.floor(gateway.clock.now() / 1000));
    },
    refused: {
      [DISABLED]: async (gateway) => ({ KeyId: await gateway.disabledKey() }),
      [EXTERNAL]: async (gateway) => ({ KeyId: await gateway.key({ Type: 2 }) }),
      [WRONG_USAGE]: async (gateway) => ({ KeyId: await gateway.key({ KeyUsage: "ASYMMETRIC_SIGN_VERIFY_ECC" }) }),
    },
  },
  ArchiveKey: moves((gateway) => gateway.key(), "Archived", {
    [WRONG_STATE]: async (gateway) => ({ KeyId: await gateway.key({ Type: 2 }) }),
    [NOT_USER_CREATED]: async (gateway) => ({ KeyId: await gateway.productKey() }),
  }),
  CancelKeyArchive: moves((gateway) => gateway.archivedKey(), "Enabled", {
    [WRONG_STATE]: async (gateway) => ({ KeyId: await gateway.key() }),
  }),
  ScheduleKeyDeletion: {
    request: async (gateway) => ({ KeyId: await gateway.disabledKey(), PendingWindowInDays: 7 }),
    check: async ({ DeletionDate, KeyId: answered }, gateway, { KeyId }) => {
      expect(answered).toBe(KeyId);
      expect(DeletionDate).toBe(Math.floor(gateway.clock.now() / 1000) + 7 * 86_400);
      expect((await gateway.call("DescribeKey", { KeyId })).KeyMetadata).toMatchObject({
        KeyState: "PendingDelete",
        DeletionDate,
      });
      gateway.clock.advance(7 * DAY_MS);
      expect((await gateway.refusal("DescribeKey", { KeyId })).Code).toBe(NOT_FOUND);
    },
    refused: {
      [SHOULD_BE_DISABLED]: async (gateway) => ({ KeyId: await gateway.key(), PendingWindowInDays: 7 }),
      [WRONG_STATE]: async (gateway) => ({ KeyId: await gateway.dyingKey(), PendingWindowInDays: 7 }),
      "InvalidParameter.InvalidPendingWindowInDays": () => ({ KeyId: UNKNOWN_ID, PendingWindowInDays: 31 }),
      [NOT_USER_CREATED]: async (gateway) => ({ KeyId: await gateway.productKey(), PendingWindowInDays: 7 }),
      "FailedOperation.CmkUsedByCloudProduct": async (gateway) => {
        const KeyId = await gateway.disabledKey();
        await gateway.call("BindCloudResource", { KeyId, ProductId: "cos", ResourceId: "bucket" });
        return { KeyId, PendingWindowInDays: 7 };
      },
    },
  },
  CancelKeyDeletion: {
    request: async (gateway) => ({ KeyId: await gateway.dyingKey() }),
    check: async (answer, gateway, { KeyId }) => {
      expect(answer.KeyId).toBe(KeyId);
      expect(await state(gateway, KeyId)).toBe("Disabled");
    },
    refused: { [NOT_PENDING]: async (gateway) => ({ KeyId: await gateway.key() }) },
  },
};
