// Names that stand twice: what counts as one, in bodies of requests and in encryption contexts.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findRepeatedName, parseRequestBody, validateRequest } from "../src/index.js";
import { hasRepeatedName } from "../src/json-names.js";

const REPEATED: readonly string[] = [
  '{"a":1,"a":1}',
  '{"a":{"b":1,"b":2}}',
  '[{"a":1},{"a":1,"\\u0061":2}]',
  '{"a":{"x":1,"y":2},"a":1}',
  '{"__proto__":1,"__proto__":2}',
  '{"a\\"b":1,"a\\"b":2}',
];
const SINGLE: readonly string[] = [
  "{}",
  "[]",
  "null",
  '"a:b"',
  '{"a":1,"b":{"a":1},"c":[{"a":1},{"a":2}]}',
  '{"a:":"{\\"a\\":1}","b\\\\":":","":""}',
  '{"__proto__":{"a":1},"constructor":2}',
];

describe("a name that stands twice", () => {
  it.each(REPEATED)("is found in %s", (text) => {
    expect(hasRepeatedName(text, JSON.parse(text))).toBe(true);
    expect(findRepeatedName(text)).toBeTypeOf("string");
    expect(() => parseRequestBody(text)).toThrow(expect.objectContaining({ code: "InvalidParameter" }));
  });

  it.each(SINGLE)("is not found in %s", (text) => {
    expect(hasRepeatedName(text, JSON.parse(text))).toBe(false);
    expect(findRepeatedName(text)).toBeUndefined();
    expect(parseRequestBody(text)).toEqual(JSON.parse(text));
  });

  it("is found by both ways alike", () => {
    const value = fc.jsonValue().map((made) => JSON.stringify(made));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom("a", "b", ":", '"', "\\"), value), { maxLength: 5 }), (members) => {
        const text = `{${members.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(",")}}`;
        expect(hasRepeatedName(text, JSON.parse(text))).toBe(findRepeatedName(text) !== undefined);
      }),
    );
  });
});

it("takes an empty body for no parameters, and refuses what is no JSON", () => {
  expect(parseRequestBody("")).toEqual({});
  expect(() => parseRequestBody("{")).toThrow(expect.objectContaining({ code: "InvalidParameter" }));
});

it("refuses an encryption context with a name twice", () => {
  const request = { KeyId: "k", Plaintext: "aGk=" };
  expect(() => validateRequest("Encrypt", { ...request, EncryptionContext: '{"a":"1","a":"2"}' })).toThrow(
    expect.objectContaining({ code: "InvalidParameterValue" }),
  );
  validateRequest("Encrypt", { ...request, EncryptionContext: '{"a":"a:b","b":"2"}' });
});
