// The lifecycle of the local KMS's keys. It must not know how keys are used, nor where they are kept.
import {
  type CallOptions,
  type CreateKeyRequest,
  FengniError,
  type KeyDescription,
  type ListKeysRequest,
  type ListKeysResult,
} from "@fengni/core";
import { SecretBytes } from "@fengni/crypto/secret";
import {
  checkAlias,
  checkCount,
  checkDescription,
  checkFields,
  checkText,
  DEFAULT_LIST_LIMIT,
  MAX_LIST_LIMIT,
  MAX_PENDING_WINDOW_DAYS,
  MIN_PENDING_WINDOW_DAYS,
  rangeError,
} from "./checks.js";
import type { KeyAccess } from "./key-access.js";
import { createKeyId, describeRecord, type KeyRecord, type KeyTable, symmetricSpec } from "./keys.js";
import { type Spec, specOf } from "./specs.js";
import { type StatefulOperation, stateAfter } from "./states.js";
import type { KeyTransaction } from "./store.js";

const DAY_MS = 24 * 60 * 60 * 1000;
const CURSOR = /^[1-9][0-9]{0,14}$/;

/**
 * Creates, describes and changes keys. Every method takes a key id or an alias where it takes `keyId`; every method rejects
 * with `ERR_CLOSED` after the KMS was closed and with the signal's reason when it was aborted before the change.
 */
export class KeyLifecycle {
  readonly #access: KeyAccess;

  constructor(access: KeyAccess) {
    this.#access = access;
  }

  /**
   * Makes a key with one version of fresh material; it is enabled.
   * @throws FengniError `ERR_CONFLICT` when another key has the alias, `ERR_NOT_SUPPORTED` for an unknown spec, `ERR_LIMIT`
   */
  async createKey(request: CreateKeyRequest = {}, options?: CallOptions): Promise<KeyDescription> {
    checkFields("createKey", request, ["keySpec", "alias", "description"]);
    options?.signal?.throwIfAborted();
    const keySpec = request.keySpec ?? "AES_256";
    const spec = specOf(checkText("keySpec", keySpec) as typeof keySpec);
    const alias = request.alias === undefined ? undefined : checkAlias(request.alias);
    const description = checkDescription(request.description ?? "");
    const keyId = createKeyId();
    return this.#withMaterial(spec, (material) =>
      this.#access.change(options, (keys, nowMs) => {
        if (alias !== undefined) requireFreeAlias(keys, alias, keyId);
        const record: KeyRecord = {
          keyId,
          sequence: keys.nextSequence(),
          keySpec,
          state: "enabled",
          createdAtMs: nowMs,
          ...(alias === undefined ? {} : { alias }),
          description,
          versions: [{ material, createdAtMs: nowMs }],
        };
        keys.put(record);
        return describeRecord(record);
      }),
    );
  }

  /** What is known of a key. @throws FengniError `ERR_KEY_NOT_FOUND` */
  async describeKey(keyId: string, options?: CallOptions): Promise<KeyDescription> {
    return describeRecord(await this.#access.find(keyId, options));
  }

  /**
   * The keys in the order of their creation, in pages.
   * @throws FengniError `ERR_LIMIT`; RangeError `ERR_ARGUMENT` for a cursor that no page gave
   */
  async listKeys(request: ListKeysRequest = {}, options?: CallOptions): Promise<ListKeysResult> {
    checkFields("listKeys", request, ["limit", "cursor"]);
    options?.signal?.throwIfAborted();
    const limit = checkCount("limit", request.limit ?? DEFAULT_LIST_LIMIT, 1, MAX_LIST_LIMIT);
    const cursor = checkText("cursor", request.cursor ?? "");
    if (cursor !== "" && !CURSOR.test(cursor)) throw rangeError('cursor expected the "next" of the page before');
    // One more than asked for tells whether there is another page.
    const records = await this.#access.list(Number(cursor), limit + 1, options);
    const keys = records.slice(0, limit).map(describeRecord);
    return records.length > limit ? { keys, next: String(records[limit - 1]?.sequence) } : { keys };
  }

  /** Lets a disabled key be used again. @throws FengniError `ERR_KEY_STATE`, `ERR_KEY_NOT_FOUND` */
  async enableKey(keyId: string, options?: CallOptions): Promise<void> {
    await this.#transit("enableKey", keyId, options);
  }

  /** Forbids every use of a key. @throws FengniError `ERR_KEY_STATE`, `ERR_KEY_NOT_FOUND` */
  async disableKey(keyId: string, options?: CallOptions): Promise<void> {
    await this.#transit("disableKey", keyId, options);
  }

  /**
   * Adds a version of fresh material, which seals from now on; what older versions sealed opens for ever.
   * @throws FengniError `ERR_KEY_USAGE` for a key that is not symmetric, `ERR_KEY_STATE`, `ERR_KEY_NOT_FOUND`
   */
  async rotateKey(keyId: string, options?: CallOptions): Promise<void> {
    const found = await this.#access.find(keyId, options);
    // By its id from here on: an alias may become another key's in the meantime, of another spec.
    await this.#withMaterial(symmetricSpec(found), (material) =>
      this.#transit("rotateKey", found.keyId, options, (record, _keys, nowMs) => ({
        ...record,
        versions: [...record.versions, { material, createdAtMs: nowMs }],
        lastRotatedAtMs: nowMs,
      })),
    );
  }

  /** Sets a key's alias. @throws FengniError `ERR_CONFLICT`, `ERR_LIMIT`, `ERR_KEY_STATE`, `ERR_KEY_NOT_FOUND` */
  async updateAlias(keyId: string, alias: string, options?: CallOptions): Promise<void> {
    checkAlias(alias);
    await this.#transit("updateAlias", keyId, options, (record, keys) => {
      requireFreeAlias(keys, alias, record.keyId);
      return alias === record.alias ? record : { ...record, alias };
    });
  }

  /** Sets a key's description. @throws FengniError `ERR_LIMIT`, `ERR_KEY_STATE`, `ERR_KEY_NOT_FOUND` */
  async updateDescription(keyId: string, description: string, options?: CallOptions): Promise<void> {
    checkDescription(description);
    await this.#transit("updateDescription", keyId, options, (record) => ({ ...record, description }));
  }

  /**
   * Has a disabled key deleted, with all it ever sealed.
   * @param pendingWindowDays - 7 to 30
   * @returns the moment from which on there is no such key, in milliseconds since the Unix epoch
   * @throws FengniError `ERR_KEY_STATE`, `ERR_KEY_NOT_FOUND`, `ERR_LIMIT`
   */
  async scheduleKeyDeletion(
    keyId: string,
    pendingWindowDays: number,
    options?: CallOptions,
  ): Promise<{ readonly deletionAtMs: number }> {
    checkCount("pendingWindowDays", pendingWindowDays, MIN_PENDING_WINDOW_DAYS, MAX_PENDING_WINDOW_DAYS);
    const { deletionAtMs } = await this.#transit("scheduleKeyDeletion", keyId, options, (record, _keys, nowMs) => ({
      ...record,
      deletionAtMs: nowMs + pendingWindowDays * DAY_MS,
    }));
    return { deletionAtMs: deletionAtMs as number };
  }

  /** Keeps a key that was to be deleted; it is disabled. @throws FengniError `ERR_KEY_STATE`, `ERR_KEY_NOT_FOUND` */
  async cancelKeyDeletion(keyId: string, options?: CallOptions): Promise<void> {
    await this.#transit("cancelKeyDeletion", keyId, options, ({ deletionAtMs: _, ...record }) => record);
  }

  /** Moves one key to the state that the table gives, and applies `update` to it. */
  #transit(
    operation: StatefulOperation,
    reference: string,
    options: CallOptions | undefined,
    update: (record: KeyRecord, keys: KeyTransaction, nowMs: number) => KeyRecord = (record) => record,
  ): Promise<KeyRecord> {
    return this.#access.changeOne(reference, options, (record, keys, nowMs) => {
      const state = stateAfter(operation, record);
      const updated = update(record, keys, nowMs);
      return updated === record && state === record.state ? record : { ...updated, state };
    });
  }

  /** Gives fresh material to `use`, and wipes it when that fails. */
  async #withMaterial<Result>(spec: Spec, use: (material: SecretBytes) => Promise<Result>): Promise<Result> {
    const material = new SecretBytes(spec.generate());
    try {
      return await use(material);
    } catch (error) {
      material.wipe();
      throw error;
    }
  }
}

function requireFreeAlias(keys: KeyTable, alias: string, keyId: string): void {
  const holder = keys.findAlias(alias);
  if (holder === undefined || holder.keyId === keyId) return;
  throw new FengniError("ERR_CONFLICT", `the alias "${alias}" belongs to key ${holder.keyId}: choose another`, {
    details: { name: alias },
  });
}
