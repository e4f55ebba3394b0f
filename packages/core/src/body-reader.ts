// Reads the body and the footer of one message: frames in order, each released once it is authenticated (message format,
// sections "Body" and "Footer"). Gets its cipher from outside; must not know headers' checks or keys.
import type { AeadKey, AeadOpener } from "@fengni/crypto/aes-gcm";
import { wipe } from "@fengni/crypto/bytes";
import { authenticationError, FengniError, limitError } from "./errors.js";
import type { MessageVerifier } from "./message-signature.js";
import { type Awaitable, andThen } from "./pieces.js";
import { FOOTER_HEAD_BYTES, footerSignatureLength } from "./wire/footer.js";
import {
  BlockAad,
  type BlockHead,
  FINAL_FRAME_HEAD_BYTES,
  FINAL_FRAME_MARK,
  frameHeadLength,
  NON_FRAMED_HEAD_BYTES,
  nextSequence,
  parseFrameHead,
  parseNonFramedHead,
  REGULAR_FRAME_HEAD_BYTES,
} from "./wire/frame.js";
import { GCM_TAG_BYTES, type ParsedHeader } from "./wire/header.js";
import { readU32 } from "./wire/integers.js";

/** Where the reader stands in the body. */
type Stage = "mark" | "head" | "content" | "tag" | "footer-length" | "signature" | "done";

const NO_FIELD = /* @__PURE__ */ new Uint8Array(0);

/** A frame, or a body that is not framed, that is longer than the reader takes. */
export function frameLimit(maximum: number, actual: number): FengniError<"ERR_LIMIT"> {
  return limitError("frame length", maximum, actual, "raise maxFrameLength if this is expected");
}

/** Small fixed fields are collected; content goes straight to the cipher. */
export class BodyReader {
  readonly #header: ParsedHeader;
  readonly #cipher: AeadKey;
  readonly #verifier: MessageVerifier | undefined;
  readonly #aad: BlockAad;
  readonly #maxFrameLength: number;
  #stage: Stage;
  /** A field of fixed length, as far as it has come. */
  #field: Uint8Array;
  #fieldLength = 0;
  #sequence = 1;
  #block: BlockHead | undefined;
  #opener: AeadOpener | undefined;
  #contentLeft = 0;
  /** Plaintext of the last block of a signed message, until the signature is verified. */
  #heldBack: readonly Uint8Array[] = [];

  constructor(header: ParsedHeader, cipher: AeadKey, verifier: MessageVerifier | undefined, maxFrameLength: number) {
    this.#header = header;
    this.#cipher = cipher;
    this.#verifier = verifier;
    this.#aad = new BlockAad(header.messageId);
    this.#maxFrameLength = maxFrameLength;
    this.#stage = header.frameLength === 0 ? "head" : "mark";
    this.#field = new Uint8Array(header.frameLength === 0 ? NON_FRAMED_HEAD_BYTES : 4);
  }

  get isDone(): boolean {
    return this.#stage === "done";
  }

  /** Frames that were opened, or given to another thread to open; a body that is not framed is one. */
  get frames(): number {
    const isLastOpen = this.#stage === "done" || this.#stage === "footer-length" || this.#stage === "signature";
    return this.#sequence - 1 + (isLastOpen ? 1 : 0);
  }

  /** The body's key, for frames that another thread opens. */
  get cipher(): AeadKey {
    return this.#cipher;
  }

  /** Bytes of a body's frame before it is opened; 0 for one that is not framed. */
  get frameLength(): number {
    return this.#header.frameLength;
  }

  /** Length of what {@link claim} returns, in bytes. */
  get aadLength(): number {
    return this.#aad.of("regular", 0, 0).length;
  }

  /** Most bytes until the next regular frame may begin: 0 where it may at once, infinite where none can follow. */
  get missing(): number {
    const { frameLength } = this.#header;
    const left = this.#field.length - this.#fieldLength;
    if (this.#stage === "mark") {
      return this.#fieldLength === 0 ? 0 : left + REGULAR_FRAME_HEAD_BYTES - 4 + frameLength + GCM_TAG_BYTES;
    }
    if (this.#stage === "head" && frameLength > 0 && this.#field.length === REGULAR_FRAME_HEAD_BYTES) {
      return left + frameLength + GCM_TAG_BYTES;
    }
    if (this.#block?.kind !== "regular") return Number.POSITIVE_INFINITY;
    if (this.#stage === "content") return this.#contentLeft + GCM_TAG_BYTES;
    return this.#stage === "tag" ? left : Number.POSITIVE_INFINITY;
  }

  /**
   * Takes a whole regular frame that another thread opens, where one may begin: checks its head and hashes it for the
   * signature. Returns its AAD, until the next call.
   */
  claim(frame: Uint8Array): Uint8Array {
    this.#verifier?.update(frame);
    const block = this.#parseHead(frame);
    this.#sequence = nextSequence(this.#sequence, true);
    return this.#aad.of(block.kind, block.sequence, block.length);
  }

  abort(): void {
    this.#opener?.abort();
    for (const piece of this.#heldBack) wipe(piece);
  }

  /** Takes the next bytes of the body; adds to `released` the plaintext that is authenticated. */
  update(chunk: Uint8Array, released: Uint8Array[], from = 0): Awaitable<void> {
    for (let offset = from; offset < chunk.length; ) {
      if (this.#stage === "done") {
        throw new FengniError("ERR_MESSAGE_INVALID", "there are bytes after the end of the message");
      }
      let step: Awaitable<number>;
      if (this.#stage === "mark" && this.#fieldLength === 0) step = this.#wholeFrame(chunk, offset, released);
      else if (this.#stage === "content") step = this.#content(chunk, offset);
      else step = this.#collect(chunk, offset, released);
      if (step instanceof Promise) return step.then((next) => this.update(chunk, released, next));
      offset = step;
    }
  }

  /** Opens a frame that is all there, without copying it; else begins to collect its head. */
  #wholeFrame(chunk: Uint8Array, offset: number, released: Uint8Array[]): Awaitable<number> {
    if (offset + FINAL_FRAME_HEAD_BYTES > chunk.length) return this.#collect(chunk, offset, released);
    const isFinal = readU32(chunk, offset) === FINAL_FRAME_MARK;
    const contentOffset = offset + (isFinal ? FINAL_FRAME_HEAD_BYTES : REGULAR_FRAME_HEAD_BYTES);
    const tagOffset = contentOffset + (isFinal ? readU32(chunk, contentOffset - 4) : this.#header.frameLength);
    const end = tagOffset + GCM_TAG_BYTES;
    if (end > chunk.length) return this.#collect(chunk, offset, released);
    this.#verifier?.update(chunk.subarray(offset, end));
    const block = this.#parseHead(chunk.subarray(offset, contentOffset));
    if (block.length > this.#maxFrameLength) throw frameLimit(this.#maxFrameLength, block.length);
    const opened = this.#cipher.open(
      block.iv,
      this.#aad.of(block.kind, block.sequence, block.length),
      chunk.subarray(contentOffset, tagOffset),
      chunk.subarray(tagOffset, end),
    );
    return andThen(opened, (plaintext) => {
      if (isFinal) {
        this.#endLast(plaintext.length > 0 ? [plaintext] : [], released);
      } else {
        this.#sequence = nextSequence(this.#sequence, true);
        released.push(plaintext);
      }
      return end;
    });
  }

  #content(chunk: Uint8Array, offset: number): number {
    const part = chunk.subarray(offset, offset + this.#contentLeft);
    this.#verifier?.update(part);
    this.#opener?.update(part);
    this.#contentLeft -= part.length;
    if (this.#contentLeft === 0) this.#expect("tag", GCM_TAG_BYTES);
    return offset + part.length;
  }

  #expect(stage: Stage, fieldLength: number): void {
    this.#stage = stage;
    this.#field = fieldLength === 0 ? NO_FIELD : new Uint8Array(fieldLength);
    this.#fieldLength = 0;
  }

  #collect(chunk: Uint8Array, offset: number, released: Uint8Array[]): Awaitable<number> {
    const end = Math.min(chunk.length, offset + this.#field.length - this.#fieldLength);
    this.#field.set(chunk.subarray(offset, end), this.#fieldLength);
    this.#fieldLength += end - offset;
    if (this.#fieldLength < this.#field.length) return end;
    return andThen(this.#fieldDone(released), () => end);
  }

  #fieldDone(released: Uint8Array[]): Awaitable<void> {
    const field = this.#field;
    if (this.#stage === "mark") {
      // A frame's first four bytes tell how long its head is.
      this.#expect("head", frameHeadLength(readU32(field, 0)));
      this.#field.set(field);
      this.#fieldLength = field.length;
    } else if (this.#stage === "head") {
      this.#verifier?.update(field);
      this.#beginBlock(field);
    } else if (this.#stage === "tag") {
      this.#verifier?.update(field);
      return this.#endBlock(field, released);
    } else if (this.#stage === "footer-length") {
      const length = footerSignatureLength(field);
      if (length === 0) throw authenticationError();
      this.#expect("signature", length);
    } else {
      if (this.#verifier?.verify(field) !== true) throw authenticationError();
      for (const piece of this.#heldBack) released.push(piece);
      this.#heldBack = [];
      this.#expect("done", 0);
    }
  }

  #parseHead(head: Uint8Array): BlockHead {
    const { frameLength } = this.#header;
    return frameLength > 0 ? parseFrameHead(head, this.#sequence, frameLength) : parseNonFramedHead(head);
  }

  #beginBlock(head: Uint8Array): void {
    const block = this.#parseHead(head);
    if (block.length > this.#maxFrameLength) throw frameLimit(this.#maxFrameLength, block.length);
    this.#block = block;
    const aad = this.#aad.of(block.kind, block.sequence, block.length).slice();
    this.#opener = this.#cipher.openIncremental(block.iv, aad, block.length);
    this.#contentLeft = block.length;
    if (block.length === 0) this.#expect("tag", GCM_TAG_BYTES);
    else this.#stage = "content";
  }

  #endBlock(tag: Uint8Array, released: Uint8Array[]): Awaitable<void> {
    const opener = this.#opener as AeadOpener;
    return andThen(opener.final(tag), (plaintext) => {
      this.#opener = undefined;
      if (this.#block?.kind === "regular") {
        this.#sequence = nextSequence(this.#sequence, true);
        for (const piece of plaintext) released.push(piece);
        this.#expect("mark", 4);
      } else {
        this.#endLast(plaintext, released);
      }
    });
  }

  /** The last block is authenticated; a signed message's is held back until its signature is verified. */
  #endLast(plaintext: readonly Uint8Array[], released: Uint8Array[]): void {
    if (this.#verifier === undefined) {
      for (const piece of plaintext) released.push(piece);
      this.#expect("done", 0);
    } else {
      this.#heldBack = plaintext;
      this.#expect("footer-length", FOOTER_HEAD_BYTES);
    }
  }
}
