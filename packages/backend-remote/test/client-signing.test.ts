// What a request is signed with: the service's time and the credentials of the moment.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TencentKmsClient } from "../src/client.js";
import {
  answer,
  CREDENTIALS,
  clientOf,
  flow,
  KEY_ID,
  RawServer,
  raw,
  refuse,
  rejection,
  VirtualClock,
} from "./client-support.js";

let server: RawServer;
let clock: VirtualClock;
const clients: TencentKmsClient[] = [];

function client(...[target, time, options]: Parameters<typeof clientOf>): ReturnType<typeof clientOf> {
  const kms = clientOf(target, time, options);
  clients.push(kms);
  return kms;
}

beforeEach(async () => {
  clock = new VirtualClock();
  server = await new RawServer().listen();
});

afterEach(async () => {
  await Promise.all(clients.splice(0).map((kms) => kms.close()));
  await server.close();
});

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
