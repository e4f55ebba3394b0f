// The table of errors: every row counts, and every error that the local KMS's sources make has one.
import { readdirSync, readFileSync } from "node:fs";
import { FengniError } from "@fengni/core";
import { ApiError, isKnownErrorCode } from "@fengni/kms-api";
import { describe, expect, it } from "vitest";
import { ERROR_ROWS, type ErrorRow, type KeyKind, toApiError } from "../src/error-codes.js";

const SOURCES = new URL("../../backend-local/src/", import.meta.url);
const source = readdirSync(SOURCES)
  .filter((name) => name.endsWith(".ts"))
  .map((name) => readFileSync(new URL(name, SOURCES), "utf8"))
  .join("\n");

/** Codes that a client cannot bring about: stores are opened before the first request; providers and branch keys are not served. */
const NOT_FOR_CLIENTS = ["ERR_ROOT_KEY", "ERR_STORE_DAMAGED", "ERR_STORE_NOT_FOUND", "ERR_UNAVAILABLE"];

function matches(pattern: RegExp): readonly string[] {
  return [...new Set([...source.matchAll(pattern)].map(([, found]) => found ?? ""))].sort();
}

/** An error as the local KMS would make it for a row. */
function errorOf({ code, detail, kind }: ErrorRow): FengniError {
  const keyId = kind ?? "anything";
  const details = detail === "key spec" ? { operation: "key spec AES_512" } : { keyId, reason: detail, limit: detail };
  return new FengniError(code, "the message", { details: details as never });
}

const kindOf = (id: string): KeyKind => (id === "key" ? "key" : "white-box-key");

describe("the table", () => {
  it.each(ERROR_ROWS)("$code $detail $kind is $apiCode", (row) => {
    const error = toApiError(errorOf(row), kindOf);
    expect(error.code).toBe(row.apiCode);
    expect(isKnownErrorCode(row.apiCode)).toBe(true);
    expect(error.message).toBe(row.message ?? "the message");
  });

  it("has a row for every reason in the local KMS's sources", () => {
    const reasons = matches(/(?:reason: |keyInvalid\(\s*|wrongState\([^"]*)"([a-z-]+)"/g);
    expect(reasons.length).toBeGreaterThanOrEqual(21);
    const known = new Set(ERROR_ROWS.map(({ detail }) => detail));
    expect(reasons.filter((reason) => !known.has(reason))).toStrictEqual([]);
  });

  it("has a row for every code in the local KMS's sources", () => {
    const codes = matches(/new FengniError\(\s*"(ERR_[A-Z_]+)"/g);
    expect(codes.length).toBeGreaterThanOrEqual(15);
    const known = new Set<string>(ERROR_ROWS.map(({ code }) => code));
    expect(codes.filter((code) => !known.has(code))).toStrictEqual(NOT_FOR_CLIENTS);
  });

  it("has a row without a detail, and it is the last, for every code that comes with details", () => {
    for (const code of new Set(ERROR_ROWS.map((row) => row.code))) {
      const rows = ERROR_ROWS.filter((row) => row.code === code);
      expect(rows.at(-1)?.detail, code).toBeUndefined();
      expect(rows.at(-1)?.kind, code).toBeUndefined();
    }
  });

  it("tells nothing that the local KMS does not throw", () => {
    const known = new Set(ERROR_ROWS.flatMap(({ detail }) => detail ?? []));
    const thrown = new Set([...matches(/"([a-z-]+)"/g), ...matches(/limitError\(\s*["`]([^"`]+)["`]/g)]);
    const composed = ["plaintext length", "ciphertext length", "alias length", "pendingWindowDays", "key spec"];
    expect([...known].filter((detail) => !thrown.has(detail) && !composed.includes(detail))).toStrictEqual([]);
  });
});

describe("other errors", () => {
  it("that are in the service's words stay as they are", () => {
    const error = new ApiError("UnauthorizedOperation", "no");
    expect(toApiError(error)).toBe(error);
  });

  it.each([TypeError, RangeError])("of arguments are the client's", (Kind) => {
    const error = Object.assign(new Kind("limit expected a number"), { code: "ERR_ARGUMENT" });
    expect(toApiError(error)).toMatchObject({ code: "InvalidParameterValue", cause: error });
    expect(toApiError(error).message).toContain("limit expected a number");
  });

  it.each([
    new TypeError("x is not a function"),
    new Error("ENOENT: /secret/path"),
    Object.assign(new Error("wrong"), { code: "ERR_ARGUMENT" }),
    new FengniError("ERR_STORE_DAMAGED", "the key store /secret/path cannot be used"),
    new FengniError("ERR_ROOT_KEY", "the root key does not open /secret/path"),
    "a text",
    undefined,
    null,
  ])("such as %s are internal, and tell nothing", (error) => {
    const { code, message, cause } = toApiError(error);
    expect(code).toBe("InternalError");
    expect(message).toBe("The service has an internal error. Try again later.");
    expect(cause).toBe(error === undefined ? undefined : error);
  });
});
