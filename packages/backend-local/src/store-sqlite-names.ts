// The names under which a store remembers what it read of its file. It must not know what is remembered for how long, nor rows.
import type { RecordAddress } from "./records.js";
import { SECRET_SALT_BYTES } from "./seal.js";
import type { SqlCondition } from "./store-sqlite-query.js";

/** Of the number of records that meet a condition. */
export function totalKey({ sql, values }: SqlCondition): string {
  return JSON.stringify([sql, ...values]);
}

/** Of a record, by its address. */
export function addressKey(kind: string, region: string, id: string): string {
  return `a\0${kind}\0${region}\0${id}`;
}

/** Of a record, by its name. */
export function nameKey(kind: string, region: string, name: string): string {
  return `n\0${kind}\0${region}\0${name}`;
}

/** Of a secret. */
export function secretKey({ kind, region, id }: RecordAddress, slot: number): string {
  return `${slot}\0${addressKey(kind, region, id)}`;
}

/** What tells one sealing of a secret from another: the salt, which is random. */
export function markOf(sealed: Uint8Array): Uint8Array {
  return sealed.slice(0, SECRET_SALT_BYTES);
}
