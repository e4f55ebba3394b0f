// fengni policy generate: from an audit log and from actions and keys, of any length, and what it refuses.
import { Readable } from "node:stream";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { expectFailure, Folder, type RunOptions, run, runWell } from "./support.js";

const folder = new Folder();
const OWNER = "100000000001";
const APP = "100000000002";
const resourceOf = (id: string, creator = OWNER): string =>
  `qcs::kms:ap-guangzhou:uin/${OWNER}:key/creatorUin/${creator}/${id}`;

/** An entry as the emulator writes it. */
function entry(action: string, resources: readonly string[], changes: object = {}): object {
  return {
    time: "2026-11-24T08:00:00.000Z",
    requestId: "6f1c2d5e-0000-4000-8000-000000000000",
    action,
    region: "ap-guangzhou",
    uin: APP,
    secretId: "AKIDexample",
    ip: "127.0.0.1",
    resources,
    decision: "allow",
    code: "",
    durationMs: 0.4,
    ...changes,
  };
}

const linesFrom = (...entries: readonly object[]): string => entries.map((one) => `${JSON.stringify(one)}\n`).join("");

const LOG = linesFrom(
  entry("Encrypt", [resourceOf("k1")]),
  entry("Encrypt", [resourceOf("k2")]),
  entry("Encrypt", [resourceOf("k1")]),
  entry("Decrypt", ["*"]),
  entry("DescribeKey", [resourceOf("k1")], { uin: "100000000003" }),
  entry("ScheduleKeyDeletion", [resourceOf("k1")], { decision: "implicit_deny", code: "UnauthorizedOperation" }),
  entry("EnableKey", [resourceOf("k3")], { code: "ResourceUnavailable.CmkNotFound" }),
  entry("", [], { uin: "", decision: "", code: "AuthFailure.SignatureFailure" }),
);

interface Generated {
  readonly policy: { readonly version: string; readonly statement: readonly object[] };
  readonly notes: readonly string[];
}

async function generated(words: readonly string[], options: RunOptions = {}): Promise<Generated> {
  const { stdout, stderr } = await runWell(["policy", "generate", ...words, "--json"], options);
  expect(stderr).toBe("");
  return JSON.parse(stdout.toString());
}

/** The bytes that are in use once all that is garbage has gone, whenever it would have gone by itself. */
function heldBytes(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe("from an audit log", () => {
  test("what was used, each once; refused and failed calls do not count", async () => {
    const { policy, notes } = await generated(["--audit", "-"], { stdin: LOG });
    expect(policy).toEqual({
      version: "2.0",
      statement: [
        { effect: "allow", action: ["kms:Decrypt"], resource: ["*"] },
        { effect: "allow", action: ["kms:DescribeKey"], resource: [resourceOf("k1")] },
        { effect: "allow", action: ["kms:Encrypt"], resource: [resourceOf("k1"), resourceOf("k2")] },
      ],
    });
    expect(notes.slice(0, 4)).toEqual([
      "5 calls succeeded and counted.",
      `The policy grants what several accounts did together: ${APP}, 100000000003. --uin chooses one.`,
      "1 call that policies refused did not count.",
      "2 calls that failed for another reason did not count.",
    ]);
    expect(notes.join("\n")).toContain("kms:Decrypt is authorized at operation level");
  });

  test("--uin: one account only", async () => {
    const { policy, notes } = await generated(["--audit", "-", "--uin", "100000000003"], { stdin: LOG });
    expect(policy.statement).toEqual([{ effect: "allow", action: ["kms:DescribeKey"], resource: [resourceOf("k1")] }]);
    expect(notes).toContain("7 calls of other accounts did not count.");
    expect(notes.join()).not.toContain("several accounts");
  });

  test("--include-denied: what was refused is granted too, what failed is not", async () => {
    const { policy, notes } = await generated(["--audit", "-", "--include-denied"], { stdin: LOG });
    const actions = policy.statement.flatMap((statement) => (statement as { action: string[] }).action);
    expect(actions).toEqual(["kms:Decrypt", "kms:DescribeKey", "kms:ScheduleKeyDeletion", "kms:Encrypt"]);
    expect(notes).toContain("1 call that policies refused counted too: look at what they asked for.");
  });

  test("for people: the policy alone on standard output, notes on standard error", async () => {
    const path = folder.write("audit.jsonl", LOG);
    const { stdout, stderr } = await runWell(["policy", "generate", "--audit", path]);
    expect(JSON.parse(stdout.toString()).version).toBe("2.0");
    expect(stdout.toString()).toMatch(/^\{\n {2}"version"/);
    expect(stderr).toMatch(/^(note: [^\n]+\n)+$/);
    const checked = await run(["policy", "check", "-"], { stdin: stdout });
    expect(checked.exitCode).toBe(0);
  });

  test("the policy allows each call that counted, as explain sees it", async () => {
    const { stdout } = await runWell(["policy", "generate", "--audit", "-"], { stdin: LOG });
    const path = folder.write("generated.json", stdout);
    const explain = ["policy", "explain", "--policy", path];
    for (const key of ["k1", "k2"]) await runWell([...explain, "--action", "Encrypt", "--key", resourceOf(key)]);
    await runWell([...explain, "--action", "Decrypt"]);
    expect((await run([...explain, "--action", "Encrypt", "--key", resourceOf("k3")])).exitCode).toBe(3);
    expect((await run([...explain, "--action", "EnableKey", "--key", resourceOf("k3")])).exitCode).toBe(3);
  });

  test("lines that are no whole entry are left out and named; CRLF and empty lines are read", async () => {
    const whole = JSON.stringify(entry("Encrypt", [resourceOf("k1")]));
    const other = JSON.stringify(entry("Encrypt", [resourceOf("k2")]));
    const wrong = JSON.stringify(entry("Encrypt", [resourceOf("k3")], { decision: "maybe" }));
    const stdin = `${whole}\r\n\r\n{"time":"2026\nnull\n${wrong}\n${other}`;
    const { policy, notes } = await generated(["--audit", "-"], { stdin });
    expect(policy.statement).toEqual([{ effect: "allow", action: ["kms:Encrypt"], resource: [resourceOf("k1")] }]);
    expect(notes).toContain("4 lines left out, no whole entry of an audit log: 3, 4, 5, 6.");
  });

  test("entries that arrive byte by byte", async () => {
    const stdin = Readable.from([...Buffer.from(LOG)].map((byte) => Buffer.of(byte)));
    expect(await generated(["--audit", "-"], { stdin })).toEqual(await generated(["--audit", "-"], { stdin: LOG }));
  });

  test("a resource that the action never presents, and an action without one, are left out with a note", async () => {
    const stdin = linesFrom(
      entry("Encrypt", [resourceOf("k1")]),
      entry("Encrypt", ["qcs::kms:ap-guangzhou:uin/1:key/k1"]),
      entry("DescribeKey", []),
      entry("Nope", ["*"]),
    );
    const { policy, notes } = await generated(["--audit", "-"], { stdin });
    expect(policy.statement).toHaveLength(1);
    expect(notes.filter((note) => note.includes("was left out"))).toHaveLength(3);
  });

  test("a log of 60 MB in little memory", async () => {
    const line = Buffer.from(linesFrom(entry("Encrypt", [resourceOf("k1")])).repeat(1000));
    const times = Math.ceil(60_000_000 / line.length);
    let [before, after] = [0, 0];
    const stdin = Readable.from(
      (function* () {
        before = heldBytes();
        // Each time other memory, so that whoever keeps a part of the log holds it.
        for (let i = 0; i < times; i++) yield Buffer.from(line);
        after = heldBytes();
      })(),
    );
    const { notes } = await generated(["--audit", "-"], { stdin });
    expect(notes[0]).toBe(`${(times * 1000).toLocaleString("en")} calls succeeded and counted.`);
    expect(after - before).toBeLessThan(15_000_000);
  });
});

describe("from actions and keys", () => {
  test("each action on each key; operation level on everything", async () => {
    const words = ["--action", "Encrypt", "--action", "kms:Decrypt", "--key", "k1", "--key", resourceOf("k2", APP)];
    const { policy, notes } = await generated([...words, "--owner", OWNER]);
    expect(policy.statement).toEqual([
      { effect: "allow", action: ["kms:Decrypt"], resource: ["*"] },
      { effect: "allow", action: ["kms:Encrypt"], resource: [resourceOf("k1"), resourceOf("k2", APP)] },
    ]);
    expect(notes[0]).toBe(`The keys are taken to be made by the root account ${OWNER}: --creator names another.`);
  });

  test("--creator and --region are parts of the resource", async () => {
    const words = ["--action", "Encrypt", "--key", "k1", "--owner", OWNER, "--creator", APP, "--region", "ap-shanghai"];
    const { policy, notes } = await generated(words);
    expect(policy.statement).toEqual([
      {
        effect: "allow",
        action: ["kms:Encrypt"],
        resource: [`qcs::kms:ap-shanghai:uin/${OWNER}:key/creatorUin/${APP}/k1`],
      },
    ]);
    expect(notes).toEqual([]);
  });

  test("an operation-level action needs no key", async () => {
    const { policy } = await generated(["--action", "GenerateRandom"]);
    expect(policy.statement).toEqual([{ effect: "allow", action: ["kms:GenerateRandom"], resource: ["*"] }]);
  });

  test("an action that makes keys, for who makes them", async () => {
    const { policy } = await generated(["--action", "CreateKey", "--owner", OWNER, "--creator", APP]);
    expect(policy.statement).toEqual([
      { effect: "allow", action: ["kms:CreateKey"], resource: [resourceOf("*", APP)] },
    ]);
  });
});

describe("refusals", () => {
  const usage = (name: string, says: RegExp, ...options: string[]): void =>
    test(name, async () => {
      const result = await run(["policy", "generate", ...options]);
      expectFailure(result, 2, "ERR_USAGE");
      expect(result.stderr).toMatch(says);
      expect(result.stdout.length).toBe(0);
    });

  usage("neither a log nor an action", /either --audit or --action/);
  usage("both", /either --audit or --action/, "--audit", "x", "--action", "Encrypt");
  usage("--key with a log", /--key needs --action/, "--audit", "x", "--key", "k1");
  usage("--uin without a log", /--uin needs --audit/, "--action", "Decrypt", "--uin", APP);
  usage("no owner", /--owner is missing/, "--action", "Encrypt", "--key", "k1");
  usage("no key", /--key is missing/, "--action", "Encrypt", "--owner", OWNER);
  usage("an unknown action", /no action "Nope"/, "--action", "Nope");
  usage(
    "a resource of another form",
    /never presents/,
    "--action",
    "Encrypt",
    "--key",
    "qcs::kms:::k",
    "--owner",
    OWNER,
  );

  const failing = (
    name: string,
    code: string,
    says: RegExp,
    stdin: () => string | Readable,
    ...options: string[]
  ): void =>
    test(name, async () => {
      const result = await run(["policy", "generate", "--audit", "-", ...options], { stdin: stdin() });
      const lines = result.stderr.split("\n").filter((line) => !line.startsWith("note: "));
      expectFailure({ ...result, stderr: lines.join("\n") }, 1, code);
      expect(result.stderr).toMatch(says);
      expect(result.stdout.length).toBe(0);
    });

  failing("a file that is no audit log", "ERR_INPUT", /is no audit log/, () => "hello\nworld\n");
  failing("a log of nothing", "ERR_POLICY", /nothing is left to grant/, () => "");
  failing("no call of the account", "ERR_POLICY", /nothing is left to grant/, () => LOG, "--uin", "7");
  failing(
    "a line that is too long",
    "ERR_INPUT",
    /line 2 is longer than 1048576 bytes/,
    () => `{}\n${"x".repeat(1_048_577)}`,
  );
  failing("too many different uses", "ERR_INPUT", /different uses: choose an account/, () =>
    Readable.from(
      (function* () {
        for (let i = 0; i < 100_001; i++) yield Buffer.from(linesFrom(entry("Encrypt", [resourceOf(`k${i}`)])));
      })(),
    ),
  );

  test("a log that is not there", async () => {
    expectFailure(await run(["policy", "generate", "--audit", folder.at("missing")]), 1, "ERR_INPUT");
  });
});
