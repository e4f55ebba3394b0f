// One message that has its key: its header, and its frames in order (message format, sections "Header authentication",
// "Framed body", "Footer"). Gets its materials from outside; must not know where data keys come from, nor chunks.
import type { AeadKey, Sealed } from "@fengni/crypto/aes-gcm";
import { concatBytes } from "@fengni/crypto/bytes";
import { randomBytes } from "@fengni/crypto/random";
import { deriveMessageKeys } from "./derive.js";
import type { SealingMaterials } from "./materials.js";
import type { MessageSigner } from "./message-signature.js";
import { type Awaitable, andThen } from "./pieces.js";
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
import { GCM_IV_BYTES, GCM_TAG_BYTES, serializeHeader, ZERO_IV } from "./wire/header.js";

const EMPTY = new Uint8Array(0);
/** Frames shorter than this are sealed side by side into one buffer; of longer ones the ciphertexts are not copied. */
const COPY_BELOW: number = 32 * 1024;

/** A header without its tag: what the tag authenticates. */
export function headerBody(header: Uint8Array): Uint8Array {
  return header.subarray(0, header.length - GCM_TAG_BYTES);
}

/**
 * Puts the tag into a header of message version 2, and gives it back.
 * @param header - its body, with room for the tag
 * @param cipher - the header's key: one that the suite does not share with the body, or a message's first header
 */
export function sealHeader(header: Uint8Array, unstoredContext: Uint8Array, cipher: AeadKey): Awaitable<Uint8Array> {
  const body = headerBody(header);
  const aad = unstoredContext.length === 0 ? body : concatBytes(body, unstoredContext);
  return andThen(cipher.seal(ZERO_IV, aad, EMPTY), ({ tag }) => {
    header.set(tag, body.length);
    return header;
  });
}

/** One message that has its key: seals frames in order. */
export class SealedMessage {
  /** The header, and room for the frame of a message that has one. */
  readonly #buffer: Uint8Array;
  /** Header body, with room for the tag. */
  readonly #header: Uint8Array;
  readonly #headerCipher: AeadKey;
  readonly #cipher: AeadKey;
  readonly #unstoredContext: Uint8Array;
  readonly #aad: BlockAad;
  readonly #iv = new Uint8Array(GCM_IV_BYTES);
  readonly #signer: MessageSigner | undefined;
  readonly frameLength: number;
  #sequence = 0;

  /**
   * Derives the message's keys at once; `materials.dataKey` is not used afterwards.
   * @param plaintextLength - of the whole plaintext, where it will come at once: a message of one frame then gets one buffer
   */
  constructor(materials: SealingMaterials, frameLength: number, plaintextLength?: number) {
    const { suite } = materials;
    const messageId = randomBytes(32);
    const keys = deriveMessageKeys(suite, materials.dataKey, messageId);
    this.#cipher = keys.cipher;
    this.#unstoredContext = materials.unstoredContext;
    this.#signer = materials.signingKey?.createSigner();
    this.#aad = new BlockAad(messageId);
    this.frameLength = frameLength;
    const isShort = plaintextLength !== undefined && plaintextLength < frameLength && this.#signer === undefined;
    const room = isShort ? FINAL_FRAME_HEAD_BYTES + plaintextLength + GCM_TAG_BYTES : 0;
    this.#buffer = serializeHeader({
      suite,
      messageId,
      context: materials.storedContext,
      encryptedDataKeys: materials.encryptedDataKeys,
      frameLength,
      commitment: keys.commitment,
      room,
    });
    this.#header = room === 0 ? this.#buffer : this.#buffer.subarray(0, this.#buffer.length - room);
    this.#headerCipher = keys.headerCipher(headerBody(this.#header), this.#unstoredContext);
  }

  get headerLength(): number {
    return this.#header.length;
  }

  /** The body's key, for frames that another thread seals. */
  get cipher(): AeadKey {
    return this.#cipher;
  }

  /** Frames that were sealed, or numbered for another thread. */
  get frames(): number {
    return this.#sequence;
  }

  /** Length of what {@link claim} returns, in bytes. */
  get aadLength(): number {
    return this.#aad.of("regular", 0, 0).length;
  }

  get isSigned(): boolean {
    return this.#signer !== undefined;
  }

  /** Numbers the next regular frame, which another thread seals: writes its head, and gives its AAD until the next call. */
  claim(target: Uint8Array, offset: number): Uint8Array {
    this.#sequence = nextSequence(this.#sequence, false);
    putRegularHead(target, offset, this.#sequence);
    return this.#aad.of("regular", this.#sequence, this.frameLength);
  }

  /** Signs frames that another thread sealed; in order, and before this thread seals the next one. */
  sign(frames: Uint8Array): void {
    this.#signer?.update(frames);
  }

  /** The whole header; called once, first. */
  header(): Awaitable<Uint8Array> {
    return andThen(sealHeader(this.#header, this.#unstoredContext, this.#headerCipher), (header) => {
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

  /** Whether the buffer was made for a plaintext of this length. */
  hasRoomFor(length: number): boolean {
    const room = this.#buffer.length - this.#header.length;
    return room > 0 && room === FINAL_FRAME_HEAD_BYTES + length + GCM_TAG_BYTES;
  }

  /** Seals the only frame behind the header, where there is room for it; returns both: the whole message. */
  sealShort(plaintext: Uint8Array): Awaitable<Uint8Array> {
    const buffer = this.#buffer;
    const offset = this.#header.length;
    const sequence = nextSequence(this.#sequence, true);
    this.#sequence = sequence;
    putFinalHead(buffer, offset, sequence, plaintext.length);
    const iv = buffer.subarray(offset + 8, offset + 8 + GCM_IV_BYTES);
    const sealed = this.#cipher.seal(iv, this.#aad.of("final", sequence, plaintext.length), plaintext);
    return andThen(sealed, ({ ciphertext, tag }) => {
      buffer.set(ciphertext, offset + FINAL_FRAME_HEAD_BYTES);
      buffer.set(tag, buffer.length - GCM_TAG_BYTES);
      return buffer;
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
