// SLH-DSA by node:crypto, that is OpenSSL 3.5 and later. It must not check lengths (slh-dsa-checked.ts does).
import type { KeyObject } from "node:crypto";
import { formatPqPkcs8, parsePqPkcs8 } from "./pq-encoding.js";
import { importPqPkcs8, importPqPublicKey } from "./pq-node.js";
import { nodeSign, nodeVerify } from "./pq-signing.js";
import type { NodeCrypto } from "./runtime.js";
import type { SlhDsaEngine, SlhDsaEnginePrivateKey, SlhDsaSet } from "./slh-dsa-checked.js";

/** What newer versions of node:crypto have and the types of the oldest do not. */
type GenerateKeyPair = (type: string) => { readonly privateKey: KeyObject };

/** SLH-DSA by node:crypto; every call throws where it has none. */
export function createNodeSlhDsa(node: NodeCrypto): SlhDsaEngine {
  const generate = node.generateKeyPairSync as unknown as GenerateKeyPair;
  const privateKeyOf = (set: SlhDsaSet, key: KeyObject): SlhDsaEnginePrivateKey => ({
    sign: (message, context) => nodeSign(node, key, message, context),
    exportRaw() {
      const pkcs8 = key.export({ format: "der", type: "pkcs8" });
      try {
        return new Uint8Array(parsePqPkcs8(set, pkcs8));
      } finally {
        pkcs8.fill(0);
      }
    },
  });
  return {
    name: "node",
    generateKey: (set) => privateKeyOf(set, generate(set.nodeName).privateKey),
    // The copy is overwritten.
    importPrivateKey: (set, raw) => privateKeyOf(set, importPqPkcs8(node, formatPqPkcs8(set, new Uint8Array(raw)))),
    importPublicKey(set, publicKey) {
      const key = importPqPublicKey(node, set, publicKey);
      return { verify: (message, signature, context) => nodeVerify(node, key, message, signature, context) };
    },
  };
}
