// The whole public surface of core.

export type { RsaPadding } from "@fengni/crypto/rsa";
export {
  type DataKeyCacheOptions,
  DEFAULT_CACHE_MAX_ENTRIES,
  DEFAULT_CACHE_MAX_MESSAGES,
} from "./cache.js";
export {
  contextToJson,
  DIGEST_CONTEXT_KEY,
  PUBLIC_KEY_CONTEXT_KEY,
  parseContext,
  RESERVED_CONTEXT_PREFIXES,
  serializeContext,
} from "./context.js";
export type { MessageDecryptor } from "./decryptor.js";
export type { MessageEncryptor } from "./encryptor.js";
export { Envelope } from "./envelope.js";
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
export { type DiscoverKeysOptions, discoverKeys, providerKey } from "./provider-key.js";
export type { DecryptStream } from "./stream.js";
export {
  type AlgorithmSuite,
  algorithmSuites,
  COMMITMENT_POLICIES,
  type CommitmentPolicy,
  DEFAULT_SUITE,
  formatSuiteId,
  SUITE_COMMITTED,
  SUITE_COMMITTED_SIGNED,
  type WritableSuiteId,
} from "./suites.js";
export type {
  EncryptedDataKey,
  GenerateWrappedDataKeyRequest,
  UnwrapDataKeyRequest,
  UnwrappingKey,
  WrapDataKeyRequest,
  WrappedDataKey,
  WrappingKey,
} from "./wrapping-key.js";
