// Who may have which alias. It must not know what a key is for.
import { FengniError } from "@fengni/core";
import { checkAlias, rangeError } from "./checks.js";
import type { RecordView } from "./store.js";

/** Aliases that begin with this are for keys that products own. */
export const RESERVED_ALIAS_PREFIX = "kms-";

/** An alias for a key of this owner. @throws TypeError or RangeError `ERR_ARGUMENT`; FengniError `ERR_LIMIT` */
export function checkOwnedAlias(alias: string, owner: string): string {
  checkAlias(alias);
  if (owner === "user" && alias.startsWith(RESERVED_ALIAS_PREFIX)) {
    throw rangeError(
      `alias expected a name that does not begin with "${RESERVED_ALIAS_PREFIX}", which is for products`,
    );
  }
  return alias;
}

/** @throws FengniError `ERR_CONFLICT` when a key with another id has the alias */
export function requireFreeAlias(records: RecordView, region: string, alias: string, id: string): void {
  const holder = records.findName("key", region, alias);
  if (holder === undefined || holder.id === id) return;
  throw new FengniError("ERR_CONFLICT", `the alias "${alias}" belongs to key ${holder.id}: choose another`, {
    details: { name: alias, reason: "alias-exists" },
  });
}
