// Branch keys that Tencent Cloud KMS keeps as hosted data keys: how core's store over hosted data keys asks it. It must not know
// how versions are named or chosen.
import { type BranchKeyAdmin, type HostedDataKey, hostedBranchKeyStore } from "@fengni/core";
import { argumentError, checkFields } from "./checks.js";
import { answerError, bytesIn, keyIdIn, requireKey, textIn, timeIn } from "./key-answers.js";
import { KeyService, type KeyServiceOptions } from "./key-service.js";
import { checkText } from "./request-checks.js";

/** How hosted branch keys are made and found. */
export interface HostedBranchKeysOptions extends Pick<KeyServiceOptions, "region"> {
  /** Id of the key that wraps new versions, and those that it wrapped. */
  readonly keyId: string;
  /** Ids of keys that wrapped older versions; a version under any other key does not count. */
  readonly formerKeyIds?: readonly string[];
}

const PAGE_LIMIT = 200;
const DATA_KEY_BYTES = 32;
/** More than anybody makes of one branch key. */
const MAX_LISTED = 20_000;

/**
 * Branch keys that the KMS keeps itself, as hosted data keys. Opening a version takes two requests, ListDataKeyDetail and
 * GetDataKeyPlaintext, each time, so put a `BranchKeyring` before it; making one takes GenerateDataKey beside. A version that is
 * disabled is not given out (`ERR_KEY_STATE`), also when it is the active one; one that is deleted is gone with all that it sealed.
 * @param client - a `TencentKmsClient`; the caller closes it
 * @returns the store; its `rewrap` rejects with `ERR_NOT_SUPPORTED`
 * @throws TypeError or RangeError `ERR_ARGUMENT`
 *
 * @example
 * const store = hostedBranchKeys(client, { keyId: "23e80852-1e38-11e9-b129-5cb9019b4b01" });
 * await store.create("acme");
 */
export function hostedBranchKeys(
  client: KeyServiceOptions["client"],
  options: HostedBranchKeysOptions,
): BranchKeyAdmin {
  checkFields("hostedBranchKeys", options, ["keyId", "formerKeyIds", "region"]);
  const { region, formerKeyIds = [] } = options;
  if (!Array.isArray(formerKeyIds)) throw argumentError("formerKeyIds expected a list of ids");
  const [keyId, ...former] = [options.keyId, ...formerKeyIds].map((id) => checkText("keyId", id).toLowerCase());
  if (keyId === undefined) throw argumentError("keyId expected an id");
  const kms = new KeyService("store of branch keys", { client, ...(region === undefined ? {} : { region }) });
  const service: Parameters<typeof hostedBranchKeyStore>[0] = {
    async list(namePart, callOptions) {
      const action = "ListDataKeyDetail";
      const found: HostedDataKey[] = [];
      for (;;) {
        // The oldest first, so that what is made meanwhile does not shift the pages.
        const page = { Offset: found.length, Limit: PAGE_LIMIT, OrderType: 1, SearchKeyAlias: namePart };
        const answer = await kms.call(action, page, callOptions);
        const dataKeys = answer.DataKeyMetadatas ?? [];
        for (const dataKey of dataKeys) {
          found.push({
            dataKeyId: textIn(action, "DataKeyId", dataKey.DataKeyId),
            dataKeyName: textIn(action, "DataKeyName", dataKey.DataKeyName),
            keyId: keyIdIn(action, dataKey.KeyId),
            numberOfBytes: dataKey.NumberOfBytes ?? 0,
            isGenerated: dataKey.Origin === "TENCENT_KMS",
            createdAtMs: timeIn(action, "CreateTime", dataKey.CreateTime),
          });
        }
        const { TotalCount: total } = answer;
        // A part of the versions could lack the active one.
        if (typeof total !== "number") throw answerError(action, "TotalCount is not a number");
        if (dataKeys.length === 0 || found.length >= total) return found;
        if (found.length >= MAX_LISTED) throw answerError(action, "it goes on without an end");
      }
    },
    async generate(dataKeyName, description, callOptions) {
      const action = "GenerateDataKey";
      const hosting = { IsHostedByKms: 1, DataKeyName: dataKeyName, Description: description };
      const params = { KeyId: keyId, NumberOfBytes: DATA_KEY_BYTES, ...hosting };
      const answer = await kms.call(action, params, callOptions);
      requireKey(action, answer.KeyId, keyId);
      return textIn(action, "DataKeyId", answer.DataKeyId);
    },
    async plaintext(dataKeyId, callOptions) {
      const action = "GetDataKeyPlaintext";
      const answer = await kms.call(action, { DataKeyId: dataKeyId }, callOptions);
      return bytesIn(action, "Plaintext", answer.Plaintext);
    },
  };
  return hostedBranchKeyStore(service, [keyId, ...former]);
}
