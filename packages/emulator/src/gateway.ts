// One request from its parts to its answer, in the service's order: size, headers, signature, action, rate, parameters, access,
// work. It must not know sockets, nor what any action does.
import type { LocalKms } from "@fengni/backend-local";
import {
  type Action,
  type ActionName,
  API_VERSION,
  ApiError,
  findAction,
  parseRequestBody,
  type ReplayWindow,
  validateRequest,
  verifySignature,
} from "@fengni/kms-api";
import type { AccountSecret, Accounts } from "./accounts.js";
import type { AuditLog } from "./audit.js";
import type { AccessDecision, RequestCaller } from "./authorize.js";
import type { Answer, Call } from "./call.js";
import type { Denials } from "./denials.js";
import { toApiError } from "./error-codes.js";
import { flattenQuery } from "./query.js";
import type { RateLimits } from "./rate-limit.js";

/** A request as it came, its body read whole. */
export interface GatewayRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** The bytes after `?`. */
  readonly query: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Uint8Array;
  /** The peer's address. */
  readonly ip: string | undefined;
}

/** The body of an answer; its HTTP status is 200, for errors too. */
export interface GatewayAnswer {
  readonly requestId: string;
  readonly body: string;
  /** What the client sent as a trace, to be echoed. */
  readonly traceId?: string;
}

/** What a gateway works with. */
export interface GatewayOptions {
  readonly kms: LocalKms;
  readonly accounts: Accounts;
  readonly regions: readonly string[];
  /** Those of them whose symmetric keys are of SM4. */
  readonly smRegions: ReadonlySet<string>;
  readonly audit: AuditLog;
  /** Takes what policies refuse, so that it can be explained. */
  readonly denials: Denials;
  readonly rateLimits: RateLimits | undefined;
  readonly replay: ReplayWindow | undefined;
  /** The service that a signature's scope must name; `*` takes any. */
  readonly service: string;
  readonly handle: (action: ActionName, kms: LocalKms, request: unknown, call: Call) => Promise<object>;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly createRequestId: () => string;
}

/** What is known of a request so far: the audit log gets it however the request ends. */
interface Progress {
  readonly requestId: string;
  readonly arrivedAtMs: number;
  /** By the process's own clock, for the duration. */
  readonly startedMs: number;
  readonly fault: string | undefined;
  action: Action | undefined;
  region: string | undefined;
  secret: AccountSecret | undefined;
  decisions: AccessDecision[];
}

const MAX_JSON_DEPTH = 16;
const JSON_TYPE = /^application\/json[ \t]*(?:;[ \t]*charset=(?:utf-8|"utf-8")[ \t]*)?$/i;
const REGIONAL_HOST =
  /^kms(?:\.intl)?\.([a-z]{2,4}-[a-z0-9-]{2,30})(?:\.intl)?\.tencentcloudapi\.com(?::[0-9]{1,5})?$/i;
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Answers requests; safe for any number at once. */
export class Gateway {
  readonly #options: GatewayOptions;

  constructor(options: GatewayOptions) {
    this.#options = options;
  }

  async answer(request: GatewayRequest, fault?: string): Promise<GatewayAnswer> {
    const progress = this.#begin(fault);
    let error: ApiError | undefined;
    let result: object = {};
    try {
      this.#options.audit.assertWritable();
      result = await this.#answer(request, progress);
    } catch (cause) {
      error = toApiError(cause);
    }
    this.#record(request, progress, error);
    return answerOf(request, progress.requestId, error, result);
  }

  /** Answers a request with an error that was found, or chosen, before it could be looked at. */
  refuse(request: Pick<GatewayRequest, "headers" | "ip">, error: ApiError, fault?: string): GatewayAnswer {
    const progress = this.#begin(fault);
    // Nobody has signed for it: an action that is not one is not written down.
    progress.action = findAction(textOf(request.headers["x-tc-action"]) ?? "");
    this.#record(request, progress, error);
    return answerOf(request, progress.requestId, error, {});
  }

  #begin(fault: string | undefined): Progress {
    const { now, createRequestId } = this.#options;
    return {
      requestId: createRequestId(),
      arrivedAtMs: now(),
      startedMs: performance.now(),
      fault,
      action: undefined,
      region: undefined,
      secret: undefined,
      decisions: [],
    };
  }

  #record(request: Pick<GatewayRequest, "ip">, progress: Progress, error: ApiError | undefined): void {
    const { audit, denials } = this.#options;
    const { requestId, arrivedAtMs, startedMs, action, region, secret, decisions, fault } = progress;
    const time = new Date(arrivedAtMs).toISOString();
    const decision = decisionOf(decisions);
    audit.record({
      time,
      requestId,
      action: action?.name ?? "",
      region: region ?? "",
      uin: secret?.account.uin ?? "",
      secretId: secret?.secretId ?? "",
      ip: request.ip ?? "",
      resources: decisions.map(({ presented }) => presented),
      decision,
      code: error?.code ?? "",
      durationMs: Math.round((performance.now() - startedMs) * 1_000) / 1_000,
      ...(fault === undefined ? {} : { fault }),
    });
    if (decision === "" || decision === "allow" || action === undefined || secret === undefined) return;
    denials.record({ requestId, time, action: action.name, account: secret.account, decisions });
  }

  async #answer(request: GatewayRequest, progress: Progress): Promise<Answer<ActionName>> {
    const { kms, accounts, smRegions, rateLimits, replay, service, handle } = this.#options;
    const { secret } = verifySignature(
      {
        method: request.method,
        path: request.path,
        query: request.query,
        headers: request.headers,
        payload: request.body,
      },
      (secretId) => accounts.secrets.get(secretId),
      {
        nowSeconds: Math.floor(progress.arrivedAtMs / 1000),
        service,
        allowUnsignedPayload: true,
        ...(replay === undefined ? {} : { replay }),
      },
    );
    progress.secret = secret;
    checkOnce(request, "x-tc-token", "AuthFailure.TokenFailure");
    const action = this.#actionOf(request);
    progress.action = action;
    const region = this.#regionOf(request);
    progress.region = region;
    rateLimits?.take(action, secret.account.caller.ownerUin, region, progress.arrivedAtMs);
    const parameters = validateRequest(action.name, parametersOf(request, action));
    const caller: RequestCaller = {
      id: secret.account.uin,
      account: secret.account,
      requestId: progress.requestId,
      action,
      ip: request.ip,
      arrivedAtMs: progress.arrivedAtMs,
      decisions: progress.decisions,
    };
    const call: Call = {
      action: action.name,
      region,
      isSmRegion: smRegions.has(region),
      requestId: progress.requestId,
      options: { region, caller },
    };
    return handle(action.name, kms, parameters, call) as Promise<Answer<ActionName>>;
  }

  #actionOf({ headers }: GatewayRequest): Action {
    if (headers["x-tc-version"] !== API_VERSION) {
      throw new ApiError("NoSuchVersion", `The version is not one of this service: it has ${API_VERSION}.`);
    }
    const action = findAction(textOf(headers["x-tc-action"]) ?? "");
    if (action === undefined) throw new ApiError("InvalidAction", "The action is not one of this service.");
    return action;
  }

  /** The region that the client names, or that is part of the endpoint it called, or the default. */
  #regionOf({ headers }: Pick<GatewayRequest, "headers">): string {
    const { regions } = this.#options;
    checkOnce({ headers }, "x-tc-region", "InvalidParameter");
    const named = textOf(headers["x-tc-region"]);
    const region = named === undefined || named === "" ? (regionOfHost(textOf(headers["host"])) ?? regions[0]) : named;
    if (region !== undefined && regions.includes(region)) return region;
    throw new ApiError("UnsupportedRegion", `The region is not one of this service: it has ${regions.join(", ")}.`);
  }
}

/** An answer in the service's envelope. */
function answerOf(
  request: Pick<GatewayRequest, "headers">,
  requestId: string,
  error: ApiError | undefined,
  result: object,
): GatewayAnswer {
  const response =
    error === undefined
      ? { ...result, RequestId: requestId }
      : { Error: { Code: error.code, Message: error.message }, RequestId: requestId };
  const body = JSON.stringify({ Response: response });
  const traceId = textOf(request.headers["x-tc-traceid"]);
  return traceId === undefined ? { requestId, body } : { requestId, body, traceId };
}

function decisionOf(decisions: readonly AccessDecision[]): string {
  const refused = decisions.find(({ decision }) => decision !== "allow");
  return refused?.decision ?? (decisions.length === 0 ? "" : "allow");
}

function textOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** A header that may be left out is there once at most: which of two counts would be a guess. */
function checkOnce({ headers }: Pick<GatewayRequest, "headers">, name: string, code: string): void {
  if (headers[name] === undefined || typeof headers[name] === "string") return;
  throw new ApiError(code, `The header ${name} is there more than once.`);
}

/** `kms.ap-shanghai.tencentcloudapi.com` names a region; `kms.tencentcloudapi.com` and names of other domains do not. */
function regionOfHost(host: string | undefined): string | undefined {
  return REGIONAL_HOST.exec(host ?? "")?.[1]?.toLowerCase();
}

function parametersOf({ method, query, headers, body }: GatewayRequest, action: Action): unknown {
  if (method === "GET") return flattenQuery(query, action);
  if (!JSON_TYPE.test(textOf(headers["content-type"]) ?? "")) {
    throw new ApiError("InvalidParameter", "The Content-Type of a POST must be application/json.");
  }
  let text: string;
  try {
    text = decoder.decode(body);
  } catch {
    throw new ApiError("InvalidParameter", "The body is not UTF-8.");
  }
  if (depthOf(text) > MAX_JSON_DEPTH) throw new ApiError("InvalidParameter", "The body is nested too deeply.");
  return parseRequestBody(text);
}

/** How deep brackets nest, those in texts included: a bound, found without parsing. */
function depthOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  let isText = false;
  for (let i = 0; i < json.length; i++) {
    const code = json.charCodeAt(i);
    if (code === 0x22) isText = !isText;
    else if (code === 0x5c && isText) i++;
    else if (isText) continue;
    else if (code === 0x7b || code === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (code === 0x7d || code === 0x5d) depth--;
  }
  return deepest;
}
