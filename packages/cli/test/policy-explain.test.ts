// fengni policy explain: the decision, why, and the exit codes.
import { describe, expect, test } from "vitest";
import { expectFailure, Folder, run } from "./support.js";

const folder = new Folder();
const OWNER = "100000000001";
const resourceOf = (id: string, creator = OWNER, owner = OWNER): string =>
  `qcs::kms:ap-guangzhou:uin/${owner}:key/creatorUin/${creator}/${id}`;

function policy(name: string, ...statements: object[]): string {
  return folder.write(name, JSON.stringify({ version: "2.0", statement: statements }));
}

const app = policy(
  "app.json",
  { effect: "allow", action: "kms:Encrypt", resource: resourceOf("k1") },
  { effect: "allow", action: "kms:CreateKey", resource: "qcs::kms:ap-guangzhou::key/creatorUin/100000000002/*" },
  { effect: "allow", action: "kms:Decrypt", resource: resourceOf("k1") },
);
const conditional = policy(
  "conditional.json",
  {
    effect: "allow",
    action: "kms:Encrypt",
    resource: "*",
    condition: { ip_equal: { "qcs:ip": "10.0.0.0/8" }, date_less_than: { "qcs:current_time": "2026-12-01T00:00:00Z" } },
  },
  {
    effect: "allow",
    action: "kms:ScheduleKeyDeletion",
    resource: "*",
    condition: { "for_any_value:string_equal": { "qcs:resource_tag": "stage&test" } },
  },
  {
    effect: "allow",
    action: "kms:CreateKey",
    resource: "*",
    condition: { "for_any_value:string_equal": { "qcs:request_tag": "stage&test" } },
  },
);
const deny = policy("deny.json", { effect: "deny", action: "kms:*", resource: "*" });

interface Case {
  readonly name: string;
  readonly policies: readonly string[];
  readonly options: readonly string[];
  readonly decision: "allow" | "implicit_deny" | "explicit_deny";
  readonly reason: string;
}

const CASES: readonly Case[] = [
  {
    name: "a key by its id",
    policies: [app],
    options: ["--action", "kms:Encrypt", "--key", "k1"],
    decision: "allow",
    reason: "allowed",
  },
  {
    name: "a key by its resource, an action without kms:",
    policies: [app],
    options: ["--action", "Encrypt", "--key", resourceOf("k1")],
    decision: "allow",
    reason: "allowed",
  },
  {
    name: "another key",
    policies: [app],
    options: ["--action", "Encrypt", "--key", "k2"],
    decision: "implicit_deny",
    reason: "not_granted_by_policies",
  },
  {
    name: "several keys: all of them must be allowed",
    policies: [app],
    options: ["--action", "Encrypt", "--key", "k1", "--key", "k2"],
    decision: "implicit_deny",
    reason: "not_granted_by_policies",
  },
  {
    name: "another creator",
    policies: [app],
    options: ["--action", "Encrypt", "--key", "k1", "--creator", "100000000003"],
    decision: "implicit_deny",
    reason: "not_granted_by_policies",
  },
  {
    name: "another region",
    policies: [app],
    options: ["--action", "Encrypt", "--key", "k1", "--region", "ap-shanghai"],
    decision: "implicit_deny",
    reason: "not_granted_by_policies",
  },
  {
    name: "a key to be made, whose creator is the caller",
    policies: [app],
    options: ["--action", "kms:CreateKey"],
    decision: "allow",
    reason: "allowed",
  },
  {
    name: "a key to be made by another caller",
    policies: [app],
    options: ["--action", "kms:CreateKey", "--caller", "100000000003"],
    decision: "implicit_deny",
    reason: "not_granted_by_policies",
  },
  {
    name: "a deny in a second policy wins",
    policies: [app, deny],
    options: ["--action", "Encrypt", "--key", "k1"],
    decision: "explicit_deny",
    reason: "denied",
  },
  {
    name: "the root account",
    policies: [deny],
    options: ["--action", "Encrypt", "--key", "k1", "--caller", OWNER],
    decision: "allow",
    reason: "root_account",
  },
  {
    name: "the owner of a resource is the caller's, unless --owner says otherwise",
    policies: [app],
    options: ["--action", "Encrypt", "--key", resourceOf("k1", "7", "7"), "--owner", OWNER],
    decision: "implicit_deny",
    reason: "foreign_account",
  },
  {
    name: "an address inside, before the date",
    policies: [conditional],
    options: ["--action", "Encrypt", "--key", "k1", "--ip", "10.1.2.3"],
    decision: "allow",
    reason: "allowed",
  },
  {
    name: "an address outside",
    policies: [conditional],
    options: ["--action", "Encrypt", "--key", "k1", "--ip", "192.0.2.1"],
    decision: "implicit_deny",
    reason: "not_granted_by_policies",
  },
  {
    name: "after the date",
    policies: [conditional],
    options: ["--action", "Encrypt", "--key", "k1", "--ip", "10.1.2.3", "--time", "2026-12-01T08:00:00+08:00"],
    decision: "implicit_deny",
    reason: "not_granted_by_policies",
  },
  {
    name: "a tag of the key",
    policies: [conditional],
    options: ["--action", "ScheduleKeyDeletion", "--key", "k1", "--tag", "team=a=b", "--tag", "stage=test"],
    decision: "allow",
    reason: "allowed",
  },
  {
    name: "a key without the tag",
    policies: [conditional],
    options: ["--action", "ScheduleKeyDeletion", "--key", "k1"],
    decision: "implicit_deny",
    reason: "not_granted_by_policies",
  },
  {
    name: "a tag of the request",
    policies: [conditional],
    options: ["--action", "CreateKey", "--request-tag", "stage=test"],
    decision: "allow",
    reason: "allowed",
  },
];

describe("decisions", () => {
  for (const { name, policies, options, decision, reason } of CASES) {
    test(name, async () => {
      const words = ["policy", "explain", ...policies.flatMap((path) => ["--policy", path]), ...options];
      const { stdout, stderr, exitCode } = await run([...words, "--json"]);
      expect(stderr).toBe("");
      const explanation = JSON.parse(stdout.toString());
      expect(explanation).toMatchObject({ decision, reason, policies });
      expect(exitCode).toBe(decision === "allow" ? 0 : 3);
      const text = await run(words);
      expect(text.exitCode).toBe(exitCode);
      expect(text.stdout.toString()).toContain(decision === "allow" ? ": allowed: " : ": refused (");
    });
  }
});

describe("reasons", () => {
  test("every statement, and why it does not apply", async () => {
    const { stdout } = await run(["policy", "explain", "--policy", app, "--action", "Encrypt", "--key", "k2"]);
    expect(stdout.toString().split("\n")).toEqual([
      `kms:Encrypt on ${resourceOf("k2")}: refused (implicit deny): no statement allows it.`,
      expect.stringMatching(/statement\[0\] \(allow\) does not apply: the resource of .*"key\/creatorUin\/.*\/k1"/),
      expect.stringMatching(/statement\[1\] \(allow\) does not apply: its action is kms:CreateKey$/),
      expect.stringMatching(/statement\[2\] \(allow\) does not apply: its action is kms:Decrypt$/),
      `policies[0] is ${app}.`,
      "",
    ]);
  });

  test("the statement that denies, and which file it is in", async () => {
    const words = ["policy", "explain", "--policy", app, "--policy", deny, "--action", "Encrypt", "--key", "k1"];
    const text = (await run(words)).stdout.toString();
    expect(text).toContain("a deny wins over every allow (policies[1].statement[0]).");
    expect(text).toContain(`policies[1] is ${deny}.`);
  });

  test("an operation-level action: keys cannot be named", async () => {
    const words = ["policy", "explain", "--policy", app, "--action", "kms:Decrypt", "--key", "k1"];
    const { stdout, exitCode } = await run(words);
    const text = stdout.toString();
    expect(text).toContain('kms:Decrypt is authorized at operation level: the service presents "*" instead of a key');
    expect(text).toContain("--key changes nothing: keys cannot be named in policies for kms:Decrypt.");
    expect(exitCode).toBe(3);
    const json = JSON.parse((await run([...words, "--json"])).stdout.toString());
    expect(json.resources).toMatchObject([{ resource: "*", isOperationLevel: true }]);
  });
});

describe("refusals", () => {
  const usage = (name: string, says: RegExp, ...options: string[]): void =>
    test(name, async () => {
      const result = await run(["policy", "explain", ...options]);
      expectFailure(result, 2, "ERR_USAGE");
      expect(result.stderr).toMatch(says);
      expect(result.stdout.length).toBe(0);
    });
  const asking = (...options: string[]): string[] => [
    "--policy",
    app,
    "--action",
    "Encrypt",
    "--key",
    "k1",
    ...options,
  ];

  usage("no policy", /--policy is missing/, "--action", "Encrypt");
  usage("no action", /--action is missing/, "--policy", app);
  usage("two actions", /--action is given more than once/, ...asking("--action", "Decrypt"));
  usage("an unknown action", /no action "kms:Nope"/, "--policy", app, "--action", "kms:Nope");
  usage("an action in another case", /do you mean kms:Encrypt\?/, "--policy", app, "--action", "encrypt");
  usage("no key", /--key is missing: kms:Encrypt/, "--policy", app, "--action", "Encrypt");
  usage("a key for an action that makes one", /leave it out/, "--policy", app, "--action", "CreateKey", "--key", "k");
  usage(
    "a resource of another form",
    /never presents/,
    "--policy",
    app,
    "--action",
    "Encrypt",
    "--key",
    "qcs::kms:::k1",
  );
  usage("a caller that is no number", /--caller expected the number/, ...asking("--caller", "root"));
  usage("the default caller as the owner", /--caller is missing/, ...asking("--owner", "100000000002"));
  usage("no address", /--ip expected an address/, ...asking("--ip", "localhost"));
  usage("a time without its zone", /--time expected/, ...asking("--time", "2026-11-24T08:00:00"));
  usage("a day that is not there", /--time expected/, ...asking("--time", "2026-02-30T08:00:00Z"));
  usage("a tag without =", /--tag expected KEY=VALUE/, ...asking("--tag", "stage"));
  usage("a tag that would look like another", /without "&"/, ...asking("--tag", "a&b=c"));
  usage("a region with a colon", /region expected/, ...asking("--region", "a:b"));

  test("a malformed policy: exit code 1, with its place; nothing is decided", async () => {
    const path = policy("malformed.json", { effect: "allow", action: "kms:Encrypt", resource: "*", principal: "x" });
    const result = await run(["policy", "explain", "--policy", path, "--action", "Encrypt", "--key", "k1"]);
    expectFailure(result, 1, "ERR_POLICY");
    expect(result.stderr).toContain(`${path}: statement[0].principal: `);
    expect(result.stdout.length).toBe(0);
  });

  test("a policy that is not there", async () => {
    const words = ["--policy", folder.at("missing"), "--action", "Encrypt", "--key", "k1"];
    expectFailure(await run(["policy", "explain", ...words]), 1, "ERR_INPUT");
  });
});
