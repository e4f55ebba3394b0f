// The options of a rewrap, and their checks. Must run nothing.
import { DECRYPT_FIELDS, type DecryptOptions } from "./envelope-options.js";
import { argumentError } from "./errors.js";
import { checkOptions } from "./options.js";

/** Options of a rewrap. */
export interface RewrapOptions extends DecryptOptions {
  /**
   * Keep the encrypted data keys that are there, and add only those of the envelope's wrapping keys that match none: what an
   * optional key missed when the message was written. Default false: the envelope's wrapping keys alone can open the
   * message afterwards.
   */
  readonly heal?: boolean;
  /**
   * Leave a message as it is when each of the envelope's wrapping keys matches one of its encrypted data keys, and there are
   * no others; default false. Not to be used after a key's rotation: an encrypted data key names its key, but does not tell
   * by which version of it it was made.
   */
  readonly unlessCurrent?: boolean;
}

/** {@link RewrapOptions}, checked. */
export interface CheckedRewrapOptions extends DecryptOptions {
  readonly heal: boolean;
  readonly unlessCurrent: boolean;
}

/** Fields of {@link RewrapOptions}. */
export const REWRAP_FIELDS: readonly string[] = [...DECRYPT_FIELDS, "heal", "unlessCurrent"];

/** @throws TypeError (`ERR_ARGUMENT`) */
export function checkRewrapOptions(where: string, options: RewrapOptions): CheckedRewrapOptions {
  checkOptions(where, options, REWRAP_FIELDS);
  const { heal = false, unlessCurrent = false } = options;
  if (typeof heal !== "boolean") throw argumentError("heal expected true or false");
  if (typeof unlessCurrent !== "boolean") throw argumentError("unlessCurrent expected true or false");
  if (heal && unlessCurrent)
    throw argumentError("heal and unlessCurrent exclude each other: heal adds only what lacks");
  return { ...options, heal, unlessCurrent };
}
