// How the service writes values and names, beside how the local KMS does: base64, times, contexts, tags, usages, algorithms, states.
// It must not know actions, keys or who calls.
import type { DataKeyState, KeyOwner, PageRequest, TagFilter, Tags } from "@fengni/backend-local";
import type { EncryptionContext, KeyOrigin, KeySpec, KeyState, KeyUsage, SignatureAlgorithm } from "@fengni/core";
import { base64ToBytes, bytesToBase64, wipe } from "@fengni/crypto/bytes";
import { ApiError, type ApiErrorCode, type TagFilter as ServiceTagFilter, type Tag } from "@fengni/kms-api";

/** A parameter whose value the catalogue could not refuse by itself. */
export function invalidParameter(
  parameter: string,
  takes: string,
  code: ApiErrorCode = "InvalidParameterValue",
): ApiError {
  return new ApiError(code, `The parameter \`${parameter}\` is not valid. It takes: ${takes}.`);
}

/** The bytes of a parameter in base64; a new buffer. @throws ApiError `InvalidParameterValue` */
export function bytesOf(parameter: string, base64: string): Uint8Array {
  try {
    return base64ToBytes(base64);
  } catch {
    throw invalidParameter(parameter, "base64");
  }
}

/** Uses the bytes of a parameter in base64 that may be secret; they are wiped afterwards. */
export async function withBytes<Result>(
  parameter: string,
  base64: string,
  use: (bytes: Uint8Array) => Promise<Result>,
): Promise<Result> {
  const bytes = bytesOf(parameter, base64);
  try {
    return await use(bytes);
  } finally {
    wipe(bytes);
  }
}

/** Bytes as base64. */
export function base64Of(bytes: Uint8Array): string {
  return bytesToBase64(bytes);
}

/** Bytes that are secret as base64; they are wiped. */
export function secretBase64Of(bytes: Uint8Array): string {
  const base64 = bytesToBase64(bytes);
  wipe(bytes);
  return base64;
}

/** Unix seconds of milliseconds; 0 for a time that is not there. */
export function secondsOf(ms: number | undefined): number {
  return ms === undefined ? 0 : Math.floor(ms / 1000);
}

/** Milliseconds of Unix seconds; 0 stands for a time that is not there. */
export function msOf(seconds: number | undefined): number | undefined {
  return seconds === undefined || seconds === 0 ? undefined : seconds * 1000;
}

/** An encryption context that came as text; the catalogue has checked that it is an object of strings. */
export function contextOf(text: string | undefined): EncryptionContext | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as EncryptionContext);
}

/** Tags as the local KMS takes them; the catalogue has checked that their keys differ. */
export function tagsOf(tags: readonly Tag[]): Tags {
  return Object.fromEntries(tags.map(({ TagKey, TagValue }) => [TagKey, TagValue]));
}

/** What the answer to a request with tags says of them: they are there. */
export const TAGGED: { readonly TagCode: number; readonly TagMsg: string } = { TagCode: 0, TagMsg: "" };

/** Filters by tags as the local KMS takes them. */
export function tagFiltersOf(filters: readonly ServiceTagFilter[]): readonly TagFilter[] {
  return filters.map(({ TagKey, TagValue = [] }) => ({ key: TagKey, values: TagValue }));
}

/** A text that is one of those known. @throws ApiError `InvalidParameterValue` */
export function oneOf<Text extends string>(parameter: string, text: string, known: readonly Text[]): Text {
  const found = known.find((candidate) => candidate === text);
  if (found === undefined) throw invalidParameter(parameter, `one of ${known.join(", ")}`);
  return found;
}

/** What the service calls one usage: a usage and a spec of the local KMS. */
interface UsageRow {
  readonly name: string;
  readonly keyUsage: KeyUsage;
  /** Left out where the region decides. */
  readonly keySpec?: KeySpec;
}

const USAGES: readonly UsageRow[] = [
  { name: "ENCRYPT_DECRYPT", keyUsage: "encrypt-decrypt" },
  { name: "ASYMMETRIC_DECRYPT_RSA_2048", keyUsage: "asymmetric-decrypt", keySpec: "RSA_2048" },
  { name: "ASYMMETRIC_DECRYPT_SM2", keyUsage: "asymmetric-decrypt", keySpec: "SM2" },
  { name: "ASYMMETRIC_SIGN_VERIFY_SM2", keyUsage: "sign-verify", keySpec: "SM2" },
  { name: "ASYMMETRIC_SIGN_VERIFY_ECC", keyUsage: "sign-verify", keySpec: "ECC_P256" },
  { name: "ASYMMETRIC_SIGN_VERIFY_ECDSA384", keyUsage: "sign-verify", keySpec: "ECC_P384" },
  { name: "ASYMMETRIC_SIGN_VERIFY_RSA_2048", keyUsage: "sign-verify", keySpec: "RSA_2048" },
  { name: "ASYMMETRIC_DECRYPT_KYBER_AES", keyUsage: "post-quantum-encrypt-decrypt", keySpec: "ML_KEM_768" },
  { name: "ASYMMETRIC_SIGN_VERIFY_DILITHIUM", keyUsage: "sign-verify", keySpec: "ML_DSA_65" },
];

/** The usage of a new key when the request names none. */
export const DEFAULT_KEY_USAGE = "ENCRYPT_DECRYPT";

/** What a usage of the service is locally. @throws ApiError `InvalidParameterValue.InvalidKeyUsage` */
export function usageOf(name: string): { readonly keyUsage: KeyUsage; readonly keySpec?: KeySpec } {
  const row = USAGES.find((candidate) => candidate.name === name);
  if (row === undefined) throw invalidParameter("KeyUsage", "a usage", "InvalidParameterValue.InvalidKeyUsage");
  const { keyUsage, keySpec } = row;
  return keySpec === undefined ? { keyUsage } : { keyUsage, keySpec };
}

/** What the service calls the usage of a local key. */
export function usageNameOf(key: { readonly keyUsage: KeyUsage; readonly keySpec: KeySpec }): string {
  const row = USAGES.find(
    ({ keyUsage, keySpec }) => keyUsage === key.keyUsage && (keySpec === undefined || keySpec === key.keySpec),
  );
  return row?.name ?? "";
}

const SIGNATURE_ALGORITHMS: readonly { readonly name: string; readonly algorithm: SignatureAlgorithm }[] = [
  { name: "SM2DSA", algorithm: "SM2DSA" },
  { name: "ECC_P256_R1", algorithm: "ECDSA_P256_SHA_256" },
  { name: "ECDSA_384", algorithm: "ECDSA_P384_SHA_384" },
  { name: "RSA_PSS_SHA_256", algorithm: "RSA_PSS_SHA_256" },
  { name: "RSA_PKCS1_SHA_256", algorithm: "RSA_PKCS1_SHA_256" },
];

/** The local name of a signature algorithm of the service. @throws ApiError `InvalidParameterValue` */
export function signatureAlgorithmOf(name: string): SignatureAlgorithm {
  const row = SIGNATURE_ALGORITHMS.find((candidate) => candidate.name === name);
  if (row !== undefined) return row.algorithm;
  throw invalidParameter("Algorithm", `one of ${SIGNATURE_ALGORITHMS.map((known) => known.name).join(", ")}`);
}

/** What the service calls an algorithm of the local KMS. */
export function algorithmNameOf(algorithm: string): string {
  return SIGNATURE_ALGORITHMS.find((row) => row.algorithm === algorithm)?.name ?? algorithm;
}

/** What the service calls the state of a key. */
export const STATE_NAMES: Readonly<Record<KeyState | DataKeyState, string>> = {
  enabled: "Enabled",
  disabled: "Disabled",
  "pending-import": "PendingImport",
  "pending-deletion": "PendingDelete",
  archived: "Archived",
};

/** The states by the number that filters have for them; 0 stands for all. */
const STATES_BY_NUMBER: readonly (KeyState | undefined)[] = [
  undefined,
  "enabled",
  "disabled",
  "pending-deletion",
  "pending-import",
  "archived",
];

/** The state that a filter asks for; undefined for all. */
export function stateOf(number: number | undefined): KeyState | undefined {
  return STATES_BY_NUMBER[number ?? 0];
}

/** What the service calls the origin of material. */
export const ORIGIN_NAMES: Readonly<Record<KeyOrigin, string>> = { provider: "TENCENT_KMS", external: "EXTERNAL" };

/** The origin that a filter asks for; undefined for all. */
export function originOf(name: string | undefined): KeyOrigin | undefined {
  if (name === ORIGIN_NAMES.provider) return "provider";
  return name === ORIGIN_NAMES.external ? "external" : undefined;
}

/** Whose keys a list asks for: 0 those of users, 1 those of products. */
export function ownerOf(role: number | undefined): Exclude<KeyOwner, "any"> {
  return role === 1 ? "product" : "user";
}

/** The order that a list asks for: 0 newest first, 1 oldest first. */
export function orderOf(orderType: number | undefined): "newest-first" | "oldest-first" {
  return orderType === 1 ? "oldest-first" : "newest-first";
}

/** The fields of a page, where the request has them. */
export function pageOf(request: { readonly Offset?: number; readonly Limit?: number }): PageRequest {
  return defined<PageRequest>({ offset: request.Offset, limit: request.Limit });
}

/**
 * The members of a request that are there: what the service's request leaves out is left out on. The type of the request is always
 * named, for the compiler does not look for surplus members behind a spread.
 */
export function defined<Target extends object>(
  members: {
    readonly [Name in keyof Target]?: Target[Name] | undefined;
  },
): Partial<Target> {
  const present = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present) as Partial<Target>;
}
