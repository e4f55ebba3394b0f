// Walks over a body that is passed on as it is, to find its end: heads of frames, their order and lengths (message format,
// sections "Body" and "Footer"). Holds no key: what it finds is consistent, not authentic.
import { FengniError } from "./errors.js";
import { FOOTER_HEAD_BYTES, footerSignatureLength } from "./wire/footer.js";
import { FINAL_FRAME_HEAD_BYTES, frameHeadLength, nextSequence, parseFrameHead } from "./wire/frame.js";
import { GCM_TAG_BYTES } from "./wire/header.js";
import { readU32 } from "./wire/integers.js";

/** Bytes that tell how long a frame's head is. */
const MARK_BYTES = 4;

/** Finds where a framed body ends, and takes what follows it. */
export class BodyScanner {
  readonly #frameLength: number;
  readonly #hasFooter: boolean;
  #sequence = 1;
  #stage: "head" | "content" | "footer-length" | "signature" | "done" = "head";
  /** A field of fixed length, as far as it has come. */
  #field: Uint8Array = new Uint8Array(FINAL_FRAME_HEAD_BYTES);
  #fieldLength = 0;
  #fieldNeeds = MARK_BYTES;
  /** Bytes of content and tag still to come. */
  #contentLeft = 0;
  #isFinal = false;

  constructor(frameLength: number, hasFooter: boolean) {
    this.#frameLength = frameLength;
    this.#hasFooter = hasFooter;
  }

  get isDone(): boolean {
    return this.#stage === "done";
  }

  /** The footer's signature, once all of it is there. */
  get signature(): Uint8Array {
    return this.#field;
  }

  /**
   * Takes the next bytes behind the header.
   * @returns how many of them belong to the body; those after it, if any, to the footer
   * @throws `ERR_MESSAGE_INVALID` for frames out of order or too long, and for bytes after the end
   */
  take(chunk: Uint8Array): number {
    let bodyBytes = 0;
    for (let offset = 0; offset < chunk.length; ) {
      if (this.#stage === "done") {
        throw new FengniError("ERR_MESSAGE_INVALID", "there are bytes after the end of the message");
      }
      const isBody = this.#stage === "head" || this.#stage === "content";
      offset = this.#stage === "content" ? this.#skip(chunk.length, offset) : this.#collect(chunk, offset);
      if (isBody) bodyBytes = offset;
    }
    return bodyBytes;
  }

  #skip(length: number, offset: number): number {
    const skipped = Math.min(length - offset, this.#contentLeft);
    this.#contentLeft -= skipped;
    if (this.#contentLeft === 0) {
      if (!this.#isFinal) {
        this.#sequence = nextSequence(this.#sequence, true);
        this.#expect("head", FINAL_FRAME_HEAD_BYTES, MARK_BYTES);
      } else if (this.#hasFooter) this.#expect("footer-length", FOOTER_HEAD_BYTES);
      else this.#expect("done", 0);
    }
    return offset + skipped;
  }

  #collect(chunk: Uint8Array, offset: number): number {
    const end = Math.min(chunk.length, offset + this.#fieldNeeds - this.#fieldLength);
    this.#field.set(chunk.subarray(offset, end), this.#fieldLength);
    this.#fieldLength += end - offset;
    if (this.#fieldLength === this.#fieldNeeds) this.#fieldDone();
    return end;
  }

  #fieldDone(): void {
    if (this.#stage === "head") {
      const needed = frameHeadLength(readU32(this.#field, 0));
      if (this.#fieldLength < needed) {
        this.#fieldNeeds = needed;
        return;
      }
      const { kind, length } = parseFrameHead(this.#field, this.#sequence, this.#frameLength);
      this.#isFinal = kind === "final";
      this.#contentLeft = length + GCM_TAG_BYTES;
      this.#stage = "content";
    } else if (this.#stage === "footer-length") {
      const length = footerSignatureLength(this.#field);
      if (length === 0) throw new FengniError("ERR_MESSAGE_INVALID", "the message's signature is empty");
      this.#expect("signature", length);
    } else {
      this.#stage = "done";
    }
  }

  #expect(stage: "head" | "footer-length" | "signature" | "done", length: number, needs: number = length): void {
    this.#stage = stage;
    if (this.#field.length !== length) this.#field = new Uint8Array(length);
    this.#fieldLength = 0;
    this.#fieldNeeds = needs;
  }
}
