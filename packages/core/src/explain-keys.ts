// Which of an envelope's keys an encrypted data key is for, and whether that key would open it, told without opening one.
// Must know nothing of headers and policies, and change nothing of the keys' standing.
import { bytesToUtf8 } from "@fengni/crypto/bytes";
import { type ErrorCode, isFengniError } from "./errors.js";
import type { ExplainedDataKey, ExplainedKey, ExplainedKeyState, KeyMatch, ProviderAdmin } from "./explain-types.js";
import { withDeadline } from "./key-deadline.js";
import type { CallOptions, KeyDescription } from "./provider.js";
import { describeKey, type UnwrappingPolicy } from "./unwrapping.js";
import type { EncryptedDataKey, UnwrappingKey } from "./wrapping-key.js";

/** Who is asked. */
export interface ExplainKeysPlan {
  readonly policy: UnwrappingPolicy;
  readonly admins: ReadonlyMap<string, ProviderAdmin["admin"]>;
}

/**
 * Asks each key about each encrypted data key, and of those that match the state: at most as many questions as there are
 * pairs, and one more for each encrypted data key. Each has the policy's deadline; who could not be reached is not asked
 * again.
 * @throws the signal's reason
 */
export async function explainKeys(
  plan: ExplainKeysPlan,
  encryptedDataKeys: readonly EncryptedDataKey[],
  options: CallOptions,
): Promise<ExplainedDataKey[]> {
  const unreachable = new Set<object>();
  const states = new Map<string, Promise<KeyStanding>>();
  const explained: ExplainedDataKey[] = [];
  for (const encryptedDataKey of encryptedDataKeys) {
    const keys: ExplainedKey[] = [];
    for (const key of plan.policy.keys) {
      const match = await matchOf(plan.policy, key, encryptedDataKey, unreachable, options);
      keys.push({ name: key.name, match, isDemoted: plan.policy.health.isDemoted(key) });
    }
    // Of a key that nobody here would use the state is of no account, and the message could name any.
    const isMatched = keys.some(({ match }) => match === "yes");
    const standing: KeyStanding = isMatched
      ? await standingOf(plan, encryptedDataKey, states, unreachable, options)
      : NOT_ASKED;
    const { providerId } = encryptedDataKey;
    explained.push({ providerId, description: describeKey(encryptedDataKey), keys, ...standing });
  }
  return explained;
}

async function matchOf(
  policy: UnwrappingPolicy,
  key: UnwrappingKey,
  encryptedDataKey: EncryptedDataKey,
  unreachable: Set<object>,
  options: CallOptions,
): Promise<KeyMatch> {
  options.signal?.throwIfAborted();
  if (key.matches === undefined || unreachable.has(key)) return "unknown";
  const call = async (callOptions: CallOptions): Promise<boolean> =>
    (await key.matches?.(encryptedDataKey, callOptions)) === true;
  try {
    return (await withDeadline(key.name, policy.deadlineMs, options, call, () => {})) ? "yes" : "no";
  } catch (error) {
    options.signal?.throwIfAborted();
    if (isFengniError(error) && error.retryable) unreachable.add(key);
    return "unknown";
  }
}

type KeyStanding = Pick<ExplainedDataKey, "state" | "refusal">;

const NOT_ASKED: KeyStanding = { state: "not-asked" };
const UNKNOWN: KeyStanding = { state: "unknown" };

function standingOf(
  { policy, admins }: ExplainKeysPlan,
  { providerId, providerInfo }: EncryptedDataKey,
  states: Map<string, Promise<KeyStanding>>,
  unreachable: Set<object>,
  options: CallOptions,
): Promise<KeyStanding> | KeyStanding {
  const admin = admins.get(providerId);
  const keyId = textOf(providerInfo);
  if (admin === undefined || keyId === undefined) return NOT_ASKED;
  const asked = JSON.stringify([providerId, keyId]);
  const known = states.get(asked);
  if (known !== undefined) return known;
  if (unreachable.has(admin)) return UNKNOWN;
  const call = async (callOptions: CallOptions): Promise<KeyDescription> => admin.describeKey(keyId, callOptions);
  const standing = withDeadline(keyId, policy.deadlineMs, options, call, () => {}).then(
    (key) => standingSaid(keyId, key),
    (error: unknown) => {
      options.signal?.throwIfAborted();
      if (isFengniError(error) && error.retryable) unreachable.add(admin);
      return isFengniError(error, "ERR_KEY_NOT_FOUND") ? refused("not-found", "ERR_KEY_NOT_FOUND") : UNKNOWN;
    },
  );
  states.set(asked, standing);
  return standing;
}

function standingSaid(keyId: string, key: KeyDescription): KeyStanding {
  // An alias in the place of an id: of what the message names nothing was told.
  if (key?.keyId !== keyId) return UNKNOWN;
  if (key.keyUsage === "sign-verify") return refused(key.state, "ERR_KEY_USAGE");
  switch (key.state) {
    case "enabled":
    case "archived":
      return { state: key.state };
    case "disabled":
    case "pending-deletion":
    case "pending-import":
      return refused(key.state, "ERR_KEY_STATE");
    default:
      // Of a state that this version does not know.
      return UNKNOWN;
  }
}

function refused(state: ExplainedKeyState, refusal: ErrorCode): KeyStanding {
  return { state, refusal };
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return bytesToUtf8(bytes);
  } catch {
    return undefined;
  }
}
