// Use of one symmetric key that was found: its usage, its state, then its material. It must not know how keys are found, nor what
// a plaintext is for.
import { FengniError } from "@fengni/core";
import { wipe } from "@fengni/crypto/bytes";
import { type Blob, ciphertextInvalid } from "./blob.js";
import { wrongUsage } from "./keys.js";
import type { KeyRecord } from "./records.js";
import type { Room } from "./room.js";
import { type SymmetricSpec, specOf } from "./specs.js";
import { type KeyOperation, stateAfter } from "./states.js";

type Awaitable<Value> = Value | Promise<Value>;

/** What there is to know of a symmetric key's spec. @throws FengniError `ERR_KEY_USAGE` for a key of another usage */
export function symmetricSpecOf(record: KeyRecord): SymmetricSpec {
  const { symmetric } = specOf(record.keySpec);
  if (symmetric === undefined) throw wrongUsage(record, "it needs a symmetric key");
  return symmetric;
}

/**
 * Seals under the newest version of a key. The plaintext is read before it returns.
 * @throws FengniError `ERR_KEY_USAGE`, then `ERR_KEY_STATE`
 */
export function sealUnder(
  room: Room,
  operation: KeyOperation,
  record: KeyRecord,
  context: Uint8Array,
  plaintext: Uint8Array,
): Awaitable<Uint8Array> {
  const spec = symmetricSpecOf(record);
  stateAfter(operation, record);
  const { id: keyId, versions: version } = record;
  return room.ciphers.seal({ spec, keyId, version, material: room.secret(record, version) }, context, plaintext);
}

/**
 * Opens a ciphertext that names this key. The ciphertext is read before it returns.
 * @returns the plaintext, a new buffer
 * @throws FengniError `ERR_KEY_USAGE`, then `ERR_KEY_STATE`, then as {@link Ciphers.open}
 */
export function openUnder(
  room: Room,
  operation: KeyOperation,
  record: KeyRecord,
  context: Uint8Array,
  blob: Blob,
): Awaitable<Uint8Array> {
  const spec = symmetricSpecOf(record);
  stateAfter(operation, record);
  const version = blob.keyVersion;
  if (version > record.versions) throw ciphertextInvalid(`its key has no version ${version}`);
  return room.ciphers.open({ spec, keyId: record.id, version, material: room.secret(record, version) }, context, blob);
}

/**
 * Waits for a key, then uses it as it stands now, with a copy of the caller's bytes: what the caller does to its buffer in the
 * meantime changes nothing. The copy is wiped.
 */
export async function useFound<Result>(
  room: Room,
  found: Promise<KeyRecord>,
  bytes: Uint8Array,
  use: (record: KeyRecord, copy: Uint8Array) => Awaitable<Result>,
): Promise<Result> {
  const copy = Uint8Array.from(bytes);
  try {
    const { region, id } = await found;
    return await use(room.current("key", region, id), copy);
  } finally {
    wipe(copy);
  }
}

/** Another key made the ciphertext than the one named. */
export function anotherKey(keyId: string): FengniError<"ERR_NO_MATCHING_KEY"> {
  return new FengniError("ERR_NO_MATCHING_KEY", `key ${keyId} made this ciphertext, which is not the key named`, {
    details: { available: [keyId] },
  });
}
