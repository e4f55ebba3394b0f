// The help texts, made of the command specs. Must not know what a command does.
import type { CommandSpec } from "./arguments.js";
import { OPTIONS, type OptionName } from "./option-table.js";

const WIDTH = 80;
const INDENT = 2;
const OPTION_COLUMN = 35;
/** Room for the name of a command in a list of them. */
const NAME_COLUMN = 17;

/** The overview of all commands. */
export function overview(commands: readonly CommandSpec[]): string {
  const rows = commands.map(({ name, summary }) => hang(`  ${name.padEnd(NAME_COLUMN)}`, summary));
  return paragraphs([
    "fengni: envelope encryption of files. A message carries its data key, wrapped by one or several wrapping keys; whoever may use one of them can open it. Also: access policies of Tencent Cloud KMS, an emulator of the service, and the proof that a backend keeps the contract.",
    ["Usage: fengni COMMAND [OPTIONS]", "       fengni help [COMMAND]", "       fengni --version"].join("\n"),
    ["Commands:", ...rows].join("\n"),
    "Exit codes: 0 success; 1 the operation failed, and what came out on standard output must be discarded; 2 the command line is wrong; 3 policy explain found the request refused, or explain that the message cannot be opened, or cannot tell. FENGNI_DEBUG=1 shows the stack of an error.",
  ]);
}

/** The help of one command. */
export function commandHelp(spec: CommandSpec): string {
  const options: readonly OptionName[] = [...spec.options, "help"];
  return paragraphs([
    hang(`Usage: fengni ${spec.name} `, spec.usage),
    spec.summary,
    ...spec.notes,
    ["Options:", ...options.map((name) => optionRow(name, spec.optionHelp?.[name]))].join("\n"),
    ["Examples:", ...spec.examples.map((example) => `  ${example}`)].join("\n"),
  ]);
}

/** The help of commands that share their first word. */
export function groupHelp(name: string, commands: readonly CommandSpec[]): string {
  return paragraphs([
    `Usage: fengni ${name} COMMAND [OPTIONS]`,
    ["Commands:", ...commands.map(({ name: full, summary }) => hang(`  ${full.padEnd(NAME_COLUMN)}`, summary))].join(
      "\n",
    ),
    `"fengni help ${name} COMMAND" shows the options of one.`,
  ]);
}

function optionRow(name: OptionName, ownHelp: string | undefined): string {
  const { short, value, help } = OPTIONS[name];
  const form = `${short === undefined ? "    " : `-${short}, `}--${name}${value === undefined ? "" : ` ${value}`}`;
  return hang(`  ${form}`.padEnd(OPTION_COLUMN), ownHelp ?? help);
}

/** Paragraphs that stand on one line are wrapped; others are left as they are. */
function paragraphs(texts: readonly string[]): string {
  return `${texts.map((text) => (text.includes("\n") ? text : wrap(text, WIDTH).join("\n"))).join("\n\n")}\n`;
}

/** Text behind a lead, further lines indented below it. */
function hang(lead: string, text: string): string {
  const column = Math.max(lead.length, INDENT);
  const start = lead.length > OPTION_COLUMN ? `${lead}\n${" ".repeat(OPTION_COLUMN)}` : lead;
  const indent = lead.length > OPTION_COLUMN ? OPTION_COLUMN : column;
  return start + wrap(text, WIDTH - indent).join(`\n${" ".repeat(indent)}`);
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
