// The audit log: one line for each request, in a file that only grows, and the last of them in memory. It must not know what a
// request is about. It holds names and decisions, never secrets, bodies or what was encrypted.
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { ApiError } from "@fengni/kms-api";
import { EmulatorConfigurationError } from "./configuration-error.js";
import { RecentEntries } from "./recent.js";

/** What is written of one request. What is not known, because the request ended before, is empty. */
export interface AuditEntry {
  /** ISO 8601, by the emulator's clock. */
  readonly time: string;
  readonly requestId: string;
  readonly action: string;
  readonly region: string;
  /** The account that called. */
  readonly uin: string;
  readonly secretId: string;
  /** The address of the peer. */
  readonly ip: string;
  /** What the action presented to the policies, one for each key. */
  readonly resources: readonly string[];
  /** `allow`, `explicit_deny` or `implicit_deny`; empty when no policy was asked. */
  readonly decision: string;
  /** The code of the error that was answered; empty for success. */
  readonly code: string;
  readonly durationMs: number;
  /** The kind of the fault that was switched on for the request. */
  readonly fault?: string;
}

/** How many entries are kept in memory. */
export const AUDIT_RING_ENTRIES = 1_000;
/** How long entries are gathered before they are written: a write for each would cost more than the request. */
const GATHER_MS = 5;
/** More than this waiting for the disk means that the disk does not follow. */
const MAX_WAITING_CHARACTERS = 16 * 1024 * 1024;
const NEW_LINE = 0x0a;

/** Takes each entry as it is recorded. It must not throw: if it does, it is not called again. */
export type AuditListener = (entry: AuditEntry) => void;

/**
 * A log of requests. Entries of a few milliseconds are written together. When the file cannot be written, the log says so
 * through {@link assertWritable} from then on, so that nothing goes on unrecorded.
 */
export class AuditLog {
  readonly #recent = new RecentEntries<AuditEntry>(AUDIT_RING_ENTRIES);
  readonly #listeners = new Set<AuditListener>();
  readonly #file: FileHandle | undefined;
  #waiting: string[] = [];
  #waitingCharacters = 0;
  #writing: Promise<void> | undefined;
  /** Ends the gathering. */
  #hasten: () => void = () => undefined;
  #failure: Error | undefined;
  readonly #failureListeners: ((failure: Error) => void)[] = [];
  #isClosed = false;

  /** A log in memory. {@link open} makes one with a file. */
  constructor(file?: FileHandle) {
    this.#file = file;
  }

  /**
   * A log that appends to a file, which is made, readable by its owner only, when it is not there.
   * @param path - the file
   * @throws EmulatorConfigurationError when it cannot be opened or is no file
   */
  static async open(path: string): Promise<AuditLog> {
    try {
      const file = await open(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, 0o600);
      try {
        await endLastLine(file);
      } catch (error) {
        await file.close();
        throw error;
      }
      return new AuditLog(file);
    } catch (error) {
      throw new EmulatorConfigurationError(`audit.path ${path} cannot be opened for appending: ${messageOf(error)}`);
    }
  }

  /** Whether the file could not be written. */
  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /** Calls `listener` once, when the file cannot be written; at once when it could not before. It must not throw. */
  onFailure(listener: (failure: Error) => void): void {
    if (this.#failure === undefined) this.#failureListeners.push(listener);
    else listener(this.#failure);
  }

  /** @throws ApiError `InternalError` once the file could not be written: a request must not go on unrecorded */
  assertWritable(): void {
    if (this.#failure === undefined && !this.#isClosed) return;
    throw new ApiError("InternalError", "The audit log cannot be written, so that no request is carried out.", {
      cause: this.#failure,
    });
  }

  /** Takes note of a request. */
  record(entry: AuditEntry): void {
    this.#recent.add(entry);
    for (const listener of this.#listeners) {
      try {
        listener(entry);
      } catch {
        this.#listeners.delete(listener);
      }
    }
    if (this.#file === undefined || this.#failure !== undefined || this.#isClosed) return;
    const line = `${JSON.stringify(entry)}\n`;
    this.#waiting.push(line);
    this.#waitingCharacters += line.length;
    if (this.#waitingCharacters > MAX_WAITING_CHARACTERS) this.#fail(new Error("the disk does not follow"));
    this.#writing ??= this.#write(this.#file);
  }

  /** The last entries, the oldest first; at most {@link AUDIT_RING_ENTRIES}. */
  recent(limit: number = AUDIT_RING_ENTRIES): readonly AuditEntry[] {
    return this.#recent.last(limit);
  }

  /** Calls `listener` with every entry from now on. @returns what ends it */
  subscribe(listener: AuditListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when all that was recorded so far is in the file; at once for a log in memory or one that has failed. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) {
      this.#hasten();
      await this.#writing;
    }
  }

  /** Writes what is left and lets go of the file. Idempotent; later entries are not written. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.flush();
    this.#listeners.clear();
    await this.#file?.close();
  }

  async #write(file: FileHandle): Promise<void> {
    while (this.#waiting.length > 0 && this.#failure === undefined) {
      await this.#gather();
      const text = this.#waiting.join("");
      this.#waiting = [];
      this.#waitingCharacters = 0;
      try {
        await file.appendFile(text);
      } catch (error) {
        this.#fail(error instanceof Error ? error : new Error(String(error)));
      }
    }
    this.#writing = undefined;
  }

  #gather(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, GATHER_MS);
      this.#hasten = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #fail(failure: Error): void {
    this.#waiting = [];
    this.#waitingCharacters = 0;
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    for (const listener of this.#failureListeners) listener(failure);
  }
}

/** A line that a full disk or a lost process cut off stays by itself, and is not made one with the next. */
async function endLastLine(file: FileHandle): Promise<void> {
  const stat = await file.stat();
  if (stat.isDirectory()) throw new Error("it is a folder");
  if (!stat.isFile() || stat.size === 0) return;
  const { bytesRead, buffer } = await file.read(Buffer.alloc(1), 0, 1, stat.size - 1);
  if (bytesRead === 1 && buffer[0] !== NEW_LINE) await file.appendFile("\n");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
