// What the service tells of keys, data keys and white-box keys, of what the local KMS tells. It must not know actions.
import type {
  DataKeyMetadata as LocalDataKey,
  KeyMetadata as LocalKey,
  SyncStatus,
  WhiteBoxKeyMetadata,
} from "@fengni/backend-local";
import type { DataKeyMetadata, KeyMetadata, WhiteboxKeyInfo } from "@fengni/kms-api";
import type { Call } from "../call.js";
import { ORIGIN_NAMES, STATE_NAMES, secondsOf, usageNameOf } from "../formats.js";

/** `Type` of keys in a region of the FIPS algorithms. */
const FIPS_TYPE = 2;
/** `Type` of keys in a region of the SM algorithms. */
const SM_TYPE = 4;
/** `SyncStatus` of a key that was never copied. */
const NOT_SYNCHRONIZED = 0;
/** `SyncStatus` of a key by how its last copying went. */
const SYNC_STATUS: Readonly<Record<SyncStatus["status"], number>> = { done: 1, failed: 2 };

const UIN = /^[1-9][0-9]{0,19}$/;

/** All that is told of a key. Times are Unix seconds, 0 for none. */
export function describeKey(key: LocalKey, call: Call): KeyMetadata {
  return {
    KeyId: key.keyId,
    Alias: key.alias ?? "",
    CreateTime: secondsOf(key.createdAtMs),
    Description: key.description,
    KeyState: STATE_NAMES[key.state],
    KeyUsage: usageNameOf(key),
    Type: call.isSmRegion ? SM_TYPE : FIPS_TYPE,
    KeyRotationEnabled: key.rotationPeriodDays !== undefined,
    Owner: key.owner,
    NextRotateTime: secondsOf(key.nextRotationAtMs),
    DeletionDate: secondsOf(key.deletionAtMs),
    Origin: ORIGIN_NAMES[key.origin],
    ValidTo: secondsOf(key.validToMs),
    HsmClusterId: "",
    RotateDays: key.rotationPeriodDays ?? 0,
    LastRotateTime: secondsOf(key.lastRotatedAtMs),
    ...describeSync(key.sourceRegion, key.sync),
    ...describeAccounts(key.creator, key.keyId, call),
  };
}

/** All that is told of a hosted data key. */
export function describeDataKey(dataKey: LocalDataKey, call: Call): DataKeyMetadata {
  return {
    DataKeyId: dataKey.dataKeyId,
    KeyId: dataKey.keyId,
    KeyName: dataKey.keyAlias ?? "",
    DataKeyName: dataKey.dataKeyName,
    NumberOfBytes: dataKey.numberOfBytes,
    CreateTime: secondsOf(dataKey.createdAtMs),
    Description: dataKey.description,
    KeyState: STATE_NAMES[dataKey.state],
    Owner: dataKey.owner,
    DeletionDate: secondsOf(dataKey.deletionAtMs),
    Origin: ORIGIN_NAMES[dataKey.origin],
    HsmClusterId: "",
    // Data keys are not copied to other regions.
    ...describeSync(undefined, undefined),
    ...describeAccounts(dataKey.creator, dataKey.dataKeyId, call),
  };
}

/** All that is told of a white-box key; the keys themselves are only in the answers of the actions that are for that. */
export function describeWhiteBoxKey(key: WhiteBoxKeyMetadata, call: Call): WhiteboxKeyInfo {
  const { CreatorUin, ResourceId, AccountUin } = describeAccounts(key.creator, key.keyId, call);
  return {
    KeyId: key.keyId,
    Alias: key.alias,
    CreatorUin,
    Description: key.description,
    CreateTime: secondsOf(key.createdAtMs),
    Status: STATE_NAMES[key.state],
    OwnerUin: AccountUin,
    Algorithm: key.algorithm,
    ResourceId,
    DeviceFingerprintBind: key.isDeviceBound,
  };
}

type SyncMembers =
  | "IsSyncReplica"
  | "SourceRegion"
  | "SyncStatus"
  | "SyncMessages"
  | "SyncStartTime"
  | "SyncEndTime"
  | "SourceHsmClusterId";

function describeSync(
  sourceRegion: string | undefined,
  sync: SyncStatus | undefined,
): Required<Pick<KeyMetadata, SyncMembers>> {
  return {
    IsSyncReplica: sourceRegion === undefined ? 0 : 1,
    SourceRegion: sourceRegion ?? "",
    SyncStatus: sync === undefined ? NOT_SYNCHRONIZED : SYNC_STATUS[sync.status],
    SyncMessages: sync?.message ?? "",
    SyncStartTime: secondsOf(sync?.startedAtMs),
    SyncEndTime: secondsOf(sync?.endedAtMs),
    SourceHsmClusterId: "",
  };
}

type AccountMembers = "CreatorUin" | "CreatorUinString" | "ResourceId" | "AccountAppId" | "AccountUin" | "AccountName";

function describeAccounts(creator: string, id: string, call: Call): Required<Pick<KeyMetadata, AccountMembers>> {
  const { ownerUin } = call.options.caller.account.caller;
  // What the program that holds the KMS made is the root account's.
  const creatorUin = UIN.test(creator) ? creator : ownerUin;
  return {
    // Numbers above 2^53 lose digits, which is why there is a text as well.
    CreatorUin: Number(creatorUin),
    CreatorUinString: creatorUin,
    ResourceId: `creatorUin/${creatorUin}/${id}`,
    // Of accounts the emulator knows nothing but their number.
    AccountAppId: 0,
    AccountUin: Number(ownerUin),
    AccountName: "",
  };
}
