// Pairs of encryption contexts that a careless encoding takes for the same. Data only; it must not know providers.
import type { EncryptionContext } from "@fengni/core";

/** Two contexts that are not the same. */
export interface ContextConfusion {
  readonly name: string;
  readonly sealed: EncryptionContext;
  readonly opened: EncryptionContext | undefined;
}

const confusion = (name: string, sealed: EncryptionContext, opened?: EncryptionContext): ContextConfusion => ({
  name,
  sealed,
  opened,
});

const own = (key: string, value: string): EncryptionContext => Object.fromEntries([[key, value]]);
const long = (length: number, last: string): EncryptionContext => ({ a: "x".repeat(length - 1) + last });

/** The confusions, each to be tried both ways. */
export function contextConfusions(maxCharacters: number | undefined): readonly ContextConfusion[] {
  // The canonical JSON of {"a":""} has 8 characters.
  const longest = Math.min(maxCharacters ?? 4000, 4000) - 8;
  return [
    confusion("no context", { tenant: "7" }),
    confusion("an empty context", { tenant: "7" }, {}),
    confusion("a pair added", { tenant: "7" }, { tenant: "7", table: "users" }),
    confusion("another value", { tenant: "7" }, { tenant: "8" }),
    confusion("a longer value", { tenant: "7" }, { tenant: "77" }),
    confusion("a value with a space", { tenant: "7" }, { tenant: "7 " }),
    confusion("another key", { tenant: "7" }, { tenants: "7" }),
    confusion("another case of the key", { tenant: "7" }, { Tenant: "7" }),
    confusion("another case of the value", { tenant: "a" }, { tenant: "A" }),
    confusion("the border between key and value", { a: "bc" }, { ab: "c" }),
    confusion("the border between pairs", { a: "b", c: "d" }, { a: "bc", d: "" }),
    confusion("pairs run together", { a: "b", c: "d" }, { a: "bcd" }),
    confusion("values exchanged", { a: "1", b: "2" }, { a: "2", b: "1" }),
    confusion("key and value exchanged", { a: "b" }, { b: "a" }),
    confusion("an empty value", { a: "" }),
    confusion("an empty value added", { a: "1" }, { a: "1", b: "" }),
    confusion("quotes in a value", { a: "b", c: "d" }, { a: 'b","c":"d' }),
    confusion("a comma in a value", { a: "b", c: "d" }, { a: "b,c=d" }),
    confusion("an ampersand in a value", { a: "b", c: "d" }, { a: "b&c=d" }),
    confusion("an equals sign", { "a=b": "c" }, { a: "b=c" }),
    confusion("a colon", { "a:b": "c" }, { a: "b:c" }),
    confusion("a line feed", { a: "b\nc" }, { a: "b", c: "" }),
    confusion("a zero character", { a: "b\u0000" }, { a: "b" }),
    confusion("composed and decomposed text", { a: "\u00e9" }, { a: "e\u0301" }),
    confusion("look-alike letters", { a: "a" }, { a: "\u0430" }),
    confusion("a character outside the BMP", { a: "\u{1f600}" }, { a: "\u{1f601}" }),
    confusion("a number-like key", { "1": "a" }, { "01": "a" }),
    confusion("the key __proto__", own("__proto__", "x")),
    confusion("the key constructor", own("constructor", "x")),
    confusion("the last character of a long value", long(longest, "y"), long(longest, "z")),
    confusion("the length of a long value", long(longest, "x"), long(longest - 1, "x")),
  ];
}

/** The same context in several orders. Its keys sort differently by UTF-16 units and by UTF-8 bytes. */
export function contextOrders(): readonly EncryptionContext[] {
  const pairs: readonly (readonly [string, string])[] = [
    ["b", "1"],
    ["a", "2"],
    ["\uff5e", "3"],
    ["\u{1f600}", "4"],
    ["10", "5"],
    ["9", "6"],
  ];
  const rotated = pairs.map((_pair, index) => [...pairs.slice(index), ...pairs.slice(0, index)]);
  return [...rotated, [...pairs].reverse()].map((order) => Object.fromEntries(order));
}
