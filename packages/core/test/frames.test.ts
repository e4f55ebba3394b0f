// What no test can reach by writing a message: the end of the sequence numbers, after four thousand million frames.
import { describe, expect, test } from "vitest";
import { FINAL_FRAME_MARK, nextSequence, parseFrameHead } from "../src/wire/frame.js";

describe("sequence numbers", () => {
  test("begin at 1, and end before the mark of the final frame, which alone may have the last", () => {
    expect(nextSequence(0, false)).toBe(1);
    expect(nextSequence(0, true)).toBe(1);
    expect(nextSequence(FINAL_FRAME_MARK - 2, false)).toBe(FINAL_FRAME_MARK - 1);
    expect(() => nextSequence(FINAL_FRAME_MARK - 1, false)).toThrowError(/number of frames/);
    expect(nextSequence(FINAL_FRAME_MARK - 1, true)).toBe(FINAL_FRAME_MARK);
    expect(() => nextSequence(FINAL_FRAME_MARK, true)).toThrowError(/number of frames/);
  });

  test("a frame with the last number is the final one", () => {
    const head = new Uint8Array(24).fill(0xff, 0, 8);
    expect(parseFrameHead(head, FINAL_FRAME_MARK, 16)).toMatchObject({
      kind: "final",
      sequence: FINAL_FRAME_MARK,
      length: 0,
    });
    expect(() => parseFrameHead(head, FINAL_FRAME_MARK - 1, 16)).toThrowError(/out of order/);
  });
});
