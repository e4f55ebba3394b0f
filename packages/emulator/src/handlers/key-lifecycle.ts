// The actions on the life of keys, and their lists: translation only. What they do is the local KMS's.
import type {
  EnableKeyRotationRequest,
  LocalCreateKeyRequest,
  LocalListKeysResult,
  ListKeyDetailRequest as LocalListRequest,
} from "@fengni/backend-local";
import type { CreateKeyRequest, Key, ListKeyDetailRequest } from "@fengni/kms-api";
import type { Handlers } from "../call.js";
import {
  DEFAULT_KEY_USAGE,
  defined,
  orderOf,
  originOf,
  ownerOf,
  pageOf,
  STATE_NAMES,
  secondsOf,
  stateOf,
  TAGGED,
  tagFiltersOf,
  tagsOf,
  usageNameOf,
  usageOf,
} from "../formats.js";
import { describeKey } from "./describe.js";

/** `Type` of a request for a key whose material is imported. */
const EXTERNAL_TYPE = 2;
/** The usage of a filter that takes every key. */
const ALL = "ALL";

type Names =
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
  | "CancelKeyDeletion";

/** The handlers of the group. */
export const KEY_LIFECYCLE: Handlers<Names> = {
  async CreateKey(kms, request, call) {
    const key = await kms.createKey(newKeyOf(request), call.options);
    return {
      KeyId: key.keyId,
      Alias: key.alias ?? "",
      CreateTime: secondsOf(key.createdAtMs),
      Description: key.description,
      KeyState: STATE_NAMES[key.state],
      KeyUsage: usageNameOf(key),
      ...TAGGED,
      HsmClusterId: "",
    };
  },
  async DescribeKey(kms, { KeyId }, call) {
    return { KeyMetadata: describeKey(await kms.describeKey({ keyId: KeyId }, call.options), call) };
  },
  async DescribeKeys(kms, { KeyIds }, call) {
    const { keys } = await kms.describeKeys({ keyIds: KeyIds }, call.options);
    return { KeyMetadatas: keys.map((key) => describeKey(key, call)) };
  },
  async ListKey(kms, request, call) {
    return idsOf(await kms.listKey(pageOf(request), call.options));
  },
  async ListKeys(kms, request, call) {
    return idsOf(await kms.listKeys({ ...pageOf(request), owner: ownerOf(request.Role) }, call.options));
  },
  async ListKeyDetail(kms, request, call) {
    const { keys, total } = await kms.listKeyDetail(filtersOf(request), call.options);
    return { TotalCount: total, KeyMetadatas: keys.map((key) => describeKey(key, call)) };
  },
  async EnableKey(kms, { KeyId }, { options }) {
    await kms.enableKey({ keyId: KeyId }, options);
    return {};
  },
  async EnableKeys(kms, { KeyIds }, { options }) {
    await kms.enableKeys({ keyIds: KeyIds }, options);
    return {};
  },
  async DisableKey(kms, { KeyId }, { options }) {
    await kms.disableKey({ keyId: KeyId }, options);
    return {};
  },
  async DisableKeys(kms, { KeyIds }, { options }) {
    await kms.disableKeys({ keyIds: KeyIds }, options);
    return {};
  },
  async EnableKeyRotation(kms, { KeyId, RotateDays }, { options }) {
    await kms.enableKeyRotation(
      { keyId: KeyId, ...defined<EnableKeyRotationRequest>({ rotationPeriodDays: RotateDays }) },
      options,
    );
    return {};
  },
  async DisableKeyRotation(kms, { KeyId }, { options }) {
    await kms.disableKeyRotation({ keyId: KeyId }, options);
    return {};
  },
  async GetKeyRotationStatus(kms, { KeyId }, { options }) {
    const { keyRotationEnabled } = await kms.getKeyRotationStatus({ keyId: KeyId }, options);
    return { KeyRotationEnabled: keyRotationEnabled };
  },
  async RotateKey(kms, { KeyId }, { options }) {
    return { TaskId: (await kms.rotateKey({ keyId: KeyId }, options)).taskId };
  },
  async ArchiveKey(kms, { KeyId }, { options }) {
    await kms.archiveKey({ keyId: KeyId }, options);
    return {};
  },
  async CancelKeyArchive(kms, { KeyId }, { options }) {
    await kms.cancelKeyArchive({ keyId: KeyId }, options);
    return {};
  },
  async ScheduleKeyDeletion(kms, { KeyId, PendingWindowInDays }, { options }) {
    const request = { keyId: KeyId, pendingWindowDays: PendingWindowInDays };
    const { keyId, deletionAtMs } = await kms.scheduleKeyDeletion(request, options);
    return { DeletionDate: secondsOf(deletionAtMs), KeyId: keyId };
  },
  async CancelKeyDeletion(kms, { KeyId }, { options }) {
    return { KeyId: (await kms.cancelKeyDeletion({ keyId: KeyId }, options)).keyId };
  },
};

function newKeyOf({
  Alias,
  Description,
  KeyUsage = DEFAULT_KEY_USAGE,
  Type,
  Tags = [],
}: CreateKeyRequest): LocalCreateKeyRequest {
  return {
    alias: Alias,
    ...usageOf(KeyUsage),
    origin: Type === EXTERNAL_TYPE ? "external" : "provider",
    tags: tagsOf(Tags),
    ...defined<LocalCreateKeyRequest>({ description: Description }),
  };
}

function idsOf({ keys, total }: LocalListKeysResult): { readonly Keys: readonly Key[]; readonly TotalCount: number } {
  return { Keys: keys.map(({ keyId }) => ({ KeyId: keyId })), TotalCount: total };
}

function filtersOf(request: ListKeyDetailRequest): LocalListRequest {
  const { KeyUsage = DEFAULT_KEY_USAGE, TagFilters = [] } = request;
  return {
    ...pageOf(request),
    owner: ownerOf(request.Role),
    order: orderOf(request.OrderType),
    ...defined<LocalListRequest>({
      state: stateOf(request.KeyState),
      search: request.SearchKeyAlias,
      origin: originOf(request.Origin),
    }),
    ...(KeyUsage === ALL ? {} : usageOf(KeyUsage)),
    tagFilters: tagFiltersOf(TagFilters),
  };
}
