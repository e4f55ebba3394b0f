// Schedules and copies of keys in a file: what falls due while nobody has it open has happened when somebody opens it again.
import { join } from "node:path";
import { ManualClock } from "@fengni/backend-local";
import { expect, test } from "vitest";
import { codeOf, filled } from "./assertions.js";
import { createImportedKey } from "./external-keys.js";
import { DAY_MS, openStore, temporaryFolder } from "./support.js";

test("rotations, expiry and deletion while the file was closed, with their copies", async () => {
  const path = join(temporaryFolder(), "keys");
  const regions = [{ name: "east" }, { name: "west" }] as const;
  const west = { region: "west" };
  const clock = new ManualClock();
  const first = await openStore(path, { clock, regions });
  const { keyId: early } = await first.createKey({ alias: "early" });
  await first.modifySyncTask({ destinations: ["west"] });
  const { keyId } = await first.createKey({ alias: "turning", tags: { team: "a" } });
  await first.enableKeyRotation({ keyId, rotationPeriodDays: 30 });
  const { ciphertext } = await first.encrypt({ keyId, plaintext: filled(4) });
  const imported = await createImportedKey(first, 50 * DAY_MS);
  const { keyId: doomed } = await first.createKey({ alias: "doomed" });
  await first.disableKey({ keyId: doomed });
  await first.scheduleKeyDeletion({ keyId: doomed, pendingWindowDays: 30 });
  await first.close();

  clock.advance(365 * DAY_MS);
  const second = await openStore(path, { clock, regions });
  const turned = { versions: 13, lastRotatedAtMs: 360 * DAY_MS, nextRotationAtMs: 390 * DAY_MS };
  expect(await second.describeKey({ keyId: "turning" }, west)).toMatchObject({ ...turned, sourceRegion: "east" });
  expect(await second.describeKey({ keyId })).toMatchObject(turned);
  for (const options of [{}, west]) {
    expect((await second.decrypt({ ciphertext }, options)).plaintext).toEqual(filled(4));
    expect(await second.describeKey({ keyId: imported }, options)).toMatchObject({
      state: "pending-import",
      versions: 0,
    });
    expect(await codeOf(second.describeKey({ keyId: doomed }, options))).toBe("ERR_KEY_NOT_FOUND");
    const { keys } = await second.listKeyDetail({ order: "oldest-first", origin: "provider" }, options);
    expect(new Set(keys.map((key) => key.keyId))).toEqual(new Set([early, keyId]));
    expect((await second.listKeyDetail({ tagFilters: [{ key: "team", values: ["a"] }] }, options)).total).toBe(1);
  }
  const newest = await second.encrypt({ keyId, plaintext: filled(2) }, west);
  expect((await second.decrypt({ ciphertext: newest.ciphertext })).plaintext).toEqual(filled(2));
  await second.modifySyncTask({ destinations: [] });
  expect((await second.listKeys({}, west)).total).toBe(0);
});
