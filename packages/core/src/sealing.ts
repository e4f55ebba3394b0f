// Beginning messages for an Envelope: options, suite, data key from the cache or from the wrapping keys. Must know no bytes
// on the wire.
import { wipe } from "@fengni/crypto/bytes";
import type { BoundedCache } from "./cache.js";
import { cacheKey, shortCacheKey } from "./cache-key.js";
import type { LoadQueue } from "./cache-loads.js";
import { checkCallerContext, serializeContext } from "./context.js";
import { ENCRYPT_FIELDS, type EncryptOptions } from "./envelope-options.js";
import { argumentError, FengniError, limitError } from "./errors.js";
import { generateMaterials, type SealingMaterials, type SealingRequest, splitContext } from "./materials.js";
import { checkInteger, checkOptions, isIterable } from "./options.js";
import type { Awaitable } from "./pieces.js";
import { callOptions } from "./provider.js";
import { SealedMessage } from "./sealed-message.js";
import { type AlgorithmSuite, formatSuiteId, suiteForWriting } from "./suites.js";
import { type HeaderLimits, MAX_FRAME_LENGTH } from "./wire/header.js";
import { keysOf, type WrappingPolicy } from "./wrapping.js";

/** What a writer is made of. */
export interface SealingPolicy {
  readonly wrapping: WrappingPolicy;
  readonly suite: number;
  readonly frameLength: number;
  readonly readableSuites: readonly number[] | undefined;
  readonly limits: HeaderLimits;
  readonly maxFrameLength: number;
  readonly cache: BoundedCache<SealingMaterials> | undefined;
  /** Where calls past the cache wait for their turn. */
  readonly loads: LoadQueue | undefined;
}

/** One message to seal: its options, checked. */
export interface SealingOrder extends SealingRequest {
  readonly frameLength: number;
  readonly signal: AbortSignal | undefined;
}

/** Begins messages under one policy. */
export class MessageSealer {
  readonly policy: SealingPolicy;

  constructor(policy: SealingPolicy) {
    this.policy = policy;
    this.checkFrameLength(policy.frameLength);
    const count = keysOf(policy.wrapping).length;
    if (count > 0) this.suiteForWriting(policy.suite);
    const { maxEncryptedDataKeys } = policy.limits;
    if (count > maxEncryptedDataKeys) {
      throw limitError("number of encrypted data keys", maxEncryptedDataKeys, count, "raise maxEncryptedDataKeys");
    }
  }

  /** Checks the options of one encryption. @throws `ERR_ARGUMENT`, `ERR_CONTEXT_INVALID`, `ERR_NOT_SUPPORTED` */
  order(options: EncryptOptions): SealingOrder {
    const unstoredContextKeys = options.unstoredContextKeys ?? [];
    if (!Array.isArray(unstoredContextKeys)) throw argumentError("unstoredContextKeys expected an array of text");
    return {
      suite: this.suiteForWriting(options.suite ?? this.policy.suite),
      frameLength: this.checkFrameLength(options.frameLength ?? this.policy.frameLength),
      context: checkCallerContext(options.encryptionContext ?? {}),
      unstoredContextKeys: [...unstoredContextKeys],
      signal: options.signal,
    };
  }

  /**
   * Begins a message: at once where its data key is cached, fails at once or later.
   * @param plaintextLength - most bytes that will come; undefined: not known, hence not from the cache
   * @param isWhole - exactly so many will come, and at once
   */
  begin(order: SealingOrder, plaintextLength: number | undefined, isWhole: boolean): Awaitable<SealedMessage> {
    const { signal } = order;
    signal?.throwIfAborted();
    const { cache } = this.policy;
    const begin = (materials: SealingMaterials): SealedMessage =>
      this.#message(materials, order.frameLength, isWhole ? plaintextLength : undefined);
    if (cache === undefined || plaintextLength === undefined || !cache.admits(plaintextLength)) {
      return this.#beginUncached(order, begin);
    }
    const key = this.cacheKey(order);
    return (
      cache.useNow(key, plaintextLength, begin, undefined) ??
      // The load serves every caller that waits for it, so one caller's signal does not end it.
      cache.use(key, plaintextLength, () => this.load(order), begin, signal)
    );
  }

  async #beginUncached(
    order: SealingOrder,
    begin: (materials: SealingMaterials) => SealedMessage,
  ): Promise<SealedMessage> {
    const { loads, wrapping } = this.policy;
    const generate = (): Promise<SealingMaterials> => generateMaterials(order, wrapping, callOptions(order.signal));
    const materials = await (loads === undefined ? generate() : loads.run(generate));
    try {
      return begin(materials);
    } finally {
      wipe(materials.dataKey);
    }
  }

  /** Loads what the orders will need into the cache. Settles when all are done. */
  async prewarm(orders: Iterable<EncryptOptions>): Promise<void> {
    if (!isIterable(orders)) throw argumentError("prewarm expected a list of objects of options");
    const { cache } = this.policy;
    if (cache === undefined) {
      throw new FengniError("ERR_NOT_SUPPORTED", "this envelope has no cache to prewarm: give it the option cache", {
        details: { operation: "prewarm" },
      });
    }
    const results = await Promise.allSettled(
      [...orders].map(async (options) => {
        checkOptions("prewarm", options, ENCRYPT_FIELDS);
        const order = this.order(options);
        await cache.prewarm(this.cacheKey(order), () => this.load(order), options.signal);
      }),
    );
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }

  /** Where the cache keeps the data key of an order. */
  cacheKey(order: SealingRequest): string {
    const { stored, unstored } = splitContext(order.context, order.unstoredContextKeys);
    const { id } = order.suite;
    return shortCacheKey(id, stored, unstored) ?? cacheKey(id, serializeContext(stored), serializeContext(unstored));
  }

  /** What the cache loads for an order. */
  load(order: SealingRequest): Promise<SealingMaterials> {
    return generateMaterials(order, this.policy.wrapping, {});
  }

  /** The suite of this id, if this envelope may write it. @throws `ERR_NOT_SUPPORTED` */
  suiteForWriting(id: number): AlgorithmSuite {
    const suite = suiteForWriting(id);
    const { readableSuites } = this.policy;
    if (readableSuites !== undefined && !readableSuites.includes(id)) {
      throw new FengniError("ERR_NOT_SUPPORTED", `suite ${formatSuiteId(id)} is not among readableSuites`, {
        details: { operation: `write suite ${formatSuiteId(id)}` },
      });
    }
    return suite;
  }

  /** Frames that this envelope could not read back are not written. @throws `ERR_ARGUMENT` */
  checkFrameLength(frameLength: number): number {
    return checkInteger("frameLength", frameLength, 1, Math.min(this.policy.maxFrameLength, MAX_FRAME_LENGTH));
  }

  /** Nor is a header that it could not read back. @throws `ERR_LIMIT` */
  checkHeaderLength(length: number): void {
    const { maxHeaderLength } = this.policy.limits;
    if (length > maxHeaderLength) {
      throw limitError("header length", maxHeaderLength, length, "raise maxHeaderLength, or store less context");
    }
  }

  #message(materials: SealingMaterials, frameLength: number, plaintextLength: number | undefined): SealedMessage {
    const message = new SealedMessage(materials, frameLength, plaintextLength);
    this.checkHeaderLength(message.headerLength);
    return message;
  }
}
