// The lifecycle of the keys of Tencent Cloud KMS behind the contract that every backend implements. It must not know how requests
// are sent.
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
import type { ActionName, RequestOf } from "@fengni/kms-api";
import { notSupported } from "./capabilities.js";
import { checkFields } from "./checks.js";
import { requireKey, timeIn } from "./key-answers.js";
import { creationOf } from "./key-creation.js";
import { describeKey } from "./key-description.js";
import { importOf, importParametersIn } from "./key-import.js";
import { pageOfKeys } from "./key-list.js";
import { KEY_SERVICE_FIELDS, KeyService, type KeyServiceOptions } from "./key-service.js";
import { IMPORT_WRAPPINGS, isSymmetricSpec } from "./names.js";
import { checkAlias, checkDescription, checkWholeNumber, MAX_LIST_LIMIT } from "./request-checks.js";

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

const MIN_PENDING_WINDOW_DAYS = 7;
const MAX_PENDING_WINDOW_DAYS = 30;
const MIN_ROTATION_DAYS = 7;
const MAX_ROTATION_DAYS = 365;
const DEFAULT_LIST_LIMIT = 100;
/** `OrderType` that gives the oldest first. */
const OLDEST_FIRST = 1;

/** How an admin is made. */
export type TencentKeyAdminOptions = Omit<KeyServiceOptions, "aliasCacheMs">;

type Options = CallOptions | undefined;

/** The actions on one key that take its id alone. */
type KeyAction = {
  [Name in ActionName]: { readonly KeyId: string } extends RequestOf<Name> ? Name : never;
}[ActionName];

/**
 * The lifecycle of the keys that users of the account made in one region of Tencent Cloud KMS. Keys are named by id or alias; an
 * alias is looked up at each call. Calls reject as the contract says, and with the client's errors: `ERR_DENIED`,
 * `ERR_CREDENTIALS`, `ERR_THROTTLED`, `ERR_UNAVAILABLE`, `ERR_TIMEOUT`.
 *
 * What the service does not tell: how many versions a key has (`versions` is absent), and keys that products made are
 * not listed.
 */
export class TencentKeyAdmin implements KeyAdmin {
  readonly operations: readonly AdminOperation[] = OPERATIONS;
  readonly #service: KeyService;

  /** @throws TypeError or RangeError `ERR_ARGUMENT` for an unknown option or no client */
  constructor(options: TencentKeyAdminOptions) {
    const fields = KEY_SERVICE_FIELDS.filter((field) => field !== "aliasCacheMs");
    checkFields("TencentKeyAdmin", options, fields);
    this.#service = new KeyService("key admin", options);
  }

  /**
   * Makes a key. Without an alias it gets one of `fengni-` and 32 hexadecimal digits, for the service demands one. A region has
   * symmetric keys of one spec: asking for the other one rejects with `ERR_NOT_SUPPORTED`, and the key that came instead is
   * scheduled for deletion. Where the key was made and cannot be described, also because the signal aborted meanwhile, it rejects with
   * `ERR_UNAVAILABLE`, whose message names the key and whose cause says why.
   */
  async createKey(request: CreateKeyRequest = {}, options?: CallOptions): Promise<KeyDescription> {
    this.#service.requireOpen();
    const creation = creationOf(request);
    const answer = await this.#service.call("CreateKey", creation, options);
    this.#service.names.forget(creation.Alias);
    const keyId = requireKey("CreateKey", answer.KeyId, undefined);
    const key = await this.#describeNew(keyId, options);
    const { keySpec } = request;
    if (keySpec === undefined || !isSymmetricSpec(keySpec) || key.keySpec === keySpec) return key;
    await this.#discard(keyId);
    throw notSupported("createKey", `symmetric keys of this region are ${key.keySpec}, not ${keySpec}`);
  }

  async describeKey(keyId: string, options?: CallOptions): Promise<KeyDescription> {
    return this.#describe(await this.#keyId(keyId, options), options);
  }

  async listKeys(request: ListKeysRequest = {}, options?: CallOptions): Promise<ListKeysResult> {
    this.#service.requireOpen();
    checkFields("listKeys", request, ["limit", "cursor"]);
    const limit = checkWholeNumber("limit", request.limit ?? DEFAULT_LIST_LIMIT, 1, MAX_LIST_LIMIT);
    const ask = async (offset: number, most: number) => {
      const params = { Offset: offset, Limit: most, Role: 0, OrderType: OLDEST_FIRST, KeyUsage: "ALL" };
      const { KeyMetadatas = [], TotalCount = 0 } = await this.#service.call("ListKeyDetail", params, options);
      return { keys: KeyMetadatas, total: TotalCount };
    };
    return pageOfKeys(ask, limit, request.cursor);
  }

  async enableKey(keyId: string, options?: CallOptions): Promise<void> {
    await this.#change("EnableKey", keyId, options);
  }

  async disableKey(keyId: string, options?: CallOptions): Promise<void> {
    await this.#change("DisableKey", keyId, options);
  }

  async rotateKey(keyId: string, options?: CallOptions): Promise<void> {
    await this.#change("RotateKey", keyId, options);
  }

  async updateAlias(keyId: string, alias: string, options?: CallOptions): Promise<void> {
    this.#service.requireOpen();
    const Alias = checkAlias(alias);
    await this.#service.call("UpdateAlias", { KeyId: await this.#keyId(keyId, options), Alias }, options);
    this.#service.names.forgetAliases();
  }

  async updateDescription(keyId: string, description: string, options?: CallOptions): Promise<void> {
    this.#service.requireOpen();
    const Description = checkDescription(description);
    const KeyId = await this.#keyId(keyId, options);
    await this.#service.call("UpdateKeyDescription", { KeyId, Description }, options);
  }

  async scheduleKeyDeletion(
    keyId: string,
    pendingWindowDays: number,
    options?: CallOptions,
  ): Promise<{ readonly deletionAtMs: number }> {
    this.#service.requireOpen();
    const PendingWindowInDays = checkWholeNumber(
      "pendingWindowDays",
      pendingWindowDays,
      MIN_PENDING_WINDOW_DAYS,
      MAX_PENDING_WINDOW_DAYS,
    );
    const KeyId = await this.#keyId(keyId, options);
    const answer = await this.#service.call("ScheduleKeyDeletion", { KeyId, PendingWindowInDays }, options);
    if (answer.KeyId !== undefined) requireKey("ScheduleKeyDeletion", answer.KeyId, KeyId);
    return { deletionAtMs: timeIn("ScheduleKeyDeletion", "DeletionDate", answer.DeletionDate) };
  }

  async cancelKeyDeletion(keyId: string, options?: CallOptions): Promise<void> {
    await this.#change("CancelKeyDeletion", keyId, options);
  }

  async enableKeyRotation(keyId: string, periodDays: number, options?: CallOptions): Promise<void> {
    this.#service.requireOpen();
    const RotateDays = checkWholeNumber("periodDays", periodDays, MIN_ROTATION_DAYS, MAX_ROTATION_DAYS);
    const KeyId = await this.#keyId(keyId, options);
    await this.#service.call("EnableKeyRotation", { KeyId, RotateDays }, options);
  }

  async disableKeyRotation(keyId: string, options?: CallOptions): Promise<void> {
    await this.#change("DisableKeyRotation", keyId, options);
  }

  async archiveKey(keyId: string, options?: CallOptions): Promise<void> {
    await this.#change("ArchiveKey", keyId, options);
  }

  async cancelKeyArchive(keyId: string, options?: CallOptions): Promise<void> {
    await this.#change("CancelKeyArchive", keyId, options);
  }

  async getParametersForImport(
    keyId: string,
    wrappingAlgorithm: ImportWrappingAlgorithm,
    options?: CallOptions,
  ): Promise<ImportParameters> {
    this.#service.requireOpen();
    if (!IMPORT_WRAPPINGS.includes(wrappingAlgorithm)) {
      throw notSupported("getParametersForImport", `it wraps with ${IMPORT_WRAPPINGS.join(", ")}`);
    }
    const KeyId = await this.#keyId(keyId, options);
    const params = { KeyId, WrappingAlgorithm: wrappingAlgorithm, WrappingKeySpec: "RSA_2048" };
    const answer = await this.#service.call("GetParametersForImport", params, options);
    requireKey("GetParametersForImport", answer.KeyId, KeyId);
    return importParametersIn(answer);
  }

  async importKeyMaterial(request: ImportKeyMaterialRequest, options?: CallOptions): Promise<void> {
    this.#service.requireOpen();
    const material = importOf(request);
    const KeyId = await this.#keyId(request.keyId, options);
    await this.#service.call("ImportKeyMaterial", { KeyId, ...material }, options);
  }

  async deleteImportedKeyMaterial(keyId: string, options?: CallOptions): Promise<void> {
    await this.#change("DeleteImportedKeyMaterial", keyId, options);
  }

  async close(): Promise<void> {
    await this.#service.close();
  }

  #keyId(reference: string, options: Options): Promise<string> {
    return this.#service.keyId(reference, options, 0);
  }

  async #change(action: KeyAction, reference: string, options: Options): Promise<void> {
    await this.#service.call(action, { KeyId: await this.#keyId(reference, options) }, options);
  }

  async #describe(keyId: string, options: Options): Promise<KeyDescription> {
    const { KeyMetadata } = await this.#service.call("DescribeKey", { KeyId: keyId }, options);
    requireKey("DescribeKey", KeyMetadata?.KeyId, keyId);
    return describeKey("DescribeKey", KeyMetadata);
  }

  /** What was made must not be lost because it could not be looked at, nor because the caller left meanwhile. */
  async #describeNew(keyId: string, options: Options): Promise<KeyDescription> {
    try {
      return await this.#describe(keyId, options);
    } catch (cause) {
      throw new FengniError(
        "ERR_UNAVAILABLE",
        `the key ${keyId} was made, but cannot be described: do not make another`,
        { cause },
      );
    }
  }

  /** The caller is told that the key is not what it asked for; that it could not be taken away as well would not help. */
  async #discard(keyId: string): Promise<void> {
    try {
      await this.#service.call("DisableKey", { KeyId: keyId }, undefined);
      await this.scheduleKeyDeletion(keyId, MIN_PENDING_WINDOW_DAYS);
    } catch {
      // It stays, enabled or disabled, and costs what a key costs.
    }
  }
}
