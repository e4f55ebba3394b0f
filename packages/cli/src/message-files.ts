// The messages among files and folders, found by reading no more than their headers. Must not know what they are wanted for.
import type { Dirent } from "node:fs";
import { constants, type FileHandle, lstat, open, readdir, realpath } from "node:fs/promises";
import { join, sep } from "node:path";
import { DEFAULT_MAX_HEADER_LENGTH, inspect, isFengniError, type MessageHeader } from "@fengni/core";
import { systemFailure } from "./failure.js";
import { MOST_ENCRYPTED_DATA_KEYS } from "./option-table.js";

/** What a file is. */
export type FoundFile =
  | {
      readonly kind: "message";
      readonly path: string;
      readonly sizeBytes: number;
      readonly header: MessageHeader;
      /** The bytes of the header. */
      readonly headerBytes: Uint8Array;
    }
  /** Begins as no message does; or no regular file, a link, or what a command left behind when it was killed. */
  | { readonly kind: "other"; readonly path: string }
  /** Cannot be read, or begins as a message and is none that can be read. */
  | { readonly kind: "unclear"; readonly path: string; readonly error: unknown };

/** Bytes that are read at first: most headers are shorter. */
const FIRST_READ_BYTES = 4096;
/** Temporary files of `encrypt`, `decrypt` and `rewrap`. */
const TEMPORARY = /^\.fengni-.*\.tmp$/;

/**
 * Every file that is named or lies in a folder that is named, folders sorted by name, each file once. Links in folders are
 * not followed, so that nothing is met twice; one that is named itself is.
 * @throws `ERR_INPUT` for a path that is not there
 */
export async function* findMessages(
  paths: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<FoundFile, void, undefined> {
  for (const root of await distinctRoots(paths)) {
    const waiting: Entry[] = [root];
    for (let entry = waiting.pop(); entry !== undefined; entry = waiting.pop()) {
      signal.throwIfAborted();
      if (entry.kind === "folder") {
        try {
          waiting.push(...(await entriesOf(entry.path)).reverse());
        } catch (error) {
          yield unreadable(entry.path, error);
        }
      } else if (entry.kind === "file") {
        yield await readFound(entry.path);
      } else {
        yield { kind: "other", path: entry.path };
      }
    }
  }
}

interface Entry {
  readonly path: string;
  readonly kind: "file" | "folder" | "other";
}

function kindOf(found: Pick<Dirent, "isDirectory" | "isFile">): Entry["kind"] {
  if (found.isDirectory()) return "folder";
  return found.isFile() ? "file" : "other";
}

/** What is named, without what is named twice, or lies in a folder that is named. */
async function distinctRoots(paths: readonly string[]): Promise<readonly Entry[]> {
  const roots: (Entry & { readonly real: string })[] = [];
  for (const path of paths) {
    try {
      const real = await realpath(path);
      const isLink = (await lstat(path)).isSymbolicLink();
      roots.push({ path: isLink ? real : path, real, kind: kindOf(await lstat(real)) });
    } catch (error) {
      throw systemFailure("ERR_INPUT", `cannot read ${path}`, error);
    }
  }
  return roots.filter(({ real }, index) => {
    const isInside = roots.some((other) => other.kind === "folder" && real.startsWith(withSeparator(other.real)));
    return !isInside && roots.findIndex((other) => other.real === real) === index;
  });
}

function withSeparator(path: string): string {
  return path.endsWith(sep) ? path : `${path}${sep}`;
}

async function entriesOf(folder: string): Promise<Entry[]> {
  const found = await readdir(folder, { withFileTypes: true });
  found.sort((a, b) => (a.name < b.name ? -1 : 1));
  return found.map((entry) => ({
    path: join(folder, entry.name),
    kind: TEMPORARY.test(entry.name) ? "other" : kindOf(entry),
  }));
}

async function readFound(path: string): Promise<FoundFile> {
  let file: FileHandle;
  try {
    // What was a file may be a link or a pipe by now: neither is followed, nor waited for.
    file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    return unreadable(path, error);
  }
  try {
    const stats = await file.stat();
    return stats.isFile() ? await readMessage(path, file, stats.size) : { kind: "other", path };
  } catch (error) {
    return unreadable(path, error);
  } finally {
    await file.close();
  }
}

function unreadable(path: string, error: unknown): FoundFile {
  return { kind: "unclear", path, error: systemFailure("ERR_INPUT", `cannot read ${path}`, error) };
}

/** Reads the header, in reads that double. */
async function readMessage(path: string, file: FileHandle, sizeBytes: number): Promise<FoundFile> {
  let beginning: Uint8Array = new Uint8Array(0);
  for (let wanted = FIRST_READ_BYTES; ; wanted *= 2) {
    const before = beginning.length;
    beginning = await readOn(file, beginning, Math.min(wanted, DEFAULT_MAX_HEADER_LENGTH));
    const isAll = beginning.length === before || beginning.length >= DEFAULT_MAX_HEADER_LENGTH;
    if (beginning.length === 0) return { kind: "other", path };
    try {
      const header = inspect(beginning, { maxEncryptedDataKeys: MOST_ENCRYPTED_DATA_KEYS });
      return { kind: "message", path, sizeBytes, header, headerBytes: beginning.slice(0, header.headerLength) };
    } catch (error) {
      if (!isAll && isFengniError(error, "ERR_MESSAGE_TRUNCATED")) continue;
      return isNoMessage(error, beginning) ? { kind: "other", path } : { kind: "unclear", path, error };
    }
  }
}

async function readOn(file: FileHandle, beginning: Uint8Array, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  bytes.set(beginning);
  let filled = beginning.length;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

/**
 * Whether the bytes begin as no message does. What begins as one and cannot be read may be damaged, or of a later version:
 * whoever counts messages must know of it.
 */
function isNoMessage(error: unknown, beginning: Uint8Array): boolean {
  const [first, second] = beginning;
  if (first === 1) return second !== undefined && second !== 0x80;
  if (first === 2) return false;
  if (!isFengniError(error, "ERR_MESSAGE_UNSUPPORTED") || error.details?.encoding !== "base64") return true;
  // Text may begin with the same two letters.
  return !/^[A-Za-z0-9+/]{40,}/.test(Buffer.from(beginning.subarray(0, 64)).toString("latin1"));
}
