// When a call ends: with its deadline, its signal, its connection, its client.
import { type AddressInfo, createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  answer,
  flow,
  hang,
  KEY_ID,
  OpenClients,
  RawServer,
  raw,
  refuse,
  rejection,
  reset,
  silence,
  turn,
  until,
  VirtualClock,
} from "./client-support.js";

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

const encryption = { KeyId: KEY_ID, Plaintext: "aGVsbG8=" };

describe("a deadline", () => {
  test("ends a call in whatever attempt it is", async () => {
    const kms = client(server, clock, { timeoutMs: 2_500, attemptTimeoutMs: 1_000 });
    server.script = [hang(clock, 1_000), hang(clock, 1_000), hang(clock, 500)];
    expect(await rejection(kms.encrypt(encryption))).toMatchObject({
      code: "ERR_TIMEOUT",
      phase: "wait",
      isAmbiguous: true,
      retryable: true,
      details: { timeoutMs: 500 },
    });
    expect(server.seen).toHaveLength(3);
    expect(clock.elapsed()).toBe(2_500);
    expect(clock.timers).toBe(0);
  });

  test("of one call counts before the client's", async () => {
    const kms = client(server, clock);
    server.script = [hang(clock, 70)];
    const error = await rejection(kms.encrypt(encryption, { timeoutMs: 70 }));
    expect(error).toMatchObject({ code: "ERR_TIMEOUT", details: { timeoutMs: 70 } });
  });

  test("leaves no time for a wait that is longer: the last error says why", async () => {
    const kms = client(server, clock, { timeoutMs: 40, random: () => 0.999 });
    server.script = [raw(503, "")];
    expect(await rejection(kms.encrypt(encryption))).toMatchObject({ status: 503 });
    expect(server.seen).toHaveLength(1);
  });

  test("ends a connection that is not made", async () => {
    // It takes the connection, and says nothing to the offer of TLS.
    const mute = createServer((socket) => socket.on("error", silence));
    await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
    const { port } = mute.address() as AddressInfo;
    const kms = client([`https://127.0.0.1:${port}`], clock, { connectTimeoutMs: 1_000, maxAttempts: 1 });
    expect(await flow(clock, rejection(kms.createKey({ Alias: "a" })))).toMatchObject({
      code: "ERR_TIMEOUT",
      phase: "connect",
      isAmbiguous: false,
      retryable: true,
      details: { timeoutMs: 1_000 },
    });
    mute.close();
  });
});

describe("a signal", () => {
  const stop = new Error("enough");

  test("that has aborted sends nothing", async () => {
    const kms = client(server, clock);
    expect(await rejection(kms.encrypt(encryption, { signal: AbortSignal.abort(stop) }))).toBe(stop);
    expect(server.seen).toHaveLength(0);
  });

  test("ends a request that waits for its answer, and its connection", async () => {
    const kms = client(server, clock);
    server.script = [silence];
    const controller = new AbortController();
    const call = rejection(kms.createKey({ Alias: "a" }, { signal: controller.signal }));
    await until(() => server.seen.length === 1);
    controller.abort(stop);
    expect(await call).toBe(stop);
    await until(() => server.sockets.size === 0);
    expect(clock.timers).toBe(0);
  });

  test("ends a request within its answer", async () => {
    const kms = client(server, clock);
    const controller = new AbortController();
    server.script = [
      (response) => {
        response.writeHead(200, { "content-length": "100" }).write("{");
        setTimeout(() => controller.abort(stop), 5);
      },
    ];
    expect(await rejection(kms.createKey({ Alias: "a" }, { signal: controller.signal }))).toBe(stop);
  });

  test("ends a wait between attempts", async () => {
    const kms = client(server, clock, { random: () => 0.5 });
    server.script = [raw(503, "")];
    const controller = new AbortController();
    const call = rejection(kms.encrypt(encryption, { signal: controller.signal }));
    await until(() => kms.events.some(({ type }) => type === "retry"));
    controller.abort(stop);
    expect(await call).toBe(stop);
    expect(server.seen).toHaveLength(1);
  });

  test("ends a wait for a connection", async () => {
    const kms = client(server, clock, { maxConnections: 1 });
    server.script = [silence];
    const controllers = [new AbortController(), new AbortController()] as const;
    const calls = controllers.map(({ signal }) => rejection(kms.encrypt(encryption, { signal })));
    await until(() => server.seen.length === 1);
    controllers[1].abort(stop);
    expect(await calls[1]).toBe(stop);
    controllers[0].abort(stop);
    expect(await calls[0]).toBe(stop);
  });

  test("ends a wait for credentials, whatever the provider does", async () => {
    const kms = client(server, clock, { credentials: { getCredentials: () => new Promise(() => {}) } });
    const controller = new AbortController();
    const call = rejection(kms.encrypt(encryption, { signal: controller.signal }));
    await turn();
    controller.abort(stop);
    expect(await call).toBe(stop);
  });

  test("may be shared by many calls, and keeps no listener", async () => {
    const kms = client(server, clock);
    const warnings: unknown[] = [];
    const onWarning = (warning: Error): number => warnings.push(warning.name);
    process.on("warning", onWarning);
    const { signal } = new AbortController();
    await Promise.all(Array.from({ length: 64 }, () => kms.encrypt(encryption, { signal })));
    await turn();
    process.off("warning", onWarning);
    expect(warnings).toEqual([]);
    expect(server.seen).toHaveLength(64);
  });
});

describe("connections", () => {
  test("are kept, and bounded", async () => {
    const kms = client(server, clock, { maxConnections: 3 });
    let most = 0;
    server.script = [
      (response, seen) => {
        most = Math.max(most, server.sockets.size);
        answer({})(response, seen);
      },
    ];
    await Promise.all(Array.from({ length: 20 }, () => kms.encrypt(encryption)));
    expect(most).toBe(3);
    expect(new Set(server.seen.map(({ socket }) => socket)).size).toBe(3);
  });

  test("that stay idle for too long are closed", async () => {
    const kms = client(server, clock, { idleTimeoutMs: 1 });
    await kms.encrypt(encryption);
    await until(() => server.sockets.size === 0);
    await kms.encrypt(encryption);
    expect(server.seen).toHaveLength(2);
  });

  test("that break while they are idle do no harm to what is safe to repeat, and send nothing else twice", async () => {
    const kms = client(server, clock);
    await kms.encrypt(encryption);
    server.script = [reset, answer({})];
    await kms.encrypt(encryption);
    expect(server.seen).toHaveLength(3);
    server.script = [reset];
    expect(await rejection(kms.createKey({ Alias: "a" }))).toMatchObject({ isAmbiguous: true, retryable: false });
    expect(server.count("CreateKey")).toBe(1);
  });
});

describe("retries", () => {
  test("draw on a budget that all calls share", async () => {
    const kms = client(server, clock, { retryBudget: 12, maxAttempts: 4 });
    server.script = [raw(503, "")];
    // Two retries at five tokens each, then none.
    await rejection(kms.encrypt(encryption));
    await rejection(kms.encrypt(encryption));
    expect(server.seen).toHaveLength(4);
    // Three successes are worth the tokens that are missing.
    server.script = [answer({})];
    for (let i = 0; i < 3; i++) await kms.encrypt(encryption);
    server.script = [raw(503, ""), answer({})];
    await kms.encrypt(encryption);
    expect(server.seen).toHaveLength(9);
  });

  test("and other calls keep below the rate that a refusal taught, and tell of it", async () => {
    const kms = client(server, clock);
    server.script = [answer({}), answer({}), refuse("RequestLimitExceeded"), answer({})];
    for (let i = 0; i < 2; i++) await kms.encrypt(encryption);
    await flow(clock, kms.encrypt(encryption));
    expect(kms.events.find(({ type }) => type === "rate")).toMatchObject({ action: "Encrypt", region: "ap-guangzhou" });
    const startedAt = clock.elapsed();
    await flow(clock, Promise.all(Array.from({ length: 26 }, () => kms.encrypt(encryption))));
    // Ten calls a second are the least that a refusal leaves.
    expect(clock.elapsed() - startedAt).toBeGreaterThan(1_500);
  });
});

describe("close", () => {
  test("waits for what is under way, takes no more, and closes the connections", async () => {
    const kms = client(server, clock);
    let go = silence;
    server.script = [(response, seen) => (go = () => answer({})(response, seen))];
    const call = kms.encrypt(encryption);
    await until(() => server.seen.length === 1);
    const closed = Promise.all([kms.close(), kms.close()]);
    expect(await rejection(kms.encrypt(encryption))).toMatchObject({ code: "ERR_CLOSED" });
    go();
    await call;
    await closed;
    await until(() => server.sockets.size === 0);
  });
});
