// How a key store's file is sealed (docs/local-kms.md, "Key store file"): a root key opens the store key, which seals every secret
// and vouches for every record. It must not know files, SQL, or what a record is for.
import { createCipheriv, createDecipheriv } from "node:crypto";
import { FengniError } from "@fengni/core";
import { concatBytes, equalBytes, utf8ToBytes, wipe } from "@fengni/crypto/bytes";
import { digest, hkdfExpand, hkdfExtract, hmac } from "@fengni/crypto/hash";
import { randomBytes } from "@fengni/crypto/random";
import { SecretBytes } from "@fengni/crypto/secret";
import { plainBytes } from "./checks.js";
import type { RecordAddress } from "./records.js";
import {
  DEFAULT_SCRYPT_COST,
  deriveRoot,
  isAllowedCost,
  ROOT_KEY_BYTES,
  type RootKey,
  type ScryptCost,
} from "./seal-root-key.js";
import { storeDamaged } from "./store-errors.js";

const MAGIC: Uint8Array = /* @__PURE__ */ utf8ToBytes("FENGNIKS");
const FORMAT_VERSION = 2;
const KDF_NONE = 0;
const KDF_SCRYPT = 1;
const FORMAT_VERSION_AT = 8;
const KDF_AT = 9;
const LOG2_N_AT = 10;
const R_AT = 11;
const P_AT = 12;
const SALT_AT = 13;
const VERIFIER_AT = 45;
const CHECKSUM_AT = 61;
const STORE_KEY_AT = 77;
const TAG_BYTES = 16;
const SALT_BYTES: number = VERIFIER_AT - SALT_AT;
const VERIFIER_BYTES = CHECKSUM_AT - VERIFIER_AT;
const CHECKSUM_BYTES = STORE_KEY_AT - CHECKSUM_AT;
const STORE_KEY_BYTES = 32;
/** Length of a header, in bytes. */
const HEADER_BYTES: number = STORE_KEY_AT + STORE_KEY_BYTES + TAG_BYTES;
/** Length of the salt in front of every sealed secret, in bytes. */
export const SECRET_SALT_BYTES = 16;
/** How much longer a sealed secret is, in bytes. */
const SEALED_OVERHEAD_BYTES = SECRET_SALT_BYTES + TAG_BYTES;

const VERIFIER_LABEL: Uint8Array = /* @__PURE__ */ utf8ToBytes("fengni key store verifier v2");
const WRAP_LABEL: Uint8Array = /* @__PURE__ */ utf8ToBytes("fengni key store wrap v2");
const MAC_LABEL: Uint8Array = /* @__PURE__ */ utf8ToBytes("fengni key store records v2");
const SECRETS_LABEL: Uint8Array = /* @__PURE__ */ utf8ToBytes("fengni key store secrets v2");
// Every key that is used with it seals once: it comes of a fresh salt.
const NONCE: Uint8Array = new Uint8Array(12);

/** Seals the secrets of one store and vouches for its records. */
export class StoreSeal {
  /** What the file keeps, in clear: how the root key is derived, a value that tells a wrong one, and the store key under it. */
  readonly header: Uint8Array;
  readonly #macKey: SecretBytes;
  readonly #secretsKey: SecretBytes;

  private constructor(header: Uint8Array, storeKey: Uint8Array) {
    this.header = header;
    this.#macKey = new SecretBytes(hkdfExpand("sha256", storeKey, MAC_LABEL, STORE_KEY_BYTES));
    this.#secretsKey = new SecretBytes(hkdfExpand("sha256", storeKey, SECRETS_LABEL, STORE_KEY_BYTES));
  }

  /** A new store key under a root key. */
  static async create(rootKey: RootKey): Promise<StoreSeal> {
    const head = new Uint8Array(STORE_KEY_AT);
    head.set(MAGIC, 0);
    head[FORMAT_VERSION_AT] = FORMAT_VERSION;
    if ("passphrase" in rootKey) {
      const cost = rootKey.scrypt ?? DEFAULT_SCRYPT_COST;
      head.set([KDF_SCRYPT, cost.log2N, cost.r, cost.p], KDF_AT);
    }
    head.set(randomBytes(SALT_BYTES), SALT_AT);
    const root = await deriveRoot(rootKey, kdfOf(head).cost, head.subarray(SALT_AT, VERIFIER_AT));
    const storeKey = randomBytes(STORE_KEY_BYTES);
    try {
      head.set(derive(root, head, VERIFIER_LABEL, VERIFIER_BYTES), VERIFIER_AT);
      head.set(checksumOf(head), CHECKSUM_AT);
      return new StoreSeal(concatBytes(head, wrapStoreKey(root, head, storeKey)), storeKey);
    } finally {
      root.wipe();
      wipe(storeKey);
    }
  }

  /**
   * Opens the store key of a header.
   * @throws FengniError `ERR_STORE_DAMAGED` when the header is not one, `ERR_ROOT_KEY` when the root key is another
   */
  static async open(rootKey: RootKey, header: Uint8Array): Promise<StoreSeal> {
    const copy = Uint8Array.from(header);
    const head = checkHeader(copy);
    const isPassphrase = "passphrase" in rootKey;
    if (isPassphrase !== (head[KDF_AT] === KDF_SCRYPT)) {
      throw wrongRootKey(
        isPassphrase ? "it was made with a key, not a passphrase" : "it was made with a passphrase, not a key",
      );
    }
    const root = await deriveRoot(rootKey, kdfOf(head).cost, head.subarray(SALT_AT, VERIFIER_AT));
    try {
      const verifier = derive(root, head, VERIFIER_LABEL, VERIFIER_BYTES);
      if (!equalBytes(verifier, head.subarray(VERIFIER_AT, CHECKSUM_AT))) {
        throw wrongRootKey(`the ${isPassphrase ? "passphrase" : "key"} is wrong`);
      }
      const storeKey = unwrapStoreKey(root, head, copy.subarray(STORE_KEY_AT));
      try {
        return new StoreSeal(copy, storeKey);
      } finally {
        wipe(storeKey);
      }
    } finally {
      root.wipe();
    }
  }

  /** A value that only this store gives to a text: HMAC with SHA-256, 32 bytes. */
  mac(text: string): Uint8Array {
    return hmac("sha256", this.#macKey.bytes(), utf8ToBytes(text));
  }

  /** A secret for the file. It opens for the same address and slot only. */
  sealSecret(address: RecordAddress, slot: number, secret: Uint8Array): Uint8Array {
    const salt = randomBytes(SECRET_SALT_BYTES);
    const key = this.#secretKey(salt);
    try {
      return concatBytes(salt, encrypt(key, secretContext(address, slot), secret));
    } finally {
      wipe(key);
    }
  }

  /** The secret that was sealed. @throws FengniError `ERR_STORE_DAMAGED` */
  openSecret(address: RecordAddress, slot: number, sealed: Uint8Array): SecretBytes {
    if (sealed.length < SEALED_OVERHEAD_BYTES) throw secretDamaged(address, slot);
    const key = this.#secretKey(sealed.subarray(0, SECRET_SALT_BYTES));
    try {
      const secret = decrypt(key, secretContext(address, slot), sealed.subarray(SECRET_SALT_BYTES));
      if (secret === undefined) throw secretDamaged(address, slot);
      return new SecretBytes(secret);
    } finally {
      wipe(key);
    }
  }

  /** Whether a header is this seal's own. */
  isSealedBy(header: Uint8Array): boolean {
    return equalBytes(header, this.header);
  }

  /** @throws FengniError `ERR_ROOT_KEY` for the header of another seal, `ERR_STORE_DAMAGED` for what is none */
  requireOwn(header: Uint8Array): void {
    if (this.isSealedBy(header)) return;
    checkHeader(header);
    throw wrongRootKey("it was sealed under a new root key: open it again");
  }

  wipe(): void {
    this.#macKey.wipe();
    this.#secretsKey.wipe();
  }

  // HKDF-Expand of the store's key for secrets, with a label of 16 random bytes. RFC 5869 section 2.3.
  #secretKey(salt: Uint8Array): Uint8Array {
    return hkdfExpand("sha256", this.#secretsKey.bytes(), salt, STORE_KEY_BYTES);
  }
}

/** The root key is not the one that the store is sealed under. */
function wrongRootKey(why: string): FengniError<"ERR_ROOT_KEY"> {
  return new FengniError("ERR_ROOT_KEY", `the root key does not open this key store: ${why}`);
}

/** The header's part in clear, once it is known to be as it was written; its cost is bounded before anything is derived. */
function checkHeader(header: Uint8Array): Uint8Array {
  const head = header.subarray(0, STORE_KEY_AT);
  if (header.length !== HEADER_BYTES || !equalBytes(head.subarray(0, MAGIC.length), MAGIC)) {
    throw storeDamaged("its header is not one");
  }
  if (!equalBytes(checksumOf(head), head.subarray(CHECKSUM_AT))) throw storeDamaged("its header was changed");
  if (head[FORMAT_VERSION_AT] !== FORMAT_VERSION) throw storeDamaged("its format is not known: use a newer release");
  const { kdf, cost } = kdfOf(head);
  if (kdf !== KDF_NONE && kdf !== KDF_SCRYPT) throw storeDamaged("its key derivation is not known");
  if (kdf === KDF_SCRYPT && !isAllowedCost(cost)) throw storeDamaged("its scrypt cost is more than is allowed");
  return head;
}

function kdfOf(head: Uint8Array): { kdf: number; cost: ScryptCost } {
  const at = (offset: number): number => head[offset] as number;
  return { kdf: at(KDF_AT), cost: { log2N: at(LOG2_N_AT), r: at(R_AT), p: at(P_AT) } };
}

function checksumOf(head: Uint8Array): Uint8Array {
  return digest("sha256", head.subarray(0, CHECKSUM_AT)).subarray(0, CHECKSUM_BYTES);
}

/** HKDF with SHA-256 of the root key and the header's salt. RFC 5869. */
function derive(root: SecretBytes, head: Uint8Array, label: Uint8Array, length: number): Uint8Array {
  const pseudorandom = hkdfExtract("sha256", root.bytes(), head.subarray(SALT_AT, VERIFIER_AT));
  try {
    return hkdfExpand("sha256", pseudorandom, label, length);
  } finally {
    wipe(pseudorandom);
  }
}

function wrapStoreKey(root: SecretBytes, head: Uint8Array, storeKey: Uint8Array): Uint8Array {
  const key = derive(root, head, WRAP_LABEL, ROOT_KEY_BYTES);
  try {
    return encrypt(key, head, storeKey);
  } finally {
    wipe(key);
  }
}

function unwrapStoreKey(root: SecretBytes, head: Uint8Array, wrapped: Uint8Array): Uint8Array {
  const key = derive(root, head, WRAP_LABEL, ROOT_KEY_BYTES);
  try {
    const storeKey = decrypt(key, head, wrapped);
    if (storeKey === undefined) throw storeDamaged("its header was changed");
    return storeKey;
  } finally {
    wipe(key);
  }
}

/** The ciphertext and the tag. AES-256-GCM, NIST SP 800-38D. */
function encrypt(key: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const cipher = createCipheriv("aes-256-gcm", key, NONCE, { authTagLength: TAG_BYTES });
  cipher.setAAD(aad);
  const ciphertext = cipher.update(plaintext);
  cipher.final();
  return concatBytes(ciphertext, cipher.getAuthTag());
}

/** The plaintext, or undefined when it was changed. */
function decrypt(key: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
  const tagAt = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv("aes-256-gcm", key, NONCE, { authTagLength: TAG_BYTES });
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(tagAt));
  const plaintext = plainBytes(decipher.update(sealed.subarray(0, tagAt)));
  try {
    decipher.final();
    return plaintext;
  } catch {
    wipe(plaintext);
    return undefined;
  }
}

function secretContext({ kind, region, id }: RecordAddress, slot: number): Uint8Array {
  return utf8ToBytes(JSON.stringify([kind, region, id, slot]));
}

function secretDamaged({ kind, id }: RecordAddress, slot: number): FengniError<"ERR_STORE_DAMAGED"> {
  return storeDamaged(`secret ${slot} of ${kind} ${id} was changed`);
}
