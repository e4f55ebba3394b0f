// Branch keys that a local KMS keeps as hosted data keys: how core's store over hosted data keys asks it. It must not know how
// versions are named or chosen.
import { type BranchKeyAdmin, FengniError, type HostedDataKey, hostedBranchKeyStore } from "@fengni/core";
import { wipe } from "@fengni/crypto/bytes";
import type { LocalCallOptions } from "./access.js";
import { checkFields, checkText, MAX_LIST_LIMIT } from "./checks.js";
import type { LocalKms } from "./kms.js";

/** How hosted branch keys are made and found. */
export interface HostedBranchKeysOptions extends Pick<LocalCallOptions, "region" | "caller"> {
  /** Id or alias of the key that wraps new versions, and those that it wrapped. */
  readonly keyId: string;
  /** Ids or aliases of keys that wrapped older versions; a version under any other key does not count. */
  readonly formerKeyIds?: readonly string[];
}

/**
 * Branch keys that a local KMS keeps itself, as hosted data keys. A version is told by two calls, the list of versions and the data
 * key; both are repeated at each call, so put a `BranchKeyring` before it. A version that is disabled is not given out
 * (`ERR_KEY_STATE`), also when it is the active one; one that is deleted is gone with all that it sealed.
 * @returns the store; its `rewrap` rejects with `ERR_NOT_SUPPORTED`
 * @throws TypeError or RangeError `ERR_ARGUMENT`
 *
 * @example
 * const store = hostedBranchKeys(kms, { keyId: "tenants" });
 * await store.create("acme");
 */
export function hostedBranchKeys(kms: LocalKms, options: HostedBranchKeysOptions): BranchKeyAdmin {
  checkFields("hostedBranchKeys", options, ["keyId", "formerKeyIds", "region", "caller"]);
  const { formerKeyIds = [], region, caller } = options;
  const keyId = checkText("keyId", options.keyId);
  const own = { ...(region === undefined ? {} : { region }), ...(caller === undefined ? {} : { caller }) };
  const service: Parameters<typeof hostedBranchKeyStore>[0] = {
    async list(search, callOptions) {
      const found: HostedDataKey[] = [];
      for (;;) {
        const page = { search, order: "oldest-first", offset: found.length, limit: MAX_LIST_LIMIT } as const;
        const { dataKeys, total } = await kms.listDataKeyDetail(page, { ...callOptions, ...own });
        for (const { origin, ...dataKey } of dataKeys) found.push({ ...dataKey, isGenerated: origin === "provider" });
        if (dataKeys.length === 0 || found.length >= total) return found;
      }
    },
    async generate(dataKeyName, description, callOptions) {
      const request = { keyId, numberOfBytes: 32, isHostedByKms: true, dataKeyName, description };
      const { plaintext, dataKeyId } = await kms.generateDataKey(request, { ...callOptions, ...own });
      wipe(plaintext);
      if (dataKeyId !== undefined) return dataKeyId;
      throw new FengniError("ERR_UNAVAILABLE", "the KMS did not keep the data key of a branch key");
    },
    async plaintext(dataKeyId, callOptions) {
      return (await kms.getDataKeyPlaintext({ dataKeyId }, { ...callOptions, ...own })).plaintext;
    },
  };
  return hostedBranchKeyStore(service, [keyId, ...formerKeyIds]);
}
