// A file that gets a new root key: everything is there under the new one, and nothing opens or stays under the old one.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { RootKey } from "../src/seal-root-key.js";
import { resealFile } from "../src/store-sqlite-reseal.js";
import { addKey, CHEAP, closedFile, openFile, openRaw, secretOf, storePath } from "./file-support.js";
import { keyAddress } from "./store-suite-records.js";
import { codeOf, filled, ROOT_KEY, thrownCode } from "./store-support.js";

const NEW: RootKey = { key: filled(32, 0x77) };
const OLD: RootKey = { key: ROOT_KEY };

describe("a new root key", () => {
  test.each<[string, RootKey, RootKey]>([
    ["a key for a key", OLD, NEW],
    ["a passphrase for a key", OLD, CHEAP],
    ["a key for a passphrase", CHEAP, NEW],
  ])("%s: everything is there, and the old one opens nothing", async (_name, from, to) => {
    const path = await closedFile(from);
    await resealFile(path, from, to);
    expect(await codeOf(openFile(path, { rootKey: from }))).toBe("ERR_ROOT_KEY");
    const store = await openFile(path, { rootKey: to });
    expect([secretOf(store, "a"), secretOf(store, "b")]).toEqual([filled(32, 1), filled(32, 2)]);
    expect(store.view().findName("key", "local", "alias-of-b")?.id).toBe("b");
    await addKey(store, "c", 3);
    expect(store.view().get("key", "local", "c")?.sequence).toBe(3);
  });

  test("nothing of the old sealing is left in the file or its journal, and 1,000 keys are carried over", async () => {
    const path = storePath();
    const store = await openFile(path);
    await Promise.all(Array.from({ length: 1000 }, (_, i) => addKey(store, `k${i}`, i % 251)));
    store.close();
    const raw = await openRaw(path);
    const old = raw
      .prepare(
        "SELECT mac AS old FROM records UNION ALL SELECT sealed FROM secrets UNION ALL SELECT header FROM keystore",
      )
      .all();
    raw.close();
    const marks = old.map((row) => Buffer.from((row["old"] as Uint8Array).subarray(-16)));
    expect(marks.length).toBe(2001);
    const before = readFileSync(path);
    expect(marks.every((mark) => before.includes(mark))).toBe(true);
    await resealFile(path, OLD, NEW);
    const after = readFileSync(path);
    expect(marks.filter((mark) => after.includes(mark))).toEqual([]);
    expect(readFileSync(`${path}-wal`, { flag: "a+" }).length).toBe(0);
    const again = await openFile(path, { rootKey: NEW });
    for (const i of [0, 1, 500, 999]) expect(secretOf(again, `k${i}`)).toEqual(filled(32, i % 251));
  });

  test("whoever has the file open is told at the next access, and changes nothing", async () => {
    const path = await closedFile();
    const store = await openFile(path);
    const view = store.view();
    const secret = view.secret(keyAddress("a"), 1);
    await resealFile(path, OLD, NEW);
    for (let attempt = 0; attempt < 2; attempt++) {
      expect(thrownCode(() => view.get("key", "local", "a"))).toBe("ERR_ROOT_KEY");
      expect(thrownCode(() => store.view())).toBe("ERR_ROOT_KEY");
      expect(await codeOf(addKey(store, "c", 3))).toBe("ERR_ROOT_KEY");
    }
    store.close();
    expect(secret.wiped).toBe(true);
    expect((await openFile(path, { rootKey: NEW })).view().get("key", "local", "c")).toBeUndefined();
  });

  test("is not given by whoever does not have the old one, nor to a file that was changed", async () => {
    const path = await closedFile();
    const before = readFileSync(path);
    expect(await codeOf(resealFile(path, NEW, CHEAP))).toBe("ERR_ROOT_KEY");
    expect(readFileSync(path).equals(before)).toBe(true);
    for (const sql of [
      "UPDATE records SET sequence = 7 WHERE id = 'b'",
      "UPDATE secrets SET sealed = zeroblob(64)",
      "UPDATE keystore SET sequence = 9",
    ]) {
      const damaged = await closedFile();
      const raw = await openRaw(damaged);
      raw.exec(sql);
      expect(await codeOf(resealFile(damaged, OLD, NEW))).toBe("ERR_STORE_DAMAGED");
      expect(await codeOf(openFile(damaged, { rootKey: NEW }))).toBe("ERR_ROOT_KEY");
    }
  });
});
