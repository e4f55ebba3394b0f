// The layout of a post-quantum ciphertext (docs/local-kms.md, "Post-quantum ciphertext"): bytes to values and back; nothing else reads
// or writes its offsets. It must not know keys, nor how the bytes are encapsulated and sealed.
import { ciphertextInvalid } from "./blob.js";
import { MAX_PLAINTEXT_BYTES } from "./checks.js";
import { isId, KEY_ID_LENGTH } from "./keys.js";

/** ML-KEM-768, HKDF with SHA-256, AES-256-GCM. */
export const ML_KEM_768_AES_256_GCM = 1;
/** Length of the nonce, in bytes. */
export const POST_QUANTUM_NONCE_BYTES = 12;
/** Length of an ML-KEM-768 ciphertext, in bytes; FIPS 203 table 3. */
const ENCAPSULATION_BYTES = 1088;
const TAG_BYTES = 16;

const MAGIC: readonly number[] = [0x46, 0x4e, 0x50, 0x51]; // "FNPQ"
const FORMAT_VERSION = 1;
const FORMAT_VERSION_AT = 4;
const ALGORITHM_AT = 5;
const KEY_ID_LENGTH_AT = 6;
const KEY_ID_AT = 7;
const KEY_VERSION_AT: number = KEY_ID_AT + KEY_ID_LENGTH;
const HEADER_BYTES: number = KEY_VERSION_AT + 4;
const NONCE_AT: number = HEADER_BYTES + ENCAPSULATION_BYTES;
const CIPHERTEXT_AT: number = NONCE_AT + POST_QUANTUM_NONCE_BYTES;

/** How much longer a ciphertext is than its plaintext, in bytes: 1,163. */
export const POST_QUANTUM_OVERHEAD_BYTES: number = CIPHERTEXT_AT + TAG_BYTES;

/** What a header says. */
export interface PostQuantumHeader {
  readonly algorithmId: number;
  readonly keyId: string;
  /** 1..2^32-1 */
  readonly keyVersion: number;
}

/** What is in a ciphertext beside its header. */
export interface PostQuantumParts {
  readonly encapsulation: Uint8Array;
  readonly nonce: Uint8Array;
  readonly ciphertext: Uint8Array;
  readonly tag: Uint8Array;
}

/** A ciphertext in its parts; byte strings are views. */
export interface PostQuantumBlob extends PostQuantumHeader, PostQuantumParts {
  readonly header: Uint8Array;
}

/** Writes a header. */
export function formatPostQuantumHeader(header: PostQuantumHeader): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  bytes.set(MAGIC, 0);
  bytes[FORMAT_VERSION_AT] = FORMAT_VERSION;
  bytes[ALGORITHM_AT] = header.algorithmId;
  bytes[KEY_ID_LENGTH_AT] = KEY_ID_LENGTH;
  for (let i = 0; i < KEY_ID_LENGTH; i++) bytes[KEY_ID_AT + i] = header.keyId.charCodeAt(i);
  new DataView(bytes.buffer).setUint32(KEY_VERSION_AT, header.keyVersion);
  return bytes;
}

/** Joins the parts of a ciphertext into a new buffer. */
export function formatPostQuantumBlob(header: Uint8Array, parts: PostQuantumParts): Uint8Array {
  const bytes = new Uint8Array(POST_QUANTUM_OVERHEAD_BYTES + parts.ciphertext.length);
  bytes.set(header, 0);
  bytes.set(parts.encapsulation, HEADER_BYTES);
  bytes.set(parts.nonce, NONCE_AT);
  bytes.set(parts.ciphertext, CIPHERTEXT_AT);
  bytes.set(parts.tag, CIPHERTEXT_AT + parts.ciphertext.length);
  return bytes;
}

/**
 * Reads a ciphertext. Its length is bounded before anything else is looked at but the first bytes.
 * @throws FengniError `ERR_CIPHERTEXT_INVALID` for anything that {@link formatPostQuantumBlob} does not write
 */
export function parsePostQuantumBlob(bytes: Uint8Array): PostQuantumBlob {
  for (let i = 0; i < MAGIC.length; i++) {
    if (bytes[i] !== MAGIC[i]) throw ciphertextInvalid("it is no post-quantum ciphertext of a local KMS");
  }
  if (bytes[FORMAT_VERSION_AT] !== FORMAT_VERSION) throw ciphertextInvalid("its format version is not known");
  const algorithmId = bytes[ALGORITHM_AT];
  if (algorithmId !== ML_KEM_768_AES_256_GCM) throw ciphertextInvalid("its algorithm is not known");
  if (bytes.length <= POST_QUANTUM_OVERHEAD_BYTES) throw ciphertextInvalid("it is truncated");
  if (bytes.length > POST_QUANTUM_OVERHEAD_BYTES + MAX_PLAINTEXT_BYTES) throw ciphertextInvalid("it is too long");
  if (bytes[KEY_ID_LENGTH_AT] !== KEY_ID_LENGTH) throw ciphertextInvalid("its key id has a wrong length");
  const keyId = String.fromCharCode(...bytes.subarray(KEY_ID_AT, KEY_VERSION_AT));
  if (!isId(keyId)) throw ciphertextInvalid("its key id is malformed");
  const keyVersion = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(KEY_VERSION_AT);
  if (keyVersion === 0) throw ciphertextInvalid("its key version is malformed");
  const tagAt = bytes.length - TAG_BYTES;
  return {
    algorithmId,
    keyId,
    keyVersion,
    header: bytes.subarray(0, HEADER_BYTES),
    encapsulation: bytes.subarray(HEADER_BYTES, NONCE_AT),
    nonce: bytes.subarray(NONCE_AT, CIPHERTEXT_AT),
    ciphertext: bytes.subarray(CIPHERTEXT_AT, tagAt),
    tag: bytes.subarray(tagAt),
  };
}
