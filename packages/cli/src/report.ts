// From any error to one line and an exit code. Every code of the libraries gets advice in the command's own terms: their
// messages speak of options of the SDK. Must not know which command failed.
import { algorithmSuites, type ErrorCode, type FengniError, formatSuiteId, isFengniError } from "@fengni/core";
import { CliError, isSystemError, systemFailure } from "./failure.js";
import { escapeText } from "./text.js";

/** Exit code of success. */
export const EXIT_OK = 0;
/** Exit code of an operation that failed: what came out on standard output must be discarded. */
export const EXIT_FAILED = 1;
/** Exit code of a wrong command line: nothing was done. */
export const EXIT_USAGE = 2;
/**
 * Exit code of `policy explain` for a request that is refused, and of `explain` for a message that cannot be opened, or of
 * which that cannot be told: a decision, not a failure.
 */
export const EXIT_DENIED = 3;

/** What to do about each code, after the library's own words; empty where those say it always. */
const ADVICE: Readonly<Record<ErrorCode, string>> = {
  ERR_MESSAGE_INVALID: "this is no message, or it was damaged: get the file again from where it came",
  ERR_MESSAGE_TRUNCATED: "get the file again from where it came",
  ERR_MESSAGE_UNSUPPORTED: "check that this is the right file, and the version of fengni",
  ERR_LIMIT: "",
  ERR_AUTHENTICATION: "discard what came out",
  ERR_CONTEXT_MISMATCH: 'give --context as it was at encryption; "fengni inspect FILE" shows what is stored',
  ERR_CONTEXT_INVALID: "choose another --context",
  ERR_NO_MATCHING_KEY: 'give the key that sealed it; "fengni inspect FILE" shows which',
  ERR_UNWRAP_FAILED: 'give the key that sealed it, unchanged; "fengni inspect FILE" shows which',
  ERR_KEY_STATE: '"fengni key enable KEY" makes a disabled key usable again',
  ERR_KEY_USAGE: "use a key of the spec AES_256",
  ERR_KEY_NOT_FOUND: '"fengni key list" shows the keys of the keystore',
  ERR_CONFLICT: "choose another name, or try again",
  ERR_KEY_INVALID: "check the key file",
  ERR_CIPHERTEXT_INVALID: "the message was not made with this keystore, or it was damaged",
  ERR_DENIED: "ask for the permission, or use another key",
  ERR_CREDENTIALS: "check the credentials",
  ERR_THROTTLED: "try again later",
  ERR_UNAVAILABLE: "try again later",
  ERR_TIMEOUT: "try again later",
  ERR_NOT_SUPPORTED: '"fengni doctor" shows what this runtime offers',
  ERR_STORE_NOT_FOUND: "check the path of the keystore",
  ERR_STORE_DAMAGED: "check the path of the keystore, or restore the file from a backup",
  ERR_STORE_BUSY: "check that its folder can be written, and try again when the other process has ended",
  ERR_ROOT_KEY: "check the passphrase, or the file of --keystore-key",
  ERR_NOT_WARM: "this is a fault of fengni: please report it",
  ERR_CLOSED: "this is a fault of fengni: please report it",
};

/** How a command ends when it fails. */
export interface FailureReport {
  /** One line without its end; undefined when nobody reads it any more (a closed pipe). */
  readonly line: string | undefined;
  readonly exitCode: number;
}

/** Puts an error into one line for a terminal: `fengni: <message> (<CODE>)`. */
export function reportFailure(error: unknown): FailureReport {
  const cause = interruptionIn(error) ?? error;
  if (isSystemError(cause) && cause.code === "EPIPE") return { line: undefined, exitCode: EXIT_FAILED };
  const { message, code, exitCode } = explain(cause);
  return { line: `fengni: ${escapeText(message)} (${code})`, exitCode };
}

/** An aborted pipeline rejects with an AbortError: the reason says why. */
function interruptionIn(error: unknown): CliError | undefined {
  if (!(error instanceof Error) || error.name !== "AbortError") return undefined;
  return error.cause instanceof CliError ? error.cause : undefined;
}

interface Explanation {
  readonly message: string;
  readonly code: string;
  readonly exitCode: number;
}

function explain(error: unknown): Explanation {
  if (error instanceof CliError) {
    const { message, code } = error;
    return { message, code, exitCode: code === "ERR_USAGE" ? EXIT_USAGE : EXIT_FAILED };
  }
  if (isFengniError(error)) return { message: adviseOn(error), code: error.code, exitCode: EXIT_FAILED };
  if (isSystemError(error)) return explain(systemFailure("ERR_INPUT", `${error.syscall} failed`, error));
  if (error instanceof Error) {
    // What the libraries say of a wrong argument: here arguments come from the command line.
    if (codeOf(error) === "ERR_ARGUMENT") return { message: error.message, code: "ERR_USAGE", exitCode: EXIT_USAGE };
    const message = `unexpected failure, please report it: ${error.name}: ${error.message}`;
    return { message, code: codeOf(error) ?? "ERR_INTERNAL", exitCode: EXIT_FAILED };
  }
  return {
    message: `unexpected failure, please report it: a value of type ${typeof error} was thrown`,
    code: "ERR_INTERNAL",
    exitCode: EXIT_FAILED,
  };
}

function codeOf(error: Error): string | undefined {
  const { code } = error as { readonly code?: unknown };
  return typeof code === "string" ? code : undefined;
}

function adviseOn(error: FengniError): string {
  const special = base64(error) ?? uncommittedSuite(error) ?? limit(error);
  if (special !== undefined) return special;
  const advice = ADVICE[error.code];
  return advice === undefined || advice === "" ? error.message : `${error.message}; ${advice}`;
}

/** Core recognises base64 by its beginning. */
function base64(error: FengniError): string | undefined {
  if (!isFengniError(error, "ERR_MESSAGE_UNSUPPORTED") || error.details?.encoding !== "base64") return undefined;
  return `${error.message}, as in "base64 -d FILE | fengni decrypt - ..."`;
}

/** A suite that is read only when asked for. */
function uncommittedSuite(error: FengniError): string | undefined {
  if (!isFengniError(error, "ERR_MESSAGE_UNSUPPORTED")) return undefined;
  const id = error.details?.suite;
  const suite = algorithmSuites().find((row) => formatSuiteId(row.id) === id);
  if (suite === undefined || suite.committing) return undefined;
  return `the message's algorithm suite ${id} does not commit to its data key: add --allow-uncommitted if you trust its origin`;
}

const LIMIT_OPTIONS: ReadonlyMap<string, string> = new Map([
  ["number of encrypted data keys", "raise --max-encrypted-data-keys if this is expected"],
  ["frame length", "raise --max-frame-length if this is expected"],
  ["header length", "use the SDK with a higher maxHeaderLength if this is expected"],
  ["number of frames", "use a longer --frame-length"],
]);

function limit(error: FengniError): string | undefined {
  if (!isFengniError(error, "ERR_LIMIT") || error.details === undefined) return undefined;
  const { limit: name, maximum, actual } = error.details;
  const advice = LIMIT_OPTIONS.get(name);
  return advice === undefined ? undefined : `${name} is ${actual}, more than the allowed ${maximum}: ${advice}`;
}
