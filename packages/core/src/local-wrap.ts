// Wrapping keys without a service: raw AES and raw RSA, as other implementations of the message format have them
// (message format, section "Key wrapping by the raw keyrings"). The caller keeps these keys safe.
import { importAesGcmKey } from "@fengni/crypto/aes-gcm";
import { concatBytes, equalBytes, utf8ToBytes, wipe } from "@fengni/crypto/bytes";
import { randomBytes } from "@fengni/crypto/random";
import { importRsaPrivateKey, importRsaPublicKey, type RsaPadding } from "@fengni/crypto/rsa";
import { serializeContext } from "./context.js";
import { argumentError, authenticationError, FengniError } from "./errors.js";
import { checkOptions } from "./options.js";
import { GCM_IV_BYTES, GCM_TAG_BYTES } from "./wire/header.js";
import { putU32 } from "./wire/integers.js";
import type { EncryptedDataKey, WrapDataKeyRequest, WrappingKey } from "./wrapping-key.js";

/** A wrapping key's name in messages: others open them only under the same two names. */
export interface RawKeyName {
  /** Key namespace: the key provider id in the message. Not `aws-kms`, which is reserved. */
  readonly namespace: string;
  /** Key name within the namespace. */
  readonly name: string;
}

/** A raw AES key. */
export interface RawAesKeyOptions extends RawKeyName {
  /** 16, 24 or 32 bytes; copied. */
  readonly key: Uint8Array;
}

/** A raw AES key as a wrapping key: data keys are sealed with AES-GCM, the encryption context bound to them. */
export function rawAesKey(options: RawAesKeyOptions): WrappingKey {
  checkOptions("rawAesKey", options, ["namespace", "name", "key"]);
  const providerId = checkNamespace(options.namespace);
  if (typeof options.name !== "string") throw argumentError("name expected text");
  const cipher = importAesGcmKey(options.key);
  // Key name, then the tag length in bits and the IV length in bytes; the IV itself follows.
  const infoPrefix = concatBytes(utf8ToBytes(options.name), new Uint8Array(8));
  putU32(infoPrefix, infoPrefix.length - 8, GCM_TAG_BYTES * 8);
  putU32(infoPrefix, infoPrefix.length - 4, GCM_IV_BYTES);

  const isMine = ({ providerId: namespace, providerInfo }: EncryptedDataKey): boolean =>
    namespace === providerId &&
    providerInfo.length === infoPrefix.length + GCM_IV_BYTES &&
    equalBytes(providerInfo.subarray(0, infoPrefix.length), infoPrefix);

  return withLocalGeneration({
    name: `${providerId}/${options.name}`,
    algorithms: [`AES-${options.key.length * 8}-GCM`],
    matches: async (encryptedDataKey) => isMine(encryptedDataKey),
    async wrapDataKey({ dataKey, encryptionContext }): Promise<EncryptedDataKey> {
      const iv = randomBytes(GCM_IV_BYTES);
      const sealed = await cipher.seal(iv, serializeContext(encryptionContext), dataKey);
      return {
        providerId,
        providerInfo: concatBytes(infoPrefix, iv),
        ciphertext: concatBytes(sealed.ciphertext, sealed.tag),
      };
    },
    async unwrapDataKey({ encryptedDataKey, dataKeyBytes, encryptionContext }): Promise<Uint8Array | undefined> {
      const { providerInfo, ciphertext } = encryptedDataKey;
      if (!isMine(encryptedDataKey)) return undefined;
      if (ciphertext.length !== dataKeyBytes + GCM_TAG_BYTES) throw authenticationError();
      return cipher.open(
        providerInfo.subarray(infoPrefix.length),
        serializeContext(encryptionContext),
        ciphertext.subarray(0, dataKeyBytes),
        ciphertext.subarray(dataKeyBytes),
      );
    },
  });
}

const RSA_PADDINGS: readonly RsaPadding[] = ["pkcs1", "oaep-sha1", "oaep-sha256", "oaep-sha384", "oaep-sha512"];

/** A raw RSA key: both halves, or the one that is needed. */
export interface RawRsaKeyOptions extends RawKeyName {
  /** PEM, or DER SubjectPublicKeyInfo; needed to encrypt. It is never derived from the private key. */
  readonly publicKey?: string | Uint8Array;
  /** PEM, or DER PKCS#8; needed to decrypt. */
  readonly privateKey?: string | Uint8Array;
  readonly padding: RsaPadding;
}

/**
 * A raw RSA key pair, or one half of it, as a wrapping key. The encryption context is not bound to the wrapped data key;
 * the header's tag binds it to the message. Give each key pair a name of its own: with the padding `pkcs1` a key of the
 * same name that is not the right one answers with random bytes, now and then of the right length, and the right key is
 * then not tried.
 */
export function rawRsaKey(options: RawRsaKeyOptions): WrappingKey {
  checkOptions("rawRsaKey", options, ["namespace", "name", "publicKey", "privateKey", "padding"]);
  const providerId = checkNamespace(options.namespace);
  const providerInfo = utf8ToBytes(options.name);
  const { padding } = options;
  if (!RSA_PADDINGS.includes(padding)) throw argumentError(`padding expected one of ${RSA_PADDINGS.join(", ")}`);
  const publicKey = options.publicKey === undefined ? undefined : importRsaPublicKey(options.publicKey);
  const privateKey = options.privateKey === undefined ? undefined : importRsaPrivateKey(options.privateKey);
  if (publicKey === undefined && privateKey === undefined) {
    throw argumentError("rawRsaKey needs publicKey to encrypt, privateKey to decrypt, or both");
  }
  const name = `${providerId}/${options.name}`;
  const missing = (half: string, operation: string): FengniError =>
    new FengniError("ERR_NOT_SUPPORTED", `raw RSA key ${name} has no ${half} key: it cannot ${operation}`, {
      details: { operation },
    });

  const isMine = (key: EncryptedDataKey): boolean =>
    key.providerId === providerId && equalBytes(key.providerInfo, providerInfo);

  return withLocalGeneration({
    name,
    algorithms: ["RSA"],
    matches: async (encryptedDataKey) => isMine(encryptedDataKey),
    async wrapDataKey({ dataKey }): Promise<EncryptedDataKey> {
      if (publicKey === undefined) throw missing("public", "encrypt");
      return { providerId, providerInfo, ciphertext: await publicKey.encrypt(padding, dataKey) };
    },
    async unwrapDataKey({ encryptedDataKey }): Promise<Uint8Array | undefined> {
      if (!isMine(encryptedDataKey)) return undefined;
      if (privateKey === undefined) throw missing("private", "decrypt");
      if (encryptedDataKey.ciphertext.length !== privateKey.modulusBytes) throw authenticationError();
      return privateKey.decrypt(padding, encryptedDataKey.ciphertext);
    },
  });
}

function withLocalGeneration(key: Omit<WrappingKey, "generateDataKey">): WrappingKey {
  return {
    ...key,
    async generateDataKey({ dataKeyBytes, encryptionContext }, options) {
      const dataKey = randomBytes(dataKeyBytes);
      try {
        const request: WrapDataKeyRequest = { dataKey, encryptionContext };
        return { dataKey, encryptedDataKey: await key.wrapDataKey(request, options) };
      } catch (error) {
        wipe(dataKey);
        throw error;
      }
    },
  };
}

/** @throws TypeError (`ERR_ARGUMENT`) for what cannot be a key provider id of a key without a service */
export function checkNamespace(namespace: string): string {
  if (typeof namespace !== "string" || namespace === "") throw argumentError("namespace expected a non-empty string");
  if (namespace === "aws-kms") throw argumentError('namespace "aws-kms" is reserved: choose another');
  return namespace;
}
