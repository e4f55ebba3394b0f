// Where a call goes: endpoints that cannot be reached, that fail, that are left alone; certificates.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { Agent } from "node:http";
import { createServer as createSecureServer, get, Agent as SecureAgent, type Server as SecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import {
  answer,
  CREDENTIALS,
  hang,
  KEY_ID,
  OpenClients,
  RawServer,
  REGION,
  raw,
  refuse,
  rejection,
  silence,
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

/** On this port nobody listens; one that was free a moment ago another process may have taken. */
const CLOSED = "http://127.0.0.1:1";

describe("endpoints", () => {
  test("that refuse connections are passed over at once, for every action", async () => {
    const kms = client([CLOSED, server.endpoint], clock, { random: () => 0.9 });
    server.script = [answer({ KeyId: KEY_ID })];
    expect(await kms.createKey({ Alias: "a" })).toMatchObject({ KeyId: KEY_ID });
    expect(kms.events).toMatchObject([{ type: "retry", delayMs: 0, code: "ERR_UNAVAILABLE" }, { type: "call" }]);
    expect(clock.elapsed()).toBe(0);
  });

  test("with no other to go to are tried again, for every action, for nothing was sent", async () => {
    const kms = client([CLOSED], clock, { maxAttempts: 3 });
    expect(await rejection(kms.createKey({ Alias: "a" }))).toMatchObject({
      code: "ERR_UNAVAILABLE",
      phase: "connect",
      isAmbiguous: false,
      retryable: true,
      cause: { code: "ECONNREFUSED" },
    });
    expect(kms.events.filter(({ type }) => type === "retry")).toHaveLength(2);
  });

  test("whose names do not resolve are like those", async () => {
    const agent = new Agent({
      lookup: (_name, _options, callback) =>
        callback(Object.assign(new Error("no name"), { code: "ENOTFOUND" }), "", 4),
    });
    const kms = client(["http://kms.invalid"], clock, { agent, allowPlainHttp: true, maxAttempts: 2 });
    expect(await rejection(kms.createKey({ Alias: "a" }))).toMatchObject({
      phase: "connect",
      isAmbiguous: false,
      cause: { code: "ENOTFOUND" },
    });
    expect(kms.events.filter(({ type }) => type === "retry")).toHaveLength(1);
  });

  test("that speak no TLS are like those", async () => {
    const kms = client([server.endpoint.replace("http", "https"), server.endpoint], clock);
    await kms.createKey({ Alias: "a" });
    expect(server.count("CreateKey")).toBe(1);
  });

  test("that fail are left alone after a while, and tried again later with one request", async () => {
    const second = await new RawServer().listen();
    const kms = client([server.endpoint, second.endpoint], clock, {
      maxAttempts: 1,
      breaker: { failureThreshold: 3, openMs: 1_000 },
    });
    server.script = [raw(502, "")];
    for (let i = 0; i < 3; i++) expect(await rejection(kms.encrypt(encryption))).toMatchObject({ status: 502 });
    expect(kms.breakerStates).toEqual({ [server.endpoint]: { [REGION]: "open" }, [second.endpoint]: {} });
    await kms.encrypt(encryption);
    expect([server.seen.length, second.seen.length]).toEqual([3, 1]);
    clock.advance(1_000);
    server.script = [answer({})];
    await Promise.all([kms.encrypt(encryption), kms.encrypt(encryption)]);
    expect([server.seen.length, second.seen.length]).toEqual([4, 2]);
    expect(kms.breakerStates[server.endpoint]?.[REGION]).toBe("closed");
    await second.close();
  });

  test("that are all left alone fail calls at once", async () => {
    const kms = client(server, clock, { maxAttempts: 1, breaker: { failureThreshold: 2, openMs: 1_000 } });
    server.script = [raw(502, "")];
    for (let i = 0; i < 2; i++) await rejection(kms.encrypt(encryption));
    expect(await rejection(kms.encrypt(encryption))).toMatchObject({
      code: "ERR_UNAVAILABLE",
      phase: "connect",
      isAmbiguous: false,
      retryable: true,
    });
    expect(server.seen).toHaveLength(2);
    clock.advance(1_000);
    expect(await rejection(kms.encrypt(encryption))).toMatchObject({ status: 502 });
    expect(kms.breakerStates[server.endpoint]?.[REGION]).toBe("open");
    expect(server.seen).toHaveLength(3);
  });

  test("are not blamed for what they refuse, nor for callers in a hurry", async () => {
    const kms = client(server, clock, { maxAttempts: 1, breaker: { failureThreshold: 1, openMs: 1_000 } });
    server.script = [refuse("ResourceUnavailable.CmkDisabled")];
    await rejection(kms.encrypt(encryption));
    server.script = [hang(clock, 10)];
    await rejection(kms.encrypt(encryption, { timeoutMs: 10 }));
    expect(kms.breakerStates[server.endpoint]?.[REGION]).toBe("closed");
  });
});

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

// The certificate is made by OpenSSL, since Node makes none.
describe.skipIf(!hasOpenssl)("certificates", () => {
  const folder = mkdtempSync(join(tmpdir(), "fengni-client-tls-"));
  let secure: SecureServer;
  let seen: number;
  let ca: string;

  beforeAll(async () => {
    const [keyPath, certPath] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"];
    const args = ["req", "-x509", ...curve, "-nodes", "-days", "2", "-keyout", keyPath, "-out", certPath, ...subject];
    const { status, stderr } = spawnSync("openssl", args, { encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
    ca = readFileSync(certPath, "utf8");
    secure = createSecureServer({ cert: ca, key: readFileSync(keyPath, "utf8") }, (request, response) => {
      seen += 1;
      request.resume();
      response.end(JSON.stringify({ Response: { KeyId: KEY_ID, RequestId: "1" } }));
    });
    secure.on("tlsClientError", silence);
    await new Promise<void>((resolve) => secure.listen(0, "127.0.0.1", resolve));
  });

  beforeEach(() => {
    seen = 0;
  });

  afterAll(async () => {
    secure?.closeAllConnections();
    await new Promise<void>((resolve) => secure.close(() => resolve()));
    rmSync(folder, { recursive: true, force: true });
  });

  const endpoint = (): string => `https://127.0.0.1:${(secure.address() as AddressInfo).port}`;

  test("that the caller trusts are accepted", async () => {
    const kms = client([endpoint()], clock, { tls: { ca } });
    expect(await kms.createKey({ Alias: "a" })).toMatchObject({ KeyId: KEY_ID });
    await kms.createKey({ Alias: "b" });
    expect(seen).toBe(2);
  });

  test("and what goes with them leave no token behind, in the agent or its connections", async () => {
    const agent = new SecureAgent({ keepAlive: true });
    const token = "TOKENTOKENTOKENTOKEN";
    const kms = client([endpoint()], clock, { agent, tls: { ca }, credentials: { ...CREDENTIALS, token } });
    const shown: string[] = [];
    const look = (): number => shown.push(inspect(agent, { depth: 12, showHidden: true }));
    secure.once("request", look);
    await kms.createKey({ Alias: "a" });
    await new Promise((resolve) => setImmediate(resolve));
    look();
    expect(shown).toHaveLength(2);
    expect(Object.keys(agent.freeSockets)).toHaveLength(1);
    for (const text of shown) {
      for (const secret of [token, "TC3-HMAC", CREDENTIALS.secretId]) expect(text).not.toContain(secret);
    }
    agent.destroy();
  });

  test("are checked although an agent was told later not to", async () => {
    const agent = new SecureAgent({ keepAlive: true });
    const kms = client([endpoint()], clock, { agent, maxAttempts: 1 });
    agent.options.rejectUnauthorized = false;
    const refused = { code: "ERR_UNAVAILABLE", phase: "connect", isAmbiguous: false };
    expect(await rejection(kms.createKey({ Alias: "a" }))).toMatchObject(refused);
    expect(seen).toBe(0);
    // Another user of the agent leaves a connection behind.
    await new Promise<void>((resolve) => {
      get(`${endpoint()}/`, { agent, minVersion: "TLSv1.2" }, (response) =>
        response.resume().on("end", () => setImmediate(resolve)),
      );
    });
    expect(await rejection(kms.createKey({ Alias: "a" }))).toMatchObject(refused);
    expect(seen).toBe(1);
    agent.destroy();
  });

  test.each([
    ["nobody vouches for", () => ({}), "DEPTH_ZERO_SELF_SIGNED_CERT"],
    ["are for another name", () => ({ tls: { ca, servername: "kms.example" } }), "ERR_TLS_CERT_ALTNAME_INVALID"],
  ])("that %s are refused before anything is sent, whatever the environment says", async (_name, optionsOf, code) => {
    const kms = client([endpoint()], clock, { maxAttempts: 1, ...optionsOf() });
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    const error = await rejection(kms.createKey({ Alias: "a" }));
    vi.unstubAllEnvs();
    expect(error).toMatchObject({ code: "ERR_UNAVAILABLE", phase: "connect", isAmbiguous: false, cause: { code } });
    expect(seen).toBe(0);
  });
});
