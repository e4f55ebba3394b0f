// One small HTTP exchange with a source of credentials: bounded in time and length, no redirects, no proxy, no reuse of
// connections. It must not know what is asked for.
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { bytesToUtf8, concatBytes } from "@fengni/crypto/bytes";
import { FengniError } from "@fengni/crypto/errors";
import { causeOf } from "./error-map.js";

/** Longest answer that is read, in bytes. */
const MAX_ANSWER_BYTES = 65_536;

/** No temporary credentials live longer than 12 hours; what is left covers rounding. */
const MAX_LIFE_MS = 43_260_000;

/** What is sent. */
export interface Exchange {
  readonly url: URL;
  /** Present: POST; absent: GET. */
  readonly body?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** For the whole exchange. */
  readonly timeoutMs: number;
  /** The source, for messages. */
  readonly source: string;
  /** The error for the status 404; absent: as for any other status. */
  readonly onNotFound?: () => Error;
}

/** An answer with status 200. */
export interface Answer {
  readonly text: string;
  /** When it was sent, by the clock of the one who sent it, in milliseconds since 1970. */
  readonly sentAtMs: number | undefined;
}

/**
 * Sends a request and reads the answer.
 * @returns an answer with status 200
 * @throws FengniError `ERR_TIMEOUT`, `ERR_UNAVAILABLE`; what `onNotFound` gives for the status 404
 */
export async function exchangeText({
  url,
  body,
  headers = {},
  timeoutMs,
  source,
  onNotFound,
}: Exchange): Promise<Answer> {
  const request = url.protocol === "https:" ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method: body === undefined ? "GET" : "POST",
      headers: { ...headers, ...(body === undefined ? {} : { "content-length": String(body.length) }) },
      agent: false,
      // Said here, so that no variable of the environment switches it off.
      rejectUnauthorized: true,
    });
    const timer = setTimeout(() => {
      const message = `${source} did not answer within ${timeoutMs} ms`;
      settle(() => reject(new FengniError("ERR_TIMEOUT", message, { retryable: true, details: { timeoutMs } })));
    }, timeoutMs);
    const settle = (outcome: () => void): void => {
      clearTimeout(timer);
      outcome();
      sent.destroy();
    };
    const fail = (what: string, cause?: unknown): void => {
      // Errors of node's parser hold the bytes that came, and so the secrets.
      const options = cause === undefined ? {} : { cause: causeOf(cause) };
      settle(() => reject(new FengniError("ERR_UNAVAILABLE", `${source} ${what}`, { retryable: true, ...options })));
    };
    sent.on("error", (cause) => fail(`cannot be reached${codeOf(cause)}`, cause));
    sent.on("response", (answer) => {
      readText(answer).then(
        (text) => {
          if (answer.statusCode === 200) settle(() => resolve({ text, sentAtMs: timeOf(answer.headers.date) }));
          else if (answer.statusCode === 404 && onNotFound !== undefined) settle(() => reject(onNotFound()));
          else fail(`answered with the HTTP status ${answer.statusCode}`);
        },
        (cause: unknown) => fail("broke off its answer, or sent one that is too long or no text", cause),
      );
    });
    sent.end(body);
  });
}

async function readText(answer: IncomingMessage): Promise<string> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of answer as AsyncIterable<Uint8Array>) {
    length += piece.length;
    if (length > MAX_ANSWER_BYTES) throw new RangeError(`more than ${MAX_ANSWER_BYTES} bytes`);
    pieces.push(piece);
  }
  if (!answer.complete) throw new Error("the answer ended early");
  return bytesToUtf8(concatBytes(...pieces));
}

function timeOf(date: string | undefined): number | undefined {
  const time = date === undefined ? Number.NaN : Date.parse(date);
  return Number.isNaN(time) ? undefined : time;
}

/**
 * When temporary credentials end, by the local clock: as long from now as they live by the clock of the source, which the local
 * one may differ from. Where the answer does not tell its own time in a way that can be, the time of their end is taken as it is.
 * @param expiresAtSeconds - as the source says
 * @param nowMs - the local time
 */
export function localExpiry(expiresAtSeconds: number, { sentAtMs }: Answer, nowMs: number): number {
  const expiresAtMs = expiresAtSeconds * 1000;
  const lifeMs = sentAtMs === undefined ? Number.NaN : expiresAtMs - sentAtMs;
  return lifeMs > 0 && lifeMs <= MAX_LIFE_MS ? nowMs + lifeMs : expiresAtMs;
}

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? ` (${error.code})` : "";
}
