// The credentials document is read to the letter: what two readers could take differently is refused.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parsePolicy } from "@fengni/kms-api";
import { afterAll, describe, expect, test } from "vitest";
import { readAccounts } from "../src/accounts.js";
import { readCredentialsFile } from "../src/files.js";

const ALLOW = parsePolicy({ version: "2.0", statement: [{ effect: "allow", action: "kms:Encrypt", resource: "*" }] });
const POLICIES = new Map([["app", ALLOW]]);
const SECRET = { secretId: "AKIDexample", secretKey: "not-so-very-secret" };

function documentWith(key: object, rest: object = {}): object {
  return {
    ownerUin: "100000000001",
    users: [{ uin: "100000000002", policies: ["app"], keys: [{ ...SECRET, ...key }] }],
    ...rest,
  };
}

describe("expiresAt", () => {
  test.each([
    ["2027-01-31T12:00:00Z", Date.UTC(2027, 0, 31, 12) / 1000],
    ["2027-01-31T12:00:00.500Z", Date.UTC(2027, 0, 31, 12) / 1000],
    ["2027-01-31T12:00:00+08:00", Date.UTC(2027, 0, 31, 4) / 1000],
  ])("%s", (expiresAt, seconds) => {
    const { secrets } = readAccounts(documentWith({ token: "t", expiresAt }), POLICIES);
    expect(secrets.get(SECRET.secretId)).toMatchObject({ tokenExpiresAtSeconds: seconds, holder: "100000000002" });
  });

  test.each([
    "2027-01-31T12:00:00",
    "2027-01-31 12:00:00Z",
    "2027-01-31",
    "2027",
    "1",
    "Jan 31 2027",
    "2027-02-30T12:00:00Z",
    "2027-13-01T12:00:00Z",
    "2027-01-31T24:00:00Z",
    "2027-01-31T12:00Z",
    "2027-01-31T12:00:00+0800",
    "2027-01-31T12:00:00+99:00",
  ])("%s is refused", (expiresAt) => {
    expect(() => readAccounts(documentWith({ token: "t", expiresAt }), POLICIES)).toThrow(/expiresAt expected a time/);
  });
});

describe("groups", () => {
  test.each([
    [[{ name: "g", policies: ["app"] }], undefined],
    [[{ name: "g", policies: ["nope"] }], /groups\[0\]\.policies names the policy "nope"/],
    [
      [
        { name: "g", policies: ["app"] },
        { name: "g", policies: [] },
      ],
      /groups\[1\]\.name: the group "g" is there twice/,
    ],
  ])("%j", (groups, says) => {
    const read = (): unknown => readAccounts(documentWith({}, { groups }), POLICIES);
    if (says === undefined) read();
    else expect(read).toThrow(says);
  });
});

describe("a file", () => {
  const folder = mkdtempSync(join(tmpdir(), "fengni-accounts-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("with a name twice in one object is refused, and shows nothing", async () => {
    const path = join(folder, "credentials.json");
    const text = JSON.stringify(documentWith({ boundary: 1 }));
    writeFileSync(path, text.replace('"boundary":1', '"secretKey":"another-one-of-them"'), { mode: 0o600 });
    const reading = readCredentialsFile(path);
    await expect(reading).rejects.toThrow(/has a name twice in one object/);
    await expect(reading).rejects.not.toThrow(/secret/);
  });
});
