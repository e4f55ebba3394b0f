// The operations on post-quantum keys: ML-KEM-768 with AES-256-GCM, and ML-DSA-65. It must not know the offsets of a ciphertext, nor
// stores.
import type { DecryptResult, EncryptResult, SignatureAlgorithm } from "@fengni/core";
import { type AeadKey, importAesGcmKey } from "@fengni/crypto/aes-gcm";
import { assertBytes, concatBytes, utf8ToBytes, wipe } from "@fengni/crypto/bytes";
import { hkdf } from "@fengni/crypto/hash";
import { randomBytes } from "@fengni/crypto/random";
import type { LocalCallOptions } from "./access.js";
import { copySignature } from "./asymmetric.js";
import { ciphertextInvalid } from "./blob.js";
import { checkBytes, checkFields, MAX_MESSAGE_BYTES, MAX_PLAINTEXT_BYTES, plainBytes } from "./checks.js";
import { wrongUsage } from "./keys.js";
import {
  formatPostQuantumBlob,
  formatPostQuantumHeader,
  ML_KEM_768_AES_256_GCM,
  POST_QUANTUM_NONCE_BYTES,
  POST_QUANTUM_OVERHEAD_BYTES,
  parsePostQuantumBlob,
} from "./post-quantum-blob.js";
import { asItStands, asymmetricSpecOf } from "./private-keys.js";
import type { RecipientRequest } from "./recipient.js";
import { checkFits, type DeliveredPlaintext, deliver, RECIPIENT_FIELDS, recipientOf } from "./recipient.js";
import type { KeyRecord } from "./records.js";
import type { Room } from "./room.js";
import { anotherKey } from "./sealing.js";
import type { Encapsulator, Signer } from "./specs-asymmetric.js";
import { stateAfter } from "./states.js";

const KEY_LABEL: Uint8Array = /* @__PURE__ */ utf8ToBytes("fengni local kms post-quantum ciphertext v1");
const AES_KEY_BYTES = 32;
const NO_SALT: Uint8Array = /* @__PURE__ */ new Uint8Array(0);
const SIGNATURE_ALGORITHM: SignatureAlgorithm = "ML_DSA_65";

/** Asks to encrypt under an ML-KEM-768 key. */
export interface PostQuantumCryptoEncryptRequest {
  readonly keyId: string;
  /** 1 to 4,096 bytes. */
  readonly plaintext: Uint8Array;
}

/** Asks to open what `postQuantumCryptoEncrypt` gave. */
export interface PostQuantumCryptoDecryptRequest extends RecipientRequest {
  readonly ciphertext: Uint8Array;
  /** Key id or alias that must have made the ciphertext. */
  readonly keyId?: string;
}

/** What `postQuantumCryptoDecrypt` gave. */
export interface PostQuantumCryptoDecryptResult extends DecryptResult, DeliveredPlaintext {}

/** Asks to sign a message under an ML-DSA-65 key. */
export interface PostQuantumCryptoSignRequest {
  readonly keyId: string;
  /** 1 to 4,096 bytes. */
  readonly message: Uint8Array;
}

/** A post-quantum signature. */
export interface PostQuantumCryptoSignResult {
  readonly keyId: string;
  /** 3,309 bytes; FIPS 204. */
  readonly signature: Uint8Array;
}

/** Asks whether a post-quantum signature is right. */
export interface PostQuantumCryptoVerifyRequest extends PostQuantumCryptoSignRequest {
  readonly signature: Uint8Array;
}

/** Whether it is. */
export interface PostQuantumCryptoVerifyResult {
  readonly keyId: string;
  readonly valid: boolean;
}

/** What can be done with post-quantum keys, which do not rotate. */
export interface PostQuantumOperations {
  /**
   * Encrypts under an ML-KEM-768 key: the plaintext is sealed by AES-256-GCM under a key that is derived of a fresh shared secret.
   * @returns a new buffer, 1,163 bytes longer than the plaintext
   * @throws FengniError `ERR_LIMIT` for a longer plaintext, `ERR_KEY_USAGE` for a key of another usage
   */
  postQuantumCryptoEncrypt(
    request: PostQuantumCryptoEncryptRequest,
    options?: LocalCallOptions,
  ): Promise<EncryptResult>;
  /**
   * Opens what `postQuantumCryptoEncrypt` gave.
   * @returns the plaintext, a new buffer that the caller wipes; encrypted to `encryptionPublicKey` when there is one
   * @throws FengniError `ERR_CIPHERTEXT_INVALID` for other bytes, `ERR_NO_MATCHING_KEY` when another key than `keyId` made it,
   *   `ERR_AUTHENTICATION` when it was changed, `ERR_KEY_USAGE` for a key of another usage; `ERR_KEY_INVALID`, `ERR_LIMIT` or
   *   `ERR_NOT_SUPPORTED` for a public key or algorithm that cannot be encrypted to
   */
  postQuantumCryptoDecrypt(
    request: PostQuantumCryptoDecryptRequest,
    options?: LocalCallOptions,
  ): Promise<PostQuantumCryptoDecryptResult>;
  /**
   * Signs a message under an ML-DSA-65 key, hedged and with an empty context; FIPS 204 algorithm 2.
   * @throws FengniError `ERR_LIMIT` for a longer message, `ERR_KEY_USAGE` for a key of another spec
   */
  postQuantumCryptoSign(
    request: PostQuantumCryptoSignRequest,
    options?: LocalCallOptions,
  ): Promise<PostQuantumCryptoSignResult>;
  /**
   * Verifies a signature; one that is not right, whatever its bytes, gives `valid: false`.
   * @throws FengniError as `postQuantumCryptoSign`
   */
  postQuantumCryptoVerify(
    request: PostQuantumCryptoVerifyRequest,
    options?: LocalCallOptions,
  ): Promise<PostQuantumCryptoVerifyResult>;
}

/** Makes the group over what all operations share. */
export function postQuantumOperations(room: Room): PostQuantumOperations {
  return {
    async postQuantumCryptoEncrypt(request, options) {
      checkFields("postQuantumCryptoEncrypt", request, ["keyId", "plaintext"]);
      const advice = "encrypt it under a data key";
      const plaintext = Uint8Array.from(checkBytes("plaintext", request.plaintext, MAX_PLAINTEXT_BYTES, advice));
      try {
        const record = asItStands(room, await room.key("postQuantumCryptoEncrypt", request.keyId, options));
        const encapsulator = encapsulatorOf(room, "postQuantumCryptoEncrypt", record, record.versions);
        return { keyId: record.id, ciphertext: await seal(record, encapsulator, plaintext) };
      } finally {
        wipe(plaintext);
      }
    },

    async postQuantumCryptoDecrypt(request, options) {
      checkFields("postQuantumCryptoDecrypt", request, ["ciphertext", "keyId", ...RECIPIENT_FIELDS]);
      const recipient = recipientOf(request);
      const blob = parsePostQuantumBlob(copyCiphertext(request.ciphertext));
      checkFits(blob.ciphertext.length, recipient);
      const { keyId = blob.keyId } = request;
      const record = asItStands(room, await room.key("postQuantumCryptoDecrypt", keyId, options));
      if (record.id !== blob.keyId) throw anotherKey(blob.keyId);
      const encapsulator = encapsulatorOf(room, "postQuantumCryptoDecrypt", record, blob.keyVersion);
      const sharedSecret = encapsulator.decapsulate(blob.encapsulation);
      const key = deriveKey(sharedSecret, blob.header, blob.encapsulation);
      const opened = await key.open(
        blob.nonce,
        concatBytes(blob.header, blob.encapsulation),
        blob.ciphertext,
        blob.tag,
      );
      return { keyId: record.id, ...(await deliver(plainBytes(opened), recipient)) };
    },

    async postQuantumCryptoSign(request, options) {
      checkFields("postQuantumCryptoSign", request, ["keyId", "message"]);
      const message = copyMessage(request);
      const record = asItStands(room, await room.key("postQuantumCryptoSign", request.keyId, options));
      const signer = signerOf(room, "postQuantumCryptoSign", record);
      return { keyId: record.id, signature: plainBytes(await signer.sign(message, "raw")) };
    },

    async postQuantumCryptoVerify(request, options) {
      checkFields("postQuantumCryptoVerify", request, ["keyId", "message", "signature"]);
      const message = copyMessage(request);
      const signature = copySignature(request.signature);
      const record = asItStands(room, await room.key("postQuantumCryptoVerify", request.keyId, options));
      const signer = signerOf(room, "postQuantumCryptoVerify", record);
      return { keyId: record.id, valid: await signer.verify(message, "raw", signature) };
    },
  };
}

function copyMessage({ message }: PostQuantumCryptoSignRequest): Uint8Array {
  return Uint8Array.from(checkBytes("message", message, MAX_MESSAGE_BYTES, "sign its digest"));
}

/** A copy of a ciphertext; of one that is too long, of as much as shows that it is. */
function copyCiphertext(ciphertext: Uint8Array): Uint8Array {
  const longest = POST_QUANTUM_OVERHEAD_BYTES + MAX_PLAINTEXT_BYTES;
  return Uint8Array.from(assertBytes(ciphertext, "ciphertext").subarray(0, longest + 1));
}

/** A key's way to share secrets, when its usage and then its state allow it. */
function encapsulatorOf(
  room: Room,
  operation: "postQuantumCryptoEncrypt" | "postQuantumCryptoDecrypt",
  record: KeyRecord,
  version: number,
): Encapsulator {
  const advice = `${operation} needs a key for post-quantum-encrypt-decrypt`;
  const spec = asymmetricSpecOf(record, "post-quantum-encrypt-decrypt", advice);
  stateAfter(operation, record);
  if (version > record.versions) throw ciphertextInvalid(`the key has no version ${version}`);
  const { encapsulator } = room.privateKeys.ready(spec, room.secret(record, version));
  if (encapsulator === undefined) throw wrongUsage(record, advice);
  return encapsulator;
}

function signerOf(
  room: Room,
  operation: "postQuantumCryptoSign" | "postQuantumCryptoVerify",
  record: KeyRecord,
): Signer {
  const advice = `${operation} needs a post-quantum key for sign-verify`;
  const spec = asymmetricSpecOf(record, "sign-verify", advice);
  if (!spec.isPostQuantum) throw wrongUsage(record, advice);
  stateAfter(operation, record);
  const signer = room.privateKeys.ready(spec, room.secret(record, record.versions)).signers?.[SIGNATURE_ALGORITHM];
  if (signer === undefined) throw wrongUsage(record, advice);
  return signer;
}

async function seal(record: KeyRecord, encapsulator: Encapsulator, plaintext: Uint8Array): Promise<Uint8Array> {
  const header = formatPostQuantumHeader({
    algorithmId: ML_KEM_768_AES_256_GCM,
    keyId: record.id,
    keyVersion: record.versions,
  });
  const { ciphertext: encapsulation, sharedSecret } = encapsulator.encapsulate();
  const key = deriveKey(sharedSecret, header, encapsulation);
  const nonce = randomBytes(POST_QUANTUM_NONCE_BYTES);
  const sealed = await key.seal(nonce, concatBytes(header, encapsulation), plaintext);
  return formatPostQuantumBlob(header, { encapsulation, nonce, ...sealed });
}

/**
 * The AES key of one ciphertext: HKDF with SHA-256 (RFC 5869) of the shared secret, which is wiped. Header and encapsulation are
 * in the info, since the secret of ML-KEM alone is not bound to them.
 */
function deriveKey(sharedSecret: Uint8Array, header: Uint8Array, encapsulation: Uint8Array): AeadKey {
  const key = hkdf("sha256", sharedSecret, NO_SALT, concatBytes(KEY_LABEL, header, encapsulation), AES_KEY_BYTES);
  try {
    return importAesGcmKey(key);
  } finally {
    wipe(sharedSecret, key);
  }
}
