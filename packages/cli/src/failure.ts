// The command's own failures, and system errors in words. Must know no stream and no command.

/** Codes of failures that are the command's own; those of the libraries are in `advice.ts`. */
export type CliErrorCode =
  | "ERR_USAGE"
  | "ERR_INPUT"
  | "ERR_OUTPUT"
  | "ERR_OUTPUT_EXISTS"
  | "ERR_KEY_FILE"
  | "ERR_KEYSTORE"
  | "ERR_PASSPHRASE"
  | "ERR_POLICY"
  | "ERR_CONFIGURATION"
  | "ERR_LISTEN"
  | "ERR_MODULE"
  | "ERR_INTERRUPTED";

/** A failure whose message is complete as it stands. */
export class CliError extends Error {
  override readonly name: string = "CliError";
  readonly code: CliErrorCode;

  constructor(code: CliErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** The command line cannot be carried out as it is. */
export function usageError(message: string): CliError {
  return new CliError("ERR_USAGE", message);
}

/** An error of a system call, as Node makes them. */
export interface SystemError extends Error {
  readonly code: string;
  readonly syscall: string;
}

/** Recognises an error of a system call. */
export function isSystemError(error: unknown): error is SystemError {
  if (!(error instanceof Error)) return false;
  const { code, syscall } = error as Partial<SystemError>;
  return typeof code === "string" && typeof syscall === "string";
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ["EACCES", "permission denied"],
  ["EADDRINUSE", "another program listens there"],
  ["EADDRNOTAVAIL", "this machine has no such address"],
  ["EBUSY", "it is in use"],
  ["EDQUOT", "the disk quota is used up"],
  ["EEXIST", "it exists"],
  ["EFBIG", "the file would become larger than is allowed here"],
  ["EIO", "the device reports an error"],
  ["EISDIR", "it is a directory"],
  ["ELOOP", "there are too many symbolic links"],
  ["EMFILE", "too many files are open"],
  ["ENAMETOOLONG", "the name is too long"],
  ["ENFILE", "too many files are open"],
  ["ENOTFOUND", "there is no such host"],
  ["ENOENT", "there is no such file or directory"],
  ["ENOSPC", "no space is left on the device"],
  ["ENOTDIR", "a part of the path is not a directory"],
  ["ENXIO", "there is no such device"],
  ["EPERM", "the operation is not permitted"],
  ["EROFS", "the file system is read-only"],
  ["ETXTBSY", "it is a program that is running"],
]);

/** Why a system call failed, in words. */
function reasonOf(error: unknown): string {
  if (!isSystemError(error)) return error instanceof Error ? error.message : String(error);
  return REASONS.get(error.code) ?? `the system says ${error.code}`;
}

/** A failed system call as the command's failure: `what` is for example `cannot read a.txt`. */
export function systemFailure(code: CliErrorCode, what: string, error: unknown): CliError {
  return new CliError(code, `${what}: ${reasonOf(error)}`, error);
}
