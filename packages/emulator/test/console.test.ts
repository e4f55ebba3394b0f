// The console over HTTP: what it tells, to whom, and how it keeps other sites out. The page itself is tested in a browser.
import { Envelope, rawAesKey } from "@fengni/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Emulator } from "../src/assemble.js";
import { MAX_LOG_FOLLOWERS } from "../src/console-routes.js";
import { startEmulator } from "../src/emulator.js";
import { CREDENTIALS, call, codeOf, envelopeOf, OWNER_UIN, sendRaw } from "./server-support.js";

const APP = { secretId: "AKIDapplication", secretKey: "a-secret-of-the-application" };
let emulator: Emulator;

beforeAll(async () => {
  emulator = await startEmulator({
    credentials: {
      ownerUin: OWNER_UIN,
      users: [
        ...(CREDENTIALS as { users: object[] }).users,
        { uin: "100000000002", name: "app", policies: ["decrypt-one-key"], keys: [APP] },
      ],
    },
    policies: {
      // A mistake that many make: Decrypt is authorized at operation level, so that a key's name never matches.
      "decrypt-one-key": {
        version: "2.0",
        statement: [
          {
            effect: "allow",
            action: ["kms:Decrypt"],
            resource: [`qcs::kms:ap-guangzhou:uin/${OWNER_UIN}:key/creatorUin/${OWNER_UIN}/some-key`],
          },
        ],
      },
    },
  });
});
afterAll(() => emulator.close());

async function page(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${emulator.consoleUrl}${path}`, init);
}

async function json(path: string, init: RequestInit = {}): Promise<Record<string, unknown>> {
  return (await (await page(path, init)).json()) as Record<string, unknown>;
}

describe("the page", () => {
  test.each([
    ["", "text/html; charset=utf-8", "<!doctype html>"],
    ["/script.js", "text/javascript; charset=utf-8", '"use strict"'],
    ["/style.css", "text/css; charset=utf-8", ":root"],
  ])("%s has its type and a policy that lets nothing else in", async (path, type, beginning) => {
    const response = await page(path);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe(type);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect((await response.text()).startsWith(beginning)).toBe(true);
  });

  test("has no code or style of its own, and its script makes no markup", async () => {
    const html = await (await page("")).text();
    expect(html).not.toMatch(/<script(?![^>]* src=)|<style|\son[a-z]+=|style="|https?:/);
    const script = await (await page("/script.js")).text();
    expect(script).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function/);
  });
});

/** Requests of other sites, which are refused. */
const FOREIGN: readonly (readonly [name: string, headers: Readonly<Record<string, string>>])[] = [
  ["a name that was pointed here", { Host: "attacker.example" }],
  ["a name that was pointed here, with the port", { Host: "attacker.example:PORT" }],
  ["loopback with another port", { Host: "127.0.0.1:1" }],
  ["loopback without the port", { Host: "127.0.0.1" }],
  ["a name that begins like loopback", { Host: "127.0.0.1.attacker.example:PORT" }],
  ["a cross-site request", { Host: "127.0.0.1:PORT", "Sec-Fetch-Site": "cross-site" }],
  ["a request of a site beside it", { Host: "localhost:PORT", "Sec-Fetch-Site": "same-site" }],
  ["a foreign origin", { Host: "127.0.0.1:PORT", Origin: "https://attacker.example" }],
  ["an origin of another port", { Host: "127.0.0.1:PORT", Origin: "http://127.0.0.1:1" }],
  ["no origin", { Host: "127.0.0.1:PORT", Origin: "null" }],
];

describe("other sites", () => {
  const send = (path: string, headers: Readonly<Record<string, string>>): ReturnType<typeof sendRaw> => {
    const lines = Object.entries(headers).map(
      ([name, value]) => `${name}: ${value.replace("PORT", String(emulator.port))}`,
    );
    return sendRaw(emulator.port, `GET /_fengni/${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
  };
  const paths = ["console", "console/script.js", "console/keys", "console/events", "console/denials"];

  test.each(FOREIGN)("%s is refused everywhere", async (_name, headers) => {
    for (const path of paths) expect((await send(path, headers))?.status, path).toBe(403);
  });

  test.each(["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])("%s is this machine", async (host) => {
    const headers = { Host: `${host}:PORT`, "Sec-Fetch-Site": "same-origin", Origin: `http://${host}:PORT` };
    expect((await send("console/keys", headers))?.status).toBe(200);
  });

  test("a link to the page may be followed from anywhere, and nothing else", async () => {
    const navigation = {
      Host: "127.0.0.1:PORT",
      "Sec-Fetch-Site": "cross-site",
      "Sec-Fetch-Mode": "navigate",
      "Sec-Fetch-Dest": "document",
    };
    expect((await send("console", navigation))?.status).toBe(200);
    expect((await send("console", { ...navigation, "Sec-Fetch-Dest": "iframe" }))?.status).toBe(403);
    expect((await send("console", { ...navigation, "Sec-Fetch-Mode": "no-cors" }))?.status).toBe(403);
    expect((await send("console", { ...navigation, Host: "attacker.example:PORT" }))?.status).toBe(403);
    for (const path of paths.slice(1)) expect((await send(path, navigation))?.status, path).toBe(403);
  });

  test("what the service takes is not bound to a name", async () => {
    const answer = await sendRaw(emulator.port, "GET / HTTP/1.1\r\nHost: kms.tencentcloudapi.com\r\n\r\n");
    expect(answer?.status).toBe(200);
  });

  test("what changes anything is not there: only inspecting takes a POST", async () => {
    for (const path of ["", "/keys", "/events", "/denials"]) {
      expect((await page(path, { method: "POST", body: "{}" })).status, path).toBe(405);
    }
  });
});

describe("keys", () => {
  test("are listed with their states, and nothing of their material", async () => {
    const created = await call(emulator, "CreateKey", { Alias: "<b>orders</b>".replaceAll(/[<>/]/g, "") });
    const { KeyId } = envelopeOf(created);
    await call(emulator, "DisableKey", { KeyId });
    const { keys, total, region } = await json("/keys");
    expect([total, region]).toEqual([1, "ap-guangzhou"]);
    expect(keys).toEqual([
      {
        keyId: KeyId,
        alias: "bordersb",
        state: "disabled",
        keySpec: "AES_256",
        keyUsage: "encrypt-decrypt",
        origin: "provider",
        owner: "user",
        creator: OWNER_UIN,
        createdAtMs: expect.any(Number),
      },
    ]);
    expect(await json("/keys?region=ap-shanghai")).toMatchObject({ total: 0, keys: [] });
    expect(await json("/keys?offset=1")).toMatchObject({ total: 1, keys: [] });
  });

  test.each(["region=nowhere", "offset=-1", "offset=x"])("%s is refused", async (query) => {
    expect((await page(`/keys?${query}`)).status).toBe(400);
  });
});

describe("the log", () => {
  test("tells what was, and then each request as it is answered", async () => {
    await call(emulator, "ListKeys");
    const stop = new AbortController();
    const response = await page("/events", { signal: stop.signal });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    const readUntil = async (wanted: string): Promise<void> => {
      while (!text.includes(wanted)) text += (await reader?.read())?.value ?? "";
    };
    await readUntil('"action":"ListKeys"');
    await call(emulator, "GetServiceStatus");
    await readUntil('"action":"GetServiceStatus"');
    for (const line of text.trim().split("\n\n")) expect(line).toMatch(/^data: \{.*\}$/);
    stop.abort();
  });

  test("has a bounded number of followers", async () => {
    const stop = new AbortController();
    const responses: Response[] = [];
    for (let i = 0; i < MAX_LOG_FOLLOWERS + 2; i++) responses.push(await page("/events", { signal: stop.signal }));
    const refused = responses.filter(({ status }) => status === 503).length;
    expect(refused).toBeGreaterThanOrEqual(2);
    expect(responses.length - refused).toBeLessThanOrEqual(MAX_LOG_FOLLOWERS);
    stop.abort();
    // Places become free as the server sees them go.
    for (;;) {
      const again = await page("/events");
      await again.body?.cancel();
      if (again.status === 200) break;
    }
  });
});

describe("why a request was denied", () => {
  test("is explained with the statements of its account", async () => {
    const { KeyId } = envelopeOf(await call(emulator, "CreateKey", { Alias: "sealed" }));
    const { CiphertextBlob } = envelopeOf(await call(emulator, "Encrypt", { KeyId, Plaintext: "AAAA" }));
    const answer = await call(emulator, "Decrypt", { CiphertextBlob }, APP);
    expect(codeOf(answer)).toBe("UnauthorizedOperation");
    const { RequestId } = envelopeOf(answer);
    const { denials } = await json("/denials");
    expect(denials).toMatchObject([
      { requestId: RequestId, action: "Decrypt", accountName: "app", uin: "100000000002" },
    ]);
    const explanation = await json(`/denials?requestId=${RequestId}`);
    expect(explanation).toMatchObject({
      requestId: RequestId,
      policyNames: ["decrypt-one-key"],
      explanations: [
        {
          decision: "implicit_deny",
          reason: "not_granted_by_policies",
          resources: [{ isOperationLevel: true, statements: [{ mismatch: { part: "resource" } }] }],
        },
      ],
    });
    const { text } = (explanation["explanations"] as { text: string }[])[0] ?? { text: "" };
    expect(text).toContain("operation level");
    expect(JSON.stringify(explanation)).not.toContain(APP.secretKey);
  });

  test("is not known of requests that were not", async () => {
    const { RequestId } = envelopeOf(await call(emulator, "ListKeys"));
    expect((await page(`/denials?requestId=${RequestId}`)).status).toBe(404);
    expect((await page("/denials?requestId=constructor")).status).toBe(404);
  });
});

describe("the inspector", () => {
  const inspect = (body: BodyInit, type: string): Promise<Response> =>
    page("/inspect", { method: "POST", body, headers: { "Content-Type": type } });

  test("shows a message's header, from bytes or base64, without a key", async () => {
    const key = rawAesKey({ namespace: "tests", name: "key", key: new Uint8Array(32).fill(7) });
    const envelope = new Envelope({ wrappingKeys: [key] });
    const message = await envelope.encrypt(new Uint8Array(1000), { encryptionContext: { tenant: "<b>7</b>" } });
    const asBytes = await (await inspect(Buffer.from(message.subarray(0, 700)), "application/octet-stream")).json();
    const base64 = `\n ${Buffer.from(message)
      .toString("base64")
      .replaceAll(/(.{76})/g, "$1\n")}`;
    const asText = await (await inspect(base64, "text/plain")).json();
    expect(asText).toEqual(asBytes);
    expect(asBytes).toMatchObject({
      authenticated: false,
      version: 2,
      suite: { id: "0x0478" },
      encryptionContext: { tenant: "<b>7</b>" },
      encryptedDataKeys: [{ providerId: "tests" }],
    });
  });

  test.each([
    ["no message", "AAAA", "text/plain", "ERR_MESSAGE_UNSUPPORTED"],
    ["no base64", "?!", "text/plain", "ERR_MESSAGE_INVALID"],
    ["nothing", "", "application/octet-stream", "ERR_MESSAGE_TRUNCATED"],
  ])("refuses %s with its code", async (_name, body, type, code) => {
    const response = await inspect(body, type);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code });
  });

  test("refuses what is too long", async () => {
    expect((await inspect(" ".repeat(2 * 1024 * 1024), "text/plain")).status).toBe(413);
  });
});

test("health tells that requests are carried out", async () => {
  const response = await fetch(`${emulator.endpoint}/_fengni/health`);
  expect(await response.json()).toMatchObject({ status: "ok", version: "2019-01-18", actions: 81 });
});

test("without the console there is none", async () => {
  const plain = await startEmulator({ console: false });
  expect(plain.consoleUrl).toBeUndefined();
  for (const path of ["", "/keys", "/events"]) {
    expect((await fetch(`${plain.endpoint}/_fengni/console${path}`)).status, path).toBe(404);
  }
  await plain.close();
});
