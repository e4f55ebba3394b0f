// Wildcards: against a plain definition, and that hostile patterns cost no more than their length.
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { compileWildcard } from "../src/policy-wildcard.js";

/** The definition itself, by dynamic programming over both texts. */
function matchesByDefinition(pattern: string, text: string): boolean {
  let row = Array.from({ length: text.length + 1 }, (_, at) => at === 0);
  for (const character of pattern) {
    const next: boolean[] = [];
    for (let at = 0; at <= text.length; at++) {
      const before = at > 0 && (next[at - 1] ?? false);
      const diagonal = at > 0 && (row[at - 1] ?? false) && text[at - 1] === character;
      next.push(character === "*" ? (row[at] ?? false) || before : diagonal);
    }
    row = next;
  }
  return row[text.length] ?? false;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("wildcards", () => {
  test.each([
    ["", "", true],
    ["", "a", false],
    ["*", "", true],
    ["**", "abc", true],
    ["abc", "abc", true],
    ["abc", "abcd", false],
    ["ab*", "ab", true],
    ["ab*", "a", false],
    ["*ab", "xxab", true],
    ["*ab", "aab*", false],
    ["a*a", "a", false],
    ["a*a", "aa", true],
    ["ab*ba", "aba", false],
    ["a*b*c", "a-b-b-c", true],
    ["a*bc*c", "abc", false],
    ["*aab*", "aaab", true],
    ["*abab*c", "abaababxc", true],
    ["a*", "*", false],
    ["a.c", "abc", false],
    ["[a]*", "[a]b", true],
    ["a?c", "abc", false],
  ])("%j on %j is %j", (pattern, text, expected) => {
    expect(compileWildcard(pattern)(text)).toBe(expected);
    expect(matchesByDefinition(pattern, text)).toBe(expected);
  });

  test("agree with the definition", () => {
    const short = (letters: string): fc.Arbitrary<string> =>
      fc.array(fc.constantFrom(...letters), { maxLength: 14 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(short("ab*"), short("ab"), (pattern, text) => {
        expect(compileWildcard(pattern)(text)).toBe(matchesByDefinition(pattern, text));
      }),
      { numRuns: 5000 },
    );
  });

  test.each([
    ["many stars and no end", `${"*a".repeat(2000)}*b*`, "a"],
    ["a long piece that nearly matches at every place", `*${"a".repeat(1000)}b*`, "a"],
    ["pieces that share beginnings", `*${"ab".repeat(500)}c*${"ab".repeat(500)}d*`, "ab"],
    ["many pieces and one that is missing", `${"*aa".repeat(200)}*ab*`, "a"],
  ])("read each character a bounded number of times: %s", (_name, pattern, unit) => {
    const matches = compileWildcard(pattern);
    const reads = (length: number): number => {
      const text = unit.repeat(length / unit.length);
      const spy = vi.spyOn(String.prototype, "charCodeAt");
      expect(matches(text)).toBe(false);
      const calls = spy.mock.calls.length;
      spy.mockRestore();
      return calls;
    };
    // One read of the text and at most two comparisons for it, amortized: the bound of Knuth, Morris and Pratt.
    for (const length of [1000, 4000, 16_000]) {
      const count = reads(length);
      expect(count).toBeGreaterThanOrEqual(length);
      expect(count).toBeLessThanOrEqual(5 * length + 10);
    }
  });
});
