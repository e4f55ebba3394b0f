// The whole public surface of core.

export type { RsaPadding } from "@fengni/crypto/rsa";
export { ALGORITHM_POLICIES, type AlgorithmPolicy } from "./algorithm-policy.js";
export {
  BlindIndex,
  type BlindIndexOptions,
  type BranchBlindIndexOptions,
  type IndexableValue,
  type IndexOptions,
  type IndexPlace,
  type OwnBlindIndexOptions,
} from "./blind-index.js";
export {
  BRANCH_KEY_BYTES,
  BRANCH_KEY_VERSION_BYTES,
  type BranchKeyAdmin,
  type BranchKeyStore,
  type BranchKeyVersion,
  type BranchKeyVersionInfo,
  MAX_BRANCH_KEY_ID_BYTES,
} from "./branch-key.js";
export type { BranchKeyringStats } from "./branch-key-cache.js";
export type { WarmBranchKey } from "./branch-key-derive.js";
export { type HostedDataKey, type HostedDataKeyService, hostedBranchKeyStore } from "./branch-key-hosted.js";
export {
  type BranchKeyRecord,
  type BranchKeyRecords,
  memoryBranchKeyRecords,
} from "./branch-key-records.js";
export { BranchKeyring, type BranchKeyringOptions } from "./branch-key-ring.js";
export { type BranchKeyStoreOptions, branchKeyStore } from "./branch-key-store.js";
export { BRANCH_KEY_PROVIDER_ID, type NamedBranchKey } from "./branch-key-wrap.js";
export {
  type DataKeyCacheOptions,
  DEFAULT_CACHE_MAX_ENTRIES,
  DEFAULT_CACHE_MAX_MESSAGES,
} from "./cache.js";
export {
  DEFAULT_CACHE_MAX_CONCURRENT_LOADS,
  DEFAULT_CACHE_MAX_LOAD_WAIT_MS,
  DEFAULT_CACHE_REFUSAL_MS,
} from "./cache-options.js";
export type { CacheEvent, CacheEvictionReason, CacheStats } from "./cache-stats.js";
export {
  contextToJson,
  DIGEST_CONTEXT_KEY,
  OWN_PUBLIC_KEY_CONTEXT_KEY,
  PUBLIC_KEY_CONTEXT_KEY,
  parseContext,
  RESERVED_CONTEXT_PREFIXES,
  serializeContext,
} from "./context.js";
export type { MessageDecryptor } from "./decryptor.js";
export type { MessageEncryptor } from "./encryptor.js";
export { Envelope, type EnvelopeStats } from "./envelope.js";
export {
  DEFAULT_FRAME_LENGTH,
  DEFAULT_MAX_FRAME_LENGTH,
  type DecryptedMessage,
  type DecryptOptions,
  type DecryptStreamOptions,
  type EncryptOptions,
  type EncryptStreamOptions,
  type EnvelopeOptions,
} from "./envelope-options.js";
export {
  AggregateUnwrapError,
  authenticationError,
  type ErrorCode,
  type ErrorDetails,
  FengniError,
  isFengniError,
  type UnwrapAttempt,
} from "./errors.js";
export type {
  ExplainedDataKey,
  ExplainedKey,
  ExplainedKeyState,
  ExplainOptions,
  ExplainReason,
  ExplainReasonCode,
  ExplainVerdict,
  KeyMatch,
  MessageExplanation,
  ProviderAdmin,
} from "./explain-types.js";
export {
  type BranchKeySource,
  DEFAULT_MAX_FIELD_LENGTH,
  FieldCipher,
  type FieldCipherOptions,
  type FieldPlace,
  type OpenFieldOptions,
  type SealFieldOptions,
  type SealFieldSyncOptions,
} from "./field-cipher.js";
export {
  DEFAULT_MAX_DOCUMENT_NODES,
  DocumentCipher,
  type DocumentCipherOptions,
  type OpenFieldsOptions,
  type OpenFieldsSyncOptions,
  type SealFieldsOptions,
  type SealFieldsSyncOptions,
} from "./field-document.js";
export { FIELD_OVERHEAD_BYTES, FIELD_TEXT_PREFIX, isSealedField } from "./field-format.js";
export type { JsonValue } from "./field-json.js";
export type { FieldValue } from "./field-value.js";
export { DEFAULT_KEY_DEADLINE_MS } from "./key-deadline.js";
export { KEY_COOL_OFF_MS } from "./key-health.js";
export { type RawAesKeyOptions, type RawKeyName, type RawRsaKeyOptions, rawAesKey, rawRsaKey } from "./local-wrap.js";
export {
  DEFAULT_MAX_ENCRYPTED_DATA_KEYS,
  DEFAULT_MAX_HEADER_LENGTH,
  type InspectOptions,
  inspect,
  type MessageHeader,
} from "./message-header.js";
export type { Awaitable } from "./pieces.js";
export type * from "./provider.js";
export { supportsOperation } from "./provider.js";
export { type DiscoverKeysOptions, discoverKeys, type ProviderKeyOptions, providerKey } from "./provider-key.js";
export type { RangeReader } from "./range.js";
export { DEFAULT_MAX_RANGE_LENGTH, type RangeOptions } from "./range-options.js";
export type { MessageRewrapper } from "./rewrap.js";
export {
  DEFAULT_REWRAP_CONCURRENCY,
  type RewrapManyOptions,
  type RewrapProgress,
  type RewrapResult,
  rewrapMany,
} from "./rewrap-many.js";
export type { RewrapOptions } from "./rewrap-options.js";
export type { MessageSource, RangeSource } from "./source.js";
export type { DecryptStream } from "./stream.js";
export {
  type AlgorithmSuite,
  algorithmSuites,
  COMMITMENT_POLICIES,
  type CommitmentPolicy,
  DEFAULT_SUITE,
  formatSuiteId,
  GM_SUITES,
  type SignatureAlgorithm as MessageSignatureAlgorithm,
  SUITE_COMMITTED,
  SUITE_COMMITTED_SIGNED,
  SUITE_COMMITTED_SIGNED_ML_DSA,
  SUITE_REWRAPPABLE,
  SUITE_REWRAPPABLE_SIGNED,
  SUITE_SM4,
  SUITE_SM4_SIGNED,
  type WritableSuiteId,
} from "./suites.js";
export {
  type CacheTelemetryEvent,
  type KeyHealthEvent,
  type MessageTelemetryEvent,
  type ProviderCallEvent,
  type RemoteClientEvent,
  type RetryEvent,
  retryTelemetry,
  type TelemetryErrorCode,
  type TelemetryEvent,
  type TelemetryListener,
  type WrappingIncompleteEvent,
} from "./telemetry.js";
export type {
  EncryptedDataKey,
  GenerateWrappedDataKeyRequest,
  UnwrapDataKeyRequest,
  UnwrappingKey,
  WrapDataKeyRequest,
  WrappedDataKey,
  WrappingKey,
} from "./wrapping-key.js";
