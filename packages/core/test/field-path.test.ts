// Paths: one spelling each, and strictness about all others.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatPath, type PathStep, parsePath, pathsOverlap, pathTargets } from "../src/json-path.js";

const key = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 6 }),
  fc.constantFrom("", "\\e", "e", "*", "a.b", "[0]", "\\"),
);
const step: fc.Arbitrary<PathStep> = fc.oneof(
  key.map((name): PathStep => ({ kind: "key", key: name })),
  fc.nat({ max: 2 ** 32 - 2 }).map((index): PathStep => ({ kind: "index", index })),
  fc.constantFrom<PathStep>({ kind: "every-key" }, { kind: "every-index" }),
);
const path = fc.array(step, { minLength: 1, maxLength: 6 });

describe("paths", () => {
  test("are read as they are written, so that no two have one text", () => {
    fc.assert(
      fc.property(path, (steps) => {
        expect(parsePath(formatPath(steps))).toEqual(steps);
      }),
      { numRuns: 1000 },
    );
  });

  test("that are read are written the same", () => {
    const text = fc.string({ unit: fc.constantFrom(..."ab.[]*\\e01"), minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(text, (spelling) => {
        let steps: readonly PathStep[];
        try {
          steps = parsePath(spelling);
        } catch (error) {
          expect(error).toMatchObject({ code: "ERR_ARGUMENT" });
          return;
        }
        expect(formatPath(steps)).toBe(spelling);
      }),
      { numRuns: 5000 },
    );
  });

  test.each([
    "",
    ".a",
    "a.",
    "a..b",
    "a[",
    "a[]",
    "a[01]",
    "a[-1]",
    "a[1",
    "a]",
    "[0]a",
    "a*",
    "*a",
    "a\\",
    "a\\b",
    "a[4294967295]",
    "a[1.5]",
    "a.[0]",
    "a.\\ex",
  ])("refuses %j", (text) => {
    expect(() => parsePath(text)).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
  });

  test("refuses what is too long", () => {
    expect(parsePath("a".repeat(4096)).length).toBe(1);
    expect(() => parsePath("a".repeat(4097))).toThrow(/4096/);
    expect(parsePath(Array(64).fill("a").join(".")).length).toBe(64);
    expect(() => parsePath(Array(65).fill("a").join("."))).toThrow(/64 steps/);
  });

  test("overlap exactly when a document can have a place of both", () => {
    const overlap = (a: string, b: string): boolean => {
      const answer = pathsOverlap(parsePath(a), parsePath(b));
      expect(pathsOverlap(parsePath(b), parsePath(a))).toBe(answer);
      return answer;
    };
    for (const [a, b] of [
      ["a", "a"],
      ["a", "a.b"],
      ["*", "a"],
      ["a[*]", "a[3].x"],
      ["a.*.c", "a.b"],
    ] as const) {
      expect(overlap(a, b), `${a} ${b}`).toBe(true);
    }
    for (const [a, b] of [
      ["a", "b"],
      ["a.b", "a.c"],
      ["a[0]", "a[1]"],
      ["a[*]", "a.*"],
      ["*.b", "a.c"],
      ["a[0]", "a.0"],
    ] as const) {
      expect(overlap(a, b), `${a} ${b}`).toBe(false);
    }
  });

  test("lead to own members only, in order, and say where they end", () => {
    const document = { a: [{ b: 1 }, { c: 2 }, null], d: { e: 3, f: undefined } };
    const missed: string[] = [];
    const targets = (text: string): unknown[] =>
      pathTargets(document, parsePath(text), (steps) => missed.push(formatPath(steps))).map(({ steps, value }) => [
        formatPath(steps),
        value,
      ]);
    expect(targets("a[*].b")).toEqual([["a[0].b", 1]]);
    expect(missed).toEqual(["a[1].b", "a[2].b"]);
    expect(targets("d.*")).toEqual([["d.e", 3]]);
    expect(targets("d.toString")).toEqual([]);
    expect(missed.at(-1)).toBe("d.toString");
  });
});
