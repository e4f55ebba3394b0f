// Patterns with "*" for any run of characters, also none. They match in linear time whatever the pattern, because policies come
// from outside; it must not know what the patterns stand for.

/** Whether a whole text matches. */
export type TextTest = (text: string) => boolean;

/** A run of literal characters between two stars, with the table of Knuth, Morris and Pratt for it. */
interface Piece {
  readonly text: string;
  /** For each prefix, the length of its longest proper prefix that is also its suffix. */
  readonly borders: Uint16Array | Uint32Array;
}

function preparePiece(text: string): Piece {
  const borders = text.length < 0x10000 ? new Uint16Array(text.length) : new Uint32Array(text.length);
  let matched = 0;
  for (let at = 1; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    while (matched > 0 && text.charCodeAt(matched) !== unit) matched = borders[matched - 1] as number;
    if (text.charCodeAt(matched) === unit) matched++;
    borders[at] = matched;
  }
  return { text, borders };
}

/** The position behind the first occurrence within `start..end`, or -1. It reads each character of `text` once. */
function findPiece(piece: Piece, text: string, start: number, end: number): number {
  const { text: wanted, borders } = piece;
  let matched = 0;
  for (let at = start; at < end; at++) {
    const unit = text.charCodeAt(at);
    while (matched > 0 && wanted.charCodeAt(matched) !== unit) matched = borders[matched - 1] as number;
    if (wanted.charCodeAt(matched) === unit) matched++;
    if (matched === wanted.length) return at + 1;
  }
  return -1;
}

/**
 * Prepares a pattern. Taking the first occurrence of each piece is enough, since nothing but stars stands between pieces: no
 * backtracking, so a text of n characters costs O(n) for any number of stars.
 * @param pattern - literal characters and `*`
 * @returns a test of a whole text
 */
export function compileWildcard(pattern: string): TextTest {
  const literals = pattern.split("*");
  if (literals.length === 1) return (text) => text === pattern;
  const first = literals[0] as string;
  const last = literals[literals.length - 1] as string;
  const pieces = literals
    .slice(1, -1)
    .filter((literal) => literal !== "")
    .map(preparePiece);
  if (pieces.length === 0) {
    if (first === "" && last === "") return () => true;
    if (last === "") return (text) => text.startsWith(first);
  }
  const shortest = first.length + last.length;
  return (text) => {
    if (text.length < shortest || !text.startsWith(first) || !text.endsWith(last)) return false;
    const end = text.length - last.length;
    let position = first.length;
    for (const piece of pieces) {
      position = findPiece(piece, text, position, end);
      if (position < 0) return false;
    }
    return true;
  };
}
