// Which file a command is at, on a terminal. Must not know what is done with it.
import type { OutputStream } from "./io.js";
import { plural } from "./text.js";

/** Work that takes less time shows nothing, in milliseconds. */
const SHOW_AFTER_MS = 500;
const REDRAW_MS = 100;
const DEFAULT_COLUMNS = 80;
/** Carriage return, then erase to the end of the line. */
const CLEAR = "\r\u001b[K";

/** Where it is shown. */
export interface FileProgressOptions {
  readonly stream: OutputStream;
  readonly nowMs: () => number;
  readonly isQuiet: boolean;
}

/** Shows one line with what is counted so far, while it lasts. */
export class FileProgress {
  readonly #options: FileProgressOptions;
  readonly #isEnabled: boolean;
  readonly #startedMs: number;
  #drawnMs = Number.NEGATIVE_INFINITY;
  #isShown = false;

  constructor(options: FileProgressOptions) {
    this.#options = options;
    this.#isEnabled = options.stream.isTTY === true && !options.isQuiet;
    this.#startedMs = options.nowMs();
  }

  /** Says how far it is. */
  show(files: number, messages: number): void {
    if (!this.#isEnabled) return;
    const { stream, nowMs } = this.#options;
    const now = nowMs();
    if (now - this.#startedMs < SHOW_AFTER_MS || now - this.#drawnMs < REDRAW_MS) return;
    this.#drawnMs = now;
    this.#isShown = true;
    const line = `${plural(files, "file")}, ${plural(messages, "message")}`;
    // A terminal of unknown size says 0.
    stream.write(`${CLEAR}${line.slice(0, (stream.columns || DEFAULT_COLUMNS) - 1)}`);
  }

  /** Removes the line: other text may follow. */
  clear(): void {
    if (this.#isShown) this.#options.stream.write(CLEAR);
    this.#isShown = false;
  }
}
