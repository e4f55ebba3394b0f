// Reading the service's answers: what is missing or malformed is refused whole, never used in part. It must not know what the
// values are for.
import { FengniError } from "@fengni/core";
import { base64ToBytes } from "@fengni/crypto/bytes";
import { unusableAnswer } from "./error-map.js";

/** An answer that cannot be believed; whether an action that is not safe to repeat was carried out is then unknown. */
export function answerError(action: string, what: string): FengniError<"ERR_UNAVAILABLE"> {
  return unusableAnswer(action, what);
}

/**
 * Bytes of an answer.
 * @param base64 - standard alphabet with padding, of at least one byte
 * @returns a fresh buffer
 * @throws FengniError `ERR_UNAVAILABLE`, without what was received
 */
export function bytesIn(action: string, field: string, base64: unknown): Uint8Array {
  const bytes = anyBytesIn(action, field, base64);
  if (bytes.length > 0) return bytes;
  throw answerError(action, `${field} is empty`);
}

/** As {@link bytesIn}, where no bytes at all may be the answer. */
export function anyBytesIn(action: string, field: string, base64: unknown): Uint8Array {
  if (typeof base64 === "string") {
    try {
      return base64ToBytes(base64);
    } catch {
      // What it says of the text is not for anybody else: it may be a plaintext.
    }
  }
  throw answerError(action, `${field} is not base64`);
}

/** A text of an answer, not empty. @throws FengniError `ERR_UNAVAILABLE` */
export function textIn(action: string, field: string, text: unknown): string {
  if (typeof text === "string" && text !== "") return text;
  throw answerError(action, `${field} is not a text`);
}

/** The id of a key in an answer, in the form in which ids are compared. @throws FengniError `ERR_UNAVAILABLE` */
export function keyIdIn(action: string, keyId: unknown): string {
  return textIn(action, "KeyId", keyId).toLowerCase();
}

/** A time of an answer in milliseconds. @throws FengniError `ERR_UNAVAILABLE` */
export function timeIn(action: string, field: string, seconds: unknown): number {
  if (typeof seconds === "number" && Number.isSafeInteger(seconds) && seconds > 0) return seconds * 1000;
  throw answerError(action, `${field} is not a time`);
}

/** A time of an answer in milliseconds; undefined where there is none, for which the service writes 0. */
export function optionalTime(seconds: number | undefined): number | undefined {
  return typeof seconds === "number" && seconds > 0 ? seconds * 1000 : undefined;
}

/**
 * The key that answered.
 * @param named - the one that was asked for, in lower case; undefined for any
 * @throws FengniError `ERR_NO_MATCHING_KEY` when it is another one, `ERR_UNAVAILABLE` when there is none
 */
export function requireKey(action: string, answered: unknown, named: string | undefined): string {
  const keyId = keyIdIn(action, answered);
  if (named !== undefined && keyId !== named) throw otherKeyError(action, keyId);
  return keyId;
}

/** The service answered for another key than the one asked for: nothing of its answer is used. */
function otherKeyError(action: string, answered: string): FengniError<"ERR_NO_MATCHING_KEY"> {
  return new FengniError(
    "ERR_NO_MATCHING_KEY",
    `${action} was answered for the key ${shownId(answered)}, not for the key that was named: nothing of the answer is used; a ciphertext opens with the key that made it`,
    { details: { available: [shownId(answered)] } },
  );
}

/** An id from outside as it may stand in a message. */
function shownId(keyId: string): string {
  return /^[\w-]{1,128}$/.test(keyId) ? keyId : "(not an id)";
}
