// What a client offers, checks and shows: a method for each action, arguments, limits, secrets; and what is sent.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { inspect, promisify } from "node:util";
import { ACTIONS, type ActionName, createSigner, verifySignature } from "@fengni/kms-api";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TencentKmsClient } from "../src/client.js";
import type { TencentKmsClientOptions } from "../src/client-options.js";
import { createHttpTransport } from "../src/transport-http.js";
import {
  answer,
  CREDENTIALS,
  clientOf,
  KEY_ID,
  RawServer,
  REGION,
  REQUEST_ID,
  refuse,
  rejection,
  SECRET_ID,
  SECRET_KEY,
  VirtualClock,
} from "./client-support.js";

let server: RawServer;
let clock: VirtualClock;
let kms: ReturnType<typeof clientOf>;

beforeEach(async () => {
  clock = new VirtualClock();
  server = await new RawServer().listen();
  kms = clientOf(server, clock);
});

afterEach(async () => {
  await kms.close();
  await server.close();
});

const methodOf = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

describe("methods", () => {
  test("there is one for each action, which sends it", async () => {
    expect(ACTIONS).toHaveLength(81);
    const methods = kms as unknown as Readonly<Record<string, (params?: object) => Promise<object>>>;
    let sent = 0;
    for (const { name, request, rules } of ACTIONS) {
      const method = methods[methodOf(name)];
      expect(method, name).toBeTypeOf("function");
      if (request.some(({ required }) => required) || rules !== undefined) continue;
      sent += 1;
      expect(await method?.()).toEqual({ RequestId: REQUEST_ID });
      expect(server.seen.at(-1)).toMatchObject({ action: name, body: "{}" });
    }
    expect(sent).toBe(18);
  });

  test("can be taken from the client", async () => {
    const { describeKey } = kms;
    await describeKey({ KeyId: KEY_ID });
    expect(server.seen[0]?.action).toBe("DescribeKey");
  });

  test("send one signed request, in its plainest form", async () => {
    await kms.encrypt({ KeyId: KEY_ID, Plaintext: "5ZOI", EncryptionContext: "" });
    const [seen] = server.seen;
    expect(seen?.body).toBe(`{"KeyId":"${KEY_ID}","Plaintext":"5ZOI"}`);
    const { authorization, "x-tc-timestamp": timestamp, ...headers } = seen?.headers ?? {};
    expect(headers).toEqual({
      host: `127.0.0.1:${server.port}`,
      "content-type": "application/json",
      "content-length": String(seen?.body.length),
      "x-tc-action": "Encrypt",
      "x-tc-version": "2019-01-18",
      "x-tc-region": REGION,
      "x-tc-language": "en-US",
      connection: "keep-alive",
    });
    const verified = verifySignature(
      { method: "POST", path: "/", query: "", headers: seen?.headers ?? {}, payload: Buffer.from(seen?.body ?? "") },
      () => ({ secretKey: SECRET_KEY }),
      { nowSeconds: Math.floor(clock.now() / 1_000) },
    );
    expect(verified.signedHeaders).toEqual(["content-type", "host", "x-tc-action"]);
    expect(Number(timestamp)).toBe(Math.floor(clock.now() / 1_000));
    expect(authorization).toContain(`Credential=${SECRET_ID}/`);
  });

  test("take a region and another client's credentials for granted nowhere", async () => {
    await kms.listKeys({}, { region: "ap-shanghai" });
    expect(server.seen[0]?.headers["x-tc-region"]).toBe("ap-shanghai");
    expect(kms.region).toBe(REGION);
  });
});

const long = (bytes: number): string => Buffer.alloc(bytes, 7).toString("base64");

describe("arguments", () => {
  const cases: readonly (readonly [string, ActionName, object, object])[] = [
    ["nothing where something is required", "Encrypt", {}, { code: "ERR_ARGUMENT", message: /`KeyId`/ }],
    [
      "an unknown field",
      "Encrypt",
      { KeyId: "k", Plaintext: "QQ==", Nonce: "1" },
      { code: "ERR_ARGUMENT", message: /`Nonce`/ },
    ],
    ["a wrong type", "Encrypt", { KeyId: "k", Plaintext: 7 }, { code: "ERR_ARGUMENT", message: /Plaintext/ }],
    ["a list for parameters", "Encrypt", [], { code: "ERR_ARGUMENT" }],
    ["an empty plaintext", "Encrypt", { KeyId: "k", Plaintext: "" }, { code: "ERR_ARGUMENT" }],
    ["what is no base64", "Encrypt", { KeyId: "k", Plaintext: "no base64!" }, { code: "ERR_ARGUMENT" }],
    [
      "a plaintext that is too long",
      "Encrypt",
      { KeyId: "k", Plaintext: long(4_097) },
      { code: "ERR_LIMIT", message: /envelope/, details: { limit: "Plaintext", maximum: 4_096, actual: 4_097 } },
    ],
    [
      "a context that is too long",
      "Encrypt",
      { KeyId: "k", Plaintext: "QQ==", EncryptionContext: JSON.stringify({ a: "x".repeat(1_100) }) },
      { code: "ERR_LIMIT", message: /fewer or shorter pairs/ },
    ],
    [
      "a message that is too long",
      "SignByAsymmetricKey",
      { KeyId: "k", Algorithm: "SM2DSA", Message: long(4_097) },
      { code: "ERR_LIMIT", message: /digest/ },
    ],
    [
      "too many bytes",
      "GenerateRandom",
      { NumberOfBytes: 1_025 },
      { code: "ERR_LIMIT", details: { limit: "NumberOfBytes", maximum: 1_024, actual: 1_025 } },
    ],
    ["too few bytes", "GenerateRandom", { NumberOfBytes: 0 }, { code: "ERR_ARGUMENT" }],
    [
      "too many keys",
      "DescribeKeys",
      { KeyIds: Array.from({ length: 101 }, (_, i) => `key-${i}`) },
      { code: "ERR_LIMIT", message: /several calls/ },
    ],
    ["a key twice", "DescribeKeys", { KeyIds: ["a", "a"] }, { code: "ERR_CONFLICT" }],
    ["a page that is too long", "ListKeys", { Limit: 201 }, { code: "ERR_LIMIT", message: /page by page/ }],
    ["a key id that is none", "DescribeKey", { KeyId: "../etc" }, { code: "ERR_KEY_NOT_FOUND" }],
    ["an action that is none", "constructor" as ActionName, {}, { code: "ERR_ARGUMENT" }],
  ];

  test.each(cases)(
    "%s is refused before anything is sent",
    async (_name, action, params, { message, ...expected }: { message?: RegExp }) => {
      const error = await rejection(kms.request(action, params as never));
      expect(error).toMatchObject(expected);
      if (message !== undefined) expect((error as Error).message).toMatch(message);
      expect(inspect(error)).not.toContain(long(100));
      expect(server.seen).toHaveLength(0);
    },
  );

  test.each([
    [{ timeout: 5 }, /timeout/],
    [{ timeoutMs: 0 }, /timeoutMs/],
    [{ timeoutMs: 1.5 }, /timeoutMs/],
    [{ region: "ap guangzhou" }, /region/],
    [{ region: "a\r\nX-Evil: 1" }, /region/],
    [{ signal: {} }, /signal/],
  ])("of a call: %o is refused", async (options, message) => {
    const error = await rejection(kms.listKeys({}, options as never));
    expect(error).toMatchObject({ code: "ERR_ARGUMENT" });
    expect((error as Error).message).toMatch(message);
    expect(server.seen).toHaveLength(0);
  });

  const options: readonly (readonly [string, object])[] = [
    ["credentials", { credentials: undefined }],
    ["credentials", { credentials: "AKID:secret" }],
    ["region", { region: "" }],
    ["region", { region: undefined }],
    ["endpoint", { endpoint: [] }],
    ["endpoint", { endpoint: "kms.tencentcloudapi.com" }],
    ["endpoint", { endpoint: "ftp://kms.tencentcloudapi.com" }],
    ["endpoint", { endpoint: "https://user:word@kms.tencentcloudapi.com" }],
    ["endpoint", { endpoint: "https://kms.tencentcloudapi.com/path" }],
    ["endpoint", { endpoint: "http://kms.tencentcloudapi.com" }],
    ["endpoint", { endpoint: ["https://a.example", "https://a.example"] }],
    ["transport", { transport: {}, credentials: undefined }],
    ["credentials", { transport: { request: () => Promise.resolve({}), close: () => Promise.resolve() } }],
    ["timeoutMs", { timeoutMs: -1 }],
    ["maxAttempts", { maxAttempts: 0 }],
    ["retryBudget", { retryBudget: 0.5 }],
    ["rateLimit", { rateLimit: { perSecond: 3 } }],
    ["breaker.openMs", { breaker: { openMs: 0 } }],
    ["maxConnections", { maxConnections: 0 }],
    ["tls", { tls: { rejectUnauthorized: false } }],
    ["rejectUnauthorized", { rejectUnauthorized: false }],
    ["onEvent", { onEvent: 1 }],
  ];

  test.each(options)("of a client: a wrong %s is refused", (name, wrong) => {
    const make = (): TencentKmsClient =>
      new TencentKmsClient({ region: REGION, credentials: CREDENTIALS, ...wrong } as TencentKmsClientOptions);
    expect(make).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT", message: expect.stringContaining(name) }));
  });

  test("of a client: credentials that cannot sign are refused", () => {
    for (const credentials of [
      { secretId: "", secretKey: SECRET_KEY },
      { secretId: SECRET_ID, secretKey: "" },
      { ...CREDENTIALS, token: "" },
    ]) {
      expect(() => new TencentKmsClient({ region: REGION, credentials })).toThrow(
        expect.objectContaining({ code: "ERR_CREDENTIALS" }),
      );
    }
  });

  test("plain HTTP to other machines takes a word of the caller's", async () => {
    const open = new TencentKmsClient({
      region: REGION,
      credentials: CREDENTIALS,
      endpoint: "http://kms.example",
      allowPlainHttp: true,
    });
    await open.close();
  });
});

describe("secrets", () => {
  test("do not show in a client, a transport or a signer", async () => {
    const credentials = { ...CREDENTIALS, token: "a-token-that-is-secret" };
    const transport = createHttpTransport({ endpoint: server.endpoint, credentials });
    const client = clientOf(server, clock, { credentials });
    await client.encrypt({ KeyId: KEY_ID, Plaintext: "QQ==" });
    for (const object of [transport, client, createSigner(credentials)]) {
      const shown = inspect(object, { showHidden: true, depth: 20 }) + JSON.stringify(object) + String(object);
      for (const secret of [SECRET_ID, SECRET_KEY, credentials.token]) expect(shown).not.toContain(secret);
    }
    expect(inspect(client)).not.toContain("encrypt");
    await client.close();
    await transport.close();
    expect(await rejection(transport.request("ListKeys", {}, { region: REGION, timeoutMs: 10 }))).toMatchObject({
      code: "ERR_CLOSED",
    });
  });

  test("are not changed by who made the client", async () => {
    const credentials = { ...CREDENTIALS };
    const client = clientOf(server, clock, { credentials });
    credentials.secretId = "AKIDOTHER";
    await client.listKeys();
    expect(server.seen[0]?.headers.authorization).toContain(SECRET_ID);
    await client.close();
  });
});

describe("events", () => {
  test("tell of every call, and do no harm when their listener throws", async () => {
    const client = clientOf(server, clock, {
      onEvent: () => {
        throw new Error("listener");
      },
    });
    await client.listKeys();
    await client.close();
    await kms.listKeys();
    server.script = [refuse("ResourceUnavailable.CmkDisabled")];
    await rejection(kms.encrypt({ KeyId: KEY_ID, Plaintext: "QQ==" }));
    expect(kms.events[0]).toEqual({ type: "call", action: "ListKeys", region: REGION, durationMs: 0 });
    expect(kms.events[1]).toEqual({
      type: "call",
      action: "Encrypt",
      region: REGION,
      durationMs: 0,
      code: "ERR_KEY_STATE",
      vendorCode: "ResourceUnavailable.CmkDisabled",
      requestId: REQUEST_ID,
    });
  });
});

test("a process ends while a client is idle", async () => {
  server.script = [answer({})];
  const source = fileURLToPath(new URL("../src/client.ts", import.meta.url));
  const program = `
    import { TencentKmsClient } from ${JSON.stringify(source)};
    const kms = new TencentKmsClient({
      endpoint: ${JSON.stringify(server.endpoint)}, region: "ap-guangzhou", credentials: ${JSON.stringify(CREDENTIALS)},
    });
    await Promise.all([kms.listKeys({ Limit: 1 }), kms.listKeys({ Limit: 2 })]);
    console.log("done");
  `;
  const args = ["--conditions=@fengni/source", "--import", "tsx", "--input-type=module", "--eval", program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 30_000 });
  expect(stdout).toBe("done\n");
});
