// Which of a message's encrypted data keys are whose, told without opening one. Must know nothing of headers or data keys.
import { FengniError, shown } from "./errors.js";
import { withDeadline } from "./key-deadline.js";
import type { CallOptions } from "./provider.js";
import { keysOf, type WrappingPolicy } from "./wrapping.js";
import type { EncryptedDataKey, WrappingKey } from "./wrapping-key.js";

/**
 * Whether each of the policy's keys matches exactly one encrypted data key, and each of these exactly one key. A key that
 * cannot tell, or cannot be reached, makes it false: wrapping anew is never wrong.
 */
export async function isCurrent(
  policy: WrappingPolicy,
  encryptedDataKeys: readonly EncryptedDataKey[],
  options: CallOptions,
): Promise<boolean> {
  const keys = keysOf(policy);
  if (keys.length !== encryptedDataKeys.length) return false;
  const left = new Set(encryptedDataKeys);
  for (const key of keys) {
    const matched = await matchedBy(policy, key, encryptedDataKeys, options).catch(() => {
      options.signal?.throwIfAborted();
      return undefined;
    });
    if (matched?.length !== 1 || !left.delete(matched[0] as EncryptedDataKey)) return false;
  }
  return true;
}

/**
 * The policy's keys that match one of the encrypted data keys. An optional key that cannot be reached does not.
 * @throws `ERR_NOT_SUPPORTED` for a key that cannot tell; what a required key rejects with
 */
export async function matchingKeys(
  policy: WrappingPolicy,
  encryptedDataKeys: readonly EncryptedDataKey[],
  options: CallOptions,
): Promise<ReadonlySet<WrappingKey>> {
  const matching = new Set<WrappingKey>();
  for (const key of keysOf(policy)) {
    const isOptional = !policy.required.includes(key);
    const matched = await matchedBy(policy, key, encryptedDataKeys, options).catch((error: unknown) => {
      options.signal?.throwIfAborted();
      if (!isOptional) throw error;
      return [];
    });
    if (matched === undefined) {
      throw new FengniError(
        "ERR_NOT_SUPPORTED",
        `wrapping key ${shown(key.name)} cannot tell which encrypted data keys are its own: rewrap without heal`,
        { details: { operation: "rewrap with heal" } },
      );
    }
    if (matched.length > 0) matching.add(key);
  }
  return matching;
}

/** The encrypted data keys that are the key's; undefined where it cannot tell. */
async function matchedBy(
  policy: WrappingPolicy,
  key: WrappingKey,
  encryptedDataKeys: readonly EncryptedDataKey[],
  options: CallOptions,
): Promise<readonly EncryptedDataKey[] | undefined> {
  if (key.matches === undefined) return undefined;
  const matched: EncryptedDataKey[] = [];
  for (const encryptedDataKey of encryptedDataKeys) {
    const call = async (callOptions: CallOptions): Promise<boolean> =>
      (await key.matches?.(encryptedDataKey, callOptions)) === true;
    if (await withDeadline(key.name, policy.deadlineMs, options, call, () => {})) matched.push(encryptedDataKey);
  }
  return matched;
}
