// What a client does about endpoints and transports that are out of order, and about listeners that are: it goes elsewhere, and ends.
import { type AddressInfo, createServer, type Server } from "node:net";
import { retryTelemetry, type TelemetryEvent } from "@fengni/core";
import { findAction } from "@fengni/kms-api";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Breaker } from "../src/breaker.js";
import { Caller } from "../src/caller.js";
import { checkOptions } from "../src/client-options.js";
import { Deadline } from "../src/deadline.js";
import { Endpoint, Endpoints } from "../src/endpoints.js";
import { networkError } from "../src/error-map.js";
import type { Transport } from "../src/index.js";
import {
  answer,
  flow,
  hang,
  KEY_ID,
  OpenClients,
  RawServer,
  REGION,
  raw,
  rejection,
  silence,
  turn,
  until,
  VirtualClock,
} from "./client-support.js";

const encryption = { KeyId: KEY_ID, Plaintext: "aGVsbG8=" };
/** On this port nobody listens. */
const CLOSED = "http://127.0.0.1:1";

let server: RawServer;
let second: RawServer;
let clock: VirtualClock;
const clients = new OpenClients();
const client = clients.of;

beforeEach(async () => {
  clock = new VirtualClock();
  server = await new RawServer().listen();
  second = await new RawServer().listen();
});

afterEach(async () => {
  await clients.close();
  await Promise.all([server.close(), second.close()]);
});

describe("a client with little time", () => {
  test.each([
    ["less than an attempt would have", { timeoutMs: 150 }],
    ["as much as an attempt would have", { timeoutMs: 150, attemptTimeoutMs: 150 }],
  ])("for its calls, %s, leaves an endpoint that hangs alone and goes to another", async (_name, times) => {
    const options = { maxAttempts: 1, breaker: { failureThreshold: 3 } };
    const kms = client([server.endpoint, second.endpoint], clock, { ...times, ...options });
    server.script = [hang(clock, 75)];
    for (let i = 0; i < 3; i++) await rejection(kms.encrypt(encryption));
    expect(kms.breakerStates[server.endpoint]).toEqual({ [REGION]: "open" });
    server.seen.length = 0;
    second.script = [answer({ KeyId: KEY_ID })];
    for (let i = 0; i < 5; i++) expect(await kms.encrypt(encryption)).toMatchObject({ KeyId: KEY_ID });
    expect(server.seen).toHaveLength(0);
  });

  test("for a connection, none to be had, still goes to another within the same call", async () => {
    // It takes the connection, and says nothing to the offer of TLS.
    const mute: Server = createServer((socket) => socket.on("error", silence));
    await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
    const { port } = mute.address() as AddressInfo;
    const kms = client([`https://127.0.0.1:${port}`, second.endpoint], clock, { timeoutMs: 1_500 });
    second.script = [answer({ KeyId: KEY_ID })];
    expect(await flow(clock, kms.createKey({ Alias: "a" }))).toMatchObject({ KeyId: KEY_ID });
    expect(clock.elapsed()).toBeGreaterThanOrEqual(750);
    expect(kms.events.find(({ type }) => type === "retry")).toMatchObject({ code: "ERR_TIMEOUT", delayMs: 0 });
    mute.close();
  });
});

describe("one action's strange answers", () => {
  const list = { Limit: 200 };

  test.each([
    ["longer than may be read", raw(200, JSON.stringify({ Response: { RequestId: "a", X: "a".repeat(3_000) } }))],
    ["without an end", raw(200, "a".repeat(5_000), { "transfer-encoding": "chunked" })],
    ["of a firewall", raw(403, "<html>blocked</html>")],
    ["with a number of 2^53", raw(200, '{"Response":{"RequestId":"a","TotalCount":9007199254740993}}')],
    ["with half an error", raw(200, '{"Response":{"RequestId":"a","Error":{}}}')],
  ])("%s shut off no other action", async (_name, behaviour) => {
    const kms = client(server, clock, { maxAnswerBytes: 1_024, maxAttempts: 1, breaker: { failureThreshold: 2 } });
    server.script = [behaviour];
    for (let i = 0; i < 5; i++) expect(await rejection(kms.listKeyDetail(list))).toMatchObject({ phase: "read" });
    server.script = [answer({ KeyId: KEY_ID })];
    expect(await kms.encrypt(encryption)).toMatchObject({ KeyId: KEY_ID });
  });

  test.each([
    ["of a gateway that waited in vain", raw(408, "")],
    ["of a gateway without a service", raw(502, "")],
    ["that are none", raw(200, "<html>")],
  ])("%s open the breaker", async (_name, behaviour) => {
    const kms = client(server, clock, { maxAttempts: 1, breaker: { failureThreshold: 2 } });
    server.script = [behaviour];
    for (let i = 0; i < 2; i++) await rejection(kms.listKeyDetail(list));
    expect(kms.breakerStates[server.endpoint]).toEqual({ [REGION]: "open" });
  });
});

describe("a transport of the caller's", () => {
  const deaf: Transport = { request: () => new Promise<object>(() => {}), close: async () => {} };

  test("that heeds no time ends with its call's, and with the client", async () => {
    const kms = client([], clock, { transport: deaf, timeoutMs: 1_000, breaker: { failureThreshold: 1 } });
    expect(await flow(clock, rejection(kms.createKey({ Alias: "a" })))).toMatchObject({
      code: "ERR_TIMEOUT",
      isAmbiguous: true,
      retryable: false,
      details: { timeoutMs: 500 },
    });
    expect(clock.timers).toBe(0);
    expect(Object.values(kms.breakerStates)).toEqual([{ [REGION]: "open" }]);
    await kms.close();
  });

  test("that heeds no signal ends with it", async () => {
    const kms = client([], clock, { transport: deaf });
    const controller = new AbortController();
    const call = rejection(kms.createKey({ Alias: "a" }, { signal: controller.signal }));
    await turn();
    const closed = kms.close();
    controller.abort("enough");
    expect(await call).toBe("enough");
    await closed;
    expect(clock.timers).toBe(0);
  });

  test("that throws at once gives a typed error", async () => {
    const thrower: Transport = {
      ...deaf,
      request: () => {
        throw new TypeError("oh");
      },
    };
    const kms = client([], clock, { transport: thrower, maxAttempts: 1 });
    expect(await rejection(kms.createKey({ Alias: "a" }))).toMatchObject({ code: "ERR_UNAVAILABLE" });
  });

  test("that says itself that its time is over is heard", async () => {
    const subject = { action: "CreateKey", params: {} } as const;
    const transport: Transport = {
      ...deaf,
      request: (_action, _params, { timeoutMs }) =>
        new Promise((_resolve, reject) => {
          clock.schedule(timeoutMs, () => reject(networkError(subject, "connect", "it says so itself")));
        }),
    };
    const kms = client([], clock, { transport, maxAttempts: 1 });
    expect(await flow(clock, rejection(kms.createKey({ Alias: "a" })))).toMatchObject({
      phase: "connect",
      message: expect.stringContaining("it says so itself"),
    });
  });
});

describe("another endpoint", () => {
  test("that is tried by one call is none to go to: retries cost what they cost", async () => {
    const params = encryption;
    const subject = { action: "Encrypt", params } as const;
    let sent = 0;
    const broken: Transport = {
      request: async () => {
        sent += 1;
        throw networkError(subject, "connect", "refused");
      },
      close: async () => {},
    };
    const endpointOf = (name: string, failureThreshold: number): Endpoint =>
      new Endpoint(name, broken, () => new Breaker(clock, () => 0, { failureThreshold, openMs: 1_000 }, silence));
    const [first, other] = [endpointOf("first", 1_000), endpointOf("other", 1)];
    const endpoints = new Endpoints([first, other]);
    const breaker = other.breakerOf(REGION);
    breaker.fail(breaker.enter() ?? expect.unreachable());
    clock.advance(1_000);
    const action = findAction("Encrypt") ?? expect.unreachable();
    const options = checkOptions({ transport: broken, region: REGION, clock, random: () => 0.9, retryBudget: 0 });
    const make = (): Promise<unknown> => {
      const deadline = new Deadline(clock, 10_000);
      return rejection(
        new Caller(options, endpoints).make({ action, params, region: REGION, signal: undefined, deadline }),
      );
    };
    // Somebody else is there.
    expect(breaker.enter()).toBeDefined();
    await make();
    expect([sent, breaker.state]).toEqual([1, "half-open"]);
  });

  test("whose time has come is gone to although there are no tokens for retries", async () => {
    const breaker = { failureThreshold: 10, openMs: 1_000 };
    const kms = client([CLOSED, second.endpoint], clock, { retryBudget: 0, breaker });
    second.script = [raw(502, "")];
    for (let i = 0; i < 10; i++) await rejection(kms.encrypt(encryption));
    expect(kms.breakerStates[second.endpoint]?.[REGION]).toBe("open");
    clock.advance(1_000);
    second.script = [answer({ KeyId: KEY_ID })];
    expect(await kms.encrypt(encryption)).toMatchObject({ KeyId: KEY_ID });
  });
});

test("regions that come and go are not remembered for ever", async () => {
  const kms = client(server, clock);
  for (let i = 0; i < 80; i++) await kms.encrypt(encryption, { region: `r-${i}` });
  const regions = Object.keys(kms.breakerStates[server.endpoint] ?? {});
  expect([regions.length, regions.at(-1)]).toEqual([64, "r-79"]);
  // Their connections have gone as well.
  await until(() => server.sockets.size <= 64);
});

describe("a listener", () => {
  test("that rejects ends neither the call nor the process", async () => {
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown): number => unhandled.push(reason);
    process.on("unhandledRejection", onUnhandled);
    let told = 0;
    const onEvent = async (): Promise<void> => {
      told += 1;
      throw new Error("the log is down");
    };
    await client(server, clock, { onEvent }).encrypt(encryption);
    await turn();
    process.off("unhandledRejection", onUnhandled);
    expect([told, unhandled]).toEqual([1, []]);
  });

  test("of the core's telemetry is told of retries, and of nothing else", async () => {
    const events: TelemetryEvent[] = [];
    const kms = client(server, clock, { onEvent: retryTelemetry((event) => events.push(event)) });
    server.script = [raw(503, ""), raw(503, ""), answer({ KeyId: KEY_ID })];
    await kms.encrypt(encryption);
    const retry = { type: "retry", action: "Encrypt", delayMs: 0, errorCode: "ERR_UNAVAILABLE" };
    expect(events).toMatchObject([
      { ...retry, attempt: 1 },
      { ...retry, attempt: 2 },
    ]);
  });
});
