// Subjects that are wrong in a way that is not the contract's: a run still ends, and says what is the matter.
import { describe, expect, test } from "vitest";
import {
  type CheckResult,
  CONFORMANCE_AREAS,
  type ConformanceReport,
  type ConformanceSubject,
  inMemoryProvider,
  runConformance,
} from "../src/index.js";

const QUICK = { only: ["data-keys"], uniqueDataKeys: 10, callTimeoutMs: 100, checkTimeoutMs: 2000 } as const;

function failures({ areas }: ConformanceReport): readonly CheckResult[] {
  return areas.flatMap(({ checks }) => checks).filter(({ status }) => status === "failed");
}

/** A double with one method of its provider in another form. */
function changed(method: string, wrong: unknown): ConformanceSubject {
  const double = inMemoryProvider();
  const provider = new Proxy(double.provider, {
    get(target, name) {
      const value: unknown = name === method ? wrong : Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return { ...double, provider };
}

describe("cleanup", () => {
  const wrongs: readonly (readonly [string, () => Promise<void>, string])[] = [
    ["rejects", () => Promise.reject(new Error("x")), "expected no error, got Error without a code"],
    ["hangs", () => new Promise(() => {}), "the subject's cleanup: expected it to settle within 2000 ms, it did not"],
  ];
  test.each(wrongs)("one that %s is one more failure, and hides no result", async (_name, cleanup, message) => {
    const report = await runConformance(async () => ({ ...inMemoryProvider(), cleanup }), QUICK);
    expect(failures(report)).toMatchObject([{ area: "cleanup", message }]);
    expect(report).toMatchObject({ passed: false, counts: { passed: 5, failed: 1 } });
  });
});

describe("what is no subject", () => {
  const wrongs: readonly (readonly [unknown, string])[] = [
    [undefined, "the factory expected to give an object with provider and keys"],
    [{ keys: {} }, "the factory expected to give a provider"],
    [{ ...inMemoryProvider(), keys: undefined }, "the factory expected to give keys"],
    [changed("capabilities", undefined), "provider.capabilities expected an object"],
    [changed("capabilities", { operations: "encrypt" }), "provider.capabilities.operations expected an array"],
    [changed("postQuantumDecrypt", undefined), "provider.postQuantumDecrypt expected a method"],
    [{ ...inMemoryProvider(), admin: { operations: [] } }, "admin.createKey expected a method"],
  ];
  test.each(wrongs)("case %#", async (subject, message) => {
    const run = runConformance(async () => subject as ConformanceSubject, QUICK);
    await expect(run).rejects.toMatchObject({ code: "ERR_ARGUMENT", message: expect.stringContaining(message) });
  });

  test("a factory that hangs", async () => {
    const run = runConformance(() => new Promise(() => {}), { ...QUICK, checkTimeoutMs: 50 });
    await expect(run).rejects.toThrow("the factory: expected it to settle within 50 ms, it did not");
  });
});

describe("what a failure says", () => {
  test("an answer in another form", async () => {
    const cases: readonly (readonly [unknown, string])[] = [
      [undefined, "expected an answer { keyId, ciphertext, plaintext }, got undefined"],
      [{ keyId: "k", plaintext: new Uint8Array(1) }, "expected an answer whose ciphertext is a Uint8Array"],
    ];
    for (const [answer, message] of cases) {
      const report = await runConformance(async () => changed("generateDataKey", async () => answer), QUICK);
      expect(failures(report)[0]?.message).toContain(`provider.generateDataKey: ${message}`);
    }
  });

  test("the error behind it goes to onResult, and not into the report", async () => {
    const cause = new Error("a stack to look at");
    const causes: unknown[] = [];
    const report = await runConformance(async () => changed("generateDataKey", () => Promise.reject(cause)), {
      ...QUICK,
      onResult: (result, behind) => {
        if (result.status === "failed") causes.push(behind);
      },
    });
    expect(causes[0]).toBe(cause);
    expect(JSON.stringify(report)).not.toContain("a stack to look at");
  });

  test("a call that hangs under an envelope is named, and waited for once in a check", async () => {
    let calls = 0;
    const hangs = (): Promise<never> => {
      calls += 1;
      return new Promise(() => {});
    };
    const report = await runConformance(async () => changed("decrypt", hangs), { ...QUICK, only: ["envelope"] });
    const messages = failures(report).map(({ message }) => message);
    expect(messages.length).toBeGreaterThan(4);
    for (const message of messages)
      expect(message).toMatch(/\.decrypt: expected it to settle within 100 ms, it did not$/);
    expect(calls).toBeLessThan(messages.length * 4);
  });

  test("the areas that were left out are named", async () => {
    const report = await runConformance(async () => inMemoryProvider(), QUICK);
    expect(report.notRun).toEqual(CONFORMANCE_AREAS.filter((name) => name !== "data-keys"));
  });
});
