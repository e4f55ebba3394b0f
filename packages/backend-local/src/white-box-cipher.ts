// Encryption under a white-box key, and its other side: decryption by whoever holds the decryption key, without any KMS. It must
// not know records, states or stores.
import { FengniError } from "@fengni/core";
import { importAesCbcKey } from "@fengni/crypto/aes-cbc";
import { assertBytes, equalBytes, wipe } from "@fengni/crypto/bytes";
import { importSm4Key } from "@fengni/crypto/sm4";
import { argumentError, checkFields, limitError, MAX_PLAINTEXT_BYTES, plainBytes, rangeError } from "./checks.js";
import {
  deviceDigest,
  parseWhiteBoxContainer,
  type WhiteBoxAlgorithm,
  type WhiteBoxContainer,
} from "./white-box-container.js";

/** Bytes of an initialization vector. */
export const WHITE_BOX_IV_BYTES = 16;
const BLOCK_BYTES = 16;
const MAX_CIPHERTEXT_BYTES = MAX_PLAINTEXT_BYTES + BLOCK_BYTES;
const DEVICE = /^[0-9a-f]{8}-[0-9a-f]{14}-[0-9a-f]{14}-[0-9a-f]{14}-[0-9a-f]{16}$/;

/** Asks to open what `encryptByWhiteBox` gave. */
export interface WhiteBoxDecryptRequest {
  /** The decryption key, as `createWhiteBoxKey` or `describeWhiteBoxDecryptKey` gave it. */
  readonly decryptKey: Uint8Array;
  /** 16 bytes, as `encryptByWhiteBox` gave it. */
  readonly initializationVector: Uint8Array;
  /** At most 4,112 bytes. */
  readonly ciphertext: Uint8Array;
  /** The algorithm that the key must have; default: whichever it has. */
  readonly algorithm?: WhiteBoxAlgorithm;
  /** The identity of this device; needed where the decryption key is bound to devices. */
  readonly deviceFingerprint?: string;
}

/** Whether a text has the form of a device's identity. */
export function isDeviceIdentity(text: string): boolean {
  return DEVICE.test(text);
}

/** CBC with PKCS#7 padding under a key that is not kept. @returns a new buffer */
export async function encryptCbc(
  algorithm: WhiteBoxAlgorithm,
  key: Uint8Array,
  iv: Uint8Array,
  plaintext: Uint8Array,
): Promise<Uint8Array> {
  if (algorithm === "SM4") return plainBytes(importSm4Key(key).encryptCbc(iv, plaintext));
  return plainBytes(await importAesCbcKey(key).encrypt(iv, plaintext));
}

/**
 * Opens what `encryptByWhiteBox` gave, on the client's side: it needs the decryption key and nothing else.
 *
 * The decryption key of this KMS is not obfuscated: whoever holds it holds the key, can encrypt as well as decrypt, and can do so
 * without this function, whatever devices it is bound to. CBC does not authenticate: whoever can change the ciphertext or the
 * initialization vector can change the plaintext, and whoever can have many of them tried and learns which fail can decrypt. Verify
 * a MAC or a signature over both before you call this wherever others may have touched them.
 * @returns the plaintext, a new buffer that the caller wipes
 * @throws FengniError `ERR_KEY_INVALID` when `decryptKey` is no decryption key, `ERR_KEY_USAGE` when it is of another algorithm,
 *   `ERR_DENIED` when it is bound to other devices, `ERR_LIMIT` for a ciphertext that is too long, `ERR_CIPHERTEXT_INVALID`, one
 *   text for whatever is wrong, when it does not open; TypeError or RangeError `ERR_ARGUMENT` for wrong arguments
 */
export async function whiteBoxDecrypt(request: WhiteBoxDecryptRequest): Promise<Uint8Array> {
  checkRequest(request);
  const { initializationVector, ciphertext } = request;
  const { length } = ciphertext;
  if (length > MAX_CIPHERTEXT_BYTES) {
    throw limitError("ciphertext length", MAX_CIPHERTEXT_BYTES, length, "it was not made by encryptByWhiteBox");
  }
  const container = parseWhiteBoxContainer(request.decryptKey);
  try {
    checkContainer(container, request);
    if (length === 0 || length % BLOCK_BYTES !== 0) throw doesNotOpen();
    const { algorithm, key } = container;
    const decrypting =
      algorithm === "SM4"
        ? importSm4Key(key).decryptCbc(initializationVector, ciphertext)
        : importAesCbcKey(key).decrypt(initializationVector, ciphertext);
    return plainBytes(await decrypting);
  } catch (error) {
    throw error instanceof FengniError && error.code === "ERR_CIPHERTEXT_INVALID" ? doesNotOpen() : error;
  } finally {
    wipe(container.key);
  }
}

function checkRequest(request: WhiteBoxDecryptRequest): void {
  checkFields("whiteBoxDecrypt", request, [
    "decryptKey",
    "initializationVector",
    "ciphertext",
    "algorithm",
    "deviceFingerprint",
  ]);
  assertBytes(request.initializationVector, "initializationVector", WHITE_BOX_IV_BYTES);
  assertBytes(request.ciphertext, "ciphertext");
  const { algorithm = "AES_256", deviceFingerprint } = request;
  checkAlgorithm(algorithm);
  if (deviceFingerprint === undefined) return;
  if (typeof deviceFingerprint !== "string") throw argumentError("deviceFingerprint expected a string");
  if (!isDeviceIdentity(deviceFingerprint)) throw malformedIdentity("deviceFingerprint");
}

/** The error for a text that is no device's identity. */
export function malformedIdentity(name: string): RangeError {
  return rangeError(
    `${name} expected hexadecimal digits in lower case, in groups of 8, 14, 14, 14 and 16 with "-" between`,
  );
}

/** One of the algorithms of white-box keys. */
export function checkAlgorithm(algorithm: WhiteBoxAlgorithm): WhiteBoxAlgorithm {
  if (algorithm === "AES_256" || algorithm === "SM4") return algorithm;
  throw rangeError('algorithm expected "AES_256" or "SM4"');
}

function checkContainer({ role, algorithm, keyId, devices }: WhiteBoxContainer, request: WhiteBoxDecryptRequest): void {
  if (role !== "decrypt") {
    throw new FengniError("ERR_KEY_INVALID", "this is an encryption key: give the decryption key");
  }
  if (request.algorithm !== undefined && request.algorithm !== algorithm) {
    throw new FengniError("ERR_KEY_USAGE", `white-box key ${keyId} is of ${algorithm}: ask for that or for none`, {
      details: { keyId, reason: "key-usage" },
    });
  }
  if (devices.length === 0) return;
  const { deviceFingerprint } = request;
  const own = deviceFingerprint === undefined ? undefined : deviceDigest(deviceFingerprint);
  if (own === undefined || !devices.some((device) => equalBytes(device, own))) {
    throw new FengniError("ERR_DENIED", "this decryption key is bound to other devices: register this one first");
  }
}

function doesNotOpen(): FengniError<"ERR_CIPHERTEXT_INVALID"> {
  return new FengniError(
    "ERR_CIPHERTEXT_INVALID",
    "this does not open: it is no ciphertext of this white-box key, or the initialization vector is another",
  );
}
