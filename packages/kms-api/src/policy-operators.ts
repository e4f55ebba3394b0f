// The condition operators, one row each: how a value of the policy and one of the request are read and compared. It must not know
// condition blocks, qualifiers or requests.
import { ipRangeContains, parseIpAddress, parseIpRange } from "./policy-ip.js";
import { compareDecimals, parseBinary, parseBoolean, parseDecimal, parseInstant } from "./policy-values.js";
import { compileWildcard } from "./policy-wildcard.js";

/** Whether one value of the request passes; undefined when its text cannot be read as the operator's type. */
export type ValueTest = (value: string) => boolean | undefined;

/** One operator. */
export interface Operator {
  /** What its values look like, for errors. */
  readonly expects: string;
  /**
   * Prepares the values of a policy.
   * @returns the test, or the position of the first value that is malformed
   */
  prepare(values: readonly string[]): ValueTest | number;
}

/** How texts of one type are read, on the policy's side and on the request's. */
interface TypeReader<Value, Wanted> {
  readonly expects: string;
  readWanted(text: string): Wanted | undefined;
  readValue(text: string): Value | undefined;
}

/** Whether a value of the request agrees with one of the policy. */
type Agreement<Value, Wanted> = (value: Value, wanted: Wanted) => boolean;

/**
 * Several values of a policy: one that agrees is enough. A negated operator passes when none does; a plain "or" of negations
 * would pass always.
 */
function operator<Value, Wanted>(
  reader: TypeReader<Value, Wanted>,
  agrees: Agreement<Value, Wanted>,
  isNegated = false,
): Operator {
  return {
    expects: reader.expects,
    prepare(values) {
      const wanted: Wanted[] = [];
      for (const [index, text] of values.entries()) {
        const read = reader.readWanted(text);
        if (read === undefined) return index;
        wanted.push(read);
      }
      return (text) => {
        const value = reader.readValue(text);
        if (value === undefined) return undefined;
        for (const one of wanted) if (agrees(value, one)) return !isNegated;
        return isNegated;
      };
    },
  };
}

function sameReader<Value>(expects: string, read: (text: string) => Value | undefined): TypeReader<Value, Value> {
  return { expects, readWanted: read, readValue: read };
}

const text = sameReader("a text", (value) => value);
const folded = sameReader("a text", (value) => value.toLowerCase());
const pattern: TypeReader<string, (value: string) => boolean> = {
  expects: 'a text, with "*" for any run of characters',
  readWanted: compileWildcard,
  readValue: (value) => value,
};
const decimal = sameReader("a decimal number without exponent, at most 64 characters", parseDecimal);
const instant = sameReader('a date such as "2026-03-01T10:00:00Z" or "2026-03-01 10:00:00"', parseInstant);
const boolean = sameReader('"true" or "false"', parseBoolean);
const binary = sameReader("base64 with padding", parseBinary);
const address = {
  expects: "an IP address or a CIDR range",
  readWanted: parseIpRange,
  readValue: parseIpAddress,
};

const isSame = <Value>(value: Value, wanted: Value): boolean => value === wanted;
const fits = (value: string, wanted: (value: string) => boolean): boolean => wanted(value);
const isInside: Agreement<Parameters<typeof ipRangeContains>[1], Parameters<typeof ipRangeContains>[0]> = (
  value,
  range,
) => ipRangeContains(range, value);

type Ordering = (difference: number) => boolean;
const ORDERINGS: readonly (readonly [name: string, holds: Ordering, isNegated: boolean])[] = [
  ["equal", (difference) => difference === 0, false],
  ["not_equal", (difference) => difference === 0, true],
  ["less_than", (difference) => difference < 0, false],
  ["less_than_equal", (difference) => difference <= 0, false],
  ["greater_than", (difference) => difference > 0, false],
  ["greater_than_equal", (difference) => difference >= 0, false],
];

function ordered<Value>(
  prefix: string,
  reader: TypeReader<Value, Value>,
  compare: (a: Value, b: Value) => number,
): [string, Operator][] {
  return ORDERINGS.map(([name, holds, isNegated]) => [
    `${prefix}_${name}`,
    operator(reader, (value, wanted) => holds(compare(value, wanted)), isNegated),
  ]);
}

/** Every operator that compares, by its name. `null_equal` is not here: it asks for presence and compares nothing. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ["string_equal", operator(text, isSame)],
  ["string_not_equal", operator(text, isSame, true)],
  ["string_equal_ignore_case", operator(folded, isSame)],
  ["string_not_equal_ignore_case", operator(folded, isSame, true)],
  ["string_like", operator(pattern, fits)],
  ["string_not_like", operator(pattern, fits, true)],
  ...ordered("numeric", decimal, compareDecimals),
  ...ordered("date", instant, (a, b) => a - b),
  ["bool_equal", operator(boolean, isSame)],
  ["binary_equal", operator(binary, isSame)],
  ["ip_equal", operator(address, isInside)],
  ["ip_not_equal", operator(address, isInside, true)],
]);
