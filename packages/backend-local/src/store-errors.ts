// The errors that stores of every kind give. It must not know how records are kept.
import { FengniError } from "@fengni/core";
import { argumentError } from "./checks.js";
import type { RecordAddress } from "./records.js";

/** The store was closed. */
export function storeClosed(): FengniError<"ERR_CLOSED"> {
  return new FengniError("ERR_CLOSED", "the local KMS was closed: make or open it again");
}

/** The file is damaged, or no key store. */
export function storeDamaged(why: string, cause?: unknown): FengniError<"ERR_STORE_DAMAGED"> {
  return new FengniError(
    "ERR_STORE_DAMAGED",
    `the key store cannot be used: ${why}`,
    cause === undefined ? {} : { cause },
  );
}

/** A record was found where it does not belong. */
export function indexDamaged(): FengniError<"ERR_STORE_DAMAGED"> {
  return storeDamaged("its indexes were changed");
}

/** Somebody else writes; a later try may succeed. */
export function storeBusy(why: string, cause?: unknown): FengniError<"ERR_STORE_BUSY"> {
  return new FengniError("ERR_STORE_BUSY", `the key store is busy: ${why}`, { retryable: true, cause });
}

/** The store cannot be written as things are. */
export function storeUnwritable(why: string, cause?: unknown): FengniError<"ERR_STORE_BUSY"> {
  return new FengniError("ERR_STORE_BUSY", `the key store cannot be written: ${why}`, { cause });
}

/** A record lost a secret, or never had it. */
export function secretMissing({ kind, id }: RecordAddress, slot: number): FengniError<"ERR_STORE_DAMAGED"> {
  return storeDamaged(`secret ${slot} of ${kind} ${id} is not there`);
}

/** Another record of the kind and region has the name. */
export function nameTaken(name: string): FengniError<"ERR_CONFLICT"> {
  return new FengniError("ERR_CONFLICT", `the name "${name}" is in use: choose another`, { details: { name } });
}

/** A secret was given for a record that is not there. */
export function noSuchRecord({ kind, region, id }: RecordAddress): TypeError {
  return argumentError(`there is no ${kind} ${id} in ${region} to keep a secret of: put it first`);
}

/** A transaction was used outside its change, or a change was begun inside another. */
export function outsideChange(): TypeError {
  return argumentError("the records of a change may be used inside that change only, and a change not inside another");
}
