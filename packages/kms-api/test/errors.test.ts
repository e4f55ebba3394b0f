import { describe, expect, it } from "vitest";
import {
  type Action,
  ApiError,
  ERROR_CODES,
  errorCodeRow,
  findAction,
  isApiError,
  isKnownErrorCode,
  isRetryable,
  isSafeToRepeat,
  portableCode,
} from "../src/index.js";

function action(name: string): Action {
  const found = findAction(name);
  if (found === undefined) throw new Error(name);
  return found;
}

describe("error codes", () => {
  it("holds every code of the service and its gateway, and the class of each", () => {
    expect(Object.keys(ERROR_CODES).length).toBe(74);
    for (const code of Object.keys(ERROR_CODES)) {
      expect(isKnownErrorCode(code)).toBe(true);
      const [first = ""] = code.split(".");
      if (code.includes(".")) expect(isKnownErrorCode(first), first).toBe(true);
    }
  });

  it.each([
    ["ResourceUnavailable.CmkNotFound", "ERR_KEY_NOT_FOUND"],
    ["ResourceUnavailable.CmkDisabled", "ERR_KEY_STATE"],
    ["InvalidParameterValue.InvalidCiphertext", "ERR_CIPHERTEXT_INVALID"],
    ["FailedOperation.DecryptError", "ERR_AUTHENTICATION"],
    ["RequestLimitExceeded", "ERR_THROTTLED"],
    ["LimitExceeded.CmkLimitExceeded", "ERR_LIMIT"],
    ["UnauthorizedOperation", "ERR_DENIED"],
    ["AuthFailure.UnauthorizedOperation", "ERR_DENIED"],
    ["AuthFailure.SignatureExpire", "ERR_CREDENTIALS"],
    // Unknown ones have the longest part that is known.
    ["ResourceUnavailable.SomethingNew", "ERR_KEY_STATE"],
    ["UnsupportedOperation.ServiceTemporaryUnavailable.Detail", "ERR_UNAVAILABLE"],
    ["RequestLimitExceeded.A.B.C", "ERR_THROTTLED"],
    ["RequestLimitExceededs", "ERR_NOT_SUPPORTED"],
    ["Nothing.Known", "ERR_NOT_SUPPORTED"],
    ["constructor", "ERR_NOT_SUPPORTED"],
    ["__proto__.toString", "ERR_NOT_SUPPORTED"],
    ["", "ERR_NOT_SUPPORTED"],
    [".", "ERR_NOT_SUPPORTED"],
    [`${"x.".repeat(100_000)}`, "ERR_NOT_SUPPORTED"],
  ])("maps %.60s to %s", (code, portable) => {
    expect(portableCode(code)).toBe(portable);
  });

  const hosted = { IsHostedByKms: 1 };
  it.each([
    ["RequestLimitExceeded", "CreateKey", undefined, true],
    ["RequestLimitExceeded.UinLimitExceeded", "ScheduleKeyDeletion", undefined, true],
    ["InternalError", "Encrypt", undefined, true],
    ["InternalError", "CreateKey", undefined, false],
    ["InternalError", "GenerateDataKey", {}, true],
    ["InternalError", "GenerateDataKey", hosted, false],
    ["InternalError", "GenerateDataKey", undefined, false],
    ["RequestLimitExceeded", "GenerateDataKey", hosted, true],
    ["UnsupportedOperation.ServiceTemporaryUnavailable", "Decrypt", undefined, true],
    ["UnsupportedOperation.NotExternalCmk", "Decrypt", undefined, false],
    ["ServiceUnavailable", "ImportDataKey", undefined, false],
    ["FailedOperation", "DescribeKey", undefined, true],
    ["FailedOperation", "DescribeWhiteBoxKeyDetails", undefined, true],
    ["FailedOperation", "Encrypt", undefined, false],
    ["FailedOperation.DecryptError", "GetDataKeyPlaintext", undefined, false],
    ["LimitExceeded", "DescribeKey", undefined, false],
    ["AuthFailure.SignatureExpire", "DescribeKey", undefined, false],
    ["AuthFailure.TokenFailure", "DescribeKey", undefined, false],
    ["Unheard.Of", "DescribeKey", undefined, false],
  ])("%s of %s with %o: send again is %s", (code, name, request, expected) => {
    expect(isRetryable(code, action(name), request)).toBe(expected);
  });

  it("tells an error that passes once the clock is right", () => {
    expect(errorCodeRow("AuthFailure.SignatureExpire").retry).toBe("after-clock");
    expect(errorCodeRow("AuthFailure.SignatureExpired").retry).toBe("after-clock");
  });

  it("knows which requests may be repeated", () => {
    expect(isSafeToRepeat(action("Decrypt"))).toBe(true);
    expect(isSafeToRepeat(action("CreateKey"))).toBe(false);
    expect(isSafeToRepeat(action("GenerateDataKey"), { IsHostedByKms: 0 })).toBe(true);
    expect(isSafeToRepeat(action("GenerateDataKey"), hosted)).toBe(false);
  });

  it("is recognised by its brand", () => {
    const cause = new Error("why");
    const error = new ApiError("UnknownParameter", "text", { cause });
    expect(error).toMatchObject({ name: "ApiError", code: "UnknownParameter", message: "text", cause });
    expect(isApiError(error)).toBe(true);
    expect(isApiError(error, "UnknownParameter")).toBe(true);
    expect(isApiError(error, "MissingParameter")).toBe(false);
    for (const other of [new Error("x"), { code: "UnknownParameter" }, null, "UnknownParameter"]) {
      expect(isApiError(other)).toBe(false);
    }
  });
});
