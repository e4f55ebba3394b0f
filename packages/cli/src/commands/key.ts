// `fengni key ...`: the keys of a keystore. Must not use a key, nor know how keys are kept.
import { LocalKeyAdmin, MAX_DESCRIPTION_BYTES } from "@fengni/backend-local";
import type { KeyAdmin, KeyDescription, KeySpec } from "@fengni/core";
import type { Arguments, CommandSpec } from "../arguments.js";
import { usageError } from "../failure.js";
import { type CliIo, write } from "../io.js";
import { describeKey, keyJson, keyTable } from "../key-text.js";
import { openKeystore, readKeystoreChoice } from "../keystore.js";
import { KEYSTORE_OPTIONS, type OptionName } from "../option-table.js";
import { EXIT_OK } from "../report.js";
import { escapeText, toJson } from "../text.js";

const SPECS: readonly KeySpec[] = ["AES_256", "ECC_P256", "ECC_P384"];
const OPTIONS: readonly OptionName[] = [...KEYSTORE_OPTIONS, "json"];
const ROOT_KEY_NOTE =
  "The root key of the keystore is that of --keystore-key, or a passphrase: of --passphrase-file, else of the environment variable FENGNI_PASSPHRASE, else asked for on the terminal.";

async function withAdmin(
  args: Arguments,
  io: CliIo,
  mayCreate: boolean,
  work: (admin: KeyAdmin) => Promise<void>,
): Promise<number> {
  const choice = readKeystoreChoice(args, io);
  if (choice === undefined) throw usageError("--keystore is missing: it names the keystore file");
  const kms = await openKeystore(choice, mayCreate, io);
  try {
    await work(new LocalKeyAdmin(kms));
    return EXIT_OK;
  } finally {
    await kms.close();
  }
}

/** As `CreateKeyRequest` says. @throws `ERR_USAGE` */
function checkAlias(label: string, alias: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9_-]{0,59}$/.test(alias)) return;
  throw usageError(
    `${label} expected 1 to 60 of letters, digits, - and _, the first a letter or a digit, got "${alias}"`,
  );
}

/** @throws `ERR_USAGE` */
function checkDescription(description: string): void {
  const length = Buffer.byteLength(description);
  if (length > MAX_DESCRIPTION_BYTES) {
    throw usageError(`--description has ${length} bytes, more than the allowed ${MAX_DESCRIPTION_BYTES}`);
  }
}

/** `fengni key create`. */
export const KEY_CREATE: CommandSpec = {
  name: "key create",
  usage: "--keystore PATH [OPTIONS]",
  summary: "Make a key, and the keystore if there is none yet.",
  operands: [],
  options: [...OPTIONS, "alias", "spec", "description"],
  notes: [
    "Prints the id of the new key. Without its root key a keystore is lost, and with it all that its keys sealed: keep a copy of both, apart from each other.",
    ROOT_KEY_NOTE,
    "A passphrase for a new keystore is asked for twice.",
  ],
  examples: ["fengni key create --keystore keys.db --alias app"],
  async run(args, io) {
    // Checked before a keystore is made for a key that cannot be.
    const alias = args.text("alias");
    if (alias !== undefined) checkAlias("--alias", alias);
    const keySpec = args.oneOf("spec", SPECS);
    const [description] = args.list("description");
    if (description !== undefined) checkDescription(description);
    return withAdmin(args, io, true, async (admin) => {
      const key = await admin.createKey({
        ...(alias !== undefined && { alias }),
        ...(keySpec !== undefined && { keySpec }),
        ...(description !== undefined && { description }),
      });
      await write(io.stdout, args.flag("json") ? `${toJson(keyJson(key))}\n` : `${escapeText(key.keyId)}\n`);
    });
  },
};

/** `fengni key list`. */
export const KEY_LIST: CommandSpec = {
  name: "key list",
  usage: "--keystore PATH [--json]",
  summary: "List the keys, oldest first.",
  operands: [],
  options: OPTIONS,
  notes: [ROOT_KEY_NOTE],
  examples: ["fengni key list --keystore keys.db"],
  run: (args, io) =>
    withAdmin(args, io, false, async (admin) => {
      const keys = await allKeys(admin);
      await write(io.stdout, args.flag("json") ? `${toJson({ keys: keys.map(keyJson) })}\n` : keyTable(keys));
    }),
};

async function allKeys(admin: KeyAdmin): Promise<readonly KeyDescription[]> {
  const keys: KeyDescription[] = [];
  let cursor: string | undefined;
  do {
    const page = await admin.listKeys({ limit: 200, ...(cursor !== undefined && { cursor }) });
    keys.push(...page.keys);
    cursor = page.next;
  } while (cursor !== undefined);
  return keys;
}

/** `fengni key describe`. */
export const KEY_DESCRIBE: CommandSpec = {
  name: "key describe",
  usage: "KEY --keystore PATH [--json]",
  summary: "Show what is known of a key.",
  operands: ["KEY"],
  options: OPTIONS,
  notes: ["KEY is the id or the alias of a key.", ROOT_KEY_NOTE],
  examples: ["fengni key describe app --keystore keys.db"],
  run: (args, io) => withAdmin(args, io, false, (admin) => show(admin, args.operand(0), args, io)),
};

async function show(admin: KeyAdmin, keyId: string, args: Arguments, io: CliIo): Promise<void> {
  const key = await admin.describeKey(keyId);
  await write(io.stdout, args.flag("json") ? `${toJson(keyJson(key))}\n` : describeKey(key));
}

/** A command that changes one key, then shows it. */
function changing(
  verb: string,
  summary: string,
  notes: readonly string[],
  change: (admin: KeyAdmin, keyId: string) => Promise<void>,
): CommandSpec {
  return {
    name: `key ${verb}`,
    usage: "KEY --keystore PATH [--json]",
    summary,
    operands: ["KEY"],
    options: OPTIONS,
    notes: ["KEY is the id or the alias of a key.", ...notes, ROOT_KEY_NOTE],
    examples: [`fengni key ${verb} app --keystore keys.db`],
    run: (args, io) =>
      withAdmin(args, io, false, async (admin) => {
        const keyId = args.operand(0);
        await change(admin, keyId);
        await show(admin, keyId, args, io);
      }),
  };
}

/** `fengni key enable`. */
export const KEY_ENABLE: CommandSpec = changing("enable", "Make a disabled key usable again.", [], (admin, keyId) =>
  admin.enableKey(keyId),
);

/** `fengni key disable`. */
export const KEY_DISABLE: CommandSpec = changing(
  "disable",
  "Make a key unusable until it is enabled again.",
  ["What the key sealed cannot be opened while it is disabled."],
  (admin, keyId) => admin.disableKey(keyId),
);

/** `fengni key rotate`. */
export const KEY_ROTATE: CommandSpec = changing(
  "rotate",
  "Give a key new material for what it seals from now on.",
  ["What it sealed before can still be opened."],
  (admin, keyId) => admin.rotateKey(keyId),
);

/** `fengni key alias`. */
export const KEY_ALIAS: CommandSpec = {
  name: "key alias",
  usage: "KEY ALIAS --keystore PATH [--json]",
  summary: "Give a key another alias.",
  operands: ["KEY", "ALIAS"],
  options: OPTIONS,
  notes: ["KEY is the id or the present alias of a key. Messages name keys by id: they still open.", ROOT_KEY_NOTE],
  examples: ["fengni key alias app app-2026 --keystore keys.db"],
  async run(args, io) {
    const alias = args.operand(1);
    checkAlias("ALIAS", alias);
    return withAdmin(args, io, false, async (admin) => {
      await admin.updateAlias(args.operand(0), alias);
      await show(admin, alias, args, io);
    });
  },
};
