// The service's names beside core's: usages, signature algorithms, states, origins. Tables only; it must not know keys or calls.
import type {
  AsymmetricEncryptionAlgorithm,
  ImportWrappingAlgorithm,
  KeyOrigin,
  KeySpec,
  KeyState,
  KeyUsage,
  SignatureAlgorithm,
} from "@fengni/core";

/** What a key is, in core's terms. */
export interface KeyKind {
  readonly keyUsage: KeyUsage;
  readonly keySpec: KeySpec;
}

/** One of the service's usages, which name the spec as well. */
interface UsageRow {
  readonly name: string;
  readonly keyUsage: KeyUsage;
  /** Left out where the region decides. */
  readonly keySpec?: Exclude<KeySpec, SymmetricSpec>;
}

/** Specs of symmetric keys: a region has one of the two. */
export type SymmetricSpec = "AES_256" | "SM4";

/** The usage of symmetric keys. */
export const SYMMETRIC_USAGE = "ENCRYPT_DECRYPT";
/** `Type` of a key in a region of the SM algorithms. */
const SM_REGION_TYPE = 4;

// Where a spec has two usages, the first is the default of a new key.
const USAGES: readonly UsageRow[] = [
  { name: SYMMETRIC_USAGE, keyUsage: "encrypt-decrypt" },
  { name: "ASYMMETRIC_SIGN_VERIFY_RSA_2048", keyUsage: "sign-verify", keySpec: "RSA_2048" },
  { name: "ASYMMETRIC_DECRYPT_RSA_2048", keyUsage: "asymmetric-decrypt", keySpec: "RSA_2048" },
  { name: "ASYMMETRIC_SIGN_VERIFY_SM2", keyUsage: "sign-verify", keySpec: "SM2" },
  { name: "ASYMMETRIC_DECRYPT_SM2", keyUsage: "asymmetric-decrypt", keySpec: "SM2" },
  { name: "ASYMMETRIC_SIGN_VERIFY_ECC", keyUsage: "sign-verify", keySpec: "ECC_P256" },
  { name: "ASYMMETRIC_SIGN_VERIFY_ECDSA384", keyUsage: "sign-verify", keySpec: "ECC_P384" },
  { name: "ASYMMETRIC_DECRYPT_KYBER_AES", keyUsage: "post-quantum-encrypt-decrypt", keySpec: "ML_KEM_768" },
  { name: "ASYMMETRIC_SIGN_VERIFY_DILITHIUM", keyUsage: "sign-verify", keySpec: "ML_DSA_65" },
];

/** Whether a text names the spec of symmetric keys. */
export function isSymmetricSpec(keySpec: string): keySpec is SymmetricSpec {
  return keySpec === "AES_256" || keySpec === "SM4";
}

/**
 * What the service calls the usage of a key to be made.
 * @param keyUsage - default: the first of the spec's
 * @returns the name, or undefined where there is no such spec, or it has no such usage
 */
export function usageName(keySpec: KeySpec, keyUsage: KeyUsage | undefined): string | undefined {
  const isSymmetric = isSymmetricSpec(keySpec);
  const row = USAGES.find(
    (candidate) =>
      (isSymmetric ? candidate.keySpec === undefined : candidate.keySpec === keySpec) &&
      (keyUsage === undefined || candidate.keyUsage === keyUsage),
  );
  return row?.name;
}

/**
 * What a key of the service is.
 * @param name - its `KeyUsage`
 * @param type - its `Type`, which tells the kind of the region
 * @returns undefined for a usage that this version does not know
 */
export function kindOf(name: string | undefined, type: number | undefined): KeyKind | undefined {
  const row = USAGES.find((candidate) => candidate.name === name);
  if (row === undefined) return undefined;
  return { keyUsage: row.keyUsage, keySpec: row.keySpec ?? (type === SM_REGION_TYPE ? "SM4" : "AES_256") };
}

/** How the service signs with an algorithm. */
export interface SignatureRow {
  readonly algorithm: SignatureAlgorithm;
  readonly keySpec: KeySpec;
  /** The service's name; left out for the algorithm that has actions of its own. */
  readonly name?: string;
  /** Length of the digest form, in bytes; left out where there is none. */
  readonly digestBytes?: number;
}

/** Every signature algorithm. */
export const SIGNATURES: readonly SignatureRow[] = [
  { algorithm: "ECDSA_P256_SHA_256", keySpec: "ECC_P256", name: "ECC_P256_R1", digestBytes: 32 },
  { algorithm: "ECDSA_P384_SHA_384", keySpec: "ECC_P384", name: "ECDSA_384", digestBytes: 48 },
  { algorithm: "RSA_PKCS1_SHA_256", keySpec: "RSA_2048", name: "RSA_PKCS1_SHA_256", digestBytes: 32 },
  { algorithm: "RSA_PSS_SHA_256", keySpec: "RSA_2048", name: "RSA_PSS_SHA_256", digestBytes: 32 },
  { algorithm: "SM2DSA", keySpec: "SM2", name: "SM2DSA", digestBytes: 32 },
  { algorithm: "ML_DSA_65", keySpec: "ML_DSA_65" },
];

/** What encrypts to a public key, and the spec of its keys. The service's names are the same. */
export const ASYMMETRIC_ENCRYPTIONS: readonly {
  readonly algorithm: AsymmetricEncryptionAlgorithm;
  readonly keySpec: KeySpec;
}[] = [
  { algorithm: "RSAES_OAEP_SHA_1", keySpec: "RSA_2048" },
  { algorithm: "RSAES_OAEP_SHA_256", keySpec: "RSA_2048" },
  { algorithm: "RSAES_PKCS1_V1_5", keySpec: "RSA_2048" },
  { algorithm: "SM2_C1C3C2_ASN1", keySpec: "SM2" },
];

/** How key material may be wrapped for import. The service's names are the same. */
export const IMPORT_WRAPPINGS: readonly ImportWrappingAlgorithm[] = [
  "RSAES_OAEP_SHA_1",
  "RSAES_OAEP_SHA_256",
  "RSAES_PKCS1_V1_5",
];

const STATES: ReadonlyMap<string, KeyState> = new Map([
  ["Enabled", "enabled"],
  ["Disabled", "disabled"],
  ["PendingImport", "pending-import"],
  ["PendingDelete", "pending-deletion"],
  ["Archived", "archived"],
]);

/** The state of a key; undefined for one that this version does not know. */
export function stateOf(name: string | undefined): KeyState | undefined {
  return STATES.get(name ?? "");
}

/** Where the material of a key comes from; undefined for an origin that this version does not know. */
export function originOf(name: string | undefined): KeyOrigin | undefined {
  if (name === "TENCENT_KMS") return "provider";
  return name === "EXTERNAL" ? "external" : undefined;
}
