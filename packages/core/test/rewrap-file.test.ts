import { spawn } from "node:child_process";

import {
  appendFile,
  chmod,
  chown,
  type FileHandle,
  link,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  unlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Envelope, inspect, SUITE_COMMITTED_SIGNED, type WrappingKey } from "@fengni/core";
import { rewrapFile } from "@fengni/core/node";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { bytesOf, refusal, testKey } from "./support.js";

const oldKey = testKey("old", 1);
const newKey = testKey("new", 2);
const before = new Envelope({ wrappingKeys: [oldKey] });
const between = new Envelope({ wrappingKeys: [newKey], unwrappingKeys: [oldKey] });
const after = new Envelope({ wrappingKeys: [newKey] });
const LEFTOVER = /^\.fengni-rewrap-[0-9a-f]{24}\.tmp$/;

const plaintext = bytesOf(3_000_000);
let folder: string;
let path: string;
let original: Uint8Array;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fengni-rewrap-test-"));
  path = join(folder, "message");
  original = await before.encrypt(plaintext);
  await writeFile(path, original);
});

afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

async function expectOpens(envelope: Envelope): Promise<void> {
  const opened = await envelope.decrypt(new Uint8Array(await readFile(path)));
  expect(Buffer.compare(opened.plaintext, plaintext)).toBe(0);
}

async function expectUntouched(): Promise<void> {
  expect(Buffer.compare(await readFile(path), original)).toBe(0);
  expect(await readdir(folder)).toEqual(["message"]);
}

/** An envelope that does something to the files while it waits for its key. */
function meddling(work: () => Promise<unknown>): Envelope {
  const key: WrappingKey = {
    ...newKey,
    async wrapDataKey(request, options) {
      await work();
      return newKey.wrapDataKey(request, options);
    },
  };
  return new Envelope({ wrappingKeys: [key], unwrappingKeys: [oldKey] });
}

describe("a file", () => {
  test.each([
    ["not signed", undefined],
    ["signed", SUITE_COMMITTED_SIGNED],
  ] as const)("%s opens under the new key alone, and nothing else is left", async (_name, suite) => {
    if (suite !== undefined) await writeFile(path, await before.encrypt(plaintext, { suite }));
    const { isUnchanged, size } = await rewrapFile(between, path);
    expect(isUnchanged).toBe(false);
    expect(size).toBe((await stat(path)).size);
    await expectOpens(after);
    await refusal(before.decrypt(new Uint8Array(await readFile(path))), "ERR_NO_MATCHING_KEY");
    expect(await readdir(folder)).toEqual(["message"]);
  });

  test("keeps its permissions", async () => {
    for (const mode of [0o600, 0o644, 0o440]) {
      await chmod(path, mode);
      await rewrapFile(new Envelope({ wrappingKeys: [newKey, oldKey] }), path);
      expect((await stat(path)).mode & 0o7777).toBe(mode);
    }
  });

  test.runIf(process.getuid?.() === 0)("keeps its owner and group where that is allowed", async () => {
    await chown(path, 1234, 2345);
    await rewrapFile(between, path);
    const { uid, gid } = await stat(path);
    expect([uid, gid]).toEqual([1234, 2345]);
  });

  test("that is current is not written", async () => {
    const { ino, mtimeMs } = await stat(path);
    expect(await rewrapFile(before, path, { unlessCurrent: true })).toEqual({
      isUnchanged: true,
      size: original.length,
    });
    expect(await stat(path)).toMatchObject({ ino, mtimeMs });
    await expectUntouched();
  });

  test("is as small or as long in its header as may be", async () => {
    for (const [length, context] of [
      [0, {}],
      [1, { long: "x".repeat(60_000) }],
    ] as const) {
      await writeFile(path, await before.encrypt(bytesOf(length), { encryptionContext: context }));
      await rewrapFile(between, path);
      expect((await after.decrypt(new Uint8Array(await readFile(path)))).plaintext).toEqual(bytesOf(length));
    }
  });
});

describe("the original stays whole, and nothing is left beside it,", () => {
  test("when the message is cut, changed or of strange keys", async () => {
    for (const bad of [new Uint8Array(0), original.slice(0, 50), original.slice(0, -1), original.slice(0, 1_500_000)]) {
      original = bad;
      await writeFile(path, bad);
      await refusal(rewrapFile(between, path), "ERR_MESSAGE_TRUNCATED");
      await expectUntouched();
    }
    await refusal(rewrapFile(after, path));
    await expectUntouched();
  });

  test("when the signature turns out to be wrong, at the very end", async () => {
    original = await before.encrypt(plaintext, { suite: SUITE_COMMITTED_SIGNED });
    original[1_000_000] = (original[1_000_000] as number) ^ 1;
    await writeFile(path, original);
    await refusal(rewrapFile(between, path), "ERR_AUTHENTICATION");
    await expectUntouched();
  });

  test("when the disk is full or fails, at whatever call", async () => {
    const handle = await open(path, "r");
    const prototype = Object.getPrototypeOf(handle) as FileHandle;
    await handle.close();
    const full = Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
    const fail = async (name: "write" | "sync" | "chmod", calls: number): Promise<void> => {
      let left = calls;
      const real = prototype[name] as (...parameters: unknown[]) => Promise<unknown>;
      const spy = vi.spyOn(prototype, name).mockImplementation(function (this: FileHandle, ...parameters: unknown[]) {
        left -= 1;
        return left === 0 ? Promise.reject(full) : real.apply(this, parameters);
      } as never);
      await expect(rewrapFile(between, path)).rejects.toThrow("no space left");
      spy.mockRestore();
      await expectUntouched();
    };
    for (let call = 1; call <= 4; call++) await fail("write", call);
    await fail("sync", 1);
    await fail("chmod", 1);
    await rewrapFile(between, path);
    await expectOpens(after);
  });

  test("when the signal aborts", async () => {
    const controller = new AbortController();
    const envelope = meddling(async () => controller.abort(new Error("enough")));
    await expect(rewrapFile(envelope, path, { signal: controller.signal })).rejects.toThrow("enough");
    await expectUntouched();
  });
});

describe("a change by someone else is kept", () => {
  test.each([
    ["longer", () => appendFile(path, "x")],
    [
      "replaced by renaming",
      async () => {
        await writeFile(join(folder, "other"), original);
        await rename(join(folder, "other"), path);
      },
    ],
    ["removed", () => unlink(path)],
    ["of other permissions", () => chmod(path, 0o400)],
    ["linked to by another name", () => link(path, join(folder, "second"))],
  ] as const)("of a file that gets %s", async (_name, change) => {
    let expected: (string | undefined)[] = [];
    const envelope = meddling(async () => {
      await change();
      expected = [(await readFile(path).catch(() => undefined))?.toString("base64")];
    });
    await refusal(rewrapFile(envelope, path), "ERR_CONFLICT", "ERR_MESSAGE_INVALID");
    expect([(await readFile(path).catch(() => undefined))?.toString("base64")]).toEqual(expected);
    expect((await readdir(folder)).filter((name) => LEFTOVER.test(name))).toEqual([]);
  });
});

describe("is refused", () => {
  test("a symbolic link, a file of two names, a folder and no file", async () => {
    await symlink(path, join(folder, "link"));
    await refusal(rewrapFile(between, join(folder, "link")), "ERR_NOT_SUPPORTED");
    await refusal(rewrapFile(between, folder), "ERR_NOT_SUPPORTED");
    await unlink(join(folder, "link"));
    await link(path, join(folder, "second"));
    await refusal(rewrapFile(between, path), "ERR_NOT_SUPPORTED");
    await unlink(join(folder, "second"));
    await expectUntouched();
    await expect(rewrapFile(between, join(folder, "absent"))).rejects.toMatchObject({ code: "ENOENT" });
    await expect(rewrapFile(between, "")).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
  });
});

describe("a process that is killed", () => {
  const CHILD = fileURLToPath(new URL("fixtures/rewrap-child.ts", import.meta.url));
  const FOLDER = fileURLToPath(new URL(".", import.meta.url));

  function run(call: string, moment: string, count: number): Promise<string> {
    const parameters = ["--import", "tsx", "--conditions=@fengni/source", CHILD, path, call, moment, String(count)];
    const child = spawn(process.execPath, parameters, { cwd: FOLDER, stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    return new Promise((resolve) => child.once("close", () => resolve(output)));
  }

  test.each([
    ["write", "before", 1, "old"],
    ["write", "after", 2, "old"],
    ["write", "after", 4, "old"],
    ["sync", "before", 1, "old"],
    ["sync", "after", 1, "old"],
    ["rename", "before", 1, "old"],
    ["rename", "after", 1, "new"],
  ] as const)("at %s (%s call %d) leaves the %s message whole", async (call, moment, count, whole) => {
    expect(await run(call, moment, count)).toBe("dead\n");
    if (whole === "old") expect(Buffer.compare(await readFile(path), original)).toBe(0);
    else await expectOpens(after);
    const others = (await readdir(folder)).filter((name) => name !== "message");
    expect(others).toHaveLength(whole === "old" ? 1 : 0);
    for (const name of others) expect(name).toMatch(LEFTOVER);
    // It can be done anew.
    if (whole === "old") {
      await rewrapFile(between, path);
      await expectOpens(after);
    }
  });
});

test("a rewrapped file names its new keys only", async () => {
  await rewrapFile(between, path);
  const { encryptedDataKeys, suite } = inspect(new Uint8Array(await readFile(path)));
  expect(encryptedDataKeys).toHaveLength(1);
  expect(suite.id).toBe("0xf478");
});
