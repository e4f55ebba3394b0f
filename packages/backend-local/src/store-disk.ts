// Files on disk: reading one whole, replacing one at a stroke. It must not know what is in them, nor who may write when.
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { FengniError } from "@fengni/core";
import { bytesToHex } from "@fengni/crypto/bytes";
import { randomBytes } from "@fengni/crypto/random";
import { storeDamaged } from "./seal.js";

/** The longest file, in bytes: hundreds of thousands of key versions. */
export const MAX_FILE_BYTES: number = 64 * 2 ** 20;
const FILE_MODE = 0o600;
const LEFTOVER = /^(lock\.)?[0-9a-f]{16}\.tmp$/;

/** The file itself, whatever links lead to it, so that all who mean it use one lock and replace the same name. */
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

/** Reads a file whose length is bounded first; it stays open. */
export function readWhole(path: string): { readonly file: number; readonly stats: Stats; readonly bytes: Uint8Array } {
  let file: number;
  try {
    // Without waiting: a pipe would block until somebody writes to it.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    if (!isMissing(cause)) throw storeDamaged(`the file ${path} cannot be read`, cause);
    throw new FengniError("ERR_STORE_NOT_FOUND", `there is no key store ${path}: pass "create: true" to make one`, {
      cause,
      details: { path },
    });
  }
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) throw storeDamaged(`${path} is not a file`);
    if (stats.size > MAX_FILE_BYTES) throw storeDamaged("the file is too long for a key store");
    const bytes = new Uint8Array(stats.size);
    for (let offset = 0; offset < bytes.length; ) {
      const count = readSync(file, bytes, offset, bytes.length - offset, offset);
      if (count === 0) throw storeDamaged("the file is truncated");
      offset += count;
    }
    return { file, stats, bytes };
  } catch (error) {
    closeSync(file);
    if (error instanceof FengniError) throw error;
    throw storeDamaged(`the file ${path} cannot be read`, error);
  }
}

/**
 * Replaces a file at one stroke: a new file in the same folder, on disk before it takes the name; then the name itself. Only under
 * the lock. @throws FengniError `ERR_STORE_BUSY`, with the old file as it was
 */
export function writeDurably(path: string, bytes: Uint8Array): void {
  const folder = dirname(path);
  const prefix = `${basename(path)}.`;
  const temporary = join(folder, `${prefix}${bytesToHex(randomBytes(8))}.tmp`);
  try {
    removeLeftovers(folder, prefix);
    const file = openSync(temporary, "wx", FILE_MODE);
    try {
      writeFileSync(file, bytes);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    const directory = openSync(folder, "r");
    try {
      renameSync(temporary, path);
      fsyncSync(directory);
    } finally {
      closeSync(directory);
    }
  } catch (cause) {
    removeQuietly(temporary);
    throw new FengniError("ERR_STORE_BUSY", `the key store ${path} cannot be written: ${textOf(cause)}`, { cause });
  }
}

/** Temporary files of processes that were killed: whoever holds the lock is the only one who writes the store. */
function removeLeftovers(folder: string, prefix: string): void {
  for (const name of readdirSync(folder)) {
    if (name.startsWith(prefix) && LEFTOVER.test(name.slice(prefix.length))) removeQuietly(join(folder, name));
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It is not there, or cannot be removed; the error that led here says more.
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : "unknown error";
}
