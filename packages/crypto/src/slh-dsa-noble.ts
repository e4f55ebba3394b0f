// SLH-DSA by noble, and signing without randomness, which node:crypto lacks. It must not check lengths (slh-dsa-checked.ts does).
//
// What is constant in time: the operations on the secret seeds are hashes of fixed length, without branches or memory indices that
// depend on them; which of the derived values are disclosed follows from the signature. What a JavaScript engine makes of it
// nobody can promise.
import {
  slh_dsa_sha2_128f,
  slh_dsa_sha2_128s,
  slh_dsa_sha2_192f,
  slh_dsa_sha2_192s,
  slh_dsa_sha2_256f,
  slh_dsa_sha2_256s,
  slh_dsa_shake_128f,
  slh_dsa_shake_128s,
  slh_dsa_shake_192f,
  slh_dsa_shake_192s,
  slh_dsa_shake_256f,
  slh_dsa_shake_256s,
} from "@noble/post-quantum/slh-dsa.js";
import { randomBytes } from "./random.js";
import type { SlhDsaEngine, SlhDsaEnginePrivateKey, SlhDsaSet } from "./slh-dsa-checked.js";

const SETS = {
  "SLH-DSA-SHA2-128s": slh_dsa_sha2_128s,
  "SLH-DSA-SHA2-128f": slh_dsa_sha2_128f,
  "SLH-DSA-SHA2-192s": slh_dsa_sha2_192s,
  "SLH-DSA-SHA2-192f": slh_dsa_sha2_192f,
  "SLH-DSA-SHA2-256s": slh_dsa_sha2_256s,
  "SLH-DSA-SHA2-256f": slh_dsa_sha2_256f,
  "SLH-DSA-SHAKE-128s": slh_dsa_shake_128s,
  "SLH-DSA-SHAKE-128f": slh_dsa_shake_128f,
  "SLH-DSA-SHAKE-192s": slh_dsa_shake_192s,
  "SLH-DSA-SHAKE-192f": slh_dsa_shake_192f,
  "SLH-DSA-SHAKE-256s": slh_dsa_shake_256s,
  "SLH-DSA-SHAKE-256f": slh_dsa_shake_256f,
};

/** The private key of SK.seed || SK.prf || PK.seed, a new buffer. FIPS 205 algorithm 18. */
export function nobleSlhDsaKey(set: SlhDsaSet, seed: Uint8Array): Uint8Array {
  return SETS[set.name].keygen(seed).secretKey;
}

/** Signs; without randomness where none is given. FIPS 205 algorithm 22. @param randomness - n bytes, overwritten */
export function nobleSlhDsaSign(
  set: SlhDsaSet,
  raw: Uint8Array,
  message: Uint8Array,
  context: Uint8Array,
  randomness: Uint8Array | undefined,
): Uint8Array {
  try {
    return SETS[set.name].sign(message, raw, { context, extraEntropy: randomness ?? false });
  } finally {
    randomness?.fill(0);
  }
}

function privateKeyOf(set: SlhDsaSet, raw: Uint8Array): SlhDsaEnginePrivateKey {
  const own = new Uint8Array(raw);
  return {
    sign: (message, context) => nobleSlhDsaSign(set, own, message, context, randomBytes(set.publicKeyBytes / 2)),
    exportRaw: () => own.slice(),
  };
}

/** SLH-DSA by noble. */
export function createNobleSlhDsa(): SlhDsaEngine {
  return {
    name: "noble",
    generateKey(set) {
      const seed = randomBytes(set.seedBytes);
      const raw = nobleSlhDsaKey(set, seed);
      try {
        return privateKeyOf(set, raw);
      } finally {
        seed.fill(0);
        raw.fill(0);
      }
    },
    importPrivateKey: privateKeyOf,
    importPublicKey(set, publicKey) {
      const own = new Uint8Array(publicKey);
      return { verify: (message, signature, context) => SETS[set.name].verify(signature, message, own, { context }) };
    },
  };
}
