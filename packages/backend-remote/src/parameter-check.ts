// The check of a request before it is sent, with errors that say what to do instead. It must not know how a request is sent.
import { FengniError } from "@fengni/crypto/errors";
import {
  type Action,
  type ActionName,
  type ApiError,
  type Field,
  isApiError,
  portableCode,
  validateRequest,
} from "@fengni/kms-api";
import { argumentError, rangeError } from "./checks.js";

/** What to do about a value that is too long, by the field's name. */
const ADVICE: Readonly<Record<string, string>> = {
  Plaintext: "seal it in an envelope, whose data key the service wraps",
  PlainText: "seal it in an envelope, whose data key the service wraps",
  Message: "sign its digest, with MessageType DIGEST",
  EncryptionContext: "keep fewer or shorter pairs in it, or a digest of what does not fit",
  NumberOfBytes: "ask more than once, or derive what you need from one key",
  Limit: "read page by page, with Offset",
  KeyIds: "make several calls",
  DataKeyIds: "make several calls",
  Alias: "choose a shorter one",
  DataKeyName: "choose a shorter one",
  Description: "shorten it",
};

interface Excess {
  readonly maximum: number;
  readonly actual: number;
}

/** By how much a value passes the greatest that its field takes; undefined when that is not what is wrong with it. */
function excessOf(field: Field | undefined, value: unknown): Excess | undefined {
  const { max, maxChars, maxBytes, bytes, maxItems, encoding } = field?.limits ?? {};
  let measured: readonly (readonly [number | undefined, number])[] = [];
  if (typeof value === "number") measured = [[max, value]];
  else if (Array.isArray(value)) measured = [[maxItems, value.length]];
  else if (typeof value === "string") {
    const length = Buffer.byteLength(value, encoding === "base64" ? "base64" : "utf8");
    measured = [
      [maxBytes ?? bytes, length],
      [maxChars, value.length],
    ];
  }
  for (const [maximum, actual] of measured) {
    if (maximum !== undefined && actual > maximum) return { maximum, actual };
  }
  return undefined;
}

function fieldName(error: ApiError): string {
  return /`([\w.]+)`/.exec(error.message)?.[1] ?? "";
}

function checkError(error: ApiError, action: Action, params: object): Error {
  const text = `${action.name} cannot be called so, and nothing was sent: ${error.message}`;
  if (/^(?:MissingParameter|UnknownParameter|InvalidParameter)$/.test(error.code)) return argumentError(text, error);
  const name = fieldName(error);
  const excess = excessOf(
    action.request.find((field) => field.name === name),
    (params as Readonly<Record<string, unknown>>)[name],
  );
  const portable = portableCode(error.code);
  if (excess !== undefined) {
    const advice = ADVICE[name] ?? "ask for less";
    return new FengniError(
      "ERR_LIMIT",
      `${action.name}: ${name} is ${excess.actual}, more than the allowed ${excess.maximum}, so nothing was sent: ${advice}`,
      { cause: error, details: { limit: name, ...excess } },
    );
  }
  switch (portable) {
    case "ERR_LIMIT":
    case "ERR_NOT_SUPPORTED":
      return rangeError(text, error);
    case "ERR_KEY_NOT_FOUND":
      return new FengniError(portable, text, { cause: error, details: { keyId: "unknown" } });
    case "ERR_CONFLICT":
      return new FengniError(portable, text, { cause: error, details: { name } });
    default:
      return new FengniError(portable, text, { cause: error });
  }
}

/**
 * Checks the fields of a request.
 * @returns the fields to send
 * @throws TypeError or RangeError `ERR_ARGUMENT` for a field that is missing, unknown, of a wrong type or form; FengniError
 *   `ERR_LIMIT` for one that is too great, and the portable code of the service's where that has a special one
 */
export function checkRequest(action: Action, params: object): object {
  try {
    return validateRequest<ActionName>(action.name, params);
  } catch (error) {
    if (!isApiError(error)) throw error;
    throw checkError(error, action, params);
  }
}
