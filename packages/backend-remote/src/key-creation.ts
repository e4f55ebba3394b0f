// What a new key is asked for in the service's words. It must not know how requests are sent.
import type { CreateKeyRequest as CoreRequest } from "@fengni/core";
import { bytesToHex } from "@fengni/crypto/bytes";
import { randomBytes } from "@fengni/crypto/random";
import type { CreateKeyRequest } from "@fengni/kms-api";
import { notSupported } from "./capabilities.js";
import { argumentError, checkFields } from "./checks.js";
import { isSymmetricSpec, SYMMETRIC_USAGE, usageName } from "./names.js";
import { checkAlias, checkDescription } from "./request-checks.js";

/** Begins the alias of a key for which the caller gave none; 32 hexadecimal digits follow. */
export const GENERATED_ALIAS_PREFIX = "fengni-";

const GENERATED_ALIAS_BYTES = 16;
/** `Type` of a request for a key whose material is imported. */
const EXTERNAL_TYPE = 2;

/**
 * The service's request for a new key. The service demands an alias: where the caller gives none, one is made up.
 * @throws TypeError or RangeError `ERR_ARGUMENT`; FengniError `ERR_LIMIT`, `ERR_NOT_SUPPORTED`
 */
export function creationOf(request: CoreRequest): CreateKeyRequest {
  checkFields("createKey", request, ["keySpec", "keyUsage", "origin", "alias", "description"]);
  const { keySpec = "AES_256", keyUsage, origin = "provider", alias, description } = request;
  const usage = usageName(keySpec, keyUsage);
  if (usage === undefined) throw notSupported("createKey", "there is no such spec, or no key of it has this usage");
  if (origin !== "provider" && origin !== "external") throw argumentError('origin expected "provider" or "external"');
  if (origin === "external" && !isSymmetricSpec(keySpec)) {
    throw notSupported("createKey", "only symmetric keys take material from outside");
  }
  return {
    Alias: alias === undefined ? generateAlias() : checkAlias(alias),
    ...(description === undefined ? {} : { Description: checkDescription(description) }),
    ...(usage === SYMMETRIC_USAGE ? {} : { KeyUsage: usage }),
    ...(origin === "external" ? { Type: EXTERNAL_TYPE } : {}),
  };
}

function generateAlias(): string {
  return `${GENERATED_ALIAS_PREFIX}${bytesToHex(randomBytes(GENERATED_ALIAS_BYTES))}`;
}
