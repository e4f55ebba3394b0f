// What may be told of a key's record, and how keys are named. It must not know algorithms, states' rules or stores.
import { FengniError, type KeyDescription, type KeyState, type KeyUsage } from "@fengni/core";
import { bytesToHex } from "@fengni/crypto/bytes";
import { randomBytes } from "@fengni/crypto/random";
import type { CloudResource, KeyRecord, SyncStatus, Tags } from "./records.js";

/** All that is told of a key; never its material. */
export interface KeyMetadata extends KeyDescription {
  readonly versions: number;
  readonly region: string;
  /** `user`, or the product that made the key. */
  readonly owner: string;
  /** Id of the caller that made it. */
  readonly creator: string;
  readonly tags: Tags;
  /** Resources of products that are bound to the key, which may not be deleted while there are any. */
  readonly resources: readonly CloudResource[];
  /** The region of the key that this one is a copy of. */
  readonly sourceRegion?: string;
  /** How the copying between regions stands. */
  readonly sync?: SyncStatus;
}

/** Every usage that a key can have. */
export const KEY_USAGES: readonly KeyUsage[] = [
  "encrypt-decrypt",
  "asymmetric-decrypt",
  "sign-verify",
  "post-quantum-encrypt-decrypt",
];
/** Every state that a key can be in. */
export const KEY_STATES: readonly KeyState[] = [
  "enabled",
  "disabled",
  "pending-import",
  "pending-deletion",
  "archived",
];

const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
/** Length of every key id, in characters. */
export const KEY_ID_LENGTH = 36;
const MAX_SHOWN_CHARACTERS = 80;

/** A new id: a random UUID. RFC 9562 section 5.4. */
export function createId(): string {
  const bytes = randomBytes(16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = bytesToHex(bytes);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** Whether text has the form of {@link createId}. */
export function isId(text: string): boolean {
  return ID.test(text);
}

/** What callers may know of a key. */
export function describeKeyRecord(record: KeyRecord): KeyMetadata {
  const { id, region, keySpec, keyUsage, state, origin, owner, creator, createdAtMs, description, versions } = record;
  const optional = {
    alias: record.name,
    lastRotatedAtMs: record.lastRotatedAtMs,
    rotationPeriodDays: record.rotationPeriodDays,
    nextRotationAtMs: record.nextRotationAtMs,
    validToMs: record.validToMs,
    deletionAtMs: record.deletionAtMs,
    sourceRegion: record.sourceRegion,
    sync: record.sync === undefined ? undefined : { ...record.sync },
  };
  const known = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined));
  return {
    keyId: id,
    region,
    keySpec,
    keyUsage,
    state,
    origin,
    owner,
    creator,
    createdAtMs,
    description,
    versions,
    tags: { ...record.tags },
    resources: (record.resources ?? []).map((resource) => ({ ...resource })),
    ...known,
  };
}

/** Nothing has this id, alias or name. */
export function keyNotFound(reference: string): FengniError<"ERR_KEY_NOT_FOUND"> {
  const shown = reference.length > MAX_SHOWN_CHARACTERS ? `${reference.slice(0, MAX_SHOWN_CHARACTERS)}...` : reference;
  return new FengniError(
    "ERR_KEY_NOT_FOUND",
    `there is no key with the id or alias "${shown}": it was deleted or never existed`,
    { details: { keyId: reference } },
  );
}

/** The key cannot do this by its nature, whatever its state. */
export function wrongUsage(record: KeyRecord, advice: string): FengniError<"ERR_KEY_USAGE"> {
  return new FengniError(
    "ERR_KEY_USAGE",
    `key ${record.id} is of spec ${record.keySpec} (${record.keyUsage}), which cannot do this: ${advice}`,
    { details: { keyId: record.id, reason: "key-usage" } },
  );
}

/**
 * For what a product alone may do with its key.
 * @throws FengniError `ERR_KEY_USAGE` with the reason `not-user-created` for a product's key
 */
export function requireUserKey({ id, owner }: KeyRecord): void {
  if (owner === "user") return;
  throw new FengniError("ERR_KEY_USAGE", `key ${id} belongs to the product ${owner}: use a key that you made`, {
    details: { keyId: id, reason: "not-user-created" },
  });
}
