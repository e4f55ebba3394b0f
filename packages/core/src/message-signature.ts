// The signature of a message whose bytes come in parts, behind one interface for every algorithm of the suites (message
// format, section "Footer"). Must know nothing of headers, frames or suites beyond the algorithm's name.
import { createEcdsaVerifier, generateEcdsaKey } from "@fengni/crypto/ecdsa";
import { createHasher, type Hasher } from "@fengni/crypto/hash";
import { generateMlDsaKey, importMlDsaPublicKey } from "@fengni/crypto/ml-dsa";
import { generateSm2Key, importSm2PublicKey, type Sm2PublicKey } from "@fengni/crypto/sm2";
import { FengniError } from "./errors.js";
import type { SignatureAlgorithm } from "./suites.js";

/** Signs one message. */
export interface MessageSigner {
  /** Takes the next part, of any length, which is not kept; `ERR_CLOSED` after `sign()`. */
  update(data: Uint8Array): void;
  /** Ends the message and gives the signature; `ERR_CLOSED` when called again. */
  sign(): Uint8Array;
}

/** Verifies the signature of one message. */
export interface MessageVerifier {
  /** Takes the next part, of any length, which is not kept; `ERR_CLOSED` after `verify()`. */
  update(data: Uint8Array): void;
  /** Ends the message; any bytes that are no signature give false. `ERR_CLOSED` when called again. */
  verify(signature: Uint8Array): boolean;
}

/** A private key for the signatures of messages. */
export interface MessageSigningKey {
  /** What a verifier needs, as the message carries it: a compressed point, or for ML-DSA the raw key. */
  readonly publicKey: Uint8Array;
  /** Begins the signature of one message. */
  createSigner(): MessageSigner;
}

/** Bytes of a compressed point of the SM2 curve. */
const SM2_POINT_BYTES = 33;

/** Makes a new key. */
export function generateMessageSigningKey(algorithm: SignatureAlgorithm): MessageSigningKey {
  switch (algorithm) {
    case "ECDSA_P256":
      return generateEcdsaKey("P-256");
    case "ECDSA_P384":
      return generateEcdsaKey("P-384");
    case "SM2": {
      const key = generateSm2Key();
      return {
        publicKey: compressedPoint(key.publicKey.point),
        createSigner: () => hashingSigner(sm2Hasher(key.publicKey), (digest) => key.signDigest(digest)),
      };
    }
    case "ML_DSA_65": {
      const key = generateMlDsaKey("ML-DSA-65");
      return {
        publicKey: key.publicKey,
        createSigner: () => hashingSigner(createHasher("sha512"), (digest) => key.sign(digest)),
      };
    }
  }
}

/**
 * Begins to verify one message.
 * @param publicKey - as {@link MessageSigningKey} gives it
 * @throws `ERR_KEY_INVALID` unless it is a key of this algorithm in exactly that form
 */
export function createMessageVerifier(algorithm: SignatureAlgorithm, publicKey: Uint8Array): MessageVerifier {
  switch (algorithm) {
    case "ECDSA_P256":
      return createEcdsaVerifier("P-256", publicKey);
    case "ECDSA_P384":
      return createEcdsaVerifier("P-384", publicKey);
    case "SM2": {
      // One key has one spelling: the other forms that SM2 keys may have are not the message's.
      if (publicKey.length !== SM2_POINT_BYTES) {
        throw new FengniError("ERR_KEY_INVALID", "expected an SM2 public key as a compressed point of 33 bytes");
      }
      const key = importSm2PublicKey(publicKey);
      return hashingVerifier(sm2Hasher(key), (digest, signature) => key.verifyDigest(digest, signature));
    }
    case "ML_DSA_65": {
      const key = importMlDsaPublicKey("ML-DSA-65", publicKey);
      return hashingVerifier(createHasher("sha512"), (digest, signature) => key.verify(digest, signature));
    }
  }
}

/** SM3 that has taken Z, the digest of the signer's key under the default id (GB/T 32918.2, 5.5), and awaits the message. */
function sm2Hasher(key: Sm2PublicKey): Hasher {
  const hasher = createHasher("sm3");
  hasher.update(key.identityDigest());
  return hasher;
}

/** 02 or 03 by the parity of y, and x, of 04 || x || y (SEC 1, section 2.3.3). */
function compressedPoint(point: Uint8Array): Uint8Array {
  const compressed = point.slice(0, SM2_POINT_BYTES);
  compressed[0] = 2 | ((point[point.length - 1] as number) & 1);
  return compressed;
}

function hashingSigner(hasher: Hasher, sign: (digest: Uint8Array) => Uint8Array): MessageSigner {
  return { update: (data) => hasher.update(data), sign: () => sign(hasher.digest()) };
}

function hashingVerifier(
  hasher: Hasher,
  verify: (digest: Uint8Array, signature: Uint8Array) => boolean,
): MessageVerifier {
  return { update: (data) => hasher.update(data), verify: (signature) => verify(hasher.digest(), signature) };
}
