// Wrapping keys without a service: data keys wrapped to a hybrid public key, which needs no secret to encrypt. It must not know
// the local KMS. The ciphertext is docs/local-kms.md's, "Ciphertexts of a public key".
import {
  type CallOptions,
  type Capabilities,
  type DecryptRequest,
  type DecryptResult,
  type EncryptionContext,
  type EncryptRequest,
  type EncryptResult,
  FengniError,
  type GenerateDataKeyRequest,
  type GeneratedDataKey,
  type KeyProvider,
} from "@fengni/core";
import { type AeadKey, importAesGcmKey } from "@fengni/crypto/aes-gcm";
import { assertBytes, bytesToHex, concatBytes, equalBytes, utf8ToBytes, wipe } from "@fengni/crypto/bytes";
import { digest, hkdf } from "@fengni/crypto/hash";
import {
  type HybridKemName,
  type HybridKemPrivateKey,
  type HybridKemPublicKey,
  importHybridKemPublicKey,
  importHybridKemSeed,
} from "@fengni/crypto/hybrid-kem";
import { randomBytes } from "@fengni/crypto/random";
import {
  argumentError,
  checkBytes,
  checkCount,
  checkFields,
  checkText,
  encodeContext,
  MAX_CONTEXT_CHARACTERS,
  MAX_DATA_KEY_BYTES,
  MAX_PLAINTEXT_BYTES,
} from "./checks.js";

/** The provider id in messages when the caller does not say. */
export const DEFAULT_PUBLIC_KEY_PROVIDER_ID = "fengni-public-key";

/** "FNPK", and the version of the format. */
const MAGIC: Uint8Array = /* @__PURE__ */ new Uint8Array([0x46, 0x4e, 0x50, 0x4b, 1]);
const LABEL: Uint8Array = /* @__PURE__ */ utf8ToBytes("Fengni public key wrap v1");
const FINGERPRINT_BYTES = 32;
const TAG_BYTES = 16;
// The AES key is used for one message only: each has a shared secret of its own.
const NONCE: Uint8Array = /* @__PURE__ */ new Uint8Array(12);

/** What is known of a KEM here: its byte in ciphertexts, its name in key ids, and the length of its encapsulations. */
const KEMS: Readonly<Record<HybridKemName, { readonly code: number; readonly id: string; readonly bytes: number }>> = {
  "X-Wing": { code: 1, id: "x-wing", bytes: 1120 },
  "ML-KEM-768+SM2": { code: 2, id: "ml-kem-768-sm2", bytes: 1153 },
};

const CAPABILITIES: Capabilities = {
  operations: ["generateDataKey", "encrypt", "decrypt"],
  dataKeyBytes: { minimum: 1, maximum: MAX_DATA_KEY_BYTES },
  maxPlaintextBytes: MAX_PLAINTEXT_BYTES,
  maxContextCharacters: MAX_CONTEXT_CHARACTERS,
  signatureAlgorithms: [],
  asymmetricEncryptionAlgorithms: [],
  maxMessageBytes: 0,
};

/** A key to wrap to: the public half alone, or the seed of the whole key, which also opens. */
export type PublicKeyOptions =
  | { readonly kem: HybridKemName; readonly publicKey: Uint8Array }
  | { readonly kem: HybridKemName; readonly seed: Uint8Array };

/** How a {@link PublicKeyProvider} is made. */
export interface PublicKeyProviderOptions {
  /** At least one key; see {@link PublicKeyProvider.keyIds} for their ids. */
  readonly keys: readonly PublicKeyOptions[];
  /** Names the provider in messages; stable for ever. Default `fengni-public-key`. */
  readonly providerId?: string;
}

interface Entry {
  readonly keyId: string;
  readonly kem: HybridKemName;
  readonly fingerprint: Uint8Array;
  readonly publicKey: HybridKemPublicKey;
  readonly privateKey: HybridKemPrivateKey | undefined;
}

/**
 * Wraps data keys to hybrid public keys (X-Wing, or ML-KEM-768 with SM2): safe as long as one of the two parts is. Whoever
 * encrypts needs no secret; who decrypts keeps the 32-byte seed. Key ids are the KEM's name and the SHA-256 of the public key.
 *
 * @example
 * ```ts
 * const key = generateHybridKemKey("X-Wing");
 * const sender = new PublicKeyProvider({ keys: [{ kem: "X-Wing", publicKey: key.publicKey }] });
 * const envelope = new Envelope({ wrappingKeys: [providerKey(sender, sender.keyIds[0])] });
 * ```
 */
export class PublicKeyProvider implements KeyProvider {
  readonly providerId: string;
  readonly capabilities: Capabilities = CAPABILITIES;
  /** Full ids of the keys, in the order in which they were given. */
  readonly keyIds: readonly [string, ...string[]];
  readonly #entries: ReadonlyMap<string, Entry>;
  #isClosed = false;

  /** @throws TypeError `ERR_ARGUMENT`; FengniError `ERR_KEY_INVALID` for a public key or seed that is none */
  constructor(options: PublicKeyProviderOptions) {
    checkFields("PublicKeyProvider", options, ["keys", "providerId"]);
    const { providerId = DEFAULT_PUBLIC_KEY_PROVIDER_ID } = options;
    this.providerId = checkText("providerId", providerId);
    if (this.providerId === "") throw argumentError("providerId expected text that is not empty");
    if (!Array.isArray(options.keys)) throw argumentError("keys expected an array");
    const entries = options.keys.map(entryOf);
    const [first, ...others] = entries.map((entry) => entry.keyId);
    if (first === undefined) throw argumentError("keys expected at least one key");
    this.keyIds = [first, ...others];
    this.#entries = new Map(entries.map((entry) => [entry.keyId, entry]));
  }

  /** @throws FengniError `ERR_KEY_NOT_FOUND`, `ERR_CLOSED` */
  async resolveKeyId(keyId: string, options?: CallOptions): Promise<string> {
    return this.#entry(keyId, options).keyId;
  }

  /** As {@link encrypt}, of fresh random bytes. */
  async generateDataKey(request: GenerateDataKeyRequest, options?: CallOptions): Promise<GeneratedDataKey> {
    checkFields("generateDataKey", request, ["keyId", "numberOfBytes", "encryptionContext"]);
    const entry = this.#entry(request.keyId, options);
    const plaintext = randomBytes(checkCount("numberOfBytes", request.numberOfBytes, 1, MAX_DATA_KEY_BYTES));
    try {
      const ciphertext = await seal(entry, plaintext, request.encryptionContext);
      return { keyId: entry.keyId, plaintext, ciphertext };
    } catch (error) {
      wipe(plaintext);
      throw error;
    }
  }

  /** @throws FengniError `ERR_KEY_NOT_FOUND`, `ERR_LIMIT`, `ERR_CLOSED`; TypeError or RangeError `ERR_ARGUMENT` */
  async encrypt(request: EncryptRequest, options?: CallOptions): Promise<EncryptResult> {
    checkFields("encrypt", request, ["keyId", "plaintext", "encryptionContext"]);
    const entry = this.#entry(request.keyId, options);
    const plaintext = checkBytes("plaintext", request.plaintext, MAX_PLAINTEXT_BYTES, "use an Envelope for more");
    return { keyId: entry.keyId, ciphertext: await seal(entry, plaintext, request.encryptionContext) };
  }

  /**
   * Needs the seed of the key that the ciphertext names.
   * @throws FengniError `ERR_CIPHERTEXT_INVALID`, `ERR_KEY_NOT_FOUND`, `ERR_NO_MATCHING_KEY`, `ERR_NOT_SUPPORTED` for a key of
   *   which only the public half is here, `ERR_AUTHENTICATION`, `ERR_CLOSED`
   */
  async decrypt(request: DecryptRequest, options?: CallOptions): Promise<DecryptResult> {
    checkFields("decrypt", request, ["ciphertext", "encryptionContext", "keyId"]);
    const blob = parse(assertBytes(request.ciphertext, "ciphertext"));
    const entry = this.#entry(keyIdOf(blob.kem, blob.fingerprint), options);
    if (request.keyId !== undefined && this.#entry(request.keyId, options) !== entry) {
      throw new FengniError("ERR_NO_MATCHING_KEY", "the ciphertext was made under another key than the one named", {
        details: { available: [entry.keyId] },
      });
    }
    if (entry.privateKey === undefined) {
      throw new FengniError("ERR_NOT_SUPPORTED", `key ${entry.keyId} has no private half here: it only encrypts`, {
        details: { operation: "decrypt" },
      });
    }
    const cipher = derive(entry, entry.privateKey.decapsulate(blob.encapsulation));
    const aad = concatBytes(blob.head, encodeContext("encryptionContext", request.encryptionContext));
    const plaintext = await cipher.open(NONCE, aad, blob.ciphertext, blob.tag);
    return { keyId: entry.keyId, plaintext };
  }

  reEncrypt = (): Promise<never> => this.#notOffered("reEncrypt");
  sign = (): Promise<never> => this.#notOffered("sign");
  verify = (): Promise<never> => this.#notOffered("verify");
  getPublicKey = (): Promise<never> => this.#notOffered("getPublicKey");
  asymmetricDecrypt = (): Promise<never> => this.#notOffered("asymmetricDecrypt");
  postQuantumEncrypt = (): Promise<never> => this.#notOffered("postQuantumEncrypt");
  postQuantumDecrypt = (): Promise<never> => this.#notOffered("postQuantumDecrypt");

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  async #notOffered(operation: string): Promise<never> {
    this.#checkOpen();
    throw new FengniError("ERR_NOT_SUPPORTED", `a public key provider does not offer ${operation}`, {
      details: { operation },
    });
  }

  #entry(keyId: string, options: CallOptions | undefined): Entry {
    this.#checkOpen();
    options?.signal?.throwIfAborted();
    const entry = this.#entries.get(checkText("keyId", keyId));
    if (entry !== undefined) return entry;
    throw new FengniError("ERR_KEY_NOT_FOUND", "this provider does not have the key: give it its public key or seed", {
      details: { keyId },
    });
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new FengniError("ERR_CLOSED", "the provider is closed");
  }
}

function entryOf(options: PublicKeyOptions): Entry {
  checkFields("key", options, ["kem", "publicKey", "seed"]);
  const { kem } = options;
  if (!Object.hasOwn(KEMS, kem)) throw argumentError(`kem expected one of ${Object.keys(KEMS).join(", ")}`);
  if ("seed" in options && "publicKey" in options) throw argumentError("key expected publicKey or seed, not both");
  const privateKey = "seed" in options ? importHybridKemSeed(kem, options.seed) : undefined;
  const encoded = privateKey?.publicKey ?? (options as { readonly publicKey: Uint8Array }).publicKey;
  const publicKey = importHybridKemPublicKey(kem, encoded);
  const fingerprint = digest("sha256", publicKey.publicKey);
  return { keyId: keyIdOf(kem, fingerprint), kem, fingerprint, publicKey, privateKey };
}

function keyIdOf(kem: HybridKemName, fingerprint: Uint8Array): string {
  return `${KEMS[kem].id}:${bytesToHex(fingerprint)}`;
}

async function seal(entry: Entry, plaintext: Uint8Array, context: EncryptionContext | undefined): Promise<Uint8Array> {
  const encodedContext = encodeContext("encryptionContext", context);
  const { ciphertext: encapsulation, sharedSecret } = entry.publicKey.encapsulate();
  const head = concatBytes(MAGIC, new Uint8Array([KEMS[entry.kem].code]), entry.fingerprint, encapsulation);
  const cipher = derive(entry, sharedSecret);
  const { ciphertext, tag } = await cipher.seal(NONCE, concatBytes(head, encodedContext), plaintext);
  return concatBytes(head, ciphertext, tag);
}

/** The AES key of one ciphertext (RFC 5869): HKDF-SHA256 without salt, bound to KEM and public key. Wipes the secret. */
function derive(entry: Entry, sharedSecret: Uint8Array): AeadKey {
  const info = concatBytes(LABEL, new Uint8Array([KEMS[entry.kem].code]), entry.fingerprint);
  const key = hkdf("sha256", sharedSecret, new Uint8Array(0), info, 32);
  try {
    return importAesGcmKey(key);
  } finally {
    wipe(key, sharedSecret);
  }
}

interface Blob {
  readonly kem: HybridKemName;
  readonly fingerprint: Uint8Array;
  readonly encapsulation: Uint8Array;
  /** Everything before the AES-GCM ciphertext. */
  readonly head: Uint8Array;
  readonly ciphertext: Uint8Array;
  readonly tag: Uint8Array;
}

function parse(bytes: Uint8Array): Blob {
  const kem = (Object.keys(KEMS) as HybridKemName[]).find((name) => KEMS[name].code === bytes[MAGIC.length]);
  if (!equalBytes(bytes.subarray(0, MAGIC.length), MAGIC) || kem === undefined) throw invalid("it begins otherwise");
  const start = MAGIC.length + 1;
  const headLength = start + FINGERPRINT_BYTES + KEMS[kem].bytes;
  const contentLength = bytes.length - headLength - TAG_BYTES;
  if (contentLength < 1 || contentLength > MAX_PLAINTEXT_BYTES) throw invalid("its length is wrong");
  return {
    kem,
    fingerprint: bytes.subarray(start, start + FINGERPRINT_BYTES),
    encapsulation: bytes.subarray(start + FINGERPRINT_BYTES, headLength),
    head: bytes.subarray(0, headLength),
    ciphertext: bytes.subarray(headLength, bytes.length - TAG_BYTES),
    tag: bytes.subarray(bytes.length - TAG_BYTES),
  };
}

function invalid(why: string): FengniError<"ERR_CIPHERTEXT_INVALID"> {
  return new FengniError("ERR_CIPHERTEXT_INVALID", `this is no ciphertext of a public key provider: ${why}`);
}
