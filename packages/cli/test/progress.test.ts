// The progress bar, on a terminal that is a test and a clock that a test moves.
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { Progress, renderProgress } from "../src/progress.js";
import { bytesOf, Capture, Folder, runWell } from "./support.js";

const CLEAR = "\r\u001b[K";

describe("one line", () => {
  const state = { doneBytes: 1_500_000, totalBytes: 6_000_000, elapsedMs: 1500 };

  test("bar, percent, bytes and rate", () => {
    expect(renderProgress(state, 80)).toBe("[########......................]  25%  1.5 MB of 6.0 MB  1.0 MB/s");
  });

  test("without a total: bytes and rate", () => {
    expect(renderProgress({ ...state, totalBytes: undefined }, 80)).toBe("1.5 MB  1.0 MB/s");
  });

  test("shorter than the terminal is wide, always", () => {
    for (let columns = 0; columns < 120; columns++) {
      for (const totalBytes of [undefined, 6_000_000, 0]) {
        const line = renderProgress({ ...state, totalBytes }, columns);
        expect(line.length).toBeLessThanOrEqual(Math.max(0, columns - 1));
      }
    }
    expect(renderProgress(state, 40)).toBe(" 25%  1.5 MB of 6.0 MB  1.0 MB/s");
  });

  test("a file that grew is at 100% and no more; an empty one too", () => {
    expect(renderProgress({ ...state, doneBytes: 9_000_000 }, 80)).toMatch(/^\[#{30}\] 100%/);
    expect(renderProgress({ doneBytes: 0, totalBytes: 0, elapsedMs: 0 }, 80)).toBe(
      "[##############################] 100%  0 B of 0 B",
    );
  });
});

describe("drawing", () => {
  function progressOn(stream: Capture, isQuiet = false): { progress: Progress; at: (ms: number) => void } {
    let nowMs = 1000;
    const progress = new Progress({ stream, totalBytes: 2000, nowMs: () => nowMs, isQuiet });
    const at = (ms: number): void => {
      nowMs = 1000 + ms;
      progress.draw();
    };
    return { progress, at };
  }

  test("nothing in the first half second, then a line, cleared at the end", () => {
    const stream = new Capture(true);
    const { progress, at } = progressOn(stream);
    progress.add(1000);
    at(499);
    expect(stream.text).toBe("");
    at(500);
    at(1000);
    progress.finish();
    const bar = "[###############...............]  50%  1.0 kB of 2.0 kB  0.0 MB/s";
    expect(stream.text).toBe(`${CLEAR}${bar}${CLEAR}${bar}${CLEAR}`);
  });

  test("short work leaves no trace", () => {
    const stream = new Capture(true);
    progressOn(stream).progress.finish();
    expect(stream.text).toBe("");
  });

  test("nothing where there is no terminal, nor when quiet", () => {
    for (const [stream, isQuiet] of [
      [new Capture(false), false],
      [new Capture(true), true],
    ] as const) {
      const { progress, at } = progressOn(stream, isQuiet);
      at(5000);
      progress.finish();
      expect(stream.text).toBe("");
    }
  });

  test("a terminal of unknown width counts as 80 wide", () => {
    const stream = new Capture(true, 0);
    progressOn(stream).at(500);
    expect(stream.text).toContain("[....");
  });
});

describe("commands", () => {
  const folder = new Folder();
  const AES = ["--raw-aes-key", folder.write("aes.key", bytesOf(32)), "--namespace", "n", "--name", "k"];

  /** Bytes that come slowly, for a timer to fire between them. */
  function slowly(pause: () => Promise<void>): Readable {
    return Readable.from(
      (async function* () {
        for (let i = 0; i < 3; i++) {
          yield bytesOf(1000);
          await pause();
        }
      })(),
    );
  }

  const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  /** Encrypts on a clock that runs fast; by default for three times as long as the bar would take to be drawn anew. */
  async function encryptSlowly(stderr: Capture, options: string[] = [], pause = () => wait(120)): Promise<string> {
    let nowMs = 0;
    await runWell(["encrypt", "-", "-o", "-", ...AES, ...options], {
      stdin: slowly(pause),
      stderr,
      nowMs: () => (nowMs += 400),
    });
    return stderr.text;
  }

  test("show the bar, clear it, then say what was done", async () => {
    const stderr = new Capture(true);
    const untilDrawn = async (): Promise<void> => {
      const { length } = stderr.text;
      while (stderr.text.length === length) await wait(5);
    };
    expect(await encryptSlowly(stderr, [], untilDrawn)).toMatch(
      // On a slow machine the first one may be drawn before there are any bytes.
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape sequence is what is looked for
      /^(\r\u001b\[K0 B {2}0\.0 MB\/s)*(\r\u001b\[K[123]\.0 kB {2}\d\.\d MB\/s){3,}\r\u001b\[Kfengni: encrypted 3,000 bytes [^\r\u001b]*\n$/,
    );
  });

  test("show none when quiet, or when standard error is no terminal", async () => {
    expect(await encryptSlowly(new Capture(true), ["--quiet"])).toBe("");
    expect(await encryptSlowly(new Capture(false))).toMatch(/^fengni: encrypted [^\r]*\n$/);
  });
});
