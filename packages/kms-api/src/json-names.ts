// Names that stand twice in one object of a JSON text: two readers would take two different values. It must not know what the
// text is for.
import { ApiError } from "./errors.js";

const QUOTE = 34;
const COLON = 58;
const BACKSLASH = 92;

/** The position behind the string that begins at `start`; the text is valid JSON. */
function skipString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at + 1;
}

/** The position of the next character that is no white space. */
function skipSpace(text: string, start: number): number {
  let at = start;
  while (at < text.length && text.charCodeAt(at) <= 32) at++;
  return at;
}

/**
 * Finds a name that stands twice in one object, of which JSON.parse keeps the last value only.
 * @param text - valid JSON of bounded length
 * @returns the first such name, or undefined
 */
export function findRepeatedName(text: string): string | undefined {
  const open: Set<string>[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === "{") open.push(new Set());
    else if (character === "}") open.pop();
    else if (character === '"') {
      const end = skipString(text, at);
      // Only a name is followed by a colon.
      if (text[skipSpace(text, end)] === ":") {
        const name: unknown = JSON.parse(text.slice(at, end));
        const names = open[open.length - 1];
        if (typeof name === "string" && names !== undefined) {
          if (names.has(name)) return name;
          names.add(name);
        }
      }
      at = end - 1;
    }
  }
  return undefined;
}

/** How many names a valid JSON text without backslashes has: as many as there are colons outside its strings. */
function countWritten(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === COLON) count++;
    else if (unit === QUOTE) at = text.indexOf('"', at + 1);
  }
  return count;
}

/** How many names are left in what JSON.parse made. */
function countKept(value: unknown): number {
  let count = 0;
  // Not by recursion: how deep it nests is the sender's choice.
  const open: unknown[] = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== "object" || next === null) continue;
    const members = Object.values(next);
    if (!Array.isArray(next)) count += members.length;
    for (const member of members) if (typeof member === "object" && member !== null) open.push(member);
  }
  return count;
}

/**
 * Whether a name stands twice in one object. Faster than to look for it: what was written is counted, and what is left. Not where
 * there are escapes: JSON.parse of Node 24 has been seen to give another number of members for names that hold one.
 * @param text - valid JSON
 * @param value - what JSON.parse made of it
 */
export function hasRepeatedName(text: string, value: unknown): boolean {
  return text.includes("\\") ? findRepeatedName(text) !== undefined : countWritten(text) !== countKept(value);
}

/**
 * Reads the body of a request.
 * @param text - of bounded length; empty for no parameters
 * @returns the parameters, for `validateRequest`
 * @throws ApiError `InvalidParameter` for a text that is no JSON, or in which a name stands twice in one object
 */
export function parseRequestBody(text: string): unknown {
  if (text === "") return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ApiError("InvalidParameter", "The body is not JSON.");
  }
  if (hasRepeatedName(text, value)) {
    throw new ApiError("InvalidParameter", "A name stands twice in one object of the body.");
  }
  return value;
}
