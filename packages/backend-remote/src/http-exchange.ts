// One request over HTTP and its answer, within its time. It must not know what either says, nor send anything twice.
import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { onceAborted } from "./abort-listeners.js";
import type { HttpAnswer } from "./answer.js";
import { argumentError } from "./checks.js";
import type { Clock } from "./clock.js";
import { causeOf, networkError, type Subject, timeoutError, tooLongAnswer } from "./error-map.js";
import type { RequestError, RequestPhase } from "./request-error.js";

/** What is sent, and its bounds. */
export interface ExchangeOptions {
  readonly isSecure: boolean;
  /** For node:http or node:https, with the agent and without headers. */
  readonly request: RequestOptions;
  /** Names and values. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  /** What the request is about, for errors. */
  readonly subject: Subject;
  readonly signal: AbortSignal | undefined;
  readonly clock: Clock;
  /** For all of it. */
  readonly timeoutMs: number;
  /** For the connection, where one must be made. */
  readonly connectTimeoutMs: number;
  readonly maxAnswerBytes: number;
}

const INSPECT = Symbol.for("nodejs.util.inspect.custom");

type Resolve = (answer: HttpAnswer) => void;
type Reject = (reason: unknown) => void;

class Exchange {
  readonly #options: ExchangeOptions;
  readonly #resolve: Resolve;
  readonly #reject: Reject;
  readonly #request: ClientRequest;
  readonly #cancelTimeout: () => void;
  readonly #stopListening: (() => void) | undefined;
  #cancelConnectTimeout: (() => void) | undefined;
  #phase: RequestPhase = "connect";
  #isSettled = false;

  constructor(options: ExchangeOptions, resolve: Resolve, reject: Reject) {
    const { isSecure, request, headers, body, signal, clock, timeoutMs } = options;
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#request = isSecure ? httpsRequest(request) : httpRequest(request);
    // It holds the session token, and whoever prints an agent would print it too.
    Object.defineProperty(this.#request, INSPECT, { value: () => "[request]" });
    // Not among its options: a TLS socket keeps those for as long as it lives.
    for (const [name, value] of headers) this.#request.setHeader(name, value);
    this.#cancelTimeout = clock.schedule(timeoutMs, this.#onTimeout);
    this.#stopListening = signal === undefined ? undefined : onceAborted(signal, this.#onAbort);
    this.#request
      .on("socket", this.#onSocket)
      .on("response", this.#onResponse)
      .on("error", (error) => this.#failWith(() => this.#broken("the connection broke", error)))
      .on("close", this.#onClose);
    // A text goes out in one write together with the headers.
    this.#request.end(body, "utf8");
  }

  readonly #onSocket = (socket: Socket): void => {
    // Nothing is written before the events of this turn are over. A socket that is kept alive is connected; if it has died in the
    // meantime, nothing will be.
    if (!socket.connecting) {
      if (this.#request.reusedSocket && this.#isUntrusted(socket)) return;
      if (!socket.destroyed) this.#phase = "write";
      return;
    }
    const { clock, subject, connectTimeoutMs } = this.#options;
    this.#cancelConnectTimeout = clock.schedule(connectTimeoutMs, () =>
      this.#failWith(() => timeoutError(subject, this.#currentPhase, connectTimeoutMs)),
    );
    socket.once(this.#options.isSecure ? "secureConnect" : "connect", () => {
      this.#cancelConnectTimeout?.();
      if (this.#isUntrusted(socket)) return;
      this.#phase = "write";
    });
  };

  /** Fails where an agent, changed after it was checked, lets any certificate pass. Nothing is written before that. */
  #isUntrusted(socket: Socket): boolean {
    if (!this.#options.isSecure || (socket as TLSSocket).authorized !== false) return false;
    this.#failWith(() => this.#broken("the certificate of the endpoint is not to be trusted"));
    return true;
  }

  /** A request that is handed over to the system in whole waits for its answer. */
  get #currentPhase(): RequestPhase {
    return this.#phase === "write" && this.#request.writableFinished ? "wait" : this.#phase;
  }

  readonly #onClose = (): void => this.#failWith(() => this.#broken("the connection was closed"));

  #broken(text: string, cause?: unknown): RequestError {
    return networkError(this.#options.subject, this.#currentPhase, text, cause);
  }

  readonly #onResponse = (answer: IncomingMessage): void => {
    const { subject, maxAnswerBytes } = this.#options;
    this.#phase = "read";
    const tooLong = (): void => this.#failWith(() => tooLongAnswer(subject, answer.statusCode, maxAnswerBytes));
    if (Number(answer.headers["content-length"] ?? 0) > maxAnswerBytes) {
      tooLong();
      return;
    }
    const chunks: Buffer[] = [];
    let length = 0;
    answer.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > maxAnswerBytes) tooLong();
      else chunks.push(chunk);
    });
    answer.on("error", (error) => this.#failWith(() => this.#broken("the answer broke off", error)));
    answer.on("end", () => {
      if (!answer.complete) {
        this.#failWith(() => this.#broken("the answer broke off"));
        return;
      }
      if (!this.#settle()) return;
      const [first = Buffer.alloc(0)] = chunks;
      this.#resolve({
        status: answer.statusCode ?? 0,
        date: answer.headers.date,
        body: chunks.length <= 1 ? first : Buffer.concat(chunks, length),
      });
    });
  };

  readonly #onTimeout = (): void => {
    this.#failWith(() => timeoutError(this.#options.subject, this.#currentPhase, this.#options.timeoutMs));
  };

  readonly #onAbort = (): void => {
    if (!this.#settle()) return;
    this.#request.destroy();
    this.#reject(this.#options.signal?.reason);
  };

  /** Errors are made when they are needed: every request closes, most of them with nothing left to say. */
  #failWith(makeError: () => RequestError): void {
    if (this.#isSettled) return;
    const error = makeError();
    this.#settle();
    this.#request.destroy();
    this.#reject(error);
  }

  /** @returns false when it was over already */
  #settle(): boolean {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    this.#cancelTimeout();
    this.#cancelConnectTimeout?.();
    this.#stopListening?.();
    return true;
  }
}

/**
 * Sends a request, once, and reads its answer.
 * @throws RequestError; the signal's reason
 */
export function exchange(options: ExchangeOptions): Promise<HttpAnswer> {
  const { signal } = options;
  if (signal?.aborted === true) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    try {
      new Exchange(options, resolve, reject);
    } catch (error) {
      // Node refuses options at once; the network fails later.
      reject(argumentError("agent or tls cannot be used for this endpoint: the cause says why", causeOf(error)));
    }
  });
}
