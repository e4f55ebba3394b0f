// The state table of hosted data keys: in which state one may be used or changed, and what state it is in afterwards. Data only; it
// must not know how an operation is carried out.
import { FengniError } from "@fengni/core";
import type { KmsOperation } from "./operations.js";
import type { DataKeyRecord } from "./records.js";
import type { Refusal } from "./states.js";

/** The states of a hosted data key. */
export type DataKeyState = DataKeyRecord["state"];

/** One row of the table: per state, the state after the operation, or why it is refused. */
export type DataKeyStateRow = Readonly<Record<DataKeyState, DataKeyState | Refusal>>;

const disabled: Refusal = { reason: "key-disabled", advice: "enable it first" };
const deleting: Refusal = { reason: "state-not-supported", advice: "cancel its deletion first" };
const disableFirst: Refusal = { reason: "should-be-disabled", advice: "disable it first" };
const notDeleting: Refusal = { reason: "not-pending-deletion", advice: "its deletion is not scheduled" };
const alreadyDeleting: Refusal = { reason: "state-not-supported", advice: "its deletion is scheduled already" };

const READ: DataKeyStateRow = { enabled: "enabled", disabled: "disabled", "pending-deletion": "pending-deletion" };
const UPDATE: DataKeyStateRow = { ...READ, "pending-deletion": deleting };
const ENABLE: DataKeyStateRow = { ...UPDATE, disabled: "enabled" };
const DISABLE: DataKeyStateRow = { ...UPDATE, enabled: "disabled" };

/** The operations on one hosted data key that its state may forbid. */
export type DataKeyOperation = Extract<
  KmsOperation,
  | "getDataKeyPlaintext"
  | "getDataKeyCiphertextBlob"
  | "describeDataKey"
  | "describeDataKeys"
  | "enableDataKey"
  | "enableDataKeys"
  | "disableDataKey"
  | "disableDataKeys"
  | "updateDataKeyName"
  | "updateDataKeyDescription"
  | "scheduleDataKeyDeletion"
  | "cancelDataKeyDeletion"
>;

/** The table that docs/local-kms.md shows. The wrapping key's own state counts for `getDataKeyPlaintext` besides. */
export const DATA_KEY_STATE_TABLE: Readonly<Record<DataKeyOperation, DataKeyStateRow>> = {
  getDataKeyPlaintext: { enabled: "enabled", disabled, "pending-deletion": deleting },
  getDataKeyCiphertextBlob: READ,
  describeDataKey: READ,
  describeDataKeys: READ,
  enableDataKey: ENABLE,
  enableDataKeys: ENABLE,
  disableDataKey: DISABLE,
  disableDataKeys: DISABLE,
  updateDataKeyName: UPDATE,
  updateDataKeyDescription: UPDATE,
  scheduleDataKeyDeletion: {
    enabled: disableFirst,
    disabled: "pending-deletion",
    "pending-deletion": alreadyDeleting,
  },
  cancelDataKeyDeletion: { enabled: notDeleting, disabled: notDeleting, "pending-deletion": "disabled" },
};

/**
 * The state in which an operation leaves a hosted data key.
 * @throws FengniError `ERR_KEY_STATE` with its id, its state and the reason when the table refuses the operation
 */
export function dataKeyStateAfter(operation: DataKeyOperation, record: DataKeyRecord): DataKeyState {
  const { id, state } = record;
  const cell = DATA_KEY_STATE_TABLE[operation][state];
  if (typeof cell === "string") return cell;
  throw new FengniError("ERR_KEY_STATE", `data key ${id} is ${state}, which forbids ${operation}: ${cell.advice}`, {
    details: { keyId: id, state, reason: cell.reason },
  });
}
