// The whole public surface of backend-local.
export type { KeyLifecycle } from "./admin.js";
export {
  DEFAULT_LIST_LIMIT,
  MAX_ALIAS_CHARACTERS,
  MAX_CONTEXT_CHARACTERS,
  MAX_DATA_KEY_BYTES,
  MAX_DESCRIPTION_BYTES,
  MAX_LIST_LIMIT,
  MAX_MESSAGE_BYTES,
  MAX_PENDING_WINDOW_DAYS,
  MAX_PLAINTEXT_BYTES,
  MIN_PENDING_WINDOW_DAYS,
} from "./checks.js";
export { type Clock, ManualClock, systemClock } from "./clock.js";
export type { KeyRecord, KeyTable, KeyVersion } from "./keys.js";
export { LocalKms, type LocalKmsOptions } from "./kms.js";
export { DEFAULT_PROVIDER_ID, LocalKeyAdmin, LocalKeyProvider, type LocalKeyProviderOptions } from "./provider.js";
export {
  DEFAULT_PUBLIC_KEY_PROVIDER_ID,
  type PublicKeyOptions,
  PublicKeyProvider,
  type PublicKeyProviderOptions,
} from "./public-key-provider.js";
export { DEFAULT_SCRYPT_COST, type RootKey, type ScryptCost } from "./seal-root-key.js";
export { KEY_SPECS } from "./specs.js";
export { type Refusal, STATE_TABLE, type StatefulOperation, type StateRow } from "./states.js";
export type { ChangeOptions, KeyStore, KeyTransaction } from "./store.js";
export { type FileKeystoreOptions, openFileKeystore } from "./store-file.js";
