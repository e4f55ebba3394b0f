// What is the same in every implementation of SHA-2, SM3, HMAC and HKDF: the checks of arguments, the known-answer test, the choice.
// It must not know how an implementation does it.
import { argumentRangeError, assertBytes, assertInteger, assertOneOf } from "./assert.js";
import { equalBytes, hexToBytes } from "./bytes.js";
import { FengniError } from "./errors.js";
import type { Hasher, HashImplementation, HashName, Sha2Name } from "./hash.js";
import { createNobleHash } from "./hash-noble.js";
import { createNodeHash } from "./hash-node.js";
import { createSelector, runtime, type Selector } from "./runtime.js";
import { createPortableSm3 } from "./sm3-engine.js";
import { sm3Selector } from "./sm3-select.js";

/** A running hash, as an implementation holds it: both libraries' own objects fit. */
export interface HashState {
  update(data: Uint8Array): unknown;
  digest(): Uint8Array;
}

/** What an implementation brings: the same without checks. Arguments were checked, and nothing is kept of them. */
export interface HashEngine<Name extends HashName = Sha2Name> {
  readonly name: string;
  digest(hash: Name, data: readonly Uint8Array[]): Uint8Array;
  begin(hash: Name): HashState;
  hmac(hash: Name, key: Uint8Array, data: readonly Uint8Array[]): Uint8Array;
  /** HKDF-Expand for a length of 1..255 hashes. */
  expand(hash: Name, prk: Uint8Array, info: Uint8Array, length: number): Uint8Array;
}

/** Bytes of each hash. */
export const HASH_LENGTHS: Readonly<Record<HashName, number>> = { sha256: 32, sha384: 48, sha512: 64, sm3: 32 };
const NAMES = /* @__PURE__ */ Object.keys(HASH_LENGTHS) as readonly HashName[];
// RFC 5869 2.3: the block counter is one byte and starts at 1.
const MAX_BLOCKS = 255;

/** RangeError `ERR_ARGUMENT` for an unknown hash. */
export function checkHash(hash: HashName): void {
  if (!Object.hasOwn(HASH_LENGTHS, hash)) assertOneOf(hash, "hash", NAMES);
}

function checkParts(data: readonly Uint8Array[]): void {
  for (const part of data) assertBytes(part, "data");
}

class CheckedHasher implements Hasher {
  #state: HashState | undefined;

  constructor(state: HashState) {
    this.#state = state;
  }

  update(data: Uint8Array): void {
    if (this.#state === undefined) throw finished();
    this.#state.update(assertBytes(data, "data"));
  }

  digest(): Uint8Array {
    const state = this.#state;
    if (state === undefined) throw finished();
    this.#state = undefined;
    return state.digest();
  }
}

function finished(): FengniError<"ERR_CLOSED"> {
  return new FengniError("ERR_CLOSED", "this hash was already finished: begin a new one");
}

class CheckedHash implements HashImplementation {
  readonly name: string;
  readonly #engine: HashEngine;
  readonly #sm3: () => HashEngine<"sm3">;

  /** @param sm3 - gives the engine for SM3, which is chosen by itself: a runtime may have one of the two only */
  constructor(engine: HashEngine, sm3: () => HashEngine<"sm3">) {
    this.name = engine.name;
    this.#engine = engine;
    this.#sm3 = sm3;
  }

  #engineOf(hash: HashName): HashEngine<HashName> {
    return hash === "sm3" ? this.#sm3() : this.#engine;
  }

  digest(hash: HashName, ...data: readonly Uint8Array[]): Uint8Array {
    checkHash(hash);
    checkParts(data);
    return this.#engineOf(hash).digest(hash, data);
  }

  createHasher(hash: HashName): Hasher {
    checkHash(hash);
    return new CheckedHasher(this.#engineOf(hash).begin(hash));
  }

  hmac(hash: HashName, key: Uint8Array, ...data: readonly Uint8Array[]): Uint8Array {
    checkHash(hash);
    assertBytes(key, "key");
    checkParts(data);
    return this.#engineOf(hash).hmac(hash, key, data);
  }

  hkdfExtract(hash: HashName, ikm: Uint8Array, salt: Uint8Array): Uint8Array {
    checkHash(hash);
    assertBytes(ikm, "ikm");
    // RFC 5869 2.2: no salt means as many zeros as the hash is long.
    const key = assertBytes(salt, "salt").length > 0 ? salt : new Uint8Array(HASH_LENGTHS[hash]);
    return this.#engineOf(hash).hmac(hash, key, [ikm]);
  }

  hkdfExpand(hash: HashName, prk: Uint8Array, info: Uint8Array, length: number): Uint8Array {
    checkHash(hash);
    assertBytes(info, "info");
    assertInteger(length, "length", 0, MAX_BLOCKS * HASH_LENGTHS[hash]);
    // RFC 5869 2.3: a PRK is at least as long as the hash.
    if (assertBytes(prk, "prk").length < HASH_LENGTHS[hash]) {
      throw argumentRangeError(
        `"prk" expected Uint8Array of at least ${HASH_LENGTHS[hash]} bytes, got length=${prk.length}`,
      );
    }
    return length === 0 ? new Uint8Array(0) : this.#engineOf(hash).expand(hash, prk, info, length);
  }
}

// RFC 5869 appendix A.1; it exercises SHA-256 and HMAC too. SHA-512 answers for the 64-bit family: FIPS 180-4 "abc".
const PROBE_OKM = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865";
const PROBE_SHA512 = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a";

function probe(implementation: HashImplementation): boolean {
  const prk = implementation.hkdfExtract(
    "sha256",
    new Uint8Array(22).fill(0x0b),
    hexToBytes("000102030405060708090a0b0c"),
  );
  const okm = implementation.hkdfExpand("sha256", prk, hexToBytes("f0f1f2f3f4f5f6f7f8f9"), 42);
  const sha512 = implementation.digest("sha512", Uint8Array.of(0x61), Uint8Array.of(0x62, 0x63));
  return equalBytes(okm, hexToBytes(PROBE_OKM)) && equalBytes(sha512.subarray(0, 32), hexToBytes(PROBE_SHA512));
}

// The portable one needs nothing of the runtime, so one is always chosen.
const chosenSm3 = (): HashEngine<"sm3"> => sm3Selector.chosen() as HashEngine<"sm3">;

/** The choice of SHA-2, HMAC and HKDF. */
export const hashSelector: Selector<HashImplementation> = /* @__PURE__ */ createSelector<HashImplementation>([
  {
    name: "node",
    create: () => (runtime.node === undefined ? undefined : new CheckedHash(createNodeHash(runtime.node), chosenSm3)),
    probe,
  },
  {
    name: "noble",
    create() {
      const sm3 = createPortableSm3();
      return new CheckedHash(createNobleHash(), () => sm3);
    },
    probe,
  },
]);
