// What is kept of branch keys, in wrapped form: the record, the interface of a place for records, and one in memory. It must not
// know how a version is wrapped.
import { bytesToHex, equalBytes } from "@fengni/crypto/bytes";
import { argumentError } from "./errors.js";
import type { CallOptions } from "./provider.js";
import type { EncryptedDataKey } from "./wrapping-key.js";

/** One version of a branch key, wrapped; nothing of it is secret. */
export interface BranchKeyRecord {
  readonly branchKeyId: string;
  /** 16 bytes. */
  readonly version: Uint8Array;
  /** When it was made, in milliseconds since the Unix epoch; not authenticated. */
  readonly createdAtMs: number;
  /** The material, wrapped under a context that names branch key and version. */
  readonly encryptedDataKey: EncryptedDataKey;
  /** Whether it seals new messages; not authenticated. */
  readonly active: boolean;
}

/**
 * Keeps records of branch keys. Each method happens at once or not at all, also between processes, and what it answered is kept
 * through a crash. Of the versions of a branch key exactly one is active. Records that are given and taken are not shared:
 * neither side changes the other's by changing its own.
 */
export interface BranchKeyRecords {
  /** The active version; undefined for an unknown id. */
  getActive(branchKeyId: string, options?: CallOptions): Promise<BranchKeyRecord | undefined>;
  /** One version; undefined when there is none. */
  getVersion(branchKeyId: string, version: Uint8Array, options?: CallOptions): Promise<BranchKeyRecord | undefined>;
  /** All versions, the oldest first; none for an unknown id. */
  list(branchKeyId: string, options?: CallOptions): Promise<readonly BranchKeyRecord[]>;
  /**
   * Adds a version and makes it the active one, if the active one still is `expected` (undefined: if there is none yet).
   * @returns false when it is not, or when the version is there already; nothing was changed then
   */
  activate(
    record: Omit<BranchKeyRecord, "active">,
    expected: Uint8Array | undefined,
    options?: CallOptions,
  ): Promise<boolean>;
  /**
   * Replaces the wrapped form of a version, if its ciphertext still is that of `expected`.
   * @returns false when it is not, or there is no such version; nothing was changed then
   */
  replace(
    branchKeyId: string,
    version: Uint8Array,
    expected: EncryptedDataKey,
    replacement: EncryptedDataKey,
    options?: CallOptions,
  ): Promise<boolean>;
}

interface Kept {
  /** Version in hexadecimal digits. */
  active: string;
  readonly versions: Map<string, Omit<BranchKeyRecord, "active">>;
}

/** Keeps records in memory, for tests and for branch keys that need not outlive the process. */
export function memoryBranchKeyRecords(): BranchKeyRecords {
  const all = new Map<string, Kept>();
  const recordOf = (kept: Kept, name: string): BranchKeyRecord | undefined => {
    const record = kept.versions.get(name);
    return record === undefined ? undefined : { ...copied(record), active: name === kept.active };
  };
  return {
    async getActive(branchKeyId, options) {
      options?.signal?.throwIfAborted();
      const kept = all.get(branchKeyId);
      return kept === undefined ? undefined : recordOf(kept, kept.active);
    },
    async getVersion(branchKeyId, version, options) {
      options?.signal?.throwIfAborted();
      const kept = all.get(branchKeyId);
      return kept === undefined ? undefined : recordOf(kept, bytesToHex(version));
    },
    async list(branchKeyId, options) {
      options?.signal?.throwIfAborted();
      const kept = all.get(branchKeyId);
      if (kept === undefined) return [];
      return [...kept.versions].map(([name, record]) => ({ ...copied(record), active: name === kept.active }));
    },
    async activate(record, expected, options) {
      options?.signal?.throwIfAborted();
      const name = bytesToHex(record.version);
      const kept = all.get(record.branchKeyId);
      if (kept?.active !== (expected === undefined ? undefined : bytesToHex(expected))) return false;
      if (kept === undefined)
        all.set(record.branchKeyId, { active: name, versions: new Map([[name, copied(record)]]) });
      else {
        if (kept.versions.has(name)) return false;
        kept.versions.set(name, copied(record));
        kept.active = name;
      }
      return true;
    },
    async replace(branchKeyId, version, expected, replacement, options) {
      options?.signal?.throwIfAborted();
      const name = bytesToHex(version);
      const versions = all.get(branchKeyId)?.versions;
      const record = versions?.get(name);
      if (record === undefined || !equalBytes(record.encryptedDataKey.ciphertext, expected.ciphertext)) return false;
      versions?.set(name, copied({ ...record, encryptedDataKey: replacement }));
      return true;
    },
  };
}

function copied({
  branchKeyId,
  version,
  createdAtMs,
  encryptedDataKey: { providerId, providerInfo, ciphertext },
}: Omit<BranchKeyRecord, "active">): Omit<BranchKeyRecord, "active"> {
  return {
    branchKeyId,
    version: Uint8Array.from(version),
    createdAtMs,
    encryptedDataKey: {
      providerId,
      providerInfo: Uint8Array.from(providerInfo),
      ciphertext: Uint8Array.from(ciphertext),
    },
  };
}

/** @throws TypeError `ERR_ARGUMENT` for an object that lacks a method */
export function checkRecords(records: BranchKeyRecords): BranchKeyRecords {
  const methods = ["getActive", "getVersion", "list", "activate", "replace"] as const;
  if (methods.every((method) => typeof records?.[method] === "function")) return records;
  throw argumentError("records expected a place for records of branch keys, such as memoryBranchKeyRecords()");
}
