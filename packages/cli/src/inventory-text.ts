// An inventory for people and for programs. Must not know how it was made.
import type { Inventory, KeyRow, RetireAnswer, SuiteRow } from "./inventory.js";
import { reportFailure } from "./report.js";
import { formatBytes, formatCount, plural, quoteText } from "./text.js";

/** A file that could not be counted. */
export interface UnclearFile {
  readonly path: string;
  readonly error: unknown;
}

/** All that is told. */
export interface InventoryReport {
  readonly inventory: Inventory;
  /** Files that are no messages. */
  readonly others: number;
  readonly unclear: readonly UnclearFile[];
  readonly mayRetire: RetireAnswer | undefined;
}

/** For people; names are quoted and escaped. */
export function inventoryText({ inventory, others, unclear, mayRetire }: InventoryReport): string {
  const { messages, bytes, keys, suites } = inventory;
  const sections = [
    [
      `${plural(messages, "message")}, ${formatBytes(bytes)}; ${plural(others, "other file")}; ${formatCount(unclear.length)} unclear`,
      "What messages name is not authenticated before they are decrypted.",
    ],
  ];
  if (keys.length > 0) sections.push(table(KEY_HEADER, keys.map(keyCells)));
  if (suites.length > 0) sections.push(table(SUITE_HEADER, suites.map(suiteCells)));
  if (unclear.length > 0) sections.push(["Unclear:", ...unclear.map(unclearLine)]);
  if (mayRetire !== undefined) sections.push(retireLines(mayRetire));
  return `${sections.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

const KEY_HEADER = ["PROVIDER", "KEY", "VERSION", "MESSAGES", "ONLY KEY OF", "SIZE"];
const SUITE_HEADER = ["SUITE", "NAME", "REWRAPPABLE", "MESSAGES", "SIZE"];

function keyCells({ providerId, key, version, messages, onlyKeyOf, bytes }: KeyRow): readonly string[] {
  return [
    quoteText(providerId),
    quoteText(key),
    version ?? "unknown",
    formatCount(messages),
    formatCount(onlyKeyOf),
    formatBytes(bytes),
  ];
}

function suiteCells({ id, name, rewrappable, messages, bytes }: SuiteRow): readonly string[] {
  return [id, name, rewrappable ? "yes" : "no", formatCount(messages), formatBytes(bytes)];
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [header, ...rows];
  const widths = header.map((_, column) => all.reduce((most, row) => Math.max(most, row[column]?.length ?? 0), 0));
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

function unclearLine({ path, error }: UnclearFile): string {
  return `  ${quoteText(path)}: ${whyUnclear(error)}`;
}

/** Without the program's name. */
function whyUnclear(error: unknown): string {
  return (reportFailure(error).line ?? "").replace(/^fengni: /, "");
}

const ANSWERS: Readonly<Record<RetireAnswer["answer"], string>> = {
  yes: "may be retired",
  no: "must not be retired",
  "cannot-tell": "should not be retired: it cannot be told whether messages need it",
};

function retireLines({ key, answer, reason, messages, examples }: RetireAnswer): string[] {
  const needing = messages === 0 ? "" : ` (${plural(messages, "message")})`;
  return [
    `${quoteText(key)} ${ANSWERS[answer]}: ${reason}${needing}`,
    ...examples.map((path) => `  ${quoteText(path)}`),
  ];
}

/** As a value for JSON. */
export function inventoryJson({ inventory, others, unclear, mayRetire }: InventoryReport): object {
  const { messages, bytes, keys, suites } = inventory;
  return {
    authenticated: false,
    messages,
    bytes,
    otherFiles: others,
    unclear: unclear.map(({ path, error }) => ({ path, error: whyUnclear(error) })),
    keys: keys.map(({ providerId, key, version, messages: count, onlyKeyOf, bytes: size }) => ({
      providerId,
      key,
      ...(version !== undefined && { version }),
      messages: count,
      onlyKeyOf,
      bytes: size,
    })),
    suites,
    ...(mayRetire !== undefined && { mayRetire }),
  };
}
