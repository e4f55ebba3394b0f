// Descriptions of keys for people and for programs. Must not know where keys are kept.
import type { KeyDescription } from "@fengni/core";
import { escapeText, quoteText } from "./text.js";

const COLUMN = 14;

/** A time as in `2026-11-24T06:35:00.000Z`. */
function time(ms: number): string {
  return new Date(ms).toISOString();
}

/** What is known of a key, in lines. */
export function describeKey(key: KeyDescription): string {
  const rows: readonly (readonly [string, string | undefined])[] = [
    ["id", escapeText(key.keyId)],
    ["alias", key.alias === undefined ? undefined : escapeText(key.alias)],
    ["spec", key.keySpec],
    ["usage", key.keyUsage],
    ["state", key.state],
    ["description", key.description === "" ? undefined : quoteText(key.description)],
    ["versions", key.versions?.toString()],
    ["created", time(key.createdAtMs)],
    ["rotated", key.lastRotatedAtMs === undefined ? undefined : time(key.lastRotatedAtMs)],
    ["deletion", key.deletionAtMs === undefined ? undefined : time(key.deletionAtMs)],
  ];
  const lines = rows.flatMap(([label, value]) => (value === undefined ? [] : [`${label.padEnd(COLUMN)}${value}`]));
  return `${lines.join("\n")}\n`;
}

/** Keys as a table, one a line. */
export function keyTable(keys: readonly KeyDescription[]): string {
  const header = ["ID", "ALIAS", "SPEC", "STATE", "VERSIONS", "CREATED"];
  const rows = keys.map((key) => [
    escapeText(key.keyId),
    escapeText(key.alias ?? "-"),
    key.keySpec,
    key.state,
    String(key.versions ?? "-"),
    time(key.createdAtMs),
  ]);
  const table = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...table.map((row) => (row[column] as string).length)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] as number))
      .join("  ")
      .trimEnd(),
  );
  return `${lines.join("\n")}\n`;
}

/** A key as a value for JSON: the fields of `KeyDescription`, times as text. */
export function keyJson(key: KeyDescription): object {
  return {
    keyId: key.keyId,
    ...(key.alias !== undefined && { alias: key.alias }),
    keySpec: key.keySpec,
    keyUsage: key.keyUsage,
    state: key.state,
    description: key.description,
    versions: key.versions,
    createdAt: time(key.createdAtMs),
    ...(key.lastRotatedAtMs !== undefined && { lastRotatedAt: time(key.lastRotatedAtMs) }),
    ...(key.deletionAtMs !== undefined && { deletionAt: time(key.deletionAtMs) }),
  };
}
