// The actions by which the service tells of itself: translation only.
import type {
  AlgorithmDescription,
  SdkDownloadLinkRequest,
  SdkDownloadLinkResult,
  SdkVariants,
  ServiceStatus,
} from "@fengni/backend-local";
import type { AlgorithmInfo, GetServiceStatusResponse, SdkVariant } from "@fengni/kms-api";
import type { Handlers } from "../call.js";
import { algorithmNameOf, defined, usageNameOf } from "../formats.js";

type Names =
  | "GetServiceStatus"
  | "GetRegions"
  | "ListAlgorithms"
  | "DescribeResourceIds"
  | "DescribeServiceList"
  | "ListKmsPremiumInstances"
  | "ListSDKVariants"
  | "ListEncryptionSDKVariants"
  | "GetSDKDownloadLink"
  | "GetEncryptionSDKDownloadLink";

/** What stands for "no limit" where the service tells a number. */
const UNLIMITED = 2 ** 31 - 1;
/** `UserLevel` of an account for which all is allowed. */
const HIGHEST_LEVEL = 1;

/** The handlers of the group. */
export const SERVICE_INFO: Handlers<Names> = {
  async GetServiceStatus(kms, _request, { options }) {
    return describeStatus(await kms.getServiceStatus({}, options));
  },
  async GetRegions(kms, _request, { options }) {
    return { Regions: (await kms.getRegions({}, options)).regions };
  },
  async ListAlgorithms(kms, _request, { options, isSmRegion }) {
    const { symmetric, asymmetric, signVerify, postQuantum } = await kms.listAlgorithms({}, options);
    // Symmetric keys have no choice of algorithm: the region has one.
    const regionSpec = isSmRegion ? "SM4" : "AES_256";
    const isSigning = ({ keyUsage }: AlgorithmDescription): boolean => keyUsage === "sign-verify";
    return {
      SymmetricAlgorithms: symmetric.filter(({ keySpec }) => keySpec === regionSpec).map(describeAlgorithm),
      AsymmetricAlgorithms: [...asymmetric, ...postQuantum.filter((row) => !isSigning(row))].map(describeAlgorithm),
      AsymmetricSignVerifyAlgorithms: [...signVerify, ...postQuantum.filter(isSigning)].map(describeAlgorithm),
    };
  },
  async DescribeResourceIds(kms, _request, { options }) {
    const { resourceIds } = await kms.describeResourceIds({}, options);
    return { ResourceIds: resourceIds.map(({ id }) => id) };
  },
  async DescribeServiceList(kms, _request, { options }) {
    const { services } = await kms.describeServiceList({}, options);
    return { Services: services.map(({ name, state }) => ({ Name: name, State: state })) };
  },
  async ListKmsPremiumInstances(kms, _request, { options }) {
    const { instances, total } = await kms.listKmsPremiumInstances({}, options);
    return { Instances: instances, TotalCount: total };
  },
  async ListSDKVariants(kms, _request, { options }) {
    return { Variants: describeVariants(await kms.listSDKVariants({}, options)) };
  },
  async ListEncryptionSDKVariants(kms, _request, { options }) {
    return { Variants: describeVariants(await kms.listEncryptionSDKVariants({}, options)) };
  },
  async GetSDKDownloadLink(kms, { Variant }, { options }) {
    return {
      Links: [
        describeLink(await kms.getSDKDownloadLink(defined<SdkDownloadLinkRequest>({ variant: Variant }), options)),
      ],
    };
  },
  async GetEncryptionSDKDownloadLink(kms, { Variant }, { options }) {
    return {
      Links: [
        describeLink(
          await kms.getEncryptionSDKDownloadLink(defined<SdkDownloadLinkRequest>({ variant: Variant }), options),
        ),
      ],
    };
  },
};

function describeStatus(status: ServiceStatus): Omit<GetServiceStatusResponse, "RequestId"> {
  return {
    ServiceEnabled: status.isEnabled,
    // The service is valid: there is no reason why it is not.
    InvalidType: 0,
    UserLevel: HIGHEST_LEVEL,
    ProExpireTime: 0,
    ProRenewFlag: 0,
    ProResourceId: "",
    ExclusiveVSMEnabled: false,
    ExclusiveHSMEnabled: false,
    SubscriptionInfo: "",
    CmkUserCount: status.keyCount,
    CmkLimit: numberOf(status.keyLimit),
    ExclusiveHSMList: [],
    IsAllowedDataKeyHosted: status.isDataKeyHostingAllowed,
    DataKeyLimit: numberOf(status.dataKeyLimit),
    FreeDataKeyLimit: numberOf(status.dataKeyLimit),
    DataKeyUsedCount: status.dataKeyCount,
    SyncTaskList: status.syncDestinations.map((name) => ({ DestinationRegion: name, HsmClusterId: "" })),
    IsAllowedSync: status.isSyncAllowed,
    QpsLimit: numberOf(status.requestsPerSecond),
    QpsTotalLimit: numberOf(status.requestsPerSecond),
    RegionsQps: [{ Region: status.region, Qps: numberOf(status.requestsPerSecond) }],
  };
}

function numberOf(limit: number | "unlimited"): number {
  return limit === "unlimited" ? UNLIMITED : limit;
}

function describeAlgorithm(description: AlgorithmDescription): AlgorithmInfo {
  return { KeyUsage: usageNameOf(description), Algorithm: algorithmNameOf(description.algorithm) };
}

function describeVariants({ variants }: SdkVariants): readonly SdkVariant[] {
  return variants.map(({ variant, version }) => ({ Name: variant, Version: version }));
}

function describeLink({ variant, version, link }: SdkDownloadLinkResult): SdkVariant {
  return { Name: variant, Version: version, Link: link };
}
