// The key specs of the in-memory double: what keys of each are for, and how they are made and used. It must not know key ids,
// states or ciphertexts of the double.
import {
  type AsymmetricEncryptionAlgorithm,
  type Awaitable,
  FengniError,
  type KeySpec,
  type KeyUsage,
  type MessageType,
  type SignatureAlgorithm,
} from "@fengni/core";
import { type AeadKey, importAesGcmKey } from "@fengni/crypto/aes-gcm";
import { type EcdsaCurve, ecdsaPublicKeyToSpki, generateEcdsaKey, importEcdsaPublicKey } from "@fengni/crypto/ecdsa";
import { generateMlDsaKey, importMlDsaPublicKey, mlDsaPublicKeyToSpki } from "@fengni/crypto/ml-dsa";
import { generateMlKemKey, type MlKemPrivateKey, mlKemPublicKeyToSpki } from "@fengni/crypto/ml-kem";
import { randomBytes } from "@fengni/crypto/random";
import { generateRsaKey, importRsaPublicKey, type RsaPadding, type RsaSignatureScheme } from "@fengni/crypto/rsa";
import { generateSm2Key } from "@fengni/crypto/sm2";
import { importSm4GcmKey } from "@fengni/crypto/sm4-gcm";

/** A key that is ready for use; it has what its spec is for. */
export interface InMemoryMaterial {
  readonly aead?: AeadKey;
  readonly kem?: MlKemPrivateKey;
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey?: () => Uint8Array;
  readonly sign?: (algorithm: SignatureAlgorithm, message: Uint8Array, type: MessageType) => Awaitable<Uint8Array>;
  readonly verify?: (
    algorithm: SignatureAlgorithm,
    message: Uint8Array,
    type: MessageType,
    signature: Uint8Array,
  ) => Awaitable<boolean>;
  readonly decrypt?: (algorithm: AsymmetricEncryptionAlgorithm, ciphertext: Uint8Array) => Awaitable<Uint8Array>;
}

/** All that the double knows of one spec. */
export interface SpecRow {
  readonly usages: readonly KeyUsage[];
  readonly signatures: readonly SignatureAlgorithm[];
  readonly encryptions: readonly AsymmetricEncryptionAlgorithm[];
  /** Bytes of a message's digest; absent: there is no digest form. */
  readonly digestBytes?: number;
  /** Bytes of material that can be imported; absent: none can. */
  readonly keyBytes?: number;
  readonly create: () => Awaitable<InMemoryMaterial>;
}

const SCHEMES: Readonly<Partial<Record<SignatureAlgorithm, RsaSignatureScheme>>> = {
  RSA_PKCS1_SHA_256: "pkcs1-sha256",
  RSA_PSS_SHA_256: "pss-sha256",
};
const PADDINGS: Readonly<Record<string, RsaPadding>> = {
  RSAES_OAEP_SHA_1: "oaep-sha1",
  RSAES_OAEP_SHA_256: "oaep-sha256",
  RSAES_PKCS1_V1_5: "pkcs1",
};

/** The padding of an RSA encryption algorithm. @throws FengniError `ERR_NOT_SUPPORTED` for another name */
export function paddingOf(algorithm: string): RsaPadding {
  const padding = Object.hasOwn(PADDINGS, algorithm) ? PADDINGS[algorithm] : undefined;
  if (padding !== undefined) return padding;
  throw new FengniError("ERR_NOT_SUPPORTED", "unknown RSA encryption algorithm", { details: { operation: algorithm } });
}

/** Material of a symmetric spec. */
export function symmetricMaterial(spec: KeySpec, bytes: Uint8Array): InMemoryMaterial {
  return { aead: spec === "SM4" ? importSm4GcmKey(bytes) : importAesGcmKey(bytes) };
}

const symmetric = (spec: KeySpec, keyBytes: number): SpecRow => ({
  usages: ["encrypt-decrypt"],
  signatures: [],
  encryptions: [],
  keyBytes,
  create: () => symmetricMaterial(spec, randomBytes(keyBytes)),
});

const ecdsa = (algorithm: SignatureAlgorithm, curve: EcdsaCurve, digestBytes: number): SpecRow => ({
  usages: ["sign-verify"],
  signatures: [algorithm],
  encryptions: [],
  digestBytes,
  create() {
    const key = generateEcdsaKey(curve);
    const point = key.publicKey;
    const publicKey = importEcdsaPublicKey(curve, point);
    return {
      publicKey: () => ecdsaPublicKeyToSpki(curve, point),
      sign: (_algorithm, message, type) => (type === "digest" ? key.signDigest(message) : key.sign(message)),
      verify: (_algorithm, message, type, signature) =>
        type === "digest" ? publicKey.verifyDigest(message, signature) : publicKey.verify(message, signature),
    };
  },
});

async function createRsa(): Promise<InMemoryMaterial> {
  const key = await generateRsaKey(2048);
  const publicKey = importRsaPublicKey(key.exportSpki());
  const scheme = (algorithm: SignatureAlgorithm): RsaSignatureScheme => SCHEMES[algorithm] as RsaSignatureScheme;
  return {
    publicKey: () => key.exportSpki(),
    sign: (algorithm, message, type) =>
      type === "digest" ? key.signDigest(scheme(algorithm), message) : key.sign(scheme(algorithm), message),
    verify: (algorithm, message, type, signature) =>
      type === "digest"
        ? publicKey.verifyDigest(scheme(algorithm), message, signature)
        : publicKey.verify(scheme(algorithm), message, signature),
    decrypt: (algorithm, ciphertext) => key.decrypt(paddingOf(algorithm), ciphertext),
  };
}

function createSm2(): InMemoryMaterial {
  const key = generateSm2Key();
  const { publicKey } = key;
  return {
    publicKey: () => publicKey.exportSpki(),
    sign: (_algorithm, message, type) => (type === "digest" ? key.signDigest(message) : key.sign(message)),
    verify: (_algorithm, message, type, signature) =>
      type === "digest" ? publicKey.verifyDigest(message, signature) : publicKey.verify(message, signature),
    decrypt: (_algorithm, ciphertext) => key.decrypt(ciphertext, { format: "asn1" }),
  };
}

function createMlDsa(): InMemoryMaterial {
  const key = generateMlDsaKey("ML-DSA-65");
  const raw = key.publicKey;
  const publicKey = importMlDsaPublicKey("ML-DSA-65", raw);
  return {
    publicKey: () => mlDsaPublicKeyToSpki("ML-DSA-65", raw),
    sign: (_algorithm, message) => key.sign(message),
    verify: (_algorithm, message, _type, signature) => publicKey.verify(message, signature),
  };
}

function createMlKem(): InMemoryMaterial {
  const kem = generateMlKemKey("ML-KEM-768");
  const raw = kem.publicKey;
  return { kem, publicKey: () => mlKemPublicKeyToSpki("ML-KEM-768", raw) };
}

/** The specs. A map, so that the names of what every object has are no specs. */
export const SPECS: ReadonlyMap<string, SpecRow> = /* @__PURE__ */ new Map<KeySpec, SpecRow>([
  ["AES_256", symmetric("AES_256", 32)],
  ["SM4", symmetric("SM4", 16)],
  [
    "RSA_2048",
    {
      usages: ["sign-verify", "asymmetric-decrypt"],
      signatures: ["RSA_PKCS1_SHA_256", "RSA_PSS_SHA_256"],
      encryptions: ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "RSAES_PKCS1_V1_5"],
      digestBytes: 32,
      create: createRsa,
    },
  ],
  [
    "SM2",
    {
      usages: ["sign-verify", "asymmetric-decrypt"],
      signatures: ["SM2DSA"],
      encryptions: ["SM2_C1C3C2_ASN1"],
      digestBytes: 32,
      create: createSm2,
    },
  ],
  ["ECC_P256", ecdsa("ECDSA_P256_SHA_256", "P-256", 32)],
  ["ECC_P384", ecdsa("ECDSA_P384_SHA_384", "P-384", 48)],
  ["ML_KEM_768", { usages: ["post-quantum-encrypt-decrypt"], signatures: [], encryptions: [], create: createMlKem }],
  ["ML_DSA_65", { usages: ["sign-verify"], signatures: ["ML_DSA_65"], encryptions: [], create: createMlDsa }],
]);

/** The row of a spec. @throws FengniError `ERR_NOT_SUPPORTED` for a name that is not in the table */
export function specRow(spec: string): SpecRow {
  const row = SPECS.get(spec);
  if (row !== undefined) return row;
  throw new FengniError("ERR_NOT_SUPPORTED", "unknown key spec", { details: { operation: `key spec ${spec}` } });
}
