// Files as sources of ranges, for Node: reached from the `./node` subpath only, so that browsers never see it. Must know
// nothing of messages.
import { type FileHandle, open } from "node:fs/promises";
import { argumentError } from "./errors.js";
import type { RangeSource } from "./source.js";

/** A file as a source of ranges. */
export interface FileSource extends RangeSource {
  /** Closes the file, where {@link fileSource} opened it; a handle of the caller's stays open. Waits for no read. */
  close(): Promise<void>;
}

/**
 * A file to read ranges of. A file that is replaced by renaming stays readable as it was; one that is written in place
 * while it is read gives errors, never wrong bytes.
 * @param file - a path, or a handle that is open for reading, which stays the caller's
 * @throws Node's own error when the file cannot be opened; TypeError (`ERR_ARGUMENT`) for what is no regular file
 *
 * @example
 * ```ts
 * const source = await fileSource("backup.fengni");
 * try {
 *   const part = await envelope.decryptRange(source, 0, 4096);
 * } finally {
 *   await source.close();
 * }
 * ```
 */
export async function fileSource(file: string | URL | FileHandle): Promise<FileSource> {
  const isOwn = typeof file === "string" || file instanceof URL;
  if (!isOwn && typeof file?.read !== "function")
    throw argumentError("file expected a path, a file URL or a FileHandle");
  const handle = isOwn ? await open(file, "r") : file;
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw argumentError("file expected a regular file: others have no size to read parts of");
    return {
      size: stats.size,
      read: (offset, length) => readPart(handle, offset, length),
      close: async () => {
        if (isOwn) await handle.close();
      },
    };
  } catch (error) {
    if (isOwn) await handle.close();
    throw error;
  }
}

/** Reads a part of a file, or what there is of it. */
async function readPart(handle: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const part = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(part, filled, length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return part.subarray(0, filled);
}
