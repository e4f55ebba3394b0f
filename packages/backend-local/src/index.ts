// The whole public surface of backend-local.
export {
  type AccessRequest,
  type AccessResource,
  type Authorizer,
  type Caller,
  DEFAULT_CALLER,
  type EmptyRequest,
  type LocalCallOptions,
} from "./access.js";
export { LocalKeyAdmin, type LocalKeyAdminOptions } from "./admin.js";
export { RESERVED_ALIAS_PREFIX } from "./aliases.js";
export {
  type AsymmetricOperations,
  type AsymmetricRsaDecryptRequest,
  type AsymmetricSm2DecryptRequest,
  type GetPublicKeyRequest,
  type GetPublicKeyResult,
  MAX_SM2_CIPHERTEXT_BYTES,
  type SignByAsymmetricKeyRequest,
  type VerifyByAsymmetricKeyRequest,
} from "./asymmetric.js";
export {
  type AttributeOperations,
  type KeyAttributes,
  MAX_ATTRIBUTE_NAME_CHARACTERS,
  MAX_ATTRIBUTE_VALUE_CHARACTERS,
  MAX_ATTRIBUTES,
  type SetKeyAttributesRequest,
  type UpdateAliasRequest,
  type UpdateKeyDescriptionRequest,
} from "./attributes.js";
export { type BranchKeyFile, type BranchKeyFileOptions, openBranchKeyFile } from "./branch-key-file.js";
export {
  DEFAULT_ADMIN_LIST_LIMIT,
  MAX_ALIAS_CHARACTERS,
  MAX_CONTEXT_CHARACTERS,
  MAX_DATA_KEY_BYTES,
  MAX_DESCRIPTION_BYTES,
  MAX_LIST_LIMIT,
  MAX_MESSAGE_BYTES,
  MAX_PENDING_WINDOW_DAYS,
  MAX_PLAINTEXT_BYTES,
  MIN_PENDING_WINDOW_DAYS,
} from "./checks.js";
export {
  DEFAULT_PAGE_LIMIT,
  MAX_BATCH_IDS,
  MAX_TAG_KEY_CHARACTERS,
  MAX_TAG_VALUE_CHARACTERS,
  MAX_TAGS,
  type PageRequest,
  type TagFilter,
} from "./checks-lists.js";
export { type Clock, ManualClock, systemClock } from "./clock.js";
export {
  type CloudResourceOperations,
  type CloudResourceRequest,
  MAX_CLOUD_RESOURCES,
} from "./cloud-resources.js";
export type { LocalCreateKeyRequest } from "./create-key.js";
export type {
  DataKeyLifecycleOperations,
  DataKeyRequest,
  DataKeysRequest,
  DescribeDataKeysResult,
  ListDataKeyDetailRequest,
  ListDataKeyDetailResult,
  ListDataKeysRequest,
  ListDataKeysResult,
  ScheduleDataKeyDeletionRequest,
  ScheduleDataKeyDeletionResult,
  UpdateDataKeyDescriptionRequest,
  UpdateDataKeyNameRequest,
} from "./data-key-lifecycle.js";
export {
  DATA_KEY_STATE_TABLE,
  type DataKeyOperation,
  type DataKeyState,
  type DataKeyStateRow,
} from "./data-key-states.js";
export type {
  DataKeyOperations,
  DataKeySpec,
  GetDataKeyCiphertextBlobRequest,
  GetDataKeyCiphertextBlobResult,
  GetDataKeyPlaintextRequest,
  GetDataKeyPlaintextResult,
  ImportDataKeyRequest,
  ImportDataKeyResult,
  LocalGenerateDataKeyRequest,
  LocalGeneratedDataKey,
} from "./data-keys.js";
export { type HostedBranchKeysOptions, hostedBranchKeys } from "./hosted-branch-keys.js";
export { type DataKeyMetadata, MAX_DATA_KEY_DESCRIPTION_BYTES } from "./hosted-data-keys.js";
export {
  type DeleteImportedKeyMaterialRequest,
  type GetParametersForImportRequest,
  type GetParametersForImportResult,
  IMPORT_PARAMETERS_VALID_MS,
  type ImportOperations,
  MAX_IMPORT_PARAMETERS,
  MAX_VALID_TO_MS,
} from "./import.js";
export type { KeyMetadata } from "./keys.js";
export {
  type FileKeystoreOptions,
  openFileKeystore,
  type ResealOptions,
  resealFileKeystore,
} from "./keystore-file.js";
export { type KmsOperations, LocalKms, type LocalKmsConstructor, type LocalKmsOptions } from "./kms.js";
export type {
  CancelKeyDeletionResult,
  DescribeKeysResult,
  KeyRequest,
  KeysRequest,
  LifecycleOperations,
  ScheduleKeyDeletionRequest,
  ScheduleKeyDeletionResult,
} from "./lifecycle.js";
export type {
  KeyOwner,
  ListKeyDetailRequest,
  ListKeyDetailResult,
  ListOperations,
  LocalListKeysRequest,
  LocalListKeysResult,
} from "./lists.js";
export { type KmsOperation, OPERATION_GROUPS } from "./operations.js";
export type {
  PostQuantumCryptoDecryptRequest,
  PostQuantumCryptoDecryptResult,
  PostQuantumCryptoEncryptRequest,
  PostQuantumCryptoSignRequest,
  PostQuantumCryptoSignResult,
  PostQuantumCryptoVerifyRequest,
  PostQuantumCryptoVerifyResult,
  PostQuantumOperations,
} from "./post-quantum.js";
export { DEFAULT_PROVIDER_ID, LocalKeyProvider, type LocalKeyProviderOptions } from "./provider.js";
export {
  DEFAULT_PUBLIC_KEY_PROVIDER_ID,
  type PublicKeyOptions,
  PublicKeyProvider,
  type PublicKeyProviderOptions,
} from "./public-key-provider.js";
export {
  DEFAULT_RECIPIENT_ALGORITHM,
  type DeliveredPlaintext,
  type RecipientAlgorithm,
  type RecipientRequest,
} from "./recipient.js";
export type {
  CloudResource,
  DataKeyRecord,
  DeviceFingerprint,
  ImportRecord,
  KeyRecord,
  RecordAddress,
  RecordKind,
  RecordKinds,
  StoredRecord,
  SyncRecord,
  SyncStatus,
  Tags,
  WhiteBoxKeyRecord,
} from "./records.js";
export { DEFAULT_REGION, type LocalRegion } from "./regions.js";
export {
  type EnableKeyRotationRequest,
  type KeyRotationStatus,
  MAX_ROTATION_PERIOD_DAYS,
  MIN_ROTATION_PERIOD_DAYS,
  type RotateKeyResult,
  type RotationOperations,
} from "./rotation.js";
export { DEFAULT_SCRYPT_COST, type RootKey, type ScryptCost } from "./seal-root-key.js";
export type {
  AlgorithmDescription,
  ListAlgorithmsResult,
  ResourceId,
  SdkDownloadLinkRequest,
  SdkDownloadLinkResult,
  SdkVariants,
  ServiceDescription,
  ServiceOperations,
  ServiceStatus,
} from "./service.js";
export type { SdkVariant } from "./service-packages.js";
export { ASYMMETRIC_ENCRYPTION_ALGORITHMS, KEY_SPECS, SIGNATURE_ALGORITHMS } from "./specs.js";
export { type KeyOperation, type Refusal, STATE_TABLE, type StateRefusal, type StateRow } from "./states.js";
export type { ChangeOptions, QueryResult, RecordQuery, RecordStore, RecordTransaction, RecordView } from "./store.js";
export { MemoryRecordStore } from "./store-memory.js";
export {
  type GenerateRandomRequest,
  type GenerateRandomResult,
  type LocalDecryptRequest,
  type LocalDecryptResult,
  type LocalReEncryptResult,
  MAX_RANDOM_BYTES,
  type SymmetricOperations,
} from "./symmetric.js";
export type { ModifySyncTaskRequest, SyncOperations, SyncSupportRegions } from "./sync.js";
export type {
  CreateWhiteBoxKeyRequest,
  CreateWhiteBoxKeyResult,
  DescribeWhiteBoxKeyDetailsRequest,
  DescribeWhiteBoxKeyDetailsResult,
  EncryptByWhiteBoxRequest,
  EncryptByWhiteBoxResult,
  OverwriteWhiteBoxDeviceFingerprintsRequest,
  WhiteBoxKeyRequest,
  WhiteBoxKeysRequest,
  WhiteBoxOperations,
} from "./white-box.js";
export { type WhiteBoxDecryptRequest, whiteBoxDecrypt } from "./white-box-cipher.js";
export { MAX_DEVICE_FINGERPRINTS, type WhiteBoxAlgorithm } from "./white-box-container.js";
export { MAX_WHITE_BOX_BATCH, type WhiteBoxKeyMetadata } from "./white-box-lifecycle.js";
