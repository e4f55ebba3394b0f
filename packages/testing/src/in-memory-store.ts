// The keys of the in-memory double and its clock: what time does to keys happens when they are next looked at. It must not know
// how keys are used.
import {
  FengniError,
  type KeyDescription,
  type KeyOrigin,
  type KeySpec,
  type KeyState,
  type KeyUsage,
} from "@fengni/core";
import { bytesToHex } from "@fengni/crypto/bytes";
import { randomBytes } from "@fengni/crypto/random";
import type { InMemoryMaterial } from "./in-memory-material.js";

/** Milliseconds of a day. */
export const DAY_MS = 86_400_000;

/** A key. Times are milliseconds since the Unix epoch. */
export interface InMemoryKey {
  readonly keyId: string;
  readonly keySpec: KeySpec;
  readonly keyUsage: KeyUsage;
  readonly origin: KeyOrigin;
  readonly createdAtMs: number;
  state: KeyState;
  alias?: string;
  description: string;
  /** Made at first use, as RSA takes a while. Version 1 comes first. */
  versions: (() => Promise<InMemoryMaterial>)[];
  /** SHA-256 of what was imported: only the same may come again. */
  importedDigest?: Uint8Array;
  lastRotatedAtMs?: number;
  rotation?: { readonly periodDays: number; nextAtMs: number };
  validToMs?: number;
  deletionAtMs?: number;
}

/** A clock that only a test moves. */
export class InMemoryClock {
  // 1 January 2026: a fixed beginning makes tests repeatable.
  #nowMs = 1_767_225_600_000;

  /** Milliseconds since the Unix epoch. */
  now(): number {
    return this.#nowMs;
  }

  /** Moves the time forward. @param ms - milliseconds, not negative */
  advance(ms: number): void {
    if (!(ms >= 0)) throw Object.assign(new RangeError("advance expected 0 ms or more"), { code: "ERR_ARGUMENT" });
    this.#nowMs += ms;
  }
}

/** The keys. */
export class InMemoryStore {
  readonly clock: InMemoryClock = new InMemoryClock();
  readonly #keys = new Map<string, InMemoryKey>();
  readonly #createMaterial: (spec: KeySpec, usage: KeyUsage) => Promise<InMemoryMaterial>;

  constructor(createMaterial: (spec: KeySpec, usage: KeyUsage) => Promise<InMemoryMaterial>) {
    this.#createMaterial = createMaterial;
  }

  /** A new key. */
  create(
    given: Pick<InMemoryKey, "keySpec" | "keyUsage" | "origin" | "description"> & { readonly alias?: string },
  ): InMemoryKey {
    const key: InMemoryKey = {
      ...given,
      keyId: bytesToHex(randomBytes(16)),
      createdAtMs: this.clock.now(),
      state: given.origin === "external" ? "pending-import" : "enabled",
      versions: [],
    };
    if (key.origin === "provider") this.rotate(key, undefined);
    this.#keys.set(key.keyId, key);
    return key;
  }

  /** Gives a key a new version. @param atMs - when it rotated; undefined for the first version */
  rotate(key: InMemoryKey, atMs: number | undefined): void {
    let made: Promise<InMemoryMaterial> | undefined;
    key.versions.push(() => {
      made ??= this.#createMaterial(key.keySpec, key.keyUsage);
      return made;
    });
    if (atMs !== undefined) key.lastRotatedAtMs = atMs;
  }

  /** All keys, oldest first, as they are now. */
  all(): InMemoryKey[] {
    for (const key of this.#keys.values()) this.#age(key);
    return [...this.#keys.values()];
  }

  /** The key of an id or alias. @throws FengniError `ERR_KEY_NOT_FOUND`; TypeError `ERR_ARGUMENT` unless it is text */
  find(name: string): InMemoryKey {
    if (typeof name !== "string")
      throw Object.assign(new TypeError("keyId expected a string"), { code: "ERR_ARGUMENT" });
    const direct = this.#keys.get(name);
    if (direct !== undefined) this.#age(direct);
    const key = this.#keys.get(name) ?? this.all().find(({ alias }) => alias === name);
    if (key !== undefined) return key;
    throw new FengniError("ERR_KEY_NOT_FOUND", "there is no such key", { details: { keyId: name } });
  }

  #age(key: InMemoryKey): void {
    const now = this.clock.now();
    if (key.deletionAtMs !== undefined && now >= key.deletionAtMs) this.#keys.delete(key.keyId);
    if (key.validToMs !== undefined && now >= key.validToMs) dropMaterial(key);
    while (key.rotation !== undefined && key.state === "enabled" && now >= key.rotation.nextAtMs) {
      this.rotate(key, key.rotation.nextAtMs);
      key.rotation.nextAtMs += key.rotation.periodDays * DAY_MS;
    }
  }
}

/** Takes the material of an external key away. */
export function dropMaterial(key: InMemoryKey): void {
  key.versions = [];
  delete key.validToMs;
  if (key.state !== "pending-deletion") key.state = "pending-import";
}

/** What a key is to its admin. */
export function describe(key: InMemoryKey): KeyDescription {
  const { keyId, keySpec, keyUsage, state, origin, createdAtMs, description } = key;
  return {
    ...{ keyId, keySpec, keyUsage, state, origin, createdAtMs, description, versions: key.versions.length },
    ...(key.alias !== undefined && { alias: key.alias }),
    ...(key.lastRotatedAtMs !== undefined && { lastRotatedAtMs: key.lastRotatedAtMs }),
    ...(key.rotation && { rotationPeriodDays: key.rotation.periodDays, nextRotationAtMs: key.rotation.nextAtMs }),
    ...(key.validToMs !== undefined && { validToMs: key.validToMs }),
    ...(key.deletionAtMs !== undefined && { deletionAtMs: key.deletionAtMs }),
  };
}
