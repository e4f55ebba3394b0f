// Imports key material as a caller would: wrapped by node:crypto under the public key that the KMS gave.
import { constants, createPublicKey, publicEncrypt } from "node:crypto";
import type { LocalCallOptions, LocalKms } from "@fengni/backend-local";
import type { ImportKeyMaterialRequest } from "@fengni/core";
import { filled } from "./assertions.js";

/** The material of external keys in tests. */
export const MATERIAL: Uint8Array = filled(32, 0x17);

/** What `importKeyMaterial` takes, of parameters that were just asked for. */
export async function wrappedMaterial(
  kms: LocalKms,
  keyId: string,
  options?: LocalCallOptions,
): Promise<ImportKeyMaterialRequest> {
  const parameters = await kms.getParametersForImport({ keyId, wrappingAlgorithm: "RSAES_OAEP_SHA_256" }, options);
  const key = createPublicKey({ key: Buffer.from(parameters.publicKey), format: "der", type: "spki" });
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const encryptedKeyMaterial = Uint8Array.from(publicEncrypt({ key, padding, oaepHash: "sha256" }, MATERIAL));
  return { keyId, encryptedKeyMaterial, importToken: parameters.importToken };
}

/** Makes an external key and imports its material. @returns its id */
export async function createImportedKey(
  kms: LocalKms,
  validToMs?: number,
  options?: LocalCallOptions,
): Promise<string> {
  const { keyId } = await kms.createKey({ origin: "external" }, options);
  const request = await wrappedMaterial(kms, keyId, options);
  await kms.importKeyMaterial({ ...request, ...(validToMs === undefined ? {} : { validToMs }) }, options);
  return keyId;
}
