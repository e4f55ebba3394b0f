// X-Wing (draft-connolly-cfrg-xwing-kem-10): ML-KEM-768 and X25519 in one KEM. It must not know how either is done, nor check
// lengths (hybrid-kem-checked.ts does).
//
// One thing is stricter than the draft, as OpenSSL and noble are: a point of small order, whose X25519 secret is all zeros, is
// refused instead of hashed. No honest party makes one.
import { sha3_256, shake256 } from "@noble/hashes/sha3.js";
import { concatBytes } from "./bytes.js";
import { ciphertextInvalid, type HybridConstruction, hybridKeyInvalid } from "./hybrid-kem-checked.js";
import type { MlKemImplementation } from "./ml-kem.js";
import { randomBytes } from "./random.js";
import type { X25519Engine } from "./x25519.js";

const ML_KEM_PUBLIC_KEY = 1184;
const ML_KEM_CIPHERTEXT = 1088;
const ML_KEM_SEED = 64;
const X25519_BYTES = 32;
// Section 5.3: \./ and /^\ in ASCII.
const LABEL: Uint8Array = /* @__PURE__ */ new TextEncoder().encode("\\.//^\\");

/** Hashes both secrets, which are overwritten, with the ciphertext and the public key of X25519. Section 5.3. */
function combine(
  mlKemSecret: Uint8Array,
  x25519Secret: Uint8Array,
  ciphertext: Uint8Array,
  publicKey: Uint8Array,
): Uint8Array {
  const hash = sha3_256.create().update(mlKemSecret).update(x25519Secret).update(ciphertext).update(publicKey);
  mlKemSecret.fill(0);
  x25519Secret.fill(0);
  return hash.update(LABEL).digest();
}

/** X-Wing over an implementation of each part. */
export function createXWing(mlKem: MlKemImplementation, x25519: X25519Engine): HybridConstruction {
  return {
    kem: "X-Wing",
    name: `${mlKem.name}+${x25519.name}`,

    importSeed(seed) {
      // Section 5.2, expandDecapsulationKey.
      const expanded = shake256(seed, { dkLen: ML_KEM_SEED + X25519_BYTES });
      const mlKemKey = mlKem.importSeed("ML-KEM-768", expanded.subarray(0, ML_KEM_SEED));
      const x25519Key = x25519.importPrivateKey(expanded.subarray(ML_KEM_SEED));
      expanded.fill(0);
      return {
        publicKey: concatBytes(mlKemKey.publicKey, x25519Key.publicKey),
        decapsulate(ciphertext) {
          const point = ciphertext.subarray(ML_KEM_CIPHERTEXT);
          let x25519Secret: Uint8Array;
          try {
            x25519Secret = x25519Key.agree(point);
          } catch {
            throw ciphertextInvalid("X-Wing", "its X25519 point is of small order");
          }
          const mlKemSecret = mlKemKey.decapsulate(ciphertext.subarray(0, ML_KEM_CIPHERTEXT));
          return combine(mlKemSecret, x25519Secret, point, x25519Key.publicKey);
        },
      };
    },

    importPublicKey(publicKey) {
      const mlKemKey = mlKem.importPublicKey("ML-KEM-768", publicKey.subarray(0, ML_KEM_PUBLIC_KEY));
      const point = publicKey.slice(ML_KEM_PUBLIC_KEY);
      const agree = (): { readonly ephemeral: Uint8Array; readonly secret: Uint8Array } => {
        const scalar = randomBytes(X25519_BYTES);
        const key = x25519.importPrivateKey(scalar);
        scalar.fill(0);
        return { ephemeral: key.publicKey, secret: key.agree(point) };
      };
      try {
        // Whether a point is of small order shows with any scalar.
        agree().secret.fill(0);
      } catch {
        throw hybridKeyInvalid("X-Wing", "its X25519 point is of small order");
      }
      return () => {
        const { ephemeral, secret } = agree();
        const { ciphertext, sharedSecret } = mlKemKey.encapsulate();
        return {
          ciphertext: concatBytes(ciphertext, ephemeral),
          sharedSecret: combine(sharedSecret, secret, ephemeral, point),
        };
      };
    },
  };
}
