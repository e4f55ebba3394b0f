// Reading a file while another process changes it: what was taken away is told as such, and never as damage.
import { copyFileSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LocalKms } from "@fengni/backend-local";
import { describe, expect, test } from "vitest";
import { loadEngine, type SqlConnection, type SqlEngine } from "../src/store-sqlite-engine.js";
import { resealFile } from "../src/store-sqlite-reseal.js";
import { codeOf, filled, refusalOf } from "./assertions.js";
import { createImportedKey } from "./external-keys.js";
import { CHEAP, closedFile, openFile, openRaw, secretOf, storePath } from "./file-support.js";
import { keyAddress } from "./store-suite-records.js";
import { ROOT_KEY, thrownCode } from "./store-support.js";

const OLD = { key: ROOT_KEY };
const NEW = { key: filled(32, 0x77) };

/** An engine that calls once, right before it reads a table. */
async function interrupted(
  table: "records" | "secrets",
  interrupt: () => void,
): Promise<{ engine: SqlEngine; arm(): void }> {
  const engine = await loadEngine();
  let isArmed = false;
  const before = (sql: string): void => {
    if (!isArmed || !sql.includes(`FROM ${table}`)) return;
    isArmed = false;
    interrupt();
  };
  const wrapped: SqlEngine = (path) => {
    const connection = engine(path);
    return {
      exec: (sql) => connection.exec(sql),
      close: () => connection.close(),
      prepare: (sql) => {
        const statement = connection.prepare(sql);
        return {
          run: (...values) => statement.run(...values),
          get: (...values) => {
            before(sql);
            return statement.get(...values);
          },
          all: (...values) => {
            before(sql);
            return statement.all(...values);
          },
        };
      },
    };
  };
  return {
    engine: wrapped,
    arm: () => {
      isArmed = true;
    },
  };
}

describe("between a record and its secret", () => {
  test.each<[string, string, string]>([
    ["the key is deleted", "DELETE FROM secrets; DELETE FROM records WHERE kind <> 'import'", "ERR_KEY_NOT_FOUND"],
    ["nothing happens but damage", "", "ERR_STORE_DAMAGED"],
  ])("%s", async (_name, sql, code) => {
    const path = storePath();
    const kms = new LocalKms({ store: await openFile(path) });
    const { keyId } = await kms.createKey();
    await kms.createWhiteBoxKey({ alias: "w", algorithm: "AES_256" });
    await kms.close();
    const raw = await openRaw(path);
    for (const [operation, use] of [
      ["encrypt", (again: LocalKms) => again.encrypt({ keyId, plaintext: filled(1) })],
      ["white-box", (again: LocalKms) => again.encryptByWhiteBox({ keyId: "w", plaintext: filled(1) })],
    ] as const) {
      const copy = storePath();
      copyFileSync(path, copy);
      const writer = await openRaw(copy);
      const { engine, arm } = await interrupted("secrets", () => writer.exec(sql));
      const again = new LocalKms({ store: await openFile(copy, { engine }) });
      if (sql === "") writer.exec("UPDATE secrets SET sealed = zeroblob(64)");
      arm();
      expect([operation, await codeOf(use(again))]).toEqual([operation, code]);
    }
    raw.close();
  });

  test("its material expires: the key's state says so", async () => {
    const path = storePath();
    const kms = new LocalKms({ store: await openFile(path) });
    const keyId = await createImportedKey(kms);
    await kms.close();
    const bare = storePath();
    copyFileSync(path, bare);
    const other = new LocalKms({ store: await openFile(bare) });
    await other.deleteImportedKeyMaterial({ keyId });
    await other.close();
    const rows = await openRaw(bare);
    const row = rows.prepare("SELECT data, mac FROM records WHERE id = ?").get(keyId);
    const writer = await openRaw(path);
    const { engine, arm } = await interrupted("secrets", () => {
      writer.exec("BEGIN; DELETE FROM secrets");
      writer
        .prepare("UPDATE records SET data = ?, mac = ? WHERE id = ?")
        .run(row?.["data"] ?? "", row?.["mac"] ?? "", keyId);
      writer.exec("COMMIT");
    });
    const again = new LocalKms({ store: await openFile(path, { engine }) });
    arm();
    expect(await refusalOf(again.encrypt({ keyId, plaintext: filled(1) }))).toBe("ERR_KEY_STATE state-not-supported");
  });
});

describe("a new root key", () => {
  /** Brings all that sealing anew changed from one file to another, in one transaction. */
  function carryOver(from: SqlConnection, to: SqlConnection): void {
    to.exec("BEGIN");
    const { header, sequenceMac } = from.prepare("SELECT header, sequenceMac FROM keystore").get() ?? {};
    to.prepare("UPDATE keystore SET header = ?, sequenceMac = ?").run(header ?? "", sequenceMac ?? "");
    for (const { number, mac } of from.prepare("SELECT number, mac FROM records").all()) {
      to.prepare("UPDATE records SET mac = ? WHERE number = ?").run(mac ?? "", number ?? 0);
    }
    for (const { record, sealed } of from.prepare("SELECT record, sealed FROM secrets").all()) {
      to.prepare("UPDATE secrets SET sealed = ? WHERE record = ?").run(sealed ?? "", record ?? 0);
    }
    to.exec("COMMIT");
  }

  test.each(["records", "secrets"] as const)("that comes right before %s are read is told as such", async (table) => {
    const path = await closedFile();
    const sealed = storePath();
    copyFileSync(path, sealed);
    await resealFile(sealed, OLD, NEW);
    const [from, to] = [await openRaw(sealed), await openRaw(path)];
    const { engine, arm } = await interrupted(table, () => carryOver(from, to));
    const store = await openFile(path, { engine });
    const view = store.view();
    arm();
    const read = (): unknown => (table === "records" ? view.get("key", "local", "a") : view.secret(keyAddress("a"), 1));
    expect(thrownCode(read)).toBe("ERR_ROOT_KEY");
    expect(secretOf(await openFile(path, { rootKey: NEW }), "b")).toEqual(filled(32, 2));
  });

  test("given twice at the same time: one is told that the root key is another by now", async () => {
    const path = await closedFile();
    const answers = await Promise.allSettled([resealFile(path, OLD, NEW), resealFile(path, OLD, CHEAP)]);
    const refused = answers.flatMap((answer) => (answer.status === "rejected" ? [answer.reason.code] : []));
    expect(refused).toEqual(["ERR_ROOT_KEY"]);
    const winner = answers[0]?.status === "fulfilled" ? NEW : CHEAP;
    expect(secretOf(await openFile(path, { rootKey: winner }), "a")).toEqual(filled(32, 1));
  });
});

test("what a killed process left of a new file is removed when the file is made, once it is old", async () => {
  const path = storePath();
  const folder = join(path, "..");
  const hex = "0123456789abcdef";
  const names = [
    `keys.${hex}.tmp`,
    `keys.${hex}.tmp-journal`,
    `keys.${hex.slice(1)}f.tmp`,
    `kept.${hex}.tmp`,
    `keys.x.tmp`,
  ];
  for (const name of names) writeFileSync(join(folder, name), "");
  const old = new Date(Date.now() - 3_600_000);
  for (const name of names.filter((name) => !name.includes("ff.tmp"))) utimesSync(join(folder, name), old, old);
  (await openFile(path)).close();
  const left = readdirSync(folder).filter((name) => name.endsWith(".tmp") || name.includes("journal"));
  expect(left.sort()).toEqual([`keys.${hex.slice(1)}f.tmp`, "keys.x.tmp", `kept.${hex}.tmp`].sort());
});
