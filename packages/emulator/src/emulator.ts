// The way in: starts an emulator that carries out every action of the service. It must not know how it is built.
import { assembleEmulator, type Emulator } from "./assemble.js";
import { handle } from "./handlers/index.js";
import type { EmulatorOptions } from "./options.js";

/**
 * Starts an emulator of Tencent Cloud KMS. It answers once the promise is resolved.
 * @param options - see {@link EmulatorOptions}
 * @returns the emulator, which the caller closes
 * @throws EmulatorConfigurationError (`ERR_ARGUMENT`) for options, documents and files that it cannot be started with, and for an
 *   address that is not loopback without credentials; FengniError as `openFileKeystore` of backend-local, for `data`; Error with
 *   the system's code, such as `EADDRINUSE`, when it cannot listen
 *
 * @example
 * const emulator = await startEmulator();
 * const { endpoint, secretId, secretKey } = emulator;
 * // Point a client at them.
 * await emulator.close();
 */
export function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  return assembleEmulator(options, handle);
}
