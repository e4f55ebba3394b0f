// Reads the body and the footer of one message: frames in order, each released once it is authenticated (message format,
// sections "Body" and "Footer"). Gets its cipher from outside; must not know headers' checks or keys.
import type { AeadKey, AeadOpener } from "@fengni/crypto/aes-gcm";
import { wipe } from "@fengni/crypto/bytes";
import type { EcdsaVerifier } from "@fengni/crypto/ecdsa";
import { authenticationError, FengniError, limitError } from "./errors.js";
import { type Awaitable, andThen } from "./pieces.js";
import { FOOTER_HEAD_BYTES, footerSignatureLength } from "./wire/footer.js";
import {
  BlockAad,
  type BlockHead,
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

/** A frame, or a body that is not framed, that is longer than the reader takes. */
export function frameLimit(maximum: number, actual: number): FengniError<"ERR_LIMIT"> {
  return limitError("frame length", maximum, actual, "raise maxFrameLength if this is expected");
}

/** Small fixed fields are collected; content goes straight to the cipher. */
export class BodyReader {
  readonly #header: ParsedHeader;
  readonly #cipher: AeadKey;
  readonly #verifier: EcdsaVerifier | undefined;
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

  constructor(header: ParsedHeader, cipher: AeadKey, verifier: EcdsaVerifier | undefined, maxFrameLength: number) {
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

  /** Opens a regular frame that is all there, without copying it; else begins to collect its head. */
  #wholeFrame(chunk: Uint8Array, offset: number, released: Uint8Array[]): Awaitable<number> {
    const { frameLength } = this.#header;
    const contentOffset = offset + REGULAR_FRAME_HEAD_BYTES;
    const tagOffset = contentOffset + frameLength;
    const end = tagOffset + GCM_TAG_BYTES;
    if (end > chunk.length || readU32(chunk, offset) === FINAL_FRAME_MARK)
      return this.#collect(chunk, offset, released);
    this.#verifier?.update(chunk.subarray(offset, end));
    const block = this.#parseHead(chunk.subarray(offset, contentOffset));
    const opened = this.#cipher.open(
      block.iv,
      this.#aad.of(block.kind, block.sequence, block.length),
      chunk.subarray(contentOffset, tagOffset),
      chunk.subarray(tagOffset, end),
    );
    return andThen(opened, (plaintext) => {
      this.#sequence = nextSequence(this.#sequence, true);
      released.push(plaintext);
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
    this.#field = new Uint8Array(fieldLength);
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
      } else if (this.#verifier === undefined) {
        for (const piece of plaintext) released.push(piece);
        this.#expect("done", 0);
      } else {
        this.#heldBack = plaintext;
        this.#expect("footer-length", FOOTER_HEAD_BYTES);
      }
    });
  }
}
