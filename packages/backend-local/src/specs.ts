// The key specs: one row holds all that the code knows of one spec. It must not know key records, states or ciphertext layout.
import { FengniError, type KeySpec, type MessageType, type SignatureAlgorithm } from "@fengni/core";
import { type AeadKey, importAesGcmKey } from "@fengni/crypto/aes-gcm";
import {
  createEcdsaVerifier,
  type EcdsaCurve,
  ecdsaPublicKeyToSpki,
  generateEcdsaKey,
  importEcdsaPrivateKey,
  verifyEcdsaDigest,
} from "@fengni/crypto/ecdsa";
import { type HashName, hashLength } from "@fengni/crypto/hash";
import { randomBytes } from "@fengni/crypto/random";
import { plainBytes } from "./checks.js";

/** A spec whose keys seal and open. */
export interface SymmetricSpec {
  readonly usage: "encrypt-decrypt";
  /** Names the AEAD in ciphertexts; 1..255, never given to another. */
  readonly algorithmId: number;
  /** Length of the material, and of each key that is derived of it. */
  readonly keyBytes: number;
  /** New material; the caller owns it. */
  generate(): Uint8Array;
  /** Makes a key of `keyBytes` ready; copies it. */
  importKey(key: Uint8Array): AeadKey;
}

/** A spec whose keys sign and verify. */
export interface SigningSpec {
  readonly usage: "sign-verify";
  readonly algorithm: SignatureAlgorithm;
  /** Length of a message's digest. */
  readonly digestBytes: number;
  generate(): Uint8Array;
  /** Makes material ready; does not keep it. */
  importKey(material: Uint8Array): SigningKey;
}

/** A private key that is ready for use. */
export interface SigningKey {
  /** DER SubjectPublicKeyInfo, a new buffer. */
  publicKey(): Uint8Array;
  /** A digest must have the spec's `digestBytes`. */
  sign(message: Uint8Array, messageType: MessageType): Uint8Array;
  /** False for whatever is not a right signature. */
  verify(message: Uint8Array, messageType: MessageType, signature: Uint8Array): boolean;
}

/** What there is to know of one spec. */
export type Spec = SymmetricSpec | SigningSpec;

const SPECS: ReadonlyMap<string, Spec> = /* @__PURE__ */ new Map<KeySpec, Spec>([
  ["AES_256", symmetric(1, 32, importAesGcmKey)],
  ["ECC_P256", ecdsa("ECDSA_P256_SHA_256", "P-256", "sha256")],
  ["ECC_P384", ecdsa("ECDSA_P384_SHA_384", "P-384", "sha384")],
]);

function symmetric(algorithmId: number, keyBytes: number, importKey: SymmetricSpec["importKey"]): SymmetricSpec {
  return { usage: "encrypt-decrypt", algorithmId, keyBytes, generate: () => randomBytes(keyBytes), importKey };
}

function ecdsa(algorithm: SignatureAlgorithm, curve: EcdsaCurve, hash: HashName): SigningSpec {
  return {
    usage: "sign-verify",
    algorithm,
    digestBytes: hashLength(hash),
    generate: () => plainBytes(generateEcdsaKey(curve).exportPkcs8()),
    importKey(material) {
      const key = importEcdsaPrivateKey(curve, material);
      const compressed = key.publicKey;
      return {
        publicKey: () => ecdsaPublicKeyToSpki(curve, compressed),
        sign(message, messageType) {
          if (messageType === "digest") return key.signDigest(message);
          const signer = key.createSigner();
          signer.update(message);
          return signer.sign();
        },
        verify(message, messageType, signature) {
          if (messageType === "digest") return verifyEcdsaDigest(curve, compressed, message, signature);
          const verifier = createEcdsaVerifier(curve, compressed);
          verifier.update(message);
          return verifier.verify(signature);
        },
      };
    },
  };
}

/** Every spec's name. */
export const KEY_SPECS: readonly KeySpec[] = /* @__PURE__ */ [...SPECS.keys()] as KeySpec[];

/** Every signature algorithm of the table. */
export const SIGNATURE_ALGORITHMS: readonly SignatureAlgorithm[] = /* @__PURE__ */ [...SPECS.values()].flatMap(
  (spec) => (spec.usage === "sign-verify" ? [spec.algorithm] : []),
);

/** The row of a spec. @throws FengniError `ERR_NOT_SUPPORTED` for a name that is not in the table */
export function specOf(keySpec: string): Spec {
  const spec = SPECS.get(keySpec);
  if (spec !== undefined) return spec;
  throw new FengniError("ERR_NOT_SUPPORTED", `unknown key spec: this KMS has ${KEY_SPECS.join(", ")}`, {
    details: { operation: `key spec ${keySpec}` },
  });
}
