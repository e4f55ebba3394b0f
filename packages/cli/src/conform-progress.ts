// Which area of the contract the kit is at, on a terminal. Must not know the kit.
import type { CheckResult } from "@fengni/testing";
import type { OutputStream } from "./io.js";
import { plural } from "./text.js";

const DEFAULT_COLUMNS = 80;
/** Carriage return, then erase to the end of the line. */
const CLEAR = "\r\u001b[K";

/** Shows one line for the area at work while it lasts, and keeps the line of an area in which a check failed. */
export class ConformProgress {
  readonly #stream: OutputStream;
  readonly #areas: number;
  readonly #isEnabled: boolean;
  #area = "";
  #index = 0;
  #checks = 0;
  #failed = 0;

  /** @param areas - how many areas run */
  constructor(stream: OutputStream, areas: number) {
    this.#stream = stream;
    this.#areas = areas;
    this.#isEnabled = stream.isTTY === true;
    if (this.#isEnabled) stream.write(`[0/${areas}] waiting for the backend`);
  }

  /** Counts a check that is done. */
  add({ area, status }: CheckResult): void {
    if (area !== this.#area) {
      this.#endArea();
      [this.#area, this.#checks, this.#failed] = [area, 0, 0];
      this.#index += 1;
    }
    this.#checks += 1;
    if (status === "failed") this.#failed += 1;
    if (!this.#isEnabled) return;
    const index = Math.min(this.#index, this.#areas);
    const line = `[${index}/${this.#areas}] ${area}: ${plural(this.#checks, "check")}, ${this.#failed} failed`;
    this.#stream.write(`${CLEAR}${line.slice(0, (this.#stream.columns || DEFAULT_COLUMNS) - 1)}`);
  }

  /** Writes text between the lines, on whatever standard error is. */
  remark(text: string): void {
    if (text !== "") this.#stream.write(this.#isEnabled ? `${CLEAR}${text}` : text);
  }

  /** Removes the line. */
  finish(): void {
    this.#endArea();
    if (this.#isEnabled) this.#stream.write(CLEAR);
  }

  #endArea(): void {
    if (this.#isEnabled && this.#failed > 0) this.#stream.write("\n");
  }
}
