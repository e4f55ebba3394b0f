// Branch keys as a wrapping key: one call of the store per branch key and time-to-live, however many messages; and the keys of
// single values, for formats of their own. It must not know how a store keeps or wraps branch keys.
import { wipe } from "@fengni/crypto/bytes";
import { randomBytes } from "@fengni/crypto/random";
import { type BranchKeyStore, checkBranchKeyVersion, encodeBranchKeyId } from "./branch-key.js";
import { type BranchKeyringStats, type WarmKeyOptions, WarmKeys } from "./branch-key-cache.js";
import type { WarmBranchKey } from "./branch-key-derive.js";
import {
  BRANCH_KEY_PROVIDER_ID,
  branchKeyNamedBy,
  dataKeyWrapper,
  type NamedBranchKey,
  saltOf,
  unwrapUnder,
  wrapUnder,
} from "./branch-key-wrap.js";
import { argumentError, FengniError, shown } from "./errors.js";
import { checkNamespace } from "./local-wrap.js";
import { checkOptions } from "./options.js";
import type { CallOptions, EncryptionContext } from "./provider.js";
import { cacheTelemetry, emitter, type TelemetryListener } from "./telemetry.js";
import type {
  EncryptedDataKey,
  GenerateWrappedDataKeyRequest,
  UnwrapDataKeyRequest,
  WrapDataKeyRequest,
  WrappedDataKey,
  WrappingKey,
} from "./wrapping-key.js";

/**
 * How a {@link BranchKeyring} is made. Bounds of the cache other than these, such as `refreshAheadMs`, are as
 * `DataKeyCacheOptions` has them; active keys and single versions are bounded each on their own.
 */
export interface BranchKeyringOptions extends WarmKeyOptions {
  /** Where branch keys come from; the caller closes what is to be closed of it. */
  readonly store: BranchKeyStore;
  /**
   * Which branch key a message belongs to, by its whole encryption context: for example `(context) => context.tenant`. It must
   * answer the same for the same context, at once. A message of another branch key than the one that its context gives is not
   * opened, so that nobody can pass data of one tenant for that of another. Called for messages that nobody has authenticated yet.
   */
  readonly branchKeyIdFor: (context: EncryptionContext) => string;
  /**
   * How long a branch key is used before it is asked for again, in milliseconds; also after how long at most a rotation is seen,
   * and how long a disabled key may still be used.
   */
  readonly ttlMs: number;
  /** How many branch keys to hold ready, active ones and single versions each; default 1,000. */
  readonly maxEntries?: number;
  /** Names the keyring in errors; default `branch keys`. */
  readonly name?: string;
  /**
   * Key provider id of what the keyring wraps; default `fengni-branch`. Give each of several keyrings of one envelope its own:
   * only by it can they tell which encrypted data key is whose.
   */
  readonly namespace?: string;
  /** Is told how branch keys are used, loaded and forgotten; nothing it is told is secret. */
  readonly telemetry?: TelemetryListener;
}

/**
 * Branch keys that are held ready, as a wrapping key.
 *
 * @example
 * const keyring = new BranchKeyring({ store, branchKeyIdFor: ({ tenant = "" }) => tenant, ttlMs: 5 * 60_000 });
 * const envelope = new Envelope({ wrappingKeys: [keyring] });
 * const message = await envelope.encrypt(data, { encryptionContext: { tenant: "acme" } });
 */
export class BranchKeyring implements WrappingKey {
  readonly name: string;
  readonly algorithms: readonly string[] = ["AES-256-GCM"];
  readonly #namespace: string;
  readonly #branchKeyIdFor: (context: EncryptionContext) => string;
  readonly #keys: WarmKeys;

  /** @throws TypeError or RangeError `ERR_ARGUMENT` */
  constructor(options: BranchKeyringOptions) {
    if (typeof options !== "object" || options === null)
      throw argumentError("BranchKeyring expected an object of options");
    // The bounds are checked by the cache, which knows them.
    const { store, branchKeyIdFor, name = "branch keys", telemetry, ...rest } = options;
    const { namespace = BRANCH_KEY_PROVIDER_ID, ...bounds } = rest;
    checkBounds(bounds);
    if (typeof store?.getActive !== "function" || typeof store.getVersion !== "function") {
      throw argumentError("store expected a store of branch keys");
    }
    if (typeof branchKeyIdFor !== "function") throw argumentError("branchKeyIdFor expected a function");
    if (typeof name !== "string") throw argumentError("name expected text");
    this.name = name;
    this.#namespace = checkNamespace(namespace);
    this.#branchKeyIdFor = branchKeyIdFor;
    const emit = emitter(telemetry);
    this.#keys = new WarmKeys(store, bounds, emit && cacheTelemetry(emit, "branch-key"));
  }

  /** Whether an encrypted data key is of this keyring's namespace; whose branch key it is shows when it is opened. */
  async matches(encryptedDataKey: EncryptedDataKey): Promise<boolean> {
    return branchKeyNamedBy(this.#namespace, encryptedDataKey) !== undefined;
  }

  /**
   * The branch key that a context belongs to.
   * @throws FengniError `ERR_CONTEXT_INVALID` when the caller's function throws (its error is the cause) or gives no id
   */
  branchKeyIdFor(context: EncryptionContext): string {
    try {
      const branchKeyId = this.#branchKeyIdFor(context);
      encodeBranchKeyId(branchKeyId);
      return branchKeyId;
    } catch (cause) {
      throw new FengniError(
        "ERR_CONTEXT_INVALID",
        "branchKeyIdFor gave no branch key for the encryption context: give the context what it needs to tell one",
        { cause },
      );
    }
  }

  async generateDataKey(
    { dataKeyBytes, encryptionContext }: GenerateWrappedDataKeyRequest,
    options?: CallOptions,
  ): Promise<WrappedDataKey> {
    const dataKey = randomBytes(dataKeyBytes);
    try {
      return { dataKey, encryptedDataKey: await this.wrapDataKey({ dataKey, encryptionContext }, options) };
    } catch (error) {
      wipe(dataKey);
      throw error;
    }
  }

  async wrapDataKey(
    { dataKey, encryptionContext }: WrapDataKeyRequest,
    options?: CallOptions,
  ): Promise<EncryptedDataKey> {
    const branchKeyId = this.branchKeyIdFor(encryptionContext);
    const wrapper = await this.use(branchKeyId, undefined, (key) => dataKeyWrapper(key), options);
    return wrapUnder(wrapper, this.#namespace, dataKey, encryptionContext);
  }

  async unwrapDataKey(
    { encryptedDataKey, dataKeyBytes, encryptionContext }: UnwrapDataKeyRequest,
    options?: CallOptions,
  ): Promise<Uint8Array | undefined> {
    const named = branchKeyNamedBy(this.#namespace, encryptedDataKey);
    if (named === undefined) return undefined;
    if (named.branchKeyId !== this.branchKeyIdFor(encryptionContext)) return undefined;
    const salt = saltOf(encryptedDataKey, dataKeyBytes);
    const derive = (key: WarmBranchKey): ReturnType<typeof dataKeyWrapper> => dataKeyWrapper(key, salt);
    const wrapper = await this.use(named.branchKeyId, named.version, derive, options);
    return unwrapUnder(wrapper, encryptedDataKey, encryptionContext);
  }

  /**
   * Lends a branch key to a function, loading it first where it is not held ready. Callers at the same time share one load.
   * @param version - 16 bytes; undefined: the active version
   * @param use - must be done with the key when it returns; it is called once
   * @returns what `use` returns
   * @throws what `use` throws, what the store answers; FengniError `ERR_CLOSED`; TypeError or RangeError `ERR_ARGUMENT`
   */
  async use<Result>(
    branchKeyId: string,
    version: Uint8Array | undefined,
    use: (key: WarmBranchKey) => Result,
    options?: CallOptions,
  ): Promise<Result> {
    checkName(branchKeyId, version);
    if (typeof use !== "function") throw argumentError("use expected a function that takes the branch key");
    return this.#keys.use(branchKeyId, version, use, options?.signal);
  }

  /**
   * As {@link use}, at once, with a branch key that is held ready.
   * @throws FengniError `ERR_NOT_WARM` when it is not: call {@link warm} first, and again where `ttlMs` passes without a use
   */
  useNow<Result>(branchKeyId: string, version: Uint8Array | undefined, use: (key: WarmBranchKey) => Result): Result {
    const used = this.#used(branchKeyId, version, use);
    if (used !== undefined) return used.result;
    const what = version === undefined ? "" : "this version of ";
    throw new FengniError(
      "ERR_NOT_WARM",
      `${what}branch key ${shown(branchKeyId)} is not held ready: call warm() first`,
      {
        details: { name: branchKeyId },
        retryable: true,
      },
    );
  }

  /**
   * Loads branch keys that are not held ready. Waits for all, then rejects with the first failure.
   * @param branchKeys - ids, for active versions; or ids with versions
   * @throws as {@link use}
   */
  async warm(branchKeys: readonly (string | NamedBranchKey)[], options?: CallOptions): Promise<void> {
    checkOptions("warm", options ?? {}, ["signal"]);
    if (!Array.isArray(branchKeys)) throw argumentError("warm expected an array of branch key ids");
    const named = branchKeys.map((key: string | NamedBranchKey): readonly [string, Uint8Array | undefined] => {
      const [id, version] = typeof key === "string" ? [key, undefined] : [key?.branchKeyId, key?.version];
      // All are checked before one is loaded.
      checkName(id, version);
      return [id, version];
    });
    const loads = named.map(([id, version]) => this.use(id, version, ignore, options));
    for (const load of await Promise.allSettled(loads)) if (load.status === "rejected") throw load.reason;
  }

  /** Whether {@link useNow} has the branch key, at this moment. @param version - 16 bytes; undefined: the active version */
  isWarm(branchKeyId: string, version?: Uint8Array): boolean {
    return this.#used(branchKeyId, version, ignore) !== undefined;
  }

  /** Forgets and wipes every branch key that is held ready, for example when a key was disabled in an emergency. */
  clear(): void {
    this.#keys.clear();
  }

  /** What it holds and did so far. */
  stats(): BranchKeyringStats {
    return this.#keys.stats();
  }

  /** Wipes every branch key, now or as soon as its last user is done; calls afterwards reject with `ERR_CLOSED`. */
  close(): void {
    this.#keys.close();
  }

  #used<Result>(
    branchKeyId: string,
    version: Uint8Array | undefined,
    use: (key: WarmBranchKey) => Result,
  ): { readonly result: Result } | undefined {
    if (version !== undefined) checkBranchKeyVersion(version);
    const used = this.#keys.useNow(branchKeyId, version, use);
    // What is held was checked when it was loaded.
    if (used === undefined) encodeBranchKeyId(branchKeyId);
    return used;
  }
}

/** What the cache takes, but would not mean here. */
function checkBounds(bounds: WarmKeyOptions): void {
  for (const field of ["maxAgeMs", "maxMessages", "maxBytes"]) {
    if (field in bounds) throw argumentError(`BranchKeyring does not know the option "${field}": say ttlMs`);
  }
}

function checkName(branchKeyId: string, version: Uint8Array | undefined): void {
  encodeBranchKeyId(branchKeyId);
  if (version !== undefined) checkBranchKeyVersion(version);
}

function ignore(): void {}
