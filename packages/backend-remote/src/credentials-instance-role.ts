// Credentials of the role that is bound to the virtual machine, from its metadata service. It must not know other sources.
import { FengniError } from "@fengni/crypto/errors";
import { argumentError, checkCount, checkFields } from "./checks.js";
import { systemClock } from "./clock.js";
import type { Credentials } from "./credentials.js";
import { cacheOptions } from "./credentials-assume-role.js";
import { CACHE_FIELDS, type CachedCredentialsOptions, cachedCredentials, MAX_TIMER_MS } from "./credentials-cache.js";
import { type Answer, exchangeText, localExpiry } from "./credentials-http.js";
import { absentError, credentialsError, type NamedCredentialProvider } from "./credentials-static.js";
import { memberOf } from "./sts.js";

/** The metadata service, as a virtual machine of the cloud sees it. It speaks plain HTTP by design and stays on the machine's host. */
export const DEFAULT_METADATA_ENDPOINT = "http://metadata.tencentyun.com";

/** How the metadata service is asked. */
export interface InstanceRoleCredentialsOptions extends CachedCredentialsOptions {
  /** Name of the role; default: the one that is bound. */
  readonly roleName?: string;
  /** Default {@link DEFAULT_METADATA_ENDPOINT}. */
  readonly endpoint?: string;
  /** For each of the two questions, in milliseconds; default 2,000. */
  readonly timeoutMs?: number;
}

type Ask = (path: string, onNotFound: () => FengniError) => Promise<Answer>;

const SOURCE = "instance role";
const METADATA_SERVICE = `${SOURCE}: the metadata service`;
const DEFAULT_TIMEOUT_MS = 2_000;
const PATH = "/latest/meta-data/cam/security-credentials/";
const ROLE_NAME = /^[A-Za-z0-9+=,.@_-]{1,128}$/;

/**
 * Temporary credentials of the role that is bound to this virtual machine.
 * @returns a provider whose calls reject with `ERR_CREDENTIALS` when no role is bound, `ERR_UNAVAILABLE` or `ERR_TIMEOUT` when the
 *   metadata service does not answer, or gives no credentials of the role that it says is bound
 * @throws TypeError `ERR_ARGUMENT` for an endpoint or a role that cannot be
 */
export function instanceRoleCredentials(options: InstanceRoleCredentialsOptions = {}): NamedCredentialProvider {
  checkFields("instanceRoleCredentials", options, [...CACHE_FIELDS, "roleName", "endpoint", "timeoutMs"]);
  const { roleName, endpoint = DEFAULT_METADATA_ENDPOINT, clock = systemClock } = options;
  const timeoutMs = checkCount("timeoutMs", options.timeoutMs, DEFAULT_TIMEOUT_MS, 1, MAX_TIMER_MS);
  if (!URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol)) {
    throw argumentError("endpoint expected a URL that begins with http:// or https://");
  }
  if (roleName !== undefined && !ROLE_NAME.test(roleName)) throw argumentError("roleName expected the name of a role");
  const ask: Ask = async (path, onNotFound) =>
    exchangeText({ url: new URL(path, endpoint), timeoutMs, source: METADATA_SERVICE, onNotFound });
  return cachedCredentials(
    SOURCE,
    async () => {
      const role = roleName ?? (await findRole(ask));
      const answer = await ask(PATH + encodeURIComponent(role), () =>
        roleName === undefined ? withoutCredentials() : notBound(roleName),
      );
      return readCredentials(answer, clock.now());
    },
    cacheOptions(options, 2 * timeoutMs),
  );
}

/** Who names a role means it: another identity must not take its place in a chain. */
function notBound(roleName: string | undefined): FengniError {
  return roleName === undefined
    ? absentError(`${SOURCE}: no role is bound to this virtual machine`)
    : credentialsError(`${SOURCE}: the role ${roleName} is not bound to this virtual machine`);
}

/** A role is bound: that its credentials are not to be had does not make it one that nobody has set up. */
function withoutCredentials(): FengniError {
  return new FengniError("ERR_UNAVAILABLE", `${METADATA_SERVICE} gave an answer without credentials`, {
    retryable: true,
  });
}

async function findRole(ask: Ask): Promise<string> {
  const [name = ""] = (await askForRole(ask)).text.trim().split(/\s/);
  if (name === "") throw notBound(undefined);
  if (!ROLE_NAME.test(name)) throw credentialsError(`${SOURCE}: the metadata service gave no name of a role`);
  return name;
}

/** Outside of the cloud there is no host of this name, and so no such source. */
async function askForRole(ask: Ask): Promise<Answer> {
  try {
    return await ask(PATH, () => notBound(undefined));
  } catch (error) {
    const cause = error instanceof FengniError ? error.cause : undefined;
    if (!(cause instanceof Error && "code" in cause && cause.code === "ENOTFOUND")) throw error;
    throw absentError(`${SOURCE}: there is no metadata service here (ENOTFOUND)`);
  }
}

function readCredentials(received: Answer, nowMs: number): Credentials {
  let answer: unknown;
  try {
    answer = JSON.parse(received.text);
  } catch {
    answer = undefined;
  }
  const secretId = memberOf(answer, "TmpSecretId");
  const secretKey = memberOf(answer, "TmpSecretKey");
  const token = memberOf(answer, "Token");
  const expiredTime = memberOf(answer, "ExpiredTime");
  const isWhole = typeof secretId === "string" && typeof secretKey === "string" && typeof token === "string";
  if (isWhole && typeof expiredTime === "number") {
    return { secretId, secretKey, token, expiresAtMs: localExpiry(expiredTime, received, nowMs) };
  }
  throw withoutCredentials();
}
