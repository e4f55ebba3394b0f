// How a key gains and loses versions of its material inside a change. It must not know when, or for whom.
import { randomBytes } from "@fengni/crypto/random";
import { SecretBytes } from "@fengni/crypto/secret";
import { wrongUsage } from "./keys.js";
import type { KeyRecord } from "./records.js";
import { specOf } from "./specs.js";
import type { RecordTransaction } from "./store.js";

/** Gives a symmetric key a version of fresh material. @returns the record, which is the caller's to put */
export function addVersion(records: RecordTransaction, record: KeyRecord, atMs: number): KeyRecord {
  const { symmetric } = specOf(record.keySpec);
  if (symmetric === undefined) throw wrongUsage(record, "only symmetric keys rotate");
  const versions = record.versions + 1;
  records.putSecret(record, versions, new SecretBytes(randomBytes(symmetric.keyBytes)));
  return { ...record, versions, lastRotatedAtMs: atMs };
}

/**
 * Takes the imported material of a key away, if it has any; what it was stays recognisable, and so does the state that the key is
 * to be in with it. The key waits for import again, or for its deletion if that is scheduled.
 * @returns the record, which is the caller's to put
 */
export function removeMaterial(records: RecordTransaction, record: KeyRecord): KeyRecord {
  if (record.versions === 0) return record;
  for (let version = 1; version <= record.versions; version++) records.removeSecret(record, version);
  const { validToMs: _, ...rest } = record;
  const isGoing = record.state === "pending-deletion";
  // What is to be deleted was disabled before.
  const stateWithMaterial = isGoing ? "disabled" : record.state;
  return {
    ...rest,
    versions: 0,
    state: isGoing ? record.state : "pending-import",
    ...(stateWithMaterial === "disabled" || stateWithMaterial === "archived" ? { stateWithMaterial } : {}),
  };
}
