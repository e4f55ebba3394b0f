import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSigner, type RequestToVerify, type VerifyOptions, verifySignature } from "../src/index.js";
import { apiCode, secretId, utf8 } from "./support.js";

const numRuns = process.env["SLOW"] === "1" ? 5_000 : 300;
const printable = fc.string({ unit: fc.constantFrom(..."abcXYZ019-_.~!*'()%&=+/"), maxLength: 40 });

interface Signed {
  readonly request: RequestToVerify;
  readonly secretKey: string;
  readonly options: VerifyOptions;
}

/** Signed requests of every form that the signer makes. */
const signed: fc.Arbitrary<Signed> = fc
  .record({
    secretKey: fc.string({ unit: fc.constantFrom(..."abcdefABCDEF0123456789"), minLength: 32, maxLength: 32 }),
    method: fc.constantFrom("GET" as const, "POST" as const),
    path: printable.map((text) => `/${text}`),
    query: printable,
    action: fc.string({ unit: fc.constantFrom(..."abcXYZ019"), minLength: 1, maxLength: 20 }),
    payload: fc.uint8Array({ maxLength: 200 }),
    timestampSeconds: fc.integer({ min: 0, max: 4_000_000_000 }),
    port: fc.constantFrom("", ":8443"),
  })
  .map(({ secretKey, method, path, query: anyQuery, action, payload, timestampSeconds, port }) => {
    const query = method === "GET" ? anyQuery : "";
    const headers = {
      "content-type": "application/json; charset=utf-8",
      host: `kms.example.com${port}`,
      "x-tc-action": action,
    };
    const signer = createSigner({ secretId, secretKey });
    const added = signer.sign({ method, path, query, headers, payload, timestampSeconds });
    const request: RequestToVerify = {
      method,
      path,
      query,
      payload,
      headers: {
        ...headers,
        "x-tc-version": "2019-01-18",
        authorization: added.Authorization,
        "x-tc-timestamp": added["X-TC-Timestamp"],
      },
    };
    return { request, secretKey, options: { nowSeconds: timestampSeconds } };
  });

function codeOf(
  { request, secretKey, options }: Signed,
  change: Partial<RequestToVerify> = {},
  key = secretKey,
): string {
  return apiCode(() =>
    verifySignature({ ...request, ...change }, (id) => (id === secretId ? { secretKey: key } : undefined), options),
  );
}

/** Puts another printable character into a text; letter case does not count, for verifiers ignore it in headers. */
function changed(text: string, at: number, ignoresCase: boolean): string {
  const i = at % text.length;
  const old = text.charCodeAt(i);
  let next = 0x21 + ((old - 0x20 + (at % 90)) % 0x5e);
  const same = (code: number): boolean =>
    code === old || (ignoresCase && String.fromCharCode(code).toLowerCase() === String.fromCharCode(old).toLowerCase());
  while (same(next)) next = 0x21 + ((next - 0x20) % 0x5e);
  return `${text.slice(0, i)}${String.fromCharCode(next)}${text.slice(i + 1)}`;
}

describe("any signed request", () => {
  it("is verified", () => {
    fc.assert(
      fc.property(signed, (given) => {
        expect(codeOf(given)).toBe("none");
      }),
      { numRuns },
    );
  });

  const place = fc.nat({ max: 1_000_000 });

  it("is refused with another method, path or query", () => {
    fc.assert(
      fc.property(
        signed,
        place,
        printable.filter((text) => text !== ""),
        (given, at, more) => {
          const { method, path, query } = given.request;
          expect(codeOf(given, { method: method === "GET" ? "POST" : "GET" })).toBe("AuthFailure.SignatureFailure");
          expect(codeOf(given, { path: changed(path, at, false) })).toBe("AuthFailure.SignatureFailure");
          expect(codeOf(given, { path: `${path}${more}` })).toBe("AuthFailure.SignatureFailure");
          expect(codeOf(given, { query: `${query}${more}` })).toBe("AuthFailure.SignatureFailure");
          if (query === "") return;
          expect(codeOf(given, { query: changed(query, at, false) })).toBe("AuthFailure.SignatureFailure");
          expect(codeOf(given, { query: query.slice(1) })).toBe("AuthFailure.SignatureFailure");
        },
      ),
      { numRuns },
    );
  });

  it("is refused with another value of a signed header", () => {
    fc.assert(
      fc.property(signed, place, fc.constantFrom("content-type", "host", "x-tc-action"), (given, at, name) => {
        const { headers } = given.request;
        const value = headers[name] as string;
        // The port is the one part of a host that need not be signed; here it was, or there is none.
        expect(codeOf(given, { headers: { ...headers, [name]: changed(value, at, true) } })).toBe(
          "AuthFailure.SignatureFailure",
        );
        expect(codeOf(given, { headers: { ...headers, [name]: `${value}x` } })).toBe("AuthFailure.SignatureFailure");
      }),
      { numRuns },
    );
  });

  it("is refused with another byte of the payload, one more or one less", () => {
    fc.assert(
      fc.property(signed, place, fc.integer({ min: 1, max: 255 }), (given, at, flip) => {
        const { payload } = given.request;
        expect(codeOf(given, { payload: utf8(`${"x".repeat(payload.length)}x`) })).toBe("AuthFailure.SignatureFailure");
        if (payload.length === 0) return;
        const other = Uint8Array.from(payload);
        const i = at % other.length;
        other[i] = (other[i] as number) ^ flip;
        expect(codeOf(given, { payload: other })).toBe("AuthFailure.SignatureFailure");
        expect(codeOf(given, { payload: payload.subarray(1) })).toBe("AuthFailure.SignatureFailure");
      }),
      { numRuns },
    );
  });

  it("is refused at another time, under another key, or with another signature", () => {
    fc.assert(
      fc.property(signed, place, fc.integer({ min: 1, max: 200 }), (given, at, seconds) => {
        const { headers } = given.request;
        const later = String(Number(headers["x-tc-timestamp"]) + seconds);
        // Across midnight the date of the credential is wrong before the signature is.
        expect(codeOf(given, { headers: { ...headers, "x-tc-timestamp": later } })).toMatch(
          /^AuthFailure\.(SignatureFailure|InvalidAuthorization)$/,
        );
        expect(codeOf(given, {}, changed(given.secretKey, at, false))).toBe("AuthFailure.SignatureFailure");
        const authorization = headers["authorization"] as string;
        const digit = authorization.length - 64 + (at % 64);
        const flipped = (Number.parseInt(authorization.charAt(digit), 16) ^ (1 + (at % 15))).toString(16);
        const forged = `${authorization.slice(0, digit)}${flipped}${authorization.slice(digit + 1)}`;
        expect(codeOf(given, { headers: { ...headers, authorization: forged } })).toBe("AuthFailure.SignatureFailure");
      }),
      { numRuns },
    );
  });

  it("is never accepted with its authorization changed, and never breaks the verifier", () => {
    fc.assert(
      fc.property(signed, place, fc.string({ unit: "binary", maxLength: 4 }), (given, at, text) => {
        const { headers } = given.request;
        const old = headers["authorization"] as string;
        const i = at % (old.length + 1);
        const authorization = `${old.slice(0, i)}${text}${old.slice(i + text.length)}`;
        // Blanks around the commas are free.
        if (authorization.replaceAll(/[ \t]*,[ \t]*/g, ",") === old.replaceAll(", ", ",")) return;
        expect(codeOf(given, { headers: { ...headers, authorization } })).toMatch(/^AuthFailure\./);
      }),
      { numRuns },
    );
  });
});
