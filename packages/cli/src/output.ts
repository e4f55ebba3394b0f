// Where results go: a file that appears whole or not at all, or standard output. Must not know what is written.
import { randomBytes } from "node:crypto";
import { unlinkSync } from "node:fs";
import { type FileHandle, link, lstat, open, realpath, rename, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Writable } from "node:stream";
import { CliError, isSystemError, systemFailure, usageError } from "./failure.js";
import { STANDARD_STREAM } from "./input.js";
import { type CliIo, type OutputStream, write } from "./io.js";

/** Bytes that may wait to be written. */
const WRITE_BUFFER_BYTES = 1024 * 1024;

/** A place for a result. */
export interface OutputTarget {
  /** Absolute or relative path, symbolic links followed; `-` for standard output. */
  readonly path: string;
  readonly isForced: boolean;
}

/** A result that is being written. */
export interface Output {
  readonly sink: Writable;
  /** Makes the result appear. Call it when the sink has finished and everything was verified. */
  commit(): Promise<void>;
  /** Gives up: nothing stays behind. After `commit` it does nothing. */
  discard(): Promise<void>;
}

/** The system calls that differ between file systems; tests replace them. */
export interface LinkCalls {
  readonly link: (from: string, to: string) => Promise<void>;
}

/**
 * Checks a target before anything is read.
 * @throws `ERR_OUTPUT_EXISTS` when there is something and `isForced` is false; `ERR_OUTPUT` when it cannot be written
 */
export async function checkTarget(path: string, isForced: boolean): Promise<OutputTarget> {
  if (path === STANDARD_STREAM) return { path, isForced };
  if (path.endsWith("/")) throw new CliError("ERR_OUTPUT", `cannot write ${path}: it names a directory`);
  try {
    const found = await unlessMissing(lstat(path));
    if (found === undefined) {
      const folder = await stat(dirname(path));
      if (!folder.isDirectory())
        throw new CliError("ERR_OUTPUT", `cannot write ${path}: ${dirname(path)} is no directory`);
      return { path, isForced };
    }
    // A link is followed, as a program that opens the file for writing would.
    const real = found.isSymbolicLink() ? await unlessMissing(realpath(path)) : path;
    if (real === undefined)
      throw new CliError(
        "ERR_OUTPUT",
        `cannot write ${path}: it is a symbolic link to nothing (standard output is "-o -")`,
      );
    const target = await stat(real);
    if (target.isDirectory()) throw new CliError("ERR_OUTPUT", `cannot write ${path}: it is a directory`);
    // Renaming onto /dev/null or a pipe would replace it.
    if (!target.isFile()) {
      throw new CliError(
        "ERR_OUTPUT",
        `cannot write ${path}: it is no regular file; write to standard output with -o -`,
      );
    }
    if (!isForced) throw exists(path);
    return { path: real, isForced };
  } catch (error) {
    throw error instanceof CliError ? error : systemFailure("ERR_OUTPUT", `cannot write ${path}`, error);
  }
}

async function unlessMissing<Value>(call: Promise<Value>): Promise<Value | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isSystemError(error) && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function exists(path: string): CliError {
  return new CliError("ERR_OUTPUT_EXISTS", `${path} exists: add --force to replace it`);
}

/** Refuses to write binary data to a terminal. @throws `ERR_USAGE` */
export function refuseTerminal(target: OutputTarget, stdout: OutputStream): void {
  if (target.path !== STANDARD_STREAM || stdout.isTTY !== true || target.isForced) return;
  throw usageError(
    "a message is binary data: write it to a file with -o FILE, or add --force to show it on the terminal",
  );
}

/**
 * Opens a checked target for writing.
 * @param isSecret - whether only the owner may read the file; otherwise as the umask allows
 */
export async function openOutput(
  target: OutputTarget,
  isSecret: boolean,
  io: CliIo,
  calls: LinkCalls = { link },
): Promise<Output> {
  return target.path === STANDARD_STREAM ? standardOutput(io.stdout) : temporaryFile(target, isSecret, io, calls);
}

function standardOutput(stdout: OutputStream): Output {
  const sink = new Writable({
    highWaterMark: WRITE_BUFFER_BYTES,
    write(chunk: Uint8Array, _encoding, callback) {
      write(stdout, chunk).then(
        () => callback(),
        (error) => callback(outputFailure("standard output", error)),
      );
    },
  });
  return { sink, commit: async () => {}, discard: async () => {} };
}

/** A closed pipe stays what it is: nobody wants to hear of it. */
function outputFailure(label: string, error: unknown): Error {
  if (isSystemError(error) && error.code !== "EPIPE") {
    return systemFailure("ERR_OUTPUT", `cannot write ${label}`, error);
  }
  return error as Error;
}

async function temporaryFile(target: OutputTarget, isSecret: boolean, io: CliIo, calls: LinkCalls): Promise<Output> {
  const { path } = target;
  const temporary = join(dirname(path), `.fengni-${randomBytes(12).toString("hex")}.tmp`);
  const remove = (): void => {
    try {
      unlinkSync(temporary);
    } catch {
      // It is gone already, or cannot be removed: the failure that led here is the one to report.
    }
  };
  // Registered first, so that a signal at any time finds what there is to remove.
  io.cleanups.add(remove);
  let file: FileHandle;
  try {
    file = await open(temporary, "wx", isSecret ? 0o600 : 0o666);
  } catch (error) {
    io.cleanups.delete(remove);
    throw systemFailure("ERR_OUTPUT", `cannot write ${path}`, error);
  }
  const sink = fileSink(file);
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await file.close();
  };
  return {
    sink,
    async commit() {
      try {
        await file.sync();
        await close();
        io.signal.throwIfAborted();
        await (target.isForced ? rename(temporary, path) : appear(temporary, path, calls));
        io.cleanups.delete(remove);
        await syncFolder(dirname(path));
      } catch (error) {
        throw outputFailure(path, error);
      }
    },
    async discard() {
      // A write that is under way ends before the file closes.
      await close().catch(() => {});
      if (io.cleanups.delete(remove)) remove();
    },
  };
}

/** Writes to the end of an open file, and leaves it open. */
function fileSink(file: FileHandle): Writable {
  const writeAll = async (parts: readonly Uint8Array[]): Promise<void> => {
    let rest = parts;
    while (rest.length > 0) {
      const { bytesWritten } = await file.writev(rest);
      rest = behind(rest, bytesWritten);
    }
  };
  return new Writable({
    highWaterMark: WRITE_BUFFER_BYTES,
    write(chunk: Uint8Array, _encoding, callback) {
      writeAll([chunk]).then(() => callback(), callback);
    },
    writev(chunks: readonly { readonly chunk: Uint8Array }[], callback) {
      writeAll(chunks.map(({ chunk }) => chunk)).then(() => callback(), callback);
    },
  });
}

/** What is left of parts of which the first bytes were written. */
function behind(parts: readonly Uint8Array[], written: number): readonly Uint8Array[] {
  let skipped = written;
  for (const [index, part] of parts.entries()) {
    if (skipped < part.length) return [part.subarray(skipped), ...parts.slice(index + 1)];
    skipped -= part.length;
  }
  return [];
}

/** Gives the file its name unless the name was taken meanwhile. */
async function appear(temporary: string, path: string, calls: LinkCalls): Promise<void> {
  try {
    await calls.link(temporary, path);
    await unlink(temporary);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (error.code === "EEXIST") throw exists(path);
    if (!["EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EMLINK"].includes(error.code)) throw error;
    await claimAndRename(temporary, path);
  }
}

/** For file systems without hard links: takes the name with an empty file, then puts the result in its place. */
async function claimAndRename(temporary: string, path: string): Promise<void> {
  try {
    await (await open(path, "wx")).close();
  } catch (error) {
    throw isSystemError(error) && error.code === "EEXIST" ? exists(path) : error;
  }
  try {
    await rename(temporary, path);
  } catch (error) {
    await unlink(path).catch(() => {});
    throw error;
  }
}

/** Makes the new name durable; file systems that cannot do so are left as they are. */
async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch {
    // The result is there and its bytes are on the disk.
  }
}

/** Says of a failed write to which output it was; other errors pass. */
export function writeFailure(target: OutputTarget, error: unknown): unknown {
  if (!isSystemError(error) || error.syscall === "read") return error;
  return outputFailure(target.path === STANDARD_STREAM ? "standard output" : target.path, error);
}
