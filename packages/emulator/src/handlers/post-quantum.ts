// The actions on post-quantum keys: translation only.
import type { Handlers } from "../call.js";
import { base64Of, bytesOf, secretBase64Of, withBytes } from "../formats.js";
import { recipientOf } from "./recipient.js";

type Names =
  | "PostQuantumCryptoEncrypt"
  | "PostQuantumCryptoDecrypt"
  | "PostQuantumCryptoSign"
  | "PostQuantumCryptoVerify";

/** The handlers of the group. */
export const POST_QUANTUM: Handlers<Names> = {
  async PostQuantumCryptoEncrypt(kms, { KeyId, PlainText }, { options }) {
    const { keyId, ciphertext } = await withBytes("PlainText", PlainText, (plaintext) =>
      kms.postQuantumCryptoEncrypt({ keyId: KeyId, plaintext }, options),
    );
    return { CiphertextBlob: base64Of(ciphertext), KeyId: keyId };
  },
  async PostQuantumCryptoDecrypt(kms, request, { options }) {
    const ciphertext = bytesOf("CiphertextBlob", request.CiphertextBlob);
    const { keyId, plaintext } = await kms.postQuantumCryptoDecrypt({ ciphertext, ...recipientOf(request) }, options);
    return { KeyId: keyId, PlainText: secretBase64Of(plaintext) };
  },
  async PostQuantumCryptoSign(kms, { KeyId, Message }, { options }) {
    const request = { keyId: KeyId, message: bytesOf("Message", Message) };
    return { Signature: base64Of((await kms.postQuantumCryptoSign(request, options)).signature) };
  },
  async PostQuantumCryptoVerify(kms, { KeyId, Message, SignatureValue }, { options }) {
    const request = {
      keyId: KeyId,
      message: bytesOf("Message", Message),
      signature: bytesOf("SignatureValue", SignatureValue),
    };
    return { SignatureValid: (await kms.postQuantumCryptoVerify(request, options)).valid };
  },
};
