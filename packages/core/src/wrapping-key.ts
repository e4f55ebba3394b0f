// What an Envelope wraps data keys with. A key of a KeyProvider becomes one through `providerKey`, a key without a service
// through `rawAesKey` and `rawRsaKey`; applications may write their own. Types only.
import type { CallOptions, EncryptionContext } from "./provider.js";
import type { EncryptedDataKey } from "./wire/header.js";

export type { EncryptedDataKey } from "./wire/header.js";

/** Asks to open an encrypted data key. */
export interface UnwrapDataKeyRequest {
  readonly encryptedDataKey: EncryptedDataKey;
  /** Length that the data key must have, in bytes. */
  readonly dataKeyBytes: number;
  /** The whole context of the message. */
  readonly encryptionContext: EncryptionContext;
}

/** Asks for a new data key, wrapped. */
export interface GenerateWrappedDataKeyRequest {
  /** Length of the data key, in bytes. */
  readonly dataKeyBytes: number;
  readonly encryptionContext: EncryptionContext;
}

/** Asks to wrap a data key that another wrapping key generated. */
export interface WrapDataKeyRequest {
  /** The data key; the caller wipes it. */
  readonly dataKey: Uint8Array;
  readonly encryptionContext: EncryptionContext;
}

/** A new data key, in both forms. */
export interface WrappedDataKey {
  /** The plaintext data key; the caller owns the buffer and wipes it. */
  readonly dataKey: Uint8Array;
  readonly encryptedDataKey: EncryptedDataKey;
}

/** Opens encrypted data keys. */
export interface UnwrappingKey {
  /** Names the key in errors; holds no secret. */
  readonly name: string;
  /**
   * Algorithms that guard what the key wraps, for example `["SM4"]` or `["AES-256-GCM"]`; absent: not known, which a
   * policy of algorithms refuses.
   */
  readonly algorithms?: readonly string[];
  /**
   * Whether an encrypted data key is this key's, told without opening it; may ask the provider which key an alias names.
   * Absent: it cannot be told.
   */
  matches?(encryptedDataKey: EncryptedDataKey, options?: CallOptions): Promise<boolean>;
  /**
   * Opens an encrypted data key.
   * @returns the data key, or undefined when the encrypted data key is not this key's
   */
  unwrapDataKey(request: UnwrapDataKeyRequest, options?: CallOptions): Promise<Uint8Array | undefined>;
}

/** Wraps data keys and opens them. */
export interface WrappingKey extends UnwrappingKey {
  /** Makes a data key and wraps it. Rejects with the signal's reason when it aborts. */
  generateDataKey(request: GenerateWrappedDataKeyRequest, options?: CallOptions): Promise<WrappedDataKey>;
  /** Wraps a data key; must not keep or change `request.dataKey`. */
  wrapDataKey(request: WrapDataKeyRequest, options?: CallOptions): Promise<EncryptedDataKey>;
}
