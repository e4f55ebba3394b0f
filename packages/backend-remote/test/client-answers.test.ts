// What a client makes of every answer, and of none: the code, what is known of the outcome, and how often the request was sent.
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TencentKmsClient } from "../src/client.js";
import { isRequestError, type RequestPhase } from "../src/request-error.js";
import {
  answer,
  type Behaviour,
  clientOf,
  hang,
  hangUp,
  KEY_ID,
  RawServer,
  REQUEST_ID,
  raw,
  refuse,
  rejection,
  reset,
  SECRET_KEY,
  VirtualClock,
} from "./client-support.js";

const MAX_ATTEMPTS = 3;
const PLAINTEXT = Buffer.from("a plaintext that nobody must see").toString("base64");

let server: RawServer;
let clock: VirtualClock;
let kms: TencentKmsClient;

beforeEach(async () => {
  clock = new VirtualClock();
  server = await new RawServer().listen();
  kms = clientOf(server, clock, { maxAttempts: MAX_ATTEMPTS, attemptTimeoutMs: 1_000, maxAnswerBytes: 4_096 });
});

afterEach(async () => {
  await kms.close();
  await server.close();
});

/** Safe to repeat, and not. */
const safe = () => kms.encrypt({ KeyId: KEY_ID, Plaintext: PLAINTEXT });
const unsafe = () => kms.createKey({ Alias: "one-only" });

interface Expected {
  readonly code: string;
  readonly phase?: RequestPhase;
  readonly isAmbiguous: boolean;
  readonly status?: number;
  readonly vendorCode?: string;
  readonly requestId?: string;
  /** How often a request that is safe to repeat is sent, and one that is not. */
  readonly sent: readonly [safe: number, unsafe: number];
}

const UNKNOWN = { isAmbiguous: true, sent: [MAX_ATTEMPTS, 1] } as const;
/** An answer of whoever stands between: it will be the same next time, and may have let the request through. */
const STRANGE = { isAmbiguous: true, sent: [1, 1] } as const;
const REFUSED = { isAmbiguous: false, sent: [1, 1] } as const;
const deep = `${"[".repeat(40)}${"]".repeat(40)}`;

const CASES: readonly (readonly [string, () => Behaviour, Expected])[] = [
  ["resets the connection", () => reset, { code: "ERR_UNAVAILABLE", phase: "wait", ...UNKNOWN }],
  ["hangs up", () => hangUp, { code: "ERR_UNAVAILABLE", phase: "wait", ...UNKNOWN }],
  ["says nothing", () => hang(clock, 1_000), { code: "ERR_TIMEOUT", phase: "wait", ...UNKNOWN }],
  [
    "answers half of the head",
    () =>
      (_r, { socket }) =>
        socket.end("HTTP/1.1 200 OK\r\nConte"),
    { code: "ERR_UNAVAILABLE", phase: "wait", ...UNKNOWN },
  ],
  [
    "answers what is not HTTP",
    () =>
      (_r, { socket }) =>
        socket.end("220 smtp ready\r\n\r\n"),
    { code: "ERR_UNAVAILABLE", phase: "wait", ...UNKNOWN },
  ],
  [
    "ends within the body",
    () =>
      (response, { socket }) => {
        response.writeHead(200, { "content-length": "500" });
        response.write('{"Response":{"RequestId":"');
        setImmediate(() => socket.destroy());
      },
    { code: "ERR_UNAVAILABLE", phase: "read", ...UNKNOWN },
  ],
  [
    "ends within a chunked body",
    () =>
      (response, { socket }) => {
        response.write('{"Response":{"RequestId":"');
        setImmediate(() => socket.destroy());
      },
    { code: "ERR_UNAVAILABLE", phase: "read", ...UNKNOWN },
  ],
  [
    "stops within the body",
    () => (response) => {
      response.writeHead(200, { "content-length": "500" });
      response.write('{"Response":');
      setTimeout(() => clock.advance(1_000), 5);
    },
    { code: "ERR_TIMEOUT", ...UNKNOWN },
  ],
  [
    "claims a length beyond the bound",
    () => (response) => response.writeHead(200, { "content-length": "4097" }).write("{"),
    { code: "ERR_UNAVAILABLE", phase: "read", status: 200, ...UNKNOWN },
  ],
  [
    "sends more than the bound",
    () => (response) => response.writeHead(200).write("x".repeat(5_000)),
    { code: "ERR_UNAVAILABLE", phase: "read", status: 200, ...UNKNOWN },
  ],
  ["answers nothing", () => raw(200, ""), { code: "ERR_UNAVAILABLE", status: 200, ...UNKNOWN }],
  [
    "answers HTML",
    () => raw(200, "<html>", { "content-type": "text/html" }),
    { code: "ERR_UNAVAILABLE", status: 200, ...UNKNOWN },
  ],
  [
    "answers garbled JSON",
    () => raw(200, `{"Response":{"Plaintext":"${PLAINTEXT}"`),
    { code: "ERR_UNAVAILABLE", status: 200, ...UNKNOWN },
  ],
  [
    "answers bytes that are not UTF-8",
    () => (response) => response.end(Buffer.from('{"Response":{"RequestId":"a\xff"}}', "latin1")),
    { code: "ERR_UNAVAILABLE", ...UNKNOWN },
  ],
  ["answers a list", () => raw(200, "[]"), { code: "ERR_UNAVAILABLE", status: 200, ...UNKNOWN }],
  ["answers null", () => raw(200, "null"), { code: "ERR_UNAVAILABLE", status: 200, ...UNKNOWN }],
  [
    "answers without Response",
    () => raw(200, `{"RequestId":"${REQUEST_ID}"}`),
    { code: "ERR_UNAVAILABLE", ...UNKNOWN },
  ],
  [
    "answers without RequestId",
    () => raw(200, `{"Response":{"KeyId":"${KEY_ID}"}}`),
    { code: "ERR_UNAVAILABLE", ...UNKNOWN },
  ],
  [
    "answers an error without RequestId",
    () => raw(200, '{"Response":{"Error":{"Code":"RequestLimitExceeded","Message":"no"}}}'),
    { code: "ERR_UNAVAILABLE", ...UNKNOWN },
  ],
  [
    "answers an error without Code",
    () => raw(200, `{"Response":{"Error":{"Message":"no"},"RequestId":"${REQUEST_ID}"}}`),
    { code: "ERR_UNAVAILABLE", ...UNKNOWN },
  ],
  [
    "answers a number beyond 2^53",
    () => raw(200, `{"Response":{"CreateTime":9007199254740993,"RequestId":"${REQUEST_ID}"}}`),
    { code: "ERR_UNAVAILABLE", ...UNKNOWN },
  ],
  [
    "answers a number beyond all bounds",
    () => raw(200, `{"Response":{"CreateTime":1e999,"RequestId":"${REQUEST_ID}"}}`),
    { code: "ERR_UNAVAILABLE", ...UNKNOWN },
  ],
  [
    "answers what is too deep",
    () => raw(200, `{"Response":{"More":${deep},"RequestId":"${REQUEST_ID}"}}`),
    { code: "ERR_UNAVAILABLE", ...UNKNOWN },
  ],
  [
    "answers a field of another type",
    () => answer({ KeyId: 7 }),
    { code: "ERR_UNAVAILABLE", phase: "read", ...UNKNOWN },
  ],
  ["answers status 500", () => raw(500, "oops"), { code: "ERR_UNAVAILABLE", status: 500, ...UNKNOWN }],
  [
    "answers status 503 with a success in it",
    () => raw(503, JSON.stringify({ Response: { RequestId: REQUEST_ID } })),
    { code: "ERR_UNAVAILABLE", status: 503, ...UNKNOWN },
  ],
  ["answers status 408", () => raw(408, ""), { code: "ERR_UNAVAILABLE", status: 408, ...UNKNOWN }],
  ["answers status 404", () => raw(404, "not here"), { code: "ERR_UNAVAILABLE", status: 404, ...STRANGE }],
  ["answers status 204", () => raw(204, ""), { code: "ERR_UNAVAILABLE", status: 204, ...UNKNOWN }],
  [
    "redirects",
    () => raw(307, "", { location: "http://127.0.0.1:1/" }),
    { code: "ERR_UNAVAILABLE", status: 307, ...STRANGE },
  ],
  ["answers status 429", () => raw(429, ""), { code: "ERR_THROTTLED", status: 429, ...UNKNOWN }],
  [
    "switches protocols",
    () =>
      (_r, { socket }) =>
        socket.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"),
    { code: "ERR_UNAVAILABLE", ...UNKNOWN },
  ],
  [
    "refuses the call",
    () => refuse("ResourceUnavailable.CmkDisabled"),
    {
      code: "ERR_KEY_STATE",
      vendorCode: "ResourceUnavailable.CmkDisabled",
      requestId: REQUEST_ID,
      status: 200,
      ...REFUSED,
    },
  ],
  [
    "refuses the caller with status 403",
    () => refuse("UnauthorizedOperation", "No.", 403),
    { code: "ERR_DENIED", vendorCode: "UnauthorizedOperation", requestId: REQUEST_ID, status: 403, ...REFUSED },
  ],
  [
    "fails",
    () => refuse("InternalError"),
    { code: "ERR_UNAVAILABLE", vendorCode: "InternalError", requestId: REQUEST_ID, ...UNKNOWN },
  ],
  [
    "fails with status 500",
    () => refuse("InternalError", "Oh.", 500),
    { code: "ERR_UNAVAILABLE", vendorCode: "InternalError", requestId: REQUEST_ID, status: 500, ...UNKNOWN },
  ],
  [
    "refuses for the rate",
    () => refuse("RequestLimitExceeded.UinLimitExceeded"),
    {
      code: "ERR_THROTTLED",
      vendorCode: "RequestLimitExceeded.UinLimitExceeded",
      requestId: REQUEST_ID,
      isAmbiguous: false,
      sent: [MAX_ATTEMPTS, MAX_ATTEMPTS],
    },
  ],
  [
    "answers a code from the future",
    () => refuse("Quantum.Decohered"),
    {
      code: "ERR_NOT_SUPPORTED",
      vendorCode: "Quantum.Decohered",
      requestId: REQUEST_ID,
      isAmbiguous: true,
      sent: [1, 1],
    },
  ],
];

/** Lets a call's waits below the rate pass. */
async function settle(promise: Promise<unknown>, isWaiting: boolean): Promise<unknown> {
  let isSettled = false;
  const settled = rejection(promise).finally(() => {
    isSettled = true;
  });
  while (isWaiting && !isSettled) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1);
  }
  return settled;
}

describe("an endpoint that", () => {
  test("there are as many cases as were written", () => expect(CASES).toHaveLength(38));

  test.each(CASES)("%s", async (_name, behaviour, { sent, ...expected }) => {
    for (const [isSafe, call] of [
      [true, safe],
      [false, unsafe],
    ] as const) {
      server.seen.length = 0;
      server.script = [behaviour()];
      const error = await settle(call(), expected.code === "ERR_THROTTLED");
      expect(error).toMatchObject(expected);
      expect(isRequestError(error)).toBe(true);
      expect(server.seen).toHaveLength(sent[isSafe ? 0 : 1]);
      if (!isRequestError(error)) return;
      expect(error.message.includes("whether CreateKey was carried out is unknown")).toBe(!isSafe && error.isAmbiguous);
      if (!isSafe && error.isAmbiguous) expect(error.retryable).toBe(false);
      const shown = inspect(error, { depth: 10, showHidden: true }) + JSON.stringify(error);
      for (const secret of [PLAINTEXT, SECRET_KEY, "a plaintext that nobody"]) expect(shown).not.toContain(secret);
    }
  });

  test("answers once after failures of each kind gives its answer to what is safe to repeat", async () => {
    for (const failure of [reset, hangUp, raw(502, ""), refuse("InternalError"), raw(200, "{")]) {
      server.script = [failure, failure, answer({ CiphertextBlob: "QUJD", KeyId: KEY_ID })];
      expect(await safe()).toEqual({ CiphertextBlob: "QUJD", KeyId: KEY_ID, RequestId: REQUEST_ID });
    }
  });

  test("answers FailedOperation is asked once more, and for reads only", async () => {
    server.script = [refuse("FailedOperation")];
    expect(await rejection(safe())).toMatchObject({ code: "ERR_UNAVAILABLE", isAmbiguous: true });
    expect(server.seen).toHaveLength(1);
    expect(await rejection(kms.describeKey({ KeyId: KEY_ID }))).toMatchObject({ vendorCode: "FailedOperation" });
    expect(server.count("DescribeKey")).toBe(2);
  });

  test("is answered in whatever content type, with null for what is not set", async () => {
    server.script = [answer({ CiphertextBlob: "QUJD", KeyId: null }, { "content-type": "image/png" })];
    expect(await safe()).toEqual({ CiphertextBlob: "QUJD", RequestId: REQUEST_ID });
  });

  test.each([
    ["its code", "hunter2hunter2", REQUEST_ID, "[redacted]", REQUEST_ID],
    ["the end of its code", "FailedOperation.hunter2hunter2", REQUEST_ID, "FailedOperation.[redacted]", REQUEST_ID],
    ["its request id", "InternalError", "hunter2hunter2", "InternalError", "[redacted]"],
  ])("repeats what it was sent as %s shows none of it", async (_name, Code, RequestId, vendorCode, requestId) => {
    server.script = [raw(200, JSON.stringify({ Response: { Error: { Code, Message: "No." }, RequestId } }))];
    const error = await rejection(kms.createKey({ Alias: "a", Description: "hunter2hunter2" }));
    expect(error).toMatchObject({ vendorCode, requestId });
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain("hunter2");
  });

  test("repeats what it was sent as the request id of an answer that cannot be believed shows none of it", async () => {
    for (const [status, more] of [
      [200, '"CreateTime":9007199254740993'],
      [500, '"CreateTime":1'],
    ] as const) {
      server.script = [raw(status, `{"Response":{${more},"RequestId":"hunter2hunter2"}}`)];
      const error = await rejection(kms.createKey({ Alias: "a", Description: "hunter2hunter2" }));
      expect(error).toMatchObject({ status, requestId: "[redacted]" });
    }
  });

  test("answers with an id that is a UUID keeps it, unless the whole of it was sent", async () => {
    server.script = [refuse("InternalError")];
    const call = (Description: string) => rejection(kms.createKey({ Alias: "a", Description }));
    expect(await call(`${REQUEST_ID.slice(-12)} and more`)).toMatchObject({ requestId: REQUEST_ID });
    expect(await call(`order ${REQUEST_ID}`)).toMatchObject({ requestId: "[redacted]" });
  });

  test("repeats what it was sent shows none of it", async () => {
    const token = "token-of-a-session-0123456789";
    const other = clientOf(server, clock, { credentials: { secretId: "AKIDx", secretKey: SECRET_KEY, token } });
    const secret = "a plaintext that nobody must see";
    server.script = [
      (response, seen) =>
        refuse("InvalidParameter", `Bad: ${seen.body} ${secret.slice(0, 20)} ${token} \u0007`)(response, seen),
    ];
    const error = await rejection(
      other.encrypt({ KeyId: KEY_ID, Plaintext: PLAINTEXT, EncryptionContext: '{"who":"somebody"}' }),
    );
    const shown = inspect(error, { showHidden: true });
    expect(shown).toContain(KEY_ID);
    expect(shown).toContain("[redacted]");
    for (const part of [PLAINTEXT.slice(0, 12), "nobody", "somebody", "a plaintext", token, "\u0007"])
      expect(shown).not.toContain(part);
    await other.close();
  });
});
