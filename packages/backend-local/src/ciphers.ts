// Sealing and opening under a version of a symmetric key (docs/local-kms.md, "How a ciphertext is sealed"): a fresh key is
// derived for every run of messages, so that random nonces stay few per key. It must not know states, aliases or stores.
import type { AeadKey } from "@fengni/crypto/aes-gcm";
import { bytesToHex, concatBytes, utf8ToBytes, wipe } from "@fengni/crypto/bytes";
import { hkdfExpand, hkdfExtract } from "@fengni/crypto/hash";
import { randomBytes } from "@fengni/crypto/random";
import { type Blob, ciphertextInvalid, formatBlob, formatHeader, NONCE_BYTES, SALT_BYTES } from "./blob.js";
import { plainBytes } from "./checks.js";
import { type KeyRecord, type KeyVersion, newestVersion } from "./keys.js";
import type { SymmetricSpec } from "./specs.js";

/** Messages sealed under one derived key. With 2^20 random 96-bit nonces, two are equal with a probability below 2^-57. */
const MAX_SEALS_PER_SALT = 2 ** 20;
/** Derived keys kept for opening, per key version. */
const MAX_OPENING_KEYS = 64;
const DERIVATION_LABEL: Uint8Array = /* @__PURE__ */ utf8ToBytes("fengni local kms ciphertext v1");

/** The derived key with which new messages are sealed. */
interface SealingKey {
  readonly header: Uint8Array;
  readonly key: AeadKey;
  seals: number;
}

/** What is derived of one key version. */
interface Derived {
  sealing?: SealingKey;
  /** By salt, the one used longest ago first. */
  readonly opening: Map<string, AeadKey>;
}

/** Seals and opens, and remembers derived keys for as long as their key version lives. */
export class Ciphers {
  readonly #maxSealsPerSalt: number;
  #derived = new WeakMap<KeyVersion, Derived>();

  /** @param maxSealsPerSalt - less than the default is for tests */
  constructor(maxSealsPerSalt: number = MAX_SEALS_PER_SALT) {
    this.#maxSealsPerSalt = maxSealsPerSalt;
  }

  /**
   * Seals under the newest version of a key.
   * @param spec - the key's
   * @param context - the encoded encryption context
   * @returns a new buffer
   */
  async seal(spec: SymmetricSpec, record: KeyRecord, context: Uint8Array, plaintext: Uint8Array): Promise<Uint8Array> {
    const sealing = this.#sealingKey(spec, record);
    const nonce = randomBytes(NONCE_BYTES);
    const pending = sealing.key.seal(nonce, additionalData(sealing.header, context), plaintext);
    const { ciphertext, tag } = pending instanceof Promise ? await pending : pending;
    return formatBlob(sealing.header, nonce, ciphertext, tag);
  }

  /**
   * Opens a ciphertext of this key.
   * @returns the plaintext, a new buffer
   * @throws FengniError `ERR_CIPHERTEXT_INVALID` when the key has no such version or algorithm, `ERR_AUTHENTICATION` when the
   *   tag does not fit
   */
  async open(spec: SymmetricSpec, record: KeyRecord, context: Uint8Array, blob: Blob): Promise<Uint8Array> {
    if (blob.algorithmId !== spec.algorithmId) throw ciphertextInvalid("its algorithm is not the key's");
    const version = record.versions[blob.keyVersion - 1];
    if (version === undefined) throw ciphertextInvalid(`the key has no version ${blob.keyVersion}`);
    const key = this.#openingKey(spec, version, blob.salt);
    const pending = key.open(blob.nonce, additionalData(blob.header, context), blob.ciphertext, blob.tag);
    return plainBytes(pending instanceof Promise ? await pending : pending);
  }

  /** Forgets every derived key. */
  clear(): void {
    this.#derived = new WeakMap();
  }

  #sealingKey(spec: SymmetricSpec, record: KeyRecord): SealingKey {
    const { number, version } = newestVersion(record);
    const derived = this.#of(version);
    let sealing = derived.sealing;
    if (sealing === undefined || sealing.seals >= this.#maxSealsPerSalt) {
      const salt = randomBytes(SALT_BYTES);
      const header = formatHeader({ algorithmId: spec.algorithmId, keyId: record.keyId, keyVersion: number, salt });
      sealing = { header, key: this.#openingKey(spec, version, salt), seals: 0 };
      derived.sealing = sealing;
    }
    sealing.seals++;
    return sealing;
  }

  #openingKey(spec: SymmetricSpec, version: KeyVersion, salt: Uint8Array): AeadKey {
    const { opening } = this.#of(version);
    const name = bytesToHex(salt);
    let key = opening.get(name);
    if (key === undefined) {
      key = deriveKey(spec, version, salt);
      if (opening.size >= MAX_OPENING_KEYS) opening.delete(opening.keys().next().value as string);
    } else {
      opening.delete(name);
    }
    opening.set(name, key);
    return key;
  }

  #of(version: KeyVersion): Derived {
    let derived = this.#derived.get(version);
    if (derived === undefined) {
      derived = { opening: new Map() };
      this.#derived.set(version, derived);
    }
    return derived;
  }
}

/** HKDF with SHA-256 (RFC 5869): the material condensed under the salt, then expanded to a key of the same length. */
function deriveKey(spec: SymmetricSpec, version: KeyVersion, salt: Uint8Array): AeadKey {
  const pseudorandom = hkdfExtract("sha256", version.material.bytes(), salt);
  const key = hkdfExpand("sha256", pseudorandom, DERIVATION_LABEL, spec.keyBytes);
  try {
    return spec.importKey(key);
  } finally {
    wipe(pseudorandom, key);
  }
}

/** The header tells its own length, so that no two pairs of header and context give the same bytes. */
function additionalData(header: Uint8Array, context: Uint8Array): Uint8Array {
  return context.length === 0 ? header : concatBytes(header, context);
}
