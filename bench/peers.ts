// The released AWS Encryption SDK client, set up as its documentation says, for comparison.
import {
  buildClient,
  CommitmentPolicy,
  getLocalCryptographicMaterialsCache,
  NodeCachingMaterialsManager,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
} from "@aws-crypto/client-node";
import { KEY } from "./key.js";

export const PEER = "@aws-crypto/client-node";
export const peer = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);

export function peerKeyring(): RawAesKeyringNode {
  return new RawAesKeyringNode({
    keyNamespace: "bench",
    keyName: "key",
    unencryptedMasterKey: new Uint8Array(KEY),
    wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
  });
}

export function peerCachingManager(): NodeCachingMaterialsManager {
  return new NodeCachingMaterialsManager({
    backingMaterials: peerKeyring(),
    cache: getLocalCryptographicMaterialsCache(100),
    maxAge: 3_600_000,
  });
}
