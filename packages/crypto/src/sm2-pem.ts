// PEM (RFC 7468) as keys of elliptic curves come in it. It must not know what the DER inside means.
import { base64ToBytes, bytesToBase64 } from "./bytes.js";
import { FengniError } from "./errors.js";

/** One block of PEM. */
export interface PemBlock {
  readonly label: string;
  /** A buffer of its own. */
  readonly der: Uint8Array;
}

const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END ([A-Z0-9 ]+)-----/g;
const LINE = /.{1,64}/g;

function invalid(message: string): FengniError<"ERR_KEY_INVALID"> {
  return new FengniError("ERR_KEY_INVALID", message);
}

/**
 * Reads the one key of a PEM text. Text around it is allowed, and so is the block of curve parameters that OpenSSL puts before
 * a key: the key names its curve itself.
 * @throws FengniError `ERR_KEY_INVALID`
 */
export function parsePem(text: string): PemBlock {
  // Before the block is looked for, since the header lines of an encrypted key hold hyphens.
  if (/^Proc-Type:.*ENCRYPTED/m.test(text) || text.includes("BEGIN ENCRYPTED PRIVATE KEY")) {
    throw invalid("the private key is encrypted with a passphrase: decrypt it first, for example with openssl pkey");
  }
  const [block, ...others] = [...text.matchAll(PEM_BLOCK)].filter(([, label]) => !label?.endsWith(" PARAMETERS"));
  if (block === undefined || others.length > 0) throw invalid("expected one PEM block with one SM2 key");
  const [, label = "", body = "", endLabel] = block;
  if (label !== endLabel) throw invalid("the PEM block ends with another label than it begins with");
  try {
    return { label, der: base64ToBytes(body.replace(/[ \t\r\n]/g, "")) };
  } catch {
    throw invalid(`the PEM block ${label} is not base64`);
  }
}

/** Writes one block, in lines of 64 characters, with a line feed at its end. */
export function formatPem(label: string, der: Uint8Array): string {
  const lines = bytesToBase64(der).match(LINE) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
