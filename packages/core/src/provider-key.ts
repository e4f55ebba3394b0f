// A key of a KeyProvider as a wrapping key (docs/message-format.md, "Encrypted data keys of a key provider"). Checks that
// the key that answered is the key that was named: a service may authorise decryption without binding it to a key.
import { bytesToUtf8, utf8ToBytes, wipe } from "@fengni/crypto/bytes";
import { contextForProvider } from "./context.js";
import { authenticationError } from "./errors.js";
import type { CallOptions, EncryptionContext, KeyProvider } from "./provider.js";
import type {
  EncryptedDataKey,
  UnwrapDataKeyRequest,
  UnwrappingKey,
  WrappedDataKey,
  WrappingKey,
} from "./wrapping-key.js";

/**
 * A key of a provider, by id or alias, that wraps data keys and opens only what it wrapped itself.
 * @param keyId - key id or alias; an alias is resolved anew for each call to the provider
 */
export function providerKey(provider: KeyProvider, keyId: string): WrappingKey {
  return {
    name: keyId,
    async generateDataKey(request, options): Promise<WrappedDataKey> {
      const generated = await provider.generateDataKey(
        {
          keyId,
          numberOfBytes: request.dataKeyBytes,
          encryptionContext: contextFor(provider, request.encryptionContext),
        },
        options,
      );
      return {
        dataKey: generated.plaintext,
        encryptedDataKey: encryptedDataKeyOf(provider, generated.keyId, generated.ciphertext),
      };
    },
    async wrapDataKey(request, options): Promise<EncryptedDataKey> {
      const wrapped = await provider.encrypt(
        { keyId, plaintext: request.dataKey, encryptionContext: contextFor(provider, request.encryptionContext) },
        options,
      );
      return encryptedDataKeyOf(provider, wrapped.keyId, wrapped.ciphertext);
    },
    async unwrapDataKey(request, options): Promise<Uint8Array | undefined> {
      const named = keyNamedBy(provider, request.encryptedDataKey);
      if (named === undefined) return undefined;
      if (named !== keyId && named !== (await provider.resolveKeyId(keyId, options))) return undefined;
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
 */
export function discoverKeys(provider: KeyProvider, options: DiscoverKeysOptions = {}): UnwrappingKey {
  return {
    name: options.keyIds === undefined ? "any key" : `any of ${options.keyIds.length} keys`,
    async unwrapDataKey(request, callOptions): Promise<Uint8Array | undefined> {
      const named = keyNamedBy(provider, request.encryptedDataKey);
      if (named === undefined) return undefined;
      if (options.keyIds !== undefined && !options.keyIds.includes(named)) return undefined;
      return unwrapNamed(provider, named, request, callOptions);
    },
  };
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
