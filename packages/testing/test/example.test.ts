// The example backend of docs/conformance.md passes the kit, for what it claims.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { TableKeyProvider } from "../../../examples/backend-in-an-hour.js";
import { type ConformanceSubject, conformance, runConformance } from "../src/index.js";

async function factory(): Promise<ConformanceSubject> {
  const table = { first: randomBytes(32), second: randomBytes(32) };
  return {
    provider: new TableKeyProvider(table),
    keys: { symmetric: ["first", "second"] },
    sibling: async () => new TableKeyProvider(table),
  };
}

conformance({ test, factory, name: "example backend" });

test("the example exercises what it claims, and fits on a few pages", async () => {
  const report = await runConformance(factory, { uniqueDataKeys: 500 });
  const exercised = report.areas.filter(({ status }) => status === "exercised").map(({ area }) => area);
  expect(report.passed).toBe(true);
  expect(exercised).toEqual([
    ...["capabilities", "data-keys", "encrypt-decrypt", "re-encrypt", "concurrency", "cancellation", "errors"],
    ...["hygiene", "buffers", "envelope", "shutdown"],
  ]);
  const source = readFileSync(new URL("../../../examples/backend-in-an-hour.ts", import.meta.url), "utf8");
  expect(source.split("\n").length - 1).toBeLessThanOrEqual(150);
});
