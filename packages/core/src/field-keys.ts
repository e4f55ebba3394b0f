// From a branch key to the key of one field and its commitment (docs/fields.md, "Derivation"). It must not know values, names or
// contexts.
import { type AeadKey, importAesGcmKey } from "@fengni/crypto/aes-gcm";
import { equalBytes, wipe } from "@fengni/crypto/bytes";
import { randomBytes } from "@fengni/crypto/random";
import type { WarmBranchKey } from "./branch-key-derive.js";
import { authenticationError } from "./errors.js";
import { encodeFieldHead, FIELD_COMMITMENT_BYTES, FIELD_SALT_BYTES, type FieldParts } from "./field-format.js";

const LABEL = "fengni-field/1";
const KEY_BYTES = 32;
/** Each key seals one field, so that one nonce does. */
export const FIELD_NONCE: Uint8Array = /* @__PURE__ */ new Uint8Array(12);

/** What one new field is sealed with. */
export interface SealingKey {
  readonly head: Uint8Array;
  readonly cipher: AeadKey;
}

/** Derives the key of one new field, with a salt of its own. The branch key is not needed any more afterwards. */
export function newFieldKey(key: WarmBranchKey): SealingKey {
  const salt = randomBytes(FIELD_SALT_BYTES);
  const derived = key.derive(LABEL, salt, KEY_BYTES + FIELD_COMMITMENT_BYTES);
  try {
    const head = encodeFieldHead({ version: key.version, salt, commitment: derived.subarray(KEY_BYTES) });
    return { head, cipher: importAesGcmKey(derived.subarray(0, KEY_BYTES)) };
  } finally {
    wipe(derived);
  }
}

/**
 * Derives the key of a received field, and compares the commitment before the key is used for anything.
 * @throws FengniError `ERR_AUTHENTICATION`
 */
export function openingFieldKey(key: WarmBranchKey, { salt, commitment }: FieldParts): AeadKey {
  const derived = key.derive(LABEL, salt, KEY_BYTES + FIELD_COMMITMENT_BYTES);
  try {
    if (!equalBytes(derived.subarray(KEY_BYTES), commitment)) throw authenticationError();
    return importAesGcmKey(derived.subarray(0, KEY_BYTES));
  } finally {
    wipe(derived);
  }
}
