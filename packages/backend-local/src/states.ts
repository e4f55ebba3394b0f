// The state table: in which state a key may be used or changed, and what state it is in afterwards. Data only; it must not know
// how an operation is carried out.
import { type AdminOperation, FengniError, type KeyState, type ProviderOperation } from "@fengni/core";

/** The operations that a key's state may forbid. `reEncrypt` is `decrypt` for its source and `encrypt` for its destination. */
export type StatefulOperation =
  | Exclude<ProviderOperation, "reEncrypt">
  | Exclude<AdminOperation, "createKey" | "listKeys">;

/** A refused operation: what the caller can do about it. */
export interface Refusal {
  readonly advice: string;
}

/** One row of the table: per state, the state after the operation, or why it is refused. */
export type StateRow = Readonly<Record<KeyState, KeyState | Refusal>>;

const enableFirst: Refusal = { advice: "enable it first" };
const cancelFirst: Refusal = { advice: "cancel its deletion first" };
const disableFirst: Refusal = { advice: "disable it first" };
const notScheduled: Refusal = { advice: "its deletion is not scheduled" };
const alreadyScheduled: Refusal = { advice: "its deletion is scheduled already" };

const USE: StateRow = { enabled: "enabled", disabled: enableFirst, "pending-deletion": cancelFirst };
const READ: StateRow = { enabled: "enabled", disabled: "disabled", "pending-deletion": "pending-deletion" };
const UPDATE: StateRow = { enabled: "enabled", disabled: "disabled", "pending-deletion": cancelFirst };

/** The table that docs/local-kms.md shows. */
export const STATE_TABLE: Readonly<Record<StatefulOperation, StateRow>> = {
  generateDataKey: USE,
  encrypt: USE,
  decrypt: USE,
  sign: USE,
  verify: USE,
  rotateKey: USE,
  getPublicKey: READ,
  describeKey: READ,
  updateAlias: UPDATE,
  updateDescription: UPDATE,
  enableKey: { enabled: "enabled", disabled: "enabled", "pending-deletion": cancelFirst },
  disableKey: { enabled: "disabled", disabled: "disabled", "pending-deletion": cancelFirst },
  scheduleKeyDeletion: { enabled: disableFirst, disabled: "pending-deletion", "pending-deletion": alreadyScheduled },
  cancelKeyDeletion: { enabled: notScheduled, disabled: notScheduled, "pending-deletion": "disabled" },
};

/**
 * The state in which an operation leaves a key.
 * @throws FengniError `ERR_KEY_STATE` with the key's id and state when the table refuses the operation
 */
export function stateAfter(
  operation: StatefulOperation,
  key: { readonly keyId: string; readonly state: KeyState },
): KeyState {
  const cell = STATE_TABLE[operation][key.state];
  if (typeof cell === "string") return cell;
  throw new FengniError(
    "ERR_KEY_STATE",
    `key ${key.keyId} is ${key.state}, which forbids ${operation}: ${cell.advice}`,
    {
      details: { keyId: key.keyId, state: key.state },
    },
  );
}
