// What a request is signed with: the service's time and the credentials of the moment.
import { createSigner } from "@fengni/kms-api";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CredentialProvider } from "../src/credentials.js";
import {
  answer,
  type Behaviour,
  CREDENTIALS,
  flow,
  KEY_ID,
  OpenClients,
  RawServer,
  raw,
  refuse,
  rejection,
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

const EXPIRED = "AuthFailure.SignatureExpire";
const encryption = { KeyId: KEY_ID, Plaintext: "aGVsbG8=" };

describe("the service's time", () => {
  const expire = (dateMs: () => number) =>
    refuse("AuthFailure.SignatureExpire", "Expired.", 200, { date: new Date(dateMs()).toUTCString() });

  test("is learned once it has called a signature expired, for every action, and kept", async () => {
    clock.skewMs = -3_600_000;
    const kms = client(server, clock);
    server.script = [expire(() => clock.now() + 3_600_000), answer({ KeyId: KEY_ID })];
    await kms.createKey({ Alias: "a" });
    await kms.createKey({ Alias: "b" });
    const stamps = server.seen.map(({ headers }) => Number(headers["x-tc-timestamp"]));
    expect(stamps).toEqual([stamps[0], (stamps[0] as number) + 3_600, (stamps[0] as number) + 3_600]);
  });

  test.each([
    ["is wrong again", () => expire(() => clock.now() + 3_600_000), 2],
    [
      "is not told",
      () =>
        raw(200, '{"Response":{"Error":{"Code":"AuthFailure.SignatureExpire","Message":"x"},"RequestId":"1"}}', {
          date: "soon",
        }),
      1,
    ],
    ["is the same as ours", () => expire(() => clock.now()), 1],
  ])("that %s ends the call", async (_name, behaviour, sent) => {
    const kms = client(server, clock);
    const first = behaviour();
    server.script = [first];
    expect(await rejection(kms.encrypt(encryption))).toMatchObject({
      code: "ERR_CREDENTIALS",
      vendorCode: "AuthFailure.SignatureExpire",
    });
    expect(server.seen).toHaveLength(sent);
  });
});

describe("a time that was learned", () => {
  const SKEW_MS = -600_000;

  /** Refuses what is not signed with the right time; tells its own only when asked to. */
  const strict =
    (isDated: () => boolean): Behaviour =>
    (response, seen) => {
      const timeMs = clock.now() - clock.skewMs;
      const isTimely = Math.abs(Number(seen.headers["x-tc-timestamp"]) * 1_000 - timeMs) < 300_000;
      response.sendDate = false;
      const headers = isDated() ? { date: new Date(timeMs).toUTCString() } : undefined;
      const behaviour = isTimely ? answer({ KeyId: KEY_ID }, headers) : refuse(EXPIRED, "Expired.", 200, headers);
      behaviour(response, seen);
    };

  test("is given up when the clock was set right, also where the service does not tell its own", async () => {
    let isDated = true;
    clock.skewMs = SKEW_MS;
    server.script = [strict(() => isDated)];
    const kms = client(server, clock);
    await kms.createKey({ Alias: "a" });
    clock.skewMs = 0;
    isDated = false;
    await kms.createKey({ Alias: "b" });
    expect(server.seen).toHaveLength(4);
    await kms.createKey({ Alias: "c" });
    expect(server.seen).toHaveLength(5);
  });

  test("and that nobody tells is tried once more only where it may help", async () => {
    clock.skewMs = SKEW_MS;
    server.script = [strict(() => false)];
    const kms = client(server, clock);
    expect(await rejection(kms.createKey({ Alias: "a" }))).toMatchObject({ vendorCode: EXPIRED });
    expect(server.seen).toHaveLength(1);
  });
});

describe("a signature that the service refuses", () => {
  /** A provider whose source may be mended, and how often it was asked for new credentials. */
  function source(secretKey: string) {
    let held = { ...CREDENTIALS, secretKey };
    const state = { secretKey, forced: 0, isDown: false };
    const getCredentials: CredentialProvider["getCredentials"] = async ({ forceRefresh = false } = {}) => {
      if (!forceRefresh) return held;
      state.forced += 1;
      if (state.isDown) throw new Error("the source is down");
      held = { ...held, secretKey: state.secretKey };
      return held;
    };
    return Object.assign(state, { getCredentials });
  }

  /** Refuses every other signature than that of the right key. */
  const checked =
    (code: string): Behaviour =>
    (response, seen) => {
      const { authorization, host = "", "content-type": type = "", ...headers } = seen.headers;
      const signer = createSigner(CREDENTIALS);
      const right = signer.sign({
        method: "POST",
        headers: { "content-type": type, host, "x-tc-action": String(headers["x-tc-action"]) },
        payload: Buffer.from(seen.body),
        timestampSeconds: Number(headers["x-tc-timestamp"]),
      });
      signer.wipe();
      (right.Authorization === authorization ? answer({ KeyId: KEY_ID }) : refuse(code))(response, seen);
    };

  test.each(["AuthFailure.SignatureFailure", "AuthFailure.InvalidSecretId"])(
    "with %s has the credentials read again, once for all, and signs once more with others",
    async (code) => {
      const credentials = source("cut-off");
      credentials.secretKey = CREDENTIALS.secretKey;
      server.script = [checked(code)];
      const kms = client(server, clock, { credentials });
      await Promise.all(Array.from({ length: 8 }, (_, i) => kms.createKey({ Alias: `a${i}` })));
      expect([credentials.forced, server.seen.length]).toEqual([1, 16]);
      await kms.createKey({ Alias: "b" });
      expect([credentials.forced, server.seen.length]).toEqual([1, 17]);
    },
  );

  test("is refused again without another request while the source has the same, and read again after seconds", async () => {
    const credentials = source("cut-off");
    server.script = [checked("AuthFailure.SignatureFailure")];
    const kms = client(server, clock, { credentials });
    const call = () => kms.createKey({ Alias: "a" });
    for (let i = 0; i < 3; i++) expect(await rejection(call())).toMatchObject({ code: "ERR_CREDENTIALS" });
    expect([credentials.forced, server.seen.length]).toEqual([1, 3]);
    clock.advance(5_000);
    credentials.isDown = true;
    // What the service said tells more than that the source is down.
    expect(await rejection(call())).toMatchObject({ vendorCode: "AuthFailure.SignatureFailure" });
    clock.advance(5_000);
    credentials.isDown = false;
    credentials.secretKey = CREDENTIALS.secretKey;
    await call();
    expect([credentials.forced, server.seen.length]).toEqual([3, 6]);
  });

  test("is final where the credentials are fixed", async () => {
    server.script = [checked("AuthFailure.SignatureFailure")];
    const kms = client(server, clock, { credentials: { ...CREDENTIALS, secretKey: "wrong" } });
    expect(await rejection(kms.createKey({ Alias: "a" }))).toMatchObject({ code: "ERR_CREDENTIALS" });
    expect(server.seen).toHaveLength(1);
  });
});

describe("credentials", () => {
  test("that the service refuses are obtained anew, once", async () => {
    const asked: unknown[] = [];
    const kms = client(server, clock, {
      credentials: {
        getCredentials: async (options = {}) => {
          asked.push(options.forceRefresh);
          return { ...CREDENTIALS, token: options.forceRefresh === true ? "new" : "old" };
        },
      },
    });
    server.script = [refuse("AuthFailure.TokenFailure"), answer({ KeyId: KEY_ID })];
    await kms.createKey({ Alias: "a" });
    expect(asked).toEqual([undefined, true]);
    expect(server.seen.map(({ headers }) => headers["x-tc-token"])).toEqual(["old", "new"]);
    server.seen.length = 0;
    server.script = [refuse("AuthFailure.TokenFailure")];
    expect(await rejection(kms.encrypt(encryption))).toMatchObject({ code: "ERR_CREDENTIALS" });
    expect(server.seen).toHaveLength(2);
  });

  test("that are fixed are not asked for again", async () => {
    const kms = client(server, clock);
    server.script = [refuse("AuthFailure.TokenFailure")];
    expect(await rejection(kms.encrypt(encryption))).toMatchObject({ code: "ERR_CREDENTIALS" });
    expect(server.seen).toHaveLength(1);
  });

  test("that cannot be had send nothing", async () => {
    const getCredentials = (): Promise<never> => Promise.reject(new Error("no metadata"));
    const kms = client(server, clock, { credentials: { getCredentials } });
    expect(await rejection(kms.encrypt(encryption))).toMatchObject({
      code: "ERR_CREDENTIALS",
      cause: { message: "no metadata" },
    });
    const empty = client(server, clock, {
      credentials: { getCredentials: async () => ({ secretId: "", secretKey: "" }) },
    });
    expect(await rejection(empty.encrypt(encryption))).toMatchObject({ code: "ERR_CREDENTIALS" });
    const slow = client(server, clock, { credentials: { getCredentials: () => new Promise(() => {}) }, timeoutMs: 50 });
    const call = rejection(slow.encrypt(encryption));
    expect(await flow(clock, call)).toMatchObject({ code: "ERR_TIMEOUT" });
    expect(server.seen).toHaveLength(0);
  });
});
