// The options of SM2: their checks and defaults. It must not know what they are for.
import { argumentRangeError, assertBytes, assertOneOf } from "./assert.js";
import { utf8ToBytes } from "./bytes.js";
import { assertOptions } from "./options.js";

/** The user id of signers that have agreed on none, as UTF-8. GM/T 0009-2012 section 10. */
export const SM2_DEFAULT_USER_ID = "1234567812345678";

// GB/T 32918.2-2016 5.5: the length in bits has two bytes.
const MAX_USER_ID = 8191;

/** The format that options ask for, or the default; TypeError or RangeError `ERR_ARGUMENT` for wrong options. */
export function formatOf<Format extends string, Options extends { readonly format?: Format }>(
  options: Options,
  formats: readonly [Format, ...Format[]],
  ...others: readonly (keyof Options)[]
): Format {
  assertOptions(options, ["format", ...others]);
  return options.format === undefined ? formats[0] : assertOneOf(options.format, "format", formats);
}

/** A user id as bytes; TypeError or RangeError `ERR_ARGUMENT` for a wrong one. */
export function userIdBytes(userId: Uint8Array | string): Uint8Array {
  const bytes = typeof userId === "string" ? utf8ToBytes(userId) : assertBytes(userId, "userId");
  if (bytes.length <= MAX_USER_ID) return bytes;
  throw argumentRangeError(`"userId" expected at most ${MAX_USER_ID} bytes, got length=${bytes.length}`);
}
