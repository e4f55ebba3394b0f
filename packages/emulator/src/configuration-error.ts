// The error for options and files that the emulator cannot be started with. It must not know any of them.

/** A document or an option is wrong; the message says where and what is expected, and shows no secret. */
export class EmulatorConfigurationError extends Error {
  override readonly name: string = "EmulatorConfigurationError";
  readonly code: "ERR_ARGUMENT" = "ERR_ARGUMENT";
}
