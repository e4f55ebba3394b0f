// The state table: in which state a key may be used or changed, and what state it is in afterwards. Data only; it must not know
// how an operation is carried out.
import { FengniError, type KeyState } from "@fengni/core";
import type { KmsOperation } from "./operations.js";

/** Why the table refuses an operation; stable, in the `details` of `ERR_KEY_STATE`. */
export type StateRefusal =
  | "key-disabled"
  | "key-archived"
  | "state-not-supported"
  | "should-be-disabled"
  | "not-pending-deletion";

/** A refused operation, and what the caller can do about it. */
export interface Refusal {
  readonly reason: StateRefusal;
  readonly advice: string;
}

/** One row of the table: per state, the state after the operation, or why it is refused. */
export type StateRow = Readonly<Record<KeyState, KeyState | Refusal>>;

const disabled: Refusal = { reason: "key-disabled", advice: "enable it first" };
const archived: Refusal = { reason: "key-archived", advice: "cancel its archiving first" };
const noMaterial: Refusal = { reason: "state-not-supported", advice: "import its key material first" };
const deleting: Refusal = { reason: "state-not-supported", advice: "cancel its deletion first" };
const notArchived: Refusal = { reason: "state-not-supported", advice: "it is not archived" };
const disableFirst: Refusal = { reason: "should-be-disabled", advice: "disable it first" };
const notDeleting: Refusal = { reason: "not-pending-deletion", advice: "its deletion is not scheduled" };
const alreadyDeleting: Refusal = { reason: "state-not-supported", advice: "its deletion is scheduled already" };

/** Makes something new with the key. */
const SEAL: StateRow = {
  enabled: "enabled",
  disabled,
  "pending-import": noMaterial,
  "pending-deletion": deleting,
  archived,
};
/** Opens or checks what the key made: an archived key still does. */
const OPEN: StateRow = { ...SEAL, archived: "archived" };
const ROTATE: StateRow = SEAL;
const READ: StateRow = {
  enabled: "enabled",
  disabled: "disabled",
  "pending-import": "pending-import",
  "pending-deletion": "pending-deletion",
  archived: "archived",
};
const UPDATE: StateRow = { ...READ, "pending-deletion": deleting };
const ENABLE: StateRow = { ...SEAL, disabled: "enabled" };
const DISABLE: StateRow = { ...SEAL, enabled: "disabled", disabled: "disabled" };
const IMPORT: StateRow = { ...UPDATE, archived };

/** The operations on one key that its state may forbid. `reEncrypt` is `decrypt` for its source and `encrypt` for its destination. */
export type KeyOperation = Extract<
  KmsOperation,
  | "encrypt"
  | "generateDataKey"
  | "importDataKey"
  | "signByAsymmetricKey"
  | "postQuantumCryptoEncrypt"
  | "postQuantumCryptoSign"
  | "decrypt"
  | "getDataKeyPlaintext"
  | "asymmetricRsaDecrypt"
  | "asymmetricSm2Decrypt"
  | "verifyByAsymmetricKey"
  | "postQuantumCryptoDecrypt"
  | "postQuantumCryptoVerify"
  | "getPublicKey"
  | "describeKey"
  | "describeKeys"
  | "getKeyRotationStatus"
  | "getKeyAttributes"
  | "setKeyAttributes"
  | "updateAlias"
  | "updateKeyDescription"
  | "bindCloudResource"
  | "unbindCloudResource"
  | "enableKey"
  | "enableKeys"
  | "disableKey"
  | "disableKeys"
  | "enableKeyRotation"
  | "disableKeyRotation"
  | "rotateKey"
  | "getParametersForImport"
  | "importKeyMaterial"
  | "deleteImportedKeyMaterial"
  | "archiveKey"
  | "cancelKeyArchive"
  | "scheduleKeyDeletion"
  | "cancelKeyDeletion"
>;

/** The table that docs/local-kms.md shows. */
export const STATE_TABLE: Readonly<Record<KeyOperation, StateRow>> = {
  encrypt: SEAL,
  generateDataKey: SEAL,
  importDataKey: SEAL,
  signByAsymmetricKey: SEAL,
  postQuantumCryptoEncrypt: SEAL,
  postQuantumCryptoSign: SEAL,
  decrypt: OPEN,
  getDataKeyPlaintext: OPEN,
  asymmetricRsaDecrypt: OPEN,
  asymmetricSm2Decrypt: OPEN,
  verifyByAsymmetricKey: OPEN,
  postQuantumCryptoDecrypt: OPEN,
  postQuantumCryptoVerify: OPEN,
  getPublicKey: READ,
  describeKey: READ,
  describeKeys: READ,
  getKeyRotationStatus: READ,
  getKeyAttributes: READ,
  setKeyAttributes: UPDATE,
  updateAlias: UPDATE,
  updateKeyDescription: UPDATE,
  bindCloudResource: UPDATE,
  unbindCloudResource: UPDATE,
  enableKey: ENABLE,
  enableKeys: ENABLE,
  disableKey: DISABLE,
  disableKeys: DISABLE,
  enableKeyRotation: ROTATE,
  disableKeyRotation: UPDATE,
  rotateKey: ROTATE,
  getParametersForImport: IMPORT,
  // A key that was disabled or archived when its material went is so again (import.ts).
  importKeyMaterial: { ...IMPORT, "pending-import": "enabled" },
  deleteImportedKeyMaterial: { ...IMPORT, enabled: "pending-import", disabled: "pending-import" },
  archiveKey: {
    enabled: "archived",
    disabled: "archived",
    "pending-import": noMaterial,
    "pending-deletion": deleting,
    archived: "archived",
  },
  cancelKeyArchive: {
    enabled: notArchived,
    disabled: notArchived,
    "pending-import": notArchived,
    "pending-deletion": notArchived,
    archived: "enabled",
  },
  scheduleKeyDeletion: {
    enabled: disableFirst,
    disabled: "pending-deletion",
    "pending-import": "pending-deletion",
    "pending-deletion": alreadyDeleting,
    archived: disableFirst,
  },
  // A key without material waits for import again (lifecycle.ts).
  cancelKeyDeletion: {
    enabled: notDeleting,
    disabled: notDeleting,
    "pending-import": notDeleting,
    "pending-deletion": "disabled",
    archived: notDeleting,
  },
};

/**
 * The state in which an operation leaves a key.
 * @throws FengniError `ERR_KEY_STATE` with the key's id, its state and the reason when the table refuses the operation
 */
export function stateAfter(operation: KeyOperation, key: { readonly id: string; readonly state: KeyState }): KeyState {
  const cell = STATE_TABLE[operation][key.state];
  if (typeof cell === "string") return cell;
  throw new FengniError("ERR_KEY_STATE", `key ${key.id} is ${key.state}, which forbids ${operation}: ${cell.advice}`, {
    details: { keyId: key.id, state: key.state, reason: cell.reason },
  });
}
