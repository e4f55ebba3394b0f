// Condition operators: the table of what passes, with qualifiers and suffix, and the readers of addresses, dates and numbers.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ConditionOutcome, type ContextValue, compileCondition, contextValue } from "../src/policy-conditions.js";
import { ipRangeContains, parseIpAddress, parseIpRange } from "../src/policy-ip.js";
import { OPERATORS } from "../src/policy-operators.js";
import { compareDecimals, parseDecimal, parseInstant } from "../src/policy-values.js";

function outcome(operator: string, values: readonly string[], given: ContextValue): ConditionOutcome {
  return compileCondition("", operator, "k", values).test(given);
}

type Row = readonly [operator: string, values: readonly string[], given: ContextValue, expected: ConditionOutcome];

const ROWS: readonly Row[] = [
  ["string_equal", ["a", "b"], "b", "met"],
  ["string_equal", ["a", "b"], "B", "unequal"],
  ["string_equal", ["a*"], "ab", "unequal"],
  ["string_equal", [""], "", "met"],
  ["string_not_equal", ["a", "b"], "c", "met"],
  ["string_not_equal", ["a", "b"], "b", "unequal"],
  ["string_equal_ignore_case", ["aB"], "Ab", "met"],
  ["string_not_equal_ignore_case", ["aB"], "Ab", "unequal"],
  ["string_like", ["a*c"], "abc", "met"],
  ["string_like", ["a*c"], "abcd", "unequal"],
  ["string_not_like", ["a*", "*z"], "b", "met"],
  ["string_not_like", ["a*", "*z"], "bz", "unequal"],
  ["numeric_equal", ["10"], "10.0", "met"],
  ["numeric_equal", ["10"], "9", "unequal"],
  ["numeric_equal", ["-0"], "+0.00", "met"],
  ["numeric_not_equal", ["1", "2"], "3", "met"],
  ["numeric_not_equal", ["1", "2"], "2.0", "unequal"],
  ["numeric_less_than", ["10"], "9", "met"],
  ["numeric_less_than", ["10"], "10", "unequal"],
  ["numeric_less_than_equal", ["10"], "10", "met"],
  ["numeric_greater_than", ["9007199254740992"], "9007199254740993", "met"],
  ["numeric_greater_than", ["-2"], "-10", "unequal"],
  ["numeric_greater_than_equal", ["0.5"], "0.50", "met"],
  ["numeric_equal", ["1"], "one", "unreadable"],
  ["numeric_not_equal", ["1"], "one", "unreadable"],
  ["date_equal", ["2026-03-01 10:00:00"], "2026-03-01T12:00:00+02:00", "met"],
  ["date_not_equal", ["2026-03-01"], "2026-03-01T00:00:00Z", "unequal"],
  ["date_less_than", ["2026-03-01 10:00:00"], "2026-03-01T09:59:59.999Z", "met"],
  ["date_less_than_equal", ["2026-03-01T10:00Z"], "2026-03-01T10:00:00.000Z", "met"],
  ["date_greater_than", ["2026-03-01T10:00:00Z"], "2026-03-01T10:00:00.001Z", "met"],
  ["date_greater_than_equal", ["2026-03-01T10:00:00-01:00"], "2026-03-01T10:59:59Z", "unequal"],
  ["date_less_than", ["2026-03-01"], "yesterday", "unreadable"],
  ["bool_equal", ["true"], "true", "met"],
  ["bool_equal", ["true"], "false", "unequal"],
  ["bool_equal", ["true"], "1", "unreadable"],
  ["binary_equal", ["YWI="], "YWI=", "met"],
  ["binary_equal", ["YWI="], "YWM=", "unequal"],
  ["binary_equal", ["YWI="], "YWI", "unreadable"],
  ["ip_equal", ["10.0.0.0/8", "192.168.1.1"], "192.168.1.1", "met"],
  ["ip_equal", ["10.0.0.0/8", "192.168.1.1"], "192.168.1.2", "unequal"],
  ["ip_equal", ["10.0.0.0/8"], "::ffff:10.1.2.3", "met"],
  ["ip_not_equal", ["10.0.0.0/8", "192.168.0.0/16"], "192.168.9.9", "unequal"],
  ["ip_not_equal", ["10.0.0.0/8", "192.168.0.0/16"], "203.0.113.9", "met"],
  ["ip_not_equal", ["10.0.0.0/8"], "::1", "met"],
  ["ip_not_equal", ["10.0.0.0/8"], "10.0.0.1:443", "unreadable"],
  ["ip_equal", ["10.0.0.0/8"], "10.0.0.0/8", "unreadable"],
  // An absent key fails every operator, unless the suffix says otherwise.
  ["string_equal", ["a"], undefined, "absent"],
  ["string_not_equal", ["a"], undefined, "absent"],
  ["string_equal_if_exist", ["a"], undefined, "met"],
  ["string_not_equal_if_exist", ["a"], undefined, "met"],
  ["string_equal_if_exist", ["a"], "b", "unequal"],
  ["ip_not_equal_if_exist", ["10.0.0.0/8"], "nowhere", "unreadable"],
  ["for_any_value:string_equal", ["a"], undefined, "absent"],
  ["for_all_value:string_equal", ["a"], undefined, "absent"],
  ["for_any_value:string_equal_if_exist", ["a"], undefined, "met"],
  ["for_all_value:string_equal_if_exist", ["a"], undefined, "met"],
  // Without a qualifier exactly one value.
  ["string_equal", ["a"], ["a"], "met"],
  ["string_equal", ["a"], ["a", "a"], "several"],
  ["string_not_equal", ["a"], ["b", "c"], "several"],
  ["string_equal", ["a"], [], "empty"],
  ["string_equal_if_exist", ["a"], [], "empty"],
  // Some value, or each.
  ["for_any_value:string_equal", ["a", "b"], ["x", "b"], "met"],
  ["for_any_value:string_equal", ["a", "b"], ["x", "y"], "unequal"],
  ["for_any_value:string_equal", ["a"], "a", "met"],
  ["for_any_value:string_not_equal", ["a", "b"], ["a", "x"], "met"],
  ["for_any_value:string_not_equal", ["a", "b"], ["a", "b"], "unequal"],
  ["for_any_value:numeric_equal", ["1"], ["x", "1"], "met"],
  ["for_any_value:numeric_equal", ["1"], ["x", "2"], "unreadable"],
  ["for_all_value:string_equal", ["a", "b"], ["b", "a", "b"], "met"],
  ["for_all_value:string_equal", ["a", "b"], ["a", "x"], "unequal"],
  ["for_all_value:string_not_equal", ["a", "b"], ["x", "y"], "met"],
  ["for_all_value:string_not_equal", ["a", "b"], ["x", "b"], "unequal"],
  ["for_all_value:numeric_equal", ["1"], ["1", "x"], "unreadable"],
  // No values at all: "any" fails whatever the suffix says, "all" takes it for an absent key.
  ["for_any_value:string_equal", ["a"], [], "empty"],
  ["for_any_value:string_equal_if_exist", ["a"], [], "empty"],
  ["for_all_value:string_equal", ["a"], [], "absent"],
  ["for_all_value:string_equal_if_exist", ["a"], [], "met"],
  ["null_equal", ["true"], undefined, "met"],
  ["null_equal", ["true"], [], "met"],
  ["null_equal", ["true"], "a", "present"],
  ["null_equal", ["false"], "a", "met"],
  ["null_equal", ["false"], ["a", "b"], "met"],
  ["null_equal", ["false"], undefined, "absent"],
  ["null_equal", ["false"], [], "absent"],
];

describe("operators", () => {
  test.each(ROWS)("%s %j on %j is %s", (operator, values, given, expected) => {
    expect(outcome(operator, values, given)).toBe(expected);
  });

  test("each of the 23 stands in the table above", () => {
    expect(OPERATORS.size).toBe(22);
    const shown = new Set(ROWS.map(([operator]) => operator));
    expect([...OPERATORS.keys(), "null_equal"].filter((name) => !shown.has(name))).toEqual([]);
  });

  test("a negated operator is the opposite wherever the value can be read", () => {
    const pairs = [...OPERATORS.keys()].filter((name) => name.includes("_not_"));
    expect(pairs).toHaveLength(6);
    fc.assert(
      fc.property(
        fc.constantFrom(...pairs),
        fc.array(fc.constantFrom("1.2.3.4", "1.2.3.5", "::1"), { minLength: 1, maxLength: 3 }),
        fc.constantFrom("1.2.3.4", "9.9.9.9", "::2"),
        (negated, values, given) => {
          fc.pre(!/numeric|date/.test(negated));
          const passes = outcome(negated.replace("_not_", "_"), values, given) === "met";
          expect(outcome(negated, values, given) === "met").toBe(!passes);
        },
      ),
    );
  });

  test("a context finds nothing inherited", () => {
    expect(contextValue({}, "constructor")).toBeUndefined();
    expect(contextValue({}, "toString")).toBeUndefined();
    expect(contextValue({ constructor: "x" }, "constructor")).toBe("x");
  });
});

describe("addresses", () => {
  test.each([
    ["0.0.0.0", [0]],
    ["255.255.255.255", [0xffffffff]],
    ["::", [0, 0, 0, 0]],
    ["::1", [0, 0, 0, 1]],
    ["2001:DB8::1", [0x20010db8, 0, 0, 1]],
    ["2001:db8:0:0:0:0:2:1", [0x20010db8, 0, 0, 0x20001]],
    ["1:2:3:4:5:6:7::", [0x10002, 0x30004, 0x50006, 0x70000]],
    ["::ffff:203.0.113.9", [0xcb007109]],
    ["::FFFF:cb00:7109", [0xcb007109]],
    ["64:ff9b::192.0.2.1", [0x64ff9b, 0, 0, 0xc0000201]],
    ["1:2:3:4:5:6:1.2.3.4", [0x10002, 0x30004, 0x50006, 0x1020304]],
  ])("%s is read", (text, words) => {
    expect(parseIpAddress(text)).toEqual(words);
  });

  test.each([
    ...[
      "",
      "1.2.3",
      "1.2.3.4.5",
      "1.2.3.256",
      "01.2.3.4",
      "1.2.3.4 ",
      "1.2.3.-4",
      "0x1.2.3.4",
      "1.2.3.4/32",
      "1..2.3",
      "16909060",
    ],
    ...[
      ":",
      ":::",
      "1::2::3",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "1:2:3:4:5:6:7:8::",
      "::12345",
      "::g",
      "fe80::1%eth0",
    ],
    ...[
      "[::1]",
      "1.2.3.4::",
      "::1.2.3.4:5",
      "::1.2.3",
      "1:2:3:4:5:6:7:1.2.3.4",
      ":1:2:3:4:5:6:7",
      `::${"0".repeat(60)}`,
    ],
  ])("%j is refused", (text) => {
    expect(parseIpAddress(text)).toBeUndefined();
  });

  test.each([
    "1.2.3.4/",
    "1.2.3.4/33",
    "1.2.3.4/-1",
    "1.2.3.4/08",
    "1.2.3.4/255.0.0.0",
    "1.2.3.4/8/8",
    "::/129",
    "/8",
    "::1%1/64",
  ])("the range %j is refused", (text) => {
    expect(parseIpRange(text)).toBeUndefined();
  });

  test.each([
    ["203.0.113.200/24", "203.0.113.9", true],
    ["203.0.113.200/24", "203.0.114.9", false],
    ["203.0.113.9", "203.0.113.9", true],
    ["0.0.0.0/0", "255.1.2.3", true],
    ["0.0.0.0/0", "::1", false],
    ["::/0", "2001:db8::1", true],
    ["::/0", "10.0.0.1", false],
    ["128.0.0.0/1", "200.0.0.0", true],
    ["128.0.0.0/1", "100.0.0.0", false],
    ["2001:db8::/32", "2001:db8:ffff::1", true],
    ["2001:db8::/33", "2001:db8:8000::1", false],
    ["2001:db8::ff/127", "2001:db8::fe", true],
    ["2001:db8::ff/127", "2001:db8::fd", false],
    ["::ffff:10.0.0.0/104", "10.200.0.1", true],
    ["::ffff:10.0.0.0/104", "::ffff:10.200.0.1", true],
    ["::ffff:10.0.0.0/104", "11.0.0.1", false],
    ["::ffff:0:0/96", "1.2.3.4", true],
    ["10.0.0.0/8", "::10.0.0.1", false],
    ["::ffff:10.0.0.0/64", "10.0.0.0", false],
  ])("%s holds %s: %j", (range, address, expected) => {
    const parsed = [parseIpRange(range), parseIpAddress(address)] as const;
    expect(parsed).not.toContain(undefined);
    const [network, inside] = parsed;
    expect(network !== undefined && inside !== undefined && ipRangeContains(network, inside)).toBe(expected);
  });

  test("IPv4 ranges agree with arithmetic", () => {
    const dotted = (word: number): string => [24, 16, 8, 0].map((shift) => (word >>> shift) & 255).join(".");
    const word = fc.oneof(fc.nat(0xffffffff), fc.constantFrom(0, 0xffffffff, 0x7fffffff, 0x80000000));
    fc.assert(
      fc.property(word, fc.nat(32), fc.nat(31), fc.boolean(), (base, length, bit, mapped) => {
        const other = (base ^ (1 << bit)) >>> 0;
        const size = 2 ** (32 - length);
        const expected = Math.floor(base / size) === Math.floor(other / size);
        const range = parseIpRange(`${dotted(base)}/${length}`);
        const address = parseIpAddress(`${mapped ? "::ffff:" : ""}${dotted(other)}`);
        expect(range !== undefined && address !== undefined && ipRangeContains(range, address)).toBe(expected);
      }),
    );
  });
});

describe("dates", () => {
  test.each([
    ["2026-03-01T10:00:00Z", Date.UTC(2026, 2, 1, 10)],
    ["2026-03-01 10:00:00", Date.UTC(2026, 2, 1, 10)],
    ["2026-03-01T10:00:00", Date.UTC(2026, 2, 1, 10)],
    ["2026-03-01T10:00", Date.UTC(2026, 2, 1, 10)],
    ["2026-03-01", Date.UTC(2026, 2, 1)],
    ["2026-03-01T10:00:00.5Z", Date.UTC(2026, 2, 1, 10, 0, 0, 500)],
    ["2026-03-01T10:00:00+08:00", Date.UTC(2026, 2, 1, 2)],
    ["2026-03-01T10:00:00-0130", Date.UTC(2026, 2, 1, 11, 30)],
    ["2024-02-29", Date.UTC(2024, 1, 29)],
    ["2000-02-29", Date.UTC(2000, 1, 29)],
    ["1969-12-31T23:59:59Z", -1000],
    ["0099-01-01", -59_042_995_200_000],
  ])("%s is read", (text, instant) => {
    expect(parseInstant(text)).toBe(instant);
  });

  test.each([
    ...[
      "",
      "2026",
      "2026-03",
      "2026-3-1",
      "20260301",
      "2026-13-01",
      "2026-00-01",
      "2026-04-31",
      "2026-02-29",
      "1900-02-29",
      "2026-03-00",
    ],
    ...[
      "2026-03-01T24:00:00Z",
      "2026-03-01T10:60:00Z",
      "2026-03-01T10:00:60Z",
      "2026-03-01T10Z",
      "2026-03-01Z",
      "2026-03-01t10:00:00z",
    ],
    ...[
      "2026-03-01T10:00:00+24:00",
      "2026-03-01T10:00:00+01:60",
      "2026-03-01T10:00:00 Z",
      " 2026-03-01",
      "2026-03-01\n",
      "1772359200",
    ],
    ...["Sun, 01 Mar 2026 10:00:00 GMT", "2026-03-01T10:00:00.1234Z", "+002026-03-01", "2026-03-01T10:00:00,5Z"],
  ])("%j is refused", (text) => {
    expect(parseInstant(text)).toBeUndefined();
  });

  test("agree with the platform's own form", () => {
    fc.assert(
      fc.property(
        fc.date({
          min: new Date("0000-01-01T00:00:00Z"),
          max: new Date("9999-12-31T23:59:59.999Z"),
          noInvalidDate: true,
        }),
        (date) => {
          expect(parseInstant(date.toISOString())).toBe(date.getTime());
        },
      ),
    );
  });
});

describe("decimals", () => {
  test.each(["", ".", "1.", ".5", "1e3", "0x10", "1_000", "1,5", " 1", "--1", "NaN", "Infinity", "1".repeat(65)])(
    "%j is refused",
    (text) => {
      expect(parseDecimal(text)).toBeUndefined();
    },
  );

  test("compare as numbers do, beyond the precision of floating point", () => {
    const fraction = fc.nat(99_999).map((digits) => String(digits).padStart(5, "0"));
    const number = fc.tuple(fc.constantFrom("", "-", "+"), fc.bigInt({ min: 0n, max: 10n ** 30n }), fraction);
    const scaled = ([sign, integer, digits]: [string, bigint, string]): bigint =>
      (sign === "-" ? -1n : 1n) * (integer * 100_000n + BigInt(digits));
    const text = ([sign, integer, digits]: [string, bigint, string]): string => `${sign}00${integer}.${digits}0`;
    const near = fc
      .tuple(number, number, fc.boolean())
      .map(([a, b, same]) => [a, same ? ([b[0], a[1], b[2]] as typeof b) : b] as const);
    fc.assert(
      fc.property(near, ([a, b]) => {
        const [left, right] = [parseDecimal(text(a)), parseDecimal(text(b))];
        if (left === undefined || right === undefined) throw new Error("not read");
        const [x, y] = [scaled(a), scaled(b)];
        expect(Math.sign(compareDecimals(left, right))).toBe(x < y ? -1 : x > y ? 1 : 0);
      }),
      { numRuns: 500 },
    );
  });
});
