// Use of symmetric and post-quantum encryption keys. It must not know how requests are sent.
import type {
  CallOptions,
  DecryptRequest,
  DecryptResult,
  EncryptRequest,
  EncryptResult,
  GenerateDataKeyRequest,
  GeneratedDataKey,
  PostQuantumDecryptRequest,
  PostQuantumEncryptRequest,
  ReEncryptRequest,
  ReEncryptResult,
} from "@fengni/core";
import { bytesToBase64, wipe } from "@fengni/crypto/bytes";
import { checkFields } from "./checks.js";
import { answerError, bytesIn, keyIdIn, requireKey } from "./key-answers.js";
import type { KeyService } from "./key-service.js";
import {
  checkBytes,
  checkCiphertext,
  checkWholeNumber,
  contextText,
  MAX_DATA_KEY_BYTES,
  MAX_PLAINTEXT_BYTES,
} from "./request-checks.js";

type Options = CallOptions | undefined;

const SEAL_ADVICE = "seal it with an Envelope, which sends only a data key";

export async function generateDataKey(
  service: KeyService,
  request: GenerateDataKeyRequest,
  options: Options,
): Promise<GeneratedDataKey> {
  checkFields("generateDataKey", request, ["keyId", "numberOfBytes", "encryptionContext"]);
  const numberOfBytes = checkWholeNumber("numberOfBytes", request.numberOfBytes, 1, MAX_DATA_KEY_BYTES);
  const context = contextField("EncryptionContext", contextText("encryptionContext", request.encryptionContext));
  return service.withKey(request.keyId, options, async (keyId) => {
    const params = { KeyId: keyId, NumberOfBytes: numberOfBytes, ...context };
    const answer = await service.call("GenerateDataKey", params, options);
    requireKey("GenerateDataKey", answer.KeyId, keyId);
    const ciphertext = bytesIn("GenerateDataKey", "CiphertextBlob", answer.CiphertextBlob);
    const plaintext = bytesIn("GenerateDataKey", "Plaintext", answer.Plaintext);
    if (plaintext.length === numberOfBytes) return { keyId, plaintext, ciphertext };
    wipe(plaintext);
    throw answerError("GenerateDataKey", "the data key has another length than the one asked for");
  });
}

export async function encrypt(service: KeyService, request: EncryptRequest, options: Options): Promise<EncryptResult> {
  checkFields("encrypt", request, ["keyId", "plaintext", "encryptionContext"]);
  const Plaintext = bytesToBase64(checkBytes("plaintext", request.plaintext, MAX_PLAINTEXT_BYTES, SEAL_ADVICE));
  const context = contextField("EncryptionContext", contextText("encryptionContext", request.encryptionContext));
  return service.withKey(request.keyId, options, async (keyId) => {
    const answer = await service.call("Encrypt", { KeyId: keyId, Plaintext, ...context }, options);
    requireKey("Encrypt", answer.KeyId, keyId);
    return { keyId, ciphertext: bytesIn("Encrypt", "CiphertextBlob", answer.CiphertextBlob) };
  });
}

/**
 * The service authorizes decryption for all keys of an account at once. So the key that opened the ciphertext is compared with the
 * one that was named, and nothing of the answer is decoded unless they are the same.
 */
export async function decrypt(service: KeyService, request: DecryptRequest, options: Options): Promise<DecryptResult> {
  checkFields("decrypt", request, ["ciphertext", "encryptionContext", "keyId"]);
  const CiphertextBlob = bytesToBase64(checkCiphertext("ciphertext", request.ciphertext));
  const context = contextField("EncryptionContext", contextText("encryptionContext", request.encryptionContext));
  const { answer, keyId } = await service.open(
    "Decrypt",
    request.keyId,
    options,
    () => service.call("Decrypt", { CiphertextBlob, ...context }, options),
    ({ KeyId }) => KeyId,
  );
  return { keyId, plaintext: bytesIn("Decrypt", "Plaintext", answer.Plaintext) };
}

export async function reEncrypt(
  service: KeyService,
  request: ReEncryptRequest,
  options: Options,
): Promise<ReEncryptResult> {
  checkFields("reEncrypt", request, [
    "ciphertext",
    "sourceEncryptionContext",
    "destinationKeyId",
    "destinationEncryptionContext",
  ]);
  const { destinationKeyId, sourceEncryptionContext, destinationEncryptionContext } = request;
  const CiphertextBlob = bytesToBase64(checkCiphertext("ciphertext", request.ciphertext));
  const source = contextText("sourceEncryptionContext", sourceEncryptionContext);
  const destination = contextText("destinationEncryptionContext", destinationEncryptionContext);
  const contexts = {
    ...contextField("SourceEncryptionContext", source),
    ...contextField("DestinationEncryptionContext", destination),
  };
  const move = async (named: string | undefined): Promise<ReEncryptResult> => {
    const params = { CiphertextBlob, ...contexts, ...(named === undefined ? {} : { DestinationKeyId: named }) };
    const answer = await service.call("ReEncrypt", params, options);
    const sourceKeyId = keyIdIn("ReEncrypt", answer.SourceKeyId);
    // Without a destination the ciphertext stays with its key.
    const keyId = requireKey("ReEncrypt", answer.KeyId, named ?? sourceKeyId);
    return { keyId, sourceKeyId, ciphertext: bytesIn("ReEncrypt", "CiphertextBlob", answer.CiphertextBlob) };
  };
  return destinationKeyId === undefined ? move(undefined) : service.withKey(destinationKeyId, options, move);
}

export async function postQuantumEncrypt(
  service: KeyService,
  request: PostQuantumEncryptRequest,
  options: Options,
): Promise<EncryptResult> {
  checkFields("postQuantumEncrypt", request, ["keyId", "plaintext"]);
  const PlainText = bytesToBase64(checkBytes("plaintext", request.plaintext, MAX_PLAINTEXT_BYTES, SEAL_ADVICE));
  return service.withKey(request.keyId, options, async (keyId) => {
    const answer = await service.call("PostQuantumCryptoEncrypt", { KeyId: keyId, PlainText }, options);
    requireKey("PostQuantumCryptoEncrypt", answer.KeyId, keyId);
    return { keyId, ciphertext: bytesIn("PostQuantumCryptoEncrypt", "CiphertextBlob", answer.CiphertextBlob) };
  });
}

export async function postQuantumDecrypt(
  service: KeyService,
  request: PostQuantumDecryptRequest,
  options: Options,
): Promise<DecryptResult> {
  checkFields("postQuantumDecrypt", request, ["ciphertext", "keyId"]);
  const CiphertextBlob = bytesToBase64(checkCiphertext("ciphertext", request.ciphertext));
  const { answer, keyId } = await service.open(
    "PostQuantumCryptoDecrypt",
    request.keyId,
    options,
    () => service.call("PostQuantumCryptoDecrypt", { CiphertextBlob }, options),
    ({ KeyId }) => KeyId,
  );
  return { keyId, plaintext: bytesIn("PostQuantumCryptoDecrypt", "PlainText", answer.PlainText) };
}

function contextField<Name extends string>(
  name: Name,
  text: string | undefined,
): { readonly [Field in Name]?: string } {
  return text === undefined ? {} : ({ [name]: text } as { readonly [Field in Name]: string });
}
