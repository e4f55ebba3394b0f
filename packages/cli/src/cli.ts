// From a command line to an exit code: finds the command, runs it, reports what went wrong. Must not touch the process.
import { type CommandSpec, parseArguments } from "./arguments.js";
import { CONFORM } from "./commands/conform.js";
import { DECRYPT } from "./commands/decrypt.js";
import { DOCTOR } from "./commands/doctor.js";
import { ENCRYPT } from "./commands/encrypt.js";
import { EXPLAIN } from "./commands/explain.js";
import { INSPECT } from "./commands/inspect.js";
import { INVENTORY } from "./commands/inventory.js";
import { KEY_ALIAS, KEY_CREATE, KEY_DESCRIBE, KEY_DISABLE, KEY_ENABLE, KEY_LIST, KEY_ROTATE } from "./commands/key.js";
import { POLICY_CHECK } from "./commands/policy-check.js";
import { POLICY_EXPLAIN } from "./commands/policy-explain.js";
import { POLICY_GENERATE } from "./commands/policy-generate.js";
import { REWRAP } from "./commands/rewrap.js";
import { SERVE } from "./commands/serve.js";
import { isDebugging } from "./config.js";
import { usageError } from "./failure.js";
import { commandHelp, groupHelp, overview } from "./help.js";
import { type CliIo, write } from "./io.js";
import { EXIT_OK, EXIT_USAGE, reportFailure } from "./report.js";
import { VERSION } from "./version.js";

/** Every command, in the order of the help. */
export const COMMANDS: readonly CommandSpec[] = [
  ENCRYPT,
  DECRYPT,
  INSPECT,
  EXPLAIN,
  INVENTORY,
  REWRAP,
  KEY_CREATE,
  KEY_LIST,
  KEY_DESCRIBE,
  KEY_ENABLE,
  KEY_DISABLE,
  KEY_ROTATE,
  KEY_ALIAS,
  POLICY_CHECK,
  POLICY_EXPLAIN,
  POLICY_GENERATE,
  SERVE,
  CONFORM,
  DOCTOR,
];

/**
 * Runs one command line.
 * @param argv - the words after the program's name
 * @returns the exit code: 0 success, 1 failure, 2 wrong command line, 3 `policy explain` found the
 *   request refused, or `explain` that the message cannot be opened, or cannot tell
 */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  const ignore = (): void => {};
  // Failed writes are reported by the write itself; the event, which may come later, must not end the process.
  io.stdout.on("error", ignore);
  io.stderr.on("error", ignore);
  try {
    return await dispatch(argv, io);
  } catch (error) {
    const { line, exitCode } = reportFailure(error);
    const stack = isDebugging(io.env) && error instanceof Error ? `${error.stack ?? ""}\n` : "";
    if (line !== undefined) await write(io.stderr, `${line}\n${stack}`).catch(ignore);
    return exitCode;
  }
}

async function dispatch(argv: readonly string[], io: CliIo): Promise<number> {
  const [first, ...rest] = argv;
  if (first === undefined) {
    await write(io.stderr, overview(COMMANDS));
    return EXIT_USAGE;
  }
  if (first === "--version" || first === "-V") {
    if (rest.length > 0) throw usageError("--version stands alone");
    await write(io.stdout, `fengni ${VERSION}\n`);
    return EXIT_OK;
  }
  if (first === "help" || first === "--help" || first === "-h") return help(rest, io);
  if (first.startsWith("-")) throw usageError(`unknown option ${first}: the command comes first; see "fengni help"`);
  const { name, words } = nameOf(argv);
  if (isGroup(name) && (rest[0] === "--help" || rest[0] === "-h")) return help([name], io);
  const command = COMMANDS.find((spec) => spec.name === name);
  if (command === undefined) throw unknown(name);
  const args = parseArguments(command, argv.slice(words));
  if (args.flag("help")) return help(command.name.split(" "), io);
  return command.run(args, io);
}

function isGroup(name: string): boolean {
  return COMMANDS.some((spec) => spec.name.startsWith(`${name} `));
}

/** A command's name may have two words. */
function nameOf(words: readonly string[]): { readonly name: string; readonly words: number } {
  const [first = "", second] = words;
  if (isGroup(first) && second !== undefined && !second.startsWith("-"))
    return { name: `${first} ${second}`, words: 2 };
  return { name: first, words: 1 };
}

function unknown(name: string): Error {
  const group = name.split(" ")[0] as string;
  if (!isGroup(group)) return usageError(`unknown command "${name}"; see "fengni help"`);
  const verbs = COMMANDS.filter((spec) => spec.name.startsWith(`${group} `)).map((spec) => spec.name.split(" ")[1]);
  const found = name === group ? `${group} needs a command` : `unknown command "${name}"`;
  return usageError(`${found}: one of ${verbs.join(", ")}; see "fengni help ${group}"`);
}

async function help(words: readonly string[], io: CliIo): Promise<number> {
  const name = words.join(" ");
  const command = COMMANDS.find((spec) => spec.name === name);
  let text: string;
  if (name === "" || name === "help") text = overview(COMMANDS);
  else if (command !== undefined) text = commandHelp(command);
  else if (isGroup(name))
    text = groupHelp(
      name,
      COMMANDS.filter((spec) => spec.name.startsWith(`${name} `)),
    );
  else throw unknown(name);
  await write(io.stdout, text);
  return EXIT_OK;
}
