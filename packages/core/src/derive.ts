// From a data key and a message id to the keys of one message and its commitment (message format, section "Derivation";
// RFC 5869). Must know nothing of bytes on the wire.
import { type AeadKey, importAesGcmKey } from "@fengni/crypto/aes-gcm";
import { equalBytes, utf8ToBytes, wipe } from "@fengni/crypto/bytes";
import { digest, type HashName, hashLength, hkdf, hkdfExpand, hkdfExtract } from "@fengni/crypto/hash";
import { importSm4GcmKey } from "@fengni/crypto/sm4-gcm";
import { authenticationError, FengniError } from "./errors.js";
import type { AlgorithmSuite } from "./suites.js";
import { putU16 } from "./wire/integers.js";

const DERIVE_LABEL = /* @__PURE__ */ utf8ToBytes("DERIVEKEY");
const HEADER_LABEL = /* @__PURE__ */ utf8ToBytes("HEADERKEY");
const COMMIT_LABEL = /* @__PURE__ */ utf8ToBytes("COMMITKEY");
const COMMITMENT_BYTES = 32;

/**
 * What one message is sealed with. Who gets it calls `headerCipher` or `discard`: until then it holds the secret that the
 * header's key is derived from.
 */
export interface MessageKeys {
  /** Seals and opens the body. */
  readonly cipher: AeadKey;
  /** 32 bytes for a committing suite, else empty. */
  readonly commitment: Uint8Array;
  /**
   * The key of the header's tag, once the header is known; called once. Where the suite says `shared` it is `cipher`.
   * Otherwise it depends on every byte that the tag authenticates, so that no two headers are sealed under one key, however
   * often a message is given a new one: under one key, with the header's fixed IV, two tags would give away the GHASH key.
   * @param headerBody - what the tag authenticates
   * @param unstoredContext - what it authenticates behind that
   */
  headerCipher(headerBody: Uint8Array, unstoredContext: Uint8Array): AeadKey;
  /** Wipes the secret, where the header never comes to be sealed. */
  discard(): void;
}

/** Derives the keys of one message. The data key stays the caller's. */
export function deriveMessageKeys(suite: AlgorithmSuite, dataKey: Uint8Array, messageId: Uint8Array): MessageKeys {
  const { kdfHash } = suite;
  if (kdfHash === undefined) return sharedKeys(importKey(suite, dataKey));
  if (!suite.committing) {
    const salt = new Uint8Array(hashLength(kdfHash));
    const info = infoOf(suite.bodySuiteId, messageId);
    return sharedKeys(importAndWipe(suite, hkdf(kdfHash, dataKey, salt, info, suite.messageKeyBytes)));
  }
  const pseudoRandomKey = hkdfExtract(kdfHash, dataKey, messageId);
  const info = infoOf(suite.bodySuiteId, DERIVE_LABEL);
  const cipher = importAndWipe(suite, hkdfExpand(kdfHash, pseudoRandomKey, info, suite.messageKeyBytes));
  const commitment = hkdfExpand(kdfHash, pseudoRandomKey, COMMIT_LABEL, COMMITMENT_BYTES);
  if (suite.headerKey === "own") return new OwnHeaderKeys(suite, kdfHash, cipher, commitment, pseudoRandomKey);
  wipe(pseudoRandomKey);
  return sharedKeys(cipher, commitment);
}

function nothingHeld(): void {}

/** Keys of a suite whose header and body share theirs: nothing is held. */
function sharedKeys(cipher: AeadKey, commitment: Uint8Array = new Uint8Array(0)): MessageKeys {
  return { cipher, commitment, headerCipher: () => cipher, discard: nothingHeld };
}

/** Keys of a suite whose header has its own: holds the pseudo-random key until the header is known. */
class OwnHeaderKeys implements MessageKeys {
  readonly cipher: AeadKey;
  readonly commitment: Uint8Array;
  readonly #suite: AlgorithmSuite;
  readonly #hash: HashName;
  #pseudoRandomKey: Uint8Array | undefined;

  constructor(
    suite: AlgorithmSuite,
    hash: HashName,
    cipher: AeadKey,
    commitment: Uint8Array,
    pseudoRandomKey: Uint8Array,
  ) {
    this.#suite = suite;
    this.#hash = hash;
    this.cipher = cipher;
    this.commitment = commitment;
    this.#pseudoRandomKey = pseudoRandomKey;
  }

  headerCipher(headerBody: Uint8Array, unstoredContext: Uint8Array): AeadKey {
    const pseudoRandomKey = this.#pseudoRandomKey;
    if (pseudoRandomKey === undefined) {
      throw new FengniError("ERR_CLOSED", "the header's key was derived already, or given up: derive the keys again");
    }
    const suite = this.#suite;
    const info = infoOf(suite.id, HEADER_LABEL, digest(this.#hash, headerBody, unstoredContext));
    const key = hkdfExpand(this.#hash, pseudoRandomKey, info, suite.messageKeyBytes);
    this.discard();
    return importAndWipe(suite, key);
  }

  discard(): void {
    if (this.#pseudoRandomKey !== undefined) wipe(this.#pseudoRandomKey);
    this.#pseudoRandomKey = undefined;
  }
}

/** A suite id and what follows it. */
function infoOf(suiteId: number, ...parts: readonly Uint8Array[]): Uint8Array {
  let length = 2;
  for (const part of parts) length += part.length;
  const info = new Uint8Array(length);
  putU16(info, 0, suiteId);
  let offset = 2;
  for (const part of parts) {
    info.set(part, offset);
    offset += part.length;
  }
  return info;
}

function importKey(suite: AlgorithmSuite, key: Uint8Array): AeadKey {
  return suite.cipher === "sm4-gcm" ? importSm4GcmKey(key) : importAesGcmKey(key);
}

function importAndWipe(suite: AlgorithmSuite, key: Uint8Array): AeadKey {
  const cipher = importKey(suite, key);
  wipe(key);
  return cipher;
}

/** What a received header says of its keys. */
export interface KeyedHeader {
  readonly suite: AlgorithmSuite;
  readonly messageId: Uint8Array;
  /** Absent where the suite does not commit. */
  readonly commitment: Uint8Array | undefined;
  /** What the header's tag authenticates. */
  readonly body: Uint8Array;
}

/** What one message is opened with. */
export interface OpeningKeys {
  /** Opens the body. */
  readonly cipher: AeadKey;
  /** Opens the header's tag. */
  readonly headerCipher: AeadKey;
}

/**
 * Derives the keys of a received message and compares the commitment before one of them is used for anything.
 * @param unstoredContext - what the header's tag authenticates behind the header's body
 * @throws `ERR_AUTHENTICATION`
 */
export function deriveAndCheckCommitment(
  header: KeyedHeader,
  dataKey: Uint8Array,
  unstoredContext: Uint8Array,
): OpeningKeys {
  const keys = deriveMessageKeys(header.suite, dataKey, header.messageId);
  try {
    if (!equalBytes(keys.commitment, header.commitment ?? new Uint8Array(0))) throw authenticationError();
    return { cipher: keys.cipher, headerCipher: keys.headerCipher(header.body, unstoredContext) };
  } finally {
    keys.discard();
  }
}
