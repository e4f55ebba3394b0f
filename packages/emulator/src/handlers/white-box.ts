// The actions on white-box keys: translation only.
import type {
  CreateWhiteBoxKeyRequest,
  DescribeWhiteBoxKeyDetailsRequest,
  DeviceFingerprint,
  EncryptByWhiteBoxRequest,
  WhiteBoxAlgorithm,
} from "@fengni/backend-local";
import type { Handlers } from "../call.js";
import {
  base64Of,
  bytesOf,
  defined,
  oneOf,
  secretBase64Of,
  TAGGED,
  tagFiltersOf,
  tagsOf,
  withBytes,
} from "../formats.js";
import { describeWhiteBoxKey } from "./describe.js";

type Names =
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
  | "OverwriteWhiteBoxDeviceFingerprints";

const ALGORITHMS: readonly WhiteBoxAlgorithm[] = ["AES_256", "SM4"];
/** The states by the number that a filter has for them. */
const STATES = ["disabled", "enabled"] as const;

/** The handlers of the group. */
export const WHITE_BOX: Handlers<Names> = {
  async CreateWhiteBoxKey(kms, { Alias, Algorithm, Description, Tags = [] }, { options }) {
    const request = { alias: Alias, algorithm: oneOf("Algorithm", Algorithm, ALGORITHMS), tags: tagsOf(Tags) };
    const created = await kms.createWhiteBoxKey(
      { ...request, ...defined<CreateWhiteBoxKeyRequest>({ description: Description }) },
      options,
    );
    return {
      EncryptKey: secretBase64Of(created.encryptKey),
      DecryptKey: secretBase64Of(created.decryptKey),
      KeyId: created.keyId,
      ...TAGGED,
    };
  },
  async DescribeWhiteBoxKey(kms, { KeyId }, call) {
    return { KeyInfo: describeWhiteBoxKey(await kms.describeWhiteBoxKey({ keyId: KeyId }, call.options), call) };
  },
  async DescribeWhiteBoxKeyDetails(kms, { KeyStatus, Offset, Limit, TagFilters = [] }, call) {
    const { keys, total } = await kms.describeWhiteBoxKeyDetails(
      {
        tagFilters: tagFiltersOf(TagFilters),
        ...defined<DescribeWhiteBoxKeyDetailsRequest>({
          offset: Offset,
          limit: Limit,
          state: KeyStatus === undefined ? undefined : STATES[KeyStatus],
        }),
      },
      call.options,
    );
    return { KeyInfos: keys.map((key) => describeWhiteBoxKey(key, call)), TotalCount: total };
  },
  async DescribeWhiteBoxDecryptKey(kms, { KeyId }, { options }) {
    const { decryptKey } = await kms.describeWhiteBoxDecryptKey({ keyId: KeyId }, options);
    return { DecryptKey: secretBase64Of(decryptKey) };
  },
  async DescribeWhiteBoxServiceStatus(kms, _request, { options }) {
    return { ServiceEnabled: (await kms.describeWhiteBoxServiceStatus({}, options)).isEnabled };
  },
  async EnableWhiteBoxKey(kms, { KeyId }, { options }) {
    await kms.enableWhiteBoxKey({ keyId: KeyId }, options);
    return {};
  },
  async EnableWhiteBoxKeys(kms, { KeyIds }, { options }) {
    await kms.enableWhiteBoxKeys({ keyIds: KeyIds }, options);
    return {};
  },
  async DisableWhiteBoxKey(kms, { KeyId }, { options }) {
    await kms.disableWhiteBoxKey({ keyId: KeyId }, options);
    return {};
  },
  async DisableWhiteBoxKeys(kms, { KeyIds }, { options }) {
    await kms.disableWhiteBoxKeys({ keyIds: KeyIds }, options);
    return {};
  },
  async DeleteWhiteBoxKey(kms, { KeyId }, { options }) {
    await kms.deleteWhiteBoxKey({ keyId: KeyId }, options);
    return {};
  },
  async EncryptByWhiteBox(kms, { KeyId, PlainText, InitializationVector }, { options }) {
    const initializationVector =
      InitializationVector === undefined ? undefined : bytesOf("InitializationVector", InitializationVector);
    const encrypted = await withBytes("PlainText", PlainText, (plaintext) =>
      kms.encryptByWhiteBox(
        { keyId: KeyId, plaintext, ...defined<EncryptByWhiteBoxRequest>({ initializationVector }) },
        options,
      ),
    );
    return {
      InitializationVector: base64Of(encrypted.initializationVector),
      CipherText: base64Of(encrypted.ciphertext),
    };
  },
  async DescribeWhiteBoxDeviceFingerprints(kms, { KeyId }, { options }) {
    const { deviceFingerprints } = await kms.describeWhiteBoxDeviceFingerprints({ keyId: KeyId }, options);
    return {
      DeviceFingerprints: deviceFingerprints.map(({ identity, description = "" }) => ({
        Identity: identity,
        Description: description,
      })),
    };
  },
  async OverwriteWhiteBoxDeviceFingerprints(kms, { KeyId, DeviceFingerprints = [] }, { options }) {
    const deviceFingerprints = DeviceFingerprints.map(({ Identity, Description }) => ({
      identity: Identity,
      ...defined<DeviceFingerprint>({ description: Description }),
    }));
    await kms.overwriteWhiteBoxDeviceFingerprints({ keyId: KeyId, deviceFingerprints }, options);
    return {};
  },
};
