// The token that goes with the parameters of an import: bytes to values and back. It names its key and its end, so that one that
// outlived its record still tells why it is refused; what makes it valid is its record, found by its digest. It must not know records.
import { bytesToHex, concatBytes } from "@fengni/crypto/bytes";
import { digest } from "@fengni/crypto/hash";
import { randomBytes } from "@fengni/crypto/random";
import { isId, KEY_ID_LENGTH } from "./keys.js";

const FORMAT_VERSION = 1;
const VALID_TO_AT = 1;
const KEY_ID_AT: number = VALID_TO_AT + 8;
const RANDOM_AT: number = KEY_ID_AT + KEY_ID_LENGTH;
const RANDOM_BYTES = 32;

/** Length of every token, in bytes. */
export const IMPORT_TOKEN_BYTES: number = RANDOM_AT + RANDOM_BYTES;

/** What a token says of itself; anybody can write that. */
export interface ImportTokenClaims {
  readonly keyId: string;
  /** Milliseconds since the Unix epoch. */
  readonly validToMs: number;
}

/** A new token; nobody can guess it. */
export function createImportToken({ keyId, validToMs }: ImportTokenClaims): Uint8Array {
  const bytes = new Uint8Array(RANDOM_AT);
  bytes[0] = FORMAT_VERSION;
  new DataView(bytes.buffer).setBigUint64(VALID_TO_AT, BigInt(validToMs));
  for (let i = 0; i < KEY_ID_LENGTH; i++) bytes[KEY_ID_AT + i] = keyId.charCodeAt(i);
  return concatBytes(bytes, randomBytes(RANDOM_BYTES));
}

/** What a token says of itself; undefined for other bytes. */
export function parseImportToken(token: Uint8Array): ImportTokenClaims | undefined {
  if (token.length !== IMPORT_TOKEN_BYTES || token[0] !== FORMAT_VERSION) return undefined;
  const keyId = String.fromCharCode(...token.subarray(KEY_ID_AT, RANDOM_AT));
  if (!isId(keyId)) return undefined;
  const validTo = new DataView(token.buffer, token.byteOffset, token.length).getBigUint64(VALID_TO_AT);
  return validTo > BigInt(Number.MAX_SAFE_INTEGER) ? undefined : { keyId, validToMs: Number(validTo) };
}

/** The id of a token's record: its digest by SHA-256, so that looking it up tells nothing of other tokens, nor does the store. */
export function importRecordId(token: Uint8Array): string {
  return bytesToHex(digest("sha256", token));
}
