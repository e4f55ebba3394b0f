// Data keys sealed under a branch key, as they stand in messages (docs/branch-keys.md, "Encrypted data keys"): bytes and
// ciphers. It must not know where branch keys come from, nor what is remembered of them.
import { type AeadKey, importAesGcmKey } from "@fengni/crypto/aes-gcm";
import { bytesToUtf8, concatBytes, wipe } from "@fengni/crypto/bytes";
import { randomBytes } from "@fengni/crypto/random";
import { BRANCH_KEY_VERSION_BYTES, encodeBranchKeyId, MAX_BRANCH_KEY_ID_BYTES } from "./branch-key.js";
import type { WarmBranchKey } from "./branch-key-derive.js";
import { serializeContext } from "./context.js";
import { authenticationError } from "./errors.js";
import type { EncryptionContext } from "./provider.js";
import { type EncryptedDataKey, GCM_IV_BYTES, GCM_TAG_BYTES } from "./wire/header.js";
import { putU16, readU16 } from "./wire/integers.js";

/** Key provider id of data keys that a branch key wraps, unless the keyring is given a namespace of its own. */
export const BRANCH_KEY_PROVIDER_ID = "fengni-branch";
const FORMAT_VERSION = 1;
const DATA_KEY_LABEL = "fengni-branch/data-key/1";
const SALT_BYTES = 16;
const WRAPPING_KEY_BYTES = 32;
const HEAD_BYTES = 3;

/** The branch key, and its version, that provider information names. */
export interface NamedBranchKey {
  readonly branchKeyId: string;
  /** 16 bytes. */
  readonly version: Uint8Array;
}

/** Format version, length of the id, id, version. */
function encodeProviderInfo({ branchKeyId, version }: NamedBranchKey): Uint8Array {
  const head = new Uint8Array(HEAD_BYTES);
  const id = encodeBranchKeyId(branchKeyId);
  head[0] = FORMAT_VERSION;
  putU16(head, 1, id.length);
  return concatBytes(head, id, version);
}

/** @returns what an encrypted data key names; undefined for one of another namespace, or of a later format */
export function branchKeyNamedBy(
  namespace: string,
  { providerId, providerInfo }: EncryptedDataKey,
): NamedBranchKey | undefined {
  if (providerId !== namespace) return undefined;
  if (providerInfo.length < HEAD_BYTES || providerInfo[0] !== FORMAT_VERSION) return undefined;
  const length = readU16(providerInfo, 1);
  if (length === 0 || length > MAX_BRANCH_KEY_ID_BYTES) return undefined;
  if (providerInfo.length !== HEAD_BYTES + length + BRANCH_KEY_VERSION_BYTES) return undefined;
  try {
    const branchKeyId = bytesToUtf8(providerInfo.subarray(HEAD_BYTES, HEAD_BYTES + length));
    return { branchKeyId, version: providerInfo.slice(HEAD_BYTES + length) };
  } catch {
    return undefined;
  }
}

/** What one data key is wrapped with. */
export interface DataKeyWrapper {
  readonly salt: Uint8Array;
  readonly providerInfo: Uint8Array;
  readonly cipher: AeadKey;
}

/**
 * Derives what wraps one data key; the branch key is not needed any more afterwards.
 * @param salt - that of the encrypted data key; absent: a new one
 */
export function dataKeyWrapper(key: WarmBranchKey, salt: Uint8Array = randomBytes(SALT_BYTES)): DataKeyWrapper {
  const wrappingKey = key.derive(DATA_KEY_LABEL, salt, WRAPPING_KEY_BYTES);
  try {
    return { salt, providerInfo: encodeProviderInfo(key), cipher: importAesGcmKey(wrappingKey) };
  } finally {
    wipe(wrappingKey);
  }
}

/** Wraps a data key, its encryption context bound to it. */
export async function wrapUnder(
  { salt, providerInfo, cipher }: DataKeyWrapper,
  namespace: string,
  dataKey: Uint8Array,
  context: EncryptionContext,
): Promise<EncryptedDataKey> {
  const iv = randomBytes(GCM_IV_BYTES);
  const sealed = await cipher.seal(iv, concatBytes(providerInfo, serializeContext(context)), dataKey);
  const ciphertext = concatBytes(salt, iv, sealed.ciphertext, sealed.tag);
  return { providerId: namespace, providerInfo, ciphertext };
}

/**
 * The salt of a wrapped data key.
 * @throws FengniError `ERR_AUTHENTICATION` unless the ciphertext is as long as one of a data key of that length
 */
export function saltOf({ ciphertext }: EncryptedDataKey, dataKeyBytes: number): Uint8Array {
  if (ciphertext.length !== SALT_BYTES + GCM_IV_BYTES + dataKeyBytes + GCM_TAG_BYTES) throw authenticationError();
  return ciphertext.subarray(0, SALT_BYTES);
}

/** Opens a data key; its length was checked by {@link saltOf}. @throws FengniError `ERR_AUTHENTICATION` */
export async function unwrapUnder(
  { cipher }: DataKeyWrapper,
  { providerInfo, ciphertext }: EncryptedDataKey,
  context: EncryptionContext,
): Promise<Uint8Array> {
  const sealedAt = SALT_BYTES + GCM_IV_BYTES;
  const tagAt = ciphertext.length - GCM_TAG_BYTES;
  return cipher.open(
    ciphertext.subarray(SALT_BYTES, sealedAt),
    concatBytes(providerInfo, serializeContext(context)),
    ciphertext.subarray(sealedAt, tagAt),
    ciphertext.subarray(tagAt),
  );
}
