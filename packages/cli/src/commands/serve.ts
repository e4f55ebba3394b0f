// `fengni serve`: the KMS emulator, from start to a graceful end. Must not know what it answers.
import type { Emulator, EmulatorOptions } from "@fengni/emulator";
import type { Arguments, CommandSpec } from "../arguments.js";
import { systemFailure, usageError } from "../failure.js";
import { type CliIo, write } from "../io.js";
import { type KeystoreChoice, readKeystoreChoice, withRootKey } from "../keystore.js";
import { EXIT_FAILED, EXIT_OK, reportFailure } from "../report.js";
import { startFailure } from "../serve-failure.js";
import { startedJson, startedText } from "../serve-text.js";
import { escapeText } from "../text.js";

const MAX_PORT = 65_535;
/** How long requests that were accepted may take when the emulator ends, in milliseconds. */
const CLOSE_TIMEOUT_MS = 10_000;
/** Beyond that, for writing the log and wiping keys. */
const GRACE_MS = CLOSE_TIMEOUT_MS + 5000;

/** The command. */
export const SERVE: CommandSpec = {
  name: "serve",
  usage: "[OPTIONS]",
  summary: "Start a KMS emulator for development and tests.",
  operands: [],
  options: [
    "port",
    "host",
    "data",
    "keystore-key",
    "passphrase-file",
    "credentials",
    "policies",
    "region",
    "audit",
    "rate-limits",
    "console",
    "no-console",
    "admin",
    "json",
  ],
  optionHelp: {
    region: "the region of requests that name none (default ap-guangzhou)",
    audit: "append each request to this file, as a line of JSON",
    json: "the first line is {endpoint, region, secretId, secretKey}, once requests are accepted",
  },
  notes: [
    "The emulator speaks the protocol of Tencent Cloud KMS: official clients work against it when they are pointed at its endpoint. It serves until SIGINT, SIGTERM or SIGHUP, finishes what it accepted, and exits with 0; a second signal ends it at once. When the audit log cannot be written it says so, refuses every request from then on, and exits with 1.",
    "Without --credentials there is one root account, whose secret is made at start and shown; secrets of a file are never shown. The form of the file is in docs/cli.md.",
    "With --admin a POST of {skewSeconds} to /_fengni/clock sets the clock wrong, ten years at most: the time window of signatures, the header Date, the condition key qcs:current_time and the times of the audit log. Keys do not age by it.",
    "With --data the root key is that of --keystore-key, or a passphrase: of --passphrase-file, else of the environment variable FENGNI_PASSPHRASE, else asked for on the terminal.",
  ],
  examples: [
    "fengni serve --port 8510",
    "fengni serve --json --data keys.db --keystore-key root.key --credentials users.json --policies policies",
  ],
  run: runServe,
};

/** Serves until it is asked to end. @returns the exit code */
async function runServe(args: Arguments, io: CliIo): Promise<number> {
  const plan = readPlan(args, io);
  // Only here: it is large, and no other command needs it.
  const { isSameFile, readCredentialsFile, readPolicyFolder, startEmulator } = await import("@fengni/emulator");
  await checkAudit(plan, isSameFile);
  let emulator: Emulator;
  try {
    const file = plan.credentials === undefined ? undefined : await readCredentialsFile(plan.credentials);
    for (const warning of file?.warnings ?? []) await write(io.stderr, `warning: ${escapeText(warning)}\n`);
    const options: EmulatorOptions = {
      ...plan.options,
      ...(file !== undefined && { credentials: file.document }),
      ...(plan.policies !== undefined && { policies: await readPolicyFolder(plan.policies) }),
    };
    emulator = await startWithKeys(plan.data, options, io, startEmulator);
  } catch (error) {
    throw startFailure(error, plan.options);
  }
  io.setGraceMs(GRACE_MS, true);
  emulator.audit.onFailure((failure) => void reportAudit(plan, failure, io));
  try {
    await write(io.stdout, args.flag("json") ? startedJson(emulator) : startedText(emulator));
    await aborted(io.signal);
  } finally {
    await emulator.close();
  }
  return emulator.audit.hasFailed ? EXIT_FAILED : EXIT_OK;
}

/**
 * What is appended to one of the other files would destroy it.
 * @throws `ERR_USAGE`
 */
async function checkAudit({ options, credentials, data }: Plan, isSameFile: IsSameFile): Promise<void> {
  const { audit } = options;
  if (audit === undefined) return;
  const rootKey = data?.rootKey;
  const others: readonly (readonly [option: string, path: string | undefined])[] = [
    ["data", data?.path],
    ["credentials", credentials],
    ["keystore-key", rootKey?.kind === "key-file" ? rootKey.path : undefined],
    ["passphrase-file", rootKey?.kind === "passphrase-file" ? rootKey.path : undefined],
  ];
  for (const [option, path] of others) {
    if (path !== undefined && (await isSameFile(audit.path, path))) {
      throw usageError(`--audit names the file of --${option}: give the log a file of its own`);
    }
  }
}

async function reportAudit({ options }: Plan, failure: Error, { stderr }: CliIo): Promise<void> {
  const what = `the audit log ${options.audit?.path ?? ""} cannot be written, so that every request is refused from now on`;
  const { line } = reportFailure(systemFailure("ERR_OUTPUT", what, failure));
  // Nobody is left to be told when this cannot be written either; the exit code says it.
  await write(stderr, `${line ?? ""}\n`).catch(() => undefined);
}

type IsSameFile = (one: string, other: string) => Promise<boolean>;

/** What the command line asks for; nothing is read yet. */
interface Plan {
  readonly options: EmulatorOptions;
  readonly data: KeystoreChoice | undefined;
  readonly credentials: string | undefined;
  readonly policies: string | undefined;
}

/** @throws `ERR_USAGE` */
function readPlan(args: Arguments, io: CliIo): Plan {
  const credentials = args.text("credentials");
  const policies = args.text("policies");
  if (policies !== undefined && credentials === undefined) {
    throw usageError("--policies needs --credentials: they say whom a policy is for");
  }
  if (args.flag("console") && args.flag("no-console")) {
    throw usageError("--console and --no-console exclude each other");
  }
  const host = args.text("host");
  const region = args.text("region");
  const auditPath = args.text("audit");
  const options: EmulatorOptions = {
    port: args.integer("port", 0, MAX_PORT) ?? 0,
    closeTimeoutMs: CLOSE_TIMEOUT_MS,
    rateLimits: args.flag("rate-limits"),
    admin: args.flag("admin"),
    ...(host !== undefined && { host }),
    ...(region !== undefined && { region }),
    ...(auditPath !== undefined && { audit: { path: auditPath } }),
    ...(args.flag("console") && { console: true }),
    ...(args.flag("no-console") && { console: false }),
  };
  return { options, data: readKeystoreChoice(args, io, "data"), credentials, policies };
}

function startWithKeys(
  data: KeystoreChoice | undefined,
  options: EmulatorOptions,
  io: CliIo,
  start: (options: EmulatorOptions) => Promise<Emulator>,
): Promise<Emulator> {
  if (data === undefined) return start(options);
  return withRootKey(data, true, io, (rootKey) => start({ ...options, data: { path: data.path, rootKey } }));
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
