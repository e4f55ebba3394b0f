// What the tests of the command share: a folder of their own, running a command line in this process, and as a process.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterAll, expect } from "vitest";
import { runCli } from "../src/cli.js";
import type { CliIo, OutputStream } from "../src/io.js";
import type { Terminal } from "../src/terminal.js";

/** A folder for the files of one test file, and names in it. */
export class Folder {
  readonly path: string = mkdtempSync(join(tmpdir(), "fengni-cli-"));

  constructor() {
    afterAll(() => rmSync(this.path, { recursive: true, force: true }));
  }

  at(name: string): string {
    return join(this.path, name);
  }

  /** Writes a file; returns its path. */
  write(name: string, content: Uint8Array | string): string {
    writeFileSync(this.at(name), content);
    return this.at(name);
  }

  read(name: string): Buffer {
    return readFileSync(this.at(name));
  }

  names(): string[] {
    return readdirSync(this.path).sort();
  }

  /** Names of temporary files that were left behind. */
  leftovers(): string[] {
    return this.names().filter((name) => name.startsWith("."));
  }
}

/** Bytes that look random and are always the same. */
export function bytesOf(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** A stream that keeps what is written to it. */
export class Capture extends Writable implements OutputStream {
  readonly chunks: Buffer[] = [];
  readonly isTTY: boolean;
  columns: number;
  /** Resolves when something was written. */
  readonly firstWrite: Promise<void>;
  #wasWritten: () => void = () => {};

  constructor(isTTY = false, columns = 80) {
    super();
    this.firstWrite = new Promise((resolve) => {
      this.#wasWritten = resolve;
    });
    this.isTTY = isTTY;
    this.columns = columns;
  }

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this.chunks.push(Buffer.from(chunk));
    callback();
    this.#wasWritten();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  get text(): string {
    return this.bytes.toString("utf8");
  }
}

/** A terminal whose user types the given lines, one at each prompt. */
export class FakeTerminal implements Terminal {
  readonly input: PassThrough = new PassThrough();
  readonly output: Capture = new Capture(true);
  readonly rawModes: boolean[] = [];
  interrupts = 0;
  isClosed = false;
  readonly #typed: string[];

  constructor(...typed: string[]) {
    this.#typed = typed;
  }

  setRaw(isRaw: boolean): void {
    this.rawModes.push(isRaw);
    const next = isRaw ? this.#typed.shift() : undefined;
    if (next !== undefined) setImmediate(() => this.input.write(next));
  }

  interrupt(): void {
    this.interrupts += 1;
  }

  close(): void {
    this.isClosed = true;
  }
}

export interface RunOptions {
  readonly stdin?: Uint8Array | string | Readable;
  readonly stdout?: Capture;
  readonly stderr?: Capture;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly terminal?: Terminal;
  readonly nowMs?: () => number;
  readonly setGraceMs?: (graceMs: number) => void;
}

export interface RunResult {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs a command line in this process. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { stdin = "" } = options;
  const stdout = options.stdout ?? new Capture();
  const stderr = options.stderr ?? new Capture();
  const cleanups = new Set<() => void>();
  const io: CliIo = {
    stdin: stdin instanceof Readable ? stdin : Readable.from(stdin.length === 0 ? [] : [Buffer.from(stdin)]),
    stdout,
    stderr,
    env: options.env ?? {},
    signal: options.signal ?? new AbortController().signal,
    setGraceMs: options.setGraceMs ?? (() => {}),
    cleanups,
    openTerminal: () => options.terminal,
    nowMs: options.nowMs ?? (() => 0),
    currentTimeMs: () => Date.UTC(2026, 10, 24),
  };
  const exitCode = await runCli(argv, io);
  expect(cleanups.size, "nothing is left to undo").toBe(0);
  return { exitCode, stdout: stdout.bytes, stderr: stderr.text };
}

/** Runs a command line that must succeed. */
export async function runWell(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const result = await run(argv, options);
  expect(result.stderr.includes("(ERR_"), result.stderr).toBe(false);
  expect(result.exitCode).toBe(0);
  return result;
}

/** What a failed command must look like: one line on standard error with this code. */
export function expectFailure(result: Pick<RunResult, "exitCode" | "stderr">, exitCode: 1 | 2, code: string): void {
  expect(result.stderr).toMatch(/^fengni: [^\n]+ \(ERR_[A-Z_]+\)\n$/);
  expect(result.stderr).toContain(`(${code})`);
  expect(result.stderr).not.toMatch(/ {4}at /);
  expect(result.exitCode).toBe(exitCode);
}

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const TSX = import.meta.resolve("tsx");

/** The words that run the command from source. */
export const COMMAND: readonly string[] = [process.execPath, "--conditions=@fengni/source", "--import", TSX, MAIN];

/** Starts the command as a process of its own, with pipes for its three streams. */
export function start(argv: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}): ChildProcess {
  const [node, ...words] = COMMAND as [string, ...string[]];
  return spawn(node, [...words, ...argv], { cwd, env: { PATH: process.env["PATH"] ?? "", ...env }, stdio: "pipe" });
}

export interface ProcessResult extends RunResult {
  readonly signal: NodeJS.Signals | null;
}

/** Collects what a process writes until it has ended. */
export function ended(child: ChildProcess): Promise<ProcessResult> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => stderr.push(chunk));
  return new Promise((resolve, reject) => {
    child.on("error", reject).on("close", (exitCode, signal) => {
      resolve({
        exitCode: exitCode ?? -1,
        signal,
        stdout: Buffer.concat(stdout),
        stderr: Buffer.concat(stderr).toString("utf8"),
      });
    });
  });
}
