// The sealed form of a key store's file (docs/local-kms.md, "Key store file"): the root key, the header in clear, the payload
// under a key derived for each writing. It must not know what the payload holds, nor how files are written.
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from "node:crypto";
import { FengniError } from "@fengni/core";
import { concatBytes, equalBytes, utf8ToBytes, wipe } from "@fengni/crypto/bytes";
import { digest, hkdfExpand, hkdfExtract } from "@fengni/crypto/hash";
import { randomBytes } from "@fengni/crypto/random";
import type { SecretBytes } from "@fengni/crypto/secret";
import { plainBytes } from "./checks.js";
import {
  DEFAULT_SCRYPT_COST,
  deriveRoot,
  isAllowedCost,
  ROOT_KEY_BYTES,
  type RootKey,
  type ScryptCost,
} from "./seal-root-key.js";

const MAGIC: Uint8Array = /* @__PURE__ */ utf8ToBytes("FENGNIKS");
const FORMAT_VERSION = 1;
const KDF_NONE = 0;
const KDF_SCRYPT = 1;
const FORMAT_VERSION_AT = 8;
const KDF_AT = 9;
const LOG2_N_AT = 10;
const R_AT = 11;
const P_AT = 12;
const KDF_SALT_AT = 13;
const VERIFIER_AT = 45;
const CHECKSUM_AT = 61;
const PAYLOAD_SALT_AT = 77;
const PAYLOAD_AT = 109;
const TAG_BYTES = 16;
const SALT_BYTES = 32;
const VERIFIER_BYTES: number = CHECKSUM_AT - VERIFIER_AT;
const CHECKSUM_BYTES: number = PAYLOAD_SALT_AT - CHECKSUM_AT;

const VERIFIER_LABEL: Uint8Array = /* @__PURE__ */ utf8ToBytes("fengni key store verifier v1");
const PAYLOAD_LABEL: Uint8Array = /* @__PURE__ */ utf8ToBytes("fengni key store payload v1");
// The key is fresh for each writing, so that one nonce serves.
const NONCE: Uint8Array = new Uint8Array(12);

/** Seals and opens the file of one store with its root key. */
export class StoreSeal {
  readonly #root: SecretBytes;
  /** Everything before the payload's salt: the same for the life of the store. */
  readonly #head: Uint8Array;

  private constructor(root: SecretBytes, head: Uint8Array) {
    this.#root = root;
    this.#head = head;
  }

  /** Prepares the root key of a new store. */
  static async create(rootKey: RootKey): Promise<StoreSeal> {
    const head = new Uint8Array(PAYLOAD_SALT_AT);
    head.set(MAGIC, 0);
    head[FORMAT_VERSION_AT] = FORMAT_VERSION;
    if ("passphrase" in rootKey) {
      const cost = rootKey.scrypt ?? DEFAULT_SCRYPT_COST;
      head.set([KDF_SCRYPT, cost.log2N, cost.r, cost.p], KDF_AT);
    }
    head.set(randomBytes(SALT_BYTES), KDF_SALT_AT);
    const root = await deriveRoot(rootKey, kdfOf(head).cost, head.subarray(KDF_SALT_AT, VERIFIER_AT));
    head.set(verifierOf(root, head), VERIFIER_AT);
    head.set(checksumOf(head), CHECKSUM_AT);
    return new StoreSeal(root, head);
  }

  /**
   * Prepares the root key of the store whose file is given.
   * @throws FengniError `ERR_STORE_DAMAGED` when the header is not one, `ERR_ROOT_KEY` when the root key is another
   */
  static async open(rootKey: RootKey, file: Uint8Array): Promise<StoreSeal> {
    const head = Uint8Array.from(checkHead(file));
    const isPassphrase = "passphrase" in rootKey;
    if (isPassphrase !== (head[KDF_AT] === KDF_SCRYPT)) {
      throw wrongRootKey(
        isPassphrase ? "it was made with a key, not a passphrase" : "it was made with a passphrase, not a key",
      );
    }
    const root = await deriveRoot(rootKey, kdfOf(head).cost, head.subarray(KDF_SALT_AT, VERIFIER_AT));
    if (equalBytes(verifierOf(root, head), head.subarray(VERIFIER_AT, CHECKSUM_AT))) return new StoreSeal(root, head);
    root.wipe();
    throw wrongRootKey(`the ${isPassphrase ? "passphrase" : "key"} is wrong`);
  }

  /** The whole file for a payload. */
  seal(payload: Uint8Array): Uint8Array {
    const header = concatBytes(this.#head, randomBytes(SALT_BYTES));
    const cipher = createCipheriv("aes-256-gcm", this.#payloadKey(header), NONCE, { authTagLength: TAG_BYTES });
    cipher.setAAD(header);
    const ciphertext = cipher.update(payload);
    cipher.final();
    return concatBytes(header, ciphertext, cipher.getAuthTag());
  }

  /**
   * The payload of a file; the caller wipes it.
   * @throws FengniError `ERR_STORE_DAMAGED`, or `ERR_ROOT_KEY` when the file is another store's by now
   */
  unseal(file: Uint8Array): Uint8Array {
    if (!equalBytes(checkHead(file), this.#head)) throw wrongRootKey("another key store took its place: open it again");
    const header = file.subarray(0, PAYLOAD_AT);
    const tagAt = file.length - TAG_BYTES;
    const decipher = createDecipheriv("aes-256-gcm", this.#payloadKey(header), NONCE, { authTagLength: TAG_BYTES });
    decipher.setAAD(header);
    decipher.setAuthTag(file.subarray(tagAt));
    const payload = plainBytes(decipher.update(file.subarray(PAYLOAD_AT, tagAt)));
    try {
      decipher.final();
    } catch {
      wipe(payload);
      throw storeDamaged("its contents were changed or cut off");
    }
    return payload;
  }

  wipe(): void {
    this.#root.wipe();
  }

  #payloadKey(header: Uint8Array): KeyObject {
    const key = derive(this.#root, header.subarray(PAYLOAD_SALT_AT, PAYLOAD_AT), PAYLOAD_LABEL, ROOT_KEY_BYTES);
    try {
      return createSecretKey(key);
    } finally {
      wipe(key);
    }
  }
}

/** The file is damaged, or no key store. */
export function storeDamaged(why: string, cause?: unknown): FengniError<"ERR_STORE_DAMAGED"> {
  return new FengniError(
    "ERR_STORE_DAMAGED",
    `the key store cannot be used: ${why}`,
    cause === undefined ? {} : { cause },
  );
}

function wrongRootKey(why: string): FengniError<"ERR_ROOT_KEY"> {
  return new FengniError("ERR_ROOT_KEY", `the root key does not open this key store: ${why}`);
}

/** The header's constant part, once it is known to be as it was written; its cost is bounded before anything is derived. */
function checkHead(file: Uint8Array): Uint8Array {
  const head = file.subarray(0, PAYLOAD_SALT_AT);
  if (!equalBytes(head.subarray(0, MAGIC.length), MAGIC)) throw storeDamaged("the file is not a key store");
  if (file.length < PAYLOAD_AT + TAG_BYTES) throw storeDamaged("the file is truncated");
  if (head[FORMAT_VERSION_AT] !== FORMAT_VERSION) throw storeDamaged("its format is not known: use a newer release");
  if (!equalBytes(checksumOf(head), head.subarray(CHECKSUM_AT))) throw storeDamaged("its header was changed");
  const { kdf, cost } = kdfOf(head);
  if (kdf !== KDF_NONE && kdf !== KDF_SCRYPT) throw storeDamaged("its key derivation is not known");
  if (kdf === KDF_SCRYPT && !isAllowedCost(cost)) throw storeDamaged("its scrypt cost is more than is allowed");
  return head;
}

function kdfOf(head: Uint8Array): { kdf: number; cost: ScryptCost } {
  const at = (offset: number): number => head[offset] as number;
  return { kdf: at(KDF_AT), cost: { log2N: at(LOG2_N_AT), r: at(R_AT), p: at(P_AT) } };
}

/** A value that tells a wrong root key from a damaged file. */
function verifierOf(root: SecretBytes, head: Uint8Array): Uint8Array {
  return derive(root, head.subarray(KDF_SALT_AT, VERIFIER_AT), VERIFIER_LABEL, VERIFIER_BYTES);
}

function checksumOf(head: Uint8Array): Uint8Array {
  return digest("sha256", head.subarray(0, CHECKSUM_AT)).subarray(0, CHECKSUM_BYTES);
}

/** HKDF with SHA-256. RFC 5869. */
function derive(root: SecretBytes, salt: Uint8Array, label: Uint8Array, length: number): Uint8Array {
  const pseudorandom = hkdfExtract("sha256", root.bytes(), salt);
  try {
    return hkdfExpand("sha256", pseudorandom, label, length);
  } finally {
    wipe(pseudorandom);
  }
}
