// Rewraps one message piece by piece: its header is replaced, its body passes as it is, its signature is verified and made
// anew. Joins the new header and the walk over the body; must know no bytes on the wire.
import { assertBytes, joinBytes } from "@fengni/crypto/bytes";
import { authenticationError, FengniError } from "./errors.js";
import { truncated } from "./message-header.js";
import { type Awaitable, Turns } from "./pieces.js";
import { BodyScanner } from "./rewrap-body.js";
import { type RewrappedHeader, type Rewrapping, rewrapHeader } from "./rewrap-header.js";
import type { CheckedRewrapOptions } from "./rewrap-options.js";
import type { MessageWatch } from "./telemetry.js";
import { serializeFooter } from "./wire/footer.js";
import { type IncrementalParse, type ParsedHeader, parseHeader } from "./wire/header.js";

/**
 * Rewraps one message from chunks of any size. Each call gives the bytes of the new message that are ready, in order, as
 * pieces; those of the body are views of the chunk. Calls must not overlap. The message is whole only when `final` has
 * settled; after an error, what came out before must be discarded and the old message kept.
 */
export class MessageRewrapper {
  readonly #rewrapping: Rewrapping;
  readonly #options: CheckedRewrapOptions;
  readonly #watch: MessageWatch | undefined;
  readonly #parse: IncrementalParse<ParsedHeader>;
  /** The header's bytes, until it is complete. */
  #bytes: Uint8Array = new Uint8Array(0);
  #length = 0;
  #needs = 1;
  #header: RewrappedHeader | undefined;
  #body: BodyScanner | undefined;
  #received = 0;
  #ended = false;
  readonly #turns = new Turns();

  /** @internal Made by an Envelope. */
  constructor(rewrapping: Rewrapping, options: CheckedRewrapOptions, watch?: MessageWatch) {
    this.#watch = watch;
    this.#rewrapping = rewrapping;
    this.#options = options;
    this.#parse = parseHeader(rewrapping.opener.policy.limits);
    this.#parse.next();
  }

  /** Whether the message stays as it is; undefined until its header is authenticated. */
  get isUnchanged(): boolean | undefined {
    return this.#header?.isUnchanged;
  }

  /**
   * Takes the next part of the message.
   * @param chunk - must not change until the pieces were used
   * @throws as `Envelope.rewrap`
   */
  async update(chunk: Uint8Array): Promise<Uint8Array[]> {
    assertBytes(chunk, "chunk");
    return this.#guard(() => this.#take(chunk));
  }

  /**
   * Says that the input is at its end.
   * @returns the rest of the new message
   * @throws `ERR_MESSAGE_TRUNCATED` when the message is not at its end, `ERR_AUTHENTICATION` for a signature that is wrong
   */
  async final(): Promise<Uint8Array[]> {
    return this.#guard(() => {
      const header = this.#header;
      const body = this.#body;
      if (header === undefined || body?.isDone !== true) throw truncated(this.#received);
      this.#ended = true;
      const footer = this.#footer(header, body);
      this.#watch?.ok();
      return footer;
    });
  }

  /** Gives up. */
  abort(): void {
    this.#ended = true;
    this.#watch?.aborted();
  }

  #footer({ verifier, signer }: RewrappedHeader, body: BodyScanner): Uint8Array[] {
    if (verifier === undefined) return [];
    if (!verifier.verify(body.signature)) throw authenticationError();
    return [serializeFooter(signer === undefined ? body.signature : signer.sign())];
  }

  #guard(work: () => Awaitable<Uint8Array[]>): Awaitable<Uint8Array[]> {
    this.#checkOpen();
    return this.#turns.take(
      () => {
        this.#options.signal?.throwIfAborted();
        return work();
      },
      (error) => {
        this.#watch?.failed(error, this.#options.signal);
        this.abort();
      },
    );
  }

  #checkOpen(): void {
    if (this.#ended) throw new FengniError("ERR_CLOSED", "this message is ended, or failed");
  }

  async #take(chunk: Uint8Array): Promise<Uint8Array[]> {
    this.#received += chunk.length;
    if (this.#header !== undefined) return this.#pass(this.#header, chunk);
    const rest = this.#collect(chunk);
    if (rest === undefined) return [];
    const header = await rewrapHeader(this.#rewrapping, this.#bytes.slice(0, this.#length), this.#options);
    // Given up while the keys were waited for.
    this.#checkOpen();
    this.#bytes = new Uint8Array(0);
    this.#header = header;
    if (this.#watch !== undefined) this.#watch.suiteId = header.parsed.suite.id;
    this.#body = new BodyScanner(header.parsed.frameLength, header.verifier !== undefined);
    return [header.bytes, ...this.#pass(header, rest)];
  }

  #pass({ verifier, signer }: RewrappedHeader, chunk: Uint8Array): Uint8Array[] {
    const body = chunk.subarray(0, this.#body?.take(chunk));
    if (body.length === 0) return [];
    verifier?.update(body);
    signer?.update(body);
    return [body];
  }

  /**
   * Adds a chunk to the header's bytes, which are copied: data keys are waited for, and what was checked before must be what
   * is written after.
   * @returns what of the chunk follows the header, once that is complete
   */
  #collect(chunk: Uint8Array): Uint8Array | undefined {
    for (let offset = 0; offset < chunk.length; ) {
      const end = Math.min(chunk.length, offset + this.#needs - this.#length);
      this.#append(chunk.subarray(offset, end));
      offset = end;
      if (this.#length < this.#needs) break;
      const step = this.#parse.next(this.#bytes.subarray(0, this.#length));
      // It asks for no more than it needs, so that nothing behind the header was taken.
      if (step.done === true) return chunk.subarray(offset);
      this.#needs = step.value;
    }
    return undefined;
  }

  /** Grows by doubling, so that a header that comes byte by byte costs linear time. */
  #append(part: Uint8Array): void {
    if (this.#bytes.length < this.#length + part.length) {
      const grown = new Uint8Array(Math.max(this.#length + part.length, this.#length * 2, 256));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(part, this.#length);
    this.#length += part.length;
  }
}

/** A whole message, rewrapped. */
export async function rewrapMessage(rewrapper: MessageRewrapper, message: Uint8Array): Promise<Uint8Array> {
  assertBytes(message, "message");
  const pieces = await rewrapper.update(message);
  return joinBytes([...pieces, ...(await rewrapper.final())]);
}

/** The engine as a pair of Web Streams. Backpressure is that of the TransformStream. */
export function rewrapperStream(rewrapper: MessageRewrapper): ReadableWritablePair<Uint8Array, Uint8Array> {
  const transformer: Transformer<Uint8Array, Uint8Array> & { cancel(reason: unknown): void } = {
    transform: async (chunk, controller) => {
      // Who reads the stream may keep a piece, and who writes it may use its chunk again.
      for (const piece of await rewrapper.update(chunk)) controller.enqueue(piece.slice());
    },
    flush: async (controller) => {
      for (const piece of await rewrapper.final()) controller.enqueue(piece);
    },
    cancel: () => rewrapper.abort(),
  };
  return new TransformStream(transformer);
}
