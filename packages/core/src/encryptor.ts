// Writes one message piece by piece from chunks of any size. Must know no bytes on the wire, nor where data keys come from.
import { assertBytes, joinBytes } from "@fengni/crypto/bytes";
import { FengniError, limitError } from "./errors.js";
import { type Awaitable, andThen, gather, Turns } from "./pieces.js";
import type { SealedMessage } from "./sealed-message.js";
import type { MessageWatch } from "./telemetry.js";

const EMPTY = new Uint8Array(0);

/**
 * Encrypts one message from chunks of any size. Each call gives the bytes of the message that are ready, in order, as
 * pieces that the caller owns. Chunks are not kept: the caller may reuse them once the call has settled. Calls must not
 * overlap.
 */
export class MessageEncryptor {
  readonly #begin: () => Awaitable<SealedMessage>;
  readonly #maxPlaintextLength: number;
  readonly #signal: AbortSignal | undefined;
  readonly #watch: MessageWatch | undefined;
  #message: SealedMessage | undefined;
  /** The part of a frame that is not full yet. */
  #partial: Uint8Array = EMPTY;
  #partialLength = 0;
  #total = 0;
  #ended = false;
  readonly #turns = new Turns();

  /** @internal Made by an Envelope. */
  constructor(
    begin: () => Awaitable<SealedMessage>,
    maxPlaintextLength: number,
    signal: AbortSignal | undefined,
    watch?: MessageWatch,
  ) {
    this.#begin = begin;
    this.#signal = signal;
    this.#maxPlaintextLength = maxPlaintextLength;
    this.#watch = watch;
  }

  /** Takes the next part of the plaintext. @throws `ERR_LIMIT` over the stated length, `ERR_CLOSED` after the end */
  async update(chunk: Uint8Array): Promise<Uint8Array[]> {
    return this.updateNow(chunk);
  }

  /** Ends the message: its last frame holds what remains, and may be empty. */
  async final(): Promise<Uint8Array[]> {
    return this.finalNow();
  }

  /** As {@link update}, without a promise where none is needed; fails at once or later. */
  updateNow(chunk: Uint8Array): Awaitable<Uint8Array[]> {
    assertBytes(chunk, "chunk");
    return andThen(
      this.#guard((message, pieces) => this.#take(chunk, message, pieces)),
      gather,
    );
  }

  /** As {@link final}, without a promise where none is needed; fails at once or later. */
  finalNow(): Awaitable<Uint8Array[]> {
    return andThen(
      this.#guard((message, pieces) => this.#end(message, pieces)),
      gather,
    );
  }

  /** Gives up: wipes what is held. */
  abort(): void {
    this.#ended = true;
    this.#partial.fill(0);
    this.#watched()?.aborted();
  }

  /** @internal The message, once it is begun. */
  get message(): SealedMessage | undefined {
    return this.#message;
  }

  /** @internal Bytes of the frame that is not full yet. */
  get partialLength(): number {
    return this.#partialLength;
  }

  /** @internal Takes a whole frame of plaintext that another thread seals; as {@link SealedMessage.claim}. */
  claim(message: SealedMessage, target: Uint8Array, offset: number): Uint8Array {
    this.#checkOpen();
    this.#signal?.throwIfAborted();
    this.#count(message.frameLength);
    return message.claim(target, offset);
  }

  /** @internal A whole message from one plaintext; without a promise where none is needed, fails at once or later. */
  sealNow(plaintext: Uint8Array): Awaitable<Uint8Array> {
    return andThen(
      this.#guard((message, sealed) =>
        message.hasRoomFor(plaintext.length)
          ? this.#sealShort(plaintext, message, sealed)
          : andThen(this.#take(plaintext, message, sealed), () => this.#end(message, sealed)),
      ),
      (pieces) => (pieces.length === 1 ? (pieces[0] as Uint8Array) : joinBytes(pieces)),
    );
  }

  #take(chunk: Uint8Array, message: SealedMessage, pieces: Uint8Array[]): Awaitable<void> {
    this.#count(chunk.length);
    const { frameLength } = message;
    const takeWhole = (offset: number): Awaitable<void> => {
      const end = chunk.length - ((chunk.length - offset) % frameLength);
      const sealed = end > offset ? message.regular(chunk.subarray(offset, end), pieces) : undefined;
      return andThen(sealed, () => {
        if (end < chunk.length) this.#fill(chunk.subarray(end), frameLength);
      });
    };
    if (this.#partialLength === 0) return takeWhole(0);
    const filled = this.#fill(chunk, frameLength);
    if (this.#partialLength < frameLength) return;
    return andThen(message.regular(this.#partial.subarray(0, frameLength), pieces), () => {
      this.#partialLength = 0;
      return takeWhole(filled);
    });
  }

  #count(length: number): void {
    this.#total += length;
    if (this.#total > this.#maxPlaintextLength) {
      throw limitError("plaintext length", this.#maxPlaintextLength, this.#total, "raise maxPlaintextLength");
    }
  }

  #end(message: SealedMessage, pieces: Uint8Array[]): Awaitable<void> {
    this.#ended = true;
    return andThen(message.final(this.#partial.subarray(0, this.#partialLength), pieces), () => {
      this.#partial.fill(0);
      this.#watched()?.ok();
    });
  }

  /** Seals a message of one frame behind its header; the one piece is the whole message. */
  #sealShort(plaintext: Uint8Array, message: SealedMessage, pieces: Uint8Array[]): Awaitable<void> {
    this.#count(plaintext.length);
    this.#ended = true;
    return andThen(message.sealShort(plaintext), (whole) => {
      pieces[0] = whole;
      this.#watched()?.ok();
    });
  }

  /** Who follows this message, told how far it has come; asked for at its end only. */
  #watched(): MessageWatch | undefined {
    if (this.#watch === undefined) return undefined;
    this.#watch.plaintextBytes = this.#total;
    this.#watch.frames = this.#message?.frames ?? 0;
    return this.#watch;
  }

  #guard(work: (message: SealedMessage, pieces: Uint8Array[]) => Awaitable<void>): Awaitable<Uint8Array[]> {
    this.#checkOpen();
    const pieces: Uint8Array[] = [];
    const begun = (): Awaitable<SealedMessage> => {
      this.#signal?.throwIfAborted();
      return this.#message ?? this.#start(pieces);
    };
    return this.#turns.take(
      () =>
        andThen(
          andThen(begun(), (message) => work(message, pieces)),
          () => pieces,
        ),
      (error) => {
        this.#watched()?.failed(error, this.#signal);
        this.abort();
      },
    );
  }

  #checkOpen(): void {
    if (this.#ended) throw new FengniError("ERR_CLOSED", "this message is ended, or failed");
  }

  #start(pieces: Uint8Array[]): Awaitable<SealedMessage> {
    return andThen(this.#begin(), (message) =>
      andThen(message.header(), (header) => {
        pieces.push(header);
        // Given up while the data key was waited for.
        this.#checkOpen();
        this.#message = message;
        return message;
      }),
    );
  }

  /** Copies into the partial frame what fits; returns how much it took. The buffer grows with the data, not the frame. */
  #fill(chunk: Uint8Array, frameLength: number): number {
    const taken = Math.min(chunk.length, frameLength - this.#partialLength);
    const needed = this.#partialLength + taken;
    if (this.#partial.length < needed) {
      const grown = new Uint8Array(Math.min(frameLength, Math.max(needed, this.#partial.length * 2)));
      grown.set(this.#partial.subarray(0, this.#partialLength));
      this.#partial.fill(0);
      this.#partial = grown;
    }
    this.#partial.set(chunk.subarray(0, taken), this.#partialLength);
    this.#partialLength = needed;
    return taken;
  }
}
