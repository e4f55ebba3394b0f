// What docs/local-kms.md says of states and limits is what the program does.
import { readFileSync } from "node:fs";
import {
  KEY_SPECS,
  MAX_ALIAS_CHARACTERS,
  MAX_CONTEXT_CHARACTERS,
  MAX_DATA_KEY_BYTES,
  MAX_DESCRIPTION_BYTES,
  MAX_LIST_LIMIT,
  MAX_MESSAGE_BYTES,
  MAX_PENDING_WINDOW_DAYS,
  MAX_PLAINTEXT_BYTES,
  STATE_TABLE,
  type StatefulOperation,
} from "@fengni/backend-local";
import type { KeyState } from "@fengni/core";
import { expect, test } from "vitest";

const text = readFileSync(new URL("../../../docs/local-kms.md", import.meta.url), "utf8");

/** The cells of each row of the table under a heading. */
function rowsOf(heading: string): string[][] {
  const section = text.split(`\n${heading}\n`)[1]?.split("\n#")[0] ?? "";
  const lines = section.split("\n").filter((line) => line.startsWith("|"));
  return lines.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );
}

test("the state table", () => {
  const told: Record<string, Record<string, string>> = {};
  for (const [operations = "", enabled = "", disabled = "", pending = ""] of rowsOf("## States")) {
    for (const operation of operations.split(", ")) {
      if (Object.hasOwn(STATE_TABLE, operation)) told[operation] = { enabled, disabled, "pending-deletion": pending };
    }
  }
  const done = Object.fromEntries(
    Object.entries(STATE_TABLE).map(([operation, row]) => [
      operation as StatefulOperation,
      Object.fromEntries(
        Object.entries(row).map(([state, cell]) => [state as KeyState, typeof cell === "string" ? cell : "-"]),
      ),
    ]),
  );
  expect(told).toEqual(done);
});

test("the maxima, in the order of the table", () => {
  const maxima = rowsOf("## Limits")
    .slice(0, 9)
    .map(([, , maximum = ""]) => Number(maximum.replace(",", "").split(" ")[0]));
  expect(maxima.filter((maximum) => maximum > 0)).toEqual([
    MAX_PLAINTEXT_BYTES,
    MAX_DATA_KEY_BYTES,
    MAX_CONTEXT_CHARACTERS,
    MAX_MESSAGE_BYTES,
    MAX_ALIAS_CHARACTERS,
    MAX_DESCRIPTION_BYTES,
    MAX_PENDING_WINDOW_DAYS,
    MAX_LIST_LIMIT,
  ]);
});

test("the key specs", () => {
  expect(rowsOf("### Key specs").map(([spec = ""]) => spec.split("`")[1])).toEqual(KEY_SPECS);
});
