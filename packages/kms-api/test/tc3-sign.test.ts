import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { createSigner, type RequestToSign, type SignerOptions } from "../src/index.js";
import { secretId, secretKey, utf8 } from "./support.js";

const request: RequestToSign = {
  method: "POST",
  headers: { "Content-Type": "application/json", Host: "kms.tencentcloudapi.com" },
  payload: utf8("{}"),
  timestampSeconds: 1700000000,
};

const wrongRequests: readonly [what: string, change: Readonly<Record<string, unknown>>][] = [
  ["another method", { method: "PUT" }],
  ["a query in a POST", { query: "a=b" }],
  ["a query with a blank", { method: "GET", query: "a= b" }],
  ["a path without a slash", { path: "x" }],
  ["a path with a query", { path: "/?a" }],
  ["a fraction of a second", { timestampSeconds: 1.5 }],
  ["a time before 1970", { timestampSeconds: -1 }],
  ["a time after 9999", { timestampSeconds: 253402300800 }],
  ["milliseconds", { timestampSeconds: 1700000000000 }],
  ["no host", { headers: { "content-type": "application/json" } }],
  ["no content type", { headers: { host: "h" } }],
  ["a host in upper case", { headers: { ...request.headers, Host: "KMS.tencentcloudapi.com" } }],
  ["a blank around the content type", { headers: { ...request.headers, "Content-Type": " application/json" } }],
  ["a header twice", { headers: { ...request.headers, host: "kms.tencentcloudapi.com" } }],
  ["a line break in a value", { headers: { ...request.headers, "X-TC-Action": "a\nb:c" } }],
  ["a value beyond ASCII", { headers: { ...request.headers, "X-TC-Action": "é" } }],
  ["a name that is none", { headers: { ...request.headers, "a;b": "c" } }],
];

describe("a request that cannot be signed", () => {
  it.each(wrongRequests)("%s", (_what, change) => {
    const signer = createSigner({ secretId, secretKey });
    expect(() => signer.sign({ ...request, ...change })).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
  });
});

describe("a credential that cannot sign", () => {
  const wrong: readonly [what: string, change: Partial<SignerOptions>][] = [
    ["an empty id", { secretId: "" }],
    ["an id with a slash", { secretId: "a/b" }],
    ["an id with a line break", { secretId: "a\n" }],
    ["an empty secret", { secretKey: "" }],
    ["a secret with a line break", { secretKey: `${secretKey}\n` }],
    ["an empty token", { token: "" }],
    ["a token with a line break", { token: "tokentokentoken\r\nX: y" }],
  ];
  it.each(wrong)("%s", (_what, change) => {
    let message = "";
    try {
      createSigner({ secretId, secretKey, ...change });
    } catch (error) {
      expect(error).toMatchObject({ code: "ERR_CREDENTIALS" });
      message = inspect(error, { depth: 9, showHidden: true });
    }
    expect(message).not.toBe("");
    for (const text of [secretKey, "tokentoken"]) expect(message).not.toContain(text);
  });

  it("names its service", () => {
    for (const service of ["", "a/b", "a b", "k".repeat(256)]) {
      expect(() => createSigner({ secretId, secretKey, service })).toThrow(
        expect.objectContaining({ code: "ERR_ARGUMENT" }),
      );
    }
  });
});

describe("a signer", () => {
  it("shows no secret", () => {
    const signer = createSigner({ secretId, secretKey, token: "tokentoken" });
    signer.sign(request);
    const shown = [inspect(signer, { depth: 9, showHidden: true }), JSON.stringify(signer), String(signer)].join();
    for (const text of [secretKey, "tokentoken"]) expect(shown).not.toContain(text);
    const { Authorization } = signer.sign(request);
    expect(Authorization).not.toContain(secretKey);
  });

  it("signs alike at the same second, and sends its token beside", () => {
    const plain = createSigner({ secretId, secretKey }).sign(request);
    expect(plain).toEqual(createSigner({ secretId, secretKey }).sign(request));
    const withToken = createSigner({ secretId, secretKey, token: "t" }).sign(request);
    expect(withToken).toEqual({ ...plain, "X-TC-Token": "t" });
    const empty = createSigner({ secretId, secretKey }).sign({ ...request, timestampSeconds: 1700000001 });
    expect(empty.Authorization).not.toBe(plain.Authorization);
  });

  it("does not mind the order and case of header names, nor the case of other values", () => {
    const signer = createSigner({ secretId, secretKey });
    const one = { "X-TC-Action": "Encrypt", Host: "h", "Content-Type": "application/json" };
    const other = { "content-type": "application/json", host: "h", "x-tc-action": "encrypt" };
    expect(signer.sign({ ...request, headers: one })).toEqual(signer.sign({ ...request, headers: other }));
  });

  it("does not sign after it was wiped", () => {
    const signer = createSigner({ secretId, secretKey });
    signer.sign(request);
    signer.wipe();
    signer.wipe();
    expect(() => signer.sign(request)).toThrow(expect.objectContaining({ code: "ERR_CLOSED" }));
  });
});
