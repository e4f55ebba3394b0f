// The keys of a keystore through `fengni key`, and every way to give its root key.
import { existsSync, statSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CliError } from "../src/failure.js";
import { bytesOf, expectFailure, FakeTerminal, Folder, run, runWell } from "./support.js";

const folder = new Folder();
folder.write("root.key", bytesOf(32));
const KEYSTORE = ["--keystore", folder.at("keys"), "--keystore-key", folder.at("root.key")];
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\n$/;

async function key(...words: string[]): Promise<string> {
  return (await runWell(["key", ...words, ...KEYSTORE])).stdout.toString();
}

async function keyJson(...words: string[]): Promise<Record<string, unknown>> {
  return JSON.parse(await key(...words, "--json"));
}

describe("the life of a key", () => {
  let keyId: string;

  test("create makes the keystore and prints the id", async () => {
    expect(existsSync(folder.at("keys"))).toBe(false);
    const printed = await key("create", "--alias", "app", "--description", "for \u001b[1mtests");
    expect(printed).toMatch(UUID);
    keyId = printed.trim();
    expect(statSync(folder.at("keys")).mode & 0o077).toBe(0);
  });

  test("describe", async () => {
    const described = await keyJson("describe", "app");
    expect(described).toEqual({
      keyId,
      alias: "app",
      keySpec: "AES_256",
      keyUsage: "encrypt-decrypt",
      state: "enabled",
      description: "for \u001b[1mtests",
      versions: 1,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    const text = await key("describe", keyId);
    expect(text).toContain(`id            ${keyId}\nalias         app\n`);
    expect(text).toContain('description   "for \\u001b[1mtests"\n');
  });

  test("disable, enable", async () => {
    expect(await keyJson("disable", "app")).toMatchObject({ state: "disabled" });
    expect(await key("enable", "app")).toContain("state         enabled\n");
  });

  test("rotate: messages of both versions open", async () => {
    const seal = async (): Promise<Buffer> =>
      (await runWell(["encrypt", "-", "-o", "-", "--key", "app", ...KEYSTORE], { stdin: "attack" })).stdout;
    const before = await seal();
    expect(await keyJson("rotate", "app")).toMatchObject({ versions: 2, lastRotatedAt: expect.any(String) });
    for (const stdin of [before, await seal()]) {
      expect((await runWell(["decrypt", "-", "-o", "-", ...KEYSTORE], { stdin })).stdout.toString()).toBe("attack");
    }
  });

  test("alias: the new name serves, the old one does not", async () => {
    expect(await keyJson("alias", "app", "app-2")).toMatchObject({ keyId, alias: "app-2" });
    expectFailure(await run(["key", "describe", "app", ...KEYSTORE]), 1, "ERR_KEY_NOT_FOUND");
  });

  test("create with each spec; an alias that is taken is refused", async () => {
    for (const spec of ["AES_256", "ECC_P256", "ECC_P384"]) {
      expect(await keyJson("create", "--spec", spec)).toMatchObject({ keySpec: spec });
    }
    expectFailure(await run(["key", "create", "--alias", "app-2", ...KEYSTORE]), 1, "ERR_CONFLICT");
  });

  test("list, oldest first", async () => {
    const { keys } = (await keyJson("list")) as { keys: { keySpec: string; keyId: string }[] };
    expect(keys.map(({ keySpec }) => keySpec)).toEqual(["AES_256", "AES_256", "ECC_P256", "ECC_P384"]);
    const lines = (await key("list")).split("\n");
    expect(lines[0]).toMatch(/^ID +ALIAS {2}SPEC {6}STATE {4}VERSIONS {2}CREATED$/);
    expect(lines[1]).toContain(`${keyId}  app-2  AES_256   enabled  2         20`);
    expect(lines).toHaveLength(6);
  });

  test("commands other than create do not make a keystore", async () => {
    const other = ["--keystore", folder.at("none"), "--keystore-key", folder.at("root.key")];
    for (const words of [
      ["list"],
      ["describe", "a"],
      ["enable", "a"],
      ["disable", "a"],
      ["rotate", "a"],
      ["alias", "a", "b"],
    ]) {
      expectFailure(await run(["key", ...words, ...other]), 1, "ERR_KEYSTORE");
    }
    expect(existsSync(folder.at("none"))).toBe(false);
  });

  test("a keystore in a folder that does not exist", async () => {
    const other = ["--keystore", folder.at("no/keys"), "--keystore-key", folder.at("root.key")];
    const result = await run(["key", "create", ...other]);
    expectFailure(result, 1, "ERR_KEYSTORE");
    expect(result.stderr).toMatch(/cannot make the keystore .*: there is no such file or directory/);
    expect(folder.names()).not.toContain("no");
    const below = ["--keystore", folder.at("root.key/keys"), "--keystore-key", folder.at("root.key")];
    expectFailure(await run(["key", "create", ...below]), 1, "ERR_KEYSTORE");
  });
});

describe("passphrases", () => {
  const SECRET = ["--keystore", folder.at("secret")];
  const file = folder.write("passphrase", "öffne dich\r\n");

  test("typed twice to make a keystore, then once; not shown", async () => {
    const making = new FakeTerminal("öffne dixx\u007f\bch\r", "wrong\u0015öffne dich\n");
    const made = await runWell(["key", "create", "--alias", "app", ...SECRET], { terminal: making });
    expect(made.stdout.toString()).toMatch(UUID);
    expect(making.output.text).toBe(`New passphrase for ${folder.at("secret")}: \nThe same passphrase again: \n`);
    expect(making).toMatchObject({ rawModes: [true, false, true, false], isClosed: true });
    const opening = new FakeTerminal("öffne dich\r");
    await runWell(["key", "list", ...SECRET], { terminal: opening });
    expect(opening.output.text).toBe(`Passphrase for ${folder.at("secret")}: \n`);
  });

  test("from a file, whose line end is not part of it; and from the environment", async () => {
    await runWell(["key", "list", ...SECRET, "--passphrase-file", file]);
    await runWell(["key", "list", ...SECRET], { env: { FENGNI_PASSPHRASE: "öffne dich" } });
  });

  test("an option wins over the environment", async () => {
    await runWell(["key", "list", ...SECRET, "--passphrase-file", file], { env: { FENGNI_PASSPHRASE: "wrong" } });
    await runWell(["key", "list", ...KEYSTORE], { env: { FENGNI_PASSPHRASE: "wrong" } });
  });

  test("a wrong one", async () => {
    const result = await run(["key", "list", ...SECRET], { env: { FENGNI_PASSPHRASE: "open sesame" } });
    expectFailure(result, 1, "ERR_ROOT_KEY");
    expect(result.stderr).not.toContain("sesame");
  });

  test("a root key where a passphrase is needed", async () => {
    expectFailure(await run(["key", "list", ...SECRET, "--keystore-key", folder.at("root.key")]), 1, "ERR_ROOT_KEY");
  });

  test("two that differ make no keystore; neither does an empty one, or none", async () => {
    const making = (...typed: string[]): Promise<{ exitCode: number; stderr: string }> =>
      run(["key", "create", "--keystore", folder.at("slip")], { terminal: new FakeTerminal(...typed) });
    const differing = await making("one\r", "two\r");
    expectFailure(differing, 1, "ERR_PASSPHRASE");
    expect(differing.stderr).toContain("differ");
    expectFailure(await making("\r"), 1, "ERR_PASSPHRASE");
    expectFailure(await making("\u0004"), 1, "ERR_PASSPHRASE");
    expect(existsSync(folder.at("slip"))).toBe(false);
  });

  test("Ctrl-C while typing interrupts, and the terminal shows again what is typed", async () => {
    const abort = new AbortController();
    const terminal = new FakeTerminal("öff\u0003");
    terminal.interrupt = () => abort.abort(new CliError("ERR_INTERRUPTED", "interrupted by SIGINT"));
    const result = await run(["key", "list", ...SECRET], { terminal, signal: abort.signal });
    expectFailure(result, 1, "ERR_INTERRUPTED");
    expect(terminal).toMatchObject({ rawModes: [true, false], isClosed: true });
  });

  test("a terminal that goes away", async () => {
    const terminal = new FakeTerminal();
    setImmediate(() => terminal.input.end());
    expectFailure(await run(["key", "list", ...SECRET], { terminal }), 1, "ERR_PASSPHRASE");
  });
});
