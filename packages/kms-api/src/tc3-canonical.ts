// What TC3-HMAC-SHA256 signs, and its key: the steps that signing and verifying share. It must not know who holds a secret.
import { bytesToHex, utf8ToBytes, wipe } from "@fengni/crypto/bytes";
import { digest, hmac } from "@fengni/crypto/hash";

/** The scheme of the header `Authorization`. */
export const TC3_SCHEME = "TC3-HMAC-SHA256";
/** The value of the header `X-TC-Content-SHA256`, and what is hashed, when the payload is not signed. */
export const UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD";
/** The last moment that is written with a year of four digits. */
export const MAX_TIMESTAMP_SECONDS = 253402300799;
/** Headers that every signature covers. */
export const REQUIRED_SIGNED_HEADERS: readonly string[] = ["content-type", "host"];

const TERMINATOR = "tc3_request";
/** What may stand in a signed header's value: no line break, which would forge a line of what is signed. */
const HEADER_VALUE = /^[\x20-\x7e\t]*$/;

/** Whether a header's value can be signed: printable ASCII. */
export function isSignableValue(value: string): boolean {
  return HEADER_VALUE.test(value);
}

/** A request in the form that is hashed. */
export interface CanonicalParts {
  readonly method: string;
  readonly path: string;
  /** The raw bytes after `?`, without it. */
  readonly query: string;
  /** Names in lower case and in ascending order, each with its value. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Hexadecimal SHA-256 of the payload. */
  readonly payloadHash: string;
}

/** SHA-256 in lower-case hexadecimal. */
export function sha256Hex(data: Uint8Array): string {
  return bytesToHex(digest("sha256", data));
}

/** The hash of a payload that is signed, or of the text that stands for one that is not. */
export function hashPayload(payload: Uint8Array | typeof UNSIGNED_PAYLOAD): string {
  return sha256Hex(typeof payload === "string" ? utf8ToBytes(payload) : payload);
}

/** Step 1 of the signature: the request as text. The last header line and the list of names are two line breaks apart. */
export function canonicalRequest({ method, path, query, headers, payloadHash }: CanonicalParts): string {
  let lines = "";
  let names = "";
  for (const [name, value] of headers) {
    lines += `${name}:${value}\n`;
    names += names === "" ? name : `;${name}`;
  }
  return `${method}\n${path}\n${query}\n${lines}\n${names}\n${payloadHash}`;
}

/** The UTC date of a moment, `YYYY-MM-DD`: of the request's own time, not of now, which matters at midnight. */
export function utcDate(timestampSeconds: number): string {
  return new Date(timestampSeconds * 1000).toISOString().slice(0, 10);
}

/** The scope that a signing key is good for. */
export function credentialScope(date: string, service: string): string {
  return `${date}/${service}/${TERMINATOR}`;
}

/** Step 2 of the signature: the text that the key signs. `timestamp` is written as it is sent. */
export function stringToSign(timestamp: string, scope: string, canonical: string): string {
  return `${TC3_SCHEME}\n${timestamp}\n${scope}\n${sha256Hex(utf8ToBytes(canonical))}`;
}

/**
 * Step 3 of the signature: the key of a day and a service.
 * @returns 32 bytes, secret; the caller wipes them
 */
export function deriveSigningKey(secretKey: string, date: string, service: string): Uint8Array {
  const secret = utf8ToBytes(`TC3${secretKey}`);
  const dateKey = hmac("sha256", secret, utf8ToBytes(date));
  const serviceKey = hmac("sha256", dateKey, utf8ToBytes(service));
  const signingKey = hmac("sha256", serviceKey, utf8ToBytes(TERMINATOR));
  wipe(secret, dateKey, serviceKey);
  return signingKey;
}

/** Step 4: the signature itself, 32 bytes. */
export function signatureOf(signingKey: Uint8Array, text: string): Uint8Array {
  return hmac("sha256", signingKey, utf8ToBytes(text));
}
