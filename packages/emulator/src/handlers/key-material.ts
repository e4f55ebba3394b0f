// The actions that bring key material from outside: translation only.
import type { ImportKeyMaterialRequest, ImportWrappingAlgorithm } from "@fengni/core";
import type { Handlers } from "../call.js";
import { base64Of, bytesOf, defined, msOf, oneOf, secondsOf } from "../formats.js";

type Names = "GetParametersForImport" | "ImportKeyMaterial" | "DeleteImportedKeyMaterial";

const WRAPPING_ALGORITHMS: readonly ImportWrappingAlgorithm[] = [
  "RSAES_PKCS1_V1_5",
  "RSAES_OAEP_SHA_1",
  "RSAES_OAEP_SHA_256",
];

/** The handlers of the group. */
export const KEY_MATERIAL: Handlers<Names> = {
  async GetParametersForImport(kms, { KeyId, WrappingAlgorithm }, { options }) {
    const wrappingAlgorithm = oneOf("WrappingAlgorithm", WrappingAlgorithm, WRAPPING_ALGORITHMS);
    const parameters = await kms.getParametersForImport({ keyId: KeyId, wrappingAlgorithm }, options);
    return {
      KeyId: parameters.keyId,
      ImportToken: base64Of(parameters.importToken),
      PublicKey: base64Of(parameters.publicKey),
      ParametersValidTo: secondsOf(parameters.validToMs),
    };
  },
  async ImportKeyMaterial(kms, { KeyId, EncryptedKeyMaterial, ImportToken, ValidTo }, { options }) {
    await kms.importKeyMaterial(
      {
        keyId: KeyId,
        encryptedKeyMaterial: bytesOf("EncryptedKeyMaterial", EncryptedKeyMaterial),
        importToken: bytesOf("ImportToken", ImportToken),
        ...defined<ImportKeyMaterialRequest>({ validToMs: msOf(ValidTo) }),
      },
      options,
    );
    return {};
  },
  async DeleteImportedKeyMaterial(kms, { KeyId }, { options }) {
    await kms.deleteImportedKeyMaterial({ keyId: KeyId }, options);
    return {};
  },
};
