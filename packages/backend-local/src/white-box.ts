// The operations on white-box keys: keys for devices that decrypt on their own. In this KMS they are not obfuscated, and must not
// be trusted to devices that others control. It must not know stores, nor how a key is handed out or encrypts.
import { FengniError } from "@fengni/core";
import { assertBytes, wipe } from "@fengni/crypto/bytes";
import { randomBytes } from "@fengni/crypto/random";
import { SecretBytes } from "@fengni/crypto/secret";
import type { EmptyRequest, LocalCallOptions } from "./access.js";
import { checkOwnedAlias } from "./aliases.js";
import {
  checkBytes,
  checkCount,
  checkDescription,
  checkFields,
  MAX_LIST_LIMIT,
  MAX_PLAINTEXT_BYTES,
  rangeError,
} from "./checks.js";
import { checkBatch, checkTagFilters, checkTags, type TagFilter } from "./checks-lists.js";
import { createId } from "./keys.js";
import type { DeviceFingerprint, Tags, WhiteBoxKeyRecord } from "./records.js";
import type { Room } from "./room.js";
import { checkAlgorithm, encryptCbc, WHITE_BOX_IV_BYTES } from "./white-box-cipher.js";
import {
  deviceDigest,
  formatWhiteBoxContainer,
  WHITE_BOX_KEY_BYTES,
  type WhiteBoxAlgorithm,
} from "./white-box-container.js";
import {
  changeWhiteBoxKeys,
  checkFingerprints,
  describeWhiteBoxRecord,
  inState,
  MAX_WHITE_BOX_BATCH,
  requireDisabled,
  requireEnabled,
  type WhiteBoxKeyMetadata,
} from "./white-box-lifecycle.js";

/** Names one white-box key, by id or alias. */
export interface WhiteBoxKeyRequest {
  readonly keyId: string;
}

/** Names 1 to 50 white-box keys, by id or alias, each once. */
export interface WhiteBoxKeysRequest {
  readonly keyIds: readonly string[];
}

/** Asks for a new white-box key. */
export interface CreateWhiteBoxKeyRequest {
  /** As that of a user's key; unique among the white-box keys of the region. */
  readonly alias: string;
  readonly algorithm: WhiteBoxAlgorithm;
  /** At most 1,024 bytes of UTF-8. */
  readonly description?: string;
  readonly tags?: Tags;
}

/** A new white-box key in both forms. Neither is obfuscated: each holds the key, which encrypts and decrypts. */
export interface CreateWhiteBoxKeyResult {
  readonly keyId: string;
  /** Opaque; the caller wipes it. */
  readonly encryptKey: Uint8Array;
  /** Opaque; `whiteBoxDecrypt` takes it. The caller wipes it. */
  readonly decryptKey: Uint8Array;
}

/** Asks for white-box keys, oldest first. */
export interface DescribeWhiteBoxKeyDetailsRequest {
  /** Only keys in this state. */
  readonly state?: WhiteBoxKeyRecord["state"];
  /** How many to pass over; default 0. */
  readonly offset?: number;
  /** 1 to 200, or 0, the default, for all at once. */
  readonly limit?: number;
  /** Only keys that all of these fit. */
  readonly tagFilters?: readonly TagFilter[];
}

/** White-box keys, and how many there are on all pages. */
export interface DescribeWhiteBoxKeyDetailsResult {
  readonly keys: readonly WhiteBoxKeyMetadata[];
  readonly total: number;
}

/** Asks to encrypt a few bytes under a white-box key. */
export interface EncryptByWhiteBoxRequest {
  readonly keyId: string;
  /** 1 to 4,096 bytes. */
  readonly plaintext: Uint8Array;
  /** 16 bytes, never used twice with one key; default: random. */
  readonly initializationVector?: Uint8Array;
}

/** What `encryptByWhiteBox` gave. */
export interface EncryptByWhiteBoxResult {
  readonly keyId: string;
  readonly initializationVector: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** Asks to bind a decryption key to devices. */
export interface OverwriteWhiteBoxDeviceFingerprintsRequest {
  readonly keyId: string;
  /** All of them, at most 200, each identity once; an empty list lets every device. */
  readonly deviceFingerprints: readonly DeviceFingerprint[];
}

/**
 * What can be done with white-box keys. Every operation rejects with `ERR_KEY_NOT_FOUND` for a key that is not there, and
 * `ERR_DENIED` for a caller that may not do it.
 */
export interface WhiteBoxOperations {
  /**
   * Makes a white-box key. What it gives is the key itself in an unprotected container, not an obfuscated form: keep
   * `decryptKey` as secret as a key.
   * @throws FengniError `ERR_CONFLICT` with the reason `alias-exists` when another white-box key has the alias
   */
  createWhiteBoxKey(request: CreateWhiteBoxKeyRequest, options?: LocalCallOptions): Promise<CreateWhiteBoxKeyResult>;
  describeWhiteBoxKey(request: WhiteBoxKeyRequest, options?: LocalCallOptions): Promise<WhiteBoxKeyMetadata>;
  describeWhiteBoxKeyDetails(
    request?: DescribeWhiteBoxKeyDetailsRequest,
    options?: LocalCallOptions,
  ): Promise<DescribeWhiteBoxKeyDetailsResult>;
  /** The decryption key again, bound to the devices that are registered now. It holds the key in clear; the caller wipes it. */
  describeWhiteBoxDecryptKey(
    request: WhiteBoxKeyRequest,
    options?: LocalCallOptions,
  ): Promise<{ readonly keyId: string; readonly decryptKey: Uint8Array }>;
  /** Whether there are white-box keys in this KMS: always. */
  describeWhiteBoxServiceStatus(
    request?: EmptyRequest,
    options?: LocalCallOptions,
  ): Promise<{ readonly isEnabled: boolean }>;
  enableWhiteBoxKey(request: WhiteBoxKeyRequest, options?: LocalCallOptions): Promise<void>;
  /** @throws FengniError `ERR_CONFLICT` with the reason `duplicate-id`, `ERR_LIMIT` for more than 50 */
  enableWhiteBoxKeys(request: WhiteBoxKeysRequest, options?: LocalCallOptions): Promise<void>;
  /** It encrypts nothing more until it is enabled. Decryption keys that were handed out go on. */
  disableWhiteBoxKey(request: WhiteBoxKeyRequest, options?: LocalCallOptions): Promise<void>;
  /** @throws FengniError as {@link enableWhiteBoxKeys} */
  disableWhiteBoxKeys(request: WhiteBoxKeysRequest, options?: LocalCallOptions): Promise<void>;
  /** At once and for ever. @throws FengniError `ERR_KEY_STATE` with the reason `state-not-supported` unless it is disabled */
  deleteWhiteBoxKey(request: WhiteBoxKeyRequest, options?: LocalCallOptions): Promise<void>;
  /**
   * Encrypts in CBC with PKCS#7 padding (NIST SP 800-38A section 6.2, GB/T 17964-2021). Nothing is authenticated.
   * @returns new buffers; `whiteBoxDecrypt` opens them
   * @throws FengniError `ERR_LIMIT` for a longer plaintext, `ERR_KEY_STATE` with the reason `key-disabled`
   */
  encryptByWhiteBox(request: EncryptByWhiteBoxRequest, options?: LocalCallOptions): Promise<EncryptByWhiteBoxResult>;
  describeWhiteBoxDeviceFingerprints(
    request: WhiteBoxKeyRequest,
    options?: LocalCallOptions,
  ): Promise<{ readonly keyId: string; readonly deviceFingerprints: readonly DeviceFingerprint[] }>;
  /**
   * Replaces the devices that decryption keys are bound to from now on; those that were handed out stay as they are.
   * @throws FengniError `ERR_LIMIT` with the limit `device fingerprints`, `ERR_CONFLICT` with the reason `duplicate-id`
   */
  overwriteWhiteBoxDeviceFingerprints(
    request: OverwriteWhiteBoxDeviceFingerprintsRequest,
    options?: LocalCallOptions,
  ): Promise<void>;
}

/** Makes the group over what all operations share. */
export function whiteBoxOperations(room: Room): WhiteBoxOperations {
  return { ...useOperations(room), ...stateOperations(room), ...describeOperations(room) };
}

type UseOperations = Pick<WhiteBoxOperations, "createWhiteBoxKey" | "encryptByWhiteBox">;

function useOperations(room: Room): UseOperations {
  return {
    async createWhiteBoxKey(request, options) {
      checkFields("createWhiteBoxKey", request, ["alias", "algorithm", "description", "tags"]);
      const { description = "" } = request;
      const parts = {
        name: checkOwnedAlias(request.alias, "user"),
        algorithm: checkAlgorithm(request.algorithm),
        description: checkDescription(description),
        tags: checkTags(request.tags),
      };
      const region = room.region(options);
      const creator = room.caller(options).id;
      await room.authorize("createWhiteBoxKey", options, { kind: "white-box-key", tags: parts.tags });
      const containers: Uint8Array[] = [];
      try {
        return await room.change(options, (records, nowMs) => {
          if (records.findName("white-box-key", region, parts.name) !== undefined) throw aliasExists(parts.name);
          const id = createId();
          const sequence = records.nextSequence();
          const fixed = { kind: "white-box-key", region, state: "enabled", fingerprints: [] } as const;
          const record: WhiteBoxKeyRecord = { ...fixed, id, sequence, createdAtMs: nowMs, creator, ...parts };
          const key = randomBytes(WHITE_BOX_KEY_BYTES[record.algorithm]);
          const encryptKey = containerOf("encrypt", record, key);
          const decryptKey = containerOf("decrypt", record, key);
          containers.push(encryptKey, decryptKey);
          records.put(record);
          records.putSecret(record, 1, new SecretBytes(key));
          return { keyId: id, encryptKey, decryptKey };
        });
      } catch (error) {
        // They hold the key, which nobody has when the change failed.
        wipe(...containers);
        throw error;
      }
    },

    async encryptByWhiteBox(request, options) {
      checkFields("encryptByWhiteBox", request, ["keyId", "plaintext", "initializationVector"]);
      checkBytes("plaintext", request.plaintext, MAX_PLAINTEXT_BYTES, "encrypt it in parts");
      const given = request.initializationVector;
      if (given !== undefined) assertBytes(given, "initializationVector", WHITE_BOX_IV_BYTES);
      const initializationVector = given === undefined ? randomBytes(WHITE_BOX_IV_BYTES) : Uint8Array.from(given);
      const plaintext = Uint8Array.from(request.plaintext);
      try {
        const { region, id } = await room.resource("white-box-key", "encryptByWhiteBox", request.keyId, options);
        const record = room.current("white-box-key", region, id);
        requireEnabled(record, "encryptByWhiteBox");
        const key = room.secret(record, 1).bytes();
        const ciphertext = await encryptCbc(record.algorithm, key, initializationVector, plaintext);
        return { keyId: record.id, initializationVector, ciphertext };
      } finally {
        plaintext.fill(0);
      }
    },
  };
}

type StateOperations = Pick<
  WhiteBoxOperations,
  | "enableWhiteBoxKey"
  | "enableWhiteBoxKeys"
  | "disableWhiteBoxKey"
  | "disableWhiteBoxKeys"
  | "deleteWhiteBoxKey"
  | "overwriteWhiteBoxDeviceFingerprints"
>;

function stateOperations(room: Room): StateOperations {
  return {
    async enableWhiteBoxKey(request, options) {
      checkFields("enableWhiteBoxKey", request, ["keyId"]);
      await changeWhiteBoxKeys(room, "enableWhiteBoxKey", [request.keyId], options, (record) =>
        inState(record, "enabled"),
      );
    },

    async enableWhiteBoxKeys(request, options) {
      const keyIds = batchOf("enableWhiteBoxKeys", request);
      await changeWhiteBoxKeys(room, "enableWhiteBoxKeys", keyIds, options, (record) => inState(record, "enabled"));
    },

    async disableWhiteBoxKey(request, options) {
      checkFields("disableWhiteBoxKey", request, ["keyId"]);
      await changeWhiteBoxKeys(room, "disableWhiteBoxKey", [request.keyId], options, (record) =>
        inState(record, "disabled"),
      );
    },

    async disableWhiteBoxKeys(request, options) {
      const keyIds = batchOf("disableWhiteBoxKeys", request);
      await changeWhiteBoxKeys(room, "disableWhiteBoxKeys", keyIds, options, (record) => inState(record, "disabled"));
    },

    async deleteWhiteBoxKey(request, options) {
      checkFields("deleteWhiteBoxKey", request, ["keyId"]);
      await changeWhiteBoxKeys(room, "deleteWhiteBoxKey", [request.keyId], options, (record) => {
        requireDisabled(record, "deleteWhiteBoxKey");
        return undefined;
      });
    },

    async overwriteWhiteBoxDeviceFingerprints(request, options) {
      const operation = "overwriteWhiteBoxDeviceFingerprints";
      checkFields(operation, request, ["keyId", "deviceFingerprints"]);
      const fingerprints = checkFingerprints(request.deviceFingerprints);
      await changeWhiteBoxKeys(room, operation, [request.keyId], options, (record) => ({ ...record, fingerprints }));
    },
  };
}

type DescribeOperations = Omit<WhiteBoxOperations, keyof UseOperations | keyof StateOperations>;

function describeOperations(room: Room): DescribeOperations {
  return {
    async describeWhiteBoxKey(request, options) {
      checkFields("describeWhiteBoxKey", request, ["keyId"]);
      const record = await room.resource("white-box-key", "describeWhiteBoxKey", request.keyId, options);
      return describeWhiteBoxRecord(record);
    },

    async describeWhiteBoxKeyDetails(request = {}, options) {
      checkFields("describeWhiteBoxKeyDetails", request, ["state", "offset", "limit", "tagFilters"]);
      const { state, offset = 0, limit = 0 } = request;
      if (state !== undefined && state !== "enabled" && state !== "disabled") {
        throw rangeError('state expected "enabled" or "disabled"');
      }
      checkCount("offset", offset, 0, Number.MAX_SAFE_INTEGER);
      checkCount("limit", limit, 0, MAX_LIST_LIMIT);
      const tags = checkTagFilters(request.tagFilters);
      await room.authorize("describeWhiteBoxKeyDetails", options);
      const { records, total } = (await room.settledView(options)).query({
        kind: "white-box-key",
        region: room.region(options),
        order: "oldest-first",
        offset,
        limit: limit === 0 ? NO_PAGING : limit,
        tags,
        ...(state === undefined ? {} : { equals: { state } }),
      });
      return { keys: records.map(describeWhiteBoxRecord), total };
    },

    async describeWhiteBoxDecryptKey(request, options) {
      checkFields("describeWhiteBoxDecryptKey", request, ["keyId"]);
      const operation = "describeWhiteBoxDecryptKey";
      const { region, id } = await room.resource("white-box-key", operation, request.keyId, options);
      const record = room.current("white-box-key", region, id);
      const key = room.secret(record, 1).bytes();
      return { keyId: record.id, decryptKey: containerOf("decrypt", record, key) };
    },

    async describeWhiteBoxServiceStatus(request = {}, options) {
      checkFields("describeWhiteBoxServiceStatus", request, []);
      await room.authorize("describeWhiteBoxServiceStatus", options);
      return { isEnabled: true };
    },

    async describeWhiteBoxDeviceFingerprints(request, options) {
      const operation = "describeWhiteBoxDeviceFingerprints";
      checkFields(operation, request, ["keyId"]);
      const { id, fingerprints } = await room.resource("white-box-key", operation, request.keyId, options);
      return { keyId: id, deviceFingerprints: fingerprints.map((fingerprint) => ({ ...fingerprint })) };
    },
  };
}

/** More than any store holds. */
const NO_PAGING = 2 ** 31 - 1;

function batchOf(where: string, request: WhiteBoxKeysRequest): readonly string[] {
  checkFields(where, request, ["keyIds"]);
  return checkBatch("keyIds", request.keyIds, MAX_WHITE_BOX_BATCH);
}

function containerOf(role: "encrypt" | "decrypt", record: WhiteBoxKeyRecord, key: Uint8Array): Uint8Array {
  const { algorithm, id: keyId, fingerprints } = record;
  const devices = role === "decrypt" ? fingerprints.map(({ identity }) => deviceDigest(identity)) : [];
  return formatWhiteBoxContainer({ role, algorithm, keyId, key, devices });
}

function aliasExists(alias: string): FengniError<"ERR_CONFLICT"> {
  return new FengniError("ERR_CONFLICT", `the alias "${alias}" is in use: choose another`, {
    details: { name: alias, reason: "alias-exists" },
  });
}
