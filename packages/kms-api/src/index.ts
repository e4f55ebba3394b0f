// The whole public surface of kms-api.
export type { Action, Field, FieldEquals, Limits, ResponseField, Rule } from "./action.js";
// The one list that is not by name: a request and a response for each action, and the models.
export type * from "./actions.gen.js";
export { ACTIONS, API_VERSION, MODELS } from "./actions-table.gen.js";
export { findAction, isActionName } from "./catalogue.js";
export { ERROR_CODES } from "./error-codes.js";
export {
  ApiError,
  type ApiErrorCode,
  type ErrorCodeRow,
  errorCodeRow,
  isApiError,
  isKnownErrorCode,
  isRetryable,
  isSafeToRepeat,
  portableCode,
  type Retry,
} from "./errors.js";
export { findRepeatedName, parseRequestBody } from "./json-names.js";
export type {
  ConditionDocument,
  ConditionValues,
  Effect,
  Policy,
  PolicyDocument,
  Statement,
  StatementDocument,
} from "./policy.js";
export type { ConditionOutcome, ContextValue } from "./policy-conditions.js";
export { isPolicyError, PolicyError } from "./policy-error.js";
export {
  type AccessRequest,
  type Caller,
  type Decision,
  type DecisionReason,
  evaluate,
  type PolicySet,
  type PolicySource,
  type StatementPosition,
  type Verdict,
} from "./policy-evaluate.js";
export {
  type ConditionFailure,
  type Explanation,
  explain,
  type Mismatch,
  type ResourceExplanation,
  type ResourceMismatch,
  type StatementExplanation,
} from "./policy-explain.js";
export {
  type ActionUse,
  type GeneratedPolicy,
  generatePolicy,
  generatePolicyForKeys,
  type UsageRecord,
} from "./policy-generate.js";
export {
  type Finding,
  type FindingCode,
  lintPolicy,
  MAX_CUSTOM_POLICY_CHARACTERS,
  type Severity,
} from "./policy-lint.js";
export { MAX_LIST_ENTRIES, MAX_POLICY_CHARACTERS, MAX_STATEMENTS, parsePolicy } from "./policy-parse.js";
// `Tag` is the service's own model, of actions.gen.ts.
export {
  type ActionRule,
  deniedMessage,
  isPresentedBy,
  presentResource,
  type RequestFacts,
  type ResourceParts,
  requestContext,
  type Tag as ResourceTag,
} from "./resource.js";
export { type Authorization, MAX_AUTHORIZATION_CHARACTERS, parseAuthorization } from "./tc3-authorization.js";
export { TC3_SCHEME, UNSIGNED_PAYLOAD } from "./tc3-canonical.js";
export { type ReplayAnswer, ReplayWindow, type ReplayWindowOptions, type SignedUse } from "./tc3-replay.js";
export {
  createSigner,
  type RequestToSign,
  type SignatureHeaders,
  type Signer,
  type SignerOptions,
} from "./tc3-sign.js";
export {
  type RequestToVerify,
  type SecretRecord,
  type VerifiedRequest,
  type VerifyOptions,
  verifySignature,
} from "./tc3-verify.js";
export { validateRequest } from "./validate.js";
