// Writes one message piece by piece: header, frames, footer (message format, sections "Header authentication", "Framed
// body", "Footer"). Gets its materials from outside; must not know where data keys come from.
import type { AeadKey, Sealed } from "@fengni/crypto/aes-gcm";
import { concatBytes } from "@fengni/crypto/bytes";
import type { EcdsaSigner } from "@fengni/crypto/ecdsa";
import { randomBytes } from "@fengni/crypto/random";
import { deriveMessageKeys } from "./derive.js";
import { FengniError, limitError } from "./errors.js";
import type { SealingMaterials } from "./materials.js";
import { checkBytes } from "./options.js";
import { serializeFooter } from "./wire/footer.js";
import {
  BlockAad,
  blockIv,
  FINAL_FRAME_HEAD_BYTES,
  FINAL_FRAME_MARK,
  MAX_FRAMES,
  putFinalHead,
  putRegularHead,
  REGULAR_FRAME_HEAD_BYTES,
} from "./wire/frame.js";
import { GCM_IV_BYTES, GCM_TAG_BYTES, serializeHeader } from "./wire/header.js";

const EMPTY = new Uint8Array(0);
/** From this frame length on, a frame's parts are given out as they are: copying them together would cost more. */
const COPY_BELOW_FRAME_LENGTH = 32 * 1024;

/** One message that has its key: seals frames in order. */
export class SealedMessage {
  /** Header body, with room for the tag. */
  readonly #header: Uint8Array;
  readonly #cipher: AeadKey;
  readonly #unstoredContext: Uint8Array;
  readonly #aad: BlockAad;
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

  /** The whole header; called once, first. */
  async header(): Promise<Uint8Array> {
    const header = this.#header;
    const body = header.subarray(0, header.length - GCM_TAG_BYTES);
    const aad = this.#unstoredContext.length === 0 ? body : concatBytes(body, this.#unstoredContext);
    const { tag } = await this.#cipher.seal(new Uint8Array(GCM_IV_BYTES), aad, EMPTY);
    header.set(tag, body.length);
    this.#signer?.update(header);
    return header;
  }

  /** Seals a full frame and puts its head and tag, with what belongs between them, into `pieces`. */
  async regular(plaintext: Uint8Array, pieces: Uint8Array[]): Promise<void> {
    const sequence = this.#next(FINAL_FRAME_MARK - 1);
    const head = new Uint8Array(REGULAR_FRAME_HEAD_BYTES);
    putRegularHead(head, 0, sequence);
    const result = this.#cipher.seal(blockIv(sequence), this.#aad.of("regular", sequence, plaintext.length), plaintext);
    this.#put(head, result instanceof Promise ? await result : result, pieces);
  }

  /** Seals the final frame and adds the footer where the suite signs. */
  async final(plaintext: Uint8Array, pieces: Uint8Array[]): Promise<void> {
    const sequence = this.#next(MAX_FRAMES);
    const head = new Uint8Array(FINAL_FRAME_HEAD_BYTES);
    putFinalHead(head, 0, sequence, plaintext.length);
    const result = this.#cipher.seal(blockIv(sequence), this.#aad.of("final", sequence, plaintext.length), plaintext);
    this.#put(head, result instanceof Promise ? await result : result, pieces);
    if (this.#signer !== undefined) pieces.push(serializeFooter(this.#signer.sign()));
  }

  #put(head: Uint8Array, { ciphertext, tag }: Sealed, pieces: Uint8Array[]): void {
    pieces.push(head, ciphertext, tag);
    if (this.#signer === undefined) return;
    this.#signer.update(head);
    this.#signer.update(ciphertext);
    this.#signer.update(tag);
  }

  #next(maximum: number): number {
    this.#sequence += 1;
    if (this.#sequence > maximum) {
      throw limitError("number of frames", MAX_FRAMES, this.#sequence, "use a longer frameLength");
    }
    return this.#sequence;
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
  #message: SealedMessage | undefined;
  /** The part of a frame that is not full yet. */
  #partial: Uint8Array = EMPTY;
  #partialLength = 0;
  #total = 0;
  #ended = false;

  /** @internal Made by an Envelope. */
  constructor(begin: () => Promise<SealedMessage>, maxPlaintextLength: number) {
    this.#begin = begin;
    this.#maxPlaintextLength = maxPlaintextLength;
  }

  /** Takes the next part of the plaintext. @throws `ERR_LIMIT` over the stated length, `ERR_CLOSED` after the end */
  async update(chunk: Uint8Array): Promise<Uint8Array[]> {
    checkBytes("chunk", chunk);
    this.#total += chunk.length;
    if (this.#total > this.#maxPlaintextLength) {
      this.#ended = true;
      throw limitError("plaintext length", this.#maxPlaintextLength, this.#total, "raise maxPlaintextLength");
    }
    return this.#guard(async (message, pieces) => {
      let offset = 0;
      const { frameLength } = message;
      if (this.#partialLength > 0) {
        offset = this.#fill(chunk, frameLength);
        if (this.#partialLength < frameLength) return;
        await message.regular(this.#partial.subarray(0, frameLength), pieces);
        this.#partialLength = 0;
      }
      for (; chunk.length - offset >= frameLength; offset += frameLength) {
        await message.regular(chunk.subarray(offset, offset + frameLength), pieces);
      }
      if (offset < chunk.length) this.#fill(chunk.subarray(offset), frameLength);
    });
  }

  /** Ends the message: its last frame holds what remains, and may be empty. */
  async final(): Promise<Uint8Array[]> {
    return this.#guard(async (message, pieces) => {
      this.#ended = true;
      await message.final(this.#partial.subarray(0, this.#partialLength), pieces);
      this.#partial.fill(0);
    });
  }

  async #guard(work: (message: SealedMessage, pieces: Uint8Array[]) => Promise<void>): Promise<Uint8Array[]> {
    if (this.#ended) throw new FengniError("ERR_CLOSED", "this message is ended, or failed");
    const pieces: Uint8Array[] = [];
    try {
      if (this.#message === undefined) {
        this.#message = await this.#begin();
        pieces.push(await this.#message.header());
      }
      await work(this.#message, pieces);
    } catch (error) {
      this.#ended = true;
      this.#partial.fill(0);
      throw error;
    }
    return gather(pieces, this.#message.frameLength);
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

/** Short pieces travel together: small frames as one piece, the small parts between large ciphertexts joined. */
function gather(pieces: readonly Uint8Array[], frameLength: number): Uint8Array[] {
  if (pieces.length <= 1) return [...pieces];
  if (frameLength < COPY_BELOW_FRAME_LENGTH) return [concatBytes(...pieces)];
  const gathered: Uint8Array[] = [];
  let small: Uint8Array[] = [];
  const flush = (): void => {
    if (small.length > 0) gathered.push(small.length === 1 ? (small[0] as Uint8Array) : concatBytes(...small));
    small = [];
  };
  for (const piece of pieces) {
    if (piece.length < COPY_BELOW_FRAME_LENGTH) {
      small.push(piece);
    } else {
      flush();
      gathered.push(piece);
    }
  }
  flush();
  return gathered;
}
