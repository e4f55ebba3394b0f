// Private keys made ready once for as long as their material lives, and the check that a key may be used so. It must not know what
// an operation does with a key, nor states.
import type { KeyUsage } from "@fengni/core";
import type { SecretBytes } from "@fengni/crypto/secret";
import { wrongUsage } from "./keys.js";
import type { KeyRecord } from "./records.js";
import type { Room } from "./room.js";
import { specOf } from "./specs.js";
import type { AsymmetricSpec, PrivateKey } from "./specs-asymmetric.js";

/** Private keys by the secret that they were made of: they go when the store lets go of the secret. */
export class PrivateKeys {
  #keys = new WeakMap<SecretBytes, PrivateKey>();

  /** The private key of material that a store holds. @throws FengniError `ERR_CLOSED` when the material was wiped */
  ready(spec: AsymmetricSpec, material: SecretBytes): PrivateKey {
    let key = this.#keys.get(material);
    if (key === undefined) {
      key = spec.importKey(material.bytes());
      this.#keys.set(material, key);
    }
    return key;
  }

  /** Forgets every private key. */
  clear(): void {
    this.#keys = new WeakMap();
  }
}

/** A key as it is now, for an operation that waited for access to it. @throws FengniError `ERR_KEY_NOT_FOUND` when it went */
export function asItStands(room: Room, { region, id }: KeyRecord): KeyRecord {
  return room.current("key", region, id);
}

/**
 * What there is to know of an asymmetric key's spec, when the key is for a usage.
 * @param advice - what the operation needs instead
 * @throws FengniError `ERR_KEY_USAGE` for a key of another usage
 */
export function asymmetricSpecOf(record: KeyRecord, usage: KeyUsage, advice: string): AsymmetricSpec {
  const { asymmetric } = specOf(record.keySpec);
  if (asymmetric === undefined || record.keyUsage !== usage) throw wrongUsage(record, advice);
  return asymmetric;
}
