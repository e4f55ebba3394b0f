// Copies of keys in other regions of the same KMS: they follow their source in the same change. It must not know what changed.
import { SecretBytes } from "@fengni/crypto/secret";
import type { KeyRecord, SyncStatus } from "./records.js";
import type { RecordTransaction } from "./store.js";

/** The id of every region's record of where its keys are copied to. */
export const SYNC_TASK_ID = "task";

/** What is to become of one copy. */
interface Plan {
  readonly destination: string;
  readonly existing: KeyRecord | undefined;
  /** Whether there can be a copy at all. */
  readonly isPossible: boolean;
  /** The alias, where it is free. */
  readonly name: string | undefined;
  readonly conflict: string | undefined;
}

/** Brings the copies of the keys named up to date, and makes those that are missing. */
export function replicate(
  records: RecordTransaction,
  keys: readonly { readonly region: string; readonly id: string }[],
  nowMs: number,
): void {
  const destinations = new Map<string, readonly string[]>();
  const sources = new Map<string, KeyRecord>();
  for (const { region, id } of keys) {
    let wanted = destinations.get(region);
    if (wanted === undefined) {
      wanted = records.get("sync", region, SYNC_TASK_ID)?.destinations ?? [];
      destinations.set(region, wanted);
    }
    if (wanted.length === 0) continue;
    const source = records.get("key", region, id);
    // Copies of deleted keys go first: they may hold the alias of another key of the same change.
    if (source === undefined) removeCopies(records, region, id, wanted);
    else if (source.sourceRegion === undefined) sources.set(`${region} ${id}`, source);
  }
  for (const source of sources.values()) copyKey(records, source, destinations.get(source.region) ?? [], nowMs);
}

/** Removes the copies that a key of a region has in others. */
export function removeCopies(
  records: RecordTransaction,
  region: string,
  id: string,
  destinations: readonly string[],
): void {
  for (const destination of destinations) {
    const copy = records.get("key", destination, id);
    if (copy?.sourceRegion === region) records.remove(copy);
  }
}

function copyKey(records: RecordTransaction, source: KeyRecord, destinations: readonly string[], nowMs: number): void {
  const plans = destinations.map((destination) => planCopy(records, source, destination));
  const conflicts = plans.flatMap(({ conflict }) => (conflict === undefined ? [] : [conflict]));
  const sync: SyncStatus = {
    status: conflicts.length === 0 ? "done" : "failed",
    message: conflicts.join("; "),
    startedAtMs: nowMs,
    endedAtMs: nowMs,
  };
  for (const plan of plans) if (plan.isPossible) putCopy(records, source, plan, sync);
  records.put({ ...source, sync });
}

function planCopy(records: RecordTransaction, source: KeyRecord, destination: string): Plan {
  const { id, name, region } = source;
  const existing = records.get("key", destination, id);
  if (existing !== undefined && existing.sourceRegion !== region) {
    const conflict = `${destination}: another key has the id`;
    return { destination, existing, isPossible: false, name: undefined, conflict };
  }
  const holder = name === undefined ? undefined : records.findName("key", destination, name);
  const isFree = holder === undefined || holder.id === id;
  return {
    destination,
    existing,
    isPossible: true,
    name: isFree ? name : undefined,
    conflict: isFree ? undefined : `${destination}: another key has the alias "${name}", the copy has none`,
  };
}

function putCopy(records: RecordTransaction, source: KeyRecord, plan: Plan, sync: SyncStatus): void {
  const { destination, existing, name } = plan;
  // The moment at which something falls due is the source's alone.
  const { dueAtMs: _, name: __, ...rest } = source;
  const copy: KeyRecord = {
    ...rest,
    region: destination,
    sequence: existing?.sequence ?? records.nextSequence(),
    sourceRegion: source.region,
    sync,
    ...(name === undefined ? {} : { name }),
  };
  records.put(copy);
  copyMaterial(records, source, copy, existing);
}

/** Versions are only ever added, or removed together, so that those both have are equal unless other material was imported. */
function copyMaterial(
  records: RecordTransaction,
  source: KeyRecord,
  copy: KeyRecord,
  existing: KeyRecord | undefined,
): void {
  const before = existing?.versions ?? 0;
  const kept = existing?.importedFingerprint === source.importedFingerprint ? Math.min(before, source.versions) : 0;
  for (let version = kept + 1; version <= source.versions; version++) {
    records.putSecret(copy, version, new SecretBytes(Uint8Array.from(records.secret(source, version).bytes())));
  }
  for (let version = source.versions + 1; version <= before; version++) records.removeSecret(copy, version);
}
