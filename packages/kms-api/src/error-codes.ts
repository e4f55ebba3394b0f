// Every error code of the service and of its gateway: whether to retry, and the portable code. Data only; it must not know how
// errors are made or found.
import type { ErrorCode } from "@fengni/crypto/errors";

/**
 * Whether the same call may succeed when it is sent again, signed anew: `backoff` with growing pauses; `once-for-reads`, one
 * more time and only if the action reads; `after-clock`, one more time once the clock is corrected; `never`.
 */
export type Retry = "backoff" | "once-for-reads" | "after-clock" | "never";

/** What is known of one error code. */
export interface ErrorCodeRow {
  readonly retry: Retry;
  /** The code of the FengniError that a client of this service throws for it. */
  readonly portable: ErrorCode;
}

/**
 * Every known code. A code with a dot is a detail of the class before the dot; both are keys of their own. Sources: the error
 * lists of the service's and the gateway's API reference; the retry column for the details is ours.
 */
export const ERROR_CODES = {
  ActionOffline: { retry: "never", portable: "ERR_NOT_SUPPORTED" },
  AuthFailure: { retry: "never", portable: "ERR_CREDENTIALS" },
  "AuthFailure.InvalidAuthorization": { retry: "never", portable: "ERR_CREDENTIALS" },
  "AuthFailure.InvalidSecretId": { retry: "never", portable: "ERR_CREDENTIALS" },
  "AuthFailure.MFAFailure": { retry: "never", portable: "ERR_CREDENTIALS" },
  "AuthFailure.SecretIdNotFound": { retry: "never", portable: "ERR_CREDENTIALS" },
  "AuthFailure.SignatureExpire": { retry: "after-clock", portable: "ERR_CREDENTIALS" },
  // Written so in older texts.
  "AuthFailure.SignatureExpired": { retry: "after-clock", portable: "ERR_CREDENTIALS" },
  "AuthFailure.SignatureFailure": { retry: "never", portable: "ERR_CREDENTIALS" },
  // One more call is worth it once the holder of the credential has fetched a new token: the same credential never serves.
  "AuthFailure.TokenFailure": { retry: "never", portable: "ERR_CREDENTIALS" },
  "AuthFailure.UnauthorizedOperation": { retry: "never", portable: "ERR_DENIED" },
  DryRunOperation: { retry: "never", portable: "ERR_NOT_SUPPORTED" },
  FailedOperation: { retry: "once-for-reads", portable: "ERR_UNAVAILABLE" },
  "FailedOperation.CmkUsedByCloudProduct": { retry: "never", portable: "ERR_KEY_STATE" },
  "FailedOperation.DecryptError": { retry: "never", portable: "ERR_AUTHENTICATION" },
  InternalError: { retry: "backoff", portable: "ERR_UNAVAILABLE" },
  InvalidAction: { retry: "never", portable: "ERR_NOT_SUPPORTED" },
  InvalidParameter: { retry: "never", portable: "ERR_NOT_SUPPORTED" },
  "InvalidParameter.DecryptMaterialError": { retry: "never", portable: "ERR_KEY_INVALID" },
  "InvalidParameter.InvalidPendingWindowInDays": { retry: "never", portable: "ERR_LIMIT" },
  InvalidParameterValue: { retry: "never", portable: "ERR_LIMIT" },
  "InvalidParameterValue.AliasAlreadyExists": { retry: "never", portable: "ERR_CONFLICT" },
  "InvalidParameterValue.DuplicatedKeyId": { retry: "never", portable: "ERR_CONFLICT" },
  "InvalidParameterValue.InvalidAlias": { retry: "never", portable: "ERR_LIMIT" },
  "InvalidParameterValue.InvalidCiphertext": { retry: "never", portable: "ERR_CIPHERTEXT_INVALID" },
  "InvalidParameterValue.InvalidKeyId": { retry: "never", portable: "ERR_KEY_NOT_FOUND" },
  "InvalidParameterValue.InvalidKeyUsage": { retry: "never", portable: "ERR_KEY_USAGE" },
  "InvalidParameterValue.InvalidPlaintext": { retry: "never", portable: "ERR_LIMIT" },
  "InvalidParameterValue.InvalidType": { retry: "never", portable: "ERR_NOT_SUPPORTED" },
  "InvalidParameterValue.MaterialNotMatch": { retry: "never", portable: "ERR_KEY_INVALID" },
  "InvalidParameterValue.TagKeysDuplicated": { retry: "never", portable: "ERR_CONFLICT" },
  "InvalidParameterValue.TagsNotExisted": { retry: "never", portable: "ERR_LIMIT" },
  InvalidRequest: { retry: "never", portable: "ERR_NOT_SUPPORTED" },
  IpInBlacklist: { retry: "never", portable: "ERR_DENIED" },
  IpNotInWhitelist: { retry: "never", portable: "ERR_DENIED" },
  LimitExceeded: { retry: "never", portable: "ERR_LIMIT" },
  "LimitExceeded.CmkLimitExceeded": { retry: "never", portable: "ERR_LIMIT" },
  "LimitExceeded.FingerprintsLimitExceeded": { retry: "never", portable: "ERR_LIMIT" },
  "LimitExceeded.KeyLimitExceeded": { retry: "never", portable: "ERR_LIMIT" },
  MissingParameter: { retry: "never", portable: "ERR_NOT_SUPPORTED" },
  NoSuchProduct: { retry: "never", portable: "ERR_NOT_SUPPORTED" },
  NoSuchVersion: { retry: "never", portable: "ERR_NOT_SUPPORTED" },
  RequestLimitExceeded: { retry: "backoff", portable: "ERR_THROTTLED" },
  "RequestLimitExceeded.GlobalRegionUinLimitExceeded": { retry: "backoff", portable: "ERR_THROTTLED" },
  "RequestLimitExceeded.IPLimitExceeded": { retry: "backoff", portable: "ERR_THROTTLED" },
  "RequestLimitExceeded.UinLimitExceeded": { retry: "backoff", portable: "ERR_THROTTLED" },
  RequestSizeLimitExceeded: { retry: "never", portable: "ERR_LIMIT" },
  ResourceInUse: { retry: "never", portable: "ERR_CONFLICT" },
  ResourceInsufficient: { retry: "backoff", portable: "ERR_UNAVAILABLE" },
  ResourceNotFound: { retry: "never", portable: "ERR_KEY_NOT_FOUND" },
  ResourceUnavailable: { retry: "never", portable: "ERR_KEY_STATE" },
  "ResourceUnavailable.CloudResourceBindingNotFound": { retry: "never", portable: "ERR_KEY_STATE" },
  "ResourceUnavailable.CmkArchived": { retry: "never", portable: "ERR_KEY_STATE" },
  "ResourceUnavailable.CmkDisabled": { retry: "never", portable: "ERR_KEY_STATE" },
  "ResourceUnavailable.CmkNotFound": { retry: "never", portable: "ERR_KEY_NOT_FOUND" },
  "ResourceUnavailable.CmkNotPendingDelete": { retry: "never", portable: "ERR_KEY_STATE" },
  "ResourceUnavailable.CmkShouldBeDisabled": { retry: "never", portable: "ERR_KEY_STATE" },
  "ResourceUnavailable.CmkStateNotSupport": { retry: "never", portable: "ERR_KEY_STATE" },
  "ResourceUnavailable.KeyDisabled": { retry: "never", portable: "ERR_KEY_STATE" },
  "ResourceUnavailable.NotPurchased": { retry: "never", portable: "ERR_NOT_SUPPORTED" },
  // The token of a key import, not that of a credential.
  "ResourceUnavailable.TokenExpired": { retry: "never", portable: "ERR_KEY_STATE" },
  ResponseSizeLimitExceeded: { retry: "never", portable: "ERR_LIMIT" },
  ServiceUnavailable: { retry: "backoff", portable: "ERR_UNAVAILABLE" },
  UnauthorizedOperation: { retry: "never", portable: "ERR_DENIED" },
  "UnauthorizedOperation.CamNoAuth": { retry: "never", portable: "ERR_DENIED" },
  UnknownParameter: { retry: "never", portable: "ERR_NOT_SUPPORTED" },
  UnsupportedOperation: { retry: "never", portable: "ERR_NOT_SUPPORTED" },
  "UnsupportedOperation.ExternalCmkCanNotRotate": { retry: "never", portable: "ERR_KEY_USAGE" },
  "UnsupportedOperation.NotExternalCmk": { retry: "never", portable: "ERR_KEY_USAGE" },
  "UnsupportedOperation.NotUserCreatedCmk": { retry: "never", portable: "ERR_KEY_USAGE" },
  "UnsupportedOperation.ServiceTemporaryUnavailable": { retry: "backoff", portable: "ERR_UNAVAILABLE" },
  "UnsupportedOperation.UnsupportedKeyUsageInCurrentRegion": { retry: "never", portable: "ERR_NOT_SUPPORTED" },
  UnsupportedProtocol: { retry: "never", portable: "ERR_NOT_SUPPORTED" },
  UnsupportedRegion: { retry: "never", portable: "ERR_NOT_SUPPORTED" },
} as const;

/** Every known code. */
export type ApiErrorCode = keyof typeof ERROR_CODES;
