// Records of branch keys in one SQLite file that processes may share. What is in it is wrapped already, so that the file is not
// sealed. It must not know how a version is wrapped, nor what it is for.
import { type BranchKeyRecord, type BranchKeyRecords, type CallOptions, FengniError } from "@fengni/core";
import { assertBytes, bytesToUtf8, concatBytes, equalBytes, utf8ToBytes } from "@fengni/crypto/bytes";
import { digest } from "@fengni/crypto/hash";
import { argumentError, checkFields, checkText, limitError } from "./checks.js";
import { storeBusy, storeDamaged } from "./store-errors.js";
import { loadEngine, type SqlConnection, type SqlEngine, type SqlRow, type SqlValue } from "./store-sqlite-engine.js";
import { createFile, PAGE_BYTES, resolveTarget, statOf } from "./store-sqlite-file.js";
import { SqliteSession, translated } from "./store-sqlite-session.js";

/** How a file of branch keys is opened. */
export interface BranchKeyFileOptions {
  /** Whether to make the file when there is none; default false. */
  readonly create?: boolean;
  /** How long a change waits for those of other processes, in milliseconds; default 10,000. */
  readonly maxWaitMs?: number;
}

/** Records of branch keys in a file. */
export interface BranchKeyFile extends BranchKeyRecords {
  /** Closes the file; calls afterwards reject with `ERR_CLOSED`. */
  close(): void;
}

/** Marks the file as one of branch keys ("FNBK"). https://www.sqlite.org/fileformat.html section 1.3 */
const APPLICATION_ID = 0x464e424b;
const SCHEMA_VERSION = 1;
const DEFAULT_WAIT_MS = 10_000;
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 20;
const OPENING_WAIT_MS = 5000;
const VERSION_BYTES = 16;
const MAX_FIELD_BYTES = 0xffff;

/** Every object of the schema by name, to the letter. Ids are bytes: an engine may end a text at its first zero. */
const SCHEMA: Readonly<Record<string, string>> = {
  branchKeys: `CREATE TABLE branchKeys (
  branchKeyId BLOB PRIMARY KEY,
  active BLOB NOT NULL
) STRICT, WITHOUT ROWID`,
  versions: `CREATE TABLE versions (
  number INTEGER PRIMARY KEY,
  branchKeyId BLOB NOT NULL,
  version BLOB NOT NULL,
  createdAtMs INTEGER NOT NULL,
  providerId BLOB NOT NULL,
  providerInfo BLOB NOT NULL,
  ciphertext BLOB NOT NULL,
  checksum BLOB NOT NULL
) STRICT`,
  versionsByName: "CREATE UNIQUE INDEX versionsByName ON versions (branchKeyId, version)",
};

type Version = Omit<BranchKeyRecord, "active">;
type EncryptedDataKey = BranchKeyRecord["encryptedDataKey"];

/**
 * Opens a file of branch keys, for `branchKeyStore`. Processes may share it; what was acknowledged is on the disk. The file holds
 * wrapped material only: it keeps nobody from opening what the wrapping key opens. Whoever can write it can remove versions, put an
 * old copy of it back and choose the active version among those of the branch key; what he makes of others' material does not open.
 * @param path - the file, an SQLite database; beside it stand its journal, `<path>-wal`, and `<path>-shm`
 * @returns the records, which the caller closes
 * @throws FengniError `ERR_STORE_NOT_FOUND` for a file that is missing (without `create`); `ERR_STORE_DAMAGED` for one that is
 *   foreign, damaged or unreadable; `ERR_STORE_BUSY` when it cannot be written; `ERR_NOT_SUPPORTED` where there is no SQLite;
 *   TypeError or RangeError `ERR_ARGUMENT`
 *
 * @example
 * const records = await openBranchKeyFile("branch-keys.fengni", { create: true });
 * const store = branchKeyStore({ wrappingKey: providerKey(provider, "tenants"), records });
 */
export async function openBranchKeyFile(path: string, options: BranchKeyFileOptions = {}): Promise<BranchKeyFile> {
  if (checkText("path", path) === "") throw argumentError("path expected the name of a file");
  checkFields("openBranchKeyFile", options, ["create", "maxWaitMs"]);
  const { create = false, maxWaitMs = DEFAULT_WAIT_MS } = options;
  if (typeof create !== "boolean") throw argumentError("create expected true or false");
  if (!Number.isSafeInteger(maxWaitMs) || maxWaitMs < 0) throw argumentError("maxWaitMs expected a whole number");
  return openWith(await loadEngine(), path, create, maxWaitMs);
}

/** As {@link openBranchKeyFile}, with one engine. */
export function openWith(engine: SqlEngine, path: string, create: boolean, maxWaitMs: number): BranchKeyFile {
  const target = resolveTarget(path);
  if (statOf(target) === undefined) {
    if (!create) throw notFound(target);
    createFile(target, (temporary) => fill(engine, temporary));
  }
  if (statOf(target)?.isFile() !== true) throw storeDamaged(`${target} is not a file`);
  const connection = translated(() => engine(target));
  try {
    translated(() => setUp(connection));
    return new SqliteBranchKeys(target, new SqliteSession(connection), maxWaitMs);
  } catch (error) {
    connection.close();
    throw error;
  }
}

function notFound(path: string): FengniError<"ERR_STORE_NOT_FOUND"> {
  return new FengniError(
    "ERR_STORE_NOT_FOUND",
    `there is no file of branch keys ${path}: pass "create: true" to make one`,
    { details: { path } },
  );
}

function fill(engine: SqlEngine, path: string): void {
  const connection = engine(path);
  try {
    connection.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON`);
    const statements = [
      "BEGIN",
      `PRAGMA application_id = ${APPLICATION_ID}`,
      `PRAGMA user_version = ${SCHEMA_VERSION}`,
      ...Object.values(SCHEMA),
      "COMMIT",
    ];
    connection.exec(statements.join(";\n"));
    connection.exec("PRAGMA journal_mode = WAL");
  } finally {
    connection.close();
  }
}

/** Nothing is written before the file is known to be one of ours, and whole. */
function setUp(connection: SqlConnection): void {
  connection.exec(`PRAGMA busy_timeout = ${OPENING_WAIT_MS}; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON`);
  if (pragma(connection, "application_id") !== APPLICATION_ID) {
    throw storeDamaged("the file is a database, but not one of branch keys");
  }
  if (pragma(connection, "user_version") !== SCHEMA_VERSION) {
    throw storeDamaged("its format is not known: use another release");
  }
  const rows = connection
    .prepare("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!'")
    .all();
  const isOurs =
    rows.length === Object.keys(SCHEMA).length && rows.every(({ name, sql }) => SCHEMA[String(name)] === sql);
  if (!isOurs) throw storeDamaged("its tables are not those of a file of branch keys");
  if (pragma(connection, "integrity_check") !== "ok") throw storeDamaged("its pages or indexes are damaged");
  connection.exec("PRAGMA journal_mode = WAL");
  connection.exec("PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA secure_delete = ON");
  connection.exec("PRAGMA busy_timeout = 0");
}

function pragma(connection: SqlConnection, name: string): SqlValue | undefined {
  return connection.prepare(`PRAGMA ${name}`).get()?.[name];
}

const COLUMNS =
  "v.branchKeyId, v.version, v.createdAtMs, v.providerId, v.providerInfo, v.ciphertext, v.checksum, b.active";
const FROM = "FROM branchKeys b LEFT JOIN versions v ON v.branchKeyId = b.branchKeyId";
const SELECT_ACTIVE = `SELECT ${COLUMNS} ${FROM} AND v.version = b.active WHERE b.branchKeyId = ?`;
const SELECT_ALL = `SELECT ${COLUMNS} ${FROM} WHERE b.branchKeyId = ? ORDER BY v.number`;
const SELECT_VERSION = `SELECT ${COLUMNS} FROM versions v LEFT JOIN branchKeys b ON b.branchKeyId = v.branchKeyId
  WHERE v.branchKeyId = ? AND v.version = ?`;

class SqliteBranchKeys implements BranchKeyFile {
  readonly #path: string;
  readonly #inode: string;
  readonly #session: SqliteSession;
  readonly #maxWaitMs: number;
  #isClosed = false;

  constructor(path: string, session: SqliteSession, maxWaitMs: number) {
    this.#path = path;
    this.#inode = inodeOf(path);
    this.#session = session;
    this.#maxWaitMs = maxWaitMs;
  }

  async getActive(branchKeyId: string, options?: CallOptions): Promise<BranchKeyRecord | undefined> {
    const row = this.#open(options).get(SELECT_ACTIVE, utf8ToBytes(branchKeyId));
    return row === undefined ? undefined : recordOf(row);
  }

  async getVersion(
    branchKeyId: string,
    version: Uint8Array,
    options?: CallOptions,
  ): Promise<BranchKeyRecord | undefined> {
    const row = this.#open(options).get(SELECT_VERSION, utf8ToBytes(branchKeyId), assertBytes(version, "version"));
    return row === undefined ? undefined : recordOf(row);
  }

  async list(branchKeyId: string, options?: CallOptions): Promise<readonly BranchKeyRecord[]> {
    const records = this.#open(options).all(SELECT_ALL, utf8ToBytes(branchKeyId)).map(recordOf);
    const actives = records.filter(({ active }) => active).length;
    if (records.length > 0 && actives !== 1) throw storeDamaged("a branch key has no active version");
    return records;
  }

  async activate(record: Version, expected: Uint8Array | undefined, options?: CallOptions): Promise<boolean> {
    const id = utf8ToBytes(record.branchKeyId);
    const values = valuesOf(record);
    return this.#change(options, (session) => {
      const active = session.get("SELECT active FROM branchKeys WHERE branchKeyId = ?", id)?.["active"];
      if (active === undefined ? expected !== undefined : !isSame(active, expected)) return false;
      if (session.get(SELECT_VERSION, id, record.version) !== undefined) return false;
      session.run("INSERT INTO versions VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)", ...values);
      session.run("INSERT OR REPLACE INTO branchKeys VALUES (?, ?)", id, record.version);
      return true;
    });
  }

  async replace(
    branchKeyId: string,
    version: Uint8Array,
    expected: EncryptedDataKey,
    replacement: EncryptedDataKey,
    options?: CallOptions,
  ): Promise<boolean> {
    const id = utf8ToBytes(branchKeyId);
    return this.#change(options, (session) => {
      const row = session.get(SELECT_VERSION, id, assertBytes(version, "version"));
      const record = row === undefined ? undefined : recordOf(row);
      if (record === undefined || !equalBytes(record.encryptedDataKey.ciphertext, expected.ciphertext)) return false;
      const [, , , ...fields] = valuesOf({ ...record, encryptedDataKey: replacement });
      const set = "SET providerId = ?, providerInfo = ?, ciphertext = ?, checksum = ?";
      session.run(`UPDATE versions ${set} WHERE branchKeyId = ? AND version = ?`, ...fields, id, version);
      return true;
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      // So that the file alone holds everything, also that what was replaced is gone; others in the way see to it later.
      this.#session.checkpoint();
    } catch {
      // What was acknowledged is in the journal.
    }
    this.#session.close();
  }

  #open(options: CallOptions | undefined): SqliteSession {
    options?.signal?.throwIfAborted();
    if (this.#isClosed) throw new FengniError("ERR_CLOSED", "the file of branch keys was closed: open it again");
    if (inodeOf(this.#path) !== this.#inode) throw storeDamaged(`${this.#path} is not the file that was opened`);
    return this.#session;
  }

  /** Runs a change in a transaction of its own; `apply` says whether to keep it. Waits, without blocking, for other processes. */
  async #change(options: CallOptions | undefined, apply: (session: SqliteSession) => boolean): Promise<boolean> {
    const deadlineMs = performance.now() + this.#maxWaitMs;
    for (
      let pauseMs = FIRST_PAUSE_MS;
      !this.#open(options).begin();
      pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)
    ) {
      if (performance.now() >= deadlineMs) throw storeBusy("another process writes it for too long: try again");
      const wait = pauseMs;
      await new Promise<void>((resolve) => setTimeout(resolve, wait));
    }
    // From here on nothing waits, so that no other change of this process comes in between.
    try {
      const isKept = apply(this.#session);
      if (isKept) this.#session.commit();
      else this.#session.rollback();
      return isKept;
    } catch (error) {
      this.#session.rollback();
      throw error;
    }
  }
}

function inodeOf(path: string): string {
  const stats = statOf(path);
  return stats === undefined ? "" : `${stats.dev}:${stats.ino}`;
}

function isSame(active: SqlValue, expected: Uint8Array | undefined): boolean {
  if (!(active instanceof Uint8Array)) throw storeDamaged("a branch key has no active version");
  return expected !== undefined && equalBytes(active, expected);
}

/** The columns of a version, in the order of the table. */
function valuesOf({ branchKeyId, version, createdAtMs, encryptedDataKey }: Version): readonly SqlValue[] {
  const { providerId, providerInfo, ciphertext } = encryptedDataKey;
  const fields = [utf8ToBytes(branchKeyId), version, utf8ToBytes(providerId), providerInfo, ciphertext] as const;
  for (const field of fields) {
    const { length } = assertBytes(field, "record");
    if (length > MAX_FIELD_BYTES) throw limitError("branch key record", MAX_FIELD_BYTES, length, "shorten it");
  }
  const [id, , provider] = fields;
  return [id, version, createdAtMs, provider, providerInfo, ciphertext, checksumOf(fields, createdAtMs)];
}

/** Tells damage, not forgery: that the material belongs to the branch key, the wrapping key's answer proves. */
export function checksumOf(fields: readonly Uint8Array[], createdAtMs: number): Uint8Array {
  const lengths = utf8ToBytes(`${fields.map(({ length }) => length).join(",")},${createdAtMs};`);
  return digest("sha256", concatBytes(lengths, ...fields));
}

function recordOf(row: SqlRow): BranchKeyRecord {
  const { branchKeyId, version, createdAtMs, providerId, providerInfo, ciphertext, checksum, active } = row;
  const isWhole =
    branchKeyId instanceof Uint8Array &&
    version instanceof Uint8Array &&
    version.length === VERSION_BYTES &&
    typeof createdAtMs === "number" &&
    providerId instanceof Uint8Array &&
    providerInfo instanceof Uint8Array &&
    ciphertext instanceof Uint8Array &&
    checksum instanceof Uint8Array &&
    active instanceof Uint8Array;
  if (!isWhole) throw storeDamaged("a version of a branch key is missing or malformed");
  const sum = checksumOf([branchKeyId, version, providerId, providerInfo, ciphertext], createdAtMs);
  if (!equalBytes(sum, checksum)) throw storeDamaged("a version of a branch key was changed");
  return {
    branchKeyId: textOf(branchKeyId),
    version,
    createdAtMs,
    encryptedDataKey: { providerId: textOf(providerId), providerInfo, ciphertext },
    active: equalBytes(version, active),
  };
}

function textOf(bytes: Uint8Array): string {
  try {
    return bytesToUtf8(bytes);
  } catch (cause) {
    throw storeDamaged("a version of a branch key is malformed", cause);
  }
}
