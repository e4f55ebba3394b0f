// Every error becomes one line that says what to do, and an exit code.
import { type ErrorCode, type ErrorDetails, FengniError } from "@fengni/core";
import { describe, expect, test } from "vitest";
import { CliError, usageError } from "../src/failure.js";
import { reportFailure } from "../src/report.js";
import { formatBytes, formatCount, plural } from "../src/text.js";

const DETAILS: { readonly [Code in ErrorCode]: ErrorDetails[Code] } = {
  ERR_MESSAGE_INVALID: {},
  ERR_MESSAGE_TRUNCATED: {},
  ERR_MESSAGE_UNSUPPORTED: {},
  ERR_LIMIT: { limit: "frame length", maximum: 1, actual: 2 },
  ERR_AUTHENTICATION: {},
  ERR_CONTEXT_MISMATCH: {},
  ERR_CONTEXT_INVALID: {},
  ERR_NO_MATCHING_KEY: { available: [] },
  ERR_UNWRAP_FAILED: {},
  ERR_KEY_STATE: { keyId: "k", state: "disabled" },
  ERR_KEY_USAGE: { keyId: "k" },
  ERR_KEY_NOT_FOUND: { keyId: "k" },
  ERR_CONFLICT: { name: "n" },
  ERR_KEY_INVALID: {},
  ERR_CIPHERTEXT_INVALID: {},
  ERR_DENIED: {},
  ERR_CREDENTIALS: {},
  ERR_THROTTLED: {},
  ERR_UNAVAILABLE: {},
  ERR_TIMEOUT: { timeoutMs: 1 },
  ERR_NOT_SUPPORTED: { operation: "o" },
  ERR_STORE_NOT_FOUND: { path: "keys" },
  ERR_STORE_DAMAGED: {},
  ERR_STORE_BUSY: {},
  ERR_ROOT_KEY: {},
  ERR_NOT_WARM: { name: "tenant" },
  ERR_CLOSED: {},
};

describe("errors of the libraries", () => {
  for (const [code, details] of Object.entries(DETAILS) as [ErrorCode, ErrorDetails[ErrorCode]][]) {
    test(code, () => {
      const { line, exitCode } = reportFailure(new FengniError(code, "the library's words", { details }));
      expect(exitCode).toBe(1);
      expect(line).toMatch(/^fengni: .+(; |: ).+ \(ERR_[A-Z_]+\)$/);
      expect(line).toContain(`(${code})`);
    });
  }

  test("a limit without an option keeps the library's advice", () => {
    const details = { limit: "encryption context length", maximum: 1, actual: 2 };
    const { line } = reportFailure(new FengniError("ERR_LIMIT", "too long: store less in it", { details }));
    expect(line).toBe("fengni: too long: store less in it (ERR_LIMIT)");
  });

  test("an unknown suite is not taken for one without commitment", () => {
    const { line } = reportFailure(
      new FengniError("ERR_MESSAGE_UNSUPPORTED", "unknown", { details: { suite: "0xffff" } }),
    );
    expect(line).not.toContain("--allow-uncommitted");
  });

  test("a wrong argument is a wrong command line", () => {
    const error = Object.assign(new TypeError("namespace is reserved"), { code: "ERR_ARGUMENT" });
    expect(reportFailure(error)).toEqual({ line: "fengni: namespace is reserved (ERR_USAGE)", exitCode: 2 });
  });
});

describe("other errors", () => {
  test("stay on one line, whatever they are", () => {
    for (const thrown of [new Error("two\nlines\u001b[2J"), "text", undefined, null, 7, {}, Object.create(null)]) {
      const { line, exitCode } = reportFailure(thrown);
      expect(line).toMatch(/^fengni: unexpected failure, please report it: .*\(ERR_INTERNAL\)$/);
      expect(line).not.toMatch(/\p{Cc}/u);
      expect(exitCode).toBe(1);
    }
  });

  test("system errors", () => {
    const error = Object.assign(new Error("EMFILE: too many"), { code: "EMFILE", syscall: "open" });
    expect(reportFailure(error).line).toBe("fengni: open failed: too many files are open (ERR_INPUT)");
    const strange = Object.assign(new Error("EWHAT"), { code: "EWHAT", syscall: "open" });
    expect(reportFailure(strange).line).toBe("fengni: open failed: the system says EWHAT (ERR_INPUT)");
  });

  test("an interruption by way of an aborted pipeline", () => {
    const cause = new CliError("ERR_INTERRUPTED", "interrupted by SIGINT");
    const aborted = Object.assign(new Error("The operation was aborted", { cause }), { name: "AbortError" });
    expect(reportFailure(aborted)).toEqual({ line: "fengni: interrupted by SIGINT (ERR_INTERRUPTED)", exitCode: 1 });
  });

  test("a closed pipe says nothing; a wrong command line has exit code 2", () => {
    const closed = Object.assign(new Error("write EPIPE"), { code: "EPIPE", syscall: "write" });
    expect(reportFailure(closed)).toEqual({ line: undefined, exitCode: 1 });
    expect(reportFailure(usageError("no"))).toEqual({ line: "fengni: no (ERR_USAGE)", exitCode: 2 });
  });
});

describe("numbers", () => {
  test("bytes in decimal units", () => {
    const cases: [number, string][] = [
      [0, "0 B"],
      [999, "999 B"],
      [1000, "1.0 kB"],
      [999_940, "999.9 kB"],
      [999_960, "1.0 MB"],
      [1_234_567_890, "1.2 GB"],
      [9e15, "9.0 PB"],
    ];
    for (const [bytes, text] of cases) expect(formatBytes(bytes)).toBe(text);
  });

  test("counts", () => {
    expect([0, 999, 1000, 1_234_567].map(formatCount)).toEqual(["0", "999", "1,000", "1,234,567"]);
    expect([plural(1, "byte"), plural(2, "byte")]).toEqual(["1 byte", "2 bytes"]);
  });
});
