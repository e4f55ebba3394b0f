// The keystore of the command line: which file, which root key, and opening it. Must not know what its keys are used for.
import { access, constants, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { type LocalKms, openFileKeystore, type RootKey } from "@fengni/backend-local";
import { wipe } from "@fengni/crypto/bytes";
import type { Arguments } from "./arguments.js";
import { passphraseOf } from "./config.js";
import { CliError, isSystemError, systemFailure, usageError } from "./failure.js";
import type { CliIo } from "./io.js";
import { promptPassphrase, readPassphraseFile, readRawKey } from "./secrets.js";
import { escapeText } from "./text.js";

/** Length of a keystore's root key, in bytes. */
const ROOT_KEY_BYTES = 32;

/** Where the root key comes from. */
type RootKeySource =
  | { readonly kind: "key-file"; readonly path: string }
  | { readonly kind: "passphrase-file"; readonly path: string }
  | { readonly kind: "passphrase"; readonly passphrase: string }
  | { readonly kind: "prompt" };

/** A keystore, as the command line names it. */
export interface KeystoreChoice {
  readonly path: string;
  readonly rootKey: RootKeySource;
}

/**
 * Reads the options; undefined when no keystore is named.
 * @param option - the one that names the file
 * @throws `ERR_USAGE`
 */
export function readKeystoreChoice(
  args: Arguments,
  io: CliIo,
  option: "keystore" | "data" = "keystore",
): KeystoreChoice | undefined {
  const path = args.text(option);
  const keyFile = args.text("keystore-key");
  const passphraseFile = args.text("passphrase-file");
  if (path === undefined) {
    if (keyFile !== undefined) throw usageError(`--keystore-key needs --${option}`);
    if (passphraseFile !== undefined) throw usageError(`--passphrase-file needs --${option}`);
    return undefined;
  }
  if (keyFile !== undefined && passphraseFile !== undefined) {
    throw usageError("--keystore-key and --passphrase-file exclude each other");
  }
  if (keyFile !== undefined) return { path, rootKey: { kind: "key-file", path: keyFile } };
  if (passphraseFile !== undefined) return { path, rootKey: { kind: "passphrase-file", path: passphraseFile } };
  const passphrase = passphraseOf(io.env);
  return { path, rootKey: passphrase === undefined ? { kind: "prompt" } : { kind: "passphrase", passphrase } };
}

/**
 * Opens a keystore. The caller closes it.
 * @param mayCreate - make the file when it does not exist
 * @throws `ERR_KEYSTORE` when there is no such file, and what the keystore rejects with
 */
export function openKeystore(choice: KeystoreChoice, mayCreate: boolean, io: CliIo): Promise<LocalKms> {
  const { path } = choice;
  return withRootKey(choice, mayCreate, io, async (rootKey) => {
    try {
      return await openFileKeystore(path, { rootKey, create: mayCreate });
    } catch (error) {
      throw isSystemError(error) ? systemFailure("ERR_KEYSTORE", `cannot open the keystore ${path}`, error) : error;
    }
  });
}

/**
 * Gets the root key of a keystore, and wipes it when `use` is done.
 * @param mayCreate - whether the file need not exist: then a passphrase is asked for twice
 * @throws `ERR_KEYSTORE` when there is no such file, what the root key's source rejects with, and what `use` does
 */
export async function withRootKey<Result>(
  choice: KeystoreChoice,
  mayCreate: boolean,
  io: CliIo,
  use: (rootKey: RootKey) => Promise<Result>,
): Promise<Result> {
  const { path } = choice;
  const isThere = await exists(path);
  if (!isThere && !mayCreate) {
    throw new CliError(
      "ERR_KEYSTORE",
      `there is no keystore ${path}: make one with "fengni key create --keystore ${path}"`,
    );
  }
  if (!isThere) await checkFolder(path);
  const rootKey = await readRootKey(choice, !isThere, io);
  try {
    io.signal.throwIfAborted();
    return await use(rootKey);
  } finally {
    if ("key" in rootKey) wipe(rootKey.key);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    const stats = await stat(path);
    if (stats.isFile()) return true;
    throw new CliError("ERR_KEYSTORE", `${path} is no keystore: it is no regular file`);
  } catch (error) {
    if (error instanceof CliError) throw error;
    if (isSystemError(error) && error.code === "ENOENT") return false;
    throw systemFailure("ERR_KEYSTORE", `cannot open the keystore ${path}`, error);
  }
}

/** Before a passphrase is asked for. */
async function checkFolder(path: string): Promise<void> {
  try {
    await access(dirname(path), constants.W_OK | constants.X_OK);
    // The system says so of a path through a file.
    await stat(`${dirname(path)}/.`);
  } catch (error) {
    throw systemFailure("ERR_KEYSTORE", `cannot make the keystore ${path}`, error);
  }
}

async function readRootKey(choice: KeystoreChoice, isNew: boolean, io: CliIo): Promise<RootKey> {
  const { rootKey, path } = choice;
  switch (rootKey.kind) {
    case "key-file":
      return { key: await readRawKey(rootKey.path, [ROOT_KEY_BYTES]) };
    case "passphrase-file":
      return { passphrase: await readPassphraseFile(rootKey.path) };
    case "passphrase":
      return { passphrase: rootKey.passphrase };
    case "prompt":
      return { passphrase: await promptPassphrase(escapeText(path), isNew, io) };
  }
}
