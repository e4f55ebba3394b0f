// The service over HTTP: the form of its answers, and requests that are signed wrongly, late, altered or malformed.

import { ManualClock } from "@fengni/backend-local";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Emulator } from "../src/assemble.js";
import { startEmulator } from "../src/emulator.js";
import {
  CREDENTIALS,
  call,
  codeOf,
  envelopeOf,
  OWNER_UIN,
  type RequestChanges,
  SECRET_ID,
  sendRaw,
  signedRequest,
} from "./server-support.js";

const START_SECONDS = 1_800_000_000;
const AT_START: RequestChanges = { timestampSeconds: START_SECONDS };
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
let emulator: Emulator;

beforeAll(async () => {
  emulator = await startEmulator({ credentials: CREDENTIALS, clock: new ManualClock(START_SECONDS * 1000) });
});
afterAll(() => emulator.close());

describe("answers", () => {
  test("have the service's form, the emulator's time, and the client's trace", async () => {
    const answer = await call(emulator, "ListKeys", {}, { ...AT_START, headers: { "X-TC-TraceId": "7b0f8e0c-trace" } });
    expect(answer?.status).toBe(200);
    expect(answer?.headers).toEqual({
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(answer?.body ?? "")),
      date: "Fri, 15 Jan 2027 08:00:00 GMT",
      "x-tc-traceid": "7b0f8e0c-trace",
      connection: "keep-alive",
      "keep-alive": "timeout=60",
    });
    const { RequestId, ...rest } = envelopeOf(answer);
    expect(RequestId).toMatch(UUID);
    expect(rest).toEqual({ Keys: [], TotalCount: 0 });
  });

  test("with errors have status 200 too", async () => {
    const answer = await call(emulator, "DescribeKey", { KeyId: "nowhere" }, AT_START);
    expect(answer?.status).toBe(200);
    expect(answer?.headers["content-type"]).toBe("application/json");
    expect(codeOf(answer)).not.toBe("");
  });

  test("go to a browser that signs nothing, in the same envelope", async () => {
    const answer = await sendRaw(emulator.port, "GET / HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n");
    expect(envelopeOf(answer).Error?.Code).toBe("MissingParameter");
    expect(envelopeOf(answer).RequestId).toMatch(UUID);
  });

  test("go to a GET with its parameters in the query", async () => {
    const { createSigner } = await import("@fengni/kms-api");
    const host = `127.0.0.1:${emulator.port}`;
    const headers = { "content-type": "application/x-www-form-urlencoded", host };
    const signed = createSigner({ secretId: SECRET_ID, secretKey: "a-secret-that-is-no-secret" }).sign({
      method: "GET",
      query: "Limit=1&Offset=0",
      headers,
      payload: new Uint8Array(0),
      timestampSeconds: START_SECONDS,
    });
    const all = { ...headers, ...signed, "X-TC-Action": "ListKeys", "X-TC-Version": "2019-01-18" };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    const answer = await sendRaw(emulator.port, `GET /?Limit=1&Offset=0 HTTP/1.1\r\n${lines.join("")}\r\n`);
    expect(envelopeOf(answer)["TotalCount"]).toBe(0);
  });
});

describe("the type of a POST", () => {
  test.each([
    ["application/json", ""],
    ["application/json; charset=utf-8", ""],
    ['Application/JSON;charset="UTF-8"', ""],
    ["application/json; charset=gbk", "InvalidParameter"],
    ["application/jsonp", "InvalidParameter"],
    ["text/plain", "InvalidParameter"],
    ["application/x-www-form-urlencoded", "InvalidParameter"],
    ["multipart/form-data; boundary=a", "InvalidParameter"],
    ["application/octet-stream", "InvalidParameter"],
  ])("%s: %j", async (type, code) => {
    expect(codeOf(await call(emulator, "ListKeys", {}, { ...AT_START, signed: { "content-type": type } }))).toBe(code);
  });
});

describe("a Host names a region", () => {
  test.each([
    ["kms.ap-shanghai.tencentcloudapi.com", "ap-shanghai"],
    ["KMS.AP-Shanghai.TencentCloudAPI.com:8510", "ap-shanghai"],
    ["kms.intl.ap-shanghai.tencentcloudapi.com", "ap-shanghai"],
    ["kms.ap-shanghai.intl.tencentcloudapi.com", "ap-shanghai"],
    ["kms.tencentcloudapi.com", "ap-guangzhou"],
    ["kms.intl.tencentcloudapi.com", "ap-guangzhou"],
    ["kms.ap-shanghai.example.com", "ap-guangzhou"],
    ["kms.ap-shanghai.tencentcloudapi.com.example.com", "ap-guangzhou"],
  ])("%s: %s", async (host, region) => {
    const changes = { ...AT_START, signed: { host }, headers: { "X-TC-Region": "" } };
    expect(codeOf(await call(emulator, "ListKeys", {}, changes))).toBe("");
    expect(emulator.audit.recent().at(-1)?.region).toBe(region);
  });
});

/** Requests that are refused, and the code for it. */
const REFUSED: readonly (readonly [name: string, code: string, changes: RequestChanges, body?: string])[] = [
  ["a wrong secret", "AuthFailure.SignatureFailure", { secretKey: "another-secret-that-is-none" }],
  ["an unknown SecretId", "AuthFailure.SecretIdNotFound", { secretId: "AKIDnobody" }],
  ["an altered body", "AuthFailure.SignatureFailure", { sentBody: '{"Offset":1}' }],
  ["a body that was added", "AuthFailure.SignatureFailure", { sentBody: "{} " }],
  ["a request of 301 seconds ago", "AuthFailure.SignatureExpire", { timestampSeconds: START_SECONDS - 301 }],
  ["a request of 301 seconds ahead", "AuthFailure.SignatureExpire", { timestampSeconds: START_SECONDS + 301 }],
  ["a changed Host", "AuthFailure.SignatureFailure", { headers: { host: "kms.tencentcloudapi.com" } }],
  [
    "a changed type",
    "AuthFailure.SignatureFailure",
    { headers: { "content-type": "application/json; charset=utf-8" } },
  ],
  [
    "a type that stands there twice",
    "AuthFailure.SignatureFailure",
    { extraLines: ["Content-Type: application/json"] },
  ],
  [
    "an Authorization that stands there twice",
    "AuthFailure.InvalidAuthorization",
    { extraLines: ["Authorization: x"] },
  ],
  ["an action that stands there twice", "MissingParameter", { extraLines: ["X-TC-Action: CreateKey"] }],
  ["a region that stands there twice", "InvalidParameter", { extraLines: ["X-TC-Region: ap-shanghai"] }],
  ["a token that stands there twice", "AuthFailure.TokenFailure", { extraLines: ["X-TC-Token: a", "X-TC-Token: b"] }],
  ["no signature", "AuthFailure.InvalidAuthorization", { headers: { Authorization: "" } }],
  ["a signature left out by the client", "AuthFailure.InvalidAuthorization", { headers: { Authorization: "SKIP" } }],
  ["another version", "NoSuchVersion", { headers: { "X-TC-Version": "2017-03-12" } }],
  ["an unknown action", "InvalidAction", { headers: { "X-TC-Action": "constructor" } }],
  ["a region that is not there", "UnsupportedRegion", { headers: { "X-TC-Region": "eu-frankfurt" } }],
  ["malformed JSON", "InvalidParameter", {}, '{"Offset":'],
  ["JSON that is no object", "InvalidParameter", {}, "[]"],
  ["deep JSON", "InvalidParameter", {}, `${"[".repeat(1000)}${"]".repeat(1000)}`],
  ["a body that is not UTF-8", "AuthFailure.SignatureFailure", { sentBody: "\ud800" }],
  ["an unknown parameter", "UnknownParameter", {}, '{"NoSuchThing":1}'],
  ["__proto__ as a parameter", "UnknownParameter", {}, '{"__proto__":{"Offset":1}}'],
];

describe("requests that are refused", () => {
  const cases = REFUSED.map(([name, code, changes, body = "{}"]) => ({ name, code, changes, body }));
  test.each(cases)("$name: $code", async ({ code, changes, body }) => {
    const answer = await sendRaw(
      emulator.port,
      signedRequest(emulator.port, "ListKeys", body, { ...AT_START, ...changes }),
    );
    expect(codeOf(answer)).toBe(code);
    expect(emulator.audit.recent().at(-1)).toMatchObject({ code, requestId: envelopeOf(answer).RequestId });
  });

  test("the table has its cases", () => expect(REFUSED.length).toBe(24));

  test("a request of 300 seconds ago is taken", async () => {
    expect(codeOf(await call(emulator, "ListKeys", {}, { timestampSeconds: START_SECONDS - 300 }))).toBe("");
  });

  test("a defect of the emulator's is an InternalError that tells nothing", async () => {
    const { assembleEmulator } = await import("../src/assemble.js");
    const broken = await assembleEmulator({ credentials: CREDENTIALS }, () =>
      Promise.reject(new Error("secret detail")),
    );
    const answer = await call(broken, "ListKeys");
    expect(codeOf(answer)).toBe("InternalError");
    expect(answer?.body).not.toContain("secret detail");
    await broken.close();
  });
});

describe("options of the service", () => {
  test("replay protection refuses a request that is sent again later", async () => {
    const clock = new ManualClock(START_SECONDS * 1000);
    const strict = await startEmulator({ credentials: CREDENTIALS, clock, replayProtection: true });
    const request = signedRequest(strict.port, "ListKeys", {}, AT_START);
    expect(codeOf(await sendRaw(strict.port, request))).toBe("");
    clock.advance(5_000);
    expect(codeOf(await sendRaw(strict.port, request))).toBe("AuthFailure.SignatureFailure");
    expect(codeOf(await sendRaw(emulator.port, signedRequest(emulator.port, "ListKeys", {}, AT_START)))).toBe("");
    await strict.close();
  });

  test("rate limits refuse what is too much in one second", async () => {
    const clock = new ManualClock(START_SECONDS * 1000);
    const limited = await startEmulator({ credentials: CREDENTIALS, clock, rateLimits: { otherPerSecond: 2 } });
    const codes: string[] = [];
    for (let i = 0; i < 3; i++) codes.push(codeOf(await call(limited, "ListKeys", {}, AT_START)));
    clock.advance(1_000);
    codes.push(codeOf(await call(limited, "ListKeys", {}, AT_START)));
    expect(codes).toEqual(["", "", "RequestLimitExceeded", ""]);
    await limited.close();
  });

  test("regions are those that were given, the default first", async () => {
    const other = await startEmulator({
      credentials: CREDENTIALS,
      regions: ["ap-shanghai", "ap-beijing"],
      region: "ap-beijing",
      smRegions: ["ap-shanghai"],
    });
    expect(other.region).toBe("ap-beijing");
    const inRegion = async (region: string): Promise<string> =>
      codeOf(await call(other, "ListKeys", {}, { headers: { "X-TC-Region": region } }));
    expect(await inRegion("ap-guangzhou")).toBe("UnsupportedRegion");
    expect(await inRegion("ap-shanghai")).toBe("");
    expect(await inRegion("")).toBe("");
    expect(other.audit.recent().map(({ region }) => region)).toEqual(["", "ap-shanghai", "ap-beijing"]);
    await other.close();
  });

  test("without credentials a root account is made, whose secret works", async () => {
    const own = await startEmulator();
    const { secretId = "", secretKey = "" } = own;
    expect(secretId).toMatch(/^AKID[0-9a-f]{32}$/);
    expect(secretKey).toMatch(/^[0-9a-f]{40}$/);
    expect(codeOf(await call(own, "ListKeys", {}, { secretId, secretKey }))).toBe("");
    expect(own.audit.recent()[0]).toMatchObject({ uin: OWNER_UIN, secretId });
    expect(JSON.stringify(own.audit.recent())).not.toContain(secretKey);
    await own.close();
  });
});
