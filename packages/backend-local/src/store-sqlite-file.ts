// A key store's file before the engine touches it: found, recognised by its first bytes, held, made. It must not know what is in
// it beyond those bytes, nor root keys.
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  rmSync,
  type Stats,
  statSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { FengniError } from "@fengni/core";
import { bytesToHex, equalBytes, utf8ToBytes } from "@fengni/crypto/bytes";
import { randomBytes } from "@fengni/crypto/random";
import { systemClock } from "./clock.js";
import { storeDamaged, storeUnwritable } from "./store-errors.js";

/** Marks the file as a key store of Fengni ("FNKS"). https://www.sqlite.org/fileformat.html section 1.3 */
export const APPLICATION_ID = 0x464e4b53;
/** The version of the schema. */
export const SCHEMA_VERSION = 2;
/** Length of a page, in bytes. */
export const PAGE_BYTES = 4096;

const FILE_MODE = 0o600;
const HEAD_BYTES = 100;
const LEFTOVER = /^\.[0-9a-f]{16}\.tmp(-journal|-wal|-shm)?$/;
/** Making a file takes a moment: what is older is nobody's. */
const LEFTOVER_AGE_MS = 10 * 60_000;
const SQLITE_MAGIC: Uint8Array = /* @__PURE__ */ utf8ToBytes("SQLite format 3\0");
const FIRST_RELEASE_MAGIC: Uint8Array = /* @__PURE__ */ utf8ToBytes("FENGNIKS");

/** A file that stores of this process have open. */
interface HeldFile {
  readonly file: number;
  users: number;
}

// A process loses its locks on a file when it closes any descriptor of it, so that the one which the first bytes were read with is
// kept until the last store of the process is closed. https://www.sqlite.org/howtocorrupt.html section 2.2
const heldFiles = new Map<string, HeldFile>();

/** A file that was recognised. It is held until it is released. */
export interface StoreFile {
  readonly path: string;
  /** Whether the name still stands for the same file. @throws FengniError `ERR_STORE_DAMAGED` when it does not */
  check(): void;
  release(): void;
}

/** The file itself, whatever links lead to it, so that all who mean it share its journal. */
export function resolveTarget(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // Not there yet: its folder may be.
  }
  const absolute = resolve(path);
  try {
    return join(realpathSync(dirname(absolute)), basename(absolute));
  } catch {
    return absolute;
  }
}

/** What there is under a name; undefined for nothing. */
export function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    throw storeDamaged(`the file ${path} cannot be read`, cause);
  }
}

/**
 * Recognises a key store by its first bytes, which are read without the engine, so that a file that is none stays as it is.
 * @throws FengniError `ERR_STORE_NOT_FOUND`, `ERR_STORE_DAMAGED`
 */
export function holdFile(path: string): StoreFile {
  const stats = statOf(path);
  if (stats === undefined) throw notFound(path);
  if (!stats.isFile()) throw storeDamaged(`${path} is not a file`);
  const name = `${stats.dev}:${stats.ino}`;
  const held = heldFiles.get(name) ?? { file: openChecked(path, stats), users: 0 };
  held.users++;
  heldFiles.set(name, held);
  let isReleased = false;
  return {
    path,
    check: () => {
      const now = statOf(path);
      if (now === undefined) throw storeDamaged(`there is no file ${path} any more`);
      if (now.ino !== stats.ino || now.dev !== stats.dev) {
        throw storeDamaged(`another file took the place of ${path}: open it again`);
      }
    },
    release: () => {
      if (isReleased) return;
      isReleased = true;
      if (--held.users > 0) return;
      heldFiles.delete(name);
      closeSync(held.file);
    },
  };
}

function openChecked(path: string, stats: Stats): number {
  let file: number;
  try {
    // Without waiting: a pipe would block until somebody writes to it.
    file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (cause) {
    throw storeDamaged(`the file ${path} cannot be read`, cause);
  }
  try {
    const opened = fstatSync(file);
    if (opened.ino !== stats.ino || opened.dev !== stats.dev) {
      throw storeDamaged(`another file took the place of ${path}: open it again`);
    }
    checkHead(file, path);
    return file;
  } catch (error) {
    closeSync(file);
    if (error instanceof FengniError) throw error;
    throw storeDamaged(`the file ${path} cannot be read`, error);
  }
}

/** Sections 1.3.1 to 1.3.16 of the file format: everything that is the same in every key store. */
function checkHead(file: number, path: string): void {
  const head = readHead(file);
  if (equalBytes(head.subarray(0, FIRST_RELEASE_MAGIC.length), FIRST_RELEASE_MAGIC)) {
    throw storeDamaged("it has format 1, which was never released and is not read");
  }
  if (head.length < HEAD_BYTES || !equalBytes(head.subarray(0, SQLITE_MAGIC.length), SQLITE_MAGIC)) {
    throw storeDamaged("the file is not a key store, or is truncated");
  }
  const view = new DataView(head.buffer);
  if (view.getUint32(68) !== APPLICATION_ID) throw storeDamaged("the file is a database, but not a key store");
  if (view.getUint32(60) !== SCHEMA_VERSION) throw storeDamaged("its format is not known: use another release");
  const journal = view.getUint16(18);
  const isAsWritten =
    view.getUint16(16) === PAGE_BYTES &&
    (journal === 0x0202 || journal === 0x0101) &&
    view.getUint32(20) === 0x00402020 &&
    view.getUint32(44) === 4 &&
    view.getUint32(52) === 0 &&
    view.getUint32(56) === 1 &&
    view.getUint32(64) === 0 &&
    head.subarray(72, 92).every((byte) => byte === 0);
  if (!isAsWritten) throw storeDamaged("its first page was changed");
  if (isTruncated(file, path)) throw storeDamaged("the file is truncated");
}

/** Whether the file is shorter than it says. While there is a journal, that one counts. */
function isTruncated(file: number, path: string): boolean {
  // Twice: another process may be moving its journal into the file, and making it shorter, between two looks.
  for (let attempt = 0; attempt < 2; attempt++) {
    const pages = new DataView(readHead(file).buffer).getUint32(28);
    const hasJournal = (statOf(`${path}-wal`)?.size ?? 0) > 0;
    if (hasJournal || fstatSync(file).size >= pages * PAGE_BYTES) return false;
  }
  return true;
}

function readHead(file: number): Uint8Array {
  const head = new Uint8Array(HEAD_BYTES);
  return head.slice(0, readSync(file, head, 0, HEAD_BYTES, 0));
}

/**
 * Makes a file whole before it gets its name, so that whoever finds it finds all of it.
 * @param write - fills a file that is there, empty, and closes it
 * @returns false when somebody else made it meanwhile
 * @throws FengniError `ERR_STORE_BUSY`; `ERR_STORE_DAMAGED` when a journal of another file is in its place
 */
export function createFile(path: string, write: (path: string) => void): boolean {
  // The engine would take it for the new file's own. Looked at in this order, it is nobody's who makes the file at this moment.
  if ((statOf(`${path}-wal`)?.size ?? 0) > 0 && statOf(path) === undefined) {
    throw storeDamaged(
      `${path} is gone, but its journal ${path}-wal is there: bring the file back, or remove the journal`,
    );
  }
  const folder = dirname(path);
  const temporary = join(folder, `${basename(path)}.${bytesToHex(randomBytes(8))}.tmp`);
  try {
    removeLeftovers(folder, basename(path));
    // The engine gives its journals the mode of the file that it finds.
    closeSync(openSync(temporary, "wx", FILE_MODE));
    try {
      write(temporary);
      linkSync(temporary, path);
    } finally {
      for (const suffix of ["", "-journal", "-wal", "-shm"]) rmSync(temporary + suffix, { force: true });
    }
    syncFolder(folder);
    return true;
  } catch (cause) {
    if (isCode(cause, "EEXIST")) return false;
    if (cause instanceof FengniError) throw cause;
    const text = cause instanceof Error ? cause.message : "unknown error";
    throw storeUnwritable(`${path}: ${text}`, cause);
  }
}

/** Removes what somebody who was killed while making a file of this name left: an empty store, or a part of one. */
function removeLeftovers(folder: string, name: string): void {
  try {
    for (const entry of readdirSync(folder)) {
      if (!entry.startsWith(`${name}.`) || !LEFTOVER.test(entry.slice(name.length))) continue;
      const left = join(folder, entry);
      if (systemClock.now() - statSync(left).mtimeMs > LEFTOVER_AGE_MS) rmSync(left, { force: true });
    }
  } catch {
    // They are in nobody's way.
  }
}

function syncFolder(folder: string): void {
  let directory: number;
  try {
    directory = openSync(folder, "r");
  } catch (error) {
    // Not every system opens folders; where none is opened, none need be synchronised.
    if (isCode(error, "EISDIR") || isCode(error, "EPERM") || isCode(error, "EACCES")) return;
    throw error;
  }
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function notFound(path: string): FengniError<"ERR_STORE_NOT_FOUND"> {
  return new FengniError("ERR_STORE_NOT_FOUND", `there is no key store ${path}: pass "create: true" to make one`, {
    details: { path },
  });
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
