// `fengni explain`: whether the keys and options at hand would open a message, and why, without opening it. Must not know
// the message format.
import { DEFAULT_MAX_FRAME_LENGTH, Envelope, inspect } from "@fengni/core";
import type { Arguments, CommandSpec } from "../arguments.js";
import { readContext } from "../context-option.js";
import { explanationJson, explanationText } from "../explain-text.js";
import { readHeader } from "../header-input.js";
import { openInput } from "../input.js";
import { type CliIo, write } from "../io.js";
import { openUnwrappingKeys, readKeyChoice } from "../keys.js";
import { MAX_FRAME_LENGTH, MOST_ENCRYPTED_DATA_KEYS, OPENING_OPTIONS } from "../option-table.js";
import { EXIT_DENIED, EXIT_OK } from "../report.js";
import { toJson } from "../text.js";

/** The command. */
export const EXPLAIN: CommandSpec = {
  name: "explain",
  usage: "FILE KEY-OPTIONS [OPTIONS]",
  summary: "Say whether the keys at hand would open a message, and why.",
  operands: ["FILE"],
  options: ["json", "context", ...OPENING_OPTIONS],
  notes: [
    "Takes the options of decrypt, and opens nothing: it compares the header with them, and asks the keystore for the states of the keys that the message names. FILE may be - for standard input; no more is read than the header needs, at most 1 MiB.",
    "Nothing that the message says is authenticated: that it can be opened means that nothing that can be told beforehand is against it.",
    "The exit code is 0 when the message can be opened, 3 when it cannot, or when that cannot be told.",
  ],
  examples: ["fengni explain report.pdf.fengni --keystore keys.db --context project=apollo"],
  run: runExplain,
};

/** Explains the message in the input. @returns the exit code */
async function runExplain(args: Arguments, io: CliIo): Promise<number> {
  const encryptionContext = readContext(args);
  const maxEncryptedDataKeys = args.integer("max-encrypted-data-keys", 1, MOST_ENCRYPTED_DATA_KEYS);
  const maxFrameLength = args.integer("max-frame-length", 1, MAX_FRAME_LENGTH) ?? DEFAULT_MAX_FRAME_LENGTH;
  const choice = readKeyChoice(args, "decrypt", io);
  const input = await openInput(args.operand(0), io);
  try {
    const opened = await openUnwrappingKeys(choice, io);
    try {
      const envelope = new Envelope({
        wrappingKeys: [],
        unwrappingKeys: opened.keys,
        maxFrameLength,
        ...(maxEncryptedDataKeys !== undefined && { maxEncryptedDataKeys }),
        ...(args.flag("allow-uncommitted") && { commitmentPolicy: "require-encrypt-allow-decrypt" as const }),
      });
      const header = await readHeader(input, headerBytes, io.signal);
      const explanation = await envelope.explain(header, {
        encryptionContext,
        admins: opened.admins,
        signal: io.signal,
      });
      const text = args.flag("json") ? `${toJson(explanationJson(explanation))}\n` : explanationText(explanation);
      await write(io.stdout, text);
      return explanation.verdict === "can-open" ? EXIT_OK : EXIT_DENIED;
    } finally {
      await opened.close();
    }
  } finally {
    await input.close();
  }
}

function headerBytes(beginning: Uint8Array): Uint8Array {
  return beginning.slice(0, inspect(beginning, { maxEncryptedDataKeys: MOST_ENCRYPTED_DATA_KEYS }).headerLength);
}
