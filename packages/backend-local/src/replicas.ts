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

/** Finds the key that has an alias. */
export type AliasHolder = (region: string, name: string) => KeyRecord | undefined;

/** Where the copies of a region's keys are to be, and where they are to be no more. */
interface Targets {
  readonly destinations: readonly string[];
  readonly leaving: readonly string[];
}

const NO_TARGETS: Targets = { destinations: [], leaving: [] };

/**
 * Brings the copies of the keys named up to date, makes those that are missing, and removes those in regions that are leaving.
 * @param holderOf - who has an alias, once keys that are to be deleted by now are
 */
export function replicate(
  records: RecordTransaction,
  keys: Iterable<{ readonly region: string; readonly id: string }>,
  nowMs: number,
  holderOf: AliasHolder = (region, name) => records.findName("key", region, name),
): void {
  const targetsOf = targetsIn(records);
  const sources = new Map<string, { readonly region: string; readonly id: string }>();
  for (const { region, id } of keys) {
    const { destinations, leaving } = targetsOf(region);
    if (destinations.length + leaving.length === 0) continue;
    const source = records.get("key", region, id);
    // Copies of deleted keys go first: they may hold the alias of another key of the same change.
    if (source === undefined) removeCopies(records, region, id, [...destinations, ...leaving]);
    else if (source.sourceRegion === undefined) sources.set(`${region} ${id}`, { region, id });
  }
  for (const { region, id } of sources.values()) {
    // Again: it may have been the holder of an alias, and be gone.
    const source = records.get("key", region, id);
    if (source === undefined) continue;
    const { destinations, leaving } = targetsOf(region);
    removeCopies(records, source.region, source.id, leaving);
    if (destinations.length > 0) copyKey(records, source, destinations, nowMs, holderOf);
    else if (source.sync !== undefined) records.put(withoutSync(source));
  }
}

/** Where the keys of a region go; asked once for each region. */
function targetsIn(records: RecordTransaction): (region: string) => Targets {
  const known = new Map<string, Targets>();
  return (region) => {
    let targets = known.get(region);
    if (targets === undefined) {
      const task = records.get("sync", region, SYNC_TASK_ID);
      targets = task === undefined ? NO_TARGETS : { destinations: task.destinations, leaving: task.leaving ?? [] };
      known.set(region, targets);
    }
    return targets;
  };
}

function withoutSync({ sync: _, ...key }: KeyRecord): KeyRecord {
  return key;
}

/** Removes the copies that a key of a region has in others. */
function removeCopies(records: RecordTransaction, region: string, id: string, destinations: readonly string[]): void {
  for (const destination of destinations) {
    const copy = records.get("key", destination, id);
    if (copy?.sourceRegion === region) records.remove(copy);
  }
}

function copyKey(
  records: RecordTransaction,
  source: KeyRecord,
  destinations: readonly string[],
  nowMs: number,
  holderOf: AliasHolder,
): void {
  const plans = destinations.map((destination) => planCopy(records, source, destination, holderOf));
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

function planCopy(records: RecordTransaction, source: KeyRecord, destination: string, holderOf: AliasHolder): Plan {
  const { id, name, region } = source;
  const existing = records.get("key", destination, id);
  if (existing !== undefined && existing.sourceRegion !== region) {
    const conflict = `${destination}: another key has the id`;
    return { destination, existing, isPossible: false, name: undefined, conflict };
  }
  // A copy that has the alias already needs nobody to be asked.
  const holder = name === undefined || existing?.name === name ? undefined : holderOf(destination, name);
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
