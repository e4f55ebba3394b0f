// Where the keys of a region are copied to. It must not know how copies are made (replicas.ts). The form of both operations is
// this KMS's own.
import type { EmptyRequest, LocalCallOptions } from "./access.js";
import { argumentError, checkFields, checkText, limitError, rangeError } from "./checks.js";
import { checkDistinct } from "./checks-lists.js";
import type { KeyRecord, SyncRecord } from "./records.js";
import { removeCopies, SYNC_TASK_ID } from "./replicas.js";
import type { Room } from "./room.js";
import type { RecordTransaction } from "./store.js";

const KEYS_AT_ONCE = 1000;

/** The regions that keys can be copied to, and those that they are copied to. */
export interface SyncSupportRegions {
  /** Every region of the KMS but the one asked. */
  readonly regions: readonly string[];
  /** Where the keys of the region asked are copied to. */
  readonly destinations: readonly string[];
}

/** Says where the keys of a region are copied to. */
export interface ModifySyncTaskRequest {
  /** All of them: copies in regions that are not named are removed. Empty ends the copying. */
  readonly destinations: readonly string[];
}

/** Copies keys between regions. Each rejects with `ERR_DENIED` where the authorizer refuses. */
export interface SyncOperations {
  /** Which regions the keys of this one can be copied to, and which they are copied to. */
  getSyncSupportRegion(request?: EmptyRequest, options?: LocalCallOptions): Promise<SyncSupportRegions>;
  /**
   * Copies every key of the region, those that it has and those to come, to other regions. A copy has its source's id, material
   * and whatever else belongs to the key, and its alias where that is free; it changes and goes with its source, in the same
   * change, and of its own accord never. How the copying stands is `sync` of the key and its copies; an alias that is taken is
   * tried again with the next change of the key, and when this is called again. Copies are not copied on.
   * @throws FengniError `ERR_NOT_SUPPORTED` (`no-such-region`), `ERR_CONFLICT` (`duplicate-id`), `ERR_LIMIT`; RangeError
   *   `ERR_ARGUMENT` for the region itself
   */
  modifySyncTask(request: ModifySyncTaskRequest, options?: LocalCallOptions): Promise<void>;
}

/** The operations, over what all operations share. */
export function syncOperations(room: Room): SyncOperations {
  return {
    async getSyncSupportRegion(request = {}, options) {
      checkFields("getSyncSupportRegion", request, []);
      const region = room.region(options);
      await room.authorize("getSyncSupportRegion", options);
      const task = (await room.settledView(options)).get("sync", region, SYNC_TASK_ID);
      const regions = room.regions.names.filter((name) => name !== region);
      return { regions, destinations: task?.destinations ?? [] };
    },
    async modifySyncTask(request, options) {
      const region = room.region(options);
      const destinations = checkDestinations(room, region, request);
      await room.authorize("modifySyncTask", options);
      await room.change(options, (records, nowMs) => setTask(records, region, destinations, nowMs));
    },
  };
}

function checkDestinations(room: Room, region: string, request: ModifySyncTaskRequest): readonly string[] {
  checkFields("modifySyncTask", request, ["destinations"]);
  if (!Array.isArray(request.destinations)) throw argumentError("destinations expected a list of regions");
  const maximum = room.regions.names.length;
  const { length } = request.destinations;
  if (length > maximum) throw limitError("number of destinations", maximum, length, "name each region once");
  const destinations: string[] = request.destinations.map((name) => checkText("destination", name));
  checkDistinct("destinations", destinations);
  for (const destination of destinations) {
    if (room.regions.resolve(destination) === region) {
      throw rangeError("destinations expected other regions than the one whose keys are copied");
    }
  }
  return destinations;
}

function setTask(records: RecordTransaction, region: string, destinations: readonly string[], nowMs: number): void {
  const previous = records.get("sync", region, SYNC_TASK_ID);
  const dropped = (previous?.destinations ?? []).filter((name) => !destinations.includes(name));
  const isOver = destinations.length === 0;
  if (isOver) records.remove({ kind: "sync", region, id: SYNC_TASK_ID });
  else records.put(syncRecord(records, region, destinations, previous, nowMs));
  for (const key of keysOf(records, region)) {
    removeCopies(records, region, key.id, dropped);
    // Whatever is put is copied at the end of the change.
    const { sync: _, ...rest } = key;
    records.put(isOver ? rest : key);
  }
}

function syncRecord(
  records: RecordTransaction,
  region: string,
  destinations: readonly string[],
  previous: SyncRecord | undefined,
  nowMs: number,
): SyncRecord {
  return {
    kind: "sync",
    region,
    id: SYNC_TASK_ID,
    sequence: previous?.sequence ?? records.nextSequence(),
    createdAtMs: previous?.createdAtMs ?? nowMs,
    destinations,
  };
}

/** Every key of a region that is no copy. */
function* keysOf(records: RecordTransaction, region: string): Generator<KeyRecord> {
  let afterSequence = 0;
  for (;;) {
    const page = records.query({
      kind: "key",
      region,
      order: "oldest-first",
      offset: 0,
      limit: KEYS_AT_ONCE,
      afterSequence,
    });
    for (const key of page.records) if (key.sourceRegion === undefined) yield key;
    const last = page.records.at(-1);
    if (last === undefined || page.records.length < KEYS_AT_ONCE) return;
    afterSequence = last.sequence;
  }
}
