// Calls of the actions on asymmetric and post-quantum keys, and of those that import material.
import { constants, createHash, createPublicKey, createVerify, publicEncrypt } from "node:crypto";
import { importSm2PublicKey } from "@fengni/crypto/sm2";
import { expect } from "vitest";
import { base64, DAY_MS, flipped, SM_REGION, type TestGateway, text, UNKNOWN_ID } from "../gateway-support.js";
import type { ActionCases } from "./case.js";
import { CALLER_KEYS, openForCaller } from "./symmetric.js";

const NOT_FOUND = "ResourceUnavailable.CmkNotFound";
const DISABLED = "ResourceUnavailable.CmkDisabled";
const ARCHIVED = "ResourceUnavailable.CmkArchived";
const WRONG_USAGE = "InvalidParameterValue.InvalidKeyUsage";
const NO_BLOB = "InvalidParameterValue.InvalidCiphertext";
const DOES_NOT_OPEN = "FailedOperation.DecryptError";
const NOT_EXTERNAL = "UnsupportedOperation.NotExternalCmk";

const RSA = "ASYMMETRIC_DECRYPT_RSA_2048";
const SM2 = "ASYMMETRIC_DECRYPT_SM2";
const ECC = "ASYMMETRIC_SIGN_VERIFY_ECC";
const KYBER = "ASYMMETRIC_DECRYPT_KYBER_AES";
const DILITHIUM = "ASYMMETRIC_SIGN_VERIFY_DILITHIUM";
const OAEP = "RSAES_OAEP_SHA_256";

async function publicKeyOf(gateway: TestGateway, KeyId: string): Promise<string> {
  return (await gateway.call("GetPublicKey", { KeyId })).PublicKeyPem ?? "";
}

async function toRsaKey(gateway: TestGateway): Promise<{ KeyId: string; Ciphertext: string; Algorithm: string }> {
  const KeyId = await gateway.key({ KeyUsage: RSA });
  const key = await publicKeyOf(gateway, KeyId);
  const Ciphertext = publicEncrypt({ key, oaepHash: "sha256" }, Buffer.from("secret")).toString("base64");
  return { KeyId, Ciphertext, Algorithm: OAEP };
}

async function toSm2Key(gateway: TestGateway): Promise<{ KeyId: string; Ciphertext: string }> {
  const KeyId = await gateway.key({ KeyUsage: SM2 });
  const key = importSm2PublicKey(await publicKeyOf(gateway, KeyId));
  const bytes = key.encrypt(new TextEncoder().encode("secret"), { format: "asn1" });
  return { KeyId, Ciphertext: Buffer.from(bytes).toString("base64") };
}

async function signed(gateway: TestGateway) {
  const request = { KeyId: await gateway.key({ KeyUsage: ECC }), Message: base64("m"), Algorithm: "ECC_P256_R1" };
  const { Signature: SignatureValue = "" } = await gateway.call("SignByAsymmetricKey", request);
  return { ...request, SignatureValue };
}

async function postQuantumBlob(gateway: TestGateway): Promise<{ KeyId: string; CiphertextBlob: string }> {
  const KeyId = await gateway.key({ KeyUsage: KYBER });
  const { CiphertextBlob = "" } = await gateway.call("PostQuantumCryptoEncrypt", { KeyId, PlainText: base64("pq") });
  return { KeyId, CiphertextBlob };
}

async function postQuantumSigned(gateway: TestGateway) {
  const request = { KeyId: await gateway.key({ KeyUsage: DILITHIUM }), Message: base64("m") };
  const { Signature: SignatureValue = "" } = await gateway.call("PostQuantumCryptoSign", request);
  return { ...request, SignatureValue };
}

/** What imports 32 bytes, all alike, into a key. */
async function importOf(gateway: TestGateway, KeyId: string, byte = 1, bytes = 32) {
  const parameters = await gateway.call("GetParametersForImport", {
    KeyId,
    WrappingAlgorithm: "RSAES_OAEP_SHA_1",
    WrappingKeySpec: "RSA_2048",
  });
  const der = Buffer.from(parameters.PublicKey ?? "", "base64");
  const key = createPublicKey({ key: der, format: "der", type: "spki" });
  const wrapped = publicEncrypt(
    { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha1" },
    Buffer.alloc(bytes, byte),
  );
  return { KeyId, ImportToken: parameters.ImportToken ?? "", EncryptedKeyMaterial: wrapped.toString("base64") };
}

async function importedKey(gateway: TestGateway): Promise<string> {
  const KeyId = await gateway.key({ Type: 2 });
  await gateway.call("ImportKeyMaterial", await importOf(gateway, KeyId));
  return KeyId;
}

export const ASYMMETRIC_CASES: ActionCases<
  | "AsymmetricRsaDecrypt"
  | "AsymmetricSm2Decrypt"
  | "SignByAsymmetricKey"
  | "VerifyByAsymmetricKey"
  | "GetPublicKey"
  | "PostQuantumCryptoEncrypt"
  | "PostQuantumCryptoDecrypt"
  | "PostQuantumCryptoSign"
  | "PostQuantumCryptoVerify"
  | "GetParametersForImport"
  | "ImportKeyMaterial"
  | "DeleteImportedKeyMaterial"
> = {
  AsymmetricRsaDecrypt: {
    request: toRsaKey,
    check: ({ KeyId, Plaintext }, _gateway, request) => {
      expect(KeyId).toBe(request.KeyId);
      expect(text(Plaintext)).toBe("secret");
    },
    refused: {
      [DOES_NOT_OPEN]: async (gateway) => {
        const request = await toRsaKey(gateway);
        return { ...request, Ciphertext: flipped(request.Ciphertext) };
      },
      [NO_BLOB]: () => ({ KeyId: UNKNOWN_ID, Ciphertext: base64("short"), Algorithm: OAEP }),
      [WRONG_USAGE]: async (gateway) => ({ ...(await toRsaKey(gateway)), KeyId: await gateway.key() }),
      [DISABLED]: async (gateway) => ({
        ...(await toRsaKey(gateway)),
        KeyId: await gateway.disabledKey({ KeyUsage: RSA }),
      }),
      InvalidParameterValue: async (gateway) => ({ ...(await toRsaKey(gateway)), Algorithm: "RAW" }),
    },
  },
  AsymmetricSm2Decrypt: {
    request: toSm2Key,
    check: ({ Plaintext }) => expect(text(Plaintext)).toBe("secret"),
    refused: {
      [DOES_NOT_OPEN]: async (gateway) => {
        const request = await toSm2Key(gateway);
        return { ...request, Ciphertext: flipped(request.Ciphertext) };
      },
      [NO_BLOB]: async (gateway) => ({ KeyId: await gateway.key({ KeyUsage: SM2 }), Ciphertext: base64("none") }),
      [NOT_FOUND]: async (gateway) => ({ ...(await toSm2Key(gateway)), KeyId: UNKNOWN_ID }),
      [WRONG_USAGE]: async (gateway) => ({
        ...(await toSm2Key(gateway)),
        KeyId: await gateway.key({ KeyUsage: "ASYMMETRIC_SIGN_VERIFY_SM2" }),
      }),
    },
  },
  SignByAsymmetricKey: {
    request: async (gateway) => ({
      KeyId: await gateway.key({ KeyUsage: ECC }),
      Message: createHash("sha256").update("m").digest("base64"),
      Algorithm: "ECC_P256_R1",
      MessageType: "DIGEST",
    }),
    check: async ({ Signature = "" }, gateway, { KeyId }) => {
      const verify = createVerify("sha256").update("m");
      expect(verify.verify(await publicKeyOf(gateway, KeyId), Buffer.from(Signature, "base64"))).toBe(true);
    },
    refused: {
      InvalidParameterValue: async (gateway) => ({
        KeyId: await gateway.key({ KeyUsage: ECC }),
        Message: base64("no digest"),
        Algorithm: "ECC_P256_R1",
        MessageType: "DIGEST",
      }),
      [WRONG_USAGE]: async (gateway) => ({
        KeyId: await gateway.key({ KeyUsage: ECC }),
        Message: base64("m"),
        Algorithm: "SM2DSA",
      }),
      [DISABLED]: async (gateway) => ({
        KeyId: await gateway.disabledKey({ KeyUsage: ECC }),
        Message: base64("m"),
        Algorithm: "ECC_P256_R1",
      }),
    },
  },
  VerifyByAsymmetricKey: {
    request: signed,
    check: async (answer, gateway, request) => {
      expect(answer).toMatchObject({ SignatureValid: true });
      const wrong = { ...request, SignatureValue: flipped(request.SignatureValue) };
      expect(await gateway.call("VerifyByAsymmetricKey", wrong)).toMatchObject({ SignatureValid: false });
    },
    refused: {
      [NOT_FOUND]: async (gateway) => ({ ...(await signed(gateway)), KeyId: UNKNOWN_ID }),
      [WRONG_USAGE]: async (gateway) => ({ ...(await signed(gateway)), Algorithm: "RSA_PSS_SHA_256" }),
    },
  },
  GetPublicKey: {
    request: async (gateway) => ({ KeyId: await gateway.key({ KeyUsage: "ASYMMETRIC_SIGN_VERIFY_ECDSA384" }) }),
    check: ({ KeyId, PublicKey = "", PublicKeyPem = "" }, _gateway, request) => {
      expect(KeyId).toBe(request.KeyId);
      const der = Buffer.from(PublicKey, "base64");
      expect(createPublicKey(PublicKeyPem).export({ type: "spki", format: "der" }).equals(der)).toBe(true);
    },
    refused: { [WRONG_USAGE]: async (gateway) => ({ KeyId: await gateway.key() }) },
  },
  PostQuantumCryptoEncrypt: {
    request: async (gateway) => ({ KeyId: await gateway.key({ KeyUsage: KYBER }), PlainText: base64("pq") }),
    check: async ({ CiphertextBlob = "" }, gateway) =>
      expect(text((await gateway.call("PostQuantumCryptoDecrypt", { CiphertextBlob })).PlainText)).toBe("pq"),
    refused: {
      [WRONG_USAGE]: async (gateway) => ({ KeyId: await gateway.key(), PlainText: "QQ==" }),
      [DISABLED]: async (gateway) => ({ KeyId: await gateway.disabledKey({ KeyUsage: KYBER }), PlainText: "QQ==" }),
      "InvalidParameterValue.InvalidPlaintext": () => ({ KeyId: UNKNOWN_ID, PlainText: "no base64!" }),
    },
  },
  PostQuantumCryptoDecrypt: {
    request: async (gateway) => ({
      CiphertextBlob: (await postQuantumBlob(gateway)).CiphertextBlob,
      EncryptionPublicKey: CALLER_KEYS.publicKey,
      EncryptionAlgorithm: OAEP,
    }),
    check: ({ PlainText }) => expect(openForCaller(PlainText).toString()).toBe("pq"),
    refused: {
      [NO_BLOB]: () => ({ CiphertextBlob: base64("none") }),
      [DOES_NOT_OPEN]: async (gateway) => ({
        CiphertextBlob: flipped((await postQuantumBlob(gateway)).CiphertextBlob),
      }),
      [DISABLED]: async (gateway) => {
        const { KeyId, CiphertextBlob } = await postQuantumBlob(gateway);
        await gateway.call("DisableKey", { KeyId });
        return { CiphertextBlob };
      },
    },
  },
  PostQuantumCryptoSign: {
    request: async (gateway) => ({ KeyId: await gateway.key({ KeyUsage: DILITHIUM }), Message: base64("m") }),
    check: ({ Signature = "" }) => expect(Buffer.from(Signature, "base64")).toHaveLength(3309),
    refused: {
      [WRONG_USAGE]: async (gateway) => ({ KeyId: await gateway.key({ KeyUsage: ECC }), Message: "QQ==" }),
      [NOT_FOUND]: () => ({ KeyId: UNKNOWN_ID, Message: "QQ==" }),
    },
  },
  PostQuantumCryptoVerify: {
    request: postQuantumSigned,
    check: async (answer, gateway, request) => {
      expect(answer).toMatchObject({ SignatureValid: true });
      const wrong = { ...request, Message: base64("other") };
      expect(await gateway.call("PostQuantumCryptoVerify", wrong)).toMatchObject({ SignatureValid: false });
    },
    refused: {
      [DISABLED]: async (gateway) => {
        const request = await postQuantumSigned(gateway);
        await gateway.call("DisableKey", { KeyId: request.KeyId });
        return request;
      },
    },
  },
  GetParametersForImport: {
    request: async (gateway) => ({
      KeyId: await gateway.key({ Type: 2 }),
      WrappingAlgorithm: OAEP,
      WrappingKeySpec: "RSA_2048",
    }),
    check: (answer, gateway, { KeyId }) => {
      expect(answer).toMatchObject({ KeyId, ParametersValidTo: Math.floor(gateway.clock.now() / 1000) + 86_400 });
      const key = createPublicKey({ key: Buffer.from(answer.PublicKey ?? "", "base64"), format: "der", type: "spki" });
      expect(key.asymmetricKeyDetails?.modulusLength).toBe(2048);
    },
    refused: {
      [NOT_EXTERNAL]: async (gateway) => ({
        KeyId: await gateway.key(),
        WrappingAlgorithm: OAEP,
        WrappingKeySpec: "RSA_2048",
      }),
      InvalidParameterValue: () => ({ KeyId: UNKNOWN_ID, WrappingAlgorithm: "NONE", WrappingKeySpec: "RSA_2048" }),
      [ARCHIVED]: async (gateway) => {
        const KeyId = await importedKey(gateway);
        await gateway.call("ArchiveKey", { KeyId });
        return { KeyId, WrappingAlgorithm: OAEP, WrappingKeySpec: "RSA_2048" };
      },
    },
  },
  ImportKeyMaterial: {
    request: async (gateway) => ({
      ...(await importOf(gateway, await gateway.key({ Type: 2 }))),
      ValidTo: Math.floor(gateway.clock.now() / 1000) + 100,
    }),
    check: async (_answer, gateway, { KeyId, ValidTo }) => {
      const described = async () => (await gateway.call("DescribeKey", { KeyId })).KeyMetadata;
      expect(await described()).toMatchObject({ KeyState: "Enabled", Origin: "EXTERNAL", ValidTo });
      gateway.clock.advance(100_000);
      expect(await described()).toMatchObject({ KeyState: "PendingImport", ValidTo: 0 });
      await gateway.call("ImportKeyMaterial", { ...(await importOf(gateway, KeyId)), ValidTo: 0 });
      expect(await described()).toMatchObject({ KeyState: "Enabled", ValidTo: 0 });
    },
    refused: {
      [NOT_EXTERNAL]: async (gateway) => ({
        ...(await importOf(gateway, await gateway.key({ Type: 2 }))),
        KeyId: await gateway.key(),
      }),
      "InvalidParameter.DecryptMaterialError": async (gateway) =>
        importOf(gateway, await gateway.key({ Type: 2 }), 1, 16),
      "InvalidParameterValue.MaterialNotMatch": async (gateway) => importOf(gateway, await importedKey(gateway), 2),
      "ResourceUnavailable.TokenExpired": async (gateway) => {
        const request = await importOf(gateway, await gateway.key({ Type: 2 }));
        gateway.clock.advance(DAY_MS);
        return request;
      },
      InvalidParameterValue: async (gateway) => ({
        ...(await importOf(gateway, await gateway.key({ Type: 2 }))),
        ImportToken: "not base64!",
      }),
    },
  },
  DeleteImportedKeyMaterial: {
    request: async (gateway) => ({ KeyId: await importedKey(gateway) }),
    check: async (_answer, gateway, { KeyId }) =>
      expect((await gateway.call("DescribeKey", { KeyId })).KeyMetadata?.KeyState).toBe("PendingImport"),
    refused: { [NOT_EXTERNAL]: async (gateway) => ({ KeyId: await gateway.key() }) },
  },
};

/** Every way to sign, with the usage of its key and a region that has it. */
export const SIGNATURES: readonly { readonly usage: string; readonly algorithm: string; readonly region?: string }[] = [
  { usage: "ASYMMETRIC_SIGN_VERIFY_SM2", algorithm: "SM2DSA", region: SM_REGION },
  { usage: "ASYMMETRIC_SIGN_VERIFY_ECC", algorithm: "ECC_P256_R1" },
  { usage: "ASYMMETRIC_SIGN_VERIFY_ECDSA384", algorithm: "ECDSA_384" },
  { usage: "ASYMMETRIC_SIGN_VERIFY_RSA_2048", algorithm: "RSA_PSS_SHA_256" },
  { usage: "ASYMMETRIC_SIGN_VERIFY_RSA_2048", algorithm: "RSA_PKCS1_SHA_256" },
];
