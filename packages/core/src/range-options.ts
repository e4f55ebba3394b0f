// The options of range reads, with their defaults and checks. Must read nothing.
import { DECRYPT_FIELDS, type DecryptOptions } from "./envelope-options.js";
import { argumentError } from "./errors.js";
import { checkInteger, checkOptions } from "./options.js";

/** Longest range that one read gives unless told otherwise, in bytes. */
export const DEFAULT_MAX_RANGE_LENGTH: number = 64 * 1024 * 1024;

/** Options of a reader of ranges. */
export interface RangeOptions extends DecryptOptions {
  /**
   * Whether the final frame is read and authenticated when the message is opened; default true. Without it, neither the
   * end of the message nor `plaintextLength` is authenticated: of a message that was cut behind a whole frame, ranges
   * come out that are authentic, but a range that reaches past the cut is given shortened, as if the message ended there.
   */
  readonly checkEnd?: boolean;
  /**
   * Read messages whose suite signs, though their signature covers all of the message and cannot be verified from a part;
   * default false: they are refused. Every frame is authenticated all the same, by the data key: what is not known then is
   * that the message comes from the holder of the signing key and not from another holder of the data key.
   */
  readonly allowUnverifiedSignature?: boolean;
  /** Longest range that one read gives, in bytes; default {@link DEFAULT_MAX_RANGE_LENGTH}. */
  readonly maxRangeLength?: number;
}

/** {@link RangeOptions}, checked. */
export interface CheckedRangeOptions extends DecryptOptions {
  readonly checkEnd: boolean;
  readonly allowUnverifiedSignature: boolean;
  readonly maxRangeLength: number;
}

const RANGE_FIELDS: readonly string[] = [...DECRYPT_FIELDS, "checkEnd", "allowUnverifiedSignature", "maxRangeLength"];

/** @throws TypeError, RangeError (`ERR_ARGUMENT`) */
export function checkRangeOptions(where: string, options: RangeOptions): CheckedRangeOptions {
  checkOptions(where, options, RANGE_FIELDS);
  const { checkEnd = true, allowUnverifiedSignature = false } = options;
  if (typeof checkEnd !== "boolean") throw argumentError("checkEnd expected true or false");
  if (typeof allowUnverifiedSignature !== "boolean") {
    throw argumentError("allowUnverifiedSignature expected true or false");
  }
  const maxRangeLength = checkInteger(
    "maxRangeLength",
    options.maxRangeLength ?? DEFAULT_MAX_RANGE_LENGTH,
    0,
    Number.MAX_SAFE_INTEGER,
  );
  return { ...options, checkEnd, allowUnverifiedSignature, maxRangeLength };
}
