// ML-KEM-768 and SM2 in one KEM, a construction of Fengni's own, version 1. It must not know how either is done, nor check lengths
// (hybrid-kem-checked.ts does).
//
//   seed        32 random bytes, the private key
//   expansion   HKDF-SM3 (RFC 5869, GB/T 32905-2016): ikm = seed, salt = LABEL, info = "key", 64 + 128 bytes: the seed d || z of
//               ML-KEM-768, then four candidates for the SM2 scalar, of which the first in 1..n-2 is taken (each but one in 2^32 is)
//   public key  ek || P       the ML-KEM-768 encapsulation key, 1184 bytes, and the SM2 point 04 || x || y, 65 bytes
//   ciphertext  c || R        the ML-KEM-768 ciphertext, 1088 bytes, and R = r * G with a fresh r in 1..n-1, 65 bytes
//   secret      HKDF-SM3: ikm = K || x(r * P) || c || R || ek || P, salt = LABEL, info = "secret", 32 bytes
//
// K is ML-KEM's shared secret and x(r * P) the shared coordinate, both of 32 bytes. As every part has a fixed length the inputs of
// the KDF are unambiguous. Both secrets, both ciphertexts and both public keys go into it, so that the result is secret as long as
// either part is (NIST SP 800-227 section 4.6), and bound to the ciphertext and the recipient whichever part may fall. SM2 here is
// Diffie-Hellman on the curve of GB/T 32918.5-2017, not the public key encryption of GB/T 32918.4-2016.
import { concatBytes, utf8ToBytes } from "./bytes.js";
import { FengniError } from "./errors.js";
import { hkdf } from "./hash.js";
import {
  ciphertextInvalid,
  type HybridConstruction,
  type HybridPrivateKey,
  hybridKeyInvalid,
} from "./hybrid-kem-checked.js";
import type { MlKemImplementation } from "./ml-kem.js";
import { isSm2PrivateScalar, isSm2Scalar, randomSm2Scalar, SM2_SIZE } from "./sm2-curve.js";
import type { Sm2Arithmetic } from "./sm2-engine.js";

const KEM = "ML-KEM-768+SM2";
const LABEL: Uint8Array = /* @__PURE__ */ utf8ToBytes("Fengni ML-KEM-768+SM2 v1");
const EXPAND: Uint8Array = /* @__PURE__ */ utf8ToBytes("key");
const COMBINE: Uint8Array = /* @__PURE__ */ utf8ToBytes("secret");
const CANDIDATES = 4;
const ML_KEM_PUBLIC_KEY = 1184;
const ML_KEM_CIPHERTEXT = 1088;
const ML_KEM_SEED = 64;
const SECRET_BYTES = 32;

/** The KDF. Both secrets are overwritten. */
function combine(
  mlKemSecret: Uint8Array,
  point: Uint8Array,
  ciphertext: Uint8Array,
  publicKey: Uint8Array,
): Uint8Array {
  const all = concatBytes(mlKemSecret, point.subarray(0, SM2_SIZE), ciphertext, publicKey);
  mlKemSecret.fill(0);
  point.fill(0);
  const secret = hkdf("sm3", all, LABEL, COMBINE, SECRET_BYTES);
  all.fill(0);
  return secret;
}

/** The coordinates x || y of 04 || x || y, or undefined unless it is a point of the curve. */
function pointOf(arithmetic: Sm2Arithmetic, encoded: Uint8Array): Uint8Array | undefined {
  const point = encoded.slice(1);
  return encoded[0] === 4 && arithmetic.isOnCurve(point) ? point : undefined;
}

/** The SM2 scalar among the candidates: the first in range. */
function scalarOf(candidates: Uint8Array): Uint8Array {
  for (let offset = 0; offset < candidates.length; offset += SM2_SIZE) {
    const scalar = candidates.slice(offset, offset + SM2_SIZE);
    if (isSm2PrivateScalar(scalar)) return scalar;
  }
  // With a chance of 2^-128.
  throw new FengniError("ERR_KEY_INVALID", "this seed gives no SM2 key: make another one");
}

/** ML-KEM-768 and SM2 over an implementation of each. */
export function createMlKemSm2(
  mlKem: MlKemImplementation,
  sm2: { readonly name: string; readonly arithmetic: Sm2Arithmetic },
): HybridConstruction {
  const { arithmetic } = sm2;
  return {
    kem: KEM,
    name: `${mlKem.name}+${sm2.name}`,

    importSeed(seed): HybridPrivateKey {
      const expanded = hkdf("sm3", seed, LABEL, EXPAND, ML_KEM_SEED + CANDIDATES * SM2_SIZE);
      const mlKemKey = mlKem.importSeed("ML-KEM-768", expanded.subarray(0, ML_KEM_SEED));
      const scalar = scalarOf(expanded.subarray(ML_KEM_SEED));
      expanded.fill(0);
      const publicKey = concatBytes(mlKemKey.publicKey, Uint8Array.of(4), arithmetic.multiplyBase(scalar));
      return {
        publicKey,
        decapsulate(ciphertext) {
          const point = pointOf(arithmetic, ciphertext.subarray(ML_KEM_CIPHERTEXT));
          if (point === undefined) throw ciphertextInvalid(KEM, "its SM2 point is not on the curve");
          const mlKemSecret = mlKemKey.decapsulate(ciphertext.subarray(0, ML_KEM_CIPHERTEXT));
          return combine(mlKemSecret, arithmetic.multiply(scalar, point), ciphertext, publicKey);
        },
      };
    },

    importPublicKey(publicKey) {
      const own = new Uint8Array(publicKey);
      const mlKemKey = mlKem.importPublicKey("ML-KEM-768", own.subarray(0, ML_KEM_PUBLIC_KEY));
      const point = pointOf(arithmetic, own.subarray(ML_KEM_PUBLIC_KEY));
      if (point === undefined) throw hybridKeyInvalid(KEM, "its SM2 point is not on the curve");
      return () => {
        const nonce = randomSm2Scalar(isSm2Scalar);
        const shared = arithmetic.multiply(nonce, point);
        const { ciphertext: mlKemCiphertext, sharedSecret } = mlKemKey.encapsulate();
        const ciphertext = concatBytes(mlKemCiphertext, Uint8Array.of(4), arithmetic.multiplyBase(nonce));
        nonce.fill(0);
        return { ciphertext, sharedSecret: combine(sharedSecret, shared, ciphertext, own) };
      };
    },
  };
}
