// The proof of the kit: providers that are wrong in one small way each, all of which it must catch in the area that is about it.
import { afterAll, describe, expect, test } from "vitest";
import { AREAS } from "../src/areas.js";
import { type CheckResult, runConformance } from "../src/index.js";
import { FAULTS } from "./faults/index.js";
import type { Fault } from "./faults/support.js";

/** Runs the area that must catch a fault, up to the first check that does. */
async function firstFailure({ area, make, settings, after }: Fault): Promise<CheckResult | undefined> {
  const controller = new AbortController();
  let failure: CheckResult | undefined;
  const onResult = (result: CheckResult): void => {
    if (result.status !== "failed") return;
    failure ??= result;
    controller.abort();
  };
  try {
    await runConformance(async () => make(), { only: [area], signal: controller.signal, onResult, ...settings });
  } catch (error) {
    if (error !== controller.signal.reason) throw error;
  } finally {
    await after?.();
  }
  return failure;
}

/** Whether the kit tripped over the fault itself, where it should have found what is wrong. */
const TRIPPED = /^expected no error, got/;

describe("wrong providers", () => {
  let caught = 0;

  test.each(FAULTS.map((fault) => [`${fault.area}: ${fault.name}`, fault] as const))("%s", async (_name, fault) => {
    const failure = await firstFailure(fault);
    expect(failure, "no check of the area failed").toBeDefined();
    expect(failure?.area).toBe(fault.area);
    expect(failure?.message).not.toMatch(TRIPPED);
    caught += 1;
    // For whoever wants to see which check caught what.
    if (process.env["SHOW_FAULTS"] !== undefined) {
      process.stdout.write(`${fault.area}: ${fault.name} -> ${failure?.name}: ${failure?.message}\n`);
    }
  });

  test("each is caught", () => {
    expect(caught).toBe(FAULTS.length);
  });

  afterAll(() => {
    process.stdout.write(`wrong providers: caught ${caught} / ${FAULTS.length}\n`);
  });
});

test("there are at least 60, of every area, each with a name of its own", () => {
  expect(FAULTS.length).toBeGreaterThanOrEqual(60);
  expect(new Set(FAULTS.map(({ area, name }) => `${area}: ${name}`)).size).toBe(FAULTS.length);
  expect([...new Set(FAULTS.map(({ area }) => area))].sort()).toEqual(AREAS.map(({ name }) => name).sort());
});
