// What docs/local-kms.md says of operations, states, limits and refusals is what the program does.
import { readdirSync, readFileSync } from "node:fs";
import { DATA_KEY_STATE_TABLE, KEY_SPECS, OPERATION_GROUPS, STATE_TABLE } from "@fengni/backend-local";
import { expect, test } from "vitest";
import { MAX_SM2_CIPHERTEXT_BYTES } from "../src/asymmetric.js";
import * as attributes from "../src/attributes.js";
import * as checks from "../src/checks.js";
import * as lists from "../src/checks-lists.js";
import { MAX_CLOUD_RESOURCES, MAX_PRODUCT_ID_CHARACTERS, MAX_RESOURCE_ID_CHARACTERS } from "../src/cloud-resources.js";
import { MAX_DATA_KEY_DESCRIPTION_BYTES } from "../src/hosted-data-keys.js";
import { MAX_ROTATION_PERIOD_DAYS, MIN_ROTATION_PERIOD_DAYS } from "../src/rotation.js";
import { MAX_RANDOM_BYTES } from "../src/symmetric.js";
import { MAX_DEVICE_FINGERPRINTS } from "../src/white-box-container.js";
import { MAX_WHITE_BOX_BATCH } from "../src/white-box-lifecycle.js";

const text = readFileSync(new URL("../../../docs/local-kms.md", import.meta.url), "utf8");

/** The tables under a heading: the cells of each row, headings of columns first. */
function tablesOf(heading: string): string[][][] {
  const section = text.split(`\n${heading}\n`)[1]?.split(/\n##+ /)[0] ?? "";
  return section
    .split("\n\n")
    .filter((block) => block.trimStart().startsWith("|"))
    .map((block) =>
      block
        .trim()
        .split("\n")
        .filter((_, index) => index !== 1)
        .map((line) =>
          line
            .slice(1, -1)
            .split("|")
            .map((cell) => cell.trim()),
        ),
    );
}

function rowsOf(heading: string, table = 0): string[][] {
  return (tablesOf(heading)[table] ?? []).slice(1);
}

/** Names in code type in a cell. */
function namesIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] as string);
}

type States = Readonly<Record<string, Readonly<Record<string, string>>>>;

function toldStates(table: number): States {
  const [head = [], ...rows] = tablesOf("## States")[table] ?? [];
  const told: Record<string, Record<string, string>> = {};
  for (const [operations = "", ...cells] of rows) {
    for (const operation of operations.split(", ")) {
      expect(told).not.toHaveProperty(operation);
      told[operation] = Object.fromEntries(cells.map((cell, index) => [head[index + 1] ?? "", cell]));
    }
  }
  return told;
}

function programStates(table: Readonly<Record<string, Readonly<Record<string, string | { reason: string }>>>>): States {
  const rows = Object.entries(table).map(([operation, row]) => {
    const cells = Object.entries(row).map(([state, cell]) => [
      state,
      typeof cell === "string" ? cell : `- ${cell.reason}`,
    ]);
    return [operation, Object.fromEntries(cells)];
  });
  return Object.fromEntries(rows);
}

test("the state tables of keys and of hosted data keys", () => {
  expect(toldStates(0)).toEqual(programStates(STATE_TABLE));
  expect(toldStates(1)).toEqual(programStates(DATA_KEY_STATE_TABLE));
  expect(Object.keys(STATE_TABLE).length).toBeGreaterThan(30);
});

test.each(Object.entries(OPERATION_GROUPS))("the operations of the group %s", (group, operations) => {
  const told = rowsOf(`### ${group}`).flatMap(([names = ""]) => namesIn(names));
  expect(told.sort()).toEqual([...operations].sort());
});

test("the key specs", () => {
  expect(rowsOf("### Key specs").map(([spec = ""]) => namesIn(spec)[0])).toEqual(KEY_SPECS);
});

test("the minima and maxima, in the order of the table", () => {
  const numberIn = (cell: string): number =>
    /^\d/.test(cell) ? Number((cell.split(" ")[0] ?? "").replace(",", "")) : 0;
  const told = rowsOf("## Limits").map(([, minimum = "", maximum = ""]) => [numberIn(minimum), numberIn(maximum)]);
  expect(told).toEqual([
    [1, checks.MAX_PLAINTEXT_BYTES],
    [1, checks.MAX_DATA_KEY_BYTES],
    [0, checks.MAX_CONTEXT_CHARACTERS],
    [1, checks.MAX_MESSAGE_BYTES],
    [1, checks.MAX_ALIAS_CHARACTERS],
    [0, checks.MAX_DESCRIPTION_BYTES],
    [0, MAX_DATA_KEY_DESCRIPTION_BYTES],
    [checks.MIN_PENDING_WINDOW_DAYS, checks.MAX_PENDING_WINDOW_DAYS],
    [MIN_ROTATION_PERIOD_DAYS, MAX_ROTATION_PERIOD_DAYS],
    [1, checks.MAX_LIST_LIMIT],
    [1, lists.MAX_BATCH_IDS],
    [1, MAX_WHITE_BOX_BATCH],
    [0, MAX_DEVICE_FINGERPRINTS],
    [0, lists.MAX_TAGS],
    [1, lists.MAX_TAG_KEY_CHARACTERS],
    [0, lists.MAX_TAG_VALUE_CHARACTERS],
    [0, attributes.MAX_ATTRIBUTES],
    [0, MAX_CLOUD_RESOURCES],
    [1, MAX_PRODUCT_ID_CHARACTERS],
    [1, MAX_RESOURCE_ID_CHARACTERS],
    [1, MAX_RANDOM_BYTES],
    [0, MAX_SM2_CIPHERTEXT_BYTES],
    [0, 0],
  ]);
  expect(text).toContain(
    `default ${lists.DEFAULT_PAGE_LIMIT}; of \`LocalKeyAdmin\` ${checks.DEFAULT_ADMIN_LIST_LIMIT})`,
  );
});

test("every reason of a refusal, and no other", () => {
  const folder = new URL("../src/", import.meta.url);
  const sources = readdirSync(folder).map((name) => readFileSync(new URL(name, folder), "utf8"));
  const reasons = sources.flatMap((source) =>
    [...source.matchAll(/(?:\breason: |keyInvalid\(\s*|wrongState\([^"]*)"([a-z-]+)"/g)].map((match) => match[1]),
  );
  const told = rowsOf("### Refusals").map(([, reason = ""]) => namesIn(reason)[0]);
  expect(new Set(told).size).toBe(told.length);
  expect([...told].sort()).toEqual([...new Set(reasons)].sort());
});
