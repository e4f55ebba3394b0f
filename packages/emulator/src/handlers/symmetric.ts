// The actions on symmetric keys, and random bytes: translation only.
import type { LocalDecryptRequest } from "@fengni/backend-local";
import type { EncryptRequest, ReEncryptRequest } from "@fengni/core";
import type { Handlers } from "../call.js";
import { base64Of, bytesOf, contextOf, defined, secretBase64Of, withBytes } from "../formats.js";
import { recipientOf } from "./recipient.js";

type Names = "Encrypt" | "Decrypt" | "ReEncrypt" | "GenerateRandom";

/** The handlers of the group. */
export const SYMMETRIC: Handlers<Names> = {
  async Encrypt(kms, { KeyId, Plaintext, EncryptionContext }, { options }) {
    const context = defined<EncryptRequest>({ encryptionContext: contextOf(EncryptionContext) });
    const { keyId, ciphertext } = await withBytes("Plaintext", Plaintext, (plaintext) =>
      kms.encrypt({ keyId: KeyId, plaintext, ...context }, options),
    );
    return { CiphertextBlob: base64Of(ciphertext), KeyId: keyId };
  },
  async Decrypt(kms, request, { options }) {
    const { keyId, plaintext } = await kms.decrypt(
      {
        ciphertext: bytesOf("CiphertextBlob", request.CiphertextBlob),
        ...defined<LocalDecryptRequest>({ encryptionContext: contextOf(request.EncryptionContext) }),
        ...recipientOf(request),
      },
      options,
    );
    return { KeyId: keyId, Plaintext: secretBase64Of(plaintext) };
  },
  async ReEncrypt(kms, request, { options }) {
    const { keyId, sourceKeyId, ciphertext, reEncrypted } = await kms.reEncrypt(
      {
        ciphertext: bytesOf("CiphertextBlob", request.CiphertextBlob),
        ...defined<ReEncryptRequest>({
          destinationKeyId: request.DestinationKeyId,
          sourceEncryptionContext: contextOf(request.SourceEncryptionContext),
          destinationEncryptionContext: contextOf(request.DestinationEncryptionContext),
        }),
      },
      options,
    );
    return { CiphertextBlob: base64Of(ciphertext), KeyId: keyId, SourceKeyId: sourceKeyId, ReEncrypted: reEncrypted };
  },
  async GenerateRandom(kms, { NumberOfBytes }, { options }) {
    const { plaintext } = await kms.generateRandom({ numberOfBytes: NumberOfBytes }, options);
    return { Plaintext: secretBase64Of(plaintext) };
  },
};
