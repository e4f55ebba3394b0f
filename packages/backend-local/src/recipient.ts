// Plaintexts encrypted to a caller's public key before they leave, so that what carries the answer never sees them. It must not
// know keys of this KMS, nor where a plaintext comes from.
import { FengniError } from "@fengni/core";
import { assertBytes, wipe } from "@fengni/crypto/bytes";
import { importRsaPublicKey, type RsaPadding } from "@fengni/crypto/rsa";
import { importSm2PublicKey, type Sm2EncryptOptions } from "@fengni/crypto/sm2";
import { checkText, limitError, MAX_PLAINTEXT_BYTES, plainBytes, rangeError } from "./checks.js";

/**
 * How a plaintext is encrypted to a caller's public key: `SM2` is 04 || C1 || C3 || C2 (GB/T 32918.4-2016 section 6.1),
 * `SM2_C1C3C2_ASN1` the same in ASN.1 (GM/T 0009-2012 section 7.2), the others are RFC 8017 sections 7.1 and 7.2.
 */
export type RecipientAlgorithm =
  | "SM2"
  | "SM2_C1C3C2_ASN1"
  | "RSAES_PKCS1_V1_5"
  | "RSAES_OAEP_SHA_1"
  | "RSAES_OAEP_SHA_256";

/** The fields of a request that has its plaintext encrypted to the caller. */
export interface RecipientRequest {
  /** An SM2 public key, or an RSA one of 2,048 to 4,096 bits: PEM, or DER SubjectPublicKeyInfo. */
  readonly encryptionPublicKey?: string | Uint8Array;
  /** Default `SM2`; only with a public key. */
  readonly encryptionAlgorithm?: RecipientAlgorithm;
}

/** A plaintext on its way out. */
export interface DeliveredPlaintext {
  /** The plaintext, or the ciphertext of it when `encryptionAlgorithm` is there. The caller owns the buffer and wipes it. */
  readonly plaintext: Uint8Array;
  /** How `plaintext` is encrypted to the public key of the request; absent when it is not. */
  readonly encryptionAlgorithm?: RecipientAlgorithm;
}

/** A caller's public key, ready for use. */
export interface Recipient {
  readonly algorithm: RecipientAlgorithm;
  /** Longest plaintext that fits, in bytes. */
  readonly maxPlaintextBytes: number;
  encrypt(plaintext: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** The names of the fields of {@link RecipientRequest}. */
export const RECIPIENT_FIELDS = ["encryptionPublicKey", "encryptionAlgorithm"] as const;
/** The algorithm when a request does not say. */
export const DEFAULT_RECIPIENT_ALGORITHM: RecipientAlgorithm = "SM2";
/** Longest public key, in characters of PEM or bytes of DER; one of RSA-4096 takes 800. */
const MAX_PUBLIC_KEY_CHARACTERS = 4096;
/** Longest modulus of an RSA public key, in bits. */
const MAX_MODULUS_BITS = 4096;

const DER_SEQUENCE = 0x30;
/** First byte of PEM text. */
const HYPHEN = 0x2d;

type PublicKey = string | Uint8Array;

const IMPORTERS: ReadonlyMap<string, (publicKey: PublicKey) => Omit<Recipient, "algorithm">> = /* @__PURE__ */ new Map<
  RecipientAlgorithm,
  (publicKey: PublicKey) => Omit<Recipient, "algorithm">
>([
  ["SM2", (publicKey) => sm2(publicKey, { format: "c1c3c2" })],
  ["SM2_C1C3C2_ASN1", (publicKey) => sm2(publicKey, { format: "asn1" })],
  // What the padding takes: RFC 8017 sections 7.2.1 and 7.1.1, two hashes and two bytes.
  ["RSAES_PKCS1_V1_5", (publicKey) => rsa(publicKey, "pkcs1", 11)],
  ["RSAES_OAEP_SHA_1", (publicKey) => rsa(publicKey, "oaep-sha1", 2 + 2 * 20)],
  ["RSAES_OAEP_SHA_256", (publicKey) => rsa(publicKey, "oaep-sha256", 2 + 2 * 32)],
]);

/**
 * Reads the recipient of a request; a copy is taken of all that is needed.
 * @returns undefined when the request names none
 * @throws FengniError `ERR_KEY_INVALID` for a key of another kind than the algorithm's, `ERR_LIMIT` for one that is too long,
 *   `ERR_NOT_SUPPORTED` for an unknown algorithm; TypeError or RangeError `ERR_ARGUMENT`
 */
export function recipientOf(request: RecipientRequest): Recipient | undefined {
  const { encryptionPublicKey, encryptionAlgorithm } = request;
  if (encryptionPublicKey === undefined) {
    if (encryptionAlgorithm === undefined) return undefined;
    throw rangeError("encryptionAlgorithm expected an encryptionPublicKey beside it");
  }
  const algorithm = encryptionAlgorithm === undefined ? DEFAULT_RECIPIENT_ALGORITHM : encryptionAlgorithm;
  const importKey = IMPORTERS.get(checkText("encryptionAlgorithm", algorithm));
  if (importKey === undefined) {
    throw new FengniError(
      "ERR_NOT_SUPPORTED",
      `unknown encryptionAlgorithm: it takes ${[...IMPORTERS.keys()].join(", ")}`,
      {
        details: { operation: `encryption algorithm ${algorithm}` },
      },
    );
  }
  return { algorithm, ...importKey(checkPublicKey(encryptionPublicKey)) };
}

/** Checks that a plaintext of a length fits. @throws FengniError `ERR_LIMIT` */
export function checkFits(length: number, recipient: Recipient | undefined): void {
  if (recipient === undefined || length <= recipient.maxPlaintextBytes) return;
  const advice = "use a longer RSA key, or SM2";
  throw limitError(`length of a plaintext by ${recipient.algorithm}`, recipient.maxPlaintextBytes, length, advice);
}

/**
 * What the caller gets of a plaintext: itself, or its ciphertext, after which the plaintext was wiped.
 * @throws FengniError `ERR_LIMIT` when it does not fit; the plaintext was wiped
 */
export async function deliver(plaintext: Uint8Array, recipient: Recipient | undefined): Promise<DeliveredPlaintext> {
  if (recipient === undefined) return { plaintext };
  try {
    checkFits(plaintext.length, recipient);
    const encrypted = plainBytes(await recipient.encrypt(plaintext));
    return { plaintext: encrypted, encryptionAlgorithm: recipient.algorithm };
  } finally {
    wipe(plaintext);
  }
}

function checkPublicKey(publicKey: PublicKey): PublicKey {
  if (typeof publicKey !== "string") assertBytes(publicKey, "encryptionPublicKey");
  const { length } = publicKey;
  if (length > MAX_PUBLIC_KEY_CHARACTERS) {
    throw limitError("encryptionPublicKey length", MAX_PUBLIC_KEY_CHARACTERS, length, "give the public key alone");
  }
  // A bare point has no name of its curve with it, so that anything of its length would pass for one.
  if (typeof publicKey !== "string" && publicKey[0] !== DER_SEQUENCE && publicKey[0] !== HYPHEN) {
    throw new FengniError("ERR_KEY_INVALID", "encryptionPublicKey expected PEM, or DER SubjectPublicKeyInfo");
  }
  return publicKey;
}

function sm2(publicKey: PublicKey, options: Sm2EncryptOptions): Omit<Recipient, "algorithm"> {
  const key = importSm2PublicKey(publicKey);
  return { maxPlaintextBytes: MAX_PLAINTEXT_BYTES, encrypt: (plaintext) => key.encrypt(plaintext, options) };
}

function rsa(publicKey: PublicKey, padding: RsaPadding, overhead: number): Omit<Recipient, "algorithm"> {
  const key = importRsaPublicKey(publicKey);
  const modulusBits = 8 * key.modulusBytes;
  if (modulusBits > MAX_MODULUS_BITS) {
    throw limitError("encryptionPublicKey modulus in bits", MAX_MODULUS_BITS, modulusBits, "use a shorter key");
  }
  return {
    maxPlaintextBytes: key.modulusBytes - overhead,
    encrypt: (plaintext) => key.encrypt(padding, plaintext),
  };
}
