// Wrapping keys that tell what they are asked and how they answered. They must change nothing of either.
import type { CallOptions } from "./provider.js";
import { type Emit, failureOf, type ProviderCallEvent, timedSince } from "./telemetry.js";
import type { EncryptedDataKey, UnwrappingKey, WrappedDataKey, WrappingKey } from "./wrapping-key.js";

/**
 * A key that only opens, and emits one `provider-call` for each call: when it is answered, or when its signal aborts,
 * because a key that never answers is what a listener wants to hear of. It has the contract's members and no others.
 */
export function observedUnwrappingKey(key: UnwrappingKey, emit: Emit): UnwrappingKey {
  return {
    get name(): string {
      return key.name;
    },
    ...optionalMembers(key),
    unwrapDataKey: (request, options): Promise<Uint8Array | undefined> =>
      observed(key, "unwrap-data-key", emit, options, () => key.unwrapDataKey(request, options)),
  };
}

/** A key that wraps and opens, and emits as {@link observedUnwrappingKey}. */
export function observedWrappingKey(key: WrappingKey, emit: Emit): WrappingKey {
  return {
    get name(): string {
      return key.name;
    },
    ...optionalMembers(key),
    generateDataKey: (request, options): Promise<WrappedDataKey> =>
      observed(key, "generate-data-key", emit, options, () => key.generateDataKey(request, options)),
    wrapDataKey: (request, options): Promise<EncryptedDataKey> =>
      observed(key, "wrap-data-key", emit, options, () => key.wrapDataKey(request, options)),
    unwrapDataKey: (request, options): Promise<Uint8Array | undefined> =>
      observed(key, "unwrap-data-key", emit, options, () => key.unwrapDataKey(request, options)),
  };
}

/** What a key may have or lack: a member that is there and undefined would be another answer than none. */
function optionalMembers(key: UnwrappingKey): Pick<UnwrappingKey, "algorithms" | "matches"> {
  return {
    ...(key.algorithms !== undefined && { algorithms: key.algorithms }),
    ...(key.matches !== undefined && { matches: key.matches.bind(key) }),
  };
}

async function observed<Answer>(
  key: UnwrappingKey,
  operation: ProviderCallEvent["operation"],
  emit: Emit,
  options: CallOptions | undefined,
  call: () => Promise<Answer>,
): Promise<Answer> {
  const signal = options?.signal;
  const startedAt = performance.now();
  let isOver = false;
  const end = (ending: Pick<ProviderCallEvent, "outcome" | "errorCode" | "retryable">): void => {
    if (isOver) return;
    isOver = true;
    signal?.removeEventListener("abort", onAbort);
    emit({ type: "provider-call", operation, key: key.name, ...ending, ...timedSince(startedAt) });
  };
  const onAbort = (): void => end(failureOf(signal?.reason, signal));
  signal?.addEventListener("abort", onAbort);
  try {
    const answer = await call();
    end({ outcome: answer === undefined && operation === "unwrap-data-key" ? "not-mine" : "ok" });
    return answer;
  } catch (error) {
    end(failureOf(error, signal));
    throw error;
  }
}
