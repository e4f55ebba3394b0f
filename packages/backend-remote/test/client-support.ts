// What the tests of the client share: a clock that they move, a raw server that does as it is told, and clients of it.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { TencentKmsClient } from "../src/client.js";
import type { ClientEvent } from "../src/client-events.js";
import type { TencentKmsClientOptions } from "../src/client-options.js";
import type { Clock } from "../src/clock.js";

export const REGION = "ap-guangzhou";
export const KEY_ID = "23e80852-1e38-11e9-b129-5cb9019b4b01";
export const REQUEST_ID = "9f8e7d6c-0000-4000-8000-0123456789ab";
export const SECRET_ID = "AKIDEXAMPLE0000000000000000000000000";
export const SECRET_KEY = "EXAMPLEsecretkey0123456789abcdef";
export const CREDENTIALS = { secretId: SECRET_ID, secretKey: SECRET_KEY };
const START_MS = 1_800_000_000_000;

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** Time that passes when a test says so. */
export class VirtualClock implements Clock {
  readonly #timers = new Set<Timer>();
  #elapsed = 0;
  /** By how much the wall clock is wrong. */
  skewMs = 0;

  now(): number {
    return START_MS + this.#elapsed + this.skewMs;
  }

  elapsed(): number {
    return this.#elapsed;
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const timer: Timer = { at: this.#elapsed + Math.max(0, delayMs), callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  get timers(): number {
    return this.#timers.size;
  }

  /** Lets time pass; what falls due meanwhile happens in its order. */
  advance(byMs: number): void {
    const end = this.#elapsed + byMs;
    for (;;) {
      let next: Timer | undefined;
      for (const timer of this.#timers) if (timer.at <= end && (next === undefined || timer.at < next.at)) next = timer;
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#elapsed = Math.max(this.#elapsed, next.at);
      next.callback();
    }
    this.#elapsed = end;
  }
}

/** Lets what is ready in the event loop happen. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Waits for something that happens over sockets. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await turn();
}

/** Does nothing. */
export const silence = (): void => {};

/** Lets a millisecond pass at every turn of the event loop until a promise settles. */
export async function flow<Value>(clock: VirtualClock, promise: Promise<Value>): Promise<Value> {
  let isSettled = false;
  const settled = promise.finally(() => {
    isSettled = true;
  });
  settled.catch(() => {});
  while (!isSettled) {
    await turn();
    clock.advance(1);
  }
  return settled;
}

/** A request that came. */
export interface Seen {
  readonly action: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  readonly socket: Socket;
}

/** What a server does with a request. */
export type Behaviour = (response: ServerResponse, seen: Seen) => void;

/** A server without manners of its own. */
export class RawServer {
  readonly #server: Server;
  readonly seen: Seen[] = [];
  readonly sockets = new Set<Socket>();
  /** For the next requests, in turn; the last one stays. */
  script: Behaviour[] = [];

  constructor() {
    this.#server = createServer({ keepAliveTimeout: 0, requireHostHeader: false }, (request, response) =>
      this.#receive(request, response),
    );
    this.#server.on("connection", (socket) => {
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket)).on("error", () => {});
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** How often each action came. */
  count(action: string): number {
    return this.seen.filter((seen) => seen.action === action).length;
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    response.on("error", () => {});
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", () => {});
    request.on("end", () => {
      const { headers, socket } = request;
      const seen: Seen = {
        action: String(headers["x-tc-action"]),
        headers,
        body: Buffer.concat(chunks).toString("utf8"),
        socket,
      };
      this.seen.push(seen);
      const behaviour = this.script.length > 1 ? this.script.shift() : this.script[0];
      (behaviour ?? answer({}))(response, seen);
    });
  }
}

/** Sends bytes as an answer. */
export function raw(status: number, body: string, headers: Record<string, string> = {}): Behaviour {
  return (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(body);
  };
}

/** Sends a response of the service's. */
export function answer(fields: object, headers?: Record<string, string>): Behaviour {
  return raw(200, JSON.stringify({ Response: { ...fields, RequestId: REQUEST_ID } }), headers);
}

/** Sends an error of the service's. */
export function refuse(Code: string, Message = "No.", status = 200, headers?: Record<string, string>): Behaviour {
  return raw(status, JSON.stringify({ Response: { Error: { Code, Message }, RequestId: REQUEST_ID } }), headers);
}

/** Breaks the connection without a word. */
export const reset: Behaviour = (_response, { socket }) => socket.resetAndDestroy();

/** Closes the connection without a word. */
export const hangUp: Behaviour = (_response, { socket }) => socket.destroy();

/** Says nothing; time passes. */
export function hang(clock: VirtualClock, byMs: number): Behaviour {
  return () => setImmediate(() => clock.advance(byMs));
}

/** A client of a server, with time that stands still, no waits between attempts, and what it told. */
export function clientOf(
  server: RawServer | readonly string[],
  clock: VirtualClock,
  options: Partial<TencentKmsClientOptions> = {},
): TencentKmsClient & { readonly events: readonly ClientEvent[] } {
  const events: ClientEvent[] = [];
  const kms = new TencentKmsClient({
    ...(options.transport === undefined
      ? { endpoint: server instanceof RawServer ? server.endpoint : server, credentials: CREDENTIALS }
      : {}),
    region: REGION,
    clock,
    random: () => 0,
    onEvent: (event) => events.push(event),
    ...options,
  });
  return Object.assign(kms, { events });
}

/** The clients of a test file, to be closed after each test. */
export class OpenClients {
  readonly #open: TencentKmsClient[] = [];

  /** As {@link clientOf}. */
  readonly of: typeof clientOf = (...given) => {
    const kms = clientOf(...given);
    this.#open.push(kms);
    return kms;
  };

  async close(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((kms) => kms.close()));
  }
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("it did not reject");
}
