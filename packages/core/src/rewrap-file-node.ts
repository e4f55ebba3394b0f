// Rewraps a message in a file, in place: into a new file beside it that takes the old one's name once it is whole. For Node,
// reached from the `./node` subpath only. Must know nothing of messages beyond the engine.
import type { BigIntStats } from "node:fs";
import { constants, type FileHandle, lstat, open, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { bytesToHex } from "@fengni/crypto/bytes";
import { randomBytes } from "@fengni/crypto/random";
import type { Envelope } from "./envelope.js";
import { checkEnvelope } from "./envelope-options.js";
import { argumentError, FengniError, shown } from "./errors.js";
import type { MessageRewrapper } from "./rewrap.js";
import type { RewrapOptions } from "./rewrap-options.js";

/** Bytes that are read and written at a time: more is no faster (docs/large-files.md). */
const BUFFER_BYTES: number = 1024 * 1024;
/** Of the original's mode; what else there is, such as setuid, is not carried over to a file of another owner. */
const PERMISSIONS = 0o777n;

/** Options of {@link rewrapFile}. */
export type RewrapFileOptions = RewrapOptions;

/** What {@link rewrapFile} did. */
export interface RewrappedFile {
  /** Whether the file was left as it was (`unlessCurrent`, `heal`); then only its header was read. */
  readonly isUnchanged: boolean;
  /** Bytes of the file now. */
  readonly size: number;
}

/**
 * Rewraps the message in a file. The new message is written to a file of its own in the same folder, `.fengni-rewrap-` and
 * random digits and `.tmp`, made durable, and then takes the old one's name in one step: whatever fails, and whenever the
 * process dies, under the name is the old message whole, or the new one whole. A process that was killed may leave such a
 * file behind, which may be deleted once no rewrap is at work in that folder. Keeps permissions, and owner and group
 * where this process may set them; extended attributes and access control lists are not kept.
 * @param path - of a regular file
 * @throws as `Envelope.rewrap`; `ERR_CONFLICT` (retryable) when the file was changed or replaced meanwhile;
 *   `ERR_NOT_SUPPORTED` for a symbolic link, a file with further hard links, which would keep the old message, and what is no
 *   regular file; Node's own error when a file cannot be read or written
 */
export async function rewrapFile(
  envelope: Envelope,
  path: string,
  options: RewrapFileOptions = {},
): Promise<RewrappedFile> {
  checkEnvelope("rewrapFile", envelope, "createRewrapper");
  if (typeof path !== "string" || path === "") throw argumentError("path expected the path of a file");
  const rewrapper = envelope.createRewrapper(options);
  try {
    // Checked before too: opening what is no regular file may wait, or do something.
    checkKind(path, await lstat(path, { bigint: true }));
    const original = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
    try {
      const before = await original.stat({ bigint: true });
      checkKind(path, before);
      return await rewrapOpen(original, before, path, rewrapper, options.signal);
    } finally {
      await original.close();
    }
  } finally {
    rewrapper.abort();
  }
}

async function rewrapOpen(
  original: FileHandle,
  before: BigIntStats,
  path: string,
  rewrapper: MessageRewrapper,
  signal: AbortSignal | undefined,
): Promise<RewrappedFile> {
  const buffer = new Uint8Array(BUFFER_BYTES);
  // The header first: a file that stays as it is needs no other.
  let pieces: Uint8Array[] = [];
  let isEnded = false;
  while (rewrapper.isUnchanged === undefined && !isEnded) {
    const { bytesRead } = await original.read(buffer, 0, buffer.length);
    isEnded = bytesRead === 0;
    // The engine says that it is cut.
    pieces = isEnded ? await rewrapper.final() : await rewrapper.update(buffer.subarray(0, bytesRead));
  }
  if (rewrapper.isUnchanged === true) return { isUnchanged: true, size: Number(before.size) };

  const temporary = join(dirname(path), `.fengni-rewrap-${bytesToHex(randomBytes(12))}.tmp`);
  const target = await open(temporary, "wx", 0o600);
  try {
    let size: number;
    try {
      size = await writeAll(target, pieces);
      for (;;) {
        signal?.throwIfAborted();
        const { bytesRead } = await original.read(buffer, 0, buffer.length);
        if (bytesRead === 0) break;
        size += await writeAll(target, await rewrapper.update(buffer.subarray(0, bytesRead)));
      }
      size += await writeAll(target, await rewrapper.final());
      await likeOriginal(target, before);
      await target.sync();
    } finally {
      await target.close();
    }
    signal?.throwIfAborted();
    checkSame(path, before, await original.stat({ bigint: true }));
    checkSame(path, before, await statNow(path));
    await rename(temporary, path);
    await syncFolder(dirname(path));
    return { isUnchanged: false, size };
  } catch (error) {
    // After the rename there is none of this name.
    await unlink(temporary).catch(() => {});
    throw error;
  }
}

async function writeAll(file: FileHandle, pieces: readonly Uint8Array[]): Promise<number> {
  let total = 0;
  for (const piece of pieces) {
    for (let offset = 0; offset < piece.length; ) {
      const { bytesWritten } = await file.write(piece, offset, piece.length - offset);
      offset += bytesWritten;
    }
    total += piece.length;
  }
  return total;
}

/** @throws `ERR_NOT_SUPPORTED` */
function checkKind(path: string, stats: BigIntStats): void {
  const what = stats.isSymbolicLink()
    ? "is a symbolic link: give the path of the file that it names"
    : !stats.isFile()
      ? "is no regular file"
      : stats.nlink > 1n
        ? "has further hard links, which would keep the old message: make it a file of its own first"
        : undefined;
  if (what === undefined) return;
  throw new FengniError("ERR_NOT_SUPPORTED", `the file ${shown(basename(path))} ${what}`, {
    details: { operation: "rewrapFile" },
  });
}

/** @throws `ERR_CONFLICT` */
function checkSame(path: string, before: BigIntStats, now: BigIntStats | undefined): void {
  const isSame =
    now !== undefined &&
    now.dev === before.dev &&
    now.ino === before.ino &&
    now.size === before.size &&
    now.mtimeNs === before.mtimeNs &&
    // Its mode, its owner or its links.
    now.ctimeNs === before.ctimeNs;
  if (isSame) return;
  const name = basename(path);
  throw new FengniError(
    "ERR_CONFLICT",
    `the file ${shown(name)} was changed or replaced while it was rewrapped: it is left as it is now, try again`,
    { retryable: true, details: { name, reason: "changed" } },
  );
}

async function statNow(path: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Owner first: setting it takes away bits of the mode. */
async function likeOriginal(file: FileHandle, { mode, uid, gid }: BigIntStats): Promise<void> {
  try {
    await file.chown(Number(uid), Number(gid));
  } catch {
    // This process may not give files away: the new file is its own, which the permissions then apply to.
  }
  await file.chmod(Number(mode & PERMISSIONS));
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
    // The new message is there under its name, and its bytes are on the disk.
  }
}
