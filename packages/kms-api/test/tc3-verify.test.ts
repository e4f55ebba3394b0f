import { describe, expect, it } from "vitest";
import {
  createSigner,
  parseAuthorization,
  ReplayWindow,
  type RequestToVerify,
  type SecretRecord,
  type VerifyOptions,
  verifySignature,
} from "../src/index.js";
import { apiCode, apiFailure, received, secretId, secretKey, utf8, vector } from "./support.js";

const a = vector("A");
const now = a.timestamp;
const known = (record: SecretRecord) => (id: string) => (id === secretId ? record : undefined);

function codeOf(request: RequestToVerify, options: Partial<VerifyOptions> = {}, record: SecretRecord = { secretKey }) {
  return apiCode(() => verifySignature(request, known(record), { nowSeconds: now, ...options }));
}

/** Vector A with its authorization changed. */
const withAuthorization = (change: (text: string) => string) => received(a, { authorization: change(a.authorization) });

describe("the clock", () => {
  it.each([
    [0, "none"],
    [-300, "none"],
    [300, "none"],
    [-301, "AuthFailure.SignatureExpire"],
    [301, "AuthFailure.SignatureExpire"],
    [Number.NaN, "AuthFailure.SignatureExpire"],
  ])("%d seconds off: %s", (seconds, code) => {
    expect(codeOf(received(a), { nowSeconds: now + seconds })).toBe(code);
  });

  it("may be told another window", () => {
    expect(codeOf(received(a), { nowSeconds: now + 5, windowSeconds: 5 })).toBe("none");
    expect(codeOf(received(a), { nowSeconds: now + 6, windowSeconds: 5 })).toBe("AuthFailure.SignatureExpire");
  });

  it.each(["", " ", "1700000000.0", "01700000000", "-1", "+1700000000", "1e9", "999999999999", "9".repeat(400)])(
    "refuses the timestamp %j",
    (timestamp) => {
      expect(codeOf(received(a, { "x-tc-timestamp": timestamp }))).toBe(
        timestamp === "" ? "MissingParameter" : "InvalidParameter",
      );
    },
  );
});

describe("what must be there", () => {
  it.each([
    ["x-tc-action", "MissingParameter"],
    ["x-tc-version", "MissingParameter"],
    ["x-tc-timestamp", "MissingParameter"],
    ["authorization", "AuthFailure.InvalidAuthorization"],
    ["content-type", "AuthFailure.SignatureFailure"],
    ["host", "AuthFailure.SignatureFailure"],
  ])("without %s: %s", (name, code) => {
    expect(codeOf(received(a, { [name]: undefined }))).toBe(code);
  });

  it("reports in the service's order", () => {
    const wrong = { "x-tc-version": undefined, authorization: "nonsense" };
    expect(codeOf(received(a, wrong))).toBe("MissingParameter");
    expect(codeOf(received(a, { authorization: "nonsense" }), { nowSeconds: 0 })).toBe(
      "AuthFailure.InvalidAuthorization",
    );
    expect(
      codeOf(
        withAuthorization((text) => text.replace(secretId, "AKIDnobody")),
        { nowSeconds: 0 },
      ),
    ).toBe("AuthFailure.SecretIdNotFound");
    expect(codeOf({ ...received(a), payload: utf8("x") }, { nowSeconds: 0 })).toBe("AuthFailure.SignatureExpire");
    expect(codeOf({ ...received(a), payload: utf8("x") }, {}, { secretKey, token: "t" })).toBe(
      "AuthFailure.SignatureFailure",
    );
  });

  it("has no signed header with a line break or a broken character", () => {
    for (const host of ["\ud800", `kms.tencentcloudapi.com\nx:y`, "kms.é"]) {
      expect(codeOf(received(a, { host }))).toBe("AuthFailure.SignatureFailure");
    }
  });

  it("names no header twice", () => {
    const request = received(a);
    for (const name of ["host", "content-type"]) {
      const twice = { ...request, headers: { ...request.headers, [name]: [request.headers[name] as string, "x"] } };
      expect(codeOf(twice)).toBe("AuthFailure.SignatureFailure");
    }
    const timestamps = { ...request, headers: { ...request.headers, "x-tc-timestamp": [String(now), String(now)] } };
    expect(codeOf(timestamps)).toBe("MissingParameter");
  });
});

describe("the header Authorization", () => {
  const s = a.signature;
  const INVALID = "AuthFailure.InvalidAuthorization";
  const FAILURE = "AuthFailure.SignatureFailure";
  const cases: readonly [what: string, change: (text: string) => string, code: string][] = [
    ["nothing changed", (text) => text, "none"],
    ["no blank after a comma", (text) => text.replaceAll(", ", ","), "none"],
    ["more blanks around a comma", (text) => text.replaceAll(", ", " \t,  "), "none"],
    ["empty", () => "", INVALID],
    ["SKIP", () => "SKIP", INVALID],
    ["another scheme", (text) => text.replace("SHA256", "SM3"), INVALID],
    ["a scheme in lower case", (text) => text.replace("TC3-HMAC", "tc3-hmac"), INVALID],
    ["two blanks after the scheme", (text) => text.replace("256 ", "256  "), INVALID],
    ["a blank in front", (text) => ` ${text}`, INVALID],
    ["a blank at the end", (text) => `${text} `, INVALID],
    ["a line break at the end", (text) => `${text}\n`, INVALID],
    ["another terminator", (text) => text.replace("tc3_request", "tc4_request"), INVALID],
    ["no terminator", (text) => text.replace("/tc3_request", ""), INVALID],
    ["no service", (text) => text.replace("/kms/", "//"), INVALID],
    ["another date", (text) => text.replace("2023-11-14", "2023-11-15"), INVALID],
    ["a date that is none", (text) => text.replace("2023-11-14", "2023-11-1x"), INVALID],
    ["an upper-case signature", (text) => text.replace(s, s.toUpperCase()), INVALID],
    ["a shorter signature", (text) => text.slice(0, -1), INVALID],
    ["a longer signature", (text) => `${text}0`, INVALID],
    ["no signature", (text) => text.slice(0, text.indexOf(", Signature")), INVALID],
    ["a fourth item", (text) => `${text}, X=1`, INVALID],
    ["an upper-case name", (text) => text.replace("=content-type", "=Content-Type"), INVALID],
    ["names out of order", (text) => text.replace("content-type;host", "host;content-type"), INVALID],
    ["a name twice", (text) => text.replace("content-type;host", "content-type;host;host"), INVALID],
    ["an empty name", (text) => text.replace("content-type;host", "content-type;host;"), INVALID],
    ["no names", (text) => text.replace("content-type;host", ""), INVALID],
    ["host only", (text) => text.replace("content-type;host", "host"), FAILURE],
    ["content-type only", (text) => text.replace("content-type;host", "content-type"), FAILURE],
    ["a name that is not there", (text) => text.replace(";host", ";host;x-tc-region"), FAILURE],
    [
      "the names of members of every object",
      (text) => text.replace("=content-type", "=__proto__;constructor;content-type"),
      FAILURE,
    ],
    ["a name of one", (text) => text.replace(";host", ";host;valueof"), FAILURE],
    ["another service", (text) => text.replace("/kms/", "/cvm/"), FAILURE],
    ["another signature", (text) => text.replace(s, `${s.startsWith("0") ? "1" : "0"}${s.slice(1)}`), FAILURE],
    ["too long", (text) => text.replace("content-type;host", "a".repeat(4096)), INVALID],
    ["a huge one", () => "TC3-HMAC-SHA256 Credential=".padEnd(10_000_000, " "), INVALID],
    ["an id that is not there", (text) => text.replace(secretId, "AKIDnobody"), "AuthFailure.SecretIdNotFound"],
    ["an id with a blank", (text) => text.replace(secretId, `${secretId} `), "AuthFailure.SecretIdNotFound"],
    ["an id of another kind", (text) => text.replace(secretId, "user@example"), "AuthFailure.InvalidSecretId"],
    ["no id", (text) => text.replace(secretId, ""), INVALID],
    ["an id with a slash", (text) => text.replace(secretId, "a/b"), INVALID],
    ["an id that is too long", (text) => text.replace(secretId, "A".repeat(129)), INVALID],
  ];

  it.each(cases)("%s", (_what, change, code) => {
    expect(codeOf(withAuthorization(change))).toBe(code);
  });

  it("holds at most 64 names", () => {
    const text = (count: number): string =>
      a.authorization.replace("content-type;host", Array.from({ length: count }, (_, i) => `a${i + 100}`).join(";"));
    expect(parseAuthorization(text(64)).signedHeaders.length).toBe(64);
    expect(apiCode(() => parseAuthorization(text(65)))).toBe("AuthFailure.InvalidAuthorization");
    expect(apiCode(() => parseAuthorization(undefined))).toBe("AuthFailure.InvalidAuthorization");
  });

  it("is read in linear time", () => {
    const hostile = [
      `TC3-HMAC-SHA256 Credential=${"a ".repeat(2000)}`,
      `TC3-HMAC-SHA256 Credential=a/2023-11-14/kms/tc3_request${" \t".repeat(2000)}`,
      `TC3-HMAC-SHA256 Credential=a/2023-11-14/kms/tc3_request, SignedHeaders=${"a;".repeat(1990)}`,
    ];
    for (let i = 0; i < 200; i++) {
      for (const text of hostile)
        expect(apiCode(() => parseAuthorization(text))).toBe("AuthFailure.InvalidAuthorization");
    }
  });
});

describe("what clients do differently", () => {
  const d = vector("D");

  it("takes the host with its port or without", () => {
    expect(codeOf(received(d, { host: "127.0.0.1:8443" }), { service: "*" })).toBe("none");
    expect(codeOf(received(d, { host: "127.0.0.1" }), { service: "*" })).toBe("none");
    expect(codeOf(received(d, { host: "127.0.0.2:8443" }), { service: "*" })).toBe("AuthFailure.SignatureFailure");
    expect(codeOf(received(a, { host: "kms.tencentcloudapi.com:8443" }))).toBe("none");
    const b = vector("B");
    expect(codeOf(received(b), { nowSeconds: b.timestamp })).toBe("none");
    expect(codeOf(received(b, { host: "127.0.0.1" }), { nowSeconds: b.timestamp })).toBe(
      "AuthFailure.SignatureFailure",
    );
  });

  it("takes another service only when told", () => {
    const request = received(d, { host: "127.0.0.1:8443" });
    expect(codeOf(request)).toBe("AuthFailure.SignatureFailure");
    expect(codeOf(request, { service: "127" })).toBe("none");
    expect(codeOf(request, { service: "*" })).toBe("none");
  });

  it("takes values as sent or in lower case", () => {
    const b = vector("B");
    const at = { nowSeconds: b.timestamp };
    expect(codeOf(received(b, { "x-tc-action": "Decrypt" }), at)).toBe("none");
    expect(codeOf(received(b, { "x-tc-action": "decrypt" }), at)).toBe("none");
    expect(codeOf(received(b, { "x-tc-action": "Encrypt" }), at)).toBe("AuthFailure.SignatureFailure");
    expect(codeOf(received(a, { "content-type": " application/json\t" }))).toBe("none");
    expect(codeOf(received(a, { "content-type": "text/json" }))).toBe("AuthFailure.SignatureFailure");
  });

  it("signs the query as it is sent", () => {
    const c = vector("C");
    expect(codeOf(received(c))).toBe("none");
    for (const query of ["", "Offset=0&Limit=10", "Limit=10&Offset=0&SearchKeyAlias=a+b%2Bc%2F*%C3%A9"]) {
      expect(codeOf({ ...received(c), query })).toBe("AuthFailure.SignatureFailure");
    }
    expect(codeOf({ ...received(a), query: "x=1" })).toBe("AuthFailure.SignatureFailure");
    expect(codeOf({ ...received(a), query: "x=é" })).toBe("AuthFailure.SignatureFailure");
    expect(codeOf({ ...received(a), path: "/\n" })).toBe("AuthFailure.SignatureFailure");
    expect(codeOf({ ...received(a), path: "/\ud800" })).toBe("AuthFailure.SignatureFailure");
    expect(codeOf({ ...received(a), method: "post" })).toBe("UnsupportedProtocol");
  });

  it("takes an unsigned body only when told", () => {
    const e = vector("E");
    expect(codeOf(received(e))).toBe("AuthFailure.SignatureFailure");
    expect(codeOf(received(e), { allowUnsignedPayload: true })).toBe("none");
    expect(codeOf(received(e, { "x-tc-content-sha256": undefined }), { allowUnsignedPayload: true })).toBe(
      "AuthFailure.SignatureFailure",
    );
    expect(codeOf(received(a), { allowUnsignedPayload: true })).toBe("none");
    // Nobody can leave out what was signed.
    expect(codeOf(received(a, { "x-tc-content-sha256": "UNSIGNED-PAYLOAD" }), { allowUnsignedPayload: true })).toBe(
      "AuthFailure.SignatureFailure",
    );
  });

  it("refuses the older signatures by name", () => {
    const query = "Action=ListKeys&Nonce=1&SecretId=x&Signature=abc%3D&SignatureMethod=HmacSHA256&Timestamp=1700000000";
    const form = { host: "kms.tencentcloudapi.com", "content-type": "application/x-www-form-urlencoded" };
    const requests: RequestToVerify[] = [
      { method: "GET", path: "/", query, headers: { host: form.host }, payload: utf8("") },
      { method: "POST", path: "/", query: "", headers: form, payload: utf8(query) },
      { method: "POST", path: "/", query: "", headers: form, payload: utf8("SignatureMethod=HmacSHA1") },
    ];
    for (const request of requests) {
      const failure = apiFailure(() => verifySignature(request, known({ secretKey }), { nowSeconds: now }));
      expect(failure?.code).toBe("AuthFailure.InvalidAuthorization");
      expect(failure?.message).toContain("HmacSHA1");
    }
    // The same text in a JSON body is nobody's signature.
    const json = received(a, { authorization: undefined, "x-tc-action": undefined });
    expect(codeOf({ ...json, payload: utf8(query) })).toBe("MissingParameter");
  });
});

describe("session tokens", () => {
  const FAILURE = "AuthFailure.TokenFailure";
  const temporary: SecretRecord = { secretKey, token: "token-1", tokenExpiresAtSeconds: now + 10 };
  it.each([
    ["the right token", "token-1", temporary, 0, "none"],
    ["no token", undefined, temporary, 0, FAILURE],
    ["another token", "token-2", temporary, 0, FAILURE],
    ["a longer token", "token-1x", temporary, 0, FAILURE],
    ["a token that is no text", "t\u00f6ken", temporary, 0, FAILURE],
    ["a huge token", "t".repeat(100_000), temporary, 0, FAILURE],
    ["a second before it ends", "token-1", temporary, 9, "none"],
    ["when it ends", "token-1", temporary, 10, FAILURE],
    ["one that never ends", "token-1", { secretKey, token: "token-1" }, 300, "none"],
    ["a token for a lasting credential", "token-1", { secretKey }, 0, FAILURE],
    ["an empty token for a lasting credential", "", { secretKey }, 0, "none"],
  ])("%s", (_what, token, record, seconds, code) => {
    expect(codeOf(received(a, { "x-tc-token": token }), { nowSeconds: now + seconds }, record)).toBe(code);
  });
});

describe("repeated requests", () => {
  it("are taken, unless there is a window", () => {
    const request = received(a);
    expect([codeOf(request), codeOf(request)]).toEqual(["none", "none"]);
    const replay = new ReplayWindow();
    const at = (seconds: number) => codeOf(request, { replay, nowSeconds: now + seconds });
    expect([at(0), at(1), at(2), at(300), at(301)]).toEqual([
      "none",
      "none",
      "AuthFailure.SignatureFailure",
      "AuthFailure.SignatureFailure",
      "AuthFailure.SignatureExpire",
    ]);
  });

  it.each([
    ["x-tc-action", "Decrypt"],
    ["x-tc-version", "2020-01-01"],
    ["x-tc-region", "ap-shanghai"],
    ["x-tc-language", "en-US"],
  ])("are replays at once when the unsigned %s is another", (name, value) => {
    const vectorOfTwo = { ...received(a) };
    const { [name]: _, ...headers } = vectorOfTwo.headers;
    const replay = new ReplayWindow();
    const first = codeOf(vectorOfTwo, { replay });
    expect(first).toBe("none");
    const other = codeOf({ ...vectorOfTwo, headers: { ...headers, [name]: value } }, { replay });
    expect(other).toBe("AuthFailure.SignatureFailure");
    expect(codeOf(vectorOfTwo, { replay })).toBe("none");
  });

  it("are remembered only when they were genuine", () => {
    const replay = new ReplayWindow({ maxEntries: 1 });
    expect(codeOf({ ...received(a), payload: utf8("x") }, { replay })).toBe("AuthFailure.SignatureFailure");
    expect(codeOf(received(a), { replay }, { secretKey, token: "t" })).toBe("AuthFailure.TokenFailure");
    expect(replay.size).toBe(0);
    expect(codeOf(received(a), { replay })).toBe("none");
    expect(codeOf(received(vector("C")), { replay })).toBe("RequestLimitExceeded");
  });

  it("need a window as long as the clock's", () => {
    expect(() =>
      verifySignature(received(a), known({ secretKey }), {
        nowSeconds: now,
        replay: new ReplayWindow({ windowSeconds: 299 }),
      }),
    ).toThrow(expect.objectContaining({ name: "RangeError", code: "ERR_ARGUMENT" }));
  });
});

it("changes its key with the day, and verifies each", () => {
  const signer = createSigner({ secretId, secretKey, token: "session" });
  const headers = { "Content-Type": "application/json", Host: "kms.tencentcloudapi.com", "X-TC-Action": "GetRegions" };
  const midnight = Date.UTC(2024, 11, 31, 23, 59, 59) / 1000;
  const days = [midnight, midnight + 1, midnight].map((timestampSeconds) => {
    const signed = signer.sign({ method: "POST", headers, payload: utf8("{}"), timestampSeconds });
    const request: RequestToVerify = {
      method: "POST",
      path: "/",
      query: "",
      payload: utf8("{}"),
      headers: {
        "content-type": headers["Content-Type"],
        host: headers.Host,
        "x-tc-action": "GetRegions",
        "x-tc-version": "2019-01-18",
        ...Object.fromEntries(Object.entries(signed).map(([name, value]) => [name.toLowerCase(), value as string])),
      },
    };
    const verified = verifySignature(request, known({ secretKey, token: "session" }), { nowSeconds: timestampSeconds });
    expect(verified.signedHeaders).toEqual(["content-type", "host", "x-tc-action"]);
    return parseAuthorization(signed.Authorization).date;
  });
  expect(days).toEqual(["2024-12-31", "2025-01-01", "2024-12-31"]);
});
