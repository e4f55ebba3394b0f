// The contracts that every backend implements: KeyProvider (use of keys) and KeyAdmin (their lifecycle). Types only, and
// the guards that go with them; nothing here may know a vendor, a message or a suite.

/** Authenticated, not secret, pairs of text; stored with what is sealed and needed again to open it. */
export type EncryptionContext = Readonly<Record<string, string>>;

/** What every call of a provider takes beside its request. */
export interface CallOptions {
  /** Ends the call, or a stream at its next chunk: it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** The options of a call that only a signal may end. */
export function callOptions(signal: AbortSignal | undefined): CallOptions {
  return signal === undefined ? {} : { signal };
}

/** What a key is for. A key has one usage for life. */
export type KeyUsage = "encrypt-decrypt" | "asymmetric-decrypt" | "sign-verify" | "post-quantum-encrypt-decrypt";

/** What a key is made of. */
export type KeySpec = "AES_256" | "SM4" | "RSA_2048" | "SM2" | "ECC_P256" | "ECC_P384" | "ML_KEM_768" | "ML_DSA_65";

/**
 * Signature algorithms. ECDSA and SM2 signatures are DER (RFC 3279, section 2.2.3; GB/T 35276), RSA's and ML-DSA's are the bytes
 * of RFC 8017 and FIPS 204.
 */
export type SignatureAlgorithm =
  | "ECDSA_P256_SHA_256"
  | "ECDSA_P384_SHA_384"
  | "RSA_PKCS1_SHA_256"
  | "RSA_PSS_SHA_256"
  | "SM2DSA"
  | "ML_DSA_65";

/** How bytes are encrypted to a public key: RFC 8017 sections 7.1 and 7.2; GB/T 32918.4, the ciphertext in ASN.1 (GB/T 35276). */
export type AsymmetricEncryptionAlgorithm =
  | "RSAES_OAEP_SHA_1"
  | "RSAES_OAEP_SHA_256"
  | "RSAES_PKCS1_V1_5"
  | "SM2_C1C3C2_ASN1";

/**
 * Whether `message` is the message itself or its digest by the algorithm's hash; for SM2 that is SM3 over Z and the message
 * (GB/T 32918.2), for ML-DSA there is no digest form.
 */
export type MessageType = "raw" | "digest";

/** The operations that a provider may offer; one it does not claim rejects with `ERR_NOT_SUPPORTED`. */
export type ProviderOperation =
  | "generateDataKey"
  | "encrypt"
  | "decrypt"
  | "reEncrypt"
  | "sign"
  | "verify"
  | "getPublicKey"
  | "asymmetricDecrypt"
  | "postQuantumEncrypt"
  | "postQuantumDecrypt";

/** What a provider offers, and its limits. The only way to leave a part of the contract out. */
export interface Capabilities {
  readonly operations: readonly ProviderOperation[];
  /** Data key lengths that `generateDataKey` gives, in bytes. */
  readonly dataKeyBytes: { readonly minimum: number; readonly maximum: number };
  /** Longest plaintext of `encrypt`, in bytes. */
  readonly maxPlaintextBytes: number;
  /** Longest encryption context in characters of its canonical JSON form (sorted keys, no white space); absent: no limit of its own. */
  readonly maxContextCharacters?: number;
  readonly signatureAlgorithms: readonly SignatureAlgorithm[];
  /** What `asymmetricDecrypt` opens. */
  readonly asymmetricEncryptionAlgorithms: readonly AsymmetricEncryptionAlgorithm[];
  /** Longest message of `sign` and `verify` in the `raw` form, in bytes. */
  readonly maxMessageBytes: number;
}

/** Asks for a new data key, wrapped by a key. */
export interface GenerateDataKeyRequest {
  /** Key id or alias of the wrapping key. */
  readonly keyId: string;
  /** Length of the data key, in bytes. */
  readonly numberOfBytes: number;
  readonly encryptionContext?: EncryptionContext;
}

/** A new data key, in both forms. */
export interface GeneratedDataKey {
  /** Full id of the wrapping key. */
  readonly keyId: string;
  /** The data key; the caller owns the buffer and wipes it. */
  readonly plaintext: Uint8Array;
  /** The data key wrapped by the key; `decrypt` opens it under the same context. */
  readonly ciphertext: Uint8Array;
}

/** Asks to encrypt a few bytes under a key. */
export interface EncryptRequest {
  /** Key id or alias. */
  readonly keyId: string;
  /** 1 to `maxPlaintextBytes` bytes. */
  readonly plaintext: Uint8Array;
  readonly encryptionContext?: EncryptionContext;
}

/** What `encrypt` gave. */
export interface EncryptResult {
  /** Full id of the key. */
  readonly keyId: string;
  readonly ciphertext: Uint8Array;
}

/** Asks to open what `encrypt` or `generateDataKey` gave. */
export interface DecryptRequest {
  readonly ciphertext: Uint8Array;
  readonly encryptionContext?: EncryptionContext;
  /** Key id or alias that must have made the ciphertext; another key rejects with `ERR_NO_MATCHING_KEY`. */
  readonly keyId?: string;
}

/** What `decrypt` gave. */
export interface DecryptResult {
  /** Full id of the key that opened the ciphertext. */
  readonly keyId: string;
  /** The caller owns the buffer and wipes it. */
  readonly plaintext: Uint8Array;
}

/** Asks to move a ciphertext to another key, version or context without handing out its plaintext. */
export interface ReEncryptRequest {
  readonly ciphertext: Uint8Array;
  readonly sourceEncryptionContext?: EncryptionContext;
  /** Key id or alias; absent: stay with the key that made the ciphertext. */
  readonly destinationKeyId?: string;
  readonly destinationEncryptionContext?: EncryptionContext;
}

/** What `reEncrypt` gave. */
export interface ReEncryptResult {
  readonly keyId: string;
  readonly sourceKeyId: string;
  readonly ciphertext: Uint8Array;
}

/** Asks to sign a message or its digest. */
export interface SignRequest {
  readonly keyId: string;
  readonly algorithm: SignatureAlgorithm;
  readonly message: Uint8Array;
  /** Default `raw`. */
  readonly messageType?: MessageType;
}

/** A signature. */
export interface SignResult {
  readonly keyId: string;
  readonly algorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
}

/** Asks whether a signature is right. */
export interface VerifyRequest extends SignRequest {
  readonly signature: Uint8Array;
}

/** Whether it is. */
export interface VerifyResult {
  readonly keyId: string;
  readonly algorithm: SignatureAlgorithm;
  /** False for a signature that does not verify; malformed requests reject instead. */
  readonly valid: boolean;
}

/** Asks to open what was encrypted to the public half of a key. */
export interface AsymmetricDecryptRequest {
  readonly keyId: string;
  readonly algorithm: AsymmetricEncryptionAlgorithm;
  readonly ciphertext: Uint8Array;
}

/** Asks to encrypt a few bytes under a post-quantum key. */
export interface PostQuantumEncryptRequest {
  readonly keyId: string;
  /** 1 to `maxPlaintextBytes` bytes. */
  readonly plaintext: Uint8Array;
}

/** Asks to open what `postQuantumEncrypt` gave. */
export interface PostQuantumDecryptRequest {
  readonly ciphertext: Uint8Array;
  /** Key id or alias that must have made the ciphertext; another key rejects with `ERR_NO_MATCHING_KEY`. */
  readonly keyId?: string;
}

/** The public half of an asymmetric key. */
export interface PublicKeyResult {
  readonly keyId: string;
  readonly keySpec: KeySpec;
  readonly keyUsage: KeyUsage;
  /** DER SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7; RFC 9935 and RFC 9881 for the post-quantum keys). */
  readonly publicKey: Uint8Array;
}

/**
 * Guards keys and never lets them out. Every method takes key ids or aliases, answers with full key ids, rejects with a
 * `FengniError`, and settles soon after its signal aborts. A provider may be called concurrently without limit.
 */
export interface KeyProvider {
  /** Names the provider in messages (`key provider id`); stable for ever. UTF-8, at most 65,535 bytes. */
  readonly providerId: string;
  readonly capabilities: Capabilities;
  /** Resolves a key id or alias to the full key id. @throws `ERR_KEY_NOT_FOUND` */
  resolveKeyId(keyId: string, options?: CallOptions): Promise<string>;
  generateDataKey(request: GenerateDataKeyRequest, options?: CallOptions): Promise<GeneratedDataKey>;
  encrypt(request: EncryptRequest, options?: CallOptions): Promise<EncryptResult>;
  decrypt(request: DecryptRequest, options?: CallOptions): Promise<DecryptResult>;
  reEncrypt(request: ReEncryptRequest, options?: CallOptions): Promise<ReEncryptResult>;
  sign(request: SignRequest, options?: CallOptions): Promise<SignResult>;
  verify(request: VerifyRequest, options?: CallOptions): Promise<VerifyResult>;
  getPublicKey(request: { readonly keyId: string }, options?: CallOptions): Promise<PublicKeyResult>;
  asymmetricDecrypt(request: AsymmetricDecryptRequest, options?: CallOptions): Promise<DecryptResult>;
  postQuantumEncrypt(request: PostQuantumEncryptRequest, options?: CallOptions): Promise<EncryptResult>;
  postQuantumDecrypt(request: PostQuantumDecryptRequest, options?: CallOptions): Promise<DecryptResult>;
  /** Lets go of every resource; later calls reject with `ERR_CLOSED`. Idempotent. */
  close(): Promise<void>;
}

/** The states of a key. An archived key opens what it sealed and seals nothing more; one that waits for import has no material. */
export type KeyState = "enabled" | "disabled" | "pending-import" | "pending-deletion" | "archived";

/** Where a key's material comes from: the provider made it, or somebody brings it. */
export type KeyOrigin = "provider" | "external";

/** What is known of a key; never its material. Times are milliseconds since the Unix epoch. */
export interface KeyDescription {
  readonly keyId: string;
  readonly keySpec: KeySpec;
  readonly keyUsage: KeyUsage;
  readonly state: KeyState;
  readonly origin: KeyOrigin;
  readonly createdAtMs: number;
  readonly alias?: string;
  readonly description: string;
  /**
   * How many versions of the material there are: 1 for a key that never rotated, 0 for one that waits for import. Absent where the
   * provider does not tell.
   */
  readonly versions?: number;
  readonly lastRotatedAtMs?: number;
  /** How often the key rotates by itself, in days; absent: never. */
  readonly rotationPeriodDays?: number;
  /** When it will rotate by itself next. */
  readonly nextRotationAtMs?: number;
  /** When imported material expires; absent: never. */
  readonly validToMs?: number;
  /** When the key will be deleted, in the state `pending-deletion`. */
  readonly deletionAtMs?: number;
}

/** Asks for a new key. */
export interface CreateKeyRequest {
  /** Default: the provider's own symmetric spec. */
  readonly keySpec?: KeySpec;
  /** Default: the first of the spec's usages. `RSA_2048` and `SM2` keys sign, or decrypt, but never both. */
  readonly keyUsage?: KeyUsage;
  /** Default `provider`. An `external` key is symmetric and waits for `importKeyMaterial`. */
  readonly origin?: KeyOrigin;
  /** 1 to 60 of letters, digits, `-`, `_`, the first a letter or a digit; unique in the store. */
  readonly alias?: string;
  /** At most 1,024 bytes of UTF-8. */
  readonly description?: string;
}

/** Asks for a page of keys. */
export interface ListKeysRequest {
  /** 1 to 200; default 100. */
  readonly limit?: number;
  /** The `next` of the page before. */
  readonly cursor?: string;
}

/** A page of keys. */
export interface ListKeysResult {
  /** Oldest first. */
  readonly keys: readonly KeyDescription[];
  /** Present when there is more. */
  readonly next?: string;
}

/** How key material is wrapped for import: RSA with the padding named. */
export type ImportWrappingAlgorithm = "RSAES_OAEP_SHA_1" | "RSAES_OAEP_SHA_256" | "RSAES_PKCS1_V1_5";

/** What `importKeyMaterial` needs: a public key to wrap the material with, and the token that goes with it. */
export interface ImportParameters {
  readonly keyId: string;
  /** Opaque; valid for this key and public key only. */
  readonly importToken: Uint8Array;
  /** DER SubjectPublicKeyInfo of an RSA-2048 key. */
  readonly publicKey: Uint8Array;
  /** From this moment on, in milliseconds since the Unix epoch, neither is accepted. */
  readonly validToMs: number;
}

/** Brings the material of an external key. */
export interface ImportKeyMaterialRequest {
  readonly keyId: string;
  /** The material, wrapped by the public key of the parameters. */
  readonly encryptedKeyMaterial: Uint8Array;
  readonly importToken: Uint8Array;
  /** When the material expires, in milliseconds since the Unix epoch; absent: never. */
  readonly validToMs?: number;
}

/** The admin operations that a backend may offer; one it does not claim rejects with `ERR_NOT_SUPPORTED`. */
export type AdminOperation =
  | "createKey"
  | "describeKey"
  | "listKeys"
  | "enableKey"
  | "disableKey"
  | "rotateKey"
  | "updateAlias"
  | "updateDescription"
  | "scheduleKeyDeletion"
  | "cancelKeyDeletion"
  | "enableKeyRotation"
  | "disableKeyRotation"
  | "archiveKey"
  | "cancelKeyArchive"
  | "getParametersForImport"
  | "importKeyMaterial"
  | "deleteImportedKeyMaterial";

/** The lifecycle of keys. Every method takes a key id or an alias and rejects with a `FengniError`. */
export interface KeyAdmin {
  readonly operations: readonly AdminOperation[];
  createKey(request?: CreateKeyRequest, options?: CallOptions): Promise<KeyDescription>;
  describeKey(keyId: string, options?: CallOptions): Promise<KeyDescription>;
  listKeys(request?: ListKeysRequest, options?: CallOptions): Promise<ListKeysResult>;
  enableKey(keyId: string, options?: CallOptions): Promise<void>;
  disableKey(keyId: string, options?: CallOptions): Promise<void>;
  /** New material for new ciphertexts; old ciphertexts open for ever. */
  rotateKey(keyId: string, options?: CallOptions): Promise<void>;
  /** Sets the alias. @throws `ERR_CONFLICT` when another key has it */
  updateAlias(keyId: string, alias: string, options?: CallOptions): Promise<void>;
  updateDescription(keyId: string, description: string, options?: CallOptions): Promise<void>;
  /** The key must be disabled; it and all it sealed are gone after 7 to 30 days. */
  scheduleKeyDeletion(
    keyId: string,
    pendingWindowDays: number,
    options?: CallOptions,
  ): Promise<{ readonly deletionAtMs: number }>;
  /** The key is disabled again. */
  cancelKeyDeletion(keyId: string, options?: CallOptions): Promise<void>;
  /** Has a symmetric key rotate by itself every 7 to 365 days. */
  enableKeyRotation(keyId: string, periodDays: number, options?: CallOptions): Promise<void>;
  disableKeyRotation(keyId: string, options?: CallOptions): Promise<void>;
  /** The key opens what it sealed, and seals nothing more. */
  archiveKey(keyId: string, options?: CallOptions): Promise<void>;
  /** The key is enabled again. */
  cancelKeyArchive(keyId: string, options?: CallOptions): Promise<void>;
  getParametersForImport(
    keyId: string,
    wrappingAlgorithm: ImportWrappingAlgorithm,
    options?: CallOptions,
  ): Promise<ImportParameters>;
  /** Material that was deleted or expired may come again; other material rejects with `ERR_KEY_INVALID`. */
  importKeyMaterial(request: ImportKeyMaterialRequest, options?: CallOptions): Promise<void>;
  /** The key waits for import again. */
  deleteImportedKeyMaterial(keyId: string, options?: CallOptions): Promise<void>;
  close(): Promise<void>;
}

/** Whether a provider claims an operation. */
export function supportsOperation(provider: Pick<KeyProvider, "capabilities">, operation: ProviderOperation): boolean {
  return provider.capabilities.operations.includes(operation);
}
