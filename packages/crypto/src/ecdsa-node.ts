// ECDSA by node:crypto, that is OpenSSL, whose signing is constant-time. It must not check arguments (ecdsa-checked.ts does).
// Signatures are always DER here and keys are given without options: Node 24 takes half as long that way.
import type { EcdsaEngine, EnginePrivateKey, EnginePublicKey } from "./ecdsa-checked.js";
import { type Curve, formatSpki, parsePkcs8 } from "./ecdsa-encoding.js";
import { asNodeInput, type NodeCrypto, plain } from "./runtime.js";

/** ECDSA by node:crypto. */
export function createNodeEcdsa(node: NodeCrypto): EcdsaEngine {
  return {
    name: "node",

    generateScalar(curve: Curve): Uint8Array {
      const { privateKey } = node.generateKeyPairSync("ec", { namedCurve: curve.nodeName });
      const pkcs8 = privateKey.export({ format: "der", type: "pkcs8" });
      const scalar = new Uint8Array(parsePkcs8(curve, pkcs8).scalar);
      pkcs8.fill(0);
      return scalar;
    },

    publicPoint(curve: Curve, scalar: Uint8Array): Uint8Array {
      const ecdh = node.createECDH(curve.nodeName);
      ecdh.setPrivateKey(scalar);
      return ecdh.getPublicKey();
    },

    expandPoint(curve: Curve, encoded: Uint8Array): Uint8Array {
      return node.ECDH.convertKey(encoded, curve.nodeName, undefined, undefined, "uncompressed") as Uint8Array;
    },

    importPrivateKey(curve: Curve, pkcs8: Uint8Array): EnginePrivateKey {
      const key = node.createPrivateKey({ key: asNodeInput(pkcs8), format: "der", type: "pkcs8" });
      return {
        sign: (message) => plain(node.sign(curve.hash, message, key)),
        createSignature() {
          const sign = node.createSign(curve.hash);
          return { update: (data) => void sign.update(data), finish: () => plain(sign.sign(key)) };
        },
        exportPkcs8: () => plain(key.export({ format: "der", type: "pkcs8" })),
      };
    },

    importPublicKey(curve: Curve, uncompressed: Uint8Array): EnginePublicKey {
      const spki = formatSpki(curve, uncompressed);
      const key = node.createPublicKey({ key: asNodeInput(spki), format: "der", type: "spki" });
      return {
        verify: (message, { der }) => isVerified(() => node.verify(curve.hash, message, key, der)),
        createVerification() {
          const verify = node.createVerify(curve.hash);
          return {
            update: (data) => void verify.update(data),
            finish: ({ der }) => isVerified(() => verify.verify(key, der)),
          };
        },
      };
    },
  };
}

function isVerified(verify: () => boolean): boolean {
  try {
    return verify();
  } catch {
    return false;
  }
}
