// `fengni explain`: what it says of keys, states, policies and contexts, for people and for programs, and its exit code.
import { Envelope, rawAesKey } from "@fengni/core";
import { beforeAll, describe, expect, test } from "vitest";
import { bytesOf, expectFailure, Folder, type RunResult, run, runWell } from "./support.js";

const folder = new Folder();
folder.write("aes.key", bytesOf(32));
folder.write("root.key", bytesOf(32, 2));
const AES = ["--raw-aes-key", folder.at("aes.key"), "--namespace", "ns", "--name", "backup"];
const KEYSTORE = ["--keystore", folder.at("keys"), "--keystore-key", folder.at("root.key")];
let keyId: string;

interface Explained {
  readonly verdict: string;
  readonly accepted: boolean;
  readonly reasons: readonly { readonly code: string; readonly text: string }[];
  readonly encryptedDataKeys: readonly object[];
  readonly header: object;
}

async function seal(name: string, ...options: string[]): Promise<string> {
  await runWell(["encrypt", folder.write("plain", "attack"), "-o", folder.at(name), "--force", ...options]);
  return folder.at(name);
}

function explain(...words: string[]): Promise<RunResult> {
  return run(["explain", ...words]);
}

async function json(exitCode: number, ...words: string[]): Promise<Explained> {
  const result = await explain(...words, "--json");
  expect(result.stderr).toBe("");
  expect(result.exitCode).toBe(exitCode);
  return JSON.parse(result.stdout.toString());
}

beforeAll(async () => {
  keyId = (await runWell(["key", "create", "--alias", "app", ...KEYSTORE])).stdout.toString().trim();
  await runWell(["key", "create", "--alias", "spare", ...KEYSTORE]);
});

describe("people", () => {
  test("a message that opens", async () => {
    const message = await seal("app.fengni", ...KEYSTORE, "--key", "app", "--context", "a=1");
    const { stdout, exitCode, stderr } = await explain(message, ...KEYSTORE, "--key", "app", "--context", "a=1");
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(stdout.toString()).toContain(
      [
        "These keys and options would open the message.",
        `  wrapping key "app" matches "fengni-local" key "${keyId}" (key-matches)`,
        `  "fengni-local" key "${keyId}" is enabled`,
        "",
        "Nothing of this is authenticated before the message is decrypted.",
        "version               2",
      ].join("\n"),
    );
  });

  test("a message that does not, from standard input", async () => {
    const message = await seal("aes.fengni", ...AES);
    const stdin = folder.read("aes.fengni");
    const result = await run(["explain", "-", ...KEYSTORE], { stdin });
    expect(result.exitCode).toBe(3);
    expect(result.stdout.toString()).toContain("These keys and options would not open the message.\n  no configured");
    expect(result.stdout.toString()).toContain('"ns" key "backup" (ERR_NO_MATCHING_KEY)');
    expect((await run(["explain", message, ...AES])).exitCode).toBe(0);
  });

  test("text of the message reaches no terminal raw", async () => {
    const hostile = "x\u001b[2J\u202e";
    const key = rawAesKey({ namespace: hostile, name: hostile, key: bytesOf(32) });
    const message = await new Envelope({ wrappingKeys: [key] }).encrypt("a", {
      encryptionContext: { [hostile]: hostile },
    });
    const { stdout } = await explain(folder.write("hostile", message), ...AES, "--context", `${hostile}=1`);
    expect(stdout.toString().replaceAll("\n", "")).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
  });
});

describe("programs", () => {
  test("every field", async () => {
    const message = await seal("two.fengni", ...KEYSTORE, "--key", "app", ...AES);
    expect(await json(0, message, ...AES)).toMatchObject({
      verdict: "can-open",
      accepted: true,
      reasons: [{ code: "key-matches", text: 'wrapping key "ns/backup" matches "ns" key "backup"' }],
      encryptedDataKeys: [
        { providerId: "fengni-local", keys: [{ name: "ns/backup", match: "no" }], state: "not-asked" },
        { providerId: "ns", keys: [{ name: "ns/backup", match: "yes" }], state: "not-asked" },
      ],
      header: { authenticated: false, suite: { id: "0x0478" } },
    });
  });

  test("a key that is disabled, with and without --key; another that is not is enough", async () => {
    await seal("disabled.fengni", ...KEYSTORE, "--key", "app");
    const both = await seal("both.fengni", ...KEYSTORE, "--key", "app", "--key", "spare");
    await runWell(["key", "disable", "app", ...KEYSTORE]);
    try {
      for (const options of [[], ["--key", "app"]]) {
        const refused = await json(3, folder.at("disabled.fengni"), ...KEYSTORE, ...options);
        expect(refused).toMatchObject({ verdict: "cannot-open", accepted: true });
        expect(refused.encryptedDataKeys).toMatchObject([{ state: "disabled", refusal: "ERR_KEY_STATE" }]);
        expect(refused.reasons.map(({ code }) => code)).toContain("ERR_KEY_STATE");
      }
      expect((await json(0, both, ...KEYSTORE)).verdict).toBe("can-open");
    } finally {
      await runWell(["key", "enable", "app", ...KEYSTORE]);
    }
  });

  test("a key of another keystore is not found", async () => {
    const message = await seal("app.fengni", ...KEYSTORE, "--key", "app");
    const other = ["--keystore", folder.at("other"), "--keystore-key", folder.at("root.key")];
    await runWell(["key", "create", "--alias", "app", ...other]);
    const explained = await json(3, message, ...other);
    expect(explained.encryptedDataKeys).toMatchObject([{ state: "not-found", refusal: "ERR_KEY_NOT_FOUND" }]);
  });

  test("limits and contexts, in the command's own terms", async () => {
    const message = await seal("two.fengni", ...KEYSTORE, "--key", "app", ...AES, "--context", "a=1");
    const limited = await json(3, message, ...AES, "--max-encrypted-data-keys", "1", "--max-frame-length", "100");
    expect(limited).toMatchObject({ verdict: "cannot-open", accepted: false });
    expect(limited.reasons[0]).toMatchObject({
      code: "ERR_LIMIT",
      text: expect.stringContaining("--max-encrypted-data-keys"),
    });
    const other = await json(3, message, ...AES, "--context", "a=2", "--context", "b=1");
    expect(other.reasons.map(({ code }) => code)).toEqual([
      "ERR_CONTEXT_MISMATCH",
      "ERR_CONTEXT_MISMATCH",
      "key-matches",
    ]);
  });
});

describe("failures", () => {
  test("what is no message, no file, or has no key", async () => {
    expectFailure(await explain(folder.write("text", "attack"), ...AES), 1, "ERR_MESSAGE_UNSUPPORTED");
    expectFailure(await explain(folder.write("empty", ""), ...AES), 1, "ERR_MESSAGE_TRUNCATED");
    expectFailure(await explain(folder.at("none"), ...AES), 1, "ERR_INPUT");
    expectFailure(await explain(folder.at("text")), 2, "ERR_USAGE");
  });
});
