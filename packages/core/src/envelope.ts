// The Envelope: what applications hold. Joins the sealer, the opener and the two engines; must know no bytes on the wire.
import { assertBytes, bytesToUtf8, utf8ToBytes, wipe } from "@fengni/crypto/bytes";
import type { CacheStats } from "./cache-stats.js";
import { MessageDecryptor } from "./decryptor.js";
import { MessageEncryptor } from "./encryptor.js";
import {
  DECRYPT_FIELDS,
  DECRYPT_STREAM_FIELDS,
  type DecryptedMessage,
  type DecryptOptions,
  type DecryptStreamOptions,
  ENCRYPT_FIELDS,
  ENCRYPT_STREAM_FIELDS,
  ENVELOPE_FIELDS,
  type EncryptOptions,
  type EncryptStreamOptions,
  type EnvelopeOptions,
} from "./envelope-options.js";
import { envelopePolicies } from "./envelope-policies.js";
import { argumentError, FengniError } from "./errors.js";
import { explainMessage } from "./explain.js";
import type { ExplainOptions, MessageExplanation } from "./explain-types.js";
import type { MessageHeader } from "./message-header.js";
import { contextExpectation, HeaderOpener } from "./opening.js";
import { checkInteger, checkOptions } from "./options.js";
import type { Awaitable } from "./pieces.js";
import { decryptRange, openRange, type RangeReader } from "./range.js";
import type { RangeOptions } from "./range-options.js";
import { MessageRewrapper, rewrapMessage, rewrapperStream } from "./rewrap.js";
import { checkRewrapOptions, type RewrapOptions } from "./rewrap-options.js";
import type { SealedMessage } from "./sealed-message.js";
import { MessageSealer } from "./sealing.js";
import type { MessageSource } from "./source.js";
import { type DecryptStream, decryptorStream, encryptorStream } from "./stream.js";
import { type Emit, watchMessage } from "./telemetry.js";

/** The counters of an envelope's data-key cache. */
export interface EnvelopeStats {
  /** Data keys that messages are sealed with. */
  readonly sealing: CacheStats;
  /** Data keys of messages that were opened. */
  readonly opening: CacheStats;
}

/**
 * Seals and opens messages under a fixed set of wrapping keys. Safe for any number of concurrent calls.
 *
 * @example
 * ```ts
 * const envelope = new Envelope({ wrappingKeys: [providerKey(provider, "app")] });
 * const message = await envelope.encrypt("attack at dawn", { encryptionContext: { tenant: "7" } });
 * const { plaintext } = await envelope.decrypt(message, { encryptionContext: { tenant: "7" } });
 * ```
 */
export class Envelope {
  readonly #sealer: MessageSealer;
  readonly #opener: HeaderOpener;
  readonly #emit: Emit | undefined;
  #closed = false;

  /** @throws TypeError, RangeError (`ERR_ARGUMENT`) for options that cannot be; `ERR_NOT_SUPPORTED` for a suite that is only read */
  constructor(options: EnvelopeOptions) {
    checkOptions("Envelope", options, ENVELOPE_FIELDS);
    const { sealing, opening, emit } = envelopePolicies(options);
    this.#emit = emit;
    this.#sealer = new MessageSealer(sealing);
    this.#opener = new HeaderOpener(opening);
  }

  /**
   * Encrypts bytes, or text as UTF-8, into a message.
   * @param plaintext - must not change until the call has settled
   * @returns the whole message; the caller owns the buffer
   * @throws `ERR_CONTEXT_INVALID`, `ERR_LIMIT`, and what the provider's `generateDataKey` and `encrypt` reject with
   */
  async encrypt(plaintext: Uint8Array | string, options: EncryptOptions = {}): Promise<Uint8Array> {
    checkOptions("encrypt", options, ENCRYPT_FIELDS);
    const bytes = typeof plaintext === "string" ? utf8ToBytes(plaintext) : assertBytes(plaintext, "plaintext");
    return this.#encryptor(options, bytes.length, true).sealNow(bytes);
  }

  /**
   * Opens a message. Nothing is returned before all of it is authenticated.
   * @param message - must not change until the call has settled
   * @throws `ERR_MESSAGE_INVALID`, `ERR_MESSAGE_TRUNCATED`, `ERR_MESSAGE_UNSUPPORTED`, `ERR_AUTHENTICATION`,
   *   `ERR_CONTEXT_MISMATCH`, `ERR_NO_MATCHING_KEY`, `ERR_UNWRAP_FAILED` (an `AggregateUnwrapError`), `ERR_LIMIT`
   */
  async decrypt(message: Uint8Array, options: DecryptOptions = {}): Promise<DecryptedMessage> {
    checkOptions("decrypt", options, DECRYPT_FIELDS);
    assertBytes(message, "message");
    const decryptor = this.#decryptor(options, false);
    const opened = decryptor.openNow(message);
    // An await costs time even where nothing is waited for.
    const plaintext = opened instanceof Promise ? await opened : opened;
    return { plaintext, header: decryptor.header as MessageHeader };
  }

  /** Opens a message that holds text. @throws as `decrypt`; `ERR_MESSAGE_INVALID` when the plaintext is not UTF-8 */
  async decryptText(message: Uint8Array, options: DecryptOptions = {}): Promise<string> {
    const { plaintext } = await this.decrypt(message, options);
    try {
      return bytesToUtf8(plaintext);
    } catch {
      throw new FengniError("ERR_MESSAGE_INVALID", "the plaintext is not text in UTF-8: use decrypt");
    } finally {
      wipe(plaintext);
    }
  }

  /** An engine that encrypts one message piece by piece; the streams are made of it. */
  createEncryptor(options: EncryptStreamOptions = {}): MessageEncryptor {
    checkOptions("createEncryptor", options, ENCRYPT_STREAM_FIELDS);
    const maximum = options.maxPlaintextLength;
    if (maximum !== undefined) checkInteger("maxPlaintextLength", maximum, 0, Number.MAX_SAFE_INTEGER);
    return this.#encryptor(options, maximum, false);
  }

  /** An engine that opens one message piece by piece; the streams are made of it. */
  createDecryptor(options: DecryptStreamOptions = {}): MessageDecryptor {
    checkOptions("createDecryptor", options, DECRYPT_STREAM_FIELDS);
    const { refuseSigned = false } = options;
    if (typeof refuseSigned !== "boolean") throw argumentError("refuseSigned expected true or false");
    return this.#decryptor(options, refuseSigned);
  }

  /** A pair of Web Streams, for `pipeThrough`: plaintext in, message out. Backpressure is kept. */
  encryptStream(options: EncryptStreamOptions = {}): ReadableWritablePair<Uint8Array, Uint8Array> {
    return encryptorStream(this.createEncryptor(options));
  }

  /**
   * A pair of Web Streams, for `pipeThrough`: message in, plaintext out, each frame once it is authenticated. When the
   * stream fails, discard what came out: only a stream that ends well was a whole message.
   */
  decryptStream(options: DecryptStreamOptions = {}): DecryptStream {
    return decryptorStream(this.createDecryptor(options));
  }

  /**
   * Opens a part of a stored message, and reads no more of it than the header, the frames that cover the part and the
   * final frame (docs/large-files.md).
   * @param start - in bytes of plaintext
   * @param end - exclusive; past the end of the plaintext there is nothing, as in `slice`
   * @returns a buffer that the caller owns
   * @throws as `decrypt`; RangeError (`ERR_ARGUMENT`) for `start` after `end`, `ERR_LIMIT` over `maxRangeLength`,
   *   `ERR_MESSAGE_UNSUPPORTED` for a body that is not framed, or a signed message, `ERR_CONFLICT` for a source that changes
   */
  async decryptRange(
    source: MessageSource,
    start: number,
    end: number,
    options: RangeOptions = {},
  ): Promise<Uint8Array> {
    this.#checkOpen();
    return decryptRange(this.#opener, source, start, end, options, this.#emit);
  }

  /** Opens a stored message to read many parts of it: the data key is asked for once. @throws as {@link decryptRange} */
  async openRange(source: MessageSource, options: RangeOptions = {}): Promise<RangeReader> {
    this.#checkOpen();
    return openRange(this.#opener, source, options, this.#emit);
  }

  /**
   * Has the envelope's present wrapping keys wrap a message's data key anew, and replaces the header. The body stays as it
   * is, and so does the data key: whoever has a copy of the old message, and its keys, still opens that (docs/large-files.md).
   * @param message - must not change until the call has settled
   * @returns the new message; the caller owns the buffer
   * @throws as `decrypt`, for the header; `ERR_MESSAGE_TRUNCATED`, `ERR_MESSAGE_INVALID` for a body whose frames are not in
   *   order, `ERR_AUTHENTICATION` for a signature that is wrong; `ERR_NOT_SUPPORTED` for a suite without commitment, a body
   *   that is not framed, and an envelope without wrapping keys; and what the wrapping keys reject with
   */
  async rewrap(message: Uint8Array, options: RewrapOptions = {}): Promise<Uint8Array> {
    return rewrapMessage(this.createRewrapper(options), message);
  }

  /** An engine that rewraps one message piece by piece; the streams are made of it. */
  createRewrapper(options: RewrapOptions = {}): MessageRewrapper {
    this.#checkOpen();
    return new MessageRewrapper(
      { sealer: this.#sealer, opener: this.#opener, checkOpen: () => this.#checkOpen() },
      checkRewrapOptions("rewrap", options),
      watchMessage(this.#emit, "rewrap"),
    );
  }

  /**
   * A pair of Web Streams, for `pipeThrough`: message in, rewrapped message out. When the stream fails, discard what came
   * out and keep the old message.
   */
  rewrapStream(options: RewrapOptions = {}): ReadableWritablePair<Uint8Array, Uint8Array> {
    return rewrapperStream(this.createRewrapper(options));
  }

  /**
   * Says whether this envelope would open a message, and why, without opening anything of it: no provider is asked but which
   * key an alias names, and, of `admins`, for the states of keys that match. "can-open" means that nothing that can be told
   * beforehand is against it: neither the header nor the body is authenticated, and the data-key cache is not looked at.
   * @param message - a message, or its beginning: the header must be whole
   * @throws for what is no message, `ERR_MESSAGE_INVALID`, `ERR_MESSAGE_TRUNCATED`, `ERR_MESSAGE_UNSUPPORTED`; `ERR_CLOSED`;
   *   what the envelope would refuse, a header over its limits too, is explained, not thrown
   */
  async explain(message: Uint8Array, options: ExplainOptions = {}): Promise<MessageExplanation> {
    this.#checkOpen();
    return explainMessage(this.#opener, message, options);
  }

  /**
   * Puts the data keys that messages with these options will be sealed with into the cache, so that the first messages do
   * not wait for the provider. Those that are there already are left alone; no message's worth is used up.
   * @param orders - options of `encrypt`, of which suite and contexts count
   * @throws TypeError (`ERR_ARGUMENT`) for what is no list; `ERR_NOT_SUPPORTED` without a cache; as `encrypt` otherwise, after
   *   every order was tried
   */
  async prewarm(orders: Iterable<EncryptOptions>): Promise<void> {
    this.#checkOpen();
    await this.#sealer.prewarm(orders);
  }

  /**
   * Forgets every cached data key and refusal; the next calls ask the provider. For the moment when a key was disabled or
   * replaced and `maxAgeMs` is too long to wait.
   */
  clearCache(): void {
    this.#sealer.policy.cache?.clear();
    this.#opener.policy.cache?.clear();
  }

  /** What the data-key cache has done so far and does now; undefined without a cache. */
  stats(): EnvelopeStats | undefined {
    const sealing = this.#sealer.policy.cache?.stats();
    const opening = this.#opener.policy.cache?.stats();
    return sealing && opening && { sealing, opening };
  }

  /** Wipes the data-key cache; later calls reject with `ERR_CLOSED`. The providers stay open: they are the caller's. */
  close(): void {
    this.#closed = true;
    this.#sealer.policy.cache?.close();
    this.#opener.policy.cache?.close();
  }

  #encryptor(options: EncryptOptions, plaintextLength: number | undefined, isWhole: boolean): MessageEncryptor {
    this.#checkOpen();
    const order = this.#sealer.order(options);
    const begin = (): Awaitable<SealedMessage> => {
      this.#checkOpen();
      return this.#sealer.begin(order, plaintextLength, isWhole);
    };
    const watch = watchMessage(this.#emit, "encrypt", order.suite.id);
    return new MessageEncryptor(begin, plaintextLength ?? Number.MAX_SAFE_INTEGER, options.signal, watch);
  }

  #decryptor(options: DecryptOptions, refuseSigned: boolean): MessageDecryptor {
    this.#checkOpen();
    const expectation = contextExpectation(options);
    const { limits, maxFrameLength } = this.#opener.policy;
    return new MessageDecryptor({
      limits,
      maxFrameLength,
      refuseSigned,
      signal: options.signal,
      watch: watchMessage(this.#emit, "decrypt"),
      accept: (header) => this.#opener.accept(header),
      open: (header) => {
        this.#checkOpen();
        return this.#opener.openNow(header, expectation, options.signal);
      },
    });
  }

  #checkOpen(): void {
    if (this.#closed) throw new FengniError("ERR_CLOSED", "the envelope is closed");
  }
}
