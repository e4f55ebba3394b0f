// A local KMS behind the contract of key use that every backend implements. It must not know how the KMS works.
import {
  type AsymmetricDecryptRequest,
  type CallOptions,
  type Capabilities,
  type DecryptRequest,
  type DecryptResult,
  type EncryptRequest,
  type EncryptResult,
  FengniError,
  type GenerateDataKeyRequest,
  type GeneratedDataKey,
  type KeyProvider,
  type PostQuantumDecryptRequest,
  type PostQuantumEncryptRequest,
  type PublicKeyResult,
  type ReEncryptRequest,
  type ReEncryptResult,
  type SignRequest,
  type SignResult,
  type VerifyRequest,
  type VerifyResult,
} from "@fengni/core";
import { utf8ToBytes } from "@fengni/crypto/bytes";
import type { Caller, LocalCallOptions } from "./access.js";
import { takeOptions, withSignal } from "./call-options.js";
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
import { ASYMMETRIC_ENCRYPTION_ALGORITHMS, SIGNATURE_ALGORITHMS } from "./specs.js";

/** The provider id in messages when the caller does not say. */
export const DEFAULT_PROVIDER_ID = "fengni-local";
const MAX_PROVIDER_ID_BYTES = 65_535;

const CAPABILITIES: Capabilities = {
  operations: [
    "generateDataKey",
    "encrypt",
    "decrypt",
    "reEncrypt",
    "sign",
    "verify",
    "getPublicKey",
    "asymmetricDecrypt",
    "postQuantumEncrypt",
    "postQuantumDecrypt",
  ],
  dataKeyBytes: { minimum: 1, maximum: MAX_DATA_KEY_BYTES },
  maxPlaintextBytes: MAX_PLAINTEXT_BYTES,
  maxContextCharacters: MAX_CONTEXT_CHARACTERS,
  signatureAlgorithms: SIGNATURE_ALGORITHMS,
  asymmetricEncryptionAlgorithms: ASYMMETRIC_ENCRYPTION_ALGORITHMS,
  maxMessageBytes: MAX_MESSAGE_BYTES,
};

/** How a provider is made. */
export interface LocalKeyProviderOptions {
  /** Names the provider in messages; stable for ever. UTF-8, 1 to 65,535 bytes; default `fengni-local`. */
  readonly providerId?: string;
  /** The region whose keys are used; default: the KMS's first. */
  readonly region?: string;
  /** Who calls; default: {@link DEFAULT_CALLER}. */
  readonly caller?: Caller;
}

/**
 * Use of the keys of a local KMS. Several providers may share one KMS: `close()` ends this provider only, and the KMS with its
 * key material stays with whoever made it, who calls `LocalKms.close()`. Each method rejects as those of {@link LocalKms} that
 * do the same; access is asked for under their names.
 */
export class LocalKeyProvider implements KeyProvider {
  readonly providerId: string;
  readonly capabilities: Capabilities = CAPABILITIES;
  readonly #kms: LocalKms;
  readonly #callOptions: LocalCallOptions | undefined;
  #isClosed = false;

  /** @throws TypeError or RangeError `ERR_ARGUMENT` for an unknown option or a provider id of another length */
  constructor(kms: LocalKms, options: LocalKeyProviderOptions = {}) {
    checkFields("LocalKeyProvider", options, ["providerId", "region", "caller"]);
    const { providerId = DEFAULT_PROVIDER_ID } = options;
    this.providerId = checkText("providerId", providerId);
    const { length } = utf8ToBytes(this.providerId);
    if (length < 1 || length > MAX_PROVIDER_ID_BYTES) {
      throw rangeError(`providerId expected 1 to ${MAX_PROVIDER_ID_BYTES} bytes of UTF-8, got ${length}`);
    }
    this.#kms = kms;
    const { region, caller } = options;
    this.#callOptions = takeOptions({
      ...(region === undefined ? {} : { region }),
      ...(caller === undefined ? {} : { caller }),
    });
  }

  async resolveKeyId(keyId: string, options?: CallOptions): Promise<string> {
    return this.#open().resolveKeyId(keyId, this.#with(options));
  }

  async generateDataKey(request: GenerateDataKeyRequest, options?: CallOptions): Promise<GeneratedDataKey> {
    checkFields("generateDataKey", request, ["keyId", "numberOfBytes", "encryptionContext"]);
    return this.#open().generateDataKey(request, this.#with(options));
  }

  async encrypt(request: EncryptRequest, options?: CallOptions): Promise<EncryptResult> {
    return this.#open().encrypt(request, this.#with(options));
  }

  async decrypt(request: DecryptRequest, options?: CallOptions): Promise<DecryptResult> {
    checkFields("decrypt", request, ["ciphertext", "encryptionContext", "keyId"]);
    return this.#open().decrypt(request, this.#with(options));
  }

  async reEncrypt(request: ReEncryptRequest, options?: CallOptions): Promise<ReEncryptResult> {
    const { keyId, sourceKeyId, ciphertext } = await this.#open().reEncrypt(request, this.#with(options));
    return { keyId, sourceKeyId, ciphertext };
  }

  async sign(request: SignRequest, options?: CallOptions): Promise<SignResult> {
    checkFields("sign", request, ["keyId", "algorithm", "message", "messageType"]);
    const kms = this.#open();
    if (!isPostQuantum(request)) return kms.signByAsymmetricKey(request, this.#with(options));
    const { algorithm, keyId, message } = request;
    return { algorithm, ...(await kms.postQuantumCryptoSign({ keyId, message }, this.#with(options))) };
  }

  async verify(request: VerifyRequest, options?: CallOptions): Promise<VerifyResult> {
    checkFields("verify", request, ["keyId", "algorithm", "message", "messageType", "signature"]);
    const kms = this.#open();
    if (!isPostQuantum(request)) return kms.verifyByAsymmetricKey(request, this.#with(options));
    const { algorithm, keyId, message, signature } = request;
    return { algorithm, ...(await kms.postQuantumCryptoVerify({ keyId, message, signature }, this.#with(options))) };
  }

  async getPublicKey(request: { readonly keyId: string }, options?: CallOptions): Promise<PublicKeyResult> {
    const { publicKeyPem: _, ...result } = await this.#open().getPublicKey(request, this.#with(options));
    return result;
  }

  async asymmetricDecrypt(request: AsymmetricDecryptRequest, options?: CallOptions): Promise<DecryptResult> {
    checkFields("asymmetricDecrypt", request, ["keyId", "algorithm", "ciphertext"]);
    const { keyId, algorithm, ciphertext } = request;
    const kms = this.#open();
    return algorithm === "SM2_C1C3C2_ASN1"
      ? kms.asymmetricSm2Decrypt({ keyId, ciphertext }, this.#with(options))
      : kms.asymmetricRsaDecrypt({ keyId, algorithm, ciphertext }, this.#with(options));
  }

  async postQuantumEncrypt(request: PostQuantumEncryptRequest, options?: CallOptions): Promise<EncryptResult> {
    return this.#open().postQuantumCryptoEncrypt(request, this.#with(options));
  }

  async postQuantumDecrypt(request: PostQuantumDecryptRequest, options?: CallOptions): Promise<DecryptResult> {
    checkFields("postQuantumDecrypt", request, ["ciphertext", "keyId"]);
    return this.#open().postQuantumCryptoDecrypt(request, this.#with(options));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  #open(): LocalKms {
    if (this.#isClosed) throw new FengniError("ERR_CLOSED", "this key provider was closed: make a new one");
    return this.#kms;
  }

  #with(options: CallOptions | undefined): LocalCallOptions | undefined {
    return withSignal(this.#callOptions, options);
  }
}

/** Whether a signature is one of the algorithm that has operations of its own, which take messages only. */
function isPostQuantum({ algorithm, messageType = "raw" }: SignRequest): boolean {
  if (algorithm !== "ML_DSA_65") return false;
  if (messageType !== "raw") throw rangeError(`messageType expected "raw": ${algorithm} signs no digests`);
  return true;
}
