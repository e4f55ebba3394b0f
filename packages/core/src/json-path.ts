// Paths into JSON documents, such as `address.street` and `items[*].card` (docs/fields.md, "Paths"): their one spelling, and what
// they match. It must not know what is done at the places that they lead to.
import { argumentError, shown } from "./errors.js";
import { MAX_JSON_DEPTH } from "./field-json.js";

/** One step down: to a member of an object, an element of an array, or every one of either. */
export type PathStep =
  | { readonly kind: "key"; readonly key: string }
  | { readonly kind: "index"; readonly index: number }
  | { readonly kind: "every-key" }
  | { readonly kind: "every-index" };

const MAX_PATH_LENGTH = 4096;
/** The largest index that an array can have. */
const MAX_INDEX = 2 ** 32 - 2;
/** What a backslash stands before where it is meant as it is. */
const SPECIAL = /[.[\]*\\]/g;
const EMPTY_KEY = "\\e";

/** One step at the position `lastIndex`: brackets, or a key with what precedes it. */
const BRACKETS = /\[(?:(\*)|(0|[1-9][0-9]*))\]/y;
const KEY = /(\.?)(?:(\*)(?=[.[]|$)|(\\e)(?=[.[]|$)|((?:[^.[\]*\\]|\\[.[\]*\\])+))/y;

/**
 * Reads a path. Each path has one spelling: {@link formatPath} gives the same text again.
 * @param text - 1 to 4,096 characters, at most 64 steps
 * @throws TypeError `ERR_ARGUMENT` saying where it is wrong
 */
export function parsePath(text: string): readonly PathStep[] {
  if (typeof text !== "string" || text.length === 0) throw argumentError("a path expected text, not empty");
  if (text.length > MAX_PATH_LENGTH) throw argumentError(`a path expected at most ${MAX_PATH_LENGTH} characters`);
  const steps: PathStep[] = [];
  let at = 0;
  while (at < text.length) {
    if (steps.length === MAX_JSON_DEPTH)
      throw argumentError(`path ${shown(text)} has more than ${MAX_JSON_DEPTH} steps`);
    const step = stepAt(text, at);
    if (step === undefined) throw argumentError(`path ${shown(text)} is wrong at character ${at}: ${HELP}`);
    steps.push(step.step);
    at = step.end;
  }
  return steps;
}

const HELP = "it takes keys joined by dots, [0], [*] and *; a backslash stands before . [ ] * and itself";

function stepAt(text: string, at: number): { readonly step: PathStep; readonly end: number } | undefined {
  BRACKETS.lastIndex = at;
  const brackets = BRACKETS.exec(text);
  if (brackets !== null) {
    const end = BRACKETS.lastIndex;
    if (brackets[1] !== undefined) return { step: { kind: "every-index" }, end };
    const index = Number(brackets[2]);
    return index <= MAX_INDEX ? { step: { kind: "index", index }, end } : undefined;
  }
  KEY.lastIndex = at;
  const key = KEY.exec(text);
  // A dot stands before every key but the first.
  if (key === null || (key[1] === "") !== (at === 0)) return undefined;
  const end = KEY.lastIndex;
  if (key[2] !== undefined) return { step: { kind: "every-key" }, end };
  if (key[3] !== undefined) return { step: { kind: "key", key: "" }, end };
  return { step: { kind: "key", key: (key[4] as string).replace(/\\(.)/gs, "$1") }, end };
}

/** Writes a path; different paths have different texts. */
export function formatPath(steps: readonly PathStep[]): string {
  let text = "";
  for (const step of steps) {
    if (step.kind === "index") text += `[${step.index}]`;
    else if (step.kind === "every-index") text += "[*]";
    else text += (text === "" ? "" : ".") + (step.kind === "every-key" ? "*" : escaped(step.key));
  }
  return text;
}

function escaped(key: string): string {
  return key === "" ? EMPTY_KEY : key.replace(SPECIAL, "\\$&");
}

/** Whether there may be a document in which one path leads to, or through, a place that the other leads to. */
export function pathsOverlap(a: readonly PathStep[], b: readonly PathStep[]): boolean {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) if (!stepsOverlap(a[i] as PathStep, b[i] as PathStep)) return false;
  return true;
}

function stepsOverlap(a: PathStep, b: PathStep): boolean {
  if (a.kind === "key" && b.kind === "key") return a.key === b.key;
  if (a.kind === "index" && b.kind === "index") return a.index === b.index;
  return isOfObject(a) === isOfObject(b);
}

function isOfObject({ kind }: PathStep): boolean {
  return kind === "key" || kind === "every-key";
}

/** A place in a document that a path leads to. */
export interface PathTarget {
  /** Without wildcards. */
  readonly steps: readonly PathStep[];
  readonly holder: object;
  readonly key: string | number;
  readonly value: unknown;
}

/**
 * The places of a document that a path leads to. Only own members count, and a member that is undefined is none. A wildcard leads to
 * nothing in an empty array or object, and misses nothing there.
 * @param document - JSON
 * @param missed - called for every place where the path cannot go on, with the path so far and the step that failed
 */
export function pathTargets(
  document: unknown,
  path: readonly PathStep[],
  missed: (steps: readonly PathStep[]) => void,
): readonly PathTarget[] {
  let targets: readonly PathTarget[] = [];
  let places: readonly { readonly steps: readonly PathStep[]; readonly value: unknown }[] = [
    { steps: [], value: document },
  ];
  for (const step of path) {
    const next: PathTarget[] = [];
    for (const { steps, value } of places) {
      const found = isHolderFor(step, value) ? entriesOf(value, step) : undefined;
      if (found === undefined) missed([...steps, step]);
      else
        for (const [to, key, item] of found)
          next.push({ steps: [...steps, to], holder: value as object, key, value: item });
    }
    targets = next;
    places = next;
  }
  return targets;
}

function isHolderFor(step: PathStep, value: unknown): value is object {
  return typeof value === "object" && value !== null && Array.isArray(value) !== isOfObject(step);
}

/** Where a step leads to from a holder of its kind; undefined when it leads nowhere and should. */
function entriesOf(holder: object, step: PathStep): readonly [PathStep, string | number, unknown][] | undefined {
  const read = (key: string | number): unknown => Reflect.get(holder, key);
  switch (step.kind) {
    case "key":
      if (!Object.hasOwn(holder, step.key) || read(step.key) === undefined) return undefined;
      return [[step, step.key, read(step.key)]];
    case "index":
      if (step.index >= (holder as readonly unknown[]).length || read(step.index) === undefined) return undefined;
      return [[step, step.index, read(step.index)]];
    case "every-key":
      return Object.keys(holder)
        .filter((key) => read(key) !== undefined)
        .map((key) => [{ kind: "key", key }, key, read(key)]);
    case "every-index":
      return (holder as readonly unknown[]).map((item, index) => [{ kind: "index", index }, index, item]);
  }
}
