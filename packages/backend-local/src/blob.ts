// The layout of a ciphertext (docs/local-kms.md, "Ciphertext"): bytes to values and back; nothing else reads or writes its
// offsets. It must not know keys, algorithms or how the bytes are sealed.
import { FengniError } from "@fengni/core";
import { MAX_PLAINTEXT_BYTES } from "./checks.js";
import { isId, KEY_ID_LENGTH } from "./keys.js";

/** Length of the salt from which a ciphertext's sealing key is derived, in bytes. */
export const SALT_BYTES = 16;
/** Length of the nonce, in bytes. */
export const NONCE_BYTES = 12;
const TAG_BYTES = 16;

const MAGIC: readonly number[] = [0x46, 0x4e, 0x4b, 0x42]; // "FNKB"
const FORMAT_VERSION = 1;
const FORMAT_VERSION_AT = 4;
const ALGORITHM_AT = 5;
const KEY_ID_LENGTH_AT = 6;
const KEY_ID_AT = 7;
const KEY_VERSION_AT: number = KEY_ID_AT + KEY_ID_LENGTH;
const SALT_AT: number = KEY_VERSION_AT + 4;
/** Length of the header, everything before the nonce, in bytes. */
const HEADER_BYTES: number = SALT_AT + SALT_BYTES;
const CIPHERTEXT_AT: number = HEADER_BYTES + NONCE_BYTES;

/** How much longer a ciphertext is than its plaintext, in bytes. */
const CIPHERTEXT_OVERHEAD_BYTES: number = CIPHERTEXT_AT + TAG_BYTES;

/** What a header says. */
export interface BlobHeader {
  readonly algorithmId: number;
  readonly keyId: string;
  /** 1..2^32-1 */
  readonly keyVersion: number;
  readonly salt: Uint8Array;
}

/** A ciphertext in its parts; byte strings are views. */
export interface Blob extends BlobHeader {
  /** Everything before the nonce: the first part of the AAD. */
  readonly header: Uint8Array;
  readonly nonce: Uint8Array;
  readonly ciphertext: Uint8Array;
  readonly tag: Uint8Array;
}

/** Writes a header. */
export function formatHeader(header: BlobHeader): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  bytes.set(MAGIC, 0);
  bytes[FORMAT_VERSION_AT] = FORMAT_VERSION;
  bytes[ALGORITHM_AT] = header.algorithmId;
  bytes[KEY_ID_LENGTH_AT] = KEY_ID_LENGTH;
  for (let i = 0; i < KEY_ID_LENGTH; i++) bytes[KEY_ID_AT + i] = header.keyId.charCodeAt(i);
  new DataView(bytes.buffer).setUint32(KEY_VERSION_AT, header.keyVersion);
  bytes.set(header.salt, SALT_AT);
  return bytes;
}

/** Joins the parts of a ciphertext into a new buffer. */
export function formatBlob(header: Uint8Array, nonce: Uint8Array, ciphertext: Uint8Array, tag: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(CIPHERTEXT_OVERHEAD_BYTES + ciphertext.length);
  bytes.set(header, 0);
  bytes.set(nonce, HEADER_BYTES);
  bytes.set(ciphertext, CIPHERTEXT_AT);
  bytes.set(tag, CIPHERTEXT_AT + ciphertext.length);
  return bytes;
}

/**
 * Reads a ciphertext. Its length is bounded before anything else is looked at.
 * @throws FengniError `ERR_CIPHERTEXT_INVALID` for anything that {@link formatBlob} does not write
 */
export function parseBlob(bytes: Uint8Array): Blob {
  for (let i = 0; i < MAGIC.length; i++) {
    if (bytes[i] !== MAGIC[i]) throw ciphertextInvalid("it was not made by a local KMS");
  }
  if (bytes[FORMAT_VERSION_AT] !== FORMAT_VERSION) throw ciphertextInvalid("its format version is not known");
  if (bytes.length <= CIPHERTEXT_OVERHEAD_BYTES) throw ciphertextInvalid("it is truncated");
  if (bytes.length > CIPHERTEXT_OVERHEAD_BYTES + MAX_PLAINTEXT_BYTES) throw ciphertextInvalid("it is too long");
  if (bytes[KEY_ID_LENGTH_AT] !== KEY_ID_LENGTH) throw ciphertextInvalid("its key id has a wrong length");
  const keyId = String.fromCharCode(...bytes.subarray(KEY_ID_AT, KEY_VERSION_AT));
  if (!isId(keyId)) throw ciphertextInvalid("its key id is malformed");
  const keyVersion = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(KEY_VERSION_AT);
  if (keyVersion === 0) throw ciphertextInvalid("its key version is malformed");
  const tagAt = bytes.length - TAG_BYTES;
  return {
    algorithmId: bytes[ALGORITHM_AT] as number,
    keyId,
    keyVersion,
    salt: bytes.subarray(SALT_AT, HEADER_BYTES),
    header: bytes.subarray(0, HEADER_BYTES),
    nonce: bytes.subarray(HEADER_BYTES, CIPHERTEXT_AT),
    ciphertext: bytes.subarray(CIPHERTEXT_AT, tagAt),
    tag: bytes.subarray(tagAt),
  };
}

/** The bytes are not a ciphertext of a local KMS. */
export function ciphertextInvalid(why: string): FengniError<"ERR_CIPHERTEXT_INVALID"> {
  return new FengniError("ERR_CIPHERTEXT_INVALID", `this is no ciphertext that the local KMS can open: ${why}`);
}
