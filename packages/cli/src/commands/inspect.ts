// `fengni inspect`: what a message's header says. Must not need any key.
import { inspect } from "@fengni/core";
import type { Arguments, CommandSpec } from "../arguments.js";
import { readHeader } from "../header-input.js";
import { headerJson, headerText } from "../header-text.js";
import { openInput } from "../input.js";
import { type CliIo, write } from "../io.js";
import { EXIT_OK } from "../report.js";
import { toJson } from "../text.js";

/** The command. */
export const INSPECT: CommandSpec = {
  name: "inspect",
  usage: "FILE [--json]",
  summary: "Show what a message's header says, without any key.",
  operands: ["FILE"],
  options: ["json", "max-encrypted-data-keys"],
  notes: [
    "FILE may be - for standard input. No more is read than the header needs, at most 1 MiB.",
    "Nothing that is shown is authenticated: anybody may have written it.",
    "With --json bytes are in hexadecimal digits; providerInfoText is there when the provider info is printable text, rawAesKeyName when it has the form of a raw AES key's.",
  ],
  examples: ["fengni inspect report.pdf.fengni", "fengni inspect report.pdf.fengni --json"],
  run: runInspect,
};

/** Shows the header of the message in the input. @returns the exit code */
async function runInspect(args: Arguments, io: CliIo): Promise<number> {
  const maxEncryptedDataKeys = args.integer("max-encrypted-data-keys", 1, 0xffff);
  const limits = maxEncryptedDataKeys === undefined ? {} : { maxEncryptedDataKeys };
  const input = await openInput(args.operand(0), io);
  try {
    const header = await readHeader(input, (beginning) => inspect(beginning, limits), io.signal);
    await write(io.stdout, args.flag("json") ? `${toJson(headerJson(header))}\n` : headerText(header));
    return EXIT_OK;
  } finally {
    await input.close();
  }
}
