// The operations on asymmetric keys: opening what was encrypted to them, signing, verifying, and giving out public halves. It must
// not know how an algorithm works, nor stores.
import type {
  AsymmetricEncryptionAlgorithm,
  DecryptResult,
  KeySpec,
  MessageType,
  PublicKeyResult,
  SignatureAlgorithm,
  SignRequest,
  SignResult,
  VerifyRequest,
  VerifyResult,
} from "@fengni/core";
import { assertBytes, bytesToBase64 } from "@fengni/crypto/bytes";
import type { LocalCallOptions } from "./access.js";
import { ciphertextInvalid } from "./blob.js";
import { checkBytes, checkFields, checkText, limitError, MAX_MESSAGE_BYTES, plainBytes, rangeError } from "./checks.js";
import { wrongUsage } from "./keys.js";
import { asItStands, asymmetricSpecOf } from "./private-keys.js";
import type { KeyRecord } from "./records.js";
import type { Room } from "./room.js";
import { signatureOf, specOf, unknown } from "./specs.js";
import type { EncryptionRow, Signer } from "./specs-asymmetric.js";
import { stateAfter } from "./states.js";

/** Longest ciphertext of `asymmetricSm2Decrypt`, in bytes. */
export const MAX_SM2_CIPHERTEXT_BYTES = 256;
// Longer than any signature of the table, so that no more of an argument is copied.
const MAX_SIGNATURE_BYTES = 8192;
const PEM_LINE_CHARACTERS = 64;

/** Asks to open what was encrypted to an RSA key. */
export interface AsymmetricRsaDecryptRequest {
  readonly keyId: string;
  readonly algorithm: Exclude<AsymmetricEncryptionAlgorithm, "SM2_C1C3C2_ASN1">;
  /** 256 bytes. */
  readonly ciphertext: Uint8Array;
}

/** Asks to open what was encrypted to an SM2 key. */
export interface AsymmetricSm2DecryptRequest {
  readonly keyId: string;
  /** At most 256 bytes, C1C3C2 in ASN.1. */
  readonly ciphertext: Uint8Array;
}

/** Asks to sign a message or its digest. */
export type SignByAsymmetricKeyRequest = SignRequest;
/** Asks whether a signature is right. */
export type VerifyByAsymmetricKeyRequest = VerifyRequest;

/** Asks for the public half of a key. */
export interface GetPublicKeyRequest {
  readonly keyId: string;
}

/** The public half of an asymmetric key, in two writings. */
export interface GetPublicKeyResult extends PublicKeyResult {
  /** The same as PEM, labelled PUBLIC KEY (RFC 7468 section 13). */
  readonly publicKeyPem: string;
}

/** What can be done with asymmetric keys, beside the post-quantum operations. */
export interface AsymmetricOperations {
  /**
   * Opens what was encrypted to an RSA key. With `RSAES_PKCS1_V1_5` a wrong padding is no error but gives a made-up message that
   * depends on key and ciphertext only, so that no caller becomes a padding oracle: check what you decrypted.
   * @returns the plaintext, a new buffer that the caller wipes; RFC 8017 sections 7.1.2 and 7.2.2
   * @throws FengniError `ERR_CIPHERTEXT_INVALID` for another length, `ERR_AUTHENTICATION` when it does not open, whatever the
   *   cause; `ERR_NOT_SUPPORTED` for another algorithm; `ERR_KEY_USAGE` unless the key is RSA for `asymmetric-decrypt`
   */
  asymmetricRsaDecrypt(request: AsymmetricRsaDecryptRequest, options?: LocalCallOptions): Promise<DecryptResult>;
  /**
   * Opens what was encrypted to an SM2 key.
   * @returns the plaintext, a new buffer that the caller wipes; GB/T 32918.4-2016 section 7.1
   * @throws FengniError `ERR_LIMIT` for more than 256 bytes, `ERR_CIPHERTEXT_INVALID` for bytes that are no SM2 ciphertext,
   *   `ERR_AUTHENTICATION` when it does not open, `ERR_KEY_USAGE` unless the key is SM2 for `asymmetric-decrypt`
   */
  asymmetricSm2Decrypt(request: AsymmetricSm2DecryptRequest, options?: LocalCallOptions): Promise<DecryptResult>;
  /**
   * Signs a message of 1 to 4,096 bytes, or a digest of the algorithm's hash. Post-quantum keys sign by `postQuantumCryptoSign`.
   * @returns the signature, a new buffer: DER for ECDSA and SM2, as long as the modulus for RSA
   * @throws FengniError `ERR_KEY_USAGE` when the key does not sign by this algorithm, `ERR_LIMIT` for a longer message,
   *   `ERR_NOT_SUPPORTED` for an algorithm that this KMS does not have
   */
  signByAsymmetricKey(request: SignByAsymmetricKeyRequest, options?: LocalCallOptions): Promise<SignResult>;
  /**
   * Verifies a signature; one that is not right, whatever its bytes, gives `valid: false`.
   * @throws FengniError as {@link signByAsymmetricKey}
   */
  verifyByAsymmetricKey(request: VerifyByAsymmetricKeyRequest, options?: LocalCallOptions): Promise<VerifyResult>;
  /**
   * The public half of any asymmetric key, also a post-quantum one, in every state.
   * @throws FengniError `ERR_KEY_USAGE` for a symmetric key
   */
  getPublicKey(request: GetPublicKeyRequest, options?: LocalCallOptions): Promise<GetPublicKeyResult>;
}

/** Makes the group over what all operations share. */
export function asymmetricOperations(room: Room): AsymmetricOperations {
  return {
    async asymmetricRsaDecrypt(request, options) {
      checkFields("asymmetricRsaDecrypt", request, ["keyId", "algorithm", "ciphertext"]);
      const row = encryptionOf("RSA_2048", request.algorithm);
      const { length } = assertBytes(request.ciphertext, "ciphertext");
      if (length !== row.ciphertextBytes) throw ciphertextInvalid("its length is not that of the key's modulus");
      return decrypt(room, "asymmetricRsaDecrypt", "RSA_2048", request, row, options);
    },

    async asymmetricSm2Decrypt(request, options) {
      checkFields("asymmetricSm2Decrypt", request, ["keyId", "ciphertext"]);
      const row = encryptionOf("SM2", "SM2_C1C3C2_ASN1");
      const { length } = assertBytes(request.ciphertext, "ciphertext");
      if (length > MAX_SM2_CIPHERTEXT_BYTES) {
        throw limitError("ciphertext length", MAX_SM2_CIPHERTEXT_BYTES, length, "encrypt a data key to the public key");
      }
      return decrypt(room, "asymmetricSm2Decrypt", "SM2", request, row, options);
    },

    async signByAsymmetricKey(request, options) {
      checkFields("signByAsymmetricKey", request, ["keyId", "algorithm", "message", "messageType"]);
      const { algorithm, message, messageType } = checkMessage(request);
      const record = asItStands(room, await room.key("signByAsymmetricKey", request.keyId, options));
      const signer = signerOf(room, "signByAsymmetricKey", record, algorithm);
      return { keyId: record.id, algorithm, signature: plainBytes(await signer.sign(message, messageType)) };
    },

    async verifyByAsymmetricKey(request, options) {
      checkFields("verifyByAsymmetricKey", request, ["keyId", "algorithm", "message", "messageType", "signature"]);
      const { algorithm, message, messageType } = checkMessage(request);
      const signature = copySignature(request.signature);
      const record = asItStands(room, await room.key("verifyByAsymmetricKey", request.keyId, options));
      const signer = signerOf(room, "verifyByAsymmetricKey", record, algorithm);
      return { keyId: record.id, algorithm, valid: await signer.verify(message, messageType, signature) };
    },

    async getPublicKey(request, options) {
      checkFields("getPublicKey", request, ["keyId"]);
      const record = asItStands(room, await room.key("getPublicKey", request.keyId, options));
      const { keySpec, keyUsage } = record;
      const spec = asymmetricSpecOf(record, keyUsage, "only asymmetric keys have a public half");
      stateAfter("getPublicKey", record);
      const publicKey = room.privateKeys.ready(spec, room.secret(record, record.versions)).publicKey();
      return { keyId: record.id, keySpec, keyUsage, publicKey, publicKeyPem: formatPem(publicKey) };
    },
  };
}

/** The row of an algorithm that keys of a spec open. */
export function encryptionOf(keySpec: KeySpec, algorithm: string): EncryptionRow {
  const rows = specOf(keySpec).asymmetric?.encryptions ?? [];
  const row = rows.find((known) => known.algorithm === checkText("algorithm", algorithm));
  if (row !== undefined) return row;
  throw unknown(
    "encryption algorithm",
    algorithm,
    rows.map((known) => known.algorithm),
  );
}

async function decrypt(
  room: Room,
  operation: "asymmetricRsaDecrypt" | "asymmetricSm2Decrypt",
  keySpec: KeySpec,
  request: { readonly keyId: string; readonly ciphertext: Uint8Array },
  { algorithm }: EncryptionRow,
  options: LocalCallOptions | undefined,
): Promise<DecryptResult> {
  const ciphertext = Uint8Array.from(request.ciphertext);
  const record = asItStands(room, await room.key(operation, request.keyId, options));
  const advice = `${operation} needs a key of spec ${keySpec} for asymmetric-decrypt`;
  const spec = asymmetricSpecOf(record, "asymmetric-decrypt", advice);
  if (record.keySpec !== keySpec) throw wrongUsage(record, advice);
  stateAfter(operation, record);
  const key = room.privateKeys.ready(spec, room.secret(record, record.versions));
  const decryptor = key.decryptors?.[algorithm];
  if (decryptor === undefined) throw wrongUsage(record, advice);
  return { keyId: record.id, plaintext: plainBytes(await decryptor(ciphertext)) };
}

/** What is to be signed or was signed; its bytes are copied, since access may be waited for. */
function checkMessage(request: SignRequest): {
  algorithm: SignatureAlgorithm;
  message: Uint8Array;
  messageType: MessageType;
} {
  const { algorithm, digestBytes } = signatureOf(checkText("algorithm", request.algorithm));
  const { messageType = "raw" } = request;
  if (messageType !== "raw" && messageType !== "digest") throw rangeError('messageType expected "raw" or "digest"');
  if (messageType === "raw") checkBytes("message", request.message, MAX_MESSAGE_BYTES, "sign its digest");
  else if (digestBytes === undefined) throw rangeError(`messageType expected "raw": ${algorithm} signs no digests`);
  else assertBytes(request.message, "message", digestBytes);
  return { algorithm, message: Uint8Array.from(request.message), messageType };
}

/** A copy of a signature; of one that is too long to be right, of a part that is. */
export function copySignature(signature: Uint8Array): Uint8Array {
  return Uint8Array.from(assertBytes(signature, "signature").subarray(0, MAX_SIGNATURE_BYTES));
}

/** A key's way to sign by an algorithm, when its usage and then its state allow it. */
function signerOf(
  room: Room,
  operation: "signByAsymmetricKey" | "verifyByAsymmetricKey",
  record: KeyRecord,
  algorithm: SignatureAlgorithm,
): Signer {
  const spec = asymmetricSpecOf(record, "sign-verify", `${operation} needs a key for sign-verify`);
  if (spec.isPostQuantum) throw wrongUsage(record, "post-quantum keys have operations of their own");
  const algorithms = spec.signatures.map((known) => known.algorithm);
  if (!algorithms.includes(algorithm)) throw wrongUsage(record, `it signs by ${algorithms.join(" or ")}`);
  stateAfter(operation, record);
  const signer = room.privateKeys.ready(spec, room.secret(record, record.versions)).signers?.[algorithm];
  if (signer === undefined) throw wrongUsage(record, `it does not sign by ${algorithm}`);
  return signer;
}

/** A public key in PEM. RFC 7468 section 13. */
function formatPem(spki: Uint8Array): string {
  const base64 = bytesToBase64(spki);
  const lines = ["-----BEGIN PUBLIC KEY-----"];
  for (let at = 0; at < base64.length; at += PEM_LINE_CHARACTERS) {
    lines.push(base64.slice(at, at + PEM_LINE_CHARACTERS));
  }
  return `${[...lines, "-----END PUBLIC KEY-----"].join("\n")}\n`;
}
