// The key of a cached data key: its suite and what it is bound to. Must know nothing of the cache.
import { bytesToBase64 } from "@fengni/crypto/bytes";
import { digest } from "@fengni/crypto/hash";
import type { EncryptionContext } from "./provider.js";

/** Longest text that is its own cache key; longer ones are hashed. */
const MAX_PLAIN_KEY = 1024;

/** One key per suite and per what the data key is bound to; the lengths keep the parts apart. */
export function cacheKey(suiteId: number, stored: Uint8Array, unstored: Uint8Array): string {
  const lengths = `${suiteId} ${stored.length} ${unstored.length} `;
  if (stored.length + unstored.length > MAX_PLAIN_KEY)
    return lengths + bytesToBase64(digest("sha256", stored, unstored));
  return lengths + latin1(stored) + latin1(unstored);
}

/**
 * As {@link cacheKey}, of contexts that are not serialised; in form unlike its keys.
 * @returns undefined for contexts that are long, or that have text which no context may have: then {@link cacheKey} serves
 */
export function shortCacheKey(
  suiteId: number,
  stored: EncryptionContext,
  unstored: EncryptionContext,
): string | undefined {
  const storedText = contextText(stored);
  const key = `text ${suiteId} ${storedText.length} ${storedText}${contextText(unstored)}`;
  return key.length > MAX_PLAIN_KEY || LONE_SURROGATE.test(key) ? undefined : key;
}

// With the u flag a proper pair is one code point, so that this matches halves that stand alone only.
const LONE_SURROGATE = /\p{Surrogate}/u;

/** One text per content, whatever the order of its pairs. */
function contextText(context: EncryptionContext): string {
  let text = "";
  for (const key of Object.keys(context).sort()) {
    const value = context[key] as string;
    text += `${key.length} ${value.length} ${key}${value}`;
  }
  return text;
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode.apply(null, bytes as unknown as number[]);
}
