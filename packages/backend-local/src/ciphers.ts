// Sealing and opening under a version of a symmetric key (docs/local-kms.md, "How a ciphertext is sealed"): a fresh key is
// derived for every run of messages, so that random nonces stay few per key. It must not know states, aliases or stores.
import type { AeadKey } from "@fengni/crypto/aes-gcm";
import { bytesToHex, concatBytes, utf8ToBytes, wipe } from "@fengni/crypto/bytes";
import { hkdfExpand, hkdfExtract } from "@fengni/crypto/hash";
import { randomBytes } from "@fengni/crypto/random";
import type { SecretBytes } from "@fengni/crypto/secret";
import { type Blob, ciphertextInvalid, formatBlob, formatHeader, NONCE_BYTES, SALT_BYTES } from "./blob.js";
import { plainBytes } from "./checks.js";
import type { SymmetricSpec } from "./specs.js";

/** Messages sealed under one derived key. With 2^20 random 96-bit nonces, two are equal with a probability below 2^-57. */
const MAX_SEALS_PER_SALT = 2 ** 20;
/** Derived keys kept for opening, per key version. */
const MAX_OPENING_KEYS = 64;
const DERIVATION_LABEL: Uint8Array = /* @__PURE__ */ utf8ToBytes("fengni local kms ciphertext v1");

/** The material of one version of a key. */
export interface VersionMaterial {
  readonly spec: SymmetricSpec;
  readonly keyId: string;
  /** From 1. */
  readonly version: number;
  /** As the store gives it: what is derived of it hangs on this object, and goes with it. */
  readonly material: SecretBytes;
}

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

/** Seals and opens, and remembers derived keys for as long as the store remembers the material. */
export class Ciphers {
  readonly #maxSealsPerSalt: number;
  #derived = new WeakMap<SecretBytes, Derived>();

  /** @param maxSealsPerSalt - less than the default is for tests */
  constructor(maxSealsPerSalt: number = MAX_SEALS_PER_SALT) {
    this.#maxSealsPerSalt = maxSealsPerSalt;
  }

  /**
   * Seals under a version of a key. The material and the plaintext are read before it returns.
   * @param context - the encoded encryption context
   * @returns a new buffer; a promise only where the AEAD gives one
   */
  seal(version: VersionMaterial, context: Uint8Array, plaintext: Uint8Array): Uint8Array | Promise<Uint8Array> {
    const { header, key } = this.#sealingKey(version);
    const nonce = randomBytes(NONCE_BYTES);
    const sealed = key.seal(nonce, additionalData(header, context), plaintext);
    if (!(sealed instanceof Promise)) return formatBlob(header, nonce, sealed.ciphertext, sealed.tag);
    return sealed.then(({ ciphertext, tag }) => formatBlob(header, nonce, ciphertext, tag));
  }

  /**
   * Opens a ciphertext under the version that it names. The material and the ciphertext are read before it returns.
   * @returns the plaintext, a new buffer; a promise only where the AEAD gives one
   * @throws FengniError `ERR_CIPHERTEXT_INVALID` when the algorithm is not the key's, `ERR_AUTHENTICATION` (thrown or rejected)
   *   when the tag does not fit
   */
  open({ spec, material }: VersionMaterial, context: Uint8Array, blob: Blob): Uint8Array | Promise<Uint8Array> {
    if (blob.algorithmId !== spec.algorithmId) throw ciphertextInvalid("its algorithm is not the key's");
    const key = this.#openingKey(spec, material, blob.salt);
    const opened = key.open(blob.nonce, additionalData(blob.header, context), blob.ciphertext, blob.tag);
    return opened instanceof Promise ? opened.then(plainBytes) : plainBytes(opened);
  }

  /** Forgets every derived key. */
  clear(): void {
    this.#derived = new WeakMap();
  }

  #sealingKey({ spec, keyId, version, material }: VersionMaterial): SealingKey {
    const derived = this.#of(material);
    let sealing = derived.sealing;
    if (sealing === undefined || sealing.seals >= this.#maxSealsPerSalt) {
      const salt = randomBytes(SALT_BYTES);
      const header = formatHeader({ algorithmId: spec.algorithmId, keyId, keyVersion: version, salt });
      sealing = { header, key: this.#openingKey(spec, material, salt), seals: 0 };
      derived.sealing = sealing;
    }
    sealing.seals++;
    return sealing;
  }

  #openingKey(spec: SymmetricSpec, material: SecretBytes, salt: Uint8Array): AeadKey {
    const { opening } = this.#of(material);
    const name = bytesToHex(salt);
    let key = opening.get(name);
    if (key === undefined) {
      key = deriveKey(spec, material, salt);
      if (opening.size >= MAX_OPENING_KEYS) opening.delete(opening.keys().next().value as string);
    } else {
      opening.delete(name);
    }
    opening.set(name, key);
    return key;
  }

  #of(material: SecretBytes): Derived {
    let derived = this.#derived.get(material);
    if (derived === undefined) {
      derived = { opening: new Map() };
      this.#derived.set(material, derived);
    }
    return derived;
  }
}

/** HKDF (RFC 5869) with the spec's hash: the material condensed under the salt, then expanded to a key of the same length. */
function deriveKey({ hash, keyBytes, importKey }: SymmetricSpec, material: SecretBytes, salt: Uint8Array): AeadKey {
  const pseudorandom = hkdfExtract(hash, material.bytes(), salt);
  const key = hkdfExpand(hash, pseudorandom, DERIVATION_LABEL, keyBytes);
  try {
    return importKey(key);
  } finally {
    wipe(pseudorandom, key);
  }
}

/** The header tells its own length, so that no two pairs of header and context give the same bytes. */
function additionalData(header: Uint8Array, context: Uint8Array): Uint8Array {
  return context.length === 0 ? header : concatBytes(header, context);
}
