// A local KMS in a sealed file: opening it, and giving it a new root key. It must not know how the file is laid out.
import { wipe } from "@fengni/crypto/bytes";
import { argumentError, checkFields, checkText } from "./checks.js";
import { LocalKms, type LocalKmsOptions } from "./kms.js";
import { checkRootKey, type RootKey } from "./seal-root-key.js";
import { SqliteRecordStore } from "./store-sqlite.js";
import { resealFile } from "./store-sqlite-reseal.js";

/** How a key store file is opened. */
export interface FileKeystoreOptions extends Omit<LocalKmsOptions, "store"> {
  /** Opens the file; for a new one, seals it. */
  readonly rootKey: RootKey;
  /** Whether to make the file when there is none; default false. */
  readonly create?: boolean;
}

/** How a key store file gets a new root key. */
export interface ResealOptions {
  /** The one that opens the file now. */
  readonly rootKey: RootKey;
  /** The one that opens it afterwards. */
  readonly newRootKey: RootKey;
}

/**
 * Opens a local KMS whose keys are in a sealed file. Processes may share the file; none loses a key of another.
 * @param path - the file, an SQLite database; beside it stand its journal, `<path>-wal`, and `<path>-shm`
 * @returns the KMS, which the caller closes
 * @throws FengniError `ERR_ROOT_KEY` for a wrong root key; `ERR_STORE_NOT_FOUND` for a file that is missing (without `create`);
 *   `ERR_STORE_DAMAGED` for a file that is foreign, damaged or unreadable; `ERR_STORE_BUSY` when a new file cannot be written;
 *   `ERR_NOT_SUPPORTED` where there is no SQLite; TypeError or RangeError `ERR_ARGUMENT` for wrong arguments. The file stays as
 *   it was
 *
 * @example
 * const kms = await openFileKeystore("keys.fengni", { rootKey: { passphrase }, create: true });
 */
export async function openFileKeystore(path: string, options: FileKeystoreOptions): Promise<LocalKms> {
  checkPath(path);
  const { rootKey, create = false, ...kmsOptions } = checkOptions("openFileKeystore", options);
  checkFields("openFileKeystore", kmsOptions, ["clock", "regions", "authorizer"]);
  checkRootKey(rootKey);
  const store = await withCopy(rootKey, (copy) => SqliteRecordStore.open(path, { rootKey: copy, create }));
  try {
    return new LocalKms({ ...kmsOptions, store });
  } catch (error) {
    store.close();
    throw error;
  }
}

/**
 * Seals a key store file anew: under another root key, with a new store key, so that the old root key opens nothing that is in
 * the file afterwards. Whoever has it open gets `ERR_ROOT_KEY` at the next access. Copies made before keep their root key.
 * @throws FengniError as {@link openFileKeystore}; `ERR_STORE_BUSY` while another process writes, or when one keeps the old form
 *   from being erased: the message says which
 */
export async function resealFileKeystore(path: string, options: ResealOptions): Promise<void> {
  checkPath(path);
  checkFields("resealFileKeystore", options, ["rootKey", "newRootKey"]);
  checkRootKey(options.rootKey);
  checkRootKey(options.newRootKey);
  await withCopy(options.rootKey, (from) => withCopy(options.newRootKey, (to) => resealFile(path, from, to)));
}

function checkPath(path: string): void {
  if (checkText("path", path) === "") throw argumentError("path expected the name of a file");
}

function checkOptions<Options extends object>(where: string, options: Options): Options {
  if (typeof options !== "object" || options === null) throw argumentError(`${where} expected an object`);
  return options;
}

/** Calls with a copy of a root key, which the caller may wipe as soon as it has a promise. */
async function withCopy<Result>(rootKey: RootKey, use: (copy: RootKey) => Promise<Result>): Promise<Result> {
  if ("passphrase" in rootKey) return use({ ...rootKey });
  const key = Uint8Array.from(rootKey.key);
  try {
    return await use({ key });
  } finally {
    wipe(key);
  }
}
