// Which key, and which version of it, an encrypted data key names: what its provider's public formats tell. Must read no
// file and open nothing.
import { BRANCH_KEY_PROVIDER_ID, type EncryptedDataKey } from "@fengni/core";
import { bytesToHex, bytesToUtf8 } from "@fengni/crypto/bytes";
import { readProviderInfo } from "./header-text.js";

/** What an encrypted data key names. */
export interface KeyName {
  readonly providerId: string;
  /** The key's id or name where that is printable text; else `hex` and all of the provider information. */
  readonly key: string;
  /** Undefined where the provider's format does not tell. */
  readonly version: string | undefined;
}

/** Reads the name. Nothing of it is authenticated. */
export function keyNameOf(encryptedDataKey: EncryptedDataKey): KeyName {
  const { providerId, providerInfo } = encryptedDataKey;
  const branch = branchKeyName(encryptedDataKey);
  if (branch !== undefined) return branch;
  const info = readProviderInfo(providerInfo);
  const key = info.rawAesKeyName ?? info.text ?? `hex ${info.hex}`;
  return { providerId, key, version: localVersion(encryptedDataKey)?.toString() };
}

// docs/local-kms.md, "Ciphertext": "FNKB", format version, algorithm, length of the key id, key id, version of the key.
const LOCAL_MAGIC = "464e4b4201";
const LOCAL_ID_LENGTH_AT = 6;
const LOCAL_ID_AT = 7;
const LOCAL_ID_BYTES = 36;
const LOCAL_VERSION_AT: number = LOCAL_ID_AT + LOCAL_ID_BYTES;

/** The version in a ciphertext of a local KMS, whatever its provider is called; it must name the same key as the message. */
function localVersion({ providerInfo, ciphertext }: EncryptedDataKey): number | undefined {
  if (ciphertext.length < LOCAL_VERSION_AT + 4 || ciphertext[LOCAL_ID_LENGTH_AT] !== LOCAL_ID_BYTES) return undefined;
  if (bytesToHex(ciphertext.subarray(0, 5)) !== LOCAL_MAGIC) return undefined;
  if (bytesToHex(ciphertext.subarray(LOCAL_ID_AT, LOCAL_VERSION_AT)) !== bytesToHex(providerInfo)) return undefined;
  const view = new DataView(ciphertext.buffer, ciphertext.byteOffset, ciphertext.length);
  const version = view.getUint32(LOCAL_VERSION_AT);
  return version === 0 ? undefined : version;
}

// docs/branch-keys.md, "Encrypted data keys": format version, length of the branch key's id, id, version.
const BRANCH_HEAD_BYTES = 3;
const BRANCH_VERSION_BYTES = 16;

function branchKeyName({ providerId, providerInfo }: EncryptedDataKey): KeyName | undefined {
  if (providerId !== BRANCH_KEY_PROVIDER_ID || providerInfo.length < BRANCH_HEAD_BYTES) return undefined;
  const view = new DataView(providerInfo.buffer, providerInfo.byteOffset, providerInfo.length);
  const end = BRANCH_HEAD_BYTES + view.getUint16(1);
  if (view.getUint8(0) !== 1 || providerInfo.length !== end + BRANCH_VERSION_BYTES) return undefined;
  try {
    const key = bytesToUtf8(providerInfo.subarray(BRANCH_HEAD_BYTES, end));
    return { providerId, key, version: bytesToHex(providerInfo.subarray(end)) };
  } catch {
    return undefined;
  }
}
