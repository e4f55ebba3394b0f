// One request and its answer: which page or the service it is for, what it may not be, its body, and the faults that are switched
// on. It must not know how connections are made, nor what the service or a page does.
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { ApiError } from "@fengni/kms-api";
import { readBody } from "./body.js";
import { endAfter, isTooLate } from "./connections.js";
import type { ChosenFault, Faults } from "./faults.js";
import type { Gateway, GatewayRequest } from "./gateway.js";
import type { LocalRoute, LocalRoutes } from "./local-route.js";
import { answerHeaders, type DateHeader, reset, sendAnswer, sendLocalAnswer, sendText } from "./respond.js";

/** What all exchanges of a server share. */
export interface ExchangeOptions {
  readonly gateway: Gateway;
  readonly faults: Faults;
  readonly routes: LocalRoutes;
  readonly date: DateHeader;
  readonly maxBodyBytes: number;
  /** Aborts when the server no longer waits for anybody. */
  readonly ending: AbortSignal;
  /** Takes an answer that would go on for ever, so that the server does not wait for it when it ends. */
  readonly goesOn: (response: ServerResponse) => void;
}

/** The most headers of a request; the parser leaves out what is beyond twice as many without a word. */
export const MAX_HEADERS = 100;
/** How much of a body that is too long is still read, so that the client comes to read the answer. */
const MAX_DRAINED_BODIES = 8;
const MAX_DRAIN_MS = 5_000;
const SERVICE_METHODS = "GET, POST";

/** Answers one request. Never rejects because of the request; what it rejects with is a defect. */
export async function exchange(
  request: IncomingMessage,
  response: ServerResponse,
  ip: string | undefined,
  options: ExchangeOptions,
): Promise<void> {
  const refusal = refusalOf(request);
  if (refusal !== undefined) return sendText(response, refusal.status, refusal.text);
  const target = request.url ?? "";
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? "" : target.slice(mark + 1);
  if (path !== "/") {
    const route = options.routes.get(path);
    if (route === undefined) return sendText(response, 404, "There is nothing here: the service is at /.");
    return exchangeWithPage(request, response, query, route, options);
  }
  const { method = "" } = request;
  if (method !== "GET" && method !== "POST") {
    return sendText(response, 405, `The service takes ${SERVICE_METHODS}.`, { Allow: SERVICE_METHODS });
  }
  const body = await readBody(request, options.maxBodyBytes);
  // A body before it may have turned out too long in the meantime.
  if (body === "aborted" || isTooLate(response)) return;
  if (body === "too-long") return refuseBody(request, response, ip, options);
  return exchangeWithService({ method, path, query, headers: headersOf(request), body, ip }, response, options);
}

/** What the parser lets through, and one behind another server could read in two ways; and what the server does not do. */
function refusalOf(request: IncomingMessage): { readonly status: number; readonly text: string } | undefined {
  const { rawHeaders, headers, httpVersion } = request;
  if (httpVersion !== "1.1") return { status: 505, text: "The server speaks HTTP/1.1." };
  if (rawHeaders.length > 2 * MAX_HEADERS)
    return { status: 431, text: `A request has at most ${MAX_HEADERS} headers.` };
  const encoding = headers["transfer-encoding"];
  if (encoding !== undefined && encoding.toLowerCase() !== "chunked") {
    return { status: 501, text: "The only transfer encoding is chunked." };
  }
  if (hasRepetition(request) && (request.headersDistinct["host"]?.length ?? 0) > 1) {
    return { status: 400, text: "A request has one Host." };
  }
  return undefined;
}

/** Whether a header stands there more than once: of some, the parser keeps the first and forgets the others. */
function hasRepetition({ rawHeaders, headers }: IncomingMessage): boolean {
  return Object.keys(headers).length * 2 !== rawHeaders.length;
}

/** The headers with all values of those that stand there more than once. */
function headersOf(request: IncomingMessage): GatewayRequest["headers"] {
  if (!hasRepetition(request)) return request.headers;
  const headers: Record<string, string | readonly string[]> = Object.create(null) as Record<string, string>;
  for (const [name, values = []] of Object.entries(request.headersDistinct)) {
    headers[name] = values.length === 1 ? (values[0] as string) : values;
  }
  return headers;
}

async function exchangeWithPage(
  request: IncomingMessage,
  response: ServerResponse,
  query: string,
  route: LocalRoute,
  { maxBodyBytes, goesOn }: ExchangeOptions,
): Promise<void> {
  const { method = "" } = request;
  if (!route.methods.includes(method)) {
    const allowed = route.methods.join(", ");
    return sendText(response, 405, `This page takes ${allowed}.`, { Allow: allowed });
  }
  const body = await readBody(request, maxBodyBytes);
  if (body === "aborted" || isTooLate(response)) return;
  if (body === "too-long") return sendText(response, 413, `A body has at most ${maxBodyBytes} bytes.`);
  const answer = await route.answer({ method, query, headers: headersOf(request), body });
  sendLocalAnswer(response, answer);
  if (answer.stream !== undefined) goesOn(response);
}

async function exchangeWithService(
  request: GatewayRequest,
  response: ServerResponse,
  options: ExchangeOptions,
): Promise<void> {
  const action = request.headers["x-tc-action"];
  const fault = options.faults.choose(typeof action === "string" ? action : undefined);
  if (fault !== undefined) return exchangeWithFault(request, response, fault, options);
  const answer = await options.gateway.answer(request);
  sendAnswer(response, answer, options.date.text());
}

const THROTTLED = new ApiError("RequestLimitExceeded", "The request was throttled by a fault that is switched on.");
const FAILED = new ApiError("InternalError", "The request failed by a fault that is switched on.");

async function exchangeWithFault(
  request: GatewayRequest,
  response: ServerResponse,
  { kind, latencyMs, status }: ChosenFault,
  { gateway, date, ending, goesOn }: ExchangeOptions,
): Promise<void> {
  if (latencyMs > 0) {
    await wait(latencyMs, undefined, { signal: ending }).catch(() => undefined);
    if (ending.aborted || response.destroyed) return;
  }
  switch (kind) {
    case undefined:
      return sendAnswer(response, await gateway.answer(request, "latency"), date.text());
    case "throttle":
      return sendAnswer(response, gateway.refuse(request, THROTTLED, kind), date.text());
    case "internal-error":
      return sendAnswer(response, gateway.refuse(request, FAILED, kind), date.text());
    case "http-5xx":
      gateway.refuse(request, FAILED, kind);
      return sendText(response, status, "A fault is switched on.");
    case "hang":
      gateway.refuse(request, FAILED, kind);
      return goesOn(response);
    case "reset":
      gateway.refuse(request, FAILED, kind);
      return reset(response);
    default: {
      const { body, traceId } = await gateway.answer(request, kind);
      return damage(response, kind, body, answerHeaders(body, traceId, date.text()));
    }
  }
}

/** The request was carried out, and its answer does not arrive as it is. */
function damage(
  response: ServerResponse,
  kind: "reset-after" | "truncate" | "garble",
  body: string,
  headers: Readonly<Record<string, string | number>>,
): void {
  const half = Buffer.from(body).subarray(0, Buffer.byteLength(body) >> 1);
  if (kind === "reset-after") {
    reset(response);
    return;
  }
  response.writeHead(200, headers);
  if (kind === "truncate") {
    response.write(half, () => response.destroy());
    return;
  }
  // As long as it should be, and no JSON.
  response.end(Buffer.concat([half, Buffer.alloc(Buffer.byteLength(body) - half.length, "<")]));
}

/**
 * Answers a request whose body is too long. A client sends all of it before it reads, and a connection that is ended with bytes
 * unread is reset: so some of the rest is read, and thrown away.
 */
function refuseBody(
  request: IncomingMessage,
  response: ServerResponse,
  ip: string | undefined,
  { gateway, date, maxBodyBytes }: ExchangeOptions,
): void {
  const error = new ApiError("RequestSizeLimitExceeded", `The body has more than the allowed ${maxBodyBytes} bytes.`);
  const { body, traceId } = gateway.refuse({ headers: headersOf(request), ip }, error);
  endAfter(response);
  response.writeHead(200, answerHeaders(body, traceId, date.text()));
  response.write(body);
  let left = MAX_DRAINED_BODIES * maxBodyBytes;
  const end = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, MAX_DRAIN_MS);
  request.on("data", (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) end();
  });
  request.once("end", end).once("close", end);
  request.resume();
}
