// What a request is signed with, and the seam through which it is obtained. It knows no source of credentials and no
// request.

/** The secrets that sign a request. */
export interface Credentials {
  readonly secretId: string;
  readonly secretKey: string;
  /** The session token of temporary credentials. */
  readonly token?: string;
  /** When they end, in milliseconds since 1970; absent when they do not end by themselves. */
  readonly expiresAtMs?: number;
}

/** What a caller of a provider may ask for. */
export interface CredentialOptions {
  /** Ends this caller's wait; another caller's wait for the same refresh goes on. */
  readonly signal?: AbortSignal;
  /** The service has refused the credentials at hand: obtain new ones even though they seem to be valid. */
  readonly forceRefresh?: boolean;
  /**
   * With `forceRefresh`: the credentials that the service refused. A provider that holds others by now answers with those, and
   * obtains nothing.
   */
  readonly refused?: Credentials;
}

/** Where credentials come from. Called before every attempt, so it answers from memory when it can. */
export interface CredentialProvider {
  /**
   * The credentials to sign with now.
   *
   * @throws FengniError when none can be had; a later call tries again.
   */
  getCredentials(options?: CredentialOptions): Promise<Credentials>;
}

/**
 * Whether two sign alike. The secret key counts too: a file that was read while it was written gives the right id with the wrong key.
 * The time in which keys are compared tells nothing of them but their lengths.
 */
export function isSameCredentials(a: Credentials, b: Credentials): boolean {
  return a.secretId === b.secretId && isSameSecret(a.secretKey, b.secretKey) && a.token === b.token;
}

/** On the texts themselves, for bytes would be copies to wipe. A provider from outside may have given what is no text. */
function isSameSecret(a: unknown, b: unknown): boolean {
  if (typeof a !== "string" || typeof b !== "string" || a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}
