// Rotation of keys, by schedule and on demand. It must not know when a schedule is due (scheduled.ts), nor how keys are used.
import { FengniError } from "@fengni/core";
import type { LocalCallOptions } from "./access.js";
import { checkCount, checkFields, DAY_MS } from "./checks.js";
import { createId, wrongUsage } from "./keys.js";
import type { KeyRequest } from "./lifecycle.js";
import { addVersion } from "./material.js";
import type { KeyRecord } from "./records.js";
import type { Room } from "./room.js";
import { specOf } from "./specs.js";

/** Shortest time between two rotations by schedule, in days. */
export const MIN_ROTATION_PERIOD_DAYS = 7;
/** Longest time between two rotations by schedule, in days; also the time when the caller names none. */
export const MAX_ROTATION_PERIOD_DAYS = 365;

/** Asks for rotation by schedule. */
export interface EnableKeyRotationRequest extends KeyRequest {
  /** 7 to 365; default 365. */
  readonly rotationPeriodDays?: number;
}

/** Whether a key rotates by itself, and when. Times are milliseconds since the Unix epoch. */
export interface KeyRotationStatus {
  /** Full id of the key. */
  readonly keyId: string;
  readonly keyRotationEnabled: boolean;
  readonly rotationPeriodDays?: number;
  readonly nextRotationAtMs?: number;
  /** Absent for a key that never rotated. */
  readonly lastRotatedAtMs?: number;
}

/** What `rotateKey` gave. */
export interface RotateKeyResult {
  /** Full id of the key. */
  readonly keyId: string;
  /** Names the rotation, which is done already. */
  readonly taskId: string;
}

/**
 * Rotates symmetric keys whose material the KMS made. What older versions sealed opens for ever. Rejections as those of the
 * lifecycle; `ERR_KEY_USAGE` with the reason `external-key-cannot-rotate` for a key whose material is imported.
 */
export interface RotationOperations {
  /**
   * Has a key rotate by itself. The same period again changes nothing; another counts from now on. While the key is not enabled
   * its rotations fall out, and the schedule stays.
   * @throws FengniError `ERR_KEY_USAGE`, `ERR_LIMIT`
   */
  enableKeyRotation(request: EnableKeyRotationRequest, options?: LocalCallOptions): Promise<void>;
  /** Ends rotation by schedule; no change for a key without. */
  disableKeyRotation(request: KeyRequest, options?: LocalCallOptions): Promise<void>;
  /** Whether a key rotates by itself, in every state. */
  getKeyRotationStatus(request: KeyRequest, options?: LocalCallOptions): Promise<KeyRotationStatus>;
  /** Adds a version of fresh material, which seals from now on; the schedule stays. @throws FengniError `ERR_KEY_USAGE` */
  rotateKey(request: KeyRequest, options?: LocalCallOptions): Promise<RotateKeyResult>;
}

/** The operations, over what all operations share. */
export function rotationOperations(room: Room): RotationOperations {
  return {
    async enableKeyRotation(request, options) {
      checkFields("enableKeyRotation", request, ["keyId", "rotationPeriodDays"]);
      const { keyId, rotationPeriodDays: days = MAX_ROTATION_PERIOD_DAYS } = request;
      checkCount("rotationPeriodDays", days, MIN_ROTATION_PERIOD_DAYS, MAX_ROTATION_PERIOD_DAYS);
      await room.changeKey(
        "enableKeyRotation",
        keyId,
        options,
        (record, _records, nowMs) => schedule(record, days, nowMs),
        requireRotating,
      );
    },
    async disableKeyRotation(request, options) {
      checkFields("disableKeyRotation", request, ["keyId"]);
      await room.changeKey("disableKeyRotation", request.keyId, options, unschedule);
    },
    async getKeyRotationStatus(request, options) {
      checkFields("getKeyRotationStatus", request, ["keyId"]);
      return describeRotation(await room.key("getKeyRotationStatus", request.keyId, options));
    },
    async rotateKey(request, options) {
      checkFields("rotateKey", request, ["keyId"]);
      const { id } = await room.changeKey(
        "rotateKey",
        request.keyId,
        options,
        (record, records, nowMs) => addVersion(records, record, nowMs),
        requireRotating,
      );
      return { keyId: id, taskId: createId() };
    },
  };
}

function requireRotating(record: KeyRecord): void {
  if (specOf(record.keySpec).symmetric === undefined) throw wrongUsage(record, "only symmetric keys rotate");
  if (record.origin === "provider") return;
  const { id } = record;
  throw new FengniError("ERR_KEY_USAGE", `key ${id} has imported material, which cannot rotate: make a new key`, {
    details: { keyId: id, reason: "external-key-cannot-rotate" },
  });
}

function schedule(record: KeyRecord, rotationPeriodDays: number, nowMs: number): KeyRecord {
  if (record.rotationPeriodDays === rotationPeriodDays) return record;
  return { ...record, rotationPeriodDays, nextRotationAtMs: nowMs + rotationPeriodDays * DAY_MS };
}

function unschedule(record: KeyRecord): KeyRecord {
  if (record.rotationPeriodDays === undefined) return record;
  const { rotationPeriodDays: _, nextRotationAtMs: __, ...rest } = record;
  return rest;
}

function describeRotation(record: KeyRecord): KeyRotationStatus {
  const { id, rotationPeriodDays, nextRotationAtMs, lastRotatedAtMs } = record;
  return {
    keyId: id,
    keyRotationEnabled: rotationPeriodDays !== undefined,
    ...(rotationPeriodDays === undefined ? {} : { rotationPeriodDays }),
    ...(nextRotationAtMs === undefined ? {} : { nextRotationAtMs }),
    ...(lastRotatedAtMs === undefined ? {} : { lastRotatedAtMs }),
  };
}
