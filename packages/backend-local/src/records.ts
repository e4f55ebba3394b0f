// The records that stores hold: plain data, with secrets apart. Records are never changed, only replaced. It must not know
// algorithms, rules of states, or how anything is stored.
import type { KeyOrigin, KeySpec, KeyState, KeyUsage } from "@fengni/core";

/** Names one record. */
export interface RecordAddress {
  readonly kind: RecordKind;
  readonly region: string;
  /** Unique in its kind and region. */
  readonly id: string;
}

/** What all records have. Every field is plain JSON; times are milliseconds since the Unix epoch. */
interface CommonRecord extends RecordAddress {
  /** Position in the order of creation, from 1; never used twice in one store. */
  readonly sequence: number;
  /** Unique among the records of one kind and region: an alias, or a data key's name. */
  readonly name?: string;
  readonly createdAtMs: number;
  /** The earliest moment at which something happens to the record by itself (scheduled.ts). */
  readonly dueAtMs?: number;
  readonly tags?: Tags;
  /** Who owns it, as lists ask for it: `owner` is a product's name where this is `product`. */
  readonly role?: "user" | "product";
}

/** Tags of a record; keys are distinct by nature. */
export type Tags = Readonly<Record<string, string>>;

/** A resource of a product that is bound to a key. */
export interface CloudResource {
  readonly productId: string;
  readonly resourceId: string;
}

/** How a key's copies in other regions stand; on the source and on the copies. */
export interface SyncStatus {
  /** Whether the last copying went well in every region. */
  readonly status: "done" | "failed";
  /** What went wrong; empty when nothing did. */
  readonly message: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

/** A wrapping or signing key. The material of version n is the secret in slot n. */
export interface KeyRecord extends CommonRecord {
  readonly kind: "key";
  readonly keySpec: KeySpec;
  readonly keyUsage: KeyUsage;
  readonly origin: KeyOrigin;
  readonly state: KeyState;
  /** `user`, or the product that made the key. */
  readonly owner: string;
  /** Id of the caller that made the key. */
  readonly creator: string;
  readonly description: string;
  /** Number of versions of the material; the last one seals. 0 without material. */
  readonly versions: number;
  readonly lastRotatedAtMs?: number;
  readonly rotationPeriodDays?: number;
  readonly nextRotationAtMs?: number;
  /** In the state `pending-deletion` only. */
  readonly deletionAtMs?: number;
  /** When imported material expires. */
  readonly validToMs?: number;
  /** What re-imported material is compared with, in hexadecimal; never the material. */
  readonly importedFingerprint?: string;
  /** Of a key whose imported material went: the state that it is in again when that comes back; absent: `enabled`. */
  readonly stateWithMaterial?: "disabled" | "archived";
  readonly resources?: readonly CloudResource[];
  readonly attributes?: Readonly<Record<string, string>>;
  /** The region of the key that this one is a copy of. */
  readonly sourceRegion?: string;
  readonly sync?: SyncStatus;
}

/** A data key that the KMS keeps for its user, in wrapped form only: it has no secret of its own. */
export interface DataKeyRecord extends CommonRecord {
  readonly kind: "data-key";
  readonly name: string;
  readonly state: "enabled" | "disabled" | "pending-deletion";
  /** The wrapping key. */
  readonly keyId: string;
  readonly numberOfBytes: number;
  readonly origin: KeyOrigin;
  readonly owner: string;
  readonly creator: string;
  readonly description: string;
  /** The data key as `decrypt` opens it without a context, base64. */
  readonly ciphertext: string;
  readonly deletionAtMs?: number;
}

/** A device that may use a white-box decryption key. */
export interface DeviceFingerprint {
  readonly identity: string;
  readonly description?: string;
}

/** A white-box key. Its key is the secret in slot 1. */
export interface WhiteBoxKeyRecord extends CommonRecord {
  readonly kind: "white-box-key";
  readonly algorithm: "AES_256" | "SM4";
  readonly state: "enabled" | "disabled";
  readonly creator: string;
  readonly description: string;
  readonly fingerprints: readonly DeviceFingerprint[];
}

/** Parameters of an import that were handed out. The private half is the secret in slot 1. */
export interface ImportRecord extends CommonRecord {
  readonly kind: "import";
  readonly keyId: string;
  readonly wrappingAlgorithm: string;
  readonly validToMs: number;
}

/** To which regions the keys of a region are copied; its id is always `task`. */
export interface SyncRecord extends CommonRecord {
  readonly kind: "sync";
  readonly destinations: readonly string[];
  /** Regions that are no destinations any more and may still hold copies. */
  readonly leaving?: readonly string[];
  /** Tells one setting of the task from another. */
  readonly run: number;
}

/** The record of each kind. */
export interface RecordKinds {
  readonly key: KeyRecord;
  readonly "data-key": DataKeyRecord;
  readonly "white-box-key": WhiteBoxKeyRecord;
  readonly import: ImportRecord;
  readonly sync: SyncRecord;
}

/** A kind of record. */
export type RecordKind = keyof RecordKinds;

/** Any record. */
export type StoredRecord = RecordKinds[RecordKind];
