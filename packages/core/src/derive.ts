// From a data key and a message id to the key of one message and its commitment (message format, section "Key
// derivation"; RFC 5869). Must know nothing of bytes on the wire.
import { type AeadKey, importAesGcmKey } from "@fengni/crypto/aes-gcm";
import { equalBytes, utf8ToBytes, wipe } from "@fengni/crypto/bytes";
import { hashLength, hkdf, hkdfExpand, hkdfExtract } from "@fengni/crypto/hash";
import { authenticationError } from "./errors.js";
import type { AlgorithmSuite } from "./suites.js";
import { putU16 } from "./wire/integers.js";

const DERIVE_LABEL = /* @__PURE__ */ utf8ToBytes("DERIVEKEY");
const COMMIT_LABEL = /* @__PURE__ */ utf8ToBytes("COMMITKEY");
const COMMITMENT_BYTES = 32;

/** What one message is sealed with. */
export interface MessageKeys {
  readonly cipher: AeadKey;
  /** 32 bytes for a committing suite, else empty. */
  readonly commitment: Uint8Array;
}

/** Derives the keys of one message. The data key stays the caller's. */
export function deriveMessageKeys(suite: AlgorithmSuite, dataKey: Uint8Array, messageId: Uint8Array): MessageKeys {
  if (suite.kdfHash === undefined) return { cipher: importAesGcmKey(dataKey), commitment: new Uint8Array(0) };
  if (!suite.committing) {
    const salt = new Uint8Array(hashLength(suite.kdfHash));
    const info = new Uint8Array(2 + messageId.length);
    putU16(info, 0, suite.id);
    info.set(messageId, 2);
    return {
      cipher: importAndWipe(hkdf(suite.kdfHash, dataKey, salt, info, suite.keyBytes)),
      commitment: new Uint8Array(0),
    };
  }
  const pseudoRandomKey = hkdfExtract(suite.kdfHash, dataKey, messageId);
  const info = new Uint8Array(2 + DERIVE_LABEL.length);
  putU16(info, 0, suite.id);
  info.set(DERIVE_LABEL, 2);
  const cipher = importAndWipe(hkdfExpand(suite.kdfHash, pseudoRandomKey, info, suite.keyBytes));
  const commitment = hkdfExpand(suite.kdfHash, pseudoRandomKey, COMMIT_LABEL, COMMITMENT_BYTES);
  wipe(pseudoRandomKey);
  return { cipher, commitment };
}

function importAndWipe(key: Uint8Array): AeadKey {
  const cipher = importAesGcmKey(key);
  wipe(key);
  return cipher;
}

/**
 * Derives the keys of a received message and compares the commitment before the cipher is used for anything.
 * @throws `ERR_AUTHENTICATION`
 */
export function deriveAndCheckCommitment(
  suite: AlgorithmSuite,
  dataKey: Uint8Array,
  messageId: Uint8Array,
  commitment: Uint8Array | undefined,
): AeadKey {
  const keys = deriveMessageKeys(suite, dataKey, messageId);
  if (!equalBytes(keys.commitment, commitment ?? new Uint8Array(0))) throw authenticationError();
  return keys.cipher;
}
