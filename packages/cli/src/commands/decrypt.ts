// `fengni decrypt`. Must not know the message format.
import { DEFAULT_MAX_FRAME_LENGTH, Envelope } from "@fengni/core";
import { createDecryptStream } from "@fengni/core/node";
import type { Arguments, CommandSpec } from "../arguments.js";
import { readContext } from "../context-option.js";
import { openInput } from "../input.js";
import type { CliIo } from "../io.js";
import { openUnwrappingKeys, readKeyChoice } from "../keys.js";
import { MAX_FRAME_LENGTH, OPENING_OPTIONS } from "../option-table.js";
import { checkTarget } from "../output.js";
import { EXIT_OK } from "../report.js";
import { transfer } from "../transfer.js";

/** The command. */
export const DECRYPT: CommandSpec = {
  name: "decrypt",
  usage: "FILE -o FILE KEY-OPTIONS [OPTIONS]",
  summary: "Decrypt a message.",
  operands: ["FILE"],
  options: ["output", "force", "quiet", "context", "parallel", ...OPENING_OPTIONS],
  notes: [
    "FILE and the output may be - for standard input and output. The output file appears whole, after everything was verified, or not at all; only its owner may read it.",
    "With -o - each frame goes out as soon as it is authenticated, before the rest of the message, and the signature of a signed message, are verified: discard what came out unless the exit code is 0.",
    "At least one key is needed. --keystore without --key lets any key of the keystore open the message; with --key only the keys named may. Raw keys need --namespace and --name as they were at encryption.",
    "--context names pairs that must be in the message's encryption context; there may be more.",
  ],
  examples: [
    "fengni decrypt report.pdf.fengni -o report.pdf --keystore keys.db --context project=apollo",
    "fengni decrypt photos.fengni -o - --raw-aes-key aes.key --namespace example --name backup > photos.tar",
  ],
  run: runDecrypt,
};

/** Opens the message in the input. @returns the exit code */
async function runDecrypt(args: Arguments, io: CliIo): Promise<number> {
  const source = args.operand(0);
  const output = args.required("output", "it says where the plaintext goes");
  const encryptionContext = readContext(args);
  const maxEncryptedDataKeys = args.integer("max-encrypted-data-keys", 1, 0xffff);
  const maxFrameLength = args.integer("max-frame-length", 1, MAX_FRAME_LENGTH) ?? DEFAULT_MAX_FRAME_LENGTH;
  const choice = readKeyChoice(args, "decrypt", io);
  const isQuiet = args.flag("quiet");

  const target = await checkTarget(output, args.flag("force"));
  const input = await openInput(source, io);
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
      const transform = createDecryptStream(envelope, {
        encryptionContext,
        signal: io.signal,
        parallel: args.flag("parallel"),
      });
      await transfer({ input, target, isSecret: true, isQuiet, transform }, io);
      return EXIT_OK;
    } finally {
      await opened.close();
    }
  } finally {
    await input.close();
  }
}
