// A local KMS behind the contracts that every backend implements. It must not know how the KMS works.
import {
  type AdminOperation,
  type CallOptions,
  type Capabilities,
  type CreateKeyRequest,
  type DecryptRequest,
  type DecryptResult,
  type EncryptRequest,
  type EncryptResult,
  FengniError,
  type GenerateDataKeyRequest,
  type GeneratedDataKey,
  type KeyAdmin,
  type KeyDescription,
  type KeyProvider,
  type ListKeysRequest,
  type ListKeysResult,
  type PublicKeyResult,
  type ReEncryptRequest,
  type ReEncryptResult,
  type SignRequest,
  type SignResult,
  type VerifyRequest,
  type VerifyResult,
} from "@fengni/core";
import { utf8ToBytes } from "@fengni/crypto/bytes";
import {
  checkFields,
  checkText,
  MAX_CONTEXT_CHARACTERS,
  MAX_DATA_KEY_BYTES,
  MAX_MESSAGE_BYTES,
  MAX_PLAINTEXT_BYTES,
  rangeError,
} from "./checks.js";
import type { LocalKms } from "./kms.js";
import { SIGNATURE_ALGORITHMS } from "./specs.js";

/** The provider id in messages when the caller does not say. */
export const DEFAULT_PROVIDER_ID = "fengni-local";
const MAX_PROVIDER_ID_BYTES = 65_535;

const CAPABILITIES: Capabilities = {
  operations: ["generateDataKey", "encrypt", "decrypt", "reEncrypt", "sign", "verify", "getPublicKey"],
  dataKeyBytes: { minimum: 1, maximum: MAX_DATA_KEY_BYTES },
  maxPlaintextBytes: MAX_PLAINTEXT_BYTES,
  maxContextCharacters: MAX_CONTEXT_CHARACTERS,
  signatureAlgorithms: SIGNATURE_ALGORITHMS,
  maxMessageBytes: MAX_MESSAGE_BYTES,
};

const ADMIN_OPERATIONS: readonly AdminOperation[] = [
  "createKey",
  "describeKey",
  "listKeys",
  "enableKey",
  "disableKey",
  "rotateKey",
  "updateAlias",
  "updateDescription",
  "scheduleKeyDeletion",
  "cancelKeyDeletion",
];

/** How a provider is made. */
export interface LocalKeyProviderOptions {
  /** Names the provider in messages; stable for ever. UTF-8, 1 to 65,535 bytes; default `fengni-local`. */
  readonly providerId?: string;
}

/**
 * Use of the keys of a local KMS. Several providers may share one KMS: `close()` ends this provider only, and the KMS with its
 * key material stays with whoever made it, who calls `LocalKms.close()`. Each method rejects as the one of {@link LocalKms}.
 */
export class LocalKeyProvider implements KeyProvider {
  readonly providerId: string;
  readonly capabilities: Capabilities = CAPABILITIES;
  readonly #kms: LocalKms;
  #isClosed = false;

  /** @throws TypeError or RangeError `ERR_ARGUMENT` for an unknown option or a provider id of another length */
  constructor(kms: LocalKms, options: LocalKeyProviderOptions = {}) {
    checkFields("LocalKeyProvider", options, ["providerId"]);
    this.providerId = checkText("providerId", options.providerId ?? DEFAULT_PROVIDER_ID);
    const { length } = utf8ToBytes(this.providerId);
    if (length < 1 || length > MAX_PROVIDER_ID_BYTES) {
      throw rangeError(`providerId expected 1 to ${MAX_PROVIDER_ID_BYTES} bytes of UTF-8, got ${length}`);
    }
    this.#kms = kms;
  }

  async resolveKeyId(keyId: string, options?: CallOptions): Promise<string> {
    return this.#open().resolveKeyId(keyId, options);
  }

  async generateDataKey(request: GenerateDataKeyRequest, options?: CallOptions): Promise<GeneratedDataKey> {
    return this.#open().generateDataKey(request, options);
  }

  async encrypt(request: EncryptRequest, options?: CallOptions): Promise<EncryptResult> {
    return this.#open().encrypt(request, options);
  }

  async decrypt(request: DecryptRequest, options?: CallOptions): Promise<DecryptResult> {
    return this.#open().decrypt(request, options);
  }

  async reEncrypt(request: ReEncryptRequest, options?: CallOptions): Promise<ReEncryptResult> {
    return this.#open().reEncrypt(request, options);
  }

  async sign(request: SignRequest, options?: CallOptions): Promise<SignResult> {
    return this.#open().sign(request, options);
  }

  async verify(request: VerifyRequest, options?: CallOptions): Promise<VerifyResult> {
    return this.#open().verify(request, options);
  }

  async getPublicKey(request: { readonly keyId: string }, options?: CallOptions): Promise<PublicKeyResult> {
    return this.#open().getPublicKey(request, options);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  #open(): LocalKms {
    if (this.#isClosed) throw closed("provider");
    return this.#kms;
  }
}

/** The lifecycle of the keys of a local KMS. `close()` ends this object only, as with {@link LocalKeyProvider}. */
export class LocalKeyAdmin implements KeyAdmin {
  readonly operations: readonly AdminOperation[] = ADMIN_OPERATIONS;
  readonly #kms: LocalKms;
  #isClosed = false;

  constructor(kms: LocalKms) {
    this.#kms = kms;
  }

  async createKey(request?: CreateKeyRequest, options?: CallOptions): Promise<KeyDescription> {
    return this.#open().createKey(request, options);
  }

  async describeKey(keyId: string, options?: CallOptions): Promise<KeyDescription> {
    return this.#open().describeKey(keyId, options);
  }

  async listKeys(request?: ListKeysRequest, options?: CallOptions): Promise<ListKeysResult> {
    return this.#open().listKeys(request, options);
  }

  async enableKey(keyId: string, options?: CallOptions): Promise<void> {
    return this.#open().enableKey(keyId, options);
  }

  async disableKey(keyId: string, options?: CallOptions): Promise<void> {
    return this.#open().disableKey(keyId, options);
  }

  async rotateKey(keyId: string, options?: CallOptions): Promise<void> {
    return this.#open().rotateKey(keyId, options);
  }

  async updateAlias(keyId: string, alias: string, options?: CallOptions): Promise<void> {
    return this.#open().updateAlias(keyId, alias, options);
  }

  async updateDescription(keyId: string, description: string, options?: CallOptions): Promise<void> {
    return this.#open().updateDescription(keyId, description, options);
  }

  async scheduleKeyDeletion(
    keyId: string,
    pendingWindowDays: number,
    options?: CallOptions,
  ): Promise<{ readonly deletionAtMs: number }> {
    return this.#open().scheduleKeyDeletion(keyId, pendingWindowDays, options);
  }

  async cancelKeyDeletion(keyId: string, options?: CallOptions): Promise<void> {
    return this.#open().cancelKeyDeletion(keyId, options);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  #open(): LocalKms["lifecycle"] {
    if (this.#isClosed) throw closed("admin");
    return this.#kms.lifecycle;
  }
}

function closed(what: string): FengniError<"ERR_CLOSED"> {
  return new FengniError("ERR_CLOSED", `this key ${what} was closed: make a new one`);
}
