// ML-KEM by node:crypto, that is OpenSSL 3.5 and later (Node 24.7 and later), whose operations on secrets are constant-time. It
// must not check lengths nor public keys (ml-kem-checked.ts does).
import type { KeyObject } from "node:crypto";
import type { MlKemEncapsulation } from "./ml-kem.js";
import type { MlKemEngine, MlKemEnginePrivateKey, MlKemSet } from "./ml-kem-checked.js";
import { exportLatticeSecret, exportPqPublicKey, importLatticeSecret, importPqPublicKey } from "./pq-node.js";
import { type NodeCrypto, plain } from "./runtime.js";

/** What newer versions of node:crypto have and the types of the oldest do not. */
interface NodeKem {
  generateKeyPairSync(type: string): { readonly privateKey: KeyObject };
  encapsulate(key: KeyObject): { readonly sharedKey: Uint8Array; readonly ciphertext: Uint8Array };
  decapsulate(key: KeyObject, ciphertext: Uint8Array): Uint8Array;
}

/** ML-KEM by node:crypto, or undefined where it has none. */
export function createNodeMlKem(node: NodeCrypto): MlKemEngine | undefined {
  const kem = node as unknown as NodeKem;
  if (typeof kem.encapsulate !== "function" || typeof kem.decapsulate !== "function") return undefined;
  const privateKeyOf = (set: MlKemSet, key: KeyObject): MlKemEnginePrivateKey => ({
    publicKey: () => exportPqPublicKey(node, set, key),
    decapsulate: (ciphertext) => plain(kem.decapsulate(key, ciphertext)),
    exportSecret: () => exportLatticeSecret(set, key),
  });
  return {
    name: "node",
    generateKey: (set) => privateKeyOf(set, kem.generateKeyPairSync(set.nodeName).privateKey),
    importPrivateKey: (set, secret) => privateKeyOf(set, importLatticeSecret(node, set, secret)),
    importPublicKey(set, publicKey) {
      const key = importPqPublicKey(node, set, publicKey);
      return {
        encapsulate(): MlKemEncapsulation {
          const { ciphertext, sharedKey } = kem.encapsulate(key);
          return { ciphertext: plain(ciphertext), sharedSecret: plain(sharedKey) };
        },
      };
    },
  };
}
