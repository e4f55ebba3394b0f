// The whole public surface of backend-remote.
export type { ActionMethod, ActionMethods, KmsCallOptions } from "./action-methods.js";
export { TencentKeyAdmin, type TencentKeyAdminOptions } from "./admin.js";
export { type BreakerOptions, type BreakerState, DEFAULT_FAILURE_THRESHOLD, DEFAULT_OPEN_MS } from "./breaker.js";
export { listOffers, type RegionOffers } from "./capabilities.js";
export { TencentKmsClient } from "./client.js";
export type { ClientEvent, ClientEventListener } from "./client-events.js";
export { DEFAULT_ATTEMPT_TIMEOUT_MS, DEFAULT_TIMEOUT_MS, type TencentKmsClientOptions } from "./client-options.js";
export { type Clock, type Random, systemClock } from "./clock.js";
export type { CredentialOptions, CredentialProvider, Credentials } from "./credentials.js";
export {
  type AssumeRoleCredentialsOptions,
  assumeRoleCredentials,
  type RoleOptions,
} from "./credentials-assume-role.js";
export {
  type CachedCredentialsOptions,
  cachedCredentials,
  DEFAULT_REFRESH_MARGIN_MS,
  type WallClock,
} from "./credentials-cache.js";
export {
  credentialChain,
  DEFAULT_METADATA_TIMEOUT_MS,
  type DefaultCredentialsOptions,
  defaultCredentials,
} from "./credentials-chain.js";
export { type Environment, environmentCredentials } from "./credentials-environment.js";
export {
  DEFAULT_METADATA_ENDPOINT,
  type InstanceRoleCredentialsOptions,
  instanceRoleCredentials,
} from "./credentials-instance-role.js";
export {
  type OidcCredentialsOptions,
  oidcCredentials,
  type TkeCredentialsOptions,
  tkeCredentials,
} from "./credentials-oidc.js";
export { type ProfileCredentialsOptions, profileCredentials } from "./credentials-profile.js";
export { type NamedCredentialProvider, staticCredentials } from "./credentials-static.js";
export { DEFAULT_ENDPOINT } from "./endpoint-address.js";
export type { BreakerStates } from "./endpoints.js";
export { type HostedBranchKeysOptions, hostedBranchKeys } from "./hosted-branch-keys.js";
export { GENERATED_ALIAS_PREFIX } from "./key-creation.js";
export type { KmsRequester } from "./key-names.js";
export { DEFAULT_ALIAS_CACHE_MS, type KeyServiceOptions } from "./key-service.js";
export { DEFAULT_MAX_QUEUED, type LimiterOptions } from "./limiter.js";
export { DEFAULT_PROVIDER_ID, TencentKeyProvider, type TencentKeyProviderOptions } from "./provider.js";
export { isRequestError, RequestError, type RequestErrorOptions, type RequestPhase } from "./request-error.js";
export { DEFAULT_MAX_ATTEMPTS, DEFAULT_RETRY_BUDGET } from "./retry.js";
export { DEFAULT_DURATION_SECONDS, DEFAULT_STS_ENDPOINT, type StsOptions } from "./sts.js";
export type { Transport, TransportOptions } from "./transport.js";
export { type OfficialClient, officialClientTransport } from "./transport-client.js";
export {
  type ConnectionOptions,
  createHttpTransport,
  DEFAULT_CONNECT_TIMEOUT_MS,
  DEFAULT_IDLE_TIMEOUT_MS,
  DEFAULT_MAX_ANSWER_BYTES,
  DEFAULT_MAX_CONNECTIONS,
  type HttpTransportOptions,
  type TlsSettings,
} from "./transport-http.js";
