// ML-KEM by noble. It must not check lengths nor public keys (ml-kem-checked.ts does).
//
// This is NOT constant-time: noble reduces secret numbers with `%` and with conditional corrections, and chooses the result of a
// decapsulation by a branch. Where the native one is there it is preferred.
import { ml_kem512, ml_kem768, ml_kem1024 } from "@noble/post-quantum/ml-kem.js";
import type { MlKemEncapsulation } from "./ml-kem.js";
import type { MlKemEngine, MlKemEnginePrivateKey, MlKemSet } from "./ml-kem-checked.js";
import type { PqSecret } from "./pq-encoding.js";
import { randomBytes } from "./random.js";

const SETS = { "ML-KEM-512": ml_kem512, "ML-KEM-768": ml_kem768, "ML-KEM-1024": ml_kem1024 };

/** The expanded private key of a seed d || z, a new buffer. FIPS 203 algorithm 16. */
export function nobleExpandMlKem(set: MlKemSet, seed: Uint8Array): Uint8Array {
  return SETS[set.name].keygen(seed).secretKey;
}

/**
 * Encapsulates with given randomness, which is for known-answer tests only. FIPS 203 algorithm 17.
 * @param message - 32 bytes
 */
export function nobleEncapsulate(set: MlKemSet, publicKey: Uint8Array, message: Uint8Array): MlKemEncapsulation {
  const { cipherText, sharedSecret } = SETS[set.name].encapsulate(publicKey, message);
  return { ciphertext: cipherText, sharedSecret: taken(sharedSecret) };
}

/** Takes a secret out of a longer buffer, of which noble gives a part. */
function taken(secret: Uint8Array): Uint8Array {
  const own = new Uint8Array(secret);
  secret.fill(0);
  return own;
}

function privateKeyOf(set: MlKemSet, secret: PqSecret): MlKemEnginePrivateKey {
  const seed = secret.seed === undefined ? undefined : new Uint8Array(secret.seed);
  const expanded = seed === undefined ? new Uint8Array(secret.expanded as Uint8Array) : nobleExpandMlKem(set, seed);
  const publicKey = expanded.slice(384 * set.k, 768 * set.k + 32);
  return {
    publicKey: () => publicKey,
    decapsulate: (ciphertext) => taken(SETS[set.name].decapsulate(ciphertext, expanded)),
    exportSecret: () => (seed === undefined ? { expanded: expanded.slice() } : { seed: seed.slice() }),
  };
}

/** ML-KEM by noble. */
export function createNobleMlKem(): MlKemEngine {
  return {
    name: "noble",
    generateKey(set) {
      const seed = randomBytes(set.seedBytes);
      try {
        return privateKeyOf(set, { seed });
      } finally {
        seed.fill(0);
      }
    },
    importPrivateKey: privateKeyOf,
    importPublicKey(set, publicKey) {
      const own = new Uint8Array(publicKey);
      return {
        encapsulate() {
          const message = randomBytes(32);
          try {
            return nobleEncapsulate(set, own, message);
          } finally {
            message.fill(0);
          }
        },
      };
    },
  };
}
