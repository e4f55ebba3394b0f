// Credentials that were given, and the form in which this package holds all of them: what prints them shows no secret. It must
// not know where others come from.
import { FengniError, isFengniError } from "@fengni/crypto/errors";
import type { CredentialProvider, Credentials } from "./credentials.js";

/** A source of credentials that has a name, for messages. */
export interface NamedCredentialProvider extends CredentialProvider {
  readonly name: string;
}

const INSPECT = Symbol.for("nodejs.util.inspect.custom");
// What the signer takes, so that a credential that cannot sign is refused where it comes from, with the source named.
const SECRET_ID = /^[A-Za-z0-9_-]{1,128}$/;
const SECRET_KEY = /^[\x21-\x7e]{1,256}$/;
const TOKEN = /^[\x21-\x7e]{1,8192}$/;

/** Credentials are missing or wrong. The message names the source and never a value. */
export function credentialsError(message: string, cause?: unknown): FengniError<"ERR_CREDENTIALS"> {
  return new FengniError("ERR_CREDENTIALS", message, cause === undefined ? {} : { cause });
}

const ABSENT = "absent";

/** There is no such source here: nobody has set it up. A chain goes on to the next one for this, and for nothing else. */
export function absentError(message: string): FengniError<"ERR_CREDENTIALS"> {
  return new FengniError("ERR_CREDENTIALS", message, { details: { reason: ABSENT } });
}

/** Whether an error says that there is no such source: `ERR_CREDENTIALS` with the detail `reason: "absent"`. */
export function isAbsent(error: unknown): boolean {
  if (!isFengniError(error, "ERR_CREDENTIALS")) return false;
  const details: object | undefined = error.details;
  return details !== undefined && "reason" in details && details.reason === ABSENT;
}

/**
 * Credentials whose secrets neither printing nor JSON shows: they are accessors that no enumeration finds. A copy by spreading
 * has none of them.
 * @param fields - as they came
 * @param source - where they came from, for messages
 * @throws FengniError `ERR_CREDENTIALS` for any that cannot sign
 */
export function holdCredentials(fields: Credentials, source: string): Credentials {
  if (typeof fields !== "object" || fields === null) throw credentialsError(`${source}: it gave no credentials`);
  const { secretId, secretKey, token, expiresAtMs } = fields;
  if (typeof secretId !== "string" || !SECRET_ID.test(secretId)) {
    throw credentialsError(`${source}: the secret id is not letters, digits, - and _ (1 to 128)`);
  }
  if (typeof secretKey !== "string" || !SECRET_KEY.test(secretKey)) {
    throw credentialsError(`${source}: the secret key is not 1 to 256 printable characters`);
  }
  if (token !== undefined && (typeof token !== "string" || !TOKEN.test(token))) {
    throw credentialsError(
      `${source}: the token is not 1 to 8,192 printable characters; leave it out if there is none`,
    );
  }
  if (expiresAtMs !== undefined && !Number.isFinite(expiresAtMs)) {
    throw credentialsError(`${source}: the time at which the credentials expire is not a number`);
  }
  const held: Credentials = {
    secretId,
    secretKey,
    ...(token === undefined ? {} : { token }),
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
  };
  const shown = { secretId, secretKey: "[redacted]", ...(token === undefined ? {} : { token: "[redacted]" }) };
  Object.defineProperty(held, "secretKey", { get: () => secretKey, enumerable: false });
  if (token !== undefined) Object.defineProperty(held, "token", { get: () => token, enumerable: false });
  Object.defineProperty(held, "toJSON", { value: () => shown, enumerable: false });
  Object.defineProperty(held, INSPECT, { value: () => shown, enumerable: false });
  return Object.freeze(held);
}

/**
 * Credentials that do not change, permanent or temporary. They are not refreshed: prefer a source that is.
 * @param credentials - secret id and secret key, and the token of a temporary credential
 * @returns a provider whose printed form shows no secret
 * @throws FengniError `ERR_CREDENTIALS` for credentials that no request can carry
 */
export function staticCredentials(credentials: Credentials): NamedCredentialProvider {
  const held = holdCredentials(credentials, "static credentials");
  return {
    name: "static credentials",
    async getCredentials(options) {
      options?.signal?.throwIfAborted();
      return held;
    },
  };
}
