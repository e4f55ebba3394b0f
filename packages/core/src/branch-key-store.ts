// A store of branch keys over wrapped records and a wrapping key (docs/branch-keys.md, "Records"). Each opening is one call of the
// wrapping key; whoever opens often puts a BranchKeyring before it. It must not know where records are kept.
import { bytesToHex, equalBytes, wipe } from "@fengni/crypto/bytes";
import { randomBytes } from "@fengni/crypto/random";
import {
  BRANCH_KEY_BYTES,
  BRANCH_KEY_VERSION_BYTES,
  type BranchKeyAdmin,
  type BranchKeyVersion,
  type BranchKeyVersionInfo,
  branchKeyConflict,
  branchKeyNotFound,
  checkBranchKeyVersion,
  encodeBranchKeyId,
} from "./branch-key.js";
import { nowMs } from "./branch-key-clock.js";
import { type BranchKeyRecord, type BranchKeyRecords, checkRecords } from "./branch-key-records.js";
import {
  AggregateUnwrapError,
  argumentError,
  authenticationError,
  FengniError,
  shown,
  type UnwrapAttempt,
} from "./errors.js";
import { checkOptions } from "./options.js";
import type { CallOptions, EncryptionContext } from "./provider.js";
import type { UnwrappingKey, WrappingKey } from "./wrapping-key.js";

/** How a store of branch keys over records is made. */
export interface BranchKeyStoreOptions {
  /**
   * Wraps new versions, and opens what it wrapped. It must bind the encryption context, and only those who are trusted may wrap with
   * it: a public key, as of `rawRsaKey`, does neither.
   */
  readonly wrappingKey: WrappingKey;
  /** Where the wrapped versions are kept. */
  readonly records: BranchKeyRecords;
  /** Open versions that the wrapping key did not wrap, such as its predecessor before a `rewrap`; tried after it, in this order. */
  readonly unwrappingKeys?: readonly UnwrappingKey[];
}

const PURPOSE = "branch-key";

/**
 * A store of branch keys over wrapped records. A version is wrapped under an encryption context that names its branch key, its
 * version and its purpose, so that a record that was given another name does not open, nor anything else that the wrapping key
 * wraps. Which version is active, whoever can write the records can choose among those there are.
 * @throws TypeError `ERR_ARGUMENT` for wrong options
 *
 * @example
 * const store = branchKeyStore({ wrappingKey: providerKey(provider, "tenants"), records: memoryBranchKeyRecords() });
 * await store.create("acme");
 */
export function branchKeyStore(options: BranchKeyStoreOptions): BranchKeyAdmin {
  checkOptions("branchKeyStore", options, ["wrappingKey", "records", "unwrappingKeys"]);
  const { wrappingKey, records, unwrappingKeys = [] } = options;
  if (typeof wrappingKey?.generateDataKey !== "function") throw argumentError("wrappingKey expected a wrapping key");
  if (!Array.isArray(unwrappingKeys) || unwrappingKeys.some((key) => typeof key?.unwrapDataKey !== "function")) {
    throw argumentError("unwrappingKeys expected a list of unwrapping keys");
  }
  return new RecordedBranchKeys(wrappingKey, checkRecords(records), [wrappingKey, ...unwrappingKeys]);
}

class RecordedBranchKeys implements BranchKeyAdmin {
  readonly #wrappingKey: WrappingKey;
  readonly #records: BranchKeyRecords;
  readonly #unwrappingKeys: readonly UnwrappingKey[];

  constructor(wrappingKey: WrappingKey, records: BranchKeyRecords, unwrappingKeys: readonly UnwrappingKey[]) {
    this.#wrappingKey = wrappingKey;
    this.#records = records;
    this.#unwrappingKeys = unwrappingKeys;
  }

  async getActive(branchKeyId: string, options?: CallOptions): Promise<BranchKeyVersion> {
    return this.#open(await this.#activeRecord(branchKeyId, options), options);
  }

  async getVersion(branchKeyId: string, version: Uint8Array, options?: CallOptions): Promise<BranchKeyVersion> {
    encodeBranchKeyId(branchKeyId);
    // A copy: the caller may go on with its own while this waits.
    const wanted = Uint8Array.from(checkBranchKeyVersion(version));
    const record = await this.#records.getVersion(branchKeyId, wanted, options);
    if (record === undefined) throw branchKeyNotFound(branchKeyId, bytesToHex(wanted));
    return this.#open(this.#checked(record, branchKeyId, wanted), options);
  }

  async create(branchKeyId: string, options?: CallOptions): Promise<BranchKeyVersionInfo> {
    encodeBranchKeyId(branchKeyId);
    // Before the wrapping key is asked for what would not be kept.
    const there = await this.#records.getActive(branchKeyId, options);
    if (there !== undefined) throw branchKeyConflict(branchKeyId, "is there already: rotate it, or choose another id");
    return this.#add(branchKeyId, undefined, options);
  }

  async rotate(branchKeyId: string, options?: CallOptions): Promise<BranchKeyVersionInfo> {
    const active = await this.#activeRecord(branchKeyId, options);
    return this.#add(branchKeyId, active.version, options);
  }

  async versions(branchKeyId: string, options?: CallOptions): Promise<readonly BranchKeyVersionInfo[]> {
    const records = await this.#allRecords(branchKeyId, options);
    return records.map(({ version, createdAtMs, active }) => ({ branchKeyId, version, createdAtMs, active }));
  }

  async rewrap(branchKeyId: string, options?: CallOptions): Promise<number> {
    const records = await this.#allRecords(branchKeyId, options);
    for (const record of records) {
      const { version, encryptedDataKey } = record;
      const { material } = await this.#open(record, options);
      try {
        const request = { dataKey: material, encryptionContext: contextOf(branchKeyId, version) };
        const replacement = await this.#wrappingKey.wrapDataKey(request, options);
        if (!(await this.#records.replace(branchKeyId, version, encryptedDataKey, replacement, options))) {
          throw branchKeyConflict(branchKeyId, "was wrapped anew by somebody else at the same time: try again");
        }
      } finally {
        wipe(material);
      }
    }
    return records.length;
  }

  async #add(
    branchKeyId: string,
    expected: Uint8Array | undefined,
    options: CallOptions | undefined,
  ): Promise<BranchKeyVersionInfo> {
    const version = randomBytes(BRANCH_KEY_VERSION_BYTES);
    const encryptionContext = contextOf(branchKeyId, version);
    const request = { dataKeyBytes: BRANCH_KEY_BYTES, encryptionContext };
    const { dataKey, encryptedDataKey } = await this.#wrappingKey.generateDataKey(request, options);
    const { length } = dataKey;
    wipe(dataKey);
    if (length !== BRANCH_KEY_BYTES) throw wrongLength(this.#wrappingKey);
    const createdAtMs = nowMs();
    const record = { branchKeyId, version, createdAtMs, encryptedDataKey };
    if (!(await this.#records.activate(record, expected, options))) {
      throw branchKeyConflict(
        branchKeyId,
        "was created or rotated by somebody else at the same time: use what is there",
      );
    }
    return { branchKeyId, version: Uint8Array.from(version), createdAtMs, active: true };
  }

  async #activeRecord(branchKeyId: string, options: CallOptions | undefined): Promise<BranchKeyRecord> {
    encodeBranchKeyId(branchKeyId);
    const record = await this.#records.getActive(branchKeyId, options);
    if (record === undefined) throw branchKeyNotFound(branchKeyId);
    return this.#checked(record, branchKeyId, record.version);
  }

  async #allRecords(branchKeyId: string, options: CallOptions | undefined): Promise<readonly BranchKeyRecord[]> {
    encodeBranchKeyId(branchKeyId);
    const records = await this.#records.list(branchKeyId, options);
    if (records.length === 0) throw branchKeyNotFound(branchKeyId);
    return records.map((record) => this.#checked(record, branchKeyId, record.version));
  }

  /** What a version is opened as is what was asked for, whatever the record says of itself. */
  #checked(record: BranchKeyRecord, branchKeyId: string, version: Uint8Array): BranchKeyRecord {
    const isRight =
      record.branchKeyId === branchKeyId &&
      record.version.length === BRANCH_KEY_VERSION_BYTES &&
      equalBytes(record.version, version);
    if (isRight) return record;
    throw new FengniError("ERR_STORE_DAMAGED", `the records of branch key ${shown(branchKeyId)} hold another's record`);
  }

  async #open(record: BranchKeyRecord, options: CallOptions | undefined): Promise<BranchKeyVersion> {
    const { branchKeyId, version, encryptedDataKey } = record;
    const encryptionContext = contextOf(branchKeyId, version);
    const request = { encryptedDataKey, dataKeyBytes: BRANCH_KEY_BYTES, encryptionContext };
    const attempts: UnwrapAttempt[] = [];
    for (const key of this.#unwrappingKeys) {
      options?.signal?.throwIfAborted();
      try {
        const material = await key.unwrapDataKey(request, options);
        if (material === undefined) continue;
        if (material.length === BRANCH_KEY_BYTES) return { branchKeyId, version, material };
        wipe(material);
        throw authenticationError();
      } catch (error) {
        options?.signal?.throwIfAborted();
        attempts.push({ providerId: encryptedDataKey.providerId, key: key.name, error });
      }
    }
    if (attempts.length > 0) throw new AggregateUnwrapError(attempts);
    const provider = shown(encryptedDataKey.providerId);
    throw new FengniError(
      "ERR_NO_MATCHING_KEY",
      `no configured key opens branch key ${shown(branchKeyId)}: it is wrapped by a key of ${provider}, add that to unwrappingKeys`,
      { details: { available: [provider] } },
    );
  }
}

/**
 * What a version is bound to. Callers of an Envelope cannot use keys of this prefix, so that no message's data key passes for a
 * branch key, nor the other way round.
 */
function contextOf(branchKeyId: string, version: Uint8Array): EncryptionContext {
  return {
    "fengni-branch-key-id": branchKeyId,
    "fengni-branch-key-version": bytesToHex(version),
    "fengni-purpose": PURPOSE,
  };
}

function wrongLength(key: WrappingKey): FengniError<"ERR_UNAVAILABLE"> {
  const what = "answered wrongly: it gave a data key of the wrong length";
  return new FengniError("ERR_UNAVAILABLE", `wrapping key ${shown(key.name)} ${what}`);
}
