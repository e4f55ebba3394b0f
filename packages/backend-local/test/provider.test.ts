// The contracts over one KMS: what is claimed is there, closing ends what it should, an aborted call changes nothing.
import { constants, createPublicKey, publicEncrypt } from "node:crypto";
import {
  ASYMMETRIC_ENCRYPTION_ALGORITHMS,
  DEFAULT_PROVIDER_ID,
  LocalKeyAdmin,
  LocalKeyProvider,
  LocalKms,
  SIGNATURE_ALGORITHMS,
} from "@fengni/backend-local";
import {
  type AsymmetricEncryptionAlgorithm,
  discoverKeys,
  Envelope,
  type KeyAdmin,
  type KeyProvider,
  type KeySpec,
  providerKey,
  type SignatureAlgorithm,
  supportsOperation,
} from "@fengni/core";
import { importSm2PublicKey } from "@fengni/crypto/sm2";
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
    provider.sign({ keyId, algorithm: "ML_DSA_65", message }, options),
    provider.verify({ keyId, algorithm: "ML_DSA_65", message, signature }, options),
    provider.getPublicKey({ keyId }, options),
    provider.asymmetricDecrypt({ keyId, algorithm: "RSAES_OAEP_SHA_256", ciphertext: filled(256) }, options),
    provider.asymmetricDecrypt({ keyId, algorithm: "SM2_C1C3C2_ASN1", ciphertext: filled(200) }, options),
    provider.postQuantumEncrypt({ keyId, plaintext: message }, options),
    provider.postQuantumDecrypt({ ciphertext: wellFormedPostQuantum(keyId) }, options),
  ];
}

/** Every method of the admin. */
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
    admin.enableKeyRotation(keyId, 30, options),
    admin.disableKeyRotation(keyId, options),
    admin.archiveKey(keyId, options),
    admin.cancelKeyArchive(keyId, options),
    admin.getParametersForImport(keyId, "RSAES_OAEP_SHA_256", options),
    admin.importKeyMaterial({ keyId, encryptedKeyMaterial: filled(256), importToken: filled(77) }, options),
    admin.deleteImportedKeyMaterial(keyId, options),
  ];
}

function wellFormed(keyId: string): Uint8Array {
  return Buffer.concat([Buffer.from([0x46, 0x4e, 0x4b, 0x42, 1, 1, 36]), Buffer.from(keyId), filled(80, 1)]);
}

function wellFormedPostQuantum(keyId: string): Uint8Array {
  return Buffer.concat([Buffer.from([0x46, 0x4e, 0x50, 0x51, 1, 1, 36]), Buffer.from(keyId), filled(1200, 1)]);
}

describe("LocalKeyProvider", () => {
  test("claims every operation and the limits of the KMS", () => {
    const provider = new LocalKeyProvider(new LocalKms());
    expect(provider.providerId).toBe(DEFAULT_PROVIDER_ID);
    expect(provider.capabilities).toEqual({
      operations: [
        "generateDataKey",
        "encrypt",
        "decrypt",
        "reEncrypt",
        "sign",
        "verify",
        "getPublicKey",
        "asymmetricDecrypt",
        "postQuantumEncrypt",
        "postQuantumDecrypt",
      ],
      dataKeyBytes: { minimum: 1, maximum: 1024 },
      maxPlaintextBytes: 4096,
      maxContextCharacters: 1024,
      maxMessageBytes: 4096,
      signatureAlgorithms: SIGNATURE_ALGORITHMS,
      asymmetricEncryptionAlgorithms: ASYMMETRIC_ENCRYPTION_ALGORITHMS,
    });
    expect(SIGNATURE_ALGORITHMS.length).toBe(6);
    expect(ASYMMETRIC_ENCRYPTION_ALGORITHMS.length).toBe(4);
    for (const operation of provider.capabilities.operations) {
      expect(supportsOperation(provider, operation)).toBe(true);
      expect(typeof provider[operation]).toBe("function");
    }
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
    expect(Object.keys(moved).sort()).toEqual(["ciphertext", "keyId", "sourceKeyId"]);
    const opened = await provider.decrypt({ ciphertext: moved.ciphertext, encryptionContext: { a: "b" } });
    expect(opened).toEqual({ keyId, plaintext: generated.plaintext });
  });

  test("signs and verifies by every algorithm that it claims", async () => {
    const specs: Readonly<Record<SignatureAlgorithm, KeySpec>> = {
      ECDSA_P256_SHA_256: "ECC_P256",
      ECDSA_P384_SHA_384: "ECC_P384",
      RSA_PKCS1_SHA_256: "RSA_2048",
      RSA_PSS_SHA_256: "RSA_2048",
      SM2DSA: "SM2",
      ML_DSA_65: "ML_DSA_65",
    };
    const kms = new LocalKms();
    const provider = new LocalKeyProvider(kms);
    for (const algorithm of provider.capabilities.signatureAlgorithms) {
      const keySpec = specs[algorithm];
      const { keyId } = await kms.createKey({ keySpec, keyUsage: "sign-verify", alias: algorithm });
      const signed = await provider.sign({ keyId: algorithm, algorithm, message });
      expect(signed).toEqual({ keyId, algorithm, signature: signed.signature });
      const request = { keyId, algorithm, message, signature: signed.signature };
      expect(await provider.verify(request)).toEqual({ keyId, algorithm, valid: true });
      expect((await provider.verify({ ...request, message: filled(5) })).valid).toBe(false);
      const { publicKey, ...about } = await provider.getPublicKey({ keyId });
      expect(about).toEqual({ keyId, keySpec, keyUsage: "sign-verify" });
      expect(publicKey.length).toBeGreaterThan(90);
    }
    const digest = { keyId: "ML_DSA_65", algorithm: "ML_DSA_65", message: filled(32), messageType: "digest" } as const;
    expect(await codeOf(provider.sign(digest))).toBe("ERR_ARGUMENT");
    expect(await codeOf(provider.verify({ ...digest, signature }))).toBe("ERR_ARGUMENT");
    const crossed = { keyId: "SM2DSA", algorithm: "ML_DSA_65", message } as const;
    expect(await codeOf(provider.sign(crossed))).toBe("ERR_KEY_USAGE");
  });

  test("opens what was encrypted by every algorithm that it claims", async () => {
    const { RSA_PKCS1_OAEP_PADDING: oaep, RSA_PKCS1_PADDING: pkcs1 } = constants;
    const rsa = (spki: Uint8Array, options: object): Uint8Array =>
      publicEncrypt(
        { key: createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" }), ...options },
        message,
      );
    const encrypt: Readonly<Record<AsymmetricEncryptionAlgorithm, (spki: Uint8Array) => Uint8Array>> = {
      RSAES_OAEP_SHA_1: (spki) => rsa(spki, { padding: oaep, oaepHash: "sha1" }),
      RSAES_OAEP_SHA_256: (spki) => rsa(spki, { padding: oaep, oaepHash: "sha256" }),
      RSAES_PKCS1_V1_5: (spki) => rsa(spki, { padding: pkcs1 }),
      SM2_C1C3C2_ASN1: (spki) => importSm2PublicKey(spki).encrypt(message, { format: "asn1" }),
    };
    const kms = new LocalKms();
    const provider = new LocalKeyProvider(kms);
    for (const algorithm of provider.capabilities.asymmetricEncryptionAlgorithms) {
      const keySpec = algorithm === "SM2_C1C3C2_ASN1" ? "SM2" : "RSA_2048";
      const { keyId } = await kms.createKey({ keySpec, keyUsage: "asymmetric-decrypt" });
      const { publicKey } = await provider.getPublicKey({ keyId });
      const ciphertext = encrypt[algorithm](publicKey);
      expect(await provider.asymmetricDecrypt({ keyId, algorithm, ciphertext })).toEqual({ keyId, plaintext: message });
    }
    const unknown = { keyId: "x", algorithm: "RSAES_OAEP_SHA_512" as never, ciphertext: filled(256) };
    expect(await codeOf(provider.asymmetricDecrypt(unknown))).toBe("ERR_NOT_SUPPORTED");
  });

  test("encrypts under post-quantum keys, and names the key that opens", async () => {
    const kms = new LocalKms();
    const provider = new LocalKeyProvider(kms);
    const { keyId } = await kms.createKey({ keySpec: "ML_KEM_768" });
    const { keyId: other } = await kms.createKey({ keySpec: "ML_KEM_768" });
    const { ciphertext } = await provider.postQuantumEncrypt({ keyId, plaintext: message });
    expect(await provider.postQuantumDecrypt({ ciphertext, keyId })).toEqual({ keyId, plaintext: message });
    expect(await codeOf(provider.postQuantumDecrypt({ ciphertext, keyId: other }))).toBe("ERR_NO_MATCHING_KEY");
  });

  test("calls as its caller, in its region, and nobody else", async () => {
    const seen: string[] = [];
    const kms = new LocalKms({
      regions: [{ name: "north" }, { name: "south" }],
      authorizer: ({ caller, operation, region }) => {
        seen.push(`${caller.id} ${operation} ${region}`);
        return caller.id !== "nobody";
      },
    });
    const provider = new LocalKeyProvider(kms, { region: "south", caller: { id: "ann" } });
    const { keyId } = await kms.createKey({}, { region: "south" });
    const smuggled: object = { region: "north", caller: { id: "eve" } };
    seen.length = 0;
    expect(await provider.resolveKeyId(keyId, smuggled)).toBe(keyId);
    for (const call of providerCalls(provider, keyId)) await call.catch(() => undefined);
    expect(seen.every((entry) => entry.startsWith("ann ") && entry.endsWith(" south"))).toBe(true);
    expect(new Set(seen.map((entry) => entry.split(" ")[1]))).toEqual(
      new Set([
        "describeKey",
        "generateDataKey",
        "encrypt",
        "decrypt",
        "reEncrypt",
        "signByAsymmetricKey",
        "verifyByAsymmetricKey",
        "postQuantumCryptoSign",
        "postQuantumCryptoVerify",
        "getPublicKey",
        "asymmetricRsaDecrypt",
        "asymmetricSm2Decrypt",
        "postQuantumCryptoEncrypt",
        "postQuantumCryptoDecrypt",
      ]),
    );
    expect(await codeOf(new LocalKeyProvider(kms).resolveKeyId(keyId))).toBe("ERR_KEY_NOT_FOUND");
    const denied = new LocalKeyProvider(kms, { region: "south", caller: { id: "nobody" } });
    for (const call of providerCalls(denied, keyId)) expect(await codeOf(call)).toBe("ERR_DENIED");
    const nowhere = new LocalKeyProvider(kms, { region: "west" });
    for (const call of providerCalls(nowhere, keyId)) expect(await codeOf(call)).toBe("ERR_NOT_SUPPORTED");
  });

  test("takes no fields beyond the contract's, which would change what comes back", async () => {
    const { kms, keyId } = await kmsWithKey();
    const provider = new LocalKeyProvider(kms);
    const encryptionPublicKey = "-----BEGIN PUBLIC KEY-----";
    for (const call of [
      provider.generateDataKey({ keyId, numberOfBytes: 32, encryptionPublicKey } as never),
      provider.generateDataKey({ keyId, numberOfBytes: 32, isHostedByKms: true } as never),
      provider.decrypt({ ciphertext: wellFormed(keyId), encryptionPublicKey } as never),
      provider.postQuantumDecrypt({ ciphertext: wellFormedPostQuantum(keyId), encryptionPublicKey } as never),
      provider.encrypt({ keyId, plaintext: message, context: {} } as never),
      provider.reEncrypt({ ciphertext: wellFormed(keyId), keyId } as never),
      provider.sign({ keyId, algorithm: "ML_DSA_65", message, context: filled(1) } as never),
      provider.verify({ keyId, algorithm: "ML_DSA_65", message, signature, context: filled(1) } as never),
      provider.getPublicKey({ keyId, format: "pem" } as never),
      provider.asymmetricDecrypt({ keyId, algorithm: "SM2_C1C3C2_ASN1", ciphertext: message, context: {} } as never),
      provider.postQuantumEncrypt({ keyId, plaintext: message, context: {} } as never),
    ]) {
      expect(await codeOf(call)).toBe("ERR_ARGUMENT");
    }
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
    expect(admin.operations.length).toBe(17);
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
    await kms.updateAlias({ keyId, alias: "orders" });
    const provider = new LocalKeyProvider(kms);
    const writer = new Envelope({ wrappingKeys: [providerKey(provider, "orders")] });
    const encryptionContext = { tenant: "7", purpose: "invoice" };
    const sealed = await writer.encrypt(message, { encryptionContext });
    await kms.rotateKey({ keyId: "orders" });
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
    const other = await kms.createKey();
    const provider = new LocalKeyProvider(kms);
    const sealed = await new Envelope({ wrappingKeys: [providerKey(provider, keyId)] }).encrypt(message);
    const openWith = (key: ReturnType<typeof providerKey>): Promise<unknown> =>
      new Envelope({ wrappingKeys: [key] }).decrypt(sealed);
    expect(await codeOf(openWith(providerKey(provider, other.keyId)))).toBe("ERR_NO_MATCHING_KEY");
    const renamed = new LocalKeyProvider(kms, { providerId: "another" });
    expect(await codeOf(openWith(providerKey(renamed, keyId)))).toBe("ERR_NO_MATCHING_KEY");
    await kms.disableKey({ keyId });
    expect(await codeOf(openWith(providerKey(provider, keyId)))).toBe("ERR_UNWRAP_FAILED");
  });
});
