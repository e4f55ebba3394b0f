// Credentials of a role for a workload that an identity provider vouches for, as in a TKE cluster. It must not know how the service
// is called.
import { checkFields } from "./checks.js";
import { systemClock } from "./clock.js";
import type { Credentials } from "./credentials.js";
import { cacheOptions, ROLE_FIELDS, type RoleOptions, roleParameters, stsOptions } from "./credentials-assume-role.js";
import { type CachedCredentialsOptions, cachedCredentials } from "./credentials-cache.js";
import { type Environment, processEnvironment, requireVariables } from "./credentials-environment.js";
import { readSmallFile } from "./credentials-file.js";
import { absentError, credentialsError, type NamedCredentialProvider } from "./credentials-static.js";
import { checkText } from "./request-checks.js";
import { callSts, MAX_STS_REQUESTS, type StsOptions, stsTimeoutMs } from "./sts.js";

/** How a workload's token is exchanged for the credentials of a role. */
export interface OidcCredentialsOptions extends RoleOptions {
  /** Name of the identity provider in the account. */
  readonly providerId: string;
  /** The file with the token. It is read at each refresh, for whoever issues the token renews it there. */
  readonly webIdentityTokenFile: string;
}

/** How the variables of a TKE cluster are used. */
export interface TkeCredentialsOptions
  extends CachedCredentialsOptions,
    Pick<StsOptions, "endpoint" | "timeoutMs">,
    Pick<RoleOptions, "sessionName" | "durationSeconds"> {
  /** Default: the environment of this process. */
  readonly environment?: Environment;
}

const SOURCE = "OIDC";
/** A region alone may be set for something else. */
const TKE_REGION = "TKE_REGION";
const TKE_VARIABLES = ["TKE_PROVIDER_ID", "TKE_WEB_IDENTITY_TOKEN_FILE", "TKE_ROLE_ARN", TKE_REGION] as const;

/**
 * Temporary credentials of a role: `AssumeRoleWithWebIdentity` of the security token service, which no other credentials sign.
 * @returns a provider whose calls reject with `ERR_CREDENTIALS` when there is no token or it is refused, `ERR_DENIED`,
 *   `ERR_UNAVAILABLE`, `ERR_TIMEOUT`
 * @throws TypeError or RangeError `ERR_ARGUMENT`, FengniError `ERR_LIMIT` for options that cannot be
 */
export function oidcCredentials(options: OidcCredentialsOptions): NamedCredentialProvider {
  checkFields("oidcCredentials", options, [...ROLE_FIELDS, "providerId", "webIdentityTokenFile"]);
  roleParameters(options);
  checkText("providerId", options.providerId);
  checkText("webIdentityTokenFile", options.webIdentityTokenFile);
  return cachedCredentials(
    SOURCE,
    () => exchangeToken(options),
    cacheOptions(options, MAX_STS_REQUESTS * stsTimeoutMs(options)),
  );
}

/**
 * As {@link oidcCredentials}, with the variables that a TKE cluster gives to its workloads: `TKE_PROVIDER_ID`,
 * `TKE_WEB_IDENTITY_TOKEN_FILE`, `TKE_ROLE_ARN`, `TKE_REGION`.
 * @returns a provider whose calls reject with `ERR_CREDENTIALS` that names the variables that are missing, and as above
 */
export function tkeCredentials(options: TkeCredentialsOptions = {}): NamedCredentialProvider {
  const known = ROLE_FIELDS.filter((field) => field !== "region" && field !== "roleArn");
  checkFields("tkeCredentials", options, [...known, "environment"]);
  const { environment = processEnvironment(), ...others } = options;
  return cachedCredentials(
    SOURCE,
    async () => {
      const found = requireVariables(environment, TKE_VARIABLES);
      if ("missing" in found) {
        const message = `${SOURCE}: ${found.missing.join(", ")} not set`;
        const isThere = TKE_VARIABLES.some((name) => name !== TKE_REGION && !found.missing.includes(name));
        throw isThere ? credentialsError(message) : absentError(message);
      }
      const [providerId = "", webIdentityTokenFile = "", roleArn = "", region = ""] = found.values;
      return exchangeToken({ ...others, providerId, webIdentityTokenFile, roleArn, region });
    },
    cacheOptions(options, MAX_STS_REQUESTS * stsTimeoutMs(options)),
  );
}

async function exchangeToken(options: OidcCredentialsOptions): Promise<Credentials> {
  const { providerId, webIdentityTokenFile, clock = systemClock } = options;
  const token = (await readSmallFile(webIdentityTokenFile, "the token file"))?.trim() ?? "";
  if (token === "") throw credentialsError(`${SOURCE}: the token file ${webIdentityTokenFile} is missing or empty`);
  return callSts({
    action: "AssumeRoleWithWebIdentity",
    parameters: { ...roleParameters(options), ProviderId: providerId, WebIdentityToken: token },
    clock,
    ...stsOptions(options),
  });
}
