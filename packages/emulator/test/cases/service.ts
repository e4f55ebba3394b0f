// Calls of the actions on attributes, cloud resources, regions and the service itself.
import { expect } from "vitest";
import { OTHER_REGION, REGION, SM_REGION, UNKNOWN_ID } from "../gateway-support.js";
import type { ActionCases } from "./case.js";

const NOT_FOUND = "ResourceUnavailable.CmkNotFound";
const WRONG_STATE = "ResourceUnavailable.CmkStateNotSupport";
const UNLIMITED = 2 ** 31 - 1;

/** A request of an action that has no parameters. */
const surplus = { UnknownParameter: () => ({ Anything: 1 }) };

export const SERVICE_CASES: ActionCases<
  | "UpdateAlias"
  | "UpdateKeyDescription"
  | "GetKeyAttributes"
  | "SetKeyAttributes"
  | "BindCloudResource"
  | "UnbindCloudResource"
  | "GetSyncSupportRegion"
  | "ModifySyncTask"
  | "GetServiceStatus"
  | "GetRegions"
  | "ListAlgorithms"
  | "DescribeResourceIds"
  | "DescribeServiceList"
  | "ListKmsPremiumInstances"
  | "ListSDKVariants"
  | "ListEncryptionSDKVariants"
  | "GetSDKDownloadLink"
  | "GetEncryptionSDKDownloadLink"
> = {
  UpdateAlias: {
    request: async (gateway) => ({ KeyId: await gateway.key(), Alias: "renamed" }),
    check: async (_answer, gateway, { KeyId }) =>
      expect((await gateway.call("DescribeKey", { KeyId })).KeyMetadata?.Alias).toBe("renamed"),
    refused: {
      "InvalidParameterValue.AliasAlreadyExists": async (gateway) => {
        await gateway.key({ Alias: "taken" });
        return { KeyId: await gateway.key(), Alias: "taken" };
      },
      "InvalidParameterValue.InvalidAlias": async (gateway) => ({ KeyId: await gateway.key(), Alias: "kms-a" }),
      [NOT_FOUND]: () => ({ KeyId: UNKNOWN_ID, Alias: "a" }),
      [WRONG_STATE]: async (gateway) => ({ KeyId: await gateway.dyingKey(), Alias: "a" }),
    },
  },
  UpdateKeyDescription: {
    request: async (gateway) => ({ KeyId: await gateway.key({ Description: "old" }), Description: "" }),
    check: async (_answer, gateway, { KeyId }) =>
      expect((await gateway.call("DescribeKey", { KeyId })).KeyMetadata?.Description).toBe(""),
    refused: {
      InvalidParameterValue: () => ({ KeyId: UNKNOWN_ID, Description: "x".repeat(1025) }),
      [NOT_FOUND]: () => ({ KeyId: UNKNOWN_ID, Description: "" }),
    },
  },
  GetKeyAttributes: {
    request: async (gateway) => {
      const KeyId = await gateway.key();
      await gateway.call("SetKeyAttributes", { KeyId, Attributes: [{ Name: "__proto__", Value: "v" }] });
      return { KeyId };
    },
    check: ({ Attributes }) => expect(Attributes).toStrictEqual([{ Name: "__proto__", Value: "v" }]),
    refused: { [NOT_FOUND]: () => ({ KeyId: UNKNOWN_ID }) },
  },
  SetKeyAttributes: {
    request: async (gateway) => ({ KeyId: await gateway.key(), Attributes: [{ Name: "n", Value: "" }] }),
    check: async (_answer, gateway, { KeyId }) => {
      expect((await gateway.call("GetKeyAttributes", { KeyId })).Attributes).toStrictEqual([{ Name: "n", Value: "" }]);
      await gateway.call("SetKeyAttributes", { KeyId, Attributes: [] });
      expect((await gateway.call("GetKeyAttributes", { KeyId })).Attributes).toStrictEqual([]);
    },
    refused: {
      [WRONG_STATE]: async (gateway) => ({ KeyId: await gateway.dyingKey(), Attributes: [] }),
      InvalidParameterValue: () => ({
        KeyId: UNKNOWN_ID,
        Attributes: [
          { Name: "n", Value: "1" },
          { Name: "n", Value: "2" },
        ],
      }),
    },
  },
  BindCloudResource: {
    request: async (gateway) => ({ KeyId: await gateway.key(), ProductId: "cos", ResourceId: "bucket" }),
    check: async (_answer, gateway, { KeyId }) => {
      await gateway.call("DisableKey", { KeyId });
      const { Code } = await gateway.refusal("ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
      expect(Code).toBe("FailedOperation.CmkUsedByCloudProduct");
    },
    refused: {
      [NOT_FOUND]: () => ({ KeyId: UNKNOWN_ID, ProductId: "cos", ResourceId: "bucket" }),
      [WRONG_STATE]: async (gateway) => ({ KeyId: await gateway.dyingKey(), ProductId: "cos", ResourceId: "bucket" }),
    },
  },
  UnbindCloudResource: {
    request: async (gateway) => {
      const request = { KeyId: await gateway.key(), ProductId: "cos", ResourceId: "bucket" };
      await gateway.call("BindCloudResource", request);
      return request;
    },
    check: async (_answer, gateway, request) => {
      const { Code } = await gateway.refusal("UnbindCloudResource", request);
      expect(Code).toBe("ResourceUnavailable.CloudResourceBindingNotFound");
    },
    refused: {
      "ResourceUnavailable.CloudResourceBindingNotFound": async (gateway) => ({
        KeyId: await gateway.key(),
        ProductId: "cos",
        ResourceId: "bucket",
      }),
    },
  },
  GetSyncSupportRegion: {
    request: () => ({}),
    check: ({ Regions }) => expect(Regions).toStrictEqual([OTHER_REGION, SM_REGION]),
    refused: surplus,
  },
  ModifySyncTask: {
    request: async (gateway) => {
      await gateway.key({ Alias: "copied" });
      return { Destinations: [{ DestinationRegion: OTHER_REGION }] };
    },
    check: async (_answer, gateway) => {
      const nowSeconds = Math.floor(gateway.clock.now() / 1000);
      const { KeyMetadatas = [] } = await gateway.call("ListKeyDetail", {}, { region: OTHER_REGION });
      expect(KeyMetadatas).toHaveLength(1);
      const sync = { SyncStatus: 1, SyncMessages: "", SyncStartTime: nowSeconds, SyncEndTime: nowSeconds };
      expect(KeyMetadatas[0]).toMatchObject({ Alias: "copied", IsSyncReplica: 1, SourceRegion: REGION, ...sync });
      const KeyId = KeyMetadatas[0]?.KeyId ?? "";
      const { KeyMetadata } = await gateway.call("DescribeKey", { KeyId });
      expect(KeyMetadata).toMatchObject({ IsSyncReplica: 0, SourceRegion: "", ...sync });
      const { Code } = await gateway.refusal("DisableKey", { KeyId }, { region: OTHER_REGION });
      expect(Code).toBe(WRONG_STATE);
      const { SyncTaskList } = await gateway.call("GetServiceStatus", {});
      expect(SyncTaskList).toStrictEqual([{ DestinationRegion: OTHER_REGION, HsmClusterId: "" }]);
      // An alias that is taken there.
      await gateway.key({ Alias: "both" }, { region: OTHER_REGION });
      const both = await gateway.key({ Alias: "both" });
      const described = await gateway.call("DescribeKey", { KeyId: both });
      expect(described.KeyMetadata).toMatchObject({ SyncStatus: 2, SyncMessages: expect.stringContaining("both") });
    },
    refused: {
      InvalidParameterValue: () => ({ Destinations: [{ DestinationRegion: "eu-frankfurt" }] }),
      ResourceNotFound: () => ({ Destinations: [{ DestinationRegion: OTHER_REGION, HsmClusterId: "c" }] }),
    },
  },
  GetServiceStatus: {
    request: async (gateway) => {
      await gateway.dataKey();
      return {};
    },
    check: (answer) =>
      expect(answer).toMatchObject({
        ServiceEnabled: true,
        CmkUserCount: 1,
        CmkLimit: UNLIMITED,
        IsAllowedDataKeyHosted: true,
        DataKeyUsedCount: 1,
        SyncTaskList: [],
        IsAllowedSync: true,
        QpsLimit: UNLIMITED,
        RegionsQps: [{ Region: REGION, Qps: UNLIMITED }],
      }),
    refused: surplus,
  },
  GetRegions: {
    request: () => ({}),
    check: ({ Regions }) => expect(Regions).toStrictEqual([REGION, OTHER_REGION, SM_REGION]),
    refused: surplus,
  },
  ListAlgorithms: {
    request: () => ({}),
    check: async (answer, gateway) => {
      expect(answer.SymmetricAlgorithms).toStrictEqual([{ KeyUsage: "ENCRYPT_DECRYPT", Algorithm: "AES_256" }]);
      expect(answer.AsymmetricAlgorithms).toContainEqual({
        KeyUsage: "ASYMMETRIC_DECRYPT_RSA_2048",
        Algorithm: "RSAES_OAEP_SHA_256",
      });
      expect(answer.AsymmetricSignVerifyAlgorithms).toContainEqual({
        KeyUsage: "ASYMMETRIC_SIGN_VERIFY_ECC",
        Algorithm: "ECC_P256_R1",
      });
      const sm = await gateway.call("ListAlgorithms", {}, { region: SM_REGION });
      expect(sm.SymmetricAlgorithms).toStrictEqual([{ KeyUsage: "ENCRYPT_DECRYPT", Algorithm: "SM4" }]);
      const all = [answer.SymmetricAlgorithms, answer.AsymmetricAlgorithms, answer.AsymmetricSignVerifyAlgorithms];
      const usages = new Set(all.flat().map((row) => row?.KeyUsage));
      expect([...usages].sort()).toStrictEqual([
        "ASYMMETRIC_DECRYPT_KYBER_AES",
        "ASYMMETRIC_DECRYPT_RSA_2048",
        "ASYMMETRIC_DECRYPT_SM2",
        "ASYMMETRIC_SIGN_VERIFY_DILITHIUM",
        "ASYMMETRIC_SIGN_VERIFY_ECC",
        "ASYMMETRIC_SIGN_VERIFY_ECDSA384",
        "ASYMMETRIC_SIGN_VERIFY_RSA_2048",
        "ASYMMETRIC_SIGN_VERIFY_SM2",
        "ENCRYPT_DECRYPT",
      ]);
    },
    refused: surplus,
  },
  DescribeResourceIds: {
    request: async (gateway) => {
      await gateway.dataKey();
      await gateway.whiteBoxKey();
      return {};
    },
    check: ({ ResourceIds }) => expect(ResourceIds).toHaveLength(3),
    refused: surplus,
  },
  DescribeServiceList: {
    request: () => ({}),
    check: ({ Services }) => expect(Services).toStrictEqual([{ Name: "kms", State: "running" }]),
    refused: surplus,
  },
  ListKmsPremiumInstances: {
    request: () => ({}),
    check: (answer) => expect(answer).toMatchObject({ Instances: [], TotalCount: 0 }),
    refused: surplus,
  },
  ListSDKVariants: {
    request: () => ({}),
    check: ({ Variants = [] }) => expect(Variants.map(({ Name }) => Name)).toContain("@fengni/cli"),
    refused: surplus,
  },
  ListEncryptionSDKVariants: {
    request: () => ({}),
    check: ({ Variants = [] }) => expect(Variants.map(({ Name }) => Name)).toContain("@fengni/core"),
    refused: surplus,
  },
  GetSDKDownloadLink: {
    request: () => ({ Variant: "@fengni/cli" }),
    check: ({ Links }) =>
      expect(Links).toStrictEqual([{ Name: "@fengni/cli", Version: "0.1.0", Link: "npm:@fengni/cli@0.1.0" }]),
    refused: { ResourceNotFound: () => ({ Variant: "none" }) },
  },
  GetEncryptionSDKDownloadLink: {
    request: () => ({}),
    check: ({ Links = [] }) => expect(Links[0]?.Name).toBe("@fengni/core"),
    refused: { ResourceNotFound: () => ({ Variant: "none" }) },
  },
};
