// A key whose imported material goes and comes back: what was decided of its state stays decided.
import { LocalKms, ManualClock } from "@fengni/backend-local";
import { describe, expect, test } from "vitest";
import { refusalOf } from "./assertions.js";
import { createImportedKey, wrappedMaterial } from "./external-keys.js";
import { DAY_MS, errorOf, filled, openStore, temporaryFolder } from "./support.js";

const START_MS = 1_700_000_000_000;
const VALID_TO_MS = START_MS + 1000;

async function stateOf(kms: LocalKms, keyId: string): Promise<string> {
  return (await kms.describeKey({ keyId })).state;
}

async function bringBack(kms: LocalKms, keyId: string): Promise<void> {
  await kms.importKeyMaterial(await wrappedMaterial(kms, keyId));
}

describe("a key whose material expired", () => {
  test.each<[string, (kms: LocalKms, keyId: string) => Promise<unknown>]>([
    ["enabled", async () => {}],
    ["disabled", (kms, keyId) => kms.disableKey({ keyId })],
    ["archived", (kms, keyId) => kms.archiveKey({ keyId })],
  ])("while it was %s is so again when the material is back", async (state, bring) => {
    const clock = new ManualClock(START_MS);
    const kms = new LocalKms({ clock });
    const keyId = await createImportedKey(kms, VALID_TO_MS);
    await bring(kms, keyId);
    clock.advance(1000);
    expect(await stateOf(kms, keyId)).toBe("pending-import");
    await bringBack(kms, keyId);
    expect(await stateOf(kms, keyId)).toBe(state);
  });

  test("while it was to be deleted is disabled when it is kept and the material is back", async () => {
    const clock = new ManualClock(START_MS);
    const kms = new LocalKms({ clock });
    const keyId = await createImportedKey(kms, VALID_TO_MS);
    await kms.disableKey({ keyId });
    await kms.scheduleKeyDeletion({ keyId, pendingWindowDays: 7 });
    clock.advance(1000);
    expect(await stateOf(kms, keyId)).toBe("pending-deletion");
    await kms.cancelKeyDeletion({ keyId });
    expect(await stateOf(kms, keyId)).toBe("pending-import");
    await bringBack(kms, keyId);
    expect(await stateOf(kms, keyId)).toBe("disabled");
  });
});

describe("a key whose material was deleted while it was disabled", () => {
  test("is disabled when it is back, and stays what it is made from then on", async () => {
    const kms = new LocalKms();
    const keyId = await createImportedKey(kms);
    await kms.disableKey({ keyId });
    await kms.deleteImportedKeyMaterial({ keyId });
    expect(await refusalOf(kms.enableKey({ keyId }))).toBe("ERR_KEY_STATE state-not-supported");
    await bringBack(kms, keyId);
    expect(await stateOf(kms, keyId)).toBe("disabled");
    expect(await refusalOf(kms.encrypt({ keyId, plaintext: filled(1) }))).toBe("ERR_KEY_STATE key-disabled");
    await kms.enableKey({ keyId });
    await bringBack(kms, keyId);
    expect(await stateOf(kms, keyId)).toBe("enabled");
    await kms.deleteImportedKeyMaterial({ keyId });
    await bringBack(kms, keyId);
    expect(await stateOf(kms, keyId)).toBe("enabled");
  });

  test("also when its deletion was scheduled and cancelled without the material", async () => {
    const kms = new LocalKms();
    const keyId = await createImportedKey(kms);
    await kms.disableKey({ keyId });
    await kms.deleteImportedKeyMaterial({ keyId });
    await kms.scheduleKeyDeletion({ keyId, pendingWindowDays: 7 });
    await kms.cancelKeyDeletion({ keyId });
    await bringBack(kms, keyId);
    expect(await stateOf(kms, keyId)).toBe("disabled");
  });

  test("also in a file, after another process opened it, and in copies", async () => {
    const path = `${temporaryFolder()}/keys`;
    const clock = new ManualClock(START_MS);
    const options = { clock, regions: [{ name: "here" }, { name: "there" }] };
    const first = await openStore(path, options);
    await first.modifySyncTask({ destinations: ["there"] });
    const keyId = await createImportedKey(first, VALID_TO_MS);
    await first.archiveKey({ keyId });
    clock.advance(DAY_MS);
    await first.runScheduledWork();
    await first.close();
    const second = await openStore(path, options);
    expect(await stateOf(second, keyId)).toBe("pending-import");
    await bringBack(second, keyId);
    expect(await stateOf(second, keyId)).toBe("archived");
    expect((await second.describeKey({ keyId }, { region: "there" })).state).toBe("archived");
  });
});

test("a key that never had material is enabled by it", async () => {
  const kms = new LocalKms();
  const { keyId } = await kms.createKey({ origin: "external" });
  await kms.scheduleKeyDeletion({ keyId, pendingWindowDays: 7 });
  await kms.cancelKeyDeletion({ keyId });
  expect(await stateOf(kms, keyId)).toBe("pending-import");
  await bringBack(kms, keyId);
  expect(await stateOf(kms, keyId)).toBe("enabled");
});

test("0 is a moment that is past, not one that never comes", async () => {
  const kms = new LocalKms();
  const { keyId } = await kms.createKey({ origin: "external" });
  const request = { ...(await wrappedMaterial(kms, keyId)), validToMs: 0 };
  expect(await errorOf(kms.importKeyMaterial(request))).toMatchObject({ name: "RangeError", code: "ERR_ARGUMENT" });
});

test("an external key cannot rotate, in every state", async () => {
  const kms = new LocalKms();
  const { keyId } = await kms.createKey({ origin: "external" });
  const refuses = async (): Promise<void> => {
    expect(await refusalOf(kms.rotateKey({ keyId }))).toBe("ERR_KEY_USAGE external-key-cannot-rotate");
    expect(await refusalOf(kms.enableKeyRotation({ keyId }))).toBe("ERR_KEY_USAGE external-key-cannot-rotate");
  };
  await refuses();
  await bringBack(kms, keyId);
  await refuses();
  await kms.archiveKey({ keyId });
  await refuses();
  await kms.cancelKeyArchive({ keyId });
  await kms.disableKey({ keyId });
  await refuses();
  await kms.scheduleKeyDeletion({ keyId, pendingWindowDays: 7 });
  await refuses();
});
