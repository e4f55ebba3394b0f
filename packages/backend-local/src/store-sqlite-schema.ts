// The tables of a key store's file, how a connection is set up, and how a new file is filled. It must not know what records are
// for, nor how secrets are sealed.
import { bytesToHex } from "@fengni/crypto/bytes";
import { storeDamaged } from "./store-errors.js";
import type { SqlConnection, SqlEngine } from "./store-sqlite-engine.js";
import { APPLICATION_ID, PAGE_BYTES, SCHEMA_VERSION } from "./store-sqlite-file.js";

/** Every object of the schema by name, to the letter. */
const SCHEMA: Readonly<Record<string, string>> = {
  keystore: `CREATE TABLE keystore (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  header BLOB NOT NULL,
  sequence INTEGER NOT NULL,
  sequenceMac BLOB NOT NULL
) STRICT`,
  records: `CREATE TABLE records (
  number INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  region TEXT NOT NULL,
  id TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  name TEXT,
  dueAtMs INTEGER,
  data TEXT NOT NULL,
  mac BLOB NOT NULL
) STRICT`,
  recordsByAddress: "CREATE UNIQUE INDEX recordsByAddress ON records (kind, region, id)",
  recordsByName: "CREATE UNIQUE INDEX recordsByName ON records (kind, region, name) WHERE name IS NOT NULL",
  recordsInSequence: "CREATE INDEX recordsInSequence ON records (kind, region, sequence)",
  // Lists ask for the role by default (lists.ts).
  recordsByRole: "CREATE INDEX recordsByRole ON records (kind, region, json_extract(data, '$.role'), sequence)",
  recordsByDue: "CREATE INDEX recordsByDue ON records (dueAtMs, number) WHERE dueAtMs IS NOT NULL",
  secrets: `CREATE TABLE secrets (
  record INTEGER NOT NULL,
  slot INTEGER NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (record, slot)
) STRICT, WITHOUT ROWID`,
};

/** How long the engine may block for others while a file is opened: they recover or set up the journal, which takes little. */
const OPENING_WAIT_MS = 5000;

/** Fills a new file. */
export function fillFile(engine: SqlEngine, path: string, header: Uint8Array, sequenceMac: Uint8Array): void {
  const connection = engine(path);
  try {
    connection.exec(`PRAGMA page_size = ${PAGE_BYTES}`);
    connection.exec(`PRAGMA synchronous = FULL; PRAGMA fullfsync = ON`);
    const first = `INSERT INTO keystore VALUES (1, x'${bytesToHex(header)}', 0, x'${bytesToHex(sequenceMac)}')`;
    const statements = [
      "BEGIN",
      `PRAGMA application_id = ${APPLICATION_ID}`,
      `PRAGMA user_version = ${SCHEMA_VERSION}`,
      ...Object.values(SCHEMA),
      first,
      "COMMIT",
    ];
    connection.exec(statements.join(";\n"));
    connection.exec("PRAGMA journal_mode = WAL");
  } finally {
    connection.close();
  }
}

/** Sets a connection up. No prepared statement outlives it, so that a connection that is refused closes at once. */
export function setUpConnection(connection: SqlConnection): void {
  connection.exec(`PRAGMA busy_timeout = ${OPENING_WAIT_MS}`);
  // What the file's own schema says must not run anything.
  connection.exec("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON");
  connection.exec("PRAGMA journal_mode = WAL");
  // Synchronised at every commit: what was acknowledged is on the disk.
  connection.exec("PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA secure_delete = ON");
}

/** Ends the time in which the engine may block. */
export function endOpening(connection: SqlConnection): void {
  connection.exec("PRAGMA busy_timeout = 0");
}

/** Refuses a file whose tables, indexes or triggers are not those of this release. @throws FengniError `ERR_STORE_DAMAGED` */
export function checkSchema(connection: SqlConnection): void {
  const rows = connection
    .prepare("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!'")
    .all();
  const isOurs =
    rows.length === Object.keys(SCHEMA).length && rows.every(({ name, sql }) => SCHEMA[String(name)] === sql);
  if (!isOurs) throw storeDamaged("its tables are not those of a key store");
}
