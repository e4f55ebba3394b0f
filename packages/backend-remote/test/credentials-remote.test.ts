// Credentials of roles: the security token service, a workload's token, and the metadata service.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import type { FengniError } from "@fengni/core";
import { verifySignature } from "@fengni/kms-api";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type AssumeRoleCredentialsOptions, assumeRoleCredentials } from "../src/credentials-assume-role.js";
import { credentialChain } from "../src/credentials-chain.js";
import { instanceRoleCredentials } from "../src/credentials-instance-role.js";
import { oidcCredentials, tkeCredentials } from "../src/credentials-oidc.js";
import { staticCredentials } from "../src/credentials-static.js";

const SECRET_ID = "AKIDEXAMPLE0000000000000000000000000";
const SECRET_KEY = "EXAMPLEsecretkey0123456789abcdef";
const ROLE = "qcs::cam::uin/100000000001:roleName/sealer";
const REGION = "ap-guangzhou";
const NOW_MS = 1_700_000_000_000;
const clock = { now: () => NOW_MS };

interface Seen {
  readonly request: IncomingMessage;
  readonly body: Buffer;
}

let server: Server;
let endpoint: string;
let seen: Seen[];
/** What the server does with the next requests; the last one stays. */
let answers: ((response: ServerResponse, request: IncomingMessage) => void)[];

beforeEach(async () => {
  seen = [];
  answers = [];
  server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      seen.push({ request, body: Buffer.concat(pieces) });
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      answer?.(response, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const json =
  (value: unknown, status = 200) =>
  (response: ServerResponse): void => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
  };

const granted = (secretKey = "temporary-key", seconds = 7_200): object => ({
  Response: {
    Credentials: { TmpSecretId: "AKIDtemporary", TmpSecretKey: secretKey, Token: "temporary-token" },
    ExpiredTime: NOW_MS / 1000 + seconds,
    Expiration: "2023-11-15T00:13:20Z",
    RequestId: "00000000-0000-4000-8000-000000000001",
  },
});

const refused = (code: string): object => ({
  Response: { Error: { Code: code, Message: `no, ${SECRET_KEY}` }, RequestId: "00000000-0000-4000-8000-000000000002" },
});

describe("assumeRoleCredentials", () => {
  const source = staticCredentials({ secretId: SECRET_ID, secretKey: SECRET_KEY, token: "source-token" });
  const role = () => assumeRoleCredentials({ source, roleArn: ROLE, region: REGION, endpoint, clock });

  test("signs AssumeRole with the source's credentials", async () => {
    answers = [json(granted())];
    const { secretId, secretKey, token, expiresAtMs } = await role().getCredentials();
    expect([secretId, secretKey, token]).toEqual(["AKIDtemporary", "temporary-key", "temporary-token"]);
    expect(expiresAtMs).toBe(NOW_MS + 7_200_000);
    const [{ request, body }] = seen as [Seen];
    expect(JSON.parse(body.toString())).toEqual({
      RoleArn: ROLE,
      RoleSessionName: "fengni",
      DurationSeconds: 7_200,
    });
    expect(request.headers).toMatchObject({
      "x-tc-action": "AssumeRole",
      "x-tc-version": "2018-08-13",
      "x-tc-region": REGION,
    });
    const verified = verifySignature(
      {
        method: "POST",
        path: "/",
        query: "",
        headers: request.headers as Record<string, string>,
        payload: body,
      },
      (id) => (id === SECRET_ID ? { secretKey: SECRET_KEY, token: "source-token" } : undefined),
      { nowSeconds: NOW_MS / 1000, service: "sts" },
    );
    expect(verified.secretId).toBe(SECRET_ID);
  });

  test("sends what was asked for", async () => {
    answers = [json(granted())];
    const options = { sessionName: "job-7", durationSeconds: 900, externalId: "agreed" };
    await assumeRoleCredentials({
      source,
      roleArn: ROLE,
      region: REGION,
      endpoint,
      clock,
      ...options,
    }).getCredentials();
    expect(JSON.parse(seen[0]?.body.toString() ?? "")).toMatchObject({
      RoleSessionName: "job-7",
      DurationSeconds: 900,
      ExternalId: "agreed",
    });
  });

  test.each([
    ["AuthFailure.SignatureFailure", "ERR_CREDENTIALS", false],
    ["UnauthorizedOperation", "ERR_DENIED", false],
    ["InvalidParameter.RoleNotExist", "ERR_CREDENTIALS", false],
    ["InternalError", "ERR_UNAVAILABLE", true],
    ["RequestLimitExceeded", "ERR_THROTTLED", true],
    ["SomethingNew.OfLater", "ERR_CREDENTIALS", false],
  ])("%s is %s, and the next call asks again", async (code, portable, retryable) => {
    answers = [json(refused(code)), json(granted())];
    const provider = role();
    const error: unknown = await provider.getCredentials().catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: portable, retryable });
    expect(inspect(error, { depth: 9 })).not.toContain(SECRET_KEY);
    expect(String(error)).toContain(code);
    expect(String(error)).toContain("00000000-0000-4000-8000-000000000002");
    expect((await provider.getCredentials()).secretId).toBe("AKIDtemporary");
  });

  test("when the source's credentials are refused, it asks the source for new ones, once", async () => {
    let renewed = 0;
    const stale = {
      getCredentials: async (options?: { readonly forceRefresh?: boolean }) => {
        if (options?.forceRefresh === true) renewed += 1;
        return { secretId: SECRET_ID, secretKey: SECRET_KEY, token: renewed > 0 ? "new" : "old" };
      },
    };
    const provider = assumeRoleCredentials({ source: stale, roleArn: ROLE, region: REGION, endpoint, clock });
    answers = [json(refused("AuthFailure.TokenFailure")), json(granted())];
    expect((await provider.getCredentials()).secretId).toBe("AKIDtemporary");
    expect(seen.map(({ request }) => request.headers["x-tc-token"])).toEqual(["old", "new"]);
    // The same ones again are not sent twice.
    answers = [json(refused("AuthFailure.TokenFailure"))];
    await expect(provider.getCredentials({ forceRefresh: true })).rejects.toMatchObject({ code: "ERR_CREDENTIALS" });
    expect(seen.length).toBe(3);
  });

  test.each<[string, (response: ServerResponse) => void]>([
    ["no JSON", (response) => response.end("<html>")],
    ["JSON that is something else", json([1])],
    ["an answer without credentials", json({ Response: { RequestId: "1" } })],
    ["half of the credentials", json({ Response: { Credentials: { TmpSecretId: "AKID1" }, ExpiredTime: 1 } })],
    ["another status", json(granted(), 502)],
    ["a redirect", (response) => response.writeHead(302, { location: "/elsewhere" }).end()],
    ["too much", (response) => response.end(Buffer.alloc(100_000, 32))],
    ["a broken connection", (response) => response.destroy()],
    [
      "half an answer",
      (response) => {
        response.writeHead(200, { "content-length": "1000" }).write("{");
        setImmediate(() => response.destroy());
      },
    ],
  ])("%s is ERR_UNAVAILABLE", async (_name, answer) => {
    answers = [answer];
    await expect(role().getCredentials()).rejects.toMatchObject({ code: "ERR_UNAVAILABLE", retryable: true });
    expect(seen.length).toBe(1);
  });

  test("a service that is silent, or stops within its answer, is ERR_TIMEOUT", async () => {
    const provider = assumeRoleCredentials({ source, roleArn: ROLE, region: REGION, endpoint, clock, timeoutMs: 40 });
    for (const answer of [() => {}, (response: ServerResponse) => void response.writeHead(200).write("{")]) {
      answers = [answer];
      await expect(provider.getCredentials()).rejects.toMatchObject({
        code: "ERR_TIMEOUT",
        details: { timeoutMs: 40 },
      });
    }
  });

  test.each([
    ["an endpoint without TLS", { endpoint: "http://sts.example.com" }],
    ["an endpoint that is no URL", { endpoint: "sts.tencentcloudapi.com" }],
    ["no role", { roleArn: "" }],
    ["no region", { region: "" }],
    ["a session name of another form", { sessionName: "a b" }],
    ["a life too short", { durationSeconds: 10 }],
    ["no source", { source: undefined }],
    ["an unknown option", { role: ROLE }],
    ["a time beyond a timer's", { timeoutMs: 2 ** 31 }],
  ])("refuses %s before anything is sent", (_name, wrong) => {
    const options = { source, roleArn: ROLE, region: REGION, endpoint, ...wrong } as AssumeRoleCredentialsOptions;
    expect(() => assumeRoleCredentials(options)).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
  });

  test("refuses to be made without options", () => {
    const make = assumeRoleCredentials as () => unknown;
    expect(make).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
  });
});

describe("oidcCredentials", () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "fengni-oidc-"));
    file = join(folder, "token");
  });
  afterEach(() => rm(folder, { recursive: true }));

  test("exchanges the token, which is read at each refresh, and signs nothing", async () => {
    answers = [json(granted("one", 60)), json(granted("two", 60))];
    const provider = oidcCredentials({
      providerId: "cluster-1",
      webIdentityTokenFile: file,
      roleArn: ROLE,
      region: REGION,
      endpoint,
      clock,
    });
    await expect(provider.getCredentials()).rejects.toMatchObject({ code: "ERR_CREDENTIALS" });
    expect(seen.length).toBe(0);
    await writeFile(file, "jwt-1\n");
    expect((await provider.getCredentials()).secretKey).toBe("one");
    await writeFile(file, "jwt-2");
    expect((await provider.getCredentials({ forceRefresh: true })).secretKey).toBe("two");
    const bodies = seen.map(({ body }) => JSON.parse(body.toString()) as Record<string, unknown>);
    expect(bodies.map((body) => body["WebIdentityToken"])).toEqual(["jwt-1", "jwt-2"]);
    expect(bodies[0]).toMatchObject({ ProviderId: "cluster-1", RoleArn: ROLE, RoleSessionName: "fengni" });
    expect(seen[0]?.request.headers).toMatchObject({
      authorization: "SKIP",
      "x-tc-action": "AssumeRoleWithWebIdentity",
      "x-tc-region": REGION,
    });
  });

  test("takes the variables of a cluster", async () => {
    answers = [json(granted())];
    await writeFile(file, "jwt");
    const environment: Record<string, string> = { TKE_PROVIDER_ID: "cluster-1", TKE_ROLE_ARN: ROLE };
    const provider = tkeCredentials({ environment, endpoint, clock });
    await expect(provider.getCredentials()).rejects.toThrow("OIDC: TKE_WEB_IDENTITY_TOKEN_FILE, TKE_REGION not set");
    environment["TKE_WEB_IDENTITY_TOKEN_FILE"] = file;
    environment["TKE_REGION"] = "ap-shanghai";
    expect((await provider.getCredentials()).secretId).toBe("AKIDtemporary");
    expect(seen[0]?.request.headers["x-tc-region"]).toBe("ap-shanghai");
  });
});

describe("instanceRoleCredentials", () => {
  const bound = {
    TmpSecretId: "AKIDmachine",
    TmpSecretKey: "machine-key",
    Token: "machine-token",
    ExpiredTime: NOW_MS / 1000 + 3_600,
    Code: "Success",
  };

  test("asks which role is bound, then for its credentials", async () => {
    answers = [(response) => response.end("sealer\n"), json(bound)];
    const { secretId, secretKey, token, expiresAtMs } = await instanceRoleCredentials({
      endpoint,
      clock,
    }).getCredentials();
    expect([secretId, secretKey, token]).toEqual(["AKIDmachine", "machine-key", "machine-token"]);
    expect(expiresAtMs).toBe(NOW_MS + 3_600_000);
    expect(seen.map(({ request }) => `${request.method} ${request.url}`)).toEqual([
      "GET /latest/meta-data/cam/security-credentials/",
      "GET /latest/meta-data/cam/security-credentials/sealer",
    ]);
  });

  test("asks for the role that was named", async () => {
    answers = [json(bound)];
    await instanceRoleCredentials({ endpoint, clock, roleName: "named" }).getCredentials();
    expect(seen[0]?.request.url).toBe("/latest/meta-data/cam/security-credentials/named");
  });

  test.each<[string, (response: ServerResponse) => void, string]>([
    ["no role", (response) => response.end(""), "ERR_CREDENTIALS"],
    ["a page", (response) => response.end("<html><body>"), "ERR_CREDENTIALS"],
    ["not found", json({}, 404), "ERR_CREDENTIALS"],
  ])("%s is a typed error", async (_name, answer, code) => {
    answers = [answer];
    const provider = instanceRoleCredentials({ endpoint, clock, timeoutMs: 60_000 });
    await expect(provider.getCredentials()).rejects.toMatchObject({ code });
  });

  test("credentials that are not found of a role that is listed are an error: a chain takes no other identity", async () => {
    const lists = (response: ServerResponse): void => void response.end("sealer");
    answers = [lists, json({}, 404), lists, json(bound)];
    const other = staticCredentials({ secretId: "AKIDother", secretKey: "other" });
    const chain = credentialChain([instanceRoleCredentials({ endpoint, clock }), other]);
    await expect(chain.getCredentials()).rejects.toMatchObject({
      code: "ERR_CREDENTIALS",
      message: "instance role: the metadata service gave an answer without credentials",
      retryable: true,
    });
    expect((await chain.getCredentials()).secretId).toBe("AKIDmachine");
  });

  test("silence is ERR_TIMEOUT", async () => {
    answers = [() => {}];
    const provider = instanceRoleCredentials({ endpoint, clock, timeoutMs: 40 });
    await expect(provider.getCredentials()).rejects.toMatchObject({ code: "ERR_TIMEOUT", details: { timeoutMs: 40 } });
  });

  test("counts the life of the credentials by the clock of the source", async () => {
    const sentAtMs = NOW_MS - 10_800_000;
    answers = [
      (response) => {
        response.setHeader("date", new Date(sentAtMs).toUTCString());
        json({ ...bound, ExpiredTime: sentAtMs / 1000 + 7_200 })(response);
      },
    ];
    const { expiresAtMs } = await instanceRoleCredentials({ endpoint, clock, roleName: "r" }).getCredentials();
    expect(expiresAtMs).toBe(NOW_MS + 7_200_000);
  });

  test("an answer that is no HTTP does not stand in the error", async () => {
    answers = [
      (response) => {
        response.socket?.end(`HTTP/1.1 XXX\r\n\r\n${JSON.stringify(bound)}`);
      },
    ];
    const call = instanceRoleCredentials({ endpoint, clock, roleName: "r" }).getCredentials();
    const error: unknown = await call.catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "ERR_UNAVAILABLE" });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/rawPacket|machine-key/);
    expect((error as FengniError).cause).toMatchObject({ code: expect.stringMatching(/^HPE_/) });
  });

  test.each([
    { timeoutMs: 2 ** 31 },
    { timeoutMs: Number.NaN },
    { role: "x" },
    { roleName: "../user-data" },
    { endpoint: "ftp://127.0.0.1" },
    { endpoint: "metadata" },
  ])("refuses %j", (options) => {
    expect(() => instanceRoleCredentials(options)).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
  });
});
