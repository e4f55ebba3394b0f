// `fengni rewrap`: files that change their keys in place, what is left alone, what fails, and what a dry run forecasts.
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type EncryptedDataKey, inspect } from "@fengni/core";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { keyNameOf } from "../src/key-name.js";
import { bytesOf, Capture, expectFailure, Folder, type RunResult, run, runWell } from "./support.js";

const folder = new Folder();
folder.write("aes.key", bytesOf(32));
folder.write("root.key", bytesOf(32, 2));
folder.write("plain", bytesOf(200_000));
const RAW = ["--raw-aes-key", folder.at("aes.key"), "--namespace", "ns", "--name", "backup"];
const KEYSTORE = ["--keystore", folder.at("keys"), "--keystore-key", folder.at("root.key")];
const ids = new Map<string, string>();
let tree = "";
let round = 0;

interface Counts {
  readonly dryRun: boolean;
  readonly rewrapped: number;
  readonly unchanged: number;
  readonly failed: number;
  readonly otherFiles: number;
  readonly bytes: number;
}

async function seal(name: string, ...options: string[]): Promise<string> {
  await runWell(["encrypt", folder.at("plain"), "-o", join(tree, name), "--quiet", ...options]);
  return join(tree, name);
}

/** The names of the keys that wrap a message: aliases of the keystore, names of raw keys. */
function keysOf(path: string): string[] {
  const { encryptedDataKeys } = inspect(readFileSync(path));
  return encryptedDataKeys.map((key: EncryptedDataKey) => {
    const { key: id, version } = keyNameOf(key);
    const alias = [...ids].find(([, keyId]) => keyId === id)?.[0];
    return alias === undefined ? id : `${alias}@${version}`;
  });
}

function rewrap(...words: string[]): Promise<RunResult> {
  return run(["rewrap", tree, ...words]);
}

async function json(exitCode: number, ...words: string[]): Promise<Counts> {
  const result = await rewrap(...words, "--json");
  expect(result.exitCode, result.stderr).toBe(exitCode);
  return JSON.parse(result.stdout.toString());
}

async function opens(path: string, ...keys: string[]): Promise<boolean> {
  const { exitCode, stdout } = await run(["decrypt", path, "-o", "-", "--quiet", ...keys]);
  return exitCode === 0 && Buffer.compare(stdout, folder.read("plain")) === 0;
}

beforeAll(async () => {
  for (const alias of ["old", "new", "escrow"]) {
    ids.set(alias, (await runWell(["key", "create", "--alias", alias, ...KEYSTORE])).stdout.toString().trim());
  }
});

beforeEach(() => {
  tree = folder.at(`tree-${round++}`);
  mkdirSync(join(tree, "deep"), { recursive: true });
});

describe("in place", () => {
  test("from one key of the keystore to another, in folders too", async () => {
    const one = await seal("one", ...KEYSTORE, "--key", "old");
    const two = await seal("deep/two", ...KEYSTORE, "--key", "old", "--suite", "signed");
    writeFileSync(join(tree, "note.txt"), "no message");
    const { stdout, stderr, exitCode } = await rewrap(...KEYSTORE, "--key", "new");
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(stdout.toString()).toMatch(
      /^2 messages rewrapped \(\d+\.\d kB\), 0 left as they are, 0 failed, 1 other file\n$/,
    );
    for (const path of [one, two]) {
      expect(keysOf(path)).toEqual(["new@1"]);
      expect(await opens(path, ...KEYSTORE, "--key", "new")).toBe(true);
      expect(await opens(path, ...KEYSTORE, "--key", "old")).toBe(false);
    }
    expect(readdirSync(tree).sort()).toEqual(["deep", "note.txt", "one"]);
    expect(readFileSync(join(tree, "note.txt"), "utf8")).toBe("no message");
  });

  test("to the newest version of the same key; bytes are counted as they are then", async () => {
    const one = await seal("one", ...KEYSTORE, "--key", "escrow");
    expect(keysOf(one)).toEqual(["escrow@1"]);
    await runWell(["key", "rotate", "escrow", ...KEYSTORE]);
    const counts = await json(0, ...KEYSTORE, "--key", "escrow");
    expect(counts).toEqual({
      dryRun: false,
      rewrapped: 1,
      unchanged: 0,
      failed: 0,
      otherFiles: 0,
      bytes: statSync(one).size,
    });
    expect(keysOf(one)).toEqual(["escrow@2"]);
  });

  test("from a raw key that opens only to the keystore, and back", async () => {
    const one = await seal("one", ...RAW);
    await json(0, ...KEYSTORE, "--key", "new", ...RAW, "--raw-opens-only");
    expect(keysOf(one)).toEqual(["new@1"]);
    await json(0, ...KEYSTORE, ...RAW);
    expect(keysOf(one)).toEqual(["backup"]);
    expect(await opens(one, ...RAW)).toBe(true);
  });

  test("--unless-current leaves what these keys wrap, to the byte", async () => {
    const one = await seal("one", ...KEYSTORE, "--key", "new");
    const two = await seal("two", ...KEYSTORE, "--key", "old");
    const before = readFileSync(one);
    expect(await json(0, ...KEYSTORE, "--key", "new", "--unless-current")).toMatchObject({
      rewrapped: 1,
      unchanged: 1,
    });
    expect(readFileSync(one).equals(before)).toBe(true);
    expect(keysOf(two)).toEqual(["new@1"]);
  });

  test("--heal adds what lacks, and keeps what is there", async () => {
    const one = await seal("one", ...KEYSTORE, "--key", "old");
    const two = await seal("two", ...KEYSTORE, "--key", "old", "--key", "new");
    const before = readFileSync(two);
    expect(await json(0, ...KEYSTORE, "--key", "old", "--key", "new", "--heal")).toMatchObject({
      rewrapped: 1,
      unchanged: 1,
    });
    expect(keysOf(one)).toEqual(["old@1", "new@1"]);
    expect(readFileSync(two).equals(before)).toBe(true);
  });

  test("links in folders are not followed", async () => {
    const outside = join(folder.path, `outside-${round}`);
    await runWell(["encrypt", folder.at("plain"), "-o", outside, "--quiet", ...KEYSTORE, "--key", "old"]);
    symlinkSync(outside, join(tree, "link"));
    expect(await json(0, ...KEYSTORE, "--key", "new")).toMatchObject({ rewrapped: 0, otherFiles: 1 });
    expect(keysOf(outside)).toEqual(["old@1"]);
  });
});

describe("--dry-run", () => {
  test("changes nothing, and forecasts what is done then", async () => {
    await seal("one", ...KEYSTORE, "--key", "old");
    await seal("two", ...KEYSTORE, "--key", "new");
    await seal("three", ...KEYSTORE, "--key", "old", "--key", "new");
    for (const options of [["--heal"], ["--unless-current"], []]) {
      const before = readdirSync(tree, { withFileTypes: true }).flatMap((entry) =>
        entry.isFile() ? [readFileSync(join(tree, entry.name)).toString("hex")] : [],
      );
      const words = [...KEYSTORE, "--key", "new", ...options];
      const forecast = await json(0, ...words, "--dry-run");
      const after = readdirSync(tree, { withFileTypes: true }).flatMap((entry) =>
        entry.isFile() ? [readFileSync(join(tree, entry.name)).toString("hex")] : [],
      );
      expect(after).toEqual(before);
      const { rewrapped, unchanged, failed } = await json(0, ...words);
      expect(forecast).toMatchObject({ dryRun: true, rewrapped, unchanged, failed });
    }
    expect((await rewrap(...KEYSTORE, "--key", "new", "--dry-run")).stdout.toString()).toContain("would be rewrapped");
  });

  test("names what would fail: no key that opens, a key that is disabled, another context", async () => {
    await seal("a-raw", ...RAW);
    await seal("b-disabled", ...KEYSTORE, "--key", "escrow", "--context", "a=1");
    await seal("c-context", ...KEYSTORE, "--key", "new");
    await runWell(["key", "disable", "escrow", ...KEYSTORE]);
    try {
      for (const options of [["--dry-run"], []]) {
        const result = await rewrap(...KEYSTORE, "--key", "new", "--context", "a=1", ...options);
        expect(result.exitCode).toBe(1);
        expect(result.stderr.split("\n")).toEqual([
          expect.stringMatching(/^fengni: ".*a-raw": .*\(ERR_(CONTEXT_MISMATCH|NO_MATCHING_KEY)\)$/),
          expect.stringMatching(/^fengni: ".*b-disabled": .*\(ERR_(KEY_STATE|UNWRAP_FAILED)\)$/),
          expect.stringMatching(/^fengni: ".*c-context": .*\(ERR_CONTEXT_MISMATCH\)$/),
          "",
        ]);
      }
    } finally {
      await runWell(["key", "enable", "escrow", ...KEYSTORE]);
    }
  });
});

describe("failures", () => {
  test("one message that fails leaves it as it was, and the others are worked on", async () => {
    const broken = await seal("a-broken", ...KEYSTORE, "--key", "old");
    const bytes = readFileSync(broken);
    // Cut behind the header: that is seen at its end, when most of the new file is written.
    writeFileSync(broken, bytes.subarray(0, bytes.length - 1));
    const cut = readFileSync(broken);
    const unclear = join(tree, "b-unclear");
    writeFileSync(unclear, bytes.subarray(0, 100));
    const well = await seal("c-well", ...KEYSTORE, "--key", "old");
    const result = await rewrap(...KEYSTORE, "--key", "new");
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toMatch(/^fengni: ".*a-broken": .* \(ERR_MESSAGE_TRUNCATED\)\nfengni: ".*b-unclear": .*\n$/);
    expect(result.stdout.toString()).toMatch(/^1 message rewrapped .*, 2 failed, /);
    expect(readFileSync(broken).equals(cut)).toBe(true);
    expect(keysOf(well)).toEqual(["new@1"]);
    expect(readdirSync(tree).sort()).toEqual(["a-broken", "b-unclear", "c-well", "deep"]);
  });

  test("command lines that cannot be", async () => {
    const key = ["--key", "new"];
    for (const words of [
      [],
      [...KEYSTORE],
      [...KEYSTORE, ...key, "--heal", "--unless-current"],
      [...KEYSTORE, ...key, "--raw-opens-only"],
      [...KEYSTORE, ...RAW, "--raw-opens-only"],
      [...KEYSTORE, ...key, "--namespace", "ns"],
      [...KEYSTORE, ...key, "--padding", "pkcs1"],
      [...key],
    ]) {
      expectFailure(await rewrap(...words), 2, "ERR_USAGE");
    }
    expectFailure(await run(["rewrap", folder.at("missing"), ...KEYSTORE, ...key]), 1, "ERR_INPUT");
    expectFailure(await rewrap(...KEYSTORE, "--key", "none"), 1, "ERR_KEY_NOT_FOUND");
  });

  test("an abort ends it at once, and leaves files whole", async () => {
    const one = await seal("one", ...KEYSTORE, "--key", "old");
    const before = readFileSync(one);
    const result = await run(["rewrap", tree, ...KEYSTORE, "--key", "new"], {
      signal: AbortSignal.abort(new Error("stop")),
    });
    expect(result.exitCode).toBe(1);
    expect(readFileSync(one).equals(before)).toBe(true);
  });

  test("progress goes to a terminal", async () => {
    await seal("one", ...KEYSTORE, "--key", "old");
    let now = 0;
    const stderr = new Capture(true);
    await runWell(["rewrap", tree, ...KEYSTORE, "--key", "new"], { stderr, nowMs: () => (now += 1000) });
    expect(stderr.text).toBe("\r\u001b[K1 file, 1 message\r\u001b[K");
  });
});
