// The root key of a key store's file: what a caller may give, and the 32 bytes that come of it. It must not know the file.
import { scrypt } from "node:crypto";
import { assertBytes, utf8ToBytes, wipe } from "@fengni/crypto/bytes";
import { SecretBytes } from "@fengni/crypto/secret";
import { argumentError, checkFields, checkText, rangeError } from "./checks.js";

/** The work of scrypt (RFC 7914 section 2). Memory is 128 * r * 2^log2N bytes, at most 256 MiB. */
export interface ScryptCost {
  /** Logarithm of the cost parameter N to base 2, 10..20. */
  readonly log2N: number;
  /** Block size, 1..32. */
  readonly r: number;
  /** Parallelisation, 1..16. */
  readonly p: number;
}

/** What opens a key store: a passphrase, or 32 bytes that are as good as random. */
export type RootKey =
  | {
      /** Any text but the empty one; characters that look the same are made the same (Unicode NFC). */
      readonly passphrase: string;
      /** For a new store only, which keeps it; default {@link DEFAULT_SCRYPT_COST}. Less is for tests. */
      readonly scrypt?: ScryptCost;
    }
  | {
      /** 32 bytes; copied. */
      readonly key: Uint8Array;
    };

/** 128 MiB and about half a second: N = 2^17, r = 8, p = 1 (OWASP Password Storage Cheat Sheet). */
export const DEFAULT_SCRYPT_COST: ScryptCost = { log2N: 17, r: 8, p: 1 };

/** Length of every root key. */
export const ROOT_KEY_BYTES = 32;
const LOG2_N_RANGE = { minimum: 10, maximum: 20 };
const MAX_R = 32;
const MAX_P = 16;
const MAX_SCRYPT_MEMORY = 256 * 2 ** 20;
// What OpenSSL needs beside the 128 * r * N bytes: 128 * r * p, and a little.
const SCRYPT_MEMORY_ALLOWANCE = 2 ** 20;

/** Checks a root key that a caller gave. @throws TypeError or RangeError `ERR_ARGUMENT` */
export function checkRootKey(rootKey: RootKey): void {
  if (typeof rootKey !== "object" || rootKey === null)
    throw argumentError("rootKey expected { passphrase } or { key }");
  if (!("passphrase" in rootKey)) {
    checkFields("rootKey", rootKey, ["key"]);
    assertBytes(rootKey.key, "rootKey.key", ROOT_KEY_BYTES);
    return;
  }
  checkFields("rootKey", rootKey, ["passphrase", "scrypt"]);
  if (checkText("rootKey.passphrase", rootKey.passphrase) === "")
    throw rangeError("rootKey.passphrase expected some text");
  if (rootKey.scrypt === undefined) return;
  checkFields("rootKey.scrypt", rootKey.scrypt, ["log2N", "r", "p"]);
  if (!isAllowedCost(rootKey.scrypt)) {
    throw rangeError("rootKey.scrypt expected log2N 10..20, r 1..32 and p 1..16 with at most 256 MiB of memory");
  }
}

/** Whether a cost is within the bounds of {@link ScryptCost}. */
export function isAllowedCost({ log2N, r, p }: ScryptCost): boolean {
  if (![log2N, r, p].every(Number.isSafeInteger)) return false;
  if (log2N < LOG2_N_RANGE.minimum || log2N > LOG2_N_RANGE.maximum || r < 1 || r > MAX_R || p < 1 || p > MAX_P)
    return false;
  return 128 * r * 2 ** log2N <= MAX_SCRYPT_MEMORY;
}

/**
 * The root key itself: the bytes given, or scrypt of the passphrase (RFC 7914).
 * @param cost - one that {@link isAllowedCost} allows; not used for bytes
 * @param salt - 32 bytes; not used for bytes
 */
export async function deriveRoot(rootKey: RootKey, cost: ScryptCost, salt: Uint8Array): Promise<SecretBytes> {
  if (!("passphrase" in rootKey)) return new SecretBytes(Uint8Array.from(rootKey.key));
  const passphrase = utf8ToBytes(rootKey.passphrase.normalize("NFC"));
  const { log2N, r, p } = cost;
  const maxmem = MAX_SCRYPT_MEMORY + SCRYPT_MEMORY_ALLOWANCE;
  try {
    return await new Promise((resolve, reject) => {
      scrypt(passphrase, salt, ROOT_KEY_BYTES, { N: 2 ** log2N, r, p, maxmem }, (error, root) => {
        if (error === null) resolve(new SecretBytes(root));
        else reject(error);
      });
    });
  } finally {
    wipe(passphrase);
  }
}
