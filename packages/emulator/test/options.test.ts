// What an emulator is not started with: options that are wrong, files that are, and addresses that others reach.
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parsePolicy } from "@fengni/kms-api";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { startEmulator } from "../src/emulator.js";
import { MAX_POLICY_FILES, readCredentialsFile, readPolicyFolder } from "../src/files.js";
import { isLoopback, loopbackHosts, reachableHost } from "../src/loopback.js";
import type { EmulatorOptions } from "../src/options.js";
import { CREDENTIALS, call, codeOf, OWNER_UIN } from "./server-support.js";

const folder = mkdtempSync(join(tmpdir(), "fengni-options-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ALLOW = { version: "2.0", statement: [{ effect: "allow", action: ["kms:ListKeys"], resource: ["*"] }] } as const;
const BOUND = {
  ownerUin: OWNER_UIN,
  users: [
    {
      uin: "100000000002",
      name: "app",
      policies: ["app"],
      keys: [{ secretId: "AKIDapplication", secretKey: "a-secret-of-the-application" }],
    },
  ],
};
const AS_APP = { secretId: "AKIDapplication", secretKey: "a-secret-of-the-application" };

/** Options that are refused, and what the error names. */
const REFUSED: readonly (readonly [options: object, place: string])[] = [
  [{ hosts: "127.0.0.1" }, '"hosts"'],
  [{ host: "" }, "host"],
  [{ port: -1 }, "port"],
  [{ port: 65_536 }, "port"],
  [{ port: "8080" }, "port"],
  [{ maxBodyBytes: 10 }, "maxBodyBytes"],
  [{ maxBodyBytes: 2 ** 40 }, "maxBodyBytes"],
  [{ maxConnections: 0 }, "maxConnections"],
  [{ requestTimeoutMs: 0 }, "requestTimeoutMs"],
  [{ closeTimeoutMs: Number.NaN }, "closeTimeoutMs"],
  [{ faultSeed: 0.5 }, "faultSeed"],
  [{ admin: "yes" }, "admin"],
  [{ strictService: 1 }, "strictService"],
  [{ regions: [] }, "regions"],
  [{ regions: ["nowhere!"] }, "regions"],
  [{ regions: ["ap-beijing", "ap-guangzhou", "ap-beijing"] }, "regions names ap-beijing twice"],
  [{ region: "AP-GUANGZHOU" }, "region"],
  [{ smRegions: ["ap-tokyo"] }, "smRegions"],
  [{ tls: { cert: "x" } }, "tls.key"],
  [{ tls: { cert: "x", key: "y" } }, "tls.cert"],
  [{ tls: { cert: "x", key: "y", ca: "z" } }, "ca"],
  [{ data: { path: "x" } }, "data.rootKey"],
  [{ data: "x" }, "data"],
  [{ clock: {} }, "clock"],
  [{ audit: { path: "" } }, "audit.path"],
  [{ rateLimits: { perSecond: 1 } }, "perSecond"],
  [{ rateLimits: { otherPerSecond: 0 } }, "rateLimits.otherPerSecond"],
  [{ credentials: {} }, "ownerUin"],
  [{ credentials: BOUND }, '"app"'],
  [{ credentials: BOUND, policies: { app: { version: "1.0", statement: [] } } }, "policies.app: version"],
  [{ credentials: BOUND, policies: [] }, "policies"],
  [{ policies: { app: ALLOW } }, "credentials"],
];

test.each(REFUSED)("%j is refused, and the error names %s", async (options, place) => {
  const starting = startEmulator(options as EmulatorOptions);
  await expect(starting).rejects.toMatchObject({ name: "EmulatorConfigurationError", code: "ERR_ARGUMENT" });
  await expect(starting).rejects.toThrow(place);
});

describe("addresses", () => {
  test.each([
    ["127.0.0.1", true],
    ["127.9.9.9", true],
    ["::1", true],
    ["0:0:0:0:0:0:0:1", true],
    ["localhost", true],
    ["0.0.0.0", false],
    ["::", false],
    ["10.0.0.1", false],
    ["128.0.0.1", false],
    ["::ffff:10.0.0.1", false],
    ["127.0.0.1.example.com", false],
    ["localhost.example.com", false],
    ["1270.0.1", false],
  ])("%s is loopback: %s", (host, expected) => expect(isLoopback(host)).toBe(expected));

  test.each([
    ["0.0.0.0", "127.0.0.1"],
    ["::", "[::1]"],
    ["::1", "[::1]"],
    ["10.0.0.1", "10.0.0.1"],
  ])("%s is reached as %s", (host, expected) => expect(reachableHost(host)).toBe(expected));

  test.each([
    [80, false, true],
    [443, true, true],
    [80, true, false],
    [443, false, false],
    [8080, false, false],
  ])("on port %i, with TLS %j, a Host may leave the port out: %j", (port, isTls, expected) => {
    const hosts = loopbackHosts({ address: "127.0.0.1", port }, isTls);
    for (const name of ["127.0.0.1", "localhost", "[::1]"]) {
      expect(hosts.has(name)).toBe(expected);
      expect(hosts.has(`${name}:${port}`)).toBe(true);
    }
  });

  test.each(["0.0.0.0", "::", "10.0.0.1", "example.com"])("%s without credentials is refused", async (host) => {
    await expect(startEmulator({ host })).rejects.toThrow("give credentials");
  });

  test.each([{ admin: true }, { console: true }])("%j elsewhere than on loopback is refused", async (options) => {
    const starting = startEmulator({ host: "0.0.0.0", credentials: CREDENTIALS, ...options });
    await expect(starting).rejects.toThrow("allowRemoteAdministration");
  });

  test("with credentials it starts elsewhere, and has no console there", async () => {
    const emulator = await startEmulator({ host: "0.0.0.0", credentials: CREDENTIALS });
    expect(emulator.endpoint).toBe(`http://127.0.0.1:${emulator.port}`);
    expect(emulator.consoleUrl).toBeUndefined();
    expect((await fetch(`${emulator.endpoint}/_fengni/console`)).status).toBe(404);
    expect(codeOf(await call(emulator, "ListKeys"))).toBe("");
    await emulator.close();
  });

  test("with more than that, it has one", async () => {
    const emulator = await startEmulator({
      host: "0.0.0.0",
      credentials: CREDENTIALS,
      console: true,
      allowRemoteAdministration: true,
    });
    expect((await fetch(emulator.consoleUrl ?? "")).status).toBe(200);
    await emulator.close();
  });
});

describe("an audit log in the file of the keys is refused", () => {
  const keys = join(folder, "keys.db");
  const options = (path: string): EmulatorOptions => ({ audit: { path }, data: { path: keys, rootKey } });
  const rootKey = { key: new Uint8Array(32) };

  test("before the file is there, under another name", async () => {
    const refusal = "give the log a file of its own";
    symlinkSync("keys.db", join(folder, "link.db"));
    await expect(startEmulator(options(keys))).rejects.toThrow(refusal);
    await expect(startEmulator(options(join(folder, "link.db")))).rejects.toThrow(refusal);
    expect(existsSync(keys)).toBe(false);
  });

  test("through a link to it", async () => {
    writeFileSync(keys, "");
    linkSync(keys, join(folder, "other.db"));
    await expect(startEmulator(options(join(folder, "other.db")))).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
    expect(readFileSync(keys)).toHaveLength(0);
    rmSync(keys);
  });
});

describe("policies of a folder", () => {
  const policies = join(folder, "policies");
  beforeEach(() => {
    rmSync(policies, { recursive: true, force: true });
    mkdirSync(policies);
  });

  test("are read by name, and bind whom the credentials say", async () => {
    writeFileSync(join(policies, "app.json"), JSON.stringify(ALLOW));
    writeFileSync(join(policies, "notes.txt"), "no policy");
    writeFileSync(join(policies, ".hidden.json"), "no policy");
    mkdirSync(join(policies, "old.json"));
    const read = await readPolicyFolder(policies);
    expect([...read.keys()]).toEqual(["app"]);
    const emulator = await startEmulator({ credentials: BOUND, policies: read });
    expect(codeOf(await call(emulator, "ListKeys", {}, AS_APP))).toBe("");
    expect(codeOf(await call(emulator, "CreateKey", { Alias: "a" }, AS_APP))).toBe("UnauthorizedOperation");
    await emulator.close();
  });

  test("may be given as documents, or parsed", async () => {
    for (const given of [{ app: ALLOW }, new Map([["app", parsePolicy(ALLOW)]])]) {
      const emulator = await startEmulator({ credentials: BOUND, policies: given });
      expect(codeOf(await call(emulator, "ListKeys", {}, AS_APP))).toBe("");
      await emulator.close();
    }
  });

  test.each([
    ["malformed", "{", "bad.json"],
    ["of another version", '{"version":"1.0","statement":[]}', "bad.json: version"],
    [
      "with a mistake inside",
      JSON.stringify({ ...ALLOW, statement: [{ ...ALLOW.statement[0], effect: "Allow" }] }),
      "statement[0].effect",
    ],
    ["too long", `"${"a".repeat(60_000)}"`, "more than the allowed"],
  ])("that are %s are refused with their place", async (_name, text, place) => {
    writeFileSync(join(policies, "bad.json"), text);
    await expect(readPolicyFolder(policies)).rejects.toThrow(place);
    await expect(readPolicyFolder(policies)).rejects.toThrow(join(policies, "bad.json"));
  });

  test("that are not UTF-8, or named like no policy, are refused", async () => {
    writeFileSync(join(policies, "bad.json"), Uint8Array.of(0x22, 0xff, 0x22));
    await expect(readPolicyFolder(policies)).rejects.toThrow("bad.json is not UTF-8");
    rmSync(join(policies, "bad.json"));
    writeFileSync(join(policies, "two words.json"), JSON.stringify(ALLOW));
    await expect(readPolicyFolder(policies)).rejects.toThrow("no name of a policy");
  });

  test("are bounded in number", async () => {
    for (let i = 0; i <= MAX_POLICY_FILES; i++) symlinkSync("/nowhere", join(policies, `${i}.json`));
    await expect(readPolicyFolder(policies)).rejects.toThrow("more than the allowed 1000");
  });

  test("must be there", async () => {
    await expect(readPolicyFolder(join(folder, "nowhere"))).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
  });
});

describe("a credentials file", () => {
  const path = join(folder, "credentials.json");

  test("is read, and one that others may read is warned of", async () => {
    writeFileSync(path, JSON.stringify(CREDENTIALS));
    chmodSync(path, 0o600);
    expect(await readCredentialsFile(path)).toEqual({ document: CREDENTIALS, warnings: [] });
    chmodSync(path, 0o644);
    expect((await readCredentialsFile(path)).warnings).toEqual([expect.stringContaining("chmod 600")]);
  });

  test("that is no JSON, too long or not there is refused, and nothing of it shown", async () => {
    writeFileSync(path, "a-secret-of-mine");
    const reading = readCredentialsFile(path);
    await expect(reading).rejects.toThrow(`${path} is not JSON`);
    await expect(reading).rejects.not.toThrow("a-secret");
    writeFileSync(path, " ".repeat(4 * 1024 * 1024 + 1));
    await expect(readCredentialsFile(path)).rejects.toThrow("more than the allowed");
    await expect(readCredentialsFile(join(folder, "nowhere"))).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
    await expect(readCredentialsFile(folder)).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
  });
});
