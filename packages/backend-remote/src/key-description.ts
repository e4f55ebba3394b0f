// What the service tells of a key, in core's terms. It must not know calls.
import { FengniError, type KeyDescription } from "@fengni/core";
import type { KeyMetadata } from "@fengni/kms-api";
import { answerError, keyIdIn, optionalTime, timeIn } from "./key-answers.js";
import { kindOf, originOf, stateOf } from "./names.js";

/**
 * A key as core describes it, without `versions`: the service does not tell how many there are.
 * @param action - whose answer it is, for messages
 * @throws FengniError `ERR_NOT_SUPPORTED` for a usage, state or origin that this version does not know, `ERR_UNAVAILABLE`
 */
export function describeKey(action: string, metadata: KeyMetadata | undefined): KeyDescription {
  if (metadata === undefined || metadata === null) throw answerError(action, "it does not describe a key");
  const keyId = keyIdIn(action, metadata.KeyId);
  const kind = kindOf(metadata.KeyUsage, metadata.Type);
  const state = stateOf(metadata.KeyState);
  const origin = originOf(metadata.Origin);
  if (kind === undefined || state === undefined || origin === undefined) {
    throw new FengniError(
      "ERR_NOT_SUPPORTED",
      `the key ${keyId} is of a usage, state or origin that is newer than this`,
      {
        details: { operation: action, reason: "unknown-key-kind" },
      },
    );
  }
  const lastRotatedAtMs = optionalTime(metadata.LastRotateTime);
  return {
    keyId,
    ...kind,
    state,
    origin,
    createdAtMs: timeIn(action, "CreateTime", metadata.CreateTime),
    ...(metadata.Alias === undefined || metadata.Alias === "" ? {} : { alias: metadata.Alias }),
    description: metadata.Description ?? "",
    ...(lastRotatedAtMs === undefined ? {} : { lastRotatedAtMs }),
    ...rotationOf(metadata),
    ...timesOf(metadata, state === "pending-deletion"),
  };
}

function rotationOf({
  KeyRotationEnabled,
  RotateDays,
  NextRotateTime,
}: KeyMetadata): Pick<KeyDescription, "rotationPeriodDays" | "nextRotationAtMs"> {
  if (KeyRotationEnabled !== true) return {};
  const nextRotationAtMs = optionalTime(NextRotateTime);
  return {
    ...(RotateDays === undefined || RotateDays === 0 ? {} : { rotationPeriodDays: RotateDays }),
    ...(nextRotationAtMs === undefined ? {} : { nextRotationAtMs }),
  };
}

function timesOf(
  { ValidTo, DeletionDate }: KeyMetadata,
  isPendingDeletion: boolean,
): Pick<KeyDescription, "validToMs" | "deletionAtMs"> {
  const validToMs = optionalTime(ValidTo);
  const deletionAtMs = isPendingDeletion ? optionalTime(DeletionDate) : undefined;
  return {
    ...(validToMs === undefined ? {} : { validToMs }),
    ...(deletionAtMs === undefined ? {} : { deletionAtMs }),
  };
}
