// What is known of each connection: its peer, which requests of it are open, and how it ends when bytes on it are no HTTP. It must
// not know what a request asks for.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/** A connection, from its first byte on. */
interface Connection {
  readonly socket: Socket;
  /** The address of the peer, which a socket forgets when it closes. */
  readonly ip: string | undefined;
  /** Requests that are not answered yet, with what will answer them. */
  readonly open: Map<IncomingMessage, ServerResponse>;
  /** Whether what follows on it is not HTTP: it ends with the answer to what is open. */
  isBroken: boolean;
  /** How many requests have come on it. */
  requests: number;
  /** The number of the request whose answer ends it. */
  lastRequest: number;
}

/** The place of a request on its connection. */
interface Turn {
  readonly connection: Connection;
  /** From 1 on. */
  readonly number: number;
}

const turns = new WeakMap<ServerResponse, Turn>();

/** Ends the connection with this answer. What comes on it after its request is not carried out (RFC 9112 section 9.6). */
export function endAfter(response: ServerResponse): void {
  response.shouldKeepAlive = false;
  const turn = turns.get(response);
  if (turn !== undefined) turn.connection.lastRequest = Math.min(turn.connection.lastRequest, turn.number);
}

/** Whether the answer to an earlier request ends the connection, so that this one would never be read. */
export function isTooLate(response: ServerResponse): boolean {
  const turn = turns.get(response);
  return turn !== undefined && turn.number > turn.connection.lastRequest;
}

/** What a malformed request gets, by the code of the error that the parser gave. */
const STATUS_OF_ERROR: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  HPE_CHUNK_EXTENSIONS_OVERFLOW: "413 Payload Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};
const MALFORMED = "400 Bad Request";
/** How long a connection that was refused stays, so that its peer can read why: one with bytes unread would be reset. */
const LINGER_MS = 500;

/** The connections of one server. */
export class Connections {
  readonly #connections = new Map<Duplex, Connection>();

  add(socket: Socket): void {
    this.#connections.set(socket, {
      socket,
      ip: addressOf(socket),
      open: new Map(),
      isBroken: false,
      requests: 0,
      lastRequest: Number.POSITIVE_INFINITY,
    });
    socket.once("close", () => this.#connections.delete(socket));
  }

  /** Takes note of a request until it is answered, or its connection is gone. @returns the address of its peer */
  begin(request: IncomingMessage, response: ServerResponse): string | undefined {
    const connection = this.#connections.get(request.socket);
    if (connection === undefined) return undefined;
    connection.requests += 1;
    turns.set(response, { connection, number: connection.requests });
    if (isTooLate(response)) return connection.ip;
    connection.open.set(request, response);
    response.once("close", () => {
      connection.open.delete(request);
      if (connection.isBroken && connection.open.size === 0) connection.socket.destroySoon();
    });
    return connection.ip;
  }

  /** Connections end with the last of the answers that are open now; those on which nothing has come yet, at once. */
  endAll(): void {
    for (const { socket, open } of this.#connections.values()) {
      const last = [...open.values()].at(-1);
      if (last !== undefined && !last.headersSent) endAfter(last);
      if (open.size === 0 && socket.bytesRead === 0) socket.destroy();
    }
  }

  /**
   * Ends a connection whose bytes the parser refused. Requests that were read whole before still get their answers: an error that
   * overtook them would be taken for theirs.
   */
  refuse(error: Error, socket: Duplex): void {
    const connection = this.#connections.get(socket);
    // No connection yet: the handshake failed.
    if (connection === undefined || !socket.writable || codeOf(error) === "ECONNRESET") {
      socket.destroy();
      return;
    }
    if (connection.isBroken) return;
    connection.isBroken = true;
    const open = [...connection.open];
    if (open.some(([, response]) => response.headersSent) || open.some(([request]) => request.complete)) return;
    endWith(socket, STATUS_OF_ERROR[codeOf(error)] ?? MALFORMED);
  }
}

/** Writes a status without a body on a bare connection, and ends it. */
export function endWith(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => clearTimeout(timer));
}

function addressOf({ remoteAddress }: Socket): string | undefined {
  // A server on both families tells addresses of the older one in the form of the newer one.
  return remoteAddress?.replace(/^::ffff:(?=[0-9.]+$)/i, "");
}

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : "";
}
