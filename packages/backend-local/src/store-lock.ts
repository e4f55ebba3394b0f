// The lock that keeps processes from writing one key store at the same time: a file beside it. It must not know what is written.
import { closeSync, linkSync, openSync, readFileSync, readlinkSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { FengniError } from "@fengni/core";
import { bytesToHex } from "@fengni/crypto/bytes";
import { randomBytes } from "@fengni/crypto/random";
import type { ChangeOptions } from "./store.js";

const DEFAULT_WAIT_MS = 10_000;
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 20;
const FILE_MODE = 0o600;
/** Of the file that keeps two processes from removing a dead lock at once. */
const GUARD_SUFFIX = ".removal";

/** Who holds a lock, as its file says. */
interface Holder {
  readonly text: string;
  readonly pid: number | undefined;
  /** The machine, its boot and its process namespace: only there does the process id mean anything. */
  readonly place: string | undefined;
}

/**
 * Runs a section while no other process, and no other store of this one, is in one for the same file. The section is synchronous,
 * so that nothing of this process comes between.
 * @param path - of the lock file
 * @throws FengniError `ERR_STORE_BUSY` when the lock was not free in time, the signal's reason when it
 *   aborted before, and what the section throws
 */
export async function withLock<Result>(
  path: string,
  options: ChangeOptions | undefined,
  section: () => Result,
): Promise<Result> {
  const deadline = performance.now() + (options?.maxWaitMs ?? DEFAULT_WAIT_MS);
  const mine = `${process.pid}\n${placeOfThisProcess()}\n${bytesToHex(randomBytes(8))}\n`;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    options?.signal?.throwIfAborted();
    const holder = readHolder(path);
    if (holder === undefined) {
      if (tryCreate(path, mine)) return runHolding(path, mine, section);
    } else {
      if (isDead(holder) && tryRemoveDead(path, holder)) continue;
      if (performance.now() >= deadline) throw busy(path, holder);
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

function runHolding<Result>(path: string, mine: string, section: () => Result): Result {
  try {
    return section();
  } finally {
    if (readHolder(path)?.text === mine) {
      // Left by a process that was killed while it removed a dead lock: whoever holds the lock knows that none is dead.
      rmSync(path + GUARD_SUFFIX, { force: true });
      unlinkSync(path);
    }
  }
}

/**
 * Makes the lock file with its text at one stroke, also for a process that is killed here: the link fails when the file is there.
 */
function tryCreate(path: string, text: string): boolean {
  const temporary = `${path}.${bytesToHex(randomBytes(8))}.tmp`;
  try {
    writeFileSync(temporary, text, { flag: "wx", mode: FILE_MODE });
    try {
      linkSync(temporary, path);
      return true;
    } catch (error) {
      // Gone: a holder of the lock took the temporary file for a leftover of a killed process.
      if (isCode(error, "EEXIST") || isCode(error, "ENOENT")) return false;
      throw error;
    } finally {
      rmSync(temporary, { force: true });
    }
  } catch (cause) {
    throw new FengniError("ERR_STORE_BUSY", `the key store cannot be written: its lock file ${path} cannot be made`, {
      cause,
    });
  }
}

/** The holder, or undefined when the lock is free again. */
function readHolder(path: string): Holder | undefined {
  try {
    const text = readFileSync(path, "utf8");
    const [first = "", place] = text.split("\n");
    return { text, pid: /^[1-9][0-9]{0,9}$/.test(first) ? Number(first) : undefined, place };
  } catch (cause) {
    if (isCode(cause, "ENOENT")) return undefined;
    throw new FengniError("ERR_STORE_BUSY", `the key store's lock file ${path} cannot be read`, { cause });
  }
}

/** Whether the holder is known to have ended: a process of this very place that is no more. */
function isDead({ pid, place }: Holder): boolean {
  return pid !== undefined && place === placeOfThisProcess() && !isRunning(pid);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !isCode(error, "ESRCH");
  }
}

/**
 * Removes the lock of a process that was killed in its section. Only one process at a time may do so, behind a lock of its own:
 * else the second would remove what the first one made in the meantime.
 */
function tryRemoveDead(path: string, holder: Holder): boolean {
  const guard = path + GUARD_SUFFIX;
  try {
    closeSync(openSync(guard, "wx", FILE_MODE));
  } catch {
    return false;
  }
  try {
    if (readHolder(path)?.text !== holder.text) return true;
    unlinkSync(path);
    return true;
  } finally {
    rmSync(guard, { force: true });
  }
}

function busy(path: string, { pid }: Holder): FengniError<"ERR_STORE_BUSY"> {
  const who = pid === undefined ? "an unknown process" : `process ${pid}`;
  const isGone = pid !== undefined && !isRunning(pid);
  return new FengniError(
    "ERR_STORE_BUSY",
    `the key store is held by ${who}${isGone ? ", which is not running on this machine" : ""}: try again; ` +
      `if that process is dead, the files ${path} and ${path}${GUARD_SUFFIX} may be removed`,
    { retryable: true },
  );
}

let place: string | undefined;

function placeOfThisProcess(): string {
  place ??= [hostname(), readBootId(), readProcessNamespace()].join(" ").replaceAll("\n", "");
  return place;
}

// Both are Linux's own; elsewhere the name of the machine must do.
function readBootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8");
  } catch {
    return "-";
  }
}

function readProcessNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "-";
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
