// What docs/remote-kms.md says of permissions, credentials and limits is what the program and the catalogue say.
import { readFileSync } from "node:fs";
import { ERROR_CODES, findAction } from "@fengni/kms-api";
import { expect, test } from "vitest";
import * as remote from "../src/index.js";
import * as checks from "../src/request-checks.js";

const text = readFileSync(new URL("../../../docs/remote-kms.md", import.meta.url), "utf8");

/** The rows of the first table under a heading. */
function rowsOf(heading: string): string[][] {
  const section = text.split(`\n${heading}\n`)[1]?.split(/\n##+ /)[0] ?? "";
  const table = section.split("\n\n").find((block) => block.trimStart().startsWith("|")) ?? "";
  return table
    .trim()
    .split("\n")
    .slice(2)
    .map((line) => line.slice(1, -1).split("|"))
    .map((cells) => cells.map((cell) => cell.trim()));
}

test("every permission is an action of the catalogue, and bound to a key as it says", () => {
  const rows = rowsOf("## Permissions");
  expect(rows.length).toBe(9);
  for (const [what, actions = "", isBound = ""] of rows) {
    const names = [...actions.matchAll(/`kms:(\w+)`/g)].map((match) => match[1] ?? "");
    expect(names.length, what).toBeGreaterThan(0);
    for (const name of names) {
      const granularity = isBound.replaceAll("*", "").startsWith("yes") ? "resource" : "operation";
      expect(findAction(name)?.granularity, name).toBe(granularity);
    }
  }
});

test("every source of credentials is exported", () => {
  const rows = rowsOf("## Credentials");
  expect(rows.length).toBe(10);
  for (const [call = ""] of rows) {
    const name = /^`(\w+)\(/.exec(call)?.[1] ?? "";
    expect(remote, call).toHaveProperty(name);
  }
});

test.each([
  ["plaintext of `encrypt`", checks.MAX_PLAINTEXT_BYTES],
  ["data key", checks.MAX_DATA_KEY_BYTES],
  ["ciphertext", checks.MAX_CIPHERTEXT_BYTES],
  ["encryption context", checks.MAX_CONTEXT_CHARACTERS],
  ["message to sign", checks.MAX_MESSAGE_BYTES],
  ["alias", checks.MAX_ALIAS_CHARACTERS],
  ["description", checks.MAX_DESCRIPTION_BYTES],
  ["page of keys", checks.MAX_LIST_LIMIT],
])("the limit of %s is %d", (what, limit) => {
  const row = rowsOf("## Limits").find(([name]) => name === what);
  expect(row?.[1]).toContain(limit.toLocaleString("en-US"));
});

test("every code that it explains is one that the service's codes become", () => {
  const portable = new Set(Object.values(ERROR_CODES).map((row) => row.portable as string));
  const own = ["ERR_NO_MATCHING_KEY", "ERR_TIMEOUT"];
  const codes = rowsOf("## Errors").flatMap(([cell = ""]) => [...cell.matchAll(/`(\w+)`/g)].map((match) => match[1]));
  expect(codes.length).toBeGreaterThan(8);
  for (const code of codes) expect(own.includes(code ?? "") || portable.has(code ?? ""), code).toBe(true);
});

test("the defaults that it names are the program's", () => {
  const options = Object.fromEntries(rowsOf("## Set-up").map(([name = "", , standard = ""]) => [name, standard]));
  expect(options).toMatchObject({
    "`endpoint`": `\`${remote.DEFAULT_ENDPOINT}\``,
    "`timeoutMs`": remote.DEFAULT_TIMEOUT_MS.toLocaleString("en-US"),
    "`maxAttempts`": String(remote.DEFAULT_MAX_ATTEMPTS),
  });
  expect(text).toContain(`default \`${remote.DEFAULT_PROVIDER_ID}\``);
  expect(text).toContain(`\`${remote.GENERATED_ALIAS_PREFIX}\` and 32 hexadecimal digits`);
  expect([remote.DEFAULT_ALIAS_CACHE_MS, remote.DEFAULT_REFRESH_MARGIN_MS]).toEqual([300_000, 300_000]);
});
