// Work that concerns many records is done in portions: no change is long, others have their turn in between, and nobody sees
// anything that should have happened.
import {
  LocalKms,
  ManualClock,
  MemoryRecordStore,
  type RecordStore,
  type RecordTransaction,
} from "@fengni/backend-local";
import { describe, expect, test } from "vitest";
import { codeOf, filled, refusalOf } from "./assertions.js";
import { createImportedKey } from "./external-keys.js";
import { DAY_MS } from "./support.js";

const west = { region: "west" };
/** More than a portion has. */
const MANY = 350;
/** What one change does at most: a portion of rotations, each with a secret, and a copy of each. */
const MOST_PUTS = 250;

interface Bench {
  readonly kms: LocalKms;
  readonly clock: ManualClock;
  readonly store: MemoryRecordStore;
  /** How many records and secrets each change put or removed. */
  readonly changes: number[];
}

function bench(): Bench {
  const clock = new ManualClock(17);
  const store = new MemoryRecordStore();
  const changes: number[] = [];
  const regions = [{ name: "east" }, { name: "west" }, { name: "north" }];
  return { kms: new LocalKms({ clock, store: counting(store, changes), regions }), clock, store, changes };
}

function counting(store: MemoryRecordStore, changes: number[]): RecordStore {
  return {
    view: () => store.view(),
    close: () => store.close(),
    change: (apply, options) =>
      store.change((records) => {
        let count = 0;
        const counted: RecordTransaction = {
          get: (kind, region, id) => records.get(kind, region, id),
          findName: (kind, region, name) => records.findName(kind, region, name),
          secret: (record, slot) => records.secret(record, slot),
          query: (query) => records.query(query),
          nextDueAtMs: () => records.nextDueAtMs(),
          due: (nowMs, limit) => records.due(nowMs, limit),
          nextSequence: () => records.nextSequence(),
          put: (record) => {
            count++;
            records.put(record);
          },
          remove: (address) => {
            count++;
            records.remove(address);
          },
          putSecret: (address, slot, secret) => {
            count++;
            records.putSecret(address, slot, secret);
          },
          removeSecret: (address, slot) => {
            count++;
            records.removeSecret(address, slot);
          },
        };
        const result = apply(counted);
        changes.push(count);
        return result;
      }, options),
  };
}

/** Makes keys that rotate every seven days. */
async function rotatingKeys({ kms }: Bench, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    const { keyId } = await kms.createKey();
    await kms.enableKeyRotation({ keyId, rotationPeriodDays: 7 });
    ids.push(keyId);
  }
  return ids;
}

/** Makes keys that are to be deleted in seven days; the last has the alias. */
async function doomedKeys({ kms }: Bench, count: number, alias: string): Promise<string> {
  let last = "";
  for (let i = 0; i < count; i++) {
    const { keyId } = await kms.createKey(i === count - 1 ? { alias } : {});
    await kms.disableKey({ keyId });
    await kms.scheduleKeyDeletion({ keyId, pendingWindowDays: 7 });
    last = keyId;
  }
  return last;
}

function countDue({ store, clock }: Bench): number {
  return store.view().due(clock.now(), 10_000).length;
}

/** Counts the turns that the event loop made while something ran. */
async function turnsDuring(call: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let isOver = false;
  const turn = (): void => {
    turns++;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  await call();
  isOver = true;
  return turns;
}

describe("what is due", () => {
  test("of one record happens when that one is used, and leaves the others", async () => {
    const room = bench();
    const ids = await rotatingKeys(room, MANY);
    room.clock.advance(7 * DAY_MS);
    const keyId = ids[MANY - 1] as string;
    expect((await room.kms.describeKey({ keyId })).versions).toBe(2);
    expect(countDue(room)).toBe(MANY - 1);
    await room.kms.encrypt({ keyId, plaintext: filled(1) });
    expect(countDue(room)).toBe(MANY - 1);
  });

  test.each<[string, (kms: LocalKms) => Promise<unknown>]>([
    ["a list", (kms) => kms.listKeys()],
    ["runScheduledWork", (kms) => kms.runScheduledWork()],
  ])("of all happens for %s, in portions, copies too", async (_name, call) => {
    const room = bench();
    await rotatingKeys(room, MANY);
    await room.kms.modifySyncTask({ destinations: ["west"] });
    room.clock.advance(7 * DAY_MS);
    room.changes.length = 0;
    expect(await turnsDuring(() => call(room.kms))).toBeGreaterThanOrEqual(3);
    expect(countDue(room)).toBe(0);
    expect(room.changes.length).toBeGreaterThanOrEqual(4);
    expect(Math.max(...room.changes)).toBeLessThanOrEqual(MOST_PUTS);
    const { keys } = await room.kms.listKeyDetail({ limit: 200 }, west);
    expect(keys.every(({ versions }) => versions === 2)).toBe(true);
  });

  test("is broken off by a signal between portions", async () => {
    const room = bench();
    await rotatingKeys(room, MANY);
    room.clock.advance(7 * DAY_MS);
    const controller = new AbortController();
    const call = room.kms.listKeys({}, { signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(call).rejects.toThrow("enough");
    expect(countDue(room)).toBeGreaterThan(0);
  });

  test("over many periods happens in several changes, each as many rotations as it can", async () => {
    const room = bench();
    const [keyId = ""] = await rotatingKeys(room, 1);
    room.clock.advance(MANY * 7 * DAY_MS);
    room.changes.length = 0;
    expect((await room.kms.describeKey({ keyId })).versions).toBe(MANY + 1);
    expect(room.changes.length).toBeGreaterThanOrEqual(4);
    expect(Math.max(...room.changes)).toBeLessThanOrEqual(MOST_PUTS);
  });

  test("frees an alias for a change, whatever else is due", async () => {
    const room = bench();
    const { kms, clock } = room;
    const former = await doomedKeys(room, 40, "wanted");
    clock.advance(7 * DAY_MS);
    const { keyId } = await kms.createKey({ alias: "wanted" });
    expect(keyId).not.toBe(former);
    expect(await kms.resolveKeyId("wanted")).toBe(keyId);
    expect(countDue(room)).toBeGreaterThan(0);
  });

  test("of a source concerns its copies: they are gone, and their alias is free", async () => {
    const room = bench();
    const { kms, clock } = room;
    await kms.modifySyncTask({ destinations: ["west"] });
    const keyId = await doomedKeys(room, 40, "wanted");
    const other = await kms.createKey({}, west);
    clock.advance(7 * DAY_MS);
    expect(await codeOf(kms.describeKey({ keyId }, west))).toBe("ERR_KEY_NOT_FOUND");
    expect(countDue(room)).toBe(39);
    await kms.updateAlias({ keyId: other.keyId, alias: "wanted" }, west);
    expect(await kms.resolveKeyId("wanted", west)).toBe(other.keyId);
  });

  test("of the holder of an alias in another region happens before a copy is made there", async () => {
    const room = bench();
    const { kms, clock } = room;
    const { keyId: holder } = await kms.createKey({ alias: "wanted" }, west);
    await kms.disableKey({ keyId: holder }, west);
    await kms.scheduleKeyDeletion({ keyId: holder, pendingWindowDays: 8 }, west);
    await doomedKeys(room, 40, "other");
    await kms.modifySyncTask({ destinations: ["west"] });
    clock.advance(8 * DAY_MS);
    const { keyId } = await kms.createKey({ alias: "wanted" });
    expect(await kms.resolveKeyId("wanted", west)).toBe(keyId);
  });

  test("of a wrapping key forbids its hosted data keys", async () => {
    const { kms, clock } = bench();
    const doomed = (await kms.createKey()).keyId;
    const expiring = await createImportedKey(kms, 17 + DAY_MS);
    for (const keyId of [doomed, expiring]) {
      await kms.generateDataKey({ keyId, numberOfBytes: 16, isHostedByKms: true, dataKeyName: `of-${keyId}` });
    }
    await kms.disableKey({ keyId: doomed });
    await kms.scheduleKeyDeletion({ keyId: doomed, pendingWindowDays: 7 });
    clock.advance(7 * DAY_MS);
    const open = (keyId: string): Promise<unknown> => kms.getDataKeyPlaintext({ dataKeyId: `of-${keyId}` });
    expect(await codeOf(open(doomed))).toBe("ERR_KEY_NOT_FOUND");
    expect(await refusalOf(open(expiring))).toBe("ERR_KEY_STATE state-not-supported");
  });
});

describe("copying to other regions", () => {
  test("goes on in portions, and is done when the call resolves", async () => {
    const room = bench();
    for (let i = 0; i < MANY; i++) await room.kms.createKey({ alias: `a${i}` });
    for (const destinations of [["west", "north"], ["north"], []]) {
      room.changes.length = 0;
      expect(await turnsDuring(() => room.kms.modifySyncTask({ destinations }))).toBeGreaterThanOrEqual(3);
      expect(Math.max(...room.changes)).toBeLessThanOrEqual(MOST_PUTS);
      for (const region of ["west", "north"]) {
        const { total } = await room.kms.listKeys({}, { region });
        expect([region, total]).toEqual([region, destinations.includes(region) ? MANY : 0]);
      }
    }
    expect(room.store.view().get("sync", "east", "task")).toBeUndefined();
    expect((await room.kms.listKeyDetail({ limit: 200 })).keys.every(({ sync }) => sync === undefined)).toBe(true);
  });

  /** Sets destinations, and stops after the first portion. */
  async function breakOff({ kms }: Bench, destinations: readonly string[]): Promise<void> {
    const controller = new AbortController();
    const call = kms.modifySyncTask({ destinations }, { signal: controller.signal });
    setImmediate(() => controller.abort(new Error("enough")));
    await expect(call).rejects.toThrow("enough");
  }

  test("that was broken off goes on with every change of a key, and when it is set again", async () => {
    const room = bench();
    const { kms } = room;
    for (let i = 0; i < MANY; i++) await kms.createKey({ alias: `a${i}` });
    await breakOff(room, ["west"]);
    const { total } = await kms.listKeys({}, west);
    expect(total).toBeGreaterThan(0);
    expect(total).toBeLessThan(MANY);
    await kms.updateKeyDescription({ keyId: `a${MANY - 1}`, description: "changed" });
    expect((await kms.describeKey({ keyId: `a${MANY - 1}` }, west)).description).toBe("changed");
    await kms.modifySyncTask({ destinations: ["west"] });
    expect((await kms.listKeys({}, west)).total).toBe(MANY);
  });

  test("whose end was broken off leaves no copy that a change of its source passes by", async () => {
    const room = bench();
    const { kms } = room;
    for (let i = 0; i < MANY; i++) await kms.createKey({ alias: `a${i}` });
    await kms.modifySyncTask({ destinations: ["west"] });
    await breakOff(room, []);
    expect((await kms.getSyncSupportRegion()).destinations).toEqual([]);
    const left = (await kms.listKeys({}, west)).total;
    expect(left).toBeGreaterThan(0);
    const keyId = await kms.resolveKeyId(`a${MANY - 1}`);
    await kms.disableKey({ keyId });
    expect(await codeOf(kms.describeKey({ keyId }, west))).toBe("ERR_KEY_NOT_FOUND");
    await kms.modifySyncTask({ destinations: ["north"] });
    expect((await kms.listKeys({}, west)).total).toBe(0);
    expect((await kms.listKeys({}, { region: "north" })).total).toBe(MANY);
  });

  test("that is set twice at the same time ends as the later call says", async () => {
    const { kms } = bench();
    for (let i = 0; i < MANY; i++) await kms.createKey();
    const calls = [["west"], ["north"], []].map((destinations) => kms.modifySyncTask({ destinations }));
    await Promise.all(calls);
    for (const region of ["west", "north"]) expect((await kms.listKeys({}, { region })).total).toBe(0);
  });
});
