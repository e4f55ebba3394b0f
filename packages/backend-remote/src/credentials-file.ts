// Reads a small text file that must exist: profiles and tokens. It must not know what is in it.
import { open } from "node:fs/promises";
import { bytesToUtf8 } from "@fengni/crypto/bytes";
import { credentialsError } from "./credentials-static.js";

/** Longest file that is read, in bytes. */
export const MAX_FILE_BYTES = 65_536;

/**
 * The text of a file.
 * @param path - the file
 * @param what - what it is, for messages
 * @returns its text, or undefined where there is no such file
 * @throws FengniError `ERR_CREDENTIALS` when it cannot be read, has more than 65,536 bytes, or is not UTF-8
 */
export async function readSmallFile(path: string, what: string): Promise<string | undefined> {
  const buffer = new Uint8Array(MAX_FILE_BYTES + 1);
  let length = 0;
  try {
    const file = await open(path, "r");
    try {
      while (length < buffer.length) {
        const { bytesRead } = await file.read(buffer, length, buffer.length - length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
    } finally {
      await file.close();
    }
    if (length <= MAX_FILE_BYTES) return bytesToUtf8(buffer.subarray(0, length)).replace(/^\uFEFF/, "");
  } catch (cause) {
    const code = codeOf(cause);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw credentialsError(`${what} ${path} cannot be read${code === undefined ? "" : ` (${code})`}`, cause);
  } finally {
    buffer.fill(0);
  }
  throw credentialsError(`${what} ${path} has more than ${MAX_FILE_BYTES} bytes: it is not the right file`);
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
