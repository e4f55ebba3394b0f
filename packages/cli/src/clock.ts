// The wall clock of this machine. Must know no command.

/** Milliseconds since 1970. */
export function systemTimeMs(): number {
  return Date.now();
}
