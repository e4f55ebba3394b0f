// The rule of the linter for windows of time in which no moment lies. It must not know other conditions, nor what time it is.
import type { Statement } from "./policy.js";
import type { ConditionTest } from "./policy-conditions.js";
import type { Finding } from "./policy-lint.js";
import { coveredActions } from "./policy-reach.js";
import { parseInstant } from "./policy-values.js";
import type { ActionRule } from "./resource.js";

const DATE_OPERATOR = /^(?:for_(?:any|all)_value:)?date_(.+?)(?:_if_exist)?$/;

/** One bound: several values of a condition are alternatives, so that the widest of them counts. Whole milliseconds. */
interface DateBound {
  readonly least: number;
  readonly most: number;
}

const EVER: DateBound = { least: Number.NEGATIVE_INFINITY, most: Number.POSITIVE_INFINITY };

function boundOf(operator: string, instants: readonly number[]): DateBound {
  const [least, most] = [Math.min(...instants), Math.max(...instants)];
  switch (operator) {
    case "less_than":
      return { ...EVER, most: most - 1 };
    case "less_than_equal":
      return { ...EVER, most };
    case "greater_than":
      return { ...EVER, least: least + 1 };
    case "greater_than_equal":
      return { ...EVER, least };
    case "equal":
      return { least, most };
    default:
      return EVER;
  }
}

interface DateTest {
  readonly operator: string;
  readonly instants: readonly number[];
}

function dateTestOf({ operator, key, values }: ConditionTest): DateTest | undefined {
  const name = key === "qcs:current_time" ? DATE_OPERATOR.exec(operator)?.[1] : undefined;
  if (name === undefined) return undefined;
  return { operator: name, instants: values.map(parseInstant).filter((instant) => instant !== undefined) };
}

/** A window that closes before it opens. */
export function checkWindow(statement: Statement, path: string, actions: readonly ActionRule[]): Finding[] {
  if (coveredActions(statement, actions).length === 0) return [];
  const tests = statement.conditions.map(dateTestOf).filter((test) => test !== undefined);
  const bounds = tests.map(({ operator, instants }) => boundOf(operator, instants));
  const least = Math.max(...bounds.map((bound) => bound.least));
  const most = Math.min(...bounds.map((bound) => bound.most));
  const isInside = (instant: number): boolean => instant >= least && instant <= most;
  // Of exact moments one must lie in the window.
  const isMet = tests.every(({ operator, instants }) => operator !== "equal" || instants.some(isInside));
  if (tests.length === 0 || (least <= most && isMet)) return [];
  const consequence = statement.effect === "allow" ? "it never grants anything" : "it never stops anything";
  return [
    {
      severity: "error",
      code: "empty-date-window",
      path: `${path}.condition`,
      message: `no moment meets all conditions on qcs:current_time: ${consequence}`,
      advice: "let the window open before it closes; two windows are two statements",
    },
  ];
}
