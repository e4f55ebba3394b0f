// Wrapping one data key under the keys of an envelope: which are required, which optional, how many at least. Must know
// nothing of suites, messages or caches.
import { wipe } from "@fengni/crypto/bytes";
import { FengniError, isFengniError, listed, shown } from "./errors.js";
import { withDeadline } from "./key-deadline.js";
import type { KeyHealth } from "./key-health.js";
import type { CallOptions, EncryptionContext } from "./provider.js";
import type { EncryptedDataKey, UnwrappingKey, WrappedDataKey, WrappingKey } from "./wrapping-key.js";

/** How data keys are wrapped. */
export interface WrappingPolicy {
  /** Keys without which no message is written. */
  readonly required: readonly WrappingKey[];
  /** Keys that wrap too where they can. */
  readonly optional: readonly WrappingKey[];
  /** Fewest keys that must have wrapped a data key. */
  readonly minimum: number;
  /** How long one call may take, in milliseconds. */
  readonly deadlineMs: number;
  readonly health: KeyHealth;
  /** Told of an optional key that did not wrap. */
  readonly onIncomplete?: ((key: string, error: unknown) => void) | undefined;
}

/** A data key, and what every key that wrapped it made of it, in the policy's order. */
export interface MultiplyWrappedDataKey {
  /** The caller wipes it. */
  readonly dataKey: Uint8Array;
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
}

/** Every key of the policy, the required ones first. */
export function keysOf(policy: WrappingPolicy): readonly WrappingKey[] {
  return policy.optional.length === 0 ? policy.required : [...policy.required, ...policy.optional];
}

/**
 * Has the first required key generate a data key, or the healthiest optional one where none is required, and the others
 * wrap it, side by side.
 * @throws what a required key rejects with; `ERR_UNAVAILABLE` when fewer than `minimum` keys wrapped
 */
export async function generateWrapped(
  policy: WrappingPolicy,
  dataKeyBytes: number,
  context: EncryptionContext,
  options: CallOptions,
): Promise<MultiplyWrappedDataKey> {
  const outcomes: Outcomes = new Map();
  const dataKey = await generate(policy, dataKeyBytes, context, options, outcomes);
  try {
    return { dataKey, encryptedDataKeys: await wrapAll(policy, dataKey, context, options, outcomes) };
  } catch (error) {
    wipe(dataKey);
    throw error;
  }
}

/**
 * Wraps a data key that is there already, side by side.
 * @param skip - keys that need not wrap it, because they have: they count for the policy
 * @returns what those keys made of it that wrapped it now, in the policy's order
 * @throws as {@link generateWrapped}
 */
export function wrapDataKeyWith(
  policy: WrappingPolicy,
  dataKey: Uint8Array,
  context: EncryptionContext,
  options: CallOptions,
  skip: (key: WrappingKey) => boolean = () => false,
): Promise<EncryptedDataKey[]> {
  const outcomes: Outcomes = new Map();
  for (const key of keysOf(policy)) if (skip(key)) outcomes.set(key, {});
  return wrapAll(policy, dataKey, context, options, outcomes);
}

/** What became of a key that was asked. */
interface Outcome {
  /** Absent: it had wrapped the data key before, or it failed. */
  readonly encryptedDataKey?: EncryptedDataKey;
  readonly failure?: { readonly error: unknown };
}

type Outcomes = Map<WrappingKey, Outcome>;

async function generate(
  policy: WrappingPolicy,
  dataKeyBytes: number,
  context: EncryptionContext,
  options: CallOptions,
  outcomes: Outcomes,
): Promise<Uint8Array> {
  const [first] = policy.required;
  const candidates = first === undefined ? policy.health.inOrder(policy.optional) : [first];
  let failure: unknown;
  for (const generator of candidates) {
    options.signal?.throwIfAborted();
    try {
      const call = (callOptions: CallOptions): Promise<WrappedDataKey> =>
        generator.generateDataKey({ dataKeyBytes, encryptionContext: context }, callOptions);
      const answer = await asked(policy, generator, options, call, (late) => wipeIfBytes(late?.dataKey));
      const { dataKey, encryptedDataKey } = checkedGenerated(generator, answer, dataKeyBytes);
      outcomes.set(generator, { encryptedDataKey });
      return dataKey;
    } catch (error) {
      options.signal?.throwIfAborted();
      outcomes.set(generator, { failure: { error } });
      failure ??= error;
    }
  }
  throw failure;
}

/** Asks those that were not asked yet; `outcomes` grows by their answers. */
async function wrapAll(
  policy: WrappingPolicy,
  dataKey: Uint8Array,
  context: EncryptionContext,
  options: CallOptions,
  outcomes: Outcomes,
): Promise<EncryptedDataKey[]> {
  const ask = async (keys: readonly WrappingKey[]): Promise<void> => {
    const unasked = keys.filter((key) => !outcomes.has(key));
    // Waits for all: nobody reads the data key any more when the caller wipes it.
    await Promise.all(
      unasked.map(async (key) => {
        try {
          outcomes.set(key, { encryptedDataKey: await wrapOne(policy, key, dataKey, context, options) });
        } catch (error) {
          outcomes.set(key, { failure: { error } });
        }
      }),
    );
    options.signal?.throwIfAborted();
  };
  const isDown = (key: WrappingKey): boolean => policy.health.isDemoted(key);
  await ask([...policy.required, ...policy.optional.filter((key) => !isDown(key))]);
  for (const key of policy.required) {
    const failure = outcomes.get(key)?.failure;
    if (failure !== undefined) throw failure.error;
  }
  // An optional key that could not be reached of late would cost every message its deadline: asked only where it is needed.
  const count = (): number => [...outcomes.values()].filter(({ failure }) => failure === undefined).length;
  if (count() < policy.minimum) await ask(policy.optional);
  for (const key of policy.optional) {
    const outcome = outcomes.get(key) ?? { failure: { error: notAsked(key) } };
    if (outcome.failure !== undefined) policy.onIncomplete?.(key.name, outcome.failure.error);
  }
  if (count() < policy.minimum) throw tooFew(policy, count(), outcomes);
  return keysOf(policy).flatMap((key) => outcomes.get(key)?.encryptedDataKey ?? []);
}

async function wrapOne(
  policy: WrappingPolicy,
  key: WrappingKey,
  dataKey: Uint8Array,
  context: EncryptionContext,
  options: CallOptions,
): Promise<EncryptedDataKey> {
  // A key that answers after its deadline would read a data key that is wiped by then: and wrap zeros. It gets a copy.
  const copy = dataKey.slice();
  const call = (callOptions: CallOptions): Promise<EncryptedDataKey> =>
    key.wrapDataKey({ dataKey: copy, encryptionContext: context }, callOptions);
  try {
    return checkedEncryptedDataKey(key, await asked(policy, key, options, call, () => {}));
  } finally {
    wipe(copy);
  }
}

async function asked<Value>(
  policy: WrappingPolicy,
  key: WrappingKey,
  options: CallOptions,
  call: (options: CallOptions) => Promise<Value>,
  discard: (late: Value) => void,
): Promise<Value> {
  try {
    const value = await withDeadline(key.name, policy.deadlineMs, options, call, discard);
    policy.health.answered(key);
    return value;
  } catch (error) {
    if (options.signal?.aborted !== true) policy.health.failed(key, error);
    throw error;
  }
}

function notAsked(key: WrappingKey): FengniError<"ERR_UNAVAILABLE"> {
  const text = `wrapping key ${shown(key.name)} was not asked, because it could not be reached shortly before`;
  return new FengniError("ERR_UNAVAILABLE", text, { retryable: true });
}

function tooFew(policy: WrappingPolicy, count: number, outcomes: Outcomes): FengniError<"ERR_UNAVAILABLE"> {
  const failures = [...outcomes].flatMap(([{ name }, { failure }]) =>
    failure === undefined ? [] : [{ name, error: failure.error }],
  );
  const names = listed(failures.map(({ name }) => shown(name)));
  const text = `${count} of at least ${policy.minimum} wrapping keys wrapped the data key; these did not: ${names}`;
  const retryable = failures.some(({ error }) => isFengniError(error) && error.retryable);
  return new FengniError("ERR_UNAVAILABLE", text, { cause: failures[0]?.error, retryable });
}

function checkedGenerated(key: WrappingKey, answer: WrappedDataKey, dataKeyBytes: number): WrappedDataKey {
  const dataKey = answer?.dataKey;
  if (!isBytes(dataKey)) throw wrongAnswer(key, "no data key");
  try {
    if (dataKey.length !== dataKeyBytes) throw wrongAnswer(key, "a data key of the wrong length");
    // As a buffer is that was given out before, and wiped: everybody could open what is sealed with it.
    if (dataKey.every((byte) => byte === 0)) throw wrongAnswer(key, "a data key of zeros");
    return { dataKey, encryptedDataKey: checkedEncryptedDataKey(key, answer.encryptedDataKey) };
  } catch (error) {
    wipe(dataKey);
    throw error;
  }
}

/**
 * What a wrapping key gives is written into messages: bytes that are none would make one that nobody can open.
 * @returns a copy: the key may go on with its buffers while others are waited for
 */
function checkedEncryptedDataKey(key: UnwrappingKey, answer: EncryptedDataKey): EncryptedDataKey {
  const isWhole = typeof answer?.providerId === "string" && isBytes(answer.providerInfo) && isBytes(answer.ciphertext);
  if (!isWhole) throw wrongAnswer(key, "no encrypted data key of text and bytes");
  const { providerId, providerInfo, ciphertext } = answer;
  return { providerId, providerInfo: new Uint8Array(providerInfo), ciphertext: new Uint8Array(ciphertext) };
}

/** Whether a value is bytes, of any realm. */
export function isBytes(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === "[object Uint8Array]";
}

function wipeIfBytes(value: unknown): void {
  if (isBytes(value)) wipe(value);
}

/** A key of the application's own broke its contract. */
export function wrongAnswer(key: UnwrappingKey, what: string): FengniError<"ERR_UNAVAILABLE"> {
  return new FengniError("ERR_UNAVAILABLE", `wrapping key ${shown(key.name)} answered wrongly: it gave ${what}`);
}
