// Asking a person for a secret on the terminal, without showing what is typed. Must not know what the secret opens.
import type { Readable, Writable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { CliError } from "./failure.js";
import type { CliIo } from "./io.js";

/** A terminal that can stop showing what is typed. */
export interface Terminal {
  readonly input: Readable;
  readonly output: Writable;
  /** Raw: every key arrives as it is pressed and none is shown. */
  setRaw(isRaw: boolean): void;
  /** Does what Ctrl-C does when the terminal is not raw. */
  interrupt(): void;
  close(): void;
}

const MAX_LENGTH = 4096;
const CTRL_C = "\u0003";
const CTRL_D = "\u0004";
const CTRL_U = "\u0015";
const ERASE = ["\b", "\u007f"];
const ENTER = ["\r", "\n"];

/**
 * Reads one line that is not shown.
 * @returns the line without its end; a string, which cannot be wiped
 * @throws `ERR_PASSPHRASE` when the input ends before the line does, `ERR_INTERRUPTED`
 */
export async function readHiddenLine(terminal: Terminal, prompt: string, io: CliIo): Promise<string> {
  const restore = (): void => terminal.setRaw(false);
  terminal.setRaw(true);
  io.cleanups.add(restore);
  terminal.output.write(prompt);
  try {
    return await readLine(terminal, io.signal);
  } finally {
    io.cleanups.delete(restore);
    restore();
    terminal.output.write("\n");
  }
}

/** What a key press means for the line. */
type Outcome = "more" | "complete" | "cancelled" | "interrupted";

/** The line as it is typed: erasing one character or all, and the keys that end it. */
class HiddenLine {
  #characters: string[] = [];

  get text(): string {
    return this.#characters.join("");
  }

  press(character: string): Outcome {
    if (ENTER.includes(character)) return "complete";
    if (character === CTRL_D) return this.#characters.length === 0 ? "cancelled" : "complete";
    if (character === CTRL_C) return "interrupted";
    if (ERASE.includes(character)) this.#characters.pop();
    else if (character === CTRL_U) this.#characters = [];
    else if (character >= " " && this.#characters.length < MAX_LENGTH) this.#characters.push(character);
    return "more";
  }
}

function readLine(terminal: Terminal, signal: AbortSignal): Promise<string> {
  const { input } = terminal;
  const decoder = new StringDecoder("utf8");
  const line = new HiddenLine();
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      input.off("data", onData).off("end", onEnd).off("error", onEnd).pause();
      signal.removeEventListener("abort", onAbort);
    };
    const onAbort = (): void => {
      stop();
      reject(signal.reason);
    };
    const onEnd = (): void => {
      stop();
      reject(new CliError("ERR_PASSPHRASE", "no passphrase was entered"));
    };
    const onData = (chunk: Buffer): void => {
      for (const character of decoder.write(chunk)) {
        const outcome = line.press(character);
        if (outcome === "more") continue;
        if (outcome === "complete") {
          stop();
          resolve(line.text);
        } else if (outcome === "cancelled") {
          onEnd();
        } else {
          // The signal that follows ends the reading.
          terminal.interrupt();
        }
        // What was typed ahead is dropped: it was not meant for a later question.
        return;
      }
    };
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener("abort", onAbort, { once: true });
    input.on("data", onData).on("end", onEnd).on("error", onEnd).resume();
  });
}
