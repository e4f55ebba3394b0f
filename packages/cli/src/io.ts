// What a command may touch of the outside world, so that tests can run commands in-process. Must know no command and no
// process.
import type { Readable, Writable } from "node:stream";
import type { Terminal } from "./terminal.js";

/** A stream for output, and what it says of the terminal behind it. */
export interface OutputStream extends Writable {
  /** True for a terminal. */
  readonly isTTY?: boolean | undefined;
  /** Width of the terminal, in characters. */
  readonly columns?: number | undefined;
}

/** The environment of a command. */
export interface CliIo {
  readonly stdin: Readable;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** Environment variables; `config.ts` reads them. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts when the process is asked to end; its reason is an `ERR_INTERRUPTED`. */
  readonly signal: AbortSignal;
  /**
   * How long the command may take to end after that, in milliseconds, before the process is ended; 1,000 unless it is set. A
   * command that is meant to be ended, `isMeantToEnd`, keeps its exit code; others end by the signal.
   */
  readonly setGraceMs: (graceMs: number, isMeantToEnd?: boolean) => void;
  /** What must be undone if the process ends before the command can: each runs at most once, synchronously. */
  readonly cleanups: Set<() => void>;
  /** The terminal of the user, whatever stdin is; undefined where there is none. */
  readonly openTerminal: () => Terminal | undefined;
  /** A clock that only goes forward, in milliseconds. */
  readonly nowMs: () => number;
  /** The wall clock, in milliseconds since 1970. */
  readonly currentTimeMs: () => number;
}

/**
 * Writes and waits until the stream took it.
 * @throws whatever the stream fails with, such as EPIPE
 */
export function write(stream: Writable, data: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(data, (error) => (error ? reject(error) : resolve()));
  });
}
