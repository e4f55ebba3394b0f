// The actions on asymmetric keys, the post-quantum ones aside: translation only.
import type { AsymmetricRsaDecryptRequest } from "@fengni/backend-local";
import type { SignRequest } from "@fengni/core";
import type { Handlers } from "../call.js";
import { base64Of, bytesOf, oneOf, secretBase64Of, signatureAlgorithmOf } from "../formats.js";

type Names =
  | "AsymmetricRsaDecrypt"
  | "AsymmetricSm2Decrypt"
  | "SignByAsymmetricKey"
  | "VerifyByAsymmetricKey"
  | "GetPublicKey";

const RSA_ALGORITHMS: readonly AsymmetricRsaDecryptRequest["algorithm"][] = [
  "RSAES_PKCS1_V1_5",
  "RSAES_OAEP_SHA_1",
  "RSAES_OAEP_SHA_256",
];

/** The handlers of the group. */
export const ASYMMETRIC: Handlers<Names> = {
  async AsymmetricRsaDecrypt(kms, { KeyId, Ciphertext, Algorithm }, { options }) {
    const { keyId, plaintext } = await kms.asymmetricRsaDecrypt(
      {
        keyId: KeyId,
        algorithm: oneOf("Algorithm", Algorithm, RSA_ALGORITHMS),
        ciphertext: bytesOf("Ciphertext", Ciphertext),
      },
      options,
    );
    return { KeyId: keyId, Plaintext: secretBase64Of(plaintext) };
  },
  async AsymmetricSm2Decrypt(kms, { KeyId, Ciphertext }, { options }) {
    const request = { keyId: KeyId, ciphertext: bytesOf("Ciphertext", Ciphertext) };
    const { keyId, plaintext } = await kms.asymmetricSm2Decrypt(request, options);
    return { KeyId: keyId, Plaintext: secretBase64Of(plaintext) };
  },
  async SignByAsymmetricKey(kms, request, { options }) {
    const { signature } = await kms.signByAsymmetricKey(messageOf(request), options);
    return { Signature: base64Of(signature) };
  },
  async VerifyByAsymmetricKey(kms, request, { options }) {
    const signature = bytesOf("SignatureValue", request.SignatureValue);
    const { valid } = await kms.verifyByAsymmetricKey({ ...messageOf(request), signature }, options);
    return { SignatureValid: valid };
  },
  async GetPublicKey(kms, { KeyId }, { options }) {
    const { keyId, publicKey, publicKeyPem } = await kms.getPublicKey({ keyId: KeyId }, options);
    return { KeyId: keyId, PublicKey: base64Of(publicKey), PublicKeyPem: publicKeyPem };
  },
};

function messageOf(request: {
  readonly KeyId: string;
  readonly Algorithm: string;
  readonly Message: string;
  readonly MessageType?: string;
}): SignRequest {
  return {
    keyId: request.KeyId,
    algorithm: signatureAlgorithmOf(request.Algorithm),
    message: bytesOf("Message", request.Message),
    messageType: request.MessageType === "DIGEST" ? "digest" : "raw",
  };
}
