// `fengni inventory`: which keys wrap the messages in files and folders, and whether one may be retired. Must open no message.
import { DEFAULT_PROVIDER_ID, LocalKeyProvider } from "@fengni/backend-local";
import type { Arguments, CommandSpec } from "../arguments.js";
import { usageError } from "../failure.js";
import { FileProgress } from "../file-progress.js";
import { Inventory, type RetireQuestion } from "../inventory.js";
import { inventoryJson, inventoryText, type UnclearFile } from "../inventory-text.js";
import { type CliIo, write } from "../io.js";
import { openKeystore, readKeystoreChoice } from "../keystore.js";
import { findMessages } from "../message-files.js";
import { KEYSTORE_OPTIONS } from "../option-table.js";
import { EXIT_FAILED, EXIT_OK } from "../report.js";
import { toJson } from "../text.js";

/** The command. */
export const INVENTORY: CommandSpec = {
  name: "inventory",
  usage: "PATH... [--may-retire KEY] [OPTIONS]",
  summary: "Count the messages in files and folders by key, and say whether a key may go.",
  operands: ["PATH"],
  takesSeveral: true,
  options: ["json", "quiet", "may-retire", ...KEYSTORE_OPTIONS],
  notes: [
    "Reads the headers of all messages in the files and folders, at most 1 MiB of each, and needs no key. Links in folders are not followed. Files that begin as no message does are counted as other files; those that begin as one and cannot be read are unclear, and named.",
    "--may-retire asks whether a message names the key as its only one. Other keys are taken to be there still, and copies elsewhere are not known. With --keystore the key is looked up there, so that an alias may be given, and one that does not exist is an error.",
    "The exit code is 0 when everything was read, and with --may-retire when no message needs the key; else 1.",
    "Nothing that messages say is authenticated: who may write to the folders can have a key look unused.",
  ],
  examples: [
    "fengni inventory /srv/backups",
    "fengni inventory /srv/backups --may-retire app --keystore keys.db",
    "fengni inventory . --may-retire example/backup --json",
  ],
  run: runInventory,
};

/** Counts the messages. @returns the exit code */
async function runInventory(args: Arguments, io: CliIo): Promise<number> {
  const question = await readQuestion(args, io);
  const inventory = new Inventory(question);
  const unclear: UnclearFile[] = [];
  let others = 0;
  let files = 0;
  const progress = new FileProgress({ stream: io.stderr, nowMs: io.nowMs, isQuiet: args.flag("quiet") });
  try {
    for await (const found of findMessages(args.operands, io.signal)) {
      files += 1;
      if (found.kind === "message") inventory.add(found.path, found.sizeBytes, found.header);
      else if (found.kind === "unclear") unclear.push(found);
      else others += 1;
      progress.show(files, inventory.messages);
    }
  } finally {
    progress.clear();
  }
  const mayRetire = inventory.mayRetire(unclear.length);
  const report = { inventory, others, unclear, mayRetire };
  await write(io.stdout, args.flag("json") ? `${toJson(inventoryJson(report))}\n` : inventoryText(report));
  const isWell = unclear.length === 0 && (mayRetire === undefined || mayRetire.answer === "yes");
  return isWell ? EXIT_OK : EXIT_FAILED;
}

/** @throws `ERR_USAGE`, `ERR_KEY_NOT_FOUND`, and what the keystore rejects with */
async function readQuestion(args: Arguments, io: CliIo): Promise<RetireQuestion | undefined> {
  const key = args.text("may-retire");
  const keystore = readKeystoreChoice(args, io);
  if (key === undefined) {
    if (keystore !== undefined) throw usageError("--keystore needs --may-retire, whose key it has");
    return undefined;
  }
  const localProviderId = DEFAULT_PROVIDER_ID;
  if (keystore === undefined) return { key, keyId: undefined, localProviderId };
  const kms = await openKeystore(keystore, false, io);
  try {
    const keyId = await new LocalKeyProvider(kms).resolveKeyId(key, { signal: io.signal });
    return { key, keyId, localProviderId };
  } finally {
    await kms.close();
  }
}
