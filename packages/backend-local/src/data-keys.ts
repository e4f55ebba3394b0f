// Data keys: made, imported, given out, and kept for their user in wrapped form when asked. It must not know how a hosted data key
// is described or changed (data-key-lifecycle.ts), nor how anything is sealed.
import type { EncryptionContext, KeyOrigin } from "@fengni/core";
import { assertBytes, base64ToBytes, bytesToBase64, wipe } from "@fengni/crypto/bytes";
import { randomBytes } from "@fengni/crypto/random";
import type { LocalCallOptions } from "./access.js";
import { parseBlob } from "./blob.js";
import {
  checkBytes,
  checkCount,
  checkFields,
  checkText,
  encodeContext,
  limitError,
  MAX_DATA_KEY_BYTES,
  rangeError,
} from "./checks.js";
import { dataKeyStateAfter } from "./data-key-states.js";
import { type DataKeyNaming, hostDataKey, namingOf } from "./hosted-data-keys.js";
import {
  checkFits,
  type DeliveredPlaintext,
  deliver,
  RECIPIENT_FIELDS,
  type RecipientRequest,
  recipientOf,
} from "./recipient.js";
import type { KeyRecord, Tags } from "./records.js";
import type { Room } from "./room.js";
import { anotherKey, openUnder, sealUnder } from "./sealing.js";
import { unknown } from "./specs.js";

/** Lengths of data keys by name. */
export type DataKeySpec = "AES_128" | "AES_256";

/** Asks for a new data key. Either `numberOfBytes` or `keySpec` is needed; `numberOfBytes` wins. */
export interface LocalGenerateDataKeyRequest extends RecipientRequest {
  /** Key id or alias of the wrapping key. */
  readonly keyId: string;
  readonly keySpec?: DataKeySpec;
  /** 1 to 1,024. */
  readonly numberOfBytes?: number;
  readonly encryptionContext?: EncryptionContext;
  /** Whether the KMS keeps the data key, in wrapped form; default false. */
  readonly isHostedByKms?: boolean;
  /** Needed for a hosted data key, as are the next two allowed: 1 to 60 characters as an alias, unique in its region. */
  readonly dataKeyName?: string;
  /** At most 100 bytes of UTF-8. */
  readonly description?: string;
  readonly tags?: Tags;
}

/** A new data key. */
export interface LocalGeneratedDataKey extends DeliveredPlaintext {
  /** Full id of the wrapping key. */
  readonly keyId: string;
  /** The data key wrapped; `decrypt` opens it under the same context. */
  readonly ciphertext: Uint8Array;
  /** Full id of the hosted data key. */
  readonly dataKeyId?: string;
}

/** Asks to keep a data key that was made elsewhere, or not kept when it was made. */
export interface ImportDataKeyRequest {
  readonly dataKeyName: string;
  /** `ciphertext`: what `generateDataKey` gave without a context; `plaintext`: the data key itself. */
  readonly importType: "ciphertext" | "plaintext";
  /** The data key has 1 to 1,024 bytes. */
  readonly importKeyMaterial: Uint8Array;
  /** Wrapping key; needed for a plaintext, and the one that a ciphertext must be of. */
  readonly keyId?: string;
  /** At most 100 bytes of UTF-8. */
  readonly description?: string;
  readonly tags?: Tags;
}

/** An imported data key. */
export interface ImportDataKeyResult {
  readonly keyId: string;
  readonly dataKeyId: string;
}

/** Asks for the plaintext of a hosted data key. */
export interface GetDataKeyPlaintextRequest extends RecipientRequest {
  /** Id or name. */
  readonly dataKeyId: string;
}

/** The plaintext of a hosted data key. */
export interface GetDataKeyPlaintextResult extends DeliveredPlaintext {
  readonly dataKeyId: string;
  readonly keyId: string;
}

/** Asks for the wrapped form of a hosted data key. */
export interface GetDataKeyCiphertextBlobRequest {
  /** Id or name. */
  readonly dataKeyId: string;
}

/** The wrapped form of a hosted data key. */
export interface GetDataKeyCiphertextBlobResult {
  readonly dataKeyId: string;
  readonly keyId: string;
  /** `decrypt` opens it without a context. */
  readonly ciphertext: Uint8Array;
}

/** How data keys come and are used. */
export interface DataKeyOperations {
  /**
   * Makes a data key and wraps it; keeps it when `isHostedByKms` says so. A hosted data key is kept in wrapped form only, without
   * the context.
   * @returns new buffers: the data key, which the caller wipes, or its ciphertext to the caller's public key; and its wrapped form
   * @throws FengniError `ERR_LIMIT` also for a data key that is too long for the public key, `ERR_CONFLICT` for a name that is in
   *   use, `ERR_NOT_SUPPORTED` for another spec, `ERR_KEY_NOT_FOUND`, `ERR_KEY_USAGE`, `ERR_KEY_STATE` for the wrapping key
   */
  generateDataKey(request: LocalGenerateDataKeyRequest, options?: LocalCallOptions): Promise<LocalGeneratedDataKey>;
  /**
   * Keeps a data key. A ciphertext must open without an encryption context, and is kept as it is.
   * @throws FengniError `ERR_CIPHERTEXT_INVALID`, `ERR_AUTHENTICATION`, `ERR_NO_MATCHING_KEY` for a ciphertext, and as
   *   {@link generateDataKey}
   */
  importDataKey(request: ImportDataKeyRequest, options?: LocalCallOptions): Promise<ImportDataKeyResult>;
  /**
   * Gives out a hosted data key. It must be enabled, and its wrapping key usable.
   * @returns the data key, a new buffer that the caller wipes, or its ciphertext to the caller's public key
   * @throws FengniError `ERR_KEY_NOT_FOUND` also when the wrapping key was deleted, `ERR_KEY_STATE` for either key, `ERR_LIMIT`
   */
  getDataKeyPlaintext(
    request: GetDataKeyPlaintextRequest,
    options?: LocalCallOptions,
  ): Promise<GetDataKeyPlaintextResult>;
  /** The wrapped form of a hosted data key, in every state. @throws FengniError `ERR_KEY_NOT_FOUND` */
  getDataKeyCiphertextBlob(
    request: GetDataKeyCiphertextBlobRequest,
    options?: LocalCallOptions,
  ): Promise<GetDataKeyCiphertextBlobResult>;
}

const SPEC_BYTES: ReadonlyMap<string, number> = /* @__PURE__ */ new Map<DataKeySpec, number>([
  ["AES_128", 16],
  ["AES_256", 32],
]);
const HOSTING_FIELDS = ["dataKeyName", "description", "tags"] as const;
const GENERATE_FIELDS = [
  "keyId",
  "keySpec",
  "numberOfBytes",
  "encryptionContext",
  "isHostedByKms",
  ...HOSTING_FIELDS,
  ...RECIPIENT_FIELDS,
];
const IMPORT_FIELDS = ["importType", "importKeyMaterial", "keyId", ...HOSTING_FIELDS];
const NO_CONTEXT: Uint8Array = /* @__PURE__ */ new Uint8Array(0);

/** Makes the group over what all operations share. */
export function dataKeyOperations(room: Room): DataKeyOperations {
  return {
    async generateDataKey(request, options) {
      checkFields("generateDataKey", request, GENERATE_FIELDS);
      const length = lengthOf(request);
      const context = encodeContext("encryptionContext", request.encryptionContext);
      const recipient = recipientOf(request);
      checkFits(length, recipient);
      const naming = hostingOf(request);
      const found = room.key("generateDataKey", request.keyId, options, naming?.tags);
      const record = found instanceof Promise ? await refreshed(room, found) : found;
      const plaintext = randomBytes(length);
      const { keyId, ciphertext, kept } = await wrap(room, record, context, plaintext, naming !== undefined);
      const delivered = recipient === undefined ? { plaintext } : await deliver(plaintext, recipient);
      if (naming === undefined) return { keyId, ...delivered, ciphertext };
      try {
        const content = { numberOfBytes: length, origin: "provider" as const, ciphertext: kept };
        const dataKeyId = await hostDataKey(room, "generateDataKey", record, { ...naming, ...content }, options);
        return { keyId, ...delivered, ciphertext, dataKeyId };
      } catch (error) {
        wipe(delivered.plaintext);
        throw error;
      }
    },

    async importDataKey(request, options) {
      checkFields("importDataKey", request, IMPORT_FIELDS);
      const naming = namingOf(request);
      const { importType } = request;
      const { bytes, keyId } = checkImport(importType, request);
      try {
        const record = await refreshed(room, room.key("importDataKey", keyId, options, naming.tags));
        const kept =
          importType === "plaintext"
            ? await sealUnder(room, "importDataKey", record, NO_CONTEXT, bytes)
            : await verified(room, record, bytes);
        const content = {
          numberOfBytes: importType === "plaintext" ? bytes.length : parseBlob(bytes).ciphertext.length,
          origin: "external" as KeyOrigin,
          ciphertext: bytesToBase64(kept),
        };
        const dataKeyId = await hostDataKey(room, "importDataKey", record, { ...naming, ...content }, options);
        return { keyId: record.id, dataKeyId };
      } finally {
        wipe(bytes);
      }
    },

    async getDataKeyPlaintext(request, options) {
      checkFields("getDataKeyPlaintext", request, ["dataKeyId", ...RECIPIENT_FIELDS]);
      const recipient = recipientOf(request);
      const { region, id } = await room.resource("data-key", "getDataKeyPlaintext", request.dataKeyId, options);
      const record = room.current("data-key", region, id);
      checkFits(record.numberOfBytes, recipient);
      dataKeyStateAfter("getDataKeyPlaintext", record);
      const wrappingKey = room.current("key", region, record.keyId);
      const blob = parseBlob(base64ToBytes(record.ciphertext));
      const plaintext = await openUnder(room, "getDataKeyPlaintext", wrappingKey, NO_CONTEXT, blob);
      return { dataKeyId: id, keyId: wrappingKey.id, ...(await deliver(plaintext, recipient)) };
    },

    async getDataKeyCiphertextBlob(request, options) {
      checkFields("getDataKeyCiphertextBlob", request, ["dataKeyId"]);
      const record = await room.resource("data-key", "getDataKeyCiphertextBlob", request.dataKeyId, options);
      dataKeyStateAfter("getDataKeyCiphertextBlob", record);
      return { dataKeyId: record.id, keyId: record.keyId, ciphertext: base64ToBytes(record.ciphertext) };
    },
  };
}

/** A key that was waited for, as it stands now. */
async function refreshed(room: Room, found: KeyRecord | Promise<KeyRecord>): Promise<KeyRecord> {
  const { region, id } = await found;
  return room.current("key", region, id);
}

function lengthOf({ keySpec, numberOfBytes }: LocalGenerateDataKeyRequest): number {
  const named = keySpec === undefined ? undefined : SPEC_BYTES.get(checkText("keySpec", keySpec));
  if (keySpec !== undefined && named === undefined) throw unknown("data key spec", keySpec, [...SPEC_BYTES.keys()]);
  if (numberOfBytes !== undefined) return checkCount("numberOfBytes", numberOfBytes, 1, MAX_DATA_KEY_BYTES);
  if (named === undefined) throw rangeError("generateDataKey expected numberOfBytes or keySpec");
  return named;
}

/** The name and so on of a data key that is to be kept; undefined for one that is not. */
function hostingOf(request: LocalGenerateDataKeyRequest): DataKeyNaming | undefined {
  const { isHostedByKms = false, dataKeyName } = request;
  if (typeof isHostedByKms !== "boolean") throw rangeError("isHostedByKms expected true or false");
  if (!isHostedByKms) {
    const field = HOSTING_FIELDS.find((name) => request[name] !== undefined);
    if (field === undefined) return undefined;
    throw rangeError(`${field} expected isHostedByKms beside it: a data key that is not kept has none`);
  }
  if (dataKeyName === undefined) throw rangeError("isHostedByKms expected a dataKeyName beside it");
  return namingOf({ ...request, dataKeyName });
}

/** Wraps a new data key; wipes it when that fails. `kept` is the form without a context, for a data key that is to be kept. */
async function wrap(
  room: Room,
  record: KeyRecord,
  context: Uint8Array,
  plaintext: Uint8Array,
  isHosted: boolean,
): Promise<{ keyId: string; ciphertext: Uint8Array; kept: string }> {
  try {
    const sealed = sealUnder(room, "generateDataKey", record, context, plaintext);
    const ciphertext = sealed instanceof Promise ? await sealed : sealed;
    if (!isHosted) return { keyId: record.id, ciphertext, kept: "" };
    const kept =
      context.length === 0 ? ciphertext : await sealUnder(room, "generateDataKey", record, NO_CONTEXT, plaintext);
    return { keyId: record.id, ciphertext, kept: bytesToBase64(kept) };
  } catch (error) {
    wipe(plaintext);
    throw error;
  }
}

/** The bytes of an import, copied, and the wrapping key that it names. */
function checkImport(
  importType: ImportDataKeyRequest["importType"],
  request: ImportDataKeyRequest,
): { bytes: Uint8Array; keyId: string } {
  const { importKeyMaterial, keyId } = request;
  if (importType === "plaintext") {
    if (keyId === undefined) throw rangeError('importType "plaintext" expected a keyId beside it');
    checkBytes("importKeyMaterial", importKeyMaterial, MAX_DATA_KEY_BYTES, "a data key is shorter");
    return { bytes: Uint8Array.from(importKeyMaterial), keyId };
  }
  if (importType !== "ciphertext") throw rangeError('importType expected "ciphertext" or "plaintext"');
  const blob = parseBlob(assertBytes(importKeyMaterial, "importKeyMaterial"));
  const { length } = blob.ciphertext;
  if (length > MAX_DATA_KEY_BYTES) throw limitError("data key length", MAX_DATA_KEY_BYTES, length, "it is no data key");
  return { bytes: Uint8Array.from(importKeyMaterial), keyId: keyId === undefined ? blob.keyId : keyId };
}

/** The ciphertext, once it is known to open. */
async function verified(room: Room, record: KeyRecord, ciphertext: Uint8Array): Promise<Uint8Array> {
  const blob = parseBlob(ciphertext);
  if (record.id !== blob.keyId) throw anotherKey(blob.keyId);
  wipe(await openUnder(room, "importDataKey", record, NO_CONTEXT, blob));
  return ciphertext;
}
