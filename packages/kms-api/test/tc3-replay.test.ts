import { describe, expect, it } from "vitest";
import { type ReplayAnswer, ReplayWindow } from "../src/index.js";

function remember(window: ReplayWindow, signature: string, timestampSeconds: number, nowSeconds: number): ReplayAnswer {
  return window.remember({ signature, timestampSeconds, holder: "AKIDone", unsigned: "" }, nowSeconds);
}

describe("the replay window", () => {
  it("takes equal requests of one second, and refuses later ones", () => {
    const window = new ReplayWindow();
    const answers = [1000, 1000, 1001, 1002, 1299].map((now) => remember(window, "s", 1000, now));
    expect(answers).toEqual(["fresh", "fresh", "fresh", "replayed", "replayed"]);
    expect(window.size).toBe(1);
  });

  it("counts from the first use, not from the last nor from the request's time", () => {
    const window = new ReplayWindow({ graceSeconds: 2 });
    const answers = [1100, 1102, 1103, 1104].map((now) => remember(window, "s", 1000, now));
    expect(answers).toEqual(["fresh", "fresh", "replayed", "replayed"]);
  });

  it("takes each once when it is told so", () => {
    const window = new ReplayWindow({ graceSeconds: 0 });
    expect(remember(window, "s", 1000, 1000)).toBe("fresh");
    expect(remember(window, "s", 1000, 1000)).toBe("replayed");
    expect(remember(window, "t", 1000, 1000)).toBe("fresh");
  });

  it("forgets what is out of time, and nothing sooner", () => {
    const window = new ReplayWindow({ windowSeconds: 10 });
    remember(window, "early", 1000, 1005);
    // A client whose clock is ahead stays in time for longer.
    remember(window, "ahead", 1015, 1005);
    remember(window, "x", 1010, 1010);
    expect(window.size).toBe(3);
    remember(window, "y", 1011, 1011);
    expect(window.size).toBe(3);
    expect(remember(window, "ahead", 1015, 1025)).toBe("replayed");
    expect(window.size).toBe(1);
    expect(remember(window, "z", 1026, 1026)).toBe("fresh");
    expect(window.size).toBe(1);
  });

  it("is full at its bound, and has room again later", () => {
    const window = new ReplayWindow({ windowSeconds: 10, maxEntries: 1000, maxEntriesPerHolder: 1000 });
    for (let i = 0; i < 1000; i++) expect(remember(window, `s${i}`, 1000 + (i % 5), 1000)).toBe("fresh");
    expect(remember(window, "one more", 1000, 1000)).toBe("full");
    expect(remember(window, "s0", 1000, 1000)).toBe("fresh");
    expect(remember(window, "s0", 1000, 1009)).toBe("replayed");
    expect(window.size).toBe(1000);
    expect(remember(window, "one more", 1011, 1011)).toBe("fresh");
    expect(window.size).toBe(801);
  });

  it("leaves room for others when one holder has filled its share, which comes back", () => {
    const window = new ReplayWindow({ windowSeconds: 10, maxEntries: 8 });
    const use = { timestampSeconds: 1000, unsigned: "" };
    const answers = ["a", "b", "c"].map((signature) => window.remember({ ...use, signature, holder: "one" }, 1000));
    expect(answers).toEqual(["fresh", "fresh", "full"]);
    expect(window.remember({ ...use, signature: "a", holder: "one" }, 1000)).toBe("fresh");
    expect(window.remember({ ...use, signature: "d", holder: "two" }, 1000)).toBe("fresh");
    expect(window.remember({ ...use, signature: "e", holder: "one", timestampSeconds: 1011 }, 1011)).toBe("fresh");
    expect(window.size).toBe(1);
  });

  it("takes the same signature with anything else for a replay at once", () => {
    const window = new ReplayWindow();
    const use = { signature: "s", timestampSeconds: 1000, holder: "one", unsigned: "Encrypt" };
    expect(window.remember(use, 1000)).toBe("fresh");
    expect(window.remember({ ...use, unsigned: "Decrypt" }, 1000)).toBe("replayed");
    expect(window.remember({ ...use, holder: "two" }, 1000)).toBe("replayed");
    expect(window.remember(use, 1000)).toBe("fresh");
  });

  it("minds no clock that is set back", () => {
    const window = new ReplayWindow();
    expect(remember(window, "s", 1000, 1000)).toBe("fresh");
    expect(remember(window, "t", 900, 900)).toBe("fresh");
    expect(remember(window, "s", 1000, 1200)).toBe("replayed");
  });

  it.each([
    { windowSeconds: 0 },
    { windowSeconds: 1.5 },
    { maxEntries: 0 },
    { maxEntriesPerHolder: 0 },
    { graceSeconds: -1 },
    { graceSeconds: 0.5 },
  ])("refuses %o", (options) => {
    expect(() => new ReplayWindow(options)).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
  });
});
