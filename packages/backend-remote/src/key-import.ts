// Key material that somebody brings, in the service's words. It must not know how requests are sent.
import { type ImportKeyMaterialRequest as CoreRequest, FengniError, type ImportParameters } from "@fengni/core";
import { assertBytes, bytesToBase64, bytesToUtf8, utf8ToBytes } from "@fengni/crypto/bytes";
import type { GetParametersForImportResponse, ImportKeyMaterialRequest } from "@fengni/kms-api";
import { checkFields, rangeError } from "./checks.js";
import { bytesIn, keyIdIn, textIn, timeIn } from "./key-answers.js";
import { limitError } from "./request-checks.js";

/** Length of what RSA-2048 encrypts to, in bytes. */
const WRAPPED_MATERIAL_BYTES = 256;
/** Longest token, in characters. */
const MAX_TOKEN_CHARACTERS = 8_192;
/** The latest time at which material may expire, in the service's seconds. */
const MAX_VALID_TO_SECONDS = 2_147_443_200;
const ACTION = "GetParametersForImport";

/** The parameters of an import. The token is the text of the service as UTF-8: what it looks like is the service's affair. */
export function importParametersIn(answer: GetParametersForImportResponse): ImportParameters {
  return {
    keyId: keyIdIn(ACTION, answer.KeyId),
    importToken: utf8ToBytes(textIn(ACTION, "ImportToken", answer.ImportToken)),
    publicKey: bytesIn(ACTION, "PublicKey", answer.PublicKey),
    validToMs: timeIn(ACTION, "ParametersValidTo", answer.ParametersValidTo),
  };
}

/**
 * The service's request to import material, without the key.
 * @throws TypeError or RangeError `ERR_ARGUMENT`; FengniError `ERR_LIMIT`, `ERR_KEY_INVALID`
 */
export function importOf(request: CoreRequest): Omit<ImportKeyMaterialRequest, "KeyId"> {
  checkFields("importKeyMaterial", request, ["keyId", "encryptedKeyMaterial", "importToken", "validToMs"]);
  const { encryptedKeyMaterial, importToken, validToMs } = request;
  if (assertBytes(encryptedKeyMaterial, "encryptedKeyMaterial").length !== WRAPPED_MATERIAL_BYTES) {
    throw new FengniError(
      "ERR_KEY_INVALID",
      `encryptedKeyMaterial expected ${WRAPPED_MATERIAL_BYTES} bytes: wrap the material with the public key of the parameters`,
      { details: { reason: "material-undecryptable" } },
    );
  }
  return {
    EncryptedKeyMaterial: bytesToBase64(encryptedKeyMaterial),
    ImportToken: tokenText(importToken),
    ...(validToMs === undefined ? {} : { ValidTo: validToSeconds(validToMs) }),
  };
}

function tokenText(importToken: Uint8Array): string {
  const { length } = assertBytes(importToken, "importToken");
  try {
    const text = length <= MAX_TOKEN_CHARACTERS ? bytesToUtf8(importToken) : "";
    if (text !== "") return text;
  } catch {
    // Said below, in one way for all.
  }
  throw new FengniError("ERR_KEY_INVALID", "importToken is not a token of getParametersForImport: ask for another", {
    details: { reason: "token-invalid" },
  });
}

/** Whole seconds, rounded down: material does not live longer than was asked for. 0 would mean for ever. */
function validToSeconds(validToMs: number): number {
  const seconds = typeof validToMs === "number" ? Math.floor(validToMs / 1000) : Number.NaN;
  if (!(seconds >= 1)) throw rangeError("validToMs expected a time in milliseconds since the Unix epoch");
  if (seconds <= MAX_VALID_TO_SECONDS) return seconds;
  throw limitError("validToMs", MAX_VALID_TO_SECONDS * 1000, validToMs, "choose an earlier time, or leave it out");
}
