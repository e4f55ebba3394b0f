// Writes one message piece by piece: header, frames, footer (message format, sections "Header authentication", "Framed
// body", "Footer"). Gets its materials from outside; must not know where data keys come from.
import type { AeadKey, Sealed } from "@fengni/crypto/aes-gcm";
import { assertBytes, concatBytes, joinBytes } from "@fengni/crypto/bytes";
import type { EcdsaSigner } from "@fengni/crypto/ecdsa";
import { randomBytes } from "@fengni/crypto/random";
import { deriveMessageKeys } from "./derive.js";
import { FengniError, limitError } from "./errors.js";
import type { SealingMaterials } from "./materials.js";
import { type Awaitable, andThen, gather, Turns } from "./pieces.js";
import { serializeFooter } from "./wire/footer.js";
import {
  BlockAad,
  FINAL_FRAME_HEAD_BYTES,
  nextSequence,
  putBlockIv,
  putFinalHead,
  putRegularHead,
  REGULAR_FRAME_HEAD_BYTES,
} from "./wire/frame.js";
import { GCM_IV_BYTES, GCM_TAG_BYTES, serializeHeader } from "./wire/header.js";

const EMPTY = new Uint8Array(0);
/** Frames shorter than this are sealed side by side into one buffer; of longer ones the ciphertexts are not copied. */
const COPY_BELOW: number = 32 * 1024;

/** One message that has its key: seals frames in order. */
export class SealedMessage {
  /** Header body, with room for the tag. */
  readonly #header: Uint8Array;
  readonly #cipher: AeadKey;
  readonly #unstoredContext: Uint8Array;
  readonly #aad: BlockAad;
  readonly #iv = new Uint8Array(GCM_IV_BYTES);
  readonly #signer: EcdsaSigner | undefined;
  readonly frameLength: number;
  #sequence = 0;

  /** Derives the message's key at once; `materials.dataKey` is not used afterwards. */
  constructor(materials: SealingMaterials, frameLength: number) {
    const { suite } = materials;
    const messageId = randomBytes(32);
    const keys = deriveMessageKeys(suite, materials.dataKey, messageId);
    this.#cipher = keys.cipher;
    this.#unstoredContext = materials.unstoredContext;
    this.#signer = materials.signingKey?.createSigner();
    this.#aad = new BlockAad(messageId);
    this.frameLength = frameLength;
    this.#header = serializeHeader({
      suite,
      messageId,
      context: materials.storedContext,
      encryptedDataKeys: materials.encryptedDataKeys,
      frameLength,
      commitment: keys.commitment,
    });
  }

  get headerLength(): number {
    return this.#header.length;
  }

  /** The whole header; called once, first. */
  header(): Awaitable<Uint8Array> {
    const header = this.#header;
    const body = header.subarray(0, header.length - GCM_TAG_BYTES);
    const aad = this.#unstoredContext.length === 0 ? body : concatBytes(body, this.#unstoredContext);
    return andThen(this.#cipher.seal(new Uint8Array(GCM_IV_BYTES), aad, EMPTY), ({ tag }) => {
      header.set(tag, body.length);
      this.#signer?.update(header);
      return header;
    });
  }

  /** Seals full frames, one or more, and adds them to `pieces`. */
  regular(plaintext: Uint8Array, pieces: Uint8Array[]): Awaitable<void> {
    const { frameLength } = this;
    const sealedLength = REGULAR_FRAME_HEAD_BYTES + frameLength + GCM_TAG_BYTES;
    const heads = frameLength < COPY_BELOW ? sealedLength : REGULAR_FRAME_HEAD_BYTES;
    const buffer = new Uint8Array((plaintext.length / frameLength) * heads);
    if (heads === sealedLength) pieces.push(buffer);

    const put = (head: Uint8Array, { ciphertext, tag }: Sealed): void => {
      if (heads === sealedLength) {
        head.set(ciphertext, REGULAR_FRAME_HEAD_BYTES);
        head.set(tag, REGULAR_FRAME_HEAD_BYTES + frameLength);
        this.#signer?.update(head);
        return;
      }
      this.#push(head, ciphertext, tag, pieces);
    };
    const sealFrom = (first: number): Awaitable<void> => {
      for (let i = first; i * frameLength < plaintext.length; i++) {
        const sequence = nextSequence(this.#sequence, false);
        this.#sequence = sequence;
        const head = buffer.subarray(i * heads, (i + 1) * heads);
        putRegularHead(head, 0, sequence);
        const frame = plaintext.subarray(i * frameLength, (i + 1) * frameLength);
        putBlockIv(this.#iv, sequence);
        const sealed = this.#cipher.seal(this.#iv, this.#aad.of("regular", sequence, frameLength), frame);
        if (sealed instanceof Promise) {
          return sealed.then((value) => {
            put(head, value);
            return sealFrom(i + 1);
          });
        }
        put(head, sealed);
      }
    };
    return sealFrom(0);
  }

  /** Seals the final frame and adds the footer where the suite signs. */
  final(plaintext: Uint8Array, pieces: Uint8Array[]): Awaitable<void> {
    const sequence = nextSequence(this.#sequence, true);
    this.#sequence = sequence;
    const head = new Uint8Array(FINAL_FRAME_HEAD_BYTES);
    putFinalHead(head, 0, sequence, plaintext.length);
    putBlockIv(this.#iv, sequence);
    const sealed = this.#cipher.seal(this.#iv, this.#aad.of("final", sequence, plaintext.length), plaintext);
    return andThen(sealed, ({ ciphertext, tag }) => {
      this.#push(head, ciphertext, tag, pieces);
      if (this.#signer !== undefined) pieces.push(serializeFooter(this.#signer.sign()));
    });
  }

  #push(head: Uint8Array, ciphertext: Uint8Array, tag: Uint8Array, pieces: Uint8Array[]): void {
    pieces.push(head, ciphertext, tag);
    if (this.#signer === undefined) return;
    this.#signer.update(head);
    this.#signer.update(ciphertext);
    this.#signer.update(tag);
  }
}

/**
 * Encrypts one message from chunks of any size. Each call gives the bytes of the message that are ready, in order, as
 * pieces that the caller owns. Chunks are not kept: the caller may reuse them once the call has settled. Calls must not
 * overlap.
 */
export class MessageEncryptor {
  readonly #begin: () => Promise<SealedMessage>;
  readonly #maxPlaintextLength: number;
  readonly #signal: AbortSignal | undefined;
  #message: SealedMessage | undefined;
  /** The part of a frame that is not full yet. */
  #partial: Uint8Array = EMPTY;
  #partialLength = 0;
  #total = 0;
  #ended = false;
  readonly #turns = new Turns();

  /** @internal Made by an Envelope. */
  constructor(begin: () => Promise<SealedMessage>, maxPlaintextLength: number, signal: AbortSignal | undefined) {
    this.#begin = begin;
    this.#signal = signal;
    this.#maxPlaintextLength = maxPlaintextLength;
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
  }

  /** @internal A whole message from one plaintext. */
  async seal(plaintext: Uint8Array): Promise<Uint8Array> {
    const pieces = await this.#guard((message, sealed) =>
      andThen(this.#take(plaintext, message, sealed), () => this.#end(message, sealed)),
    );
    return joinBytes(pieces);
  }

  #take(chunk: Uint8Array, message: SealedMessage, pieces: Uint8Array[]): Awaitable<void> {
    this.#total += chunk.length;
    if (this.#total > this.#maxPlaintextLength) {
      throw limitError("plaintext length", this.#maxPlaintextLength, this.#total, "raise maxPlaintextLength");
    }
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

  #end(message: SealedMessage, pieces: Uint8Array[]): Awaitable<void> {
    this.#ended = true;
    return andThen(message.final(this.#partial.subarray(0, this.#partialLength), pieces), () => {
      this.#partial.fill(0);
    });
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
      () => this.abort(),
    );
  }

  #checkOpen(): void {
    if (this.#ended) throw new FengniError("ERR_CLOSED", "this message is ended, or failed");
  }

  async #start(pieces: Uint8Array[]): Promise<SealedMessage> {
    const message = await this.#begin();
    pieces.push(await message.header());
    // Given up while the data key was waited for.
    this.#checkOpen();
    this.#message = message;
    return message;
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
