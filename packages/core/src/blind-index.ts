// Blind indexes: short keyed digests of values, by which a database finds equal ones without knowing them (docs/fields.md, "Blind
// indexes"). It must not know how the values themselves are sealed.
import { assertBytes, concatBytes, utf8ToBytes, wipe } from "@fengni/crypto/bytes";
import { hkdf, hmac } from "@fengni/crypto/hash";
import { BRANCH_KEY_VERSION_BYTES } from "./branch-key.js";
import type { WarmBranchKey } from "./branch-key-derive.js";
import { checkCallerContext } from "./context.js";
import { argumentError, FengniError } from "./errors.js";
import { type BranchKeySource, checkBranchKeys, DEFAULT_MAX_FIELD_LENGTH } from "./field-cipher.js";
import { typeName } from "./field-json.js";
import { encodeFieldValue, isBytes, isDate } from "./field-value.js";
import { checkInteger, checkOptions } from "./options.js";
import { type CallOptions, callOptions, type EncryptionContext } from "./provider.js";
import { MAX_U16, putU16 } from "./wire/integers.js";

/** Length of an index key, in bytes. */
const INDEX_KEY_BYTES = 32;
const LABEL = "fengni-blind-index/1";

/** What can be indexed. A value and one of another type have nothing in common: 1 and "1" are not equal. */
export type IndexableValue = string | number | bigint | boolean | Date | Uint8Array;

/** What both kinds of blind index take. */
interface CommonOptions<Value extends IndexableValue> {
  /**
   * Names the index, such as `users.email`; part of its key, so that equal values in two indexes are not seen to be equal. 1 to
   * 65,535 bytes of UTF-8.
   */
  readonly name: string;
  /**
   * How many bits of the digest are kept, 8 to 256. Few bits give false hits, which are to be sorted out after opening, and tell
   * less; many find exactly, and show which rows are equal. How to choose: docs/fields.md, "How many bits".
   */
  readonly bits: number;
  /**
   * Brings values that are to be found by each other into one form, for example `(email) => email.trim().toLowerCase()`. Must always
   * give the same for the same value: a change of it is a new index.
   */
  readonly normalize?: (value: Value) => IndexableValue;
}

/** An index under branch keys: each branch key, and so each tenant, has an index of its own. */
export interface BranchBlindIndexOptions<Value extends IndexableValue> extends CommonOptions<Value> {
  /** A `BranchKeyring`; the caller closes it. */
  readonly branchKeys: BranchKeySource;
  /**
   * The version of a branch key under which its index is kept, 16 bytes: pinned, since the index must stay the same when the branch
   * key rotates. Keep it beside the tenant, for example the version that `create` gave.
   */
  readonly versionFor: (branchKeyId: string) => Uint8Array;
}

/** An index under a key of the caller's own. */
export interface OwnBlindIndexOptions<Value extends IndexableValue> extends CommonOptions<Value> {
  /** 32 random bytes, used for indexes only; copied. */
  readonly indexKey: Uint8Array;
  /** Which index a value belongs to, by its context, for example its tenant. Absent: all values share one index. */
  readonly partitionFor?: (context: EncryptionContext) => string;
}

/** How a {@link BlindIndex} is made. */
export type BlindIndexOptions<Value extends IndexableValue> =
  | BranchBlindIndexOptions<Value>
  | OwnBlindIndexOptions<Value>;

/** Which index a value belongs to. */
export interface IndexPlace {
  /** What tells the tenant, as for the field itself; nothing else of it counts. */
  readonly encryptionContext: EncryptionContext;
}

/** As {@link IndexPlace}, with a signal that ends the call. */
export interface IndexOptions extends IndexPlace, CallOptions {}

const COMMON_FIELDS: readonly string[] = ["name", "bits", "normalize"];

/** Where an index has its key from. */
interface IndexKeys {
  digest(value: Uint8Array, context: EncryptionContext, options: CallOptions): Promise<Uint8Array>;
  digestNow(value: Uint8Array, context: EncryptionContext): Uint8Array;
  close(): void;
}

/**
 * Digests values for search by equality: HMAC-SHA-256 under a key of the index's own, cut to `bits`. Whoever sees the digests learns
 * which rows hold equal values and how often each occurs, within one tenant, as far as the bits tell; not the values, unless he can
 * have values of his choice indexed and compare.
 *
 * @example
 * ```ts
 * const index = new BlindIndex<string>({ branchKeys, versionFor, name: "users.email", bits: 32, normalize: (email) => email.toLowerCase() });
 * const digest = await index.compute("Li.Lei@example.cn", { encryptionContext: { tenant: "acme" } });
 * ```
 */
export class BlindIndex<Value extends IndexableValue = IndexableValue> {
  readonly #keys: IndexKeys;
  readonly #bits: number;
  readonly #normalize: ((value: Value) => IndexableValue) | undefined;

  /** @throws TypeError, RangeError `ERR_ARGUMENT` */
  constructor(options: BlindIndexOptions<Value>) {
    const isOwn = typeof options === "object" && options !== null && "indexKey" in options;
    const known = isOwn ? ["indexKey", "partitionFor"] : ["branchKeys", "versionFor"];
    checkOptions("BlindIndex", options, [...known, ...COMMON_FIELDS]);
    const { bits, normalize } = options;
    const name = checkName(options.name);
    this.#bits = checkInteger("bits", bits, 8, 256);
    if (normalize !== undefined && typeof normalize !== "function")
      throw argumentError("normalize expected a function");
    this.#normalize = normalize;
    this.#keys = "indexKey" in options ? new OwnKeys(options, name) : new BranchKeys(options, name);
  }

  /**
   * Digests a value.
   * @returns `bits` rounded up to whole bytes; bits that are not kept are zero, at the end
   * @throws TypeError, RangeError `ERR_ARGUMENT` for what cannot be indexed, such as null: leave the column empty then; FengniError
   *   `ERR_CONTEXT_INVALID`, `ERR_LIMIT`, `ERR_CLOSED`; what the keyring's `use` rejects with
   */
  async compute(value: Value, options: IndexOptions): Promise<Uint8Array> {
    checkOptions("compute", options, ["encryptionContext", "signal"]);
    const encoded = this.#encode(value);
    try {
      const context = checkCallerContext(options.encryptionContext);
      return this.#cut(await this.#keys.digest(encoded, context, callOptions(options.signal)));
    } finally {
      wipe(encoded);
    }
  }

  /** As {@link compute}, at once. @throws as `compute`; `ERR_NOT_WARM` when the pinned version is not held ready */
  computeSync(value: Value, options: IndexPlace): Uint8Array {
    checkOptions("computeSync", options, ["encryptionContext"]);
    const encoded = this.#encode(value);
    try {
      return this.#cut(this.#keys.digestNow(encoded, checkCallerContext(options.encryptionContext)));
    } finally {
      wipe(encoded);
    }
  }

  /** Wipes an index key of the caller's own; later calls fail with `ERR_CLOSED`. A keyring stays open: it is the caller's. */
  close(): void {
    this.#keys.close();
  }

  #encode(value: Value): Uint8Array {
    const normal = this.#normalize === undefined ? value : this.#normalize(value);
    const isScalar = ["string", "number", "bigint", "boolean"].includes(typeof normal);
    if (!isScalar && !isBytes(normal) && !isDate(normal)) {
      throw argumentError(`a blind index cannot hold a value of type ${typeName(normal)}: only single values`);
    }
    // 0 and -0 are equal, and so they must be found by each other.
    return encodeFieldValue(normal === 0 ? 0 : normal, DEFAULT_MAX_FIELD_LENGTH);
  }

  #cut(digest: Uint8Array): Uint8Array {
    const cut = digest.slice(0, Math.ceil(this.#bits / 8));
    const surplus = 8 * cut.length - this.#bits;
    cut[cut.length - 1] = ((cut[cut.length - 1] as number) >> surplus) << surplus;
    wipe(digest);
    return cut;
  }
}

class BranchKeys implements IndexKeys {
  readonly #branchKeys: BranchKeySource;
  readonly #versionFor: (branchKeyId: string) => Uint8Array;
  readonly #name: Uint8Array;

  constructor(options: BranchBlindIndexOptions<never>, name: Uint8Array) {
    this.#branchKeys = checkBranchKeys(options.branchKeys);
    if (typeof options.versionFor !== "function") throw argumentError("versionFor expected a function");
    this.#versionFor = options.versionFor;
    this.#name = name;
  }

  digest(value: Uint8Array, context: EncryptionContext, options: CallOptions): Promise<Uint8Array> {
    const [branchKeyId, version] = this.#pinned(context);
    return this.#branchKeys.use(branchKeyId, version, (key) => this.#under(key, value), options);
  }

  digestNow(value: Uint8Array, context: EncryptionContext): Uint8Array {
    const [branchKeyId, version] = this.#pinned(context);
    return this.#branchKeys.useNow(branchKeyId, version, (key) => this.#under(key, value));
  }

  close(): void {}

  #pinned(context: EncryptionContext): readonly [branchKeyId: string, version: Uint8Array] {
    const branchKeyId = this.#branchKeys.branchKeyIdFor(context);
    // Undefined would mean the active version, and an index that breaks at the next rotation.
    return [branchKeyId, assertBytes(this.#versionFor(branchKeyId), "version", BRANCH_KEY_VERSION_BYTES)];
  }

  #under(key: WarmBranchKey, value: Uint8Array): Uint8Array {
    return hmacAndWipe(key.derive(LABEL, this.#name, INDEX_KEY_BYTES), value);
  }
}

class OwnKeys implements IndexKeys {
  readonly #key: Uint8Array;
  readonly #partitionFor: (context: EncryptionContext) => string;
  readonly #name: Uint8Array;
  #isClosed = false;

  constructor(options: OwnBlindIndexOptions<never>, name: Uint8Array) {
    const { indexKey, partitionFor = () => "" } = options;
    if (typeof partitionFor !== "function") throw argumentError("partitionFor expected a function");
    this.#partitionFor = partitionFor;
    this.#name = name;
    this.#key = Uint8Array.from(assertBytes(indexKey, "indexKey", INDEX_KEY_BYTES));
  }

  async digest(value: Uint8Array, context: EncryptionContext, options: CallOptions): Promise<Uint8Array> {
    options.signal?.throwIfAborted();
    return this.digestNow(value, context);
  }

  digestNow(value: Uint8Array, context: EncryptionContext): Uint8Array {
    if (this.#isClosed) throw new FengniError("ERR_CLOSED", "the blind index is closed");
    const partition = utf8ToBytes(this.#partitionFor(context));
    const size = new Uint8Array(2);
    putU16(size, 0, this.#name.length);
    const info = concatBytes(size, this.#name, partition);
    return hmacAndWipe(hkdf("sha512", this.#key, utf8ToBytes(LABEL), info, INDEX_KEY_BYTES), value);
  }

  close(): void {
    this.#isClosed = true;
    wipe(this.#key);
  }
}

function hmacAndWipe(key: Uint8Array, value: Uint8Array): Uint8Array {
  try {
    return hmac("sha256", key, value);
  } finally {
    wipe(key);
  }
}

function checkName(name: string): Uint8Array {
  if (typeof name !== "string" || name.length === 0)
    throw argumentError("name expected the index's name: text, not empty");
  const bytes = utf8ToBytes(name);
  if (bytes.length > MAX_U16) throw argumentError(`name expected at most ${MAX_U16} bytes of UTF-8`);
  return bytes;
}
