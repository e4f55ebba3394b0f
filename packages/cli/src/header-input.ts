// The header of a message in an input: no more is read than it needs. Must not know what is done with it.
import { DEFAULT_MAX_HEADER_LENGTH, isFengniError } from "@fengni/core";
import { chunksOf, type Input } from "./input.js";

/**
 * Reads until the header is whole. Tries again when the bytes have doubled, so that the work stays linear.
 * @param parse - rejects a beginning that is too short with `ERR_MESSAGE_TRUNCATED`
 */
export async function readHeader<Header>(
  input: Input,
  parse: (beginning: Uint8Array) => Header,
  signal: AbortSignal,
): Promise<Header> {
  const buffer = new Uint8Array(DEFAULT_MAX_HEADER_LENGTH);
  let length = 0;
  let nextTry = 1;
  for await (const chunk of chunksOf(input, signal)) {
    const part = chunk.subarray(0, buffer.length - length);
    buffer.set(part, length);
    length += part.length;
    if (length < nextTry) continue;
    nextTry = Math.min(length * 2, buffer.length);
    try {
      return parse(buffer.subarray(0, length));
    } catch (error) {
      if (length === buffer.length || !isFengniError(error, "ERR_MESSAGE_TRUNCATED")) throw error;
    }
  }
  return parse(buffer.subarray(0, length));
}
