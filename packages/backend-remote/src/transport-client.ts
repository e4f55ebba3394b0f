// A transport over an official client of Tencent Cloud that the caller made. What that client makes of errors is turned back into
// ours. It must not import the client: its shape is enough.
import { FengniError } from "@fengni/crypto/errors";
import type { ActionName } from "@fengni/kms-api";
import { isExact } from "./answer.js";
import { argumentError } from "./checks.js";
import { type Clock, systemClock } from "./clock.js";
import { within } from "./deadline.js";
import {
  causeOf,
  isRequestId,
  isServiceCode,
  malformedAnswer,
  networkError,
  type Subject,
  serviceError,
  shownRequestId,
  statusError,
  timeoutError,
} from "./error-map.js";
import { secretsOf } from "./redact.js";
import type { Transport, TransportOptions } from "./transport.js";

/**
 * What every official client has: `tencentcloud-sdk-nodejs-kms`, the one of the umbrella package, and `CommonClient` of
 * `tencentcloud-sdk-nodejs-common`.
 */
export interface OfficialClient {
  request(action: string, params: object, options?: { signal?: AbortSignal }): Promise<object>;
  /** The region that it was made for. */
  readonly region?: string;
}

/** With what the client says why there was no connection, node's words begin. */
const NOT_CONNECTED = /^(?:connect|getaddrinfo) (?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)\b/;

/** What the official clients have besides, as they are published; any of it may be missing, or be something else. */
interface OfficialFields {
  readonly endpoint?: unknown;
  readonly profile?: { readonly httpProfile?: { readonly protocol?: unknown } };
  readonly credential?: { readonly [Name in "secretId" | "secretKey" | "token"]?: unknown };
}

class OfficialClientTransport implements Transport {
  readonly #client: OfficialClient;
  readonly #clock: Clock;
  #isClosed = false;

  constructor(client: OfficialClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  async request(action: ActionName, params: object, options: TransportOptions): Promise<object> {
    if (this.#isClosed) throw new FengniError("ERR_CLOSED", "the transport was closed: make a new one");
    const { signal, timeoutMs, region } = options;
    signal?.throwIfAborted();
    this.#checkRegion(region);
    const subject: Subject = { action, params };
    const ending = new AbortController();
    try {
      // The client's own signal ends what it is doing; our wait ends whether it does so or not.
      const sent = this.#client.request(action, params, { signal: ending.signal });
      const response = await within(sent, this.#clock, {
        signal,
        remainingMs: timeoutMs,
        timeoutError: () => timeoutError(subject, "wait", timeoutMs),
      });
      return checkedResponse(response, subject);
    } catch (error) {
      signal?.throwIfAborted();
      throw errorOf(error, subject, this.#client as OfficialFields);
    } finally {
      ending.abort();
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  #checkRegion(region: string): void {
    const { region: own } = this.#client;
    if (own === undefined || own === "" || own === region) return;
    throw new FengniError(
      "ERR_NOT_SUPPORTED",
      `the injected client was made for ${own}, and a call asks for ${region}: make a client for each region`,
      { details: { operation: "region" } },
    );
  }
}

function checkedResponse(response: unknown, subject: Subject): object {
  if (
    typeof response !== "object" ||
    response === null ||
    !isRequestId((response as { RequestId?: unknown }).RequestId)
  ) {
    throw malformedAnswer(subject, undefined, "it has no RequestId");
  }
  if (!isExact(response)) {
    const { RequestId } = response as { readonly RequestId: string };
    const requestId = shownRequestId(RequestId, secretsOf(subject.params));
    throw malformedAnswer(subject, undefined, "a number in it is greater than 2^53-1", requestId);
  }
  return response;
}

/** The texts of the client's credentials, for no message may repeat them. */
function credentialTexts({ credential }: OfficialFields): string[] {
  const { secretId, secretKey, token } = credential ?? {};
  return [secretId, secretKey, token].filter((text) => typeof text === "string");
}

/**
 * Whether a text says that there was no connection to the client's own endpoint. What an answer holds, and what became of a redirect,
 * comes as a text of the same kind: then the request was sent.
 */
function isNotConnected(text: string, { endpoint, profile }: OfficialFields): boolean {
  const url = `${profile?.httpProfile?.protocol ?? "https://"}${endpoint}/`;
  if (typeof endpoint !== "string" || !URL.canParse(url)) return false;
  const beginning = `request to ${new URL(url).href} failed, reason: `;
  return text.startsWith(beginning) && NOT_CONNECTED.test(text.slice(beginning.length));
}

/** The official base flattens most failures to a text; what cannot be told apart counts as sent. */
function errorOf(error: unknown, subject: Subject, client: OfficialFields): Error {
  if (error instanceof FengniError) return error;
  const { code, requestId, httpCode, message } = (typeof error === "object" && error !== null ? error : {}) as {
    readonly [Name in "code" | "requestId" | "httpCode" | "message"]?: unknown;
  };
  const text = typeof message === "string" ? message : "";
  const secrets = credentialTexts(client);
  const cause = causeOf(error, [...secretsOf(subject.params), ...secrets]);
  // A code of node's, such as ECONNRESET, has the form of the service's.
  if (isServiceCode(code) && !/^(?:E[A-Z_]{2,}|ERR_.*)$/.test(code)) {
    const id = isRequestId(requestId) ? requestId : undefined;
    return serviceError({ code, message: text, requestId: id, secrets, cause }, subject);
  }
  if (typeof httpCode === "number" && httpCode !== 200) return statusError(subject, httpCode);
  const phase = isNotConnected(text, client) ? "connect" : "wait";
  return networkError(subject, phase, "the injected client failed", cause);
}

/**
 * Makes a transport of an official client. Credentials, endpoint, region and proxy are the client's own; retries, deadlines, limits
 * and errors are ours. The client neither tells how far a request had come nor keeps the code of an error with another status
 * than 200, so more failures than with our own transport count as ambiguous.
 * @param client - for example `new CommonClient("kms.tencentcloudapi.com", "2019-01-18", { credential, region })`
 * @throws TypeError `ERR_ARGUMENT` for what has no method `request`
 */
export function officialClientTransport(client: OfficialClient, clock: Clock = systemClock): Transport {
  if (typeof client !== "object" || client === null || typeof client.request !== "function") {
    throw argumentError("officialClientTransport expected a client with a method request(action, params, options)");
  }
  return new OfficialClientTransport(client, clock);
}
