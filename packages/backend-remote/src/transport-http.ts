// Our own transport: signed requests over node:http(s) to one endpoint, on connections that are kept alive. It must not repeat a
// request, but where the service has refused its signature: then it was not carried out.
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent, type RequestOptions } from "node:https";
import type { Socket } from "node:net";
import { createSecureContext } from "node:tls";
import { utf8ToBytes } from "@fengni/crypto/bytes";
import { FengniError, isFengniError } from "@fengni/crypto/errors";
import type { ActionName } from "@fengni/kms-api";
import { type HttpAnswer, readAnswer, type Verdict } from "./answer.js";
import { argumentError, checkCount, checkFields } from "./checks.js";
import { type Clock, systemClock } from "./clock.js";
import type { CredentialProvider, Credentials } from "./credentials.js";
import { isSameCredentials } from "./credentials.js";
import { Deadline, deadlineError, within } from "./deadline.js";
import { type EndpointAddress, parseEndpoint } from "./endpoint-address.js";
import { causeOf, type Subject } from "./error-map.js";
import { exchange } from "./http-exchange.js";
import { MAX_REGIONS, RecentMap } from "./recent-map.js";
import type { RequestError } from "./request-error.js";
import { RequestSigner, type SignedRequest } from "./request-signer.js";
import type { Transport, TransportOptions } from "./transport.js";

/** How connections are secured. Certificates are always checked. */
export interface TlsSettings {
  /** PEM: the certificates to trust in place of the system's, for example of a private deployment. */
  readonly ca?: string | readonly string[];
  /** PEM: a certificate of the client's, and its key. */
  readonly cert?: string;
  readonly key?: string;
  /** The name that the certificate must have, where it is not the endpoint's. */
  readonly servername?: string;
}

/** How connections are made and kept. */
export interface ConnectionOptions {
  /** For a connection to be made; 1 to 600,000, default {@link DEFAULT_CONNECT_TIMEOUT_MS}. */
  readonly connectTimeoutMs?: number;
  /**
   * Connections at once to an endpoint, and requests at once of a client, both for each region: one that hangs takes none from
   * another. 1 to 10,000, default {@link DEFAULT_MAX_CONNECTIONS}.
   */
  readonly maxConnections?: number;
  /** For a connection to stay open between requests; 1 to 600,000, default {@link DEFAULT_IDLE_TIMEOUT_MS}. */
  readonly idleTimeoutMs?: number;
  /** Longest answer, in bytes; 1,024 to 64 MiB, default {@link DEFAULT_MAX_ANSWER_BYTES}. */
  readonly maxAnswerBytes?: number;
  readonly tls?: TlsSettings;
  /**
   * An agent of the caller's, for example one that goes through a proxy; whoever made it destroys it. Its own bounds hold for all
   * regions together. One that turns the check of certificates off, or has its own check of names, is refused: name the certificates to
   * trust in `tls.ca`, and their name in `tls.servername`.
   */
  readonly agent?: HttpAgent;
  /** Allows `http:` to another machine than this one, where anybody can read what is sent; default false. */
  readonly allowPlainHttp?: boolean;
}

/** What a transport is made of. */
export interface HttpTransportOptions extends ConnectionOptions {
  /** Scheme, host and port, for example `https://kms.tencentcloudapi.com`. */
  readonly endpoint: string;
  readonly credentials: Credentials | CredentialProvider;
  readonly clock?: Clock;
}

/** For a connection to be made, unless told otherwise, in milliseconds. */
export const DEFAULT_CONNECT_TIMEOUT_MS = 2_000;
/**
 * For a connection to stay open between requests, unless told otherwise, in milliseconds: less than most servers allow, so that no
 * request meets a connection that is closing.
 */
export const DEFAULT_IDLE_TIMEOUT_MS = 30_000;
/** Connections at once, unless told otherwise. */
export const DEFAULT_MAX_CONNECTIONS = 64;
/** Longest answer, unless told otherwise, in bytes. */
export const DEFAULT_MAX_ANSWER_BYTES: number = 1024 * 1024;
/** The fields of {@link ConnectionOptions}. */
export const CONNECTION_FIELDS: readonly string[] = [
  "connectTimeoutMs",
  "idleTimeoutMs",
  "maxConnections",
  "maxAnswerBytes",
  "tls",
  "agent",
  "allowPlainHttp",
];

const MAX_HEADER_BYTES = 16 * 1024;
const TLS_FIELDS = ["ca", "cert", "key", "servername"];

/** A request that was answered, and what it was signed with. */
interface Sent {
  readonly date: string | undefined;
  readonly timestampSeconds: number;
  readonly verdict: Verdict;
}

/** A transport to one endpoint; the signer may be shared with those to others. */
export class HttpTransport implements Transport {
  readonly #address: EndpointAddress;
  readonly #signer: RequestSigner;
  readonly #clock: Clock;
  readonly #agentOf: (region: string) => HttpAgent;
  readonly #ownAgents = new RecentMap<HttpAgent>(MAX_REGIONS, {
    mayGo: ({ sockets, requests }) => Object.keys(sockets).length === 0 && Object.keys(requests).length === 0,
    onGone: (agent) => agent.destroy(),
  });
  readonly #request: RequestOptions;
  readonly #connectTimeoutMs: number;
  readonly #maxAnswerBytes: number;
  #isClosed = false;

  constructor(endpoint: string, options: ConnectionOptions, signer: RequestSigner, clock: Clock) {
    const { tls = {}, agent, allowPlainHttp = false } = options;
    checkFields("tls", tls, TLS_FIELDS);
    this.#address = parseEndpoint(endpoint, allowPlainHttp);
    this.#signer = signer;
    this.#clock = clock;
    this.#connectTimeoutMs = checkCount(
      "connectTimeoutMs",
      options.connectTimeoutMs,
      DEFAULT_CONNECT_TIMEOUT_MS,
      1,
      600_000,
    );
    this.#maxAnswerBytes = checkCount(
      "maxAnswerBytes",
      options.maxAnswerBytes,
      DEFAULT_MAX_ANSWER_BYTES,
      1024,
      64 * 1024 * 1024,
    );
    const maxSockets = checkCount("maxConnections", options.maxConnections, DEFAULT_MAX_CONNECTIONS, 1, 10_000);
    const idleTimeoutMs = checkCount("idleTimeoutMs", options.idleTimeoutMs, DEFAULT_IDLE_TIMEOUT_MS, 1, 600_000);
    const { isSecure } = this.#address;
    if (agent !== undefined) checkAgent(agent, isSecure);
    this.#agentOf = (region) =>
      // Every region has connections of its own, which another one's hanging requests do not use up.
      agent ?? this.#ownAgents.get(region, () => createAgent(isSecure, maxSockets, idleTimeoutMs));
    checkTls(tls);
    this.#request = requestOptions(this.#address, tls);
  }

  async request(action: ActionName, params: object, options: TransportOptions): Promise<object> {
    this.#checkOpen();
    const subject: Subject = { action, params };
    const deadline = new Deadline(this.#clock, options.timeoutMs);
    const { signal } = options;
    const obtained = this.#signer.credentials(signal);
    const credentials = obtained instanceof Promise ? await this.#await(obtained, deadline, signal) : obtained;
    const body = JSON.stringify(params);
    const unsigned = { action, region: options.region, host: this.#address.host, body: utf8ToBytes(body) };
    const send = async (by: Credentials): Promise<Sent> => {
      this.#checkOpen();
      const { headers, timestampSeconds } = this.#signer.sign(by, unsigned);
      const answer = await this.#send(headers, body, subject, options.region, deadline, signal);
      return { date: answer.date, timestampSeconds, verdict: readAnswer(answer, subject, secretsOf(by)) };
    };
    const first = await send(credentials);
    if ("response" in first.verdict) return first.verdict.response;
    const amended = await this.#amend(first.verdict.error, first, credentials, deadline, signal);
    if (amended === undefined || deadline.remainingMs() <= 0) throw first.verdict.error;
    const { verdict } = await send(amended);
    if ("response" in verdict) return verdict.response;
    if (isExpired(verdict.error)) this.#signer.forgetTime();
    throw verdict.error;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const [, agent] of this.#ownAgents.entries()) agent.destroy();
    this.#signer.wipe();
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new FengniError("ERR_CLOSED", "the transport was closed: make a new one");
  }

  #send(
    headers: SignedRequest["headers"],
    body: string,
    subject: Subject,
    region: string,
    deadline: Deadline,
    signal: AbortSignal | undefined,
  ): Promise<HttpAnswer> {
    return exchange({
      isSecure: this.#address.isSecure,
      request: { ...this.#request, agent: this.#agentOf(region) },
      headers,
      body,
      subject,
      signal,
      clock: this.#clock,
      timeoutMs: Math.max(1, deadline.remainingMs()),
      connectTimeoutMs: this.#connectTimeoutMs,
      maxAnswerBytes: this.#maxAnswerBytes,
    });
  }

  /**
   * What to sign with once more after the service has refused the signature, which it does before it carries anything out:
   * undefined where nothing would be different.
   */
  async #amend(
    error: RequestError,
    { date, timestampSeconds }: Sent,
    credentials: Credentials,
    deadline: Deadline,
    signal: AbortSignal | undefined,
  ): Promise<Credentials | undefined> {
    if (isExpired(error)) return this.#signer.learnTime(date, timestampSeconds) ? credentials : undefined;
    switch (error.vendorCode) {
      case "AuthFailure.TokenFailure":
      case "AuthFailure.SecretIdNotFound": {
        const refreshing = this.#signer.refresh(credentials, signal);
        if (refreshing === undefined) return undefined;
        const refreshed = await this.#await(refreshing, deadline, signal);
        // The same again would be refused again.
        return isSameCredentials(refreshed, credentials) ? undefined : refreshed;
      }
      case "AuthFailure.SignatureFailure":
      case "AuthFailure.InvalidSecretId":
        return this.#renewed(credentials, deadline, signal);
      default:
        return undefined;
    }
  }

  /** Other credentials than those that were refused; undefined where none are to be had: then the refusal says more. */
  async #renewed(
    refused: Credentials,
    deadline: Deadline,
    signal: AbortSignal | undefined,
  ): Promise<Credentials | undefined> {
    try {
      const renewing = this.#signer.renew(refused);
      const renewed = renewing === undefined ? undefined : await this.#await(renewing, deadline, signal);
      return renewed === undefined || isSameCredentials(renewed, refused) ? undefined : renewed;
    } catch (error) {
      if (signal?.aborted === true) throw error;
      return undefined;
    }
  }

  /** Credentials, within the call's time. @throws FengniError as the provider does, `ERR_CREDENTIALS` for what is none of ours */
  async #await(
    obtained: Promise<Credentials>,
    deadline: Deadline,
    signal: AbortSignal | undefined,
  ): Promise<Credentials> {
    try {
      return await within(obtained, this.#clock, {
        signal,
        remainingMs: deadline.remainingMs(),
        timeoutError: () => deadlineError(deadline.timeoutMs, "waiting for credentials"),
      });
    } catch (error) {
      if (signal?.aborted === true || isFengniError(error)) throw error;
      throw new FengniError("ERR_CREDENTIALS", "the credential provider failed: its error is the cause", {
        cause: causeOf(error),
      });
    }
  }
}

function isExpired({ vendorCode }: RequestError): boolean {
  return vendorCode === "AuthFailure.SignatureExpire" || vendorCode === "AuthFailure.SignatureExpired";
}

function checkAgent(agent: HttpAgent, isSecure: boolean): void {
  if (typeof agent !== "object" || agent === null || !("addRequest" in agent)) {
    throw argumentError("agent expected an Agent of node:http or node:https");
  }
  if (!isSecure) return;
  if (Object.getPrototypeOf(agent) === HttpAgent.prototype) {
    throw argumentError("agent expected an Agent of node:https for an endpoint with https:");
  }
  // What an agent says counts more than what a request says.
  const { options } = agent as {
    readonly options?: { readonly rejectUnauthorized?: unknown; readonly checkServerIdentity?: unknown };
  };
  if (options?.rejectUnauthorized === false) {
    throw argumentError(
      "agent expected one that checks certificates: leave rejectUnauthorized out, and name the certificates to trust in tls.ca",
    );
  }
  if (options?.checkServerIdentity !== undefined) {
    throw argumentError(
      "agent expected one that checks names as node does: leave checkServerIdentity out, and say the certificate's name in tls.servername",
    );
  }
}

function checkTls({ ca, cert, key, servername }: TlsSettings): void {
  const texts = [cert, key, servername, ...(Array.isArray(ca) ? ca : [ca])];
  if (texts.some((text) => text !== undefined && typeof text !== "string")) {
    throw argumentError("tls expected ca, cert, key and servername as texts, or ca as a list of them");
  }
  if ((cert === undefined) !== (key === undefined)) throw argumentError("tls expected cert and key together");
  if (ca === undefined && cert === undefined) return;
  const authorities = ca === undefined || typeof ca === "string" ? [ca] : [...ca];
  if (authorities.some((text) => text?.includes("-----BEGIN ") === false)) {
    throw argumentError("tls.ca expected certificates in PEM");
  }
  try {
    createSecureContext({
      ...(ca === undefined ? {} : { ca: typeof ca === "string" ? ca : [...ca] }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    });
  } catch (error) {
    throw argumentError("tls expected certificates and a key in PEM that belong together", causeOf(error));
  }
}

function secretsOf({ secretId, secretKey, token }: Credentials): string[] {
  return token === undefined ? [secretId, secretKey] : [secretId, secretKey, token];
}

function createAgent(isSecure: boolean, maxSockets: number, idleTimeoutMs: number): HttpAgent {
  // The connection that was used last is the one that is least likely to be closing. Idle ones keep no process running.
  const options = { keepAlive: true, maxSockets, maxFreeSockets: maxSockets, scheduling: "lifo" } as const;
  const agent = isSecure ? new HttpsAgent(options) : new HttpAgent(options);
  // The agent closes idle connections whose time is over, and sets that time where the server tells its own. Its option `timeout`
  // would add listeners to every request.
  return agent.on("free", (socket: Socket) => {
    if (socket.timeout === undefined || socket.timeout === 0 || socket.timeout > idleTimeoutMs) {
      socket.setTimeout(idleTimeoutMs);
    }
  });
}

/** What all requests to an endpoint have in common. */
function requestOptions({ hostname, port, isSecure }: EndpointAddress, tls: TlsSettings): RequestOptions {
  const { ca, cert, key, servername } = tls;
  return {
    method: "POST",
    host: hostname,
    port,
    path: "/",
    // It is among the headers that are signed.
    setHost: false,
    maxHeaderSize: MAX_HEADER_BYTES,
    ...(isSecure
      ? {
          // Said, because the environment can turn the default off.
          rejectUnauthorized: true,
          minVersion: "TLSv1.2",
          ...(ca === undefined ? {} : { ca: typeof ca === "string" ? ca : [...ca] }),
          ...(cert === undefined ? {} : { cert }),
          ...(key === undefined ? {} : { key }),
          ...(servername === undefined ? {} : { servername }),
        }
      : {}),
  };
}

/**
 * Makes a transport that signs requests and sends them to one endpoint. `TencentKmsClient` makes its own; this is for those who
 * bring their own retries.
 * @param options - see {@link HttpTransportOptions}
 * @throws TypeError or RangeError `ERR_ARGUMENT`; FengniError `ERR_CREDENTIALS` for credentials that cannot sign
 */
export function createHttpTransport(options: HttpTransportOptions): Transport {
  checkFields("createHttpTransport", options, ["endpoint", "credentials", "clock", ...CONNECTION_FIELDS]);
  const clock = options.clock ?? systemClock;
  return new HttpTransport(options.endpoint, options, new RequestSigner(options.credentials, clock), clock);
}
