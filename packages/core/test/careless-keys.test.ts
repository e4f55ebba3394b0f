// Wrapping keys that handle their buffers carelessly, and callers who hand over what is gone.
import { BranchKeyring, branchKeyStore, Envelope, memoryBranchKeyRecords, type WrappingKey } from "@fengni/core";
import { describe, expect, test } from "vitest";
import { refusal, testKey } from "./support.js";

describe("a wrapping key", () => {
  test("that gives the same answer again, which was wiped meanwhile, seals nothing under zeros", async () => {
    const key = testKey();
    let first: ReturnType<WrappingKey["generateDataKey"]> | undefined;
    const memoised: WrappingKey = {
      ...key,
      generateDataKey: (...request) => {
        first ??= key.generateDataKey(...request);
        return first;
      },
    };
    const envelope = new Envelope({ wrappingKeys: [memoised] });
    expect(await envelope.decryptText(await envelope.encrypt("one"))).toBe("one");
    await refusal(envelope.encrypt("two"), "ERR_UNAVAILABLE");
  });

  test("that uses its buffers again does not change what another key waits for", async () => {
    const key = testKey("scratch");
    const scratch = { providerInfo: new Uint8Array(64), ciphertext: new Uint8Array(64) };
    const put = (target: Uint8Array, bytes: Uint8Array): Uint8Array => {
      target.set(bytes);
      return target.subarray(0, bytes.length);
    };
    const careless: WrappingKey = {
      ...key,
      async generateDataKey(...request) {
        const { dataKey, encryptedDataKey } = await key.generateDataKey(...request);
        return {
          dataKey,
          encryptedDataKey: {
            providerId: encryptedDataKey.providerId,
            providerInfo: put(scratch.providerInfo, encryptedDataKey.providerInfo),
            ciphertext: put(scratch.ciphertext, encryptedDataKey.ciphertext),
          },
        };
      },
    };
    const waits: (() => void)[] = [];
    const slow = testKey("slow", 9);
    const slower: WrappingKey = {
      ...slow,
      async wrapDataKey(...request) {
        const wrapped = await slow.wrapDataKey(...request);
        await new Promise<void>((resolve) => waits.push(resolve));
        return wrapped;
      },
    };
    const envelope = new Envelope({ wrappingKeys: [careless, slower] });
    const messages: Promise<Uint8Array>[] = [];
    for (const text of ["one", "two"]) {
      messages.push(envelope.encrypt(text));
      while (waits.length < messages.length) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    for (const release of waits) release();
    const alone = new Envelope({ wrappingKeys: [], unwrappingKeys: [key] });
    expect(await Promise.all(messages.map(async (message) => alone.decryptText(await message)))).toEqual([
      "one",
      "two",
    ]);
  });
});

test("bytes whose buffer was transferred are refused, empty ones are not", async () => {
  const envelope = new Envelope({ wrappingKeys: [testKey()] });
  const gone = new Uint8Array(5);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  await expect(envelope.encrypt(gone)).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
  for (const empty of [new Uint8Array(0), new Uint8Array(5).subarray(5), Buffer.alloc(0)]) {
    expect((await envelope.decrypt(await envelope.encrypt(empty))).plaintext).toHaveLength(0);
  }
});

test("warming checks every id before it loads one", async () => {
  const store = branchKeyStore({ wrappingKey: testKey(), records: memoryBranchKeyRecords() });
  const keyring = new BranchKeyring({ store, branchKeyIdFor: () => "a", ttlMs: 1000 });
  for (const ids of [["gone", undefined], null, "t", [null], [{ branchKeyId: "a", version: 7 }]]) {
    await expect(keyring.warm(ids as never)).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
  }
  expect(keyring.stats().active.loads).toBe(0);
  await expect(keyring.use("a", undefined, 7 as never)).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
});
