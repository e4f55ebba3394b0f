// A client, a region and the names of its keys, as providers and admins hold them. It must not know what is asked of the service.
import { type CallOptions, FengniError, isFengniError } from "@fengni/core";
import type { ActionName, RequestOf, ResponseOf } from "@fengni/kms-api";
import { argumentError, checkRegion, rangeError } from "./checks.js";
import { systemClock } from "./clock.js";
import { requireKey } from "./key-answers.js";
import { type KeyNames, type KmsRequester, keyNamesOf } from "./key-names.js";
import { checkText, isKeyIdForm } from "./request-checks.js";

/** How long it is remembered which key an alias names, in milliseconds, unless told otherwise. */
export const DEFAULT_ALIAS_CACHE_MS = 300_000;

/** What a provider and an admin are made of. */
export interface KeyServiceOptions {
  /** Sends the requests: a `TencentKmsClient`. */
  readonly client: KmsRequester;
  /** The region of the keys; default: the client's. */
  readonly region?: string;
  /**
   * How long it is remembered which key an alias names, in milliseconds; default 300,000, 0: asked at each call. A change by an
   * admin over the same client counts at once.
   */
  readonly aliasCacheMs?: number;
  /** Whether `close()` closes the client too; default false. */
  readonly ownsClient?: boolean;
  /** Milliseconds since any moment, never backwards; default: the system's. */
  readonly elapsed?: () => number;
}

/** The names of {@link KeyServiceOptions}. */
export const KEY_SERVICE_FIELDS: readonly string[] = ["client", "region", "aliasCacheMs", "ownsClient", "elapsed"];

/** The service, as one provider or admin sees it, until it is closed. */
export class KeyService {
  readonly #holder: string;
  readonly #client: KmsRequester;
  readonly #region: { readonly region?: string };
  readonly #aliasCacheMs: number;
  readonly #ownsClient: boolean;
  readonly #names: KeyNames;
  #isClosed = false;

  /** @param holder - what `close()` closes, for messages. @throws TypeError or RangeError `ERR_ARGUMENT` */
  constructor(holder: string, options: KeyServiceOptions) {
    const { client, region, aliasCacheMs = DEFAULT_ALIAS_CACHE_MS, ownsClient = false, elapsed } = options;
    if (typeof client !== "object" || client === null || typeof client.request !== "function") {
      throw argumentError("client expected a TencentKmsClient");
    }
    if (typeof aliasCacheMs !== "number" || !(aliasCacheMs >= 0)) {
      throw rangeError("aliasCacheMs expected 0 or more milliseconds");
    }
    this.#holder = holder;
    this.#client = client;
    this.#region = region === undefined ? {} : { region: checkRegion("region", region) };
    this.#aliasCacheMs = aliasCacheMs;
    this.#ownsClient = ownsClient;
    this.#names = keyNamesOf(client, region, elapsed ?? systemClock.elapsed);
  }

  /** @throws FengniError `ERR_CLOSED` */
  requireOpen(): void {
    if (this.#isClosed) throw new FengniError("ERR_CLOSED", `this ${this.#holder} was closed: make a new one`);
  }

  /** Sends a request. @throws FengniError as the client does; the signal's reason */
  async call<Name extends ActionName>(
    action: Name,
    params: RequestOf<Name>,
    options: CallOptions | undefined,
  ): Promise<ResponseOf<Name>> {
    this.requireOpen();
    options?.signal?.throwIfAborted();
    return this.#client.request(action, params, { ...this.#region, ...signalOf(options) });
  }

  /** The key id of a reference, as remembered. @throws FengniError `ERR_KEY_NOT_FOUND`; TypeError `ERR_ARGUMENT` */
  async keyId(
    reference: string,
    options: CallOptions | undefined,
    maxAgeMs: number = this.#aliasCacheMs,
  ): Promise<string> {
    this.requireOpen();
    return this.#names.keyId(checkReference(reference), { maxAgeMs, ...signalOf(options) });
  }

  /** The key id of a reference to a key that is there. @throws as {@link keyId} */
  async existingKeyId(reference: string, options: CallOptions | undefined): Promise<string> {
    this.requireOpen();
    const lookUp = { maxAgeMs: this.#aliasCacheMs, ...signalOf(options) };
    return this.#names.existingKeyId(checkReference(reference), lookUp);
  }

  /** Uses the key of a reference. What the reference stands for is forgotten when the key does not serve: it may be another by now. */
  async withKey<Result>(
    reference: string,
    options: CallOptions | undefined,
    use: (keyId: string) => Promise<Result>,
  ): Promise<Result> {
    const keyId = await this.keyId(reference, options);
    try {
      return await use(keyId);
    } catch (error) {
      if (isFengniError(error) && DOUBTFUL_CODES.includes(error.code)) this.#names.forget(reference);
      throw error;
    }
  }

  /**
   * Opens with the key of a reference. An alias may have moved since it was looked up: when another key opened, it is looked up once
   * again, and that answer counts.
   * @param open - opens with whatever key the ciphertext is of
   * @param keyIdOf - the key that did
   * @returns the answer, and the id of the key
   * @throws FengniError `ERR_NO_MATCHING_KEY` when the key that opened is not the one of the reference
   */
  async open<Answer>(
    action: ActionName,
    reference: string | undefined,
    options: CallOptions | undefined,
    open: () => Promise<Answer>,
    keyIdOf: (answer: Answer) => unknown,
  ): Promise<{ readonly answer: Answer; readonly keyId: string }> {
    const named = reference === undefined ? undefined : await this.keyId(reference, options);
    const answer = await open();
    try {
      return { answer, keyId: requireKey(action, keyIdOf(answer), named) };
    } catch (error) {
      if (reference === undefined || isKeyIdForm(reference) || !isFengniError(error, "ERR_NO_MATCHING_KEY"))
        throw error;
    }
    this.#names.forget(reference);
    return { answer, keyId: requireKey(action, keyIdOf(answer), await this.keyId(reference, options)) };
  }

  /** What is remembered of keys. */
  get names(): KeyNames {
    return this.#names;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#ownsClient) await this.#client.close();
  }
}

const DOUBTFUL_CODES: readonly FengniError["code"][] = ["ERR_KEY_NOT_FOUND", "ERR_KEY_STATE", "ERR_KEY_USAGE"];

function checkReference(reference: string): string {
  if (checkText("keyId", reference) === "") throw rangeError("keyId expected the id or the alias of a key, got none");
  return reference;
}

function signalOf(options: CallOptions | undefined): { readonly signal?: AbortSignal } {
  // Nothing else of them: what a caller adds must not change the region.
  return options?.signal === undefined ? {} : { signal: options.signal };
}
