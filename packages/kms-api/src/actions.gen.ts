// Generated from actions.json by scripts/generate.mjs; do not edit. The type of every action's request and response.

/** The model AlgorithmInfo. */
export interface AlgorithmInfo {
  readonly KeyUsage?: string;
  readonly Algorithm?: string;
}

/** The model DataKey. */
export interface DataKey {
  readonly DataKeyId?: string;
}

/** The model DataKeyMetadata. */
export interface DataKeyMetadata {
  readonly DataKeyId?: string;
  readonly KeyId?: string;
  readonly KeyName?: string;
  readonly DataKeyName?: string;
  readonly NumberOfBytes?: number;
  readonly CreateTime?: number;
  readonly Description?: string;
  readonly KeyState?: string;
  readonly CreatorUin?: number;
  readonly Owner?: string;
  readonly DeletionDate?: number;
  readonly Origin?: string;
  readonly HsmClusterId?: string;
  readonly ResourceId?: string;
  readonly IsSyncReplica?: number;
  readonly SourceRegion?: string;
  readonly SyncStatus?: number;
  readonly SyncMessages?: string;
  readonly SyncStartTime?: number;
  readonly SyncEndTime?: number;
  readonly SourceHsmClusterId?: string;
  readonly AccountAppId?: number;
  readonly AccountUin?: number;
  readonly AccountName?: string;
  readonly CreatorUinString?: string;
}

/** The model DestinationSyncConfig. */
export interface DestinationSyncConfig {
  /** Matches `^[a-z][a-z0-9-]{1,62}$`. */
  readonly DestinationRegion: string;
  /** At most 128 characters. */
  readonly HsmClusterId?: string;
}

/** The model DeviceFingerprint. */
export interface DeviceFingerprint {
  /** Matches `^[0-9a-f]{8}[\-][0-9a-f]{14}[\-][0-9a-f]{14}[\-][0-9a-f]{14}[\-][0-9a-f]{16}$`. */
  readonly Identity: string;
  /** At most 1,024 bytes. */
  readonly Description?: string;
}

/** The model ExclusiveHSM. */
export interface ExclusiveHSM {
  readonly HsmClusterId?: string;
  readonly HsmClusterName?: string;
}

/** The model Key. */
export interface Key {
  readonly KeyId?: string;
}

/** The model KeyAttribute. */
export interface KeyAttribute {
  /** At most 127 characters. */
  readonly Name: string;
  /** 0 to 255 characters. */
  readonly Value: string;
}

/** The model KeyMetadata. */
export interface KeyMetadata {
  readonly KeyId?: string;
  readonly Alias?: string;
  readonly CreateTime?: number;
  readonly Description?: string;
  readonly KeyState?: string;
  readonly KeyUsage?: string;
  readonly Type?: number;
  readonly CreatorUin?: number;
  readonly KeyRotationEnabled?: boolean;
  readonly Owner?: string;
  readonly NextRotateTime?: number;
  readonly DeletionDate?: number;
  readonly Origin?: string;
  readonly ValidTo?: number;
  readonly ResourceId?: string;
  readonly HsmClusterId?: string;
  readonly RotateDays?: number;
  readonly LastRotateTime?: number;
  readonly IsSyncReplica?: number;
  readonly SourceRegion?: string;
  readonly SyncStatus?: number;
  readonly SyncMessages?: string;
  readonly SyncStartTime?: number;
  readonly SyncEndTime?: number;
  readonly SourceHsmClusterId?: string;
  readonly AccountAppId?: number;
  readonly AccountUin?: number;
  readonly AccountName?: string;
  readonly CreatorUinString?: string;
}

/** The model MemberAccount. */
export interface MemberAccount {
  /** At least 1. */
  readonly MemberAppId?: number;
  /** At least 1. */
  readonly MemberUin?: number;
}

/** The model RegionQps. */
export interface RegionQps {
  readonly Region?: string;
  readonly Qps?: number;
}

/** The model SdkVariant. */
export interface SdkVariant {
  readonly Name?: string;
  readonly Version?: string;
  readonly Link?: string;
}

/** The model ServiceInfo. */
export interface ServiceInfo {
  readonly Name?: string;
  readonly State?: string;
}

/** The model Tag. */
export interface Tag {
  /** At most 127 characters. */
  readonly TagKey: string;
  /** 0 to 255 characters. */
  readonly TagValue: string;
}

/** The model TagFilter. */
export interface TagFilter {
  /** At most 127 characters. */
  readonly TagKey: string;
  /** 0 to 255 characters; at most 50 items. */
  readonly TagValue?: readonly string[];
}

/** The model WhiteboxKeyInfo. */
export interface WhiteboxKeyInfo {
  readonly KeyId?: string;
  readonly Alias?: string;
  readonly CreatorUin?: number;
  readonly Description?: string;
  readonly CreateTime?: number;
  readonly Status?: string;
  readonly OwnerUin?: number;
  readonly Algorithm?: string;
  readonly EncryptKey?: string;
  readonly DecryptKey?: string;
  readonly ResourceId?: string;
  readonly DeviceFingerprintBind?: boolean;
}

/** Request of ArchiveKey. */
export interface ArchiveKeyRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
  readonly MemberAccount?: MemberAccount;
}

/** Response of ArchiveKey. */
export interface ArchiveKeyResponse {
  readonly RequestId: string;
}

/** Request of AsymmetricRsaDecrypt. */
export interface AsymmetricRsaDecryptRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
  /** Base64; 256 bytes. */
  readonly Ciphertext: string;
  /** One of `RSAES_PKCS1_V1_5`, `RSAES_OAEP_SHA_1`, `RSAES_OAEP_SHA_256`. */
  readonly Algorithm: string;
}

/** Response of AsymmetricRsaDecrypt. */
export interface AsymmetricRsaDecryptResponse {
  readonly KeyId?: string;
  readonly Plaintext?: string;
  readonly RequestId: string;
}

/** Request of AsymmetricSm2Decrypt. */
export interface AsymmetricSm2DecryptRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
  /** Base64; 1 to 256 bytes. */
  readonly Ciphertext: string;
}

/** Response of AsymmetricSm2Decrypt. */
export interface AsymmetricSm2DecryptResponse {
  readonly KeyId?: string;
  readonly Plaintext?: string;
  readonly RequestId: string;
}

/** Request of BindCloudResource. */
export interface BindCloudResourceRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
  /** At most 128 characters. */
  readonly ProductId: string;
  /** At most 256 characters. */
  readonly ResourceId: string;
}

/** Response of BindCloudResource. */
export interface BindCloudResourceResponse {
  readonly RequestId: string;
}

/** Request of CancelDataKeyDeletion. */
export interface CancelDataKeyDeletionRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly DataKeyId: string;
  readonly MemberAccount?: MemberAccount;
}

/** Response of CancelDataKeyDeletion. */
export interface CancelDataKeyDeletionResponse {
  readonly DataKeyId?: string;
  readonly RequestId: string;
}

/** Request of CancelKeyArchive. */
export interface CancelKeyArchiveRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
  readonly MemberAccount?: MemberAccount;
}

/** Response of CancelKeyArchive. */
export interface CancelKeyArchiveResponse {
  readonly RequestId: string;
}

/** Request of CancelKeyDeletion. */
export interface CancelKeyDeletionRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
  readonly MemberAccount?: MemberAccount;
}

/** Response of CancelKeyDeletion. */
export interface CancelKeyDeletionResponse {
  readonly KeyId?: string;
  readonly RequestId: string;
}

/** Request of CreateKey. */
export interface CreateKeyRequest {
  /** Matches `^(?!kms-)[A-Za-z0-9][A-Za-z0-9_-]{0,59}$`; the prefix kms- is reserved for products. */
  readonly Alias: string;
  /** At most 1,024 bytes. */
  readonly Description?: string;
  /** One of `ENCRYPT_DECRYPT`, `ASYMMETRIC_DECRYPT_RSA_2048`, `ASYMMETRIC_DECRYPT_SM2`, `ASYMMETRIC_SIGN_VERIFY_SM2`, `ASYMMETRIC_SIGN_VERIFY_ECC`, `ASYMMETRIC_SIGN_VERIFY_ECDSA384`, `ASYMMETRIC_SIGN_VERIFY_RSA_2048`, `ASYMMETRIC_DECRYPT_KYBER_AES`, `ASYMMETRIC_SIGN_VERIFY_DILITHIUM`; default `ENCRYPT_DECRYPT`. */
  readonly KeyUsage?: string;
  /** One of `1`, `2`; default `1`; 1 key material of the KMS, 2 imported. */
  readonly Type?: number;
  /** At most 50 items; no TagKey twice. */
  readonly Tags?: readonly Tag[];
  /** At most 128 characters. */
  readonly HsmClusterId?: string;
}

/** Response of CreateKey. */
export interface CreateKeyResponse {
  readonly KeyId?: string;
  readonly Alias?: string;
  readonly CreateTime?: number;
  readonly Description?: string;
  readonly KeyState?: string;
  readonly KeyUsage?: string;
  readonly TagCode?: number;
  readonly TagMsg?: string;
  readonly HsmClusterId?: string;
  readonly RequestId: string;
}

/** Request of CreateWhiteBoxKey. */
export interface CreateWhiteBoxKeyRequest {
  /** Matches `^(?!kms-)[A-Za-z0-9][A-Za-z0-9_-]{0,59}$`; the prefix kms- is reserved for products. */
  readonly Alias: string;
  /** One of `AES_256`, `SM4`. */
  readonly Algorithm: string;
  /** At most 1,024 bytes. */
  readonly Description?: string;
  /** At most 50 items; no TagKey twice. */
  readonly Tags?: readonly Tag[];
}

/** Response of CreateWhiteBoxKey. */
export interface CreateWhiteBoxKeyResponse {
  readonly EncryptKey?: string;
  readonly DecryptKey?: string;
  readonly KeyId?: string;
  readonly TagCode?: number;
  readonly TagMsg?: string;
  readonly RequestId: string;
}

/** Request of Decrypt. */
export interface DecryptRequest {
  /** Base64; 1 to 8,192 bytes; the upper bound is ours: a plaintext of 4,096 bytes with what any key adds to it. */
  readonly CiphertextBlob: string;
  /** A JSON object of strings, as text; at most 1,024 characters. */
  readonly EncryptionContext?: string;
  /** PEM; at most 2,048 characters. */
  readonly EncryptionPublicKey?: string;
  /** One of `SM2`, `SM2_C1C3C2_ASN1`, `RSAES_PKCS1_V1_5`, `RSAES_OAEP_SHA_1`, `RSAES_OAEP_SHA_256`; default `SM2`. */
  readonly EncryptionAlgorithm?: string;
}

/** Response of Decrypt. */
export interface DecryptResponse {
  readonly KeyId?: string;
  readonly Plaintext?: string;
  readonly RequestId: string;
}

/** Request of DeleteImportedKeyMaterial. */
export interface DeleteImportedKeyMaterialRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
}

/** Response of DeleteImportedKeyMaterial. */
export interface DeleteImportedKeyMaterialResponse {
  readonly RequestId: string;
}

/** Request of DeleteWhiteBoxKey. */
export interface DeleteWhiteBoxKeyRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
}

/** Response of DeleteWhiteBoxKey. */
export interface DeleteWhiteBoxKeyResponse {
  readonly RequestId: string;
}

/** Request of DescribeDataKey. */
export interface DescribeDataKeyRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly DataKeyId: string;
  readonly MemberAccount?: MemberAccount;
}

/** Response of DescribeDataKey. */
export interface DescribeDataKeyResponse {
  readonly DataKeyMetadata?: DataKeyMetadata;
  readonly RequestId: string;
}

/** Request of DescribeDataKeys. */
export interface DescribeDataKeysRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`; 1 to 100 items; no item twice. */
  readonly DataKeyIds: readonly string[];
  readonly MemberAccount?: MemberAccount;
}

/** Response of DescribeDataKeys. */
export interface DescribeDataKeysResponse {
  readonly DataKeyMetadatas?: readonly DataKeyMetadata[];
  readonly RequestId: string;
}

/** Request of DescribeKey. */
export interface DescribeKeyRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
  readonly MemberAccount?: MemberAccount;
}

/** Response of DescribeKey. */
export interface DescribeKeyResponse {
  readonly KeyMetadata?: KeyMetadata;
  readonly RequestId: string;
}

/** Request of DescribeKeys. */
export interface DescribeKeysRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`; 1 to 100 items; no item twice. */
  readonly KeyIds: readonly string[];
  readonly MemberAccount?: MemberAccount;
}

/** Response of DescribeKeys. */
export interface DescribeKeysResponse {
  readonly KeyMetadatas?: readonly KeyMetadata[];
  readonly RequestId: string;
}

/** Request of DescribeResourceIds. Its form is this project's: none is public. It has no fields. */
export type DescribeResourceIdsRequest = Readonly<Record<string, never>>;

/** Response of DescribeResourceIds. Its form is this project's: none is public. */
export interface DescribeResourceIdsResponse {
  readonly ResourceIds?: readonly string[];
  readonly RequestId: string;
}

/** Request of DescribeServiceList. Its form is this project's: none is public. It has no fields. */
export type DescribeServiceListRequest = Readonly<Record<string, never>>;

/** Response of DescribeServiceList. Its form is this project's: none is public. */
export interface DescribeServiceListResponse {
  readonly Services?: readonly ServiceInfo[];
  readonly RequestId: string;
}

/** Request of DescribeWhiteBoxDecryptKey. */
export interface DescribeWhiteBoxDecryptKeyRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
}

/** Response of DescribeWhiteBoxDecryptKey. */
export interface DescribeWhiteBoxDecryptKeyResponse {
  readonly DecryptKey?: string;
  readonly RequestId: string;
}

/** Request of DescribeWhiteBoxDeviceFingerprints. */
export interface DescribeWhiteBoxDeviceFingerprintsRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
}

/** Response of DescribeWhiteBoxDeviceFingerprints. */
export interface DescribeWhiteBoxDeviceFingerprintsResponse {
  readonly DeviceFingerprints?: readonly DeviceFingerprint[];
  readonly RequestId: string;
}

/** Request of DescribeWhiteBoxKey. */
export interface DescribeWhiteBoxKeyRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
}

/** Response of DescribeWhiteBoxKey. */
export interface DescribeWhiteBoxKeyResponse {
  readonly KeyInfo?: WhiteboxKeyInfo;
  readonly RequestId: string;
}

/** Request of DescribeWhiteBoxKeyDetails. */
export interface DescribeWhiteBoxKeyDetailsRequest {
  /** One of `0`, `1`. */
  readonly KeyStatus?: number;
  /** At least 0; default `0`. */
  readonly Offset?: number;
  /** At least 0; default `0`; 0 means no paging. */
  readonly Limit?: number;
  /** At most 50 items. */
  readonly TagFilters?: readonly TagFilter[];
}

/** Response of DescribeWhiteBoxKeyDetails. */
export interface DescribeWhiteBoxKeyDetailsResponse {
  readonly KeyInfos?: readonly WhiteboxKeyInfo[];
  readonly TotalCount?: number;
  readonly RequestId: string;
}

/** Request of DescribeWhiteBoxServiceStatus. It has no fields. */
export type DescribeWhiteBoxServiceStatusRequest = Readonly<Record<string, never>>;

/** Response of DescribeWhiteBoxServiceStatus. */
export interface DescribeWhiteBoxServiceStatusResponse {
  readonly ServiceEnabled?: boolean;
  readonly RequestId: string;
}

/** Request of DisableDataKey. */
export interface DisableDataKeyRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly DataKeyId: string;
  readonly MemberAccount?: MemberAccount;
}

/** Response of DisableDataKey. */
export interface DisableDataKeyResponse {
  readonly RequestId: string;
}

/** Request of DisableDataKeys. */
export interface DisableDataKeysRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`; 1 to 100 items; no item twice. */
  readonly DataKeyIds: readonly string[];
  readonly MemberAccount?: MemberAccount;
}

/** Response of DisableDataKeys. */
export interface DisableDataKeysResponse {
  readonly RequestId: string;
}

/** Request of DisableKey. */
export interface DisableKeyRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
  readonly MemberAccount?: MemberAccount;
}

/** Response of DisableKey. */
export interface DisableKeyResponse {
  readonly RequestId: string;
}

/** Request of DisableKeyRotation. */
export interface DisableKeyRotationRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
  readonly MemberAccount?: MemberAccount;
}

/** Response of DisableKeyRotation. */
export interface DisableKeyRotationResponse {
  readonly RequestId: string;
}

/** Request of DisableKeys. */
export interface DisableKeysRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`; 1 to 100 items; no item twice. */
  readonly KeyIds: readonly string[];
  readonly MemberAccount?: MemberAccount;
}

/** Response of DisableKeys. */
export interface DisableKeysResponse {
  readonly RequestId: string;
}

/** Request of DisableWhiteBoxKey. */
export interface DisableWhiteBoxKeyRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
}

/** Response of DisableWhiteBoxKey. */
export interface DisableWhiteBoxKeyResponse {
  readonly RequestId: string;
}

/** Request of DisableWhiteBoxKeys. */
export interface DisableWhiteBoxKeysRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`; 1 to 50 items; no item twice. */
  readonly KeyIds: readonly string[];
}

/** Response of DisableWhiteBoxKeys. */
export interface DisableWhiteBoxKeysResponse {
  readonly RequestId: string;
}

/** Request of EnableDataKey. Written with $datKeyId in the source table; read as $dataKeyId. */
export interface EnableDataKeyRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly DataKeyId: string;
  readonly MemberAccount?: MemberAccount;
}

/** Response of EnableDataKey. */
export interface EnableDataKeyResponse {
  readonly RequestId: string;
}

/** Request of EnableDataKeys. */
export interface EnableDataKeysRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`; 1 to 100 items; no item twice. */
  readonly DataKeyIds: readonly string[];
  readonly MemberAccount?: MemberAccount;
}

/** Response of EnableDataKeys. */
export interface EnableDataKeysResponse {
  readonly RequestId: string;
}

/** Request of EnableKey. */
export interface EnableKeyRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
  readonly MemberAccount?: MemberAccount;
}

/** Response of EnableKey. */
export interface EnableKeyResponse {
  readonly RequestId: string;
}

/** Request of EnableKeyRotation. */
export interface EnableKeyRotationRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
  /** 7 to 365; default `365`. */
  readonly RotateDays?: number;
  readonly MemberAccount?: MemberAccount;
}

/** Response of EnableKeyRotation. */
export interface EnableKeyRotationResponse {
  readonly RequestId: string;
}

/** Request of EnableKeys. */
export interface EnableKeysRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`; 1 to 100 items; no item twice. */
  readonly KeyIds: readonly string[];
  readonly MemberAccount?: MemberAccount;
}

/** Response of EnableKeys. */
export interface EnableKeysResponse {
  readonly RequestId: string;
}

/** Request of EnableWhiteBoxKey. */
export interface EnableWhiteBoxKeyRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
}

/** Response of EnableWhiteBoxKey. */
export interface EnableWhiteBoxKeyResponse {
  readonly RequestId: string;
}

/** Request of EnableWhiteBoxKeys. */
export interface EnableWhiteBoxKeysRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`; 1 to 50 items; no item twice. */
  readonly KeyIds: readonly string[];
}

/** Response of EnableWhiteBoxKeys. */
export interface EnableWhiteBoxKeysResponse {
  readonly RequestId: string;
}

/** Request of Encrypt. */
export interface EncryptRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
  /** Base64; 1 to 4,096 bytes. */
  readonly Plaintext: string;
  /** A JSON object of strings, as text; at most 1,024 characters. */
  readonly EncryptionContext?: string;
}

/** Response of Encrypt. */
export interface EncryptResponse {
  readonly CiphertextBlob?: string;
  readonly KeyId?: string;
  readonly RequestId: string;
}

/** Request of EncryptByWhiteBox. */
export interface EncryptByWhiteBoxRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
  /** Base64; 1 to 4,096 bytes. */
  readonly PlainText: string;
  /** Base64; 16 bytes. */
  readonly InitializationVector?: string;
}

/** Response of EncryptByWhiteBox. */
export interface EncryptByWhiteBoxResponse {
  readonly InitializationVector?: string;
  readonly CipherText?: string;
  readonly RequestId: string;
}

/** Request of GenerateDataKey. */
export interface GenerateDataKeyRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
  /** One of `AES_128`, `AES_256`. */
  readonly KeySpec?: string;
  /** 1 to 1,024. */
  readonly NumberOfBytes?: number;
  /** A JSON object of strings, as text; at most 1,024 characters. */
  readonly EncryptionContext?: string;
  /** PEM; at most 2,048 characters. */
  readonly EncryptionPublicKey?: string;
  /** One of `SM2`, `SM2_C1C3C2_ASN1`, `RSAES_PKCS1_V1_5`, `RSAES_OAEP_SHA_1`, `RSAES_OAEP_SHA_256`; default `SM2`. */
  readonly EncryptionAlgorithm?: string;
  /** One of `0`, `1`; default `0`. */
  readonly IsHostedByKms?: number;
  /** At most 128 characters. */
  readonly DataKeyName?: string;
  /** At most 100 bytes. */
  readonly Description?: string;
  /** At most 128 characters. */
  readonly HsmClusterId?: string;
  /** At most 50 items; no TagKey twice. */
  readonly Tags?: readonly Tag[];
}

/** Response of GenerateDataKey. */
export interface GenerateDataKeyResponse {
  readonly KeyId?: string;
  readonly Plaintext?: string;
  readonly CiphertextBlob?: string;
  readonly DataKeyId?: string;
  readonly TagCode?: number;
  readonly TagMsg?: string;
  readonly RequestId: string;
}

/** Request of GenerateRandom. */
export interface GenerateRandomRequest {
  /** 1 to 1,024. */
  readonly NumberOfBytes: number;
}

/** Response of GenerateRandom. */
export interface GenerateRandomResponse {
  readonly Plaintext?: string;
  readonly RequestId: string;
}

/** Request of GetDataKeyCiphertextBlob. Not in the authorization table: treated as an action on a data key. */
export interface GetDataKeyCiphertextBlobRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly DataKeyId: string;
  readonly MemberAccount?: MemberAccount;
}

/** Response of GetDataKeyCiphertextBlob. */
export interface GetDataKeyCiphertextBlobResponse {
  readonly CiphertextBlob?: string;
  readonly RequestId: string;
}

/** Request of GetDataKeyPlaintext. */
export interface GetDataKeyPlaintextRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly DataKeyId: string;
  /** PEM; at most 2,048 characters. */
  readonly EncryptionPublicKey?: string;
  /** One of `SM2`, `SM2_C1C3C2_ASN1`, `RSAES_PKCS1_V1_5`, `RSAES_OAEP_SHA_1`, `RSAES_OAEP_SHA_256`; default `SM2`. */
  readonly EncryptionAlgorithm?: string;
}

/** Response of GetDataKeyPlaintext. */
export interface GetDataKeyPlaintextResponse {
  readonly Plaintext?: string;
  readonly RequestId: string;
}

/** Request of GetEncryptionSDKDownloadLink. Its form is this project's: none is public. */
export interface GetEncryptionSDKDownloadLinkRequest {
  /** At most 128 characters. */
  readonly Variant?: string;
}

/** Response of GetEncryptionSDKDownloadLink. Its form is this project's: none is public. */
export interface GetEncryptionSDKDownloadLinkResponse {
  readonly Links?: readonly SdkVariant[];
  readonly RequestId: string;
}

/** Request of GetKeyAttributes. Its form is this project's: none is public. */
export interface GetKeyAttributesRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
}

/** Response of GetKeyAttributes. Its form is this project's: none is public. */
export interface GetKeyAttributesResponse {
  readonly Attributes?: readonly KeyAttribute[];
  readonly RequestId: string;
}

/** Request of GetKeyRotationStatus. */
export interface GetKeyRotationStatusRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
  readonly MemberAccount?: MemberAccount;
}

/** Response of GetKeyRotationStatus. */
export interface GetKeyRotationStatusResponse {
  readonly KeyRotationEnabled?: boolean;
  readonly RequestId: string;
}

/** Request of GetParametersForImport. */
export interface GetParametersForImportRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
  /** One of `RSAES_PKCS1_V1_5`, `RSAES_OAEP_SHA_1`, `RSAES_OAEP_SHA_256`. */
  readonly WrappingAlgorithm: string;
  /** One of `RSA_2048`. */
  readonly WrappingKeySpec: string;
}

/** Response of GetParametersForImport. */
export interface GetParametersForImportResponse {
  readonly KeyId?: string;
  readonly ImportToken?: string;
  readonly PublicKey?: string;
  readonly ParametersValidTo?: number;
  readonly RequestId: string;
}

/** Request of GetPublicKey. */
export interface GetPublicKeyRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
}

/** Response of GetPublicKey. */
export interface GetPublicKeyResponse {
  readonly KeyId?: string;
  readonly PublicKey?: string;
  readonly PublicKeyPem?: string;
  readonly RequestId: string;
}

/** Request of GetRegions. It has no fields. */
export type GetRegionsRequest = Readonly<Record<string, never>>;

/** Response of GetRegions. */
export interface GetRegionsResponse {
  readonly Regions?: readonly string[];
  readonly RequestId: string;
}

/** Request of GetSDKDownloadLink. Its form is this project's: none is public. */
export interface GetSDKDownloadLinkRequest {
  /** At most 128 characters. */
  readonly Variant?: string;
}

/** Response of GetSDKDownloadLink. Its form is this project's: none is public. */
export interface GetSDKDownloadLinkResponse {
  readonly Links?: readonly SdkVariant[];
  readonly RequestId: string;
}

/** Request of GetServiceStatus. It has no fields. */
export type GetServiceStatusRequest = Readonly<Record<string, never>>;

/** Response of GetServiceStatus. */
export interface GetServiceStatusResponse {
  readonly ServiceEnabled?: boolean;
  readonly InvalidType?: number;
  readonly UserLevel?: number;
  readonly ProExpireTime?: number;
  readonly ProRenewFlag?: number;
  readonly ProResourceId?: string;
  readonly ExclusiveVSMEnabled?: boolean;
  readonly ExclusiveHSMEnabled?: boolean;
  readonly SubscriptionInfo?: string;
  readonly CmkUserCount?: number;
  readonly CmkLimit?: number;
  readonly ExclusiveHSMList?: readonly ExclusiveHSM[];
  readonly IsAllowedDataKeyHosted?: boolean;
  readonly DataKeyLimit?: number;
  readonly FreeDataKeyLimit?: number;
  readonly DataKeyUsedCount?: number;
  readonly SyncTaskList?: readonly DestinationSyncConfig[];
  readonly IsAllowedSync?: boolean;
  readonly QpsLimit?: number;
  readonly QpsTotalLimit?: number;
  readonly RegionsQps?: readonly RegionQps[];
  readonly ResourceZone?: number;
  readonly ResourceRegion?: number;
  readonly RequestId: string;
}

/** Request of GetSyncSupportRegion. Its form is this project's: none is public. It has no fields. */
export type GetSyncSupportRegionRequest = Readonly<Record<string, never>>;

/** Response of GetSyncSupportRegion. Its form is this project's: none is public. */
export interface GetSyncSupportRegionResponse {
  readonly Regions?: readonly string[];
  readonly RequestId: string;
}

/** Request of ImportDataKey. */
export interface ImportDataKeyRequest {
  /** At most 128 characters. */
  readonly DataKeyName: string;
  /** Base64; 1 to 8,192 bytes; the upper bound is ours. */
  readonly ImportKeyMaterial: string;
  /** One of `1`, `2`. */
  readonly ImportType: number;
  /** At most 100 bytes. */
  readonly Description?: string;
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId?: string;
  /** At most 128 characters. */
  readonly HsmClusterId?: string;
  /** At most 50 items; no TagKey twice. */
  readonly Tags?: readonly Tag[];
}

/** Response of ImportDataKey. */
export interface ImportDataKeyResponse {
  readonly KeyId?: string;
  readonly DataKeyId?: string;
  readonly TagCode?: number;
  readonly TagMsg?: string;
  readonly RequestId: string;
}

/** Request of ImportKeyMaterial. */
export interface ImportKeyMaterialRequest {
  /** Base64; 256 bytes. */
  readonly EncryptedKeyMaterial: string;
  /** At most 8,192 characters; the bound is ours. */
  readonly ImportToken: string;
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
  /** 0 to 2,147,443,200; Unix seconds, later than now, 0 never. */
  readonly ValidTo?: number;
}

/** Response of ImportKeyMaterial. */
export interface ImportKeyMaterialResponse {
  readonly RequestId: string;
}

/** Request of ListAlgorithms. It has no fields. */
export type ListAlgorithmsRequest = Readonly<Record<string, never>>;

/** Response of ListAlgorithms. */
export interface ListAlgorithmsResponse {
  readonly SymmetricAlgorithms?: readonly AlgorithmInfo[];
  readonly AsymmetricAlgorithms?: readonly AlgorithmInfo[];
  readonly AsymmetricSignVerifyAlgorithms?: readonly AlgorithmInfo[];
  readonly RequestId: string;
}

/** Request of ListDataKeyDetail. */
export interface ListDataKeyDetailRequest {
  /** At least 0; default `0`. */
  readonly Offset?: number;
  /** 1 to 200; default `10`. */
  readonly Limit?: number;
  /** One of `0`, `1`; default `0`. */
  readonly Role?: number;
  /** One of `0`, `1`; default `0`. */
  readonly OrderType?: number;
  /** One of `0`, `1`, `2`, `3`, `4`, `5`; default `0`; 0 all, 1 Enabled, 2 Disabled, 3 PendingDelete, 4 PendingImport, 5 Archived. */
  readonly KeyState?: number;
  /** At most 128 characters. */
  readonly SearchKeyAlias?: string;
  /** One of `ALL`, `TENCENT_KMS`, `EXTERNAL`; default `ALL`. */
  readonly Origin?: string;
  /** At most 128 characters. */
  readonly HsmClusterId?: string;
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId?: string;
  /** 0 to 1,024. */
  readonly DataKeyLen?: number;
  /** At most 50 items. */
  readonly TagFilters?: readonly TagFilter[];
  /** At most 100 items. */
  readonly MemberAccounts?: readonly MemberAccount[];
}

/** Response of ListDataKeyDetail. */
export interface ListDataKeyDetailResponse {
  readonly DataKeyMetadatas?: readonly DataKeyMetadata[];
  readonly TotalCount?: number;
  readonly RequestId: string;
}

/** Request of ListDataKeys. */
export interface ListDataKeysRequest {
  /** At least 0; default `0`. */
  readonly Offset?: number;
  /** 1 to 200; default `10`. */
  readonly Limit?: number;
  /** One of `0`, `1`; default `0`. */
  readonly Role?: number;
  /** At most 128 characters. */
  readonly HsmClusterId?: string;
}

/** Response of ListDataKeys. */
export interface ListDataKeysResponse {
  readonly DataKeys?: readonly DataKey[];
  readonly TotalCount?: number;
  readonly RequestId: string;
}

/** Request of ListEncryptionSDKVariants. Its form is this project's: none is public. It has no fields. */
export type ListEncryptionSDKVariantsRequest = Readonly<Record<string, never>>;

/** Response of ListEncryptionSDKVariants. Its form is this project's: none is public. */
export interface ListEncryptionSDKVariantsResponse {
  readonly Variants?: readonly SdkVariant[];
  readonly RequestId: string;
}

/** Request of ListKey. Its form is this project's: none is public. */
export interface ListKeyRequest {
  /** At least 0; default `0`. */
  readonly Offset?: number;
  /** 1 to 200; default `10`. */
  readonly Limit?: number;
}

/** Response of ListKey. Its form is this project's: none is public. */
export interface ListKeyResponse {
  readonly Keys?: readonly Key[];
  readonly TotalCount?: number;
  readonly RequestId: string;
}

/** Request of ListKeyDetail. */
export interface ListKeyDetailRequest {
  /** At least 0; default `0`. */
  readonly Offset?: number;
  /** 1 to 200; default `10`. */
  readonly Limit?: number;
  /** One of `0`, `1`; default `0`. */
  readonly Role?: number;
  /** One of `0`, `1`; default `0`. */
  readonly OrderType?: number;
  /** One of `0`, `1`, `2`, `3`, `4`, `5`; default `0`; 0 all, 1 Enabled, 2 Disabled, 3 PendingDelete, 4 PendingImport, 5 Archived. */
  readonly KeyState?: number;
  /** At most 128 characters. */
  readonly SearchKeyAlias?: string;
  /** One of `ALL`, `TENCENT_KMS`, `EXTERNAL`; default `ALL`. */
  readonly Origin?: string;
  /** One of `ALL`, `ENCRYPT_DECRYPT`, `ASYMMETRIC_DECRYPT_RSA_2048`, `ASYMMETRIC_DECRYPT_SM2`, `ASYMMETRIC_SIGN_VERIFY_SM2`, `ASYMMETRIC_SIGN_VERIFY_ECC`, `ASYMMETRIC_SIGN_VERIFY_ECDSA384`, `ASYMMETRIC_SIGN_VERIFY_RSA_2048`, `ASYMMETRIC_DECRYPT_KYBER_AES`, `ASYMMETRIC_SIGN_VERIFY_DILITHIUM`; default `ENCRYPT_DECRYPT`. */
  readonly KeyUsage?: string;
  /** At most 50 items. */
  readonly TagFilters?: readonly TagFilter[];
  /** At most 128 characters. */
  readonly HsmClusterId?: string;
  /** At most 100 items. */
  readonly MemberAccounts?: readonly MemberAccount[];
}

/** Response of ListKeyDetail. */
export interface ListKeyDetailResponse {
  readonly TotalCount?: number;
  readonly KeyMetadatas?: readonly KeyMetadata[];
  readonly RequestId: string;
}

/** Request of ListKeys. */
export interface ListKeysRequest {
  /** At least 0; default `0`. */
  readonly Offset?: number;
  /** 1 to 200; default `10`. */
  readonly Limit?: number;
  /** One of `0`, `1`; default `0`. */
  readonly Role?: number;
  /** At most 128 characters. */
  readonly HsmClusterId?: string;
}

/** Response of ListKeys. */
export interface ListKeysResponse {
  readonly Keys?: readonly Key[];
  readonly TotalCount?: number;
  readonly RequestId: string;
}

/** Request of ListKmsPremiumInstances. Its form is this project's: none is public. It has no fields. */
export type ListKmsPremiumInstancesRequest = Readonly<Record<string, never>>;

/** Response of ListKmsPremiumInstances. Its form is this project's: none is public. */
export interface ListKmsPremiumInstancesResponse {
  readonly Instances?: readonly string[];
  readonly TotalCount?: number;
  readonly RequestId: string;
}

/** Request of ListSDKVariants. Its form is this project's: none is public. It has no fields. */
export type ListSDKVariantsRequest = Readonly<Record<string, never>>;

/** Response of ListSDKVariants. Its form is this project's: none is public. */
export interface ListSDKVariantsResponse {
  readonly Variants?: readonly SdkVariant[];
  readonly RequestId: string;
}

/** Request of ModifySyncTask. Its form is this project's: none is public. */
export interface ModifySyncTaskRequest {
  /** 0 to 50 items; no DestinationRegion twice; replaces the former list; an empty one ends synchronisation. */
  readonly Destinations: readonly DestinationSyncConfig[];
}

/** Response of ModifySyncTask. Its form is this project's: none is public. */
export interface ModifySyncTaskResponse {
  readonly RequestId: string;
}

/** Request of OverwriteWhiteBoxDeviceFingerprints. */
export interface OverwriteWhiteBoxDeviceFingerprintsRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
  /** At most 200 items; no Identity twice; an empty list removes all. */
  readonly DeviceFingerprints?: readonly DeviceFingerprint[];
}

/** Response of OverwriteWhiteBoxDeviceFingerprints. */
export interface OverwriteWhiteBoxDeviceFingerprintsResponse {
  readonly RequestId: string;
}

/** Request of PostQuantumCryptoDecrypt. */
export interface PostQuantumCryptoDecryptRequest {
  /** Base64; 1 to 8,192 bytes; the upper bound is ours: a plaintext of 4,096 bytes with what any key adds to it. */
  readonly CiphertextBlob: string;
  /** PEM; at most 2,048 characters. */
  readonly EncryptionPublicKey?: string;
  /** One of `SM2`, `SM2_C1C3C2_ASN1`, `RSAES_PKCS1_V1_5`, `RSAES_OAEP_SHA_1`, `RSAES_OAEP_SHA_256`; default `SM2`. */
  readonly EncryptionAlgorithm?: string;
}

/** Response of PostQuantumCryptoDecrypt. */
export interface PostQuantumCryptoDecryptResponse {
  readonly KeyId?: string;
  readonly PlainText?: string;
  readonly RequestId: string;
}

/** Request of PostQuantumCryptoEncrypt. */
export interface PostQuantumCryptoEncryptRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
  /** Base64; 1 to 4,096 bytes. */
  readonly PlainText: string;
}

/** Response of PostQuantumCryptoEncrypt. */
export interface PostQuantumCryptoEncryptResponse {
  readonly CiphertextBlob?: string;
  readonly KeyId?: string;
  readonly RequestId: string;
}

/** Request of PostQuantumCryptoSign. */
export interface PostQuantumCryptoSignRequest {
  /** Base64; 1 to 4,096 bytes. */
  readonly Message: string;
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
}

/** Response of PostQuantumCryptoSign. */
export interface PostQuantumCryptoSignResponse {
  readonly Signature?: string;
  readonly RequestId: string;
}

/** Request of PostQuantumCryptoVerify. */
export interface PostQuantumCryptoVerifyRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
  /** Base64; 1 to 8,192 bytes; the upper bound is ours. */
  readonly SignatureValue: string;
  /** Base64; 1 to 4,096 bytes. */
  readonly Message: string;
}

/** Response of PostQuantumCryptoVerify. */
export interface PostQuantumCryptoVerifyResponse {
  readonly SignatureValid?: boolean;
  readonly RequestId: string;
}

/** Request of ReEncrypt. */
export interface ReEncryptRequest {
  /** Base64; 1 to 8,192 bytes; the upper bound is ours: a plaintext of 4,096 bytes with what any key adds to it. */
  readonly CiphertextBlob: string;
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly DestinationKeyId?: string;
  /** A JSON object of strings, as text; at most 1,024 characters. */
  readonly SourceEncryptionContext?: string;
  /** A JSON object of strings, as text; at most 1,024 characters. */
  readonly DestinationEncryptionContext?: string;
}

/** Response of ReEncrypt. */
export interface ReEncryptResponse {
  readonly CiphertextBlob?: string;
  readonly KeyId?: string;
  readonly SourceKeyId?: string;
  readonly ReEncrypted?: boolean;
  readonly RequestId: string;
}

/** Request of RotateKey. Not in the authorization table: treated as an action on a key. */
export interface RotateKeyRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
  readonly MemberAccount?: MemberAccount;
}

/** Response of RotateKey. */
export interface RotateKeyResponse {
  readonly TaskId?: string;
  readonly RequestId: string;
}

/** Request of ScheduleDataKeyDeletion. Not in the authorization table: treated as an action on a data key. */
export interface ScheduleDataKeyDeletionRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly DataKeyId: string;
  /** 7 to 30. */
  readonly PendingWindowInDays: number;
  readonly MemberAccount?: MemberAccount;
}

/** Response of ScheduleDataKeyDeletion. */
export interface ScheduleDataKeyDeletionResponse {
  readonly DeletionDate?: number;
  readonly DataKeyId?: string;
  readonly RequestId: string;
}

/** Request of ScheduleKeyDeletion. */
export interface ScheduleKeyDeletionRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
  /** 7 to 30. */
  readonly PendingWindowInDays: number;
  readonly MemberAccount?: MemberAccount;
}

/** Response of ScheduleKeyDeletion. */
export interface ScheduleKeyDeletionResponse {
  readonly DeletionDate?: number;
  readonly KeyId?: string;
  readonly RequestId: string;
}

/** Request of SetKeyAttributes. Its form is this project's: none is public. */
export interface SetKeyAttributesRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
  /** At most 50 items; no Name twice. */
  readonly Attributes: readonly KeyAttribute[];
}

/** Response of SetKeyAttributes. Its form is this project's: none is public. */
export interface SetKeyAttributesResponse {
  readonly RequestId: string;
}

/** Request of SignByAsymmetricKey. */
export interface SignByAsymmetricKeyRequest {
  /** One of `SM2DSA`, `ECC_P256_R1`, `ECDSA_384`, `RSA_PSS_SHA_256`, `RSA_PKCS1_SHA_256`. */
  readonly Algorithm: string;
  /** Base64; 1 to 4,096 bytes. */
  readonly Message: string;
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
  /** One of `RAW`, `DIGEST`; default `RAW`. */
  readonly MessageType?: string;
}

/** Response of SignByAsymmetricKey. */
export interface SignByAsymmetricKeyResponse {
  readonly Signature?: string;
  readonly RequestId: string;
}

/** Request of UnbindCloudResource. */
export interface UnbindCloudResourceRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
  /** At most 128 characters. */
  readonly ProductId: string;
  /** At most 256 characters. */
  readonly ResourceId: string;
}

/** Response of UnbindCloudResource. */
export interface UnbindCloudResourceResponse {
  readonly RequestId: string;
}

/** Request of UpdateAlias. */
export interface UpdateAliasRequest {
  /** Matches `^(?!kms-)[A-Za-z0-9][A-Za-z0-9_-]{0,59}$`; the prefix kms- is reserved for products. */
  readonly Alias: string;
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
  readonly MemberAccount?: MemberAccount;
}

/** Response of UpdateAlias. */
export interface UpdateAliasResponse {
  readonly RequestId: string;
}

/** Request of UpdateDataKeyDescription. */
export interface UpdateDataKeyDescriptionRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly DataKeyId: string;
  /** At least 0 characters; at most 100 bytes. */
  readonly Description: string;
  readonly MemberAccount?: MemberAccount;
}

/** Response of UpdateDataKeyDescription. */
export interface UpdateDataKeyDescriptionResponse {
  readonly RequestId: string;
}

/** Request of UpdateDataKeyName. Not in the authorization table: treated as an action on a data key. */
export interface UpdateDataKeyNameRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly DataKeyId: string;
  /** At most 128 characters. */
  readonly DataKeyName: string;
  readonly MemberAccount?: MemberAccount;
}

/** Response of UpdateDataKeyName. */
export interface UpdateDataKeyNameResponse {
  readonly RequestId: string;
}

/** Request of UpdateKeyDescription. */
export interface UpdateKeyDescriptionRequest {
  /** At least 0 characters; at most 1,024 bytes. */
  readonly Description: string;
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
  readonly MemberAccount?: MemberAccount;
}

/** Response of UpdateKeyDescription. */
export interface UpdateKeyDescriptionResponse {
  readonly RequestId: string;
}

/** Request of VerifyByAsymmetricKey. */
export interface VerifyByAsymmetricKeyRequest {
  /** Matches `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. */
  readonly KeyId: string;
  /** Base64; 1 to 1,024 bytes; the upper bound is ours. */
  readonly SignatureValue: string;
  /** Base64; 1 to 4,096 bytes. */
  readonly Message: string;
  /** One of `SM2DSA`, `ECC_P256_R1`, `ECDSA_384`, `RSA_PSS_SHA_256`, `RSA_PKCS1_SHA_256`. */
  readonly Algorithm: string;
  /** One of `RAW`, `DIGEST`; default `RAW`. */
  readonly MessageType?: string;
}

/** Response of VerifyByAsymmetricKey. */
export interface VerifyByAsymmetricKeyResponse {
  readonly SignatureValid?: boolean;
  readonly RequestId: string;
}

/** The request and the response of every action. */
export interface ActionMap {
  readonly ArchiveKey: { readonly request: ArchiveKeyRequest; readonly response: ArchiveKeyResponse };
  readonly AsymmetricRsaDecrypt: {
    readonly request: AsymmetricRsaDecryptRequest;
    readonly response: AsymmetricRsaDecryptResponse;
  };
  readonly AsymmetricSm2Decrypt: {
    readonly request: AsymmetricSm2DecryptRequest;
    readonly response: AsymmetricSm2DecryptResponse;
  };
  readonly BindCloudResource: {
    readonly request: BindCloudResourceRequest;
    readonly response: BindCloudResourceResponse;
  };
  readonly CancelDataKeyDeletion: {
    readonly request: CancelDataKeyDeletionRequest;
    readonly response: CancelDataKeyDeletionResponse;
  };
  readonly CancelKeyArchive: { readonly request: CancelKeyArchiveRequest; readonly response: CancelKeyArchiveResponse };
  readonly CancelKeyDeletion: {
    readonly request: CancelKeyDeletionRequest;
    readonly response: CancelKeyDeletionResponse;
  };
  readonly CreateKey: { readonly request: CreateKeyRequest; readonly response: CreateKeyResponse };
  readonly CreateWhiteBoxKey: {
    readonly request: CreateWhiteBoxKeyRequest;
    readonly response: CreateWhiteBoxKeyResponse;
  };
  readonly Decrypt: { readonly request: DecryptRequest; readonly response: DecryptResponse };
  readonly DeleteImportedKeyMaterial: {
    readonly request: DeleteImportedKeyMaterialRequest;
    readonly response: DeleteImportedKeyMaterialResponse;
  };
  readonly DeleteWhiteBoxKey: {
    readonly request: DeleteWhiteBoxKeyRequest;
    readonly response: DeleteWhiteBoxKeyResponse;
  };
  readonly DescribeDataKey: { readonly request: DescribeDataKeyRequest; readonly response: DescribeDataKeyResponse };
  readonly DescribeDataKeys: { readonly request: DescribeDataKeysRequest; readonly response: DescribeDataKeysResponse };
  readonly DescribeKey: { readonly request: DescribeKeyRequest; readonly response: DescribeKeyResponse };
  readonly DescribeKeys: { readonly request: DescribeKeysRequest; readonly response: DescribeKeysResponse };
  readonly DescribeResourceIds: {
    readonly request: DescribeResourceIdsRequest;
    readonly response: DescribeResourceIdsResponse;
  };
  readonly DescribeServiceList: {
    readonly request: DescribeServiceListRequest;
    readonly response: DescribeServiceListResponse;
  };
  readonly DescribeWhiteBoxDecryptKey: {
    readonly request: DescribeWhiteBoxDecryptKeyRequest;
    readonly response: DescribeWhiteBoxDecryptKeyResponse;
  };
  readonly DescribeWhiteBoxDeviceFingerprints: {
    readonly request: DescribeWhiteBoxDeviceFingerprintsRequest;
    readonly response: DescribeWhiteBoxDeviceFingerprintsResponse;
  };
  readonly DescribeWhiteBoxKey: {
    readonly request: DescribeWhiteBoxKeyRequest;
    readonly response: DescribeWhiteBoxKeyResponse;
  };
  readonly DescribeWhiteBoxKeyDetails: {
    readonly request: DescribeWhiteBoxKeyDetailsRequest;
    readonly response: DescribeWhiteBoxKeyDetailsResponse;
  };
  readonly DescribeWhiteBoxServiceStatus: {
    readonly request: DescribeWhiteBoxServiceStatusRequest;
    readonly response: DescribeWhiteBoxServiceStatusResponse;
  };
  readonly DisableDataKey: { readonly request: DisableDataKeyRequest; readonly response: DisableDataKeyResponse };
  readonly DisableDataKeys: { readonly request: DisableDataKeysRequest; readonly response: DisableDataKeysResponse };
  readonly DisableKey: { readonly request: DisableKeyRequest; readonly response: DisableKeyResponse };
  readonly DisableKeyRotation: {
    readonly request: DisableKeyRotationRequest;
    readonly response: DisableKeyRotationResponse;
  };
  readonly DisableKeys: { readonly request: DisableKeysRequest; readonly response: DisableKeysResponse };
  readonly DisableWhiteBoxKey: {
    readonly request: DisableWhiteBoxKeyRequest;
    readonly response: DisableWhiteBoxKeyResponse;
  };
  readonly DisableWhiteBoxKeys: {
    readonly request: DisableWhiteBoxKeysRequest;
    readonly response: DisableWhiteBoxKeysResponse;
  };
  readonly EnableDataKey: { readonly request: EnableDataKeyRequest; readonly response: EnableDataKeyResponse };
  readonly EnableDataKeys: { readonly request: EnableDataKeysRequest; readonly response: EnableDataKeysResponse };
  readonly EnableKey: { readonly request: EnableKeyRequest; readonly response: EnableKeyResponse };
  readonly EnableKeyRotation: {
    readonly request: EnableKeyRotationRequest;
    readonly response: EnableKeyRotationResponse;
  };
  readonly EnableKeys: { readonly request: EnableKeysRequest; readonly response: EnableKeysResponse };
  readonly EnableWhiteBoxKey: {
    readonly request: EnableWhiteBoxKeyRequest;
    readonly response: EnableWhiteBoxKeyResponse;
  };
  readonly EnableWhiteBoxKeys: {
    readonly request: EnableWhiteBoxKeysRequest;
    readonly response: EnableWhiteBoxKeysResponse;
  };
  readonly Encrypt: { readonly request: EncryptRequest; readonly response: EncryptResponse };
  readonly EncryptByWhiteBox: {
    readonly request: EncryptByWhiteBoxRequest;
    readonly response: EncryptByWhiteBoxResponse;
  };
  readonly GenerateDataKey: { readonly request: GenerateDataKeyRequest; readonly response: GenerateDataKeyResponse };
  readonly GenerateRandom: { readonly request: GenerateRandomRequest; readonly response: GenerateRandomResponse };
  readonly GetDataKeyCiphertextBlob: {
    readonly request: GetDataKeyCiphertextBlobRequest;
    readonly response: GetDataKeyCiphertextBlobResponse;
  };
  readonly GetDataKeyPlaintext: {
    readonly request: GetDataKeyPlaintextRequest;
    readonly response: GetDataKeyPlaintextResponse;
  };
  readonly GetEncryptionSDKDownloadLink: {
    readonly request: GetEncryptionSDKDownloadLinkRequest;
    readonly response: GetEncryptionSDKDownloadLinkResponse;
  };
  readonly GetKeyAttributes: { readonly request: GetKeyAttributesRequest; readonly response: GetKeyAttributesResponse };
  readonly GetKeyRotationStatus: {
    readonly request: GetKeyRotationStatusRequest;
    readonly response: GetKeyRotationStatusResponse;
  };
  readonly GetParametersForImport: {
    readonly request: GetParametersForImportRequest;
    readonly response: GetParametersForImportResponse;
  };
  readonly GetPublicKey: { readonly request: GetPublicKeyRequest; readonly response: GetPublicKeyResponse };
  readonly GetRegions: { readonly request: GetRegionsRequest; readonly response: GetRegionsResponse };
  readonly GetSDKDownloadLink: {
    readonly request: GetSDKDownloadLinkRequest;
    readonly response: GetSDKDownloadLinkResponse;
  };
  readonly GetServiceStatus: { readonly request: GetServiceStatusRequest; readonly response: GetServiceStatusResponse };
  readonly GetSyncSupportRegion: {
    readonly request: GetSyncSupportRegionRequest;
    readonly response: GetSyncSupportRegionResponse;
  };
  readonly ImportDataKey: { readonly request: ImportDataKeyRequest; readonly response: ImportDataKeyResponse };
  readonly ImportKeyMaterial: {
    readonly request: ImportKeyMaterialRequest;
    readonly response: ImportKeyMaterialResponse;
  };
  readonly ListAlgorithms: { readonly request: ListAlgorithmsRequest; readonly response: ListAlgorithmsResponse };
  readonly ListDataKeyDetail: {
    readonly request: ListDataKeyDetailRequest;
    readonly response: ListDataKeyDetailResponse;
  };
  readonly ListDataKeys: { readonly request: ListDataKeysRequest; readonly response: ListDataKeysResponse };
  readonly ListEncryptionSDKVariants: {
    readonly request: ListEncryptionSDKVariantsRequest;
    readonly response: ListEncryptionSDKVariantsResponse;
  };
  readonly ListKey: { readonly request: ListKeyRequest; readonly response: ListKeyResponse };
  readonly ListKeyDetail: { readonly request: ListKeyDetailRequest; readonly response: ListKeyDetailResponse };
  readonly ListKeys: { readonly request: ListKeysRequest; readonly response: ListKeysResponse };
  readonly ListKmsPremiumInstances: {
    readonly request: ListKmsPremiumInstancesRequest;
    readonly response: ListKmsPremiumInstancesResponse;
  };
  readonly ListSDKVariants: { readonly request: ListSDKVariantsRequest; readonly response: ListSDKVariantsResponse };
  readonly ModifySyncTask: { readonly request: ModifySyncTaskRequest; readonly response: ModifySyncTaskResponse };
  readonly OverwriteWhiteBoxDeviceFingerprints: {
    readonly request: OverwriteWhiteBoxDeviceFingerprintsRequest;
    readonly response: OverwriteWhiteBoxDeviceFingerprintsResponse;
  };
  readonly PostQuantumCryptoDecrypt: {
    readonly request: PostQuantumCryptoDecryptRequest;
    readonly response: PostQuantumCryptoDecryptResponse;
  };
  readonly PostQuantumCryptoEncrypt: {
    readonly request: PostQuantumCryptoEncryptRequest;
    readonly response: PostQuantumCryptoEncryptResponse;
  };
  readonly PostQuantumCryptoSign: {
    readonly request: PostQuantumCryptoSignRequest;
    readonly response: PostQuantumCryptoSignResponse;
  };
  readonly PostQuantumCryptoVerify: {
    readonly request: PostQuantumCryptoVerifyRequest;
    readonly response: PostQuantumCryptoVerifyResponse;
  };
  readonly ReEncrypt: { readonly request: ReEncryptRequest; readonly response: ReEncryptResponse };
  readonly RotateKey: { readonly request: RotateKeyRequest; readonly response: RotateKeyResponse };
  readonly ScheduleDataKeyDeletion: {
    readonly request: ScheduleDataKeyDeletionRequest;
    readonly response: ScheduleDataKeyDeletionResponse;
  };
  readonly ScheduleKeyDeletion: {
    readonly request: ScheduleKeyDeletionRequest;
    readonly response: ScheduleKeyDeletionResponse;
  };
  readonly SetKeyAttributes: { readonly request: SetKeyAttributesRequest; readonly response: SetKeyAttributesResponse };
  readonly SignByAsymmetricKey: {
    readonly request: SignByAsymmetricKeyRequest;
    readonly response: SignByAsymmetricKeyResponse;
  };
  readonly UnbindCloudResource: {
    readonly request: UnbindCloudResourceRequest;
    readonly response: UnbindCloudResourceResponse;
  };
  readonly UpdateAlias: { readonly request: UpdateAliasRequest; readonly response: UpdateAliasResponse };
  readonly UpdateDataKeyDescription: {
    readonly request: UpdateDataKeyDescriptionRequest;
    readonly response: UpdateDataKeyDescriptionResponse;
  };
  readonly UpdateDataKeyName: {
    readonly request: UpdateDataKeyNameRequest;
    readonly response: UpdateDataKeyNameResponse;
  };
  readonly UpdateKeyDescription: {
    readonly request: UpdateKeyDescriptionRequest;
    readonly response: UpdateKeyDescriptionResponse;
  };
  readonly VerifyByAsymmetricKey: {
    readonly request: VerifyByAsymmetricKeyRequest;
    readonly response: VerifyByAsymmetricKeyResponse;
  };
}

/** The name of every action. */
export type ActionName = keyof ActionMap;

/** The request of an action. */
export type RequestOf<Name extends ActionName> = ActionMap[Name]["request"];

/** The response of an action, with its `RequestId`. */
export type ResponseOf<Name extends ActionName> = ActionMap[Name]["response"];

/** What an action answers, without the `RequestId` that whoever serves it adds. */
export type ResultOf<Name extends ActionName> = Omit<ResponseOf<Name>, "RequestId">;
