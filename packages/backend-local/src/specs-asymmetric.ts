// The asymmetric part of the key specs: how material becomes a private key, and what each algorithm does with it. It must not know
// key records, usages, states or ciphertext layouts.
import type { AsymmetricEncryptionAlgorithm, MessageType, SignatureAlgorithm } from "@fengni/core";
import {
  type EcdsaCurve,
  ecdsaPublicKeyToSpki,
  generateEcdsaKey,
  importEcdsaPrivateKey,
  importEcdsaPublicKey,
} from "@fengni/crypto/ecdsa";
import { type HashName, hashLength } from "@fengni/crypto/hash";
import { generateMlDsaKey, importMlDsaPublicKey, importMlDsaSeed, mlDsaPublicKeyToSpki } from "@fengni/crypto/ml-dsa";
import {
  generateMlKemKey,
  importMlKemPublicKey,
  importMlKemSeed,
  type MlKemEncapsulation,
  mlKemPublicKeyToSpki,
} from "@fengni/crypto/ml-kem";
import {
  generateRsaKey,
  importRsaPrivateKey,
  importRsaPublicKey,
  type RsaPadding,
  type RsaPrivateKey,
  type RsaPublicKey,
  type RsaSignatureScheme,
} from "@fengni/crypto/rsa";
import { generateSm2Key, importSm2PrivateKey } from "@fengni/crypto/sm2";
import { plainBytes } from "./checks.js";

type Awaitable<Value> = Value | Promise<Value>;

/** A signature algorithm of a spec. */
export interface SignatureRow {
  readonly algorithm: SignatureAlgorithm;
  /** Length of a message's digest; absent where only messages are signed. */
  readonly digestBytes?: number;
}

/** An algorithm by which bytes are encrypted to a public key of a spec. */
export interface EncryptionRow {
  readonly algorithm: AsymmetricEncryptionAlgorithm;
  /** Length of every ciphertext, where they all have the same. */
  readonly ciphertextBytes?: number;
}

/** What only specs have whose keys are pairs. */
export interface AsymmetricSpec {
  /** Whether its keys have operations of their own, apart from those of the classical ones. */
  readonly isPostQuantum: boolean;
  readonly signatures: readonly SignatureRow[];
  /** What its keys open. */
  readonly encryptions: readonly EncryptionRow[];
  /** New material; the caller owns it. */
  generate(): Awaitable<Uint8Array>;
  /** Makes material ready; does not keep it. */
  importKey(material: Uint8Array): PrivateKey;
}

/** A private key that is ready for use. What its spec does not offer is absent. All that it gives is new buffers. */
export interface PrivateKey {
  /** DER SubjectPublicKeyInfo. */
  publicKey(): Uint8Array;
  readonly signers?: Readonly<Partial<Record<SignatureAlgorithm, Signer>>>;
  readonly decryptors?: Readonly<Partial<Record<AsymmetricEncryptionAlgorithm, Decryptor>>>;
  readonly encapsulator?: Encapsulator;
}

/** Signs and verifies by one algorithm. A digest must have the algorithm's `digestBytes`. */
export interface Signer {
  sign(message: Uint8Array, messageType: MessageType): Awaitable<Uint8Array>;
  /** False for whatever is not a right signature. */
  verify(message: Uint8Array, messageType: MessageType, signature: Uint8Array): Awaitable<boolean>;
}

/**
 * Opens by one algorithm what was encrypted to the public key. `ERR_AUTHENTICATION` whatever it is that failed, or with PKCS#1
 * v1.5 a made-up message (implicit rejection).
 */
type Decryptor = (ciphertext: Uint8Array) => Awaitable<Uint8Array>;

/** Makes shared secrets of 32 bytes for the holder of the key, and recovers them. */
export interface Encapsulator {
  encapsulate(): MlKemEncapsulation;
  /** A wrong encapsulation gives another secret, not an error. */
  decapsulate(encapsulation: Uint8Array): Uint8Array;
}

const RSA_SCHEMES: readonly [SignatureAlgorithm, RsaSignatureScheme][] = [
  ["RSA_PSS_SHA_256", "pss-sha256"],
  ["RSA_PKCS1_SHA_256", "pkcs1-sha256"],
];

const RSA_PADDINGS: readonly [AsymmetricEncryptionAlgorithm, RsaPadding][] = [
  ["RSAES_OAEP_SHA_256", "oaep-sha256"],
  ["RSAES_OAEP_SHA_1", "oaep-sha1"],
  ["RSAES_PKCS1_V1_5", "pkcs1"],
];

const RSA_MODULUS_BITS = 2048;

/** RSA with 2,048 bits. */
export function rsaSpec(): AsymmetricSpec {
  return {
    isPostQuantum: false,
    signatures: RSA_SCHEMES.map(([algorithm]) => ({ algorithm, digestBytes: hashLength("sha256") })),
    encryptions: RSA_PADDINGS.map(([algorithm]) => ({ algorithm, ciphertextBytes: RSA_MODULUS_BITS / 8 })),
    generate: async () => plainBytes((await generateRsaKey(RSA_MODULUS_BITS)).exportPkcs8()),
    importKey(material) {
      const key = importRsaPrivateKey(material);
      const publicKey = importRsaPublicKey(key.exportSpki());
      return {
        publicKey: () => plainBytes(key.exportSpki()),
        signers: Object.fromEntries(RSA_SCHEMES.map(([name, scheme]) => [name, rsaSigner(key, publicKey, scheme)])),
        decryptors: Object.fromEntries(
          RSA_PADDINGS.map(([name, padding]) => [name, (ciphertext: Uint8Array) => key.decrypt(padding, ciphertext)]),
        ),
      };
    },
  };
}

function rsaSigner(key: RsaPrivateKey, publicKey: RsaPublicKey, scheme: RsaSignatureScheme): Signer {
  return {
    sign: (message, messageType) =>
      messageType === "digest" ? key.signDigest(scheme, message) : key.sign(scheme, message),
    verify: (message, messageType, signature) =>
      messageType === "digest"
        ? publicKey.verifyDigest(scheme, message, signature)
        : publicKey.verify(scheme, message, signature),
  };
}

/** SM2; signers have the default id of GB/T 32918. */
export function sm2Spec(): AsymmetricSpec {
  return {
    isPostQuantum: false,
    signatures: [{ algorithm: "SM2DSA", digestBytes: hashLength("sm3") }],
    encryptions: [{ algorithm: "SM2_C1C3C2_ASN1" }],
    generate: () => plainBytes(generateSm2Key().exportPkcs8()),
    importKey(material) {
      const key = importSm2PrivateKey(material);
      const { publicKey } = key;
      return {
        publicKey: () => plainBytes(publicKey.exportSpki()),
        signers: {
          SM2DSA: {
            sign: (message, messageType) => (messageType === "digest" ? key.signDigest(message) : key.sign(message)),
            verify: (message, messageType, signature) =>
              messageType === "digest"
                ? publicKey.verifyDigest(message, signature)
                : publicKey.verify(message, signature),
          },
        },
        decryptors: { SM2_C1C3C2_ASN1: (ciphertext) => key.decrypt(ciphertext, { format: "asn1" }) },
      };
    },
  };
}

/** ECDSA over one curve with the hash that goes with it. */
export function ecdsaSpec(algorithm: SignatureAlgorithm, curve: EcdsaCurve, hash: HashName): AsymmetricSpec {
  return {
    isPostQuantum: false,
    signatures: [{ algorithm, digestBytes: hashLength(hash) }],
    encryptions: [],
    generate: () => plainBytes(generateEcdsaKey(curve).exportPkcs8()),
    importKey(material) {
      const key = importEcdsaPrivateKey(curve, material);
      const publicKey = importEcdsaPublicKey(curve, key.publicKey);
      const signer: Signer = {
        sign: (message, messageType) => (messageType === "digest" ? key.signDigest(message) : key.sign(message)),
        verify: (message, messageType, signature) =>
          messageType === "digest" ? publicKey.verifyDigest(message, signature) : publicKey.verify(message, signature),
      };
      return {
        publicKey: () => plainBytes(ecdsaPublicKeyToSpki(curve, key.publicKey)),
        signers: { [algorithm]: signer },
      };
    },
  };
}

/** ML-KEM-768; the material is the seed of 64 bytes. */
export function mlKemSpec(): AsymmetricSpec {
  return {
    isPostQuantum: true,
    signatures: [],
    encryptions: [],
    generate: () => plainBytes(generateMlKemKey("ML-KEM-768").exportSeed()),
    importKey(material) {
      const key = importMlKemSeed("ML-KEM-768", material);
      const publicKey = importMlKemPublicKey("ML-KEM-768", key.publicKey);
      return {
        publicKey: () => plainBytes(mlKemPublicKeyToSpki("ML-KEM-768", key.publicKey)),
        encapsulator: {
          encapsulate: () => publicKey.encapsulate(),
          decapsulate: (encapsulation) => key.decapsulate(encapsulation),
        },
      };
    },
  };
}

/** ML-DSA-65, hedged, with an empty context; the material is the seed of 32 bytes. */
export function mlDsaSpec(): AsymmetricSpec {
  return {
    isPostQuantum: true,
    signatures: [{ algorithm: "ML_DSA_65" }],
    encryptions: [],
    generate: () => plainBytes(generateMlDsaKey("ML-DSA-65").exportSeed()),
    importKey(material) {
      const key = importMlDsaSeed("ML-DSA-65", material);
      const publicKey = importMlDsaPublicKey("ML-DSA-65", key.publicKey);
      return {
        publicKey: () => plainBytes(mlDsaPublicKeyToSpki("ML-DSA-65", key.publicKey)),
        signers: {
          ML_DSA_65: {
            sign: (message) => key.sign(message),
            verify: (message, _messageType, signature) => publicKey.verify(message, signature),
          },
        },
      };
    },
  };
}
