// ECDSA by noble, and ECDSA over given digests, which node:crypto lacks. It works with BigInt, so that the time of signing may
// depend on the key; nonces are hedged (RFC 6979 3.6 with fresh randomness). It must not check arguments (ecdsa-checked.ts does).
import { p256, p384 } from "@noble/curves/nist.js";
import type { EcdsaEngine, EnginePrivateKey, EnginePublicKey } from "./ecdsa-checked.js";
import { type Curve, formatPkcs8, ownRawToDer, parsePkcs8 } from "./ecdsa-encoding.js";
import { createNobleHash } from "./hash-noble.js";
import { randomBytes } from "./random.js";

const CURVES = { "P-256": p256, "P-384": p384 };

/** Signs a digest; gives r and s side by side. FIPS 186-5 section 6.4.1. */
export function nobleSignDigest(curve: Curve, scalar: Uint8Array, digest: Uint8Array): Uint8Array {
  const extraEntropy = randomBytes(curve.size);
  return CURVES[curve.name].sign(digest, scalar, { prehash: false, lowS: false, format: "compact", extraEntropy });
}

/** Verifies r and s over a digest, under a point in any encoding. FIPS 186-5 section 6.4.2. */
export function nobleVerifyDigest(curve: Curve, point: Uint8Array, digest: Uint8Array, raw: Uint8Array): boolean {
  try {
    return CURVES[curve.name].verify(raw, digest, point, { prehash: false, lowS: false, format: "compact" });
  } catch {
    return false;
  }
}

/** ECDSA by noble. */
export function createNobleEcdsa(): EcdsaEngine {
  const hashes = createNobleHash();
  return {
    name: "noble",

    generateScalar(curve: Curve): Uint8Array {
      const { lengths, utils } = CURVES[curve.name];
      return utils.randomSecretKey(randomBytes(lengths.seed as number));
    },

    publicPoint: (curve: Curve, scalar: Uint8Array) => CURVES[curve.name].getPublicKey(scalar, false),

    expandPoint: (curve: Curve, encoded: Uint8Array) => CURVES[curve.name].Point.fromBytes(encoded).toBytes(false),

    importPrivateKey(curve: Curve, pkcs8: Uint8Array): EnginePrivateKey {
      const { scalar: view, point } = parsePkcs8(curve, pkcs8);
      const scalar = new Uint8Array(view);
      const ownPoint = new Uint8Array(point as Uint8Array);
      const sign = (digest: Uint8Array): Uint8Array => ownRawToDer(curve, nobleSignDigest(curve, scalar, digest));
      return {
        sign: (message) => sign(hashes.digest(curve.hash, [message])),
        createSignature() {
          const hasher = hashes.begin(curve.hash);
          return { update: (data) => void hasher.update(data), finish: () => sign(hasher.digest()) };
        },
        exportPkcs8: () => formatPkcs8(curve, scalar, ownPoint),
      };
    },

    importPublicKey(curve: Curve, uncompressed: Uint8Array): EnginePublicKey {
      return {
        verify: (message, { raw }) => nobleVerifyDigest(curve, uncompressed, hashes.digest(curve.hash, [message]), raw),
        createVerification() {
          const hasher = hashes.begin(curve.hash);
          return {
            update: (data) => void hasher.update(data),
            finish: ({ raw }) => nobleVerifyDigest(curve, uncompressed, hasher.digest(), raw),
          };
        },
      };
    },
  };
}
