// The one error class of Fengni, with its stable codes. It lives in the lowest package so that every layer throws the same
// class; it must know nothing of any layer.

/** What `details` holds for each code: only what a caller may act on, never a secret. */
export interface ErrorDetails {
  /** The message is malformed: `offset` is where, in bytes from its start, when known. */
  ERR_MESSAGE_INVALID: { readonly offset?: number };
  /** The input ended inside the message. */
  ERR_MESSAGE_TRUNCATED: { readonly offset?: number };
  /** A version, algorithm suite or feature that this reader does not accept; `encoding` where the bytes are text instead. */
  ERR_MESSAGE_UNSUPPORTED: { readonly suite?: string; readonly encoding?: "base64" };
  /** A limit was passed: the limit's name, its value and what was asked. */
  ERR_LIMIT: { readonly limit: string; readonly maximum: number; readonly actual: number | string };
  /** A tag, commitment or signature did not verify. One text for all. */
  ERR_AUTHENTICATION: object;
  /** The encryption context is not what the caller expects; `key` is the context key. */
  ERR_CONTEXT_MISMATCH: { readonly key?: string };
  /** The encryption context cannot be used as given. */
  ERR_CONTEXT_INVALID: { readonly key?: string };
  /** No configured wrapping key matches an encrypted data key of the message. */
  ERR_NO_MATCHING_KEY: { readonly available: readonly string[] };
  /** Wrapping keys matched, but none opened its encrypted data key. */
  ERR_UNWRAP_FAILED: object;
  /** The key's state forbids the operation. */
  ERR_KEY_STATE: { readonly keyId: string; readonly state: string; readonly reason?: string };
  /** The key is of another usage, spec or origin than the operation needs. */
  ERR_KEY_USAGE: { readonly keyId: string; readonly reason?: string };
  /** There is no such key. */
  ERR_KEY_NOT_FOUND: { readonly keyId: string };
  /** A name that must be unique is in use, or a change was made at the same time. */
  ERR_CONFLICT: { readonly name: string; readonly reason?: string };
  /** Key material that is malformed: wrong length, encoding, or not on the curve; or not the material that was expected. */
  ERR_KEY_INVALID: { readonly reason?: string };
  /** A ciphertext that is no ciphertext of this provider. */
  ERR_CIPHERTEXT_INVALID: object;
  /** The caller is not allowed to do this. */
  ERR_DENIED: object;
  /** Credentials are missing, wrong or expired. */
  ERR_CREDENTIALS: object;
  /** Too many requests. */
  ERR_THROTTLED: object;
  /** The service or the network did not answer. */
  ERR_UNAVAILABLE: object;
  /** A deadline passed. */
  ERR_TIMEOUT: { readonly timeoutMs: number };
  /** The operation is not offered by this provider or runtime. */
  ERR_NOT_SUPPORTED: { readonly operation: string; readonly reason?: string };
  /** There is no key store where one was expected. */
  ERR_STORE_NOT_FOUND: { readonly path: string };
  /** A key store's file is damaged or not a key store. */
  ERR_STORE_DAMAGED: object;
  /** A key store is held by another process, or cannot be written. */
  ERR_STORE_BUSY: object;
  /** The root key does not open the key store. */
  ERR_ROOT_KEY: object;
  /** A key that a synchronous call needs is not held ready: `name` is the key's. Have it loaded first. */
  ERR_NOT_WARM: { readonly name: string };
  /** The object was closed. */
  ERR_CLOSED: object;
}

/** Every code that a {@link FengniError} can carry. */
export type ErrorCode = keyof ErrorDetails;

/** What may be added when an error is made. */
export interface ErrorOptionsOf<Code extends ErrorCode> {
  readonly cause?: unknown;
  /** Whether the same call may succeed later without a change by the caller; default false. */
  readonly retryable?: boolean;
  readonly details?: ErrorDetails[Code];
}

const BRAND: unique symbol = Symbol.for("fengni.error");

/**
 * Every failure that is not the programmer's: a stable `code`, whether a retry can help, the cause, and `details`
 * whose shape follows from the code. The message says what was wrong and what to do, and holds no secret.
 */
export class FengniError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name: string = "FengniError";
  readonly code: Code;
  readonly retryable: boolean;
  readonly details: ErrorDetails[Code] | undefined;

  constructor(code: Code, message: string, options: ErrorOptionsOf<Code> = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.details = options.details;
    // Not a declared property: isolatedDeclarations has no way to write a computed name.
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/**
 * Recognises a {@link FengniError} of any copy of this package (ESM and CommonJS builds may both be loaded).
 * @param value - anything
 * @param code - when given, the code it must carry
 * @returns whether it is one
 */
export function isFengniError<Code extends ErrorCode = ErrorCode>(
  value: unknown,
  code?: Code,
): value is FengniError<Code> {
  return (
    typeof value === "object" &&
    value !== null &&
    (value as { readonly [BRAND]?: unknown })[BRAND] === true &&
    (code === undefined || (value as { readonly code?: unknown }).code === code)
  );
}

/** The one error for every failed tag, commitment or signature: what failed is not told apart. */
export function authenticationError(cause?: unknown): FengniError<"ERR_AUTHENTICATION"> {
  return new FengniError(
    "ERR_AUTHENTICATION",
    "authentication failed: the data was changed, or the key or the encryption context is not the one it was sealed with",
    cause === undefined ? {} : { cause },
  );
}
