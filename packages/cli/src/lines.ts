// The lines of an input, one after the other, each of bounded length. Must not know what a line means.
import { CliError } from "./failure.js";
import { chunksOf, decodeText, type Input } from "./input.js";

/** One line. */
export interface Line {
  /** Counts from 1. */
  readonly number: number;
  /** Without its end. */
  readonly text: string;
  /** False for a last line without an end: whoever wrote it may have been cut off. */
  readonly isComplete: boolean;
}

const LINE_FEED = 0x0a;

/**
 * Reads line by line: memory holds one line and one chunk. A line ends in LF or CRLF.
 * @param maxBytes - the longest line
 * @throws `ERR_INPUT` for a longer line, or one that is not UTF-8
 */
export async function* linesOf(
  input: Input,
  maxBytes: number,
  signal: AbortSignal,
): AsyncGenerator<Line, void, undefined> {
  let parts: Uint8Array[] = [];
  let length = 0;
  let number = 1;
  const take = (part: Uint8Array): void => {
    length += part.length;
    if (length > maxBytes) {
      throw new CliError("ERR_INPUT", `${input.label}, line ${number} is longer than ${maxBytes} bytes`);
    }
    parts.push(part);
  };
  const finish = (isComplete: boolean): Line => {
    const text = decodeText(Buffer.concat(parts), `${input.label}, line ${number}`).replace(/\r$/, "");
    const line = { number, text, isComplete };
    parts = [];
    length = 0;
    number += 1;
    return line;
  };
  for await (const chunk of chunksOf(input, signal)) {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(LINE_FEED, start);
      if (end < 0) break;
      take(chunk.subarray(start, end));
      yield finish(true);
      start = end + 1;
    }
    take(chunk.subarray(start));
  }
  if (length > 0) yield finish(false);
}
