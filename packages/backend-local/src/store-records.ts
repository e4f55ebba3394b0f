// The payload of a key store's file (docs/local-kms.md, "Payload"): records to bytes and back. Material stays bytes, since text
// cannot be wiped. It must not know how the payload is sealed or written.
import type { KeyState } from "@fengni/core";
import { bytesToUtf8, concatBytes, equalBytes, utf8ToBytes } from "@fengni/crypto/bytes";
import { SecretBytes } from "@fengni/crypto/secret";
import { isKeyId, type KeyRecord, type KeyTable, type KeyVersion } from "./keys.js";
import { storeDamaged } from "./seal.js";
import { KEY_SPECS } from "./specs.js";
import { MemoryTable } from "./store.js";

const LENGTH_BYTES = 4;
const STATES: readonly KeyState[] = ["enabled", "disabled", "pending-deletion"];

/** The bytes of a table; the caller wipes them. */
export function formatRecords(table: MemoryTable): Uint8Array {
  const materials: Uint8Array[] = [];
  const keys = [...table.list()].map(({ versions, ...record }) => ({
    ...record,
    versions: versions.map(({ material, createdAtMs }) => {
      materials.push(material.bytes());
      return { createdAtMs, materialBytes: material.length };
    }),
  }));
  const json = utf8ToBytes(JSON.stringify({ lastSequence: table.lastSequence, keys }));
  const length = new Uint8Array(LENGTH_BYTES);
  new DataView(length.buffer).setUint32(0, json.length);
  return concatBytes(length, json, ...materials);
}

/**
 * The table of what {@link formatRecords} wrote.
 * @param known - versions that it has with the same material are taken over, so that what hangs on them stays
 * @throws FengniError `ERR_STORE_DAMAGED` for anything else; the material read so far is wiped
 */
export function parseRecords(payload: Uint8Array, known: KeyTable): MemoryTable {
  let reader: MaterialReader | undefined;
  try {
    reader = new MaterialReader(payload);
    const root = objectOf(reader.json);
    const records: KeyRecord[] = [];
    for (const key of arrayOf(root["keys"])) records.push(recordOf(objectOf(key), reader, known));
    reader.end();
    return new MemoryTable(records, countOf(root["lastSequence"]));
  } catch (cause) {
    reader?.wipe();
    throw storeDamaged("its records are not in the form that this release writes", cause);
  }
}

/** Reads material in the order in which it was written. */
class MaterialReader {
  readonly json: unknown;
  readonly #payload: Uint8Array;
  readonly #read: SecretBytes[] = [];
  #offset: number;

  constructor(payload: Uint8Array) {
    if (payload.length < LENGTH_BYTES) throw malformed("length");
    const jsonLength = new DataView(payload.buffer, payload.byteOffset, payload.length).getUint32(0);
    this.#payload = payload;
    this.#offset = LENGTH_BYTES + jsonLength;
    if (this.#offset > payload.length) throw malformed("length");
    this.json = JSON.parse(bytesToUtf8(payload.subarray(LENGTH_BYTES, this.#offset)));
  }

  take(length: number, known: SecretBytes | undefined): SecretBytes {
    const bytes = this.#payload.subarray(this.#offset, this.#offset + length);
    if (bytes.length !== length || length === 0) throw malformed("material");
    this.#offset += length;
    if (known !== undefined && equalBytes(known.bytes(), bytes)) return known;
    const material = new SecretBytes(Uint8Array.from(bytes));
    this.#read.push(material);
    return material;
  }

  end(): void {
    if (this.#offset !== this.#payload.length) throw malformed("length");
  }

  wipe(): void {
    for (const material of this.#read) material.wipe();
  }
}

type Fields = Readonly<Record<string, unknown>>;

function recordOf(fields: Fields, reader: MaterialReader, known: KeyTable): KeyRecord {
  const keyId = textOf(fields["keyId"]);
  if (!isKeyId(keyId)) throw malformed("key id");
  const knownVersions = known.get(keyId)?.versions ?? [];
  const versions = arrayOf(fields["versions"]).map((version, index): KeyVersion => {
    const { createdAtMs, materialBytes } = objectOf(version);
    const old = knownVersions[index];
    const material = reader.take(countOf(materialBytes), old?.material);
    return material === old?.material ? old : { material, createdAtMs: countOf(createdAtMs) };
  });
  if (versions.length === 0) throw malformed("versions");
  const { alias, lastRotatedAtMs, deletionAtMs } = fields;
  return {
    keyId,
    sequence: countOf(fields["sequence"]),
    keySpec: oneOf(fields["keySpec"], KEY_SPECS),
    state: oneOf(fields["state"], STATES),
    createdAtMs: countOf(fields["createdAtMs"]),
    ...(alias === undefined ? {} : { alias: textOf(alias) }),
    description: textOf(fields["description"]),
    versions,
    ...(lastRotatedAtMs === undefined ? {} : { lastRotatedAtMs: countOf(lastRotatedAtMs) }),
    ...(deletionAtMs === undefined ? {} : { deletionAtMs: countOf(deletionAtMs) }),
  };
}

function malformed(what: string): Error {
  return new Error(`malformed ${what}`);
}

function objectOf(value: unknown): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw malformed("object");
}

function arrayOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw malformed("array");
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  throw malformed("text");
}

function countOf(value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw malformed("number");
}

function oneOf<Name extends string>(value: unknown, names: readonly Name[]): Name {
  const name = names.find((candidate) => candidate === value);
  if (name !== undefined) return name;
  throw malformed("name");
}
