// The key specs: one row holds all that the code knows of one spec. It must not know key records, states or ciphertext layouts.
import {
  type AsymmetricEncryptionAlgorithm,
  FengniError,
  type KeySpec,
  type KeyUsage,
  type SignatureAlgorithm,
} from "@fengni/core";
import { type AeadKey, importAesGcmKey } from "@fengni/crypto/aes-gcm";
import type { HashName } from "@fengni/crypto/hash";
import { randomBytes } from "@fengni/crypto/random";
import { importSm4GcmKey } from "@fengni/crypto/sm4-gcm";
import {
  type AsymmetricSpec,
  ecdsaSpec,
  mlDsaSpec,
  mlKemSpec,
  rsaSpec,
  type SignatureRow,
  sm2Spec,
} from "./specs-asymmetric.js";

/** What only specs have whose keys seal and open. */
export interface SymmetricSpec {
  /** Names the AEAD in ciphertexts; 1..255, never given to another. */
  readonly algorithmId: number;
  /** Length of the material, and of each key that is derived of it. */
  readonly keyBytes: number;
  /** What keys are derived with. */
  readonly hash: HashName;
  /** Makes a key of `keyBytes` ready; copies it. */
  importKey(key: Uint8Array): AeadKey;
}

/** What there is to know of one spec: it is symmetric or asymmetric, never both. */
export interface Spec {
  /** What its keys may be made for; the first is the default. */
  readonly usages: readonly [KeyUsage, ...KeyUsage[]];
  /**
   * New material; the caller owns it. A raw key where it is symmetric, the seed where it is post-quantum, else DER PKCS#8.
   */
  generate(): Uint8Array | Promise<Uint8Array>;
  readonly symmetric?: SymmetricSpec;
  readonly asymmetric?: AsymmetricSpec;
}

const SPECS: ReadonlyMap<string, Spec> = /* @__PURE__ */ new Map<KeySpec, Spec>([
  ["AES_256", symmetric({ algorithmId: 1, keyBytes: 32, hash: "sha256", importKey: importAesGcmKey })],
  ["SM4", symmetric({ algorithmId: 2, keyBytes: 16, hash: "sm3", importKey: importSm4GcmKey })],
  ["RSA_2048", asymmetric(rsaSpec(), "asymmetric-decrypt", "sign-verify")],
  ["SM2", asymmetric(sm2Spec(), "asymmetric-decrypt", "sign-verify")],
  ["ECC_P256", asymmetric(ecdsaSpec("ECDSA_P256_SHA_256", "P-256", "sha256"), "sign-verify")],
  ["ECC_P384", asymmetric(ecdsaSpec("ECDSA_P384_SHA_384", "P-384", "sha384"), "sign-verify")],
  ["ML_KEM_768", asymmetric(mlKemSpec(), "post-quantum-encrypt-decrypt")],
  ["ML_DSA_65", asymmetric(mlDsaSpec(), "sign-verify")],
]);

function symmetric(parts: SymmetricSpec): Spec {
  return { usages: ["encrypt-decrypt"], generate: () => randomBytes(parts.keyBytes), symmetric: parts };
}

function asymmetric(parts: AsymmetricSpec, ...usages: readonly [KeyUsage, ...KeyUsage[]]): Spec {
  return { usages, generate: () => parts.generate(), asymmetric: parts };
}

/** Every spec's name. */
export const KEY_SPECS: readonly KeySpec[] = /* @__PURE__ */ [...SPECS.keys()] as KeySpec[];

const SIGNATURES: readonly SignatureRow[] = /* @__PURE__ */ [...SPECS.values()].flatMap(
  (spec) => spec.asymmetric?.signatures ?? [],
);

/** Every signature algorithm of the table. */
export const SIGNATURE_ALGORITHMS: readonly SignatureAlgorithm[] = /* @__PURE__ */ SIGNATURES.map(
  ({ algorithm }) => algorithm,
);

/** Every algorithm of the table by which bytes are encrypted to a public key. */
export const ASYMMETRIC_ENCRYPTION_ALGORITHMS: readonly AsymmetricEncryptionAlgorithm[] = /* @__PURE__ */ [
  ...SPECS.values(),
].flatMap((spec) => (spec.asymmetric?.encryptions ?? []).map(({ algorithm }) => algorithm));

/** The row of a spec. @throws FengniError `ERR_NOT_SUPPORTED` for a name that is not in the table */
export function specOf(keySpec: string): Spec {
  const spec = SPECS.get(keySpec);
  if (spec === undefined) throw unknown("key spec", keySpec, KEY_SPECS);
  return spec;
}

/** What there is to know of a signature algorithm. @throws FengniError `ERR_NOT_SUPPORTED` for another name */
export function signatureOf(algorithm: string): SignatureRow {
  const row = SIGNATURES.find((known) => known.algorithm === algorithm);
  if (row === undefined) throw unknown("signature algorithm", algorithm, SIGNATURE_ALGORITHMS);
  return row;
}

/** A name that a table does not have. */
export function unknown(what: string, name: string, known: readonly string[]): FengniError<"ERR_NOT_SUPPORTED"> {
  return new FengniError("ERR_NOT_SUPPORTED", `unknown ${what}: this KMS has ${known.join(", ")}`, {
    details: { operation: `${what} ${name}` },
  });
}
