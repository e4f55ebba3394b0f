// Text that came from outside, made fit for a terminal: no control character, escape sequence or invisible character gets
// through. Must know no message format.

// Controls, formatting (bidirectional overrides, zero width), surrogates, private use and unassigned; line and paragraph
// separators.
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** Whether text can be shown as it is. */
export function isPrintable(text: string): boolean {
  return text.search(UNPRINTABLE) < 0;
}

/** The text with each unprintable character as `\u{hex}`. Stays on one line. */
export function escapeText(text: string): string {
  return text.replace(UNPRINTABLE, (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`);
}

/** The text in double quotes, unambiguous: quotes, backslashes and unprintable characters are escaped. */
export function quoteText(text: string): string {
  return escapeText(JSON.stringify(text));
}

/**
 * JSON with each unprintable character as `\uXXXX`: the same value, safe to show.
 * @param indent - spaces for each level; 0, the default, puts all on one line
 */
export function toJson(value: unknown, indent = 0): string {
  return JSON.stringify(value, null, indent).replace(UNPRINTABLE, (character) =>
    // A line break is never part of a text of JSON: it is the layout's.
    character === "\n"
      ? character
      : // One or two UTF-16 units.
        Array.from(
          { length: character.length },
          (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`,
        ).join(""),
  );
}

/** A number with a comma after each three digits. */
export function formatCount(count: number): string {
  return count.toString().replace(/\B(?=(\d{3})+$)/g, ",");
}

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

/** A quantity of bytes for people, in decimal units: `1.5 MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.95 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** `1 pair`, `2 pairs`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}
