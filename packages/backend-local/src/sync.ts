// Where the keys of a region are copied to. It must not know how copies are made (replicas.ts). The form of both operations is
// this KMS's own.
import type { EmptyRequest, LocalCallOptions } from "./access.js";
import { argumentError, checkFields, checkText, limitError, rangeError } from "./checks.js";
import { checkDistinct } from "./checks-lists.js";
import type { SyncRecord } from "./records.js";
import { SYNC_TASK_ID } from "./replicas.js";
import type { Room } from "./room.js";
import { nextTurn, PORTION, Portion, type SettlingTransaction } from "./settling.js";
import type { RecordTransaction } from "./store.js";

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
   * change, and of its own accord never. The keys that are there are copied in portions, all before it resolves; when it is broken
   * off, the rest follows with the next change of each key, or when this is called again. How the copying stands is `sync` of the key and its copies; an alias that is taken is
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
      const run = await room.change(options, (records, nowMs) => setTask(records, region, destinations, nowMs));
      for (let after: number | undefined = 0; after !== undefined; ) {
        const from: number = after;
        after = await room.change(options, (records) => copyPortion(records, region, run, from));
        if (after !== undefined) await nextTurn(options?.signal);
      }
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

/** @returns what tells this setting from another */
function setTask(records: RecordTransaction, region: string, destinations: readonly string[], nowMs: number): number {
  const previous = records.get("sync", region, SYNC_TASK_ID);
  const run = records.nextSequence();
  const held = new Set([...(previous?.destinations ?? []), ...(previous?.leaving ?? [])]);
  const leaving = [...held].filter((name) => !destinations.includes(name));
  records.put({
    kind: "sync",
    region,
    id: SYNC_TASK_ID,
    sequence: previous?.sequence ?? run,
    createdAtMs: previous?.createdAtMs ?? nowMs,
    destinations,
    leaving,
    run,
  });
  return run;
}

/**
 * Brings the copies of some keys to where the task says. Keys that are made meanwhile follow it by themselves.
 * @param run - of the task; when somebody set another one, that one sees to everything
 * @param after - sequence of the last key that was seen to
 * @returns that of this portion; undefined when nothing is left to do
 */
function copyPortion(records: SettlingTransaction, region: string, run: number, after: number): number | undefined {
  const task = records.get("sync", region, SYNC_TASK_ID);
  if (task?.run !== run) return undefined;
  const order = "oldest-first";
  const keys = records.query({ kind: "key", region, order, offset: 0, limit: PORTION.steps, afterSequence: after });
  const portion = new Portion(PORTION);
  for (const { id, sequence, sourceRegion } of keys.records) {
    // One that falls due goes its way first.
    if (sourceRegion === undefined && records.get("key", region, id) !== undefined) records.copy({ region, id });
    if (!portion.step()) return sequence;
  }
  endLeaving(records, task);
  return undefined;
}

/** Nothing is left in the regions that were leaving. */
function endLeaving(records: RecordTransaction, task: SyncRecord): void {
  const { leaving = [], ...rest } = task;
  if (task.destinations.length === 0) records.remove(task);
  else if (leaving.length > 0) records.put(rest);
}
