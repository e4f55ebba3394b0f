// What providers answer, checked and made anew by every implementation that this runtime has. It must not know providers.
import { type AsymmetricEncryptionAlgorithm, isFengniError, type SignatureAlgorithm } from "@fengni/core";
import { bytesToHex, hexToBytes } from "@fengni/crypto/bytes";
import { type EcdsaCurve, ecdsaImplementations, ecdsaPublicKeyFromSpki } from "@fengni/crypto/ecdsa";
import { digest } from "@fengni/crypto/hash";
import { mlDsaImplementations, mlDsaPublicKeyFromSpki } from "@fengni/crypto/ml-dsa";
import { importRsaPublicKey, type RsaPadding, type RsaSignatureScheme, rsaImplementations } from "@fengni/crypto/rsa";
import { importSm2PublicKey, sm2Implementations } from "@fengni/crypto/sm2";

/** What one implementation says of a signature. */
export interface Opinion {
  readonly implementation: string;
  readonly valid: boolean;
}

/** What all implementations say of the signature of a message. @param spki - DER SubjectPublicKeyInfo */
export async function verifyIndependently(
  algorithm: SignatureAlgorithm,
  spki: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<readonly Opinion[]> {
  switch (algorithm) {
    case "ECDSA_P256_SHA_256":
      return verifyEcdsa("P-256", spki, message, signature);
    case "ECDSA_P384_SHA_384":
      return verifyEcdsa("P-384", spki, message, signature);
    case "RSA_PKCS1_SHA_256":
      return verifyRsa("pkcs1-sha256", spki, message, signature);
    case "RSA_PSS_SHA_256":
      return verifyRsa("pss-sha256", spki, message, signature);
    case "SM2DSA":
      return sm2Implementations().map((implementation) => ({
        implementation: implementation.name,
        valid: implementation.importPublicKey(spki).verify(message, signature),
      }));
    case "ML_DSA_65": {
      const raw = mlDsaPublicKeyFromSpki("ML-DSA-65", spki);
      return mlDsaImplementations().map((implementation) => ({
        implementation: implementation.name,
        valid: implementation.importPublicKey("ML-DSA-65", raw).verify(message, signature),
      }));
    }
  }
}

function verifyEcdsa(curve: EcdsaCurve, spki: Uint8Array, message: Uint8Array, signature: Uint8Array): Opinion[] {
  const point = ecdsaPublicKeyFromSpki(curve, spki);
  return ecdsaImplementations().map((implementation) => ({
    implementation: implementation.name,
    valid: implementation.importPublicKey(curve, point).verify(message, signature),
  }));
}

function verifyRsa(
  scheme: RsaSignatureScheme,
  spki: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<Opinion[]> {
  return Promise.all(
    rsaImplementations().map(async (implementation) => ({
      implementation: implementation.name,
      valid: await implementation.importPublicKey(spki).verify(scheme, message, signature),
    })),
  );
}

/** The digest that an algorithm signs; undefined where it has no digest form. For SM2 it holds the signer's public key. */
export function digestFor(
  algorithm: SignatureAlgorithm,
  spki: Uint8Array,
  message: Uint8Array,
): Uint8Array | undefined {
  if (algorithm === "ML_DSA_65") return undefined;
  if (algorithm === "SM2DSA") return digest("sm3", importSm2PublicKey(spki).identityDigest(), message);
  return digest(algorithm === "ECDSA_P384_SHA_384" ? "sha384" : "sha256", message);
}

/** The RSA padding of an algorithm; undefined for SM2. */
export function paddingFor(algorithm: AsymmetricEncryptionAlgorithm): RsaPadding | undefined {
  switch (algorithm) {
    case "RSAES_OAEP_SHA_1":
      return "oaep-sha1";
    case "RSAES_OAEP_SHA_256":
      return "oaep-sha256";
    case "RSAES_PKCS1_V1_5":
      return "pkcs1";
    case "SM2_C1C3C2_ASN1":
      return undefined;
  }
}

/** Ciphertexts of a plaintext, one by each implementation that can make one. @param spki - DER SubjectPublicKeyInfo */
export async function encryptIndependently(
  algorithm: AsymmetricEncryptionAlgorithm,
  spki: Uint8Array,
  plaintext: Uint8Array,
): Promise<readonly Uint8Array[]> {
  const padding = paddingFor(algorithm);
  if (padding === undefined) {
    return sm2Implementations().map((implementation) =>
      Uint8Array.from(implementation.importPublicKey(spki).encrypt(plaintext, { format: "asn1" })),
    );
  }
  const ciphertexts: Uint8Array[] = [];
  for (const implementation of rsaImplementations()) {
    try {
      ciphertexts.push(Uint8Array.from(await implementation.importPublicKey(spki).encrypt(padding, plaintext)));
    } catch (error) {
      // WebCrypto has no PKCS#1 v1.5.
      if (!isFengniError(error, "ERR_NOT_SUPPORTED")) throw error;
    }
  }
  return ciphertexts;
}

/** Where the modulus stands in the SubjectPublicKeyInfo of a 2048-bit RSA key, and where the exponent does. */
const MODULUS = [33, 289] as const;
const EXPONENT = 291;

/**
 * Encrypts 256 bytes that are padded already, rightly or wrongly: RFC 8017 section 5.1.1, without the padding of 7.2.1.
 * @param spki - DER SubjectPublicKeyInfo of a 2048-bit key
 */
export function encryptPadded(spki: Uint8Array, padded: Uint8Array): Uint8Array {
  const der = importRsaPublicKey(spki).exportSpki();
  const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${bytesToHex(bytes)}`);
  const modulus = numberOf(der.subarray(...MODULUS));
  let base = numberOf(padded) % modulus;
  let result = 1n;
  for (let exponent = numberOf(der.subarray(EXPONENT)); exponent > 0n; exponent >>= 1n) {
    if ((exponent & 1n) === 1n) result = (result * base) % modulus;
    base = (base * base) % modulus;
  }
  return hexToBytes(result.toString(16).padStart(512, "0"));
}
