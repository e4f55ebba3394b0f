// Secrets from files, the environment and the terminal. Must not know what they open.
import { bytesToUtf8, equalBytes, utf8ToBytes, wipe } from "@fengni/crypto/bytes";
import { CliError } from "./failure.js";
import { readSmallFile } from "./input.js";
import type { CliIo } from "./io.js";
import { readHiddenLine } from "./terminal.js";

/** Longest passphrase that is read from a file, in bytes. */
const MAX_PASSPHRASE_BYTES = 4096;
/** Longest RSA key file that is read, in bytes: keys of 8,192 bits in PEM take about 6.4 kB. */
const MAX_RSA_KEY_BYTES = 64 * 1024;

/**
 * Reads raw key bytes.
 * @param lengths - the lengths that fit, in bytes, in ascending order
 * @returns the key; the caller wipes it
 * @throws `ERR_KEY_FILE`
 */
export async function readRawKey(path: string, lengths: readonly number[]): Promise<Uint8Array> {
  const expected = `${listOf(lengths)} raw bytes`;
  const maxBytes = lengths[lengths.length - 1] as number;
  const key = await readSmallFile({ path, maxBytes, code: "ERR_KEY_FILE", content: `a key of ${expected}` });
  if (lengths.includes(key.length)) return key;
  wipe(key);
  throw new CliError("ERR_KEY_FILE", `${path} is not a key of ${expected}: it has ${key.length}`);
}

/** `16, 24 or 32`. */
function listOf(numbers: readonly number[]): string {
  if (numbers.length === 1) return String(numbers[0]);
  return `${numbers.slice(0, -1).join(", ")} or ${numbers[numbers.length - 1]}`;
}

/** Reads an RSA key in PEM or DER, unparsed; the caller wipes it. @throws `ERR_KEY_FILE` */
export function readRsaKeyFile(path: string): Promise<Uint8Array> {
  return readSmallFile({ path, maxBytes: MAX_RSA_KEY_BYTES, code: "ERR_KEY_FILE", content: "an RSA key" });
}

/**
 * Reads a passphrase: UTF-8 on one line, whose end is not part of it. The string cannot be wiped.
 * @throws `ERR_PASSPHRASE`
 */
export async function readPassphraseFile(path: string): Promise<string> {
  const refuse = (why: string): CliError => new CliError("ERR_PASSPHRASE", `${path} is not a passphrase: ${why}`);
  const code = "ERR_PASSPHRASE";
  const bytes = await readSmallFile({ path, maxBytes: MAX_PASSPHRASE_BYTES, code, content: "a passphrase" });
  try {
    const passphrase = bytesToUtf8(bytes).replace(/\r?\n$/, "");
    if (passphrase === "") throw refuse("it is empty");
    if (/[\r\n]/.test(passphrase)) throw refuse("it has more than one line");
    return passphrase;
  } catch (error) {
    throw error instanceof CliError ? error : refuse("it is not UTF-8");
  } finally {
    wipe(bytes);
  }
}

/**
 * Asks for a passphrase on the terminal.
 * @param label - the keystore, for the prompt
 * @param isNew - ask twice, so that a slip does not lock the keystore for ever
 * @throws `ERR_PASSPHRASE`, also where there is no terminal
 */
export async function promptPassphrase(label: string, isNew: boolean, io: CliIo): Promise<string> {
  const terminal = io.openTerminal();
  if (terminal === undefined) {
    throw new CliError(
      "ERR_PASSPHRASE",
      `the keystore ${label} needs its root key: give --keystore-key, --passphrase-file or FENGNI_PASSPHRASE (there is no terminal to ask on)`,
    );
  }
  try {
    const passphrase = await readHiddenLine(
      terminal,
      isNew ? `New passphrase for ${label}: ` : `Passphrase for ${label}: `,
      io,
    );
    if (passphrase === "") throw new CliError("ERR_PASSPHRASE", "the passphrase is empty: nothing was done");
    if (isNew && !equalText(passphrase, await readHiddenLine(terminal, "The same passphrase again: ", io))) {
      throw new CliError("ERR_PASSPHRASE", "the two passphrases differ: nothing was done");
    }
    return passphrase;
  } finally {
    terminal.close();
  }
}

function equalText(a: string, b: string): boolean {
  return equalBytes(utf8ToBytes(a), utf8ToBytes(b));
}
