// SM2 signatures over messages by node:crypto, that is OpenSSL. Its one-shot sign and verify take an empty user id, so that the
// message is handed to createSign with the digest of signer and curve before it; and a generated key signs ECDSA until it is
// exported and imported again, so that keys come from our own DER only. It must not check arguments.
import type { KeyObject } from "node:crypto";
import { asNodeInput, type NodeCrypto, plain } from "./runtime.js";
import type { Sm2NativeSignatures } from "./sm2-engine.js";

/** SM2 signatures by node:crypto. */
export function createNodeSm2(node: NodeCrypto): Sm2NativeSignatures {
  return {
    importPrivateKey(pkcs8) {
      const key: KeyObject = node.createPrivateKey({ key: asNodeInput(pkcs8), format: "der", type: "pkcs8" });
      return (identity, message) => plain(node.createSign("sm3").update(identity).update(message).sign(key));
    },
    importPublicKey(spki) {
      const key: KeyObject = node.createPublicKey({ key: asNodeInput(spki), format: "der", type: "spki" });
      return (identity, message, der) => {
        try {
          return node.createVerify("sm3").update(identity).update(message).verify(key, der);
        } catch {
          return false;
        }
      };
    },
  };
}
