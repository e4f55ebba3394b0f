// Every deliberately wrong provider.
import { asymmetricDecryptFaults } from "./asymmetric-decrypt.js";
import { bufferFaults } from "./buffers.js";
import { cancellationFaults } from "./cancellation.js";
import { capabilitiesFaults } from "./capabilities.js";
import { concurrencyFaults } from "./concurrency.js";
import { contextFaults } from "./contexts.js";
import { dataKeyFaults } from "./data-keys.js";
import { encryptionFaults } from "./encrypt-decrypt.js";
import { envelopeFaults } from "./envelope.js";
import { errorFaults } from "./errors.js";
import { hygieneFaults } from "./hygiene.js";
import { importFaults } from "./import.js";
import { lifecycleFaults } from "./key-lifecycle.js";
import { stateFaults } from "./key-states.js";
import { postQuantumFaults } from "./post-quantum.js";
import { publicKeyFaults } from "./public-keys.js";
import { reEncryptFaults } from "./re-encrypt.js";
import { rotationFaults } from "./rotation.js";
import { shutdownFaults } from "./shutdown.js";
import { signingFaults } from "./signing.js";
import type { Fault } from "./support.js";
import { verifyingFaults } from "./verifying.js";

export const FAULTS: readonly Fault[] = [
  ...capabilitiesFaults,
  ...dataKeyFaults,
  ...contextFaults,
  ...encryptionFaults,
  ...reEncryptFaults,
  ...signingFaults,
  ...verifyingFaults,
  ...publicKeyFaults,
  ...asymmetricDecryptFaults,
  ...postQuantumFaults,
  ...lifecycleFaults,
  ...stateFaults,
  ...rotationFaults,
  ...importFaults,
  ...concurrencyFaults,
  ...cancellationFaults,
  ...errorFaults,
  ...hygieneFaults,
  ...bufferFaults,
  ...envelopeFaults,
  ...shutdownFaults,
];
