// The parameters by which a plaintext is encrypted to a public key of the caller's: translation only.
import type { RecipientAlgorithm, RecipientRequest } from "@fengni/backend-local";
import { defined, oneOf } from "../formats.js";

const ALGORITHMS: readonly RecipientAlgorithm[] = [
  "SM2",
  "SM2_C1C3C2_ASN1",
  "RSAES_PKCS1_V1_5",
  "RSAES_OAEP_SHA_1",
  "RSAES_OAEP_SHA_256",
];

/** Whom a plaintext is encrypted to, if to anyone. */
export function recipientOf(request: {
  readonly EncryptionPublicKey?: string;
  readonly EncryptionAlgorithm?: string;
}): RecipientRequest {
  const { EncryptionPublicKey, EncryptionAlgorithm } = request;
  return defined<RecipientRequest>({
    encryptionPublicKey: EncryptionPublicKey,
    encryptionAlgorithm:
      EncryptionAlgorithm === undefined ? undefined : oneOf("EncryptionAlgorithm", EncryptionAlgorithm, ALGORITHMS),
  });
}
