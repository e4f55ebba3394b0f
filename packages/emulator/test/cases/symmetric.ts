// Calls of the actions on symmetric keys, and of those on hosted data keys.
import { createPrivateKey, generateKeyPairSync, privateDecrypt } from "node:crypto";
import { expect } from "vitest";
import { base64, flipped, REGION, type TestGateway, text, UNKNOWN_ID } from "../gateway-support.js";
import type { ActionCases } from "./case.js";

const NOT_FOUND = "ResourceUnavailable.CmkNotFound";
const DISABLED = "ResourceUnavailable.CmkDisabled";
const ARCHIVED = "ResourceUnavailable.CmkArchived";
const WRONG_STATE = "ResourceUnavailable.CmkStateNotSupport";
const WRONG_USAGE = "InvalidParameterValue.InvalidKeyUsage";
const NO_BLOB = "InvalidParameterValue.InvalidCiphertext";
const DOES_NOT_OPEN = "FailedOperation.DecryptError";

const CONTEXT = '{"tenant":"7","purpose":"test"}';
const REORDERED = '{ "purpose": "test", "tenant": "7" }';

/** An RSA key pair of a caller's. */
export const CALLER_KEYS: { readonly publicKey: string; readonly privateKey: string } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

/** What was encrypted to {@link CALLER_KEYS} by RSAES_OAEP_SHA_256. */
export function openForCaller(base64Text: string | undefined): Buffer {
  const key = createPrivateKey(CALLER_KEYS.privateKey);
  return privateDecrypt({ key, oaepHash: "sha256" }, Buffer.from(base64Text ?? "", "base64"));
}

async function sealed(gateway: TestGateway, plaintext = "secret"): Promise<{ KeyId: string; CiphertextBlob: string }> {
  const KeyId = await gateway.key();
  const { CiphertextBlob = "" } = await gateway.call("Encrypt", {
    KeyId,
    Plaintext: base64(plaintext),
    EncryptionContext: CONTEXT,
  });
  return { KeyId, CiphertextBlob };
}

export const SYMMETRIC_CASES: ActionCases<"Encrypt" | "Decrypt" | "ReEncrypt" | "GenerateRandom" | "GenerateDataKey"> =
  {
    Encrypt: {
      request: async (gateway) => ({ KeyId: await gateway.key(), Plaintext: base64("secret") }),
      check: async ({ KeyId, CiphertextBlob = "" }, gateway, request) => {
        expect(KeyId).toBe(request.KeyId);
        expect(text((await gateway.call("Decrypt", { CiphertextBlob })).Plaintext)).toBe("secret");
      },
      refused: {
        [NOT_FOUND]: () => ({ KeyId: UNKNOWN_ID, Plaintext: "QQ==" }),
        [DISABLED]: async (gateway) => ({ KeyId: await gateway.disabledKey(), Plaintext: "QQ==" }),
        [ARCHIVED]: async (gateway) => ({ KeyId: await gateway.archivedKey(), Plaintext: "QQ==" }),
        [WRONG_STATE]: async (gateway) => ({ KeyId: await gateway.key({ Type: 2 }), Plaintext: "QQ==" }),
        [WRONG_USAGE]: async (gateway) => ({
          KeyId: await gateway.key({ KeyUsage: "ASYMMETRIC_SIGN_VERIFY_ECC" }),
          Plaintext: "QQ==",
        }),
        "InvalidParameterValue.InvalidPlaintext": () => ({
          KeyId: UNKNOWN_ID,
          Plaintext: Buffer.alloc(4097).toString("base64"),
        }),
        InvalidParameterValue: () => ({ KeyId: UNKNOWN_ID, Plaintext: "QQ==", EncryptionContext: "[]" }),
      },
    },
    Decrypt: {
      request: async (gateway) => {
        const { KeyId, CiphertextBlob } = await sealed(gateway);
        // What was sealed before a rotation opens, and so does what an archived key sealed.
        await gateway.call("RotateKey", { KeyId });
        await gateway.call("ArchiveKey", { KeyId });
        return { CiphertextBlob, EncryptionContext: REORDERED };
      },
      check: async ({ Plaintext }, gateway, request) => {
        expect(text(Plaintext)).toBe("secret");
        const encrypted = await gateway.call("Decrypt", {
          ...request,
          EncryptionPublicKey: CALLER_KEYS.publicKey,
          EncryptionAlgorithm: "RSAES_OAEP_SHA_256",
        });
        expect(openForCaller(encrypted.Plaintext).toString()).toBe("secret");
      },
      refused: {
        [NO_BLOB]: () => ({ CiphertextBlob: base64("no blob") }),
        [DOES_NOT_OPEN]: async (gateway) => ({ CiphertextBlob: (await sealed(gateway)).CiphertextBlob }),
        [NOT_FOUND]: async (gateway) => {
          const { CiphertextBlob } = await sealed(gateway);
          const bytes = Buffer.from(CiphertextBlob, "base64");
          const idAt = bytes.indexOf("-") - 8;
          bytes.write(UNKNOWN_ID, idAt, "latin1");
          return { CiphertextBlob: bytes.toString("base64") };
        },
        [DISABLED]: async (gateway) => {
          const { KeyId, CiphertextBlob } = await sealed(gateway);
          await gateway.call("DisableKey", { KeyId });
          return { CiphertextBlob, EncryptionContext: CONTEXT };
        },
        InvalidParameterValue: async (gateway) => ({
          ...(await blobOnly(gateway)),
          EncryptionPublicKey: CALLER_KEYS.publicKey,
          EncryptionAlgorithm: "SM2",
        }),
      },
    },
    ReEncrypt: {
      request: async (gateway) => {
        const { CiphertextBlob } = await sealed(gateway);
        const DestinationKeyId = await gateway.key();
        return { CiphertextBlob, DestinationKeyId, SourceEncryptionContext: CONTEXT };
      },
      check: async (answer, gateway, { DestinationKeyId, CiphertextBlob }) => {
        expect(answer).toMatchObject({ KeyId: DestinationKeyId, ReEncrypted: true });
        expect(answer.SourceKeyId).not.toBe(DestinationKeyId);
        const { CiphertextBlob: blob = "" } = answer;
        expect(text((await gateway.call("Decrypt", { CiphertextBlob: blob })).Plaintext)).toBe("secret");
        const same = { CiphertextBlob, SourceEncryptionContext: CONTEXT, DestinationEncryptionContext: CONTEXT };
        expect(await gateway.call("ReEncrypt", same)).toMatchObject({ ReEncrypted: false, CiphertextBlob });
      },
      refused: {
        [NO_BLOB]: () => ({ CiphertextBlob: base64("no blob") }),
        [DOES_NOT_OPEN]: blobOnly,
        [NOT_FOUND]: async (gateway) => ({ ...(await blobOnly(gateway)), DestinationKeyId: UNKNOWN_ID }),
        "InvalidParameterValue.InvalidKeyId": async (gateway) => ({
          ...(await blobOnly(gateway)),
          DestinationKeyId: "an-alias",
        }),
        [ARCHIVED]: async (gateway) => ({
          ...(await blobOnly(gateway)),
          SourceEncryptionContext: CONTEXT,
          DestinationKeyId: await gateway.archivedKey(),
        }),
      },
    },
    GenerateRandom: {
      request: () => ({ NumberOfBytes: 1024 }),
      check: ({ Plaintext = "" }) => expect(Buffer.from(Plaintext, "base64")).toHaveLength(1024),
      refused: { InvalidParameterValue: () => ({ NumberOfBytes: 1025 }), MissingParameter: () => ({}) },
    },
    GenerateDataKey: {
      request: async (gateway) => ({ KeyId: await gateway.key(), KeySpec: "AES_128", EncryptionContext: CONTEXT }),
      check: async (answer, gateway, request) => {
        const { KeyId, Plaintext = "", CiphertextBlob = "" } = answer;
        expect(KeyId).toBe(request.KeyId);
        expect(Object.keys(answer).sort()).toStrictEqual(["CiphertextBlob", "KeyId", "Plaintext", "RequestId"]);
        expect(Buffer.from(Plaintext, "base64")).toHaveLength(16);
        const opened = await gateway.call("Decrypt", { CiphertextBlob, EncryptionContext: REORDERED });
        expect(opened.Plaintext).toBe(Plaintext);
        const encrypted = await gateway.call("GenerateDataKey", {
          KeyId: request.KeyId,
          KeySpec: "AES_128",
          NumberOfBytes: 24,
          EncryptionPublicKey: CALLER_KEYS.publicKey,
          EncryptionAlgorithm: "RSAES_OAEP_SHA_256",
        });
        const plain = openForCaller(encrypted.Plaintext);
        expect(plain).toHaveLength(24);
        const blob = { CiphertextBlob: encrypted.CiphertextBlob ?? "" };
        expect((await gateway.call("Decrypt", blob)).Plaintext).toBe(plain.toString("base64"));
      },
      refused: {
        MissingParameter: () => ({ KeyId: UNKNOWN_ID }),
        [NOT_FOUND]: () => ({ KeyId: UNKNOWN_ID, KeySpec: "AES_256" }),
        [DISABLED]: async (gateway) => ({ KeyId: await gateway.disabledKey(), NumberOfBytes: 1 }),
        [WRONG_STATE]: async (gateway) => ({ KeyId: await gateway.dyingKey(), NumberOfBytes: 1 }),
        [WRONG_USAGE]: async (gateway) => ({
          KeyId: await gateway.key({ KeyUsage: "ASYMMETRIC_DECRYPT_SM2" }),
          NumberOfBytes: 1,
        }),
        InvalidParameterValue: async (gateway) => ({
          KeyId: await gateway.key(),
          NumberOfBytes: 1024,
          EncryptionPublicKey: CALLER_KEYS.publicKey,
          EncryptionAlgorithm: "RSAES_OAEP_SHA_256",
        }),
        "InvalidParameterValue.AliasAlreadyExists": async (gateway) => {
          const KeyId = await gateway.key();
          const { keyId } = await gateway.kms.describeKey({ keyId: KeyId }, { region: REGION });
          const named = { isHostedByKms: true, dataKeyName: "taken", numberOfBytes: 1 };
          await gateway.kms.generateDataKey({ keyId, ...named }, { region: REGION });
          return { KeyId, NumberOfBytes: 1, IsHostedByKms: 1, DataKeyName: "taken" };
        },
      },
    },
  };

async function blobOnly(gateway: TestGateway): Promise<{ CiphertextBlob: string }> {
  const { CiphertextBlob } = await sealed(gateway);
  return { CiphertextBlob };
}

/** That a flipped bit in a blob is found, by whatever opens it. */
export async function flippedBlob(
  gateway: TestGateway,
): Promise<{ CiphertextBlob: string; EncryptionContext: string }> {
  const { CiphertextBlob } = await sealed(gateway);
  return { CiphertextBlob: flipped(CiphertextBlob), EncryptionContext: CONTEXT };
}
