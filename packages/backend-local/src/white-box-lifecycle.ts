// The life of white-box keys and the devices that they are bound to. It must not know ciphers, nor how a key is handed out.
import { FengniError } from "@fengni/core";
import type { LocalCallOptions } from "./access.js";
import { argumentError, checkDescription, checkFields, checkText, limitError } from "./checks.js";
import { checkDistinct } from "./checks-lists.js";
import { keyNotFound } from "./keys.js";
import type { KmsOperation } from "./operations.js";
import type { DeviceFingerprint, Tags, WhiteBoxKeyRecord } from "./records.js";
import type { Room } from "./room.js";
import type { RecordTransaction } from "./store.js";
import { isDeviceIdentity, malformedIdentity } from "./white-box-cipher.js";
import { MAX_DEVICE_FINGERPRINTS, type WhiteBoxAlgorithm } from "./white-box-container.js";

/** Most keys of one batch. */
export const MAX_WHITE_BOX_BATCH = 50;

/** All that is told of a white-box key; never the key, in either of its forms. */
export interface WhiteBoxKeyMetadata {
  readonly keyId: string;
  readonly region: string;
  readonly alias: string;
  readonly algorithm: WhiteBoxAlgorithm;
  readonly state: WhiteBoxKeyRecord["state"];
  readonly description: string;
  /** Id of the caller that made it. */
  readonly creator: string;
  readonly createdAtMs: number;
  readonly tags: Tags;
  /** Whether its decryption key is bound to devices. */
  readonly isDeviceBound: boolean;
}

/** What callers may know of a white-box key. */
export function describeWhiteBoxRecord(record: WhiteBoxKeyRecord): WhiteBoxKeyMetadata {
  const { id, region, name = "", algorithm, state, description, creator, createdAtMs, tags } = record;
  const isDeviceBound = record.fingerprints.length > 0;
  return {
    keyId: id,
    region,
    alias: name,
    algorithm,
    state,
    description,
    creator,
    createdAtMs,
    tags: { ...tags },
    isDeviceBound,
  };
}

/**
 * Changes white-box keys at one stroke, once access to each is granted: one that refuses lets all stay as they were.
 * @param change - gives the record as it shall be, undefined to remove it, or refuses by throwing
 */
export async function changeWhiteBoxKeys(
  room: Room,
  operation: KmsOperation,
  references: readonly string[],
  options: LocalCallOptions | undefined,
  change: (record: WhiteBoxKeyRecord) => WhiteBoxKeyRecord | undefined,
): Promise<void> {
  const found: WhiteBoxKeyRecord[] = [];
  for (const reference of references) {
    found.push(await room.resource("white-box-key", operation, reference, options));
  }
  checkDistinct(
    "keyIds",
    found.map(({ id }) => id),
  );
  await room.change(options, (records) => {
    for (const { region, id } of found) changeRecord(records, region, id, change);
  });
}

function changeRecord(
  records: RecordTransaction,
  region: string,
  id: string,
  change: (record: WhiteBoxKeyRecord) => WhiteBoxKeyRecord | undefined,
): void {
  // It may have changed since it was found.
  const record = records.get("white-box-key", region, id);
  if (record === undefined) throw keyNotFound(id);
  const next = change(record);
  if (next === undefined) records.remove(record);
  else if (next !== record) records.put(next);
}

/** The record in another state; the same record when it is in it. */
export function inState(record: WhiteBoxKeyRecord, state: WhiteBoxKeyRecord["state"]): WhiteBoxKeyRecord {
  return record.state === state ? record : { ...record, state };
}

/** @throws FengniError `ERR_KEY_STATE` with the reason `key-disabled` unless the key is enabled */
export function requireEnabled(record: WhiteBoxKeyRecord, operation: KmsOperation): void {
  if (record.state === "enabled") return;
  throw wrongState(record, operation, "key-disabled", "enable it first");
}

/** @throws FengniError `ERR_KEY_STATE` with the reason `state-not-supported` unless the key is disabled */
export function requireDisabled(record: WhiteBoxKeyRecord, operation: KmsOperation): void {
  if (record.state === "disabled") return;
  throw wrongState(record, operation, "state-not-supported", "disable it first");
}

function wrongState(
  { id, state }: WhiteBoxKeyRecord,
  operation: KmsOperation,
  reason: string,
  advice: string,
): FengniError<"ERR_KEY_STATE"> {
  return new FengniError("ERR_KEY_STATE", `white-box key ${id} is ${state}, which forbids ${operation}: ${advice}`, {
    details: { keyId: id, state, reason },
  });
}

/**
 * The devices that a decryption key shall be bound to.
 * @returns a copy
 * @throws FengniError `ERR_LIMIT` for more than 200, `ERR_CONFLICT` with the reason `duplicate-id` for one that comes twice
 */
export function checkFingerprints(fingerprints: readonly DeviceFingerprint[]): readonly DeviceFingerprint[] {
  if (!Array.isArray(fingerprints)) throw argumentError("deviceFingerprints expected a list");
  if (fingerprints.length > MAX_DEVICE_FINGERPRINTS) {
    throw limitError("device fingerprints", MAX_DEVICE_FINGERPRINTS, fingerprints.length, "remove some first");
  }
  const copy = fingerprints.map((fingerprint: DeviceFingerprint) => {
    checkFields("device fingerprint", fingerprint, ["identity", "description"]);
    const { identity, description } = fingerprint;
    if (!isDeviceIdentity(checkText("identity", identity))) throw malformedIdentity("identity");
    return description === undefined ? { identity } : { identity, description: checkDescription(description) };
  });
  checkDistinct(
    "deviceFingerprints",
    copy.map(({ identity }) => identity),
  );
  return copy;
}
