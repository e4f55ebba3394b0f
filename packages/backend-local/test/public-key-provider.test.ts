import { Envelope, inspect, isFengniError, providerKey } from "@fengni/core";
import { generateHybridKemKey, type HybridKemName } from "@fengni/crypto/hybrid-kem";
import { describe, expect, test } from "vitest";
import { DEFAULT_PUBLIC_KEY_PROVIDER_ID, PublicKeyProvider } from "../src/index.js";

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => new Error("accepted what must be refused"),
    (reason: unknown) => reason,
  );
  if (isFengniError(error)) return error.code;
  const { code } = error as { code?: string };
  if (code !== undefined) return code;
  throw error;
}

describe.each(["X-Wing", "ML-KEM-768+SM2"] as const)("data keys wrapped to a public key, %s", (kem: HybridKemName) => {
  const key = generateHybridKemKey(kem);
  const sender = new PublicKeyProvider({ keys: [{ kem, publicKey: key.publicKey }] });
  const receiver = new PublicKeyProvider({ keys: [{ kem, seed: key.exportSeed() }] });
  const [keyId] = sender.keyIds;

  test("the sender seals without any secret, the receiver opens", async () => {
    expect(receiver.keyIds).toEqual(sender.keyIds);
    const sealing = new Envelope({ wrappingKeys: [providerKey(sender, keyId)] });
    const opening = new Envelope({ wrappingKeys: [providerKey(receiver, keyId)] });
    const message = await sealing.encrypt("for the receiver", { encryptionContext: { to: "you" } });
    expect(await opening.decryptText(message, { encryptionContext: { to: "you" } })).toBe("for the receiver");
    expect(inspect(message).encryptedDataKeys[0]?.providerId).toBe(DEFAULT_PUBLIC_KEY_PROVIDER_ID);
    await expect(sealing.decrypt(message)).rejects.toMatchObject({
      code: "ERR_UNWRAP_FAILED",
      attempts: [{ error: { code: "ERR_NOT_SUPPORTED" } }],
    });
  });

  test("never the same ciphertext twice, and the context is bound", async () => {
    const plaintext = new Uint8Array([1, 2, 3]);
    const encryptionContext = { a: "1" };
    const first = await sender.encrypt({ keyId, plaintext, encryptionContext });
    const second = await sender.encrypt({ keyId, plaintext, encryptionContext });
    expect(first.ciphertext).not.toEqual(second.ciphertext);
    for (const { ciphertext } of [first, second]) {
      expect((await receiver.decrypt({ ciphertext, encryptionContext, keyId })).plaintext).toEqual(plaintext);
      expect(await codeOf(receiver.decrypt({ ciphertext }))).toBe("ERR_AUTHENTICATION");
      expect(await codeOf(receiver.decrypt({ ciphertext, encryptionContext: { a: "2" } }))).toBe("ERR_AUTHENTICATION");
    }
  });

  test("every changed byte and every other length is refused with a typed error", async () => {
    const { ciphertext } = await sender.encrypt({ keyId, plaintext: new Uint8Array(32) });
    const refused = ["ERR_AUTHENTICATION", "ERR_CIPHERTEXT_INVALID", "ERR_KEY_NOT_FOUND"];
    for (let i = 0; i < ciphertext.length; i++) {
      const changed = new Uint8Array(ciphertext);
      changed[i] = (changed[i] as number) ^ (1 << (i & 7));
      expect(refused).toContain(await codeOf(receiver.decrypt({ ciphertext: changed })));
    }
    for (const length of [0, 1, 5, 6, 37, 38, 1000, ciphertext.length - 1]) {
      expect(refused).toContain(await codeOf(receiver.decrypt({ ciphertext: ciphertext.slice(0, length) })));
    }
    const longer = new Uint8Array([...ciphertext, 0]);
    expect(await codeOf(receiver.decrypt({ ciphertext: longer }))).toBe("ERR_AUTHENTICATION");
    expect(await codeOf(receiver.decrypt({ ciphertext: new Uint8Array(6000) }))).toBe("ERR_CIPHERTEXT_INVALID");
  });

  test("another key does not open it, and is named in no answer", async () => {
    const other = new PublicKeyProvider({ keys: [{ kem, seed: generateHybridKemKey(kem).exportSeed() }] });
    const both = new PublicKeyProvider({
      keys: [
        { kem, seed: key.exportSeed() },
        { kem, seed: generateHybridKemKey(kem).exportSeed() },
      ],
    });
    const { ciphertext } = await sender.generateDataKey({ keyId, numberOfBytes: 32 });
    expect(await codeOf(other.decrypt({ ciphertext }))).toBe("ERR_KEY_NOT_FOUND");
    expect((await both.decrypt({ ciphertext })).keyId).toBe(keyId);
    expect(await codeOf(both.decrypt({ ciphertext, keyId: both.keyIds[1] as string }))).toBe("ERR_NO_MATCHING_KEY");
  });

  test("what is not offered, not known, not allowed or closed is refused as such", async () => {
    const notOffered = [
      "reEncrypt",
      "sign",
      "verify",
      "getPublicKey",
      "asymmetricDecrypt",
      "postQuantumEncrypt",
      "postQuantumDecrypt",
    ] as const;
    for (const operation of notOffered) {
      expect(receiver.capabilities.operations).not.toContain(operation);
      expect(await codeOf(receiver[operation]())).toBe("ERR_NOT_SUPPORTED");
    }
    expect(await codeOf(sender.resolveKeyId("unknown"))).toBe("ERR_KEY_NOT_FOUND");
    expect(await codeOf(sender.encrypt({ keyId, plaintext: new Uint8Array(4097) }))).toBe("ERR_LIMIT");
    expect(await codeOf(sender.generateDataKey({ keyId, numberOfBytes: 1025 }))).toBe("ERR_LIMIT");
    expect(() => new PublicKeyProvider({ keys: [] })).toThrowError(/at least one/);
    expect(() => new PublicKeyProvider({ keys: [{ kem, publicKey: new Uint8Array(7) }] })).toThrowError();
    expect(() => new PublicKeyProvider({ keys: [{ kem: "none" as "X-Wing", seed: new Uint8Array(32) }] })).toThrowError(
      /kem/,
    );
    const reason = new Error("enough");
    await expect(sender.resolveKeyId(keyId, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const closing = new PublicKeyProvider({ keys: [{ kem, publicKey: key.publicKey }] });
    await closing.close();
    await closing.close();
    expect(await codeOf(closing.encrypt({ keyId, plaintext: new Uint8Array(1) }))).toBe("ERR_CLOSED");
  });

  test("no seed is shown by inspection or JSON", async () => {
    const { inspect: show } = await import("node:util");
    const seed = Buffer.from(key.exportSeed()).toString("hex");
    const shown = show(receiver, { depth: 10, showHidden: true }) + JSON.stringify(receiver);
    expect(shown).not.toContain(seed);
    expect(shown).not.toContain(key.exportSeed().join(", "));
  });
});
