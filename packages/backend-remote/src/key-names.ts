// From key references to key ids, and what never changes about a key. One memory for each client and region, so that an admin
// that moves an alias and a provider that uses it agree. It must not know what keys are used for.
import { FengniError } from "@fengni/core";
import type { ActionName, RequestOf, ResponseOf } from "@fengni/kms-api";
import { abortable } from "./abortable.js";
import { keyIdIn, requireKey } from "./key-answers.js";
import { describeKey } from "./key-description.js";
import type { KeyKind } from "./names.js";
import { isAliasForm, isKeyIdForm, MAX_LIST_LIMIT } from "./request-checks.js";

/** What sends requests: a `TencentKmsClient`, or anything that does the same. */
export interface KmsRequester {
  /** The region of requests that name none. */
  readonly region?: string;
  /** Sends a request, and rejects with a FengniError or the signal's reason. */
  request<Name extends ActionName>(
    action: Name,
    params: RequestOf<Name>,
    options?: { readonly signal?: AbortSignal; readonly region?: string },
  ): Promise<ResponseOf<Name>>;
  close(): Promise<void>;
}

/** How a name is looked up. */
export interface LookUpOptions {
  readonly signal?: AbortSignal;
  /** How old what is remembered may be, in milliseconds; 0: ask. */
  readonly maxAgeMs: number;
}

/** Names that are remembered; the oldest go first. */
const MAX_NAMES = 1_000;
/** How long it is remembered that a name names nothing. */
const NEGATIVE_AGE_MS = 2_000;
/** A name may be part of that many others; more pages are not looked at. */
const MAX_PAGES = 50;
/** Owner of keys: users, products. */
const ROLES = { user: 0, product: 1 } as const;
const PRODUCT_PREFIX = "kms-";

/** What is known of a name: the id of its key, or that there is none. */
interface Known {
  readonly keyId: string | undefined;
  readonly learnedAtMs: number;
}

const memories = new WeakMap<KmsRequester, Map<string, KeyNames>>();

/**
 * The memory of a client and a region.
 * @param elapsed - milliseconds since any moment, never backwards
 */
export function keyNamesOf(client: KmsRequester, region: string | undefined, elapsed: () => number): KeyNames {
  const regions = memories.get(client) ?? new Map<string, KeyNames>();
  memories.set(client, regions);
  // Whether the client's own region is named or not, it is the same one.
  const name = region ?? client.region ?? "";
  const names = regions.get(name) ?? new KeyNames(client, region, elapsed);
  regions.set(name, names);
  return names;
}

/** Key ids by name, and kinds of keys by id. */
export class KeyNames {
  readonly #client: KmsRequester;
  readonly #region: { readonly region?: string };
  readonly #elapsed: () => number;
  readonly #known = new Map<string, Known>();
  readonly #kinds = new Map<string, KeyKind>();
  readonly #asking = new Map<string, Promise<string | undefined>>();

  constructor(client: KmsRequester, region: string | undefined, elapsed: () => number) {
    this.#client = client;
    this.#region = region === undefined ? {} : { region };
    this.#elapsed = elapsed;
  }

  /**
   * The key id that a reference stands for. An id stands for itself, whether there is such a key or not.
   * @throws FengniError `ERR_KEY_NOT_FOUND` for an alias that no key has
   */
  async keyId(reference: string, options: LookUpOptions): Promise<string> {
    return isKeyIdForm(reference) ? reference.toLowerCase() : this.#find(reference, options);
  }

  /** As {@link keyId}, for a key that is there. @throws FengniError `ERR_KEY_NOT_FOUND` */
  async existingKeyId(reference: string, options: LookUpOptions): Promise<string> {
    return this.#find(isKeyIdForm(reference) ? reference.toLowerCase() : reference, options);
  }

  /** What a key is, which never changes. @throws FengniError `ERR_KEY_NOT_FOUND` */
  async kindOf(keyId: string, signal?: AbortSignal): Promise<KeyKind> {
    const known = this.#kinds.get(keyId);
    if (known !== undefined) return known;
    const options = { ...this.#region, ...(signal === undefined ? {} : { signal }) };
    const { KeyMetadata } = await this.#client.request("DescribeKey", { KeyId: keyId }, options);
    requireKey("DescribeKey", KeyMetadata?.KeyId, keyId);
    const { keyUsage, keySpec } = describeKey("DescribeKey", KeyMetadata);
    const kind = { keyUsage, keySpec };
    remember(this.#kinds, keyId, kind);
    return kind;
  }

  /** Forgets what a reference stands for: it was changed, or what it stood for did not serve. */
  forget(reference: string): void {
    const name = isKeyIdForm(reference) ? reference.toLowerCase() : reference;
    this.#known.delete(name);
    // Whoever asks from now on does not want the answer that is under way.
    this.#asking.delete(name);
  }

  /** Forgets every alias: one was moved, and which one it was before is not known. */
  forgetAliases(): void {
    for (const name of [...this.#known.keys(), ...this.#asking.keys()]) if (!isKeyIdForm(name)) this.forget(name);
  }

  async #find(name: string, { signal, maxAgeMs }: LookUpOptions): Promise<string> {
    signal?.throwIfAborted();
    const keyId = this.#remembered(name, maxAgeMs) ?? { keyId: await abortable(this.#ask(name), signal) };
    if (keyId.keyId !== undefined) return keyId.keyId;
    throw new FengniError("ERR_KEY_NOT_FOUND", "there is no key with this id or alias in the region", {
      details: { keyId: name },
    });
  }

  #remembered(name: string, maxAgeMs: number): Pick<Known, "keyId"> | undefined {
    const known = this.#known.get(name);
    if (known === undefined) return undefined;
    const ageMs = this.#elapsed() - known.learnedAtMs;
    const limitMs = known.keyId === undefined ? Math.min(NEGATIVE_AGE_MS, maxAgeMs) : maxAgeMs;
    return ageMs < limitMs ? known : undefined;
  }

  /** One question for all who ask for the same name at once. */
  #ask(name: string): Promise<string | undefined> {
    const asking = this.#asking.get(name);
    if (asking !== undefined) return asking;
    const question: Promise<string | undefined> = this.#lookUp(name).then(
      (keyId) => {
        if (this.#asking.get(name) !== question) return keyId;
        this.#asking.delete(name);
        remember(this.#known, name, { keyId, learnedAtMs: this.#elapsed() });
        return keyId;
      },
      (error: unknown) => {
        if (this.#asking.get(name) === question) this.#asking.delete(name);
        throw error;
      },
    );
    this.#asking.set(name, question);
    return question;
  }

  async #lookUp(name: string): Promise<string | undefined> {
    if (isKeyIdForm(name)) return this.#lookUpId(name);
    if (!isAliasForm(name)) return undefined;
    const role = name.startsWith(PRODUCT_PREFIX) ? ROLES.product : ROLES.user;
    for (let page = 0; page < MAX_PAGES; page++) {
      const request = { SearchKeyAlias: name, KeyUsage: "ALL", Role: role, Limit: MAX_LIST_LIMIT };
      const offset = page * MAX_LIST_LIMIT;
      const answer = await this.#client.request("ListKeyDetail", { ...request, Offset: offset }, this.#region);
      const keys = answer.KeyMetadatas ?? [];
      // The service finds every key whose alias or id has the text in it.
      const found = keys.find(({ Alias }) => Alias === name);
      if (found !== undefined) return keyIdIn("ListKeyDetail", found.KeyId);
      if (keys.length === 0 || offset + keys.length >= (answer.TotalCount ?? 0)) return undefined;
    }
    throw new FengniError(
      "ERR_LIMIT",
      `the alias is part of more than ${MAX_PAGES * MAX_LIST_LIMIT} others: name the key by its id`,
      { details: { limit: "keys found", maximum: MAX_PAGES * MAX_LIST_LIMIT, actual: "more" } },
    );
  }

  async #lookUpId(keyId: string): Promise<string | undefined> {
    try {
      const { KeyMetadata } = await this.#client.request("DescribeKey", { KeyId: keyId }, this.#region);
      return requireKey("DescribeKey", KeyMetadata?.KeyId, keyId);
    } catch (error) {
      if (error instanceof FengniError && error.code === "ERR_KEY_NOT_FOUND") return undefined;
      throw error;
    }
  }
}

function remember<Value>(memory: Map<string, Value>, name: string, value: Value): void {
  memory.delete(name);
  memory.set(name, value);
  const [oldest] = memory.keys();
  if (memory.size > MAX_NAMES && oldest !== undefined) memory.delete(oldest);
}
