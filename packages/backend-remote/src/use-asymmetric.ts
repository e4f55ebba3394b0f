// Use of keys with a public half. It must not know how requests are sent.
import {
  type AsymmetricDecryptRequest,
  type CallOptions,
  type DecryptResult,
  FengniError,
  isFengniError,
  type PublicKeyResult,
  type SignRequest,
  type SignResult,
  type VerifyRequest,
  type VerifyResult,
} from "@fengni/core";
import { assertBytes, bytesToBase64 } from "@fengni/crypto/bytes";
import { notSupported, type RegionOffers } from "./capabilities.js";
import { argumentError, checkFields, rangeError } from "./checks.js";
import { answerError, anyBytesIn, bytesIn, requireKey } from "./key-answers.js";
import type { KeyService } from "./key-service.js";
import { ASYMMETRIC_ENCRYPTIONS, SIGNATURES, type SignatureRow } from "./names.js";
import { checkBytes, MAX_MESSAGE_BYTES } from "./request-checks.js";

type Options = CallOptions | undefined;

/** Length of what RSA-2048 encrypts to, in bytes. */
const RSA_CIPHERTEXT_BYTES = 256;
/** Longest SM2 ciphertext that the service opens, in bytes. */
const MAX_SM2_CIPHERTEXT_BYTES = 256;
/** Longest signature that the service looks at, in bytes. */
const MAX_SIGNATURE_BYTES = 1_024;
/** Longest post-quantum signature that the service looks at, in bytes. */
const MAX_POST_QUANTUM_SIGNATURE_BYTES = 8_192;
/** Stands for a signature whose length none has: no algorithm takes it. */
const WRONG_SIGNATURE: Uint8Array = new Uint8Array(1);

/** A message in the service's words. */
interface Message {
  readonly row: SignatureRow;
  readonly text: string;
  readonly type: "RAW" | "DIGEST";
}

export async function sign(
  service: KeyService,
  offers: RegionOffers,
  request: SignRequest,
  options: Options,
): Promise<SignResult> {
  checkFields("sign", request, ["keyId", "algorithm", "message", "messageType"]);
  const { algorithm } = request;
  const { row, text, type } = messageOf("sign", offers, request);
  return service.withKey(request.keyId, options, async (keyId) => {
    const message = { KeyId: keyId, Message: text };
    const { name } = row;
    const answer =
      name === undefined
        ? await service.call("PostQuantumCryptoSign", message, options)
        : await service.call("SignByAsymmetricKey", { ...message, Algorithm: name, MessageType: type }, options);
    return { keyId, algorithm, signature: bytesIn("sign", "Signature", answer.Signature) };
  });
}

/**
 * A signature of a length that none has goes to the service as one byte, so that key, state and message are looked at all the same;
 * it is never valid.
 */
export async function verify(
  service: KeyService,
  offers: RegionOffers,
  request: VerifyRequest,
  options: Options,
): Promise<VerifyResult> {
  checkFields("verify", request, ["keyId", "algorithm", "message", "messageType", "signature"]);
  const { algorithm } = request;
  const { row, text, type } = messageOf("verify", offers, request);
  const { length } = assertBytes(request.signature, "signature");
  const longest = row.name === undefined ? MAX_POST_QUANTUM_SIGNATURE_BYTES : MAX_SIGNATURE_BYTES;
  const isPossible = length >= 1 && length <= longest;
  const SignatureValue = bytesToBase64(isPossible ? request.signature : WRONG_SIGNATURE);
  return service.withKey(request.keyId, options, async (keyId) => {
    const message = { KeyId: keyId, Message: text, SignatureValue };
    const { name } = row;
    const { SignatureValid } =
      name === undefined
        ? await service.call("PostQuantumCryptoVerify", message, options)
        : await service.call("VerifyByAsymmetricKey", { ...message, Algorithm: name, MessageType: type }, options);
    if (typeof SignatureValid !== "boolean") throw answerError("verify", "SignatureValid is not true or false");
    return { keyId, algorithm, valid: SignatureValid && isPossible };
  });
}

export async function getPublicKey(
  service: KeyService,
  request: { readonly keyId: string },
  options: Options,
): Promise<PublicKeyResult> {
  checkFields("getPublicKey", request, ["keyId"]);
  return service.withKey(request.keyId, options, async (keyId) => {
    const answer = await service.call("GetPublicKey", { KeyId: keyId }, options);
    requireKey("GetPublicKey", answer.KeyId, keyId);
    const publicKey = bytesIn("GetPublicKey", "PublicKey", answer.PublicKey);
    // The answer does not tell what the key is.
    const { keySpec, keyUsage } = await service.names.kindOf(keyId, options?.signal);
    return { keyId, keySpec, keyUsage, publicKey };
  });
}

export async function asymmetricDecrypt(
  service: KeyService,
  offers: RegionOffers,
  request: AsymmetricDecryptRequest,
  options: Options,
): Promise<DecryptResult> {
  checkFields("asymmetricDecrypt", request, ["keyId", "algorithm", "ciphertext"]);
  const { algorithm } = request;
  const row = ASYMMETRIC_ENCRYPTIONS.find((known) => known.algorithm === algorithm);
  if (row === undefined || !offers.asymmetricEncryptionAlgorithms.includes(algorithm)) {
    throw notSupported("asymmetricDecrypt", "there is no such algorithm");
  }
  const { length } = assertBytes(request.ciphertext, "ciphertext");
  if (length === 0) throw rangeError("ciphertext expected at least 1 byte");
  const Ciphertext = bytesToBase64(request.ciphertext);
  const isRsa = row.keySpec === "RSA_2048";
  const isPossible = isRsa ? length === RSA_CIPHERTEXT_BYTES : length <= MAX_SM2_CIPHERTEXT_BYTES;
  return service.withKey(request.keyId, options, async (keyId) => {
    if (!isPossible) throw await wrongLength(service, keyId, row.keySpec, options);
    const action = isRsa ? "AsymmetricRsaDecrypt" : "AsymmetricSm2Decrypt";
    const answer = isRsa
      ? await service.call("AsymmetricRsaDecrypt", { KeyId: keyId, Ciphertext, Algorithm: algorithm }, options)
      : await service.call("AsymmetricSm2Decrypt", { KeyId: keyId, Ciphertext }, options);
    requireKey(action, answer.KeyId, keyId);
    // Of a wrong PKCS#1 v1.5 padding the service may make up a plaintext of any length, so that nobody learns that it was wrong.
    return { keyId, plaintext: anyBytesIn(action, "Plaintext", answer.Plaintext) };
  });
}

/** What is wrong with a ciphertext of a length that the algorithm's have not: the key, if it is another one's. */
async function wrongLength(
  service: KeyService,
  keyId: string,
  keySpec: string,
  options: Options,
): Promise<FengniError> {
  try {
    const kind = await service.names.kindOf(keyId, options?.signal);
    if (kind.keySpec !== keySpec || kind.keyUsage !== "asymmetric-decrypt") {
      return new FengniError("ERR_KEY_USAGE", "the key is not for decryption with this algorithm: name another", {
        details: { keyId, reason: "key-usage" },
      });
    }
  } catch (error) {
    // Who may decrypt need not be allowed to look the key up.
    if (!isFengniError(error, "ERR_DENIED")) throw error;
  }
  return new FengniError("ERR_CIPHERTEXT_INVALID", "the ciphertext has a length that none of this algorithm has");
}

function messageOf(operation: "sign" | "verify", offers: RegionOffers, request: SignRequest): Message {
  const { algorithm, message, messageType = "raw" } = request;
  const row = SIGNATURES.find((known) => known.algorithm === algorithm);
  if (row === undefined || !offers.signatureAlgorithms.includes(algorithm)) {
    throw notSupported(operation, "there is no such algorithm");
  }
  if (messageType !== "raw" && messageType !== "digest") throw argumentError('messageType expected "raw" or "digest"');
  if (messageType === "raw") {
    checkBytes("message", message, MAX_MESSAGE_BYTES, "sign its digest");
    return { row, text: bytesToBase64(message), type: "RAW" };
  }
  const { digestBytes } = row;
  if (digestBytes === undefined) throw rangeError(`messageType expected "raw": ${algorithm} signs no digests`);
  const { length } = assertBytes(message, "message");
  if (length !== digestBytes) {
    throw rangeError(`message expected a digest of ${digestBytes} bytes for ${algorithm}, got ${length}`);
  }
  return { row, text: bytesToBase64(message), type: "DIGEST" };
}
