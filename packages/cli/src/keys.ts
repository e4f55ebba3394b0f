// From the options of a command to the keys that seal or open: keys of a keystore, raw AES and RSA keys, or several of
// them. Must not know what is sealed.
import { LocalKeyAdmin, LocalKeyProvider, type LocalKms } from "@fengni/backend-local";
import {
  discoverKeys,
  isFengniError,
  type ProviderAdmin,
  providerKey,
  type RawRsaKeyOptions,
  rawAesKey,
  rawRsaKey,
  type UnwrappingKey,
  type WrappingKey,
} from "@fengni/core";
import { wipe } from "@fengni/crypto/bytes";
import type { Arguments } from "./arguments.js";
import { CliError, usageError } from "./failure.js";
import type { CliIo } from "./io.js";
import { type KeystoreChoice, openKeystore, readKeystoreChoice } from "./keystore.js";
import { readRawKey, readRsaKeyFile } from "./secrets.js";

const AES_KEY_LENGTHS: readonly number[] = [16, 24, 32];
const PADDINGS: readonly RawRsaKeyOptions["padding"][] = [
  "oaep-sha256",
  "oaep-sha384",
  "oaep-sha512",
  "oaep-sha1",
  "pkcs1",
];

/** What the keys are for: the halves of an RSA key differ, and so does what may be left out. */
export type KeyPurpose = "encrypt" | "decrypt";

interface RawKeyChoice {
  readonly namespace: string;
  readonly name: string;
  readonly aesFile: string | undefined;
  readonly rsa: { readonly file: string; readonly padding: RawRsaKeyOptions["padding"] } | undefined;
}

/** The keys that the command line names; nothing is read yet. */
export interface KeyChoice {
  readonly purpose: KeyPurpose;
  readonly keystore: KeystoreChoice | undefined;
  /** Ids or aliases of keys of the keystore; none, to decrypt: any. */
  readonly keyIds: readonly string[];
  readonly raw: RawKeyChoice | undefined;
}

/** Keys that are ready for use. */
export interface OpenKeys<Key extends UnwrappingKey> {
  readonly keys: readonly Key[];
  /** Who tells the states of the keystore's keys. */
  readonly admins: readonly ProviderAdmin[];
  /** Lets go of the keystore. */
  close(): void | Promise<void>;
}

/** Reads the options that name keys. @throws `ERR_USAGE` */
export function readKeyChoice(args: Arguments, purpose: KeyPurpose, io: CliIo): KeyChoice {
  const { keystore, keyIds } = readKeystoreKeys(args, io);
  const raw = readRawKeyChoice(args, purpose);
  if (keystore !== undefined && keyIds.length === 0 && purpose === "encrypt") {
    throw usageError("--key is missing: it names the key of the keystore to encrypt with");
  }
  if (keystore === undefined && raw === undefined) {
    const rsa = rsaOption(purpose);
    throw usageError(`no key is named: give --keystore, --raw-aes-key or --${rsa}`);
  }
  return { purpose, keystore, keyIds, raw };
}

function readKeystoreKeys(args: Arguments, io: CliIo): Pick<KeyChoice, "keystore" | "keyIds"> {
  const keystore = readKeystoreChoice(args, io);
  const keyIds = args.list("key");
  if (keyIds.includes("")) throw usageError("--key is empty");
  if (new Set(keyIds).size < keyIds.length) throw usageError("--key names one key twice");
  if (keystore === undefined && keyIds.length > 0) throw usageError("--key needs --keystore, whose key it names");
  return { keystore, keyIds };
}

/** The keys of `rewrap`, as the command line names them. */
export interface RewrapKeyChoice {
  /** What wraps the data keys anew. */
  readonly sealing: KeyChoice;
  /** What opens them; beside it, what wraps. */
  readonly opening: KeyChoice;
}

/** Reads the options that name the keys of `rewrap`. @throws `ERR_USAGE` */
export function readRewrapKeyChoice(args: Arguments, io: CliIo): RewrapKeyChoice {
  const { keystore, keyIds } = readKeystoreKeys(args, io);
  const aesFile = args.text("raw-aes-key");
  const publicFile = args.text("raw-rsa-public-key");
  const privateFile = args.text("raw-rsa-private-key");
  const opensOnly = args.flag("raw-opens-only");
  if (opensOnly && aesFile === undefined) throw usageError("--raw-opens-only needs --raw-aes-key");
  if (args.text("padding") !== undefined && publicFile === undefined && privateFile === undefined) {
    throw usageError("--padding needs --raw-rsa-public-key or --raw-rsa-private-key");
  }
  const sealingAes = opensOnly ? undefined : aesFile;
  if (keyIds.length === 0 && sealingAes === undefined && publicFile === undefined) {
    throw usageError("no key is named to wrap with: give --keystore with --key, --raw-aes-key or --raw-rsa-public-key");
  }
  const hasRaw = aesFile !== undefined || publicFile !== undefined || privateFile !== undefined;
  const rawOf = (aes: string | undefined, rsa: string | undefined): RawKeyChoice | undefined =>
    hasRaw && aes === undefined && rsa === undefined ? undefined : rawKeyChoice(args, aes, rsa);
  return {
    sealing: { purpose: "encrypt", keystore, keyIds, raw: rawOf(sealingAes, publicFile) },
    opening: { purpose: "decrypt", keystore, keyIds: [], raw: rawOf(aesFile, privateFile) },
  };
}

function rsaOption(purpose: KeyPurpose): "raw-rsa-public-key" | "raw-rsa-private-key" {
  return purpose === "encrypt" ? "raw-rsa-public-key" : "raw-rsa-private-key";
}

function readRawKeyChoice(args: Arguments, purpose: KeyPurpose): RawKeyChoice | undefined {
  const aesFile = args.text("raw-aes-key");
  const rsaFile = args.text(rsaOption(purpose));
  const padding = args.oneOf("padding", PADDINGS);
  if (padding !== undefined && rsaFile === undefined) throw usageError(`--padding needs --${rsaOption(purpose)}`);
  return rawKeyChoice(args, aesFile, rsaFile);
}

/** Raw keys in files that the command line names. @throws `ERR_USAGE` */
function rawKeyChoice(
  args: Arguments,
  aesFile: string | undefined,
  rsaFile: string | undefined,
): RawKeyChoice | undefined {
  const padding = args.oneOf("padding", PADDINGS);
  if (aesFile === undefined && rsaFile === undefined) {
    for (const option of ["namespace", "name"] as const) {
      if (args.text(option) !== undefined) throw usageError(`--${option} needs a raw key, which it names`);
    }
    return undefined;
  }
  if (rsaFile !== undefined && padding === undefined) {
    throw usageError(`--padding is missing: the RSA key needs one of ${PADDINGS.join(", ")}`);
  }
  return {
    namespace: args.required("namespace", "a raw key is found in messages by its namespace and name"),
    name: args.required("name", "a raw key is found in messages by its namespace and name"),
    aesFile,
    rsa: rsaFile === undefined || padding === undefined ? undefined : { file: rsaFile, padding },
  };
}

/**
 * Opens the keys to encrypt with: those of the keystore in the order of the command line, then raw AES, then raw RSA. The
 * caller closes them.
 */
export async function openWrappingKeys(choice: KeyChoice, io: CliIo): Promise<OpenKeys<WrappingKey>> {
  return withKeystore(choice, io, (provider) => wrappingKeys(choice, provider));
}

/** Opens the keys to decrypt with; without `--key` any key of the keystore may open. The caller closes them. */
export async function openUnwrappingKeys(choice: KeyChoice, io: CliIo): Promise<OpenKeys<UnwrappingKey>> {
  return withKeystore<UnwrappingKey>(choice, io, async (provider) => {
    const raw = await rawKeys(choice);
    if (provider === undefined) return raw;
    const isAny = choice.keyIds.length === 0;
    return [...(isAny ? [discoverKeys(provider)] : await namedKeys(provider, choice.keyIds)), ...raw];
  });
}

/** The keys of `rewrap`, ready for use. */
export interface OpenRewrapKeys extends OpenKeys<WrappingKey> {
  /** What opens the messages: any key of the keystore, and the raw keys. */
  readonly opening: readonly UnwrappingKey[];
}

/** Opens the keys of `rewrap`; the keystore once. The caller closes them. */
export async function openRewrapKeys({ sealing, opening }: RewrapKeyChoice, io: CliIo): Promise<OpenRewrapKeys> {
  let opens: readonly UnwrappingKey[] = [];
  const opened = await withKeystore(sealing, io, async (provider) => {
    opens = [...(provider === undefined ? [] : [discoverKeys(provider)]), ...(await rawKeys(opening))];
    return wrappingKeys(sealing, provider);
  });
  return { ...opened, opening: opens };
}

async function wrappingKeys(
  choice: KeyChoice,
  provider: LocalKeyProvider | undefined,
): Promise<readonly WrappingKey[]> {
  return [...(provider === undefined ? [] : await namedKeys(provider, choice.keyIds)), ...(await rawKeys(choice))];
}

async function withKeystore<Key extends UnwrappingKey>(
  choice: KeyChoice,
  io: CliIo,
  collect: (provider: LocalKeyProvider | undefined) => Promise<readonly Key[]>,
): Promise<OpenKeys<Key>> {
  if (choice.keystore === undefined) return { keys: await collect(undefined), admins: [], close: () => {} };
  const kms: LocalKms = await openKeystore(choice.keystore, false, io);
  try {
    const provider = new LocalKeyProvider(kms);
    const admins = [{ providerId: provider.providerId, admin: new LocalKeyAdmin(kms) }];
    return { keys: await collect(provider), admins, close: () => kms.close() };
  } catch (error) {
    await kms.close();
    throw error;
  }
}

/** Asks for each key now, so that a name that is not there is an error of its own. */
async function namedKeys(provider: LocalKeyProvider, keyIds: readonly string[]): Promise<readonly WrappingKey[]> {
  const resolved = new Map<string, string>();
  for (const keyId of keyIds) {
    const full = await provider.resolveKeyId(keyId);
    const other = resolved.get(full);
    if (other !== undefined) throw usageError(`--key ${other} and --key ${keyId} name the same key`);
    resolved.set(full, keyId);
  }
  return keyIds.map((keyId) => providerKey(provider, keyId));
}

async function rawKeys({ raw, purpose }: KeyChoice): Promise<readonly WrappingKey[]> {
  if (raw === undefined) return [];
  const { namespace, name, aesFile, rsa } = raw;
  const keys: WrappingKey[] = [];
  if (aesFile !== undefined) {
    const key = await readRawKey(aesFile, AES_KEY_LENGTHS);
    try {
      keys.push(rawAesKey({ namespace, name, key }));
    } finally {
      wipe(key);
    }
  }
  if (rsa !== undefined) {
    const key = await readRsaKeyFile(rsa.file);
    try {
      const half = purpose === "encrypt" ? { publicKey: key } : { privateKey: key };
      keys.push(rawRsaKey({ namespace, name, padding: rsa.padding, ...half }));
    } catch (error) {
      if (!isFengniError(error, "ERR_KEY_INVALID")) throw error;
      throw new CliError("ERR_KEY_FILE", `${rsa.file} is not an RSA key to ${purpose} with: ${error.message}`, error);
    } finally {
      wipe(key);
    }
  }
  return keys;
}
