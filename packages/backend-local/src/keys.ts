// The record of a key as stores hold it, and what may be told of it. It must not know algorithms, states' rules or files.
import { FengniError, type KeyDescription, type KeySpec, type KeyState } from "@fengni/core";
import { bytesToHex } from "@fengni/crypto/bytes";
import { randomBytes } from "@fengni/crypto/random";
import type { SecretBytes } from "@fengni/crypto/secret";
import { type SigningSpec, type SymmetricSpec, specOf } from "./specs.js";

/** One version of a key's material. The object's identity is what caches hang on. */
export interface KeyVersion {
  /** What the key spec makes of it: a raw symmetric key, or a private key in DER PKCS#8. */
  readonly material: SecretBytes;
  /** Milliseconds since the Unix epoch. */
  readonly createdAtMs: number;
}

/** A key with its material; never handed to callers. Records are never changed, only replaced. */
export interface KeyRecord {
  /** UUID in lower case. */
  readonly keyId: string;
  /** Position in the order of creation, from 1; never used twice in one store. */
  readonly sequence: number;
  readonly keySpec: KeySpec;
  readonly state: KeyState;
  /** Milliseconds since the Unix epoch, as all times here. */
  readonly createdAtMs: number;
  readonly alias?: string;
  readonly description: string;
  /** Version 1 first; at least one. New ciphertexts use the last. */
  readonly versions: readonly KeyVersion[];
  readonly lastRotatedAtMs?: number;
  /** In the state `pending-deletion` only. */
  readonly deletionAtMs?: number;
}

/** Keys as a store shows them. */
export interface KeyTable {
  get(keyId: string): KeyRecord | undefined;
  findAlias(alias: string): KeyRecord | undefined;
  /** Records in the order of creation, of those with a sequence above `afterSequence` (default: all). */
  list(afterSequence?: number): Iterable<KeyRecord>;
}

const KEY_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
/** Length of every key id, in characters. */
export const KEY_ID_LENGTH = 36;
const MAX_SHOWN_CHARACTERS = 80;

/** A new key id: a random UUID. RFC 9562 section 5.4. */
export function createKeyId(): string {
  const bytes = randomBytes(16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = bytesToHex(bytes);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** Whether text has the form of {@link createKeyId}. */
export function isKeyId(text: string): boolean {
  return KEY_ID.test(text);
}

/** Whether a key's deletion is due. From that moment on there is no such key. */
export function isDue(record: KeyRecord, nowMs: number): boolean {
  return record.deletionAtMs !== undefined && record.deletionAtMs <= nowMs;
}

/** The version that seals new ciphertexts, and its number. */
export function newestVersion(record: KeyRecord): { readonly number: number; readonly version: KeyVersion } {
  const number = record.versions.length;
  // A record has at least one version.
  return { number, version: record.versions[number - 1] as KeyVersion };
}

/** What callers may know of a key. */
export function describeRecord(record: KeyRecord): KeyDescription {
  return {
    keyId: record.keyId,
    keySpec: record.keySpec,
    keyUsage: specOf(record.keySpec).usage,
    state: record.state,
    createdAtMs: record.createdAtMs,
    ...(record.alias === undefined ? {} : { alias: record.alias }),
    description: record.description,
    versions: record.versions.length,
    ...(record.lastRotatedAtMs === undefined ? {} : { lastRotatedAtMs: record.lastRotatedAtMs }),
    ...(record.deletionAtMs === undefined ? {} : { deletionAtMs: record.deletionAtMs }),
  };
}

/** Nothing has this id or alias. */
export function keyNotFound(reference: string): FengniError<"ERR_KEY_NOT_FOUND"> {
  const shown = reference.length > MAX_SHOWN_CHARACTERS ? `${reference.slice(0, MAX_SHOWN_CHARACTERS)}...` : reference;
  return new FengniError(
    "ERR_KEY_NOT_FOUND",
    `there is no key with the id or alias "${shown}": it was deleted or never existed`,
    {
      details: { keyId: reference },
    },
  );
}

/** The spec of a key that must seal and open. @throws FengniError `ERR_KEY_USAGE` for any other key */
export function symmetricSpec(record: KeyRecord): SymmetricSpec {
  const spec = specOf(record.keySpec);
  if (spec.usage !== "encrypt-decrypt") throw wrongUsage(record, "use a symmetric key");
  return spec;
}

/** The spec of a key that must sign and verify. @throws FengniError `ERR_KEY_USAGE` for any other key */
export function signingSpec(record: KeyRecord): SigningSpec {
  const spec = specOf(record.keySpec);
  if (spec.usage !== "sign-verify") throw wrongUsage(record, "use a signing key");
  return spec;
}

/** The key cannot do this by its nature, whatever its state. */
export function wrongUsage(record: KeyRecord, advice: string): FengniError<"ERR_KEY_USAGE"> {
  return new FengniError(
    "ERR_KEY_USAGE",
    `key ${record.keyId} is of spec ${record.keySpec} (${specOf(record.keySpec).usage}), which cannot do this: ${advice}`,
    { details: { keyId: record.keyId } },
  );
}
