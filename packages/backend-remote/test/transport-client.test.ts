// The client over the official base client, `CommonClient`, as it is published: what that makes of answers comes out as our errors.
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type OfficialClient, officialClientTransport } from "../src/transport-client.js";
import {
  answer,
  type Behaviour,
  CREDENTIALS,
  clientOf,
  flow,
  hangUp,
  KEY_ID,
  RawServer,
  REGION,
  REQUEST_ID,
  raw,
  refuse,
  rejection,
  reset,
  SECRET_KEY,
  type Seen,
  turn,
  VirtualClock,
} from "./client-support.js";
import { officialClient } from "./official-client.js";

let server: RawServer;
let clock: VirtualClock;
let kms: ReturnType<typeof clientOf>;
const encryption = { KeyId: KEY_ID, Plaintext: "aGVsbG8gaGVsbG8=" };

const official = (port: number): OfficialClient => officialClient(`127.0.0.1:${port}`, REGION, CREDENTIALS);

function clientOver(client: OfficialClient, options: Parameters<typeof clientOf>[2] = {}): ReturnType<typeof clientOf> {
  return clientOf([], clock, { transport: officialClientTransport(client, clock), ...options });
}

beforeEach(async () => {
  clock = new VirtualClock();
  server = await new RawServer().listen();
  kms = clientOver(official(server.port), { maxAttempts: 3 });
});

afterEach(async () => {
  await kms.close();
  await server.close();
});

test("a call is the official client's, and its answer ours", async () => {
  server.script = [answer({ CiphertextBlob: "QUJD", KeyId: null })];
  expect(await kms.encrypt(encryption)).toEqual({ CiphertextBlob: "QUJD", RequestId: REQUEST_ID });
  expect(server.seen[0]).toMatchObject({
    action: "Encrypt",
    body: JSON.stringify(encryption),
    headers: { "x-tc-region": REGION, "x-tc-requestclient": expect.stringContaining("SDK_NODEJS") },
  });
});

interface Expected {
  readonly code: string;
  readonly isAmbiguous: boolean;
  readonly status?: number;
  readonly vendorCode?: string;
  readonly requestId?: string;
  readonly sent: readonly [safe: number, unsafe: number];
}

const UNKNOWN = { isAmbiguous: true, sent: [3, 1] } as const;

const CASES: readonly (readonly [string, Behaviour, Expected])[] = [
  ["a reset", reset, { code: "ERR_UNAVAILABLE", ...UNKNOWN }],
  ["a hang-up", hangUp, { code: "ERR_UNAVAILABLE", ...UNKNOWN }],
  ["status 502", raw(502, "oops"), { code: "ERR_UNAVAILABLE", status: 502, ...UNKNOWN }],
  ["status 404", raw(404, "oops"), { code: "ERR_UNAVAILABLE", status: 404, isAmbiguous: true, sent: [1, 1] }],
  ["garbled JSON", raw(200, '{"Response":{"Plaintext":"aGVsbG8gaGVsbG8='), { code: "ERR_UNAVAILABLE", ...UNKNOWN }],
  ["no Response", raw(200, "{}"), { code: "ERR_UNAVAILABLE", ...UNKNOWN }],
  ["no RequestId", raw(200, '{"Response":{"KeyId":"k"}}'), { code: "ERR_UNAVAILABLE", ...UNKNOWN }],
  [
    "a number beyond 2^53",
    raw(200, `{"Response":{"CreateTime":9007199254740993,"RequestId":"${REQUEST_ID}"}}`),
    { code: "ERR_UNAVAILABLE", ...UNKNOWN },
  ],
  [
    "a disabled key",
    refuse("ResourceUnavailable.CmkDisabled"),
    {
      code: "ERR_KEY_STATE",
      vendorCode: "ResourceUnavailable.CmkDisabled",
      requestId: REQUEST_ID,
      isAmbiguous: false,
      sent: [1, 1],
    },
  ],
  [
    "a failure",
    refuse("InternalError"),
    { code: "ERR_UNAVAILABLE", vendorCode: "InternalError", requestId: REQUEST_ID, ...UNKNOWN },
  ],
];

describe("the official client's", () => {
  test.each(CASES)("%s", async (_name, behaviour, { sent, ...expected }) => {
    for (const [call, times] of [
      [() => kms.encrypt(encryption), sent[0]],
      [() => kms.createKey({ Alias: "a" }), sent[1]],
    ] as const) {
      server.seen.length = 0;
      server.script = [behaviour];
      const error = await rejection(call());
      expect(error).toMatchObject({ name: "RequestError", ...expected });
      expect(server.seen).toHaveLength(times);
      const shown = inspect(error, { depth: 10, showHidden: true });
      for (const secret of [encryption.Plaintext, SECRET_KEY]) expect(shown).not.toContain(secret);
    }
  });

  test("refusal for the rate is repeated for every action", async () => {
    server.script = [refuse("RequestLimitExceeded"), answer({ KeyId: KEY_ID })];
    await flow(clock, kms.createKey({ Alias: "a" }));
    expect(server.seen).toHaveLength(2);
  });

  test("refused connection is known to have sent nothing", async () => {
    // On port 1 nobody listens; one that was free a moment ago another process may have taken.
    const error = await rejection(clientOver(official(1), { maxAttempts: 2 }).createKey({ Alias: "a" }));
    expect(error).toMatchObject({ code: "ERR_UNAVAILABLE", phase: "connect", isAmbiguous: false, retryable: true });
  });

  const strange = (response: Parameters<Behaviour>[0], status: number, location: string): void => {
    response.writeHead(status, { location }).end();
  };
  test.each<[string, Behaviour]>([
    ["a redirect to where nobody listens", (response) => strange(response, 302, "http://127.0.0.1:1/")],
    ["a redirect that repeats the request", (response) => strange(response, 307, "http://127.0.0.1:1/")],
    ["an answer that speaks of names", raw(200, "ENOTFOUND upstream")],
    ["an answer that speaks of certificates", raw(200, "certificate")],
    [
      "an answer with the words of a refused connection",
      (response, seen) =>
        raw(200, `request to http://${seen.headers.host}/ failed, reason: connect ECONNREFUSED`)(response, seen),
    ],
    [
      "a code of a failure with such words",
      refuse("InternalError", "request to http://127.0.0.1/ failed, reason: connect ECONNREFUSED"),
    ],
  ])("request that was answered with %s was sent, and is not sent again", async (_name, behaviour) => {
    server.script = [behaviour];
    const error = await rejection(kms.createKey({ Alias: "a" }));
    expect(error).toMatchObject({ code: "ERR_UNAVAILABLE", isAmbiguous: true, retryable: false });
    expect(server.count("CreateKey")).toBe(1);
  });

  test("credentials are in no error", async () => {
    const credential = { ...CREDENTIALS, token: "SESSIONTOKENSESSIONTOKEN" };
    const mine = clientOver(officialClient(`127.0.0.1:${server.port}`, REGION, credential), { maxAttempts: 1 });
    const echo = (seen: Seen): string =>
      `token ${seen.headers["x-tc-token"]} of ${seen.headers.authorization} is wrong`;
    for (const behaviour of [
      (response, seen) => refuse("AuthFailure.TokenFailure", echo(seen))(response, seen),
      raw(200, credential.token),
    ] satisfies Behaviour[]) {
      server.script = [behaviour];
      const shown = inspect(await rejection(mine.encrypt(encryption)), { depth: 10, showHidden: true });
      expect(shown).toContain("[redacted]");
      for (const secret of [credential.token, credential.secretId, SECRET_KEY]) expect(shown).not.toContain(secret);
    }
  });

  test("requests end with a signal and with a deadline, and are ended", async () => {
    server.script = [() => {}];
    const controller = new AbortController();
    const aborted = rejection(kms.encrypt(encryption, { signal: controller.signal }));
    const late = rejection(kms.createKey({ Alias: "a" }, { timeoutMs: 1_000 }));
    while (server.seen.length < 2) await turn();
    controller.abort("enough");
    expect(await aborted).toBe("enough");
    clock.advance(1_000);
    expect(await late).toMatchObject({ code: "ERR_TIMEOUT", isAmbiguous: true, retryable: false });
    while (server.sockets.size > 0) await turn();
  });
});

describe("an injected client", () => {
  test("that ignores signals is left alone", async () => {
    const deaf = clientOver({ request: () => new Promise(() => {}) });
    const controller = new AbortController();
    const call = rejection(deaf.encrypt(encryption, { signal: controller.signal }));
    await turn();
    controller.abort("enough");
    expect(await call).toBe("enough");
  });

  test.each([
    [
      "throws at once",
      () => {
        throw new TypeError("oh");
      },
    ],
    ["rejects with what is no error", () => Promise.reject("oh")],
    ["answers nothing", () => Promise.resolve(undefined as unknown as object)],
  ])("that %s gives a typed error", async (_name, request) => {
    const odd = clientOver({ request }, { maxAttempts: 1 });
    expect(await rejection(odd.encrypt(encryption))).toMatchObject({ code: "ERR_UNAVAILABLE", isAmbiguous: true });
  });

  test("keeps its region", async () => {
    expect(await rejection(kms.listKeys({}, { region: "ap-shanghai" }))).toMatchObject({ code: "ERR_NOT_SUPPORTED" });
    expect(server.seen).toHaveLength(0);
  });

  test("must be one", () => {
    for (const client of [undefined, {}, { request: 1 }]) {
      expect(() => officialClientTransport(client as unknown as OfficialClient)).toThrow(
        expect.objectContaining({ code: "ERR_ARGUMENT" }),
      );
    }
  });
});
