// A local KMS behind the contract of key lifecycle that every backend implements. It must not know how the KMS works.
import {
  type AdminOperation,
  type CallOptions,
  type CreateKeyRequest,
  FengniError,
  type ImportKeyMaterialRequest,
  type ImportParameters,
  type ImportWrappingAlgorithm,
  type KeyAdmin,
  type KeyDescription,
  type ListKeysRequest,
  type ListKeysResult,
} from "@fengni/core";
import type { Caller, LocalCallOptions } from "./access.js";
import { takeOptions, withSignal } from "./call-options.js";
import { checkFields, DEFAULT_ADMIN_LIST_LIMIT } from "./checks.js";
import type { LocalKms } from "./kms.js";

const OPERATIONS: readonly AdminOperation[] = [
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
  "enableKeyRotation",
  "disableKeyRotation",
  "archiveKey",
  "cancelKeyArchive",
  "getParametersForImport",
  "importKeyMaterial",
  "deleteImportedKeyMaterial",
];

/** How an admin is made. */
export interface LocalKeyAdminOptions {
  /** The region whose keys are administered; default: the KMS's first. */
  readonly region?: string;
  /** Who calls; default: {@link DEFAULT_CALLER}. */
  readonly caller?: Caller;
}

/**
 * The lifecycle of the keys of a local KMS, those of products included. Several admins may share one KMS: `close()` ends this one
 * only, and the KMS stays with whoever made it. Each method rejects as the operation of {@link LocalKms} does.
 */
export class LocalKeyAdmin implements KeyAdmin {
  readonly operations: readonly AdminOperation[] = OPERATIONS;
  readonly #kms: LocalKms;
  readonly #callOptions: LocalCallOptions | undefined;
  #isClosed = false;

  /** @throws TypeError `ERR_ARGUMENT` for an unknown option */
  constructor(kms: LocalKms, options: LocalKeyAdminOptions = {}) {
    checkFields("LocalKeyAdmin", options, ["region", "caller"]);
    this.#kms = kms;
    const { region, caller } = options;
    this.#callOptions = takeOptions({
      ...(region === undefined ? {} : { region }),
      ...(caller === undefined ? {} : { caller }),
    });
  }

  async createKey(request: CreateKeyRequest = {}, options?: CallOptions): Promise<KeyDescription> {
    checkFields("createKey", request, ["keySpec", "keyUsage", "origin", "alias", "description"]);
    return this.#open().createKey(request, this.#with(options));
  }

  async describeKey(keyId: string, options?: CallOptions): Promise<KeyDescription> {
    return this.#open().describeKey({ keyId }, this.#with(options));
  }

  async listKeys(request: ListKeysRequest = {}, options?: CallOptions): Promise<ListKeysResult> {
    checkFields("listKeys", request, ["limit", "cursor"]);
    const { limit = DEFAULT_ADMIN_LIST_LIMIT, cursor } = request;
    const { keys, next } = await this.#open().listKeyDetail(
      { owner: "any", order: "oldest-first", limit, ...(cursor === undefined ? {} : { cursor }) },
      this.#with(options),
    );
    return next === undefined ? { keys } : { keys, next };
  }

  async enableKey(keyId: string, options?: CallOptions): Promise<void> {
    await this.#open().enableKey({ keyId }, this.#with(options));
  }

  async disableKey(keyId: string, options?: CallOptions): Promise<void> {
    await this.#open().disableKey({ keyId }, this.#with(options));
  }

  async rotateKey(keyId: string, options?: CallOptions): Promise<void> {
    await this.#open().rotateKey({ keyId }, this.#with(options));
  }

  async updateAlias(keyId: string, alias: string, options?: CallOptions): Promise<void> {
    await this.#open().updateAlias({ keyId, alias }, this.#with(options));
  }

  async updateDescription(keyId: string, description: string, options?: CallOptions): Promise<void> {
    await this.#open().updateKeyDescription({ keyId, description }, this.#with(options));
  }

  async scheduleKeyDeletion(
    keyId: string,
    pendingWindowDays: number,
    options?: CallOptions,
  ): Promise<{ readonly deletionAtMs: number }> {
    const request = { keyId, pendingWindowDays };
    const { deletionAtMs } = await this.#open().scheduleKeyDeletion(request, this.#with(options));
    return { deletionAtMs };
  }

  async cancelKeyDeletion(keyId: string, options?: CallOptions): Promise<void> {
    await this.#open().cancelKeyDeletion({ keyId }, this.#with(options));
  }

  async enableKeyRotation(keyId: string, periodDays: number, options?: CallOptions): Promise<void> {
    await this.#open().enableKeyRotation({ keyId, rotationPeriodDays: periodDays }, this.#with(options));
  }

  async disableKeyRotation(keyId: string, options?: CallOptions): Promise<void> {
    await this.#open().disableKeyRotation({ keyId }, this.#with(options));
  }

  async archiveKey(keyId: string, options?: CallOptions): Promise<void> {
    await this.#open().archiveKey({ keyId }, this.#with(options));
  }

  async cancelKeyArchive(keyId: string, options?: CallOptions): Promise<void> {
    await this.#open().cancelKeyArchive({ keyId }, this.#with(options));
  }

  async getParametersForImport(
    keyId: string,
    wrappingAlgorithm: ImportWrappingAlgorithm,
    options?: CallOptions,
  ): Promise<ImportParameters> {
    return this.#open().getParametersForImport({ keyId, wrappingAlgorithm }, this.#with(options));
  }

  async importKeyMaterial(request: ImportKeyMaterialRequest, options?: CallOptions): Promise<void> {
    await this.#open().importKeyMaterial(request, this.#with(options));
  }

  async deleteImportedKeyMaterial(keyId: string, options?: CallOptions): Promise<void> {
    await this.#open().deleteImportedKeyMaterial({ keyId }, this.#with(options));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  #open(): LocalKms {
    if (!this.#isClosed) return this.#kms;
    throw new FengniError("ERR_CLOSED", "this key admin was closed: make a new one");
  }

  #with(options: CallOptions | undefined): LocalCallOptions | undefined {
    return withSignal(this.#callOptions, options);
  }
}
