// Errors of the local KMS in the service's words: one table. It must not know actions, nor when an error is due.
import { type FengniError, isFengniError } from "@fengni/core";
import { ApiError, type ApiErrorCode, isApiError } from "@fengni/kms-api";

/** What an id in an error names: the service has codes of their own for some of them. */
export type KeyKind = "key" | "data-key" | "white-box-key";

/** One kind of error, and the code for it. The first row that fits an error counts. */
export interface ErrorRow {
  readonly code: FengniError["code"];
  /** The `reason` of the error's details, their `limit` or what their `operation` is about; left out where it does not matter. */
  readonly detail?: string;
  /** What the error is about; left out where it does not matter. */
  readonly kind?: KeyKind;
  readonly apiCode: ApiErrorCode;
  /** In the place of the error's own message, where that is not for clients. */
  readonly message?: string;
}

const INTERNAL = "The service has an internal error. Try again later.";
const UNAVAILABLE = "The service is not available for the moment. Try again later.";

/**
 * The table. The codes for hosted data keys that are disabled or not there are inferred: the service's list has them for keys in
 * general and for white-box keys.
 */
export const ERROR_ROWS: readonly ErrorRow[] = [
  { code: "ERR_KEY_STATE", detail: "key-disabled", kind: "key", apiCode: "ResourceUnavailable.CmkDisabled" },
  { code: "ERR_KEY_STATE", detail: "key-disabled", apiCode: "ResourceUnavailable.KeyDisabled" },
  { code: "ERR_KEY_STATE", detail: "key-archived", apiCode: "ResourceUnavailable.CmkArchived" },
  { code: "ERR_KEY_STATE", detail: "should-be-disabled", apiCode: "ResourceUnavailable.CmkShouldBeDisabled" },
  { code: "ERR_KEY_STATE", detail: "not-pending-deletion", apiCode: "ResourceUnavailable.CmkNotPendingDelete" },
  { code: "ERR_KEY_STATE", detail: "state-not-supported", apiCode: "ResourceUnavailable.CmkStateNotSupport" },
  { code: "ERR_KEY_STATE", apiCode: "ResourceUnavailable.CmkStateNotSupport" },
  { code: "ERR_KEY_NOT_FOUND", kind: "key", apiCode: "ResourceUnavailable.CmkNotFound" },
  { code: "ERR_KEY_NOT_FOUND", apiCode: "ResourceNotFound" },
  { code: "ERR_KEY_USAGE", detail: "not-external-key", apiCode: "UnsupportedOperation.NotExternalCmk" },
  { code: "ERR_KEY_USAGE", detail: "not-user-created", apiCode: "UnsupportedOperation.NotUserCreatedCmk" },
  {
    code: "ERR_KEY_USAGE",
    detail: "external-key-cannot-rotate",
    apiCode: "UnsupportedOperation.ExternalCmkCanNotRotate",
  },
  { code: "ERR_KEY_USAGE", detail: "key-usage", apiCode: "InvalidParameterValue.InvalidKeyUsage" },
  { code: "ERR_KEY_USAGE", apiCode: "InvalidParameterValue.InvalidKeyUsage" },
  { code: "ERR_KEY_INVALID", detail: "material-mismatch", apiCode: "InvalidParameterValue.MaterialNotMatch" },
  { code: "ERR_KEY_INVALID", detail: "material-undecryptable", apiCode: "InvalidParameter.DecryptMaterialError" },
  { code: "ERR_KEY_INVALID", detail: "token-expired", apiCode: "ResourceUnavailable.TokenExpired" },
  { code: "ERR_KEY_INVALID", detail: "token-invalid", apiCode: "InvalidParameterValue" },
  // A public key to encrypt the answer to.
  { code: "ERR_KEY_INVALID", apiCode: "InvalidParameterValue" },
  { code: "ERR_CONFLICT", detail: "alias-exists", apiCode: "InvalidParameterValue.AliasAlreadyExists" },
  { code: "ERR_CONFLICT", detail: "duplicate-id", apiCode: "InvalidParameterValue.DuplicatedKeyId" },
  { code: "ERR_CONFLICT", detail: "cloud-resource-bound", apiCode: "FailedOperation.CmkUsedByCloudProduct" },
  {
    code: "ERR_CONFLICT",
    detail: "cloud-resource-not-bound",
    apiCode: "ResourceUnavailable.CloudResourceBindingNotFound",
  },
  // A name, of whatever has one.
  { code: "ERR_CONFLICT", apiCode: "InvalidParameterValue.AliasAlreadyExists" },
  { code: "ERR_LIMIT", detail: "plaintext length", apiCode: "InvalidParameterValue.InvalidPlaintext" },
  { code: "ERR_LIMIT", detail: "ciphertext length", apiCode: "InvalidParameterValue.InvalidCiphertext" },
  { code: "ERR_LIMIT", detail: "alias length", apiCode: "InvalidParameterValue.InvalidAlias" },
  { code: "ERR_LIMIT", detail: "pendingWindowDays", apiCode: "InvalidParameter.InvalidPendingWindowInDays" },
  { code: "ERR_LIMIT", detail: "device fingerprints", apiCode: "LimitExceeded.FingerprintsLimitExceeded" },
  { code: "ERR_LIMIT", detail: "number of bound resources", apiCode: "LimitExceeded" },
  { code: "ERR_LIMIT", apiCode: "InvalidParameterValue" },
  { code: "ERR_CONTEXT_INVALID", apiCode: "InvalidParameterValue" },
  { code: "ERR_CIPHERTEXT_INVALID", apiCode: "InvalidParameterValue.InvalidCiphertext" },
  { code: "ERR_AUTHENTICATION", apiCode: "FailedOperation.DecryptError" },
  { code: "ERR_NO_MATCHING_KEY", apiCode: "FailedOperation.DecryptError" },
  { code: "ERR_NOT_SUPPORTED", detail: "external-asymmetric", apiCode: "InvalidParameterValue.InvalidType" },
  // The region of a request is known by then: this one is a parameter's.
  { code: "ERR_NOT_SUPPORTED", detail: "no-such-region", apiCode: "InvalidParameterValue" },
  { code: "ERR_NOT_SUPPORTED", detail: "no-such-variant", apiCode: "ResourceNotFound" },
  { code: "ERR_NOT_SUPPORTED", detail: "no-sqlite", apiCode: "InternalError", message: INTERNAL },
  {
    code: "ERR_NOT_SUPPORTED",
    detail: "key spec",
    apiCode: "UnsupportedOperation.UnsupportedKeyUsageInCurrentRegion",
  },
  { code: "ERR_NOT_SUPPORTED", apiCode: "UnsupportedOperation" },
  { code: "ERR_DENIED", apiCode: "UnauthorizedOperation" },
  { code: "ERR_STORE_BUSY", apiCode: "UnsupportedOperation.ServiceTemporaryUnavailable", message: UNAVAILABLE },
  { code: "ERR_CLOSED", apiCode: "UnsupportedOperation.ServiceTemporaryUnavailable", message: UNAVAILABLE },
];

/**
 * An error in the service's words. An ApiError stays as it is; what is not in the table, or is no error of the local KMS at all,
 * becomes an `InternalError` whose text tells nothing.
 * @param error - anything that was thrown
 * @param kindOf - what an id is of; default: a key
 */
export function toApiError(error: unknown, kindOf: (id: string) => KeyKind = () => "key"): ApiError {
  if (isApiError(error)) return error;
  if (isFengniError(error)) return fromFengniError(error, kindOf);
  if (isArgumentError(error)) {
    return new ApiError("InvalidParameterValue", `A parameter is not valid: ${error.message}.`, { cause: error });
  }
  return new ApiError("InternalError", INTERNAL, { cause: error });
}

function fromFengniError(error: FengniError, kindOf: (id: string) => KeyKind): ApiError {
  const { keyId = "", reason, limit, operation } = detailsOf(error);
  const detail = reason ?? limit ?? (operation?.startsWith("key spec ") ? "key spec" : undefined);
  const kind = kindOf(keyId);
  const row = ERROR_ROWS.find(
    (candidate) =>
      candidate.code === error.code &&
      (candidate.detail === undefined || candidate.detail === detail) &&
      (candidate.kind === undefined || candidate.kind === kind),
  );
  if (row === undefined) return new ApiError("InternalError", INTERNAL, { cause: error });
  return new ApiError(row.apiCode, row.message ?? error.message, { cause: error });
}

/** Those of an error's details that the table looks at. */
interface Details {
  readonly keyId?: string;
  readonly reason?: string;
  readonly limit?: string;
  /** `key spec NAME` for a spec that this KMS makes no keys of. */
  readonly operation?: string;
}

function detailsOf({ details }: FengniError): Details {
  return details ?? {};
}

function isArgumentError(error: unknown): error is Error {
  if (!(error instanceof TypeError) && !(error instanceof RangeError)) return false;
  return (error as { readonly code?: unknown }).code === "ERR_ARGUMENT";
}
