// A local KMS in a sealed file, as its users open it.
import { existsSync } from "node:fs";
import { inspect } from "node:util";
import { type LocalKms, ManualClock, openFileKeystore, type RootKey, resealFileKeystore } from "@fengni/backend-local";
import { afterEach, describe, expect, test } from "vitest";
import { CHEAP, storePath } from "./file-support.js";
import { codeOf, errorOf, filled, ROOT_KEY } from "./store-support.js";

const OLD: RootKey = { key: ROOT_KEY };
const open: LocalKms[] = [];

afterEach(async () => {
  for (const kms of open.splice(0)) await kms.close();
});

async function openKms(path: string, rootKey: RootKey = OLD, options: object = {}): Promise<LocalKms> {
  const kms = await openFileKeystore(path, { rootKey, create: true, ...options });
  open.push(kms);
  return kms;
}

describe("openFileKeystore", () => {
  test("gives a KMS whose keys are there after it is opened again, in every region", async () => {
    const path = storePath();
    const options = { clock: new ManualClock(5000), regions: [{ name: "north" }, { name: "south", symmetric: "sm4" }] };
    const first = await openKms(path, OLD, options);
    const { keyId } = await first.createKey({ alias: "a" });
    const south = await first.createKey({ alias: "a" }, { region: "south" });
    const encryptionContext = { a: "b" };
    const { ciphertext } = await first.encrypt({ keyId, plaintext: filled(9), encryptionContext });
    await first.rotateKey({ keyId: "a" });
    await first.close();
    const second = await openKms(path, OLD, options);
    expect(await second.describeKey({ keyId: "a" })).toMatchObject({ keyId, versions: 2, createdAtMs: 5000 });
    expect(await second.resolveKeyId("a", { region: "south" })).toBe(south.keyId);
    expect((await second.decrypt({ ciphertext, encryptionContext, keyId })).plaintext).toEqual(filled(9));
  });

  test.each([
    ["Uint8Array", Uint8Array.from(ROOT_KEY)],
    ["Buffer", Buffer.from(ROOT_KEY)],
  ])("does not miss a root key that the caller wipes at once: %s", async (_name, key) => {
    const path = storePath();
    const opening = openKms(path, { key });
    key.fill(0);
    await (await opening).createKey({ alias: "a" });
    await (await openKms(path)).resolveKeyId("a");
  });

  test("refuses arguments of a wrong shape, and makes no file", async () => {
    const path = storePath();
    const wrong: unknown[] = [
      undefined,
      {},
      "passphrase",
      { passphrase: "" },
      { passphrase: 7 },
      { key: filled(31) },
      { key: filled(33) },
      { key: "a".repeat(32) },
      { passphrase: "a", key: filled(32) },
      { passphrase: "a", scrypt: { log2N: 9, r: 8, p: 1 } },
      { passphrase: "a", scrypt: { log2N: 21, r: 1, p: 1 } },
      { passphrase: "a", scrypt: { log2N: 20, r: 3, p: 1 } },
      { passphrase: "a", scrypt: { log2N: 14, r: 8, p: 17 } },
      { passphrase: "a", scrypt: { log2N: 14, r: 8 } },
      { passphrase: "a", scrypt: { N: 2 ** 17, r: 8, p: 1 } },
    ];
    for (const rootKey of wrong) {
      expect(await codeOf(openFileKeystore(path, { rootKey: rootKey as RootKey, create: true }))).toBe("ERR_ARGUMENT");
      expect(await codeOf(resealFileKeystore(path, { rootKey: OLD, newRootKey: rootKey as RootKey }))).toBe(
        "ERR_ARGUMENT",
      );
    }
    for (const options of [
      undefined,
      null,
      "x",
      { rootKey: OLD, create: true, mode: 1 },
      { rootKey: OLD, store: {} },
    ]) {
      expect(await codeOf(openFileKeystore(path, options as never))).toBe("ERR_ARGUMENT");
    }
    expect(await codeOf(openFileKeystore("", { rootKey: OLD, create: true }))).toBe("ERR_ARGUMENT");
    expect(existsSync(path)).toBe(false);
  });

  test("lets go of the file when the KMS cannot be made", async () => {
    const path = storePath();
    expect(await codeOf(openFileKeystore(path, { rootKey: OLD, create: true, regions: [] }))).toBe("ERR_ARGUMENT");
    await openKms(path);
  });

  test("a wrong passphrase is not repeated in the error", async () => {
    const path = storePath();
    await (await openKms(path, CHEAP)).close();
    const error = await errorOf(openFileKeystore(path, { rootKey: { passphrase: "the wrong one" } }));
    expect(error.code).toBe("ERR_ROOT_KEY");
    expect(`${inspect(error)} ${error.stack}`).not.toMatch(/the wrong one|correct horse/);
  });
});

describe("resealFileKeystore", () => {
  test("carries every key over to the new root key", async () => {
    const path = storePath();
    const before = await openKms(path);
    const { keyId } = await before.createKey({ alias: "a" });
    const { ciphertext } = await before.encrypt({ keyId, plaintext: filled(9) });
    await resealFileKeystore(path, { rootKey: OLD, newRootKey: CHEAP });
    expect(await codeOf(before.encrypt({ keyId, plaintext: filled(9) }))).toBe("ERR_ROOT_KEY");
    expect(await codeOf(before.createKey())).toBe("ERR_ROOT_KEY");
    expect(await codeOf(openFileKeystore(path, { rootKey: OLD }))).toBe("ERR_ROOT_KEY");
    const after = await openKms(path, CHEAP);
    expect((await after.decrypt({ ciphertext, keyId: "a" })).plaintext).toEqual(filled(9));
  });

  test("of a file that is not there", async () => {
    const call = resealFileKeystore(storePath(), { rootKey: OLD, newRootKey: CHEAP });
    expect(await codeOf(call)).toBe("ERR_STORE_NOT_FOUND");
  });
});
