// A key of a KeyProvider as a wrapping key (docs/message-format.md, "Encrypted data keys of a key provider"). Checks that
// the key that answered is the key that was named: a service may authorise decryption without binding it to a key.
import { bytesToUtf8, utf8ToBytes, wipe } from "@fengni/crypto/bytes";
import { GM_ALGORITHMS } from "./algorithm-policy.js";
import { contextForProvider, contextToJson } from "./context.js";
import { argumentError, authenticationError, FengniError, limitError, shown } from "./errors.js";
import { checkOptions, hasMethods } from "./options.js";
import type { CallOptions, EncryptionContext, KeyProvider } from "./provider.js";
import type {
  EncryptedDataKey,
  UnwrapDataKeyRequest,
  UnwrappingKey,
  WrappedDataKey,
  WrappingKey,
} from "./wrapping-key.js";

/** What {@link providerKey} may be told of a key. */
export interface ProviderKeyOptions {
  /**
   * The algorithms of the key as its operator states them, for example `["SM4"]`: a provider need not tell. An algorithm
   * policy relies on it.
   */
  readonly algorithms?: readonly string[];
}

/**
 * A key of a provider, by id or alias, that wraps data keys and opens only what it wrapped itself. An alias that was moved
 * to another key names that one: keep the former key among the envelope's `unwrappingKeys` for as long as messages name it.
 * @param keyId - key id or alias; an alias is resolved by the provider
 * @throws TypeError (`ERR_ARGUMENT`)
 */
export function providerKey(provider: KeyProvider, keyId: string, keyOptions: ProviderKeyOptions = {}): WrappingKey {
  checkProvider("providerKey", provider, ["resolveKeyId", "generateDataKey", "encrypt", "decrypt"]);
  if (typeof keyId !== "string" || keyId === "") throw argumentError("keyId expected a key id or an alias");
  checkOptions("providerKey", keyOptions, ["algorithms"]);
  const isNamed = async (named: string, options: CallOptions | undefined): Promise<boolean> =>
    named === keyId || named === (await provider.resolveKeyId(keyId, options));
  const algorithms = checkTexts("algorithms", keyOptions.algorithms ?? []);
  const isGm = algorithms.length > 0 && algorithms.every((algorithm) => GM_ALGORITHMS.includes(algorithm));
  const sealingContext = (context: EncryptionContext): EncryptionContext => {
    const given = contextFor(provider, context);
    // The digest is SHA-256: not for a key whose operator states other algorithms.
    if (given !== context && isGm) {
      const maximum = provider.capabilities.maxContextCharacters ?? 0;
      const advice =
        "shorten it: a digest would be one of SHA-256, and the key states only algorithms of the SM family";
      throw limitError("encryption context in characters", maximum, contextToJson(context).length, advice);
    }
    return given;
  };
  return {
    name: keyId,
    ...(keyOptions.algorithms !== undefined && { algorithms }),
    async matches(encryptedDataKey, options): Promise<boolean> {
      const named = keyNamedBy(provider, encryptedDataKey);
      return named !== undefined && isNamed(named, options);
    },
    async generateDataKey(request, options): Promise<WrappedDataKey> {
      const generated = await provider.generateDataKey(
        {
          keyId,
          numberOfBytes: request.dataKeyBytes,
          encryptionContext: sealingContext(request.encryptionContext),
        },
        options,
      );
      if (!(await isNamed(generated.keyId, options))) {
        wipe(generated.plaintext);
        throw otherKey(keyId, generated.keyId);
      }
      return {
        dataKey: generated.plaintext,
        encryptedDataKey: encryptedDataKeyOf(provider, generated.keyId, generated.ciphertext),
      };
    },
    async wrapDataKey(request, options): Promise<EncryptedDataKey> {
      const wrapped = await provider.encrypt(
        { keyId, plaintext: request.dataKey, encryptionContext: sealingContext(request.encryptionContext) },
        options,
      );
      if (!(await isNamed(wrapped.keyId, options))) throw otherKey(keyId, wrapped.keyId);
      return encryptedDataKeyOf(provider, wrapped.keyId, wrapped.ciphertext);
    },
    async unwrapDataKey(request, options): Promise<Uint8Array | undefined> {
      const named = keyNamedBy(provider, request.encryptedDataKey);
      if (named === undefined || !(await isNamed(named, options))) return undefined;
      return unwrapNamed(provider, named, request, options);
    },
  };
}

/** Which keys of a provider {@link discoverKeys} may use. */
export interface DiscoverKeysOptions {
  /** Full key ids; absent: every key of the provider that this process may use. */
  readonly keyIds?: readonly string[];
}

/**
 * Opens whatever any key of the provider wrapped (discovery): opt in only where every key of the provider is trusted with
 * the data at hand. It cannot wrap.
 * @throws TypeError (`ERR_ARGUMENT`)
 */
export function discoverKeys(provider: KeyProvider, options: DiscoverKeysOptions = {}): UnwrappingKey {
  checkProvider("discoverKeys", provider, ["decrypt"]);
  checkOptions("discoverKeys", options, ["keyIds"]);
  const keyIds = options.keyIds === undefined ? undefined : checkTexts("keyIds", options.keyIds);
  return {
    name: keyIds === undefined ? "any key" : `any of ${keyIds.length} keys`,
    async matches(encryptedDataKey): Promise<boolean> {
      const named = keyNamedBy(provider, encryptedDataKey);
      return named !== undefined && (keyIds === undefined || keyIds.includes(named));
    },
    async unwrapDataKey(request, callOptions): Promise<Uint8Array | undefined> {
      const named = keyNamedBy(provider, request.encryptedDataKey);
      if (named === undefined) return undefined;
      if (keyIds !== undefined && !keyIds.includes(named)) return undefined;
      return unwrapNamed(provider, named, request, callOptions);
    },
  };
}

function checkProvider(where: string, provider: KeyProvider, methods: readonly string[]): void {
  if (!hasMethods(provider, methods) || typeof provider["providerId"] !== "string") {
    throw argumentError(`${where} expected a KeyProvider, with a providerId and the methods ${methods.join(", ")}`);
  }
}

/** A copy: what is changed in the caller's list afterwards must not change what is trusted. */
function checkTexts(name: string, texts: readonly string[]): readonly string[] {
  if (!Array.isArray(texts) || !texts.every((text) => typeof text === "string" && text !== "")) {
    throw argumentError(`${name} expected an array of text that is not empty`);
  }
  return [...texts];
}

function otherKey(asked: string, answered: string): FengniError<"ERR_UNAVAILABLE"> {
  return new FengniError(
    "ERR_UNAVAILABLE",
    `the provider was asked for key ${shown(asked)} and answered for ${shown(answered)}: nothing is sealed with its answer`,
  );
}

async function unwrapNamed(
  provider: KeyProvider,
  keyId: string,
  request: UnwrapDataKeyRequest,
  options: CallOptions | undefined,
): Promise<Uint8Array> {
  const { keyId: answered, plaintext } = await provider.decrypt(
    {
      ciphertext: request.encryptedDataKey.ciphertext,
      encryptionContext: contextFor(provider, request.encryptionContext),
      keyId,
    },
    options,
  );
  if (answered !== keyId) {
    wipe(plaintext);
    throw authenticationError(new Error("the provider answered for another key than the encrypted data key names"));
  }
  return plaintext;
}

function contextFor(provider: KeyProvider, context: EncryptionContext): EncryptionContext {
  return contextForProvider(context, provider.capabilities.maxContextCharacters);
}

function encryptedDataKeyOf(provider: KeyProvider, keyId: string, ciphertext: Uint8Array): EncryptedDataKey {
  return { providerId: provider.providerId, providerInfo: utf8ToBytes(keyId), ciphertext };
}

function keyNamedBy(provider: KeyProvider, key: EncryptedDataKey): string | undefined {
  if (key.providerId !== provider.providerId) return undefined;
  try {
    return bytesToUtf8(key.providerInfo);
  } catch {
    return undefined;
  }
}
