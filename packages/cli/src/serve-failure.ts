// Why the emulator did not start, in the command's own terms. Must not know how it is started.
import type { EmulatorOptions } from "@fengni/emulator";
import { CliError, isSystemError, systemFailure } from "./failure.js";

/** System calls by which a server comes to its address. */
const ADDRESS_CALLS = ["listen", "bind", "getaddrinfo"];

/** Puts what the emulator rejects with into a failure of the command; other errors pass. */
export function startFailure(error: unknown, { host = "127.0.0.1", port = 0 }: EmulatorOptions): unknown {
  if (isSystemError(error)) {
    const isAddress = ADDRESS_CALLS.includes(error.syscall);
    return isAddress
      ? systemFailure("ERR_LISTEN", `cannot listen on ${host}, port ${port}`, error)
      : systemFailure("ERR_CONFIGURATION", "cannot start the emulator", error);
  }
  if (!(error instanceof Error) || error.name !== "EmulatorConfigurationError") return error;
  // The option is the library's alone: on the command line there is no way round this refusal.
  const message = error.message.replace(/ without allowRemoteAdministration$/, "");
  return new CliError("ERR_CONFIGURATION", `cannot start the emulator: ${message}`, error);
}
