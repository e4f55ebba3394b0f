// From the words of a command line to checked options. Must not know what a command does with them.
import { parseArgs } from "node:util";
import { isSystemError, usageError } from "./failure.js";
import type { CliIo } from "./io.js";
import { OPTIONS, type OptionName } from "./option-table.js";

/** One command: what it takes, its help, and what it does. */
export interface CommandSpec {
  /** One or two words. */
  readonly name: string;
  /** What follows the name on the command line. */
  readonly usage: string;
  /** One sentence. */
  readonly summary: string;
  readonly options: readonly OptionName[];
  /** What an option means here, in the place of its line in the option table. */
  readonly optionHelp?: Readonly<Partial<Record<OptionName, string>>>;
  /** Names of the operands, all of which are needed. */
  readonly operands: readonly string[];
  /** Whether the last operand may be given several times. */
  readonly takesSeveral?: boolean;
  /** Paragraphs of the help. */
  readonly notes: readonly string[];
  /** Whole command lines. */
  readonly examples: readonly string[];
  /** @returns the exit code */
  readonly run: (args: Arguments, io: CliIo) => Promise<number>;
}

/** The options and operands of one command line. */
export class Arguments {
  readonly operands: readonly string[];
  readonly #values: ReadonlyMap<string, readonly (string | boolean)[]>;

  constructor(values: ReadonlyMap<string, readonly (string | boolean)[]>, operands: readonly string[]) {
    this.#values = values;
    this.operands = operands;
  }

  /** The operand at a position that the command's spec has. */
  operand(index: number): string {
    return this.operands[index] as string;
  }

  flag(name: OptionName): boolean {
    return this.#values.has(name);
  }

  /** Every value of a repeatable option, in order. */
  list(name: OptionName): readonly string[] {
    return (this.#values.get(name) ?? []) as readonly string[];
  }

  /** The value of an option; undefined when it is not given. @throws `ERR_USAGE` when it is empty */
  text(name: OptionName): string | undefined {
    const [value] = this.list(name);
    if (value === "") throw usageError(`--${name} is empty`);
    return value;
  }

  /** @throws `ERR_USAGE` when it is not given, or empty */
  required(name: OptionName, why: string): string {
    const value = this.text(name);
    if (value === undefined) throw usageError(`--${name} is missing: ${why}`);
    return value;
  }

  /** A whole number in decimal digits. @throws `ERR_USAGE` */
  integer(name: OptionName, minimum: number, maximum: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= minimum && value <= maximum) return value;
    throw usageError(`--${name} expected a whole number from ${minimum} to ${maximum}, got "${text}"`);
  }

  /** One of some words. @throws `ERR_USAGE` */
  oneOf<Word extends string>(name: OptionName, words: readonly Word[]): Word | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const found = words.find((word) => word === text);
    if (found === undefined) throw usageError(`--${name} expected one of ${words.join(", ")}, got "${text}"`);
    return found;
  }
}

/**
 * Parses what follows the command's name. With `--help` the operands are not checked.
 * @throws `ERR_USAGE`
 */
export function parseArguments(spec: CommandSpec, argv: readonly string[]): Arguments {
  const names: readonly OptionName[] = [...spec.options, "help"];
  const values = new Map<string, readonly (string | boolean)[]>();
  const { values: parsed, positionals } = parseStrictly(spec, argv, names);
  for (const name of names) {
    const given = parsed[name];
    if (given === undefined) continue;
    const isRepeatable = OPTIONS[name].isRepeatable === true || OPTIONS[name].value === undefined;
    if (!isRepeatable && given.length > 1) throw usageError(`--${name} is given more than once`);
    values.set(name, given);
  }
  const args = new Arguments(values, positionals);
  if (!args.flag("help")) checkOperands(spec, positionals);
  return args;
}

interface Parsed {
  readonly values: Readonly<Record<string, readonly (string | boolean)[] | undefined>>;
  readonly positionals: readonly string[];
}

function parseStrictly(spec: CommandSpec, argv: readonly string[], names: readonly OptionName[]): Parsed {
  const options = Object.fromEntries(
    names.map((name) => {
      const { short, value } = OPTIONS[name];
      const type: "string" | "boolean" = value === undefined ? "boolean" : "string";
      return [name, { type, multiple: true as const, ...(short !== undefined && { short }) }];
    }),
  );
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: true }) as Parsed;
  } catch (error) {
    throw usageError(`${parseFailure(error)}; see "fengni help ${spec.name}"`);
  }
}

/** What parseArgs found wrong, on one line. */
function parseFailure(error: unknown): string {
  const message = error instanceof Error && !isSystemError(error) ? error.message : String(error);
  const unknown = /^Unknown option '([^']*)'/.exec(message);
  if (unknown !== null) return `unknown option ${unknown[1]}`;
  const text = message.replace(/\s+/g, " ").replace(/\.$/, "");
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function checkOperands(spec: CommandSpec, operands: readonly string[]): void {
  const missing = spec.operands[operands.length];
  const see = `see "fengni help ${spec.name}"`;
  if (missing !== undefined) throw usageError(`${missing} is missing; ${see}`);
  const surplus = operands[spec.operands.length];
  if (surplus !== undefined && spec.takesSeveral !== true)
    throw usageError(`"${surplus}" is one operand too many; ${see}`);
  const empty = Math.min(operands.indexOf(""), spec.operands.length - 1);
  if (empty >= 0) throw usageError(`${spec.operands[empty]} is empty; ${see}`);
}
