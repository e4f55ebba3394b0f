// Opening one of a message's encrypted data keys: in the caller's order, the keys that answer first, with a deadline each.
// Must know nothing of suites, messages or caches.
import { wipe } from "@fengni/crypto/bytes";
import { AggregateUnwrapError, authenticationError, FengniError, listed, shown, type UnwrapAttempt } from "./errors.js";
import { withDeadline } from "./key-deadline.js";
import type { KeyHealth } from "./key-health.js";
import type { CallOptions, EncryptionContext } from "./provider.js";
import { isBytes, wrongAnswer } from "./wrapping.js";
import type { EncryptedDataKey, UnwrappingKey } from "./wrapping-key.js";

/** How data keys are opened. */
export interface UnwrappingPolicy {
  /** In the order in which they are tried. */
  readonly keys: readonly UnwrappingKey[];
  /** How long one call may take, in milliseconds. */
  readonly deadlineMs: number;
  readonly health: KeyHealth;
}

/** Encrypted data keys of one message, any of which will do. */
export interface UnwrappingOrder {
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  /** Length that the data key must have, in bytes. */
  readonly dataKeyBytes: number;
  /** The whole context: what the header stores and what the caller reproduced. */
  readonly context: EncryptionContext;
}

/**
 * Opens one of the encrypted data keys: the caller's keys in the caller's order, those that could not be reached of late
 * last, each with the encrypted data keys in theirs. The caller wipes the data key.
 * @throws `ERR_NO_MATCHING_KEY`, {@link AggregateUnwrapError}, which says what each key answered
 */
export async function unwrapDataKey(
  policy: UnwrappingPolicy,
  order: UnwrappingOrder,
  options: CallOptions,
): Promise<Uint8Array> {
  const attempts: UnwrapAttempt[] = [];
  for (const key of policy.health.inOrder(policy.keys)) {
    for (const encryptedDataKey of order.encryptedDataKeys) {
      options.signal?.throwIfAborted();
      try {
        const dataKey = await ask(policy, key, encryptedDataKey, order, options);
        if (dataKey !== undefined) return dataKey;
      } catch (error) {
        options.signal?.throwIfAborted();
        policy.health.failed(key, error);
        attempts.push({ providerId: encryptedDataKey.providerId, key: key.name, error });
        // Who could not be reached would cost its deadline again for each further encrypted data key.
        if (policy.health.isDemoted(key)) break;
      }
    }
  }
  if (attempts.length > 0) throw new AggregateUnwrapError(attempts);
  const available = [...new Set(order.encryptedDataKeys.map(describeKey))];
  throw new FengniError(
    "ERR_NO_MATCHING_KEY",
    `no configured wrapping key matches this message: its data key is wrapped by ${listed(available)}`,
    { details: { available } },
  );
}

async function ask(
  policy: UnwrappingPolicy,
  key: UnwrappingKey,
  encryptedDataKey: EncryptedDataKey,
  { dataKeyBytes, context }: UnwrappingOrder,
  options: CallOptions,
): Promise<Uint8Array | undefined> {
  const dataKey = await withDeadline(
    key.name,
    policy.deadlineMs,
    options,
    (callOptions) => key.unwrapDataKey({ encryptedDataKey, dataKeyBytes, encryptionContext: context }, callOptions),
    (late) => {
      if (isBytes(late)) wipe(late);
    },
  );
  if (dataKey === undefined) return undefined;
  if (!isBytes(dataKey)) throw wrongAnswer(key, "no data key");
  policy.health.answered(key);
  if (dataKey.length === dataKeyBytes) return dataKey;
  // The same answer as for a key that does not open: RSA with PKCS#1 padding answers failure with a random length.
  wipe(dataKey);
  throw authenticationError();
}

/** Which key an encrypted data key names: its provider, and the provider's information as far as it is text. */
export function describeKey({ providerId, providerInfo }: EncryptedDataKey): string {
  const end = providerInfo.indexOf(0);
  const text = new TextDecoder().decode(end < 0 ? providerInfo : providerInfo.subarray(0, end));
  return `${shown(providerId)} key ${shown(text)}`;
}
