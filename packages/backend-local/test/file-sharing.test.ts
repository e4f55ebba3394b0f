// One file, several writers: objects of one process, processes, and processes that are killed. No acknowledged key is ever lost.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ManualClock } from "@fengni/backend-local";
import { afterEach, describe, expect, test, vi } from "vitest";
import { withLock } from "../src/store-lock.js";
import { codeOf, DAY_MS, errorOf, filled, openStore, temporaryFolder } from "./support.js";

const WRITER = fileURLToPath(new URL("fixtures/writer.ts", import.meta.url));
// From here Node finds tsx, whatever folder the tests were started in.
const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const NODE_ARGUMENTS = ["--import", "tsx", "--conditions=@fengni/source", WRITER];

const children: ChildProcess[] = [];

afterEach(() => {
  vi.useRealTimers();
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/** Starts a writer; `lines` grows with what it tells. */
function startWriter(
  path: string,
  count: number,
  prefix: string,
): { child: ChildProcess; lines: string[]; ended: Promise<number | null> } {
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

async function idsIn(path: string): Promise<string[]> {
  const kms = await openStore(path, { create: false });
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await kms.lifecycle.listKeys(cursor === undefined ? {} : { cursor });
    ids.push(...page.keys.map((key) => key.keyId));
    cursor = page.next;
  } while (cursor !== undefined);
  return ids;
}

describe("two objects of one process", () => {
  test("see each other's changes at once", async () => {
    const path = join(temporaryFolder(), "keys");
    const a = await openStore(path);
    const b = await openStore(path);
    const { keyId } = await a.lifecycle.createKey({ alias: "shared" });
    const { ciphertext } = await b.encrypt({ keyId: "shared", plaintext: filled(3) });
    await b.lifecycle.rotateKey("shared");
    expect((await a.lifecycle.describeKey(keyId)).versions).toBe(2);
    // Each of these leaves the file as long as before, within the same tick of the clock.
    for (let i = 0; i < 20; i++) {
      await a.lifecycle.disableKey(keyId);
      expect(await codeOf(b.decrypt({ ciphertext }))).toBe("ERR_KEY_STATE");
      await b.lifecycle.enableKey(keyId);
      expect((await a.decrypt({ ciphertext })).plaintext).toEqual(filled(3));
      await a.lifecycle.updateDescription(keyId, String(i % 10));
      expect((await b.lifecycle.describeKey(keyId)).description).toBe(String(i % 10));
    }
  });

  test("make 50 keys each, and lose none", async () => {
    const path = join(temporaryFolder(), "keys");
    const stores = [await openStore(path), await openStore(path)];
    const made = await Promise.all(
      stores.flatMap((kms) => Array.from({ length: 50 }, async () => (await kms.lifecycle.createKey()).keyId)),
    );
    expect(new Set(made).size).toBe(100);
    for (const kms of stores) {
      const { keys } = await kms.lifecycle.listKeys({ limit: 200 });
      expect(keys.map((key) => key.keyId).sort()).toEqual([...made].sort());
    }
  });

  test("cannot both take one alias", async () => {
    const path = join(temporaryFolder(), "keys");
    const stores = [await openStore(path), await openStore(path)];
    const calls = stores.map((kms) => kms.lifecycle.createKey({ alias: "wanted" }).catch((error) => error.code));
    const answers = await Promise.all(calls);
    expect(answers.filter((answer) => answer === "ERR_CONFLICT").length).toBe(1);
  });

  test("that create the same file end with one store", async () => {
    const path = join(temporaryFolder(), "keys");
    const stores = await Promise.all([openStore(path), openStore(path), openStore(path)]);
    const { keyId } = await (stores[0] as (typeof stores)[0]).lifecycle.createKey();
    for (const kms of stores) expect(await kms.resolveKeyId(keyId)).toBe(keyId);
  });
});

describe("two processes", () => {
  test("make 50 keys each at the same time, and lose none", async () => {
    const path = join(temporaryFolder(), "keys");
    const writers = [startWriter(path, 50, "a"), startWriter(path, 50, "b")];
    for (const writer of writers) expect(await writer.ended).toBe(0);
    const made = writers.flatMap((writer) => writer.lines.filter((line) => line !== "ready"));
    expect(made.length).toBe(100);
    expect((await idsIn(path)).sort()).toEqual(made.sort());
    expect(readdirSync(join(path, ".."))).toEqual(["keys"]);
  });

  test("killed at any moment leave a store with every acknowledged key, which is writable at once", async () => {
    const path = join(temporaryFolder(), "keys");
    const acknowledged: string[] = [];
    for (let round = 0; round < 5; round++) {
      const { child, lines, ended } = startWriter(path, 100_000, `r${round}-`);
      await until(() => lines.length > 2 + 2 * round);
      await new Promise((resolve) => setTimeout(resolve, round));
      child.kill("SIGKILL");
      await ended;
      acknowledged.push(...lines.filter((line) => line !== "ready"));
      const found = new Set(await idsIn(path));
      for (const keyId of acknowledged) expect(found.has(keyId)).toBe(true);
      const kms = await openStore(path, { create: false });
      acknowledged.push((await kms.lifecycle.createKey()).keyId);
      expect(readdirSync(join(path, ".."))).toEqual(["keys"]);
    }
    expect(acknowledged.length).toBeGreaterThan(10);
  });

  test("a file that may not grow any more: the change fails, and the store stays as it was", async () => {
    const path = join(temporaryFolder(), "keys");
    const limited = `ulimit -f 2 && exec "$0" "$@"`;
    const run = spawnSync("bash", ["-c", limited, process.execPath, ...NODE_ARGUMENTS, path, "1000", "k"], {
      cwd: FOLDER,
      encoding: "utf8",
    });
    expect(run.status).toBe(1);
    expect(run.stderr).toContain("ERR_STORE_BUSY");
    const made = run.stdout.split("\n").filter((line) => line !== "" && line !== "ready");
    expect(made.length).toBeGreaterThan(2);
    expect(await idsIn(path)).toEqual(made);
    expect(readdirSync(join(path, ".."))).toEqual(["keys"]);
  });
});

describe("the lock", () => {
  test("keeps sections apart and goes away, also when the section fails", async () => {
    const path = join(temporaryFolder(), "lock");
    let inside = 0;
    const section = (): void => {
      expect(++inside).toBe(1);
      expect(readFileSync(path, "utf8").split("\n")[0]).toBe(String(process.pid));
      inside--;
    };
    await Promise.all(Array.from({ length: 20 }, () => withLock(path, undefined, section)));
    const failure = new Error("in the section");
    const failing = withLock(path, undefined, () => {
      throw failure;
    });
    expect(await errorOf(failing)).toBe(failure);
    expect(existsSync(path)).toBe(false);
  });

  test("held by a process that runs: reads go on, a change waits, then names it and changes nothing", async () => {
    const path = join(temporaryFolder(), "keys");
    const kms = await openStore(path);
    const { keyId } = await kms.lifecycle.createKey();
    writeFileSync(`${path}.lock`, `${process.ppid}\n`);
    const before = readFileSync(path);
    vi.useFakeTimers({ toFake: ["setTimeout", "performance"] });
    const call = errorOf(kms.lifecycle.rotateKey(keyId));
    await vi.advanceTimersByTimeAsync(9_000);
    expect(await kms.resolveKeyId(keyId)).toBe(keyId);
    expect(await Promise.race([call, "waiting"])).toBe("waiting");
    await vi.advanceTimersByTimeAsync(2_000);
    const error = await call;
    expect(error).toMatchObject({ code: "ERR_STORE_BUSY", retryable: true });
    expect(error.message).toContain(`process ${process.ppid}`);
    expect(readFileSync(path)).toEqual(before);
    expect(readFileSync(`${path}.lock`, "utf8")).toBe(`${process.ppid}\n`);
  });

  test("does not keep a key that is due alive, nor its caller waiting", async () => {
    const path = join(temporaryFolder(), "keys");
    const clock = new ManualClock();
    const kms = await openStore(path, { clock });
    const { keyId } = await kms.lifecycle.createKey();
    await kms.lifecycle.disableKey(keyId);
    await kms.lifecycle.scheduleKeyDeletion(keyId, 7);
    writeFileSync(`${path}.lock`, `${process.ppid}\n`);
    const before = statSync(path).size;
    clock.advance(7 * DAY_MS);
    const started = performance.now();
    expect(await codeOf(kms.resolveKeyId(keyId))).toBe("ERR_KEY_NOT_FOUND");
    expect((await kms.lifecycle.listKeys()).keys).toEqual([]);
    expect(performance.now() - started).toBeLessThan(2000);
    expect(statSync(path).size).toBe(before);
    rmSync(`${path}.lock`);
    await codeOf(kms.resolveKeyId(keyId));
    expect(statSync(path).size).toBeLessThan(before);
  });

  test("whose holder cannot be judged: the error says that the file may be removed", async () => {
    const path = join(temporaryFolder(), "keys");
    const kms = await openStore(path);
    for (const [text, who] of [
      ["", "an unknown process"],
      ["rubbish\n", "an unknown process"],
      [`${endedProcess()}\nanother machine\n`, "which is not running on this machine"],
    ] as const) {
      writeFileSync(`${path}.lock`, text);
      vi.useFakeTimers({ toFake: ["setTimeout", "performance"] });
      const call = errorOf(kms.lifecycle.createKey());
      await vi.advanceTimersByTimeAsync(11_000);
      const { message } = await call;
      expect(message).toContain(who);
      expect(message).toContain(`${path}.lock.removal may be removed`);
      vi.useRealTimers();
    }
  });

  test("of a dead process of this machine is removed, unless somebody else is about to", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "lock");
    let place = "";
    await withLock(path, undefined, () => {
      place = readFileSync(path, "utf8").split("\n")[1] as string;
    });
    const dead = `${endedProcess()}\n${place}\n0123456789abcdef\n`;
    writeFileSync(path, dead);
    expect(await withLock(path, undefined, () => "done")).toBe("done");
    expect(readdirSync(folder)).toEqual([]);

    writeFileSync(path, dead);
    writeFileSync(`${path}.removal`, "");
    vi.useFakeTimers({ toFake: ["setTimeout", "performance"] });
    const call = codeOf(withLock(path, undefined, () => "done"));
    await vi.advanceTimersByTimeAsync(11_000);
    expect(await call).toBe("ERR_STORE_BUSY");
    expect(readFileSync(path, "utf8")).toBe(dead);
  });

  test("a wait ends when its signal aborts, and nothing is changed", async () => {
    const path = join(temporaryFolder(), "keys");
    const kms = await openStore(path);
    writeFileSync(`${path}.lock`, `${process.ppid}\n`);
    const controller = new AbortController();
    const call = errorOf(kms.lifecycle.createKey({}, { signal: controller.signal }));
    const reason = new Error("enough");
    setTimeout(() => controller.abort(reason), 20);
    expect(await call).toBe(reason);
    expect((await kms.lifecycle.listKeys()).keys).toEqual([]);
  });

  test("leftovers of killed processes are swept at the next change; other files stay", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "keys");
    const kms = await openStore(path);
    for (const name of ["keys.0123456789abcdef.tmp", "keys.lock.0123456789abcdef.tmp"])
      writeFileSync(join(folder, name), "");
    const others = ["keys.bak", "keys.tmp", "keys.0123456789abcde.tmp", "other.0123456789abcdef.tmp"];
    for (const name of others) writeFileSync(join(folder, name), "");
    mkdirSync(join(folder, "keys.fedcba9876543210.tmp"));
    await kms.lifecycle.createKey();
    expect(readdirSync(folder).sort()).toEqual(["keys", "keys.fedcba9876543210.tmp", ...others].sort());
  });

  function endedProcess(): number {
    const { pid } = spawnSync(process.execPath, ["-e", ""]);
    return pid;
  }
});
