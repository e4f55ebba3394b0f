// ML-DSA by node:crypto, that is OpenSSL 3.5 and later (Node 24.7 and later): constant-time but for the number of tries of a
// signature, which tells nothing of the key. It must not check lengths (ml-dsa-checked.ts does).
import type { KeyObject } from "node:crypto";
import type { MlDsaEngine, MlDsaEnginePrivateKey, MlDsaSet } from "./ml-dsa-checked.js";
import { exportLatticeSecret, exportPqPublicKey, importLatticeSecret, importPqPublicKey } from "./pq-node.js";
import { nodeSign, nodeVerify } from "./pq-signing.js";
import type { NodeCrypto } from "./runtime.js";

/** What newer versions of node:crypto have and the types of the oldest do not. */
type GenerateKeyPair = (type: string) => { readonly privateKey: KeyObject };

/** ML-DSA by node:crypto; every call throws where it has none. */
export function createNodeMlDsa(node: NodeCrypto): MlDsaEngine {
  const generate = node.generateKeyPairSync as unknown as GenerateKeyPair;
  const privateKeyOf = (set: MlDsaSet, key: KeyObject): MlDsaEnginePrivateKey => ({
    publicKey: () => exportPqPublicKey(node, set, key),
    sign: (message, context) => nodeSign(node, key, message, context),
    exportSecret: () => exportLatticeSecret(set, key),
  });
  return {
    name: "node",
    generateKey: (set) => privateKeyOf(set, generate(set.nodeName).privateKey),
    importPrivateKey: (set, secret) => privateKeyOf(set, importLatticeSecret(node, set, secret)),
    importPublicKey(set, publicKey) {
      const key = importPqPublicKey(node, set, publicKey);
      return { verify: (message, signature, context) => nodeVerify(node, key, message, signature, context) };
    },
  };
}
