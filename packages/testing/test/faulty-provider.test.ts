// The fault injector does what its rules say, the same for the same seed, and nothing else.
import { Envelope, FengniError, providerKey } from "@fengni/core";
import { describe, expect, test } from "vitest";
import { type FaultRule, faultyProvider, inMemoryProvider } from "../src/index.js";

const plaintext = new TextEncoder().encode("sixteen bytes ok");

function faulty(rules: readonly FaultRule[], seed?: number) {
  const { provider, keys } = inMemoryProvider();
  return {
    keyId: keys.symmetric[0],
    inner: provider,
    provider: faultyProvider(provider, { rules, ...(seed !== undefined && { seed }) }),
  };
}

describe("a script", () => {
  test("hits the calls it names, and says which", async () => {
    const fault = { error: "ERR_THROTTLED" as const };
    const { provider, keyId } = faulty([{ operations: ["encrypt"], calls: [2, 3], fault }], 42);
    const outcomes = [];
    for (let i = 0; i < 4; i++) {
      outcomes.push(
        await provider.encrypt({ keyId, plaintext }).then(
          () => "sealed",
          (error: Error) => error.message,
        ),
      );
    }
    expect(outcomes).toEqual([
      "sealed",
      "injected fault: encrypt, call 2, seed 42",
      "injected fault: encrypt, call 3, seed 42",
      "sealed",
    ]);
    expect(provider.injectedFaults).toEqual([
      { operation: "encrypt", call: 2, fault },
      { operation: "encrypt", call: 3, fault },
    ]);
    await expect(provider.generateDataKey({ keyId, numberOfBytes: 32 })).resolves.toBeDefined();
  });

  test("errors are typed and tell whether a retry helps", async () => {
    for (const [code, retryable] of [
      ["ERR_UNAVAILABLE", true],
      ["ERR_THROTTLED", true],
      ["ERR_DENIED", false],
    ] as const) {
      const { provider, keyId } = faulty([{ fault: { error: code } }]);
      await expect(provider.encrypt({ keyId, plaintext })).rejects.toMatchObject({ code, retryable });
    }
    const own = new FengniError("ERR_CREDENTIALS", "expired");
    const { provider, keyId } = faulty([{ fault: { error: own } }]);
    await expect(provider.resolveKeyId(keyId)).rejects.toBe(own);
  });

  test("a call that hangs ends when it is aborted", async () => {
    const { provider, keyId } = faulty([{ fault: { hang: true } }]);
    const controller = new AbortController();
    const call = provider.encrypt({ keyId, plaintext }, { signal: controller.signal });
    const reason = new Error("enough");
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
    await expect(provider.encrypt({ keyId, plaintext }, { signal: controller.signal })).rejects.toBe(reason);
  });

  test("a late call answers, and ends at once when it is aborted", async () => {
    const { provider, keyId } = faulty([{ calls: [1], fault: { latencyMs: 5 } }, { fault: { latencyMs: 600_000 } }]);
    await expect(provider.encrypt({ keyId, plaintext })).resolves.toMatchObject({ keyId });
    const controller = new AbortController();
    const call = provider.encrypt({ keyId, plaintext }, { signal: controller.signal });
    controller.abort();
    await expect(call).rejects.toMatchObject({ name: "AbortError" });
  });

  test("a corrupted answer differs in one bit of each byte string", async () => {
    const { provider, inner, keyId } = faulty([{ operations: ["decrypt"], fault: { corrupt: true } }]);
    const { ciphertext } = await provider.encrypt({ keyId, plaintext });
    const { plaintext: opened } = await provider.decrypt({ ciphertext });
    const { plaintext: right } = await inner.decrypt({ ciphertext });
    expect([...opened].filter((byte, index) => byte !== right[index]).length).toBe(1);
    expect(right).toEqual(Uint8Array.from(plaintext));
    const replaced = faulty([{ fault: { corrupt: () => ({ keyId: "another" }) } }]);
    const answer = replaced.provider.encrypt({ keyId: replaced.keyId, plaintext });
    await expect(answer).resolves.toEqual({ keyId: "another" });
  });

  test("a doubled call is carried out twice", async () => {
    const { provider, inner, keyId } = faulty([{ fault: { duplicate: true } }]);
    let calls = 0;
    const encrypt = inner.encrypt.bind(inner);
    inner.encrypt = (request, options) => {
      calls += 1;
      return encrypt(request, options);
    };
    await provider.encrypt({ keyId, plaintext });
    expect(calls).toBe(2);
  });
});

describe("chance", () => {
  test("the same seed gives the same faults, another seed others", async () => {
    const hits = async (seed: number): Promise<readonly number[]> => {
      const { provider, keyId } = faulty([{ probability: 0.3, fault: { error: "ERR_UNAVAILABLE" } }], seed);
      for (let i = 0; i < 200; i++) await provider.resolveKeyId(keyId).catch(() => {});
      return provider.injectedFaults.map(({ call }) => call);
    };
    const first = await hits(7);
    expect(first).toEqual(await hits(7));
    expect(first).not.toEqual(await hits(8));
    expect(first.length).toBeGreaterThan(30);
    expect(first.length).toBeLessThan(90);
  });

  test("0 never happens, 1 always, and others are refused", async () => {
    const { provider, keyId } = faulty([{ probability: 0, fault: { error: "ERR_DENIED" } }]);
    await expect(provider.resolveKeyId(keyId)).resolves.toBe(keyId);
    for (const probability of [-0.1, 1.1, Number.NaN]) {
      expect(() => faulty([{ probability, fault: {} }])).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
    }
  });
});

test("an application's fail-over can be tried", async () => {
  const { provider, keyId, inner } = faulty([{ operations: ["decrypt"], fault: { error: "ERR_UNAVAILABLE" } }]);
  const message = await new Envelope({ wrappingKeys: [providerKey(inner, keyId)] }).encrypt("kept");
  const envelope = new Envelope({ wrappingKeys: [providerKey(provider, keyId), providerKey(inner, keyId)] });
  await expect(envelope.decryptText(message)).resolves.toBe("kept");
  provider.failNext(1, "ERR_DENIED");
  await expect(provider.resolveKeyId(keyId)).rejects.toMatchObject({ code: "ERR_DENIED" });
});
