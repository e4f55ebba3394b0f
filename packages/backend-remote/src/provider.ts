// The keys of Tencent Cloud KMS behind the contract of key use that every backend implements. It must not know how requests are
// made or sent.
import type {
  AsymmetricDecryptRequest,
  CallOptions,
  Capabilities,
  DecryptRequest,
  DecryptResult,
  EncryptRequest,
  EncryptResult,
  GenerateDataKeyRequest,
  GeneratedDataKey,
  KeyProvider,
  PostQuantumDecryptRequest,
  PostQuantumEncryptRequest,
  ProviderOperation,
  PublicKeyResult,
  ReEncryptRequest,
  ReEncryptResult,
  SignRequest,
  SignResult,
  VerifyRequest,
  VerifyResult,
} from "@fengni/core";
import { utf8ToBytes } from "@fengni/crypto/bytes";
import { ALL_OFFERS, capabilitiesOf, checkOffers, notSupported, type RegionOffers } from "./capabilities.js";
import { checkFields, rangeError } from "./checks.js";
import { KEY_SERVICE_FIELDS, KeyService, type KeyServiceOptions } from "./key-service.js";
import { checkText } from "./request-checks.js";
import { asymmetricDecrypt, getPublicKey, sign, verify } from "./use-asymmetric.js";
import {
  decrypt,
  encrypt,
  generateDataKey,
  postQuantumDecrypt,
  postQuantumEncrypt,
  reEncrypt,
} from "./use-symmetric.js";

/** The provider id in messages when the caller does not say. */
export const DEFAULT_PROVIDER_ID = "tencent-kms";
const MAX_PROVIDER_ID_BYTES = 65_535;

/** How a provider is made. */
export interface TencentKeyProviderOptions extends KeyServiceOptions {
  /** Names the provider in messages; stable for ever. UTF-8, 1 to 65,535 bytes; default `tencent-kms`. */
  readonly providerId?: string;
  /** What the region offers, as `listOffers` tells it; default: all that this package can do. */
  readonly offers?: RegionOffers;
}

/**
 * Use of the keys of one region of Tencent Cloud KMS. Keys are named by id or alias.
 *
 * Every answer is checked: it must be for the key that was asked for, or nothing of it is used (`ERR_NO_MATCHING_KEY`); what is not
 * base64 is refused whole (`ERR_UNAVAILABLE`). Beside the contract's, calls reject with the client's errors: `ERR_DENIED`,
 * `ERR_CREDENTIALS`, `ERR_THROTTLED`, `ERR_UNAVAILABLE`, `ERR_TIMEOUT`.
 *
 * @example
 * const provider = new TencentKeyProvider({ client, region: "ap-guangzhou" });
 * const envelope = new Envelope({ wrappingKeys: [providerKey(provider, "my-alias")] });
 */
export class TencentKeyProvider implements KeyProvider {
  readonly providerId: string;
  readonly capabilities: Capabilities;
  readonly #service: KeyService;
  readonly #offers: RegionOffers;

  /** @throws TypeError or RangeError `ERR_ARGUMENT` for an unknown option, no client, or a provider id of another length */
  constructor(options: TencentKeyProviderOptions) {
    checkFields("TencentKeyProvider", options, [...KEY_SERVICE_FIELDS, "providerId", "offers"]);
    this.providerId = checkText("providerId", options.providerId ?? DEFAULT_PROVIDER_ID);
    const { length } = utf8ToBytes(this.providerId);
    if (length < 1 || length > MAX_PROVIDER_ID_BYTES) {
      throw rangeError(`providerId expected 1 to ${MAX_PROVIDER_ID_BYTES} bytes of UTF-8, got ${length}`);
    }
    this.#offers = options.offers === undefined ? ALL_OFFERS : checkOffers(options.offers);
    this.capabilities = capabilitiesOf(this.#offers);
    this.#service = new KeyService("key provider", options);
  }

  async resolveKeyId(keyId: string, options?: CallOptions): Promise<string> {
    return this.#service.existingKeyId(keyId, options);
  }

  async generateDataKey(request: GenerateDataKeyRequest, options?: CallOptions): Promise<GeneratedDataKey> {
    return generateDataKey(this.#open(), request, options);
  }

  async encrypt(request: EncryptRequest, options?: CallOptions): Promise<EncryptResult> {
    return encrypt(this.#open(), request, options);
  }

  async decrypt(request: DecryptRequest, options?: CallOptions): Promise<DecryptResult> {
    return decrypt(this.#open(), request, options);
  }

  async reEncrypt(request: ReEncryptRequest, options?: CallOptions): Promise<ReEncryptResult> {
    return reEncrypt(this.#open(), request, options);
  }

  async sign(request: SignRequest, options?: CallOptions): Promise<SignResult> {
    return sign(this.#open("sign"), this.#offers, request, options);
  }

  async verify(request: VerifyRequest, options?: CallOptions): Promise<VerifyResult> {
    return verify(this.#open("verify"), this.#offers, request, options);
  }

  async getPublicKey(request: { readonly keyId: string }, options?: CallOptions): Promise<PublicKeyResult> {
    return getPublicKey(this.#open("getPublicKey"), request, options);
  }

  async asymmetricDecrypt(request: AsymmetricDecryptRequest, options?: CallOptions): Promise<DecryptResult> {
    return asymmetricDecrypt(this.#open("asymmetricDecrypt"), this.#offers, request, options);
  }

  async postQuantumEncrypt(request: PostQuantumEncryptRequest, options?: CallOptions): Promise<EncryptResult> {
    return postQuantumEncrypt(this.#open("postQuantumEncrypt"), request, options);
  }

  async postQuantumDecrypt(request: PostQuantumDecryptRequest, options?: CallOptions): Promise<DecryptResult> {
    return postQuantumDecrypt(this.#open("postQuantumDecrypt"), request, options);
  }

  async close(): Promise<void> {
    await this.#service.close();
  }

  #open(operation?: ProviderOperation): KeyService {
    this.#service.requireOpen();
    if (operation !== undefined && !this.capabilities.operations.includes(operation)) {
      throw notSupported(operation, "the region does not offer it");
    }
    return this.#service;
  }
}
