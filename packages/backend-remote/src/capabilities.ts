// What a provider over the service claims: all that this package can do, or what a region offers of it. It must not know keys.
import {
  type AsymmetricEncryptionAlgorithm,
  type CallOptions,
  type Capabilities,
  FengniError,
  type ProviderOperation,
  type SignatureAlgorithm,
} from "@fengni/core";
import { argumentError, checkFields } from "./checks.js";
import type { KmsRequester } from "./key-names.js";
import { ASYMMETRIC_ENCRYPTIONS, kindOf, SIGNATURES } from "./names.js";
import {
  MAX_CONTEXT_CHARACTERS,
  MAX_DATA_KEY_BYTES,
  MAX_MESSAGE_BYTES,
  MAX_PLAINTEXT_BYTES,
} from "./request-checks.js";

/** What a region offers beside symmetric keys. */
export interface RegionOffers {
  readonly signatureAlgorithms: readonly SignatureAlgorithm[];
  readonly asymmetricEncryptionAlgorithms: readonly AsymmetricEncryptionAlgorithm[];
  /** Whether there are post-quantum encryption keys. */
  readonly postQuantumEncryption: boolean;
}

/** All that this package can do. */
export const ALL_OFFERS: RegionOffers = {
  signatureAlgorithms: SIGNATURES.map(({ algorithm }) => algorithm),
  asymmetricEncryptionAlgorithms: ASYMMETRIC_ENCRYPTIONS.map(({ algorithm }) => algorithm),
  postQuantumEncryption: true,
};

/**
 * Asks the service what a region offers (`ListAlgorithms`), for the option `offers` of a provider.
 * @param client - sends the request
 * @param region - default: the client's
 * @throws FengniError as the client does; the signal's reason
 */
export async function listOffers(
  client: KmsRequester,
  region?: string,
  options: CallOptions = {},
): Promise<RegionOffers> {
  const { AsymmetricAlgorithms = [], AsymmetricSignVerifyAlgorithms = [] } = await client.request(
    "ListAlgorithms",
    {},
    { ...options, ...(region === undefined ? {} : { region }) },
  );
  const offered = [...AsymmetricAlgorithms, ...AsymmetricSignVerifyAlgorithms].flatMap(
    ({ KeyUsage }) => kindOf(KeyUsage, undefined) ?? [],
  );
  const has = (keyUsage: string, keySpec: string): boolean =>
    offered.some((kind) => kind.keyUsage === keyUsage && kind.keySpec === keySpec);
  return {
    signatureAlgorithms: SIGNATURES.filter(({ keySpec }) => has("sign-verify", keySpec)).map((row) => row.algorithm),
    asymmetricEncryptionAlgorithms: ASYMMETRIC_ENCRYPTIONS.filter(({ keySpec }) =>
      has("asymmetric-decrypt", keySpec),
    ).map((row) => row.algorithm),
    postQuantumEncryption: has("post-quantum-encrypt-decrypt", "ML_KEM_768"),
  };
}

/** What a region offers, as it was given. @throws TypeError `ERR_ARGUMENT` for anything but that */
export function checkOffers(offers: RegionOffers): RegionOffers {
  const lists = ["signatureAlgorithms", "asymmetricEncryptionAlgorithms"] as const;
  checkFields("offers", offers, [...lists, "postQuantumEncryption"]);
  for (const name of lists) {
    if (!Array.isArray(offers[name])) throw argumentError(`offers.${name} expected a list: take what listOffers gives`);
  }
  if (typeof offers.postQuantumEncryption !== "boolean") {
    throw argumentError("offers.postQuantumEncryption expected true or false: take what listOffers gives");
  }
  return offers;
}

/** The capabilities of a provider. */
export function capabilitiesOf(offers: RegionOffers): Capabilities {
  const { signatureAlgorithms, asymmetricEncryptionAlgorithms, postQuantumEncryption } = offers;
  const signs = signatureAlgorithms.length > 0;
  const decrypts = asymmetricEncryptionAlgorithms.length > 0;
  const operations: ProviderOperation[] = ["generateDataKey", "encrypt", "decrypt", "reEncrypt"];
  if (signs) operations.push("sign", "verify");
  if (signs || decrypts || postQuantumEncryption) operations.push("getPublicKey");
  if (decrypts) operations.push("asymmetricDecrypt");
  if (postQuantumEncryption) operations.push("postQuantumEncrypt", "postQuantumDecrypt");
  return {
    operations,
    dataKeyBytes: { minimum: 1, maximum: MAX_DATA_KEY_BYTES },
    maxPlaintextBytes: MAX_PLAINTEXT_BYTES,
    maxContextCharacters: MAX_CONTEXT_CHARACTERS,
    signatureAlgorithms: [...signatureAlgorithms],
    asymmetricEncryptionAlgorithms: [...asymmetricEncryptionAlgorithms],
    maxMessageBytes: MAX_MESSAGE_BYTES,
  };
}

/** An operation, or an algorithm of one, that is not claimed. */
export function notSupported(operation: string, reason: string): FengniError<"ERR_NOT_SUPPORTED"> {
  return new FengniError("ERR_NOT_SUPPORTED", `${operation} is not offered here: ${reason}`, {
    details: { operation, reason },
  });
}
