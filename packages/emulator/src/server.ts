// The HTTP server: its bounds on connections, headers and time, and how it ends. It must not know the service or any page.

import { setMaxListeners } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { Connections, endAfter, endWith, isTooLate } from "./connections.js";
import { type ExchangeOptions, exchange, MAX_HEADERS } from "./exchange.js";
import { sendText } from "./respond.js";

/** The certificate of a server, and its key. */
export interface TlsOptions {
  /** PEM: the certificate and those that it hangs from. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
  /** Of the key. */
  readonly passphrase?: string;
}

/** The bounds of a server. */
interface ServerBounds {
  readonly maxConnections: number;
  /** For the whole request to arrive. */
  readonly requestTimeoutMs: number;
  /** For its headers to arrive. */
  readonly headersTimeoutMs: number;
  /** How long a connection stays open between requests. */
  readonly keepAliveTimeoutMs: number;
}

/** What a server works with. */
export interface HttpServerOptions extends Omit<ExchangeOptions, "ending" | "goesOn">, ServerBounds {
  readonly tls: TlsOptions | undefined;
}

/** The most bytes of a request's first line and headers. */
export const MAX_HEADER_BYTES: number = 16 * 1024;
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Beyond the other bounds, for peers that stop reading. */
const IDLE_ALLOWANCE_MS = 5_000;

/** A server that listens from {@link listen} to {@link close}. */
export class HttpServer {
  readonly #server: Server;
  readonly #options: ExchangeOptions;
  readonly #connections = new Connections();
  readonly #ending = new AbortController();
  /** Answers that would go on for ever. */
  readonly #endless = new Set<ServerResponse>();
  readonly #idle = new IdleSignal();
  #isClosing = false;

  constructor(options: HttpServerOptions) {
    setMaxListeners(0, this.#ending.signal);
    this.#options = { ...options, ending: this.#ending.signal, goesOn: (response) => this.#letGoOn(response) };
    this.#server = createNodeServer(options);
    this.#server.on("connection", (socket: Socket) => this.#connections.add(socket));
    // The socket that requests come on is the one inside the encryption.
    this.#server.on("secureConnection", (socket: Socket) => this.#connections.add(socket));
    this.#server.on("request", (request, response) => void this.#answer(request, response));
    this.#server.on("checkContinue", (request, response) => this.#refuseExpectation(request, response));
    this.#server.on("checkExpectation", (request, response) => this.#refuseExpectation(request, response));
    this.#server.on("upgrade", (_request: IncomingMessage, socket: Duplex) => refuseBareSocket(socket));
    this.#server.on("connect", (_request: IncomingMessage, socket: Duplex) => refuseBareSocket(socket));
    this.#server.on("clientError", (error: Error, socket: Duplex) => this.#connections.refuse(error, socket));
  }

  /** Whether it no longer takes connections. */
  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** Begins to listen. @returns where @throws what the system says, for example `EADDRINUSE` */
  listen(host: string, port: number): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host, port }, () => {
        // From here on an error is one of a connection that could not be accepted; the others go on.
        this.#server.off("error", reject).on("error", ignore);
        const address = this.#server.address();
        if (typeof address === "object" && address !== null) resolve(address);
        else reject(new Error("the server has no address"));
      });
    });
  }

  /**
   * Takes no more connections, answers what it has begun to read, and ends. What is not done after `timeoutMs` is broken off.
   * @param stopWork - is called when no more requests come, and makes those that are still worked on end
   */
  async close(timeoutMs: number, stopWork: () => Promise<void>): Promise<void> {
    this.#isClosing = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // A connection whose answer is on its way now is idle only afterwards.
    this.#server.keepAliveTimeout = 1;
    for (const response of this.#endless) response.destroy();
    this.#connections.endAll();
    const timer = setTimeout(() => this.#breakOff(), timeoutMs);
    await closed;
    // Clients may have gone before their requests were done.
    if (!this.#ending.signal.aborted) await Promise.race([this.#idle.wait(), aborted(this.#ending.signal)]);
    clearTimeout(timer);
    this.#ending.abort();
    await stopWork();
    await this.#idle.wait();
  }

  #breakOff(): void {
    this.#ending.abort();
    this.#server.closeAllConnections();
  }

  #letGoOn(response: ServerResponse): void {
    if (this.#isClosing) {
      response.destroy();
      return;
    }
    this.#endless.add(response);
    response.once("close", () => this.#endless.delete(response));
  }

  /** Never rejects. */
  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const ip = this.#connections.begin(request, response);
    // A peer that is gone while it is written to is no error of the server's.
    request.on("error", ignore);
    response.on("error", ignore);
    if (isTooLate(response)) {
      request.resume();
      return;
    }
    if (this.#isClosing) endAfter(response);
    this.#idle.begin();
    try {
      await exchange(request, response, ip, this.#options);
    } catch {
      failed(response);
    } finally {
      this.#idle.end();
    }
  }

  #refuseExpectation(request: IncomingMessage, response: ServerResponse): void {
    this.#connections.begin(request, response);
    request.on("error", ignore);
    response.on("error", ignore);
    if (isTooLate(response)) request.resume();
    else sendText(response, 417, "The server meets no expectation: send the body at once.");
  }
}

/** Tells when nothing is worked on. */
class IdleSignal {
  #count = 0;
  #waiting: (() => void)[] = [];

  begin(): void {
    this.#count += 1;
  }

  end(): void {
    this.#count -= 1;
    if (this.#count > 0) return;
    for (const resolve of this.#waiting) resolve();
    this.#waiting = [];
  }

  async wait(): Promise<void> {
    if (this.#count > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

function ignore(): void {
  // Nothing is left to be done.
}

function createNodeServer(options: HttpServerOptions): Server {
  const { tls, maxConnections, requestTimeoutMs, headersTimeoutMs, keepAliveTimeoutMs } = options;
  const shared: ServerOptions = {
    insecureHTTPParser: false,
    maxHeaderSize: MAX_HEADER_BYTES,
    requestTimeout: requestTimeoutMs,
    headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs),
    keepAliveTimeout: keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.ceil(Math.min(1_000, headersTimeoutMs / 4, requestTimeoutMs / 4)),
    requireHostHeader: true,
    noDelay: true,
  };
  const server =
    tls === undefined
      ? createServer(shared)
      : createTlsServer({ ...shared, ...tls, minVersion: "TLSv1.2", handshakeTimeout: HANDSHAKE_TIMEOUT_MS });
  server.maxConnections = maxConnections;
  server.maxHeadersCount = 2 * MAX_HEADERS;
  server.timeout = Math.max(requestTimeoutMs, keepAliveTimeoutMs) + IDLE_ALLOWANCE_MS;
  return server;
}

/** Upgrades and tunnels. */
function refuseBareSocket(socket: Duplex): void {
  socket.on("error", ignore);
  endWith(socket, "400 Bad Request");
}

/** A defect of the emulator's, or of the program that it runs in: the client gets what a gateway answers. */
function failed(response: ServerResponse): void {
  if (response.headersSent) response.destroy();
  else sendText(response, 500, "The emulator failed.");
}
