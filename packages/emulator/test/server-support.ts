// What the tests of the server share: bare connections, signed requests as bytes, and answers read to the letter.
import { connect, type Socket } from "node:net";
import { API_VERSION, createSigner } from "@fengni/kms-api";
import type { Emulator } from "../src/assemble.js";

export const SECRET_ID = "AKIDserverTests";
export const SECRET_KEY = "a-secret-that-is-no-secret";
export const OWNER_UIN = "100000000001";

/** Credentials of a root account whose secret the tests know. */
export const CREDENTIALS: object = {
  ownerUin: OWNER_UIN,
  users: [{ uin: OWNER_UIN, name: "root", keys: [{ secretId: SECRET_ID, secretKey: SECRET_KEY }] }],
};

/** What makes a signed request differ from a plain one of the root account. */
export interface RequestChanges {
  readonly secretId?: string;
  readonly secretKey?: string;
  readonly timestampSeconds?: number;
  /** Signed headers that are other than usual; in lower case in the signature, whichever way they are sent. */
  readonly signed?: Readonly<Record<string, string>>;
  /** Sent in the place of the body that was signed. */
  readonly sentBody?: string;
  /** Added, or in the place of those that are there. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Written as they are after the headers. */
  readonly extraLines?: readonly string[];
}

/** The bytes of a signed POST request. */
export function signedRequest(
  port: number,
  action: string,
  parameters: object | string,
  changes: RequestChanges = {},
): string {
  const body = typeof parameters === "string" ? parameters : JSON.stringify(parameters);
  const signed = { "content-type": "application/json", host: `127.0.0.1:${port}`, ...changes.signed };
  const { secretId = SECRET_ID, secretKey = SECRET_KEY, timestampSeconds = nowSeconds() } = changes;
  const added = createSigner({ secretId, secretKey }).sign({
    method: "POST",
    headers: { "content-type": signed["content-type"].toLowerCase(), host: signed.host.toLowerCase() },
    payload: Buffer.from(body),
    timestampSeconds,
  });
  const sent = changes.sentBody ?? body;
  const headers = {
    ...signed,
    ...added,
    "X-TC-Action": action,
    "X-TC-Version": API_VERSION,
    "X-TC-Region": "ap-guangzhou",
    "Content-Length": String(Buffer.byteLength(sent)),
    ...changes.headers,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`POST / HTTP/1.1`, ...lines, ...(changes.extraLines ?? []), "", sent].join("\r\n");
}

function nowSeconds(): number {
  return Math.floor(new Date(performance.timeOrigin + performance.now()).getTime() / 1000);
}

/** An answer, read to the letter. */
export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A connection of a test's own. */
export class RawConnection {
  readonly socket: Socket;
  /** Resolves when the server has ended it, whichever way. */
  readonly closed: Promise<void>;
  /** What kind of end it was. */
  wasReset = false;
  #received = "";
  #notify: () => void = () => undefined;

  constructor(port: number) {
    this.socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    this.socket.setEncoding("latin1");
    this.socket.on("data", (text: string) => {
      this.#received += text;
      this.#notify();
    });
    this.socket.on("error", (error) => {
      this.wasReset = "code" in error && error.code === "ECONNRESET";
    });
    this.closed = new Promise((resolve) => {
      this.socket.once("end", () => {
        this.socket.end();
        this.#notify();
      });
      this.socket.once("close", () => {
        this.#notify();
        resolve();
      });
    });
  }

  write(bytes: string): this {
    this.socket.write(bytes, "utf8");
    return this;
  }

  /** The next answer; undefined when the connection ends before it is whole. */
  async answer(): Promise<RawAnswer | undefined> {
    for (;;) {
      const answer = this.#take();
      if (answer !== undefined) return answer;
      if (this.socket.destroyed || this.socket.readableEnded) return undefined;
      await new Promise<void>((resolve) => {
        this.#notify = resolve;
      });
    }
  }

  /** What was received and is no whole answer. */
  get rest(): string {
    return this.#received;
  }

  #take(): RawAnswer | undefined {
    const end = this.#received.indexOf("\r\n\r\n");
    if (end < 0) return undefined;
    const [first = "", ...lines] = this.#received.slice(0, end).split("\r\n");
    const headers = Object.fromEntries(
      lines.map((line) => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    const length = Number(headers["content-length"] ?? "0");
    const start = end + 4;
    if (this.#received.length < start + length) return undefined;
    const body = Buffer.from(this.#received.slice(start, start + length), "latin1").toString("utf8");
    this.#received = this.#received.slice(start + length);
    return { status: Number(first.split(" ")[1]), headers, body };
  }
}

/** Sends bytes on a connection of their own, and reads the first answer. */
export async function sendRaw(port: number, bytes: string): Promise<RawAnswer | undefined> {
  const connection = new RawConnection(port).write(bytes);
  const answer = await connection.answer();
  connection.socket.destroy();
  return answer;
}

/** What is inside an answer's envelope. */
export interface Envelope {
  readonly RequestId: string;
  readonly Error?: { readonly Code: string; readonly Message: string };
  readonly [name: string]: unknown;
}

/** The envelope of an answer. */
export function envelopeOf(answer: RawAnswer | undefined): Envelope {
  if (answer === undefined) throw new Error("there was no answer");
  if (answer.status !== 200) throw new Error(`the status is ${answer.status}: ${answer.body}`);
  return (JSON.parse(answer.body) as { Response: Envelope }).Response;
}

/** The code of an answer's error; empty for success. */
export function codeOf(answer: RawAnswer | undefined): string {
  return envelopeOf(answer).Error?.Code ?? "";
}

/** Calls an action on a connection of its own. */
export async function call(
  { port }: Pick<Emulator, "port">,
  action: string,
  parameters: object | string = {},
  changes: RequestChanges = {},
): Promise<RawAnswer | undefined> {
  return sendRaw(port, signedRequest(port, action, parameters, changes));
}

/** Resolves when a request is recorded that a fault of this kind met. */
export function faultRecorded({ audit }: Pick<Emulator, "audit">, kind: string): Promise<void> {
  return new Promise((resolve) => {
    const unsubscribe = audit.subscribe(({ fault }) => {
      if (fault !== kind) return;
      unsubscribe();
      resolve();
    });
  });
}
