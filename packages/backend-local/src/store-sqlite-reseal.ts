// Gives a key store's file a new store key under a new root key, on a connection of its own. It must not know callers.

import { equalBytes } from "@fengni/crypto/bytes";
import type { RecordAddress } from "./records.js";
import { StoreSeal } from "./seal.js";
import type { RootKey } from "./seal-root-key.js";
import { storeBusy, storeDamaged } from "./store-errors.js";
import { connect, readHeader } from "./store-sqlite.js";
import { loadEngine, type SqlEngine } from "./store-sqlite-engine.js";
import { resolveTarget } from "./store-sqlite-file.js";
import { markRow, RECORD_COLUMNS, readRow, sequenceText } from "./store-sqlite-rows.js";
import { SqliteSession } from "./store-sqlite-session.js";

const BATCH = 200;
const WAIT_MS = 10_000;
const PAUSE_MS = 5;

/** Seals everything anew in one transaction, then erases what is left of the old form. */
export async function resealFile(
  path: string,
  rootKey: RootKey,
  newRootKey: RootKey,
  engine?: SqlEngine,
): Promise<void> {
  const { file, connection } = connect(resolveTarget(path), engine ?? (await loadEngine()));
  const session = new SqliteSession(connection);
  const seals: StoreSeal[] = [];
  try {
    const old = await StoreSeal.open(rootKey, readHeader(connection));
    seals.push(old);
    const renewed = await StoreSeal.create(newRootKey);
    seals.push(renewed);
    await waitFor(() => session.begin(), "another process writes it for too long: try again");
    try {
      await resealAll(session, old, renewed);
      session.commit();
    } catch (error) {
      session.rollback();
      throw error;
    }
    await eraseOldForm(session);
  } finally {
    for (const seal of seals) seal.wipe();
    session.close();
    file.release();
  }
}

/** Nobody else sees anything of it until it is committed, so that the event loop may turn between batches. */
async function resealAll(session: SqliteSession, old: StoreSeal, renewed: StoreSeal): Promise<void> {
  resealHeader(session, old, renewed);
  session.run("DELETE FROM secrets WHERE record NOT IN (SELECT number FROM records)");
  const batch = `SELECT ${RECORD_COLUMNS} FROM records WHERE number > ? ORDER BY number LIMIT ${BATCH}`;
  for (let last = -1; ; ) {
    const rows = session.all(batch, last);
    for (const row of rows) {
      const { record, number } = readRow(row, old, undefined);
      session.run("UPDATE records SET mac = ? WHERE number = ?", markRow(row, renewed), number);
      resealSecrets(session, record, number, old, renewed);
      last = number;
    }
    if (rows.length < BATCH) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

function resealHeader(session: SqliteSession, old: StoreSeal, renewed: StoreSeal): void {
  const { header, sequence, sequenceMac } = session.get("SELECT header, sequence, sequenceMac FROM keystore") ?? {};
  if (!(header instanceof Uint8Array)) throw storeDamaged("its header is not there");
  // Somebody else may have sealed it since it was read.
  old.requireOwn(header);
  const isWhole =
    typeof sequence === "number" &&
    sequenceMac instanceof Uint8Array &&
    equalBytes(sequenceMac, old.mac(sequenceText(sequence)));
  if (!isWhole) throw storeDamaged("its header was changed");
  const mac = renewed.mac(sequenceText(sequence));
  session.run("UPDATE keystore SET header = ?, sequenceMac = ?", renewed.header, mac);
}

function resealSecrets(
  session: SqliteSession,
  address: RecordAddress,
  number: number,
  old: StoreSeal,
  renewed: StoreSeal,
): void {
  for (const { slot, sealed } of session.all("SELECT slot, sealed FROM secrets WHERE record = ?", number)) {
    if (typeof slot !== "number" || !(sealed instanceof Uint8Array)) throw storeDamaged("it holds secrets of no form");
    const secret = old.openSecret(address, slot, sealed);
    try {
      const again = renewed.sealSecret(address, slot, secret.bytes());
      session.run("UPDATE secrets SET sealed = ? WHERE record = ? AND slot = ?", again, number, slot);
    } finally {
      secret.wipe();
    }
  }
}

/** Rewrites the file without its free pages, and empties the journal, in which the old form still stands. */
async function eraseOldForm(session: SqliteSession): Promise<void> {
  const advice =
    "it is sealed under the new root key, but others kept the old form from being erased: close them, seal again";
  await waitFor(() => isDone(() => session.exec("VACUUM")), advice);
  await waitFor(() => session.checkpoint(), advice);
}

function isDone(step: () => void): boolean {
  try {
    step();
    return true;
  } catch (error) {
    if (error instanceof Error && "retryable" in error && error.retryable === true) return false;
    throw error;
  }
}

async function waitFor(step: () => boolean, advice: string): Promise<void> {
  const deadlineMs = performance.now() + WAIT_MS;
  while (!step()) {
    if (performance.now() >= deadlineMs) throw storeBusy(advice);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
