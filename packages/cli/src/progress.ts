// The progress bar on standard error. Must not know what is worked on.
import type { OutputStream } from "./io.js";
import { formatBytes } from "./text.js";

/** Work that takes less time shows no bar, in milliseconds. */
const SHOW_AFTER_MS = 500;
const REDRAW_MS = 100;
const DEFAULT_COLUMNS = 80;
const MAX_BAR_WIDTH = 30;
const MIN_BAR_WIDTH = 5;
/** Carriage return, then erase to the end of the line. */
const CLEAR = "\r\u001b[K";

/** How far the work is. */
export interface ProgressState {
  readonly doneBytes: number;
  /** Undefined when not known. */
  readonly totalBytes: number | undefined;
  readonly elapsedMs: number;
}

/** One line of at most `columns - 1` characters: bar and percent where the total is known, bytes, rate. */
export function renderProgress(state: ProgressState, columns: number): string {
  const { doneBytes, totalBytes, elapsedMs } = state;
  const rate = elapsedMs > 0 ? `  ${(doneBytes / 1000 / elapsedMs).toFixed(1)} MB/s` : "";
  if (totalBytes === undefined) return `${formatBytes(doneBytes)}${rate}`.slice(0, Math.max(0, columns - 1));
  // A file may grow while it is read.
  const share = totalBytes === 0 ? 1 : Math.min(1, doneBytes / totalBytes);
  const percent = `${Math.floor(share * 100)}%`.padStart(4);
  const text = `${percent}  ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}${rate}`;
  const width = Math.min(MAX_BAR_WIDTH, columns - 1 - text.length - 3);
  if (width < MIN_BAR_WIDTH) return text.slice(0, Math.max(0, columns - 1));
  const filled = Math.round(share * width);
  return `[${"#".repeat(filled)}${".".repeat(width - filled)}] ${text}`;
}

/** Where a bar is shown, and of what. */
export interface ProgressOptions {
  readonly stream: OutputStream;
  readonly totalBytes: number | undefined;
  readonly nowMs: () => number;
  /** Shows nothing. */
  readonly isQuiet: boolean;
}

/** Shows how far the work is while it lasts, on a terminal only. */
export class Progress {
  readonly #options: ProgressOptions;
  readonly #isEnabled: boolean;
  readonly #startedMs: number;
  readonly #timer: NodeJS.Timeout | undefined;
  #doneBytes = 0;
  #isShown = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#isEnabled = options.stream.isTTY === true && !options.isQuiet;
    this.#startedMs = options.nowMs();
    if (this.#isEnabled) this.#timer = setInterval(() => this.draw(), REDRAW_MS).unref();
  }

  /** Counts bytes that are done. */
  add(bytes: number): void {
    this.#doneBytes += bytes;
  }

  /** Shows the state; called by a timer. Nothing before the work took half a second. */
  draw(): void {
    const { stream, totalBytes, nowMs } = this.#options;
    const elapsedMs = nowMs() - this.#startedMs;
    if (!this.#isEnabled || elapsedMs < SHOW_AFTER_MS) return;
    this.#isShown = true;
    // A terminal of unknown size says 0.
    const line = renderProgress(
      { doneBytes: this.#doneBytes, totalBytes, elapsedMs },
      stream.columns || DEFAULT_COLUMNS,
    );
    stream.write(`${CLEAR}${line}`);
  }

  /** Removes the bar. */
  finish(): void {
    clearInterval(this.#timer);
    if (this.#isShown) this.#options.stream.write(CLEAR);
    this.#isShown = false;
  }
}
