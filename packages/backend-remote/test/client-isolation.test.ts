// What one call, region, clock, provider or agent that is out of order must not do to the others.
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CredentialProvider } from "../src/credentials.js";
import { timeoutError } from "../src/error-map.js";
import { createHttpTransport, type Transport } from "../src/index.js";
import { keyIdIn, timeIn } from "../src/key-answers.js";
import { isRequestError } from "../src/request-error.js";
import {
  answer,
  type Behaviour,
  CREDENTIALS,
  clientOf,
  KEY_ID,
  OpenClients,
  RawServer,
  REGION,
  raw,
  refuse,
  rejection,
  silence,
  turn,
  until,
  VirtualClock,
} from "./client-support.js";

const OTHER_REGION = "ap-shanghai";
const encryption = { KeyId: KEY_ID, Plaintext: "aGVsbG8=" };

let server: RawServer;
let clock: VirtualClock;
const clients = new OpenClients();
const client = clients.of;

beforeEach(async () => {
  clock = new VirtualClock();
  server = await new RawServer().listen();
});

afterEach(async () => {
  await clients.close();
  await server.close();
});

describe("a region", () => {
  /** Does one thing in one region, and answers in the others. */
  const onlyHere =
    (behaviour: Behaviour): Behaviour =>
    (response, seen) =>
      (seen.headers["x-tc-region"] === REGION ? behaviour : answer({ KeyId: KEY_ID }))(response, seen);

  test("that fails fails no other one, whoever calls", async () => {
    const kms = client(server, clock, { retryBudget: 20 });
    server.script = [onlyHere(raw(503, ""))];
    const outcomes = Array.from({ length: 64 }, async () => {
      await rejection(kms.encrypt(encryption));
      await kms.encrypt(encryption, { region: OTHER_REGION });
      await rejection(kms.encrypt(encryption));
      return kms.encrypt(encryption, { region: OTHER_REGION });
    });
    expect(await Promise.all(outcomes)).toHaveLength(64);
    expect(kms.breakerStates).toEqual({ [server.endpoint]: { [REGION]: "open", [OTHER_REGION]: "closed" } });
    expect(kms.events.filter(({ type }) => type === "breaker")).toMatchObject([{ region: REGION, state: "open" }]);
    // The other one's budget is whole.
    server.script = [raw(503, ""), answer({ KeyId: KEY_ID })];
    await kms.encrypt(encryption, { region: OTHER_REGION });
  });

  test("that hangs takes no connection from another one", async () => {
    const kms = client(server, clock, { maxConnections: 2 });
    server.script = [onlyHere(silence)];
    const ending = new AbortController();
    const hanging = Array.from({ length: 4 }, () => rejection(kms.encrypt(encryption, { signal: ending.signal })));
    await until(() => server.seen.length === 2);
    await Promise.all(Array.from({ length: 4 }, () => kms.encrypt(encryption, { region: OTHER_REGION })));
    ending.abort();
    await Promise.all(hanging);
    expect(server.seen).toHaveLength(6);
  });
});

describe("a caller in a hurry", () => {
  /** Its time is over a moment before the clock says so, as that of a real timer may be. */
  const early = (phase: "connect" | "wait", timeOf: (timeoutMs: number) => number): Transport => ({
    request: async (action, params, { timeoutMs }) => {
      throw timeoutError({ action, params }, phase, timeOf(timeoutMs));
    },
    close: async () => {},
  });

  test.each([
    ["its own time", "wait", (timeoutMs: number) => timeoutMs, 3_000, "closed"],
    ["the time for an attempt", "wait", (timeoutMs: number) => timeoutMs, 30_000, "open"],
    ["its own time without a connection", "connect", (timeoutMs: number) => timeoutMs, 1_000, "closed"],
    ["the time for a connection", "connect", () => 2_000, 3_000, "open"],
  ] as const)("that loses %s", async (_name, phase, timeOf, timeoutMs, state) => {
    const transport = early(phase, timeOf);
    const kms = client([], clock, { transport, maxAttempts: 1, breaker: { failureThreshold: 1 } });
    await rejection(kms.createKey({ Alias: "a" }, { timeoutMs }));
    expect(Object.values(kms.breakerStates)).toEqual([{ [REGION]: state }]);
  });
});

describe("a clock that is wrong", () => {
  const dated = (text: string): Behaviour => refuse("AuthFailure.SignatureExpire", "Expired.", 200, { date: text });

  /** Refuses what is not signed with its own time. */
  const strict =
    (skewMs: number): Behaviour =>
    (response, seen) => {
      const time = clock.now() - skewMs;
      const isTimely = Math.abs(Number(seen.headers["x-tc-timestamp"]) * 1_000 - time) < 300_000;
      (isTimely ? answer({ KeyId: KEY_ID }) : dated(new Date(time).toUTCString()))(response, seen);
    };

  test("fails none of many first calls", async () => {
    clock.skewMs = 3_600_000;
    const kms = client(server, clock);
    server.script = [strict(3_600_000)];
    await Promise.all(Array.from({ length: 64 }, (_, i) => kms.createKey({ Alias: `a${i}` })));
    await kms.createKey({ Alias: "last" });
    expect(server.seen).toHaveLength(129);
  });

  test.each(["Thu, 01 Jan 1960 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "275760-09-13T00:00:00Z", "soon"])(
    "is not set by %s",
    async (date) => {
      const kms = client(server, clock);
      server.script = [dated(date), strict(0)];
      expect(await rejection(kms.createKey({ Alias: "a" }))).toMatchObject({ code: "ERR_CREDENTIALS" });
      await kms.createKey({ Alias: "a" });
      expect(server.seen).toHaveLength(2);
    },
  );

  test("is believed again once the service's time has not helped", async () => {
    const kms = client(server, clock);
    server.script = [dated("Sun, 01 Jan 2023 00:00:00 GMT"), strict(0)];
    expect(await rejection(kms.createKey({ Alias: "a" }))).toMatchObject({ code: "ERR_CREDENTIALS" });
    await kms.createKey({ Alias: "a" });
    expect(server.seen).toHaveLength(3);
  });
});

describe("credentials", () => {
  const provider = (getCredentials: () => unknown): CredentialProvider => ({ getCredentials }) as CredentialProvider;

  test.each([
    ["throws", () => fail("no vault")],
    ["rejects", () => Promise.reject(new Error("no vault"))],
    ["rejects with nothing", () => Promise.reject(undefined)],
    ["gives nothing", () => Promise.resolve(undefined)],
    ["gives null", () => Promise.resolve(null)],
    ["gives an empty object", () => Promise.resolve({})],
    ["gives what no header can carry", () => Promise.resolve({ ...CREDENTIALS, token: "a\r\nb" })],
  ])("of a provider that %s send nothing, once, and blame no endpoint", async (_name, getCredentials) => {
    const kms = client(server, clock, { credentials: provider(getCredentials), breaker: { failureThreshold: 1 } });
    const error = await rejection(kms.createKey({ Alias: "a" }));
    expect(error).toMatchObject({ code: "ERR_CREDENTIALS" });
    expect(isRequestError(error)).toBe(false);
    expect(server.seen).toHaveLength(0);
    expect(kms.events).toMatchObject([{ type: "call", code: "ERR_CREDENTIALS" }]);
    expect(kms.breakerStates).toEqual({ [server.endpoint]: { [REGION]: "closed" } });
  });

  test("may come at once, or from what is like a promise", async () => {
    // biome-ignore lint/suspicious/noThenProperty: what is like a promise is what the test is about
    const thenable = Object.fromEntries([["then", (resolve: (value: unknown) => void): void => resolve(CREDENTIALS)]]);
    for (const value of [CREDENTIALS, thenable]) {
      await client(server, clock, { credentials: provider(() => value) }).createKey({ Alias: "a" });
    }
    expect(server.seen).toHaveLength(2);
  });

  test.each([
    ["of another cloud", { accessKeyId: "a", secretAccessKey: "b" }],
    ["without a key", { secretId: "AKID" }],
    ["with an empty token", { ...CREDENTIALS, token: "" }],
    ["with a line break", { ...CREDENTIALS, secretId: "a\nb" }],
  ])("%s are refused when the client is made", (_name, credentials) => {
    expect(() => clientOf(server, clock, { credentials: credentials as never })).toThrow(
      expect.objectContaining({ code: "ERR_CREDENTIALS" }),
    );
  });

  test("that come after the transport was closed sign nothing", async () => {
    let give = silence;
    const credentials = provider(() => new Promise((resolve) => (give = () => resolve(CREDENTIALS))));
    const transport = createHttpTransport({ endpoint: server.endpoint, credentials });
    const call = rejection(transport.request("CreateKey", { Alias: "a" }, { region: REGION, timeoutMs: 1_000 }));
    await turn();
    await transport.close();
    give();
    expect(await call).toMatchObject({ code: "ERR_CLOSED" });
    expect(server.seen).toHaveLength(0);
  });
});

describe("an agent, or TLS", () => {
  const secure = ["https://127.0.0.1:1"];

  test.each([
    ["an agent that is none", { agent: {} }],
    ["an agent without TLS", { agent: new HttpAgent() }],
    ["an agent that checks no certificates", { agent: new HttpsAgent({ rejectUnauthorized: false }) }],
    ["an agent that checks names itself", { agent: new HttpsAgent({ checkServerIdentity: () => undefined }) }],
    ["a certificate that is none", { tls: { cert: "garbage", key: "garbage" } }],
    ["a key without a certificate", { tls: { key: "garbage" } }],
    ["an authority that is none", { tls: { ca: "garbage" } }],
    ["an authority that is no text", { tls: { ca: 5 } }],
  ])("with %s is refused when the client is made", (_name, options) => {
    expect(() => clientOf(secure, clock, options as never)).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
  });

  test("that node refuses sends nothing, once, and blames no endpoint", async () => {
    class Odd extends HttpAgent {}
    const kms = client(secure, clock, { agent: new Odd(), breaker: { failureThreshold: 1 } });
    expect(await rejection(kms.createKey({ Alias: "a" }))).toMatchObject({
      code: "ERR_ARGUMENT",
      cause: { code: "ERR_INVALID_PROTOCOL" },
    });
    expect(Object.values(kms.breakerStates)).toEqual([{ [REGION]: "closed" }]);
    expect(kms.events.filter(({ type }) => type === "retry")).toEqual([]);
  });

  test("shows no token when it is printed", async () => {
    const agent = new HttpAgent();
    const kms = client(server, clock, { agent, credentials: { ...CREDENTIALS, token: "TOKENTOKENTOKEN" } });
    server.script = [silence];
    const ending = new AbortController();
    const call = rejection(kms.encrypt(encryption, { signal: ending.signal }));
    await until(() => server.seen.length === 1);
    expect(inspect(agent, { depth: 20 })).not.toContain("TOKENTOKEN");
    ending.abort();
    await call;
    agent.destroy();
  });
});

describe("an answer without its content", () => {
  test.each([
    ["CreateKey", () => keyIdIn("CreateKey", undefined), false],
    ["DescribeKey", () => keyIdIn("DescribeKey", 5), true],
    ["CreateWhiteBoxKey", () => timeIn("CreateWhiteBoxKey", "CreateTime", "soon"), false],
  ])("to %s says what is known of the outcome", (action, read, retryable) => {
    let error: unknown;
    try {
      read();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: "ERR_UNAVAILABLE", action, phase: "read", isAmbiguous: true, retryable });
    expect((error as Error).message.includes("is unknown, and it is not safe to repeat")).toBe(!retryable);
  });
});

function fail(message: string): never {
  throw new Error(message);
}
