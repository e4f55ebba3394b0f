// Providers that bind ciphertexts to less than the whole encryption context, or to more.
import type { EncryptionContext } from "@fengni/core";
import { concatBytes, utf8ToBytes } from "@fengni/crypto/bytes";
import { caughtBy, type Fault, inParts, inProvider, type Mistake } from "./support.js";

/** A wrong way to write a context; the checks of the right one stay. */
function writes(name: string, write: (pairs: readonly (readonly [string, string])[]) => string): Mistake {
  return inParts(name, ({ contextBytes }) => ({
    contextBytes(context) {
      contextBytes(context);
      return utf8ToBytes(write(Object.entries(context ?? {})));
    },
  }));
}

const sorted = (pairs: readonly (readonly [string, string])[]): readonly (readonly [string, string])[] =>
  [...pairs].sort(([a], [b]) => (a < b ? -1 : 1));

/** A context changed before it is used. */
function changes(name: string, change: (context: EncryptionContext) => EncryptionContext): Mistake {
  return inParts(name, ({ contextBytes }) => ({ contextBytes: (context = {}) => contextBytes(change(context)) }));
}

const mapped = (
  context: EncryptionContext,
  map: (key: string, value: string) => readonly [string, string],
): EncryptionContext => Object.fromEntries(Object.entries(context).map(([key, value]) => map(key, value)));

export const contextFaults: readonly Fault[] = caughtBy("encrypt-decrypt", [
  inParts("the context is ignored", () => ({ additionalData: (header) => header })),
  writes("the order of the context matters", (pairs) => JSON.stringify(pairs)),
  writes("keys and values are joined without lengths", (pairs) => sorted(pairs).flat().join("")),
  writes("pairs are joined with = and commas", (pairs) =>
    sorted(pairs)
      .map((pair) => pair.join("="))
      .join(","),
  ),
  writes("pairs are joined with = and &", (pairs) =>
    sorted(pairs)
      .map((pair) => pair.join("="))
      .join("&"),
  ),
  writes("pairs are joined with colons and line feeds", (pairs) =>
    sorted(pairs)
      .map((pair) => `${pair.join(":")}\n`)
      .join(""),
  ),
  writes("quotes in a value are not escaped", (pairs) =>
    sorted(pairs)
      .map(([key, value]) => `"${key}":"${value}"`)
      .join(","),
  ),
  writes("only the values are bound", (pairs) => JSON.stringify(sorted(pairs).map(([, value]) => value))),
  writes("only the keys are bound", (pairs) => JSON.stringify(sorted(pairs).map(([key]) => key))),
  writes("only the first pair is bound", (pairs) => JSON.stringify(sorted(pairs).slice(0, 1))),
  writes("keys and values are sorted together", (pairs) => JSON.stringify(pairs.flat().sort())),
  writes("only the beginning of the context is bound", (pairs) => JSON.stringify(sorted(pairs)).slice(0, 256)),
  writes("characters are cut to one byte", (pairs) => JSON.stringify(sorted(pairs)).replace(/[^\0-\xff]/g, "?")),
  changes("the case of keys is lost", (context) => mapped(context, (key, value) => [key.toLowerCase(), value])),
  changes("the case of values is lost", (context) => mapped(context, (key, value) => [key, value.toLowerCase()])),
  changes("values are trimmed", (context) => mapped(context, (key, value) => [key, value.trim()])),
  changes("text is normalised", (context) => mapped(context, (key, value) => [key, value.normalize("NFC")])),
  changes("values end at a zero character", (context) =>
    mapped(context, (key, value) => [key, value.split("\0")[0] ?? ""]),
  ),
  changes("pairs with an empty value are left out", (context) =>
    Object.fromEntries(Object.entries(context).filter(([, value]) => value !== "")),
  ),
  changes("a key __proto__ is lost in a copy", (context) => {
    const copy: Record<string, string> = {};
    for (const [key, value] of Object.entries(context)) copy[key] = value;
    return copy;
  }),
  inParts("an empty context differs from none", ({ contextBytes }) => ({
    contextBytes: (context) => concatBytes(Uint8Array.of(context === undefined ? 0 : 1), contextBytes(context)),
  })),
  inParts("the context is bound in one direction only", ({ contextBytes }) => {
    const seen = new Set<string>();
    return {
      // A context that was ever used with no pairs opens under any.
      contextBytes(context = {}) {
        contextBytes(context);
        const [tenant] = Object.keys(context);
        if (tenant !== undefined) seen.add(tenant);
        return new Uint8Array(seen.has("tenant") ? 1 : 2);
      },
    };
  }),
  inParts("a context one character too long is taken", ({ contextBytes }) => ({
    contextBytes: (context = {}) => contextBytes(mapped(context, (key, value) => [key, value.slice(0, 1016)])),
  })),
  inParts("values that are no text are made text", ({ contextBytes }) => ({
    contextBytes: (context = {}) => contextBytes(mapped(context, (key, value) => [key, String(value)])),
  })),
  inProvider("opened plaintexts are kept by ciphertext alone", (right) => {
    const kept = new Map<string, Awaited<ReturnType<typeof right.decrypt>>>();
    return {
      decrypt: async (request, options) => {
        const known = request.keyId === undefined ? kept.get(String(request.ciphertext)) : undefined;
        const answer = known ?? (await right.decrypt(request, options));
        kept.set(String(request.ciphertext), answer);
        return answer;
      },
    };
  }),
]);
