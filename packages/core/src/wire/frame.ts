// Frames of a body: their heads, IVs and additional authenticated data (message format, section "Body"). Bytes <-> values;
// must run no cipher and hold no key.
import { utf8ToBytes } from "@fengni/crypto/bytes";
import { FengniError, limitError } from "../errors.js";
import { GCM_IV_BYTES } from "./header.js";
import { putU32, readU32 } from "./integers.js";

/** The sequence number that marks the final frame; no regular frame can have it. */
export const FINAL_FRAME_MARK = 0xffffffff;
/** Most frames of a message, the final one included. */
const MAX_FRAMES = 0xffffffff;
/**
 * The sequence number after `sequence`. The last one is left to the final frame: as a regular frame's it would be the mark.
 * @throws `ERR_LIMIT` when there is none
 */
export function nextSequence(sequence: number, isFinal: boolean): number {
  if (sequence + 1 > (isFinal ? MAX_FRAMES : FINAL_FRAME_MARK - 1)) {
    throw limitError("number of frames", MAX_FRAMES, sequence + 1, "use a longer frameLength");
  }
  return sequence + 1;
}

/** Sequence number and IV. */
export const REGULAR_FRAME_HEAD_BYTES: number = 4 + GCM_IV_BYTES;
/** Mark, sequence number, IV and length. */
export const FINAL_FRAME_HEAD_BYTES: number = 8 + GCM_IV_BYTES + 4;
/** IV and 64-bit length of a body that is not framed. */
export const NON_FRAMED_HEAD_BYTES: number = GCM_IV_BYTES + 8;
/** Longest body that is not framed: what AES-GCM takes (NIST SP 800-38D, section 5.2.1.1). */
const MAX_NON_FRAMED_LENGTH = 2n ** 36n - 32n;

/** What a block of the body is. */
export type BlockKind = "regular" | "final" | "non-framed";

const CONTENT_STRINGS: Readonly<Record<BlockKind, Uint8Array>> = {
  regular: /* @__PURE__ */ utf8ToBytes("AWSKMSEncryptionClient Frame"),
  final: /* @__PURE__ */ utf8ToBytes("AWSKMSEncryptionClient Final Frame"),
  "non-framed": /* @__PURE__ */ utf8ToBytes("AWSKMSEncryptionClient Single Block"),
};

const NO_BYTES = /* @__PURE__ */ new Uint8Array(0);

/** The additional authenticated data of one message's blocks: one buffer while their kind is the same; only its end changes. */
export class BlockAad {
  readonly #messageId: Uint8Array;
  #kind: BlockKind | undefined;
  #buffer: Uint8Array = NO_BYTES;

  /** @param messageId - not copied: must not change */
  constructor(messageId: Uint8Array) {
    this.#messageId = messageId;
  }

  /**
   * The data of one block; valid until the next call.
   * @param length - plaintext bytes in the block
   */
  of(kind: BlockKind, sequence: number, length: number): Uint8Array {
    if (kind !== this.#kind) this.#begin(kind);
    const buffer = this.#buffer;
    const prefix = buffer.length - 12;
    putU32(buffer, prefix, sequence);
    putU32(buffer, prefix + 4, Math.floor(length / 2 ** 32));
    putU32(buffer, prefix + 8, length % 2 ** 32);
    return buffer;
  }

  #begin(kind: BlockKind): void {
    const content = CONTENT_STRINGS[kind];
    this.#buffer = new Uint8Array(this.#messageId.length + content.length + 12);
    this.#buffer.set(this.#messageId);
    this.#buffer.set(content, this.#messageId.length);
    this.#kind = kind;
  }
}

/** Writes the IV of the block with this sequence number: eight zero bytes, which `iv` has already, and the number. */
export function putBlockIv(iv: Uint8Array, sequence: number): void {
  putU32(iv, GCM_IV_BYTES - 4, sequence);
}

/** Writes the head of a regular frame at `offset`; its last 12 bytes are the IV. */
export function putRegularHead(target: Uint8Array, offset: number, sequence: number): void {
  putU32(target, offset, sequence);
  putU32(target, offset + REGULAR_FRAME_HEAD_BYTES - 4, sequence);
}

/** Writes the head of the final frame at `offset`. */
export function putFinalHead(target: Uint8Array, offset: number, sequence: number, length: number): void {
  putU32(target, offset, FINAL_FRAME_MARK);
  putU32(target, offset + 4, sequence);
  putU32(target, offset + 8 + GCM_IV_BYTES - 4, sequence);
  putU32(target, offset + 8 + GCM_IV_BYTES, length);
}

/** What stands before a block's ciphertext. */
export interface BlockHead {
  readonly kind: BlockKind;
  readonly sequence: number;
  /** As stored: what the cipher is given (message format, section "Framed body"). */
  readonly iv: Uint8Array;
  /** Ciphertext bytes that follow, before the tag. */
  readonly length: number;
}

/** Bytes of the head of the frame that begins with `mark`, its first four bytes. */
export function frameHeadLength(mark: number): number {
  return mark === FINAL_FRAME_MARK ? FINAL_FRAME_HEAD_BYTES : REGULAR_FRAME_HEAD_BYTES;
}

/**
 * Parses a frame's head; the IV is a view of it.
 * @param head - at least {@link frameHeadLength} bytes
 * @throws `ERR_MESSAGE_INVALID` for a sequence number out of order or a final frame longer than a frame
 */
export function parseFrameHead(head: Uint8Array, expectedSequence: number, frameLength: number): BlockHead {
  const isFinal = readU32(head, 0) === FINAL_FRAME_MARK;
  const sequence = readU32(head, isFinal ? 4 : 0);
  if (sequence !== expectedSequence) {
    throw new FengniError(
      "ERR_MESSAGE_INVALID",
      `frame ${expectedSequence} has the sequence number ${sequence}: frames are missing, repeated or out of order`,
    );
  }
  const ivOffset = isFinal ? 8 : 4;
  const iv = head.subarray(ivOffset, ivOffset + GCM_IV_BYTES);
  if (!isFinal) return { kind: "regular", sequence, iv, length: frameLength };
  const length = readU32(head, ivOffset + GCM_IV_BYTES);
  if (length > frameLength) {
    throw new FengniError(
      "ERR_MESSAGE_INVALID",
      `the final frame states ${length} bytes, more than the frame length of ${frameLength}`,
    );
  }
  return { kind: "final", sequence, iv, length };
}

/**
 * Parses the head of a body that is not framed.
 * @throws `ERR_MESSAGE_INVALID` for a length over 2^36 - 32 bytes
 */
export function parseNonFramedHead(head: Uint8Array): BlockHead {
  const length = (BigInt(readU32(head, GCM_IV_BYTES)) << 32n) | BigInt(readU32(head, GCM_IV_BYTES + 4));
  if (length > MAX_NON_FRAMED_LENGTH) {
    throw new FengniError("ERR_MESSAGE_INVALID", `the body states ${length} bytes, more than AES-GCM can protect`);
  }
  return { kind: "non-framed", sequence: 1, iv: head.subarray(0, GCM_IV_BYTES), length: Number(length) };
}
