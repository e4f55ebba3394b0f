// Getting a message's data key: generated and wrapped by every wrapping key on the way in, unwrapped by one of them on the
// way out. Must know nothing of frames or headers beyond the encrypted data keys.
import { bytesToBase64, wipe } from "@fengni/crypto/bytes";
import { type EcdsaPrivateKey, generateEcdsaKey } from "@fengni/crypto/ecdsa";
import { PUBLIC_KEY_CONTEXT_KEY, serializeContext } from "./context.js";
import type { UnwrapAttempt } from "./errors.js";
import { AggregateUnwrapError, argumentError, authenticationError, FengniError, listed, shown } from "./errors.js";
import type { CallOptions, EncryptionContext } from "./provider.js";
import type { AlgorithmSuite } from "./suites.js";
import { type EncryptedDataKey, serializeEncryptedDataKeys } from "./wire/header.js";
import type { UnwrappingKey, WrappingKey } from "./wrapping-key.js";

/** What a message is sealed with; may serve many messages of the same suite and context. */
export interface SealingMaterials {
  readonly suite: AlgorithmSuite;
  readonly dataKey: Uint8Array;
  readonly signingKey: EcdsaPrivateKey | undefined;
  /** Serialised context that the header stores. */
  readonly storedContext: Uint8Array;
  /** Serialised context that the header's tag covers without storing it. */
  readonly unstoredContext: Uint8Array;
  /** Serialised encrypted data keys. */
  readonly encryptedDataKeys: Uint8Array;
}

export interface SealingRequest {
  readonly suite: AlgorithmSuite;
  /** The caller's context, checked. */
  readonly context: EncryptionContext;
  /** Keys of the context that are authenticated but not stored. */
  readonly unstoredContextKeys: readonly string[];
}

/** Splits a context by whether the header stores a key. */
export function splitContext(
  context: EncryptionContext,
  unstoredKeys: readonly string[],
): { readonly stored: EncryptionContext; readonly unstored: EncryptionContext } {
  if (unstoredKeys.length === 0) return { stored: context, unstored: {} };
  const stored: Record<string, string> = Object.create(null);
  const unstored: Record<string, string> = Object.create(null);
  for (const key of unstoredKeys) {
    if (!Object.hasOwn(context, key)) {
      throw argumentError(`unstoredContextKeys names "${key}", which is not in the encryption context`);
    }
  }
  for (const [key, value] of Object.entries(context)) (unstoredKeys.includes(key) ? unstored : stored)[key] = value;
  return { stored, unstored };
}

/**
 * Generates a data key with the first wrapping key and has the others wrap it too, side by side.
 * The caller wipes `dataKey`.
 */
export async function generateMaterials(
  request: SealingRequest,
  wrappingKeys: readonly WrappingKey[],
  options: CallOptions,
): Promise<SealingMaterials> {
  const { suite } = request;
  const [generator, ...others] = wrappingKeys;
  if (generator === undefined) {
    throw new FengniError("ERR_NOT_SUPPORTED", "this envelope has no wrapping key: it can only open messages", {
      details: { operation: "encrypt" },
    });
  }
  const context: Record<string, string> = Object.assign(Object.create(null), request.context);
  const signingKey = suite.signatureCurve === undefined ? undefined : generateEcdsaKey(suite.signatureCurve);
  if (signingKey !== undefined) context[PUBLIC_KEY_CONTEXT_KEY] = bytesToBase64(signingKey.publicKey);
  // Refuses a context that cannot be written before any key is asked for.
  const { stored, unstored } = splitContext(context, request.unstoredContextKeys);
  const storedContext = serializeContext(stored);
  const unstoredContext = serializeContext(unstored);
  serializeContext(context);

  options.signal?.throwIfAborted();
  const answer = await generator.generateDataKey({ dataKeyBytes: suite.keyBytes, encryptionContext: context }, options);
  if (!isBytes(answer?.dataKey)) throw wrongAnswer(generator, "no data key");
  const { dataKey, encryptedDataKey } = answer;
  try {
    if (dataKey.length !== suite.keyBytes) throw wrongAnswer(generator, "a data key of the wrong length");
    checkEncryptedDataKey(generator, encryptedDataKey);
    const wrapped = await settleAll(
      others.map(async (key) => {
        const wrappedKey = await key.wrapDataKey({ dataKey, encryptionContext: context }, options);
        checkEncryptedDataKey(key, wrappedKey);
        return wrappedKey;
      }),
    );
    const encryptedDataKeys = serializeEncryptedDataKeys([encryptedDataKey, ...wrapped]);
    return { suite, dataKey, signingKey, storedContext, unstoredContext, encryptedDataKeys };
  } catch (error) {
    wipe(dataKey);
    throw error;
  }
}

/** Waits for all before it rejects, so that nobody still reads the data key when it is wiped. */
async function settleAll<Value>(promises: readonly Promise<Value>[]): Promise<Value[]> {
  const values: Value[] = [];
  for (const result of await Promise.allSettled(promises)) {
    if (result.status === "rejected") throw result.reason;
    values.push(result.value);
  }
  return values;
}

export interface OpeningRequest {
  readonly suite: AlgorithmSuite;
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  /** The whole context: what the header stores and what the caller reproduced. */
  readonly context: EncryptionContext;
}

/**
 * Opens one of the encrypted data keys: the caller's keys in the caller's order, each with the encrypted data keys in
 * theirs. The caller wipes the data key.
 * @throws `ERR_NO_MATCHING_KEY`, {@link AggregateUnwrapError}
 */
export async function unwrapMaterials(
  request: OpeningRequest,
  unwrappingKeys: readonly UnwrappingKey[],
  options: CallOptions,
): Promise<Uint8Array> {
  const attempts: UnwrapAttempt[] = [];
  for (const key of unwrappingKeys) {
    for (const encryptedDataKey of request.encryptedDataKeys) {
      options.signal?.throwIfAborted();
      try {
        const dataKey = await key.unwrapDataKey(
          { encryptedDataKey, dataKeyBytes: request.suite.keyBytes, encryptionContext: request.context },
          options,
        );
        if (dataKey === undefined) continue;
        if (!isBytes(dataKey)) throw wrongAnswer(key, "no data key");
        if (dataKey.length === request.suite.keyBytes) return dataKey;
        // The same answer as for a key that does not open: RSA with PKCS#1 padding answers failure with a random length.
        wipe(dataKey);
        throw authenticationError();
      } catch (error) {
        options.signal?.throwIfAborted();
        attempts.push({ providerId: encryptedDataKey.providerId, key: key.name, error });
      }
    }
  }
  if (attempts.length > 0) throw new AggregateUnwrapError(attempts);
  const available = [...new Set(request.encryptedDataKeys.map(describeKey))];
  throw new FengniError(
    "ERR_NO_MATCHING_KEY",
    `no configured wrapping key matches this message: its data key is wrapped by ${listed(available)}`,
    { details: { available } },
  );
}

/** Which key an encrypted data key names: its provider, and the provider's information as far as it is text. */
function describeKey({ providerId, providerInfo }: EncryptedDataKey): string {
  const end = providerInfo.indexOf(0);
  const text = new TextDecoder().decode(end < 0 ? providerInfo : providerInfo.subarray(0, end));
  return `${shown(providerId)} key ${shown(text)}`;
}

/** What a wrapping key gives is written into messages: bytes that are none would make one that nobody can open. */
function checkEncryptedDataKey(key: UnwrappingKey, answer: EncryptedDataKey): void {
  const isWhole = typeof answer?.providerId === "string" && isBytes(answer.providerInfo) && isBytes(answer.ciphertext);
  if (!isWhole) throw wrongAnswer(key, "no encrypted data key of text and bytes");
}

function isBytes(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === "[object Uint8Array]";
}

function wrongAnswer(key: UnwrappingKey, what: string): FengniError<"ERR_UNAVAILABLE"> {
  return new FengniError("ERR_UNAVAILABLE", `wrapping key ${shown(key.name)} answered wrongly: it gave ${what}`);
}
