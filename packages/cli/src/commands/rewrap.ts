// `fengni rewrap`: has other keys wrap the messages in files and folders, in place. Must not know the message format.
import { DEFAULT_MAX_FRAME_LENGTH, Envelope } from "@fengni/core";
import { rewrapFile } from "@fengni/core/node";
import type { Arguments, CommandSpec } from "../arguments.js";
import { readContext } from "../context-option.js";
import { usageError } from "../failure.js";
import { FileProgress } from "../file-progress.js";
import { type CliIo, write } from "../io.js";
import { type OpenRewrapKeys, openRewrapKeys, readRewrapKeyChoice } from "../keys.js";
import { findMessages } from "../message-files.js";
import { KEYSTORE_OPTIONS, MAX_FRAME_LENGTH, MOST_ENCRYPTED_DATA_KEYS } from "../option-table.js";
import { EXIT_FAILED, EXIT_OK, reportFailure } from "../report.js";
import { RewrapForecast } from "../rewrap-forecast.js";
import { formatBytes, plural, quoteText, toJson } from "../text.js";

/** The command. */
export const REWRAP: CommandSpec = {
  name: "rewrap",
  usage: "PATH... KEY-OPTIONS [OPTIONS]",
  summary: "Have other keys wrap the messages in files and folders, in place.",
  operands: ["PATH"],
  takesSeveral: true,
  options: [
    "heal",
    "unless-current",
    "dry-run",
    "json",
    "quiet",
    "context",
    ...KEYSTORE_OPTIONS,
    "key",
    "raw-aes-key",
    "raw-opens-only",
    "raw-rsa-public-key",
    "raw-rsa-private-key",
    "namespace",
    "name",
    "padding",
    "max-encrypted-data-keys",
    "max-frame-length",
  ],
  optionHelp: {
    key: "key of the keystore that is to wrap the messages; may be given several times",
    context: "a pair that must be in each message's encryption context; may be given several times",
  },
  notes: [
    "Afterwards the keys of --key, --raw-aes-key and --raw-rsa-public-key open the messages, and no others do. Opened they are by any key of the keystore, by the raw AES key and by that of --raw-rsa-private-key. The data key and what it seals stay as they are: whoever has a copy of the old file and its key still opens that.",
    "Each file is replaced in one step by a new one that is whole: whatever fails, it holds the old message or the new one. Links in folders are not followed, and files that are no messages are left alone.",
    "A message that cannot be wrapped anew is named on standard error, and the others are worked on. The exit code is 1 when there was one, else 0; with --dry-run too.",
  ],
  examples: [
    "fengni rewrap /srv/backups --keystore keys.db --key app-2027",
    "fengni rewrap /srv/backups --keystore keys.db --key app --key escrow --heal --dry-run",
  ],
  run: runRewrap,
};

interface Counts {
  rewrapped: number;
  unchanged: number;
  failed: number;
  otherFiles: number;
  /** Of the messages that were wrapped anew, as they are now. */
  bytes: number;
}

/** Rewraps the messages. @returns the exit code */
async function runRewrap(args: Arguments, io: CliIo): Promise<number> {
  const encryptionContext = readContext(args);
  const heal = args.flag("heal");
  const unlessCurrent = args.flag("unless-current");
  if (heal && unlessCurrent) throw usageError("--heal and --unless-current exclude each other");
  const isDryRun = args.flag("dry-run");
  const maxEncryptedDataKeys = args.integer("max-encrypted-data-keys", 1, MOST_ENCRYPTED_DATA_KEYS);
  const maxFrameLength = args.integer("max-frame-length", 1, MAX_FRAME_LENGTH) ?? DEFAULT_MAX_FRAME_LENGTH;
  const limits = { maxFrameLength, ...(maxEncryptedDataKeys !== undefined && { maxEncryptedDataKeys }) };
  const choice = readRewrapKeyChoice(args, io);
  const counts: Counts = { rewrapped: 0, unchanged: 0, failed: 0, otherFiles: 0, bytes: 0 };
  const progress = new FileProgress({ stream: io.stderr, nowMs: io.nowMs, isQuiet: args.flag("quiet") });

  const opened: OpenRewrapKeys = await openRewrapKeys(choice, io);
  try {
    const options = { encryptionContext, heal, unlessCurrent, signal: io.signal };
    const envelope = new Envelope({ wrappingKeys: opened.keys, unwrappingKeys: opened.opening, ...limits });
    const forecast = new RewrapForecast(opened, limits, options);
    let files = 0;
    for await (const found of findMessages(args.operands, io.signal)) {
      try {
        if (found.kind === "unclear") throw found.error;
        if (found.kind === "other") {
          counts.otherFiles += 1;
        } else {
          const { isUnchanged, size } = isDryRun
            ? await forecast.of(found)
            : await rewrapFile(envelope, found.path, options);
          counts[isUnchanged ? "unchanged" : "rewrapped"] += 1;
          if (!isUnchanged) counts.bytes += size;
        }
      } catch (error) {
        io.signal.throwIfAborted();
        counts.failed += 1;
        progress.clear();
        await write(io.stderr, failureLine(found.path, error));
      }
      files += 1;
      progress.show(files, counts.rewrapped + counts.unchanged + counts.failed);
    }
  } finally {
    progress.clear();
    await opened.close();
  }
  await write(
    io.stdout,
    args.flag("json") ? `${toJson({ dryRun: isDryRun, ...counts })}\n` : summary(counts, isDryRun),
  );
  return counts.failed > 0 ? EXIT_FAILED : EXIT_OK;
}

function failureLine(path: string, error: unknown): string {
  const line = (reportFailure(error).line ?? "fengni: failed").replace(/^fengni: /, "");
  return `fengni: ${quoteText(path)}: ${line}\n`;
}

function summary({ rewrapped, unchanged, failed, otherFiles, bytes }: Counts, isDryRun: boolean): string {
  const done = isDryRun ? "would be rewrapped" : "rewrapped";
  const stay = isDryRun ? "would stay as they are" : "left as they are";
  const parts = [
    `${plural(rewrapped, "message")} ${done} (${formatBytes(bytes)})`,
    `${unchanged} ${stay}`,
    `${failed} failed`,
    plural(otherFiles, "other file"),
  ];
  return `${parts.join(", ")}\n`;
}
