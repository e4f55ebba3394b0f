// What happens by itself when its time comes: deletion, expiry of imported material, rotation. It must not know who calls.
import { DAY_MS } from "./checks.js";
import { addVersion, removeMaterial } from "./material.js";
import type { KeyRecord, RecordKind, RecordKinds, StoredRecord } from "./records.js";
import type { RecordTransaction, RecordView } from "./store.js";

const IMPORTS_AT_ONCE = 100;

/** The earliest moment at which something happens to a record by itself; undefined when nothing will. */
export function dueAtMs(record: StoredRecord): number | undefined {
  switch (record.kind) {
    case "key":
      return keyDueAtMs(record);
    case "data-key":
      return record.state === "pending-deletion" ? record.deletionAtMs : undefined;
    case "import":
      return record.validToMs;
    default:
      return undefined;
  }
}

/** Whether something of a record is due. The record itself decides, never where it was found. */
export function isDue(record: StoredRecord, nowMs: number): boolean {
  return record.dueAtMs !== undefined && record.dueAtMs <= nowMs;
}

/** Whether the next that happens to a record is a rotation. */
export function isToRotate(record: StoredRecord): boolean {
  return record.kind === "key" && record.state === "enabled" && record.dueAtMs === record.nextRotationAtMs;
}

/** The record whose time decides over another: of a copy its source, of everything else itself. */
export function timedRecord<Kind extends RecordKind>(
  view: RecordView,
  record: RecordKinds[Kind],
): RecordKinds[Kind] | KeyRecord | undefined {
  const sourceRegion = record.kind === "key" ? record.sourceRegion : undefined;
  return sourceRegion === undefined ? record : view.get("key", sourceRegion, record.id);
}

/**
 * A record as it stands at a moment, for whoever cannot wait until what is due of it happened: undefined when it is to be deleted,
 * a key without material when that expired.
 */
export function recordAt<Kind extends RecordKind>(
  view: RecordView,
  record: RecordKinds[Kind],
  nowMs: number,
): RecordKinds[Kind] | undefined {
  const timed = timedRecord(view, record);
  if (timed === undefined || !isDue(timed, nowMs)) return record;
  if (isOver(timed, nowMs)) return undefined;
  const hasExpired = timed.kind === "key" && timed.validToMs !== undefined && timed.validToMs <= nowMs;
  if (!hasExpired || record.kind !== "key") return record;
  const state = record.state === "pending-deletion" ? record.state : "pending-import";
  return { ...record, versions: 0, state };
}

/**
 * Lets the earliest that is due of a record happen.
 * @param records - which give every record that is put the {@link dueAtMs} that it has from then on
 */
export function settleOnce(records: RecordTransaction, record: StoredRecord, nowMs: number): void {
  const atMs = dueAtMs(record);
  if (atMs === undefined || atMs > nowMs) records.put(record);
  else if (record.kind === "key") settleKey(records, record, atMs, nowMs);
  else records.remove(record);
}

/** Whether what is due of a record is its end. */
function isOver(record: StoredRecord, nowMs: number): boolean {
  if (record.kind === "import") return record.validToMs <= nowMs;
  if (record.kind !== "key" && record.kind !== "data-key") return false;
  return record.state === "pending-deletion" && record.deletionAtMs !== undefined && record.deletionAtMs <= nowMs;
}

/** A copy does nothing by itself: it follows its source. */
function keyDueAtMs(record: KeyRecord): number | undefined {
  if (record.sourceRegion !== undefined) return undefined;
  const { state, validToMs, nextRotationAtMs } = record;
  const deletionAtMs = state === "pending-deletion" ? record.deletionAtMs : undefined;
  const moments = [deletionAtMs, validToMs, nextRotationAtMs].filter((moment) => moment !== undefined);
  return moments.length === 0 ? undefined : Math.min(...moments);
}

function settleKey(records: RecordTransaction, record: KeyRecord, atMs: number, nowMs: number): void {
  // Deletion first: what else falls due at the same moment is then of no account.
  if (record.state === "pending-deletion" && record.deletionAtMs === atMs) removeKey(records, record);
  else if (record.validToMs === atMs) records.put(removeMaterial(records, record));
  else records.put(rotate(records, record, atMs, nowMs));
}

function removeKey(records: RecordTransaction, record: KeyRecord): void {
  const { id, region } = record;
  records.remove(record);
  for (;;) {
    const imports = records.query({
      kind: "import",
      region,
      order: "oldest-first",
      offset: 0,
      limit: IMPORTS_AT_ONCE,
      equals: { keyId: id },
    });
    for (const parameters of imports.records) records.remove(parameters);
    if (imports.records.length < IMPORTS_AT_ONCE) return;
  }
}

/** One new version; while the key is not enabled none, and the schedule goes on. */
function rotate(records: RecordTransaction, record: KeyRecord, atMs: number, nowMs: number): KeyRecord {
  const periodMs = (record.rotationPeriodDays ?? 1) * DAY_MS;
  if (record.state === "enabled") {
    return { ...addVersion(records, record, atMs), nextRotationAtMs: atMs + periodMs };
  }
  const missed = Math.floor((nowMs - atMs) / periodMs) + 1;
  return { ...record, nextRotationAtMs: atMs + missed * periodMs };
}
