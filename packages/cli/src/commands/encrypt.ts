// `fengni encrypt`. Must not know the message format.
import {
  algorithmSuites,
  DEFAULT_FRAME_LENGTH,
  DEFAULT_MAX_FRAME_LENGTH,
  DEFAULT_SUITE,
  type EncryptionContext,
  Envelope,
  formatSuiteId,
  RESERVED_CONTEXT_PREFIXES,
  SUITE_COMMITTED,
  SUITE_COMMITTED_SIGNED,
  SUITE_COMMITTED_SIGNED_ML_DSA,
  SUITE_REWRAPPABLE,
  SUITE_REWRAPPABLE_SIGNED,
  SUITE_SM4,
  SUITE_SM4_SIGNED,
  type WritableSuiteId,
} from "@fengni/core";
import { createEncryptStream } from "@fengni/core/node";
import type { Arguments, CommandSpec } from "../arguments.js";
import { readContext } from "../context-option.js";
import { usageError } from "../failure.js";
import { openInput } from "../input.js";
import { type CliIo, write } from "../io.js";
import { openWrappingKeys, readKeyChoice } from "../keys.js";
import { KEYSTORE_OPTIONS } from "../option-table.js";
import { checkTarget, refuseTerminal } from "../output.js";
import { EXIT_OK } from "../report.js";
import { escapeText, plural } from "../text.js";
import { transfer } from "../transfer.js";

const SUITE_WORDS: readonly (readonly [string, WritableSuiteId])[] = [
  ["committed", SUITE_COMMITTED],
  ["signed", SUITE_COMMITTED_SIGNED],
  ["rewrappable", SUITE_REWRAPPABLE],
  ["rewrappable-signed", SUITE_REWRAPPABLE_SIGNED],
  ["signed-ml-dsa", SUITE_COMMITTED_SIGNED_ML_DSA],
  ["sm4", SUITE_SM4],
  ["sm4-signed", SUITE_SM4_SIGNED],
];
/** By word, id and full name. */
const SUITE_NAMES: ReadonlyMap<string, WritableSuiteId> = new Map(
  SUITE_WORDS.flatMap(([word, suite]) => {
    const names = algorithmSuites().flatMap(({ id, name }) => (id === suite ? [formatSuiteId(id), name] : []));
    return [word, ...names].map((name) => [name, suite] as const);
  }),
);

/** The command. */
export const ENCRYPT: CommandSpec = {
  name: "encrypt",
  usage: "FILE -o FILE KEY-OPTIONS [OPTIONS]",
  summary: "Encrypt a file into a message.",
  operands: ["FILE"],
  options: [
    "output",
    "force",
    "quiet",
    "context",
    "suite",
    "frame-length",
    "parallel",
    ...KEYSTORE_OPTIONS,
    "key",
    "raw-aes-key",
    "raw-rsa-public-key",
    "namespace",
    "name",
    "padding",
    "max-encrypted-data-keys",
  ],
  notes: [
    "FILE and the output may be - for standard input and output. The output file appears whole or not at all.",
    "At least one key is needed: --keystore with --key, or a raw key with --namespace and --name. With several, each of them opens the message.",
    "The root key of the keystore is that of --keystore-key, or a passphrase: of --passphrase-file, else of the environment variable FENGNI_PASSPHRASE, else asked for on the terminal.",
    "The encryption context is authenticated and stored in the message in clear: put no secret into it.",
  ],
  examples: [
    "fengni encrypt report.pdf -o report.pdf.fengni --keystore keys.db --key app --context project=apollo",
    "tar c photos | fengni encrypt - -o photos.fengni --raw-aes-key aes.key --namespace example --name backup",
  ],
  run: runEncrypt,
};

/** Encrypts the input into a message. @returns the exit code */
async function runEncrypt(args: Arguments, io: CliIo): Promise<number> {
  const source = args.operand(0);
  const output = args.required("output", "it says where the message goes");
  const context = readContext(args);
  checkStorable(context);
  const suite = readSuite(args.text("suite"));
  const frameLength = args.integer("frame-length", 1, DEFAULT_MAX_FRAME_LENGTH) ?? DEFAULT_FRAME_LENGTH;
  const maxEncryptedDataKeys = args.integer("max-encrypted-data-keys", 1, 0xffff);
  const choice = readKeyChoice(args, "encrypt", io);
  const isQuiet = args.flag("quiet");

  const target = await checkTarget(output, args.flag("force"));
  refuseTerminal(target, io.stdout);
  const input = await openInput(source, io);
  try {
    const opened = await openWrappingKeys(choice, io);
    try {
      const envelope = new Envelope({
        wrappingKeys: opened.keys,
        suite,
        frameLength,
        ...(maxEncryptedDataKeys !== undefined && { maxEncryptedDataKeys }),
      });
      const transform = createEncryptStream(envelope, {
        encryptionContext: context,
        signal: io.signal,
        parallel: args.flag("parallel"),
      });
      const { bytesIn, bytesOut } = await transfer({ input, target, isSecret: false, isQuiet, transform }, io);
      if (!isQuiet) {
        const names = opened.keys.map((key) => escapeText(key.name)).join(", ");
        const what = `encrypted ${plural(bytesIn, "byte")} to ${plural(bytesOut, "byte")}`;
        const remark = `fengni: ${what}, suite ${formatSuiteId(suite)}, wrapped by ${names}\n`;
        // The message is there: a remark that nobody reads does not make this a failure.
        await write(io.stderr, remark).catch(() => {});
      }
      return EXIT_OK;
    } finally {
      await opened.close();
    }
  } finally {
    await input.close();
  }
}

function readSuite(text: string | undefined): WritableSuiteId {
  if (text === undefined) return DEFAULT_SUITE;
  const suite = SUITE_NAMES.get(text);
  if (suite !== undefined) return suite;
  const words = SUITE_WORDS.map(([word, id]) => `${word} (${formatSuiteId(id)})`).join(", ");
  throw usageError(`--suite expected one of ${words}, got "${text}"`);
}

/** An empty key is legal in messages, but on a command line it is a variable that was not set. */
function checkStorable(context: EncryptionContext): void {
  for (const key of Object.keys(context)) {
    if (key === "")
      throw usageError(`--context expected KEY=VALUE with a key that is not empty, got "=${context[key]}"`);
    const prefix = RESERVED_CONTEXT_PREFIXES.find((reserved) => key.startsWith(reserved));
    if (prefix !== undefined)
      throw usageError(`--context: keys that begin with ${prefix} are reserved, rename "${key}"`);
  }
}
