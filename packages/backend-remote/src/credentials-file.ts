// Reads a small text file that must exist: profiles and tokens. It must not know what is in it.
import { constants, open } from "node:fs/promises";
import { bytesToUtf8 } from "@fengni/crypto/bytes";
import { credentialsError } from "./credentials-static.js";

/** Longest file that is read, in bytes. */
export const MAX_FILE_BYTES = 65_536;

/**
 * The text of a file.
 * @param path - the file
 * @param what - what it is, for messages
 * @returns its text, or undefined where there is no such file
 * @throws FengniError `ERR_CREDENTIALS` when it cannot be read, is a pipe or a device, has more than 65,536 bytes, or is not UTF-8
 */
export async function readSmallFile(path: string, what: string): Promise<string | undefined> {
  const buffer = new Uint8Array(MAX_FILE_BYTES + 1);
  let length = 0;
  let isFile = true;
  try {
    // To open a pipe that nobody writes to would else hold a thread of the process for ever.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      isFile = (await file.stat()).isFile();
      while (isFile && length < buffer.length) {
        const { bytesRead } = await file.read(buffer, length, buffer.length - length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
    } finally {
      await file.close();
    }
    if (isFile && length <= MAX_FILE_BYTES) return bytesToUtf8(buffer.subarray(0, length)).replace(/^\uFEFF/, "");
  } catch (cause) {
    const code = codeOf(cause);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw credentialsError(`${what} ${path} cannot be read${code === undefined ? "" : ` (${code})`}`, cause);
  } finally {
    buffer.fill(0);
  }
  if (!isFile) throw credentialsError(`${what} ${path} is not a regular file`);
  throw credentialsError(`${what} ${path} has more than ${MAX_FILE_BYTES} bytes: it is not the right file`);
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
