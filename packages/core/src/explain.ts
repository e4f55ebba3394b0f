// Says of a message whether an envelope would open it, and why, without opening it: its policies by the very engine that
// opens messages, its keys by what they say of themselves. Must know no bytes on the wire.
import { assertBytes } from "@fengni/crypto/bytes";
import { requireContext } from "./context.js";
import { MessageDecryptor } from "./decryptor.js";
import { FengniError, isFengniError, shown } from "./errors.js";
import { explainKeys } from "./explain-keys.js";
import {
  checkExplainOptions,
  type ExplainedDataKey,
  type ExplainOptions,
  type ExplainReason,
  type ExplainVerdict,
  type MessageExplanation,
} from "./explain-types.js";
import { inspect, type MessageHeader } from "./message-header.js";
import { type ContextExpectation, contextExpectation, type HeaderOpener } from "./opening.js";
import { type CallOptions, callOptions, type EncryptionContext } from "./provider.js";

/** Most encrypted data keys that a header can state. */
const MOST_ENCRYPTED_DATA_KEYS = 0xffff;

/**
 * Explains a message.
 * @param message - a message, or its beginning: the header must be whole
 * @throws TypeError (`ERR_ARGUMENT`); for a header that cannot be read as `inspect`, but `ERR_LIMIT`; the signal's reason
 */
export async function explainMessage(
  opener: HeaderOpener,
  message: Uint8Array,
  options: ExplainOptions,
): Promise<MessageExplanation> {
  const admins = checkExplainOptions(options);
  assertBytes(message, "message");
  const expectation = contextExpectation(options);
  const call = callOptions(options.signal);
  // A header over the envelope's limits is explained too: its bytes are here, and nothing is made that is longer than they.
  const header = inspect(message, {
    maxEncryptedDataKeys: MOST_ENCRYPTED_DATA_KEYS,
    maxHeaderLength: Number.MAX_SAFE_INTEGER,
  });
  const refusals = [
    ...(await refusalOf(opener, message.subarray(0, header.headerLength), call)),
    ...contextRefusals(header.encryptionContext, expectation),
  ];
  // No more of them than the envelope would take.
  const examined = header.encryptedDataKeys.slice(0, opener.policy.limits.maxEncryptedDataKeys);
  const encryptedDataKeys = await explainKeys({ policy: opener.policy.unwrapping, admins }, examined, call);
  const keys = explainVerdict(encryptedDataKeys, header);
  return {
    verdict: refusals.length > 0 ? "cannot-open" : keys.verdict,
    reasons: [...refusals, ...keys.reasons],
    header,
    isAccepted: refusals.length === 0,
    encryptedDataKeys,
  };
}

/** What stops the engine before it asks for the data key. */
async function refusalOf(opener: HeaderOpener, header: Uint8Array, { signal }: CallOptions): Promise<ExplainReason[]> {
  signal?.throwIfAborted();
  const { limits, maxFrameLength } = opener.policy;
  let isPassed = false;
  const decryptor = new MessageDecryptor({
    limits,
    maxFrameLength,
    refuseSigned: false,
    signal,
    accept: (parsed) => opener.accept(parsed),
    open: async () => {
      isPassed = true;
      throw new FengniError("ERR_CLOSED", "the message is explained, not opened");
    },
  });
  try {
    await decryptor.update(header);
  } catch (error) {
    if (isPassed) return [];
    signal?.throwIfAborted();
    if (!isFengniError(error)) throw error;
    return [{ code: error.code, text: error.message }];
  } finally {
    decryptor.abort();
  }
  return [];
}

/** Every pair that is not as the caller said, as `HeaderOpener` joins and checks them. */
function contextRefusals(stored: EncryptionContext, { expected, reproduced }: ContextExpectation): ExplainReason[] {
  const whole: Record<string, string> = Object.assign(Object.create(null), stored, reproduced);
  const both = Object.entries(reproduced).filter(([key]) => Object.hasOwn(stored, key));
  return [
    ...both.flatMap(([key, value]) => contextRefusal(stored, key, value)),
    ...Object.entries(expected).flatMap(([key, value]) => contextRefusal(whole, key, value)),
  ];
}

function contextRefusal(context: EncryptionContext, key: string, value: string): ExplainReason[] {
  try {
    // A key like any other: of a literal it would be the prototype.
    requireContext(context, Object.assign(Object.create(null), { [key]: value }));
    return [];
  } catch (error) {
    if (!isFengniError(error)) throw error;
    return [{ code: error.code, text: error.message }];
  }
}

interface KeysVerdict {
  readonly verdict: ExplainVerdict;
  readonly reasons: readonly ExplainReason[];
}

function explainVerdict(dataKeys: readonly ExplainedDataKey[], header: MessageHeader): KeysVerdict {
  const reasons = [...dataKeys.flatMap(reasonsOf), ...demotions(dataKeys)];
  const isMatched = (dataKey: ExplainedDataKey): boolean => dataKey.keys.some(({ match }) => match === "yes");
  const matched = dataKeys.filter(isMatched);
  if (matched.some(({ state, refusal }) => refusal === undefined && state !== "unknown")) {
    return { verdict: "can-open", reasons };
  }
  const isOpen = (dataKey: ExplainedDataKey): boolean =>
    dataKey.keys.some(({ match }) => match === "unknown") || dataKey.state === "unknown";
  if (dataKeys.some(isOpen)) return { verdict: "cannot-tell", reasons };
  if (matched.length > 0) return { verdict: "cannot-open", reasons };
  const count = header.encryptedDataKeys.length;
  const [first] = dataKeys;
  const named = count === 1 && first !== undefined ? first.description : `${count} keys, none of which is configured`;
  const text = `no configured wrapping key matches this message: its data key is wrapped by ${named}`;
  return { verdict: "cannot-open", reasons: [{ code: "ERR_NO_MATCHING_KEY", text }, ...reasons] };
}

function reasonsOf({ description, keys, state, refusal }: ExplainedDataKey): ExplainReason[] {
  const reasons: ExplainReason[] = [];
  for (const { name, match } of keys) {
    if (match === "no") continue;
    reasons.push(
      match === "yes"
        ? { code: "key-matches", text: `wrapping key ${shown(name)} matches ${description}` }
        : {
            code: "key-cannot-tell",
            text: `wrapping key ${shown(name)} does not tell whether ${description} is its own`,
          },
    );
  }
  if (refusal !== undefined)
    reasons.push({ code: refusal, text: `${description} would not open it: ${whyRefused(state, refusal)}` });
  if (state === "unknown") {
    reasons.push({ code: "state-unknown", text: `the state of ${description} was asked for and not told` });
  }
  return reasons;
}

/** One for each key that would be asked after the others. */
function demotions(dataKeys: readonly ExplainedDataKey[]): ExplainReason[] {
  const names = new Set(
    dataKeys.flatMap(({ keys }) => keys.filter((key) => key.isDemoted && key.match !== "no").map(({ name }) => name)),
  );
  return [...names].map((name) => ({
    code: "key-demoted",
    text: `wrapping key ${shown(name)} could not be reached of late: it is asked after the others`,
  }));
}

function whyRefused(state: ExplainedDataKey["state"], refusal: string): string {
  if (refusal === "ERR_KEY_USAGE") return "it is a key for signatures";
  return state === "not-found" ? "there is no such key" : `its state is ${state}`;
}
