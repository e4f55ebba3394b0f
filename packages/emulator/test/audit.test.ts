// The audit log: what is written of requests, what never is, and that nothing goes on once it cannot be written.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { AUDIT_RING_ENTRIES, type AuditEntry, AuditLog } from "../src/audit.js";
import { startEmulator } from "../src/emulator.js";
import { CREDENTIALS, call, codeOf, SECRET_ID, SECRET_KEY } from "./server-support.js";

const folder = mkdtempSync(join(tmpdir(), "fengni-audit-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function entry(number: number, code = ""): AuditEntry {
  return {
    time: "2027-01-15T08:00:00.000Z",
    requestId: `request-${number}`,
    action: "Encrypt",
    region: "ap-guangzhou",
    uin: "100000000001",
    secretId: SECRET_ID,
    ip: "127.0.0.1",
    resources: ["*"],
    decision: "allow",
    code,
    durationMs: 1,
  };
}

function linesOf(path: string): unknown[] {
  const text = readFileSync(path, "utf8");
  expect(text.endsWith("\n")).toBe(true);
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

describe("a log in memory", () => {
  test("keeps the last 1,000 in their order", () => {
    const log = new AuditLog();
    for (let i = 0; i < AUDIT_RING_ENTRIES + 250; i++) log.record(entry(i));
    const ids = log.recent().map(({ requestId }) => requestId);
    expect(ids.length).toBe(AUDIT_RING_ENTRIES);
    expect([ids[0], ids.at(-1)]).toEqual(["request-250", `request-${AUDIT_RING_ENTRIES + 249}`]);
    expect(log.recent(2).map(({ requestId }) => requestId)).toEqual(["request-1248", "request-1249"]);
    expect(log.recent(0)).toEqual([]);
  });

  test("tells its listeners, and drops one that throws", () => {
    const log = new AuditLog();
    const heard: string[] = [];
    let calls = 0;
    log.subscribe(() => {
      calls += 1;
      throw new Error("a listener's own");
    });
    const unsubscribe = log.subscribe(({ requestId }) => void heard.push(requestId));
    log.record(entry(1));
    log.record(entry(2));
    unsubscribe();
    log.record(entry(3));
    expect([heard, calls]).toEqual([["request-1", "request-2"], 1]);
  });
});

describe("a log in a file", () => {
  test("appends a line for each entry, in order, to a file that its owner alone reads", async () => {
    const path = join(folder, "new.log");
    const log = await AuditLog.open(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    for (let i = 0; i < 5_000; i++) log.record(entry(i));
    await log.flush();
    log.record(entry(5_000));
    await log.close();
    expect(linesOf(path)).toEqual(Array.from({ length: 5_001 }, (_, i) => entry(i)));
  });

  test("goes on in a file that is there, after a line that broke off, and makes no other", async () => {
    const path = join(folder, "old", "old.log");
    mkdirSync(join(folder, "old"));
    writeFileSync(path, `${JSON.stringify(entry(1))}\n{"time":"20`);
    for (const number of [2, 3]) {
      const log = await AuditLog.open(path);
      log.record(entry(number));
      await log.close();
    }
    const lines = readFileSync(path, "utf8").split("\n");
    expect(lines.length).toBe(5);
    expect([lines[1], lines[4]]).toEqual(['{"time":"20', ""]);
    expect([lines[0], lines[2], lines[3]].map((line) => JSON.parse(line ?? ""))).toEqual([
      entry(1),
      entry(2),
      entry(3),
    ]);
    expect(readdirSync(join(folder, "old"))).toEqual(["old.log"]);
  });

  test("ignores entries after it was closed, and may be closed again", async () => {
    const path = join(folder, "closed.log");
    const log = await AuditLog.open(path);
    log.record(entry(1));
    await Promise.all([log.close(), log.close()]);
    log.record(entry(2));
    await log.close();
    expect(linesOf(path)).toEqual([entry(1)]);
  });

  test.each([
    ["a folder", () => folder],
    ["a file in a folder that is not there", () => join(folder, "nowhere", "a.log")],
  ])("cannot be %s", async (_name, path) => {
    await expect(AuditLog.open(path())).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
  });
});

// A device whose every write fails as on a disk that is full.
describe.skipIf(!existsSync("/dev/full"))("a disk that is full", () => {
  test("refuses requests from then on, and carries none of them out", async () => {
    const emulator = await startEmulator({ credentials: CREDENTIALS, audit: { path: "/dev/full" } });
    // What was on its way when the disk failed is answered: lines of one turn are written together.
    expect(codeOf(await call(emulator, "CreateKey", { Alias: "first" }))).toBe("");
    await emulator.audit.flush();
    expect(codeOf(await call(emulator, "CreateKey", { Alias: "second" }))).toBe("InternalError");
    expect((await emulator.kms.listKeys()).total).toBe(1);
    const health = await fetch(`${emulator.endpoint}/_fengni/health`);
    expect([health.status, ((await health.json()) as { status: string }).status]).toEqual([503, "failed"]);
    expect(emulator.audit.recent().at(-1)?.code).toBe("InternalError");
    await emulator.close();
  });
});

describe("what an emulator writes", () => {
  test("are names and decisions, and no secret, body or plaintext", async () => {
    const path = join(folder, "emulator.log");
    const emulator = await startEmulator({ credentials: CREDENTIALS, audit: { path } });
    const created = await call(emulator, "CreateKey", { Alias: "orders" });
    const { KeyId } = (JSON.parse(created?.body ?? "{}") as { Response: { KeyId: string } }).Response;
    const plaintext = Buffer.from("a plaintext that nobody may see").toString("base64");
    await call(emulator, "Encrypt", { KeyId, Plaintext: plaintext, EncryptionContext: '{"patient":"4711"}' });
    await call(emulator, "Encrypt", { KeyId }, { secretKey: "another-secret-that-is-none" });
    await emulator.close();
    const text = readFileSync(path, "utf8");
    for (const hidden of [SECRET_KEY, plaintext, "patient", "4711", "Signature=", "another-secret"]) {
      expect(text).not.toContain(hidden);
    }
    expect(linesOf(path)).toMatchObject([
      { action: "CreateKey", decision: "allow", code: "", uin: "100000000001", secretId: SECRET_ID, ip: "127.0.0.1" },
      { action: "Encrypt", decision: "allow", code: "", resources: [expect.stringContaining(KeyId)] },
      // Who has not proven who it is has no account, and its action was not looked at.
      { action: "", decision: "", code: "AuthFailure.SignatureFailure", uin: "", secretId: "", resources: [] },
    ]);
  });
});
