import { contextToJson, parseContext, serializeContext } from "@fengni/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const context = fc.dictionary(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.string({ unit: "binary", maxLength: 12 }),
);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe("serialised encryption context", () => {
  test("is empty for no pairs, else count and pairs with 16-bit lengths", () => {
    expect(hex(serializeContext({}))).toBe("");
    expect(hex(serializeContext({ b: "", a: "xy" }))).toBe("0002" + "000161" + "00027879" + "000162" + "0000");
  });

  test("sorts by UTF-8 bytes, which differs from the order of UTF-16 above U+FFFF", () => {
    const keys = ["\u{1F511}", "\uFF21", "é", "a", "B", ""];
    const serialized = serializeContext(Object.fromEntries(keys.map((key) => [key, ""])));
    const expected = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(Object.keys(parseContext(serialized))).toEqual(expected);
    expect(expected.indexOf("\u{1F511}")).toBeGreaterThan(expected.indexOf("\uFF21"));
    expect([...keys].sort().indexOf("\u{1F511}")).toBeLessThan([...keys].sort().indexOf("\uFF21"));
  });

  test("round trip, independent of the order of insertion", () => {
    fc.assert(
      fc.property(context, (pairs) => {
        const serialized = serializeContext(pairs);
        expect(Object.fromEntries(Object.entries(parseContext(serialized)))).toEqual({ ...pairs });
        const reversed = Object.fromEntries(Object.entries(pairs).reverse());
        expect(hex(serializeContext(reversed))).toBe(hex(serialized));
        expect(contextToJson(reversed)).toBe(contextToJson(pairs));
        expect(JSON.parse(contextToJson(pairs))).toEqual({ ...pairs });
      }),
    );
  });

  test("whatever parses serialises to the same pairs; what does not is refused with a typed error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        let parsed: Record<string, string>;
        try {
          parsed = parseContext(bytes);
        } catch (error) {
          expect(error).toMatchObject({ code: "ERR_MESSAGE_INVALID" });
          return;
        }
        expect(parseContext(serializeContext(parsed))).toEqual(parsed);
        expect(serializeContext(parsed).length).toBe(bytes.length);
      }),
      { numRuns: 2000 },
    );
  });
});
