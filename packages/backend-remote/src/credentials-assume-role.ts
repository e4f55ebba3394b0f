// Credentials of a role that other credentials may assume. It must not know how the service is called.
import { isFengniError } from "@fengni/crypto/errors";
import { argumentError, checkFields } from "./checks.js";
import { systemClock } from "./clock.js";
import { type CredentialOptions, type CredentialProvider, type Credentials, isSameCredentials } from "./credentials.js";
import {
  CACHE_FIELDS,
  type CachedCredentialsOptions,
  cachedCredentials,
  DEFAULT_LOAD_TIMEOUT_MS,
  MAX_TIMER_MS,
} from "./credentials-cache.js";
import { credentialsError, isAbsent, type NamedCredentialProvider } from "./credentials-static.js";
import { checkText, checkWholeNumber } from "./request-checks.js";
import {
  callSts,
  DEFAULT_DURATION_SECONDS,
  isClockRefusal,
  MAX_DURATION_SECONDS,
  MAX_STS_REQUESTS,
  type StsOptions,
  stsTimeoutMs,
  stsUrl,
} from "./sts.js";

/** What is asked of the service about a role. */
export interface RoleOptions extends StsOptions, CachedCredentialsOptions {
  /** For example `qcs::cam::uin/100000000001:roleName/sealer`. */
  readonly roleArn: string;
  /** Names the session in the audit log: 2 to 128 of letters, digits, `_`, `=`, `,`, `.`, `@`, `-`; default `fengni`. */
  readonly sessionName?: string;
  /** How long the credentials live: 60 to 43,200 seconds, or what the role allows if that is less; default 7,200. */
  readonly durationSeconds?: number;
}

/** How a role is assumed. */
export interface AssumeRoleCredentialsOptions extends RoleOptions {
  /** Whose credentials assume it; they are asked for at each refresh. */
  readonly source: CredentialProvider;
  /** A secret that the owner of the role agreed with the caller. */
  readonly externalId?: string;
}

/** The names of {@link RoleOptions}. */
export const ROLE_FIELDS: readonly string[] = [
  ...CACHE_FIELDS,
  ...["endpoint", "region", "timeoutMs", "roleArn", "sessionName", "durationSeconds"],
];

const SESSION_NAME = /^[A-Za-z0-9_=,.@-]{2,128}$/;
const MIN_DURATION_SECONDS = 60;

/** What every call about a role sends. @throws TypeError, RangeError `ERR_ARGUMENT`; FengniError `ERR_LIMIT` */
export function roleParameters(options: RoleOptions): {
  readonly RoleArn: string;
  readonly RoleSessionName: string;
  readonly DurationSeconds: number;
} {
  const { roleArn, sessionName = "fengni", durationSeconds = DEFAULT_DURATION_SECONDS, endpoint, region } = options;
  if (checkText("roleArn", roleArn) === "") throw argumentError("roleArn expected the name of a role");
  if (checkText("region", region) === "") throw argumentError("region expected a region such as ap-guangzhou");
  if (!SESSION_NAME.test(checkText("sessionName", sessionName))) {
    throw argumentError("sessionName expected 2 to 128 of letters, digits and _ = , . @ -");
  }
  checkWholeNumber("durationSeconds", durationSeconds, MIN_DURATION_SECONDS, MAX_DURATION_SECONDS);
  if (endpoint !== undefined) stsUrl(endpoint);
  stsTimeoutMs(options);
  return { RoleArn: roleArn, RoleSessionName: sessionName, DurationSeconds: durationSeconds };
}

/** The options of the service's call, those that are there. */
export function stsOptions({ endpoint, region, timeoutMs }: StsOptions): StsOptions {
  return {
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

/**
 * The options of the cache, those that are there.
 * @param exchangesMs - how long its exchanges may take: the time for the whole is no less
 */
export function cacheOptions(
  { clock, refreshMarginMs, loadTimeoutMs }: CachedCredentialsOptions,
  exchangesMs: number,
): CachedCredentialsOptions {
  return {
    loadTimeoutMs: loadTimeoutMs ?? Math.min(MAX_TIMER_MS, DEFAULT_LOAD_TIMEOUT_MS + exchangesMs),
    ...(clock === undefined ? {} : { clock }),
    ...(refreshMarginMs === undefined ? {} : { refreshMarginMs }),
  };
}

/**
 * Temporary credentials of a role: `AssumeRole` of the security token service, signed with the source's credentials, and asked for
 * anew before they expire.
 * @returns a provider whose calls reject as the source does, with `ERR_CREDENTIALS` or `ERR_DENIED` when the role is refused, with
 *   `ERR_UNAVAILABLE` or `ERR_TIMEOUT` when the service does not answer
 * @throws TypeError or RangeError `ERR_ARGUMENT`, FengniError `ERR_LIMIT` for options that cannot be
 */
export function assumeRoleCredentials(options: AssumeRoleCredentialsOptions): NamedCredentialProvider {
  checkFields("assumeRoleCredentials", options, [...ROLE_FIELDS, "source", "externalId"]);
  const { source, externalId } = options;
  if (typeof source !== "object" || source === null || typeof source.getCredentials !== "function") {
    throw argumentError("source expected a credential provider");
  }
  if (externalId !== undefined) checkText("externalId", externalId);
  const parameters = { ...roleParameters(options), ...(externalId === undefined ? {} : { ExternalId: externalId }) };
  const { clock = systemClock } = options;
  const ask = (signWith: Credentials): Promise<Credentials> =>
    callSts({ action: "AssumeRole", parameters, signWith, clock, ...stsOptions(options) });
  return cachedCredentials(
    "assumed role",
    () => askWith(source, ask),
    cacheOptions(options, 2 * MAX_STS_REQUESTS * stsTimeoutMs(options)),
  );
}

/** The role is set up here: that its source is not must not let a chain go on to another identity. */
async function sourceCredentials(source: CredentialProvider, options: CredentialOptions = {}): Promise<Credentials> {
  try {
    return await source.getCredentials(options);
  } catch (error) {
    if (!isFengniError(error) || !isAbsent(error)) throw error;
    throw credentialsError(`assumed role: its source has none: ${error.message}`, error);
  }
}

/** Asks with the source's credentials, and once more with new ones where the service refuses those at hand. */
async function askWith(
  source: CredentialProvider,
  ask: (signWith: Credentials) => Promise<Credentials>,
): Promise<Credentials> {
  const held = await sourceCredentials(source);
  try {
    return await ask(held);
  } catch (error) {
    // Other credentials do not set a clock right.
    if (!isFengniError(error, "ERR_CREDENTIALS") || isClockRefusal(error)) throw error;
    const renewed = await sourceCredentials(source, { forceRefresh: true, refused: held });
    if (isSameCredentials(renewed, held)) throw error;
    return ask(renewed);
  }
}
