// A sealed file whose indexes were forged: records are what they say they are, wherever an index leads and whatever it calls due.
import { LocalKms, ManualClock } from "@fengni/backend-local";
import { describe, expect, test } from "vitest";
import { codeOf, filled } from "./assertions.js";
import { createImportedKey } from "./external-keys.js";
import { openFile, openRaw, storePath } from "./file-support.js";
import { DAY_MS } from "./support.js";

const START_MS = 1_700_000_000_000;

/** Makes an index hold other values than its definition, which stays, says. */
async function forge(path: string, index: string, forged: string): Promise<void> {
  const raw = await openRaw(path);
  const sql = String(raw.prepare("SELECT sql FROM sqlite_schema WHERE name = ?").get(index)?.["sql"]);
  raw.exec(`DROP INDEX ${index}; ${forged}; PRAGMA writable_schema = ON`);
  raw.prepare("UPDATE sqlite_schema SET sql = ? WHERE name = ?").run(sql, index);
  raw.exec("PRAGMA writable_schema = RESET");
  raw.close();
}

async function openKms(path: string, clock: ManualClock): Promise<LocalKms> {
  return new LocalKms({ clock, store: await openFile(path) });
}

function listed(kms: LocalKms): Promise<unknown> {
  return kms.listKeyDetail({ limit: 100 });
}

describe("the index of what is due", () => {
  async function expiredFile(
    clock: ManualClock,
  ): Promise<{ readonly path: string; readonly expired: string; readonly doomed: string }> {
    const path = storePath();
    const kms = await openKms(path, clock);
    const expired = await createImportedKey(kms, START_MS + DAY_MS);
    const { keyId: doomed } = await kms.createKey();
    await kms.createKey({ alias: "other" });
    await kms.disableKey({ keyId: doomed });
    await kms.scheduleKeyDeletion({ keyId: doomed, pendingWindowDays: 7 });
    await kms.close();
    return { path, expired, doomed };
  }

  test("cannot keep expired material or a deleted key alive", async () => {
    const clock = new ManualClock(START_MS);
    const { path, expired, doomed } = await expiredFile(clock);
    const later = "(dueAtMs + 4000000000000, number) WHERE dueAtMs IS NOT NULL";
    await forge(path, "recordsByDue", `CREATE INDEX recordsByDue ON records ${later}`);
    clock.advance(30 * DAY_MS);
    const kms = await openKms(path, clock);
    expect(await codeOf(kms.encrypt({ keyId: expired, plaintext: filled(1) }))).toMatch(
      /^ERR_(STORE_DAMAGED|KEY_STATE)$/,
    );
    for (const call of [() => kms.cancelKeyDeletion({ keyId: doomed }), () => kms.describeKey({ keyId: doomed })]) {
      expect(await codeOf(call())).toMatch(/^ERR_(STORE_DAMAGED|KEY_NOT_FOUND)$/);
    }
    expect(await codeOf(listed(kms))).toBe("ERR_STORE_DAMAGED");
    await kms.encrypt({ keyId: "other", plaintext: filled(1) });
  });

  test("cannot make anything happen early", async () => {
    const clock = new ManualClock(START_MS);
    const { path } = await expiredFile(clock);
    await forge(path, "recordsByDue", "CREATE INDEX recordsByDue ON records (1, number) WHERE dueAtMs IS NOT NULL");
    const kms = await openKms(path, clock);
    expect(await codeOf(listed(kms))).toBe("ERR_STORE_DAMAGED");
    expect(await codeOf(kms.runScheduledWork())).toBe("ERR_STORE_DAMAGED");
  });
});

describe("an index that leads to another record", () => {
  const swapped = (column: string): string => `CASE ${column} WHEN 'A' THEN 'B' WHEN 'B' THEN 'A' ELSE ${column} END`;

  test.each<[string, string]>([
    ["recordsByAddress", `(kind, region, ${swapped("id")})`],
    ["recordsByName", `(kind, region, ${swapped("name")}) WHERE name IS NOT NULL`],
    ["recordsInSequence", "(CASE kind WHEN 'white-box-key' THEN 'key' ELSE kind END, region, sequence)"],
  ])("%s: refused", async (index, columns) => {
    const path = storePath();
    const clock = new ManualClock(START_MS);
    const kms = await openKms(path, clock);
    const ids = [(await kms.createKey({ alias: "A" })).keyId, (await kms.createKey({ alias: "B" })).keyId];
    await kms.disableKey({ keyId: "A" });
    await kms.createWhiteBoxKey({ alias: "W", algorithm: "AES_256" });
    await kms.close();
    const [a = "", b = ""] = ids;
    const names = columns.includes("CASE id")
      ? columns.replaceAll("'A'", `'${a}'`).replaceAll("'B'", `'${b}'`)
      : columns;
    const unique = index === "recordsInSequence" ? "" : "UNIQUE ";
    await forge(path, index, `CREATE ${unique}INDEX ${index} ON records ${names}`);
    const again = await openKms(path, clock);
    const reference = index === "recordsByAddress" ? a : "A";
    if (index === "recordsInSequence") {
      expect(await codeOf(again.listKeyDetail({ owner: "any" }))).toBe("ERR_STORE_DAMAGED");
    } else {
      expect(await codeOf(again.encrypt({ keyId: reference, plaintext: filled(1) }))).toBe("ERR_STORE_DAMAGED");
      expect(await codeOf(again.describeKey({ keyId: reference }))).toBe("ERR_STORE_DAMAGED");
      expect(await codeOf(again.disableKey({ keyId: reference }))).toBe("ERR_STORE_DAMAGED");
    }
  });
});
