// The contracts over one KMS: what is claimed is there, closing ends what it should, an aborted call changes nothing.
import { DEFAULT_PROVIDER_ID, LocalKeyAdmin, LocalKeyProvider, LocalKms } from "@fengni/backend-local";
import { discoverKeys, Envelope, type KeyAdmin, type KeyProvider, providerKey, supportsOperation } from "@fengni/core";
import { describe, expect, test } from "vitest";
import { codeOf, errorOf, filled, kmsWithKey } from "./support.js";

const signature = filled(70);
const message = filled(4);

/** Every method of the provider, as a call that is right but for its key. */
function providerCalls(provider: KeyProvider, keyId: string, signal?: AbortSignal): Promise<unknown>[] {
  const options = signal === undefined ? {} : { signal };
  const algorithm = "ECDSA_P256_SHA_256";
  return [
    provider.resolveKeyId(keyId, options),
    provider.generateDataKey({ keyId, numberOfBytes: 32 }, options),
    provider.encrypt({ keyId, plaintext: message }, options),
    provider.decrypt({ ciphertext: wellFormed(keyId) }, options),
    provider.reEncrypt({ ciphertext: wellFormed(keyId) }, options),
    provider.sign({ keyId, algorithm, message }, options),
    provider.verify({ keyId, algorithm, message, signature }, options),
    provider.getPublicKey({ keyId }, options),
  ];
}

/** Every method of the admin that takes a key. */
function adminCalls(admin: KeyAdmin, keyId: string, signal?: AbortSignal): Promise<unknown>[] {
  const options = signal === undefined ? {} : { signal };
  return [
    admin.createKey({ alias: "new" }, options),
    admin.describeKey(keyId, options),
    admin.listKeys({}, options),
    admin.enableKey(keyId, options),
    admin.disableKey(keyId, options),
    admin.rotateKey(keyId, options),
    admin.updateAlias(keyId, "other", options),
    admin.updateDescription(keyId, "other", options),
    admin.scheduleKeyDeletion(keyId, 7, options),
    admin.cancelKeyDeletion(keyId, options),
  ];
}

function wellFormed(keyId: string): Uint8Array {
  return Buffer.concat([Buffer.from([0x46, 0x4e, 0x4b, 0x42, 1, 1, 36]), Buffer.from(keyId), filled(80, 1)]);
}

describe("LocalKeyProvider", () => {
  test("claims every operation and the limits of the KMS", () => {
    const provider = new LocalKeyProvider(new LocalKms());
    expect(provider.providerId).toBe(DEFAULT_PROVIDER_ID);
    expect(provider.capabilities).toMatchObject({
      dataKeyBytes: { minimum: 1, maximum: 1024 },
      maxPlaintextBytes: 4096,
      maxContextCharacters: 1024,
      maxMessageBytes: 4096,
      signatureAlgorithms: ["ECDSA_P256_SHA_256", "ECDSA_P384_SHA_384"],
    });
    expect(provider.capabilities.operations.length).toBe(7);
    expect(supportsOperation(provider, "reEncrypt")).toBe(true);
  });

  test("its id is the caller's to choose", () => {
    const kms = new LocalKms();
    expect(new LocalKeyProvider(kms, { providerId: "äöü" }).providerId).toBe("äöü");
    for (const providerId of ["", "x".repeat(65_536), "\ud800", 7 as never]) {
      expect(() => new LocalKeyProvider(kms, { providerId })).toThrow(
        expect.objectContaining({ code: "ERR_ARGUMENT" }),
      );
    }
    expect(() => new LocalKeyProvider(kms, { provider: "x" } as never)).toThrow(TypeError);
  });

  test("does what the KMS does", async () => {
    const { kms, keyId } = await kmsWithKey();
    const provider = new LocalKeyProvider(kms);
    const generated = await provider.generateDataKey({ keyId, numberOfBytes: 32 });
    const moved = await provider.reEncrypt({
      ciphertext: generated.ciphertext,
      destinationEncryptionContext: { a: "b" },
    });
    const opened = await provider.decrypt({ ciphertext: moved.ciphertext, encryptionContext: { a: "b" } });
    expect(opened).toEqual({ keyId, plaintext: generated.plaintext });
  });
});

describe("close", () => {
  test("of a provider ends this provider only", async () => {
    const { kms, keyId } = await kmsWithKey();
    const provider = new LocalKeyProvider(kms);
    const other = new LocalKeyProvider(kms);
    await provider.close();
    await provider.close();
    for (const call of providerCalls(provider, keyId)) expect(await codeOf(call)).toBe("ERR_CLOSED");
    expect(await other.resolveKeyId(keyId)).toBe(keyId);
    expect((await kms.encrypt({ keyId, plaintext: message })).keyId).toBe(keyId);
  });

  test("of an admin ends this admin only", async () => {
    const { kms, keyId } = await kmsWithKey();
    const admin = new LocalKeyAdmin(kms);
    expect(admin.operations.length).toBe(10);
    await admin.close();
    await admin.close();
    for (const call of adminCalls(admin, keyId)) expect(await codeOf(call)).toBe("ERR_CLOSED");
    expect((await new LocalKeyAdmin(kms).describeKey(keyId)).keyId).toBe(keyId);
  });

  test("of the KMS ends everything over it", async () => {
    const { kms, keyId } = await kmsWithKey();
    const provider = new LocalKeyProvider(kms);
    const admin = new LocalKeyAdmin(kms);
    await kms.close();
    await kms.close();
    for (const call of [...providerCalls(provider, keyId), ...adminCalls(admin, keyId)]) {
      expect(await codeOf(call)).toBe("ERR_CLOSED");
    }
  });
});

describe("abort", () => {
  test("before a call: it rejects with the signal's reason, and nothing is changed", async () => {
    const { kms, keyId } = await kmsWithKey();
    const provider = new LocalKeyProvider(kms);
    const admin = new LocalKeyAdmin(kms);
    const before = await admin.listKeys();
    const reason = new Error("stopped by the test");
    const signal = AbortSignal.abort(reason);
    for (const call of [...providerCalls(provider, keyId, signal), ...adminCalls(admin, keyId, signal)]) {
      expect(await errorOf(call)).toBe(reason);
    }
    expect(await admin.listKeys()).toEqual(before);
  });

  test("after a call was answered does nothing", async () => {
    const { kms, keyId } = await kmsWithKey();
    const controller = new AbortController();
    const { ciphertext } = await kms.encrypt({ keyId, plaintext: message }, { signal: controller.signal });
    controller.abort();
    expect((await kms.decrypt({ ciphertext })).plaintext).toEqual(message);
  });
});

describe("with an Envelope", () => {
  test("a message opens by the key that made it, by discovery, and after rotation", async () => {
    const { kms, keyId } = await kmsWithKey();
    await kms.lifecycle.updateAlias(keyId, "orders");
    const provider = new LocalKeyProvider(kms);
    const writer = new Envelope({ wrappingKeys: [providerKey(provider, "orders")] });
    const encryptionContext = { tenant: "7", purpose: "invoice" };
    const sealed = await writer.encrypt(message, { encryptionContext });
    await kms.lifecycle.rotateKey("orders");
    for (const key of [providerKey(provider, keyId), providerKey(provider, "orders"), discoverKeys(provider)]) {
      const reader = new Envelope({ wrappingKeys: [], unwrappingKeys: [key] });
      const opened = await reader.decrypt(sealed, { encryptionContext });
      expect(Buffer.from(opened.plaintext)).toEqual(Buffer.from(message));
      expect(opened.header.encryptionContext).toMatchObject(encryptionContext);
    }
  });

  test("a context that is too long for the KMS goes to it as a digest", async () => {
    const { kms, keyId } = await kmsWithKey();
    const envelope = new Envelope({ wrappingKeys: [providerKey(new LocalKeyProvider(kms), keyId)] });
    const encryptionContext = { long: "x".repeat(5000) };
    const sealed = await envelope.encrypt(message, { encryptionContext });
    expect(Buffer.from((await envelope.decrypt(sealed, { encryptionContext })).plaintext)).toEqual(
      Buffer.from(message),
    );
  });

  test("a message does not open with another key, another provider id, or a disabled key", async () => {
    const { kms, keyId } = await kmsWithKey();
    const other = await kms.lifecycle.createKey();
    const provider = new LocalKeyProvider(kms);
    const sealed = await new Envelope({ wrappingKeys: [providerKey(provider, keyId)] }).encrypt(message);
    const openWith = (key: ReturnType<typeof providerKey>): Promise<unknown> =>
      new Envelope({ wrappingKeys: [key] }).decrypt(sealed);
    expect(await codeOf(openWith(providerKey(provider, other.keyId)))).toBe("ERR_NO_MATCHING_KEY");
    const renamed = new LocalKeyProvider(kms, { providerId: "another" });
    expect(await codeOf(openWith(providerKey(renamed, keyId)))).toBe("ERR_NO_MATCHING_KEY");
    await kms.lifecycle.disableKey(keyId);
    expect(await codeOf(openWith(providerKey(provider, keyId)))).toBe("ERR_UNWRAP_FAILED");
  });
});
