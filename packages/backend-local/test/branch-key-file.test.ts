// Branch keys in a file: that it keeps what it was given, through crashes and beside others, and what it tells of damage.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { LocalKeyProvider, LocalKms, openBranchKeyFile } from "@fengni/backend-local";
import { type BranchKeyRecord, branchKeyStore, providerKey, rawAesKey } from "@fengni/core";
import { afterEach, describe, expect, test } from "vitest";
import { type BranchKeyFile, checksumOf, openWith } from "../src/branch-key-file.js";
import { loadEngine, SQL_ENGINES, type SqlConnection, type SqlEngine } from "../src/store-sqlite-engine.js";
import { openRaw, storePath } from "./file-support.js";
import { codeOf } from "./support.js";

const WRITER = fileURLToPath(new URL("fixtures/branch-key-writer.ts", import.meta.url));
// From here Node finds tsx, whatever folder the tests were started in.
const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const NODE_ARGUMENTS = ["--import", "tsx", "--conditions=@fengni/source", WRITER];
const wrappingKey = rawAesKey({ namespace: "test", name: "key", key: new Uint8Array(32).fill(7) });
const open: { close(): unknown }[] = [];

afterEach(async () => {
  for (const closable of open.splice(0)) await closable.close();
});

async function openFile(path: string, create = true): Promise<BranchKeyFile> {
  const file = await openBranchKeyFile(path, { create });
  open.push(file);
  return file;
}

/** A file with the branch keys `a`, of two versions, and `b`; closed. */
async function filled(path: string = storePath()): Promise<string> {
  const records = await openBranchKeyFile(path, { create: true });
  const store = branchKeyStore({ wrappingKey, records });
  await store.create("a");
  await store.rotate("a");
  await store.create("b");
  records.close();
  return path;
}

function record(fill: number, branchKeyId = "a"): Omit<BranchKeyRecord, "active"> {
  const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(fill);
  const encryptedDataKey = { providerId: "p\u00e9", providerInfo: bytes(3), ciphertext: bytes(40) };
  return { branchKeyId, version: bytes(16), createdAtMs: 1_700_000_000_000 + fill, encryptedDataKey };
}

const engines: (readonly [string, SqlEngine])[] = [];
for (const name of SQL_ENGINES) {
  // The oldest supported runtime has but one.
  await loadEngine(name).then(
    (engine) => engines.push([name, engine]),
    () => undefined,
  );
}

describe.each(engines)("records in a file (%s)", (_name, engine) => {
  const openIt = (path: string, create = true): BranchKeyFile => {
    const file = openWith(engine, path, create, 1000);
    open.push(file);
    return file;
  };

  test("come back as they were given, also after it was closed", async () => {
    const path = storePath();
    const file = openIt(path);
    for (const id of ["a", "a\0b", "\ufeffa", "\u00e9".repeat(128)]) {
      expect(await file.getActive(id)).toBeUndefined();
      expect(await file.list(id)).toEqual([]);
      expect(await file.activate(record(1, id), undefined)).toBe(true);
      expect(await file.activate(record(2, id), record(1).version)).toBe(true);
    }
    file.close();
    const again = openIt(path, false);
    for (const id of ["a", "a\0b", "\ufeffa", "\u00e9".repeat(128)]) {
      expect(await again.getActive(id)).toEqual({ ...record(2, id), active: true });
      expect(await again.getVersion(id, record(1).version)).toEqual({ ...record(1, id), active: false });
      expect(await again.getVersion(id, record(3).version)).toBeUndefined();
      expect((await again.list(id)).map(({ active }) => active)).toEqual([false, true]);
    }
  });

  test("change only if they still are what was expected", async () => {
    const file = openIt(storePath());
    expect(await file.activate(record(1), record(9).version)).toBe(false);
    expect(await file.activate(record(1), undefined)).toBe(true);
    expect(await file.activate(record(2), undefined)).toBe(false);
    expect(await file.activate(record(2), record(9).version)).toBe(false);
    expect(await file.activate(record(1), record(1).version)).toBe(false);
    expect((await file.list("a")).length).toBe(1);
    const next = record(5).encryptedDataKey;
    const { version, encryptedDataKey } = record(1);
    expect(await file.replace("a", version, next, next)).toBe(false);
    expect(await file.replace("b", version, encryptedDataKey, next)).toBe(false);
    expect(await file.replace("a", version, encryptedDataKey, next)).toBe(true);
    expect(await file.getActive("a")).toEqual({ ...record(1), encryptedDataKey: next, active: true });
  });

  test("of many who create and rotate through several connections, one wins each time", async () => {
    const path = storePath();
    const stores = Array.from({ length: 3 }, () => branchKeyStore({ wrappingKey, records: openIt(path) }));
    const many = stores.flatMap((store) => [store, store, store]);
    const created = await Promise.allSettled(many.map((store) => store.create("a")));
    expect(created.filter(({ status }) => status === "fulfilled").length).toBe(1);
    const rotated = await Promise.allSettled(many.map((store) => store.rotate("a")));
    const won = rotated.filter(({ status }) => status === "fulfilled").length;
    for (const result of [...created, ...rotated]) {
      if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "ERR_CONFLICT" });
    }
    const versions = await stores[0]?.versions("a");
    expect(versions?.length).toBe(1 + won);
    expect(versions?.filter(({ active }) => active).length).toBe(1);
  });
});

describe("the file", () => {
  test("holds wrapped material only, and is its owner's alone", async () => {
    const kms = new LocalKms();
    open.push(kms);
    await kms.createKey({ alias: "tenants" });
    const path = storePath();
    const records = await openFile(path);
    const key = providerKey(new LocalKeyProvider(kms), "tenants");
    const store = branchKeyStore({ wrappingKey: key, records });
    await store.create("acme");
    await store.rotate("acme");
    const materials: Uint8Array[] = [];
    for (const { version } of await store.versions("acme"))
      materials.push((await store.getVersion("acme", version)).material);
    const files = readdirSync(dirname(path)).map((name) => `${dirname(path)}/${name}`);
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) {
      expect(statSync(file).mode & 0o777, file).toBe(0o600);
      const content = readFileSync(file);
      for (const material of materials) {
        // Any eight bytes of it, as bytes or as digits.
        for (let i = 0; i + 8 <= 32; i += 8) {
          const part = Buffer.from(material.subarray(i, i + 8));
          expect(content.includes(part) || content.includes(part.toString("hex")), file).toBe(false);
        }
      }
    }
  });

  test("a version that changed places, with a sum that fits, does not open", async () => {
    const path = await filled();
    const raw = await openRaw(path);
    const rows: readonly unknown[] = raw.prepare("SELECT * FROM versions ORDER BY number").all();
    const [oldOfA, newOfA, ofB] = rows as [BytesRow, BytesRow, BytesRow];
    const put = (number: number, id: Uint8Array, version: Uint8Array, from: BytesRow): void => {
      const { createdAtMs, providerId, providerInfo, ciphertext } = from;
      const sum = checksumOf([id, version, providerId, providerInfo, ciphertext], createdAtMs);
      raw
        .prepare("UPDATE versions SET ciphertext = ?, providerInfo = ?, createdAtMs = ?, checksum = ? WHERE number = ?")
        .run(ciphertext, providerInfo, createdAtMs, sum, number);
    };
    // What is of a's first version under its second one; what is of b under a's first.
    put(2, newOfA.branchKeyId, newOfA.version, oldOfA);
    put(1, oldOfA.branchKeyId, oldOfA.version, ofB);
    const store = branchKeyStore({ wrappingKey, records: await openFile(path, false) });
    expect(await codeOf(store.getActive("a"))).toBe("ERR_UNWRAP_FAILED");
    expect(await codeOf(store.getVersion("a", oldOfA.version))).toBe("ERR_UNWRAP_FAILED");
    expect((await store.getActive("b")).version).toEqual(ofB.version);
  });

  test("a changed row is told as damage", async () => {
    const changes: Readonly<Record<string, string>> = {
      ciphertext: "UPDATE versions SET ciphertext = zeroblob(60)",
      providerInfo: "UPDATE versions SET providerInfo = x'00'",
      providerId: "UPDATE versions SET providerId = x'ff'",
      createdAtMs: "UPDATE versions SET createdAtMs = createdAtMs + 1",
      active: "UPDATE branchKeys SET active = zeroblob(16)",
      checksum: "UPDATE versions SET checksum = x''",
    };
    for (const [name, sql] of Object.entries(changes)) {
      const path = await filled();
      const raw = await openRaw(path);
      raw.exec(sql);
      const store = branchKeyStore({ wrappingKey, records: await openFile(path, false) });
      expect(await codeOf(store.getActive("a")), name).toBe("ERR_STORE_DAMAGED");
      expect(await codeOf(store.versions("a")), name).toBe("ERR_STORE_DAMAGED");
    }
  });

  test("what is damaged, truncated, foreign or no file is refused, and stays as it was", async () => {
    const whole = readFileSync(await filled());
    const refused = async (content: Uint8Array): Promise<void> => {
      const path = storePath();
      writeFileSync(path, content);
      expect(await codeOf(openBranchKeyFile(path))).toBe("ERR_STORE_DAMAGED");
      expect(await codeOf(openBranchKeyFile(path, { create: true }))).toBe("ERR_STORE_DAMAGED");
      expect(Buffer.compare(readFileSync(path), content)).toBe(0);
    };
    await refused(Buffer.from("not a database, but long enough to have a head of a hundred bytes".repeat(4)));
    await refused(new Uint8Array(0));
    await refused(new Uint8Array(4096));
    for (const length of [1, 99, 100, 4096, whole.length - 4096]) await refused(whole.subarray(0, length));
    // A page other than the first, overwritten.
    const broken = Uint8Array.from(whole);
    broken.fill(0xaa, 4096, 4096 + 200);
    await refused(broken);
    const path = storePath();
    const foreign = await openRaw(path);
    foreign.exec("CREATE TABLE t (x); INSERT INTO t VALUES (1)");
    foreign.close();
    await refused(readFileSync(path));
    expect(await codeOf(openBranchKeyFile(dirname(path)))).toBe("ERR_STORE_DAMAGED");
  });

  test("with another schema is refused", async () => {
    const changes = ["CREATE TRIGGER x AFTER INSERT ON versions BEGIN SELECT 1; END", "PRAGMA user_version = 2"];
    for (const sql of changes) {
      const path = await filled();
      const raw: SqlConnection = await openRaw(path);
      raw.exec(sql);
      raw.close();
      expect(await codeOf(openBranchKeyFile(path)), sql).toBe("ERR_STORE_DAMAGED");
    }
  });

  test("that is not there is not made unless asked for", async () => {
    const path = storePath();
    expect(await codeOf(openBranchKeyFile(path))).toBe("ERR_STORE_NOT_FOUND");
    expect(existsSync(path)).toBe(false);
    await openFile(path);
    await expect(openBranchKeyFile("")).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
    await expect(openBranchKeyFile(path, { creat: true } as object)).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
  });

  test("replaced under an open one is told", async () => {
    const path = await filled();
    const file = await openFile(path, false);
    expect((await file.list("a")).length).toBe(2);
    const other = await filled();
    renameSync(other, path);
    expect(await codeOf(file.getActive("a"))).toBe("ERR_STORE_DAMAGED");
  });

  test("waits for another's change, no longer than it may, and changes nothing then", async () => {
    const path = await filled();
    const file = await openBranchKeyFile(path, { maxWaitMs: 30 });
    open.push(file);
    const store = branchKeyStore({ wrappingKey, records: file });
    const raw = await openRaw(path);
    raw.exec("BEGIN IMMEDIATE");
    expect(await codeOf(store.rotate("a"))).toBe("ERR_STORE_BUSY");
    // Who only reads does not wait.
    expect((await store.versions("a")).length).toBe(2);
    const reason = new Error("enough");
    const leaver = new AbortController();
    const waiting = file.activate(record(9, "z"), undefined, { signal: leaver.signal });
    leaver.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    raw.exec("ROLLBACK");
    await store.rotate("a");
    expect((await store.versions("a")).length).toBe(3);
    expect(await file.list("z")).toEqual([]);
  });

  test("closed, says so", async () => {
    const file = await openFile(await filled(), false);
    file.close();
    file.close();
    expect(await codeOf(file.getActive("a"))).toBe("ERR_CLOSED");
    expect(await codeOf(file.activate(record(1), undefined))).toBe("ERR_CLOSED");
  });

  test("keeps what was acknowledged when processes that share it are killed", { timeout: 60_000 }, async () => {
    const path = await filled();
    const acknowledged: string[] = [];
    for (let round = 0; round < 3; round++) {
      // Each kills itself in the middle of a transaction, having told every version that it was promised.
      const { stdout, signal, stderr } = spawnSync(process.execPath, [...NODE_ARGUMENTS, path], {
        cwd: FOLDER,
        encoding: "utf8",
      });
      expect({ signal, stderr }).toEqual({ signal: "SIGKILL", stderr: "" });
      acknowledged.push(...stdout.trim().split("\n"));
    }
    expect(acknowledged.length).toBe(15);
    const store = branchKeyStore({ wrappingKey, records: await openFile(path, false) });
    const versions = await store.versions("a");
    expect(versions.slice(2).map(({ version }) => Buffer.from(version).toString("hex"))).toEqual(acknowledged);
    expect(versions.filter(({ active }) => active)).toEqual(versions.slice(-1));
    for (const { version } of versions) expect((await store.getVersion("a", version)).material.length).toBe(32);
  });
});

interface BytesRow {
  readonly branchKeyId: Uint8Array;
  readonly version: Uint8Array;
  readonly createdAtMs: number;
  readonly providerId: Uint8Array;
  readonly providerInfo: Uint8Array;
  readonly ciphertext: Uint8Array;
}
