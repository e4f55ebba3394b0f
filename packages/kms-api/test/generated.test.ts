import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { generate } from "../scripts/generate.mjs";

interface RawField {
  name: string;
  type: string;
}

interface Catalogue {
  actions: { name: string; request: RawField[]; rules?: unknown[] }[];
  models: Record<string, RawField[]>;
}

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
const catalogue = (): Catalogue => JSON.parse(read("src/actions.json")) as Catalogue;

describe("the generated files", () => {
  it.each(Object.entries(generate(catalogue())))("%s is what actions.json gives", (path, text) => {
    expect(read(path) === text, `${path} is out of date: run node scripts/generate.mjs`).toBe(true);
  });

  const damages: readonly [name: string, damage: (catalogue: Catalogue) => void, message: RegExp][] = [
    ["an action twice", ({ actions }) => actions.push({ name: "ListKeys", request: [] }), /stands twice/],
    ["actions out of order", ({ actions }) => actions.reverse(), /order/],
    [
      "a field twice",
      ({ actions }) => actions[0]?.request.push({ name: "KeyId", type: "string" }),
      /KeyId stands twice/,
    ],
    ["an unknown type", ({ actions }) => actions[0]?.request.push({ name: "X", type: "Y[]" }), /unknown type/],
    ["a model that holds itself", ({ models }) => models["Tag"]?.push({ name: "Tags", type: "Tag[]" }), /holds itself/],
    [
      "a rule on no field",
      ({ actions }) => Object.assign(actions[0] ?? {}, { rules: [{ anyOf: ["Nothing"] }] }),
      /unknown Nothing/,
    ],
  ];

  it.each(damages)("refuses %s", (_name, damage, message) => {
    const damaged = catalogue();
    damage(damaged);
    expect(() => generate(damaged)).toThrow(message);
  });
});
