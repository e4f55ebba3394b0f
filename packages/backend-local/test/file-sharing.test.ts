// One file, several writers: stores of one process, processes, and processes that are killed. No acknowledged change is ever lost.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SecretBytes } from "@fengni/crypto/secret";
import { afterEach, describe, expect, test } from "vitest";
import type { SqliteRecordStore } from "../src/store-sqlite.js";
import { loadEngine } from "../src/store-sqlite-engine.js";
import { addKey, openFile, openRaw, secretOf, storePath } from "./file-support.js";
import { keyRecord } from "./fixtures/key-record.js";
import { keyAddress } from "./store-suite-records.js";
import { codeOf, errorOf, filled, thrownCode } from "./store-support.js";

const WRITER = fileURLToPath(new URL("fixtures/store-writer.ts", import.meta.url));
// From here Node finds tsx, whatever folder the tests were started in.
const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const NODE_ARGUMENTS = ["--import", "tsx", "--conditions=@fengni/source", WRITER];

const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

interface Writer {
  readonly child: ChildProcess;
  /** What it told, line by line. */
  readonly lines: string[];
  readonly ended: Promise<number | null>;
}

function startWriter(path: string, count: number, prefix: string): Writer {
  const child = spawn(process.execPath, [...NODE_ARGUMENTS, path, String(count), prefix], {
    cwd: FOLDER,
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  const lines: string[] = [];
  let rest = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts);
  });
  return { child, lines, ended: new Promise((resolve) => child.once("close", resolve)) };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

function idsIn(store: SqliteRecordStore): string[] {
  const query = { kind: "key", region: "local", order: "oldest-first", offset: 0, limit: 100_000 } as const;
  const { records, total } = store.view().query(query);
  expect(total).toBe(records.length);
  return records.map(({ id }) => id);
}

describe("two stores of one process", () => {
  test("see each other's changes at once, whatever they remember", async () => {
    const path = storePath();
    const a = await openFile(path);
    const b = await openFile(path);
    await addKey(a, "k", 1, "name-0");
    for (let i = 1; i <= 20; i++) {
      const [writer, reader] = i % 2 === 0 ? [a, b] : [b, a];
      await writer.change((records) => {
        records.put(keyRecord("k", 1, { versions: i, name: `name-${i}`, dueAtMs: i }));
        records.putSecret(keyAddress("k"), 1, new SecretBytes(filled(32, i)));
      });
      expect(reader.view().get("key", "local", "k")?.versions).toBe(i);
      expect(reader.view().findName("key", "local", `name-${i}`)?.id).toBe("k");
      expect(reader.view().findName("key", "local", `name-${i - 1}`)).toBeUndefined();
      expect(reader.view().nextDueAtMs()).toBe(i);
      expect(secretOf(reader, "k")).toEqual(filled(32, i));
      await addKey(writer, `k${i}`, i);
      expect(idsIn(reader).length).toBe(i + 1);
    }
    await a.change((records) => records.remove(keyAddress("k")));
    expect(b.view().get("key", "local", "k")).toBeUndefined();
    expect(thrownCode(() => secretOf(b, "k"))).toBe("ERR_STORE_DAMAGED");
  });

  test("make 100 keys each at once, and lose none", async () => {
    const path = storePath();
    const stores = [await openFile(path), await openFile(path)];
    await Promise.all(
      stores.flatMap((store, index) => Array.from({ length: 100 }, (_, i) => addKey(store, `${index}-${i}`, i))),
    );
    for (const store of stores) {
      expect(new Set(idsIn(store)).size).toBe(200);
      expect(secretOf(store, "0-77")).toEqual(filled(32, 77));
      expect(secretOf(store, "1-77")).toEqual(filled(32, 77));
    }
  });

  test("cannot both take one name", async () => {
    const path = storePath();
    const stores = [await openFile(path), await openFile(path)];
    const calls = stores.map((store, index) => addKey(store, `k${index}`, 1, "wanted"));
    const answers = await Promise.allSettled(calls);
    expect(answers.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(answers).toContainEqual({ status: "rejected", reason: expect.objectContaining({ code: "ERR_CONFLICT" }) });
  });

  test("that make one file at once make one store", async () => {
    const path = storePath();
    const stores = await Promise.all(Array.from({ length: 8 }, () => openFile(path)));
    await Promise.all(stores.map((store, index) => addKey(store, `k${index}`, index)));
    for (const store of stores) expect(idsIn(store).length).toBe(8);
    expect(readdirSync(join(path, "..")).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });
});

describe("a file that somebody else writes", () => {
  test("is readable; a change waits, without blocking, and is made when the other has ended", async () => {
    const path = storePath();
    const store = await openFile(path);
    await addKey(store, "a", 1);
    const other = await openRaw(path);
    other.exec("BEGIN IMMEDIATE");
    let isMade = false;
    const call = addKey(store, "b", 2).then(() => {
      isMade = true;
    });
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(store.view().get("key", "local", "a")?.id).toBe("a");
    expect(isMade).toBe(false);
    other.exec("COMMIT");
    await call;
    expect(idsIn(store)).toEqual(["a", "b"]);
  });

  test("a change gives up when its time is over, and nothing of it is made", async () => {
    const path = storePath();
    const store = await openFile(path);
    const other = await openRaw(path);
    other.exec("BEGIN IMMEDIATE");
    let isCalled = false;
    const call = store.change(
      () => {
        isCalled = true;
      },
      { maxWaitMs: 5 },
    );
    const patient = addKey(store, "a", 1);
    expect(await errorOf(call)).toMatchObject({ code: "ERR_STORE_BUSY", retryable: true });
    other.exec("COMMIT");
    await patient;
    expect(isCalled).toBe(false);
    expect(idsIn(store)).toEqual(["a"]);
  });

  test("a wait ends when its signal aborts, or the store is closed", async () => {
    const path = storePath();
    const store = await openFile(path);
    const other = await openRaw(path);
    other.exec("BEGIN IMMEDIATE");
    const controller = new AbortController();
    const reason = new Error("enough");
    const aborted = errorOf(store.change(() => undefined, { signal: controller.signal }));
    const closed = codeOf(store.change(() => undefined));
    await new Promise((resolve) => setImmediate(resolve));
    controller.abort(reason);
    expect(await aborted).toBe(reason);
    store.close();
    expect(await closed).toBe("ERR_CLOSED");
    other.exec("COMMIT");
  });

  test("a transaction that cannot be committed takes every change of its group back, and the store goes on", async () => {
    const path = storePath();
    const engine = await loadEngine();
    let fails = false;
    const store = await openFile(path, {
      engine: (name) => {
        const connection = engine(name);
        return {
          ...connection,
          exec: (sql) => {
            if (fails && sql === "COMMIT") throw Object.assign(new Error("disk I/O error"), { rawCode: 778 });
            connection.exec(sql);
          },
        };
      },
    });
    await addKey(store, "a", 1);
    const secret = store.view().secret(keyAddress("a"), 1);
    fails = true;
    const given = new SecretBytes(filled(32, 9));
    const calls = [
      addKey(store, "b", 2),
      store.change((records) => records.putSecret(keyAddress("a"), 1, given)),
      store.change((records) => records.remove(keyAddress("a"))),
    ];
    expect((await Promise.all(calls.map(codeOf))).join()).toBe("ERR_STORE_BUSY,ERR_STORE_BUSY,ERR_STORE_BUSY");
    expect(given.wiped).toBe(true);
    fails = false;
    expect(idsIn(store)).toEqual(["a"]);
    expect(store.view().secret(keyAddress("a"), 1)).toBe(secret);
    expect(secretOf(store, "a")).toEqual(filled(32, 1));
    await addKey(store, "c", 3);
    expect(idsIn(await openFile(path))).toEqual(["a", "c"]);
  });
});

describe("processes", () => {
  test("that write at once lose nothing", async () => {
    const path = storePath();
    const store = await openFile(path);
    const writers = ["a", "b"].map((prefix) => startWriter(path, 50, prefix));
    await until(() => writers.every(({ lines }) => lines.includes("ready")));
    for (let i = 0; i < 20; i++) await addKey(store, `own${i}`, i);
    for (const { ended } of writers) expect(await ended).toBe(0);
    const told = writers.flatMap(({ lines }) => lines.filter((line) => line !== "ready"));
    expect(told.length).toBe(100);
    expect(idsIn(store).length).toBe(120);
    for (const id of told) expect(secretOf(store, id)).toEqual(filled(32, Number(id.slice(1))));
  });

  test("a file that may not grow any more: the change fails, and what was acknowledged is there", async () => {
    const path = storePath();
    (await openFile(path)).close();
    const limited = `ulimit -f 128 && exec "$0" "$@"`;
    const run = spawnSync("bash", ["-c", limited, process.execPath, ...NODE_ARGUMENTS, path, "1000", "k"], {
      cwd: FOLDER,
      encoding: "utf8",
    });
    expect(run.status).toBe(1);
    expect(run.stderr).toContain("ERR_STORE_BUSY");
    const told = run.stdout.split("\n").filter((line) => line !== "" && line !== "ready");
    expect(told.length).toBeGreaterThan(2);
    const store = await openFile(path);
    expect(idsIn(store)).toEqual(told);
    await addKey(store, "afterwards", 1);
  });
});
