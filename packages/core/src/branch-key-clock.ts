// What time it is, for the dates of branch keys.

/** Milliseconds since the Unix epoch. */
export function nowMs(): number {
  return Date.now();
}
