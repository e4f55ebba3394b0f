// Signs requests with the credentials of the moment and the service's time. It must not know how a request is sent.
import { API_VERSION, createSigner, type Signer } from "@fengni/kms-api";
import { argumentError } from "./checks.js";
import { type Clock, EARLIEST_MS, LATEST_MS, LEAST_CORRECTION_MS } from "./clock.js";
import type { CredentialOptions, CredentialProvider, Credentials } from "./credentials.js";
import { credentialsError, holdCredentials } from "./credentials-static.js";

/** A request to sign. */
export interface UnsignedRequest {
  readonly action: string;
  readonly region: string;
  /** As the header `Host` says it, in lower case. */
  readonly host: string;
  readonly body: Uint8Array;
}

const CONTENT_TYPE = "application/json";
/** Between two times that credentials are obtained anew because a signature was refused. */
const RENEW_PAUSE_MS = 5_000;

/** A request that was signed. */
export interface SignedRequest {
  /** Names and values. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly timestampSeconds: number;
}

/** The signer of a client; printing it shows no secret. */
export class RequestSigner {
  readonly #provider: CredentialProvider | undefined;
  readonly #clock: Clock;
  #fixed: Credentials | undefined;
  #offsetMs = 0;
  #current: { readonly credentials: Credentials; readonly signer: Signer } | undefined;
  #renewal: { readonly at: number; readonly renewed: Promise<Credentials> } | undefined;

  /** @throws FengniError `ERR_CREDENTIALS` for fixed credentials that cannot sign */
  constructor(credentials: Credentials | CredentialProvider, clock: Clock) {
    this.#clock = clock;
    if (typeof credentials !== "object" || credentials === null) {
      throw argumentError("credentials expected { secretId, secretKey } or a credential provider");
    }
    if ("getCredentials" in credentials) {
      if (typeof credentials.getCredentials !== "function") {
        throw argumentError("credentials expected a provider whose getCredentials is a function");
      }
      this.#provider = credentials;
      return;
    }
    if (typeof credentials.secretId !== "string" || typeof credentials.secretKey !== "string") {
      throw credentialsError(
        "credentials expected { secretId, secretKey }, both texts, with the token of temporary ones",
      );
    }
    this.#fixed = holdCredentials(credentials, "credentials");
    this.#signerOf(this.#fixed);
  }

  /** The credentials to sign with: at once when they are fixed. What a provider throws, the promise rejects with. */
  credentials(signal: AbortSignal | undefined): Credentials | Promise<Credentials> {
    if (this.#provider !== undefined) return this.#obtain(this.#provider, signal === undefined ? {} : { signal });
    // Without fixed ones the signer was wiped: whoever signs is told so.
    return this.#fixed ?? { secretId: "", secretKey: "" };
  }

  /** New credentials in place of those that the service refused; undefined where there are no others to be had. */
  refresh(refused: Credentials, signal: AbortSignal | undefined): Promise<Credentials> | undefined {
    if (this.#provider === undefined) return undefined;
    const options = { forceRefresh: true, refused };
    return this.#obtain(this.#provider, signal === undefined ? options : { ...options, signal });
  }

  /**
   * New credentials in place of those whose signature the service refused: the key may have been wrong when it was read, but it may as
   * well be wrong where it comes from, so the source is asked once in {@link RENEW_PAUSE_MS} only, for all who ask.
   * @returns what the source gave then; undefined where there are no others to be had
   */
  renew(refused: Credentials): Promise<Credentials> | undefined {
    const now = this.#clock.elapsed();
    if (this.#renewal === undefined || now - this.#renewal.at >= RENEW_PAUSE_MS) {
      const renewed = this.refresh(refused, undefined);
      if (renewed === undefined) return undefined;
      this.#renewal = { at: now, renewed };
    }
    return this.#renewal.renewed;
  }

  async #obtain(provider: CredentialProvider, options: CredentialOptions): Promise<Credentials> {
    const credentials: unknown = await provider.getCredentials(options);
    if (typeof credentials === "object" && credentials !== null) return credentials as Credentials;
    throw credentialsError("the credential provider gave no credentials: it has to give { secretId, secretKey }");
  }

  /**
   * Signs a request.
   * @throws FengniError `ERR_CREDENTIALS` for credentials that no request can carry
   */
  sign(credentials: Credentials, { action, region, host, body }: UnsignedRequest): SignedRequest {
    const timestampSeconds = Math.floor(this.#now() / 1000);
    const signed = this.#signerOf(credentials).sign({
      method: "POST",
      headers: { "content-type": CONTENT_TYPE, host, "x-tc-action": action },
      payload: body,
      timestampSeconds,
    });
    const token = signed["X-TC-Token"];
    const headers: [name: string, value: string][] = [
      ["Host", host],
      ["Content-Type", CONTENT_TYPE],
      ["Content-Length", String(body.length)],
      ["X-TC-Action", action],
      ["X-TC-Version", API_VERSION],
      ["X-TC-Region", region],
      ["X-TC-Timestamp", signed["X-TC-Timestamp"]],
      ["X-TC-Language", "en-US"],
      ["Authorization", signed.Authorization],
    ];
    if (token !== undefined) headers.push(["X-TC-Token", token]);
    return { headers, timestampSeconds };
  }

  /**
   * Takes the service's time from the header `Date` of its answer.
   * @param signedSeconds - what the request was signed with that was answered so: another one may have learned in the meantime
   * @returns whether a request would be signed with another time now, so that it is worth signing once more
   */
  learnTime(date: string | undefined, signedSeconds: number): boolean {
    const time = date === undefined ? Number.NaN : Date.parse(date);
    // Also false for what is no time.
    if (!(time >= EARLIEST_MS && time <= LATEST_MS)) return this.#unlearnTime(signedSeconds);
    if (Math.abs(time - signedSeconds * 1000) < LEAST_CORRECTION_MS) return false;
    this.#offsetMs = time - this.#clock.now();
    return true;
  }

  /** Without a time to learn, one that was learned earlier may be what is wrong: the clock may have been set since. */
  #unlearnTime(signedSeconds: number): boolean {
    // It was signed with another one: meanwhile somebody else has learned.
    if (Math.abs(this.#now() - signedSeconds * 1000) >= LEAST_CORRECTION_MS) return true;
    if (this.#offsetMs === 0) return false;
    this.#offsetMs = 0;
    return true;
  }

  /** The time that was learned did not help: ours is as good. */
  forgetTime(): void {
    this.#offsetMs = 0;
  }

  #now(): number {
    const time = this.#clock.now() + this.#offsetMs;
    if (time >= EARLIEST_MS && time <= LATEST_MS) return time;
    // The clock was set after the offset was learned.
    this.#offsetMs = 0;
    return this.#clock.now();
  }

  /** Forgets the credentials and the signing key. */
  wipe(): void {
    this.#current?.signer.wipe();
    this.#current = undefined;
    this.#renewal = undefined;
    this.#fixed = undefined;
  }

  // One signer, for its key of the day; another one when the credentials have changed.
  #signerOf(credentials: Credentials): Signer {
    if (this.#current !== undefined && isSame(this.#current.credentials, credentials)) return this.#current.signer;
    // A copy, for the caller's own may change.
    const held = holdCredentials(credentials, "the credential provider");
    const { secretId, secretKey, token } = held;
    const signer = createSigner({ secretId, secretKey, ...(token === undefined ? {} : { token }) });
    this.#current?.signer.wipe();
    this.#current = { credentials: held, signer };
    return signer;
  }
}

function isSame(a: Credentials, b: Credentials): boolean {
  return a.secretId === b.secretId && a.secretKey === b.secretKey && a.token === b.token;
}
