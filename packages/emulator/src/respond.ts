// Writes answers: their status line, headers and body. It must not know what they say.
import type { ServerResponse } from "node:http";
import { endAfter } from "./connections.js";
import type { GatewayAnswer } from "./gateway.js";
import type { LocalAnswer, LocalStream } from "./local-route.js";

/** A client of a stream that has not read so much is cut off. */
const MAX_UNREAD_BYTES = 1024 * 1024;

/** The header `Date`, by a clock of the emulator's; made anew once a second. */
export class DateHeader {
  readonly #now: () => number;
  #second = Number.NaN;
  #text = "";

  constructor(now: () => number) {
    this.#now = now;
  }

  text(): string {
    const second = Math.floor(this.#now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = new Date(second * 1000).toUTCString();
    }
    return this.#text;
  }
}

/** Answers as the service does: 200 whatever the body says, and exactly this type, by which clients find errors. */
export function sendAnswer(response: ServerResponse, { body, traceId }: GatewayAnswer, date: string): void {
  response.writeHead(200, answerHeaders(body, traceId, date));
  response.end(body);
}

/** The headers of a {@link sendAnswer}. */
export function answerHeaders(
  body: string,
  traceId: string | undefined,
  date: string,
): Record<string, string | number> {
  const headers: Record<string, string | number> = {
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(body),
    Date: date,
  };
  if (traceId !== undefined) headers["x-tc-traceid"] = traceId;
  return headers;
}

/** A status with a line of text, after which the connection ends: the rest of a refused request is not read. */
export function sendText(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = `${text}\n`;
  endAfter(response);
  response.writeHead(status, {
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": Buffer.byteLength(body),
    "X-Content-Type-Options": "nosniff",
    ...headers,
  });
  response.end(body);
}

/** The answer of a page of the emulator's own. */
export function sendLocalAnswer(response: ServerResponse, answer: LocalAnswer): void {
  const { status, contentType, body, headers, stream } = answer;
  if (stream === undefined) {
    response.writeHead(status, { "Content-Type": contentType, "Content-Length": Buffer.byteLength(body), ...headers });
    response.end(body);
    return;
  }
  endAfter(response);
  response.writeHead(status, { "Content-Type": contentType, ...headers });
  response.write(body);
  stream(streamTo(response));
}

function streamTo(response: ServerResponse): LocalStream {
  return {
    write: (text) => {
      if (response.destroyed || response.writableEnded) return;
      response.write(text);
      if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
    },
    onClose: (listener) => {
      if (response.destroyed) listener();
      else response.once("close", listener);
    },
  };
}

/** Breaks a connection off, with a reset where the socket can. */
export function reset(response: ServerResponse): void {
  const { socket } = response.req;
  endAfter(response);
  // A socket with encryption has no reset of its own.
  if ("encrypted" in socket) socket.destroy();
  else socket.resetAndDestroy();
}
