// The actions on data keys, those that are kept among them: translation only.
import type {
  DataKeySpec,
  DataKeyState,
  ImportDataKeyRequest,
  LocalGenerateDataKeyRequest,
  ListDataKeyDetailRequest as LocalListRequest,
} from "@fengni/backend-local";
import type { KeyState } from "@fengni/core";
import type { ListDataKeyDetailRequest } from "@fengni/kms-api";
import type { Handlers } from "../call.js";
import {
  base64Of,
  contextOf,
  defined,
  oneOf,
  orderOf,
  originOf,
  ownerOf,
  pageOf,
  secondsOf,
  secretBase64Of,
  stateOf,
  TAGGED,
  tagFiltersOf,
  tagsOf,
  withBytes,
} from "../formats.js";
import { describeDataKey } from "./describe.js";
import { recipientOf } from "./recipient.js";

type Names =
  | "GenerateDataKey"
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
  | "CancelDataKeyDeletion";

const DATA_KEY_SPECS: readonly DataKeySpec[] = ["AES_128", "AES_256"];
/** `IsHostedByKms` of a data key that is kept. */
const HOSTED = 1;
/** `ImportType` of what GenerateDataKey gave; 2 is the data key itself. */
const IMPORT_CIPHERTEXT = 1;

/** The handlers of the group. */
export const DATA_KEYS: Handlers<Names> = {
  async GenerateDataKey(kms, request, { options }) {
    const { KeySpec, Tags } = request;
    const { keyId, plaintext, ciphertext, dataKeyId } = await kms.generateDataKey(
      {
        keyId: request.KeyId,
        isHostedByKms: request.IsHostedByKms === HOSTED,
        ...defined<LocalGenerateDataKeyRequest>({
          keySpec: KeySpec === undefined ? undefined : oneOf("KeySpec", KeySpec, DATA_KEY_SPECS),
          numberOfBytes: request.NumberOfBytes,
          encryptionContext: contextOf(request.EncryptionContext),
          dataKeyName: request.DataKeyName,
          description: request.Description,
          tags: Tags === undefined ? undefined : tagsOf(Tags),
        }),
        ...recipientOf(request),
      },
      options,
    );
    return {
      KeyId: keyId,
      Plaintext: secretBase64Of(plaintext),
      CiphertextBlob: base64Of(ciphertext),
      ...(dataKeyId === undefined ? {} : { DataKeyId: dataKeyId, ...TAGGED }),
    };
  },
  async ImportDataKey(kms, request, { options }) {
    const { ImportType, Tags } = request;
    const { keyId, dataKeyId } = await withBytes("ImportKeyMaterial", request.ImportKeyMaterial, (importKeyMaterial) =>
      kms.importDataKey(
        {
          dataKeyName: request.DataKeyName,
          importType: ImportType === IMPORT_CIPHERTEXT ? "ciphertext" : "plaintext",
          importKeyMaterial,
          ...defined<ImportDataKeyRequest>({
            keyId: request.KeyId,
            description: request.Description,
            tags: Tags === undefined ? undefined : tagsOf(Tags),
          }),
        },
        options,
      ),
    );
    return { KeyId: keyId, DataKeyId: dataKeyId, ...TAGGED };
  },
  async GetDataKeyPlaintext(kms, request, { options }) {
    const wanted = { dataKeyId: request.DataKeyId, ...recipientOf(request) };
    return { Plaintext: secretBase64Of((await kms.getDataKeyPlaintext(wanted, options)).plaintext) };
  },
  async GetDataKeyCiphertextBlob(kms, { DataKeyId }, { options }) {
    const { ciphertext } = await kms.getDataKeyCiphertextBlob({ dataKeyId: DataKeyId }, options);
    return { CiphertextBlob: base64Of(ciphertext) };
  },
  async DescribeDataKey(kms, { DataKeyId }, call) {
    const dataKey = await kms.describeDataKey({ dataKeyId: DataKeyId }, call.options);
    return { DataKeyMetadata: describeDataKey(dataKey, call) };
  },
  async DescribeDataKeys(kms, { DataKeyIds }, call) {
    const { dataKeys } = await kms.describeDataKeys({ dataKeyIds: DataKeyIds }, call.options);
    return { DataKeyMetadatas: dataKeys.map((dataKey) => describeDataKey(dataKey, call)) };
  },
  async ListDataKeys(kms, request, { options }) {
    const { dataKeys, total } = await kms.listDataKeys({ ...pageOf(request), owner: ownerOf(request.Role) }, options);
    return { DataKeys: dataKeys.map(({ dataKeyId }) => ({ DataKeyId: dataKeyId })), TotalCount: total };
  },
  async ListDataKeyDetail(kms, request, call) {
    const { dataKeys, total } = await kms.listDataKeyDetail(filtersOf(request), call.options);
    // Asked for nevertheless, so that the caller's right to ask is checked.
    if (isKeyStateOnly(stateOf(request.KeyState))) return { DataKeyMetadatas: [], TotalCount: 0 };
    return { DataKeyMetadatas: dataKeys.map((dataKey) => describeDataKey(dataKey, call)), TotalCount: total };
  },
  async EnableDataKey(kms, { DataKeyId }, { options }) {
    await kms.enableDataKey({ dataKeyId: DataKeyId }, options);
    return {};
  },
  async EnableDataKeys(kms, { DataKeyIds }, { options }) {
    await kms.enableDataKeys({ dataKeyIds: DataKeyIds }, options);
    return {};
  },
  async DisableDataKey(kms, { DataKeyId }, { options }) {
    await kms.disableDataKey({ dataKeyId: DataKeyId }, options);
    return {};
  },
  async DisableDataKeys(kms, { DataKeyIds }, { options }) {
    await kms.disableDataKeys({ dataKeyIds: DataKeyIds }, options);
    return {};
  },
  async UpdateDataKeyName(kms, { DataKeyId, DataKeyName }, { options }) {
    await kms.updateDataKeyName({ dataKeyId: DataKeyId, dataKeyName: DataKeyName }, options);
    return {};
  },
  async UpdateDataKeyDescription(kms, { DataKeyId, Description }, { options }) {
    await kms.updateDataKeyDescription({ dataKeyId: DataKeyId, description: Description }, options);
    return {};
  },
  async ScheduleDataKeyDeletion(kms, { DataKeyId, PendingWindowInDays }, { options }) {
    const request = { dataKeyId: DataKeyId, pendingWindowDays: PendingWindowInDays };
    const { dataKeyId, deletionAtMs } = await kms.scheduleDataKeyDeletion(request, options);
    return { DeletionDate: secondsOf(deletionAtMs), DataKeyId: dataKeyId };
  },
  async CancelDataKeyDeletion(kms, { DataKeyId }, { options }) {
    return { DataKeyId: (await kms.cancelDataKeyDeletion({ dataKeyId: DataKeyId }, options)).dataKeyId };
  },
};

function filtersOf(request: ListDataKeyDetailRequest): LocalListRequest {
  const { DataKeyLen = 0, TagFilters = [] } = request;
  const state = stateOf(request.KeyState);
  return {
    ...pageOf(request),
    owner: ownerOf(request.Role),
    order: orderOf(request.OrderType),
    ...defined<LocalListRequest>({
      state: isKeyStateOnly(state) ? undefined : state,
      search: request.SearchKeyAlias,
      origin: originOf(request.Origin),
      keyId: request.KeyId,
      // 0 is no length: it asks for all.
      numberOfBytes: DataKeyLen === 0 ? undefined : DataKeyLen,
    }),
    tagFilters: tagFiltersOf(TagFilters),
  };
}

/** Whether no data key is ever in a state that a filter may name. */
function isKeyStateOnly(state: KeyState | undefined): state is Exclude<KeyState, DataKeyState> {
  return state === "pending-import" || state === "archived";
}
