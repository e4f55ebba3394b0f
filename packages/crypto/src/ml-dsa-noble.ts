// ML-DSA by noble, and what node:crypto lacks of it: signing without randomness, and over a given message representative. It must
// not check lengths (ml-dsa-checked.ts does).
//
// This is NOT constant-time: noble reduces secret numbers with `%` and decomposes them with branches. Where the native one is
// there it is preferred.
import { shake256 } from "@noble/hashes/sha3.js";
import { ml_dsa44, ml_dsa65, ml_dsa87 } from "@noble/post-quantum/ml-dsa.js";
import { equalBytes } from "./bytes.js";
import { FengniError } from "./errors.js";
import type { MlDsaEngine, MlDsaEnginePrivateKey, MlDsaSet } from "./ml-dsa-checked.js";
import type { PqSecret } from "./pq-encoding.js";
import { randomBytes } from "./random.js";

const SETS = { "ML-DSA-44": ml_dsa44, "ML-DSA-65": ml_dsa65, "ML-DSA-87": ml_dsa87 };
const TEST_MESSAGE: Uint8Array = /* @__PURE__ */ new Uint8Array(32);
const EMPTY: Uint8Array = /* @__PURE__ */ new Uint8Array(0);

/** The expanded private key of a seed, a new buffer. FIPS 204 algorithm 6. */
export function nobleExpandMlDsa(set: MlDsaSet, seed: Uint8Array): Uint8Array {
  return SETS[set.name].keygen(seed).secretKey;
}

/** The public key of an expanded private key; throws unless its secret vectors are in range and its hash of the public key right. */
export function noblePublicKeyOf(set: MlDsaSet, expanded: Uint8Array): Uint8Array {
  const publicKey = SETS[set.name].getPublicKey(expanded);
  // FIPS 204 algorithm 24: rho, K and tr of 32, 32 and 64 bytes stand first.
  if (equalBytes(shake256(publicKey, { dkLen: 64 }), expanded.subarray(64, 128))) return publicKey;
  throw new Error("another public key's hash");
}

/** Signs; without randomness where none is given. FIPS 204 algorithm 2. @param randomness - 32 bytes, overwritten */
export function nobleSign(
  set: MlDsaSet,
  expanded: Uint8Array,
  message: Uint8Array,
  context: Uint8Array,
  randomness: Uint8Array | undefined,
): Uint8Array {
  try {
    return SETS[set.name].sign(message, expanded, { context, extraEntropy: randomness ?? false });
  } finally {
    randomness?.fill(0);
  }
}

/** Signs a message representative. FIPS 204 algorithm 7 from line 7. @param randomness - 32 bytes, overwritten */
export function nobleSignMu(
  set: MlDsaSet,
  expanded: Uint8Array,
  mu: Uint8Array,
  randomness: Uint8Array | undefined,
): Uint8Array {
  try {
    return SETS[set.name].internal.sign(mu, expanded, { extraEntropy: randomness ?? false, externalMu: true });
  } finally {
    randomness?.fill(0);
  }
}

/** Verifies a signature over a message representative. FIPS 204 algorithm 8 but for line 7. */
export function nobleVerifyMu(set: MlDsaSet, publicKey: Uint8Array, mu: Uint8Array, signature: Uint8Array): boolean {
  return SETS[set.name].internal.verify(signature, mu, publicKey, { externalMu: true });
}

function privateKeyOf(set: MlDsaSet, secret: PqSecret): MlDsaEnginePrivateKey {
  const seed = secret.seed === undefined ? undefined : new Uint8Array(secret.seed);
  const expanded = seed === undefined ? new Uint8Array(secret.expanded as Uint8Array) : nobleExpandMlDsa(set, seed);
  let publicKey: Uint8Array | undefined;
  const publicKeyOf = (): Uint8Array => {
    publicKey ??= SETS[set.name].getPublicKey(expanded);
    return publicKey;
  };
  // The one part of an expanded key that noblePublicKeyOf cannot check, t0, shows in use only, and in some signatures only: each
  // is verified before it is given out.
  const sign = (message: Uint8Array, context: Uint8Array): Uint8Array => {
    const signature = nobleSign(set, expanded, message, context, randomBytes(32));
    if (seed === undefined && !SETS[set.name].verify(signature, message, publicKeyOf(), { context })) {
      throw new FengniError(
        "ERR_KEY_INVALID",
        "the expanded private key is inconsistent: its signature does not verify",
      );
    }
    return signature;
  };
  if (seed === undefined) sign(TEST_MESSAGE, EMPTY);
  return {
    publicKey: publicKeyOf,
    sign,
    exportSecret: () => (seed === undefined ? { expanded: expanded.slice() } : { seed: seed.slice() }),
  };
}

/** ML-DSA by noble. */
export function createNobleMlDsa(): MlDsaEngine {
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
      return { verify: (message, signature, context) => SETS[set.name].verify(signature, message, own, { context }) };
    },
  };
}
