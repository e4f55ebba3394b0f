// Envelopes while the service breaks in every way it can: each operation succeeds or says what went wrong, none hangs, and what was
// sealed opens. SLOW=1 makes 10,000 operations.
import { Envelope, isFengniError, providerKey } from "@fengni/core";
import type { FaultRule } from "@fengni/emulator";
import { expect, test } from "vitest";
import { startBench } from "./emulator-support.js";

const OPERATIONS = process.env["SLOW"] === "1" ? 10_000 : 400;
/** What must succeed, or the test shows nothing: on a slow machine, where time is over more often, more are tried for it. */
const WANTED = OPERATIONS / 2;
const MOST_OPERATIONS = 10 * OPERATIONS;
const CONCURRENCY = 16;
/** Of answers: together 29 in 100. A refusal for the rate slows all that follows, so there are few. */
const FAULTS: readonly FaultRule[] = [
  { kind: "http-5xx", probability: 0.06 },
  { kind: "internal-error", probability: 0.05 },
  { kind: "reset", probability: 0.05 },
  { kind: "reset-after", probability: 0.04 },
  { kind: "truncate", probability: 0.04 },
  { kind: "garble", probability: 0.04 },
  { kind: "throttle", probability: 0.002 },
  // Past the deadline of an attempt.
  { kind: "latency", latencyMs: 3_600, probability: 0.01 },
];
const EXPECTED_CODES = ["ERR_UNAVAILABLE", "ERR_TIMEOUT", "ERR_THROTTLED", "ERR_UNWRAP_FAILED"];

test(`${OPERATIONS} operations of envelopes under faults`, { timeout: 1_800_000 }, async () => {
  // On a machine that is short of time the attempts of all callers may be late at once: that is no outage.
  const breaker = { failureThreshold: 100 };
  const bench = await startBench({}, { attemptTimeoutMs: 3_000, timeoutMs: 60_000, breaker });
  const { emulator, provider, admin } = bench;
  try {
    const { keyId } = await admin.createKey({ alias: "orders" });
    // By alias: the lookups meet the faults too.
    const envelope = new Envelope({ wrappingKeys: [providerKey(provider, "orders")] });
    const sealed: { readonly message: Uint8Array; readonly text: string }[] = [];
    const outcomes: Record<string, number> = {};
    const count = (name: string): void => {
      outcomes[name] = (outcomes[name] ?? 0) + 1;
    };
    for (const rule of FAULTS) emulator.faults.add(rule);
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < OPERATIONS || ((outcomes["succeeded"] ?? 0) < WANTED && next < MOST_OPERATIONS)) {
        const text = `order ${next++}`;
        try {
          const message = await envelope.encrypt(text, { encryptionContext: { tenant: "7" } });
          sealed.push({ message, text });
          expect(await envelope.decryptText(message, { encryptionContext: { tenant: "7" } })).toBe(text);
          count("succeeded");
        } catch (error) {
          if (!isFengniError(error)) throw error;
          expect(EXPECTED_CODES).toContain(error.code);
          expect(error.retryable).toBe(true);
          count(error.code);
        }
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
    emulator.faults.clear();
    // Whatever came out of encrypt was sealed with a data key that the service confirmed.
    const after = new Envelope({ wrappingKeys: [providerKey(provider, keyId)] });
    for (const { message, text } of sealed) {
      expect(await after.decryptText(message, { encryptionContext: { tenant: "7" } })).toBe(text);
    }
    expect(Object.values(outcomes).reduce((sum, number) => sum + number, 0)).toBe(next);
    expect(outcomes["succeeded"]).toBeGreaterThanOrEqual(WANTED);
  } finally {
    await bench.close();
  }
});

test("a rotation whose answer is lost is not made twice", async () => {
  const bench = await startBench({}, { attemptTimeoutMs: 60_000, timeoutMs: 60_000 });
  const { emulator, admin } = bench;
  const requests: string[] = [];
  const unsubscribe = emulator.audit.subscribe(({ action }) => {
    if (action === "RotateKey") requests.push(action);
  });
  try {
    const { keyId } = await admin.createKey();
    for (const kind of ["reset-after", "truncate", "garble"] as const) {
      requests.length = 0;
      emulator.faults.add({ kind, action: "RotateKey", count: 1 });
      const error: unknown = await admin.rotateKey(keyId).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: "ERR_UNAVAILABLE", isAmbiguous: true, retryable: false });
      expect(requests).toEqual(["RotateKey"]);
    }
    // Before it was carried out: a refusal for the rate is repeated.
    requests.length = 0;
    emulator.faults.add({ kind: "throttle", action: "RotateKey", count: 1 });
    await admin.rotateKey(keyId);
  } finally {
    unsubscribe();
    await bench.close();
  }
});
