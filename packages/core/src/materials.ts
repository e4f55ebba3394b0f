// What messages are sealed with: a data key, wrapped, and the context with the signature's verification key. Must know nothing
// of frames, or of headers beyond the encrypted data keys.
import { bytesToBase64, wipe } from "@fengni/crypto/bytes";
import { serializeContext } from "./context.js";
import { argumentError, FengniError } from "./errors.js";
import { generateMessageSigningKey, type MessageSigningKey } from "./message-signature.js";
import type { CallOptions, EncryptionContext } from "./provider.js";
import { type AlgorithmSuite, publicKeyContextKey } from "./suites.js";
import { serializeEncryptedDataKeys } from "./wire/header.js";
import { generateWrapped, keysOf, type WrappingPolicy } from "./wrapping.js";

/** What a message is sealed with; may serve many messages of the same suite and context. */
export interface SealingMaterials {
  readonly suite: AlgorithmSuite;
  readonly dataKey: Uint8Array;
  readonly signingKey: MessageSigningKey | undefined;
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
 * Has a data key made and wrapped under the policy, and with it what every message of this suite and context shares.
 * The caller wipes `dataKey`.
 */
export async function generateMaterials(
  request: SealingRequest,
  policy: WrappingPolicy,
  options: CallOptions,
): Promise<SealingMaterials> {
  const { suite } = request;
  if (keysOf(policy).length === 0) {
    throw new FengniError("ERR_NOT_SUPPORTED", "this envelope has no wrapping key: it can only open messages", {
      details: { operation: "encrypt" },
    });
  }
  const bound = bindSigningKey(request);
  options.signal?.throwIfAborted();
  const wrapped = await generateWrapped(policy, suite.dataKeyBytes, bound.context, options);
  try {
    const encryptedDataKeys = serializeEncryptedDataKeys(wrapped.encryptedDataKeys);
    const { signingKey, storedContext, unstoredContext } = bound;
    return { suite, dataKey: wrapped.dataKey, signingKey, storedContext, unstoredContext, encryptedDataKeys };
  } catch (error) {
    wipe(wrapped.dataKey);
    throw error;
  }
}

/** A context with the verification key in it, where the suite signs. */
export interface BoundContext extends Pick<SealingMaterials, "signingKey" | "storedContext" | "unstoredContext"> {
  /** The whole context, which data keys are bound to. */
  readonly context: EncryptionContext;
}

/**
 * Makes the signing key where the suite signs, and puts its public half into the context.
 * @throws `ERR_LIMIT`, `ERR_ARGUMENT` for a context that cannot be written: before any key is asked for
 */
export function bindSigningKey({ suite, context: given, unstoredContextKeys }: SealingRequest): BoundContext {
  const context: Record<string, string> = Object.assign(Object.create(null), given);
  const split = splitContext(given, unstoredContextKeys);
  const stored: Record<string, string> = Object.assign(Object.create(null), split.stored);
  let signingKey: MessageSigningKey | undefined;
  if (suite.signature !== undefined) {
    signingKey = generateMessageSigningKey(suite.signature);
    const publicKey = bytesToBase64(signingKey.publicKey);
    // Always stored: without it nobody could verify the message.
    context[publicKeyContextKey(suite.signature)] = publicKey;
    stored[publicKeyContextKey(suite.signature)] = publicKey;
  }
  const storedContext = serializeContext(stored);
  const unstoredContext = serializeContext(split.unstored);
  serializeContext(context);
  return { context, signingKey, storedContext, unstoredContext };
}
