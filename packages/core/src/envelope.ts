// The Envelope: what applications hold. Joins materials, cache and the two engines; must know no bytes on the wire.
import { assertBytes, bytesToBase64, bytesToUtf8, utf8ToBytes, wipe } from "@fengni/crypto/bytes";
import { digest } from "@fengni/crypto/hash";
import { BoundedCache, cacheLimits } from "./cache.js";
import { checkCallerContext, copyContext, requireContext, serializeContext } from "./context.js";
import { MessageDecryptor, type OpenedHeader } from "./decryptor.js";
import { deriveAndCheckCommitment } from "./derive.js";
import { MessageEncryptor, SealedMessage } from "./encryptor.js";
import {
  checkKeys,
  checkSuites,
  DECRYPT_FIELDS,
  DEFAULT_FRAME_LENGTH,
  DEFAULT_MAX_FRAME_LENGTH,
  type DecryptedMessage,
  type DecryptOptions,
  type DecryptStreamOptions,
  ENCRYPT_FIELDS,
  type EncryptOptions,
  type EncryptStreamOptions,
  type EnvelopeOptions,
} from "./envelope-options.js";
import { argumentError, FengniError, limitError } from "./errors.js";
import {
  generateMaterials,
  type SealingMaterials,
  type SealingRequest,
  splitContext,
  unwrapMaterials,
} from "./materials.js";
import { headerLimits, type MessageHeader } from "./message-header.js";
import { checkInteger, checkOptions } from "./options.js";
import type { CallOptions, EncryptionContext } from "./provider.js";
import { type DecryptStream, decryptorStream, encryptorStream } from "./stream.js";
import {
  type AlgorithmSuite,
  COMMITMENT_POLICIES,
  type CommitmentPolicy,
  checkCommitment,
  DEFAULT_SUITE,
  formatSuiteId,
  suiteForWriting,
  type WritableSuiteId,
} from "./suites.js";
import { type HeaderLimits, MAX_FRAME_LENGTH, type ParsedHeader } from "./wire/header.js";
import type { UnwrappingKey, WrappingKey } from "./wrapping-key.js";

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
  readonly #wrappingKeys: readonly WrappingKey[];
  readonly #unwrappingKeys: readonly UnwrappingKey[];
  readonly #suite: WritableSuiteId;
  readonly #frameLength: number;
  readonly #commitmentPolicy: CommitmentPolicy;
  readonly #readableSuites: readonly number[] | undefined;
  readonly #limits: HeaderLimits;
  readonly #maxFrameLength: number;
  readonly #sealingCache: BoundedCache<SealingMaterials> | undefined;
  readonly #openingCache: BoundedCache<Uint8Array> | undefined;
  #closed = false;

  /** @throws TypeError, RangeError (`ERR_ARGUMENT`) for options that cannot be; `ERR_NOT_SUPPORTED` for a suite that is only read */
  constructor(options: EnvelopeOptions) {
    checkOptions("Envelope", options, [
      "wrappingKeys",
      "unwrappingKeys",
      "suite",
      "frameLength",
      "commitmentPolicy",
      "readableSuites",
      "maxEncryptedDataKeys",
      "maxFrameLength",
      "maxHeaderLength",
      "cache",
    ]);
    const unwrappingKeys = options.unwrappingKeys ?? [];
    checkKeys("wrappingKeys", options.wrappingKeys, ["generateDataKey", "wrapDataKey", "unwrapDataKey"]);
    checkKeys("unwrappingKeys", unwrappingKeys, ["unwrapDataKey"]);
    this.#wrappingKeys = [...options.wrappingKeys];
    this.#unwrappingKeys = [...options.wrappingKeys, ...unwrappingKeys];
    if (this.#unwrappingKeys.length === 0)
      throw argumentError("an envelope needs a wrapping key, or an unwrapping key");
    this.#suite = options.suite ?? DEFAULT_SUITE;
    this.#maxFrameLength = checkInteger(
      "maxFrameLength",
      options.maxFrameLength ?? DEFAULT_MAX_FRAME_LENGTH,
      1,
      Number.MAX_SAFE_INTEGER,
    );
    this.#frameLength = this.#checkFrameLength(
      options.frameLength ?? Math.min(DEFAULT_FRAME_LENGTH, this.#maxFrameLength),
    );
    this.#commitmentPolicy = options.commitmentPolicy ?? "require-encrypt-require-decrypt";
    if (!COMMITMENT_POLICIES.includes(this.#commitmentPolicy)) {
      throw argumentError(`commitmentPolicy expected one of ${COMMITMENT_POLICIES.join(", ")}`);
    }
    this.#readableSuites = options.readableSuites === undefined ? undefined : checkSuites(options.readableSuites);
    if (this.#wrappingKeys.length > 0) this.#suiteForWriting(this.#suite);
    this.#limits = headerLimits({
      ...(options.maxEncryptedDataKeys !== undefined && { maxEncryptedDataKeys: options.maxEncryptedDataKeys }),
      ...(options.maxHeaderLength !== undefined && { maxHeaderLength: options.maxHeaderLength }),
    });
    if (this.#wrappingKeys.length > this.#limits.maxEncryptedDataKeys) {
      const [maximum, actual] = [this.#limits.maxEncryptedDataKeys, this.#wrappingKeys.length];
      throw limitError("number of encrypted data keys", maximum, actual, "raise maxEncryptedDataKeys");
    }
    if (options.cache !== undefined) {
      const limits = cacheLimits(options.cache);
      this.#sealingCache = new BoundedCache(limits, (materials) => wipe(materials.dataKey));
      const unlimited = { maxMessages: Number.MAX_SAFE_INTEGER, maxBytes: Number.MAX_SAFE_INTEGER };
      this.#openingCache = new BoundedCache<Uint8Array>({ ...limits, ...unlimited }, wipe);
    }
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
    return this.#encryptor(options, bytes.length).seal(bytes);
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
    const plaintext = await decryptor.open(message);
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
    checkOptions("createEncryptor", options, [...ENCRYPT_FIELDS, "maxPlaintextLength"]);
    const maximum = options.maxPlaintextLength;
    if (maximum !== undefined) checkInteger("maxPlaintextLength", maximum, 0, Number.MAX_SAFE_INTEGER);
    return this.#encryptor(options, maximum);
  }

  /** An engine that opens one message piece by piece; the streams are made of it. */
  createDecryptor(options: DecryptStreamOptions = {}): MessageDecryptor {
    checkOptions("createDecryptor", options, [...DECRYPT_FIELDS, "refuseSigned"]);
    return this.#decryptor(options, options.refuseSigned ?? false);
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

  /** Wipes the data-key cache; later calls reject with `ERR_CLOSED`. The providers stay open: they are the caller's. */
  close(): void {
    this.#closed = true;
    this.#sealingCache?.close();
    this.#openingCache?.close();
  }

  #encryptor(options: EncryptOptions, plaintextLength: number | undefined): MessageEncryptor {
    this.#checkOpen();
    const suite = this.#suiteForWriting(options.suite ?? this.#suite);
    const frameLength = this.#checkFrameLength(options.frameLength ?? this.#frameLength);
    const context = checkCallerContext(options.encryptionContext ?? {});
    const unstoredContextKeys = options.unstoredContextKeys ?? [];
    if (!Array.isArray(unstoredContextKeys)) throw argumentError("unstoredContextKeys expected an array of text");
    const request: SealingRequest = { suite, context, unstoredContextKeys: [...unstoredContextKeys] };
    return new MessageEncryptor(
      () => this.#beginMessage(request, frameLength, plaintextLength, options.signal),
      plaintextLength ?? Number.MAX_SAFE_INTEGER,
      options.signal,
    );
  }

  async #beginMessage(
    request: SealingRequest,
    frameLength: number,
    plaintextLength: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<SealedMessage> {
    this.#checkOpen();
    signal?.throwIfAborted();
    const begin = (materials: SealingMaterials): SealedMessage => {
      const message = new SealedMessage(materials, frameLength);
      const maximum = this.#limits.maxHeaderLength;
      // A message that this envelope could not read back is not written.
      if (message.headerLength > maximum) {
        throw limitError(
          "header length",
          maximum,
          message.headerLength,
          "raise maxHeaderLength, or store less context",
        );
      }
      return message;
    };
    const cache = this.#sealingCache;
    if (cache === undefined || plaintextLength === undefined || !cache.admits(plaintextLength)) {
      const materials = await generateMaterials(request, this.#wrappingKeys, callOptions(signal));
      try {
        return begin(materials);
      } finally {
        wipe(materials.dataKey);
      }
    }
    const { stored, unstored } = splitContext(request.context, request.unstoredContextKeys);
    const key = cacheKey(request.suite.id, serializeContext(stored), serializeContext(unstored));
    // The load serves every caller that waits for it, so one caller's signal does not end it.
    return cache.use(key, plaintextLength, () => generateMaterials(request, this.#wrappingKeys, {}), begin, signal);
  }

  #decryptor(options: DecryptOptions, refuseSigned: boolean): MessageDecryptor {
    this.#checkOpen();
    const expected = copyContext(options.encryptionContext ?? {});
    const reproduced = copyContext(options.reproducedContext ?? {});
    return new MessageDecryptor({
      limits: this.#limits,
      maxFrameLength: this.#maxFrameLength,
      refuseSigned,
      signal: options.signal,
      accept: (header) => this.#accept(header),
      open: (header) => this.#openHeader(header, expected, reproduced, options.signal),
    });
  }

  #accept({ suite }: ParsedHeader): void {
    checkCommitment(suite, this.#commitmentPolicy);
    if (this.#readableSuites !== undefined && !this.#readableSuites.includes(suite.id)) {
      const id = formatSuiteId(suite.id);
      throw new FengniError("ERR_MESSAGE_UNSUPPORTED", `algorithm suite ${id} is not among readableSuites`, {
        details: { suite: id },
      });
    }
  }

  async #openHeader(
    header: ParsedHeader,
    expected: EncryptionContext,
    reproduced: EncryptionContext,
    signal: AbortSignal | undefined,
  ): Promise<OpenedHeader> {
    this.#checkOpen();
    signal?.throwIfAborted();
    const { suite } = header;
    const isWhole = Object.keys(reproduced).length === 0;
    const context: Record<string, string> = isWhole
      ? header.context
      : Object.assign(Object.create(null), header.context);
    const unstored: Record<string, string> = Object.create(null);
    for (const [key, value] of Object.entries(reproduced)) {
      if (!Object.hasOwn(context, key)) unstored[key] = value;
      else if (context[key] !== value) requireContext(context, { [key]: value });
      context[key] = value;
    }
    requireContext(context, expected);
    const unstoredContext = serializeContext(unstored);
    const request = { suite, encryptedDataKeys: header.encryptedDataKeys, context };
    const derive = (dataKey: Uint8Array): OpenedHeader => ({
      cipher: deriveAndCheckCommitment(suite, dataKey, header.messageId, header.commitment),
      unstoredContext,
    });
    if (this.#openingCache !== undefined) {
      const key = cacheKey(suite.id, header.wrapping, unstoredContext);
      const load = (): Promise<Uint8Array> => unwrapMaterials(request, this.#unwrappingKeys, {});
      return this.#openingCache.use(key, 0, load, derive, signal);
    }
    const dataKey = await unwrapMaterials(request, this.#unwrappingKeys, callOptions(signal));
    try {
      return derive(dataKey);
    } finally {
      wipe(dataKey);
    }
  }

  #suiteForWriting(id: number): AlgorithmSuite {
    const suite = suiteForWriting(id);
    if (this.#readableSuites !== undefined && !this.#readableSuites.includes(id)) {
      throw new FengniError("ERR_NOT_SUPPORTED", `suite ${formatSuiteId(id)} is not among readableSuites`, {
        details: { operation: `write suite ${formatSuiteId(id)}` },
      });
    }
    return suite;
  }

  #checkFrameLength(frameLength: number): number {
    // Nor is one whose frames it could not read back.
    return checkInteger("frameLength", frameLength, 1, Math.min(this.#maxFrameLength, MAX_FRAME_LENGTH));
  }

  #checkOpen(): void {
    if (this.#closed) throw new FengniError("ERR_CLOSED", "the envelope is closed");
  }
}

function callOptions(signal: AbortSignal | undefined): CallOptions {
  return signal === undefined ? {} : { signal };
}

/** Longest text that is its own cache key; longer ones are hashed. */
const MAX_PLAIN_KEY = 1024;

/** One key per suite and per what the data key is bound to; the lengths keep the parts apart. */
function cacheKey(suiteId: number, stored: Uint8Array, unstored: Uint8Array): string {
  const lengths = `${suiteId} ${stored.length} ${unstored.length} `;
  if (stored.length + unstored.length > MAX_PLAIN_KEY)
    return lengths + bytesToBase64(digest("sha256", stored, unstored));
  return lengths + latin1(stored) + latin1(unstored);
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode.apply(null, bytes as unknown as number[]);
}
