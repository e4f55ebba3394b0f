#!/usr/bin/env node
// The program: joins the command line to this process, its streams and its signals. All that can be tested without a process
// lies elsewhere.
import { openSync } from "node:fs";
import { ReadStream, WriteStream } from "node:tty";
import { runCli } from "./cli.js";
import { systemTimeMs } from "./clock.js";
import { processEnvironment } from "./config.js";
import { CliError } from "./failure.js";
import type { CliIo } from "./io.js";
import type { Terminal } from "./terminal.js";

const SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
/** How long an interrupted command may take to clean up, in milliseconds, unless it asks for more. */
const GRACE_MS = 1000;

const cleanups = new Set<() => void>();
const interruption = new AbortController();
let received: NodeJS.Signals | undefined;
let graceMs = GRACE_MS;
/** Whether the command was meant to be ended, and its exit code says how it went. */
let keepsExitCode = false;

function cleanUp(): void {
  for (const cleanup of cleanups) {
    cleanups.delete(cleanup);
    cleanup();
  }
}

/** Ends this process as the signal would have, so that the shell that waits for it knows. */
function die(signal: NodeJS.Signals): void {
  cleanUp();
  for (const name of SIGNALS) process.removeAllListeners(name);
  process.kill(process.pid, signal);
}

function onSignal(signal: NodeJS.Signals): void {
  if (received !== undefined) {
    // The second one does not wait.
    die(signal);
    return;
  }
  received = signal;
  interruption.abort(new CliError("ERR_INTERRUPTED", `interrupted by ${signal}`));
  setTimeout(() => die(signal), graceMs).unref();
}

/** The terminal that controls this process, whatever its standard streams are. */
function openTerminal(): Terminal | undefined {
  let input: ReadStream;
  let output: WriteStream;
  try {
    input = new ReadStream(openSync("/dev/tty", "r"));
    output = new WriteStream(openSync("/dev/tty", "w"));
  } catch {
    return undefined;
  }
  return {
    input,
    output,
    setRaw: (isRaw) => void input.setRawMode(isRaw),
    interrupt: () => void process.kill(process.pid, "SIGINT"),
    close() {
      input.destroy();
      output.destroy();
    },
  };
}

const io: CliIo = {
  // Not touched by a command that reads a file.
  get stdin() {
    return process.stdin;
  },
  stdout: process.stdout,
  stderr: process.stderr,
  env: processEnvironment(),
  signal: interruption.signal,
  setGraceMs(wanted, isMeantToEnd = false) {
    graceMs = wanted;
    keepsExitCode = isMeantToEnd;
  },
  cleanups,
  openTerminal,
  nowMs: () => performance.now(),
  currentTimeMs: systemTimeMs,
};

for (const name of SIGNALS) process.on(name, onSignal);
// Whatever ends this process in an orderly way, a fault of ours included.
process.on("exit", cleanUp);
const exitCode = await runCli(process.argv.slice(2), io);
if (received !== undefined && exitCode !== 0 && !keepsExitCode) {
  die(received);
} else {
  // An input that stays open must not keep the process alive; what was written has to go out first.
  process.stdout.write("", () => process.stderr.write("", () => process.exit(exitCode)));
}
