// The whole public surface of the emulator.
export { DEFAULT_OWNER_UIN } from "./accounts.js";
export { ADMIN_TOKEN_HEADER } from "./admin.js";
export type { Emulator } from "./assemble.js";
export { AUDIT_RING_ENTRIES, type AuditEntry, type AuditListener, AuditLog } from "./audit.js";
export { EmulatorConfigurationError } from "./configuration-error.js";
export { startEmulator } from "./emulator.js";
export { FAULT_KINDS, type FaultKind, type FaultRule, MAX_LATENCY_MS } from "./fault-rules.js";
export { type ActiveFault, Faults } from "./faults.js";
export {
  type CredentialsFile,
  MAX_CREDENTIALS_BYTES,
  MAX_POLICY_FILES,
  readCredentialsFile,
  readPolicyFolder,
} from "./files.js";
export {
  DEFAULT_HOST,
  DEFAULT_MAX_BODY_BYTES,
  DEFAULT_MAX_CONNECTIONS,
  DEFAULT_REGIONS,
  type EmulatorOptions,
} from "./options.js";
export {
  DEFAULT_CRYPTOGRAPHIC_PER_SECOND,
  DEFAULT_OTHER_PER_SECOND,
  type RateLimitOptions,
} from "./rate-limit.js";
export { isSameFile } from "./same-file.js";
export { MAX_HEADER_BYTES, type TlsOptions } from "./server.js";
