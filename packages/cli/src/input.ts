// Opening and reading inputs: a file or standard input, whole or bounded. Must not know what the bytes mean.
import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { CliError, type CliErrorCode, isSystemError, systemFailure } from "./failure.js";
import type { CliIo } from "./io.js";

/** Stands for standard input or output on the command line. */
export const STANDARD_STREAM = "-";
/** Bytes of a file that are read at once: large enough that the calls cost little, small enough to hold several. */
const READ_CHUNK_BYTES = 256 * 1024;

/** An input that is open for reading. */
export interface Input {
  readonly stream: Readable;
  /** For people: the path, or `standard input`. */
  readonly label: string;
  /** Size in bytes as it was when the input was opened; undefined where there is none, as for a pipe. */
  readonly sizeBytes: number | undefined;
  /** Stops reading. */
  close(): Promise<void>;
}

/** Opens a file, or standard input for `-`. @throws `ERR_INPUT` */
export async function openInput(path: string, io: CliIo): Promise<Input> {
  if (path === STANDARD_STREAM) {
    return { stream: io.stdin, label: "standard input", sizeBytes: undefined, close: async () => {} };
  }
  try {
    const handle = await open(path, "r");
    const stats = await handle.stat();
    if (stats.isDirectory()) {
      await handle.close();
      throw new CliError("ERR_INPUT", `cannot read ${path}: it is a directory`);
    }
    const stream = handle.createReadStream({ highWaterMark: READ_CHUNK_BYTES });
    const close = (): Promise<void> =>
      new Promise((resolve) => (stream.closed ? resolve() : void stream.once("close", resolve).destroy()));
    return { stream, label: path, sizeBytes: stats.isFile() ? stats.size : undefined, close };
  } catch (error) {
    throw error instanceof CliError ? error : systemFailure("ERR_INPUT", `cannot read ${path}`, error);
  }
}

/** Says of a failed read from which input it was; other errors pass. */
export function inputFailure(input: Pick<Input, "label">, error: unknown): unknown {
  if (!isSystemError(error) || error.syscall !== "read") return error;
  return systemFailure("ERR_INPUT", `cannot read ${input.label}`, error);
}

/** The bytes of an input as they come. Rejects with the signal's reason when it is aborted. */
export async function* chunksOf(input: Input, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  const onAbort = (): void => void input.stream.destroy(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    signal.throwIfAborted();
    yield* input.stream as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw inputFailure(input, error);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/**
 * Reads a text in UTF-8 whole; a byte order mark is left out.
 * @param path - a file, or `-` for standard input
 * @param maxBytes - the longest text that is read
 * @throws `ERR_INPUT`
 */
export async function readText(path: string, maxBytes: number, io: CliIo): Promise<string> {
  const input = await openInput(path, io);
  try {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of chunksOf(input, io.signal)) {
      length += chunk.length;
      if (length > maxBytes) throw new CliError("ERR_INPUT", `${input.label} is longer than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
    return decodeText(Buffer.concat(chunks), input.label);
  } finally {
    await input.close();
  }
}

/** Decodes UTF-8 strictly. @throws `ERR_INPUT` that begins with the label */
export function decodeText(bytes: Uint8Array, label: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new CliError("ERR_INPUT", `${label} is not UTF-8`);
  }
}

/** What {@link readSmallFile} says of a file that it does not take. */
export interface SmallFileRequest {
  readonly path: string;
  /** Longest file that is read. */
  readonly maxBytes: number;
  /** Code of the failure. */
  readonly code: CliErrorCode;
  /** What the file should be, for example `a passphrase`. */
  readonly content: string;
}

/**
 * Reads a file that must be small, such as a key; a pipe serves too. No more than one byte over the bound is read.
 * @returns the bytes, in a buffer of their own, which the caller wipes
 */
export async function readSmallFile(request: SmallFileRequest): Promise<Uint8Array> {
  const { path, maxBytes, code, content } = request;
  const buffer = new Uint8Array(maxBytes + 1);
  try {
    const length = await fill(path, buffer);
    if (length > maxBytes) {
      throw new CliError(code, `${path} is not ${content}: it is longer than ${maxBytes} bytes`);
    }
    return buffer.slice(0, length);
  } catch (error) {
    throw error instanceof CliError ? error : systemFailure(code, `cannot read ${path}`, error);
  } finally {
    buffer.fill(0);
  }
}

async function fill(path: string, buffer: Uint8Array): Promise<number> {
  const handle = await open(path, "r");
  try {
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length, null);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return length;
  } finally {
    await handle.close();
  }
}
