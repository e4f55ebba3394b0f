// The operations that bring key material from outside: parameters to wrap it with, the import itself, and its deletion. It must not
// know the bytes of a token, nor stores.
import {
  FengniError,
  type ImportKeyMaterialRequest,
  type ImportParameters,
  type ImportWrappingAlgorithm,
  isFengniError,
} from "@fengni/core";
import { assertBytes, bytesToHex, equalBytes, hexToBytes, wipe } from "@fengni/crypto/bytes";
import { hmac } from "@fengni/crypto/hash";
import { randomBytes } from "@fengni/crypto/random";
import { SecretBytes } from "@fengni/crypto/secret";
import type { LocalCallOptions } from "./access.js";
import { encryptionOf } from "./asymmetric.js";
import { checkCount, checkFields } from "./checks.js";
import { createImportToken, IMPORT_TOKEN_BYTES, importRecordId, parseImportToken } from "./import-token.js";
import { removeMaterial } from "./material.js";
import type { ImportRecord, KeyRecord } from "./records.js";
import { changeRecord, type Room } from "./room.js";
import { specOf } from "./specs.js";
import type { AsymmetricSpec } from "./specs-asymmetric.js";
import { stateAfter } from "./states.js";
import type { RecordTransaction, RecordView } from "./store.js";

/** For how long the parameters of an import are valid, in milliseconds: 24 hours. */
export const IMPORT_PARAMETERS_VALID_MS: number = 24 * 60 * 60 * 1000;
/** How many parameters of one key are valid at once; the oldest go first. */
export const MAX_IMPORT_PARAMETERS = 10;
/** The latest moment at which imported material may expire, in milliseconds since the Unix epoch. */
export const MAX_VALID_TO_MS = 2_147_443_200_000;

const WRAPPING_SPEC = "RSA_2048";
const WRAPPED_BYTES = 256;
const PRIVATE_HALF_SLOT = 1;
/** The only version of imported material. */
const MATERIAL_SLOT = 1;
/** Holds the key of the fingerprint for as long as the key lives; versions begin at 1. */
const FINGERPRINT_KEY_SLOT = 0;
const FINGERPRINT_KEY_BYTES = 32;

/** Asks for what an import needs. */
export interface GetParametersForImportRequest {
  readonly keyId: string;
  /** How the material will be wrapped. OAEP tells a wrong wrapping apart, PKCS#1 v1.5 does so by the length only. */
  readonly wrappingAlgorithm: ImportWrappingAlgorithm;
}

/** What an import needs. */
export type GetParametersForImportResult = ImportParameters;

/** Asks to delete imported material. */
export interface DeleteImportedKeyMaterialRequest {
  readonly keyId: string;
}

/** What can be done with keys whose material comes from outside; others reject with `ERR_KEY_USAGE`, reason `not-external-key`. */
export interface ImportOperations {
  /**
   * Gives a new public key of RSA-2048 to wrap material with, and the token that goes with it, both valid for 24 hours. Earlier
   * parameters stay valid, but of one key no more than 10 at once.
   * @throws FengniError `ERR_NOT_SUPPORTED` for an unknown wrapping algorithm
   */
  getParametersForImport(
    request: GetParametersForImportRequest,
    options?: LocalCallOptions,
  ): Promise<GetParametersForImportResult>;
  /**
   * Brings the material of a key: as many bytes as its spec has, wrapped by the public key of the parameters. It may be brought
   * again, to replace its validity or after it went, and must be the same then. Without `validToMs` it never expires. A key that
   * was disabled, archived or to be deleted when its material went is disabled or archived again, others are enabled. A token
   * serves until it expires.
   * @throws FengniError `ERR_KEY_INVALID` with a reason: `token-invalid` for a token of another key or none, `token-expired`,
   *   `material-undecryptable` for what does not unwrap to as many bytes, `material-mismatch` for other material than before;
   *   `ERR_LIMIT` for a `validToMs` above 2,147,443,200,000; RangeError `ERR_ARGUMENT` for one that is not later than now
   */
  importKeyMaterial(request: ImportKeyMaterialRequest, options?: LocalCallOptions): Promise<void>;
  /**
   * Deletes the material: the key waits for import again, and nothing opens until the same material is back. A key that is disabled
   * will be so then.
   */
  deleteImportedKeyMaterial(request: DeleteImportedKeyMaterialRequest, options?: LocalCallOptions): Promise<void>;
}

/** Makes the group over what all operations share. */
export function importOperations(room: Room): ImportOperations {
  return {
    async getParametersForImport(request, options) {
      checkFields("getParametersForImport", request, ["keyId", "wrappingAlgorithm"]);
      const { algorithm } = encryptionOf(WRAPPING_SPEC, request.wrappingAlgorithm);
      const { id, region } = await externalKey(room, "getParametersForImport", request.keyId, options);
      const spec = wrappingSpec();
      const privateHalf = await spec.generate();
      try {
        const publicKey = spec.importKey(privateHalf).publicKey();
        return await room.change(options, (records, nowMs) => {
          changeRecord(records, region, id, "getParametersForImport", nowMs);
          const validToMs = nowMs + IMPORT_PARAMETERS_VALID_MS;
          const importToken = createImportToken({ keyId: id, validToMs });
          const address = { kind: "import", region, id: importRecordId(importToken) } as const;
          removeOldest(records, region, id);
          const sequence = records.nextSequence();
          records.put({
            ...address,
            sequence,
            createdAtMs: nowMs,
            keyId: id,
            wrappingAlgorithm: algorithm,
            validToMs,
          });
          records.putSecret(address, PRIVATE_HALF_SLOT, new SecretBytes(Uint8Array.from(privateHalf)));
          return { keyId: id, importToken, publicKey, validToMs };
        });
      } finally {
        wipe(privateHalf);
      }
    },

    async importKeyMaterial(request, options) {
      checkFields("importKeyMaterial", request, ["keyId", "encryptedKeyMaterial", "importToken", "validToMs"]);
      const { validToMs } = request;
      if (validToMs !== undefined) checkCount("validToMs", validToMs, room.now() + 1, MAX_VALID_TO_MS);
      const wrapped = copyUpTo("encryptedKeyMaterial", request.encryptedKeyMaterial, WRAPPED_BYTES);
      const token = copyUpTo("importToken", request.importToken, IMPORT_TOKEN_BYTES);
      const record = await externalKey(room, "importKeyMaterial", request.keyId, options);
      const parameters = checkToken(await room.settledView(options), record, token, room.now());
      const material = await unwrap(room, parameters, wrapped, materialBytes(record));
      try {
        await room.change(options, (changed, nowMs) =>
          changeRecord(changed, record.region, record.id, "importKeyMaterial", nowMs, (newest, records) => {
            checkToken(records, newest, token, nowMs);
            return keepMaterial(records, newest, material, validToMs);
          }),
        );
      } finally {
        wipe(material);
      }
    },

    async deleteImportedKeyMaterial(request, options) {
      checkFields("deleteImportedKeyMaterial", request, ["keyId"]);
      const { id, region } = await externalKey(room, "deleteImportedKeyMaterial", request.keyId, options);
      await room.change(options, (changed, nowMs) =>
        changeRecord(changed, region, id, "deleteImportedKeyMaterial", nowMs, (newest, records) =>
          removeMaterial(records, newest),
        ),
      );
    },
  };
}

/** The external key that a reference names, when its state allows the operation. */
async function externalKey(
  room: Room,
  operation: "getParametersForImport" | "importKeyMaterial" | "deleteImportedKeyMaterial",
  reference: string,
  options: LocalCallOptions | undefined,
): Promise<KeyRecord> {
  const record = await room.key(operation, reference, options);
  if (record.origin !== "external") {
    throw new FengniError("ERR_KEY_USAGE", `key ${record.id} has material of this KMS: create an external key`, {
      details: { keyId: record.id, reason: "not-external-key" },
    });
  }
  stateAfter(operation, record);
  return record;
}

function wrappingSpec(): AsymmetricSpec {
  return specOf(WRAPPING_SPEC).asymmetric as AsymmetricSpec;
}

function materialBytes(record: KeyRecord): number {
  return specOf(record.keySpec).symmetric?.keyBytes ?? 0;
}

/** A copy of bytes of one length; of more, of as much as shows that they are too many. */
function copyUpTo(name: string, bytes: Uint8Array, length: number): Uint8Array {
  return Uint8Array.from(assertBytes(bytes, name).subarray(0, length + 1));
}

/** Makes room for one more among the parameters of a key. */
function removeOldest(records: RecordTransaction, region: string, keyId: string): void {
  const query = { kind: "import", region, order: "newest-first", equals: { keyId } } as const;
  const surplus = records.query({ ...query, offset: MAX_IMPORT_PARAMETERS - 1, limit: MAX_IMPORT_PARAMETERS });
  for (const parameters of surplus.records) records.remove(parameters);
}

/** The parameters that a token belongs to, while it is valid for a key. */
function checkToken(records: RecordView, { id, region }: KeyRecord, token: Uint8Array, nowMs: number): ImportRecord {
  const claims = parseImportToken(token);
  if (claims === undefined || claims.keyId !== id) throw tokenInvalid();
  // Before the record is looked for, which may be gone: to forge an expired token gains nothing.
  if (claims.validToMs <= nowMs) {
    throw keyInvalid("token-expired", "the import token expired: ask for new parameters");
  }
  const parameters = records.get("import", region, importRecordId(token));
  if (parameters === undefined || parameters.keyId !== id) throw tokenInvalid();
  return parameters;
}

/** The material, a new buffer. Nothing tells apart why it does not unwrap. */
async function unwrap(room: Room, parameters: ImportRecord, wrapped: Uint8Array, length: number): Promise<Uint8Array> {
  const key = room.privateKeys.ready(wrappingSpec(), room.secret(parameters, PRIVATE_HALF_SLOT));
  const { algorithm } = encryptionOf(WRAPPING_SPEC, parameters.wrappingAlgorithm);
  let material: Uint8Array | undefined;
  try {
    material = await key.decryptors?.[algorithm]?.(wrapped);
  } catch (error) {
    if (!isFengniError(error, "ERR_AUTHENTICATION")) throw error;
  }
  if (material?.length === length) return material;
  if (material !== undefined) wipe(material);
  throw keyInvalid(
    "material-undecryptable",
    `the wrapped key material does not open to ${length} bytes: wrap it by the algorithm and the public key of the parameters`,
  );
}

/** The record with the material, which is compared with what was imported first. */
function keepMaterial(
  records: RecordTransaction,
  record: KeyRecord,
  material: Uint8Array,
  validToMs: number | undefined,
): KeyRecord {
  const { validToMs: _, stateWithMaterial = "enabled", ...rest } = record;
  const importedFingerprint = fingerprint(records, record, material);
  // What is there already is the same, and stays: keys that were derived of it hang on its holder.
  if (record.versions === 0) records.putSecret(record, MATERIAL_SLOT, new SecretBytes(Uint8Array.from(material)));
  // Bringing the material back does not undo what was decided of the key.
  const state = record.state === "pending-import" ? stateWithMaterial : record.state;
  return { ...rest, state, versions: 1, importedFingerprint, ...(validToMs === undefined ? {} : { validToMs }) };
}

/** HMAC of the material under a secret of the key, so that who reads the record can test no guess. */
function fingerprint(records: RecordTransaction, record: KeyRecord, material: Uint8Array): string {
  if (record.importedFingerprint === undefined) {
    records.putSecret(record, FINGERPRINT_KEY_SLOT, new SecretBytes(randomBytes(FINGERPRINT_KEY_BYTES)));
  }
  const key = records.secret(record, FINGERPRINT_KEY_SLOT).bytes();
  const fresh = hmac("sha256", key, material);
  if (record.importedFingerprint !== undefined && !equalBytes(fresh, hexToBytes(record.importedFingerprint))) {
    throw keyInvalid("material-mismatch", "the key had other material before: import the same bytes again");
  }
  return bytesToHex(fresh);
}

function tokenInvalid(): FengniError<"ERR_KEY_INVALID"> {
  return keyInvalid("token-invalid", "this is no import token of the key: give the one that its parameters came with");
}

function keyInvalid(reason: string, message: string): FengniError<"ERR_KEY_INVALID"> {
  return new FengniError("ERR_KEY_INVALID", message, { details: { reason } });
}
