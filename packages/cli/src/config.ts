// What the environment variables say; the only reader of process.env. Must know no command.
import { usageError } from "./failure.js";

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of this process. */
export function processEnvironment(): Environment {
  return process.env;
}

/**
 * The passphrase of FENGNI_PASSPHRASE. A string cannot be wiped: it stays in memory until the engine reuses the space.
 * @returns undefined when the variable is not set
 * @throws `ERR_USAGE` when it is empty: a secret that a script failed to fill in must not seal anything
 */
export function passphraseOf(env: Environment): string | undefined {
  const passphrase = env["FENGNI_PASSPHRASE"];
  if (passphrase === "") throw usageError("FENGNI_PASSPHRASE is empty: set it to the passphrase, or unset it");
  return passphrase;
}

/** Whether FENGNI_DEBUG asks for the stack of errors. */
export function isDebugging(env: Environment): boolean {
  return env["FENGNI_DEBUG"] === "1";
}
