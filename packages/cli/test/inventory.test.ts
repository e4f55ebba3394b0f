// `fengni inventory`: what it counts and what it leaves out, what it answers of a key, and that it is never wrong on the side
// that loses data.
import { appendFileSync, chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { BranchKeyring, branchKeyStore, Envelope, memoryBranchKeyRecords, rawAesKey, SUITE_SM4 } from "@fengni/core";
import { beforeAll, describe, expect, test } from "vitest";
import { bytesOf, Capture, expectFailure, Folder, type RunResult, run, runWell } from "./support.js";

const folder = new Folder();
folder.write("root.key", bytesOf(32, 2));
const KEYSTORE = ["--keystore", folder.at("keys"), "--keystore-key", folder.at("root.key")];
let app: string;
let spare: string;

interface Counted {
  readonly messages: number;
  readonly otherFiles: number;
  readonly unclear: readonly { readonly path: string; readonly error: string }[];
  readonly keys: readonly { readonly key: string; readonly messages: number; readonly version?: string }[];
  readonly mayRetire?: { readonly answer: string; readonly messages: number; readonly examples: readonly string[] };
}

function at(...names: string[]): string {
  return join(folder.path, ...names);
}

function makeFolder(...names: string[]): string {
  mkdirSync(at(...names), { recursive: true });
  return at(...names);
}

async function seal(path: string, ...keys: string[]): Promise<string> {
  const options = keys.flatMap((key) => ["--key", key]);
  await runWell(["encrypt", folder.write("plain", "attack"), "-o", path, ...KEYSTORE, ...options]);
  return path;
}

async function json(exitCode: number, ...words: string[]): Promise<Counted> {
  const result = await run(["inventory", ...words, "--json"]);
  expect(result.stderr).toBe("");
  expect(result.exitCode).toBe(exitCode);
  return JSON.parse(result.stdout.toString());
}

function inventory(...words: string[]): Promise<RunResult> {
  return run(["inventory", ...words]);
}

beforeAll(async () => {
  app = (await runWell(["key", "create", "--alias", "app", ...KEYSTORE])).stdout.toString().trim();
  spare = (await runWell(["key", "create", "--alias", "spare", ...KEYSTORE])).stdout.toString().trim();
});

describe("counts", () => {
  test("messages by provider, key and version, and by suite", async () => {
    const tree = makeFolder("tree", "deep", "deeper");
    await seal(at("tree", "one"), "app");
    await seal(join(tree, "two"), "app", "spare");
    await runWell(["key", "rotate", "app", ...KEYSTORE]);
    await seal(at("tree", "deep", "three"), "app");
    const raw = rawAesKey({ namespace: "ns", name: "backup", key: bytesOf(32) });
    const sm = new Envelope({ wrappingKeys: [raw], suite: SUITE_SM4 });
    writeFileSync(at("tree", "four"), await sm.encrypt(bytesOf(3000)));
    writeFileSync(at("tree", "note.txt"), "Again and again: no message");
    writeFileSync(at("tree", "empty"), "");
    const counted = await json(0, at("tree"));
    const sizes = { two: folder.read("tree/deep/deeper/two").length, three: folder.read("tree/deep/three").length };
    const one = folder.read("tree/one").length;
    const four = folder.read("tree/four").length;
    const local = { providerId: "fengni-local" };
    const rows = [
      { ...local, key: app, version: "1", messages: 2, onlyKeyOf: 1, bytes: one + sizes.two },
      { ...local, key: app, version: "2", messages: 1, onlyKeyOf: 1, bytes: sizes.three },
      { ...local, key: spare, version: "1", messages: 1, onlyKeyOf: 0, bytes: sizes.two },
    ];
    expect(counted).toEqual({
      authenticated: false,
      messages: 4,
      bytes: one + four + sizes.two + sizes.three,
      otherFiles: 2,
      unclear: [],
      keys: [
        ...rows.sort((a, b) => (a.key + a.version < b.key + b.version ? -1 : 1)),
        { providerId: "ns", key: "backup", messages: 1, onlyKeyOf: 1, bytes: four },
      ],
      suites: [
        {
          id: "0x0478",
          name: "AES_256_GCM_HKDF_SHA512_COMMIT_KEY",
          rewrappable: true,
          messages: 3,
          bytes: one + sizes.two + sizes.three,
        },
        { id: "0xf128", name: "SM4_128_GCM_HKDF_SM3_COMMIT_KEY", rewrappable: true, messages: 1, bytes: four },
      ],
    });
    const text = (await inventory(at("tree"))).stdout.toString();
    expect(text).toMatch(/^4 messages, \d+\.\d kB; 2 other files; 0 unclear\n/);
    expect(text).toMatch(new RegExp(`"fengni-local" +"${app}" +2 +1 +1 +\\d+ B\n`));
    expect(text).toMatch(/"ns" +"backup" +unknown +1 +1 +3\.\d kB\n/);
    expect(text).toMatch(/0xf128 +SM4_128_GCM_HKDF_SM3_COMMIT_KEY +yes +1 +3\.\d kB\n/);
  });

  test("the version of a branch key", async () => {
    const store = branchKeyStore({
      records: memoryBranchKeyRecords(),
      wrappingKey: rawAesKey({ namespace: "n", name: "k", key: bytesOf(32) }),
    });
    await store.create("tenant-7");
    const ring = new BranchKeyring({ store, branchKeyIdFor: () => "tenant-7", ttlMs: 1000 });
    const path = join(makeFolder("branch"), "message");
    writeFileSync(path, await new Envelope({ wrappingKeys: [ring] }).encrypt("attack"));
    const { keys } = await json(0, path);
    expect(keys).toMatchObject([{ key: "tenant-7", version: expect.stringMatching(/^[0-9a-f]{32}$/) }]);
  });

  test("each file once, links in folders not at all, a link that is named", async () => {
    const tree = makeFolder("links");
    const message = await seal(join(tree, "one"), "app");
    symlinkSync(tree, join(tree, "loop"));
    symlinkSync(message, join(tree, "again"));
    symlinkSync(message, at("link"));
    expect(await json(0, tree, tree, message, `${tree}/`, at("link"))).toMatchObject({ messages: 1, otherFiles: 2 });
    expect(await json(0, at("link"))).toMatchObject({ messages: 1, otherFiles: 0 });
  });

  test("sockets, and what a killed command left behind, are no messages", async () => {
    const tree = makeFolder("odd");
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(tree, "socket"), resolve));
    const message = folder.read("links/one");
    writeFileSync(join(tree, ".fengni-rewrap-00.tmp"), message);
    try {
      expect(await json(0, tree)).toMatchObject({ messages: 0, otherFiles: 2 });
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  test("a long header is read whole, and of a long file no more", async () => {
    const keys = Array.from({ length: 40 }, (_, index) =>
      rawAesKey({ namespace: "ns", name: `${"long".repeat(200)}${index}`, key: bytesOf(32) }),
    );
    const path = folder.write("long", await new Envelope({ wrappingKeys: keys }).encrypt("attack"));
    appendFileSync(path, bytesOf(3_000_000));
    expect(await json(0, path)).toMatchObject({
      messages: 1,
      keys: Array.from({ length: 40 }, () => ({ messages: 1 })),
    });
  });

  test("what begins as a message and cannot be read is unclear, and the exit code says so", async () => {
    const tree = makeFolder("unclear");
    const message = folder.read("links/one");
    writeFileSync(join(tree, "a-cut"), message.subarray(0, 60));
    writeFileSync(join(tree, "b-later"), Buffer.concat([Buffer.from("02eeee", "hex"), bytesOf(100)]));
    writeFileSync(join(tree, "c-base64"), message.toString("base64"));
    writeFileSync(join(tree, "d-text"), "Agenda of the meeting, and what else there is to say about it");
    writeFileSync(join(tree, "e-binary"), Buffer.from("0100ff", "hex"));
    const { unclear, otherFiles, messages } = await json(1, tree);
    expect([messages, otherFiles]).toEqual([0, 2]);
    expect(unclear.map(({ path }) => path)).toEqual(["a-cut", "b-later", "c-base64"].map((name) => join(tree, name)));
    expect(unclear.map(({ error }) => /\((ERR_[A-Z_]+)\)$/.exec(error)?.[1])).toEqual([
      "ERR_MESSAGE_TRUNCATED",
      "ERR_MESSAGE_UNSUPPORTED",
      "ERR_MESSAGE_UNSUPPORTED",
    ]);
    expect((await inventory(tree)).stdout.toString()).toContain(`Unclear:\n  "${join(tree, "a-cut")}": `);
  });

  test.skipIf(process.getuid?.() === 0)("a file and a folder that cannot be read are unclear", async () => {
    const tree = makeFolder("closed", "inside");
    const file = folder.write("closed/file", "x");
    chmodSync(file, 0);
    chmodSync(tree, 0);
    try {
      expect((await json(1, at("closed"))).unclear).toHaveLength(2);
    } finally {
      chmodSync(tree, 0o700);
    }
  });

  test("names that are hostile reach no terminal raw", async () => {
    const hostile = "x\u001b[2J\u202e";
    const tree = makeFolder("hostile");
    const key = rawAesKey({ namespace: hostile, name: hostile, key: bytesOf(32) });
    writeFileSync(join(tree, hostile), await new Envelope({ wrappingKeys: [key] }).encrypt("a"));
    writeFileSync(join(tree, `${hostile}2`), Buffer.from([2]));
    for (const options of [[], ["--json"]]) {
      const { stdout } = await inventory(tree, ...options, "--may-retire", hostile);
      expect(stdout.toString().replaceAll("\n", "")).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    }
  });
});

describe("--may-retire", () => {
  let tree: string;

  beforeAll(async () => {
    tree = makeFolder("retire");
    await seal(join(tree, "both"), "app", "spare");
    await seal(join(tree, "spare"), "spare");
  });

  test("no, of a key that is the only one of a message; with examples", async () => {
    const { mayRetire } = await json(1, tree, "--may-retire", spare);
    expect(mayRetire).toMatchObject({ key: spare, answer: "no", messages: 1, examples: [join(tree, "spare")] });
    const text = (await inventory(tree, "--may-retire", spare)).stdout.toString();
    expect(text).toContain(`"${spare}" must not be retired: `);
    expect(text).toContain(`(1 message)\n  "${join(tree, "spare")}"\n`);
  });

  test("yes, of a key beside which there is another: by id, by provider and id, by alias", async () => {
    for (const words of [[app], [`fengni-local/${app}`], ["app", ...KEYSTORE]]) {
      expect((await json(0, tree, "--may-retire", ...words)).mayRetire).toMatchObject({ answer: "yes", messages: 0 });
    }
    expect((await inventory(tree, "--may-retire", app)).stdout.toString()).toContain(`"${app}" may be retired: `);
  });

  test("by alias, of a key that is needed", async () => {
    expect((await json(1, tree, "--may-retire", "spare", ...KEYSTORE)).mayRetire).toMatchObject({ answer: "no" });
  });

  test("a message whose every encrypted data key names the key needs it", async () => {
    const key = rawAesKey({ namespace: "ns", name: "twice", key: bytesOf(32) });
    const again = rawAesKey({ namespace: "ns", name: "twice", key: bytesOf(32) });
    const path = folder.write("twice", await new Envelope({ wrappingKeys: [key, again] }).encrypt("a"));
    expect((await json(1, path, "--may-retire", "twice")).mayRetire).toMatchObject({ answer: "no", messages: 1 });
  });

  test("a key that no message names: yes for a full id, cannot tell for what may be an alias", async () => {
    const unused = "01234567-89ab-4cde-8f01-23456789abcd";
    for (const key of [unused, "ns/unused"]) {
      expect((await json(0, tree, "--may-retire", key)).mayRetire).toMatchObject({ answer: "yes" });
    }
    for (const key of ["spare", "fengni-local/spare"]) {
      expect((await json(1, tree, "--may-retire", key)).mayRetire).toMatchObject({ answer: "cannot-tell" });
    }
    expectFailure(await inventory(tree, "--may-retire", "none", ...KEYSTORE), 1, "ERR_KEY_NOT_FOUND");
  });

  test("cannot tell while a file is unclear, or where there is no message at all", async () => {
    const doubtful = makeFolder("doubtful");
    await seal(join(doubtful, "both"), "app", "spare");
    writeFileSync(join(doubtful, "cut"), folder.read("doubtful/both").subarray(0, 100));
    expect((await json(1, doubtful, "--may-retire", app)).mayRetire).toMatchObject({ answer: "cannot-tell" });
    const none = makeFolder("none");
    expect((await json(1, none, "--may-retire", app)).mayRetire).toMatchObject({ answer: "cannot-tell" });
  });
});

describe("the command", () => {
  test("paths and options that cannot be", async () => {
    expectFailure(await inventory(at("missing")), 1, "ERR_INPUT");
    expectFailure(await inventory(), 2, "ERR_USAGE");
    expectFailure(await inventory(folder.path, ...KEYSTORE), 2, "ERR_USAGE");
    expectFailure(await inventory(folder.path, "--may-retire", ""), 2, "ERR_USAGE");
  });

  test("progress goes to a terminal only, after half a second, and is removed", async () => {
    let now = 0;
    const nowMs = (): number => (now += 400);
    const terminal = new Capture(true);
    await runWell(["inventory", at("retire")], { stderr: terminal, nowMs });
    expect(terminal.text).toBe("\r\u001b[K2 files, 2 messages\r\u001b[K");
    for (const [stderr, words] of [
      [new Capture(false), []],
      [new Capture(true), ["--quiet"]],
    ] as const) {
      await runWell(["inventory", at("retire"), ...words], { stderr, nowMs });
      expect(stderr.text).toBe("");
    }
  });

  test("an abort ends it", async () => {
    expect((await run(["inventory", at("retire")], { signal: AbortSignal.abort(new Error("stop")) })).exitCode).toBe(1);
  });
});
