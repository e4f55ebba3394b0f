// The kit over the in-memory double: as tests of Vitest, one for each rule, and with nothing left out.
import { describe, expect, test } from "vitest";
import {
  type ConformanceSubject,
  conformance,
  faultyProvider,
  formatReport,
  inMemoryProvider,
  runConformance,
} from "../src/index.js";

conformance({ test, factory: async () => inMemoryProvider(), name: "in-memory" });

/** The double behind the fault injector, which has nothing to inject until the kit asks for it. */
function injectable(): ConformanceSubject {
  const double = inMemoryProvider();
  const provider = faultyProvider(double.provider);
  const faults = { fail: provider.failNext, hang: provider.hangNext };
  return { ...double, provider, faults, sibling: async () => faultyProvider(await double.sibling()) };
}

describe("a run with a report", () => {
  test("a wrapping provider without faults passes in full", async () => {
    const seen: string[] = [];
    const onResult = ({ area, name }: { readonly area: string; readonly name: string }): void => {
      seen.push(`${area}/${name}`);
    };
    const report = await runConformance(async () => injectable(), { onResult, uniqueDataKeys: 1000 });
    expect(report.areas.flatMap(({ checks }) => checks).filter(({ status }) => status !== "passed")).toEqual([]);
    expect(report).toMatchObject({ passed: true, providerId: "fengni-in-memory", uniqueDataKeys: 1000 });
    expect(report.areas.map(({ area }) => area)).toEqual([
      ...["capabilities", "data-keys", "encrypt-decrypt", "re-encrypt", "sign-verify", "asymmetric-decrypt"],
      ...["post-quantum", "key-lifecycle", "rotation", "import", "concurrency", "cancellation", "errors"],
      ...["hygiene", "buffers", "envelope", "shutdown"],
    ]);
    expect(seen.length).toBe(report.counts.passed);
    expect(report.counts.passed).toBe(145);
    expect(report.counts.assertions).toBeGreaterThan(25_000);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    expect(formatReport(report)).toMatch(/^fengni-in-memory: conforms\n145 checks passed, 0 failed, 0 not claimed; /);
    expect(formatReport(report)).toContain("uniqueness was checked over 1000 data keys only");
  });

  test("what is not claimed is told apart", async () => {
    const report = await runConformance(async () => onlyEncrypting(), { uniqueDataKeys: 10 });
    const statuses = Object.fromEntries(report.areas.map(({ area, status }) => [area, status]));
    expect(report.areas.flatMap(({ checks }) => checks).filter(({ status }) => status === "failed")).toEqual([]);
    expect(statuses).toMatchObject({
      "encrypt-decrypt": "exercised",
      "data-keys": "not claimed",
      "re-encrypt": "not claimed",
      "sign-verify": "not claimed",
      "asymmetric-decrypt": "not claimed",
      "post-quantum": "not claimed",
      "key-lifecycle": "not claimed",
      rotation: "not claimed",
      import: "not claimed",
      concurrency: "exercised",
      envelope: "not claimed",
      shutdown: "exercised",
    });
    const text = formatReport(report);
    expect(text).toContain(
      "data-keys          not claimed 0 of 5 checks, 0 ms\n    not claimed: 5 checks, as the provider does not claim generateDataKey\n",
    );
    expect(text).toContain("not claimed: 1 check, as the factory gives no admin\n");
  });

  test("a claim without keys fails, and says what to give", async () => {
    const { provider } = inMemoryProvider();
    const report = await runConformance(async () => ({ provider, keys: {} }), { only: ["data-keys"] });
    expect(report).toMatchObject({ passed: false, areas: [{ area: "data-keys", status: "failed" }] });
    expect(report.areas[0]?.checks[0]?.message).toBe(
      "the provider claims to encrypt and decrypt, but the factory gives no keys for it: give two keys in keys.symmetric",
    );
  });

  test("a claim that is not kept fails", async () => {
    const double = inMemoryProvider();
    const claimed = faultyProvider(double.provider, { rules: [{ fault: { error: "ERR_NOT_SUPPORTED" } }] });
    const report = await runConformance(async () => ({ ...double, provider: claimed }), { only: ["re-encrypt"] });
    expect(report.passed).toBe(false);
    expect(formatReport(report)).toContain("expected an answer, got a rejection with FengniError ERR_NOT_SUPPORTED");
  });

  test("a call that never settles, a throw and a missing promise fail", async () => {
    const wrongs: readonly (readonly [() => unknown, RegExp])[] = [
      [() => new Promise(() => {}), /provider\.generateDataKey: expected it to settle within 50 ms, it did not/],
      [
        () => {
          throw new Error("at once");
        },
        /provider\.generateDataKey threw: expected a promise that rejects/,
      ],
      [() => undefined, /provider\.generateDataKey returned no promise/],
    ];
    for (const [wrong, message] of wrongs) {
      const double = inMemoryProvider();
      Object.assign(double.provider, { generateDataKey: wrong });
      const report = await runConformance(async () => double, { only: ["data-keys"], callTimeoutMs: 50 });
      expect(report.areas[0]?.checks[0]?.message).toMatch(message);
    }
  });

  test("it can be ended, cleans up, and knows its areas", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    let cleanups = 0;
    const factory = async (): Promise<ConformanceSubject> => ({
      ...inMemoryProvider(),
      cleanup: async () => {
        cleanups += 1;
      },
    });
    const onResult = (): void => controller.abort(reason);
    await expect(runConformance(factory, { signal: controller.signal, onResult })).rejects.toBe(reason);
    expect(cleanups).toBe(1);
    await runConformance(factory, { only: ["shutdown"] });
    expect(cleanups).toBe(2);
    await expect(runConformance(factory, { only: ["nothing"] })).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
    await expect(runConformance(() => Promise.reject(reason))).rejects.toBe(reason);
  });
});

/** A provider that encrypts and decrypts, and refuses the rest. */
function onlyEncrypting(): ConformanceSubject {
  const { provider, keys } = inMemoryProvider();
  const unclaimed = ["generateDataKey", "reEncrypt", "sign", "verify", "getPublicKey", "asymmetricDecrypt"] as const;
  const all = [...unclaimed, "postQuantumEncrypt", "postQuantumDecrypt"] as const;
  const refusing = faultyProvider(provider, { rules: [{ operations: all, fault: { error: "ERR_NOT_SUPPORTED" } }] });
  const capabilities = {
    ...provider.capabilities,
    operations: ["encrypt", "decrypt"],
    signatureAlgorithms: [],
    asymmetricEncryptionAlgorithms: [],
  };
  const limited = new Proxy(refusing, {
    get: (target, name) => (name === "capabilities" ? capabilities : Reflect.get(target, name)),
  });
  return { provider: limited, keys: { symmetric: keys.symmetric } };
}
