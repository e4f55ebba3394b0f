// The form in which white-box keys are handed out (docs/local-kms.md, "White-box keys"). It hides nothing: it must not be taken for
// white-box cryptography, and must not know ciphers or stores.
import { FengniError } from "@fengni/core";
import { assertBytes, bytesToUtf8, concatBytes, equalBytes, utf8ToBytes } from "@fengni/crypto/bytes";
import { digest } from "@fengni/crypto/hash";
import { isId, KEY_ID_LENGTH } from "./keys.js";
import type { WhiteBoxKeyRecord } from "./records.js";

/** What a white-box key encrypts with, in CBC with PKCS#7 padding. */
export type WhiteBoxAlgorithm = WhiteBoxKeyRecord["algorithm"];
/** What a container is for. */
type WhiteBoxRole = "encrypt" | "decrypt";

/** Most device fingerprints of one white-box key. */
export const MAX_DEVICE_FINGERPRINTS = 200;

/** Bytes of the key of each algorithm. */
export const WHITE_BOX_KEY_BYTES: Readonly<Record<WhiteBoxAlgorithm, number>> = { AES_256: 32, SM4: 16 };

/** What a container holds. */
export interface WhiteBoxContainer {
  readonly role: WhiteBoxRole;
  readonly algorithm: WhiteBoxAlgorithm;
  readonly keyId: string;
  /** The key itself, in clear. */
  readonly key: Uint8Array;
  /** Digests of the fingerprints of the devices that may decrypt; none: every device. */
  readonly devices: readonly Uint8Array[];
}

const MAGIC: Uint8Array = /* @__PURE__ */ utf8ToBytes("FNWB");
const VERSION = 1;
const ROLES: readonly WhiteBoxRole[] = ["encrypt", "decrypt"];
const ALGORITHMS: readonly WhiteBoxAlgorithm[] = ["AES_256", "SM4"];
const KEY_OFFSET = 7 + KEY_ID_LENGTH;
const COUNT_BYTES = 2;
const DEVICE_BYTES = 32;
const CHECKSUM_BYTES = 16;
const MIN_BYTES = KEY_OFFSET + WHITE_BOX_KEY_BYTES.SM4 + COUNT_BYTES + CHECKSUM_BYTES;
const MAX_BYTES =
  KEY_OFFSET + WHITE_BOX_KEY_BYTES.AES_256 + COUNT_BYTES + DEVICE_BYTES * MAX_DEVICE_FINGERPRINTS + CHECKSUM_BYTES;

/** What stands in a container for a device. */
export function deviceDigest(identity: string): Uint8Array {
  return digest("sha256", utf8ToBytes(identity));
}

/** The bytes of a container; the caller owns and wipes them. */
export function formatWhiteBoxContainer(container: WhiteBoxContainer): Uint8Array {
  const { role, algorithm, keyId, key, devices } = container;
  const fixed = Uint8Array.of(VERSION, ROLES.indexOf(role) + 1, ALGORITHMS.indexOf(algorithm) + 1);
  const count = Uint8Array.of(devices.length >> 8, devices.length & 255);
  const body = concatBytes(MAGIC, fixed, utf8ToBytes(keyId), key, count, ...devices);
  const bytes = concatBytes(body, checksumOf(body));
  body.fill(0);
  return bytes;
}

/**
 * Reads a container.
 * @returns copies
 * @throws FengniError `ERR_KEY_INVALID` for anything else than the bytes of a container
 */
export function parseWhiteBoxContainer(bytes: Uint8Array): WhiteBoxContainer {
  const { length } = assertBytes(bytes, "decryptKey");
  if (length < MIN_BYTES || length > MAX_BYTES) throw malformed("its length is wrong");
  if (!equalBytes(bytes.subarray(0, MAGIC.length), MAGIC)) throw malformed("it does not begin as one");
  if (bytes[4] !== VERSION) throw malformed("its version is unknown");
  const role = ROLES[(bytes[5] as number) - 1];
  const algorithm = ALGORITHMS[(bytes[6] as number) - 1];
  if (role === undefined || algorithm === undefined) throw malformed("its role or algorithm is unknown");
  const countOffset = KEY_OFFSET + WHITE_BOX_KEY_BYTES[algorithm];
  const deviceOffset = countOffset + COUNT_BYTES;
  const count = ((bytes[countOffset] as number) << 8) | (bytes[countOffset + 1] as number);
  const end = deviceOffset + DEVICE_BYTES * count;
  if (length !== end + CHECKSUM_BYTES) throw malformed("its length is wrong");
  if (!equalBytes(bytes.subarray(end), checksumOf(bytes.subarray(0, end)))) throw malformed("its checksum is wrong");
  const idBytes = bytes.subarray(7, KEY_OFFSET);
  const keyId = idBytes.every((byte) => byte < 0x80) ? bytesToUtf8(idBytes) : "";
  if (!isId(keyId)) throw malformed("its key id is malformed");
  const devices = Array.from({ length: count }, (_, index) =>
    Uint8Array.from(bytes.subarray(deviceOffset + DEVICE_BYTES * index, deviceOffset + DEVICE_BYTES * (index + 1))),
  );
  return { role, algorithm, keyId, key: Uint8Array.from(bytes.subarray(KEY_OFFSET, countOffset)), devices };
}

// Finds damage, not tampering: whoever has a container has the key, so that nothing in it could authenticate it.
function checksumOf(body: Uint8Array): Uint8Array {
  return digest("sha256", body).subarray(0, CHECKSUM_BYTES);
}

function malformed(why: string): FengniError<"ERR_KEY_INVALID"> {
  return new FengniError("ERR_KEY_INVALID", `this is no white-box key of this KMS: ${why}`);
}
