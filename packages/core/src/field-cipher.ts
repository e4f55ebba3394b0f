// The FieldCipher: seals single values, a few tens of bytes longer each, under branch keys. Joins values, keys and format; it must
// know no bytes of either.
import { assertBytes, concatBytes, wipe } from "@fengni/crypto/bytes";
import type { WarmBranchKey } from "./branch-key-derive.js";
import type { NamedBranchKey } from "./branch-key-wrap.js";
import { checkCallerContext } from "./context.js";
import { argumentError, FengniError } from "./errors.js";
import { type FieldParts, fieldBinding, fieldToText, parseField, textToField } from "./field-format.js";
import { FIELD_NONCE, newFieldKey, openingFieldKey } from "./field-keys.js";
import { decodeFieldValue, encodeFieldValue, type FieldValue, padFieldValue } from "./field-value.js";
import { checkInteger, checkOptions } from "./options.js";
import { type CallOptions, callOptions, type EncryptionContext } from "./provider.js";

/** Default of the longest value of a field, encoded and padded, in bytes. */
export const DEFAULT_MAX_FIELD_LENGTH: number = 2 ** 20;
const LARGEST_FIELD_LENGTH: number = 2 ** 30;
const LARGEST_PADDING: number = 2 ** 16;

/** Where branch keys come from: a `BranchKeyring`. */
export interface BranchKeySource {
  branchKeyIdFor(context: EncryptionContext): string;
  use<Result>(
    branchKeyId: string,
    version: Uint8Array | undefined,
    use: (key: WarmBranchKey) => Result,
    options?: CallOptions,
  ): Promise<Result>;
  useNow<Result>(branchKeyId: string, version: Uint8Array | undefined, use: (key: WarmBranchKey) => Result): Result;
}

/** How a {@link FieldCipher} is made. */
export interface FieldCipherOptions {
  /** A `BranchKeyring`; the caller closes it. */
  readonly branchKeys: BranchKeySource;
  /** Longest value, encoded and padded, in bytes, on sealing and on opening; default 1 MiB. */
  readonly maxFieldLength?: number;
}

/** What a sealed field is bound to. It opens under the same name and the same context only. */
export interface FieldPlace {
  /** The field's name: for example its column, or its path in a document. 1 to 65,535 bytes of UTF-8. */
  readonly name: string;
  /**
   * Which row, table and tenant the field belongs to, as far as they are known whenever it is opened. Not stored: whoever opens the
   * field gives it again, whole. `branchKeyIdFor` tells the branch key by it.
   */
  readonly encryptionContext: EncryptionContext;
}

/** Where a new field stands, and how it is sealed. */
export interface SealFieldSyncOptions extends FieldPlace {
  /** Fills the value up to a multiple of so many bytes (1 to 65,536), so that its length tells less. Absent: the length shows. */
  readonly padTo?: number;
  /** `bytes` (default), or `text` for columns of text: `fengni:` and base64url. */
  readonly encoding?: "bytes" | "text";
}

/** As {@link SealFieldSyncOptions}, with a signal that ends the call. */
export interface SealFieldOptions extends SealFieldSyncOptions, CallOptions {}

/** Where a field stands, with a signal that ends the call. */
export interface OpenFieldOptions extends FieldPlace, CallOptions {}

const PLACE_FIELDS: readonly string[] = ["name", "encryptionContext"];
const SEAL_FIELDS: readonly string[] = [...PLACE_FIELDS, "padTo", "encoding"];

/** A value ready to be sealed. */
interface Order {
  readonly branchKeyId: string;
  readonly binding: Uint8Array;
  /** The encoded value; wiped when it is sealed. */
  readonly plaintext: Uint8Array;
}

/** A sealed field taken apart, with what it must be bound to. */
interface Received {
  readonly branchKeyId: string;
  readonly parts: FieldParts;
  readonly aad: Uint8Array;
}

/**
 * Seals single values, such as columns of a database, under branch keys: 66 bytes longer than the value, without a call of a key
 * service while the branch key is held ready. Format and bounds: docs/fields.md. Safe for any number of concurrent calls.
 *
 * @example
 * ```ts
 * const cipher = new FieldCipher({ branchKeys });
 * const place = { name: "users.email", encryptionContext: { tenant: "acme", user: "17" } };
 * const sealed = await cipher.sealField("li.lei@example.cn", place);
 * const email = await cipher.openField(sealed, place);
 * ```
 */
export class FieldCipher {
  readonly #branchKeys: BranchKeySource;
  readonly #maximum: number;

  /** @throws TypeError, RangeError `ERR_ARGUMENT` */
  constructor(options: FieldCipherOptions) {
    checkOptions("FieldCipher", options, ["branchKeys", "maxFieldLength"]);
    this.#branchKeys = checkBranchKeys(options.branchKeys);
    const maximum = options.maxFieldLength ?? DEFAULT_MAX_FIELD_LENGTH;
    this.#maximum = checkInteger("maxFieldLength", maximum, 1, LARGEST_FIELD_LENGTH);
  }

  /**
   * Seals a value under the active version of the branch key.
   * @returns a new buffer; text where `encoding` says so
   * @throws TypeError, RangeError `ERR_ARGUMENT` for what is no {@link FieldValue}; FengniError `ERR_LIMIT`, `ERR_CONTEXT_INVALID`;
   *   what the keyring's `use` rejects with
   */
  async sealField(value: FieldValue, options: SealFieldOptions & { readonly encoding: "text" }): Promise<string>;
  async sealField(value: FieldValue, options: SealFieldOptions & { readonly encoding?: "bytes" }): Promise<Uint8Array>;
  async sealField(value: FieldValue, options: SealFieldOptions): Promise<Uint8Array | string>;
  async sealField(value: FieldValue, options: SealFieldOptions): Promise<Uint8Array | string> {
    checkOptions("sealField", options, [...SEAL_FIELDS, "signal"]);
    const { branchKeyId, binding, plaintext } = this.#order(value, options);
    try {
      const { head, cipher } = await this.#branchKeys.use(
        branchKeyId,
        undefined,
        newFieldKey,
        callOptions(options.signal),
      );
      const { ciphertext, tag } = await cipher.seal(FIELD_NONCE, concatBytes(head, binding), plaintext);
      return encoded(concatBytes(head, ciphertext, tag), options);
    } finally {
      wipe(plaintext);
    }
  }

  /**
   * As {@link sealField}, at once; the formats are the same.
   * @throws as `sealField`; `ERR_NOT_WARM` when the branch key is not held ready, `ERR_NOT_SUPPORTED` where the runtime's cipher is
   *   not synchronous
   */
  sealFieldSync(value: FieldValue, options: SealFieldSyncOptions & { readonly encoding: "text" }): string;
  sealFieldSync(value: FieldValue, options: SealFieldSyncOptions & { readonly encoding?: "bytes" }): Uint8Array;
  sealFieldSync(value: FieldValue, options: SealFieldSyncOptions): Uint8Array | string;
  sealFieldSync(value: FieldValue, options: SealFieldSyncOptions): Uint8Array | string {
    checkOptions("sealFieldSync", options, SEAL_FIELDS);
    const { branchKeyId, binding, plaintext } = this.#order(value, options);
    try {
      const { head, cipher } = this.#branchKeys.useNow(branchKeyId, undefined, newFieldKey);
      const { ciphertext, tag } = atOnce(
        "sealFieldSync",
        cipher.seal(FIELD_NONCE, concatBytes(head, binding), plaintext),
      );
      return encoded(concatBytes(head, ciphertext, tag), options);
    } finally {
      wipe(plaintext);
    }
  }

  /**
   * Opens a field. Nothing is returned before all of it is authenticated.
   * @param sealed - bytes or text, as they were sealed
   * @returns the value, of the type that was sealed
   * @throws `ERR_MESSAGE_INVALID`, `ERR_MESSAGE_TRUNCATED`, `ERR_MESSAGE_UNSUPPORTED`, `ERR_LIMIT`; `ERR_AUTHENTICATION` also where
   *   name or context are not those it was sealed with; what the keyring's `use` rejects with, such as `ERR_KEY_NOT_FOUND`
   */
  async openField(sealed: Uint8Array | string, options: OpenFieldOptions): Promise<FieldValue> {
    checkOptions("openField", options, [...PLACE_FIELDS, "signal"]);
    const { branchKeyId, parts, aad } = this.#received(sealed, options);
    const derive = (key: WarmBranchKey): ReturnType<typeof openingFieldKey> => openingFieldKey(key, parts);
    const cipher = await this.#branchKeys.use(branchKeyId, parts.version, derive, callOptions(options.signal));
    return decoded(await cipher.open(FIELD_NONCE, aad, parts.ciphertext, parts.tag));
  }

  /**
   * As {@link openField}, at once.
   * @throws as `openField`; `ERR_NOT_WARM` when the field's version of the branch key is not held ready: see {@link branchKeyOf};
   *   `ERR_NOT_SUPPORTED` where the runtime's cipher is not synchronous
   */
  openFieldSync(sealed: Uint8Array | string, options: FieldPlace): FieldValue {
    checkOptions("openFieldSync", options, PLACE_FIELDS);
    const { branchKeyId, parts, aad } = this.#received(sealed, options);
    const cipher = this.#branchKeys.useNow(branchKeyId, parts.version, (key) => openingFieldKey(key, parts));
    return decoded(atOnce("openFieldSync", cipher.open(FIELD_NONCE, aad, parts.ciphertext, parts.tag)));
  }

  /**
   * Which branch key a field needs, and which version of it: what `BranchKeyring.warm` takes before fields are opened synchronously.
   * Not authenticated.
   * @throws as `openField`, for what is no sealed field
   */
  branchKeyOf(sealed: Uint8Array | string, encryptionContext: EncryptionContext): NamedBranchKey {
    const { version } = parseField(this.#bytesOf(sealed), this.#maximum);
    const branchKeyId = this.#branchKeys.branchKeyIdFor(checkCallerContext(encryptionContext));
    return { branchKeyId, version: Uint8Array.from(version) };
  }

  #order(value: FieldValue, options: SealFieldSyncOptions): Order {
    const { padTo, encoding = "bytes" } = options;
    if (encoding !== "bytes" && encoding !== "text") throw argumentError("encoding expected bytes or text");
    if (padTo !== undefined) checkInteger("padTo", padTo, 1, LARGEST_PADDING);
    const place = this.#place(options);
    const encodedValue = encodeFieldValue(value, this.#maximum);
    if (padTo === undefined) return { ...place, plaintext: encodedValue };
    return { ...place, plaintext: padFieldValue(encodedValue, padTo, this.#maximum) };
  }

  #received(sealed: Uint8Array | string, options: FieldPlace): Received {
    // A copy: it must be the same bytes that are looked up, committed and opened, whatever the caller does meanwhile.
    const parts = parseField(Uint8Array.from(this.#bytesOf(sealed)), this.#maximum);
    const { branchKeyId, binding } = this.#place(options);
    return { branchKeyId, parts, aad: concatBytes(parts.head, binding) };
  }

  #bytesOf(sealed: Uint8Array | string): Uint8Array {
    return typeof sealed === "string" ? textToField(sealed, this.#maximum) : assertBytes(sealed, "sealed");
  }

  #place({ name, encryptionContext }: FieldPlace): Pick<Order, "branchKeyId" | "binding"> {
    const context = checkCallerContext(encryptionContext);
    const branchKeyId = this.#branchKeys.branchKeyIdFor(context);
    return { branchKeyId, binding: fieldBinding(branchKeyId, name, context) };
  }
}

/** @throws TypeError `ERR_ARGUMENT` */
export function checkBranchKeys(branchKeys: BranchKeySource): BranchKeySource {
  if (typeof branchKeys?.use !== "function" || typeof branchKeys.useNow !== "function") {
    throw argumentError("branchKeys expected a BranchKeyring");
  }
  return branchKeys;
}

function encoded(field: Uint8Array, { encoding }: SealFieldSyncOptions): Uint8Array | string {
  return encoding === "text" ? fieldToText(field) : field;
}

function decoded(plaintext: Uint8Array): FieldValue {
  try {
    return decodeFieldValue(plaintext);
  } finally {
    wipe(plaintext);
  }
}

/** What a cipher gave, if it gave it at once. */
function atOnce<Result extends object>(operation: string, result: Result | Promise<Result>): Result {
  if (!(result instanceof Promise)) return result;
  // Nobody waits for it any more.
  result.catch(() => {});
  throw new FengniError("ERR_NOT_SUPPORTED", `${operation} needs a synchronous AES-GCM, which this runtime lacks`, {
    details: { operation, reason: "the cipher of this runtime is asynchronous: use the call without Sync" },
  });
}
